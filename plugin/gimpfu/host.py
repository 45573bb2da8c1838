"""The GIMP that has started this process: `HOST`, its back end, and `FACTS`. No other module chooses a back end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract.backend import BackEnd, Facts

# GIMP 2.10 passes: -gimp, two pipes, mode, tracing; GIMP 3 its protocol's number before the pipes.
GIMP2_ARGUMENTS, GIMP3_ARGUMENTS = 6, 7

HOST: BackEnd
FACTS: Facts

if sys.argv[1:2] != ["-gimp"]:
    raise ImportError("This is a GIMP plug-in: GIMP 2.10 or 3 has to start it, from its plug-ins folder.")
if len(sys.argv) == GIMP2_ARGUMENTS:
    from . import gimp2
    from .gimp2 import facts as gimp2_facts

    HOST, FACTS = gimp2, gimp2_facts
elif len(sys.argv) == GIMP3_ARGUMENTS:
    from . import gimp3
    from .gimp3 import facts as gimp3_facts

    HOST, FACTS = gimp3, gimp3_facts
else:
    raise ImportError("This plug-in's gimpfu works with GIMP 2.10 and 3, and was started by another GIMP.")
