"""Values on their way to and from GIMP 3: the classic types on one side, GObject's on the other."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, Sequence, TypeVar

from ..contract.database import Wrap
from ..errors import GimpError
from ..values import types
from ..values.colors import RGB
from ..values.parasites import Parasite
from .enums import enum_type
from .library import Babl, Gegl, Gimp, Gio, GLib, GObject

Item = TypeVar("Item")

NUMBERS = {"gint": types.INT32, "guint": types.INT32, "gint64": types.INT32, "gboolean": types.INT32,
           "gdouble": types.FLOAT, "gchararray": types.STRING, "GFile": types.STRING, "GeglColor": types.COLOR,
           "GimpUnit": types.INT32, "GimpParasite": types.PARASITE}  # fmt: skip
OBJECTS = {"GimpImage": types.IMAGE, "GimpDisplay": types.DISPLAY, "GimpItem": types.ITEM, "GimpPath": types.VECTORS,
           "GimpDrawable": types.DRAWABLE, "GimpLayer": types.LAYER, "GimpTextLayer": types.LAYER,
           "GimpGroupLayer": types.LAYER, "GimpVectorLayer": types.LAYER, "GimpLinkLayer": types.LAYER,
           "GimpChannel": types.CHANNEL, "GimpLayerMask": types.CHANNEL, "GimpSelection": types.SELECTION}  # fmt: skip
RESOURCES = ("GimpBrush", "GimpPattern", "GimpFont", "GimpGradient", "GimpPalette")
ARRAYS = {"GimpDoubleArray": types.FLOATARRAY, "GimpInt32Array": types.INT32ARRAY, "GBytes": types.INT8ARRAY,
          "GStrv": types.STRINGARRAY, "GimpColorArray": types.COLORARRAY}  # fmt: skip
OBJECT_ARRAY = "GimpCoreObjectArray"
NUMBER_ARRAYS = ("GimpDoubleArray", "GimpInt32Array")
OPTIONS = "GimpExportOptions"
CHANNELS = "R'G'B'A double"
GONE = "Most likely a plug-in is trying to work on {} that doesn't exist any longer."


def without_counts(kinds: Sequence[int], values: Sequence[Item]) -> list[Item]:
    """The values but for those that count the array after them; `kinds` are the classic types of all."""
    return [value for value, following in zip(values, [*kinds[1:], None]) if following not in types.ARRAYS]


class OutOfRange(RuntimeError):
    """A value that GIMP would not take; setting it would only leave a warning and the default."""


class Slot(NamedTuple):
    """One argument or return value of a GIMP 3 procedure: its name, its GType's name, and its specification."""

    name: str
    gtype: str
    spec: Any
    description: str = ""

    @classmethod
    def of(cls, spec: Any) -> Slot:
        """The slot that a GParamSpec describes."""
        return cls(spec.name, spec.value_type.name, spec, spec.get_blurb() or "")

    @property
    def is_array(self) -> bool:
        """Whether the classic interface has a count in front of it."""
        return self.gtype in ARRAYS

    @property
    def is_enum(self) -> bool:
        """Whether the value is one of an enum's."""
        return hasattr(self.spec, "enum_class")

    @property
    def pdb_type(self) -> int:
        """The classic type that comes nearest; STRING for what the classic interface has no idea of."""
        if self.is_enum:
            return types.INT32
        if self.gtype == OBJECT_ARRAY:
            return OBJECTS.get(Gimp.param_spec_core_object_array_get_object_type(self.spec).name, types.DRAWABLE)
        return NUMBERS.get(self.gtype, OBJECTS.get(self.gtype, ARRAYS.get(self.gtype, types.STRING)))

    def definitions(self, is_result: bool = False) -> tuple[types.ParameterDefinition, ...]:
        """How the classic interface declares it: an array after its count; objects that come are known by ID."""
        if self.is_array or (is_result and self.gtype == OBJECT_ARRAY):
            kind = types.INT32ARRAY if self.gtype == OBJECT_ARRAY else self.pdb_type
            return (
                types.ParameterDefinition(types.INT32, "num-" + self.name, "The number of " + self.name),
                types.ParameterDefinition(kind, self.name, self.description),
            )
        # Where GIMP 3 takes several drawables, a classic plug-in passes one.
        name = self.name[: -len("s")] if self.name == "drawables" else self.name
        return (types.ParameterDefinition(self.pdb_type, name, self.description),)

    def native(self, value: Any) -> Any:
        """GIMP's value for a Python value. TypeError if it doesn't fit, OutOfRange if GIMP would refuse it."""
        if self.is_enum:
            return self._member(int(value))
        if self.gtype in ("gint", "guint", "gint64"):
            return self._limited(int(value))
        if self.gtype == "gdouble":
            return self._limited(float(value))
        if self.gtype == "gboolean":
            return bool(value if isinstance(value, bool) else int(value))
        if self.gtype == "gchararray":
            return self._text(value)
        if self.gtype in OBJECTS:
            return native_object(value, self.pdb_type)
        if self.gtype == OBJECT_ARRAY:
            return [
                native_object(one, self.pdb_type) for one in (value if isinstance(value, (list, tuple)) else [value])
            ]
        if self.gtype in RESOURCES:
            return resource(self.gtype, value)
        if self.gtype == "GimpResource":
            return next((found for kind in RESOURCES if (found := find_resource(kind, value)) is not None), None)
        return native_value(self.pdb_type, value, self.gtype)

    def _limited(self, number: float) -> float:
        if not self.spec.minimum <= number <= self.spec.maximum:
            raise OutOfRange(
                f"value '{number}' for argument '{self.name}' (type {self.gtype}). This value is out of range."
            )
        return number

    def _member(self, number: int) -> Any:
        try:
            return enum_type(self.gtype)(number)
        except ValueError:
            raise OutOfRange(
                f"value '{number}' for argument '{self.name}' (type {self.gtype}). This value is out of range."
            ) from None

    def _text(self, value: Any) -> str | None:
        choice = Gimp.param_spec_choice_get_choice(self.spec) if isinstance(self.spec, Gimp.ParamChoice) else None
        if choice is None or value is None:
            return text(value)
        if isinstance(value, int):
            for nick in choice.list_nicks():
                if choice.get_id(nick) == value:
                    return str(nick)
        elif choice.is_valid(text(value)):
            return text(value)
        raise OutOfRange(
            f"value '{value}' for argument '{self.name}'. It must be one of: {', '.join(choice.list_nicks())}."
        )


