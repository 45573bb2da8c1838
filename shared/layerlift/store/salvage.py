"""What a new journal begins with: what can be read of a damaged one, and every start that has not come to its end."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from .trace import Start

ENDINGS = ("", "-wal", "-shm")
"""What SQLite adds to the name of a database for the files that belong to it."""
_TABLES = ("removals", "pictures", "steps")
_TYPES: dict[str, type | tuple[type, ...]] = {"INTEGER": int, "TEXT": str, "REAL": (int, float)}

_log = logging.getLogger(__name__)


def copy_rows(connection: sqlite3.Connection, damaged: Path) -> None:
    """Adds the rows that can still be read of a damaged database, which stays as it is."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            for ending in ENDINGS:
                file = damaged.with_name(damaged.name + ending)
                if file.exists():
                    shutil.copy(file, folder)
            with closing(sqlite3.connect(Path(folder, damaged.name))) as old:
                for table in _TABLES:
                    _copy(old, connection, table)
    except (OSError, sqlite3.DatabaseError) as error:
        _log.warning("Of the damaged journal nothing could be read: %s", error)


def copy_starts(connection: sqlite3.Connection, known: dict[str, Start]) -> None:
    """Adds the starts that have not ended, or what became of them where the database knows less."""
    for start in known.values():
        state = "running" if start.task_id else "unknown"
        connection.execute(
            "INSERT OR IGNORE INTO removals (picture, engine, account, width, height, state, created, task)"
            " VALUES (?, ?, ?, ?, ?, 'new', ?, ?)",
            (start.picture, start.engine, start.account, start.width, start.height, start.time, start.task),
        )
        connection.execute(
            "UPDATE removals SET state = ?, account = ?, task_id = ?, run_time = ? WHERE picture = ?"
            " AND (run_time IS NULL OR run_time < ? OR task_id IS NOT ?)",
            (state, start.account, start.task_id, start.time, start.picture, start.time, start.task_id),
        )


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    there = {name for _, name, *_ in old.execute(f"PRAGMA table_info({table})")}
    every = [(name, kind) for _, name, kind, *_ in new.execute(f"PRAGMA table_info({table})")]
    # An older version knew fewer.
    columns = [(name, kind) for name, kind in every if name in there]
    names = ", ".join(name for name, _ in columns)
    places = ", ".join("?" for _ in columns)
    for row in _readable(old, f"SELECT rowid, {names} FROM {table}"):
        values = row[1:]
        if all(value is None or isinstance(value, _TYPES[kind]) for value, (_, kind) in zip(values, columns)):
            new.execute(f"INSERT OR IGNORE INTO {table} (rowid, {names}) VALUES (?, {places})", row)


def _readable(connection: sqlite3.Connection, statement: str) -> Iterator[tuple[object, ...]]:
    """The rows before the first page that can't be read, and those after the last one."""
    for order in ("ASC", "DESC"):
        try:
            yield from connection.execute(f"{statement} ORDER BY rowid {order}")
        except sqlite3.DatabaseError as error:
            _log.info("Not all of the damaged journal can be read: %s", error)
        else:
            return
