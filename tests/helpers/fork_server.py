"""Becomes our programs: imports all that they need once, and for each request forks a process that runs one of them.

Run as a script with the number of a socket, and that of one that listens for those who ask by a connection of their
own. A request is JSON after its length in four bytes. Beside these come four files: the program's standard input,
output and errors, and a pipe that gets its process id and, once it has ended, its status. Where a request says that it
is bound, the program is killed when nobody reads that any more. The server ends with the last holder of the first
socket's other end.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
import warnings
from collections.abc import Callable
from typing import Any

import keyring  # noqa: F401 - imported for the programs
import layerlift
import werkzeug.serving  # noqa: F401 - imported for the programs
from layerlift.command import main
from layerlift.worker import __main__ as worker

PROGRAMS: dict[str, Callable[[], int]] = {"layerlift": main.main, "worker": worker.main}

LENGTH = struct.Struct("=I")


def import_all() -> None:
    """Import every module of ours; onnxruntime stays out, which starts threads."""
    for module in pkgutil.walk_packages(layerlift.__path__, "layerlift."):
        importlib.import_module(module.name)


def next_program(control: socket.socket, door: socket.socket) -> Callable[[], int]:
    """Return in each process that is to run a program, and in no other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready = select.select([control, door], [], [])[0]
        asker = control if control in ready else door.accept()[0]
        length, files, _, _ = socket.recv_fds(asker, LENGTH.size, 4)
        reap()
        if length:
            request = json.loads(asker.recv(LENGTH.unpack(length)[0], socket.MSG_WAITALL))
            if os.fork() == 0:
                control.close()
                door.close()
                watch(files, request["bound"])
                return become(request, files[:3])
            for file in files:
                os.close(file)
        elif asker is control:
            os._exit(0)
        if asker is not control:
            asker.close()


def reap() -> None:
    """Take in the processes that have ended, and with them the processor time that they took."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def watch(files: list[int], bound: bool) -> None:
    """Fork the program's process and return in it; this one tells of its end, and ends it where it is bound."""
    told = files[3]
    pid = os.fork()
    if pid == 0:
        os.close(told)
        return
    for file in files[:3]:
        os.close(file)
    # Who started the program may be gone before it.
    with contextlib.suppress(OSError):
        os.write(told, f"{pid}\n".encode())
    if bound:
        end_with(told, pid)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        os.write(told, f"{status}\n".encode())
    os._exit(0)


def end_with(told: int, pid: int) -> None:
    """Wait for a process's end, or kill it when nobody is told any more."""
    looks = select.poll()
    ended = os.pidfd_open(pid)
    looks.register(ended, select.POLLIN)
    looks.register(told, 0)
    if all(file == told for file, _ in looks.poll()):
        os.kill(pid, signal.SIGKILL)


def become(request: dict[str, Any], files: list[int]) -> Callable[[], int]:
    """Take on what a started program has of its own."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Tests that run in the background, or by nohup, would pass on what is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    tempfile.tempdir = None
    os.chdir(request["folder"])
    if request["session"] or request["terminal"]:
        os.setsid()
    if request["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if request["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))
    sys.argv = [request["program"], *request["arguments"]]
    return PROGRAMS[request["program"]]


if __name__ == "__main__":
    import_all()
    gc.freeze()
    with warnings.catch_warnings():
        # Python's word on threads, which a fork would leave behind; no import is known to start any.
        warnings.simplefilter("error", DeprecationWarning)
        program = next_program(*(socket.socket(fileno=int(number)) for number in sys.argv[1:]))
    sys.exit(program())
