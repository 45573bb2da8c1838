"""What is said in the user's language: by which variables it is chosen, and errors in it."""

from __future__ import annotations

import gettext
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from helpers import catalogues
from layerlift import errors, language
from layerlift.removal.cancelling import Cancel

VARIABLES = {"LANGUAGE": "de:fr", "LC_ALL": "fr_FR.UTF-8", "LC_MESSAGES": "es_ES.UTF-8", "LANG": "ja_JP.UTF-8"}
"""The first one that is set counts."""
CANCELLED = {"de": "Abgebrochen.", "fr": "Annulé.", "es": "Cancelado.", "ja": "取り消しました。"}
GERMAN = {
    "{message}: {detail}.": "{message}: {detail}.",
    "{text} (request {request_id})": "{text} (Anfrage {request_id})",
    "No API key is set.": "Es ist kein API-Schlüssel hinterlegt.",
    "The offline engine works without one.": "Die Offline-Engine braucht keinen.",
    "Set a valid API key with 'layerlift key set'.": "Mit 'layerlift key set' lässt sich einer hinterlegen.",
    "The service does not know this API key.": "Der Dienst kennt diesen API-Schlüssel nicht.",
    "The engine could not make out the pose.": "Die Engine hat die Haltung nicht erkannt.",
    "The service reported '{code}'.": "Der Dienst hat '{code}' gemeldet.",
    "Cancelled.": "Abgebrochen.",
    "nothing was paid for": "nichts wurde bezahlt",
}

Speak = Callable[..., None]


@pytest.fixture
def speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Speak:
    """Has the core speak a language, from then to the end of the test, that has these texts."""
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    monkeypatch.setattr(language, "_texts", gettext.NullTranslations())
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def begin(name: str, texts: dict[str, str]) -> None:
        add_language(tmp_path, name, texts)
        monkeypatch.setenv("LANGUAGE", name)
        language.speak()

    return begin


def add_language(folder: Path, name: str, texts: dict[str, str]) -> None:
    catalogue = Catalog(locale=name)
    for text, translation in texts.items():
        catalogue.add(text, translation)
    file = folder / name / "LC_MESSAGES" / "layerlift.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogues.compiled(catalogue))


@pytest.mark.parametrize("unset", range(5))
def test_the_first_variable_that_is_set_says_which_language_is_spoken(
    unset: int, speak: Speak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in CANCELLED.items():
        add_language(tmp_path, name, {"Cancelled.": text})
    for number, (name, value) in enumerate(VARIABLES.items()):
        monkeypatch.setenv(name, "" if number < unset else value)
    language.speak()
    assert errors.make("cancelled").message == [*CANCELLED.values(), "Cancelled."][unset]


@pytest.mark.usefixtures("speak")
def test_a_language_without_a_catalogue_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "cy_GB.UTF-8")
    language.speak()
    assert errors.make("cancelled").message == "Cancelled."


def test_a_program_that_does_not_ask_for_another_language_reads_english(tmp_path: Path) -> None:
    add_language(tmp_path, "de", GERMAN)
    program = (
        "import pathlib, sys\n"
        "from layerlift import errors, language\n"
        "language.FOLDER = pathlib.Path(sys.argv[1])\n"
        "print(ascii(errors.make('cancelled').message))\n"
        "language.speak()\n"
        "print(ascii(errors.make('cancelled').message))\n"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", program, str(tmp_path)], env={**os.environ, "LANGUAGE": "de"}, text=True
    )
    assert said.split() == ["'Cancelled.'", "'Abgebrochen.'"]


def test_an_error_is_in_the_language_that_is_spoken_when_it_is_made(speak: Speak) -> None:
    before = errors.make("no_key")
    speak("de", GERMAN)
    error = errors.make("no_key", request_id="r-1")
    assert error.message == "Es ist kein API-Schlüssel hinterlegt."
    assert error.advice == "Die Offline-Engine braucht keinen."
    assert error.action == "Die Offline-Engine braucht keinen. Mit 'layerlift key set' lässt sich einer hinterlegen."
    assert str(error) == f"{error.message} {error.action} (Anfrage r-1)"
    assert before.message == "No API key is set."


def test_no_advice_is_none_in_any_language(speak: Speak) -> None:
    speak("de", GERMAN)
    error = errors.make("InvalidApiKey")
    assert (error.advice, error.action) == ("", "Mit 'layerlift key set' lässt sich einer hinterlegen.")


@pytest.mark.parametrize("detail", ["dog.jpg", "dog.jpg.", "dog.jpg。"])
def test_a_detail_is_part_of_one_sentence_whatever_ends_it(speak: Speak, detail: str) -> None:
    texts = {"There is no such file.": "没有这个文件。", "{message}: {detail}.": "{message}: {detail}。"}
    speak("zh_CN", texts)
    assert errors.make("picture_missing", detail).message == "没有这个文件: dog.jpg。"


def test_an_unknown_code_is_told_in_the_users_language(speak: Speak) -> None:
    speak("de", GERMAN)
    assert errors.make("new {code}").message == "Der Dienst hat 'new {code}' gemeldet."


@pytest.mark.parametrize("words", ["error_pose", "The engine could not make out the pose"])
def test_english_words_of_the_service_are_not_said_again_in_another_language(speak: Speak, words: str) -> None:
    speak("de", GERMAN)
    assert errors.from_service("error_pose", words).message == "Die Engine hat die Haltung nicht erkannt."
    error = errors.from_service("error_pose", "the left arm")
    assert error.message == "Die Engine hat die Haltung nicht erkannt: the left arm."


def test_details_are_translated_too(speak: Speak) -> None:
    speak("de", GERMAN)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.Cancelled) as caught:
        Cancel(cancel).check()
    assert caught.value.message == "Abgebrochen: nichts wurde bezahlt."


def test_spaces_of_a_language_are_no_danger_to_a_terminal(speak: Speak) -> None:
    speak(
        "fr",
        {"There is no such file.": "Ce fichier n'existe pas.", "{message}: {detail}.": "{message}\u202f: {detail}."},
    )
    assert (
        errors.make("picture_missing", "a\u3000b\u2028\t.jpg").message
        == "Ce fichier n'existe pas\u202f: a\u3000b??.jpg."
    )
