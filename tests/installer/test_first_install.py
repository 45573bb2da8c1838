"""First installs that fail, in real virtual environments on real folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from .users import User
from .wheelhouse import unreachable


@pytest.fixture
def user(tmp_path: Path, checkout: Path, wheels: Path) -> User:
    """A user who has not installed anything yet."""
    return User(tmp_path, checkout, wheels)


def test_without_a_network_the_install_says_so_and_leaves_nothing_half(user: User) -> None:
    said = user.install(status=1, **unreachable())
    assert "Check the network connection" in said
    assert not (user.data / "env").exists()
    user.install("--uninstall")
    assert user.snapshot() == {}


@pytest.mark.parametrize("limit", [1_000_000, 10_000_000])
def test_on_a_full_disk_the_install_says_so_and_leaves_nothing_half(user: User, limit: int) -> None:
    said = user.install(status=1, limit=limit)
    assert "free disk space" in said
    assert not (user.data / "env").exists()
