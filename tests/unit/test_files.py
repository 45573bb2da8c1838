"""Which pictures a command is about, and where their cut-outs go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.command import files

TREE = (
    "a.jpg",
    "b.PNG",
    "a[1].jpg",
    "notes.txt",
    "a-cutout.png",
    "._a.jpg",
    ".hidden/h.jpg",
    "day 1/c.tif",
    "day 1/deep/d.webp",
    "trip [2]/e.jpg",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in TREE:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def targets(*photos: str, out: str | None = "out", **more: Any) -> list[str]:
    """Where cut-outs go, without the name's end."""
    made = files.pairs([Path(photo) for photo in photos], None, Path(out) if out else None, **more)
    return [pair.target.as_posix().removesuffix(files.SUFFIX) for pair in made]


def refused(*photos: str, **more: Any) -> str:
    with pytest.raises(errors.SetupError) as caught:
        targets(*photos, **more)
    assert caught.value.code == "usage"
    return caught.value.message


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("photo", "recursive", "found"),
    [
        ("photos", False, ["out/a", "out/a[1]", "out/b"]),
        ("photos", True, ["out/a", "out/a[1]", "out/b", "out/day 1/c", "out/day 1/deep/d", "out/trip [2]/e"]),
        ("photos/day 1/c.tif", True, ["out/c"]),
        ("photos/gone.jpg", False, ["out/gone"]),
        ("photos/*.jpg", False, ["out/a", "out/a[1]"]),
        ("photos/?.*", False, ["out/a", "out/b"]),
        ("photos/[ab].*", False, ["out/a", "out/b"]),
        ("photos/a[1].jpg", False, ["out/a[1]"]),
        ("photos/trip [2]", False, ["out/e"]),
        ("photos/trip [2]/*", False, ["out/e"]),
        ("photos/*/*", False, ["out/day 1/c", "out/day 1/deep/d", "out/trip [2]/e"]),
        ("photos/day*", False, ["out/day 1/c"]),
        ("photos/day*", True, ["out/day 1/c", "out/day 1/deep/d"]),
        ("photos/**/*.webp", False, ["out/day 1/deep/d"]),
        ("photos/day 1/**", False, ["out/c", "out/deep/d"]),
        ("*/a.jpg", False, ["out/photos/a"]),
    ],
)
def test_folders_and_patterns_keep_what_lies_below_them(photo: str, recursive: bool, found: list[str]) -> None:
    assert targets(photo, recursive=recursive) == found


@pytest.mark.usefixtures("folder")
def test_without_a_folder_for_them_cut_outs_go_beside_their_pictures() -> None:
    found = targets("photos", out=None, recursive=True)
    assert found[0] == "photos/a" and found[-1] == "photos/trip [2]/e"


def test_folders_are_kept_relative_to_one_that_is_named(folder: Path) -> None:
    named = {"relative_to": Path("photos")}
    assert targets("photos/day 1/deep/d.webp", str(folder / "photos" / "a.jpg"), **named) == [
        "out/day 1/deep/d",
        "out/a",
    ]
    assert "is not below" in refused("photos/a.jpg", relative_to=Path("photos/day 1"))
    assert "needs --output-dir" in refused("photos/a.jpg", out=None, **named)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("photo", ["photos/*.bmp", "photos/[xyz].jpg", "gone/*", "photos/.hid*"])
def test_a_pattern_that_nothing_fits_is_refused(photo: str) -> None:
    assert "no picture matches" in refused("photos", photo)


def test_a_link_that_leads_back_ends(folder: Path) -> None:
    (folder / "photos" / "back").symlink_to(folder / "photos", target_is_directory=True)
    assert len(targets("photos", recursive=True)) == 6


def test_two_cut_outs_never_share_a_file(folder: Path) -> None:
    (folder / "photos" / "day 1" / "a.jpg").write_bytes(b"")
    assert "would both go to" in refused("photos/a.jpg", "photos/day 1/a.jpg")
    assert targets("photos/a.jpg", "photos/day 1/a.jpg", relative_to=Path("photos")) == ["out/a", "out/day 1/a"]
