"""The ``layerlift`` command: remove, balance, key, jobs, serve.

Results go to files, and with ``--json`` one object a picture to standard output; everything else goes to standard
error. Exit status: 0 all done, 1 some picture failed, 2 usage or set-up.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__, errors, log
from .settings import Settings

if TYPE_CHECKING:
    from .cancelling import Cancel
    from .engines import Engine, Engines
    from .removal import Outcome, Stage

_SUFFIX = "-cutout.png"
_FORMATS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"}
_BAR = 24


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        log.start(Settings().state_folder)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except errors.LayerliftError as error:
        print(f"layerlift: {error}", file=sys.stderr)
        return 2 if isinstance(error, errors.SetupError) else 1
    except KeyboardInterrupt:
        print("\nlayerlift: Cancelled.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Nobody reads any more; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="layerlift", description="Removes the background of pictures.")
    parser.add_argument("--version", action="version", version=f"layerlift {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    remove = commands.add_parser("remove", help="remove the background of pictures")
    remove.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="a picture, or a folder of pictures")
    place = remove.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the cut-out of one picture goes")
    place.add_argument("--output-dir", type=Path, metavar="DIR", help=f"where cut-outs go, as NAME{_SUFFIX}")
    remove.add_argument("--engine", choices=("auto", "youcam", "offline"), default="auto")
    remove.add_argument("--result", choices=("alpha", "mask"), default="alpha", help="the cut-out, or its mask in gray")
    remove.add_argument(
        "--no-clean-edges",
        dest="clean_edges",
        action="store_false",
        help="leave the old background's colour in soft edges",
    )
    remove.add_argument("--again", action="store_true", help="pay again where an earlier start may have been charged")
    remove.add_argument("--yes", action="store_true", help="agree to the upload and to the cost")
    remove.add_argument("--json", action="store_true", help="one JSON object a picture on standard output")
    remove.set_defaults(run=_remove)

    balance = commands.add_parser("balance", help="show the units of the account")
    balance.set_defaults(run=_balance)

    key = commands.add_parser("key", help="set, show or forget the API key")
    key.add_argument("action", choices=("set", "show", "forget"))
    key.set_defaults(run=_key)

    from . import doctor, jobs

    examined = commands.add_parser("doctor", help="report on this installation, safe to show to others")
    examined.set_defaults(run=doctor.run)

    from .offline import serve

    jobs.add_arguments(commands.add_parser("jobs", help="show what was paid for, and what is still on its way"))
    server = commands.add_parser("serve", help="run the offline service on its own")
    serve.add_arguments(server)
    server.set_defaults(run=serve.run)
    return parser


def _remove(options: argparse.Namespace) -> int:
    from .cancelling import Cancel
    from .engines import Engines

    pairs = _pairs(options.photos, options.output, options.output_dir)
    event = threading.Event()
    settings = Settings()
    ends: list[dict[str, Any]] = []
    stop: errors.LayerliftError | None = None
    with ExitStack() as stack:
        engines = stack.enter_context(Engines(settings))
        cancel = Cancel(event, engines.background)
        engine = _opened(engines, settings, options, cancel)
        stack.enter_context(_interrupt(event))
        for number, (source, target) in enumerate(pairs, start=1):
            bar = _Bar(source.name if len(pairs) == 1 else f"{number}/{len(pairs)} {source.name}")
            started = time.monotonic()
            end: dict[str, Any] = {"task_id": None, "dst_id": None, "units": 0, "error": None}
            try:
                if stop is not None:
                    raise errors.make("not_started", stop.message)
                outcome = _cut_out(source, target, options, engine, bar, cancel)
                end |= {
                    "status": "cached" if outcome.cached else "done",
                    "task_id": outcome.task_id,
                    "dst_id": outcome.dst_id,
                    "units": outcome.units,
                }
                notes = ["kept from an earlier run: free"] * outcome.cached
                notes += ["all of it was taken for the subject"] * outcome.full
                bar.close(f"{target} ({'; '.join(notes)})" if notes else str(target))
            except BrokenPipeError:
                raise
            except Exception as found:  # noqa: BLE001 - a bad picture fails alone
                error = _known(found)
                end["status"] = "cancelled" if isinstance(error, errors.Cancelled) else "failed"
                end["error"] = {"code": error.code, "message": str(error)}
                bar.close(str(error))
                if isinstance(error, (errors.SetupError, errors.TopUpError)) or error.code == "cancelled":
                    stop = error
            end |= {"input": str(source), "output": str(target) if end["error"] is None else None}
            end |= {"engine": engine.name, "seconds": round(time.monotonic() - started, 3)}
            ends.append(end)
            if options.json:
                print(json.dumps(end), flush=True)
    if isinstance(stop, errors.SetupError):
        return 2
    return 0 if all(end["error"] is None for end in ends) else 1


def _opened(engines: Engines, settings: Settings, options: argparse.Namespace, cancel: Cancel) -> Engine:
    """The engine, after the user has agreed to the upload where that is needed; tells which one it is."""
    try:
        engine = engines.open(options.engine, cancel.sleep)
    except errors.ConsentNeeded:
        if not (options.yes or _agrees(settings.api_host)):
            raise
        settings.agree(settings.api_host)
        engine = engines.open(options.engine, cancel.sleep)
    told = {
        "youcam": f"Engine: YouCam. Pictures are uploaded to {settings.api_host}; each costs {engine.units} unit.",
        "offline": "Engine: offline, a quick draft. Nothing leaves this computer.",
    }
    print(told[engine.name], file=sys.stderr)
    return engine


def _cut_out(
    source: Path, target: Path, options: argparse.Namespace, engine: Engine, bar: _Bar, cancel: Cancel
) -> Outcome:
    """One picture's way from file to file."""
    from . import matte, pictures, removal

    picture = pictures.read(source)
    _check_folder(target.parent)
    outcome = removal.remove(picture, engine, bar.show, cancel, again=options.again)
    if options.result == "mask":
        picture = pictures.Picture(outcome.alpha[:, :, None], None)
    else:

        def clean(fraction: float) -> None:
            cancel.check()
            bar.show(removal.Stage.CLEAN, fraction, "")

        picture = matte.cut_out(picture, outcome.alpha, clean_edges=options.clean_edges, report=clean)
    pictures.write_png(target, picture)
    return outcome


