"""The offline engine keeps what it does to itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PHOTO = Path(__file__).resolve().parents[1] / "photos" / "astronaut.jpg"
CUT_OUT = """
import pathlib, sys
from layerlift.models.engine import OfflineEngine
from layerlift.models.shelf import Shelf
OfflineEngine(Shelf(pathlib.Path("none")))(pathlib.Path(sys.argv[1]).read_bytes())
"""


def test_the_offline_engine_has_no_telemetry(tmp_path: Path) -> None:
    # onnxruntime keeps still on its own where one of these is set.
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME")
    variables = {name: value for name, value in os.environ.items() if name not in quiet}
    subprocess.run([sys.executable, "-c", CUT_OUT, str(PHOTO)], env={**variables, "HOME": str(tmp_path)}, check=True)
    assert [path.name for path in tmp_path.rglob("*") if "onnxruntime" in path.name] == []
