"""Which of many pictures is done is the user's choice in a real Krita: documents by ticks, layers by Krita's list."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Fault, Options, Twin

from .krita import Krita
from .leftovers import nothing_is_left

pytestmark = pytest.mark.krita("5.1", "6.0", why="the window is the same in all with the same Qt")
ORIGINAL, BOTH = ["Background"], ["Background", "Background cut-out"]
EMPTY = "'nothing' is empty inside the canvas. Choose a layer with something on it."


def open_seven() -> Any:
    """Runs inside Krita: 0 is done, 1 is paid for and undone, the last has nothing on its layer."""
    import batches
    from removals import ended, listen, remove

    listen()
    documents = yield from batches.small(6)
    for document in documents[:2]:
        yield from batches.show(document)
        remove()
        yield from ended()
    yield from undo(documents[1])
    yield from batches.empty()


def ask() -> Any:
    """Runs inside Krita: the question, and its lines."""
    import batches

    batches.remove_all()
    text = yield from batches.asked()
    return text, batches.rows()


def contrast_of_boxes() -> Any:
    """Runs inside Krita: how far what is drawn of each line's box is from the darkest there, 0 to 255."""
    from removals import QtWidgets, choice

    tree = choice().findChild(QtWidgets.QTreeWidget)
    picture = tree.viewport().grab().toImage()
    found = []
    for number in range(tree.topLevelItemCount()):
        line = tree.visualItemRect(tree.topLevelItem(number))
        row = line.center().y()
        lights = [picture.pixelColor(column, row).lightness() for column in range(2, line.height())]
        found.append(max(lights) - min(lights))
    return found


def tick(names: list[str], wanted: bool) -> Any:
    """Runs inside Krita: the question when these are ticked, or not; what of its buttons can be pressed."""
    import batches
    from removals import buttons, choice

    for name in names:
        batches.tick(name, wanted)
    shown = {name: button.isEnabled() for name, button in buttons(choice).items() if button.isVisible()}
    return batches.question(), shown


def answer(name: str) -> Any:
    """Runs inside Krita: what is told at the end, and the layers of all documents."""
    import batches

    batches.answer(name)
    return (yield from batches.ended()), batches.all_names()