def text(value: Any) -> str | None:
    """What GIMP calls a string; None is NULL."""
    if value is None:
        return None
    found = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
    if "\0" in found:
        raise TypeError("a string for GIMP can't hold a zero byte")
    return found


def identity_of(pdb_type: int, value: Any) -> int:
    """The ID of a classic object of this type, -1 for None, whether or not it still exists."""
    if value is None:
        return -1
    if pdb_type not in getattr(value, "pdb_types", ()):
        raise TypeError("wrong kind of object")
    return int(value.ID)


def native_object(value: Any, pdb_type: int) -> Any:
    """GIMP's object for a classic one; None for None. OutOfRange if it is gone."""
    identity = identity_of(pdb_type, value)
    if identity < 0:
        return None
    kind = {types.IMAGE: Gimp.Image, types.DISPLAY: Gimp.Display}.get(pdb_type, Gimp.Item)
    if not kind.id_is_valid(identity):
        raise OutOfRange(f"an invalid ID. {GONE.format('an ' + kind.__name__.lower())}")
    return kind.get_by_id(identity)


def find_resource(gtype: str, name: Any) -> Any:
    """The brush, pattern, font, gradient or palette of this name; None if there is none."""
    found = getattr(Gimp, gtype[4:]).get_by_name(text(name)) if name else None
    return _similar_font(str(name)) if found is None and name and gtype == "GimpFont" else found


def _similar_font(name: str) -> Any:
    """GIMP 3 knows fonts by their full names alone. 2.10 took any name, and drew with what came nearest."""
    fonts = Gimp.fonts_get_list("")
    near = [font for font in fonts if font.get_name().lower().startswith(name.lower())]
    near.sort(key=lambda font: len(font.get_name()))
    return near[0] if near else Gimp.context_get_font()


def resource(gtype: str, name: Any) -> Any:
    """As find_resource; OutOfRange if a name is given that there is no resource of."""
    found = find_resource(gtype, name)
    if found is None and name:
        raise OutOfRange(f"value '{name}': there is no {gtype[4:].lower()} of this name.")
    return found


def gegl_color(value: Any) -> Any:
    """GEGL's colour for an RGB, a CSS colour, or a sequence of channels."""
    color = RGB.of(value)
    Babl.init()  # GEGL is not started while GIMP asks for procedures; without babl, a colour ends the process
    found = Gegl.Color.new("black")
    found.set_bytes(Babl.format(CHANNELS), GLib.Bytes.new(struct.pack("=4d", *color.values.values())))
    return found


def channels(color: Any) -> tuple[float, ...]:
    """Red, green, blue and alpha of GEGL's colour, in sRGB; its own get_rgba gives them in linear light."""
    return struct.unpack("=4d", color.get_bytes(Babl.format(CHANNELS)).get_data())


