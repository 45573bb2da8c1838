"""All open documents at once in a real Krita: one question, what is paid, what is inserted, one summary."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin

from .krita import Krita, Residence, another
from .krita_outcomes import done
from .leftovers import nothing_is_left
from .services import held
from .window import wait_for
from .workers import kill_workers

EACH_QT = pytest.mark.krita(
    "5.1", "6.0", why="what is paid and told comes from the worker and is the same in all; the boxes are each Qt's"
)
CANCELLED = "Cancelled: nothing was paid for. Nothing was changed."
ORIGINAL, BOTH = ["Background"], ["Background", "Background cut-out"]
SPACES = {
    "rgb": ["RGBA", "U8"],
    "rgb16": ["RGBA", "U16"],
    "rgb32": ["RGBA", "F32"],
    "gray": ["GRAYA", "U8"],
    "gray16": ["GRAYA", "U16"],
    "cmyk": ["CMYKA", "U8"],
    "lab": ["LABA", "U16"],
    "huge": ["RGBA", "U8"],
    "group": ["RGBA", "U8"],
    "vector": ["RGBA", "U8"],
}
EMPTY = "empty: 'nothing' is empty inside the canvas. Choose a layer with something on it."


def open_small(count: int, first: int = 0) -> Any:
    """Runs inside Krita: documents called 0, 1, 2..."""
    import batches
    from removals import listen

    listen()
    yield from batches.small(count, first)


def open_twelve() -> Any:
    """Runs inside Krita: twelve documents of many kinds; the first is paid for already."""
    import batches
    from removals import listen, remove

    listen()
    first = yield from batches.in_space("rgb")
    remove()
    told = yield from batches.ended()
    yield from undo(first)
    for name in batches.SPACES:
        if name != "rgb":
            yield from batches.in_space(name)
    for make in (batches.group, batches.vector, batches.empty, batches.without_subject):
        yield from make()
    return told


def ask_for_all(measured: bool = False) -> Any:
    """Runs inside Krita: the text of the question; from its asking on, the event loop may be measured."""
    import batches

    batches.loop = EventLoop() if measured else None
    batches.remove_all()
    return (yield from batches.asked())


def agree(until: str = "waiting for") -> Any:
    """Runs inside Krita: the lines of the progress in the midst of what follows."""
    import batches
    from removals import lines

    batches.answer("Remove Backgrounds")
    yield lambda: until in lines()[1]
    return lines()


def summary() -> Any:
    """Runs inside Krita: the summary, which stays, and what the event loop was blocked at most."""
    import batches
    from removals import box, is_over

    yield (lambda: is_over() and box()), 300
    return box().text(), batches.loop.largest_gap() if batches.loop else 0.0


def results() -> Any:
    """Runs inside Krita: of each document the names of its layers, and what its cut-out is like; one undo reverts."""
    import batches

    yield from batches.ended()
    found = {}
    for document in k.documents():
        found[document.name()] = [batches.names(document)]
        if batches.names(document)[-1].endswith("cut-out"):
            yield from batches.show(document)
            yield from batches.undone(document)
            found[document.name()].append(batches.what_is_left(document))
    return found


def ended(press: str = "Close") -> Any:
    """Runs inside Krita: what was told at the end of all jobs, and the layers of all documents."""
    import batches

    told = yield from batches.ended(press)
    return told, batches.all_names()


def all_at_once(press: str = "Close") -> Any:
    """Runs inside Krita: the question, what was told at the end, and the layers."""
    import batches

    batches.remove_all()
    question = yield from batches.asked()
    batches.answer("Remove Backgrounds")
    told = yield from batches.ended(press)
    return question, told, batches.all_names()


def test_every_open_document_gets_its_cut_out_after_one_question(krita: Krita, home: Path, tmp_path: Path) -> None:
    with Twin(Options(run_seconds=3.0, polling_interval_ms=1000, poll_within_seconds=60.0)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            assert window.run(open_twelve, timeout=300) == ["", [done(999, "rgb")]]
            before = len(twin.requests)
            question = window.run(ask_for_all, True, timeout=200)
            window.screenshot(tmp_path / "question.png")
            assert {call.step for call in twin.requests[before:]} <= {"balance", "delete"}
            title, stage = window.run(agree)
            window.screenshot(tmp_path / "progress.png")
            text, gap = window.run(summary, timeout=300)
            window.screenshot(tmp_path / "summary.png")
            found = window.run(results, timeout=300)
        print(f"Krita {krita.version}: the event loop was blocked for {gap:.2f} s at most")
        assert question.split("\n\n") == [
            "Remove the background of 11 pictures?",
            "Already paid for (free): 1 of 11.\n"
            "To be uploaded to 127.0.0.1: 10 of 11.\n"
            "Cost: up to 10 units. Balance: 999 units.",
        ]
        assert title == "All open documents"
        assert " of 11, waiting for " in stage
        first, full, left = text.split("\n\n")
        assert first == "10 of 12 pictures done, 1 of them free (already paid for). Units used: 9. Balance: 990 units."
        assert full == "No background was found, so the whole picture was kept: vector"
        head, *reasons = left.splitlines()
        assert (head, reasons[0]) == ("Not done:", EMPTY)
        assert reasons[1].startswith("without subject: No subject was found")
        assert len(reasons) == 2
        assert found.pop("empty") == [["Background", "nothing"]]
        assert found.pop("without subject") == [ORIGINAL]
        assert found.keys() == SPACES.keys()
        for name, (layers, (spaces, kept)) in found.items():
            assert layers[-1] == f"{layers[-2]} cut-out", name
            assert spaces[0] == spaces[1], name
            assert spaces[0][:2] == SPACES[name], name
            assert kept == [True, name == "vector"], name
        assert twin.charged == 10
        nothing_is_left(home)


def without_documents() -> Any:
    """Runs inside Krita: what is told."""
    import batches
    from removals import listen

    listen()
    # Qt 6 triggers nothing that is greyed, as it is here.
    k.action("layerlift_remove_all").setEnabled(True)
    batches.remove_all()
    return (yield from batches.ended())


def window_of_the_question() -> str:
    """Runs inside Krita: its X window ID; the progress has the same title."""
    from removals import choice

    return str(int(choice().winId()))


def is_still_asked() -> Any:
    """Runs inside Krita: whether the question is there when a key has had the time to press a button."""
    import time

    from removals import choice

    until = time.monotonic() + 1.0
    yield lambda: time.monotonic() > until
    return choice() is not None


def leave_the_question() -> Any:
    """Runs inside Krita: what is told then, and whether all documents are as they were."""
    import batches
    from removals import choice, state

    before = [state(document) for document in k.documents()]
    if choice() is not None:
        batches.answer("Cancel")
    told = yield from batches.ended()
    return told, [state(document) for document in k.documents()] == before


def look_at_one_twice() -> Any:
    """Runs inside Krita: a document gets a second view."""
    k.activeWindow().addView(k.documents()[0])
    yield lambda: len(k.activeWindow().views()) == len(k.documents()) + 1


@EACH_QT
def test_before_the_user_agrees_nothing_is_uploaded_and_no_key_of_the_canvas_agrees(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            assert window.run(without_documents) == ["Open a picture first.", []]
            window.run(open_small, 3)
            window.run(look_at_one_twice)
            for how in ("by a key", "by its button"):
                question = window.run(ask_for_all)
                asked = "Remove the background of 3 pictures?\n\nTo be uploaded to 127.0.0.1: 3 of 3."
                assert question.startswith(asked)
                if how == "by a key":
                    box = window.run(window_of_the_question)
                    for key in ("r", "b", "o", "y"):
                        window.key(key, box)
                    assert window.run(is_still_asked)
                    window.dismiss("Escape", box)
                assert window.run(leave_the_question) == [["", [CANCELLED]], True], how
                nothing_is_left(home)
        assert not twin.calls("declare", "upload", "run")


def one_is_inserted() -> Any:
    """Runs inside Krita: the user agrees, and the first is inserted."""
    import batches

    batches.answer("Remove Backgrounds")
    yield lambda: any(len(names) == 2 for names in batches.all_names().values())


def cancel() -> Any:
    """Runs inside Krita: what is told, and the layers."""
    import batches
    from removals import buttons, progress

    buttons(progress)["Cancel"].click()
    told = yield from batches.ended()
    return told, batches.all_names()


def remove_one() -> Any:
    """Runs inside Krita: the active layer is paid for, and its removal undone."""
    import batches
    from removals import remove

    remove()
    yield from batches.ended()
    yield from undo(k.activeDocument())


@EACH_QT
def test_a_cancel_keeps_what_is_inserted_and_what_was_paid_is_free_in_the_next_run(
    krita: Krita, home: Path, gate: Path
) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 4)
            gate.touch()
            window.run(remove_one)
            gate.unlink()
            assert "Already paid for (free): 1 of 4." in window.run(ask_for_all)
            window.run(one_is_inserted)
            wait_for(lambda: len(twin.calls("run")) == 4, "all to be started")
            told, layers = window.run(cancel)
            assert told == [
                "1 of 4 pictures done, 1 of them free (already paid for). Units used: 0.\n\nNot done:\n0, 1, 2: "
                "Cancelled: it may cost 1 unit; the result is kept, and is free the next time. Nothing was changed.",
                [],
            ]
            assert layers == {"0": ORIGINAL, "1": ORIGINAL, "2": ORIGINAL, "3": BOTH}
            gate.touch()
            wait_for(lambda: twin.delivered == 4, "what was paid for to be fetched without its user")
            nothing_is_left(home)
            question, (text, _), layers = window.run(all_at_once)
            assert question.endswith("?\n\nAlready paid for (free): 3 of 3.")
            assert text.startswith("3 of 4 pictures done, 3 of them free (already paid for). Units used: 0.")
            assert "3: This layer already has a cut-out" in text
            assert list(layers.values()) == [BOTH] * 4
        assert (twin.charged, len(twin.calls("run"))) == (4, 4)


def change(names: list[str], changes_of: list[str]) -> Any:
    """Runs inside Krita: what a user does to some of the documents meanwhile."""
    import batches
    import changes

    for name, change in zip(names, changes_of):
        document = next(document for document in k.documents() if document.name() == name)
        yield from batches.show(document)
        yield from getattr(changes, change)(document, document.activeNode())


@EACH_QT
def test_what_is_gone_or_changed_meanwhile_is_told_and_stops_nobody(krita: Krita, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 6)
            window.run(ask_for_all)
            window.run(change, ["0"], ["closed"])
            window.run(agree)
            wait_for(lambda: len(twin.calls("run")) == 5, "all others to be started")
            window.run(change, ["1", "2", "3"], ["closed", "deleted", "resized"])
            gate.touch()
            (text, said), layers = window.run(ended)
            assert said == []
            assert text.splitlines() == [
                "2 of 6 pictures done. Units used: 5. Balance: 995 units.",
                "",
                "Not done:",
                "0, 1: The document was closed in the meantime. Nothing was changed.",
                "2: The layer was deleted in the meantime. Nothing was changed.",
                "3: The picture was resized or converted in the meantime. Nothing was done: run it again.",
            ]
            # Krita gives a document without layers a new one.
            assert layers == {"2": ORIGINAL, "3": ORIGINAL, "4": BOTH, "5": BOTH}
        assert twin.charged == 5
        nothing_is_left(home)


@EACH_QT
def test_an_empty_account_ends_the_batch_and_tells_what_is_left(krita: Krita, home: Path) -> None:
    with Twin(Options(units=2)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 5)
            question, (text, _), layers = window.run(all_at_once)
            assert question.endswith("Cost: up to 5 units. Balance: 2 units.\nThat is not enough.")
            first, _, head, *others = text.splitlines()
            assert (first, head) == ("2 of 5 pictures done. Units used: 2. Balance: 0 units.", "Not done:")
            assert "no units left" in others[0]
            named = {name for part in others for name in part.partition(":")[0].split(", ")}
            assert named == {name for name, found in layers.items() if found == ORIGINAL}
            assert list(layers.values()).count(BOTH) == 2
        assert twin.charged == 2
        nothing_is_left(home)


def fails_at_once(environment: dict[str, str]) -> Any:
    """Runs inside Krita: what is told where a batch can't begin, its buttons, and the layers."""
    import os

    import batches
    from removals import box, buttons, progress

    before = dict(os.environ)
    os.environ.update(environment)
    k.writeSetting("layerlift", "engine", "youcam")
    batches.remove_all()
    yield lambda: progress() is None and box() is not None
    offered = sorted(buttons(box))
    text, _ = yield from batches.ended()
    os.environ.clear()
    os.environ.update(before)
    return text, offered, batches.all_names()


