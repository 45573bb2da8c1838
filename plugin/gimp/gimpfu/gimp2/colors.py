"""gimpcolor: colours as GIMP has them. RGB, HSV, HSL and CMYK, each with alpha.

Channels are floats from 0 to 1. Where the classic interface takes or gives an int, it is scaled: 0-255, a hue 0-360,
saturation, value and lightness 0-100. Conversions and name parsing are libgimpcolor's own.
"""

from __future__ import annotations

import ctypes
from types import MappingProxyType
from typing import Any, Iterator, Mapping, TypeVar, Union

from .libgimp import LIBRARY, decode, g_free
from .libgimp import RGB as CRGB

Number = Union[int, float]
C = TypeVar("C", bound="Color")

RGB_COMPOSITE_NONE, RGB_COMPOSITE_NORMAL, RGB_COMPOSITE_BEHIND = range(3)
RGB_LUMINANCE_RED, RGB_LUMINANCE_GREEN, RGB_LUMINANCE_BLUE = 0.22248840, 0.71690369, 0.06060791


class Color:
    """A tuple of named channels; `struct` is the C structure that holds them."""

    channels: tuple[str, ...] = ()
    scales: tuple[int, ...] = ()
    aliases: Mapping[str, str] = MappingProxyType({})
    structure: Any = None

    def __init__(self, *values: Number, **named: Number) -> None:
        names = dict(zip(self.channels, values), **named)
        missing = [name for name in self.channels[:-1] if name not in names]
        if missing or len(values) > len(self.channels):
            raise TypeError("{} takes {}".format(type(self).__name__, ", ".join(self.channels)))
        self.struct = self.structure()
        self.struct.a = 1.0
        self.set(**names)

    def set(self, *values: Number, **named: Number) -> None:
        """Set all channels but alpha, alpha, or both. Ints are scaled."""
        for name, value in dict(zip(self.channels, values), **named).items():
            setattr(self.struct, name, self._scaled(name, value))

    def set_alpha(self, a: Number) -> None:
        """Set the alpha alone."""
        self.set(a=a)

    @classmethod
    def _scaled(cls, name: str, value: Number) -> float:
        if name not in cls.channels:
            raise TypeError(f"{cls.__name__} has no channel {name!r}")
        if isinstance(value, float):
            return value
        if isinstance(value, int):
            return value / float(cls.scales[cls.channels.index(name)])
        raise TypeError(f"{name} must be an int or a float, not {value!r}")

    @classmethod
    def from_c(cls: type[C], structure: Any) -> C:
        """A copy of a C colour."""
        return cls(*[float(getattr(structure, name)) for name in cls.channels])

    @property
    def _values(self) -> tuple[float, ...]:
        return tuple(getattr(self.struct, name) for name in self.channels)

    def __getattr__(self, name: str) -> float:
        channel = type(self).aliases.get(name, name)
        if channel not in type(self).channels:
            raise AttributeError(name)
        return float(getattr(self.struct, channel))

    def __setattr__(self, name: str, value: Any) -> None:
        channel = type(self).aliases.get(name, name)
        if channel in type(self).channels:
            self.set(**{channel: value})
        else:
            super().__setattr__(name, value)

    def __len__(self) -> int:
        return len(self.channels)

    def _integer(self, index: int) -> int:
        return int(min(max(self._values[index], 0.0), 1.0) * self.scales[index] + 0.5)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            channel = self.aliases.get(key.lower(), key.lower())
            if channel not in self.channels:
                raise KeyError(key)
            return getattr(self.struct, channel)
        if isinstance(key, slice):
            return tuple(self._integer(index) for index in range(*key.indices(len(self))))
        return self._integer(range(len(self))[key])

    def __setitem__(self, key: int, value: Number) -> None:
        self.set(**{self.channels[key]: value})

    def __iter__(self) -> Iterator[int]:
        return iter([self._integer(index) for index in range(len(self))])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._values

    def __repr__(self) -> str:
        return "gimpcolor.{}({})".format(type(self).__name__, ", ".join(map(repr, self._values)))

    def __str__(self) -> str:
        return "{} ({})".format(type(self).__name__, ", ".join(map(str, self._values)))


def _structure(name: str, channels: str) -> Any:
    return type(name, (ctypes.Structure,), {"_fields_": [(channel, ctypes.c_double) for channel in channels]})