def native_parasite(name: str, flags: int, data: bytes) -> Any:
    """GIMP's parasite; its bytes have a sign."""
    return Gimp.Parasite.new(name, flags, [byte - 256 if byte > 127 else byte for byte in data])


def parasite_data(parasite: Any) -> bytes:
    """The bytes of GIMP's parasite."""
    return bytes(byte & 255 for byte in parasite.get_data())


def native_value(pdb_type: int, value: Any, gtype: str = "") -> Any:
    """GIMP's value for a Python value of a classic type that carries no limits of its own."""
    if pdb_type == types.COLOR:
        return gegl_color(value)
    if gtype == "GFile":
        return None if value is None else file(text(value) or "")
    if gtype == "GimpUnit":
        return Gimp.Unit.get_by_id(int(value))
    if gtype == "GBytes":
        return GLib.Bytes.new(octets(value))
    if pdb_type in (types.INT32, types.INT16, types.INT8, types.STATUS):
        return int(value)
    if pdb_type == types.FLOAT:
        return float(value)
    if pdb_type == types.STRING:
        return text(value)
    if pdb_type in types.OBJECTS:
        return native_object(value, pdb_type)
    if pdb_type == types.PARASITE:
        if not isinstance(value, Parasite):
            raise TypeError("not a gimp.Parasite")
        return native_parasite(value.name, value.flags, value.data)
    if pdb_type == types.FLOATARRAY:
        return [float(number) for number in value]
    if pdb_type in (types.INT32ARRAY, types.INT16ARRAY):
        return [int(number) for number in value]
    if pdb_type == types.INT8ARRAY:
        return octets(value)
    if pdb_type == types.STRINGARRAY:
        return [text(one) or "" for one in value]
    if pdb_type == types.COLORARRAY:
        return [gegl_color(one) for one in value]
    raise TypeError(f"unknown type {pdb_type}")


def numbers_of(gtype: str, array: Any) -> list[Any]:
    """The numbers of GIMP's array, which introspection reads from a GValue alone."""
    kind = getattr(Gimp, gtype[4:])
    holder = GObject.Value(kind.__gtype__, array)
    return list(Gimp.value_get_double_array(holder) if kind is Gimp.DoubleArray else Gimp.value_get_int32_array(holder))


def array_value(gtype: str, numbers: Any) -> Any:
    """The GValue of GIMP's array."""
    holder = GObject.Value(getattr(Gimp, gtype[4:]).__gtype__)
    if gtype == "GimpDoubleArray":
        Gimp.value_set_double_array(holder, [float(number) for number in numbers])
    else:
        Gimp.value_set_int32_array(holder, [int(number) for number in numbers])
    return holder


def octets(value: Any) -> bytes:
    """Bytes from bytes, text or numbers."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def file(name: str) -> Any:
    """The GFile of a path or URI."""
    return Gio.File.new_for_uri(name) if "://" in name else Gio.File.new_for_path(name)


def classic_value(value: Any, pdb_type: int, wrap: Wrap) -> Any:
    """The Python value for one that GIMP gave."""
    if value is None:
        return () if pdb_type in ARRAYS.values() else None
    if isinstance(value, Gimp.Image):
        return wrap(types.IMAGE, value.get_id())
    if isinstance(value, Gimp.Item):
        return wrap(types.ITEM, value.get_id())
    if isinstance(value, Gimp.Display):
        return wrap(types.DISPLAY, value.get_id())
    if isinstance(value, Gegl.Color):
        return RGB(*channels(value))
    if isinstance(value, Gimp.Resource):
        return value.get_name()
    if isinstance(value, Gimp.Unit):
        return value.get_id()
    if isinstance(value, Gio.File):
        return value.get_path() or value.get_uri()
    if isinstance(value, Gimp.Parasite):
        return Parasite(value.get_name(), value.get_flags(), parasite_data(value))
    if isinstance(value, (Gimp.DoubleArray, Gimp.Int32Array)):
        return tuple(numbers_of("Gimp" + type(value).__name__, value))
    if isinstance(value, GLib.Bytes):
        return tuple(value.get_data() or b"")
    if isinstance(value, (list, tuple)):
        return tuple(_element(one) for one in value)
    return int(value) if pdb_type == types.INT32 else value


def _element(value: Any) -> Any:
    """An element of an array: objects by their ID, colours, numbers and texts as they are."""
    if isinstance(value, Gegl.Color):
        return RGB(*channels(value))
    if isinstance(value, Gimp.Resource):
        return value.get_name()
    return value.get_id() if hasattr(value, "get_id") else value


def refused(procedure: str, failure: OutOfRange) -> GimpError:
    """The error for a value that was out of range, in GIMP's own words."""
    return GimpError(f"Procedure '{procedure}' has been called with {failure}")
