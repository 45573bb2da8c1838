"""The texts that a user reads, in the host's language: gettext, with the catalogues that the installer puts there."""

from __future__ import annotations

import gettext
import os
import sys
from itertools import takewhile
from pathlib import Path
from typing import Sequence

DOMAIN = "layerlift"
FOLDER = Path(__file__).resolve().parents[1] / "locale"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_ENGLISH = ("en", "C")

_texts = gettext.NullTranslations()


def speak(languages: Sequence[str] | None = None, folder: Path = FOLDER) -> None:
    """Speak these languages, best first, or the environment's, to which GIMP adds its own, or else Windows' own one."""
    global _texts
    if languages is None:
        if sys.platform == "win32" and not any(map(os.environ.get, _VARIABLES)):
            import ctypes
            import locale

            os.environ["LANGUAGE"] = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "en")
        languages = next((value.split(":") for value in map(os.environ.get, _VARIABLES) if value), [])
    # There is no catalogue of English, and gettext would look for the next best language.
    wanted = list(takewhile(lambda name: not name.startswith(_ENGLISH), languages))
    _texts = gettext.translation(DOMAIN, str(folder), wanted, fallback=True) if wanted else gettext.NullTranslations()


def _(text: str) -> str:
    """The text in the user's language. One whose values vary has names for them: ``_("{count} of 5").format(...)``."""
    return _texts.gettext(text)


def ngettext(one: str, many: str, count: float) -> str:
    """One of two texts, by a number of things, in the user's language, which may have more than two."""
    return _texts.ngettext(one, many, int(count) if float(count).is_integer() else 2)


def N_(text: str) -> str:
    """The text itself: marks one that is translated where it is shown."""
    return text


speak()
