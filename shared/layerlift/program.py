"""What our own programs do to their processes, and a library must not do to those of others."""

from __future__ import annotations

import os


def begin() -> None:
    """Is called before numpy is imported."""
    # No product of ours is shared out (see `tiles`), and threads that wait for one cost 40 ms at the start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
