"""Filters that were plug-ins in 2.10 and are GEGL operations in GIMP 3; applied for good, in one undo step each."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ..library import Gimp
from .registry import special

# The width of the bell curve that GIMP 2.10 blurs with, for a radius of 1.
RADIUS = 0.32
BYTE = 255.0

Settings = Callable[..., "dict[str, Any]"]


class Filter(NamedTuple):
    """A 2.10 plug-in: its arguments after image and drawable, its operation, and the operation's settings for them."""

    name: str
    arguments: str
    operation: str
    settings: Settings = lambda: {}


def _blur(horizontal: float, vertical: float, *method: int) -> dict[str, Any]:
    return {"std-dev-x": horizontal * RADIUS, "std-dev-y": vertical * RADIUS}


def _blur_either(radius: float, horizontal: int, vertical: int) -> dict[str, Any]:
    return _blur(radius if horizontal else 0.0, radius if vertical else 0.0)


def _same(*names: str) -> Settings:
    return lambda *values: dict(zip(names, values))


def _chance(percent: float, repeat: float, randomize: int, seed: int) -> dict[str, Any]:
    return {"pct-random": percent, "repeat": int(repeat), "seed": 0 if randomize else seed}


TWO_RADII, EITHER = "horizontal:FLOAT vertical:FLOAT", "radius:FLOAT horizontal:INT32 vertical:INT32"
CHANCE = "rndm-pct:FLOAT rndm-rcount:FLOAT randomize:INT32 seed:INT32"
FILTERS = (
    Filter("gauss", TWO_RADII + " method:INT32", "gegl:gaussian-blur", _blur),
    Filter("gauss-iir", EITHER, "gegl:gaussian-blur", _blur_either),
    Filter("gauss-rle", EITHER, "gegl:gaussian-blur", _blur_either),
    Filter("gauss-iir2", TWO_RADII, "gegl:gaussian-blur", _blur),
    Filter("gauss-rle2", TWO_RADII, "gegl:gaussian-blur", _blur),
    Filter("sel-gauss", "radius:FLOAT max-delta:INT32", "gegl:gaussian-blur-selective",
           lambda radius, delta: {"blur-radius": radius, "max-delta": delta / BYTE}),
    Filter("mblur", "type:INT32 length:FLOAT angle:FLOAT center-x:FLOAT center-y:FLOAT", "gegl:motion-blur-linear",
           lambda kind, length, angle, x, y: {"length": length, "angle": angle % 360.0}),
    Filter("median-blur", "radius:INT32 percentile:FLOAT", "gegl:median-blur", _same("radius", "percentile")),
    Filter("unsharp-mask", "radius:FLOAT amount:FLOAT threshold:INT32", "gegl:unsharp-mask",
           lambda radius, amount, threshold: {"std-dev": radius, "scale": amount, "threshold": threshold / BYTE}),
    Filter("sharpen", "percent:INT32", "gegl:unsharp-mask", lambda percent: {"std-dev": 1.0, "scale": percent / 40.0}),
    Filter("pixelize", "pixel-width:INT32", "gegl:pixelize", lambda size: {"size-x": size, "size-y": size}),
    Filter("pixelize2", "pixel-width:INT32 pixel-height:INT32", "gegl:pixelize", _same("size-x", "size-y")),
    Filter("plasma", "seed:INT32 turbulence:FLOAT", "gegl:plasma", _same("seed", "turbulence")),
    Filter("solid-noise", "tileable:INT32 turbulent:INT32 seed:INT32 detail:INT32 xsize:FLOAT ysize:FLOAT",
           "gegl:noise-solid", lambda tileable, turbulent, seed, detail, x, y: {
               "tileable": bool(tileable), "turbulent": bool(turbulent), "seed": seed, "detail": detail,
               "x-size": x, "y-size": y}),
    Filter("hsv-noise", "holdness:INT32 hue-distance:INT32 saturation-distance:INT32 value-distance:INT32",
           "gegl:noise-hsv", lambda hold, hue, saturation, value: {
               "holdness": hold, "hue-distance": hue, "saturation-distance": saturation / BYTE,
               "value-distance": value / BYTE}),
    Filter("spread", "spread-amount-x:FLOAT spread-amount-y:FLOAT", "gegl:noise-spread",
           lambda x, y: {"amount-x": int(x), "amount-y": int(y)}),
    Filter("randomize-hurl", CHANCE, "gegl:noise-hurl", _chance),
    Filter("randomize-pick", CHANCE, "gegl:noise-pick", _chance),
    Filter("randomize-slur", CHANCE, "gegl:noise-slur", _chance),
    Filter("vinvert", "", "gegl:value-invert"),
    Filter("threshold-alpha", "threshold:INT32", "gimp:threshold-alpha", lambda value: {"value": value / BYTE}),
    Filter("semiflatten", "", "gimp:semi-flatten", lambda: {"color": Gimp.context_get_background()}),
    Filter("colortoalpha", "color:COLOR", "gegl:color-to-alpha", _same("color")),
    Filter("c-astretch", "", "gegl:stretch-contrast", lambda: {"keep-colors": False}),
    Filter("normalize", "", "gegl:stretch-contrast", lambda: {"keep-colors": True}),
    Filter("autostretch-hsv", "", "gegl:stretch-contrast-hsv"),
    Filter("color-enhance", "", "gegl:color-enhance"),
    Filter("edge", "amount:FLOAT warpmode:INT32 edgemode:INT32", "gegl:edge", lambda amount, *_: {"amount": amount}),
    Filter("sobel", "horizontal:INT32 vertical:INT32 keep-sign:INT32", "gegl:edge-sobel",
           lambda *flags: dict(zip(("horizontal", "vertical", "keep-sign"), map(bool, flags)))),
    Filter("laplace", "", "gegl:edge-laplace"),
    Filter("neon", "radius:FLOAT amount:FLOAT", "gegl:edge-neon", _same("radius", "amount")),
    Filter("dog", "inner:FLOAT outer:FLOAT normalize:INT32 invert:INT32", "gegl:difference-of-gaussians",
           lambda inner, outer, *_: {"radius1": inner * RADIUS, "radius2": outer * RADIUS}),
    Filter("emboss", "azimuth:FLOAT elevation:FLOAT depth:INT32 emboss:INT32", "gegl:emboss",
           lambda azimuth, elevation, depth, emboss: {
               "azimuth": azimuth, "elevation": elevation, "depth": depth, "type": "emboss" if emboss else "bumpmap"}),
    Filter("oilify", "mask-size:INT32 mode:INT32", "gegl:oilify",
           lambda size, mode: {"mask-radius": max(1, size // 2), "use-inten": bool(mode)}),
    Filter("softglow", "glow-radius:FLOAT brightness:FLOAT sharpness:FLOAT", "gegl:softglow",
           _same("glow-radius", "brightness", "sharpness")),
    Filter("photocopy", "mask-radius:FLOAT sharpness:FLOAT pct-black:FLOAT pct-white:FLOAT", "gegl:photocopy",
           _same("mask-radius", "sharpness", "black", "white")),
    Filter("cartoon", "mask-radius:FLOAT pct-black:FLOAT", "gegl:cartoon", _same("mask-radius", "pct-black")),
    Filter("whirl-pinch", "whirl:FLOAT pinch:FLOAT radius:FLOAT", "gegl:whirl-pinch",
           _same("whirl", "pinch", "radius")),
    Filter("make-seamless", "", "gegl:tile-seamless"),
    Filter("antialias", "", "gegl:antialias"),
    Filter("engrave", "height:INT32 limit:INT32", "gegl:engrave",
           lambda height, limit: {"row-height": height, "limit": bool(limit)}),
)  # fmt: skip


def _declare(entry: Filter) -> None:
    @special(f"plug-in-{entry.name} run-mode:INT32 image:IMAGE drawable:DRAWABLE {entry.arguments}")
    def apply(run_mode: int, image: Any, drawable: Any, *values: Any) -> None:
        effect = Gimp.DrawableFilter.new(drawable, entry.operation, "")
        config = effect.get_config()
        for name, value in entry.settings(*values).items():
            config.set_property(name, value)
        effect.update()
        drawable.merge_filter(effect)


for _entry in FILTERS:
    _declare(_entry)


@special("plug-in-autocrop run-mode:INT32 image:IMAGE drawable:DRAWABLE")
def autocrop(run_mode: int, image: Any, drawable: Any) -> bool:
    """Crop the image to what is in the drawable."""
    return bool(image.autocrop(drawable))


@special("plug-in-autocrop-layer run-mode:INT32 image:IMAGE drawable:DRAWABLE")
def autocrop_layer(run_mode: int, image: Any, drawable: Any) -> bool:
    """Crop the layers that are selected to what is in the drawable."""
    return bool(image.autocrop_selected_layers(drawable))
