"""Newer GIMPs and Kritas for tests on a system that has older ones: Debian chroots, and how a program is run in one.

`ready(CHROOTS["3.0"])` builds a chroot once, keeps a snapshot of it, and restores it from there where it is missing or
spoilt. They are kept in a folder that all checkouts of the machine share: $LAYERLIFT_TEST_CHROOTS, else
`layerlift-tests` in the user's cache folder. The Debian mirror is the one that apt uses here.

`Chroot.command` makes the command line that runs a program inside. It needs root, and leaves nothing behind: its mounts
are in a namespace of their own, and the chroot is read-only there. The temporary folder, the checkout, /proc, /dev and
the network are those of the system, under the same names; the system itself is at /outside. By hand:

    python3 tests/hosts/chroots.py 3.2 gimp-console --version
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
# What is mounted in here is gone with the last process.
NAMESPACE = ["unshare", "--mount", "--propagation", "private", "--"]
ENTER = f"""set -e
root=$1 folders=$2
shift 2
mount --bind "$root" "$root"
mount --rbind / "$root{OUTSIDE}"
mount -o remount,bind,ro "$root"
for folder in $folders; do mount --rbind "$folder" "$root$folder"; done
exec chroot "$root" "$@"
"""


class ChrootFailed(Exception):
    """A chroot could not be built; the text says why."""


@dataclass(frozen=True)
class Chroot:
    """A Debian suite with the GIMP and the Krita that are in it."""

    suite: str
    gimp: str
    krita: str

    @property
    def folder(self) -> Path:
        """Where it is; named after all that decides what is in it."""
        recipe = repr((self.suite, PACKAGES, sorted(FILES.items())))
        return cache() / f"{self.suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"

    @property
    def snapshot(self) -> Path:
        return self.folder.with_name(self.folder.name + ".tar.zst")

    def works(self) -> bool:
        """Whether it is there and its programs start."""
        return all(self.version(program).startswith(getattr(self, program) + ".") for program in VERSION_COMMANDS)

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
        for folder in (OUTSIDE, *folders):
            (self.folder / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return [*NAMESPACE, "sh", "-c", ENTER, "sh", str(self.folder), " ".join(folders), *arguments]


CHROOTS = {chroot.gimp: chroot for chroot in (Chroot("trixie", "3.0", "5.2"), Chroot("forky", "3.2", "5.3"))}


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
    with locked(chroot.folder.with_name(chroot.folder.name + ".lock")):
        if chroot.works():
            return
        if chroot.snapshot.exists():
            with replacing(chroot.folder) as new:
                new.mkdir()
                pipe(["zstd", "-dc", str(chroot.snapshot)], ["tar", "-C", str(new), "-x", "--numeric-owner"])
            if chroot.works():
                return
        with replacing(chroot.folder) as new:
            build(chroot, new)
        if not chroot.works():
            found = {program: chroot.version(program) or "that does not start" for program in VERSION_COMMANDS}
            raise ChrootFailed(f"{chroot.suite} has GIMP {found['gimp']} and Krita {found['krita']}")
        with replacing(chroot.snapshot) as new:
            tar = ["tar", "-C", str(chroot.folder), "-c", "--one-file-system", "--numeric-owner", "."]
            pipe(tar, ["zstd", "-3", "-T0", "-q", "-o", str(new)])


def build(chroot: Chroot, folder: Path) -> None:
    """Install a suite and its programs into a folder."""
    # A suite that is newer than this debootstrap has no script of its own.
    script = [] if (DEBOOTSTRAP_SCRIPTS / chroot.suite).exists() else [str(DEBOOTSTRAP_SCRIPTS / "sid")]
    run(["debootstrap", "--variant=minbase", chroot.suite, str(folder), mirror(), *script])
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "usr/sbin/policy-rc.d").chmod(0o755)
    inside = ["chroot", str(folder), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "apt-get", "-q"]
    run([*inside, "update"])
    run([*inside, "install", "-y", *PACKAGES])
    run([*inside, "clean"])
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process has this lock; it goes with the process."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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


def remove(path: Path) -> None:
    """Delete a file or a whole folder, where it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(command: list[str]) -> None:
    """Run a step; ChrootFailed with the end of what it wrote, where it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise ChrootFailed(f"{' '.join(command[:4])} ... failed:\n{done.stdout.decode(errors='replace')[-2000:]}")


def pipe(source: list[str], drain: list[str]) -> None:
    """Run one program's output into another."""
    with subprocess.Popen(source, stdout=subprocess.PIPE) as process:
        subprocess.run(drain, stdin=process.stdout, check=True)
    if process.returncode:
        raise ChrootFailed(f"{source[0]} failed")


def main(arguments: Sequence[str]) -> None:
    """Run a program in a chroot, which is built first where it is missing, in place of this process."""
    chroot = CHROOTS[arguments[0]]
    ready(chroot)
    command = chroot.command(arguments[1:])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