@EACH_QT
def test_what_the_settings_can_mend_is_told_once_for_all_and_nothing_is_uploaded(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 2)
            for words, environment in (
                ("No API key is set", {"YOUCAM_API_KEY": ""}),
                ("does not know this API key", {"YOUCAM_API_KEY": "sk-" + "a" * 32}),
            ):
                text, offered, layers = window.run(fails_at_once, environment)
                assert text.startswith("0 of 2 pictures done. Units used: 0.\n\nNot done:\n0, 1: ")
                assert words in text
                assert (offered, layers) == (["Close", "Settings...", "Work Offline"], {"0": ORIGINAL, "1": ORIGINAL})
                nothing_is_left(home)
        assert not twin.calls("declare", "upload", "run")


@EACH_QT
def test_a_killed_krita_or_worker_loses_nothing_that_was_paid(residence: Residence, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        with another(residence, home, twin) as window:
            window.run(open_small, 3)
            window.run(ask_for_all)
            window.run(agree)
            wait_for(lambda: len(twin.calls("run")) == 3, "all to be started")
            window.kill()
            gate.touch()
            wait_for(lambda: twin.delivered == 3, "all to be fetched without Krita")
            nothing_is_left(home)
            gate.unlink()
        with another(residence, home, twin) as window:
            window.run(open_small, 5)
            assert "Already paid for (free): 3 of 5." in window.run(ask_for_all)
            window.run(agree, "3 of 5")
            # Those that are polled are known here, too.
            wait_for(lambda: len({call.path for call in twin.calls("poll")}) == 5, "the others to be started")
            window.run(three_are_there)
            kill_workers(home)
            (text, _), layers = window.run(ended)
            assert text.startswith(
                "3 of 5 pictures done, 3 of them free (already paid for). Units used: 0.\n\nNot done:\n3, 4: "
            )
            assert "ended unexpectedly" in text
            assert list(layers.values()).count(BOTH) == 3
            gate.touch()
            _, (text, _), layers = window.run(all_at_once)
            assert text.startswith("2 of 5 pictures done")
            assert list(layers.values()) == [BOTH] * 5
        assert (twin.charged, len(twin.calls("run")), twin.late_polls) == (5, 5, 0)
        nothing_is_left(home)


def three_are_there() -> Any:
    """Runs inside Krita: wait for three cut-outs."""
    import batches

    yield lambda: sum(len(names) == 2 for names in batches.all_names().values()) == 3


def queue_behind(size: list[int]) -> Any:
    """Runs inside Krita: a removal of one more layer, and another batch, while the first one waits."""
    import batches
    from removals import lines, remove, subject

    yield from subject(*size)
    remove()
    batches.remove_all()
    return lines()[1].rpartition(" - ")[2]


def both_summaries() -> Any:
    """Runs inside Krita: those of the first batch and of the second, what was said between, and the layers."""
    import batches
    from removals import SAID, boxes, is_over

    yield (lambda: is_over() and len(boxes()) == 2), 300
    return *sorted((box.text() for box in boxes()), reverse=True), SAID, batches.all_names()


@EACH_QT
def test_single_layers_and_other_batches_wait_behind_a_batch_and_do_nothing_twice(
    krita: Krita, home: Path, gate: Path
) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 2)
            window.run(ask_for_all)
            window.run(agree)
            assert window.run(queue_behind, (350, 200)) == "2 more waiting"
            assert len(twin.calls("run")) <= 2
            gate.touch()
            first, second, said, layers = window.run(both_summaries)
            assert first.startswith("2 of 2 pictures done. Units used: 2. Balance: 99")
            there = "0, 1, test: This layer already has a cut-out, or is one."
            assert second == f"0 of 3 pictures done. Units used: 0.\n\nNot done:\n{there}"
            assert said == [done(997)]
            assert layers == {"0": BOTH, "1": BOTH, "test": BOTH}
        assert twin.charged == 3
        nothing_is_left(home)


def with_masks() -> Any:
    """Runs inside Krita: what comes where masks are wanted."""
    import batches

    k.writeSetting("layerlift", "result", "mask")
    batches.remove_all()
    yield from batches.asked()
    batches.answer("Remove Backgrounds")
    text, _ = yield from batches.ended()
    return text, [tree(document.rootNode())[-1] for document in k.documents()]


@pytest.mark.krita("5.2", "5.3", "6.0", why="5.1 has no masks for plug-ins")
def test_masks_are_made_where_they_are_wanted(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_small, 2)
            text, layers = window.run(with_masks)
            assert text == "2 of 2 pictures done. Units used: 2. Balance: 998 units."
            mask = ["Background mask", "transparencymask", []]
            assert layers == [["Background cut-out", "paintlayer", [mask]]] * 2
