"""Fixtures of the installer's tests: wheels, a checkout, and every GIMP and Krita as the host tests have them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hosts.conftest import krita_template, pytest_generate_tests

from .users import copy_checkout, wheels_for

__all__ = ["krita_template", "pytest_generate_tests"]


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
