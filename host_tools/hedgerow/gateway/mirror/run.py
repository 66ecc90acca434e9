"""The conventions that a gateway speaks, kept up to date while it runs."""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.database import open_reader
from hedgerow.gateway.mirror import snapshot
from hedgerow.gateway.mirror.convention import Convention
from hedgerow.gateway.mirror.home_assistant import HomeAssistant
from hedgerow.gateway.mirror.session import MirrorSession
from hedgerow.gateway.mirror.sparkplug import EdgeNode
from hedgerow.gateway.mqtt import BrokerAddress

_log = logging.getLogger("hedgerow.gateway.mirror")

_LOOK_S = 0.5  # values that change faster are mirrored as they are then
_LOOK_ANYWAY_S = 10.0  # a node falls silent, and one day is gone, without a commit


def conventions(config: GatewayConfig, client: int) -> list[Convention]:
    """Those that the settings name. client: the number of this gateway's database."""
    found: list[Convention] = []
    if config.home_assistant:
        found.append(HomeAssistant(f"gateway-{client:08x}"))
    if config.sparkplug:
        found.append(EdgeNode(*config.sparkplug))
    return found


@contextlib.asynccontextmanager
async def mirroring(
    config: GatewayConfig, client: int, address: BrokerAddress, commits: Callable[[], int]
) -> AsyncIterator[None]:
    """Runs a session for each convention. commits(): grows with every commit of the gateway."""
    sessions = []
    for convention in conventions(config, client):
        name = f"hedgerow-{client:08x}-{convention.name}"
        session = MirrorSession(address, name, convention, lambda: _read(config.db_path))
        sessions.append(session)
    if not sessions:
        yield
        return
    for session in sessions:
        session.start()
    task = asyncio.create_task(_follow(sessions, config.db_path, commits))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for session in sessions:
            await asyncio.to_thread(session.stop)


async def _follow(sessions: list[MirrorSession], db: Path, commits: Callable[[], int]) -> None:
    seen, looked_s = -1, 0.0
    while True:
        number, now_s = commits(), time.monotonic()
        if number != seen or now_s - looked_s > _LOOK_ANYWAY_S:
            seen, looked_s = number, now_s
            try:
                await asyncio.to_thread(_update, sessions, db)
            except Exception:  # noqa: BLE001  a fault of ours here must not end the gateway
                _log.exception("mirroring failed; it goes on with the next commit")
        await asyncio.sleep(_LOOK_S)


def _update(sessions: list[MirrorSession], db: Path) -> None:
    devices = _read(db)
    if devices is not None:
        for session in sessions:
            session.update(devices)


def _read(db: Path) -> list[snapshot.Device] | None:
    try:
        with contextlib.closing(open_reader(db)) as reader:
            return snapshot.read(reader, time.time())
    except sqlite3.Error as error:  # the writer says it loudly; here it comes again by itself
        _log.info("nothing mirrored: %s", error)
        return None
