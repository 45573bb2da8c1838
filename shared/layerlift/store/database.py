"""The state that all processes of a user share: one SQLite file, with its schema and its repair."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import errors
from . import locks, salvage
from .trace import Trace

BUSY_SECONDS = 30.0
NAME = "journal.sqlite3"
_log = logging.getLogger(__name__)

# One entry a version of the schema; a database of an older version gets those that it lacks.
MIGRATIONS = (
    """
    CREATE TABLE removals (
        id INTEGER PRIMARY KEY,
        picture TEXT NOT NULL UNIQUE,
        engine TEXT NOT NULL,
        account TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        state TEXT NOT NULL,
        file_id TEXT,
        file_time REAL,
        task_id TEXT,
        run_time REAL,
        dst_id TEXT,
        units REAL NOT NULL DEFAULT 0,
        created REAL NOT NULL
    );
    CREATE TABLE pictures (picture TEXT PRIMARY KEY, removal INTEGER NOT NULL);
    CREATE TABLE steps (removal INTEGER NOT NULL, time REAL NOT NULL, step TEXT NOT NULL, request_id TEXT);
    CREATE INDEX steps_of_removal ON steps (removal);
    CREATE TABLE requests (time REAL NOT NULL, task TEXT);
    CREATE INDEX requests_by_time ON requests (time);
    CREATE TABLE pauses (until REAL NOT NULL);
    """,
    """
    ALTER TABLE removals ADD COLUMN task TEXT NOT NULL DEFAULT 'sod';
    ALTER TABLE removals ADD COLUMN fields TEXT NOT NULL DEFAULT '';
    ALTER TABLE removals ADD COLUMN keep INTEGER NOT NULL DEFAULT 0;
    """,
)


class Database:
    """The shared file in a folder. A damaged one is set aside, and a new one begun with what can be salvaged.

    Args:
        folder: where it is; made where it is missing, for the user alone.
        synced: whether a write is on the disk when it returns; for what must not be lost, which is also looked over for
            damage first.

    All methods raise SetupError: ``disk`` where the file can't be written, ``journal_newer`` where a newer version of
    Layerlift has written it, ``journal_damaged`` where it was damaged while it was open.
    """

    def __init__(self, folder: Path, *, synced: bool) -> None:
        self.path = folder / NAME
        self._synced = synced
        self._guard = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locks.Lock(folder / f"{NAME}.lock", time.sleep):
                self._connection = self._open()
        except OSError as error:
            raise errors.make("disk", f"{folder} ({error.strerror})") from error

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    def read(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a statement finds."""
        with self._guard, _translate_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: what is done in the block is kept as a whole, or not at all where it raises."""
        with self._guard, _translate_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect(None)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise errors.make("disk", f"{self.path} ({error})") from error
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        for ending in salvage.ENDINGS:
            found = self.path.with_name(self.path.name + ending)
            if found.exists():
                found.replace(aside.with_name(aside.name + ending))
        _log.warning("The journal of paid work was damaged; it is kept as %s, and a new one was begun.", aside)
        return self._connect(aside)

    def _connect(self, damaged: Path | None) -> sqlite3.Connection:
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._synced else 'NORMAL'}")
            if self._synced and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            if self._migrate(connection) == 0:
                connection.execute("BEGIN IMMEDIATE")
                if damaged is not None:
                    salvage.copy_rows(connection, damaged)
                salvage.copy_starts(connection, Trace(self.path.parent).starts())
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> int:
        """Brings the schema up to date; returns its version before, 0 of a new file."""
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise errors.make("journal_newer", str(self.path))
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={number}; COMMIT")
        return version


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    """SQLite's own errors as errors for the user."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise errors.make("disk", f"{path} ({error})") from error
    except sqlite3.DatabaseError as error:
        raise errors.make("journal_damaged", f"{path} ({error})") from error
