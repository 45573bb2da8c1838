"""Newer GIMPs and Kritas for tests on a system that has older ones: Debian chroots, and how a program is run in one.

`ready(CHROOTS["3.0"])` builds a chroot once, keeps a snapshot of it, and restores it from there where it is missing or
spoilt. They are kept in a folder that all checkouts of the machine share: $LAYERLIFT_TEST_CHROOTS, else
`layerlift-tests` in the user's cache folder. The Debian mirror is the one that apt uses here. A chroot that a process
uses, or has made ready, is not replaced by another before that process has ended.

`Chroot.command` makes the command line that runs a program inside. It needs root, and leaves nothing behind: its mounts
are in a namespace of their own, the places for them are on a layer in memory, and the chroot is read-only there. The
temporary folder, the checkout, /proc, /dev and the network are those of the system, under the same names; the system
itself is at /outside. By hand:

    python3 tests/hosts/chroots.py 3.2 gimp-console --version
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parents[2]
DEBOOTSTRAP_SCRIPTS = Path("/usr/share/debootstrap/scripts")
OUTSIDE = "/outside"
PACKAGES = (
    "gimp", "python3", "python3-gi", "python3-venv", "gir1.2-gimp-3.0", "gir1.2-gtk-3.0", "krita", "python3-pyqt5",
    "fonts-dejavu-core",
)  # fmt: skip
# What tells each program's version without a screen.
VERSION_COMMANDS = {"gimp": ("gimp-console", "--version"), "krita": ("krita_version",)}
FILES = {
    # The release file of a testing suite may be older than it says that it is valid.
    "etc/apt/apt.conf.d/99tests": 'Acquire::Check-Valid-Until "false";\nAPT::Install-Recommends "false";\n',
    "etc/dpkg/dpkg.cfg.d/tests": "force-unsafe-io\n"
    + "".join(f"path-exclude=/usr/share/{name}/*\n" for name in ("doc", "man", "locale", "help")),
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
}
MIRROR = "the Debian mirror"
KRITA_6_PACKAGES = ("krita", "python3-venv", "python3-pyqt6", "qt6-svg-plugins", "fonts-dejavu-core")
KRITA_6_FILES = {
    "etc/apt/sources.list.d/newer.list": f"deb {MIRROR} sid main\ndeb {MIRROR} experimental main\n",
    "etc/apt/apt.conf.d/99newer": 'APT::Default-Release "experimental";\n',
}
# What is mounted in here is gone with the last process.
NAMESPACE = ["unshare", "--mount", "--propagation", "private", "--"]
# The same for the processes too: an installation ends with whoever wanted it.
BUILDING = ["setpriv", "--pdeathsig", "KILL", "--", *NAMESPACE[:-1], "--pid", "--fork", "--kill-child", "--"]
ENTER = f"""set -e
root=$1 folders=$2
shift 2
cd "$root"
mount -t tmpfs tmpfs mnt
mkdir mnt/upper mnt/work
mount -t overlay -o lowerdir=.,upperdir=mnt/upper,workdir=mnt/work overlay "$root"
for folder in {OUTSIDE} $folders; do mkdir -p "$root$folder"; done
mount --rbind / "$root{OUTSIDE}"
mount -o remount,bind,ro "$root"
for folder in $folders; do mount --rbind "$folder" "$root$folder"; done
exec chroot "$root" "$@"
"""


class ChrootFailed(Exception):
    """A chroot could not be built; the text says why."""


@dataclass(frozen=True)
class Chroot:
    """A Debian suite with the GIMP or the Krita that is in it, or with both; "" is none.

    `files` are written before the packages are installed; `MIRROR` in them becomes the mirror's address.
    """

    suite: str
    gimp: str = ""
    krita: str = ""
    packages: tuple[str, ...] = PACKAGES
    files: Mapping[str, str] = field(default_factory=lambda: FILES)

    @property
    def folder(self) -> Path:
        """Where it is; named after all that decides what is in it."""
        recipe = repr((self.suite, self.packages, sorted(self.files.items())))
        return cache() / f"{self.suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"

    @property
    def snapshot(self) -> Path:
        return self.folder.with_name(self.folder.name + ".tar.zst")

    @property
    def lock(self) -> Path:
        return self.folder.with_name(self.folder.name + ".lock")

    @property
    def name(self) -> str:
        """The suite and the hosts, for people."""
        hosts = (f"{host} {getattr(self, program)}" for host, program in (("GIMP", "gimp"), ("Krita", "krita"))
                 if getattr(self, program))  # fmt: skip
        return f"Debian {self.suite} with {' and '.join(hosts)}"

    def works(self) -> bool:
        """Whether it is there and its programs start. Then no other process replaces it until this one has ended."""
        if not cache().is_dir():
            return False
        if self.folder not in _IN_USE:
            _IN_USE[self.folder] = lock(self.lock, shared=True)
        if not self.starts():
            _IN_USE.pop(self.folder).close()
            return False
        return True

    def starts(self) -> bool:
        """Whether its programs start, as it is at this moment."""
        wanted = {program: getattr(self, program) for program in VERSION_COMMANDS}
        return all(self.version(program).startswith(version + ".") for program, version in wanted.items() if version)

    def version(self, program: str) -> str:
        """The full version of its GIMP or Krita ("gimp", "krita"), or "" where that does not start."""
        name, *arguments = VERSION_COMMANDS[program]
        if not (self.folder / "usr/bin" / name).exists():
            return ""
        command = ["chroot", str(self.folder), name, *arguments]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        return run.stdout.strip().rpartition(" ")[2]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs a program inside; it keeps the process and its group."""
        folders = ["/proc", "/dev", "/sys", *shared_folders()]
        return [*NAMESPACE, "sh", "-c", ENTER, "sh", str(self.folder), " ".join(folders), *arguments]


