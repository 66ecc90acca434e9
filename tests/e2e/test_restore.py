"""The gateway's database is restored from a backup: what the node still holds arrives again."""

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from hedge.store import audit
from hedgerow.gateway import Gateway, GatewayConfig

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

from node import Node

pytestmark = pytest.mark.e2e

_RECORDS = 30


class Field:
    """One node's log and one gateway's database; each start of the node sends some records."""

    def __init__(self, micropython: Path, folder: Path) -> None:
        self._micropython = micropython
        self.log = folder / "log"
        self.db = folder / "farm.db"

    def run(self) -> dict:
        """Gateway and node live until all is acknowledged; the node's counters."""
        return asyncio.run(self._run())

    async def _run(self) -> dict:
        config = GatewayConfig(db=self.db, http_port=0, mqtt_port=0, broker="python")
        async with Gateway(config) as gateway:
            settings = {"kind": "mqtt", "port": gateway.mqtt_port, "dir": str(self.log)}
            return await asyncio.to_thread(self._live, settings)

    def _live(self, settings: dict) -> dict:
        with Node(self._micropython, "uplink", records=_RECORDS, **settings) as node:
            result = node.result(120)
        assert result["pending"] == 0
        return result["stats"]

    def keys(self) -> set[tuple[int, int, int]]:
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            rows = db.execute("SELECT boot, stream, seq FROM record").fetchall()
        assert len(rows) == len(set(rows))
        return set(rows)

    def held(self) -> set[tuple[int, int, int]]:
        return {(boot, stream, seq) for boot, stream, seq, _ in audit(str(self.log))}


def test_what_a_restored_database_lost_comes_again(micropython, tmp_path):
    field = Field(micropython, tmp_path)
    field.run()
    shutil.copy(field.db, tmp_path / "backup.db")
    field.run()
    assert len(field.keys()) == 2 * _RECORDS
    shutil.copy(tmp_path / "backup.db", field.db)
    assert len(field.keys()) == _RECORDS
    stats = field.run()
    assert field.keys() == field.held()
    assert len(field.held()) == 3 * _RECORDS
    assert stats["generation_changes"] == 1
    assert stats["records_asked_again"] == 2 * _RECORDS
