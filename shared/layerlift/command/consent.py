"""What a run may upload and spend: agreed to by the user before, on the command line, or when a terminal asks."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .. import errors
from ..language import _, ngettext
from . import terminal

if TYPE_CHECKING:
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engine, Engines

ASKED_UNITS = 20
"""More than so many units are asked for before they are spent."""
KEY_PAGE = "https://yce.perfectcorp.com/api-console/en/api-keys/"
"""Where the service's users make an API key."""


def open_engine(engines: Engines, options: argparse.Namespace, pictures: int, cancel: Cancel) -> Engine:
    """The engine for so many pictures, after the user has agreed to uploads and cost where that is needed; tells which
    one it is. Who chooses the offline engine when asked has it in the options, as if it had been named there.

    Raises:
        ConsentNeeded: the user has not agreed to uploads.
        SetupError: ``cost_not_agreed``, or what `Engines.open` raises.
    """
    settings = engines.settings
    try:
        engine = engines.open(options.engine, cancel.sleep)
    except errors.ConsentNeeded:
        answer = "always" if options.yes else _ask_for_uploads(engines, options, pictures, cancel)
        if answer is None:
            raise
        if answer == "always":
            settings.agree(settings.api_host)
        if answer == "offline":
            options.engine = "offline"
        engine = engines.open(options.engine, cancel.sleep, agreed=True)
    else:
        _agree_to_cost(engine, options, pictures, cancel)
    announcements = {
        "youcam": _("Engine: YouCam. Pictures are uploaded to {host}; each costs 1 unit."),
        "offline": _("Engine: offline, with the model {model}. Nothing leaves this computer."),
    }
    print(announcements[engine.name].format(host=settings.api_host, model=engine.model), file=sys.stderr)
    return engine


def advise_key(engines: Engines, options: argparse.Namespace, engine: Engine) -> None:
    """Tells a user on a terminal, once for all, that a key gives better results than the engine that they came to."""
    from ..removal import account

    if options.json or not sys.stderr.isatty() or not account.advise_key(engines.settings, options.engine, engine.name):
        return
    said = _("This is a quick draft of the offline engine. With an API key, the YouCam service gives better results.")
    way = _("Get a key at {page} and run 'layerlift key set'.").format(page=KEY_PAGE)
    print(said, way, file=sys.stderr)


def _ask_for_uploads(
    engines: Engines, options: argparse.Namespace, pictures: int, cancel: Cancel
) -> terminal.Upload | None:
    """What the user wants to do with pictures that would be uploaded; None for nothing, and without a terminal."""
    from ..removal import account

    if not terminal.can_ask():
        return None
    engine = engines.open(options.engine, cancel.sleep, uploads=False)
    balance = account.ask_units(engine, cancel)
    engines.close(engine)
    return terminal.ask_for_uploads(engines.settings.api_host, pictures, engine.units * pictures, balance)


def _agree_to_cost(engine: Engine, options: argparse.Namespace, pictures: int, cancel: Cancel) -> None:
    """Asks before many units are spent. Which pictures are paid for already, their pixels alone would tell."""
    from ..removal import account

    units = engine.units * pictures
    if units <= ASKED_UNITS or options.yes:
        return
    if terminal.can_ask() and terminal.ask_for_cost(pictures, units, account.ask_units(engine, cancel)):
        return
    text = ngettext("it may be up to {count} unit", "it may be up to {count} units", units)
    raise errors.make("cost_not_agreed", text.format(count=units))
