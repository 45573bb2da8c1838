"""Finishes what is paid for after the program that has begun it. Run as ``python -m layerlift.finishing``.

It begins once its standard input ends, as it does with that program, whose claims are free then.
"""

from __future__ import annotations

import sys

from . import log, tasks
from .engines import Engines
from .settings import Settings


def main() -> int:
    """Returns when all that can be finished is."""
    settings = Settings()
    log.start(settings.state_folder)
    sys.stdin.buffer.read()
    with Engines(settings) as engines:
        tasks.take_up(engines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
