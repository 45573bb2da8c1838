"""``layerlift remove``: cut-outs of pictures, folders and patterns, as many side by side as the service allows."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import errors
from ..language import _
from ..removal.choices import CHOICES
from ..store.settings import Settings
from . import consent, files, signals, task, terminal

if TYPE_CHECKING:
    from ..imaging.pictures import Picture
    from ..removal.batch import Batch, End
    from ..removal.cancelling import Background
    from ..removal.engines import Engine
    from ..removal.running import Request
    from ..removal.single import Outcome
    from ..removal.stages import Stage
    from .files import Pair
    from .sheet import Sheet
    from .terminal import Display


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        nargs="+",
        type=Path,
        metavar="PHOTO",
        help=_("a picture, a folder of pictures, or a pattern for either"),
    )
    parser.add_argument("-r", "--recursive", action="store_true", help=_("descend into subfolders"))
    place = parser.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, metavar="FILE", help=_("where the cut-out of one picture goes"))
    place.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help=_("where cut-outs go, as {name}; the folders within a PHOTO folder are kept").format(
            name=f"NAME{files.SUFFIX}"
        ),
    )
    parser.add_argument(
        "--relative-to",
        type=Path,
        metavar="FOLDER",
        help=_("keep all folders below FOLDER in DIR, also for single files"),
    )
    parser.add_argument("--overwrite", action="store_true", help=_("redo pictures that already have a cut-out"))
    parser.add_argument("--engine", choices=CHOICES, default="auto")
    parser.add_argument(
        "--result", choices=("alpha", "mask"), default="alpha", help=_("the cut-out, or its mask in gray")
    )
    parser.add_argument(
        "--no-clean-edges",
        dest="clean_edges",
        action="store_false",
        help=_("leave the old background's colour in soft edges"),
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help=_("write a contact sheet, FILE.html"))
    task.add_row_arguments(parser)
    parser.add_argument(
        "--again",
        action="store_true",
        help=_("pay again where an earlier start may have been charged, and for the cut-out of a cut-out"),
    )
    parser.add_argument("--yes", action="store_true", help=_("agree to the upload and the cost"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object per picture on standard output"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Removes backgrounds; the exit status is 0 where all went well, 1 where not, 2 where something is to be set up."""
    if options.report is not None and options.report.suffix.lower() not in (".html", ".htm"):
        text = _("{path} should end in .html: a report is an HTML file")
        raise errors.make("usage", text.format(path=options.report))
    pairs = files.pairs(
        options.photos, options.output, options.output_dir, recursive=options.recursive, relative_to=options.relative_to
    )
    replaces = options.overwrite or options.output is not None
    skipped = set() if replaces else {number for number, pair in enumerate(pairs) if pair.target.is_file()}
    if skipped:
        text = _("Skipped {count} of {total}: cut-out already exists.")
        print(text.format(count=len(skipped), total=len(pairs)), file=sys.stderr)

    from ..removal.batch import Batch
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engines
    from .sheet import Sheet

    row = task.parse_row(["sod", *options.then]) if options.then else []
    if row and options.engine == "offline":
        raise errors.make("usage", _("--then needs the service; offline there is only the removal"))
    skipped |= _cut_outs(pairs, skipped, options)

    event = threading.Event()
    with ExitStack() as stack:
        engines = stack.enter_context(Engines(Settings()))
        batch = Batch(event, engines.background)
        engine = None
        if len(skipped) < len(pairs):
            cancel, count = Cancel(event), len(pairs) - len(skipped)
            if row:
                engine, row = task.open_service(engines, options, row, count, cancel)
            else:
                engine = consent.open_engine(engines, options, count, cancel)
        asked = stack.enter_context(signals.interrupting(event))
        sheet = stack.enter_context(Sheet(options.report)) if options.report is not None else None
        removing = _Removing(options, pairs, skipped, engines.background, event, sheet)
        removing.skip()
        if engine is not None:
            # What the row needs is deleted at its end.
            removing.remove(batch, replace(engine, delete=lambda entries: None) if row else engine, engines.settings)
            if row:
                removing.go_on(row, engine, asked)
        if len(pairs) > 1:
            print(terminal.summary(removing.ends), file=sys.stderr)
        if sheet is not None:
            removing.fill(sheet, asked)
        if engine is not None and not asked.is_set() and any(end["status"] == "done" for end in removing.ends):
            consent.advise_key(engines, options, engine)
        if asked.is_set():
            engines.leave()
        if asked.is_set() and engines.background.busy:
            text = _(
                "What is paid for is being finished, if need be in the background; the next run fetches it. "
                "Press Ctrl+C again to quit at once."
            )
            print(text, file=sys.stderr)
    return removing.status


