"""What was paid for, as a host's settings show it: counted, fetched, cleared."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from helpers.waiting import wait_for
from layerlift.removal.engines import Engines
from layerlift.store import database, trace
from layerlift.store.entries import digest
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Twin

from .command import key_of
from .worker_host import Host, ask, expected

NOTHING = {"running": 0, "ready": 0, "in_doubt": 0, "kept": 0, "bytes": 0}


@pytest.fixture
def home(environ: dict[str, str]) -> Path:
    return Path(environ["LAYERLIFT_HOME"])


def kept(home: Path) -> dict[str, int]:
    """The results on the disk, as the worker should count them."""
    files = list((home / "results").glob("*.alpha"))
    return {"kept": len(files), "bytes": sum(file.stat().st_size for file in files)}


def leave_running(start: Any, twin: Twin) -> None:
    """A worker starts a task, and is killed before it has heard what became of it."""
    twin.inject(Fault("poll", "hang", seconds=60))
    host = start(twin)
    host.job()
    wait_for(lambda: twin.calls("poll"))
    host.close()


def start_without_key(start: Any, twin: Twin) -> Host:
    """A worker that can't take up what others have left, until it is given a key."""
    host: Host = start(YOUCAM_API_URL=twin.url)
    return host


def in_doubt(start: Any, make_twin: Any) -> Twin:
    """A service that has, or has not, heard the start of a task: nobody can say."""
    twin: Twin = make_twin(faults=[Fault("run", "reset_before"), Fault("history", "401", times=9)])
    host = start(twin)
    host.job()
    assert host.until_end()[1]["code"] == "may_be_charged"
    host.close()
    return twin


def test_where_nothing_was_ever_paid_there_is_nothing_and_no_journal_is_begun(start: Any, home: Path) -> None:
    host = start()
    for kind in ("jobs", "clear", "jobs"):
        assert ask(host, type=kind) == NOTHING
    assert ask(host, type="fetch") == {"code": "no_key"}
    assert not (home / database.NAME).exists()


def test_kept_results_are_counted_and_without_them_the_same_picture_costs_again(
    start: Any, twin: Twin, home: Path
) -> None:
    host = start(twin)
    host.job()
    host.until_end()
    assert ask(host, type="jobs") == {**NOTHING, **kept(home)}
    assert kept(home)["kept"] == 1 and kept(home)["bytes"] > 0
    assert ask(host, type="fetch") == {"fetched": 0, "failed": 0, "reason": None, **NOTHING, **kept(home)}
    assert ask(host, type="clear") == NOTHING
    host.job()
    assert (host.until_end()[1]["cached"], twin.charged) == (False, 2.0)


def test_a_task_that_was_left_is_ready_and_is_fetched_for_the_next_removal(start: Any, twin: Twin, home: Path) -> None:
    leave_running(start, twin)
    host = start_without_key(start, twin)
    assert ask(host, type="jobs") == {**NOTHING, "ready": 1}
    assert ask(host, type="clear") == {**NOTHING, "ready": 1}, "what is paid for was forgotten"
    ask(host, type="key", key=twin.key)
    found = ask(host, type="fetch")
    assert found == {"fetched": 1, "failed": 0, "reason": None, **NOTHING, **kept(home)} and found["kept"] == 1
    host.job()
    end = host.until_end()[1]
    assert (end["cached"], (host.folder / end["file"]).read_bytes()) == (True, expected())
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_what_the_service_has_forgotten_by_now_is_not_called_ready(start: Any, twin: Twin, home: Path) -> None:
    leave_running(start, twin)
    with closing(sqlite3.connect(home / database.NAME)) as opened, opened:
        opened.execute("UPDATE removals SET run_time = run_time - 86400")
    assert ask(start_without_key(start, twin), type="jobs") == NOTHING


def test_what_may_have_been_charged_is_in_doubt_and_stays_so(start: Any, make_twin: Any) -> None:
    twin = in_doubt(start, make_twin)
    host = start(twin)
    for kind in ("jobs", "clear"):
        # The worker itself asks the service for it at its start, which counts as running.
        wait_for(lambda kind=kind: ask(host, type=kind) == {**NOTHING, "in_doubt": 1})
    tries: list[dict[str, Any]] = []
    wait_for(lambda: tries.append(ask(host, type="fetch")) or tries[-1]["in_doubt"])
    found = tries[-1]
    assert (found["fetched"], found["failed"], found["in_doubt"]) == (0, 1, 1)
    assert "may have been charged" in found["reason"]


def test_a_fetch_brings_what_it_can_and_says_why_the_rest_failed(
    start: Any, twin: Twin, environ: dict[str, str]
) -> None:
    leave_running(start, twin)
    with Engines(Settings({**environ, **key_of(twin)})) as engines:
        engine = engines.open("youcam", time.sleep)
        assert engine.journal
        with engine.journal.claim(digest("other"), "youcam", engine.account, (6, 4), time.sleep) as record:
            record.mark_starting()
            record.mark_running("of-nobody", None)
    host = start_without_key(start, twin)
    assert ask(host, type="jobs")["ready"] == 2
    ask(host, type="key", key=twin.key)
    found = ask(host, type="fetch")
    assert (found["fetched"], found["failed"], found["ready"], found["in_doubt"]) == (1, 1, 0, 1)
    assert "no longer knows this task" in found["reason"]


def test_a_fetch_goes_on_beside_other_questions_and_its_cancel_ends_the_waiting_alone(start: Any, twin: Twin) -> None:
    leave_running(start, twin)
    released, polls = threading.Event(), len(twin.calls("poll"))
    twin.inject(Fault("poll", "hang", seconds=600, until=released))
    host = start_without_key(start, twin)
    ask(host, type="key", key=twin.key)
    host.send(type="fetch", id="f")
    wait_for(lambda: len(twin.calls("poll")) > polls)
    host.send(type="jobs", id="j")
    while (message := host.next())["id"] != "j":
        assert message["type"] == "progress"
    assert (message["running"], message["ready"]) == (1, 0)
    host.send(type="cancel", id="f")
    while (message := host.next())["type"] == "progress":
        assert message["id"] == "f"
    assert (message["id"], message["code"]) == ("f", "cancelled")
    assert "nothing was paid" not in message["message"]
    released.set()
    wait_for(lambda: twin.calls("download"))
    host.job()
    assert (host.until_end()[1]["cached"], twin.charged) == (True, 1.0)


def test_a_journal_of_a_newer_version_is_told_and_stays_as_it_is(start: Any, twin: Twin, home: Path) -> None:
    leave_running(start, twin)
    with closing(sqlite3.connect(home / database.NAME)) as opened:
        opened.execute("PRAGMA user_version=99")
    host = start(twin)
    for kind in ("jobs", "clear", "fetch"):
        assert ask(host, type=kind) == {"code": "journal_newer"}
    with closing(sqlite3.connect(home / database.NAME)) as opened:
        assert opened.execute("SELECT COUNT(*) FROM removals").fetchone() == (1,)


@pytest.mark.parametrize("loss", ["damaged", "removed"])
def test_a_start_in_doubt_is_counted_also_where_the_journal_is_lost(
    start: Any, make_twin: Any, home: Path, loss: str
) -> None:
    in_doubt(start, make_twin)
    for ending in ("", "-wal", "-shm"):
        path = home / f"{database.NAME}{ending}"
        path.unlink(missing_ok=True)
        if loss == "damaged" and not ending:
            path.write_bytes(b"damaged")
    assert (home / trace.NAME).exists()
    assert ask(start(), type="jobs") == {**NOTHING, "in_doubt": 1}
