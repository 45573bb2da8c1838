"""Procedures of GIMP 2.10 that GIMP 3 has as methods, otherwise, or not at all: each is a function here.

The functions take and return GIMP 3's own values; their signatures tell which classic types these come from.
"""

from __future__ import annotations

from .registry import SPECIALS, Special

__all__ = ["SPECIALS", "Special"]


def load() -> dict[str, Special]:
    """All special procedures by name."""
    from . import colors, database, editing, filters, images, items, resources, selections, transforms  # noqa: F401

    return SPECIALS
