"""What a host's settings dialog shows and changes: the key, the consent, the balance, and what was paid for."""

from __future__ import annotations

import time
from concurrent import futures
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from .. import errors
from ..language import _
from ..store.journal import Counts, Journal
from ..store.settings import Settings
from ..store.threads import call_in_thread
from . import tasks
from .cancelling import Cancel
from .engines import Engine, Engines

BALANCE_SECONDS = 10.0
"""For so long a user who wants to work waits to hear what the account has."""
_LOOK_SECONDS = 0.05


def describe(settings: Settings, refused: errors.KeyringUnusable | None = None) -> dict[str, Any]:
    """The key redacted and the place where it is kept, None where there is none; consent; the API's host.

    Args:
        refused: why the keyring did not do what was asked before.
    """
    try:
        key = settings.key()
    except errors.KeyringUnusable as error:
        key, refused = None, refused or error
    return {
        "key": key.redacted if key else None,
        "key_place": key.source if key else None,
        "key_error": str(refused) if refused else None,
        "agreed": settings.has_agreed(settings.api_host),
        "host": settings.api_host,
    }


def change_key(settings: Settings, key: str | None) -> dict[str, Any]:
    """Stores the key, or forgets the one that is stored; returns what `describe` tells then."""
    refused = None
    if key is not None:
        refused = settings.set_key(key).refused
    else:
        try:
            settings.forget_key()
        except errors.KeyringUnusable as error:
            refused = error
    return describe(settings, refused)


def ask_balance(engines: Engines, choice: str, cancel: Cancel, key: str | None = None) -> dict[str, Any]:
    """Asks an engine for the account's units, which tells whether it can be used, and costs nothing.

    `host` is None where nothing leaves this computer.

    Args:
        key: is tried in place of the one that is kept, which stays.
    """
    engine = engines.open(choice, cancel.sleep, uploads=False, key=key)
    try:
        units = cancel.run(lambda: engine.service.balance(sleep=cancel.sleep))
    finally:
        engines.close(engine)
    host = engines.settings.api_host if engine.name == "youcam" else None
    return {"engine": engine.name, "units": units, "host": host}


def ask_units(engine: Engine, cancel: Cancel, seconds: float = BALANCE_SECONDS) -> float | None:
    """The account's units; None where the service can't tell them in so many seconds, which keeps nobody from working.

    Raises:
        AuthError: the key is refused.
    """
    answer = call_in_thread(lambda: engine.service.balance(sleep=cancel.sleep))
    end = time.monotonic() + seconds
    while not futures.wait([answer], _LOOK_SECONDS).done:
        cancel.check()
        if time.monotonic() > end:
            return None
    try:
        return answer.result()
    except (errors.NetworkError, errors.ServiceError):
        return None


def ask_prices(engine: Engine, cancel: Cancel) -> dict[str, float]:
    """The units that tasks cost, by their slugs, as far as the service lists them; nothing where it does not answer.

    Raises:
        AuthError: the key is refused.
    """
    try:
        listed = cancel.run(lambda: list(engine.service.prices(sleep=cancel.sleep)))
    except (errors.NetworkError, errors.ServiceError):
        return {}
    found = {}
    for price in listed:
        _before, _slash, slug = urlsplit(price.run_task_url).path.partition("/task/")
        found[slug] = price.units
    return found


def advise_key(settings: Settings, choice: str, engine: str) -> bool:
    """Whether the user is to hear now that a key gives better results: once, where the offline engine is nobody's
    choice."""
    if choice != "auto" or engine != "offline":
        return False
    try:
        return settings.advise_key()
    except errors.SetupError:
        return False


def count_jobs(engines: Engines) -> dict[str, Any]:
    """What `Journal.count` tells, by its names."""
    if not engines.ever_paid:
        return Counts()._asdict()
    with closing(Journal(engines.settings.state_folder)) as journal:
        return journal.count()._asdict()


def fetch_jobs(engines: Engines, cancel: Cancel) -> dict[str, Any]:
    """Fetches the results that can be fetched; returns how many were `fetched` and `failed`, the `reason` for the first
    of these, and what is left. Where the user cancels, it goes on in the background."""
    engine = engines.open("youcam", cancel.sleep, uploads=False)
    try:
        ends = [end for _entry, end in tasks.resume(engine, engines.background, tell_user=True)]
        failures = [error for end in ends if (error := cancel.run(end.exception)) is not None]
    except errors.Cancelled:
        raise errors.make("cancelled", _("what is paid for is fetched all the same")) from None
    finally:
        engines.close(engine)
    reason = errors.wrap(failures[0]).message if failures else None
    return {"fetched": len(ends) - len(failures), "failed": len(failures), "reason": reason, **count_jobs(engines)}


def clear_jobs(engines: Engines) -> dict[str, Any]:
    """Forgets what was paid for, but for what still runs or is in doubt, and removes the kept results, without which
    the same pictures cost units again; returns what is left."""
    if engines.ever_paid:
        with closing(Journal(engines.settings.state_folder)) as journal:
            journal.clear()
    return count_jobs(engines)
