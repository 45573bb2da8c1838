"""The arguments of the plug-in's own procedures: from PF_ kinds to GIMP 3's typed arguments, and values back."""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple, Sequence

from .. import parameters as pf
from ..contract.database import Wrap
from ..parameters import Parameter
from ..values import types
from .arguments import array_value, classic_value, file, find_resource, gegl_color, text, without_counts
from .library import Gimp, GLib, GObject

FLAGS = GObject.ParamFlags.READWRITE
LARGEST, SMALLEST = GLib.MAXDOUBLE, -GLib.MAXDOUBLE
INTEGERS = {
    pf.PF_INT8: (0, 255),
    pf.PF_INT16: (-32768, 32767),
    pf.PF_INT32: (-2147483648, 2147483647),
    types.STATUS: (0, 4),
}
DEFAULT_RANGE = (0, 100, 5)
RESOURCES = {pf.PF_FONT: "font", pf.PF_BRUSH: "brush", pf.PF_PATTERN: "pattern", pf.PF_GRADIENT: "gradient",
             pf.PF_PALETTE: "palette"}  # fmt: skip
FILES = (pf.PF_FILE, pf.PF_FILENAME, pf.PF_DIRNAME)
OBJECTS = {pf.PF_ITEM: "item", pf.PF_DISPLAY: "display", pf.PF_IMAGE: "image", pf.PF_LAYER: "layer",
           pf.PF_CHANNEL: "channel", pf.PF_DRAWABLE: "drawable", pf.PF_VECTORS: "path",
           types.SELECTION: "selection"}  # fmt: skip
ARRAY_METHODS = {types.INT32ARRAY: "int32_array", types.INT16ARRAY: "int32_array", types.INT8ARRAY: "bytes",
                 types.FLOATARRAY: "double_array", types.STRINGARRAY: "string_array"}  # fmt: skip
# Names that a procedure's config, or a procedure for images, has for something else.
RESERVED = frozenset(("procedure", "run-mode", "drawables"))
NO_ARGUMENT = re.compile("[^a-z0-9-]+")


class Argument(NamedTuple):
    """A parameter, the name of its argument in GIMP 3, and the parameter as dialogs show it."""

    name: str
    parameter: Parameter
    shown: Parameter

    @property
    def kind(self) -> int:
        """The PF_ kind, or the PDB type of a procedure that was declared without register()."""
        return self.parameter.kind

    def declare(self, procedure: Any, is_result: bool = False, has_resources: bool = True) -> None:
        """Add the argument, or return value, to a procedure. While GIMP starts there are no resources to find."""
        add = _Adder(procedure, self, "return_value" if is_result else "argument")
        kind, default = self.kind, self.parameter.default
        if kind == pf.PF_TOGGLE:
            add("boolean", bool(default))
        elif kind in INTEGERS:
            add("int", *INTEGERS[kind], int(default or 0))
        elif kind in (pf.PF_SLIDER, pf.PF_SPINNER):
            self._declare_number(add)
        elif kind == pf.PF_FLOAT:
            add("double", SMALLEST, LARGEST, float(default or 0.0))
        elif kind in (pf.PF_RADIO, pf.PF_OPTION) and self.parameter.extra:
            choice, nicks = self._choice()
            add("choice", choice, nicks)
        elif kind == pf.PF_COLOR:
            add("color", True, gegl_color("black" if default is None else default))
        elif kind in FILES:
            self._declare_file(add)
        elif kind in RESOURCES:
            found = find_resource("Gimp" + RESOURCES[kind].title(), default) if has_resources else None
            add(RESOURCES[kind], True, found, found is None)
        elif kind == types.SELECTION:
            add("selection", True)
        elif kind in OBJECTS:
            add(OBJECTS[kind], True)
        elif kind in ARRAY_METHODS:
            add(ARRAY_METHODS[kind])
        elif kind == types.PARASITE:
            add("parasite")
        else:
            add("string", "" if default is None else str(default))

    def _declare_number(self, add: _Adder) -> None:
        extra = self.parameter.extra
        lower, upper, _ = extra if len(extra) == 3 else DEFAULT_RANGE
        default = min(max(self.parameter.default or 0, lower), upper)
        if self.parameter.pdb_type == pf.PF_FLOAT:
            add("double", float(lower), float(upper), float(default))
        else:
            add("int", int(lower), int(upper), int(default))

    def _declare_file(self, add: _Adder) -> None:
        default = str(self.parameter.default or "")
        action = Gimp.FileChooserAction.SAVE if self.kind == pf.PF_FILENAME else Gimp.FileChooserAction.OPEN
        if self.kind == pf.PF_DIRNAME or (self.kind == pf.PF_FILE and default.endswith("/")):
            action = Gimp.FileChooserAction.SELECT_FOLDER
        add("file", action, True, file(default) if default else None)

    def _nicks(self) -> list[str]:
        """A choice's names: of an option after its label, of radio buttons the value, as the database has it."""
        if self.kind == pf.PF_RADIO:
            return [str(value) for _, value in self.parameter.extra]
        return unique([argument_name(str(label), "choice") for label in self.parameter.extra])

    def _choice(self) -> tuple[Any, str]:
        choice, nicks, extra = Gimp.Choice.new(), self._nicks(), self.shown.extra
        for position, (nick, entry) in enumerate(zip(nicks, extra)):
            label = entry[0] if self.kind == pf.PF_RADIO else entry
            choice.add(nick, position, str(label), "")
        default = self.parameter.default
        if self.kind == pf.PF_RADIO:
            return choice, str(default) if str(default) in nicks else nicks[0]
        position = int(default or 0)
        return choice, nicks[position if 0 <= position < len(nicks) else 0]

    def value(self, config: Any, wrap: Wrap) -> Any:
        """The classic value for what a procedure's config holds."""
        if self.kind in (pf.PF_OPTION, pf.PF_RADIO) and self.parameter.extra:
            position = config.get_choice_id(self.name)
            return position if self.kind == pf.PF_OPTION else self.parameter.extra[position][1]
        found = config.get_property(self.name)
        if self.kind == pf.PF_TOGGLE:
            return bool(found)
        if self.kind in FILES:
            return "" if found is None else found.get_path() or found.get_uri()
        if self.kind in ARRAY_METHODS:
            return classic_value(found, self.kind, wrap)
        if self.kind == pf.PF_TEXT:
            return found or ""
        return classic_value(found, self.parameter.pdb_type, wrap)

    def show(self, config: Any, value: Any) -> None:
        """Have a procedure's config hold a classic value."""
        if self.kind == pf.PF_OPTION and self.parameter.extra:
            value = self._nicks()[int(value)]
        config.set_property(self.name, bool(value) if self.kind == pf.PF_TOGGLE else value)

    def preset(self, config: Any, image: Any, drawable: Any) -> None:
        """Let an object that nobody has chosen be the one that is active, as the classic dialog has it."""
        if self.kind not in pf.OBJECT_KINDS or config.get_property(self.name) is not None:
            return
        if self.kind == pf.PF_IMAGE:
            active = image
        elif self.kind == pf.PF_DISPLAY:
            active = Gimp.default_display()
        else:
            kind = {pf.PF_LAYER: Gimp.Layer, pf.PF_CHANNEL: Gimp.Channel, pf.PF_VECTORS: Gimp.Path}.get(self.kind)
            active = drawable if kind is None or isinstance(drawable, kind) else None
        if active is not None:
            config.set_property(self.name, active)

    def result(self, value: Any, native: Callable[[Any, int], Any]) -> Any:
        """The GValue of a result."""
        return _result(self.kind, self.parameter.pdb_type, value, native)


