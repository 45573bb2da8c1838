"""Fixtures of the host tests. Without GIMP they are skipped, except where LAYERLIFT_TEST_HOSTS=1 or CI is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .gimp import Gimp, make_template, missing_programs


def require(window: bool) -> None:
    """Skip the test, or fail it where hosts must be there, if a program is missing."""
    missing = missing_programs(window)
    if not missing:
        return
    reason = f"missing for this test: {', '.join(missing)} (python3 tests --hosts installs them)"
    if os.environ.get("LAYERLIFT_TEST_HOSTS") == "1" or os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def gimp_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that GIMP was started with once."""
    require(window=False)
    return make_template(tmp_path_factory.mktemp("gimp"))


@pytest.fixture
def gimp(gimp_template: Path, tmp_path: Path) -> Gimp:
    """A GIMP with a fresh profile."""
    return Gimp(tmp_path / "gimp", gimp_template)


@pytest.fixture
def gimp_on_a_screen(gimp: Gimp) -> Gimp:
    """A GIMP that can also be run in a window."""
    require(window=True)
    return gimp
