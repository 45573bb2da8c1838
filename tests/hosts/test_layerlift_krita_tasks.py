"""The service's other tasks on layers of a real Krita: from the menu to the new layer, and what may go wrong."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

from layerlift.twin import Options, Twin
from layerlift.twin.pictures import color

from .krita import Krita
from .leftovers import nothing_is_left
from .services import held
from .window import wait_for

WIDTH, HEIGHT = 80, 60
DARK, LIGHT = [0, 0, 0, 255], [255, 255, 255, 255]
ELSEWHERE = {"YOUCAM_API_URL": "https://service.invalid", "YOUCAM_API_KEY": "sk-" + "a" * 32}
"""A service that is not on this computer, so that uploads need consent; and nobody has it."""
QUESTION = "\n\n".join(
    (
        "Upload 'test: Background' to service.invalid for 'Correct Lighting'?",
        "The service does not tell now what this costs, nor what your account has.",
    )
)


def done(title: str, left: int, units: str = "1 unit") -> list[Any]:
    """What is told of a task that is done."""
    return ["", [f"{title} of 'test': YouCam, {units}. Balance: {left} units."]]


def enhance(width: int, height: int) -> Any:
    """Runs inside Krita: a layer at 10, 5 is made twice as large, first at its own place, then with the document."""
    import continued
    from removals import layers, listen, one_undo_reverts, subject

    listen()
    document = yield from subject(width + 20, height + 10)
    photo = document.createNode("photo", "paintlayer")
    photo.setPixelData(b"\x20\x60\xa0\xff" * (width * height), 10, 5, width, height)
    yield from add(document, photo)
    before = layers(document, pixels=True)
    told = [(yield from continued.run("continue", "Enhance", choice="2", size="layer"))]
    found = [continued.names(document), layers(document)[1][2], continued.part(document.topLevelNodes()[2], 12, 7)]
    yield from one_undo_reverts(document, before)
    yield from undo(document)
    yield from activate(document, photo)
    told.append((yield from continued.run("continue", "Enhance", choice="2", size="own")))
    found += [layers(document), continued.part(document.topLevelNodes()[2], 24, 14)]
    yield from undo(document)
    yield from undo(document)
    return told, found, layers(document, pixels=True) == before


def test_an_enhanced_layer_lies_above_its_layer_or_the_document_grows_for_it(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            told, found, is_undone = window.run(enhance, WIDTH, HEIGHT)
        assert told == [done("Enhance", 999), ["", ["Enhance of 'test': free, already paid for."]]]
        names, layer, colour, (size, grown), large = found
        assert names == ["Background", "photo", "photo (Enhance)"]
        assert layer == ["photo (Enhance)", True, [10, 5, WIDTH, HEIGHT], []]
        assert colour == large == [0x20, 0x60, 0xA0, 255]
        assert size == [2 * WIDTH + 40, 2 * HEIGHT + 20]
        assert grown[2] == ["photo (Enhance)", True, [20, 10, 2 * WIDTH, 2 * HEIGHT], []]
        assert is_undone
        nothing_is_left(home)


def replace(width: int, height: int) -> Any:
    """Runs inside Krita: a subject is cut out, taken from its picture, and put before another background."""
    import continued
    from removals import DARK, LIGHT, ended, layers, listen, one_undo_reverts, remove, subject

    listen()
    document = yield from subject(width, height, frame=LIGHT, inside=DARK)
    original = document.activeNode()
    refused = yield from continued.refusal("clean_plate")
    remove()
    yield from ended()
    cutout = document.topLevelNodes()[1]
    before = layers(document, pixels=True)
    yield from activate(document, original)
    told = [(yield from continued.run("clean_plate"))]
    plate = document.topLevelNodes()[1]
    found = [continued.part(node, width // 2, height // 2) for node in (original, plate, cutout)]
    yield from one_undo_reverts(document, before)
    yield from activate(document, cutout)
    yield from continued.opened("new_background")
    read, could = continued.told(), continued.ok().isEnabled()
    shown = yield from continued.templates()
    drawn = all(not shown.item(row).icon().isNull() for row in range(shown.count()))
    shown.setCurrentRow(1)
    continued.ok().click()
    told.append((yield from ended()))
    found += [continued.seen(document, *place) for place in ((2, 2), (width // 2, height // 2))]
    return refused, told, found, (read, could, drawn), continued.names(document)


def test_a_clean_plate_and_a_new_background_go_beneath_the_cut_out(krita: Krita, home: Path) -> None:
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            refused, told, found, (read, could, drawn), names = window.run(replace, WIDTH, HEIGHT)
        assert refused == "Choose a cut-out, or a layer that has one. 'Remove Background' makes it."
        assert told == [done("Remove Object", 998), done("Replace Background", 996, "2 units")]
        original, plate, cutout, around, amid = found
        assert (original, cutout) == (DARK, DARK), "the user's own layers stay"
        assert plate == LIGHT, "the subject is gone"
        assert around == [*reversed(color("beach-morning")), 255]
        assert amid == DARK
        assert "Cost: 2 units. Balance: 998 units." in read
        assert (could, drawn) == (False, True)
        assert names == [
            "Background", "Background clean plate", "Background new background", "Background cut-out",
        ]  # fmt: skip


def describe(width: int, height: int) -> Any:
    """Runs inside Krita: a new background by a text for the one layer of a document, without and with transparency."""
    import continued
    from removals import DARK, layers, listen, one_undo_reverts, subject

    listen()
    document = yield from subject(width, height)
    told = [(yield from continued.run("new_background", text="a beach"))]
    document = yield from subject(width, height, frame=b"\0\0\0\0", inside=DARK)
    before = layers(document, pixels=True)
    told.append((yield from continued.run("new_background", text="a beach")))
    found = [continued.seen(document, *place) for place in ((2, 2), (width // 2, height // 2))]
    yield from one_undo_reverts(document, before)
    return told, found


def test_a_layer_with_transparency_gets_a_background_where_it_is_the_lowest_of_all(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            told, found = window.run(describe, WIDTH, HEIGHT)
        opaque = "test: Background\n\nChoose a cut-out, or a layer that has one. 'Remove Background' makes it."
        assert told == [[opaque, []], done("Replace Background", 998, "2 units")]
        assert found == [[*reversed(color("a beach")), 255], DARK]
        assert twin.charged == 2


def select(width: int, height: int) -> Any:
    """Runs inside Krita: an object is replaced where the selection is; without one, and with what the core refuses."""
    import continued
    import krita
    from removals import listen, subject

    listen()
    document = yield from subject(width, height, frame=b"\xff\xff\xff\xff")
    told = [(yield from continued.run("continue", "Replace Object", text="a cat"))]
    selection = krita.Selection()
    selection.select(10, 10, 20, 20, 255)
    document.setSelection(selection)
    yield from settle(document)
    told.append((yield from continued.run("continue", "Replace Object", text="a\u200bcat")))
    told.append((yield from continued.run("continue", "Replace Object", text="a cat")))
    made = document.nodeByName("Background (Replace Object)")
    return told, [continued.part(made, *place) for place in ((15, 15), (35, 15))]


def test_a_task_that_takes_a_mask_works_where_the_selection_is(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            (none, refused, told), found = window.run(select, WIDTH, HEIGHT)
        assert none == ["test: Background\n\nSelect what the task is to work on first.", []]
        assert refused[0].startswith("test: Background\n\nA task can't be run like this")
        assert "prompt of obj-replace has to be a text" in refused[0]
        assert told == done("Replace Object", 999)
        assert found == [[*reversed(color("a cat")), 255], LIGHT]
        assert twin.charged == 1


def convert(width: int, height: int) -> Any:
    """Runs inside Krita: several results in documents of other colour spaces; the spaces, and colours as they show."""
    import continued
    from layerlift.host import space_of
    from layerlift.scratch import SRGB, converter
    from removals import listen

    listen()
    found = []
    for model, depth, profile in (("RGBA", "F16", "sRGB-elle-V2-g10.icc"), ("CMYKA", "U8", "")):
        document = yield from new_document(width, height, model, depth, profile)
        layer = document.activeNode()
        told = yield from continued.run("continue", "Correct Colours")
        made = document.topLevelNodes()[1:]
        with converter(1, 1, space_of(document), SRGB) as converted:
            colours = [list(bytes(converted(node.pixelData(5, 5, 1, 1), 1))) for node in (layer, *made)]
        same = all(space_of(node) == space_of(document) for node in made)
        found.append([told[0], continued.names(document), same, colours])
    return found


def test_results_come_in_the_documents_own_colour_space(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            for text, names, same, (layer, *made) in window.run(convert, WIDTH, HEIGHT):
                assert text == ""
                assert names == ["Background", *["Background (Correct Colours)"] * 2]
                assert same
                for colour in made:
                    assert max(abs(one - other) for one, other in zip(layer, colour)) <= 2


def cancel(width: int, height: int) -> Any:
    """Runs inside Krita: a task is cancelled amid the service's work."""
    import continued
    from removals import at, buttons, ended, listen, progress, state, subject

    listen()
    document = yield from subject(width, height)
    before = state(document)
    yield from continued.opened("continue")
    continued.choose("Correct Lighting")
    continued.ok().click()
    yield at("Waiting")
    buttons(progress)["Cancel"].click()
    told = yield from ended()
    return told, state(document) == before


