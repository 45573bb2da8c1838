"""The installer on real folders, with real virtual environments and a stand-in only for programs that are not here."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from install import find_python, uninstall
from plugin.installer import record
from plugin.installer.environment import Environment
from plugin.installer.process import Problem
from plugin.installer.search import find_hosts
from plugin.installer.system import System

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = ("install.py", "pyproject.toml", "README.md", "LICENSE", "shared", "plugin")
PHOTO = CHECKOUT / "tests" / "photos" / "astronaut.jpg"
LONG = 600


class User:
    """A user with a home folder, a PATH of their own, and a checkout that is read-only."""

    def __init__(self, root: Path, checkout: Path, cache: Path) -> None:
        self.home = root / "Zoë's home"
        self.programs = root / "programs"
        self.home.mkdir(parents=True)
        self.programs.mkdir()
        self.checkout = checkout
        self.data = self.home / ".local" / "share" / "layerlift"
        self.profile = self.home / ".config" / "GIMP" / "2.10"
        self.folder = self.profile / "plug-ins" / "layerlift"
        self.pykrita = self.home / ".local" / "share" / "krita" / "pykrita"
        self.kritarc = self.home / ".config" / "kritarc"
        foreign = ("XDG_", "GIMP2_", "GIMP3_", "LAYERLIFT_", "YOUCAM_", "PYTHON")
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.variables.update(HOME=str(self.home), PATH=str(self.programs), PIP_CACHE_DIR=str(cache))

    @property
    def system(self) -> System:
        return System("linux", self.home, self.variables)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.checkout / "install.py"), *arguments]

    def install(self, *arguments: str, status: int = 0, limit: int = 0, **variables: str) -> str:
        """Run the installer and give back all that it prints; `limit` is the largest file that it may write."""

        def set_limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        outcome = subprocess.run(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONG,
            env={**self.variables, **variables},
            preexec_fn=set_limit if limit else None,
        )
        assert outcome.returncode == status, outcome.stdout
        assert "Traceback" not in outcome.stdout
        return outcome.stdout

    def has_program(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """Every file and folder of the home folder but the caches, with its time and size."""
        found = {}
        for path in self.home.rglob("*"):
            if ".cache" not in path.parts:
                state = path.lstat()
                found[str(path)] = (state.st_mtime_ns, state.st_size) if path.is_file() else (0, 0)
        return found


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the checkout, at a path with spaces and letters that are not ASCII."""
    folder = tmp_path_factory.mktemp("Müller & Söhne")
    copy_checkout(folder / "check out")
    return folder


@pytest.fixture
def user(tmp_path: Path, shared: Path) -> User:
    """A user who has not installed anything yet."""
    return User(tmp_path, shared / "check out", shared / "cache")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> User:
    """A user with a GIMP and a Krita whose first install was killed half-way, and whose second one went through."""
    user = User(tmp_path_factory.mktemp("installed"), shared / "check out", shared / "cache")
    user.profile.mkdir(parents=True)
    user.kritarc.write_text("[python]\nenable_layerlift=false\n")
    environment = Environment(user.data / "env")
    first = subprocess.Popen(user.command(), env=user.variables, stdout=subprocess.DEVNULL)
    until(environment.python.exists)
    first.kill()
    first.wait()
    assert not environment.state()
    user.install()
    return user


def copy_checkout(folder: Path) -> None:
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SHIPPED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)


def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def no_index() -> dict[str, str]:
    """Variables that leave pip without any package index, as without a network."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
    }


# The whole way


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


def test_without_an_install_the_doctor_fails_and_says_what_to_do(user: User) -> None:
    said = user.install("--check", status=1)
    assert "it is not there or not complete: run `python3 install.py`" in said
    assert "no GIMP 2.10, 3.0 or 3.2, or Krita 5.1 or later, was found" in said


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
        said = installed.install(status=1, **no_index())
        assert "of another release" in installed.install("--check", status=1)
    finally:
        installed.checkout = old
    assert "Check the network connection" in said
    assert installed.snapshot().keys() == before.keys()
    assert "FAIL" not in installed.install("--check")


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


# What can go wrong


def test_a_dry_run_changes_nothing(user: User) -> None:
    user.profile.mkdir(parents=True)
    user.kritarc.touch()
    before = user.snapshot()
    said = user.install("--dry-run")
    assert f"would make the environment {user.data / 'env'}" in said
    assert f"would put the plug-in into {user.folder}" in said
    assert f"would put the plug-in into {user.pykrita / 'layerlift'}" in said
    user.install("--uninstall", "--dry-run")
    assert user.snapshot() == before


def test_without_a_network_the_install_says_so_and_leaves_nothing_half(user: User) -> None:
    said = user.install(status=1, **no_index())
    assert "Check the network connection" in said
    assert not (user.data / "env").exists()
    user.install("--uninstall")
    assert user.snapshot() == {}


@pytest.mark.parametrize("limit", [1_000_000, 10_000_000])
def test_on_a_full_disk_the_install_says_so_and_leaves_nothing_half(user: User, limit: int) -> None:
    said = user.install(status=1, limit=limit)
    assert "free disk space" in said
    assert not (user.data / "env").exists()


def test_a_data_folder_that_can_not_be_written_is_named(user: User) -> None:
    file = user.home / "file"
    file.write_text("")
    said = user.install(status=1, LAYERLIFT_HOME=str(file / "layerlift"))
    assert f"{file / 'layerlift'} can't be written" in said
    assert "LAYERLIFT_HOME" in said


def test_a_photo_that_is_not_there_is_refused_before_anything_is_made(user: User) -> None:
    assert "There is no photo" in user.install("--try", "no such.jpg", status=1)
    assert user.snapshot() == {}


def test_an_environment_that_is_not_ours_is_not_touched(user: User) -> None:
    other = user.data / "env" / "something"
    other.mkdir(parents=True)
    assert "is not from this installer" in user.install(status=1)
    assert other.exists()


def test_a_python_without_ensurepip_gets_the_name_of_the_missing_package(user: User) -> None:
    # What Debian's Python prints without python3-venv, with its line break.
    user.has_program(
        "python3",
        "echo 'The virtual environment was not created successfully because ensurepip is not'\n"
        "echo 'available.  On Debian/Ubuntu systems, you need to install'\nexit 1",
    )
    environment = Environment(user.data / "env", str(user.programs / "python3"))
    with pytest.raises(Problem, match="sudo apt install python3-venv"):
        environment.make(user.checkout)
    assert not environment.folder.exists()


def test_an_old_python_looks_for_a_newer_one_that_works(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setenv("PATH", str(user.programs))
    user.has_program("python3.13", "exit 127")
    with pytest.raises(Problem, match=r"needs Python 3\.10 or later"):
        find_python()
    user.has_program("python3.11", f'exec "{sys.executable}" "$@"')
    assert find_python() == str(user.programs / "python3.11")


def test_a_record_that_can_not_be_read_is_named_and_nothing_is_removed(user: User) -> None:
    user.data.mkdir(parents=True)
    (user.data / "installed.json").write_text("{")
    with pytest.raises(Problem, match=r"installed\.json can't be read"):
        uninstall(user.system, dry_run=False)


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
