"""A worker of a user who can have two models that tests have the files of, beside the built-in one.

Run by Layerlift's plug-ins in place of its own Python.
"""

import functools
import runpy
import sys

from layerlift.models.shelf import Shelf
from layerlift.models.table import MODELS
from layerlift.removal import offline

from helpers import onnx_files

LARGE = bytes(2_000_000)
TABLE = (
    *(model for model in MODELS if model.built_in),
    onnx_files.model("large", LARGE, rank=2),
    onnx_files.model("special", LARGE, rank=0),
)

if __name__ == "__main__":
    if sys.argv[1:] != ["-I", "-m", "layerlift.worker"]:
        sys.exit(f"This is no worker's command line: {sys.argv[1:]}")
    offline.Shelf = functools.partial(Shelf, models=TABLE)  # type: ignore[misc,assignment]
    runpy.run_module("layerlift.worker", run_name="__main__")
