"""The back end over the GIMP that has started this process: `HOST`, the one place where the classic modules meet it.

A back end is a package that offers, beside the functions of its `facts` and of its progress bar:

    Database(wrap, before_call)      the classic pdb
    Buffers()                        pixels: open, read, write, format_of, pixel_size
    PlugInProcess(database, settle)  main, and all that is installed and registered
    constants()                      gimpenums
    serve(procedures, gimp)          answer GIMP for what register() was told
    export, confirm, start_toolkit   GIMP's own windows
"""

from __future__ import annotations

import sys
from typing import Any

GIMP2_ARGUMENTS, GIMP3_ARGUMENTS = 6, 7


def _back_end() -> Any:
    """GIMP 2.10 passes: -gimp, two pipes, mode, tracing; GIMP 3 its protocol's number before the pipes."""
    if sys.argv[1:2] == ["-gimp"] and len(sys.argv) == GIMP2_ARGUMENTS:
        from . import gimp2

        return gimp2
    if sys.argv[1:2] == ["-gimp"] and len(sys.argv) == GIMP3_ARGUMENTS:
        from . import gimp3

        return gimp3
    if sys.argv[1:2] == ["-gimp"]:
        raise ImportError("This plug-in's gimpfu works with GIMP 2.10 and 3, and was started by another GIMP.")
    raise ImportError("This is a GIMP plug-in: GIMP 2.10 or 3 has to start it, from its plug-ins folder.")


HOST: Any = _back_end()
