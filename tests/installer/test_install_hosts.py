"""The installer and the real GIMP and Krita of each system, for one user of both.

GIMP is one that was never started, Krita one that was. All tests look at one installation, those of its end last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hosts.conftest import require
from hosts.krita import Krita, kept_template
from hosts.window import missing_for_windows
from PIL import Image

from plugin.installer.kritarc import Kritarc

from .machines import Machine
from .users import PHOTO, HostUser


class Editor(NamedTuple):
    """A GIMP or a Krita: what messages call it, and the plug-in's folder."""

    name: str
    folder: Path


class FirstUse(NamedTuple):
    """What Krita's first window after the install has shown: pixels as blue, green, red and alpha."""

    original: list[int]
    face: list[int]
    corner: list[int]
    stayed_off: bool


class Removed(NamedTuple):
    """What was there after an uninstall."""

    before: bytes
    after: bytes
    left: set[Path]
    check: str
    loaded: bool
    stayed_on: bool


@pytest.fixture(scope="module")
def installed_krita(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Krita | None:
    """A Krita that was started before, in the user's home; None where there is none."""
    if machine.krita.missing() or missing_for_windows():
        return None
    template = kept_template(tmp_path_factory.mktemp("template"), machine.krita)
    return Krita(tmp_path_factory.mktemp("Zoë's krita"), machine.krita, template)


@pytest.fixture(scope="module")
def user(machine: Machine, installed_krita: Krita | None, tmp_path_factory: pytest.TempPathFactory) -> HostUser:
    """Somebody who has not installed anything yet."""
    missing = machine.missing()
    if len(missing) == len(machine.editors):
        require([name for names in missing for name in names])
    home = installed_krita.home if installed_krita else tmp_path_factory.mktemp("Zoë's home")
    return HostUser(home, machine.system)


@pytest.fixture(scope="module")
def photo(user: HostUser, machine: Machine) -> Path:
    """The portrait; each machine's has a name of its own, as all cut-outs come into one folder."""
    return Path(shutil.copy(PHOTO, user.home / f'my "best" phötö of {machine}.jpg'))


@pytest.fixture(scope="module")
def said(user: HostUser, machine: Machine, photo: Path) -> str:
    """What the install from nothing printed, and the trial in GIMP where there is one."""
    return user.install(*(("--try", str(photo)) if machine.gimp and not machine.gimp.missing() else ()))


@pytest.fixture(scope="module")
def gimp(user: HostUser, machine: Machine, said: str) -> Editor:
    """The GIMP in which the plug-in is installed."""
    assert machine.gimp
    require(machine.gimp.missing())
    profile = user.home / ".config" / "GIMP" / machine.gimp.name
    return Editor(f"GIMP {machine.gimp}", profile / "plug-ins" / "layerlift")


@pytest.fixture(scope="module")
def krita(user: HostUser, machine: Machine, installed_krita: Krita | None, said: str) -> Krita:
    """The Krita in which the plug-in is installed."""
    require([*machine.krita.missing(), *missing_for_windows()])
    assert installed_krita
    return installed_krita


@pytest.fixture(scope="module")
def first_use(krita: Krita) -> FirstUse:
    """A removal in Krita, while whose window is open the plug-in is switched off; afterwards it is on again."""
    kritarc = Kritarc(krita.kritarc)
    with krita.window() as window:
        original, face, corner = window.run(removal, str(PHOTO), timeout=300)
        assert kritarc.forget()
    stayed_off = not kritarc.is_on()
    kritarc.switch_on()
    return FirstUse(original, face, corner, stayed_off)


@pytest.fixture(scope="module")
def checked(user: HostUser, said: str) -> str:
    """What `--check` printed."""
    return user.install("--check")


@pytest.fixture(scope="module")
def damaged(user: HostUser, machine: Machine, said: str) -> Iterator[str]:
    """What `--check` printed of plug-ins that neither GIMP nor Krita can load."""
    program = user.home / ".config" / "GIMP" / str(machine.gimp) / "plug-ins" / "layerlift" / "layerlift.py"
    # A folder of somebody's own, which Python prefers to the file of that name.
    own = krita_folder(user) / "widgets" / "__init__.py"
    if program.exists():
        broken = program.read_text("ascii").replace(
            "from choices import", "import a_module_that_is_not_here\nfrom choices import"
        )
        program.write_text(broken)
    if krita_folder(user).exists():
        own.parent.mkdir()
        own.write_text("import a_module_that_is_not_here\n")
    yield user.install("--check", status=1)


@pytest.fixture(scope="module")
def mended(user: HostUser, damaged: str) -> str:
    """What `--check` printed after another install, and after the user's own folder was gone."""
    shutil.rmtree(krita_folder(user) / "widgets", ignore_errors=True)
    user.install()
    return user.install("--check")


@pytest.fixture(scope="module")
def removed(user: HostUser, installed_krita: Krita | None, said: str) -> Removed:
    """What an uninstall has left, and a window of Krita after it, while which the plug-in was switched on once more."""
    before = installed_krita.kritarc.read_bytes() if installed_krita else b""
    user.install("--uninstall")
    after = installed_krita.kritarc.read_bytes() if installed_krita else b""
    left = {path for path in user.home.rglob("*layerlift*") if ".cache" not in path.parts and "driver" not in path.name}
    check = user.install("--check", status=1)
    loaded, stayed_on = False, True
    if installed_krita:
        kritarc = Kritarc(installed_krita.kritarc)
        with installed_krita.window() as window:
            kritarc.switch_on()
            loaded = window.run(is_loaded)
        stayed_on = kritarc.is_on()
    return Removed(before, after, left, check, loaded, stayed_on)


def krita_folder(user: HostUser) -> Path:
    return user.home / ".local" / "share" / "krita" / "pykrita" / "layerlift"


def test_a_user_gets_from_nothing_to_a_cut_out_that_gimp_made(gimp: Editor, said: str, photo: Path) -> None:
    assert f"(made in {gimp.name} in" in said
    assert "offline: nothing was uploaded" in said
    (named,) = (line for line in said.splitlines() if line.startswith("The cut-out is "))
    cutout = Path(named[len("The cut-out is ") :])
    with Image.open(cutout) as picture, Image.open(photo) as original:
        assert picture.mode == "RGBA"
        assert picture.size == original.size
        alpha = picture.getchannel("A")
    cutout.unlink()
    # The portrait's face and its upper right corner.
    assert alpha.getpixel((220, 120)) == 255
    assert alpha.getpixel((500, 10)) == 0


def test_gimp_has_made_its_profile_itself_and_the_plug_in_is_in_a_folder_of_its_name(gimp: Editor) -> None:
    assert (gimp.folder.parent.parent / "brushes").is_dir()
    assert os.access(gimp.folder / "layerlift.py", os.X_OK)


def test_krita_has_the_plug_in_from_its_next_start_on(user: HostUser, krita: Krita, said: str) -> None:
    assert (
        f"Krita: the plug-in is in {krita_folder(user)}; after a restart it is under Tools > Remove Background" in said
    )


def test_krita_removes_a_background_right_after_the_install(first_use: FirstUse) -> None:
    assert first_use.face == first_use.original
    assert first_use.corner[3] == 0


def test_gimp_itself_is_asked_whether_it_knows_the_plug_in(gimp: Editor, checked: str) -> None:
    assert "FAIL" not in checked
    assert (
        f"ok    {gimp.name} knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings" in checked
    )


def test_krita_itself_is_asked_whether_it_can_load_the_plug_in(krita: Krita, checked: str) -> None:
    assert "FAIL" not in checked
    assert f"ok    Krita: switched on in {krita.kritarc}" in checked
    assert "ok    Krita knows layerlift" in checked


def test_a_second_install_changes_nothing(user: HostUser, machine: Machine, said: str) -> None:
    before = user.snapshot()
    # The environment's line, one for each editor, and for any other on this system.
    assert user.install().count("up to date") >= 1 + len(machine.editors) - len(machine.missing())
    assert user.snapshot() == before


def test_a_photo_that_is_none_ends_the_trial_with_gimps_own_words(user: HostUser, gimp: Editor) -> None:
    photo = user.home / "text.jpg"
    photo.write_text("no photo")
    said = user.install("--try", str(photo), status=1)
    assert f"The background could not be removed in {gimp.name}" in said
    assert "text.jpg" in said


def test_a_plug_in_that_gimp_can_not_take_is_told_with_what_gimp_prints(
    gimp: Editor, damaged: str, mended: str
) -> None:
    assert "layerlift.py differs: run `python3 install.py`" in damaged
    assert f"FAIL  {gimp.name} knows the plug-in: it does not know python-fu-layerlift" in damaged
    assert "FAIL" not in mended


def test_a_plug_in_that_krita_can_not_load_is_told_with_what_krita_prints(
    user: HostUser, krita: Krita, damaged: str
) -> None:
    assert "FAIL  Krita knows the plug-in: it does not know layerlift: it prints" in damaged
    assert f'File "{krita_folder(user) / "widgets" / "__init__.py"}", line 1' in damaged
    assert "No module named 'a_module_that_is_not_here'" in damaged


def test_a_resource_folder_that_was_chosen_in_krita_gets_the_plug_in(user: HostUser, krita: Krita, mended: str) -> None:
    chosen = user.home / "my resources"
    usual = krita.kritarc.read_bytes()
    krita.kritarc.write_bytes(f"ResourceDirectory={chosen}\n".encode() + usual)
    try:
        krita.resources.rename(chosen)
        said = user.install("--dry-run")
        with krita.window() as window:
            assert window.run(is_loaded)
    finally:
        chosen.rename(krita.resources)
        krita.kritarc.write_bytes(usual)
    assert f"Krita: the plug-in is up to date in {chosen / 'pykrita' / 'layerlift'}" in said


def test_an_uninstall_takes_all_away_but_what_was_paid_for(user: HostUser, removed: Removed) -> None:
    state, settings = user.home / ".local" / "state" / "layerlift", user.home / ".config" / "layerlift"
    kept = {state, state / "layerlift.log", settings}
    assert removed.left <= kept, "what the user has paid for stays, the log beside it, and the settings"
    assert "FAIL" in removed.check


def test_an_uninstall_leaves_kritas_own_settings(krita: Krita, first_use: FirstUse, removed: Removed) -> None:
    assert b"enable_layerlift=true\n" in removed.before
    assert removed.after == removed.before.replace(b"enable_layerlift=true\n", b"")
    assert not removed.loaded
    assert "it is not: tick Layerlift" in removed.check


def test_what_the_installer_switches_while_krita_runs_stays_switched(
    krita: Krita, first_use: FirstUse, removed: Removed
) -> None:
    assert first_use.stayed_off
    assert removed.stayed_on


# ruff: noqa: F821 - what follows runs inside Krita


def is_loaded() -> Any:
    return k.action("layerlift_remove") is not None


def removal(photo: str) -> Any:
    from removals import ended, listen

    listen()
    document = yield from open_document(photo)
    (original,) = document.topLevelNodes()
    k.action("layerlift_remove").trigger()
    yield lambda: len(document.topLevelNodes()) == 2, 280
    # Krita crashes where a document closes in the midst of the plug-in's step.
    yield from ended()
    cutout = document.topLevelNodes()[1]
    places = ((original, 220, 120), (cutout, 220, 120), (cutout, 500, 10))
    return [list(pixels(node, x, y, 1, 1)) for node, x, y in places]
