"""gimpfu: the classic Python-Fu interface, for Python 3.

    from gimpfu import *

    def frame(image, drawable, width):
        ...

    register("frame", "Draw a frame", "Draw a frame", "author", "copyright", "year", "_Frame...", "*",
             [(PF_IMAGE, "image", "", None), (PF_DRAWABLE, "drawable", "", None),
              (PF_SPINNER, "width", "_Width", 10, (1, 100, 1))],
             [], frame, menu="<Image>/Filters/Decor")
    main()

The package lies in the plug-in's own folder. Importing it also makes `gimp`, `gimpenums`, `gimpcolor`, `gimpshelf`,
`gimpplugin` and `gimpui` importable; for a plug-in that imports one of them first, the files in `standins` go beside
it. It works over GIMP 2.10, whose libgimp it opens with ctypes, and over GIMP 3 through GObject introspection.
"""

from __future__ import annotations

import gettext
import math
import sys
from typing import Any

from .classic import MODULES
from .classic.application import PROCESS
from .errors import CancelError, error
from .parameters import *  # noqa: F403 - the PF_ names are a part of this interface
from .procedures import PlugIn, fail

sys.modules.update(MODULES)
gimp, gimpcolor, gimpenums = (MODULES[_name] for _name in ("gimp", "gimpcolor", "gimpenums"))
pdb = gimp.pdb
_constants: dict[str, Any] = gimpenums.CONSTANTS
globals().update(_constants)
_plug_in = PlugIn(PROCESS.serve)
Form, copy_text = MODULES["gimpui"].Form, MODULES["gimpui"].copy_text
register = _plug_in.register
main = _plug_in.main


def N_(message: str) -> str:
    """Mark a text for translation."""
    return message


__all__ = [
    "CancelError", "N_", "error", "fail", "gettext", "gimp", "gimpcolor", "main", "math", "pdb", "register",
    *(name for name in globals() if name.startswith("PF_")), *_constants,
]  # fmt: skip
