"""What an installation is, and what the installer does with one, in a real virtual environment on real folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.waiting import wait_for
from PIL import Image

from plugin.installer import record
from plugin.installer.environment import Environment
from plugin.installer.search import find_hosts

from .users import LONG, PHOTO, User, copy_checkout
from .wheelhouse import unreachable


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, checkout: Path, wheels: Path) -> User:
    """A user with a GIMP and a Krita whose first install was killed half-way, and whose second one went through."""
    user = User(tmp_path_factory.mktemp("installed"), checkout, wheels)
    user.profile.mkdir(parents=True)
    user.kritarc.write_text("[python]\nenable_layerlift=false\n")
    environment = Environment(user.data / "env")
    first = subprocess.Popen(user.command(), env=user.variables, stdout=subprocess.DEVNULL)
    wait_for(environment.python.exists, LONG)
    first.kill()
    first.wait()
    assert not environment.state()
    user.install()
    return user


def test_an_install_that_was_killed_half_way_is_made_whole_by_the_next(installed: User) -> None:
    environment = Environment(installed.data / "env")
    assert environment.state()
    where = environment.call("-c", "import layerlift; print(layerlift.__file__)").output
    assert where.startswith(str(installed.data))


def test_the_plug_in_is_put_into_each_editor_as_shipped_and_names_its_python(installed: User) -> None:
    gimp, krita = find_hosts(installed.system)
    assert (gimp.folder, krita.folder) == (installed.folder, installed.pykrita / "layerlift")
    for host in (gimp, krita):
        for name, source in host.files(installed.checkout).items():
            assert (host.folder / name).read_bytes() == source.read_bytes()
        python = json.loads((host.folder / "worker.json").read_text())["python"]
        assert python == str(Environment(installed.data / "env").python)
        assert Path(python).exists()
    assert os.access(installed.folder / "layerlift.py", os.X_OK)
    assert {"__init__.py", "layerlift.action", "bridge.py"} <= krita.files(installed.checkout).keys()


def test_krita_finds_the_plug_in_beside_its_folder_and_is_told_to_load_it(installed: User) -> None:
    shipped = installed.checkout / "plugin" / "krita" / "layerlift.desktop"
    assert (installed.pykrita / "layerlift.desktop").read_bytes() == shipped.read_bytes()
    assert installed.kritarc.read_text() == "[python]\nenable_layerlift=true\n"


def test_a_second_install_rewrites_nothing(installed: User) -> None:
    before = installed.snapshot()
    assert installed.install().count("up to date") == 3
    assert installed.snapshot() == before


def test_the_checkout_is_left_as_it_was(installed: User) -> None:
    made = {path.name for path in installed.checkout.rglob("*")}
    assert not made & {"build", "layerlift.egg-info"}


def test_a_second_installer_waits_for_the_first(installed: User) -> None:
    with record.only_installer(installed.data):
        second = subprocess.Popen(installed.command(), env=installed.variables, stdout=subprocess.PIPE, text=True)
        assert second.stdout
        assert "Another installer is running" in second.stdout.readline()
    assert "up to date" in second.communicate(timeout=LONG)[0]
    assert second.returncode == 0


def test_the_doctor_finds_all_well_after_an_install(installed: User) -> None:
    lines = installed.install("--check").splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [
        "note  GIMP 2.10 can't be asked from here; look for Filters > Remove Background in it",
        "note  Krita can't be asked from here; look for Tools > Remove Background in it",
    ]


def test_the_doctor_names_a_damaged_plug_in_and_an_install_mends_it(installed: User) -> None:
    (installed.folder / "bridge.py").write_text("damaged")
    (installed.folder / "layerlift.py").chmod(0o644)
    said = installed.install("--check", status=1)
    assert "layerlift.py may not be run; bridge.py differs: run `python3 install.py`" in said
    installed.install()
    assert "FAIL" not in installed.install("--check")


def test_the_doctor_says_where_a_plug_in_was_switched_off_in_krita_and_changes_nothing(installed: User) -> None:
    off = "[python]\nenable_layerlift=false\n"
    installed.kritarc.write_text(off)
    said = installed.install("--check", status=1)
    assert f"FAIL  Krita: switched on in {installed.kritarc}: it is not: tick Layerlift" in said
    assert installed.kritarc.read_text() == off
    installed.install()
    assert "FAIL" not in installed.install("--check")


def test_the_trial_without_a_gimp_makes_a_cut_out_on_the_command_line(installed: User) -> None:
    photo = installed.home / 'my "best" phötö.jpg'
    shutil.copy(PHOTO, photo)
    said = installed.install("--try", str(photo))
    assert "(made on the command line in" in said
    assert "offline: nothing was uploaded" in said
    (line,) = (line for line in said.splitlines() if line.startswith("The cut-out is "))
    with Image.open(line[len("The cut-out is ") :]) as cutout, Image.open(PHOTO) as original:
        assert cutout.size == original.size
        assert cutout.getchannel("A").getpixel((220, 120)) == 255
        assert cutout.getchannel("A").getpixel((500, 10)) == 0


def test_a_plug_in_that_a_newer_gimp_took_over_with_its_settings_is_removed_with_the_rest(installed: User) -> None:
    newer, foreign = (installed.profile.with_name(version) for version in ("3.0", "3.2"))
    shutil.copytree(installed.profile, newer)
    shutil.copytree(installed.profile, foreign)
    (foreign / "plug-ins" / "layerlift" / "worker.json").write_text('{"python": "/elsewhere/bin/python"}')
    try:
        said = installed.install("--uninstall", "--dry-run")
    finally:
        shutil.rmtree(newer)
        shutil.rmtree(foreign)
    assert said.count("would remove") == 5
    assert f"would remove enable_layerlift from {installed.kritarc}" in said
    assert f"would remove {newer / 'plug-ins' / 'layerlift'}" in said
    assert str(foreign) not in said


def test_the_doctor_asks_each_gimp_and_shows_what_it_prints_of_a_plug_in_that_it_does_not_take(installed: User) -> None:
    gimp = installed.programs / "gimp-console-2.10"
    folder = f"{installed.folder}/layerlift.py"
    installed.has_program(
        gimp.name,
        f"""echo "File {folder}, line 1" >&2; echo "No module named gi" >&2
        for name in layerlift layerlift-all layerlift-settings; do echo "python-fu-$name is unknown" >&2; done""",
    )
    try:
        said = installed.install("--check", status=1)
        installed.has_program(gimp.name, "echo cannot open shared object >&2; exit 127")
        silent = installed.install("--check", status=1)
    finally:
        gimp.unlink()
    assert "FAIL  GIMP 2.10 knows the plug-in: it does not know python-fu-layerlift, python-fu-layerlift-all, " in said
    assert "it prints" in said
    assert "No module named gi" in said
    assert "it gave no answer" in silent
    assert "cannot open shared object" in silent


def test_the_doctor_has_a_plug_in_asked_again_that_gimp_could_not_take_before(installed: User) -> None:
    asked = installed.home / "asked"
    asked.touch()
    installed.has_program(
        "gimp-console-2.10",
        f"""is=unknown; if [ "{installed.folder}/layerlift.py" -nt "{asked}" ]; then is=registered; fi
        for name in layerlift layerlift-all layerlift-settings; do echo "python-fu-$name is $is" >&2; done""",
    )
    try:
        said = installed.install("--check")
    finally:
        (installed.programs / "gimp-console-2.10").unlink()
    assert "ok    GIMP 2.10 knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings" in said


def test_the_doctor_has_krita_load_the_plug_in_and_shows_what_it_prints_of_one_that_it_can_not(installed: User) -> None:
    runner = installed.programs / "kritarunner"
    asked = """if [ "$1" = --version ]; then echo kritarunner 5.1.5; exit; fi"""
    try:
        installed.has_program(runner.name, f"{asked}\necho layerlift is loaded")
        loaded = installed.install("--check")
        folder = '"$XDG_DATA_HOME/kritarunner/pykrita/layerlift"'
        installed.has_program(runner.name, f"""{asked}\necho 'krita.scripting: "File \\"'{folder}'\\", line 1"'""")
        broken = installed.install("--check", status=1)
        installed.has_program(runner.name, f"""{asked}\necho "krita.scripting: \\"No module named 'PyQt5'\\"" """)
        bare = installed.install("--check", status=1)
        installed.has_program(runner.name, f"{asked}\necho cannot open shared object >&2; exit 127")
        silent = installed.install("--check", status=1)
    finally:
        runner.unlink()
    assert "ok    Krita knows layerlift" in loaded
    assert f'it does not know layerlift: it prints\n    File "{installed.pykrita}/layerlift", line 1' in broken
    assert "sudo apt install python3-pyqt5" in bare
    assert "FAIL  Krita knows the plug-in: it gave no answer" in silent
    assert "cannot open shared object" in silent


def test_a_photo_that_is_none_ends_the_trial_with_the_reason(installed: User) -> None:
    photo = installed.home / "text.jpg"
    photo.write_text("no photo")
    said = installed.install("--try", str(photo), status=1)
    assert "The background could not be removed on the command line" in said
    assert "text.jpg" in said


def test_a_new_release_that_can_not_be_installed_leaves_the_old_one_working(installed: User, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    copy_checkout(newer)
    (newer / "shared" / "layerlift" / "__init__.py").write_text('"""Newer."""\n\n__version__ = "99.0"\n')
    before = installed.snapshot()
    old, installed.checkout = installed.checkout, newer
    try:
        said = installed.install(status=1, **unreachable())
        assert "of another release" in installed.install("--check", status=1)
    finally:
        installed.checkout = old
    assert "Check the network connection" in said
    assert installed.snapshot().keys() == before.keys()
    assert "FAIL" not in installed.install("--check")


def test_a_host_that_can_not_be_served_does_not_hold_the_others_up(installed: User) -> None:
    installed.has_program("snap", 'if [ "$1" = list ]; then echo "gimp 2.10.38"; else exit 1; fi')
    damaged = installed.folder / "bridge.py"
    damaged.write_text("damaged")
    try:
        said = installed.install(status=1)
    finally:
        (installed.programs / "snap").unlink()
    assert "GIMP 2.10 (Snap): The environment" in said
    assert "GIMP 2.10: the plug-in is in" in said
    assert "FAIL" not in installed.install("--check")
