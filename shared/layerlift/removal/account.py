"""What a host's settings dialog shows and changes: the key, the consent, the balance, and what was paid for."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..store.entries import IN_DOUBT
from ..store.journal import Journal
from ..store.settings import Settings, check_key
from . import tasks
from .cancelling import Cancel
from .engines import Engines


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
    if key is not None:
        check_key(key)
    engine = engines.open(choice, cancel.sleep, uploads=False, key=key)
    try:
        units = cancel.run(lambda: engine.service.balance(sleep=cancel.sleep))
    finally:
        engines.close(engine)
    host = engines.settings.api_host if engine.name == "youcam" else None
    return {"engine": engine.name, "units": units, "host": host}


def count_jobs(engines: Engines) -> dict[str, Any]:
    """How many removals are `running`, can be fetched (`ready`), or are `in_doubt`; how many results are `kept`, and
    what these take on the disk, in `bytes`."""
    if not engines.ever_paid:
        return dict.fromkeys(("running", "ready", "in_doubt", "kept", "bytes"), 0)
    journal = Journal(engines.settings.state_folder)
    try:
        entries = journal.entries()
        claimed = [entry for entry in entries if journal.is_claimed(entry)]
        left = [entry.state for entry in entries if entry not in claimed]
        return {
            "running": len(claimed),
            "ready": left.count("running") + left.count("done"),
            "in_doubt": sum(state in IN_DOUBT for state in left),
            "kept": journal.cache.count(),
            "bytes": journal.cache.size(),
        }
    finally:
        journal.close()


def fetch_jobs(engines: Engines, cancel: Cancel) -> dict[str, Any]:
    """Fetches the results that can be fetched; returns how many were `fetched` and `failed`, and what is left."""
    engine = engines.open("youcam", cancel.sleep, uploads=False)
    try:
        ends = [end for _entry, end in tasks.resume(engine, engines.background, tell_user=True)]
        failed = cancel.run(lambda: sum(end.exception() is not None for end in ends))
    finally:
        engines.close(engine)
    return {"fetched": len(ends) - failed, "failed": failed, **count_jobs(engines)}


def clear_jobs(engines: Engines) -> dict[str, Any]:
    """Forgets what was paid for, but for what still runs or is in doubt, and removes the kept results, without which
    the same pictures cost units again; returns what is left."""
    if engines.ever_paid:
        journal = Journal(engines.settings.state_folder)
        try:
            journal.clear()
        finally:
            journal.close()
    return count_jobs(engines)
