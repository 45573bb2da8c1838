"""The ``layerlift`` command: remove, run, tasks, balance, key, uploads, model, jobs, doctor, serve.

Results go to files, and with ``--json`` one object a picture to standard output; everything else goes to standard
error. Exit status: 0 all done, 1 some picture failed, 2 usage or set-up.
"""

from __future__ import annotations

import argparse
import getpass
import gettext
import os
import sys
from collections.abc import Callable, Sequence

from .. import __version__, errors, language
from ..imaging import blas
from ..language import N_, _
from ..store import log
from ..store.settings import Settings
from . import signals, terminal

_STORED = {
    "keyring": N_("The key is stored in the system's keyring."),
    "file": N_("The key is stored in the file that only you can read."),
}
_FORGOTTEN = {
    "keyring": N_("The key in the system's keyring is forgotten."),
    "file": N_("The key in the file that only you can read is forgotten."),
}
_SHOWN = {
    # Translators: the end of a key, and where it comes from.
    "environment": N_("{key} (environment)"),
    "file": N_("{key} (file)"),
    "keyring": N_("{key} (keyring)"),
}
_ENVIRONMENT = N_("YOUCAM_API_KEY is set in the environment: its key comes first and is used.")
_OF_ARGPARSE = (
    N_("usage: "),
    # Translators: what a command is given, as a heading above a list.
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("not allowed with argument %s"),
    N_("expected one argument"),
    N_("ignored explicit argument %r"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
)
"""What argparse may say here. It looks these up in gettext's own domain, which is ours while the command runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    blas.use_one_thread()
    language.speak()
    gettext.bindtextdomain(language.DOMAIN, language.FOLDER)
    gettext.textdomain(language.DOMAIN)
    options = _parser().parse_args(arguments)
    try:
        with signals.handle(_interrupt):
            log.start(Settings().state_folder)
            run: Callable[[argparse.Namespace], int] = options.run
            return run(options)
    except errors.LayerliftError as error:
        print(f"layerlift: {error}", file=sys.stderr)
        return 2 if isinstance(error, errors.SetupError) else 1
    except KeyboardInterrupt:
        print("\nlayerlift:", _("Cancelled."), file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    finally:
        _let_go_of_output()


def _let_go_of_output() -> None:
    """Where nobody reads any more, or the terminal is closed, Python would complain when it flushes at the end, and
    end with a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupt() -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="layerlift", description=_("Removes the background of pictures."))
    parser.add_argument(
        "--version",
        action="version",
        version=f"layerlift {__version__}",
        help=_("show program's version number and exit"),
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    from . import doctor, jobs, model, remove, task

    remove.add_arguments(commands.add_parser("remove", help=_("remove the background of pictures")))
    task.add_run_arguments(commands.add_parser("run", help=_("run other tasks of the service on pictures")))
    task.add_list_arguments(commands.add_parser("tasks", help=_("list the service's tasks, and what they cost")))
    balance = commands.add_parser("balance", help=_("show the units of the account"))
    balance.set_defaults(run=_balance)

    key = commands.add_parser("key", help=_("set, show or forget the API key"))
    key.add_argument("action", choices=("set", "show", "forget"))
    key.set_defaults(run=_key)

    uploads = commands.add_parser("uploads", help=_("show whether pictures may be uploaded; allow or forbid it"))
    uploads.add_argument("action", choices=("allow", "forbid"), nargs="?")
    uploads.set_defaults(run=_uploads)

    model.add_arguments(commands.add_parser("model", help=_("show, fetch and choose the models of the offline engine")))

    examined = commands.add_parser("doctor", help=_("report on this installation, safe to share"))
    examined.set_defaults(run=doctor.run)

    from . import serve

    jobs.add_arguments(commands.add_parser("jobs", help=_("show what was paid for, and what is still on its way")))
    server = commands.add_parser("serve", help=_("run the offline service on its own"))
    serve.add_arguments(server)
    server.set_defaults(run=serve.run)
    return parser


def _balance(options: argparse.Namespace) -> int:
    from ..client import Client

    with Client("youcam") as client:
        print(terminal.format_units(client.balance()))
    return 0


def _uploads(options: argparse.Namespace) -> int:
    settings = Settings()
    if options.action is not None:
        settings.agree(settings.api_host, options.action == "allow")
    if settings.has_agreed(settings.api_host):
        text = _("Uploads to {host}, for 1 unit each, are allowed.")
    else:
        text = _("Uploads to {host}, for 1 unit each, are not allowed.")
    print(text.format(host=settings.api_host))
    return 0


def _key(options: argparse.Namespace) -> int:
    settings = Settings()
    if options.action == "set":
        value = (getpass.getpass(_("API key:") + " ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
        stored = settings.set_key(value)
        if stored.refused:
            print(stored.refused.message, file=sys.stderr)
        print(_(_STORED[stored.place]), file=sys.stderr)
        print(_(_ENVIRONMENT) if settings.environment_key else _("It is used from now on."), file=sys.stderr)
        if terminal.can_ask():
            settings.agree(settings.api_host, terminal.ask_for_consent(settings.api_host))
    elif options.action == "show":
        key = settings.key()
        if key is None:
            raise errors.make("no_key")
        print(_(_SHOWN[key.source]).format(key=key.redacted))
    else:
        places = settings.forget_key()
        for place in places:
            print(_(_FORGOTTEN[place]), file=sys.stderr)
        if not places:
            print(_("No key was stored."), file=sys.stderr)
        print(_(_ENVIRONMENT) if settings.environment_key else _("No key is set any more."), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
