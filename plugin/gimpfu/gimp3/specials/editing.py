"""Editing pixels: pasting, filling, adjusting colours."""

from __future__ import annotations

from typing import Any

from ..library import Gimp
from .registry import special

BYTE = 255.0
GRADIENTS = ("fg_bg_rgb", "fg_bg_hsv_cw", "fg_transparent")
PATTERN_BUCKET = 2


@special("gimp-edit-paste drawable:DRAWABLE paste-into:INT32 > floating-sel:LAYER")
def paste(drawable: Any, paste_into: int) -> Any:
    """Paste; the first of the new layers."""
    pasted = Gimp.edit_paste(drawable, bool(paste_into))
    return pasted[0] if pasted else None


@special("gimp-edit-named-paste drawable:DRAWABLE buffer-name:STRING paste-into:INT32 > floating-sel:LAYER")
def paste_named(drawable: Any, name: str, paste_into: int) -> Any:
    """Paste a named buffer."""
    return Gimp.edit_named_paste(drawable, name, bool(paste_into))


@special("gimp-edit-blend drawable:DRAWABLE blend-mode:INT32 paint-mode:INT32 gradient-type:INT32 opacity:FLOAT"
         " offset:FLOAT repeat:INT32 reverse:INT32 supersample:INT32 max-depth:INT32 threshold:FLOAT dither:INT32"
         " x1:FLOAT y1:FLOAT x2:FLOAT y2:FLOAT",
         "gimp-blend drawable:DRAWABLE blend-mode:INT32 paint-mode:INT32 gradient-type:INT32 opacity:FLOAT"
         " offset:FLOAT repeat:INT32 reverse:INT32 supersample:INT32 max-depth:INT32 threshold:FLOAT dither:INT32"
         " x1:FLOAT y1:FLOAT x2:FLOAT y2:FLOAT")  # fmt: skip
def blend(drawable: Any, blend_mode: int, paint_mode: int, gradient_type: int, opacity: float, offset: float,
          repeat: int, reverse: int, supersample: int, depth: int, threshold: float, dither: int,
          *line: float) -> bool:  # fmt: skip
    """Fill with a gradient; its settings are the context's in GIMP 3."""
    Gimp.context_push()
    try:
        if blend_mode < len(GRADIENTS):
            getattr(Gimp, "context_set_gradient_" + GRADIENTS[blend_mode])()
        Gimp.context_set_paint_mode(Gimp.LayerMode(paint_mode))
        Gimp.context_set_opacity(opacity)
        Gimp.context_set_gradient_repeat_mode(Gimp.RepeatMode(repeat))
        Gimp.context_set_gradient_reverse(bool(reverse))
        kind = Gimp.GradientType(gradient_type)
        return bool(
            drawable.edit_gradient_fill(kind, offset, bool(supersample), max(depth, 1), threshold, bool(dither), *line)
        )
    finally:
        Gimp.context_pop()


@special("gimp-edit-bucket-fill drawable:DRAWABLE fill-mode:INT32 paint-mode:INT32 opacity:FLOAT threshold:FLOAT"
         " sample-merged:INT32 x:FLOAT y:FLOAT",
         "gimp-bucket-fill drawable:DRAWABLE fill-mode:INT32 paint-mode:INT32 opacity:FLOAT threshold:FLOAT"
         " sample-merged:INT32 x:FLOAT y:FLOAT")  # fmt: skip
def bucket_fill(drawable: Any, fill_mode: int, paint_mode: int, opacity: float, threshold: float, merged: int,
                x: float, y: float) -> bool:  # fmt: skip
    """Fill the selection, or where there is none an area of like colours."""
    fill = Gimp.FillType.PATTERN if fill_mode == PATTERN_BUCKET else Gimp.FillType(fill_mode)
    Gimp.context_push()
    try:
        Gimp.context_set_paint_mode(Gimp.LayerMode(paint_mode))
        Gimp.context_set_opacity(opacity)
        Gimp.context_set_sample_threshold_int(int(threshold))
        Gimp.context_set_sample_merged(bool(merged))
        if not Gimp.Selection.is_empty(drawable.get_image()):
            return bool(drawable.edit_fill(fill))
        return bool(drawable.edit_bucket_fill(fill, x, y))
    finally:
        Gimp.context_pop()


@special("gimp-brightness-contrast drawable:DRAWABLE brightness:INT32 contrast:INT32")
def brightness_contrast(drawable: Any, brightness: int, contrast: int) -> bool:
    """Both from -127 to 127."""
    return bool(drawable.brightness_contrast(brightness / 127.0, contrast / 127.0))


@special("gimp-threshold drawable:DRAWABLE low-threshold:INT32 high-threshold:INT32")
def threshold(drawable: Any, low: int, high: int) -> bool:
    """Both from 0 to 255."""
    return bool(drawable.threshold(Gimp.HistogramChannel.VALUE, low / BYTE, high / BYTE))


@special("gimp-levels drawable:DRAWABLE channel:INT32 low-input:INT32 high-input:INT32 gamma:FLOAT low-output:INT32"
         " high-output:INT32")  # fmt: skip
def levels(drawable: Any, channel: int, low: int, high: int, gamma: float, low_output: int, high_output: int) -> bool:
    """Levels from 0 to 255."""
    kind = Gimp.HistogramChannel(channel)
    inputs, outputs = (low / BYTE, high / BYTE), (low_output / BYTE, high_output / BYTE)
    return bool(drawable.levels(kind, *inputs, False, gamma, *outputs, False))


@special("gimp-curves-spline drawable:DRAWABLE channel:INT32 num-points:INT32 control-pts:INT8ARRAY")
def curves_spline(drawable: Any, channel: int, points: bytes) -> bool:
    """Points x, y from 0 to 255."""
    return bool(drawable.curves_spline(Gimp.HistogramChannel(channel), [byte / BYTE for byte in points]))


@special("gimp-curves-explicit drawable:DRAWABLE channel:INT32 num-bytes:INT32 curve:INT8ARRAY")
def curves_explicit(drawable: Any, channel: int, curve: bytes) -> bool:
    """A value from 0 to 255 for each of 256."""
    return bool(drawable.curves_explicit(Gimp.HistogramChannel(channel), [byte / BYTE for byte in curve]))


@special("gimp-histogram drawable:DRAWABLE channel:INT32 start-range:INT32 end-range:INT32 > mean:FLOAT std-dev:FLOAT"
         " median:FLOAT pixels:FLOAT count:FLOAT percentile:FLOAT")  # fmt: skip
def histogram(drawable: Any, channel: int, start: int, end: int) -> tuple[float, ...]:
    """The range from 0 to 255."""
    _, *found = drawable.histogram(Gimp.HistogramChannel(channel), start / BYTE, end / BYTE)
    return tuple(found)
