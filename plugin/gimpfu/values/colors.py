"""gimpcolor: colours as GIMP has them. RGB, HSV, HSL and CMYK, each with alpha.

Channels are floats from 0 to 1. Where the classic interface takes or gives an int, it is scaled: 0-255, a hue 0-360,
saturation, value and lightness 0-100. Conversions and name parsing agree with libgimpcolor of GIMP 2.10.
"""

from __future__ import annotations

import re
import string
from types import MappingProxyType
from typing import Any, Iterator, Mapping, Union

from .colornames import NAMES

Number = Union[int, float]
HEX_DIGITS = frozenset(string.hexdigits)
CALL = re.compile(r"(rgba?|hsla?)\s*\(([^()]*)\)")

RGB_COMPOSITE_NONE, RGB_COMPOSITE_NORMAL, RGB_COMPOSITE_BEHIND = range(3)
RGB_LUMINANCE_RED, RGB_LUMINANCE_GREEN, RGB_LUMINANCE_BLUE = 0.22248840, 0.71690369, 0.06060791


class Color:
    """A tuple of named channels; `values` holds them as floats, by name."""

    channels: tuple[str, ...] = ()
    scales: tuple[int, ...] = ()
    aliases: Mapping[str, str] = MappingProxyType({})
    values: dict[str, float]

    def __init__(self, *values: Number, **named: Number) -> None:
        names = dict(zip(self.channels, values), **named)
        missing = [name for name in self.channels[:-1] if name not in names]
        if missing or len(values) > len(self.channels):
            raise TypeError("{} takes {}".format(type(self).__name__, ", ".join(self.channels)))
        self.values = dict.fromkeys(self.channels, 1.0)
        self.set(**names)

    def set(self, *values: Number, **named: Number) -> None:
        """Set all channels but alpha, alpha, or both. Ints are scaled."""
        for name, value in dict(zip(self.channels, values), **named).items():
            self.values[name] = self._scaled(name, value)

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

    @property
    def _values(self) -> tuple[float, ...]:
        return tuple(self.values[name] for name in self.channels)

    def __getattr__(self, name: str) -> float:
        channel = type(self).aliases.get(name, name)
        if channel not in type(self).channels:
            raise AttributeError(name)
        return self.values[channel]

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
            return self.values[channel]
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


class RGB(Color):
    """Red, green, blue and alpha."""

    channels = ("r", "g", "b", "a")
    scales = (255, 255, 255, 255)
    aliases = MappingProxyType({"red": "r", "green": "g", "blue": "b", "alpha": "a"})

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
            self.values[name] += sign * color.values[name]

    def multiply(self, factor: float, with_alpha: bool = False) -> None:
        """Multiply the channels, and the alpha if asked."""
        for name in self.channels[: 4 if with_alpha else 3]:
            self.values[name] *= factor

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
        for name, value in self.values.items():
            self.values[name] = min(max(value, 0.0), 1.0)

    def gamma(self, gamma: float) -> None:
        """Raise the channels to 1 / gamma."""
        for name in "rgb":
            self.values[name] **= 1.0 / (gamma or 1.0)

    def luminance(self) -> float:
        """The luminance, with GIMP's weights."""
        weights = (RGB_LUMINANCE_RED, RGB_LUMINANCE_GREEN, RGB_LUMINANCE_BLUE)
        return min(max(sum(weight * self.values[name] for weight, name in zip(weights, "rgb")), 0.0), 1.0)

    def composite(self, color: RGB, mode: int = RGB_COMPOSITE_NORMAL) -> None:
        """Blend another colour over or behind this one."""
        if mode == RGB_COMPOSITE_NORMAL:
            above, below = color.values, dict(self.values)
        elif mode == RGB_COMPOSITE_BEHIND:
            above, below = dict(self.values), color.values
        else:
            return
        share = below["a"] * (1.0 - above["a"])
        for name in "rgb":
            self.values[name] = below[name] * share + above[name] * above["a"]
        self.values["a"] = share + above["a"]

    def parse_name(self, name: str) -> None:
        """Become the SVG colour of this name."""
        self.values = rgb_parse_name(name).values

    def parse_hex(self, hex: str) -> None:
        """Become a colour such as "ff8000"."""
        self.values = rgb_parse_hex(hex).values

    def parse_css(self, css: str, with_alpha: bool = False) -> None:
        """Become a colour as CSS writes it."""
        self.values = rgb_parse_css(css, with_alpha).values

    def to_hsv(self) -> HSV:
        """The same colour as hue, saturation, value."""
        r, g, b, a = self._values
        most, spread = max(r, g, b), max(r, g, b) - min(r, g, b)
        return HSV(_hue(r, g, b) if spread > 0.0001 else 0.0, spread / most if spread > 0.0001 else 0.0, most, a)

    def to_hsl(self) -> HSL:
        """The same colour as hue, saturation, lightness."""
        r, g, b, a = self._values
        most, least = max(r, g, b), min(r, g, b)
        lightness = (most + least) / 2.0
        if most == least:
            return HSL(-1.0, 0.0, lightness, a)  # GIMP's hue of a gray
        saturation = (most - least) / (most + least if lightness <= 0.5 else 2.0 - most - least)
        return HSL(_hue(r, g, b), saturation, lightness, a)

    def to_cmyk(self, pullout: float = 1.0) -> CMYK:
        """The same colour as cyan, magenta, yellow and a share `pullout` of the possible black."""
        inks = [1.0 - value for value in self._values[:3]]
        black = min(1.0, *inks) * pullout
        left = 1.0 - black
        return CMYK(*[(ink - black) / left if left > 0.0 else 0.0 for ink in inks], black, self.a)


