"""The texts that a user reads, in the user's language: gettext, with the catalogues in `locale`.

A program says `speak` once at its start; a Python user who does not reads English. How a text is marked, and how a
language is added, is told in ``.github/CONTRIBUTING.md``.
"""

from __future__ import annotations

import gettext
import os
import sys
from itertools import takewhile
from pathlib import Path

DOMAIN = "layerlift"
FOLDER = Path(__file__).with_name("locale")
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_ENGLISH = ("en", "C")

_texts = gettext.NullTranslations()


def speak() -> None:
    """Speak the user's language from now on: by the environment, as gettext has it, or else by Windows' own setting."""
    global _texts
    if sys.platform == "win32" and not any(map(os.environ.get, _VARIABLES)):
        import ctypes
        import locale

        os.environ["LANGUAGE"] = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "en")
    languages = next((value.split(":") for value in map(os.environ.get, _VARIABLES) if value), [])
    # There is no catalogue of English, and gettext would look for the next best language.
    wanted = list(takewhile(lambda name: not name.startswith(_ENGLISH), languages))
    _texts = gettext.translation(DOMAIN, FOLDER, wanted, fallback=True) if wanted else gettext.NullTranslations()


def tag() -> str:
    """The language that is spoken, as HTML has it: "en", "pt-BR"."""
    return _texts.info().get("language", "en").replace("_", "-")


def _(text: str) -> str:
    """The text in the user's language. One whose values vary has names for them: ``_("{count} of 5").format(...)``."""
    return _texts.gettext(text)


def ngettext(one: str, many: str, count: float) -> str:
    """One of two texts, by a number of things, in the user's language, which may have more than two."""
    return _texts.ngettext(one, many, int(count) if float(count).is_integer() else 2)


def N_(text: str) -> str:
    """The text itself: marks one that is translated where it is used."""
    return text