def _cut_outs(pairs: Sequence[Pair], skipped: set[int], options: argparse.Namespace) -> set[int]:
    """The places of pictures that are cut-outs themselves, which is told, but for those that the user wants again."""
    from ..imaging import pictures

    found = set()
    for number, pair in enumerate(pairs):
        if number not in skipped and not options.again and pictures.is_cut_out(pair.source):
            found.add(number)
            text = _("Skipped: this is a cut-out. To remove its background anyway, add --again.")
            print(errors.plain(f"{pair.source}: {text}"), file=sys.stderr)
    return found


class _Removing:
    """The work on all pictures, and how each has ended.

    Args:
        skipped: the places of pictures in `pairs` that are left as they are.
        background: what has to end before the process does.
        event: set by whoever wants to stop.
        sheet: where pictures and cut-outs are shown, if anywhere.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        pairs: Sequence[Pair],
        skipped: set[int],
        background: Background,
        event: threading.Event,
        sheet: Sheet | None,
    ) -> None:
        self.ends: list[dict[str, Any]] = []
        """What `--json` tells."""
        self.status = 0
        self._options = options
        self._pairs = pairs
        self._skipped = skipped
        self._background = background
        self._event = event
        self._sheet = sheet

    def skip(self) -> None:
        """Tells what is skipped."""
        for number in sorted(self._skipped):
            pair = self._pairs[number]
            end = _describe_end(pair, None, "skipped") | ({} if pair.target.is_file() else {"output": None})
            self.ends.append(end)
            if self._options.json:
                print(json.dumps(end), flush=True)

    def remove(self, batch: Batch, engine: Engine, settings: Settings) -> None:
        """Makes all cut-outs that are not skipped, and tells how each has ended as it does."""
        places = [number for number in range(len(self._pairs)) if number not in self._skipped]
        titles = _titles([self._pairs[place].source for place in places])
        rate = settings.rate if engine.units else None
        with terminal.Display(titles, rate, lambda: engine.service.waiting > 0) as display:
            photos = [self._photo(place, number, display) for number, place in enumerate(places)]
            # Closed here and now, whatever is raised: then all pictures hear of it.
            with closing(batch.run(photos, engine, display.update, again=self._options.again)) as run:
                for count, end in enumerate(run, start=1):
                    title = f"{count}/{len(photos)} {titles[end.number]}" if len(photos) > 1 else titles[end.number]
                    self._tell(end, photos[end.number], engine, display, title)

    def go_on(self, row: Sequence[Request], engine: Engine, asked: threading.Event) -> None:
        """Runs tasks on what the service has made of each picture that is done, until the user has `asked` to stop."""
        from ..removal.cancelling import Cancel

        done = [Path(end["input"]) for end in self.ends if end["status"] in ("done", "cached")]
        places = {pair.source: pair.target.parent for pair in self._pairs}
        with terminal.Display([photo.name for photo in done], None, lambda: False) as display:
            for number, photo in enumerate(done):
                cancel = Cancel(asked, self._background)
                end = task.run_row(photo, places[photo], row, engine, self._options, cancel, (display, number))
                self.status = max(self.status, 0 if end["error"] is None else 1)

    def _photo(self, place: int, number: int, display: Display) -> _Photo:
        """The picture at a place in all, which has that number for the batch and the display."""
        pair = self._pairs[place]

        def show(stage: Stage, fraction: float) -> None:
            display.update(number, stage, fraction, "")

        def add(picture: Picture, cut_out: Picture, note: str) -> None:
            if self._sheet is not None:
                self._sheet.add(place, pair, picture, cut_out, note)

        return _Photo(pair, self._options, self._background, self._event, show, add)

    def _tell(self, end: End[_Made], photo: _Photo, engine: Engine, display: Display, title: str) -> None:
        made, pair = end.result, photo.pair
        error: BaseException | None = end.error
        if isinstance(error, errors.Cancelled) and photo.made is not None:
            # It was just being written.
            failed = photo.made.exception()
            made = None if failed else photo.made.result()
            error = error if isinstance(failed, errors.Cancelled) else failed
        if made is not None:
            line = _describe_end(pair, engine.name, "cached" if made.cached else "done") | made.fields
            text = f"{pair.target} ({made.note})" if made.note else str(pair.target)
        else:
            known = errors.wrap(error)
            line = _describe_end(pair, engine.name, "cancelled" if isinstance(known, errors.Cancelled) else "failed")
            line |= {"output": None, "error": {"code": known.code, "kind": known.kind, "message": str(known)}}
            text = str(known)
            self.status = max(self.status, 2 if isinstance(known, errors.SetupError) else 1)
        line["seconds"] = round(end.seconds, 3)
        self.ends.append(line)
        display.finish(end.number, made=line["status"] == "done")
        if len(self._pairs) == 1 or not display.live or line["status"] == "failed":
            display.print(errors.plain(f"{title}: {text}"))
        if self._options.json:
            display.print(json.dumps(line), out=True)

    def fill(self, sheet: Sheet, asked: threading.Event) -> None:
        """Shows what was skipped, too, unless the user has `asked` to stop, and what it all came to."""
        from ..imaging import pictures

        sheet.summary = terminal.summary(self.ends)
        for number in sorted(self._skipped):
            if asked.is_set():
                return
            pair = self._pairs[number]
            try:
                sheet.add(
                    number, pair, pictures.read(pair.source), pictures.read(pair.target), _("from an earlier run")
                )
            except errors.PictureError:
                continue


class _Made(NamedTuple):
    """What became of a picture: whether it was free, what `--json` tells of it, and what else there is to say."""

    cached: bool
    fields: dict[str, Any]
    note: str


class _Photo:
    """A picture's way from file to file, as `batch.Job` has it.

    Args:
        background: what has to end before the process does.
        event: set by whoever wants to stop.
        on_progress: is called with how far reading, cleaning and writing are.
        on_cut_out: is called with the picture and its cut-out, and notes on it.
    """

    def __init__(
        self,
        pair: Pair,
        options: argparse.Namespace,
        background: Background,
        event: threading.Event,
        on_progress: Callable[[Stage, float], None],
        on_cut_out: Callable[[Picture, Picture, str], None],
    ) -> None:
        self.pair = pair
        self.made: Future[_Made] | None = None
        """The cut-out, from the moment on from which nobody keeps it from being written."""
        self._options = options
        self._background = background
        self._event = event
        self._on_progress = on_progress
        self._on_cut_out = on_cut_out

    def load(self) -> Picture:
        from ..imaging import pictures
        from ..removal.stages import Stage

        picture = pictures.read(self.pair.source, self._make_report(Stage.READ))
        files.make_folder(self.pair.target.parent)
        return picture

    def deliver(self, picture: Picture, outcome: Outcome) -> _Made:
        from ..imaging import matte, pictures
        from ..removal.stages import Stage
        from ..store.threads import fulfil

        if self._options.result == "mask":
            cut_out = pictures.Picture(outcome.alpha[:, :, None], None)
        else:
            clean = self._make_report(Stage.CLEAN)
            cut_out = matte.cut_out(picture, outcome.alpha, clean_edges=self._options.clean_edges, report=clean)

        def write() -> _Made:
            # Whoever has told of the end may not have seen `made`.
            self._check()
            return self._write(picture, cut_out, outcome)

        made: Future[_Made] = Future()
        self._background.add(made)
        self.made = made
        fulfil(made, write)
        return made.result()

    def _check(self) -> None:
        if self._event.is_set():
            raise errors.make("cancelled")

    def _make_report(self, stage: Stage) -> Callable[[float], None]:
        """Tells how far a stage is, and stops it where the user wishes that."""

        def report(fraction: float) -> None:
            self._check()
            self._on_progress(stage, fraction)

        return report

    def _write(self, picture: Picture, cut_out: Picture, outcome: Outcome) -> _Made:
        from ..imaging import pictures
        from ..removal.stages import Stage

        pictures.write_png(self.pair.target, cut_out, lambda fraction: self._on_progress(Stage.WRITE, fraction))
        notes = [_("kept from an earlier run: free")] * outcome.cached
        notes += [_("no background was found: the whole picture was kept")] * outcome.full
        notes += [_("made by the model {model}").format(model=outcome.model)] if outcome.model else []
        notes += [outcome.fallback] if outcome.fallback else []
        note = "; ".join(notes)
        self._on_cut_out(picture, cut_out, note)
        fields = {
            "model": outcome.model,
            "fallback": outcome.fallback,
            "task_id": outcome.task_id,
            "dst_id": outcome.dst_id,
            "units": outcome.units,
        }
        return _Made(outcome.cached, fields, note)


def _titles(sources: Sequence[Path]) -> list[str]:
    """What pictures are called where there is little room."""
    names = [source.name for source in sources]
    return names if len(set(names)) == len(names) else [str(source) for source in sources]


def _describe_end(pair: Pair, engine: str | None, status: str) -> dict[str, Any]:
    """What `--json` tells of a picture, as far as it is the same for all."""
    return {
        "input": str(pair.source),
        "output": str(pair.target),
        "status": status,
        "engine": engine,
        "model": None,
        "fallback": None,
        "task_id": None,
        "dst_id": None,
        "units": 0,
        "seconds": 0.0,
        "error": None,
    }
