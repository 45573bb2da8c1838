"""How strict the tests are: puts faults back, one at a time, and prints which test objects to each.

    .venv/bin/python tests/benchmarks/objections.py [WORD...]

A fault is a patch in `faults/`, whose head says what it does and which tests should object, as pytest arguments. Each
is applied to a clone of HEAD with an environment of its own, and the first test that fails is printed. Where none
fails, or the patch no longer applies since its lines have changed, the exit status is 1. The faults in GIMP and Krita
need what `python3 tests --hosts` has made. Words choose the faults that have one of them in their names.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FAULTS = Path(__file__).resolve().parent / "faults"


def main(words: list[str]) -> int:
    """Put the faults back one after the other; 0 where each met an objection."""
    faults = [
        patch for patch in sorted(FAULTS.glob("*.patch")) if not words or any(word in patch.stem for word in words)
    ]
    with tempfile.TemporaryDirectory(prefix="layerlift-objections-") as folder:
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), folder], check=True)
        objections = [objection(patch, Path(folder)) for patch in faults]
    met = sum(objections)
    print(f"{met} of {len(faults)} faults met an objection.")
    return 0 if met == len(faults) else 1


def objection(patch: Path, clone: Path) -> bool:
    """Whether a test objects to the fault; prints which was the first."""
    began = time.monotonic()
    applied = subprocess.run(["git", "apply", str(patch)], cwd=clone, capture_output=True, text=True, check=False)
    if applied.returncode:
        print(f"{patch.stem}: DOES NOT APPLY\n{applied.stderr}", flush=True)
        return False
    (tests,) = re.findall(r"^tests: (.*)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    command = [sys.executable, "tests", "-q", "-x", "-p", "no:cacheprovider", *shlex.split(tests)]
    try:
        run = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    finally:
        subprocess.run(["git", "apply", "--reverse", str(patch)], cwd=clone, check=True)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.MULTILINE)
    # Any other status than that of a failed test says nothing of the fault.
    found = failed[1] if failed and run.returncode == 1 else f"NOBODY OBJECTS\n{run.stdout[-2000:]}{run.stderr[-500:]}"
    print(f"{patch.stem}: {found} ({time.monotonic() - began:.0f} s)", flush=True)
    return bool(failed) and run.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
