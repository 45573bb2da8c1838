"""The plug-in's menu in a real Krita."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .krita import Krita
from .versions import KritaVersion

pytestmark = pytest.mark.own_process("what Krita writes from its start to its end is read")
ACTIONS = {
    "layerlift_remove": "Remove Background of Layer",
    "layerlift_remove_all": "Remove Backgrounds of All Documents",
    "layerlift_continue": "Continue With...",
    "layerlift_clean_plate": "Clean Plate...",
    "layerlift_new_background": "New Background...",
    "layerlift_settings": "Settings...",
}


def look(names: list[str]) -> Any:
    """Runs inside Krita: the menu with and without a document; it stays open."""

    import time

    def words(action: Any) -> str:
        return action.text().replace("&", "")

    def enabled() -> dict[str, bool]:
        return {name: k.action(name).isEnabled() for name in names}

    bar = k.activeWindow().qwindow().menuBar()
    tools = next(action for action in bar.actions() if words(action) == "Tools")
    entry = next(action for action in tools.menu().actions() if words(action) == "Remove Background")
    shortcuts = {action.objectName(): [key.toString() for key in action.shortcuts()] for action in k.actions()}
    found: dict[str, Any] = {
        "layers": {},
        "entries": [words(action) for action in entry.menu().actions()],
        "icons": [not k.action(name).icon().isNull() for name in names],
        "names": [action.objectName() for action in k.actions()],
        "shortcuts": {
            name: {key: [other for other, keys in shortcuts.items() if key in keys] for key in shortcuts[name]}
            for name in names
        },
        "without": enabled(),
    }
    document = yield from new_document(64, 48)
    yield lambda: k.action(names[0]).isEnabled()
    found["with"] = enabled()
    layers = (
        document.createGroupLayer("group"),
        document.createVectorLayer("vector"),
        document.createCloneLayer("clone", document.topLevelNodes()[0]),
        document.createFileLayer("file", "", "None"),
    )
    for layer in layers:
        yield from add(document, layer)
        # Krita greys the menu's entries a while later.
        until = time.monotonic() + 0.5
        yield lambda: time.monotonic() > until  # noqa: B023
        found["layers"][layer.type()] = enabled()
    yield from close(document)
    yield lambda: not k.action(names[0]).isEnabled()
    found["after"] = enabled()
    yield from new_document(64, 48)
    bar.setActiveAction(tools)
    tools.menu().setActiveAction(entry)
    yield lambda: entry.menu().isVisible()
    return found


@pytest.fixture(scope="module")
def found(version: KritaVersion, krita_template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the menu is like, and what Krita wrote on standard error."""
    folder = tmp_path_factory.mktemp("menu")
    krita = Krita(folder / "krita", version, krita_template)
    krita.add_layerlift(folder / "state")
    with krita.window() as window:
        menu: dict[str, Any] = window.run(look, list(ACTIONS))
        window.screenshot(folder / "menu.png")
    return {**menu, "stderr": krita.stderr}


def test_tools_has_the_entries(found: dict[str, Any]) -> None:
    assert found["entries"] == list(ACTIONS.values())


def test_the_actions_that_work_on_layers_are_greyed_without_a_document(found: dict[str, Any]) -> None:
    greyed = {name: name == "layerlift_settings" for name in ACTIONS}
    assert found["without"] == found["after"] == greyed
    assert found["with"] == dict.fromkeys(ACTIONS, True)


def test_the_actions_can_be_chosen_for_every_kind_of_layer_that_they_work_on(found: dict[str, Any]) -> None:
    kinds = ("grouplayer", "vectorlayer", "clonelayer", "filelayer")
    assert found["layers"] == {kind: dict.fromkeys(ACTIONS, True) for kind in kinds}


def test_removing_has_a_shortcut_that_nothing_else_in_krita_has(found: dict[str, Any]) -> None:
    (users,) = found["shortcuts"]["layerlift_remove"].values()
    assert users == ["layerlift_remove"]


def test_the_action_has_an_icon(found: dict[str, Any]) -> None:
    assert found["icons"][0]


def test_each_action_is_there_once_and_krita_does_not_complain(found: dict[str, Any]) -> None:
    for name in ACTIONS:
        assert found["names"].count(name) == 1
    assert [line for line in found["stderr"].splitlines() if "layerlift" in line.lower()] == []