class HSV(Color):
    """Hue, saturation, value and alpha."""

    channels = ("h", "s", "v", "a")
    scales = (360, 100, 100, 255)
    aliases = MappingProxyType({"hue": "h", "saturation": "s", "value": "v", "alpha": "a"})

    def clamp(self) -> None:
        """Bring every channel into 0 to 1; the hue goes round."""
        self.values["h"] %= 1.0
        for name in "sva":
            self.values[name] = min(max(self.values[name], 0.0), 1.0)

    def to_rgb(self) -> RGB:
        """The same colour as red, green, blue."""
        hue, saturation, value, alpha = self._values
        if saturation == 0.0:
            return RGB(value, value, value, alpha)
        sector, part = divmod((0.0 if hue == 1.0 else hue) * 6.0, 1.0)
        low, falling, rising = (value * (1.0 - saturation * share) for share in (1.0, part, 1.0 - part))
        channels = (
            (value, rising, low), (falling, value, low), (low, value, rising),
            (low, falling, value), (rising, low, value), (value, low, falling),
        )[int(sector) % 6]  # fmt: skip
        return RGB(*channels, alpha)


class HSL(Color):
    """Hue, saturation, lightness and alpha."""

    channels = ("h", "s", "l", "a")
    scales = (360, 100, 100, 255)
    aliases = MappingProxyType({"hue": "h", "saturation": "s", "lightness": "l", "alpha": "a"})

    def to_rgb(self) -> RGB:
        """The same colour as red, green, blue."""
        hue, saturation, lightness, alpha = self._values
        if saturation == 0.0:
            return RGB(lightness, lightness, lightness, alpha)
        high = lightness * (1.0 + saturation) if lightness <= 0.5 else lightness + saturation - lightness * saturation
        low = 2.0 * lightness - high
        return RGB(*[_part(low, high, hue * 6.0 + shift) for shift in (2.0, 0.0, -2.0)], alpha)


class CMYK(Color):
    """Cyan, magenta, yellow, black and alpha."""

    channels = ("c", "m", "y", "k", "a")
    scales = (255, 255, 255, 255, 255)
    aliases = MappingProxyType({"cyan": "c", "magenta": "m", "yellow": "y", "black": "k", "alpha": "a"})


def _hue(r: float, g: float, b: float) -> float:
    """The hue of a colour that is not gray, 0 to 1."""
    most, spread = max(r, g, b), max(r, g, b) - min(r, g, b)
    if r == most:
        hue = (g - b) / spread
    elif g == most:
        hue = 2.0 + (b - r) / spread
    else:
        hue = 4.0 + (r - g) / spread
    return hue / 6.0 + (1.0 if hue < 0.0 else 0.0)


def _part(low: float, high: float, hue: float) -> float:
    """One channel of a HSL colour; `hue` counts sixths of the circle."""
    hue %= 6.0
    if hue < 1.0:
        return low + (high - low) * hue
    if hue < 3.0:
        return high
    return low + (high - low) * (4.0 - hue) if hue < 4.0 else low


def rgb_parse_name(name: str) -> RGB:
    """The SVG colour of this name."""
    digits = NAMES.get(name.strip().lower())
    if digits is None:
        raise TypeError(f"unable to parse the colour {name!r}")
    return rgb_parse_hex(digits)


def rgb_parse_hex(hex: str) -> RGB:
    """A colour such as "ff8000"."""
    digits = hex.strip().lstrip("#")
    width, rest = divmod(len(digits), 3)
    if rest or not 1 <= width <= 4 or not set(digits) <= HEX_DIGITS:
        raise TypeError(f"unable to parse the colour {hex!r}")
    most = 16.0**width - 1
    return RGB(*[int(digits[start : start + width], 16) / most for start in range(0, 3 * width, width)])


def rgb_parse_css(css: str, with_alpha: bool = False) -> RGB:
    """A colour as CSS writes it: "red", "#f80", "rgb(255, 128, 0)", with alpha "rgba(...)"."""
    text = css.strip()
    if with_alpha and text.lower() == "transparent":
        return RGB(0.0, 0.0, 0.0, 0.0)
    if text.startswith("#"):
        return rgb_parse_hex(text)
    call = CALL.fullmatch(text)
    if call is None:
        return rgb_parse_name(text)
    kind, arguments = call.group(1), call.group(2).split(",")
    if (kind.endswith("a") and not with_alpha) or len(arguments) != len(kind):
        raise TypeError(f"unable to parse the colour {css!r}")
    try:
        return _called(kind, [argument.strip() for argument in arguments])
    except ValueError:
        raise TypeError(f"unable to parse the colour {css!r}") from None


def _called(kind: str, arguments: list[str]) -> RGB:
    alpha = min(max(float(arguments[3]), 0.0), 1.0) if kind.endswith("a") else 1.0
    if kind.startswith("hsl"):
        hue, saturation, lightness = (float(argument.rstrip("%")) for argument in arguments[:3])
        return HSL(hue % 360.0 / 360.0, saturation / 100.0, lightness / 100.0, alpha).to_rgb()
    shares = [float(text[:-1]) / 100.0 if text.endswith("%") else float(text) / 255.0 for text in arguments[:3]]
    return RGB(*[min(max(share, 0.0), 1.0) for share in shares], a=alpha)


def rgb_names() -> dict[str, RGB]:
    """All named colours of SVG."""
    return {name: rgb_parse_hex(digits) for name, digits in NAMES.items()}


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
