"""The active brush, pattern and palette, with what 2.10 told of them in one call."""

from __future__ import annotations

from typing import Any

from ..library import Gimp
from .registry import special


@special("gimp-brushes-get-brush > name:STRING width:INT32 height:INT32 spacing:INT32")
def brush() -> tuple[Any, ...]:
    """The active brush."""
    found = Gimp.context_get_brush()
    _, width, height, *_ = found.get_info()
    return found.get_name(), width, height, found.get_spacing()


@special("gimp-patterns-get-pattern > name:STRING width:INT32 height:INT32")
def pattern() -> tuple[Any, ...]:
    """The active pattern."""
    found = Gimp.context_get_pattern()
    _, width, height, *_ = found.get_info()
    return found.get_name(), width, height


@special("gimp-palettes-get-palette > name:STRING num-colors:INT32")
def palette() -> tuple[Any, ...]:
    """The active palette."""
    found = Gimp.context_get_palette()
    return found.get_name(), found.get_color_count()


def _names(kind: str, plural: str) -> None:
    listed = getattr(Gimp, plural + "_get_list")

    @special(f"gimp-{plural}-get-list filter:STRING > num-{plural}:INT32 {kind}-list:STRINGARRAY")
    def names(filter: str | None) -> list[str]:
        return [found.get_name() for found in listed(filter or "")]


for _kind, _plural in (("brush", "brushes"), ("font", "fonts"), ("gradient", "gradients"), ("palette", "palettes"),
                       ("pattern", "patterns")):  # fmt: skip
    _names(_kind, _plural)
