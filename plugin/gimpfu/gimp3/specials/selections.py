"""Selections with settings that GIMP 3 takes from the context."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

from ..library import Gimp
from .registry import special


@contextmanager
def settings(
    antialias: int = 1, feather: int = 0, radius: tuple[float, float] = (0.0, 0.0), threshold: float | None = None,
    sample_merged: int = 0, transparent: int = 0, criterion: int = 0,
) -> Iterator[None]:  # fmt: skip
    """Let the context hold these for a while."""
    Gimp.context_push()
    try:
        Gimp.context_set_antialias(bool(antialias))
        Gimp.context_set_feather(bool(feather))
        Gimp.context_set_feather_radius(*radius)
        Gimp.context_set_sample_merged(bool(sample_merged))
        Gimp.context_set_sample_transparent(bool(transparent))
        Gimp.context_set_sample_criterion(Gimp.SelectCriterion(criterion))
        if threshold is not None:
            Gimp.context_set_sample_threshold_int(int(threshold))
        yield
    finally:
        Gimp.context_pop()


@special("gimp-rect-select image:IMAGE x:FLOAT y:FLOAT width:FLOAT height:FLOAT operation:INT32 feather:INT32"
         " feather-radius:FLOAT")  # fmt: skip
def rectangle(
    image: Any, x: float, y: float, width: float, height: float, operation: int, feather: int, radius: float
) -> bool:
    """Select a rectangle."""
    with settings(feather=feather, radius=(radius, radius)):
        return bool(image.select_rectangle(Gimp.ChannelOps(operation), x, y, width, height))


@special("gimp-ellipse-select image:IMAGE x:FLOAT y:FLOAT width:FLOAT height:FLOAT operation:INT32 antialias:INT32"
         " feather:INT32 feather-radius:FLOAT")  # fmt: skip
def ellipse(image: Any, *values: Any) -> bool:
    """Select an ellipse."""
    *area, operation, antialias, feather, radius = values
    with settings(antialias, feather, (radius, radius)):
        return bool(image.select_ellipse(Gimp.ChannelOps(operation), *area))


@special("gimp-round-rect-select image:IMAGE x:FLOAT y:FLOAT width:FLOAT height:FLOAT corner-radius-x:FLOAT"
         " corner-radius-y:FLOAT operation:INT32 antialias:INT32 feather:INT32 feather-radius-x:FLOAT"
         " feather-radius-y:FLOAT")  # fmt: skip
def round_rectangle(image: Any, *values: Any) -> bool:
    """Select a rectangle with round corners."""
    *area, operation, antialias, feather, radius_x, radius_y = values
    with settings(antialias, feather, (radius_x, radius_y)):
        return bool(image.select_round_rectangle(Gimp.ChannelOps(operation), *area))


@special("gimp-free-select image:IMAGE num-segs:INT32 segs:FLOATARRAY operation:INT32 antialias:INT32 feather:INT32"
         " feather-radius:FLOAT")  # fmt: skip
def polygon(image: Any, segs: list[float], operation: int, antialias: int, feather: int, radius: float) -> bool:
    """Select a polygon."""
    with settings(antialias, feather, (radius, radius)):
        return bool(image.select_polygon(Gimp.ChannelOps(operation), segs))


@special("gimp-fuzzy-select drawable:DRAWABLE x:FLOAT y:FLOAT threshold:INT32 operation:INT32 antialias:INT32"
         " feather:INT32 feather-radius:FLOAT sample-merged:INT32")  # fmt: skip
def fuzzy(drawable: Any, x: float, y: float, threshold: int, operation: int, *more: Any) -> bool:
    """Select what is like a pixel, around it."""
    antialias, feather, radius, merged = more
    with settings(antialias, feather, (radius, radius), threshold, merged):
        return bool(drawable.get_image().select_contiguous_color(Gimp.ChannelOps(operation), drawable, x, y))


@special("gimp-by-color-select drawable:DRAWABLE color:COLOR threshold:INT32 operation:INT32 antialias:INT32"
         " feather:INT32 feather-radius:FLOAT sample-merged:INT32")  # fmt: skip
def by_color(drawable: Any, color: Any, threshold: int, operation: int, *more: Any) -> bool:
    """Select what is like a colour."""
    antialias, feather, radius, merged = more
    with settings(antialias, feather, (radius, radius), threshold, merged):
        return bool(drawable.get_image().select_color(Gimp.ChannelOps(operation), drawable, color))


def _select_item(item: Any, operation: int, *more: Any) -> bool:
    antialias, feather, *radius = more or (1, 0, 0.0, 0.0)
    with settings(antialias, feather, (radius[0], radius[1])):
        return bool(item.get_image().select_item(Gimp.ChannelOps(operation), item))


@special("gimp-vectors-to-selection vectors:VECTORS operation:INT32 antialias:INT32 feather:INT32"
         " feather-radius-x:FLOAT feather-radius-y:FLOAT")  # fmt: skip
def path(path: Any, operation: int, *more: Any) -> bool:
    """Select the inside of a path."""
    return _select_item(path, operation, *more)


@special("gimp-selection-layer-alpha layer:LAYER", "gimp-selection-load channel:CHANNEL")
def replace(item: Any) -> bool:
    """Select what is opaque in a layer, or a saved channel."""
    return _select_item(item, int(Gimp.ChannelOps.REPLACE))


@special("gimp-selection-combine channel:CHANNEL operation:INT32")
def combine(channel: Any, operation: int) -> bool:
    """Combine a channel with the selection."""
    return _select_item(channel, operation)


@special("gimp-selection-float drawable:DRAWABLE offx:INT32 offy:INT32 > layer:LAYER")
def float_selection(drawable: Any, x: int, y: int) -> Any:
    """Make the selected pixels a floating selection."""
    return Gimp.Selection.float(drawable.get_image(), [drawable], x, y)
