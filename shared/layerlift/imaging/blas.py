"""What our own programs ask of numpy's BLAS, and a library must not ask of those of others."""

from __future__ import annotations

import os


def use_one_thread() -> None:
    """Is called before numpy is imported."""
    # No product of ours is shared out (see `tiles`), and threads that wait for one cost 40 ms at the start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
