"""Looks whether an installation works, and says what to do where it does not."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path

from .environment import Environment, fingerprint
from .hosts import Host
from .kritarc import BY_HAND
from .plugin import PluginFolder, version
from .process import last_lines, say
from .search import ANY_HOST
from .system import System

AGAIN = "run `python3 install.py`"
WORKER_TIMEOUT = 60.0
# onnxruntime reports its use to its maker as soon as it is imported, unless this variable is set.
IMPORTS = (
    "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; "
    "import layerlift.worker, numpy, PIL, requests, keyring, platformdirs, onnxruntime, werkzeug"
)


class Doctor:
    """Prints one line for each thing it looks at and counts what is wrong."""

    def __init__(self) -> None:
        self.failures = 0

    def report(self, what: str, trouble: str = "") -> bool:
        """Print `what` as ok, or as FAIL with the trouble and what to do about it."""
        say(f"ok    {what}" if not trouble else f"FAIL  {what}: {trouble}")
        self.failures += bool(trouble)
        return not trouble


def check(checkout: Path, system: System, hosts: list[Host]) -> int:
    """Look at every environment and every host; the exit status."""
    doctor = Doctor()
    doctor.report(f"this is Layerlift {version()}")
    environments = {host.environment.folder: host.environment for host in hosts}
    environments.setdefault(system.environment().folder, system.environment())
    for environment in environments.values():
        _check_environment(doctor, environment, fingerprint(checkout))
    for host in hosts:
        _check_host(doctor, host, checkout)
    if not hosts:
        say(f"note  no {ANY_HOST} was found: only the command line is there")
    return 1 if doctor.failures else 0


def _check_environment(doctor: Doctor, environment: Environment, source: str) -> None:
    state = environment.state()
    missing = f"it is not there or not complete: {AGAIN}" if not state else ""
    old = f"it is of another release than this checkout: {AGAIN}" if state != source else ""
    if not doctor.report(f"environment {environment.folder}", missing or old) and missing:
        return
    outcome = environment.call("-c", IMPORTS)
    doctor.report("packages", f"{AGAIN}\n{last_lines(outcome.output, 1)}" if outcome.status != 0 else "")
    outcome = environment.call("-c", "from layerlift.models import fetching; fetching.read(fetching.default_path())")
    doctor.report("model of the offline engine", f"it is missing or damaged: {AGAIN}" if outcome.status != 0 else "")
    doctor.report("worker", _worker_trouble(environment))


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
            return f"it does not end when its host goes: {AGAIN}"
    command = " ".join(environment.starting("-I", "-m", "layerlift.worker"))
    return "" if _greets(line) else f"it does not answer: {AGAIN}; to see why: {command}"


def _greets(line: bytes) -> bool:
    try:
        greeting = json.loads(line)
    except ValueError:
        return False
    return isinstance(greeting, dict) and greeting.get("type") == "hello"


def _check_host(doctor: Doctor, host: Host, checkout: Path) -> None:
    differences = PluginFolder(host.folder).differences(host.files(checkout), host.environment.python)
    doctor.report(f"{host.name}: plug-in in {host.folder}", f"{'; '.join(differences)}: {AGAIN}" if differences else "")
    for switch in host.switches:
        off = f"it is not: {BY_HAND}, or {AGAIN}"
        doctor.report(f"{host.name}: switched on in {switch.file}", "" if switch.is_on() else off)
    if not host.console:
        say(f"note  {host.name} can't be asked from here; look for {host.menu} in it")
        return
    answer = host.ask()
    trouble = ""
    if answer.unknown:
        trouble = f"it does not know {', '.join(answer.unknown)}: {AGAIN if differences else answer.complaint}"
    elif not answer.known:
        trouble = f"it gave no answer: start it once by hand, and see that it starts\n{answer.complaint}"
    doctor.report(f"{host.name} knows {', '.join(answer.known) or 'the plug-in'}", trouble)
