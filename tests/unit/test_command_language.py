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


def test_html_is_told_the_language() -> None:
    assert language.tag() == "en"
    language.speak()
    assert language.tag() == "de"
