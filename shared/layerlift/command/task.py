"""``layerlift tasks`` and ``layerlift run``: the service's other tasks, what they take and cost, and running them."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import errors
from ..imaging import formats
from ..language import _, ngettext
from ..store.settings import Settings
from . import consent, files, signals, terminal

if TYPE_CHECKING:
    from ..imaging.pictures import Picture
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engine, Engines
    from ..removal.running import Request, Results
    from ..service.tasks import Field, Task

_FIELDS = re.compile(r",(?=[a-z_]+=)")
_DST_ID = re.compile(r"dst:([\w.-]{1,200})")
"""A result that the service has kept, in place of a picture."""


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", metavar="TASK", help=_("one task: its fields and its templates"))
    parser.set_defaults(run=_list)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "task",
        metavar="TASK[:NAME=VALUE,...]",
        help=_("a task from 'layerlift tasks', and its fields; a mask is the path of a gray picture"),
    )
    parser.add_argument(
        "photos", nargs="+", type=Path, metavar="PHOTO", help=_("a picture, or dst:ID of a kept result")
    )
    add_row_arguments(parser)
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help=_("where results go, as NAME-TASK.png or .jpg"))
    parser.add_argument("--overwrite", action="store_true", help=_("replace results that are there"))
    parser.add_argument(
        "--again", action="store_true", help=_("pay again where an earlier start may have been charged")
    )
    parser.add_argument("--yes", action="store_true", help=_("agree to the upload and the cost"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object per picture on standard output"))
    parser.set_defaults(run=_run)


def add_row_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--then",
        action="append",
        default=[],
        metavar="TASK[:NAME=VALUE,...]",
        help=_("another task, which works on the result; can be given several times"),
    )
    parser.add_argument("--keep", action="store_true", help=_("have the service keep its copies, for a later task"))


def _list(options: argparse.Namespace) -> int:
    from ..service import tasks

    wanted = [tasks.find(options.task)] if options.task else list(tasks.TASKS)
    prices, templates = _ask_service(wanted if options.task else [])
    for task in wanted:
        print(f"{task.slug}: {_(task.purpose)} ({_describe_price(prices.get(task.slug))})")
        if options.task:
            for field in task.fields:
                print(f"    {_describe_field(field)}")
            for template in templates:
                print(errors.plain(f"    template_id={template.id}  {template.title}"))
            print(f"    {task.page}")
    return 0


def _ask_service(wanted: Sequence[Task]) -> tuple[dict[str, float], list[Any]]:
    """Prices, and the templates of these tasks; nothing where there is no key, or no answer."""
    from ..removal import account, running
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engines

    cancel = Cancel(threading.Event())
    with Engines(Settings()) as engines:
        try:
            engine = running.open_service(engines, cancel.sleep, uploads=False)
            templates = [
                template
                for task in wanted
                if any(field.kind == "template" for field in task.fields)
                for template in engine.service.of(task).templates(sleep=cancel.sleep)
            ]
            return account.ask_prices(engine, cancel), templates
        except errors.LayerliftError as error:
            print(error.message, file=sys.stderr)
            return {}, []


def _describe_price(price: float | None) -> str:
    return _("price not listed") if price is None else terminal.format_units(price)


def _describe_field(field: Field) -> str:
    values = {
        "number": f"{field.lowest}...{field.highest}",
        "choice": "|".join(map(str, field.choices)),
        "text": _("TEXT"),
        "template": _("TEMPLATE"),
        "mask": _("PICTURE"),
    }
    said = [f"{field.name}={values[field.kind]}", _(field.purpose)]
    said += [_("required")] * field.required
    said += [_("default: {value}").format(value=field.default)] if field.default is not None else []
    return "  ".join(said)


def _run(options: argparse.Namespace) -> int:
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engines

    requests = parse_row([options.task, *options.then])
    name = _name(request.task for request in requests)
    photos = [photo for photo in options.photos if not _is_done(photo, name, options)]
    for photo in photos:
        files.make_folder(options.output_dir or photo.parent)
    if not photos:
        return 0
    event, status = threading.Event(), 0
    with Engines(Settings()) as engines, signals.interrupting(event) as interrupted:
        cancel = Cancel(event, engines.background)
        engine, requests = open_service(engines, options, requests, len(photos), cancel)
        with terminal.Display([photo.name for photo in photos], None, lambda: False) as display:
            for number, photo in enumerate(photos):
                place = options.output_dir or photo.parent
                cancel = Cancel(event, engines.background)
                end = run_row(photo, place, requests, engine, options, cancel, (display, number))
                status = max(status, 0 if end["error"] is None else 1)
        if interrupted.is_set():
            engines.leave()
    return status


def parse_row(texts: Sequence[str]) -> list[Request]:
    """Tasks in a row, as the command line has them. Raises as `parse` does."""
    from ..removal import running

    if len(texts) > running.LONGEST:
        raise errors.make("usage", _("a row of tasks has {count} at most").format(count=running.LONGEST))
    return [parse(text) for text in texts]


def parse(text: str) -> Request:
    """A task and its fields, as the command line has them. Raises SetupError `task_unknown`, `bad_field`."""
    from ..imaging import pictures
    from ..removal import running

    slug, _colon, said = text.partition(":")
    given: dict[str, str] = {}
    for part in _FIELDS.split(said) if said else ():
        name, equals, value = part.partition("=")
        if not equals or name in given:
            text = _("'{part}' is not of the form NAME=VALUE, each name once")
            raise errors.make("bad_field", text.format(part=part))
        given[name] = value
    return running.make_request(slug, given, pictures.read)


def open_service(
    engines: Engines, options: argparse.Namespace, requests: list[Request], pictures: int, cancel: Cancel
) -> tuple[Engine, list[Request]]:
    """The service, once the user has agreed to uploads and to what all will cost; and the requests with their prices.

    Raises ConsentNeeded, SetupError `cost_not_agreed`, and what `Engines.open` raises.
    """
    from ..removal import account, running

    engine = running.open_service(engines, cancel.sleep, uploads=False)
    requests = running.with_prices(requests, engine, cancel)
    for request in requests:
        print(f"{request.task.slug}: {_describe_price(request.price)}", file=sys.stderr)
    units = pictures * sum(request.units for request in requests)
    is_known = all(request.price is not None for request in requests)
    if options.yes:
        engines.settings.agree(engines.settings.api_host)
    elif not engines.may_upload or units > consent.ASKED_UNITS or not is_known:
        if not engines.may_upload and not terminal.can_ask():
            engine.check_consent()
        print(_("Pictures will be uploaded to {host}.").format(host=engines.settings.api_host), file=sys.stderr)
        if not terminal.can_ask() or not terminal.ask_for_cost(pictures, units, account.ask_units(engine, cancel)):
            text = ngettext("it may be up to {count} unit", "it may be up to {count} units", units)
            raise errors.make("cost_not_agreed", text.format(count=units))
        return engines.open("youcam", cancel.sleep, agreed=True), requests
    return engine, requests


def run_row(
    photo: Path,
    folder: Path,
    requests: Sequence[Request],
    engine: Engine,
    options: argparse.Namespace,
    cancel: Cancel,
    shown: tuple[terminal.Display, int],
) -> dict[str, Any]:
    """Runs all tasks on one picture, writes what comes of it into the folder, and tells that; returns what `--json`
    tells. `shown` is where progress is shown, and the picture's number there."""
    from ..imaging import pictures
    from ..removal import running

    display, number = shown
    end: dict[str, Any] = {"input": str(photo), "outputs": [], "status": "failed", "tasks": [], "error": None}
    try:
        kept = _DST_ID.fullmatch(str(photo))
        picture = kept[1] if kept else pictures.read(photo)
        results = running.run(
            picture,
            requests,
            engine,
            lambda stage, fraction, text: display.update(number, stage, fraction, text),
            cancel,
            again=options.again,
            keep=options.keep,
        )
        name = _name(result.task for result in results)
        last = results[-1]
        if isinstance(picture, pictures.Picture) and all(result.task.keeps_alpha for result in results):
            last = replace(last, files=[_with_alpha(data, picture) for data in last.files])
        end["outputs"] = [str(path) for path in _write(folder / f"{_stem(photo)}-{name}", last)]
        end["tasks"] = [_describe(result) for result in results]
        end["status"] = "cached" if all(result.cached for result in results) else "done"
        for result in results[1:]:
            if result.uploaded:
                said = _("{photo}: the result before '{task}' was uploaded ({size} MB): the service gave it no name.")
                size = f"{result.uploaded / 1e6:.1f}"
                display.print(errors.plain(said.format(photo=photo.name, task=result.task.slug, size=size)))
        if results[-1].error is not None:
            raise results[-1].error
        display.print(errors.plain(f"{photo.name}: {', '.join(end['outputs'])}"))
    except Exception as found:  # noqa: BLE001 - the other pictures go on
        error = errors.wrap(found)
        end["error"] = {"code": error.code, "kind": error.kind, "message": str(error)}
        cancelled = isinstance(error, errors.Cancelled)
        end["status"] = "cancelled" if cancelled else "failed"
        made = f" ({', '.join(end['outputs'])})" if end["outputs"] else ""
        display.print(errors.plain(f"{photo.name}: {error}{made}"))
    display.finish(number, made=end["status"] == "done")
    if options.json:
        display.print(json.dumps(end), out=True)
    return end