_IN_USE: dict[Path, IO[str]] = {}
"""The locks of the chroots that this process uses."""
CHROOTS = {
    chroot.gimp or chroot.krita: chroot
    for chroot in (
        Chroot("trixie", "3.0", "5.2"),
        Chroot("forky", "3.2", "5.3"),
        # With Qt 6: from experimental, on what that is made for.
        Chroot("forky", krita="6.0", packages=KRITA_6_PACKAGES, files={**FILES, **KRITA_6_FILES}),
    )
}


def cache() -> Path:
    """The folder of all chroots and their snapshots."""
    if "LAYERLIFT_TEST_CHROOTS" in os.environ:
        return Path(os.environ["LAYERLIFT_TEST_CHROOTS"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "layerlift-tests"


def shared_folders() -> list[str]:
    """What is the same inside and outside: the temporary folder and the checkout."""
    temporary = Path(tempfile.gettempdir()).resolve()
    shared = [temporary] if temporary in CHECKOUT.parents else [temporary, CHECKOUT]
    return [str(folder) for folder in shared]


def ready(chroot: Chroot) -> None:
    """Make sure that a chroot is there and works: as it is, or from its snapshot, or built."""
    cache().mkdir(parents=True, exist_ok=True)
    if chroot.works():
        return
    with lock(chroot.lock):
        if not chroot.starts():
            renew(chroot)
    if not chroot.works():
        raise ChrootFailed(f"{chroot.name} was there, and is gone")


def renew(chroot: Chroot) -> None:
    """Put a chroot that works in a chroot's place: from its snapshot, or built."""
    if chroot.snapshot.exists():
        # One that can't be read is of no more use than one whose programs don't start.
        with suppress(ChrootFailed), replacing(chroot.folder) as new:
            new.mkdir()
            pipe(["zstd", "-dc", str(chroot.snapshot)], ["tar", "-C", str(new), "-x", "--numeric-owner"])
        if chroot.starts():
            return
    with replacing(chroot.folder) as new:
        build(chroot, new)
    if not chroot.starts():
        found = (f"{program} {chroot.version(program) or 'that does not start'}" for program in VERSION_COMMANDS)
        raise ChrootFailed(f"{chroot.name} was wanted, and there is {', '.join(found)}")
    with replacing(chroot.snapshot) as new:
        tar = ["tar", "-C", str(chroot.folder), "-c", "--one-file-system", "--numeric-owner", "."]
        pipe(tar, ["zstd", "-3", "-T0", "-q", "-o", str(new)])


def build(chroot: Chroot, folder: Path) -> None:
    """Install a suite and its programs into a folder."""
    # A suite that is newer than this debootstrap has no script of its own.
    script = [] if (DEBOOTSTRAP_SCRIPTS / chroot.suite).exists() else [str(DEBOOTSTRAP_SCRIPTS / "sid")]
    address = mirror()
    run([*BUILDING, "debootstrap", "--variant=minbase", chroot.suite, str(folder), address, *script])
    for name, text in chroot.files.items():
        (folder / name).write_text(text.replace(MIRROR, address))
    (folder / "usr/sbin/policy-rc.d").chmod(0o755)
    apt = ["chroot", str(folder), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "apt-get", "-q"]
    for step in (["update"], ["install", "-y", *chroot.packages], ["clean"]):
        run([*BUILDING, *apt, *step])
    shutil.rmtree(folder / "var/lib/apt/lists")


def mirror() -> str:
    """The address of the Debian archive that apt uses on this system."""
    form = "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)"
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for line in targets.splitlines():
        origin, component, codename, address = line.split(" ", 3)
        if (origin, component) == ("Debian", "main") and "-" not in codename:
            return address
    raise ChrootFailed("apt knows no Debian archive here, from which a suite could be installed")


def lock(path: Path, *, shared: bool = False) -> IO[str]:
    """Wait until no other process has this lock, or none has it for itself alone where it may be shared.

    It goes with the file that is returned, and with the process.
    """
    import fcntl

    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    return file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside a path, for what takes its place when it is whole."""
    new, old = (path.with_name(f"{path.name}.{state}") for state in ("new", "old"))
    for rest in (new, old):
        remove(rest)
    try:
        yield new
        if path.exists():
            path.rename(old)
        new.rename(path)
    finally:
        for rest in (new, old):
            remove(rest)


def kept(name: str, recipe: object, make: Callable[[], Path]) -> Path:
    """The folder that `make` makes, or has made for an earlier run with the same recipe: kept beside the chroots."""
    folder = cache() / f"{name}-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            made = make()
            with replacing(folder) as new:
                shutil.copytree(made, new, symlinks=True)
    return folder


def remove(path: Path) -> None:
    """Delete a file or a whole folder, where it is there; nothing of what a run that was killed has left mounted."""
    for point in reversed(mounted_in(path)):
        run(["umount", "--lazy", str(point)])
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def mounted_in(folder: Path) -> list[Path]:
    """The places in a folder where something is mounted, in the order of their mounting."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    points = [Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4])) for line in lines]
    return [point for point in points if folder.resolve() in (point, *point.parents)]


def run(command: list[str]) -> None:
    """Run a step; ChrootFailed with the end of what it wrote, where it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        words = command[len(BUILDING) :] if command[: len(BUILDING)] == BUILDING else command
        raise ChrootFailed(f"{' '.join(words[:4])} ... failed:\n{done.stdout.decode(errors='replace')[-2000:]}")


def pipe(source: list[str], drain: list[str]) -> None:
    """Run one program's output into another."""
    with subprocess.Popen(source, stdout=subprocess.PIPE) as process:
        drained = subprocess.run(drain, stdin=process.stdout, check=False)
    if process.returncode or drained.returncode:
        raise ChrootFailed(f"{source[0]} or {drain[0]} failed")


def main(arguments: Sequence[str]) -> None:
    """Run a program in a chroot, which is built first where it is missing, in place of this process."""
    chroot = next(chroot for chroot in CHROOTS.values() if arguments[0] in (chroot.gimp, chroot.krita))
    ready(chroot)
    command = chroot.command(arguments[1:])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
