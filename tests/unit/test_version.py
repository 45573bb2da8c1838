"""One version, written down once, and told wherever a user or a report asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.plug_ins import load_common
from layerlift import __version__
from layerlift.command import doctor, main
from layerlift.service.connection import Connection
from layerlift.store.settings import Settings

from plugin.installer import plugin
from plugin.installer.hosts import files_below

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = ("plugin", "shared", "pyproject.toml", "install.py")


def test_the_version_is_written_down_in_one_place() -> None:
    files = [file for source in SOURCES for file in [CHECKOUT / source, *(CHECKOUT / source).rglob("*")]]
    texts = [file for file in files if file.is_file() and file.suffix not in (".pyc", ".txt")]
    holders = [file for file in texts if f'"{__version__}"' in file.read_text("utf-8", "replace")]
    assert holders == [CHECKOUT / "shared" / "layerlift" / "__init__.py"]


def test_the_package_takes_its_version_from_there() -> None:
    project = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    assert 'dynamic = ["version"]' in project
    assert 'version = { attr = "layerlift.__version__" }' in project


def test_the_changelog_has_the_version_or_is_ahead_of_it() -> None:
    headings = [line for line in (CHECKOUT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings[0] == "## [Unreleased]" or headings[0].startswith(f"## [{__version__}] - ")


def test_the_command_the_report_and_the_service_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--version"])
    assert capsys.readouterr().out == f"layerlift {__version__}\n"
    settings = Settings({"LAYERLIFT_HOME": str(tmp_path)})
    title, text, _ = next(doctor.report(settings))
    assert title == "layerlift" and text.startswith(f"{__version__}, ")
    connection = Connection("https://service.example", "sk-0123456789abcdef", (1.0, 1.0), 1.0)
    with connection.session() as session:
        assert session.headers["User-Agent"] == f"layerlift/{__version__}"
    connection.close()


def test_an_installed_plug_in_knows_its_version(tmp_path: Path) -> None:
    folder = plugin.PluginFolder(tmp_path / "plug-ins" / "layerlift")
    folder.install(files_below(CHECKOUT / "plugin", "common"), Path("python"))
    installed = load_common(folder.folder, "installed")
    assert installed.version() == plugin.version() == __version__
    (folder.folder / "worker.json").unlink()
    assert installed.version() == ""
