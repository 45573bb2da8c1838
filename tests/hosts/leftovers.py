"""What a removal may leave on this machine."""

from __future__ import annotations

from pathlib import Path

from .window import HostTimeout, wait_for
from .workers import workers_of


def folders(home: Path) -> list[Path]:
    """The folders of pixels that are there."""
    return list((home / "work").glob("*/"))


def nothing_is_left(home: Path) -> None:
    """Wait until no worker and no pixels are there."""
    try:
        wait_for(lambda: not workers_of(home) and not folders(home), "workers and pixels to go")
    except HostTimeout as problem:
        files = [str(path.relative_to(home)) for path in sorted((home / "work").rglob("*"))]
        log = "".join(path.read_text(errors="replace")[-4000:] for path in home.glob("*.log"))
        raise HostTimeout(f"{problem}; left are {workers_of(home)} and {files}\n{log}") from None
