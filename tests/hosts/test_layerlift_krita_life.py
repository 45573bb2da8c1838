"""A removal in a real Krita from its start to every end that it can have: cancelled, left by Krita, killed."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from layerlift.twin import Fault, Options, Twin

from .krita import Krita, Residence, another
from .krita_outcomes import done, free
from .leftovers import folders, nothing_is_left
from .window import wait_for
from .workers import workers_of

LARGE, SMALL = (1500, 1000), (300, 200)
UNPAID = "Cancelled: nothing was paid for. Nothing was changed."
PAID = "Cancelled: it may cost 1 unit; the result is kept, and is free the next time. Nothing was changed."
QUICK_POLLS = Options(polling_interval_ms=1000, poll_within_seconds=60.0)


def open_one(size: list[int]) -> Any:
    """Runs inside Krita: a document of linear 16-bit pixels, whose layer is multiplied."""
    from removals import listen, subject

    listen()
    document = yield from subject(*size)
    document.setColorSpace("RGBA", "U16", "sRGB-elle-V2-g10.icc")
    document.activeNode().setBlendingMode("multiply")
    yield from settle(document)
    document.setModified(False)


def cancel(stage: str, how: str) -> Any:
    """Runs inside Krita: cancel at a stage; whether the document is as before, and what was told."""
    from layerlift import jobs
    from removals import When, at, buttons, ended, progress, remove, state

    # A busy machine's worker is waited for: it alone knows what the cancel has cost.
    jobs.CANCEL_MS = 60_000
    ways = {"by the button": lambda: buttons(progress)["Cancel"].click(), "by closing": lambda: progress().close()}
    document = k.activeDocument()
    before = state(document)
    remove()
    when = When(at(stage), ways[how])
    yield lambda: when.done
    told = yield from ended()
    return state(document) == before, told


def run_to_the_end() -> Any:
    """Runs inside Krita: the names of the layers, and what was told."""
    from removals import ended, remove

    remove()
    told = yield from ended()
    return [name for name, *_ in tree(k.activeDocument().rootNode())], told


def test_a_cancel_at_any_stage_changes_nothing_and_leaves_nothing(krita: Krita, home: Path) -> None:
    unpaid, paid = [True, ["", [UNPAID]]], [True, ["", [PAID]]]
    with Twin(QUICK_POLLS) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_one, LARGE)
            # A cancel may come before the upload is sent, which would meet it at the next stage.
            over = Event()
            twin.inject(Fault("upload", "hang", seconds=300.0, until=over))
            for stage, how in (
                ("Starting", "by the button"),
                ("Reading", "by the button"),
                ("Uploading", "by closing"),
            ):
                assert window.run(cancel, stage, how) == unpaid, stage
                nothing_is_left(home)
            over.set()
            assert not twin.calls("run")
            twin.inject(Fault("poll", "hang", seconds=2.0))
            assert window.run(cancel, "Waiting", "by the button") == paid
            wait_for(lambda: not folders(home), "the pixels to go")
            wait_for(lambda: twin.delivered == 1, "what was paid for to be fetched without its user")
            nothing_is_left(home)
            for stage, how in (("Cutting", "by the button"), ("Making", "by closing")):
                assert window.run(cancel, stage, how) == unpaid, stage
                nothing_is_left(home)
            assert window.run(run_to_the_end) == [["Background", "Background cut-out"], ["", [free()]]]
        assert (twin.charged, len(twin.calls("run"))) == (1, 1)
        nothing_is_left(home)


def cancel_the_first_of_two(sizes: list[list[int]], gate: str) -> Any:
    """Runs inside Krita: two documents are queued, the first is cancelled where it waits for the service, which goes on
    after that."""
    from layerlift import jobs
    from removals import at, buttons, ended, lines, progress, remove, state, subject

    jobs.CANCEL_MS = 60_000
    documents, before = [], []
    for size in sizes:
        document = yield from subject(*size)
        documents.append(document)
        before.append(state(document))
        remove()
    yield at("Waiting")
    picture, stage = lines()
    buttons(progress)["Cancel"].click()
    yield lambda: not lines()[0].startswith(picture)
    Path(gate).touch()
    told = yield from ended()
    changed = [state(document)[0] != old[0] for document, old in zip(documents, before)]
    names = [[name for name, *_ in tree(document.rootNode())] for document in documents]
    return stage.partition(" - ")[2], changed, names, told


def test_a_cancelled_job_makes_room_for_the_next(krita: Krita, home: Path, gate: Path) -> None:
    cancelled = Event()
    with Twin(QUICK_POLLS) as twin, ThreadPoolExecutor() as pool:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_one, SMALL)
            twin.inject(Fault("poll", "hang", until=cancelled))
            pool.submit(wait_for, lambda: gate.exists() and not cancelled.set(), "the cancel")
            waiting, changed, names, told = window.run(cancel_the_first_of_two, [(300, 200), (310, 200)], str(gate))
            assert waiting == "1 more waiting"
            assert changed == [False, True]
            assert names == [["Background"], ["Background", "Background cut-out"]]
            assert told == ["", [f"test: {PAID}", done(998)]]
            wait_for(lambda: twin.delivered == 2, "both to be fetched")
            nothing_is_left(home)
        assert twin.charged == 2


def start(size: list[int], stage: str) -> Any:
    """Runs inside Krita: a removal that is at a stage."""
    from removals import at, listen, remove, subject

    listen()
    yield from subject(*size)
    remove()
    yield at(stage)


def run_it_again(size: list[int]) -> Any:
    """Runs inside Krita: a removal from its start to its end, of the same picture; what was told."""
    from removals import ended, listen, remove, subject

    listen()
    yield from subject(*size)
    remove()
    return (yield from ended())


def quit_as_the_user_does() -> Any:
    """Runs inside Krita."""
    k.activeDocument().setModified(False)
    later(k.action("file_quit").trigger)


def quit_in_the_midst() -> Any:
    """Runs inside Krita: as soon as the pixels of a layer are read, with another removal waiting. Where Krita takes
    clicks amid a step, it is in one."""
    from removals import When, at, is_in_a_step, remove

    takes_clicks = tuple(map(int, k.version().split(".")[:2])) >= (5, 3)
    remove()
    remove()
    When(is_in_a_step() if takes_clicks else at("Reading"), k.action("file_quit").trigger)


def test_a_krita_that_quits_before_anything_is_paid_leaves_nothing(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_one, LARGE)
            window.run(quit_in_the_midst)
            window.wait_for_end()
            assert window.process.returncode == 0
            nothing_is_left(home)
        assert not twin.requests


def test_a_krita_that_quits_or_dies_leaves_nothing_and_what_was_paid_for_is_free(
    residence: Residence, home: Path
) -> None:
    sizes = [(300, 200), (310, 200)]
    with Twin(Options(polling_interval_ms=1000, poll_within_seconds=60.0, run_seconds=8.0)) as twin:
        with another(residence, home, twin) as window:
            window.run(start, sizes[0], "Waiting")
            window.run(quit_as_the_user_does)
            window.wait_for_end()
            wait_for(lambda: not folders(home), "the pixels to go")
            assert workers_of(home)
            wait_for(lambda: twin.delivered == 1, "the result to be fetched without Krita")
            nothing_is_left(home)
        with another(residence, home, twin) as window:
            assert window.run(run_it_again, sizes[0]) == ["", [free()]]
            window.run(start, sizes[1], "Waiting")
            window.kill()
            wait_for(lambda: not folders(home), "the pixels to go")
            wait_for(lambda: twin.delivered == 2, "the result to be fetched without Krita")
            nothing_is_left(home)
        with another(residence, home, twin) as window:
            assert window.run(run_it_again, sizes[1]) == ["", [free()]]
        assert (twin.charged, twin.late_polls, len(twin.calls("run"))) == (2, 0, 2)
        nothing_is_left(home)
