"""The GIMP that has started this process: its back end and its facts. Here, and nowhere else, a back end is chosen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract.backend import BackEnd, Facts

GIMP2_ARGUMENTS, GIMP3_ARGUMENTS = 6, 7


def _back_end() -> tuple[BackEnd, Facts]:
    """GIMP 2.10 passes: -gimp, two pipes, mode, tracing; GIMP 3 its protocol's number before the pipes."""
    if sys.argv[1:2] == ["-gimp"] and len(sys.argv) == GIMP2_ARGUMENTS:
        from . import gimp2
        from .gimp2 import facts as gimp2_facts

        return gimp2, gimp2_facts
    if sys.argv[1:2] == ["-gimp"] and len(sys.argv) == GIMP3_ARGUMENTS:
        from . import gimp3
        from .gimp3 import facts as gimp3_facts

        return gimp3, gimp3_facts
    if sys.argv[1:2] == ["-gimp"]:
        raise ImportError("This plug-in's gimpfu works with GIMP 2.10 and 3, and was started by another GIMP.")
    raise ImportError("This is a GIMP plug-in: GIMP 2.10 or 3 has to start it, from its plug-ins folder.")


HOST, FACTS = _back_end()
