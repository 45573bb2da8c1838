"""The installer and every real Krita, for a user who has worked with it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hosts.krita import Krita
from hosts.versions import KritaVersion

from plugin.installer.kritarc import Kritarc

from .users import PHOTO, HostUser


class KritaUser(HostUser):
    """A user with a Krita that was started before."""

    def __init__(self, krita: Krita) -> None:
        super().__init__(krita.home, krita.version)
        self.krita = krita
        self.folder = krita.resources / "pykrita" / "layerlift"
        self.kritarc = Kritarc(krita.kritarc)


@pytest.fixture(scope="module")
def user(version: KritaVersion, krita_template: Path, tmp_path_factory: pytest.TempPathFactory) -> KritaUser:
    """Somebody who has gone from a Krita to one with the plug-in."""
    user = KritaUser(Krita(tmp_path_factory.mktemp("Zoë's krita"), version, krita_template))
    said = user.install()
    assert f"Krita: the plug-in is in {user.folder}; after a restart it is under Tools > Remove Background" in said
    return user


def test_krita_removes_a_background_right_after_the_install(user: KritaUser) -> None:
    with user.krita.window() as window:
        # The portrait's face and its upper right corner, each as blue, green, red and alpha.
        original, face, corner = window.run(removal, str(PHOTO), timeout=300)
    assert face == original
    assert corner[3] == 0


def test_krita_itself_is_asked_whether_it_can_load_the_plug_in(user: KritaUser) -> None:
    said = user.install("--check")
    assert "FAIL" not in said
    assert f"ok    Krita: switched on in {user.kritarc.file}" in said
    assert "ok    Krita knows layerlift" in said


def test_a_second_install_changes_nothing(user: KritaUser) -> None:
    before = user.snapshot()
    assert f"Krita: the plug-in is up to date in {user.folder}" in user.install()
    assert user.snapshot() == before


def test_a_plug_in_that_krita_can_not_load_is_told_with_what_krita_prints(user: KritaUser) -> None:
    # A folder of somebody's own, which Python prefers to the file of that name.
    own = user.folder / "bridge" / "__init__.py"
    own.parent.mkdir()
    own.write_text("import a_module_that_is_not_here\n")
    said = user.install("--check", status=1)
    shutil.rmtree(own.parent)
    assert "FAIL  Krita knows the plug-in: it does not know layerlift: it prints" in said
    assert f'File "{own}", line 1' in said
    assert "No module named 'a_module_that_is_not_here'" in said


def test_what_the_installer_switches_while_krita_runs_stays_switched(user: KritaUser) -> None:
    with user.krita.window():
        assert user.kritarc.forget()
    assert not user.kritarc.is_on()
    with user.krita.window() as window:
        user.kritarc.switch_on()
        assert not window.run(is_loaded)
    assert user.kritarc.is_on()


def test_a_resource_folder_that_was_chosen_in_krita_gets_the_plug_in(user: KritaUser) -> None:
    chosen = user.home / "my resources"
    usual = user.krita.kritarc.read_bytes()
    user.krita.kritarc.write_bytes(f"ResourceDirectory={chosen}\n".encode() + usual)
    try:
        user.krita.resources.rename(chosen)
        said = user.install("--dry-run")
        with user.krita.window() as window:
            assert window.run(is_loaded)
    finally:
        chosen.rename(user.krita.resources)
        user.krita.kritarc.write_bytes(usual)
    assert f"Krita: the plug-in is up to date in {chosen / 'pykrita' / 'layerlift'}" in said


def test_an_uninstall_takes_all_away_and_leaves_kritas_own_settings(user: KritaUser) -> None:
    settings = user.krita.kritarc.read_bytes()
    user.install("--uninstall")
    assert user.krita.kritarc.read_bytes() == settings.replace(b"enable_layerlift=true\n", b"")
    left = [path for path in user.krita.resources.rglob("layerlift*") if "driver" not in path.name]
    assert left == []
    with user.krita.window() as window:
        assert not window.run(is_loaded)
    assert "it is not: tick Layerlift" in user.install("--check", status=1)


# ruff: noqa: F821 - what follows runs inside Krita


def is_loaded() -> Any:
    return k.action("layerlift_remove") is not None


def removal(photo: str) -> Any:
    document = yield from open_document(photo)
    (original,) = document.topLevelNodes()
    k.action("layerlift_remove").trigger()
    yield lambda: len(document.topLevelNodes()) == 2, 280
    cutout = document.topLevelNodes()[1]
    places = ((original, 220, 120), (cutout, 220, 120), (cutout, 500, 10))
    return [list(pixels(node, x, y, 1, 1)) for node, x, y in places]
