"""What was paid for is delivered, and the same pixels are never paid for twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.waiting import wait_for
from layerlift import errors
from layerlift.imaging import matte, prepare
from layerlift.imaging.pictures import Picture
from layerlift.removal import single, tasks
from layerlift.removal.engines import Engines
from layerlift.removal.stages import Stage
from layerlift.service.pacing import Pacer
from layerlift.store.database import NAME, Database
from layerlift.store.entries import Entry
from layerlift.store.settings import Settings
from layerlift.twin import Fault, engines
from PIL import Image

from .paid import Paid, started
from .removals import Removal, half_dark, is_exact
from .wire import client


@pytest.fixture
def paid(make_twin: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Paid]]:
    """Makes processes with one twin and one journal."""
    twins: list[Any] = []
    with ExitStack() as stack:

        def make(*faults: Fault, account: str = "account", **options: Any) -> Paid:
            if not twins:
                twins.append(make_twin(faults=faults, **options))
            found = Paid(twins[0], tmp_path, account)
            stack.callback(found.journal.close)
            return found

        yield make


def test_the_same_pixels_again_are_free_and_send_nothing(paid: Callable[..., Paid]) -> None:
    first = paid().run()
    job = paid()
    before = len(job.twin.requests)
    second = job.run()
    assert is_exact(second)
    assert ((first.cached, first.units), (second.cached, second.units)) == ((False, 1), (True, 0))
    assert (second.task_id, second.dst_id) == (first.task_id, first.dst_id)
    assert len(job.twin.requests) == before


def test_the_same_pixels_again_are_not_even_prepared(
    paid: Callable[..., Paid], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = paid()
    job.run()
    monkeypatch.delattr(prepare, "prepare")
    assert job.run().cached


def test_a_picture_is_the_same_with_an_opaque_alpha_and_at_another_depth(paid: Callable[..., Paid]) -> None:
    job = paid()
    job.run()
    plain = half_dark(64, 48).pixels
    opaque = np.concatenate([plain, np.full((48, 64, 1), 255, np.uint8)], axis=2)
    assert job.run(Picture(opaque)).cached
    assert job.run(Picture(plain.astype(np.uint16) * 257)).cached
    assert job.counts == (1, 1.0)


def test_other_pixels_are_not_the_same(paid: Callable[..., Paid]) -> None:
    paid().run()
    job = paid()
    assert not job.run(half_dark(62, 48)).cached
    assert job.counts == (2, 2.0)


def test_what_is_kept_is_free_with_a_new_key_too(paid: Callable[..., Paid]) -> None:
    paid().run()
    job = paid(account="another")
    assert job.run().cached
    assert job.counts == (1, 1.0)


def test_another_host_has_another_result(paid: Callable[..., Paid]) -> None:
    paid().run()
    job = paid()
    job.engine = replace(job.engine, host="another")
    assert not job.run().cached


def test_a_start_belongs_to_the_account_that_pays_for_it(paid: Callable[..., Paid]) -> None:
    failing = paid(Fault("run", "400", code="CreditInsufficiency"))
    failing.fails("CreditInsufficiency")
    job = paid(account="another")
    job.run()
    assert [entry.account for entry in job.journal.entries()] == ["another"]


def test_a_cut_out_at_the_uploads_size_serves_a_larger_picture(paid: Callable[..., Paid]) -> None:
    job = paid()
    first, second = job.run(half_dark(5000, 40)), job.run(half_dark(5000, 40))
    assert second.cached and np.array_equal(first.alpha, second.alpha)


def test_a_cut_out_that_came_smaller_than_the_upload_serves_it(paid: Callable[..., Paid]) -> None:
    def engine(picture: bytes) -> bytes:
        image = engines.decode(picture).reduce(2)
        return engines.cut_out(image, image.convert("L"))

    first, second = (paid(engine=engine).run() for _ in range(2))
    assert first.alpha.shape == (48, 64)
    assert (first.cached, second.cached) == (False, True)
    assert np.array_equal(first.alpha, second.alpha)


def test_a_larger_pictures_alpha_is_not_refined_twice(
    paid: Callable[..., Paid], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = paid()
    first = job.run(half_dark(5000, 40))
    with monkeypatch.context() as patch:
        patch.delattr(matte, "refine")
        assert np.array_equal(job.run(half_dark(5000, 40)).alpha, first.alpha)
    monkeypatch.setattr(matte, "METHOD", b"a better one")
    third = job.run(half_dark(5000, 40))
    assert (third.cached, job.counts) == (True, (1, 1.0))
    assert np.array_equal(third.alpha, first.alpha)


def test_what_the_cache_has_let_go_is_fetched_again_without_paying(paid: Callable[..., Paid]) -> None:
    job = paid()
    job.run()
    job.journal.cache.clear()
    assert is_exact(job.run())
    assert job.counts == (1, 1.0)


def test_what_neither_the_cache_nor_the_service_has_is_made_anew(paid: Callable[..., Paid]) -> None:
    job = paid()
    job.run()
    job.journal.cache.clear()
    job.twin.inject(Fault("poll", "expired"))
    assert is_exact(job.run())
    assert job.counts == (2, 2.0)


def test_a_failed_picture_is_not_uploaded_again_while_the_service_has_it(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "400", code="CreditInsufficiency"))
    job.fails("CreditInsufficiency")
    assert is_exact(job.run())
    assert (len(job.twin.calls("upload")), job.counts) == (1, (2, 1.0))


def test_a_file_that_the_service_has_forgotten_is_uploaded_again(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "400", code="CreditInsufficiency"))
    job.fails("CreditInsufficiency")
    job.twin.inject(Fault("run", "expired"))
    assert is_exact(job.run())
    assert (len(job.twin.calls("upload")), job.twin.charged) == (2, 1.0)


def test_a_task_that_another_process_has_started_is_taken_up(paid: Callable[..., Paid]) -> None:
    task_id = started(paid())
    job = paid()
    outcome = job.run()
    assert is_exact(outcome) and outcome.task_id == task_id
    assert (job.counts, len(job.twin.calls("upload"))) == ((1, 1.0), 1)


def test_resume_fetches_what_was_started_for_the_next_removal(paid: Callable[..., Paid]) -> None:
    started(paid())
    job = paid()
    ends = tasks.resume(job.engine, job.background, tell_user=True)
    assert [end.result() for _, end in ends] == [None]
    assert (job.run().cached, job.counts) == (True, (1, 1.0))
    assert tasks.resume(job.engine, job.background, tell_user=True) == []


def test_a_lost_task_is_told_to_the_user_before_anything_is_paid_anew(paid: Callable[..., Paid]) -> None:
    started(paid(poll_within_seconds=0.05))
    job = paid()
    threading.Event().wait(0.1)
    (end,) = [end for _, end in tasks.resume(job.engine, job.background, tell_user=False)]
    assert isinstance(end.exception(), errors.ServiceError)
    assert "charged" in job.fails("InvalidTaskId").action
    assert (job.states, len(job.twin.calls("run"))) == (["lost"], 1)


def test_a_task_of_which_no_answer_came_is_found_in_the_unit_history(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "reset_after"))
    assert is_exact(job.run())
    assert (job.counts, job.twin.late_polls) == ((1, 1.0), 0)
    assert job.run().cached


def test_another_pictures_task_is_not_taken_for_it(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "reset_before"))
    other = half_dark(64, 48)
    other.pixels[:, :32] = 60
    upload = prepare.prepare(other)
    destination = job.service.declare([upload])[0]
    job.service.upload(destination, upload.data)
    job.fails("may_be_charged")
    client(job.twin).run(destination.file_id)
    job.fails("still_in_doubt")
    assert job.states == ["unknown"]


def test_where_two_pictures_are_in_doubt_nothing_is_guessed(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "reset_after"), Fault("history", "500", times=2))
    job.fails("may_be_charged")
    with job.journal.claim("another", "youcam", "account", (64, 48), job.cancel.sleep) as record:
        record.mark_starting()
        job.fails("still_in_doubt")
        record.mark_free("refused", None)
    assert is_exact(job.run())
    assert job.counts == (1, 1.0)


def test_what_may_be_charged_is_asked_for_again_only_by_the_users_own_wish(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("run", "reset_before"))
    assert isinstance(job.fails("may_be_charged"), errors.MayBeCharged)
    assert isinstance(job.fails("still_in_doubt"), errors.MayBeCharged)
    assert len(job.twin.calls("run")) == 1
    assert is_exact(job.run(again=True))
    assert job.counts == (2, 1.0)


MAY_COST = "Cancelled: it may cost 1 unit; the result is kept, and is free the next time."


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.DOWNLOAD, Stage.REFINE])
def test_what_is_cancelled_after_the_payment_ends_in_the_background(paid: Callable[..., Paid], stage: Stage) -> None:
    job = paid(run_seconds=0.3)
    job.on_report = lambda found: job.wish.set() if found is stage else None
    assert job.fails("cancelled").message == MAY_COST
    reports = len(job.reports)
    job.background.wait()
    assert len(job.reports) <= reports + 1
    job.wish.clear()
    job.on_report = lambda found: None
    assert job.run().cached
    assert (job.counts, job.twin.late_polls) == ((1, 1.0), 0)


def test_a_start_is_told_before_it_is_made(paid: Callable[..., Paid]) -> None:
    job, starts = paid(), list[int]()
    job.on_report = lambda found: starts.append(len(job.twin.calls("run"))) if found is Stage.WAITING else None
    job.run()
    assert starts[0] == 0


def test_a_task_that_was_taken_up_is_not_dropped_by_a_cancel_either(paid: Callable[..., Paid]) -> None:
    started(paid(run_seconds=0.5))
    job = paid()
    job.on_report = lambda found: job.wish.set() if found is Stage.WAITING else None
    job.fails("cancelled")
    job.background.wait()
    assert (job.states, job.twin.late_polls) == (["kept"], 0)


def test_what_is_cancelled_before_the_payment_frees_the_picture_at_once(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("upload", "hang", seconds=60))

    def cancel() -> None:
        while not job.twin.calls("upload"):
            time.sleep(0.005)
        job.wish.set()

    threading.Thread(target=cancel, daemon=True).start()
    assert job.fails("cancelled").message == "Cancelled: nothing was paid for."
    assert not job.background.busy
    assert not job.journal.is_claimed(job.journal.entries()[0])
    assert is_exact(paid().run())


def test_the_services_copy_is_deleted_only_where_the_alpha_is_kept_here(
    paid: Callable[..., Paid], tmp_path: Path
) -> None:
    job, to_delete = paid(), list[Entry]()
    job.engine = replace(job.engine, delete=to_delete.extend)
    (tmp_path / "results").write_text("no folder")
    assert is_exact(job.run())
    assert to_delete == []
    (tmp_path / "results").unlink()
    assert is_exact(job.run())
    assert [entry.state for entry in to_delete] == ["kept"]
    assert job.counts == (1, 1.0)


def test_a_database_that_others_hold_loses_no_task(paid: Callable[..., Paid], tmp_path: Path) -> None:
    """The polls go on beside whatever waits for the lock."""
    job = paid(polling_interval_ms=500, run_seconds=1.5)
    held = sqlite3.connect(tmp_path / NAME, isolation_level=None, check_same_thread=False)

    def hold(stage: Stage) -> None:
        if stage is Stage.WAITING and job.twin.calls("run") and not held.in_transaction:
            held.execute("BEGIN IMMEDIATE")

    job.on_report = hold
    pace = Pacer(Database(tmp_path, synced=False), 1000, 1.0)
    job.engine = replace(job.engine, service=client(job.twin, pace=pace))
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(job.run)
        wait_for(lambda: job.twin.delivered)
        held.execute("ROLLBACK")
        assert is_exact(outcome.result())
    held.close()
    assert (job.counts, job.twin.late_polls, job.states) == ((1, 1.0), 0, ["kept"])


def test_the_same_picture_in_many_threads_is_one_task(paid: Callable[..., Paid]) -> None:
    jobs = [paid(run_seconds=0.3) for _ in range(4)]
    outcomes: list[single.Outcome] = []
    threads = [threading.Thread(target=lambda job=job: outcomes.append(job.run())) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.cached for outcome in outcomes) == [False, True, True, True]
    assert all(map(is_exact, outcomes)) and jobs[0].counts == (1, 1.0)


def test_an_empty_cut_out_is_not_paid_for_twice(paid: Callable[..., Paid]) -> None:
    def engine(picture: bytes) -> bytes:
        image = engines.decode(picture)
        return engines.cut_out(image, Image.new("L", image.size))

    job = paid(engine=engine)
    for _ in range(2):
        assert isinstance(job.fails("result_empty"), errors.PictureError)
    assert job.counts == (1, 1.0)


def test_where_nothing_can_be_written_down_nothing_is_paid(make_twin: Callable[..., Any], tmp_path: Path) -> None:
    twin = make_twin()
    (tmp_path / "file").write_text("no folder")
    settings = Settings(
        {"LAYERLIFT_HOME": str(tmp_path / "file"), "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key}
    )
    with Engines(settings) as opened, pytest.raises(errors.SetupError) as caught:
        opened.open("auto", lambda seconds: None)
    assert (caught.value.code, twin.requests) == ("disk", [])


def test_what_is_paid_for_is_taken_up_also_where_uploads_are_no_longer_allowed(
    make_twin: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlift.removal.engines.is_loopback", lambda url: False)
    twin = make_twin()
    job = Paid(twin, tmp_path)
    settings = Settings({"LAYERLIFT_HOME": str(tmp_path), "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key})
    with Engines(settings) as opened:
        job.engine = opened.open("youcam", time.sleep, uploads=False)
        started(job)
        tasks.take_up(opened)
    assert job.states == ["deleted"]


def test_drafts_of_the_offline_engine_are_not_written_down(tmp_path: Path) -> None:
    with Engines(Settings({"LAYERLIFT_HOME": str(tmp_path)})) as opened:
        assert opened.open("auto", lambda seconds: None).journal is None
        tasks.take_up(opened)
    assert not (tmp_path / NAME).exists()


def test_the_key_is_not_in_the_state(make_twin: Callable[..., Any], tmp_path: Path) -> None:
    twin = make_twin()
    settings = Settings({"LAYERLIFT_HOME": str(tmp_path), "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key})
    with Engines(settings) as opened:
        job = Removal(twin)
        engine = opened.open("auto", lambda seconds: None)
        single.remove(half_dark(64, 48), engine, job.report, job.cancel)
        assert twin.key[:8].encode() not in b"".join(
            path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
        )
