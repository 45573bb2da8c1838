"""A start of which nobody knows what became of it, or that came to nothing: the user hears of it, and pays again by
their own wish alone. What the unit history and the clocks do then is in `faults/states.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.store import database
from layerlift.store.journal import UNUSABLE_FILES
from layerlift.twin import Fault

from .paid import Paid, started
from .removals import is_exact

HOUR = 3600.0


@pytest.fixture
def paid(make_twin: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Paid]]:
    """Makes a process with a journal, whose service has these faults and forms."""
    with ExitStack() as stack:

        def make(*faults: Fault, **options: Any) -> Paid:
            found = Paid(make_twin(faults=faults, **options), tmp_path)
            stack.callback(found.journal.close)
            return found

        yield make


def test_a_journal_that_is_lost_lets_nothing_be_paid_twice(paid: Callable[..., Paid], tmp_path: Path) -> None:
    job = paid(Fault("run", "reset_after"), forms=("history_without_targets",))
    job.fails("may_be_charged")
    job.journal.close()
    (tmp_path / database.NAME).write_bytes(b"damaged")
    job.open_journal()
    job.fails("still_in_doubt")
    assert len(job.twin.calls("run")) == 1


@pytest.mark.parametrize(("kind", "code"), [("404", ""), ("403", ""), ("410", ""), ("400", "CreditInsufficiency")])
def test_a_task_whose_polls_are_refused_is_told_and_can_be_paid_anew(
    paid: Callable[..., Paid], kind: str, code: str
) -> None:
    job = paid(Fault("poll", kind, code=code, times=100), run_seconds=60.0)
    told = job.fails("task_refused")
    assert isinstance(told, errors.MayBeCharged) and "nothing was charged" not in str(told)
    job.fails("task_refused")
    assert (job.states, len(job.twin.calls("run"))) == (["refused"], 1)
    assert job.journal.clear(in_doubt=True)[0] == 1


def test_a_task_whose_poll_was_refused_once_is_delivered_by_the_next_run(paid: Callable[..., Paid]) -> None:
    job = paid(Fault("poll", "403"))
    job.fails("task_refused")
    assert is_exact(job.run())
    assert job.counts == (1, 1.0)


def test_who_wants_to_pay_again_need_not_ask_twice(paid: Callable[..., Paid]) -> None:
    """A task that another process has started is looked for once more, and then replaced."""
    job = paid(Fault("poll", "403"))
    started(job)
    assert is_exact(job.run(again=True))
    assert len(job.twin.calls("run")) == 2


@pytest.mark.parametrize(("kind", "code"), [("403", "task_refused"), ("expired", "InvalidTaskId")])
@pytest.mark.parametrize("is_known", [False, True])
def test_who_pays_again_pays_once(paid: Callable[..., Paid], kind: str, code: str, is_known: bool) -> None:
    job = paid(Fault("poll", kind, times=100), run_seconds=60.0)
    if is_known:
        started(job)
    with pytest.raises(errors.LayerliftError) as caught:
        job.run(again=True)
    assert caught.value.code == code
    assert len(job.twin.calls("run")) == 1 + is_known


def test_a_task_that_was_started_long_ago_can_be_cleared(paid: Callable[..., Paid]) -> None:
    job = paid(run_seconds=60.0)
    started(job)
    assert job.journal.clear()[0] == 0
    job.journal.clock = lambda: time.time() + 25 * HOUR
    assert job.journal.clear()[0] == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [("bad_picture", "costs nothing"), ("other_size", "It was charged"), ("no_alpha", "It was charged")],
)
def test_a_result_that_can_not_be_used_is_said_to_be_charged_and_is_kept(
    paid: Callable[..., Paid], tmp_path: Path, kind: str, words: str
) -> None:
    job = paid(Fault("download", kind, times=100))
    for _ in range(2):
        with pytest.raises(errors.ServiceError) as caught:
            job.run()
        assert words in caught.value.action and caught.value.request_id
        (kept,) = (tmp_path / "unusable").iterdir()
        assert str(kept) in caught.value.message and kept.stat().st_size
    assert job.counts == (1, 1.0)
    with pytest.raises(errors.ServiceError):
        job.run(again=True)
    assert job.counts == (2, 2.0)


def test_the_last_few_results_that_can_not_be_used_are_kept(paid: Callable[..., Paid], tmp_path: Path) -> None:
    job = paid()
    for number in range(2 * UNUSABLE_FILES):
        with job.journal.claim(f"{number:016}", "youcam", "account", (64, 48), job.cancel.sleep) as record:
            assert record.keep_unusable(b"no picture") is not None
    assert len(list((tmp_path / "unusable").iterdir())) == UNUSABLE_FILES
