"""The `layerlift jobs` command: what was started is seen, fetched, and forgotten."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.programs import Program
from helpers.waiting import wait_for
from layerlift.removal.engines import Engines
from layerlift.store.database import NAME
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Twin

from .command import begin, half_black, key_of, layerlift


@pytest.fixture
def account(tmp_path: Path, twin: Twin) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YOUCAM_", "LAYERLIFT_"))}
    return {**kept, "LAYERLIFT_HOME": str(tmp_path / "home"), **key_of(twin)}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    half_black().save(tmp_path / "a.png")
    return tmp_path / "a.png"


def killed(account: dict[str, str], photo: Path, twin: Twin, step: str) -> None:
    """A command that was killed in a step."""
    twin.inject(Fault(step, "hang", seconds=60))
    with begin(account, "remove", photo, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: twin.calls(step))
        process.send_signal(signal.SIGKILL)


def test_where_nothing_was_started_there_is_nothing_to_see(account: dict[str, str], tmp_path: Path) -> None:
    for action in ([], ["clear"]):
        assert layerlift(account, "jobs", *action)[:2] == (0, "")
    assert not (tmp_path / "home" / NAME).exists()
    assert layerlift(account, "jobs", "resume")[:2] == (0, "")


def test_what_is_done_is_listed_and_forgotten(account: dict[str, str], photo: Path, twin: Twin) -> None:
    assert layerlift(account, "remove", photo).status == 0
    shown = layerlift(account, "jobs")
    task_id = twin.ledger[0].task_id
    assert (shown.status, shown.output.count("\n")) == (0, 1)
    assert "64 x 32  1 unit " in shown.output and f"task {task_id}  done" in shown.output
    assert "MB" in shown.errors and twin.key not in shown.output + shown.errors
    assert "Forgot 1 removal. Removed 1 kept result." in layerlift(account, "jobs", "clear", "--yes").errors
    assert layerlift(account, "jobs").output == ""


def test_kept_results_are_not_removed_unasked(account: dict[str, str], photo: Path, twin: Twin, terminal: Any) -> None:
    assert layerlift(account, "remove", photo).status == 0
    refused = layerlift(account, "jobs", "clear", text="y\n")
    assert refused.status == 2 and "--yes" in refused.errors
    for answer, status in (("n\n", 2), ("\n", 2), ("y\n", 0)):
        assert layerlift(account, "jobs").output.endswith("done\n")
        asked = terminal(account, "jobs", "clear")
        asked.until("Remove them? [y/N]")
        asked.type(answer)
        assert asked.end() == status
    assert layerlift(account, "jobs").output == ""
    assert layerlift(account, "jobs", "clear").status == 0


def test_what_may_have_been_charged_is_forgotten_only_where_that_is_asked_for(
    account: dict[str, str], photo: Path, make_twin: Any
) -> None:
    twin = make_twin(faults=[Fault("run", "reset_before"), Fault("history", "401", times=9)])
    environ = {**account, **key_of(twin)}
    assert layerlift(environ, "remove", photo).status == 1
    cleared = layerlift(environ, "jobs", "clear", "--yes")
    assert cleared.status == 0 and "Still in doubt: 1. --in-doubt forgets" in cleared.errors
    assert "in doubt" in layerlift(environ, "jobs").output
    assert layerlift(environ, "jobs", "clear", "--in-doubt").status == 0
    assert layerlift(environ, "jobs").output == ""


def test_what_was_started_is_asked_for_also_where_uploads_are_no_longer_allowed(account: dict[str, str]) -> None:
    elsewhere = {**account, "YOUCAM_API_URL": "https://service.invalid"}
    assert layerlift(elsewhere, "jobs", "resume")[:2] == (0, "")


@pytest.mark.parametrize("step", ["poll", "download"])
def test_what_a_killed_command_has_started_is_fetched(
    account: dict[str, str], photo: Path, twin: Twin, step: str
) -> None:
    killed(account, photo, twin, step)
    assert "resume" in layerlift(account, "jobs").output
    resumed = layerlift(account, "jobs", "resume")
    assert resumed[:2] == (0, f"{twin.ledger[0].task_id}: fetched\n")
    (told,) = layerlift(account, "remove", "--json", photo).pictures
    assert (told["status"], told["units"], told["task_id"]) == ("cached", 0, twin.ledger[0].task_id)
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_what_the_service_has_forgotten_by_now_is_not_promised(
    account: dict[str, str], photo: Path, twin: Twin
) -> None:
    killed(account, photo, twin, "poll")
    with closing(sqlite3.connect(Path(account["LAYERLIFT_HOME"]) / NAME)) as opened, opened:
        opened.execute("UPDATE removals SET run_time = run_time - 86400")
    listed = layerlift(account, "jobs").output
    assert "lost" in listed and "resume" not in listed


def test_a_command_that_was_killed_in_the_run_call_has_paid_and_the_next_one_finds_it(
    account: dict[str, str], photo: Path, twin: Twin
) -> None:
    killed(account, photo, twin, "run")
    assert "in doubt" in layerlift(account, "jobs").output
    (told,) = layerlift(account, "remove", "--json", photo).pictures
    assert (told["status"], told["task_id"]) == ("done", twin.ledger[0].task_id)
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_in_doubt_the_user_is_asked_before_anything_is_paid_again(
    account: dict[str, str], photo: Path, make_twin: Any
) -> None:
    twin = make_twin(faults=[Fault("run", "reset_before"), Fault("history", "401", times=2)])
    environ = {**account, **key_of(twin)}
    codes = [layerlift(environ, "remove", "--json", photo).pictures[0]["error"]["code"] for _ in range(2)]
    assert codes == ["may_be_charged", "still_in_doubt"]
    refused = layerlift(environ, "remove", "--json", photo)
    assert refused.pictures[0]["error"]["code"] == "still_in_doubt" and "--again" in refused.errors
    assert layerlift(environ, "jobs", "resume").status == 1
    assert len(twin.calls("run")) == 1
    (told,) = layerlift(environ, "remove", "--json", "--again", photo).pictures
    assert (told["status"], twin.charged, len(twin.calls("run"))) == ("done", 1.0, 2)


def test_a_lost_task_is_told_by_resume(account: dict[str, str], photo: Path, make_twin: Any) -> None:
    twin = make_twin(poll_within_seconds=1.5, run_seconds=0.4)
    environ = {**account, **key_of(twin)}
    killed(environ, photo, twin, "poll")
    wait_for(lambda: twin.late_polls)
    resumed = layerlift(environ, "jobs", "resume")
    assert resumed.status == 1 and "no longer knows this task" in resumed.output
    assert "lost" in layerlift(environ, "jobs").output
    refused = layerlift(environ, "remove", "--json", photo)
    assert (refused.pictures[0]["error"]["code"], len(twin.calls("run"))) == ("charged_and_lost", 1)
    assert layerlift(environ, "remove", "--again", photo).status == 0


@pytest.mark.parametrize("rate", ["", "250", "0/300", "a/b", "5/0", "5/nan", "5/inf"])
def test_a_rate_that_makes_no_sense_is_refused(account: dict[str, str], photo: Path, rate: str) -> None:
    result = layerlift({**account, "LAYERLIFT_RATE": rate}, "remove", photo)
    assert result.status == (2 if rate else 0)
    assert ("LAYERLIFT_RATE" in result.errors) == bool(rate)


def test_the_rate_is_kept_by_one_command_after_another(account: dict[str, str], tmp_path: Path, make_twin: Any) -> None:
    twin = make_twin(rate=(12, 2.0))
    environ = {**account, **key_of(twin), "LAYERLIFT_RATE": "12/2"}
    for width in range(64, 69):
        half_black(width).save(tmp_path / f"{width}.png")
        assert layerlift(environ, "remove", tmp_path / f"{width}.png").status == 0
    assert [call.status for call in twin.requests if call.status == 429] == []


def test_what_was_delivered_is_deleted_from_the_service(account: dict[str, str], photo: Path, twin: Twin) -> None:
    assert layerlift(account, "remove", photo).status == 0
    assert [call.status for call in twin.calls("delete")] == [200]
    assert layerlift(account, "jobs").output.endswith("done\n")
    again = layerlift(account, "remove", "--json", "--overwrite", photo)
    assert (again.pictures[0]["status"], len(twin.calls("delete"))) == ("cached", 1)
    assert "free" in again.errors


def test_the_user_may_leave_it_to_the_service_to_delete(account: dict[str, str], photo: Path, twin: Twin) -> None:
    settings = Path(account["LAYERLIFT_HOME"]) / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"delete_delivered": false}')
    assert layerlift(account, "remove", photo).status == 0
    assert twin.calls("delete") == []


def test_what_could_not_be_deleted_is_delivered_all_the_same_and_deleted_by_the_next_worker(
    account: dict[str, str], photo: Path, twin: Twin
) -> None:
    twin.inject(Fault("delete", "400", code="BadRequest"))
    assert layerlift(account, "remove", photo).status == 0
    with Program("worker", env=account, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        wait_for(lambda: len(twin.calls("delete")) == 2)
    assert (process.returncode, [call.status for call in twin.calls("delete")]) == (0, [400, 200])


def test_the_next_command_deletes_what_an_earlier_one_could_not(
    account: dict[str, str], photo: Path, tmp_path: Path, twin: Twin
) -> None:
    twin.inject(Fault("delete", "400", code="BadRequest"))
    half_black(70).save(tmp_path / "next.png")
    for picture in (photo, tmp_path / "next.png"):
        assert layerlift(account, "remove", picture).status == 0
    assert [call.status for call in twin.calls("delete")] == [400, 200, 200]
    assert layerlift(account, "remove", "--overwrite", photo).status == 0
    assert len(twin.calls("delete")) == 3


def test_the_end_of_a_command_cancels_no_deletion(account: dict[str, str], photo: Path, twin: Twin) -> None:
    twin.inject(Fault("delete", "503"))
    assert layerlift(account, "remove", photo).status == 0
    assert [call.status for call in twin.calls("delete")] == [503, 200]


@pytest.mark.parametrize("kind", ["hang", "400"])
def test_a_process_asks_once_for_each_deletion(account: dict[str, str], twin: Twin, kind: str) -> None:
    """Also where the one before is still under way, or was refused."""
    released = threading.Event()
    twin.inject(Fault("delete", kind, code="OperationNotSupport", seconds=600.0, until=released))
    with Engines(Settings(account)) as engines:
        engine = engines.open("youcam", time.sleep)
        assert engine.journal
        with engine.journal.claim("picture", "youcam", engine.account, (6, 4), time.sleep) as record:
            record.mark_starting()
            record.mark_running("task", None)
            record.keep(np.zeros((4, 6), np.uint8))
        for _ in range(2):
            engine.delete([])
            wait_for(lambda: twin.calls("delete"))
        engine.delete([])
        released.set()
    assert len(twin.calls("delete")) == 1
