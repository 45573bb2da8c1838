"""Measures how long a worker takes from its start to its hello: `python tests/benchmarks/start_up.py [RUNS]`.

Beside it stands the floor: the same Python that starts and does nothing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

AIM_SECONDS = 0.4
FLOOR = [sys.executable, "-I", "-c", "print()"]
WORKER = [sys.executable, "-I", "-m", "layerlift.worker"]


def first_line(command: list[str], environ: dict[str, str]) -> float:
    """Seconds until the command has said its first line; then it is ended by the end of its input."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    return seconds


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as home:
        for name, command in (("Python alone", FLOOR), ("worker to hello", WORKER)):
            times = [first_line(command, {"LAYERLIFT_HOME": home}) for _ in range(runs)]
            spread = f"{min(times):.3f} to {max(times):.3f}"
            print(f"{name:16} {statistics.median(times):.3f} s (median of {runs}, {spread})")
    print(f"aim              {AIM_SECONDS:.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