class _Adder:
    """Calls a procedure's add_KIND_argument or add_KIND_return_value for an argument."""

    def __init__(self, procedure: Any, argument: Argument, what: str) -> None:
        self._procedure, self._what = procedure, what
        description = argument.shown.description or argument.name
        self._names = argument.name, description, argument.shown.tip or description.replace("_", "")

    def __call__(self, kind: str, *details: Any) -> None:
        getattr(self._procedure, f"add_{kind}_{self._what}")(*self._names, *details, FLAGS)


def _result(kind: int, pdb_type: int, value: Any, native: Callable[[Any, int], Any]) -> Any:
    if kind == pf.PF_TOGGLE:
        return GObject.Value(GObject.TYPE_BOOLEAN, bool(value))
    if pdb_type in (types.INT32, types.INT16, types.INT8, types.STATUS):
        return GObject.Value(GObject.TYPE_INT, int(value))
    if pdb_type == types.FLOAT:
        return GObject.Value(GObject.TYPE_DOUBLE, float(value))
    if pdb_type == types.STRING:
        return GObject.Value(GObject.TYPE_STRING, text(value))
    if pdb_type in (types.INT32ARRAY, types.INT16ARRAY):
        return array_value("GimpInt32Array", value)
    if pdb_type == types.FLOATARRAY:
        return array_value("GimpDoubleArray", value)
    if pdb_type == types.STRINGARRAY:
        return GObject.Value(GObject.TYPE_STRV, [str(one) for one in value])
    found = native(value, pdb_type)
    names = {types.IMAGE: Gimp.Image, types.DISPLAY: Gimp.Display, types.ITEM: Gimp.Item, types.LAYER: Gimp.Layer,
             types.CHANNEL: Gimp.Channel, types.DRAWABLE: Gimp.Drawable, types.VECTORS: Gimp.Path,
             types.SELECTION: Gimp.Selection}  # fmt: skip
    return GObject.Value(names[pdb_type] if pdb_type in names else type(found), found)


def argument_name(name: str, otherwise: str) -> str:
    """A name as GIMP 3 wants it: small letters, digits and hyphens, a letter first."""
    found = NO_ARGUMENT.sub("-", name.replace("_", "" if " " in name else "-").lower()).strip("-")
    if not found[:1].isalpha():
        found = f"{otherwise}-{found}".rstrip("-")
    return found + "-value" if found in RESERVED else found


def unique(names: Sequence[str]) -> list[str]:
    """The names, those that were there before with a number."""
    found: list[str] = []
    for name in names:
        number, candidate = 2, name
        while candidate in found:
            number, candidate = number + 1, f"{name}-{number}"
        found.append(candidate)
    return found


def arguments_of(
    parameters: Sequence[Parameter], taken: Sequence[str] = (), shown: Sequence[Parameter] = ()
) -> list[Argument]:
    """The arguments for parameters, which dialogs may show otherwise; an array's count is not one of them."""
    pairs = list(zip(parameters, shown or parameters))
    kept = without_counts([parameter.kind for parameter in parameters], pairs)
    names = unique([*taken, *(argument_name(parameter.name, "value") for parameter, _ in kept)])
    return [Argument(name, *pair) for name, pair in zip(names[len(taken) :], kept)]
