"""Stands for Layerlift's own Python at a host: runs the worker with small models in place of the table's. "small" is
built in; "large" can be fetched, from LAYERLIFT_MODELS_URL alone."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

LARGE = bytes(8_000_000)
"""No such model can run, but it is fetched as any other."""


def program(folder: Path) -> Path:
    """A program in that folder that takes the Python's place."""
    path = folder / "python-of-models"
    tests = Path(__file__).resolve().parents[1]
    path.write_text(f'#!/bin/sh\nPYTHONPATH={tests} exec {sys.executable} -m helpers.worker_of_models "$@"\n')
    path.chmod(0o755)
    return path


def main() -> int:
    """The worker, until its input ends."""
    from layerlift.models import fetching
    from layerlift.models.shelf import Shelf
    from layerlift.removal import offline
    from layerlift.worker import __main__ as worker

    from helpers import onnx_files

    small = onnx_files.darkness()
    table = (onnx_files.model("small", small, rank=1, built_in=True), onnx_files.model("large", LARGE))
    path = onnx_files.put(Path(os.environ["LAYERLIFT_HOME"]), "small", small)
    vars(fetching)["default_path"] = lambda: path
    vars(offline)["Shelf"] = functools.partial(Shelf, models=table)
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
