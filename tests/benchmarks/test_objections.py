"""The faults that `objections.py` puts back can still be put back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from objections import CHECKOUT, FAULTS


@pytest.mark.skipif(not shutil.which("git"), reason="git is not there")
@pytest.mark.parametrize("patch", sorted(FAULTS.glob("*.patch")), ids=lambda patch: patch.stem)
def test_a_fault_applies_to_the_present_code(patch: Path) -> None:
    done = subprocess.run(["git", "apply", "--check", str(patch)], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, f"make it anew for the lines of today: {done.stderr}"