def test_documents_are_ticked_and_the_cost_follows(krita: Krita, home: Path, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(open_seven)
            text, rows = window.run(ask)
            window.screenshot(tmp_path / "choice.png")
            assert text.split("\n\n") == [
                "Remove the background of 5 pictures?",
                "Already paid for (free): 1 of 5.\nTo be uploaded to 127.0.0.1: 4 of 5.\n"
                "Cost: up to 4 units. Balance: 998 units.",
            ]
            assert rows == [
                ["0", "300 \u00d7 200", "already done", None],
                ["1", "301 \u00d7 200", "free", True],
                *([str(number), f"{300 + number} \u00d7 200", "1 unit", True] for number in (2, 3, 4, 5)),
                ["empty", "", EMPTY, None],
            ]
            text, shown = window.run(tick, ["2", "3", "4", "5"], False)
            assert min(window.run(contrast_of_boxes)) > 50
            assert text == "Remove the background of 1 picture?\n\nAlready paid for (free): 1 of 1."
            assert shown == {"Cancel": True, "Remove Backgrounds": True}
            assert window.run(tick, ["1"], False)[1] == {"Cancel": True, "Remove Backgrounds": False}
            text, _ = window.run(tick, ["1", "3", "5"], True)
            assert "Cost: up to 2 units. Balance: 998 units." in text
            (told, said), layers = window.run(answer, "Remove Backgrounds")
        assert told.split("\n\n") == [
            "3 of 5 pictures done, 1 of them free (already paid for). Units used: 2. Balance: 996 units.",
            f"Not done:\n0: This layer already has a cut-out, or is one.\nempty: {EMPTY}",
        ]
        assert said == []
        assert {name for name, found in layers.items() if found == BOTH} == {"0", "1", "3", "5"}
        assert {name for name, found in layers.items() if found == ORIGINAL} == {"2", "4"}
        assert twin.charged == 4
        nothing_is_left(home)


def with_long_names() -> Any:
    """Runs inside Krita: the lines of the question where names are long, have line breaks, or look like a heading."""
    import batches
    from removals import listen

    listen()
    for name, document in zip(("<h1>a</h1>\nb", "x" * 5000), (yield from batches.small(2))):
        batches.named(document, name)
    batches.remove_all()
    yield from batches.asked()
    found = [row[0] for row in batches.rows()]
    batches.answer("Cancel")
    yield from batches.ended()
    return found


def test_names_are_shown_as_they_are_in_one_line(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            heading, long = window.run(with_long_names)
        assert heading == "<h1>a</h1> b"
        assert len(long) <= 60 and "..." in long


def fail_and_try_again(press: str) -> Any:
    """Runs inside Krita: what is told of three documents of which one fails, and what trying that again leads to."""
    import batches
    from removals import box, buttons, is_over, listen

    listen()
    yield from batches.small(3)
    batches.remove_all()
    yield from batches.asked()
    batches.answer("Remove Backgrounds")
    yield (lambda: is_over() and box()), 300
    text = box().text()
    offered = sorted(buttons(box))
    buttons(box)[press].click()
    yield from batches.asked()
    rows = batches.rows()
    batches.answer("Remove Backgrounds")
    return text, offered, rows, (yield from batches.ended()), batches.all_names()


def test_what_has_failed_is_tried_again_alone(krita: Krita, home: Path) -> None:
    with Twin(Options(faults=(Fault("run", "400", code="CreditInsufficiency", times=1),))) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            text, offered, rows, (told, _), layers = window.run(fail_and_try_again, "Try Again")
        assert "The account has no units left" in text
        assert offered == ["Buy Units", "Close", "Try Again", "Work Offline"]
        assert len(rows) == 3 - int(text.partition(" ")[0])
        assert told.startswith(f"{len(rows)} of {len(rows)} picture")
        assert layers == {"0": BOTH, "1": BOTH, "2": BOTH}
        assert twin.charged == 3


def select(names: list[str]) -> Any:
    """Runs inside Krita: a document with layers of these names, all selected; asks for their removal, and the names of
    the selected ones."""
    from removals import DARK, LIGHT, listen, remove, subject

    listen()
    document = yield from subject(300, 200)
    for number, name in enumerate(names):
        node = yield from add(document, document.createNode(name, "paintlayer"))
        data = (DARK * (100 + number) + LIGHT * (200 - number)) * 200
        yield from paint(document, node, data, 0, 0, 300, 200)
    document.topLevelNodes()[0].remove()
    yield from settle(document)
    k.action("select_all_layers").trigger()
    view = k.activeWindow().activeView()
    yield lambda: len(view.selectedNodes()) == len(names)
    remove()


def the_question() -> Any:
    """Runs inside Krita: what is asked, and the progress's title before."""
    import batches

    text = yield from batches.asked()
    return text, batches.rows()


def undo_all(names: list[str]) -> Any:
    """Runs inside Krita: one step back for each layer, and wait until the originals alone are there, and visible."""
    document = k.activeDocument()
    for _ in names:
        yield from undo(document)
    yield lambda: [[node.name(), node.visible()] for node in document.topLevelNodes()] == [[n, True] for n in names]


def test_the_selected_layers_are_done_after_one_question(krita: Krita, home: Path) -> None:
    names = ["dog", "cat"]
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(select, names)
            text, rows = window.run(the_question)
            assert text.startswith("Remove the background of 2 pictures?")
            assert rows == [["cat", "300 \u00d7 200", "1 unit", True], ["dog", "300 \u00d7 200", "1 unit", True]]
            (told, said), layers = window.run(answer, "Remove Backgrounds")
            assert (told, said) == ("2 of 2 pictures done. Units used: 2. Balance: 998 units.", [])
            assert layers == {"test": ["dog", "dog cut-out", "cat", "cat cut-out"]}
            window.run(undo_all, names)
        assert twin.charged == 2
        nothing_is_left(home)