def run_it_again() -> Any:
    """Runs inside Krita: the same task to its end."""
    import continued

    told = yield from continued.run("continue", "Correct Lighting")
    return told, continued.names(k.activeDocument())


def test_a_cancelled_task_may_cost_and_is_free_the_next_time(krita: Krita, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            (_, told), is_same = window.run(cancel, WIDTH, HEIGHT)
            # What it costs is told where the worker answers in time.
            assert told[0].startswith("Cancelled: it may ")
            assert told[0].endswith("; the result is kept, and is free the next time. Nothing was changed.")
            assert is_same
            gate.touch()
            wait_for(lambda: twin.delivered == 1, "what was paid for to be fetched")
            told, names = window.run(run_it_again)
        assert told == ["", ["Correct Lighting of 'test': free, already paid for."]]
        assert names == ["Background", "Background (Correct Lighting)"]
        assert twin.charged == 1


def agree(width: int, height: int, answer: str) -> Any:
    """Runs inside Krita: the question before an upload, its buttons, and what is told after the answer."""
    import continued
    from removals import box, buttons, ended, listen, subject

    listen()
    yield from subject(width, height)
    yield from continued.opened("continue")
    continued.choose("Correct Lighting")
    continued.ok().click()
    yield lambda: box() is not None
    text, offered = box().text(), sorted(buttons(box))
    buttons(box)[answer].click()
    yield lambda: box() is None or box().text() != text
    return text, offered, (yield from ended())


def ask_without_a_key(width: int, height: int) -> Any:
    """Runs inside Krita: what the dialog says, and whether the settings come in its place."""
    import continued
    import settings_dialog
    from removals import buttons, subject

    yield from subject(width, height)
    yield from continued.opened("continue")
    told, could = continued.told(), continued.ok().isEnabled()
    buttons(continued.dialog)["Settings..."].click()
    yield lambda: settings_dialog.dialog() is not None
    return told, could, continued.dialog() is None


def test_nothing_is_uploaded_unasked_and_a_missing_key_is_told(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    with krita.window() as window:
        told, could, is_gone = window.run(ask_without_a_key, WIDTH, HEIGHT)
        needs = "No API key is set. The service's tasks need one. Set the API key of your account first."
        assert told == ["test: Background", needs]
        assert (could, is_gone) == (False, True)
    krita.environment.update(ELSEWHERE)
    with krita.window() as window:
        text, offered, told = window.run(agree, WIDTH, HEIGHT, "Cancel")
        assert (text, offered) == (QUESTION, ["Always Upload", "Cancel", "Upload This Time"])
        assert told == ["", ["Cancelled: nothing was paid for. Nothing was changed."]]
        *_, (told, _) = window.run(agree, WIDTH, HEIGHT, "Upload This Time")
        assert "can't be reached" in told
