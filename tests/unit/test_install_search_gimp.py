"""Where the installer looks for GIMP, on real folders; a stand-in only for programs that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.installer.gimp import Gimp
from plugin.installer.search_gimp import find_gimps
from plugin.installer.system import System

from .machines import Machine


class GimpMachine(Machine):
    """A machine that is looked at for GIMP."""

    def hosts(self, platform: str = "linux", **variables: str) -> list[Gimp]:
        return find_gimps(self.system(platform, **variables))

    def names(self) -> list[str]:
        return [host.name for host in self.hosts()]

    def has_flatpak(self, version: str, permissions: str = "") -> None:
        self.has_program(
            "flatpak",
            f"""case "$2" in
            --show-permissions) printf '[Context]\\nfilesystems=host;{permissions};xdg-run/gvfs;\\n';;
            *) echo "Version: {version}";;
            esac""",
        )


@pytest.fixture
def machine(tmp_path: Path) -> GimpMachine:
    """A machine without GIMP."""
    return GimpMachine(tmp_path)


@pytest.mark.parametrize("version", ["2.10", "3.0", "3.2"])
@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {}, ".config/GIMP/{}"),
        ("linux", {"XDG_CONFIG_HOME": "settings"}, "settings/GIMP/{}"),
        ("darwin", {}, "Library/Application Support/GIMP/{}"),
        ("win32", {}, "AppData/Roaming/GIMP/{}"),
        ("win32", {}, "AppData/Local/Packages/GIMP.GIMP_0a/LocalCache/Roaming/GIMP/{}"),
    ],
)
def test_a_profile_is_found_where_gimp_keeps_it(
    machine: GimpMachine, version: str, platform: str, variables: dict[str, str], place: str
) -> None:
    profile = machine.has_folder(place.format(version))
    (host,) = machine.hosts(platform, **variables)
    assert (host.version, host.profile) == (version, profile)
    assert host.folder == profile / "plug-ins" / "layerlift"


@pytest.mark.parametrize(("variable", "version"), [("GIMP2_DIRECTORY", "2.10"), ("GIMP3_DIRECTORY", "3.0")])
def test_a_variable_names_the_profile_of_the_gimps_of_one_generation(
    machine: GimpMachine, variable: str, version: str
) -> None:
    own = machine.has_folder("my gimp")
    machine.has_program(f"gimp-{version}", "exit 1")
    other = machine.has_folder(".config/GIMP/" + ("3.0" if version == "2.10" else "2.10"))
    found = {host.version: host.profile for host in machine.hosts(**{variable: "my gimp"})}
    assert found == {version: own, other.name: other}


def test_several_gimps_are_found_the_newest_first_each_with_the_program_that_starts_it(machine: GimpMachine) -> None:
    machine.has_folder(".config/GIMP/3.0")
    old = machine.has_program("gimp-console-2.10", "exit 1")
    new = machine.has_program("gimp", 'echo "GNU Image Manipulation Program version 3.2.6"')
    found = [(host.name, host.console) for host in machine.hosts()]
    assert found == [("GIMP 3.2", (str(new),)), ("GIMP 3.0", ()), ("GIMP 2.10", (str(old),))]


def test_the_program_that_opens_no_window_is_preferred(machine: GimpMachine) -> None:
    machine.has_program("gimp-3.0", "exit 1")
    console = machine.has_program("gimp-console-3.0", "exit 1")
    (host,) = machine.hosts()
    assert host.console == (str(console),)


@pytest.mark.parametrize("version", ["2.10", "3.0", "3.2"])
def test_gimp_is_found_in_its_folder_of_programs(machine: GimpMachine, version: str) -> None:
    programs = machine.has_folder(f"Programs/GIMP {version[0]}/bin")
    console = programs / f"gimp-console-{version}.exe"
    console.touch()
    (host,) = machine.hosts("win32", ProgramFiles=str(machine.home / "Programs"))
    assert (host.version, host.console) == (version, (str(console),))


@pytest.mark.parametrize("version", ["3.0", "3.2"])
def test_gimp_is_found_in_its_bundle(machine: GimpMachine, version: str) -> None:
    program = machine.has_folder("Applications/GIMP.app/Contents/MacOS") / "gimp"
    program.write_text(f'#!/bin/sh\necho "GNU Image Manipulation Program version {version}.2"\n')
    program.chmod(0o755)
    (host,) = machine.hosts("darwin")
    assert (host.version, host.console) == (version, (str(program),))


@pytest.mark.parametrize("version", ["2.10", "3.2"])
def test_a_gimp_that_was_never_started_makes_its_own_profile(machine: GimpMachine, version: str) -> None:
    profile = machine.home / ".config" / "GIMP" / version
    machine.has_program(f"gimp-{version}", f'/bin/mkdir -p "{profile}/brushes"')
    (host,) = machine.hosts()
    host.make_profile()
    assert (profile / "brushes").is_dir()


def test_another_gimp_is_left_alone(machine: GimpMachine) -> None:
    machine.has_program("gimp", 'echo "GNU Image Manipulation Program version 2.8.22"')
    machine.has_program("gimp-3.99", 'echo "GNU Image Manipulation Program version 3.0.4"')
    machine.has_folder(".config/GIMP/2.8")
    assert machine.hosts() == []


@pytest.mark.parametrize(
    ("permission", "there", "place"),
    [
        ("xdg-config/GIMP:create", False, ".config"),
        ("xdg-config/GIMP:create", True, ".config"),
        ("xdg-config/GIMP", True, ".config"),
        ("xdg-config/GIMP", False, ".var/app/org.gimp.GIMP/config"),
        ("!xdg-config/GIMP", True, ".var/app/org.gimp.GIMP/config"),
        ("", True, ".var/app/org.gimp.GIMP/config"),
    ],
)
def test_a_flatpak_keeps_its_settings_where_its_permissions_say(
    machine: GimpMachine, permission: str, there: bool, place: str
) -> None:
    machine.has_flatpak("3.0.4", permission)
    # The folder that flatpak mounts the user's one over stays behind, empty.
    machine.has_folder(".var/app/org.gimp.GIMP/config/GIMP")
    if there:
        machine.has_folder(".config/GIMP")
    (host,) = machine.hosts()
    assert host.name == "GIMP 3.0 (Flatpak)"
    assert host.profile == machine.home / place / "GIMP" / "3.0"
    assert host.console[-2:] == ("--command=gimp-console-3.0", "org.gimp.GIMP")


def test_a_flatpak_has_the_version_that_it_reports_whatever_folders_there_are(machine: GimpMachine) -> None:
    for version in ("2.10", "3.0"):
        machine.has_folder(f".var/app/org.gimp.GIMP/config/GIMP/{version}")
    machine.has_flatpak("3.2.6")
    assert machine.names() == ["GIMP 3.2 (Flatpak)"]


def test_a_profile_that_a_sandbox_shares_with_an_installed_gimp_belongs_to_the_latter(machine: GimpMachine) -> None:
    machine.has_folder(".config/GIMP/3.0")
    machine.has_flatpak("3.0.4", "xdg-config/GIMP:create")
    assert machine.names() == ["GIMP 3.0 (Flatpak)"]
    machine.has_program("gimp", 'echo "GNU Image Manipulation Program version 3.0.2"')
    assert machine.names() == ["GIMP 3.0"]


@pytest.mark.parametrize("version", ["2.10", "3.0", "3.2"])
def test_a_snap_keeps_its_environment_where_the_snap_can_see_it(machine: GimpMachine, version: str) -> None:
    snap = machine.has_program("snap", f'echo "Name Version"; echo "gimp {version}.8"')
    (host,) = machine.hosts()
    assert host.profile == machine.home / "snap/gimp/current/.config/GIMP" / version
    start = host.environment.starting("-I")
    assert start[-2:] == [str(machine.home / "snap/gimp/common/layerlift/env/bin/python"), "-I"]
    assert start[0] == str(snap)


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {}, ".local/share/layerlift"),
        ("linux", {"XDG_DATA_HOME": "data"}, "data/layerlift"),
        ("darwin", {}, "Library/Application Support/layerlift"),
        ("win32", {}, "AppData/Local/layerlift"),
    ],
)
def test_the_data_folder_is_the_platforms_own(
    tmp_path: Path, platform: str, variables: dict[str, str], place: str
) -> None:
    assert System(platform, tmp_path, variables).data() == tmp_path / place


def test_layerlift_home_names_the_data_folder(tmp_path: Path) -> None:
    assert System("linux", Path("elsewhere"), {"LAYERLIFT_HOME": str(tmp_path)}).data() == tmp_path
