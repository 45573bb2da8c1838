"""The catalogues of user texts: nothing is outside of them, and each language has all of them, whole."""

from __future__ import annotations

import ast
import ctypes
import gettext
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from types import ModuleType, SimpleNamespace

import pytest
from babel.messages.catalog import Catalog
from helpers import catalogues
from layerlift import language as core

from plugin.common import language as hosted

CHECKOUT = catalogues.CHECKOUT
MARKS = {"_", "N_", "ngettext"}
FOR_PROGRAMMERS = {
    "AssertionError", "AttributeError", "ImportError", "IndexError", "KeyError", "NotImplementedError", "RuntimeError",
    "StopIteration", "TypeError", "TypeVar", "ValueError", "debug", "exception", "getLogger", "info", "warning",
    "Template", "compile", "sub", "fullmatch", "match", "search", "namedtuple", "execute", "executescript", "read",
    "DatabaseError", "EngineError", "call", "write_text", "_krita",
}  # fmt: skip
"""Calls whose texts are no user's."""
TEXT = re.compile(r"[_&]?[A-Z][a-z&_']+([ .,:].*|[.:]*)|.*[a-z]{2,},? (?!=)[a-z]{2,}.*", re.DOTALL)
"""What begins as a sentence or a label does, or has two words."""
PERCENT_FIELD = re.compile(r"%(?:\(\w+\))?[rs]")
NOT_SCANNED = re.compile(r"plugin/(gimpfu/|installer/dialects\.py)|shared/layerlift/(twin/|command/doctor\.py)")
"""gimpfu speaks to authors of plug-ins, dialects to GIMP, the twin as the service does, and a report is for those who
help."""
ALLOWED = {
    "Layerlift",
    "Layerlift {}",
    # Krita's name of a way to scale
    "Bicubic",
    # of HTTP
    "Bearer {}",
    "Range",
    "Date",
    # what kritarunner prints back
    "layerlift is loaded",
    # in a report for those who help
    "Krita {}",
    "Python {}",
    "Qt {}",
    # in files and in the procedure browser, of what no user opens or finds in a menu
    "Layerlift's cut-outs",
    "Does what the other procedures of Layerlift supervise",
    "Not for scripts: call python-fu-layerlift and python-fu-layerlift-all.",
    "What is to be done",
    "The file for what a cancel has cost",
    "Whether the user is to be told what a key is good for",
    "The settings are a window. Scripts use the command 'layerlift'.",
    "Put the subject of the layer on a new layer, and pay for it once more where need be",
    "As python-fu-layerlift by the YouCam service, also for a layer that has its cut-out, or is one, and for one whose "
    "earlier task may have been charged in vain.",
}
"""Texts that look like a user's, and are none."""
SOURCES = [
    path
    for pattern in catalogues.SOURCES
    for path in sorted(CHECKOUT.glob(pattern))
    if not NOT_SCANNED.match(path.relative_to(CHECKOUT).as_posix())
]
TEXTS = catalogues.collect()


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def unmarked(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of what looks like a text for users below a node, and is not marked."""
    body = getattr(node, "body", None)
    skipped: set[int] = set()
    if isinstance(body, list):
        # Docstrings, and those of attributes.
        skipped = {id(item) for item in body if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)}
    if isinstance(node, ast.Call) and name_of(node) in MARKS | FOR_PROGRAMMERS:
        if name_of(node) in MARKS:
            for argument in node.args:
                if isinstance(argument, ast.JoinedStr):
                    yield argument.lineno, "an f-string can't be collected: " + text_of(argument)
        return
    if isinstance(node, ast.JoinedStr):
        calls = (part for part in ast.walk(node) if isinstance(part, ast.Call) and name_of(part) in MARKS)
        yield from (
            (call.lineno, "in an f-string it is not collected: " + found)
            for call in calls
            if (found := text_of(call.args[0]))
        )
    if isinstance(node, (ast.Compare, ast.Subscript, ast.Assert)):
        return
    is_path = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    if is_path or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"):
        return
    if text := text_of(node):
        if TEXT.fullmatch(text) and text not in ALLOWED:
            yield node.lineno, text  # type: ignore[attr-defined]
        return
    if isinstance(node, (ast.AnnAssign, ast.arg, ast.FunctionDef)):
        skipped.add(id(node.returns if isinstance(node, ast.FunctionDef) else node.annotation))
    for child in ast.iter_child_nodes(node):
        if id(child) not in skipped:
            yield from unmarked(child)


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_every_text_for_users_is_in_the_catalogue(file: Path) -> None:
    found = [f"{relative(file)}:{line}: {text}" for line, text in unmarked(ast.parse(file.read_bytes()))]
    assert found == []


@pytest.fixture(params=catalogues.languages())
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def translated(language: str) -> Catalog:
    return catalogues.read(language)


def forms(message_id: object) -> list[str]:
    return list(message_id) if isinstance(message_id, (list, tuple)) else [str(message_id)]


def fields(text: str) -> set[str]:
    """The names in braces, and argparse's fields as they are."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None} | set(PERCENT_FIELD.findall(text))


def test_a_language_has_every_text_and_no_other(translated: Catalog) -> None:
    assert {message.id for message in translated if message.id} == {message.id for message in TEXTS if message.id}
    assert [message.id for message in translated if message.id and not all(forms(message.string))] == []


def test_translations_have_the_fields_and_keys_of_their_texts(translated: Catalog) -> None:
    for message in translated:
        for text in forms(message.string) if message.id else []:
            # Of one thing its number may be left out.
            allowed = set().union(*map(fields, forms(message.id)))
            wanted = set.intersection(*map(fields, forms(message.id)))
            assert wanted <= fields(text) <= allowed, (message.id, text)
            original = forms(message.id)[0]
            # Help texts go through %, too.
            assert text.count("%") == original.count("%"), (message.id, text)
            for key in "_&":
                is_label = re.match(rf"[^ ]*{key}[A-Z]|.* {key}[A-Z]", original) is not None
                assert not is_label or text.count(key) == original.count(key), (message.id, text)
            assert text.count("\n") == original.count("\n"), (message.id, text)
            assert text == text.strip() or original != original.strip(), (message.id, text)
            assert text.endswith("...") == original.endswith("..."), (message.id, text)


def test_programs_read_what_translators_have_written(language: str, translated: Catalog) -> None:
    compiled = gettext.translation("layerlift", catalogues.LOCALE, [language])
    for message in translated:
        if isinstance(message.id, (list, tuple)):
            for number in (0, 1, 2, 5, 1_000_000):
                form = compiled.ngettext(*message.id[:2], number)
                assert form in forms(message.string), (message.id, number)
        elif message.id:
            assert compiled.gettext(message.id) == message.string


WINDOWS = {
    "GIMP's menu": ["_Remove Background...", "Run on _All Open Images...", "_Settings..."],
    "GIMP's menu of tasks": ["_Continue With...", "Clean _Plate...", "_New Background..."],
    "GIMP's list of tasks": ["_Task:", "_Next"],
    "GIMP's fields of a task": ["_Size:", "_Run"],
    "GIMP's dialog": ["Resul_t", "Clean edge colo_urs", "_Hide the original layer", "_Engine"],
    "GIMP's settings": [
        "_New key:", "_Test", "_Forget Key", "_Get an API Key", "_Buy Units", "_Allow uploading layers that I choose",
        "_Engine:", "Re_sult:", "Clean edge colo_urs", "_Hide the original layer", "Fetch Resu_lts",
        "_Delete Kept Results...", "Offline _model:", "Fetch Model No_w", "Remo_ve Model", "Sto_p Fetching", "_OK",
    ],
    "Krita's settings": [
        "API &key:", "&Set", "&Forget", "&Test Connection", "_Get an API Key", "_Buy Units", "_Engine:", "_Result:",
        "A&llow uploading layers I choose to {host} (1 unit each)", "Clea&n edge colours", "H&ide the original layer",
        "Fetch Res_ults", "_Delete Kept Results...", "Offline _model:", "Fetch Model No_w", "Sto_p Fetching",
        "Remo_ve Model",
    ],
    "the question before an upload": ["_Upload This Time", "_Always Upload", "Work _Offline"],
    "an error": ["_Settings...", "_Try Again", "_Pay Again", "Work _Offline", "_Buy Units", "_Close", "Copy Repo_rt"],
}  # fmt: skip
"""Labels that are in one window together, by their letters for the keyboard."""
TASKS_MENU = "<Image>/Filters/Remove Background/Service Tasks"


@pytest.mark.parametrize("language", ["en", *catalogues.languages()])
@pytest.mark.parametrize("window", WINDOWS)
def test_each_control_of_a_window_has_a_letter_of_its_own(window: str, language: str) -> None:
    labels = WINDOWS[window]
    assert all(TEXTS.get(label) for label in labels), "there is no such label any more"
    if language != "en":
        known = catalogues.read(language)
        labels = [str(known[label].string) for label in labels]
    letters = [found.group(1).lower() for label in labels if (found := re.search(r"[_&](\w)", label))]
    assert len(set(letters)) == len(labels), (labels, letters)


@pytest.mark.parametrize("language", ["en", *catalogues.languages()])
def test_the_main_entry_is_the_first_in_gimps_menu(language: str) -> None:
    # GIMP sorts what plug-ins add to a menu by what the user reads.
    labels = [*WINDOWS["GIMP's menu"], TASKS_MENU]
    if language != "en":
        known = catalogues.read(language)
        labels = [str(known[label].string) for label in labels]
    shown = [label.rpartition("/")[2].replace("_", "") for label in labels]
    assert min(shown) == shown[0]


@pytest.mark.parametrize("module", [core, hosted], ids=lambda module: module.__name__)
def test_where_no_variable_names_a_language_windows_does(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def translation(domain: str, folder: object, languages: object, fallback: bool) -> gettext.NullTranslations:
        asked.append(languages)
        return gettext.NullTranslations()

    german = SimpleNamespace(kernel32=SimpleNamespace(GetUserDefaultUILanguage=lambda: 0x0407))
    monkeypatch.setattr(ctypes, "windll", german, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(gettext, "translation", translation)
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(variable, "")
    module.speak()
    monkeypatch.setenv("LANGUAGE", "")
    for languages in ("fr_FR.UTF-8", "en_GB:de", "es:C:de"):
        monkeypatch.setenv("LANG", languages)
        module.speak()
    # Who wants English first must not get what comes second.
    assert asked == [["de_DE"], ["fr_FR.UTF-8"], ["es"]]
