"""``layerlift jobs``: what was paid for and what is still on its way."""

from __future__ import annotations

import argparse
import sys
import time

from .. import errors
from ..language import N_, _, ngettext
from ..store import journal as journals
from ..store.entries import REMOVAL, Entry
from ..store.journal import Journal
from ..store.settings import Settings
from . import terminal

_SAID = {
    "new": N_("not started"),
    "uploaded": N_("not started"),
    "starting": N_("in doubt: may have been charged"),
    "unknown": N_("in doubt: may have been charged"),
    "running": N_("running: 'layerlift jobs resume' fetches the result"),
    "refused": N_("the service does not say what became of it: may have been charged"),
    "done": N_("ready to fetch: run 'layerlift jobs resume'"),
    "kept": N_("done"),
    "deleted": N_("done"),
    "lost": N_("lost: may have been charged"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION")
    resume = actions.add_parser("resume", help=_("fetch the results of what was started and not fetched yet"))
    resume.set_defaults(run=_resume)
    clear = actions.add_parser(
        "clear", help=_("forget all but what still runs or is in doubt, and remove the kept results, after asking")
    )
    clear.add_argument("--yes", action="store_true", help=_("agree to that"))
    clear.add_argument("--in-doubt", action="store_true", help=_("also forget what may have been charged"))
    clear.set_defaults(run=_clear)
    parser.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    journal = _journal()
    if journal is not None:
        for entry in journal.entries():
            print(_line(journal, entry))
        print(_("Kept results: {size} MB.").format(size=f"{journal.cache.size() / 1e6:.1f}"), file=sys.stderr)
    return 0


def _line(journal: Journal, entry: Entry) -> str:
    said = _(_SAID[entry.state])
    if journal.is_claimed(entry):
        said = _("in progress")
    elif entry.state in ("running", "done") and not journal.can_fetch(entry):
        said = _(_SAID["lost"])
    elif entry.state in ("kept", "deleted") and journal.result(entry) is None:
        said = _("done, its result is no longer kept")
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.created))
    task = _("task {task}").format(task=entry.task_id) if entry.task_id else _("no task")
    if entry.task != REMOVAL:
        task = f"{entry.task} {entry.fields}  {task}"
    units = terminal.format_units(entry.units)
    return errors.plain(f"{when}  {entry.width} x {entry.height}  {units}  {task}  {said}")


def _resume(options: argparse.Namespace) -> int:
    from ..removal.engines import Engines
    from ..removal.tasks import resume

    failed = False
    with Engines(Settings()) as engines:
        engine = engines.open("youcam", time.sleep, uploads=False)
        for entry, end in resume(engine, engines.background, tell_user=True):
            error = end.exception()
            if error is not None and not isinstance(error, errors.LayerliftError):
                raise error
            failed = failed or error is not None
            task, outcome = entry.task_id or _("no task"), error or _("fetched")
            print(errors.plain(f"{task}: {outcome}"))
    return 1 if failed else 0


def _clear(options: argparse.Namespace) -> int:
    journal = _journal()
    if journal is None:
        return 0
    kept = journal.cache.count()
    question = _("Kept results: {count}. Without them the same pictures cost units again. Remove them?")
    if kept and not options.yes and not terminal.ask(question.format(count=kept)):
        raise errors.make("clear_not_agreed")
    forgotten, removed = journal.clear(in_doubt=options.in_doubt)
    print(
        ngettext("Forgot {count} removal.", "Forgot {count} removals.", forgotten).format(count=forgotten),
        ngettext("Removed {count} kept result.", "Removed {count} kept results.", removed).format(count=removed),
        file=sys.stderr,
    )
    if left := journal.count().in_doubt:
        text = _("Still in doubt: {count}. --in-doubt forgets them too; they may have been charged.")
        print(text.format(count=left), file=sys.stderr)
    return 0


def _journal() -> Journal | None:
    """The journal, None where nothing was ever written down."""
    folder = Settings().state_folder
    return Journal(folder) if journals.exists(folder) else None