def _check_folder(folder: Path) -> None:
    """Makes the folder and sees that it can be written to, before anything is paid for that could not be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise errors.make("disk", f"{folder} ({error.strerror})") from error


def _known(found: Exception) -> errors.LayerliftError:
    if isinstance(found, errors.LayerliftError):
        return found
    if isinstance(found, MemoryError):
        return errors.make("picture_too_large", "the memory does not hold it")
    return errors.make("internal", f"{type(found).__name__}: {found}")


def _pairs(photos: Sequence[Path], output: Path | None, folder: Path | None) -> list[tuple[Path, Path]]:
    """Every picture and where its cut-out goes. Cut-outs of earlier runs are not pictures of a folder."""
    sources: list[Path] = []
    for photo in photos:
        if photo.is_dir():
            try:
                sources += sorted(path for path in photo.iterdir() if _is_input(path))
            except OSError as error:
                raise errors.make("usage", f"{photo} can't be read ({error.strerror})") from error
        else:
            sources.append(photo)
    if not sources:
        raise errors.make("usage", f"no picture is in {', '.join(map(str, photos))}")
    if output is not None:
        if len(sources) != 1:
            raise errors.make("usage", "-o takes one picture; use --output-dir for several")
        if output.is_dir():
            raise errors.make("usage", f"{output} is a folder; use --output-dir for that")
        if output.suffix.lower() != ".png":
            raise errors.make("usage", f"{output} should end in .png: a cut-out is a PNG file")
    pairs = [(source, output or (folder or source.parent) / (source.stem + _SUFFIX)) for source in sources]
    originals = {source.resolve() for source in sources}
    taken: dict[Path, Path] = {}
    for source, target in pairs:
        place = target.resolve()
        if place in originals:
            raise errors.make("usage", f"the cut-out would replace the picture {target}")
        if place in taken:
            raise errors.make("usage", f"{source} and {taken[place]} would both go to {target}")
        taken[place] = source
    return pairs


def _is_input(path: Path) -> bool:
    return path.suffix.lower() in _FORMATS and not path.name.endswith(_SUFFIX) and path.is_file()


def _balance(_: argparse.Namespace) -> int:
    settings = Settings()
    key = settings.key()
    if key is None:
        raise errors.make("no_key")
    from .service import Service

    print(f"{round(Service(settings.api_url, key.value).balance(), 2):.15g} units")
    return 0


def _key(options: argparse.Namespace) -> int:
    settings = Settings()
    if options.action == "set":
        value = (getpass.getpass("API key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
        print(f"The key is stored in the {settings.set_key(value)}.", file=sys.stderr)
        if sys.stdin.isatty() and _agrees(settings.api_host):
            settings.agree(settings.api_host)
    elif options.action == "show":
        key = settings.key()
        if key is None:
            raise errors.make("no_key")
        print(f"{key.redacted} ({key.source})")
    else:
        settings.forget_key()
    return 0


def _agrees(host: str) -> bool:
    """Asks on a terminal whether pictures may be uploaded; without one nobody has agreed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"Pictures will be uploaded to {host}, which charges 1 unit for each. Agree? [y/N] ", end="", file=sys.stderr)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def _interrupt(event: threading.Event) -> Iterator[None]:
    """Ctrl+C asks the running picture to stop; a second one ends the command at once."""

    def first(*_: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Bar:
    """A progress bar on a terminal, one line a picture; in a pipe only how it ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._live = sys.stderr.isatty()

    def show(self, stage: Stage, fraction: float, text: str) -> None:
        if self._live:
            filled = round(fraction * _BAR)
            details = f" ({text})" if text else ""
            line = f"{self._name} [{'#' * filled}{'.' * (_BAR - filled)}] {stage.value}{details}"
            # A line that wraps could not be cleared.
            print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

    def close(self, text: str) -> None:
        start = "\r\x1b[K" if self._live else ""
        print(f"{start}{self._name}: {text}", file=sys.stderr, flush=True)
