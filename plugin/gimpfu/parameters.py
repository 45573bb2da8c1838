"""PF_: the kinds of parameters that register() knows, what each is in the PDB, and which values it takes."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

PF_INT32, PF_INT16, PF_INT8, PF_FLOAT, PF_STRING = range(5)
PF_INT, PF_VALUE = PF_INT32, PF_STRING
PF_COLOR = PF_COLOUR = 10
PF_ITEM, PF_DISPLAY, PF_IMAGE, PF_LAYER, PF_CHANNEL, PF_DRAWABLE = 11, 12, 13, 14, 15, 16
PF_VECTORS = 19
PF_TOGGLE = PF_BOOL = 1000
PF_SLIDER = 1001
PF_SPINNER = PF_ADJUSTMENT = 1002
PF_FONT, PF_FILE, PF_BRUSH, PF_PATTERN, PF_GRADIENT = range(1003, 1008)
PF_RADIO, PF_TEXT, PF_PALETTE, PF_FILENAME, PF_DIRNAME, PF_OPTION = range(1008, 1014)
# In forms alone: a text that is not shown while it is typed, a text that can't be changed, a button, whose value is the
# function(form) that it calls, and the picture in a file.
PF_PASSWORD, PF_LABEL, PF_BUTTON, PF_PICTURE = range(1014, 1018)

_INT32, _FLOAT, _STRING = PF_INT32, PF_FLOAT, PF_STRING
PDB_TYPES: dict[int, int] = {
    **{
        kind: kind
        for kind in (
            PF_INT32,
            PF_INT16,
            PF_INT8,
            PF_FLOAT,
            PF_STRING,
            PF_COLOR,
            PF_ITEM,
            PF_DISPLAY,
            PF_IMAGE,
            PF_LAYER,
            PF_CHANNEL,
            PF_DRAWABLE,
            PF_VECTORS,
        )
    },
    PF_TOGGLE: _INT32,
    PF_SLIDER: _FLOAT,
    PF_SPINNER: _INT32,
    PF_RADIO: _STRING,
    PF_OPTION: _INT32,
    **{
        kind: _STRING
        for kind in (PF_FONT, PF_FILE, PF_BRUSH, PF_PATTERN, PF_GRADIENT, PF_TEXT, PF_PALETTE, PF_FILENAME, PF_DIRNAME)
    },
}
LAST_PDB_TYPE = 21
OBJECT_KINDS = frozenset((PF_ITEM, PF_DISPLAY, PF_IMAGE, PF_LAYER, PF_CHANNEL, PF_DRAWABLE, PF_VECTORS))


class Parameter(NamedTuple):
    """One parameter: its PF_ kind, name, description, default and, for some kinds, what else they need; and a tool tip,
    where the description is not enough."""

    kind: int
    name: str
    description: str
    default: Any
    extra: Sequence[Any] = ()
    tip: str = ""

    @classmethod
    def declared(cls, entry: Sequence[Any]) -> Parameter:
        """The parameter that a tuple of register() declares."""
        kind, name, description, default, *more = entry
        return cls(kind, name, description, default, more[0] if more else (), more[1] if len(more) > 1 else "")

    @property
    def pdb_type(self) -> int:
        """The type of the argument in the PDB: a spinner that counts in fractions is a FLOAT."""
        if self.kind == PF_SPINNER and any(value != int(value) for value in (*self.extra, self.default or 0)):
            return PF_FLOAT
        return PDB_TYPES.get(self.kind, self.kind)

    def received(self, value: Any) -> Any:
        """The value for the function: radio values travel as text in the PDB, whatever they are in the plug-in."""
        if self.kind == PF_RADIO:
            return next((choice for _, choice in self.extra if str(choice) == str(value)), value)
        return value

    @property
    def is_object(self) -> bool:
        """Whether the value is an image, an item or a display, which has no meaning in the next session."""
        return self.kind in OBJECT_KINDS

    def translated(self, translate: Callable[[str], str]) -> Parameter:
        """As a dialog shows it."""
        extra = self.extra
        if self.kind == PF_OPTION:
            extra = [translate(str(label)) for label in extra]
        elif self.kind == PF_RADIO:
            extra = [(translate(str(label)), value) for label, value in extra]
        return self._replace(description=translate(self.description), extra=extra, tip=translate(self.tip))

    def definition(self) -> tuple[int, str, str]:
        """How the PDB is told about the parameter; accelerators are for dialogs only."""
        return self.pdb_type, self.name, self.description.replace("_", "")
