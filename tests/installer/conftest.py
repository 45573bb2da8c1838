"""Fixtures of the installer's tests: wheels, a checkout, and every system with a GIMP and a Krita."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from .machines import MACHINES
from .users import copy_checkout, wheels_for


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a machine on each, or on those that have a GIMP where it asks for that."""
    if "machine" in metafunc.fixturenames:
        machines = [machine for machine in MACHINES if machine.gimp or "gimp" not in metafunc.fixturenames]
        metafunc.parametrize("machine", machines, ids=str, scope="module")


class ByMachine(LoadFileScheduling):  # type: ignore[misc]
    """Runs the tests of a file in one process, and of a file whose tests run on each machine those of a machine."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        return next((f"{file} {machine}" for machine in MACHINES if name.endswith(f"[{machine}]")), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByMachine | None:
    """Let machines go side by side: what shares an installation stays together all the same."""
    return ByMachine(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def wheels() -> Path:
    """What an install by this Python takes."""
    return wheels_for([sys.executable], dict(os.environ))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, at a path with spaces and letters that are not ASCII."""
    folder = tmp_path_factory.mktemp("Müller & Söhne") / "check out"
    copy_checkout(folder)
    return folder