class RGB(Color):
    """Red, green, blue and alpha."""

    channels = ("r", "g", "b", "a")
    scales = (255, 255, 255, 255)
    aliases = MappingProxyType({"red": "r", "green": "g", "blue": "b", "alpha": "a"})
    structure = CRGB

    @classmethod
    def of(cls, value: Any) -> RGB:
        """A colour from an RGB, a CSS colour, or a sequence of 3 or 4 channels; else TypeError."""
        if isinstance(value, RGB):
            return value
        if isinstance(value, str):
            return rgb_parse_css(value)
        if value is None:
            raise TypeError("not a colour")
        return cls(*value)

    def add(self, color: RGB, with_alpha: bool = False) -> None:
        """Add another colour's channels, and its alpha if asked."""
        self._combine(color, 1.0, with_alpha)

    def subtract(self, color: RGB, with_alpha: bool = False) -> None:
        """Subtract another colour's channels, and its alpha if asked."""
        self._combine(color, -1.0, with_alpha)

    def _combine(self, color: RGB, sign: float, with_alpha: bool) -> None:
        for name in self.channels[: 4 if with_alpha else 3]:
            setattr(self.struct, name, getattr(self.struct, name) + sign * getattr(color.struct, name))

    def multiply(self, factor: float, with_alpha: bool = False) -> None:
        """Multiply the channels, and the alpha if asked."""
        for name in self.channels[: 4 if with_alpha else 3]:
            setattr(self.struct, name, getattr(self.struct, name) * factor)

    def distance(self, color: RGB, alpha: bool = False) -> float:
        """The sum of the differences of the channels."""
        pairs = list(zip(self._values, color._values))[: 4 if alpha else 3]
        return sum(abs(mine - other) for mine, other in pairs)

    def max(self) -> float:
        """The greatest of red, green and blue."""
        return max(self._values[:3])

    def min(self) -> float:
        """The least of red, green and blue."""
        return min(self._values[:3])

    def clamp(self) -> None:
        """Bring every channel into 0 to 1."""
        _rgb_clamp(self.struct)

    def gamma(self, gamma: float) -> None:
        """Raise the channels to 1 / gamma."""
        _rgb_gamma(self.struct, gamma)

    def luminance(self) -> float:
        """The luminance, with GIMP's weights."""
        return float(_rgb_luminance(self.struct))

    def composite(self, color: RGB, mode: int = RGB_COMPOSITE_NORMAL) -> None:
        """Blend another colour over or behind this one."""
        _rgb_composite(self.struct, color.struct, int(mode))

    def parse_name(self, name: str) -> None:
        """Become the SVG colour of this name."""
        self.struct = rgb_parse_name(name).struct

    def parse_hex(self, hex: str) -> None:
        """Become a colour such as "ff8000"."""
        self.struct = rgb_parse_hex(hex).struct

    def parse_css(self, css: str, with_alpha: bool = False) -> None:
        """Become a colour as CSS writes it."""
        self.struct = rgb_parse_css(css, with_alpha).struct

    def to_hsv(self) -> HSV:
        """The same colour as hue, saturation, value."""
        return _converted(HSV, _rgb_to_hsv, self)

    def to_hsl(self) -> HSL:
        """The same colour as hue, saturation, lightness."""
        return _converted(HSL, _rgb_to_hsl, self)

    def to_cmyk(self, pullout: float = 1.0) -> CMYK:
        """The same colour as cyan, magenta, yellow and a share `pullout` of the possible black."""
        cmyk = CMYK.structure(a=self.struct.a)
        _rgb_to_cmyk(self.struct, pullout, cmyk)
        return CMYK.from_c(cmyk)


class HSV(Color):
    """Hue, saturation, value and alpha."""

    channels = ("h", "s", "v", "a")
    scales = (360, 100, 100, 255)
    aliases = MappingProxyType({"hue": "h", "saturation": "s", "value": "v", "alpha": "a"})
    structure = _structure("GimpHSV", "hsva")

    def clamp(self) -> None:
        """Bring every channel into 0 to 1; the hue goes round."""
        self.struct.h -= self.struct.h // 1
        for name in "sva":
            setattr(self.struct, name, min(max(getattr(self.struct, name), 0.0), 1.0))

    def to_rgb(self) -> RGB:
        """The same colour as red, green, blue."""
        return _converted(RGB, _hsv_to_rgb, self)


class HSL(Color):
    """Hue, saturation, lightness and alpha."""

    channels = ("h", "s", "l", "a")
    scales = (360, 100, 100, 255)
    aliases = MappingProxyType({"hue": "h", "saturation": "s", "lightness": "l", "alpha": "a"})
    structure = _structure("GimpHSL", "hsla")

    def to_rgb(self) -> RGB:
        """The same colour as red, green, blue."""
        return _converted(RGB, _hsl_to_rgb, self)


class CMYK(Color):
    """Cyan, magenta, yellow, black and alpha."""

    channels = ("c", "m", "y", "k", "a")
    scales = (255, 255, 255, 255, 255)
    aliases = MappingProxyType({"cyan": "c", "magenta": "m", "yellow": "y", "black": "k", "alpha": "a"})
    structure = _structure("GimpCMYK", "cmyka")


