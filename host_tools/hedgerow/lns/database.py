"""What the network server must not forget, in one SQLite file; committed before any answer.

Times are epoch seconds. One connection, one thread.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hedgerow.errors import GatewayError
from hedgerow.gateway.database import UNREADABLE, DatabaseLock, refuse_foreign

_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE joined (          -- what the join server knows of a device
    device TEXT PRIMARY KEY,
    dev_nonce INTEGER NOT NULL,    -- highest seen; 1.0.4: they only grow
    join_nonce INTEGER NOT NULL    -- last given out
) STRICT;
CREATE TABLE session (         -- pending: of a join-accept that no uplink has confirmed yet
    device TEXT NOT NULL,
    pending INTEGER NOT NULL,
    state TEXT NOT NULL,           -- JSON of Session
    PRIMARY KEY (device, pending)
) STRICT;
CREATE TABLE skeleton (        -- of the payload codec, SPEC.md
    device TEXT NOT NULL,
    digest INTEGER NOT NULL,
    skeleton BLOB NOT NULL,
    PRIMARY KEY (device, digest)
) STRICT;
"""
_SCHEMA_2 = """
CREATE TABLE counted (         -- devices that do not number their records: we do
    device TEXT PRIMARY KEY,
    boot INTEGER NOT NULL,         -- when the counting began, epoch s
    seq INTEGER NOT NULL           -- the next to give out
) STRICT;
"""


@dataclass
class Session:
    """Keys, counters and radio parameters of one activation. fcnt_up: -1 before the first.

    region: what rates and channels mean; "" in a database of before, which kept none.

    repeats: how often the latest uplink came again and was answered again.
    snrs: of the latest uplinks at this data rate. asked: the LinkADRReq under way, as
    (rate, power); refused: that the device did not take. settling: other commands under way,
    identifier -> payload in hex; unwilling: those that it refused.
    """

    device: str
    dev_addr: int
    nwk_s_key: str
    app_s_key: str
    region: str = ""
    rate: int = 0
    power: int = 0
    rx1_delay_s: int = 1
    rx1_offset: int = 0
    rx2_hz: int = 0
    rx2_rate: int = 0
    mask: int = 0
    fcnt_up: int = -1
    fcnt_down: int = 0
    repeats: int = 0
    snrs: list[float] = field(default_factory=list)
    asked: list[int] | None = None
    refused: list[int] | None = None
    settling: dict[str, str] = field(default_factory=dict)
    unwilling: list[int] = field(default_factory=list)
    last_seen_s: float = 0.0
    last_gateway: str = ""

    @property
    def keys(self) -> tuple[bytes, bytes]:
        return bytes.fromhex(self.nwk_s_key), bytes.fromhex(self.app_s_key)

    def is_in(self, region: str) -> bool:
        return self.region in ("", region)


def lock_of(path: Path) -> DatabaseLock:
    """To be held by whoever writes: two servers would give out the same counters."""
    return DatabaseLock(path, "network server")


class Database:
    """Sessions live in memory and are written through. Raises GatewayError when it cannot open."""

    def __init__(self, path: Path | str):
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            refuse_foreign(self._connection, path, "joined")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._migrate(path)
            rows = self._connection.execute("SELECT device, pending, state FROM session")
            self._sessions = {(d, p): Session(**json.loads(state)) for d, p, state in rows}
        except (*UNREADABLE, TypeError, ValueError) as error:
            raise GatewayError(
                f"database {path} cannot be used: {error}; choose another with --db"
            ) from error

    def _migrate(self, path: Path | str) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA_VERSION:
            raise GatewayError(f"database {path} is of a newer release: update hedgerow")
        steps = "".join((_SCHEMA, _SCHEMA_2)[version:])
        if steps:
            self._connection.executescript(
                f"BEGIN; {steps} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
            )

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE .. COMMIT; after an exception nothing of it is stored."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    # Sessions

    def sessions(self, dev_addr: int) -> list[tuple[bool, Session]]:
        """(pending, session) of this address; several devices may share one."""
        return [
            (bool(pending), session)
            for (_, pending), session in self._sessions.items()
            if session.dev_addr == dev_addr
        ]

    def session(self, device: str, *, pending: bool = False) -> Session | None:
        return self._sessions.get((device, int(pending)))

    def addresses(self) -> set[int]:
        return {session.dev_addr for session in self._sessions.values()}

    def put(self, session: Session, *, pending: bool = False) -> None:
        """Write one session; inside a transaction with other changes."""
        key = (session.device, int(pending))
        self._sessions[key] = session
        self._connection.execute(
            "INSERT OR REPLACE INTO session VALUES (?, ?, ?)", (*key, json.dumps(asdict(session)))
        )

    def confirm(self, session: Session) -> None:
        """The first uplink of a pending session: it replaces the one before."""
        self._sessions.pop((session.device, 1), None)
        self._connection.execute(
            "DELETE FROM session WHERE device = ? AND pending = 1", (session.device,)
        )
        self.put(session)

    def all_sessions(self) -> list[Session]:
        """The confirmed ones, by name."""
        found = [session for (_, pending), session in self._sessions.items() if not pending]
        return sorted(found, key=lambda session: session.device)

    def forget(self, device: str) -> bool:
        """Drop nonces, sessions and skeletons of a device; False if there were none."""
        known = self.nonces(device) != (-1, 0)
        with self.transaction():
            for table in ("joined", "session", "skeleton", "counted"):
                self._connection.execute(f"DELETE FROM {table} WHERE device = ?", (device,))
        for pending in (0, 1):
            known = self._sessions.pop((device, pending), None) is not None or known
        return known

    # Joins

    def nonces(self, device: str) -> tuple[int, int]:
        """(highest DevNonce, last JoinNonce), -1 and 0 before the first join."""
        row = self._connection.execute(
            "SELECT dev_nonce, join_nonce FROM joined WHERE device = ?", (device,)
        ).fetchone()
        return row or (-1, 0)

    def put_nonces(self, device: str, dev_nonce: int, join_nonce: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO joined VALUES (?, ?, ?)", (device, dev_nonce, join_nonce)
        )

    # Numbers of records

    def counted(self, device: str) -> tuple[int, int] | None:
        """(boot, next seq), None before the first record."""
        sql = "SELECT boot, seq FROM counted WHERE device = ?"
        return self._connection.execute(sql, (device,)).fetchone()

    def put_counted(self, device: str, boot: int, seq: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO counted VALUES (?, ?, ?)", (device, boot, seq)
        )

    # Skeletons

    def skeletons(self, device: str) -> dict[int, bytes]:
        rows = self._connection.execute(
            "SELECT digest, skeleton FROM skeleton WHERE device = ?", (device,)
        )
        return dict(rows)

    def put_skeletons(self, device: str, learned: dict[int, bytes]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO skeleton VALUES (?, ?, ?)",
            [(device, digest, skeleton) for digest, skeleton in learned.items()],
        )
