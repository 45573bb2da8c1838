"""Looks whether an installation works, and says what to do where it does not."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path

from ..common.language import _
from .environment import Environment, fingerprint
from .hosts import Answer, Host
from .plugin import PluginFolder, version
from .process import last_lines, say
from .system import System

WORKER_TIMEOUT = 60.0
PACKAGES = ("layerlift.worker", "numpy", "PIL", "requests", "keyring", "platformdirs", "onnxruntime", "werkzeug")


class Doctor:
    """Prints one line for each thing it looks at and counts what is wrong."""

    def __init__(self) -> None:
        self.failures = 0

    def report(self, part: str, trouble: str = "") -> bool:
        """Print the part as ok, or as FAIL with the trouble and what to do about it."""
        # Translators: the first words of these lines, ok, FAIL and note, and the spaces after them make one column.
        passed, failed = _("ok    {part}"), _("FAIL  {part}: {trouble}")
        say((failed if trouble else passed).format(part=part, trouble=trouble))
        self.failures += bool(trouble)
        return not trouble


def check(checkout: Path, system: System, hosts: list[Host]) -> int:
    """Look at every environment and every host; the exit status."""
    doctor = Doctor()
    doctor.report(_("this is Layerlift {version}").format(version=version()))
    environments = {host.environment.folder: host.environment for host in hosts}
    environments.setdefault(system.environment().folder, system.environment())
    for environment in environments.values():
        _check_environment(doctor, environment, fingerprint(checkout, environment.card()))
    for host in hosts:
        _check_host(doctor, host, checkout)
    if not hosts:
        say(_("note  no GIMP 2.10, 3.0 or 3.2, or Krita 5.1 or later, was found: only the command line is there"))
    return 1 if doctor.failures else 0


def _check_environment(doctor: Doctor, environment: Environment, source: str) -> None:
    state = environment.state()
    part = _("environment {folder}").format(folder=environment.folder)
    if not state:
        doctor.report(part, _("it is not there or not complete: run `python3 install.py`"))
        return
    old = _("it is of another release than this checkout: run `python3 install.py`")
    doctor.report(part, old if state != source else "")
    # onnxruntime reports its use to its maker as soon as it is imported, unless this variable is set.
    outcome = environment.call(
        "-c", f"import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; import {', '.join(PACKAGES)}"
    )
    broken = _("run `python3 install.py`") + "\n" + last_lines(outcome.output, 1)
    doctor.report(_("packages"), broken if outcome.status != 0 else "")
    outcome = environment.call("-c", "from layerlift.models import fetching; fetching.read(fetching.default_path())")
    damaged = _("it is missing or damaged: run `python3 install.py`")
    doctor.report(_("model of the offline engine"), damaged if outcome.status != 0 else "")
    doctor.report(_("worker"), _worker_trouble(environment))


def _worker_trouble(environment: Environment) -> str:
    """Start the worker as the plug-ins do; what is wrong with its greeting, or nothing."""
    with subprocess.Popen(
        environment.starting("-I", "-m", "layerlift.worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as worker:
        assert worker.stdin and worker.stdout
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=lambda out=worker.stdout: lines.put(out.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=WORKER_TIMEOUT)
        except queue.Empty:
            line = b""
        worker.stdin.close()
        try:
            worker.wait(WORKER_TIMEOUT)
        except subprocess.TimeoutExpired:
            worker.kill()
            return _("it does not end when its host goes: run `python3 install.py`")
    if _greets(line):
        return ""
    command = " ".join(environment.starting("-I", "-m", "layerlift.worker"))
    return _("it does not answer: run `python3 install.py`; to see why: {command}").format(command=command)


def _greets(line: bytes) -> bool:
    try:
        greeting = json.loads(line)
    except ValueError:
        return False
    return isinstance(greeting, dict) and greeting.get("type") == "hello"


def _check_host(doctor: Doctor, host: Host, checkout: Path) -> None:
    differences = PluginFolder(host.folder).differences(host.files(checkout), host.environment.python)
    changed = _("{differences}: run `python3 install.py`").format(differences="; ".join(differences))
    part = _("{host}: plug-in in {folder}").format(host=host.name, folder=host.folder)
    doctor.report(part, changed if differences else "")
    for switch in host.switches:
        part = _("{host}: switched on in {file}").format(host=host.name, file=switch.file)
        # Translators: the names in Krita's menus and windows, as they read there in this language.
        off = _(
            "it is not: tick Layerlift under Settings > Configure Krita > Python Plugin Manager, "
            "or run `python3 install.py`"
        )
        doctor.report(part, "" if switch.is_on() else off)
    if not host.console:
        note = _("note  {host} can't be asked from here; look for {menu} in it")
        say(note.format(host=host.name, menu=host.menu))
        return
    answer = host.ask()
    if answer.known:
        part = _("{host} knows {names}").format(host=host.name, names=", ".join(answer.known))
    else:
        part = _("{host} knows the plug-in").format(host=host.name)
    doctor.report(part, _trouble(answer, bool(differences)))


def _trouble(answer: Answer, is_changed: bool) -> str:
    """What is wrong with what a host answers, or nothing."""
    names = ", ".join(answer.unknown)
    if names and is_changed:
        return _("it does not know {names}: run `python3 install.py`").format(names=names)
    if names:
        return _("it does not know {names}: {complaint}").format(names=names, complaint=answer.complaint)
    if answer.known:
        return ""
    return _("it gave no answer: start it once by hand, and see that it starts") + "\n" + answer.complaint
