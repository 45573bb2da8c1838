"""What an installation is, and what the installer does with one, in a real virtual environment on real folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.waiting import wait_for
from PIL import Image

from plugin.installer import record
from plugin.installer.environment import Environment
from plugin.installer.plugin import PluginFolder
from plugin.installer.search import find_hosts

from .users import LONG, PHOTO, User, copy_checkout
from .wheelhouse import unreachable

SETTINGS = b"a=1\r\n\r\n[theme]\r\nTheme=Krita dark\r\n"
SWITCHED_ON = b"a=1\r\n\r\n[python]\r\nenable_layerlift=true\r\n\r\n[theme]\r\nTheme=Krita dark\r\n"


class NewUser(User):
    """A user with a GIMP and a Krita, and with settings of their own in both."""

    def __init__(self, root: Path, checkout: Path, wheels: Path) -> None:
        super().__init__(root, checkout, wheels)
        self.profile.mkdir(parents=True)
        (self.profile / "gimprc").write_text("(default-grid)")
        self.kritarc.write_bytes(SETTINGS)
        self.before = self.snapshot()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, checkout: Path, wheels: Path) -> NewUser:
    """A user whose first install was killed half-way, with all its processes, and whose second one went through."""
    user = NewUser(tmp_path_factory.mktemp("installed"), checkout, wheels)
    # One install is as at a user's in this, too.
    del user.variables["PIP_COMPILE"]
    environment = Environment(user.data / "env")
    first = subprocess.Popen(user.command(), env=user.variables, stdout=subprocess.DEVNULL)
    wait_for(environment.python.exists, LONG)
    (child,) = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    first.kill()
    first.wait()
    # What it had started leads a group of its own, and would go on.
    os.killpg(int(child), signal.SIGKILL)
    assert not environment.state()
    user.install()
    return user


@pytest.fixture(scope="module")
def answers(installed: NewUser) -> dict[str, str]:
    """What `--check` makes of what stand-ins for a GIMP and a Krita answer, by the kind of the answer."""
    asked = installed.programs / "asked"
    asked.touch()
    procedures = "for name in layerlift layerlift-all layerlift-settings; do"
    loaded = "$XDG_DATA_HOME/kritarunner/pykrita/layerlift"
    silent = "echo cannot open shared object >&2; exit 127"
    scripts = {
        "loaded": (
            f"""is=unknown; if [ "{installed.folder}/layerlift.py" -nt "{asked}" ]; then is=registered; fi
            {procedures} echo "python-fu-$name is $is" >&2; done""",
            "echo layerlift is loaded",
        ),
        "broken": (
            f"""echo "File {installed.folder}/layerlift.py, line 1" >&2; echo "No module named gi" >&2
            {procedures} echo "python-fu-$name is unknown" >&2; done""",
            f"""echo 'krita.scripting: "File \\"'"{loaded}"'\\", line 1"'""",
        ),
        "silent": (silent, silent),
        "without PyQt": (silent, """echo "krita.scripting: \\"No module named 'PyQt5'\\"" """),
    }
    said = {}
    try:
        for kind, (gimp, krita) in scripts.items():
            installed.has_program("gimp-console-2.10", gimp)
            version = """if [ "$1" = --version ]; then echo kritarunner 5.1.5; exit; fi"""
            installed.has_program("kritarunner", f"{version}\n{krita}")
            said[kind] = installed.install("--check", status=0 if kind == "loaded" else 1)
    finally:
        for name in ("gimp-console-2.10", "kritarunner"):
            (installed.programs / name).unlink(missing_ok=True)
    return said


@pytest.fixture(scope="module")
def flatpak(installed: NewUser) -> Iterator[Environment]:
    """The environment that a Flatpak's sandbox got when the user installed once more."""
    installed.has_program(
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
    installed.install()
    yield Environment(installed.home / ".var" / "app" / "org.gimp.GIMP" / "data" / "layerlift" / "env")
    (installed.programs / "flatpak").unlink()


def test_an_install_that_was_killed_half_way_is_made_whole_by_the_next(installed: NewUser) -> None:
    environment = Environment(installed.data / "env")
    assert environment.state()
    where = environment.call("-c", "import layerlift; print(layerlift.__file__)").output
    assert where.startswith(str(installed.data))


def test_the_plug_in_is_put_into_each_editor_as_shipped_and_names_its_python(installed: NewUser) -> None:
    gimp, krita = find_hosts(installed.system)
    assert (gimp.folder, krita.folder) == (installed.folder, installed.pykrita / "layerlift")
    for host in (gimp, krita):
        for name, source in host.files(installed.checkout).items():
            assert (host.folder / name).read_bytes() == source.read_bytes()
        python = json.loads((host.folder / "worker.json").read_text())["python"]
        assert python == str(Environment(installed.data / "env").python)
        assert Path(python).exists()
    assert os.access(installed.folder / "layerlift.py", os.X_OK)
    assert {"__init__.py", "layerlift.action", "common/worker.py"} <= krita.files(installed.checkout).keys()


def test_krita_finds_the_plug_in_beside_its_folder_and_is_told_to_load_it(installed: NewUser) -> None:
    shipped = installed.checkout / "plugin" / "krita" / "layerlift.desktop"
    assert (installed.pykrita / "layerlift.desktop").read_bytes() == shipped.read_bytes()
    assert installed.kritarc.read_bytes() == SWITCHED_ON


def test_a_second_install_rewrites_nothing(installed: NewUser) -> None:
    before = installed.snapshot()
    assert installed.install().count("up to date") == 3
    assert installed.snapshot() == before


def test_the_checkout_is_left_as_it_was(installed: NewUser) -> None:
    made = {path.name for path in installed.checkout.rglob("*")}
    assert not made & {"build", "layerlift.egg-info"}


def test_a_second_installer_waits_for_the_first(installed: NewUser) -> None:
    with record.only_installer(installed.data):
        second = subprocess.Popen(installed.command(), env=installed.variables, stdout=subprocess.PIPE, text=True)
        assert second.stdout
        assert "Another installer is running" in second.stdout.readline()
    assert "up to date" in second.communicate(timeout=LONG)[0]
    assert second.returncode == 0


def test_the_doctor_finds_all_well_after_an_install(installed: NewUser) -> None:
    lines = installed.install("--check").splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [
        "note  GIMP 2.10 can't be asked from here; look for Filters > Remove Background in it",
        "note  Krita can't be asked from here; look for Tools > Remove Background in it",
    ]


def test_the_doctor_names_a_damaged_plug_in_and_an_install_mends_it(installed: NewUser) -> None:
    (installed.folder / "common" / "words.py").write_text("damaged")
    (installed.folder / "layerlift.py").chmod(0o644)
    said = installed.install("--check", status=1)
    assert "layerlift.py may not be run; common/words.py differs: run `python3 install.py`" in said
    installed.install()
    assert "FAIL" not in installed.install("--check")


def test_the_doctor_says_where_a_plug_in_was_switched_off_in_krita_and_changes_nothing(installed: NewUser) -> None:
    off = SWITCHED_ON.replace(b"true", b"false")
    installed.kritarc.write_bytes(off)
    said = installed.install("--check", status=1)
    assert f"FAIL  Krita: switched on in {installed.kritarc}: it is not: tick Layerlift" in said
    assert installed.kritarc.read_bytes() == off
    installed.install()
    assert installed.kritarc.read_bytes() == SWITCHED_ON
    assert "FAIL" not in installed.install("--check")


def test_the_trial_without_a_gimp_makes_a_cut_out_on_the_command_line(installed: NewUser, tmp_path: Path) -> None:
    photo = tmp_path / 'my "best" phötö.jpg'
    shutil.copy(PHOTO, photo)
    said = installed.install("--try", str(photo))
    assert "(made on the command line in" in said
    assert "offline: nothing was uploaded" in said
    (line,) = (line for line in said.splitlines() if line.startswith("The cut-out is "))
    with Image.open(line[len("The cut-out is ") :]) as cutout, Image.open(PHOTO) as original:
        assert cutout.size == original.size
        assert cutout.getchannel("A").getpixel((220, 120)) == 255
        assert cutout.getchannel("A").getpixel((500, 10)) == 0


def test_a_model_is_fetched_with_the_installation_and_one_that_there_is_not_is_named(installed: NewUser) -> None:
    assert "The model u2netp was installed already." in installed.install("--model", "u2netp")
    assert "There is no offline model <nope>. " in installed.install("--model", "<nope>", status=1)
    assert not (installed.data / "models").exists()


def test_a_plug_in_that_a_newer_gimp_took_over_with_its_settings_is_removed_with_the_rest(installed: NewUser) -> None:
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


def test_the_doctor_asks_each_gimp_and_shows_what_it_prints_of_a_plug_in_that_it_does_not_take(
    answers: dict[str, str],
) -> None:
    said, silent = answers["broken"], answers["silent"]
    assert "FAIL  GIMP 2.10 knows the plug-in: it does not know python-fu-layerlift, python-fu-layerlift-all, " in said
    assert "it prints" in said
    assert "No module named gi" in said
    assert "FAIL  GIMP 2.10 knows the plug-in: it gave no answer" in silent
    assert "cannot open shared object" in silent


def test_the_doctor_has_a_plug_in_asked_again_that_gimp_could_not_take_before(answers: dict[str, str]) -> None:
    known = "ok    GIMP 2.10 knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings"
    assert known in answers["loaded"]


def test_the_doctor_has_krita_load_the_plug_in_and_shows_what_it_prints_of_one_that_it_can_not(
    installed: NewUser, answers: dict[str, str]
) -> None:
    assert "ok    Krita knows layerlift" in answers["loaded"]
    printed = f'it does not know layerlift: it prints\n    File "{installed.pykrita}/layerlift", line 1'
    assert printed in answers["broken"]
    assert "sudo apt install python3-pyqt5" in answers["without PyQt"]
    _, _, of_krita = answers["silent"].partition("FAIL  Krita knows the plug-in: it gave no answer")
    assert "cannot open shared object" in of_krita


def test_a_photo_that_is_none_ends_the_trial_with_the_reason(installed: NewUser, tmp_path: Path) -> None:
    photo = tmp_path / "text.jpg"
    photo.write_text("no photo")
    said = installed.install("--try", str(photo), status=1)
    assert "The background could not be removed on the command line" in said
    assert "text.jpg" in said


def test_a_new_release_that_can_not_be_installed_leaves_the_old_one_working(installed: NewUser, tmp_path: Path) -> None:
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


def test_an_upgrade_takes_away_what_the_older_release_had_elsewhere(installed: NewUser) -> None:
    for host in find_hosts(installed.system):
        files = host.files(installed.checkout)
        older = {name: source for name, source in files.items() if not name.startswith("common/")}
        PluginFolder(host.folder).install({**older, "bridge.py": files["common/worker.py"]}, host.environment.python)
    installed.install()
    for host in find_hosts(installed.system):
        assert (host.folder / "common" / "worker.py").exists() and not (host.folder / "bridge.py").exists()
    assert "FAIL" not in installed.install("--check")


def test_a_host_that_can_not_be_served_does_not_hold_the_others_up(installed: NewUser) -> None:
    installed.has_program("snap", 'if [ "$1" = list ]; then echo "gimp 2.10.38"; else exit 1; fi')
    damaged = installed.folder / "common" / "words.py"
    damaged.write_text("damaged")
    try:
        said = installed.install(status=1)
    finally:
        (installed.programs / "snap").unlink()
    assert "GIMP 2.10 (Snap): The environment" in said
    assert "GIMP 2.10: the plug-in is in" in said
    assert "FAIL" not in installed.install("--check")


def test_the_sandbox_of_a_flatpak_gets_an_environment_of_its_own_python(
    installed: NewUser, flatpak: Environment
) -> None:
    folder = installed.home / ".config" / "GIMP" / "3.2" / "plug-ins" / "layerlift"
    assert json.loads((folder / "worker.json").read_text())["python"] == str(flatpak.python)
    said = installed.install("--check")
    assert (
        "ok    GIMP 3.2 (Flatpak) knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings"
        in said
    )
    assert "FAIL" not in said


def test_an_editor_in_a_sandbox_is_said_to_have_a_key_and_a_journal_of_its_own(
    installed: NewUser, flatpak: Environment
) -> None:
    said = installed.install()
    assert "GIMP 3.2 (Flatpak) runs in a sandbox. The API key, your consent to uploads, the journal" in said
    assert said.count("sandbox") == 1


def test_an_uninstall_leaves_the_home_folder_as_it_was_and_keeps_what_the_user_put_there(
    installed: NewUser, flatpak: Environment
) -> None:
    own = installed.folder / "my notes.txt"
    own.write_text("mine")
    (installed.data / "settings.json").write_text("{}")
    assert "are kept" in installed.install("--uninstall")
    assert not flatpak.python.exists()
    made_by_gimp = installed.profile.with_name("3.2")
    kept = {own, *own.parents, installed.data / "settings.json", installed.data, *installed.data.parents, made_by_gimp}
    names = {str(path) for path in kept if installed.home in path.parents} | installed.before.keys()
    log = installed.home / ".local" / "state" / "layerlift" / "layerlift.log"
    logs = {str(path) for path in (log, *log.parents[:2])}
    # What the tests before this one have had done may have been logged.
    assert installed.snapshot().keys() - logs == names
    assert installed.kritarc.read_bytes() == SETTINGS
    assert "nothing to remove" in installed.install("--uninstall")
    assert installed.snapshot().keys() - logs == names
