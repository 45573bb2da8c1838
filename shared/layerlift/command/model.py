"""``layerlift model``: the offline models: which there are, fetching, choosing and forgetting them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import errors
from ..language import N_, _
from ..store.settings import AUTOMATIC, Settings
from . import terminal

if TYPE_CHECKING:
    from ..removal.offline import Offline

_SUFFIX = ".onnx"
_SWITCH = ("on", "off")
_STATES = {
    # Translators: of an offline model.
    "built_in": N_("built in"),
    # Translators: of an offline model.
    "installed": N_("installed"),
    # Translators: of an offline model, which can be fetched.
    "away": N_("not fetched"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION")
    fetch = actions.add_parser("fetch", help=_("fetch a model, or the rest of one whose download was interrupted"))
    fetch.add_argument("name", metavar="NAME", help=_("a name from 'layerlift model list'"))
    fetch.set_defaults(run=_fetch)
    use = actions.add_parser("use", help=_("choose the model that the offline engine uses"))
    use.add_argument(
        "name",
        metavar="NAME|FILE|auto",
        help=_("a model, an ONNX file of your own, or auto for the best model that is installed and fits into memory"),
    )
    use.add_argument(
        "--side",
        type=int,
        metavar="PIXELS",
        help=_("the side of the pictures that FILE takes, if the file does not say"),
    )
    for option, text in (
        ("--mean", _("the mean of red, green and blue that FILE expects, such as 0.485,0.456,0.406")),
        ("--deviation", _("the deviation of red, green and blue that FILE expects, such as 0.229,0.224,0.225")),
    ):
        use.add_argument(option, type=_colours, metavar="R,G,B", help=text)
    use.set_defaults(run=_use)
    forget = actions.add_parser("forget", help=_("remove a model that was fetched"))
    forget.add_argument("name", metavar="NAME", help=_("a name from 'layerlift model list'"))
    forget.set_defaults(run=_forget)
    gpu = actions.add_parser("gpu", help=_("switch the graphics card on or off for the offline models, and try it"))
    gpu.add_argument("wanted", choices=_SWITCH, help=_("whether to use it; install.py --gpu fetches what it takes"))
    gpu.set_defaults(run=_gpu)
    shown = actions.add_parser("list", help=_("list the models that are installed, and those that can be fetched"))
    shown.set_defaults(run=_list)
    for action in (fetch, use, forget, gpu, shown):
        action.add_argument("--json", action="store_true", help=_("print one JSON object per model on standard output"))
    parser.set_defaults(run=_list, json=False)


def _list(options: argparse.Namespace) -> int:
    found = _offline().describe()
    if options.json:
        _print_json(found)
        return 0
    for model in found["models"]:
        state = "built_in" if model["built_in"] else "installed" if model["installed"] else "away"
        print(f"{'*' if model['name'] == found['used'] else ' '} {model['name']} ({_(_STATES[state])})")
        print(f"    {model['purpose']}")
        print(f"    {_describe(model)}")
    _tell_used(found)
    return 0


def _describe(model: dict[str, Any]) -> str:
    # Translators: of an offline model: its file's size, and what one picture takes.
    text = _("{size} MB; about {seconds} s and {memory} GB of memory a picture; licence: {licence}, {source}")
    return text.format(
        size=f"{model['bytes'] / 1e6:.3g}",
        seconds=f"{model['seconds']:g}",
        memory=f"{model['memory'] / 1e9:.3g}",
        licence=model["licence"],
        source=model["source"],
    )


def _fetch(options: argparse.Namespace) -> int:
    from ..removal.stages import Stage

    offline = _offline()
    with terminal.Display([options.name], None, lambda: False) as display:

        def show(count: int, size: int) -> None:
            sizes = _("{sent} of {size} MB").format(sent=f"{count / 1e6:.1f}", size=f"{size / 1e6:.1f}")
            display.update(0, Stage.DOWNLOAD, count / size, sizes)

        fetched = offline.fetch(options.name, show)
    text = _("The model {name} is installed.") if fetched else _("The model {name} was installed already.")
    print(text.format(name=options.name), file=sys.stderr)
    found = offline.describe()
    model = next(model for model in found["models"] if model["name"] == options.name)
    if found["chosen"] == AUTOMATIC and not model["automatic"]:
        text = _("It is not chosen automatically; 'layerlift model use {name}' chooses it.")
        print(text.format(name=options.name), file=sys.stderr)
    return _end(options, found)


def _use(options: argparse.Namespace) -> int:
    offline = _offline()
    told = (options.side, options.mean, options.deviation)
    path = Path(options.name)
    if path.suffix.lower() == _SUFFIX or len(path.parts) > 1:
        from ..models import own

        offline.use_file(own.examine(path, *told))
    elif any(value is not None for value in told):
        raise errors.make("usage", _("--side, --mean and --deviation are for a FILE"))
    else:
        offline.use(options.name)
    return _end(options, offline.describe())


def _forget(options: argparse.Namespace) -> int:
    offline = _offline()
    if offline.forget(options.name):
        text = _("The model {name} is removed.")
    else:
        text = _("The model {name} is built in or was not fetched: there is nothing to remove.")
    print(text.format(name=options.name), file=sys.stderr)
    return _end(options, offline.describe())


def _gpu(options: argparse.Namespace) -> int:
    offline = _offline()
    offline.use_gpu(options.wanted == "on")
    card, failure = offline.try_gpu() if options.wanted == "on" else ("", "")
    if card:
        text = _("The offline engine uses the graphics card ({kind}).").format(kind=card)
    elif options.wanted == "on":
        text = failure or _("No packages for a graphics card are installed: run 'python3 install.py --gpu'.")
    else:
        text = _("The offline engine uses the processor.")
    print(errors.plain(text), file=sys.stderr)
    if options.json:
        print(json.dumps({"gpu": card or None, "failure": failure or None}))
    return 0 if card or options.wanted == "off" else 1


def _end(options: argparse.Namespace, found: dict[str, Any]) -> int:
    if options.json:
        _print_json(found)
    _tell_used(found)
    return 0


def _print_json(found: dict[str, Any]) -> None:
    models, chosen = found["models"], found["chosen"]
    if chosen not in (AUTOMATIC, *(model["name"] for model in models)):
        models = [*models, {"name": chosen, "installed": chosen == found["used"]}]
    for model in models:
        print(json.dumps({**model, "used": model["name"] == found["used"], "chosen": model["name"] == chosen}))


def _tell_used(found: dict[str, Any]) -> None:
    said = []
    if found["used"] is not None:
        if found["chosen"] == AUTOMATIC:
            said.append(_("The offline engine uses {model}, chosen automatically.").format(model=found["used"]))
        else:
            said.append(_("The offline engine uses {model}.").format(model=found["used"]))
    said += [found["reason"]] if found["reason"] else []
    print(errors.plain(" ".join(said)), file=sys.stderr)


def _offline() -> Offline:
    from ..removal.offline import Offline

    return Offline(Settings())


def _colours(text: str) -> tuple[float, float, float]:
    try:
        red, green, blue = map(float, text.split(","))
    except ValueError:
        reason = _("'{text}' is not of the form R,G,B, as in 0.485,0.456,0.406")
        raise argparse.ArgumentTypeError(reason.format(text=text)) from None
    return red, green, blue
