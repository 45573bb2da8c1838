"""How long a test waits for what has to come, and how."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which nothing will come any more, on however busy a machine."""


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Returns once the condition holds; it is looked at often."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)
