"""The journal and the cache: what is written down is there for whoever comes next, whatever was broken."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift import errors
from layerlift.store import database, locks
from layerlift.store.cache import Cache
from layerlift.store.database import Database
from layerlift.store.entries import Entry, digest
from layerlift.store.journal import Journal
from layerlift.store.records import Record

SIZE = (6, 4)
NAME = digest("a picture")


class Busy(Exception):
    """Somebody else has the claim."""


def busy(seconds: float) -> None:
    raise Busy


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    found = Journal(tmp_path, clock=clock)
    yield found
    found.close()


def claim(journal: Journal, name: str = NAME) -> Any:
    return journal.claim(name, "youcam", "account", SIZE, busy)


def alpha(fill: int = 7) -> Any:
    return np.full((SIZE[1], SIZE[0]), fill, np.uint8)


def finished(record: Record) -> None:
    record.mark_uploaded("file")
    record.mark_starting()
    record.mark_running("task", "request-1")
    record.mark_done("dst", 1, "request-2")
    record.keep(alpha())


def test_every_step_is_there_for_the_next_process_with_its_time_and_request_id(
    journal: Journal, tmp_path: Path, clock: Clock
) -> None:
    with claim(journal) as record:
        record.mark_uploaded("file")
        clock.now += 5
        record.mark_starting()
        record.mark_running("task", "request-1")
        record.wait()
        other = Journal(tmp_path, clock=clock)
        (entry,) = other.entries()
        assert (entry.state, entry.file_id, entry.task_id, entry.run_time) == ("running", "file", "task", clock.now)
        assert (entry.width, entry.height, entry.engine, entry.account) == (*SIZE, "youcam", "account")
        steps = [(step.step, step.time, step.request_id) for step in other.steps(entry)]
    assert steps == [
        ("uploaded", clock.now - 5, None),
        ("starting", clock.now, None),
        ("running", clock.now, "request-1"),
    ]


def test_a_step_that_can_cost_money_is_synced_to_the_disk(tmp_path: Path) -> None:
    for synced, level in ((True, 2), (False, 1)):
        assert Database(tmp_path, synced=synced).read("PRAGMA synchronous")[0][0] == level


def test_what_came_back_is_kept_for_the_same_picture(journal: Journal, tmp_path: Path) -> None:
    with claim(journal) as record:
        assert record.result() is None
        finished(record)
    with Journal(tmp_path).claim(NAME, "youcam", "account", SIZE, busy) as record:
        assert np.array_equal(record.result(), alpha())
        assert (record.entry.state, record.entry.dst_id, record.entry.units) == ("kept", "dst", 1)


def test_an_alpha_of_another_size_is_not_taken(journal: Journal) -> None:
    with claim(journal) as record:
        finished(record)
        journal.cache.put(NAME, np.zeros((9, 9), np.uint8))
        assert record.result() is None


def test_a_second_name_leads_to_the_same_removal(journal: Journal) -> None:
    with claim(journal) as record:
        journal.add_alias("as the host has it", record.entry)
    found = journal.find_alias("as the host has it")
    assert found and found.picture == NAME
    assert journal.find_alias("another") is None


def test_a_file_id_is_used_again_for_less_than_a_day(journal: Journal, clock: Clock) -> None:
    with claim(journal) as record:
        record.mark_uploaded("file")
        clock.now += 22 * 3600
        assert record.file_id == "file"
        clock.now += 2 * 3600
        assert record.file_id is None


def test_one_holder_at_a_time_works_on_a_picture(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path)
    with claim(journal) as record:
        with pytest.raises(Busy), claim(other):
            pass
        assert other.is_claimed(record.entry)
        with claim(other, digest("another")):
            pass
    assert not other.is_claimed(record.entry)
    with claim(other):
        pass


def test_a_claim_ends_with_its_process(journal: Journal, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from layerlift.store.journal import Journal\n"
        f"with Journal(Path({str(tmp_path)!r})).claim({NAME!r}, 'youcam', 'account', {SIZE}, time.sleep):\n"
        "    print('claimed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "claimed\n"
        with pytest.raises(Busy), claim(journal):
            pass
        process.kill()
        process.wait()
        with claim(journal) as record:
            assert record.entry.state == "new"


def test_the_claim_is_handed_on_without_a_gap(tmp_path: Path) -> None:
    inside, most, turns = 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns
        for _ in range(20):
            with locks.Lock(tmp_path / "name", lambda seconds: None):
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1
                    turns += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns, (tmp_path / "name").exists()) == (1, 80, False)


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, take = locks.Lock(tmp_path / "name", busy), locks.take

    def take_after_the_release(file: Any) -> None:
        first.release()
        take(file)

    monkeypatch.setattr(locks, "take", take_after_the_release)
    with locks.Lock(tmp_path / "name", lambda seconds: None):
        monkeypatch.undo()
        with pytest.raises(Busy):
            locks.Lock(tmp_path / "name", busy)


def test_a_claim_that_was_given_up_writes_nothing_more(journal: Journal) -> None:
    with claim(journal) as record:
        record.release()
        with claim(journal) as other:
            other.mark_uploaded("file")
            other.mark_starting()
            with pytest.raises(errors.Cancelled):
                record.mark_uploaded("late")
            with pytest.raises(Busy), claim(journal):
                pass
    assert journal.entries()[0].state == "starting"


def test_what_may_be_paid_and_has_not_come_back_is_unfinished_for_a_day(journal: Journal, clock: Clock) -> None:
    def states() -> list[str]:
        record.wait()
        return [entry.state for entry in journal.unfinished("account")]

    with claim(journal) as record:
        record.mark_uploaded("file")
        assert states() == []
        record.mark_starting()
        assert states() == ["starting"]
        record.mark_unknown(None)
        assert states() == ["unknown"]
        record.mark_running("task", None)
        assert states() == ["running"]
        assert journal.unfinished("another account") == []
        record.mark_done(None, 1, None)
        assert states() == ["done"]
        clock.now += 24 * 3600
        assert states() == []
        clock.now -= 24 * 3600
        record.keep(alpha())
        assert states() == []


@pytest.mark.parametrize(
    "junk", [b"no database at all, but long enough to be looked at" * 100, b"SQLite format 3\0" * 99]
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / database.NAME
    path.write_bytes(junk)
    journal = Journal(tmp_path)
    with claim(journal) as record:
        finished(record)
    aside = [found for found in tmp_path.iterdir() if ".damaged-" in found.name]
    assert [found.read_bytes() for found in aside] == [junk]
    assert "damaged" in caplog.text and str(aside[0]) in caplog.text


def test_a_file_with_a_damaged_page_is_set_aside_and_the_kept_alphas_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(60):
        with claim(journal, digest(str(number))) as record:
            finished(record)
    journal.close()
    path = tmp_path / database.NAME
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = bytes(len(data) - 4096 * 2)
    path.write_bytes(data)
    following = Journal(tmp_path)
    assert following.entries() == []
    with claim(following, digest("7")) as record:
        assert np.array_equal(record.result(), alpha())


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / database.NAME) as connection:
        connection.execute("PRAGMA user_version=99")
    before = (tmp_path / database.NAME).read_bytes()
    with pytest.raises(errors.SetupError) as caught:
        Journal(tmp_path)
    assert caught.value.code == "journal_newer"
    assert (tmp_path / database.NAME).read_bytes() == before


def test_an_older_file_gets_the_steps_that_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Journal(tmp_path)
    with claim(first) as record:
        finished(record)
    first.close()
    added = "CREATE TABLE added (value TEXT); INSERT INTO added SELECT picture FROM removals"
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, added))
    for _ in range(2):
        later = Database(tmp_path, synced=True)
        assert [row[0] for row in later.read("SELECT value FROM added")] == [NAME]
        later.close()


@pytest.mark.skipif(os.getuid() != 0, reason="a folder under a file serves every user")
def test_a_folder_that_takes_nothing_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(errors.SetupError) as caught:
        Journal(tmp_path / "file" / "state")
    assert caught.value.code == "disk" and "file" in caught.value.message


def test_after_the_payment_a_step_that_can_not_be_written_down_stops_nothing(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    with claim(journal) as record:
        record.mark_uploaded("file")
        record.mark_starting()
        journal.close()
        record.mark_running("task", None)
        record.mark_done("dst", 1, None)
        assert (record.task_id, record.entry.state) == ("task", "done")
        record.wait()
        assert "task" in caplog.text
        record.keep(alpha())
        assert np.array_equal(record.result(), alpha())
        with pytest.raises(errors.SetupError):
            record.mark_starting()


def test_only_the_user_can_read_the_state(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    journal = Journal(folder)
    with claim(journal) as record:
        finished(record)
        private = [folder, folder / database.NAME, *(folder / name for name in ("claims", "results"))]
        modes = {path.stat().st_mode & 0o077 for path in private}
    assert modes == {0}


def test_old_removals_are_forgotten_once_their_alphas_are_gone(journal: Journal, tmp_path: Path, clock: Clock) -> None:
    for name in ("kept", "gone", "running"):
        with claim(journal, digest(name)) as record:
            finished(record)
            if name == "running":
                record.mark_running("task", None)
    journal.cache.path(digest("gone")).unlink()
    clock.now += 91 * 86400
    left = Journal(tmp_path, clock=clock).entries()
    assert [entry.picture for entry in left] == [digest("kept"), digest("running")]


def test_clear_forgets_all_but_what_runs_or_is_worked_on_or_in_doubt(journal: Journal) -> None:
    def held(name: str, act: Callable[[Record], object]) -> Entry:
        with claim(journal, digest(name)) as record:
            act(record)
            return record.entry

    held("kept", finished)
    held("lost", lambda record: (record.mark_running("third", None), record.mark_lost("InvalidTaskId", None)))
    held("unclear", lambda record: record.mark_unknown(None))
    held("killed", lambda record: record.mark_starting())
    held("running", lambda record: record.mark_running("task", None))
    held("refused", lambda record: (record.mark_running("another", None), record.mark_refused(None)))
    with claim(journal, digest("worked on")):

        def left() -> set[str]:
            return {entry.picture for entry in journal.entries()}

        runs = {digest("running"), digest("worked on")}
        assert journal.clear() == (1, 1)
        assert left() == runs | {digest("unclear"), digest("killed"), digest("refused"), digest("lost")}
        assert journal.clear(in_doubt=True) == (4, 0)
        assert left() == runs


def test_the_least_recently_used_alphas_go_first(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40), np.uint8)
    cache = Cache(tmp_path, max_bytes=6000)
    first, _, third, last = names = [digest(name) for name in "abcd"]
    for age, name in enumerate(names[:-1]):
        cache.put(name, noise)
        os.utime(cache.path(name), (age, age))
    assert cache.get(first) is not None
    cache.put(last, noise)
    assert [name for name in names if cache.get(name) is not None] == [first, third, last]
    assert cache.size() <= 6000


def test_an_alpha_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, bool]] = []

    def sync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_size, cache.path("a").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    cache = Cache(tmp_path)
    cache.put("a", alpha())
    assert synced == [(cache.path("a").stat().st_size, False)]


def test_a_damaged_alpha_is_as_good_as_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("a", alpha())
    whole = cache.path("a").read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    larger = bytes([1]) + whole[1:]
    for broken in (b"", b"no picture", whole[:9], whole[:-2], flipped, larger):
        cache.path("a").write_bytes(broken)
        assert cache.get("a") is None


def test_an_alpha_that_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(OSError, match="name too long"):
        cache.put("x" * 300, alpha())
    assert list(tmp_path.iterdir()) == []
