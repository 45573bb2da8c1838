#!/usr/bin/env python3
"""Set Layerlift up for this user: `install.py [--try [PHOTO] | --check | --uninstall] [OPTIONS]`, see `--help`.

Makes the worker's environment, puts the plug-in into every GIMP and Krita that is found, and says what it did.
Running it twice changes nothing. It never touches what it did not put there. Needs Python 3.10: an older one looks for
it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from plugin.common import language
from plugin.common.language import _
from plugin.installer import gpu
from plugin.installer.doctor import check
from plugin.installer.environment import MINIMUM, Environment, NoCard, fingerprint
from plugin.installer.hosts import Host
from plugin.installer.kritarc import KEY, Kritarc
from plugin.installer.plugin import PluginFolder
from plugin.installer.process import Problem, last_lines, say
from plugin.installer.record import Record, missing_folders, only_installer
from plugin.installer.search import find_hosts
from plugin.installer.system import System
from plugin.installer.trial import remove_background

CHECKOUT = Path(__file__).resolve().parent
PHOTO = CHECKOUT / "tests" / "photos" / "astronaut.jpg"
LOCALE = CHECKOUT / "shared" / "layerlift" / "locale"


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments ask for; the exit status is 0 when all is well, 1 when something has to be mended."""
    language.speak(folder=LOCALE)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    for option, value in (("--model", options.model), ("--gpu", options.gpu)):
        if value is not None and (options.check or options.uninstall):
            parser.error(_("{option} is for an installation").format(option=option))
    try:
        if sys.version_info < MINIMUM and not options.uninstall:
            return subprocess.call([find_python(), str(Path(__file__).resolve()), *(arguments or sys.argv[1:])])
        system = System.of_this_user()
        if options.uninstall:
            return uninstall(system, options.dry_run)
        if options.check:
            return check(CHECKOUT, system, find_hosts(system))
        photo = None if options.photo is None else Path(options.photo).absolute()
        if photo is not None and not photo.is_file():
            raise Problem(_("There is no photo {file}").format(file=photo))
        if options.model is not None and options.model not in (names := offline_models()):
            text = _("There is no offline model {name}. There are: {names}")
            raise Problem(text.format(name=options.model, names=", ".join(names)))
        card = gpu.find() if options.gpu == gpu.AUTOMATIC else options.gpu
        if options.gpu == gpu.AUTOMATIC and card == gpu.NONE:
            raise Problem(_no_card())
        hosts, troubles = install(system, options.dry_run, card)
        if card is not None and not options.dry_run:
            use_card(card, system, hosts)
        if options.model is not None:
            troubles += fetch_model(options.model, system, hosts, options.dry_run)
        if photo is not None and not options.dry_run:
            remove_background(photo, CHECKOUT, system, hosts)
        if troubles:
            raise Problem("\n".join(troubles))
    except (Problem, OSError) as problem:
        sys.stdout.flush()
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(_("Interrupted; run this again to go on."), file=sys.stderr)
        return 130
    return 0


def install(system: System, dry_run: bool, card: str | None = None) -> tuple[list[Host], list[str]]:
    """Make the environments and put the plug-ins where they belong.

    Args:
        card: the kind of graphics card that the offline models are to run on; None keeps what an environment has.

    Returns the hosts that are ready, and what kept others from it. Raises Problem where nothing can work.
    """
    hosts = find_hosts(system)
    if dry_run:
        return _install(Record(system.data()), system, hosts, card, dry_run=True)
    made = missing_folders(system.data())
    with only_installer(system.data()):
        record = Record(system.data())
        record.folders += made
        return _install(record, system, hosts, card, dry_run=False)


def offline_models() -> list[str]:
    """The names of the models that there are. The table is read, not run: what it imports may not be installed yet."""
    tree = ast.parse((CHECKOUT / "shared" / "layerlift" / "models" / "table.py").read_text("utf-8"))
    return [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Model"
    ]


def fetch_model(name: str, system: System, hosts: list[Host], dry_run: bool) -> list[str]:
    """Fetch an offline model for every environment; returns what kept it from coming. Its progress is shown."""
    troubles = []
    for environment in _environments(system, hosts):
        if dry_run:
            say(_("would fetch the offline model {name}").format(name=name))
        elif not environment.tell_model("fetch", name):
            problem = _("The offline model {name} could not be fetched for {folder}; run this again to go on.")
            troubles.append(problem.format(name=name, folder=environment.folder))
    return troubles


