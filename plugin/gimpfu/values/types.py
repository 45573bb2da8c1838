"""The types of arguments and return values in the procedural database of GIMP 2.10, by number and by name."""

from __future__ import annotations

import re
from typing import NamedTuple

INT32, INT16, INT8, FLOAT, STRING = range(5)
INT32ARRAY, INT16ARRAY, INT8ARRAY, FLOATARRAY, STRINGARRAY = range(5, 10)
COLOR, ITEM, DISPLAY, IMAGE, LAYER, CHANNEL, DRAWABLE, SELECTION, COLORARRAY, VECTORS, PARASITE, STATUS = range(10, 22)
OBJECTS = frozenset((ITEM, DISPLAY, IMAGE, LAYER, CHANNEL, DRAWABLE, SELECTION, VECTORS))
ARRAYS = frozenset((INT32ARRAY, INT16ARRAY, INT8ARRAY, FLOATARRAY, STRINGARRAY, COLORARRAY))
TYPE_NAMES = (
    "INT32", "INT16", "INT8", "FLOAT", "STRING", "INT32ARRAY", "INT16ARRAY", "INT8ARRAY", "FLOATARRAY", "STRINGARRAY",
    "COLOR", "ITEM", "DISPLAY", "IMAGE", "LAYER", "CHANNEL", "DRAWABLE", "SELECTION", "COLORARRAY", "VECTORS",
    "PARASITE", "STATUS",
)  # fmt: skip

# The procedures that change nothing, so that open buffers stay good.
READING = re.compile(
    "gimp-(item|drawable|layer|channel|vectors|image|context)-"
    "(get-|is-|has-|width|height|bpp|type|offsets|base-type|mask-|from-mask)"
    "|gimp-progress-"
)


class ParameterDefinition(NamedTuple):
    """One declared argument or return value; equal to the classic tuple (type, name, description)."""

    type: int
    name: str
    description: str


def type_name(pdb_type: int) -> str:
    """The name of a PDB type as in the Procedure Browser."""
    return TYPE_NAMES[pdb_type] if 0 <= pdb_type < len(TYPE_NAMES) else str(pdb_type)
