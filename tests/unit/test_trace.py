"""What is left where the journal is lost or damaged: the rows that can be read, and each start that has not ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from layerlift import errors
from layerlift.store import database, trace
from layerlift.store.entries import digest
from layerlift.store.journal import Journal
from layerlift.store.records import Record
from layerlift.store.trace import Start, Trace

SIZE = (6, 4)
ROWS = 120
START = Start("picture", "youcam", "account", *SIZE, 1_700_000_000.0)


def claimed(journal: Journal, name: str) -> Record:
    """The record of a removal that was claimed."""
    with journal.claim(name, "youcam", "account", SIZE, lambda _: None) as record:
        return record


def in_state(journal: Journal, name: str, state: str) -> None:
    """Brings a removal to a state; "paid again" is a second start of one that was lost."""
    with journal.claim(name, "youcam", "account", SIZE, lambda _: None) as record:
        record.mark_uploaded("file")
        record.mark_starting()
        if state in ("running", "kept", "lost", "paid again"):
            record.mark_running(f"task of {name}", None)
        if state == "unknown":
            record.mark_unknown(None)
        elif state == "free":
            record.mark_free("unknown_internal_error", None)
        elif state == "kept":
            record.mark_done("dst", 1, None)
            record.keep(np.full((SIZE[1], SIZE[0]), 7, np.uint8))
        elif state in ("lost", "paid again"):
            record.mark_lost("InvalidTaskId", None)
        if state == "paid again":
            record.mark_starting()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


LOSSES = {"deleted": Path.unlink, "overwritten": overwritten, "emptied": emptied, "cut off": cut_off}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_start_that_may_be_paid_for_survives_the_loss_of_the_journal(tmp_path: Path, loss: str) -> None:
    states = {"starting": "unknown", "unknown": "unknown", "running": "running", "lost": "running"}
    states["paid again"] = "unknown"
    with closing(Journal(tmp_path)) as journal:
        for state in (*states, "free", "kept"):
            in_state(journal, state, state)
        before = {entry.picture: entry for entry in journal.entries()}
    LOSSES[loss](tmp_path / database.NAME)
    with closing(Journal(tmp_path)) as journal:
        after = {entry.picture: entry for entry in journal.entries()}
        assert {name: after[name].state for name in states} == states
        for name in states:
            assert (after[name].run_time, after[name].account) == (before[name].run_time, "account")
            expected = f"task of {name}" if states[name] == "running" else None
            assert after[name].task_id == expected
        assert "free" not in after or after["free"].state == "uploaded"
        assert np.array_equal(claimed(journal, "kept").result(), np.full((SIZE[1], SIZE[0]), 7, np.uint8))


def test_what_was_cleared_does_not_come_back(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        for state in ("unknown", "lost"):
            in_state(journal, state, state)
        journal.clear(in_doubt=True)
    (tmp_path / database.NAME).unlink()
    with closing(Journal(tmp_path)) as journal:
        assert journal.entries() == []


@pytest.mark.parametrize("state", ["starting", "unknown"])
def test_a_task_is_known_whose_process_died_before_the_database_took_it(tmp_path: Path, state: str) -> None:
    with closing(Journal(tmp_path)) as journal:
        in_state(journal, "picture", state)
        journal.trace.add_task("picture", "task")
        assert (claimed(journal, "picture").task_id, journal.entries()[0].state) == ("task", "running")


def test_the_task_of_an_earlier_start_is_not_taken_for_that_of_a_later_one(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        in_state(journal, "picture", "paid again")
        assert claimed(journal, "picture").task_id is None


def test_rows_before_and_after_what_is_damaged_are_salvaged(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        for number in range(ROWS):
            in_state(journal, digest(str(number)), "kept")
        before = {entry.picture: entry for entry in journal.entries()}
        steps = journal.steps(before[digest("0")])
    path = tmp_path / database.NAME
    data = bytearray(path.read_bytes())
    # The index over the pictures has pages of its own.
    middle = data.index(f"{digest(str(ROWS // 2))}youcam".encode()) // 4096 * 4096
    data[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    (tmp_path / trace.NAME).unlink()
    with closing(Journal(tmp_path)) as journal:
        after = journal.entries()
        assert ROWS // 2 < len(after) < ROWS
        assert all(before[entry.picture] == entry for entry in after)
        assert {digest("0"), digest(str(ROWS - 1))} <= {entry.picture for entry in after}
        assert journal.steps(before[digest("0")]) == steps
    assert [found for found in tmp_path.iterdir() if ".damaged-" in found.name and found.read_bytes() == bytes(data)]


def test_a_row_with_values_of_other_types_is_left_out(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        for name in ("one", "other"):
            in_state(journal, name, "kept")
    path = tmp_path / database.NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE removals SET width = 'wide' WHERE picture = 'other'")
        connection.execute("CREATE TABLE broken (x)")
        connection.commit()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'broken'").fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    with closing(Journal(tmp_path)) as journal:
        assert [entry.picture for entry in journal.entries()] == ["one"]


def test_a_line_that_is_cut_off_or_none_of_ours_harms_no_other(tmp_path: Path) -> None:
    starts = Trace(tmp_path)
    starts.add_start(START)
    for junk in (b'{"picture": "picture", "task', b"\xff\xfe", b"[1]", b'{"picture": "picture"}', b'{"time": 1}', b"7"):
        with (tmp_path / trace.NAME).open("ab") as file:
            file.write(b"\n" + junk)
    starts.add_task("picture", "task")
    starts.add_task("another", "task")
    assert starts.starts() == {"picture": Start("picture", "youcam", "account", *SIZE, START.time, "task")}


def test_it_does_not_grow_for_ever_and_keeps_what_came_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "LARGE_BYTES", 10_000)
    starts = Trace(tmp_path)
    for number in range(1000):
        starts.add_start(Start(f"{number}", "youcam", "account", *SIZE, float(number)))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 25_000
    assert {str(number) for number in range(950, 1000)} <= starts.starts().keys()


def test_it_is_for_its_user_alone(tmp_path: Path) -> None:
    Trace(tmp_path).add_start(START)
    assert (tmp_path / trace.NAME).stat().st_mode & 0o777 == 0o600


def test_no_start_is_made_that_can_not_be_written_down(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        (tmp_path / trace.NAME).mkdir()
        with journal.claim("picture", "youcam", "account", SIZE, lambda _: None) as record:
            record.mark_uploaded("file")
            with pytest.raises(errors.SetupError) as caught:
                record.mark_starting()
        assert caught.value.code == "disk"
        assert [entry.state for entry in journal.entries()] == ["uploaded"]
