"""Layerlift for Krita: Tools > Remove Background."""

from krita import Krita

from .common import language
from .qt import languages

# Before the modules that have texts are imported.
language.speak(languages())

from .extension import Layerlift  # noqa: E402

Krita.instance().addExtension(Layerlift(Krita.instance()))