def _function(name: str, result: Any, *arguments: Any) -> Any:
    return LIBRARY.function(name, result, *arguments)


_P_RGB, _P_HSV, _P_HSL, _P_CMYK = (ctypes.POINTER(kind.structure) for kind in (RGB, HSV, HSL, CMYK))
_rgb_clamp = _function("gimp_rgb_clamp", None, _P_RGB)
_rgb_gamma = _function("gimp_rgb_gamma", None, _P_RGB, ctypes.c_double)
_rgb_luminance = _function("gimp_rgb_luminance", ctypes.c_double, _P_RGB)
_rgb_composite = _function("gimp_rgb_composite", None, _P_RGB, _P_RGB, ctypes.c_int)
_rgb_to_hsv = _function("gimp_rgb_to_hsv", None, _P_RGB, _P_HSV)
_rgb_to_hsl = _function("gimp_rgb_to_hsl", None, _P_RGB, _P_HSL)
_rgb_to_cmyk = _function("gimp_rgb_to_cmyk", None, _P_RGB, ctypes.c_double, _P_CMYK)
_hsv_to_rgb = _function("gimp_hsv_to_rgb", None, _P_HSV, _P_RGB)
_hsl_to_rgb = _function("gimp_hsl_to_rgb", None, _P_HSL, _P_RGB)
_parse_name = _function("gimp_rgb_parse_name", ctypes.c_int, _P_RGB, ctypes.c_char_p, ctypes.c_int)
_parse_hex = _function("gimp_rgb_parse_hex", ctypes.c_int, _P_RGB, ctypes.c_char_p, ctypes.c_int)
_parse_css = _function("gimp_rgb_parse_css", ctypes.c_int, _P_RGB, ctypes.c_char_p, ctypes.c_int)
_parse_css_alpha = _function("gimp_rgba_parse_css", ctypes.c_int, _P_RGB, ctypes.c_char_p, ctypes.c_int)
_list_names = _function(
    "gimp_rgb_list_names", ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_void_p)
)


def _converted(kind: type[C], convert: Any, color: Color) -> C:
    result = kind.structure(a=color.struct.a)
    convert(color.struct, result)
    return kind.from_c(result)


def _parsed(parse: Any, text: str) -> RGB:
    result = CRGB(a=1.0)
    data = text.encode("utf-8")
    if not parse(result, data, len(data)):
        raise TypeError(f"unable to parse the colour {text!r}")
    return RGB.from_c(result)


def rgb_parse_name(name: str) -> RGB:
    """The SVG colour of this name."""
    return _parsed(_parse_name, name)


def rgb_parse_hex(hex: str) -> RGB:
    """A colour such as "ff8000"."""
    return _parsed(_parse_hex, hex)


def rgb_parse_css(css: str, with_alpha: bool = False) -> RGB:
    """A colour as CSS writes it: "red", "#f80", "rgb(255, 128, 0)", with alpha "rgba(...)"."""
    return _parsed(_parse_css_alpha if with_alpha else _parse_css, css)


def rgb_names() -> dict[str, RGB]:
    """All named colours of SVG."""
    names, colors = ctypes.c_void_p(), ctypes.c_void_p()
    count = _list_names(ctypes.byref(names), ctypes.byref(colors))
    texts = (ctypes.c_char_p * count).from_address(names.value or 0)
    values = (CRGB * count).from_address(colors.value or 0)
    table = {decode(text) or "": RGB.from_c(value) for text, value in zip(texts, values)}
    g_free(names)
    g_free(colors)
    return table


def bilinear(x: float, y: float, values: list[float]) -> float:
    """The value at (x, y) between four values at the corners (0,0), (1,0), (0,1), (1,1), repeating beyond them."""
    x, y = x % 1.0, y % 1.0
    top, bottom = (1.0 - x) * values[0] + x * values[1], (1.0 - x) * values[2] + x * values[3]
    return (1.0 - y) * top + y * bottom


def bilinear_rgb(x: float, y: float, values: list[Any]) -> RGB:
    """The colour at (x, y) between four colours; opaque."""
    corners = [RGB.of(value) for value in values]
    return RGB(*[bilinear(x, y, [getattr(corner, name) for corner in corners]) for name in "rgb"])


def bilinear_rgba(x: float, y: float, values: list[Any]) -> RGB:
    """The colour at (x, y) between four colours, weighted by their alpha."""
    corners = [RGB.of(value) for value in values]
    alpha = bilinear(x, y, [corner.a for corner in corners])
    weighted = [bilinear(x, y, [getattr(corner, name) * corner.a for corner in corners]) for name in "rgb"]
    return RGB(*[value / alpha if alpha else 0.0 for value in weighted], a=alpha)
