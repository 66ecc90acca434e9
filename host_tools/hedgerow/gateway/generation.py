"""Which database this is: the generation in every ack, and how a restored backup is noticed.

The database counts its commits. A file beside it (`<database>.commits`) holds generation and
count, written after each commit, before its acks leave. A database that has fewer commits than the
file says, or no such file, is not the one that sent the last acks: it gets a new generation, and
the nodes send again what they still hold (firmware/hedge/net/uplink.py). Restored together with
its file nothing shows here; then nodes notice that acks went back.
"""

import contextlib
import logging
import os
import secrets
import sqlite3
import time
from pathlib import Path

_log = logging.getLogger("hedgerow.gateway.generation")

_FILE_BYTES = 64


def commits_path(database: Path) -> Path:
    """The file beside a database."""
    return database.with_name(database.name + ".commits")


def identify(connection: sqlite3.Connection, database: Path) -> None:
    """Give the database a generation, a new one if it is not what acknowledged last.

    Call once at start, outside of a transaction. Raises sqlite3.Error.
    """
    old = _meta(connection, "generation")
    told = _read(commits_path(database))
    is_new = old is None
    if not is_new and _was_restored(connection, old, told):
        _put(connection, "restored_s", time.time())
        _log.warning("%s is restored from a backup: nodes are asked for what it lost", database)
        is_new = True
    if is_new:
        _put(connection, "generation", _another(old, told))
    connection.execute(
        "INSERT OR IGNORE INTO meta SELECT 'client', value FROM meta WHERE key = 'generation'"
    )
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('commits', 0)")


def _was_restored(
    connection: sqlite3.Connection, generation: int | None, told: tuple[int, int] | None
) -> bool:
    commits = _meta(connection, "commits") or 0
    if told is None:
        return connection.execute("SELECT 1 FROM watermark LIMIT 1").fetchone() is not None
    return told[0] != generation or told[1] > commits


def _another(old: int | None, told: tuple[int, int] | None) -> int:
    while True:
        generation = secrets.randbits(31) + 1
        if generation != old and (told is None or generation != told[0]):
            return generation


def generation_of(connection: sqlite3.Connection) -> int:
    """This database's random id, u32 and never 0."""
    return _meta(connection, "generation") or 0


def client_of(connection: sqlite3.Connection) -> int:
    """An id that stays through restores: for the session at the broker."""
    return _meta(connection, "client") or 0


def restored_s(connection: sqlite3.Connection) -> float | None:
    """When this database was last found to be a restored one, epoch s."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'restored_s'").fetchone()
    return None if row is None else float(row[0])


def _meta(connection: sqlite3.Connection, key: str) -> int | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def _put(connection: sqlite3.Connection, key: str, value: float) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _read(path: Path) -> tuple[int, int] | None:
    try:
        generation, commits = path.read_text(encoding="ascii").split()
        return int(generation), int(commits)
    except (OSError, ValueError):
        return None  # missing or cut: the database counts as restored, which only costs traffic


class CommitCount:
    """Counts commits in the database (in the caller's transaction) and in the file beside it."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._generation = generation_of(connection)
        self._commits = _meta(connection, "commits") or 0
        self._file = -1
        self._is_dirty = False
        database = connection.execute("PRAGMA database_list").fetchone()[2]
        if database:
            path = commits_path(Path(database))
            try:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                _log.error("%s: %s; a restored backup will not be noticed", path, error)
        self.committed()

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    def count(self) -> None:
        """One commit more; inside its transaction."""
        sql = "UPDATE meta SET value = value + 1 WHERE key = 'commits' RETURNING value"
        self._commits = int(self._connection.execute(sql).fetchone()[0])

    def committed(self) -> None:
        """Tell the file; after the commit, before its acks. Survives the death of the process."""
        if self._file < 0:
            return
        line = f"{self._generation} {self._commits}".ljust(_FILE_BYTES - 1) + "\n"
        with contextlib.suppress(OSError):  # full disk: the next one may fit
            os.pwrite(self._file, line.encode("ascii"), 0)
            self._is_dirty = True

    def sync(self) -> None:
        """Onto the disk, now and then: a power cut may lose what came since, which is harmless."""
        if self._is_dirty:
            self._is_dirty = False
            with contextlib.suppress(OSError):
                os.fsync(self._file)
