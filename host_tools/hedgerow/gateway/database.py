"""Open the gateway's SQLite file: one writer, many read-only readers.

WAL with synchronous=FULL: a commit that returned is on the disk, which is what an
acknowledgement promises. A lock file keeps a second gateway away; the kernel drops the lock
when the process dies, however it dies.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hedgerow.errors import GatewayError
from hedgerow.gateway.generation import identify
from hedgerow.gateway.schema import MIGRATIONS

_BUSY_S = 10.0
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # the latter from a damaged schema


def open_database(path: Path | str) -> sqlite3.Connection:
    """The writing connection, schema up to date, in autocommit mode (callers BEGIN themselves).

    Creates folder and file. It may be handed to one other thread. Raises GatewayError when the
    file cannot be opened, is no database, is damaged, or was made by a newer release.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path)
    except (OSError, *UNREADABLE) as error:
        raise GatewayError(
            f"database {path} cannot be opened: {error}; check the path and its "
            f"permissions, or choose another with --db"
        ) from error
    try:
        with named_errors(path):
            _migrate(connection, path)
            identify(connection, path)
    except GatewayError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """What SQLite says of a locked, full or damaged file becomes a GatewayError with its name."""
    try:
        yield
    except UNREADABLE as error:
        raise GatewayError(
            f"database {path} cannot be used: {error}; see that no other program has it open and "
            f"the disk is not full, restore a backup, or choose another with --db"
        ) from error


def refuse_foreign(connection: sqlite3.Connection, path: Path | str, table: str) -> None:
    """Raises GatewayError if the file is another program's. table: one that all of ours have."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {name for (name,) in rows}
    if tables and table not in tables:
        raise GatewayError(
            f"database {path} is another program's: it has a table {min(tables)!r} and no "
            f"{table!r}; choose another with --db"
        )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        refuse_foreign(connection, path, "watermark")  # first read of the file: fails if bad
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16384")  # KiB
    except (GatewayError, *UNREADABLE):
        connection.close()
        raise
    return connection


def open_reader(path: Path | str) -> sqlite3.Connection:
    """A read-only connection; sees the last commit. Close it soon: it holds back checkpoints."""
    uri = Path(path).resolve().as_uri() + "?mode=ro"
    reader = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, check_same_thread=False)
    reader.row_factory = sqlite3.Row
    return reader


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE .. COMMIT; rolls back on any exception and lets it pass."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back on a full disk
            connection.execute("ROLLBACK")
        raise


def schema_version(connection: sqlite3.Connection) -> int:
    """Number of migrations this file has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = schema_version(connection)
    if version > len(MIGRATIONS):
        raise GatewayError(
            f"database {path} has schema {version}, this release knows {len(MIGRATIONS)}: "
            f"update hedgerow or choose another file with --db"
        )
    if version == len(MIGRATIONS):
        return
    with transaction(connection):
        for script in MIGRATIONS[version:]:
            _run_script(connection, script)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    # Not executescript: that commits first, and a half-made schema must not be left behind.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


class DatabaseLock:
    """Held while a process writes to `path`. Raises GatewayError if another one holds it.

    who: what such a process is, for that message.
    """

    def __init__(self, path: Path, who: str = "gateway"):
        self._who = who
        self._path = path.with_name(path.name + ".lock")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "DatabaseLock":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b", buffering=0)
            self._take(self._file)
        except OSError as error:
            self.__exit__()
            raise GatewayError(
                f"database folder {self._path.parent}: {error}; choose another file with --db"
            ) from error
        return self

    def _take(self, file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read().decode("ascii", "replace").strip() or "?"
            file.close()
            raise GatewayError(
                f"another {self._who} (process {owner}) uses this database ({self._path}): "
                f"stop it or choose another file with --db"
            ) from error
        file.truncate(0)
        file.write(b"%d" % os.getpid())

    def __exit__(self, *exc_info: object) -> None:
        if self._file:
            self._file.close()
