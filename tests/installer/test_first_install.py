"""The installer from nothing to a real virtual environment, and back again, on real folders."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .users import User
from .wheelhouse import unreachable


@pytest.fixture
def user(tmp_path: Path, checkout: Path, wheels: Path) -> User:
    """A user who has not installed anything yet."""
    return User(tmp_path, checkout, wheels)


def test_the_sandbox_of_a_flatpak_gets_an_environment_of_its_own_python(user: User) -> None:
    user.has_program(
        "flatpak",
        f"""case "$1 $2" in
        "info org.gimp.GIMP") echo "Version: 3.2.6";;
        "info --show-permissions") echo "filesystems=xdg-config/gtk-3.0:ro;xdg-config/GIMP:create;host;";;
        "run --command=python3") shift 3; exec "{sys.executable}" "$@";;
        "run --command=gimp-console-3.2") /bin/mkdir -p "$HOME/.config/GIMP/3.2"
            echo "script-fu-Warning: python-fu-layerlift is registered" >&2
            echo "script-fu-Warning: python-fu-layerlift-all is registered" >&2
            echo "script-fu-Warning: python-fu-layerlift-settings is registered" >&2;;
        *) program="${{2#--command=}}"; shift 3; exec "$program" "$@";;
        esac""",
    )
    own = user.home / ".var" / "app" / "org.gimp.GIMP"
    user.install()
    folder = user.home / ".config" / "GIMP" / "3.2" / "plug-ins" / "layerlift"
    python = own / "data" / "layerlift" / "env" / "bin" / "python"
    assert json.loads((folder / "worker.json").read_text()) == {"python": str(python)}
    said = user.install("--check")
    assert (
        "ok    GIMP 3.2 (Flatpak) knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings"
        in said
    )
    assert "FAIL" not in said
    user.install("--uninstall")
    assert not folder.exists()
    assert not python.exists()


def test_an_uninstall_leaves_the_home_folder_as_it_was_and_keeps_what_the_user_put_there(user: User) -> None:
    user.profile.mkdir(parents=True)
    (user.profile / "gimprc").write_text("(default-grid)")
    user.kritarc.write_bytes(b"a=1\r\n\r\n[theme]\r\nTheme=Krita dark\r\n")
    before, settings = user.snapshot(), user.kritarc.read_bytes()
    user.install()
    assert user.kritarc.read_bytes() != settings
    own = user.folder / "my notes.txt"
    own.write_text("mine")
    (user.data / "settings.json").write_text("{}")
    assert "are kept" in user.install("--uninstall")
    kept = {str(path) for path in (own, *own.parents) if user.profile in path.parents}
    kept |= {
        str(path) for path in (user.data / "settings.json", user.data, *user.data.parents) if user.home in path.parents
    }
    assert user.snapshot().keys() == before.keys() | kept
    assert user.kritarc.read_bytes() == settings
    assert "nothing to remove" in user.install("--uninstall")
    own.unlink()
    assert user.snapshot().keys() - before.keys() == kept - {str(own)}


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