def use_card(card: str, system: System, hosts: list[Host]) -> None:
    """Switch the graphics card on or off for the offline models of every environment."""
    for environment in _environments(system, hosts):
        is_there = card != gpu.NONE and (card not in gpu.SIZES or environment.card() == card)
        environment.tell_model("gpu", "on" if is_there else "off")


def _environments(system: System, hosts: list[Host]) -> list[Environment]:
    """The one of this user, and those of hosts in sandboxes."""
    environments = {host.environment.folder: host.environment for host in hosts}
    environments[system.environment().folder] = system.environment()
    return list(environments.values())


def uninstall(system: System, dry_run: bool) -> int:
    """Take away what was installed, and nothing else. Raises Problem."""
    data = system.data()
    if not data.is_dir() or not Record(data).is_there():
        say(_("Layerlift is not installed: nothing to remove."))
        return 0
    if dry_run:
        record = _record_of_all(system)
        for path in record.switches:
            say(_("would remove {setting} from {file}").format(setting=KEY.decode(), file=path))
        for path in [*record.plugins, *record.environments]:
            say(_("would remove {folder}").format(folder=path))
        return 0
    with only_installer(data):
        record = _record_of_all(system)
        try:
            while record.switches:
                if Kritarc(record.switches[-1]).forget():
                    say(_("removed {setting} from {file}").format(setting=KEY.decode(), file=record.switches[-1]))
                record.switches.pop()
                record.save()
            while record.plugins:
                if PluginFolder(record.plugins[-1]).remove():
                    say(_("removed {folder}").format(folder=record.plugins[-1]))
                record.plugins.pop()
                record.save()
            while record.environments:
                Environment(record.environments[-1]).remove()
                say(_("removed {folder}").format(folder=record.environments.pop()))
                record.save()
        except OSError as error:
            raise Problem(
                _("Some files could not be removed: {error}. Close GIMP and Krita, then run this again.").format(
                    error=error
                )
            ) from error
    with contextlib.suppress(OSError):
        (data / "install.lock").unlink()
    models = data / "models"
    for folder in [models, *sorted(record.folders, key=lambda path: len(path.parts), reverse=True)]:
        with contextlib.suppress(OSError):
            folder.rmdir()
    if models.is_dir():
        say(_("Offline models that you have fetched are kept in {folder}.").format(folder=models))
    say(_("Layerlift is removed. Settings and an API key that you have set are kept."))
    return 0


def find_python() -> str:
    """A Python that is new enough: this one, else the newest on PATH that can make environments. Raises Problem."""
    if sys.version_info >= MINIMUM:
        return sys.executable
    for name in [*(f"python3.{minor}" for minor in range(14, MINIMUM[1] - 1, -1)), "python3", "python", "py"]:
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            program = shutil.which(name, path=folder)
            if program and _is_new_enough(program):
                return program
    raise Problem(
        _(
            "Layerlift needs Python {needed} or later; this is {version} and no newer one was found on PATH. "
            "Install one, then run this again with it."
        ).format(needed=".".join(map(str, MINIMUM)), version=sys.version.split()[0])
    )


