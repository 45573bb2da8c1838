"""What a user hands on where something is wrong that only the makers can mend."""

from __future__ import annotations

import platform

from .installed import version

REPORTED = ("report", "reinstall")
"""The kinds of errors with which that is so."""


def report(text: str, *programs: str) -> str:
    """A text that was told, and what it was told by: these programs, with their versions."""
    made = [f"Layerlift {version()}", *programs, f"Python {platform.python_version()}", platform.platform()]
    return "\n".join([text, "", *made, ""])
