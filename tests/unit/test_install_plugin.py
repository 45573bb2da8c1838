"""A host's plug-in folder, on real folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from plugin.installer.environment import Environment
from plugin.installer.gimp import Gimp
from plugin.installer.hosts import Host
from plugin.installer.krita import Krita
from plugin.installer.kritarc import Kritarc
from plugin.installer.plugin import MANIFEST, PluginFolder
from plugin.installer.process import Problem


@pytest.fixture
def plugin(tmp_path: Path) -> PluginFolder:
    """A plug-in folder in an empty profile."""
    return PluginFolder(tmp_path / "2.10" / "plug-ins" / "layerlift")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A small plug-in."""
    source = tmp_path / "source.py"
    source.write_text("one = 1\n")
    return {"layerlift.py": source, "gimpfu/__init__.py": source}


CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = Path("env") / "bin" / "python"


def test_a_newer_plug_in_takes_old_files_away_and_keeps_the_users_own(
    plugin: PluginFolder, files: dict[str, Path]
) -> None:
    plugin.install({**files, "gone/old.py": files["layerlift.py"]}, PYTHON)
    own = plugin.folder / "gimpfu" / "own.txt"
    own.write_text("mine")
    cache = plugin.folder / "gimpfu" / "__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").write_text("")
    assert plugin.differences(files, PYTHON) == ["gone/old.py is of an older release"]
    plugin.install(files, PYTHON)
    assert plugin.differences(files, PYTHON) == []
    assert own.read_text() == "mine"
    assert not (plugin.folder / "gone").exists()
    assert plugin.remove()
    assert [path.name for path in plugin.folder.rglob("*")] == ["gimpfu", "own.txt"]


def test_a_file_in_the_way_that_is_not_ours_stops_the_install(plugin: PluginFolder, files: dict[str, Path]) -> None:
    plugin.folder.mkdir(parents=True)
    own = plugin.folder / "layerlift.py"
    own.write_text("mine")
    with pytest.raises(Problem, match="is not from this installer"):
        plugin.install(files, PYTHON)
    assert not plugin.remove()
    assert own.read_text() == "mine"


def test_a_linked_folder_is_not_written_through(plugin: PluginFolder, files: dict[str, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    plugin.folder.parent.mkdir(parents=True)
    plugin.folder.symlink_to(elsewhere)
    with pytest.raises(Problem, match="is a link"):
        plugin.install(files, PYTHON)
    assert not list(elsewhere.iterdir())


def test_an_exchange_that_was_cut_short_is_finished_by_the_next(plugin: PluginFolder, files: dict[str, Path]) -> None:
    plugin.install(files, PYTHON)
    own = plugin.folder / "own.txt"
    own.write_text("mine")
    profile = plugin.folder.parent.parent
    plugin.folder.rename(profile / ".layerlift-old")
    (profile / ".layerlift-new").mkdir()
    plugin.install(files, PYTHON)
    assert own.read_text() == "mine"
    assert [path.name for path in profile.iterdir()] == ["plug-ins"]


def test_a_manifest_that_names_files_outside_of_the_folder_removes_none_of_them(
    plugin: PluginFolder, files: dict[str, Path]
) -> None:
    plugin.install(files, PYTHON)
    outside = plugin.folder.parent / "precious.py"
    outside.write_text("mine")
    (plugin.folder / MANIFEST).write_text(json.dumps({"../precious.py": "", str(outside): "", "layerlift.py": ""}))
    plugin.remove()
    assert outside.exists()


def test_a_profile_that_can_not_be_written_is_named(plugin: PluginFolder, files: dict[str, Path]) -> None:
    plugin.folder.parent.parent.mkdir()
    plugin.folder.parent.write_text("a file where a folder should be")
    with pytest.raises(Problem, match="could not be put into"):
        plugin.install(files, PYTHON)


# What is in it

ENVIRONMENT = Environment(Path("env"))
HOSTS = [
    Gimp("GIMP 3.2", "3.2", Path("profile"), ENVIRONMENT, ()),
    Krita("Krita", Path("resources"), Kritarc(Path("kritarc")), ENVIRONMENT, ()),
]


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_plug_in_has_the_catalogues_that_programs_read(host: Host) -> None:
    names = host.files(CHECKOUT)
    assert "locale/de/LC_MESSAGES/layerlift.mo" in names
    assert [name for name in names if name.endswith(".po")] == []


# What lies beside the folder


@pytest.fixture
def announced(files: dict[str, Path]) -> dict[str, Path]:
    """A small plug-in that is announced beside its folder, as Krita wants it."""
    return {**files, "layerlift.desktop": files["layerlift.py"]}


def test_an_announced_plug_in_lies_beside_its_folder_too_and_goes_with_it(
    plugin: PluginFolder, announced: dict[str, Path]
) -> None:
    desktop = plugin.folder.with_name("layerlift.desktop")
    plugin.install(announced, PYTHON)
    assert desktop.read_bytes() == announced["layerlift.desktop"].read_bytes()
    assert plugin.differences(announced, PYTHON) == []
    assert plugin.remove()
    assert not list(plugin.folder.parent.iterdir())


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("half")])
def test_an_announcement_that_was_cut_short_is_made_whole_by_the_next(
    plugin: PluginFolder, announced: dict[str, Path], damage: Callable[[Path], object]
) -> None:
    plugin.install(announced, PYTHON)
    damage(plugin.folder.with_name("layerlift.desktop"))
    assert len(plugin.differences(announced, PYTHON)) == 1
    plugin.install(announced, PYTHON)
    assert plugin.differences(announced, PYTHON) == []


def test_an_announcement_of_another_plug_in_stops_the_install_and_stays(
    plugin: PluginFolder, announced: dict[str, Path]
) -> None:
    plugin.folder.parent.mkdir(parents=True)
    own = plugin.folder.with_name("layerlift.desktop")
    own.write_text("mine")
    with pytest.raises(Problem, match=r"layerlift\.desktop is not from this installer"):
        plugin.install(announced, PYTHON)
    assert not plugin.remove()
    assert own.read_text() == "mine"


def test_an_uninstall_that_was_cut_short_is_finished_by_the_next(
    plugin: PluginFolder, announced: dict[str, Path]
) -> None:
    plugin.install(announced, PYTHON)
    plugin.folder.with_name("layerlift.desktop").unlink()
    assert plugin.remove()
    assert not plugin.folder.exists()
