"""The command in another language: every text is looked up when it is shown, those of argparse, too."""

from __future__ import annotations

import gettext
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from helpers import catalogues
from layerlift import language
from layerlift.command import main, terminal
from layerlift.store import log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue of a language in which every text stands in brackets."""
    catalogue = Catalog(locale="de")
    for message in catalogues.collect():
        if isinstance(message.id, str):
            catalogue.add(message.id, f"[{message.id}]")
        else:
            catalogue.add(message.id, [f"[{text}]" for text in message.id])
    folder = tmp_path_factory.mktemp("locale")
    file = folder / "de" / "LC_MESSAGES" / "layerlift.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogues.compiled(catalogue))
    return folder


@pytest.fixture(autouse=True)
def brackets(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user of that language, who has a key."""
    monkeypatch.setattr(log, "start", lambda folder: None)
    monkeypatch.setattr(language, "FOLDER", folder)
    monkeypatch.setattr(language, "_texts", gettext.NullTranslations())
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("LAYERLIFT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YOUCAM_API_KEY", "sk-0123456789abcdef")
    before = gettext.textdomain()
    yield
    gettext.textdomain(before)


@pytest.mark.parametrize(
    "command",
    [[], ["remove"], ["key"], ["uploads"], ["balance"], ["doctor"], ["jobs"], ["jobs", "clear"]],
    ids=" ".join,
)
def test_all_words_of_a_help_are_in_the_language(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main([*command, "--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("[usage: ]") and "[show this help message and exit]" in shown
    left = re.sub(r"\[[^][]*\]", "", shown).replace(" ".join(["layerlift", *command]), "")
    assert re.findall(r"[A-Za-z]+ [a-z]+", left) == []


def test_what_a_command_shows_is_in_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["key", "show"]) == 0
    assert capsys.readouterr().out == "[...cdef (environment)]\n"


def test_errors_are_in_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["remove", "a.png", "--relative-to", "b"]) == 2
    assert "[--relative-to needs --output-dir]" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main.main(["remove"])
    assert "[layerlift remove: error: [the following arguments are required: PHOTO]\n]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "agrees"), [("[y]", True), ("[YES]", True), ("y", True), ("Yes", True), ("[n]", False), ("", False)]
)
def test_questions_are_answered_in_the_language_or_in_english(
    answer: str, agrees: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    language.speak()
    monkeypatch.setattr(terminal, "can_ask", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n"))
    assert terminal.ask("Go on?") == agrees
    assert capsys.readouterr().err == "Go on? [[y]/[N]] "


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("[o]", "once"), ("A", "always"), ("offline", "offline"), ("f", "offline"), ("[n]", None), ("", None)],
)
def test_uploads_are_answered_in_the_language_or_in_english(
    typed: str, answer: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    language.speak()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"what?\n{typed}\n"))
    assert terminal.ask_for_uploads("a.example", 3, 3, 2.0) == answer
    shown = capsys.readouterr().err
    assert shown.endswith("[[o]/[a]/[f]/[N]] " * 2)
    assert re.findall(r"[A-Za-z]+ [a-z]+", re.sub(r"\[[^][]*\]", "", shown)) == []


def test_a_letter_means_what_it_does_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = {"o": "e", "a": "i", "f": "o"}
    monkeypatch.setattr(terminal, "_", lambda text: letters.get(text, text))
    for typed, answer in (("o", "offline"), ("e", "once"), ("i", "always"), ("a", "always"), ("once", "once")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert terminal.ask_for_uploads("a.example", 1, 1, None) == answer


@pytest.mark.parametrize("code", catalogues.languages())
def test_no_two_answers_have_the_same_letter(code: str) -> None:
    catalogue = catalogues.read(code)
    letters = [(found.string if (found := catalogue.get(text)) and found.string else text) for text in "oafN"]
    assert len({str(letter).lower() for letter in letters}) == len(letters), letters


def test_html_is_told_the_language() -> None:
    assert language.tag() == "en"
    language.speak()
    assert language.tag() == "de"
