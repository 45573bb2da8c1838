"""Where the installer looks for Krita, on real folders; a stand-in only for programs that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.installer.krita import Krita
from plugin.installer.search_krita import find_kritas

from .machines import Machine


class KritaMachine(Machine):
    """A machine that is looked at for Krita."""

    def kritas(self, platform: str = "linux", **variables: str) -> list[Krita]:
        return find_kritas(self.system(platform, **variables))

    def has_krita(self, version: str) -> Path:
        self.has_program("krita", "exit 134")
        return self.has_program("kritarunner", f'echo "kritarunner {version}"')


@pytest.fixture
def machine(tmp_path: Path) -> KritaMachine:
    """A machine without Krita."""
    return KritaMachine(tmp_path)


PLACES = [
    ("linux", {}, ".local/share/krita", ".config/kritarc"),
    ("linux", {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "settings"}, "data/krita", "settings/kritarc"),
    ("darwin", {}, "Library/Application Support/krita", "Library/Preferences/kritarc"),
    ("win32", {}, "AppData/Roaming/krita", "AppData/Local/kritarc"),
    (
        "win32",
        {},
        "AppData/Local/Packages/49800Krita_0a/LocalCache/Roaming/krita",
        "AppData/Local/Packages/49800Krita_0a/LocalCache/Local/kritarc",
    ),
]


@pytest.mark.parametrize(("platform", "variables", "resources", "settings"), PLACES)
def test_a_resource_folder_is_found_where_krita_keeps_it(
    machine: KritaMachine, platform: str, variables: dict[str, str], resources: str, settings: str
) -> None:
    folder = machine.has_folder(resources)
    (krita,) = machine.kritas(platform, **variables)
    assert krita.folder == folder / "pykrita" / "layerlift"
    assert krita.settings.file == machine.home / settings


@pytest.mark.parametrize(("platform", "variables", "resources", "settings"), PLACES)
def test_a_resource_folder_that_the_user_has_chosen_takes_the_place_of_the_usual_one(
    machine: KritaMachine, platform: str, variables: dict[str, str], resources: str, settings: str
) -> None:
    chosen = machine.home / "my resources"
    machine.has_folder(resources)
    file = machine.has_folder(str(Path(settings).parent)) / "kritarc"
    file.write_text(f"ResourceDirectory={chosen}\n", "utf-8")
    (krita,) = machine.kritas(platform, **variables)
    assert krita.folder == chosen / "pykrita" / "layerlift"


def test_settings_alone_are_the_sign_of_an_appimage(machine: KritaMachine) -> None:
    (machine.has_folder(".config") / "kritarc").touch()
    (krita,) = machine.kritas()
    assert krita.folder == machine.home / ".local/share/krita/pykrita/layerlift"
    assert krita.console == ()


# From 5.3 on, kritarunner says nothing of its version.
@pytest.mark.parametrize("version", ["5.1.5", "5.2.9", ""])
def test_a_krita_that_was_never_started_is_found_by_its_program(machine: KritaMachine, version: str) -> None:
    runner = machine.has_krita(version)
    (krita,) = machine.kritas()
    assert krita.console == (str(runner),)
    assert not list(machine.home.iterdir())


def test_a_krita_that_can_not_be_asked_is_served(machine: KritaMachine) -> None:
    machine.has_program("krita", "exit 134")
    (krita,) = machine.kritas()
    assert krita.console == ()


def test_a_krita_that_is_too_old_is_left_alone(machine: KritaMachine) -> None:
    machine.has_krita("5.0.2")
    assert machine.kritas() == []


def test_an_appimage_beside_a_krita_that_is_too_old_is_served(machine: KritaMachine) -> None:
    machine.has_krita("5.0.2")
    machine.has_folder(".local/share/krita")
    (krita,) = machine.kritas()
    assert krita.console == ()


def test_krita_is_found_in_its_folder_of_programs(machine: KritaMachine) -> None:
    (machine.has_folder("Programs/Krita (x64)/bin") / "krita.exe").touch()
    (krita,) = machine.kritas("win32", ProgramFiles=str(machine.home / "Programs"))
    assert krita.resources == machine.home / "AppData/Roaming/krita"


def test_krita_is_found_in_its_bundle(machine: KritaMachine) -> None:
    machine.has_folder("Applications/krita.app")
    assert [krita.name for krita in machine.kritas("darwin")] == ["Krita"]


def test_a_flatpak_keeps_its_settings_and_its_environment_in_its_own_folder(machine: KritaMachine) -> None:
    flatpak = machine.has_program("flatpak", '[ "$1 $2" = "info org.kde.krita" ] && echo "Version: 5.2.9"')
    own = machine.home / ".var/app/org.kde.krita"
    (krita,) = machine.kritas()
    assert krita.name == "Krita (Flatpak)"
    assert (krita.resources, krita.settings.file) == (own / "data/krita", own / "config/kritarc")
    python = str(own / "data/layerlift/env/bin/python")
    assert krita.environment.starting("-I") == [
        str(flatpak), "run", f"--command={python}", "org.kde.krita", "-I",
    ]  # fmt: skip


def test_a_snap_keeps_its_environment_where_the_snap_can_see_it(machine: KritaMachine) -> None:
    machine.has_program("snap", '[ "$1 $2" = "list krita" ] && echo "krita 5.2.9"')
    (krita,) = machine.kritas()
    current = machine.home / "snap/krita/current"
    assert (krita.resources, krita.settings.file) == (current / ".local/share/krita", current / ".config/kritarc")
    assert krita.environment.folder == machine.home / "snap/krita/common/layerlift/env"


def test_several_kritas_are_found_and_a_folder_that_two_of_them_use_once(machine: KritaMachine) -> None:
    resources = machine.has_folder(".local/share/krita")
    machine.has_program("flatpak", '[ "$1 $2" = "info org.kde.krita" ] && echo "Version: 5.2.9"')
    assert [krita.name for krita in machine.kritas()] == ["Krita", "Krita (Flatpak)"]
    settings = machine.has_folder(".var/app/org.kde.krita/config") / "kritarc"
    settings.write_text(f"ResourceDirectory={resources}\n", "utf-8")
    assert [krita.name for krita in machine.kritas()] == ["Krita"]
