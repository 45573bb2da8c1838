"""What Krita's users are told when a layer's background is removed."""

from __future__ import annotations


def done(left: float, name: str = "test") -> str:
    """By the service, which has so many units left to be spent."""
    return f"Background removed from '{name}': YouCam, 1 unit, {left} left."


def free(name: str = "test") -> str:
    """Once more."""
    return f"Background removed from '{name}': free, already paid for."
