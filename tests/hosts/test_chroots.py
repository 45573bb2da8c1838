"""Chroots that many runs share: what fails, what a killed run leaves, and two runs at once spoil none of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from . import chroots
from .chroots import Chroot, ChrootFailed
from .conftest import require
from .versions import KRITAS
from .window import wait_for

Build = Callable[[Chroot, Path], None]


class Fake(Chroot):
    """A chroot that works where its one program is there."""

    def starts(self) -> bool:
        return (self.folder / "program").exists()


def complete(chroot: Chroot, folder: Path) -> None:
    folder.mkdir()
    (folder / "program").touch()


def half(chroot: Chroot, folder: Path) -> None:
    folder.mkdir()
    (folder / "half").touch()
    raise ChrootFailed("the mirror does not answer")


@pytest.fixture
def chroot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """One that is not there yet."""
    require([program for program in ("zstd", "tar") if not shutil.which(program)])
    monkeypatch.setenv("LAYERLIFT_TEST_CHROOTS", str(tmp_path / "chroots"))
    monkeypatch.setattr(chroots, "build", complete)
    monkeypatch.setattr(chroots, "_IN_USE", {})
    yield Fake("suite", "1.0")
    for lock in chroots._IN_USE.values():
        lock.close()


@pytest.fixture
def build_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Puts another way to build in the place of debootstrap's."""
    return lambda build: monkeypatch.setattr(chroots, "build", build)


def there(chroot: Chroot) -> set[str]:
    """What is kept of chroots, but the locks."""
    return {path.name for path in chroots.cache().iterdir() if path != chroot.lock}


def test_an_install_that_fails_half_way_is_told_and_leaves_nothing(
    chroot: Fake, build_with: Callable[[Build], None]
) -> None:
    build_with(half)
    with pytest.raises(ChrootFailed, match="the mirror does not answer"):
        chroots.ready(chroot)
    assert there(chroot) == set()
    build_with(complete)
    chroots.ready(chroot)
    assert there(chroot) == {chroot.folder.name, chroot.snapshot.name}
    assert [path.name for path in chroot.folder.iterdir()] == ["program"]


def test_without_a_network_a_chroot_is_used_as_it_is_or_restored(
    chroot: Fake, build_with: Callable[[Build], None]
) -> None:
    chroots.ready(chroot)
    build_with(half)
    chroots.ready(chroot)
    (chroot.folder / "program").unlink()
    chroots.ready(chroot)
    assert chroot.works()
    shutil.rmtree(chroot.folder)
    chroots.ready(chroot)
    assert chroot.works()


def test_a_snapshot_that_is_cut_off_is_made_anew(chroot: Fake) -> None:
    chroots.ready(chroot)
    whole = chroot.snapshot.read_bytes()
    chroot.snapshot.write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(chroot.folder)
    chroots.ready(chroot)
    assert chroot.works()
    assert subprocess.run(["zstd", "--test", "-q", str(chroot.snapshot)], check=False).returncode == 0


def test_what_a_killed_run_has_left_half_done_is_put_away(chroot: Fake) -> None:
    for name in ("new", "old"):
        rest = chroot.folder.with_name(f"{chroot.folder.name}.{name}")
        (rest / "etc").mkdir(parents=True)
    chroots.ready(chroot)
    assert there(chroot) == {chroot.folder.name, chroot.snapshot.name}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_what_a_killed_run_has_left_mounted_is_not_deleted_with_the_chroot(chroot: Fake, tmp_path: Path) -> None:
    outside = tmp_path / "the system's own"
    outside.mkdir()
    (outside / "file").touch()
    place = chroot.folder.with_name(f"{chroot.folder.name}.new") / "a place"
    place.mkdir(parents=True)
    subprocess.run(["mount", "--bind", str(outside), str(place)], check=True)
    try:
        chroots.ready(chroot)
    finally:
        subprocess.run(["umount", str(place)], check=False, capture_output=True)
    assert there(chroot) == {chroot.folder.name, chroot.snapshot.name}
    assert (outside / "file").exists()


def test_two_runs_at_once_build_it_once(chroot: Fake, build_with: Callable[[Build], None]) -> None:
    started: list[Path] = []
    may_end = threading.Event()

    def slow(chroot: Chroot, folder: Path) -> None:
        started.append(folder)
        assert may_end.wait(60)
        complete(chroot, folder)

    build_with(slow)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(chroots.ready, chroot) for _ in range(2)]
        wait_for(lambda: started, "the first to build")
        may_end.set()
        for run in runs:
            run.result(60)
    assert len(started) == 1


def test_a_chroot_that_another_run_uses_is_not_replaced(chroot: Fake, build_with: Callable[[Build], None]) -> None:
    replaced = threading.Event()

    def build(chroot: Chroot, folder: Path) -> None:
        replaced.set()
        complete(chroot, folder)

    chroots.ready(chroot)
    used = chroots._IN_USE.pop(chroot.folder)
    (chroot.folder / "program").unlink()
    chroot.snapshot.unlink()
    build_with(build)
    with ThreadPoolExecutor() as pool:
        run = pool.submit(chroots.ready, chroot)
        assert not replaced.wait(0.5)
        used.close()
        run.result(60)
    assert replaced.is_set()


def test_a_program_sees_the_shared_folders_and_changes_nothing_in_the_chroot(monkeypatch: pytest.MonkeyPatch) -> None:
    version = KRITAS["5.2"]
    require(version.missing())
    with tempfile.TemporaryDirectory(dir=Path.home()) as name:
        shared = Path(name)
        monkeypatch.setattr(chroots, "shared_folders", lambda: [str(shared)])
        command = version.command("sh", "-c", f"touch {shared}/made; ls -d {chroots.OUTSIDE}{shared}; touch /made")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.split() == [f"{chroots.OUTSIDE}{shared}"]
        assert "Read-only file system" in done.stderr
        assert (shared / "made").exists()
        inside = chroots.CHROOTS["3.0"].folder
        assert not (inside / name.lstrip("/")).exists()
        assert not (inside / "made").exists()
