"""Finishes what is paid for after the program that has begun it. Run as ``python -m layerlift.removal.finishing``.

It begins once its standard input ends, as it does with that program, whose claims are free then. Before, it reads
there the variables that the program's settings came from, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from ..imaging import blas
from ..store import log
from ..store.settings import Settings


def main() -> int:
    """Returns when all that can be finished is."""
    blas.use_one_thread()
    from . import tasks
    from .engines import Engines

    given = json.loads(sys.stdin.buffer.read() or b"{}")
    settings = Settings({**os.environ, **given})
    log.start(settings.state_folder)
    with Engines(settings) as engines:
        tasks.take_up(engines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
