"""The line in Krita's settings that switches the plug-in on, on real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.files import trace

from plugin.installer.kritarc import Kritarc
from plugin.installer.process import Problem

# Groups, keys and escapes as Krita writes them.
USED = b"""ResourceDirectory=/home/zo\xc3\xab/my\\\\resources
toolbarslider_1=opacity

[General]
bad=\xff\xfe

[krita][DockWidget History]
enable_layerlift=of another group

[python]
enable_colorspace=true
enable_scripter=false

[theme]
Theme=Krita dark
"""
NO_GROUP = b"a=1\nb=2\n"
NO_PYTHON = b"a=1\n\n[General]\nx=1\n\n[theme]\nTheme=Krita dark\n"
ONLY_GROUPS = b"[General]\nx=1\n"
EMPTY_END = b"[General]\nx=1\n\n[python]\nenable_scripter=true"
CRLF = NO_PYTHON.replace(b"\n", b"\r\n")


@pytest.fixture
def kritarc(tmp_path: Path) -> Kritarc:
    """Settings in a folder that is not there yet."""
    return Kritarc(tmp_path / "config" / "kritarc")


def holding(kritarc: Kritarc, content: bytes) -> Kritarc:
    kritarc.file.parent.mkdir(exist_ok=True)
    kritarc.file.write_bytes(content)
    return kritarc


@pytest.mark.parametrize("content", [USED, NO_GROUP, NO_PYTHON, ONLY_GROUPS, EMPTY_END, CRLF])
def test_switching_on_adds_lines_and_forgetting_takes_the_same_away(kritarc: Kritarc, content: bytes) -> None:
    holding(kritarc, content)
    assert not kritarc.is_on()
    kritarc.switch_on()
    assert kritarc.is_on()
    lines = kritarc.file.read_bytes().splitlines(keepends=True)
    for line in content.splitlines(keepends=True):
        lines.remove(line)
    assert b"".join(lines).split() in ([b"enable_layerlift=true"], [b"[python]", b"enable_layerlift=true"])
    assert kritarc.forget()
    assert kritarc.file.read_bytes() == content


@pytest.mark.parametrize("content", [USED, NO_PYTHON, CRLF])
def test_switching_on_twice_is_once(kritarc: Kritarc, content: bytes) -> None:
    holding(kritarc, content).switch_on()
    once = kritarc.file.read_bytes()
    kritarc.switch_on()
    assert kritarc.file.read_bytes() == once


def test_the_line_goes_into_the_group_of_python_plug_ins_with_the_files_own_line_ends(kritarc: Kritarc) -> None:
    holding(kritarc, USED).switch_on()
    assert b"[python]\nenable_layerlift=true\nenable_colorspace=true\n" in kritarc.file.read_bytes()
    holding(kritarc, CRLF).switch_on()
    assert b"[python]\r\nenable_layerlift=true\r\n\r\n[General]\r\n" in kritarc.file.read_bytes()


def test_a_plug_in_that_was_switched_off_in_krita_is_switched_on_in_its_place(kritarc: Kritarc) -> None:
    off = USED.replace(b"enable_scripter=false\n", b"enable_layerlift=false\nenable_scripter=false\n")
    holding(kritarc, off)
    assert not kritarc.is_on()
    kritarc.switch_on()
    assert kritarc.file.read_bytes() == off.replace(b"enable_layerlift=false", b"enable_layerlift=true")


def test_the_line_is_taken_away_wherever_krita_has_put_it(kritarc: Kritarc) -> None:
    sorted_in = NO_PYTHON.replace(b"[theme]", b"[python]\nenable_layerlift=true\n\n[theme]")
    assert holding(kritarc, sorted_in).forget()
    assert kritarc.file.read_bytes() == NO_PYTHON
    at_the_end = USED + b"\n[python]\nenable_layerlift=true\n"
    assert holding(kritarc, at_the_end).forget()
    assert not kritarc.is_on()
    assert b"enable_scripter=false" in kritarc.file.read_bytes()


def test_settings_that_were_not_there_are_made_and_go_again(kritarc: Kritarc) -> None:
    assert not kritarc.is_on()
    assert not kritarc.forget()
    kritarc.switch_on()
    assert kritarc.file.read_bytes() == b"[python]\nenable_layerlift=true\n"
    assert kritarc.forget()
    assert not list(kritarc.file.parent.iterdir())


def test_settings_without_our_line_are_not_written(kritarc: Kritarc) -> None:
    holding(kritarc, USED)
    before = trace(kritarc.file)
    assert not kritarc.forget()
    assert trace(kritarc.file) == before


def test_the_file_keeps_its_mode_and_stays_a_link(kritarc: Kritarc, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "kritarc"
    real.parent.mkdir()
    real.write_bytes(USED)
    real.chmod(0o640)
    kritarc.file.parent.mkdir()
    kritarc.file.symlink_to(real)
    kritarc.switch_on()
    assert kritarc.file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert Kritarc(real).is_on()
    assert [path.name for path in real.parent.iterdir()] == ["kritarc"]


def test_settings_that_can_not_be_written_are_named(kritarc: Kritarc, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")
    with pytest.raises(Problem, match="kritarc could not be changed"):
        Kritarc(tmp_path / "config" / "sub" / "kritarc").switch_on()


def test_the_resource_folder_that_the_user_has_chosen_is_read(kritarc: Kritarc) -> None:
    assert holding(kritarc, USED).resources() == Path("/home/zo\u00eb/my\\resources")


@pytest.mark.parametrize(
    "content",
    [b"", NO_PYTHON, b"ResourceDirectory=\n", b"ResourceDirectory=relative\n", b"[x]\nResourceDirectory=/elsewhere\n"],
)
def test_without_a_choice_of_the_user_there_is_none(kritarc: Kritarc, content: bytes) -> None:
    assert holding(kritarc, content).resources() is None
