"""What a user does in a real Krita while a layer is worked on, and what the removal does to the document."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin
from layerlift.twin.engines import luma_key

from .krita import Krita
from .krita_outcomes import done, free
from .services import held
from .window import wait_for

CLOSED = "The document was closed in the meantime. Nothing was changed."
DELETED = "The layer was deleted in the meantime. Nothing was changed."
CHANGED = "The picture was resized or converted in the meantime. Nothing was done: run it again."
WIDTH, HEIGHT = 300, 200


def meanwhile(change: str, width: int, height: int, gate: str) -> Any:
    """Runs inside Krita: a change while the service works; what is told, and the layers if the end changed them."""
    import changes
    from removals import at, ended, layers, listen, one_undo_reverts, remove, state, subject

    listen()
    document = yield from subject(width, height)
    remove()
    yield at("Waiting")
    yield from getattr(changes, change)(document, document.activeNode())
    before = state(document) if document in k.documents() else None
    Path(gate).touch()
    told = yield from ended()
    Path(gate).unlink()
    if before is None or state(document) == before:
        return told, None
    k.activeWindow().addView(document)
    yield lambda: k.activeDocument() == document
    yield from one_undo_reverts(document, before[0])
    return told, layers(document)[1]


def test_the_layer_is_found_again_wherever_it_is_and_one_undo_reverts(krita: Krita, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            for more, (change, x, group) in enumerate(
                (
                    ("nothing", 0, ""),
                    ("another_document_is_active", 0, ""),
                    ("painted_on", 0, ""),
                    ("moved", 3, ""),
                    ("put_into_a_group", 0, "Group 1"),
                    ("put_into_a_group_that_moves", 3, "Group 1"),
                )
            ):
                # A picture of its own for each: the service has ended with the same one before.
                width = WIDTH + more
                (text, said), found = window.run(meanwhile, change, width, HEIGHT, str(gate))
                assert (text, said) == ("", [done(999 - more)]), change
                if group:
                    (name, _, _, found), *others = found
                    assert (name, others) == (group, [])
                assert [layer[:2] for layer in found] == [["Background", False], ["Background cut-out", True]]
                assert found[1][2] == [x, 0, width, HEIGHT], change
        assert twin.charged == 6


def seen(width: int, height: int, beneath: list[int], covered: list[int]) -> Any:
    """Runs inside Krita: the pixel amid the picture after a removal above a layer, its undo, and its redo."""
    from removals import ended, listen, remove, subject

    def amid() -> list[int]:
        return list(bytes(document.pixelData(width // 2, height // 2, 1, 1)))

    listen()
    document = yield from subject(width, height)
    below = document.activeNode()
    original = yield from add(document, below.duplicate())
    yield from paint(document, below, bytes(beneath) * width * height, 0, 0, width, height)
    remove()
    yield from ended()
    # Krita composes the picture behind the scenes.
    yield lambda: amid() == beneath
    yield from undo(document)
    yield lambda: original.visible() and amid() == covered
    yield from redo(document)
    yield lambda: not original.visible() and amid() == beneath


def test_the_picture_shows_the_cut_out_and_after_undo_the_original(krita: Krita, home: Path) -> None:
    with Twin(Options(engine=luma_key)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            red, white = [0, 0, 255, 255], [255, 255, 255, 255]
            window.run(seen, WIDTH, HEIGHT, red, white)


def removed_and_closed(width: int, height: int, most: int) -> Any:
    """Runs inside Krita: its memory in MB, once that is not above what it may be, after a removal in a document."""
    from removals import ended, listen, remove, subject

    def memory() -> int:
        held = Path("/proc/self/status").read_text().partition("VmRSS:")[2]
        return int(held.split()[0]) // 1000

    listen()
    document = yield from subject(width, height)
    remove()
    yield from ended()
    yield from close(document)
    yield lambda: memory() <= most
    return memory()


@pytest.mark.own_process("its memory is measured")
def test_the_memory_of_a_closed_document_is_given_back(krita: Krita, home: Path) -> None:
    with Twin(Options(engine=luma_key)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            width, height = 2400, 1600
            layer = width * height * 4 // 1_000_000
            held = max(window.run(removed_and_closed, width, height + more, 100_000) for more in range(3))
            # Kept, these four would be twelve: of each the original, the cut-out, and the picture.
            for more in range(3, 7):
                window.run(removed_and_closed, width, height + more, held + 6 * layer)


TOLD = {
    "layer_converted": CHANGED,
    "deleted": DELETED,
    "closed": CLOSED,
    "closed_after_a_question": CLOSED,
    "resized": CHANGED,
    "cropped": CHANGED,
    "converted": CHANGED,
}


def test_what_is_not_there_as_it_was_is_told_and_nothing_is_changed(krita: Krita, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            for more, (change, problem) in enumerate(TOLD.items()):
                told = window.run(meanwhile, change, WIDTH + more, HEIGHT, str(gate))
                assert told == [[f"test: Background\n\n{problem}", []], None], change


def in_the_midst(stage: str, act: str, first: bool) -> Any:
    """Runs inside Krita: the document is closed or its layer deleted between two strips of pixels."""
    from removals import When, at, ended, listen, remove, subject

    listen()
    document = yield from subject(2400, 1600)
    if first:
        remove()
        yield from ended()
        yield from undo(document)
        document.setModified(False)
    layer = document.topLevelNodes()[0]

    def delete() -> None:
        layer.remove()
        # Krita takes it away behind the scenes, on a busy machine after the last strip.
        document.waitForDone()

    acts = {"close": document.close, "delete": delete}
    remove()
    when = When(at(stage), acts[act])
    yield lambda: when.done
    told = yield from ended()
    return told, act == "delete" and tree(document.rootNode())


def test_what_goes_between_two_strips_of_pixels_is_told(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            first = True
            for stage in ("Making", "Reading"):
                for act, problem, layers in (("close", CLOSED, False), ("delete", DELETED, [])):
                    told = window.run(in_the_midst, stage, act, first)
                    assert told == [[f"test: Background\n\n{problem}", []], layers], (stage, act)
                    first = False
        assert twin.charged == 1


def run_on_both(path: str) -> Any:
    """Runs inside Krita: on a layer; when its file was opened again and both layers were renamed, on the cut-out and on
    the original, as it was and painted on; and on a layer that is named like a cut-out. What is asked and told."""
    from removals import ended, listen, remove, subject

    listen()

    def run(document: Any, layer: Any, answer: str = "") -> Any:
        yield from activate(document, layer)
        remove()
        question, _ = (yield from ended(answer)) if answer else ("", [])
        return question, (yield from ended())

    document = yield from subject(300, 200)
    found = [(yield from run(document, document.activeNode()))]
    document.saveAs(path)
    yield from close(document)
    document = yield from open_document(path)
    original, cutout = document.topLevelNodes()
    original.setName("dog cut-out")
    cutout.setName("dog")
    found.append((yield from run(document, cutout, "Cancel")))
    found.append((yield from run(document, original)))
    yield from paint(document, original, bytes(4 * 100 * 100), 0, 0, 100, 100)
    found.append((yield from run(document, original, "Remove Background")))
    names = [node.name() for node in document.topLevelNodes()]
    other = yield from subject(310, 200)
    other.activeNode().setName("dog cut-out")
    found.append((yield from run(other, other.activeNode())))
    return found, names


def test_a_cut_out_of_a_cut_out_or_of_its_original_costs_nothing_unasked(
    krita: Krita, home: Path, tmp_path: Path
) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            found, names = window.run(run_on_both, str(tmp_path / "dog.kra"))
        asked = "\n\n".join(
            (
                "This layer already has a cut-out, or is one.",
                "Remove its background anyway?",
                "To be uploaded to 127.0.0.1.\nCost: up to 1 unit. Balance: 999 units.",
            )
        )
        assert found == [
            ["", ["", [done(999)]]],
            [asked, ["", ["Cancelled: nothing was paid for. Nothing was changed."]]],
            ["", ["", [free()]]],
            [asked, ["", [done(998)]]],
            ["", ["", [done(997)]]],
        ]
        assert names == ["dog cut-out", "dog cut-out cut-out", "dog cut-out cut-out", "dog"]
        assert twin.charged == 3


def two_in_the_queue(width: int, height: int) -> Any:
    """Runs inside Krita: the second of two is asked for while the service works for the first, and moved."""
    import changes
    from removals import at, ended, layers, lines, listen, remove, subject

    listen()
    first = yield from subject(width, height)
    remove()
    yield at("Waiting")
    second = yield from subject(width + 1, height)
    layer = second.activeNode()
    remove()
    waiting = lines()
    yield from changes.moved(second, layer)
    yield from ended()
    cutout = second.topLevelNodes()[1]
    same = [pixels(node, 3, 0, 40, height) for node in (layer, cutout)]
    return waiting, layers(first)[1], layers(second)[1], same[0] == same[1]


def work_on(width: int, height: int, gate: str) -> Any:
    """Runs inside Krita: what a user does in its window while the service works; keys come from outside meanwhile."""
    from removals import QtCore, QtWidgets, ended, layers, listen, remove, subject

    listen()
    document = yield from subject(width, height)
    remove()
    yield lambda: document.activeNode().name() != "Background"
    k.action("fill_selection_foreground_color").trigger()
    yield lambda: not document.activeNode().bounds().isEmpty()
    yield from settle(document)
    modal = QtWidgets.QApplication.activeModalWidget() is not None
    menus = [action.menu() for action in k.activeWindow().qwindow().menuBar().actions()]
    menus[1].popup(QtCore.QPoint(50, 50))
    yield menus[1].isVisible
    menus[1].close()
    before = layers(document)[1]
    yield from undo(document)
    undone = layers(document)[1]
    yield from redo(document)
    Path(gate).touch()
    told = yield from ended()
    return modal, before, undone, layers(document)[1], told


def test_jobs_queue_and_the_window_stays_usable(krita: Krita, home: Path, gate: Path, tmp_path: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.request(two_in_the_queue, WIDTH, HEIGHT)
            wait_for(lambda: len(twin.calls("run")) == 2, "the service to work for both")
            gate.touch()
            waiting, first, second, same = window.outcome()
            assert waiting[1].endswith("1 more waiting")
            assert [name for name, *_ in first] == ["Background", "Background cut-out"]
            assert second[1] == ["Background cut-out", True, [3, 0, WIDTH + 1, HEIGHT], []]
            assert same
            gate.unlink()
            window.request(work_on, WIDTH + 2, HEIGHT, str(gate))
            wait_for(lambda: len(twin.calls("run")) == 3, "the third start")
            window.key("Insert")
            modal, before, undone, after, told = window.outcome()
            window.screenshot(tmp_path / "worked-on.png")
            assert not modal
            assert undone != before
            assert [name for name, *_ in after] == ["Background", "Background cut-out", "Paint Layer 1"]
            assert after[2] == before[1]
            assert told == ["", [done(997)]]