def _describe(result: Results) -> dict[str, Any]:
    return {
        "task": result.task.slug,
        "task_id": result.task_id,
        "dst_id": result.dst_id,
        "units": result.units,
        "seconds": round(result.seconds, 3),
        "cached": result.cached,
        "uploaded": result.uploaded,
    }


def _name(tasks: Iterable[Task]) -> str:
    """What results of a row are called after their picture."""
    return "-".join(task.slug.rpartition("/")[2] for task in tasks if task.gives != "alpha") or "cutout"


def _stem(photo: Path) -> str:
    kept = _DST_ID.fullmatch(str(photo))
    return kept[1] if kept else photo.stem


def _is_done(photo: Path, name: str, options: argparse.Namespace) -> bool:
    """Whether a result is there that must not be replaced, which is told."""
    folder = options.output_dir or photo.parent
    there = [path for ending in formats.RESULTS if (path := folder / f"{_stem(photo)}-{name}{ending}").exists()]
    if not there or options.overwrite:
        return False
    text = _("Skipped: {path} is there; to replace it, add --overwrite.")
    print(errors.plain(text.format(path=there[0])), file=sys.stderr)
    return True


def _with_alpha(data: bytes, picture: Picture) -> bytes:
    """A result of a cut-out as a cut-out; of another picture as it is."""
    from PIL import Image

    from ..imaging import pictures, plates

    if picture.alpha is None:
        return data
    made = pictures.decode(data)
    pixels = plates.as_layer(made, picture, (made.width, made.height), keeps_alpha=True, without_subject=False)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _write(target: Path, result: Results) -> list[Path]:
    """Writes the files of a result, the first under the name itself. Raises SetupError `disk`."""
    from .. import atomic

    paths = []
    for number, data in enumerate(result.files, start=1):
        ending = formats.find_suffix(data[:12])
        path = target.with_name(f"{target.name}{'' if number == 1 else f'-{number}'}{ending}")
        try:
            with atomic.replacing(path) as part:
                part.write_bytes(data)
        except OSError as error:
            raise errors.make("disk", f"{path} ({error.strerror})") from error
        paths.append(path)
    return paths