def _is_new_enough(python: str) -> bool:
    """Whether a Python is, and can make environments. A shim, as pyenv's, that has no Python behind it is not."""
    try:
        status = subprocess.call(
            [python, "-c", f"import ensurepip, sys; sys.exit(sys.version_info < {MINIMUM})"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return status == 0


def _record_of_all(system: System) -> Record:
    """The record, with the plug-ins that a new GIMP took over from an older one's settings folder."""
    record = Record(system.data())
    for host in find_hosts(system):
        if host.folder not in record.plugins and PluginFolder(host.folder).is_made_for(record.environments):
            record.plugins.append(host.folder)
    return record


def _install(
    record: Record, system: System, hosts: list[Host], card: str | None, dry_run: bool
) -> tuple[list[Host], list[str]]:
    environment = system.environment()
    troubles = _install_environment(record, environment, card, dry_run)
    ready = []
    for host in hosts:
        try:
            if host.environment.in_sandbox:
                troubles += _install_environment(record, host.environment, card, dry_run)
                say(
                    _(
                        "{host} runs in a sandbox. The API key, your consent to uploads, the journal of paid work and "
                        "the count of requests are its own there: set the key and agree there, too. What was paid for "
                        "elsewhere is not known there."
                    ).format(host=host.name)
                )
            _install_plugin(record, host, dry_run)
            ready.append(host)
        except Problem as problem:
            troubles.append(f"{host.name}: {problem}")
    if not hosts:
        say(
            _(
                "No GIMP 2.10, 3.0 or 3.2, or Krita 5.1 or later, was found; once it is installed, run this again. "
                "The command line works without it:\n"
                "    {command} remove PHOTO"
            ).format(command=environment.command)
        )
    return ready, troubles


def _install_environment(record: Record, environment: Environment, card: str | None, dry_run: bool) -> list[str]:
    """Make an environment where it is not up to date; returns what is missing in it. Raises Problem."""
    folder = environment.folder
    if folder.exists() and folder not in record.environments:
        problem = _("{place} is not from this installer: move it elsewhere, then run this again")
        raise Problem(problem.format(place=folder))
    card = environment.card() if card is None else card
    troubles = []
    if environment.state() == fingerprint(CHECKOUT, card):
        say(_("The environment is up to date in {folder}").format(folder=folder))
    elif dry_run:
        say(_("would make the environment {folder}").format(folder=folder))
    else:
        say(_("Making the environment {folder}; this takes about half a minute.").format(folder=folder))
        if card in gpu.SIZES:
            text = _("The packages for the graphics card ({kind}) are downloaded as well: {size} MB.")
            say(text.format(kind=card, size=gpu.SIZES[card]))
        if folder not in record.environments:
            record.add_folders_above(folder)
            record.environments.append(folder)
            record.save()
        try:
            environment.make(CHECKOUT, card)
        except NoCard as trouble:
            problem = _(
                "The packages for the graphics card could not be installed; without them, the processor is used:\n"
                "{output}\nTo try once more: python3 install.py --gpu"
            )
            troubles.append(problem.format(output=trouble))
    if not dry_run:
        _fetch_model(environment)
    return troubles


def _install_plugin(record: Record, host: Host, dry_run: bool) -> None:
    files = host.files(CHECKOUT)
    plugin = PluginFolder(host.folder)
    if not plugin.differences(files, host.environment.python) and all(switch.is_on() for switch in host.switches):
        say(_("{host}: the plug-in is up to date in {folder}").format(host=host.name, folder=host.folder))
    elif dry_run:
        say(_("{host}: would put the plug-in into {folder}").format(host=host.name, folder=host.folder))
    else:
        host.make_profile()
        if host.folder not in record.plugins:
            record.add_folders_above(host.folder)
            record.plugins.append(host.folder)
            record.save()
        plugin.install(files, host.environment.python)
        for switch in host.switches:
            if switch.file not in record.switches:
                record.add_folders_above(switch.file)
                record.switches.append(switch.file)
                record.save()
            switch.switch_on()
        done = _("{host}: the plug-in is in {folder}; after a restart it is under {menu}")
        say(done.format(host=host.name, folder=host.folder, menu=host.menu))


def _fetch_model(environment: Environment) -> None:
    outcome = environment.call("-m", "layerlift.models.fetching", "fetch")
    if outcome.status != 0:
        say(
            _(
                "Warning: the offline engine's model could not be fetched:\n{output}\n"
                "    Without it only the YouCam service works, with a key. Run this again to try once more."
            ).format(output=last_lines(outcome.output))
        )


def _no_card() -> str:
    return _(
        "No graphics card was found that the offline models could run on: an NVIDIA card with its driver, or one of "
        "Intel's. Nothing was changed; without --gpu, the processor is used. If there is one all the same, name it: "
        "{kinds}."
    ).format(kinds=", ".join(f"--gpu {kind}" for kind in gpu.KINDS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="install.py", description=_("Set up Layerlift for this user."))
    tasks = parser.add_mutually_exclusive_group()
    tasks.add_argument(
        "--try",
        dest="photo",
        metavar="PHOTO",
        nargs="?",
        const=str(PHOTO),
        help=_("set up, then remove a photo's background offline (without PHOTO: a bundled portrait)"),
    )
    tasks.add_argument("--check", action="store_true", help=_("check the installation and say how to fix it"))
    tasks.add_argument("--uninstall", action="store_true", help=_("remove what was installed"))
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=_("also fetch a better model for the offline engine, such as isnet"),
    )
    parser.add_argument(
        "--gpu",
        metavar="KIND",
        nargs="?",
        const=gpu.AUTOMATIC,
        choices=(gpu.AUTOMATIC, *gpu.KINDS, gpu.NONE),
        help=_(
            "let offline models run on the graphics card: {kinds}, or off; without KIND, what this computer has"
        ).format(kinds=", ".join(gpu.KINDS)),
    )
    parser.add_argument("--dry-run", action="store_true", help=_("say what would be done, and change nothing"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
