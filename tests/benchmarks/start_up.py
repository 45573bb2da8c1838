"""Measures a worker's start: `python tests/benchmarks/start_up.py [RUNS]`.

A host may write pixels from the hello on, while the worker loads what it works with; its first answer comes after that.
Beside them stands the floor: the same Python that starts and does nothing.
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
QUESTION = b'{"type": "job", "id": "1", "pixels": "none", "width": 1, "height": 1, "channels": 1, "engine": "youcam"}\n'


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


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = (("Python alone", FLOOR, 1), ("worker to its hello", WORKER, 1), ("worker to its first answer", WORKER, 2))
    with tempfile.TemporaryDirectory() as home:
        for name, command, number in rows:
            times = [seconds_to_line(command, {"LAYERLIFT_HOME": home}, number) for _ in range(runs)]
            spread = f"{min(times):.3f} to {max(times):.3f}"
            print(f"{name:27} {statistics.median(times):.3f} s (median of {runs}, {spread})")
    print(f"{'aim':27} {AIM_SECONDS:.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
