"""Measures a worker's start, and a plug-in's in every real GIMP: `python tests/benchmarks/start_up.py [RUNS]`.

A host may write pixels from the hello on, while the worker loads what it works with; its first answer comes after that.
Beside them stands the floor: the same Python that starts and does nothing. The plug-in does nothing either, so that
what is measured is its process, gimpfu, and the host's library below that, from GIMP's call to its return.
"""

# ruff: noqa: F821 - bodies run inside GIMP

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from tests.hosts.gimp import Gimp, make_template  # noqa: E402
from tests.hosts.versions import VERSIONS, Version  # noqa: E402

AIM_SECONDS = 0.4
FLOOR = [sys.executable, "-I", "-c", "print()"]
WORKER = [sys.executable, "-I", "-m", "layerlift.worker"]
QUESTION = b'{"type": "job", "id": "1", "pixels": "none", "width": 1, "height": 1, "channels": 1, "engine": "youcam"}\n'

NOTHING = """#!/usr/bin/env python3
from gimpfu import *

register("nothing", "", "", "", "", "", None, None, [], [], lambda: None)
main()
"""


def seconds_to_line(command: list[str], environ: dict[str, str], number: int) -> float:
    """Seconds until the command has said that many lines; then it is ended by the end of its input."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdin is not None and process.stdout is not None
        if number > 1:
            process.stdin.write(QUESTION)
            process.stdin.flush()
        for _ in range(number):
            assert process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    return seconds


def calls(runs: int) -> Any:
    """Runs inside GIMP: seconds of each call of the plug-in that does nothing; the first one only warms up."""
    import time

    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        pdb.python_fu_nothing()
        times.append(time.perf_counter() - started)
    return times[1:]


def plug_in_times(version: Version, runs: int) -> list[float]:
    """Seconds of a plug-in that does nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "nothing.py"
        source.write_text(NOTHING)
        with Gimp(folder / "gimp", version, make_template(folder, version)) as gimp:
            gimp.add_plug_in(source)
            return list(gimp.python(calls, runs))


def show(name: str, times: list[float]) -> None:
    spread = f"{min(times):.3f} to {max(times):.3f}"
    print(f"{name:27} {statistics.median(times):.3f} s (median of {len(times)}, {spread})", flush=True)


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = (("Python alone", FLOOR, 1), ("worker to its hello", WORKER, 1), ("worker to its first answer", WORKER, 2))
    with tempfile.TemporaryDirectory() as home:
        for name, command, number in rows:
            show(name, [seconds_to_line(command, {"LAYERLIFT_HOME": home}, number) for _ in range(runs)])
    print(f"{'aim':27} {AIM_SECONDS:.3f} s")
    for version in VERSIONS.values():
        if missing := version.missing():
            print(f"a plug-in in GIMP {version}: not measured without {', '.join(missing)}")
        else:
            show(f"a plug-in in GIMP {version}", plug_in_times(version, runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
