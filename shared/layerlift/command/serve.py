"""The command that runs the offline service on its own, until it is told to end."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from types import FrameType

from .. import errors
from ..language import _
from ..store.settings import Settings
from ..twin import Twin
from ..twin.engines import Engine, luma_key
from ..twin.faults import KINDS, STEPS, Fault
from ..twin.options import FORMS, Options

_FAULT = re.compile(r"(?P<step>\w+):(?P<kind>\w+)(?::(?P<times>\d+))?(?:=(?P<value>.+))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    default = Options()
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        [
            _("forms:"),
            *(f"  {name:18} {text}" for name, text in FORMS.items()),
            _("steps: {steps}").format(steps=", ".join(STEPS)),
            _("faults: an HTTP status (value: its error_code), or"),
            *(f"  {name:18} {text}" for name, text in KINDS.items()),
        ]
    )
    parser.add_argument("--port", type=_port, default=0, help=_("port of the API on 127.0.0.1 (default: a free one)"))
    parser.add_argument("--engine", choices=("u2netp", "luma-key"), default="u2netp", help=_("what makes the cut-outs"))
    # Translators: how long a removal takes.
    parser.add_argument("--run-time", type=float, default=default.run_seconds, metavar="SECONDS", help=_("of a task"))
    parser.add_argument("--polling-interval", type=int, metavar="MS", help=_("named in answers, and enforced"))
    parser.add_argument(
        "--poll-within", type=float, metavar="SECONDS", help=_("enforced, but not named in answers (default: 10)")
    )
    parser.add_argument(
        "--form", action="append", default=[], choices=tuple(FORMS), metavar="FORM", help=_("see below")
    )
    # Translators: how many units there are at the start.
    parser.add_argument("--units", type=float, default=default.units, help=_("in the account"))
    parser.add_argument(
        "--rate", type=_rate, default=default.rate, metavar="COUNT/SECONDS", help=_("limit of requests")
    )
    parser.add_argument(
        "--fault", action="append", default=[], type=_fault, metavar="STEP:KIND[:TIMES][=VALUE]", help=_("see below")
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; prints address and key. 2 where it can't start."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        options = Options(
            engine=_engine(arguments.engine),
            run_seconds=arguments.run_time,
            polling_interval_ms=arguments.polling_interval,
            poll_within_seconds=arguments.poll_within,
            forms=frozenset(arguments.form),
            units=arguments.units,
            rate=arguments.rate,
            faults=tuple(arguments.fault),
        )
        twin = Twin(options, port=arguments.port)
    except errors.LayerliftError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        text = _("Port {port} can't be used: {reason}. Choose another with --port.")
        print(text.format(port=arguments.port, reason=error), file=sys.stderr)
        return 2
    with twin:
        print(f"YOUCAM_API_URL={twin.url}\nYOUCAM_API_KEY={twin.key}", flush=True)
        while not stop.wait(1.0):
            pass
    return 0


def _engine(name: str) -> Engine:
    if name == "luma-key":
        return luma_key
    from ..models.engine import OfflineEngine
    from ..models.shelf import Shelf

    engine = OfflineEngine(Shelf(Settings().models_folder), lambda: name)
    engine.choose()
    return engine


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(_("'{text}' is not a number from 0 to 65535").format(text=text))
    return int(text)


def _rate(text: str) -> tuple[int, float]:
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if match is None:
        reason = _("'{text}' is not of the form COUNT/SECONDS, as in 250/300")
        raise argparse.ArgumentTypeError(reason.format(text=text))
    return int(match[1]), float(match[2])


def _fault(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if match is None:
        reason = _("'{text}' is not of the form STEP:KIND[:TIMES][=VALUE]")
        raise argparse.ArgumentTypeError(reason.format(text=text))
    kind, value = match["kind"], match["value"] or ""
    try:
        return Fault(
            match["step"],
            kind,
            times=int(match["times"] or 1),
            code=value if kind == "engine" or kind.isdigit() else "",
            seconds=float(value) if kind == "hang" and value else Fault.seconds,
            location=value if kind == "redirect" else "",
        )
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
