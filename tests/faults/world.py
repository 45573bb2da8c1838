"""One user's computer and the service that it meets: pictures, a home folder, hosts with workers, the command."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from helpers import worker_host
from helpers.clocks import RunningClock
from helpers.programs import WORKER, Program
from helpers.waiting import wait_for
from layerlift import errors, twin
from layerlift.imaging.pictures import Picture
from layerlift.removal import single
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engine, Engines
from layerlift.service.service import Service
from layerlift.store import database
from layerlift.store.cache import Cache
from layerlift.store.journal import Journal
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Options
from PIL import Image

from .gate import Gate

WIDTH, HEIGHT, BANDS = 96, 24, 12
"""So low that the alpha is taken as it comes: what refines it is tested elsewhere."""
HASTE_SECONDS = 0.02
HOST = """
import shutil, subprocess, sys, threading
worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
def pass_on():
    with worker.stdin:
        shutil.copyfileobj(sys.stdin.buffer.raw, worker.stdin)
threading.Thread(target=pass_on, daemon=True).start()
while line := worker.stdout.readline():
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
"""
"""A host as a process of its own, which passes all lines on; killed, it leaves its worker without one."""
_BLACK = list(itertools.combinations(range(BANDS), 2))
ALIKE = len(_BLACK)
"""This much on from a picture's number is one that looks the same where it is opaque, and has another alpha."""
OWN_FILES = ("letter.txt", "work/letter.txt", "work/old/letter.txt", "results/film.part", "results/film.alpha",
             *(f"unusable/{number}.bin" for number in range(8)))  # fmt: skip
"""What the user has in the folder that is Layerlift's home as well, from long ago."""


def picture(number: int) -> Any:
    """Gray bands (height, width, 3), each a flat area; two of them are black, and in every picture others."""
    levels = [51 * (1 + (band + number // ALIKE) % 5) for band in range(BANDS)]
    for band in _BLACK[number % ALIKE]:
        levels[band] = 0
    row = np.array(levels, np.uint8).repeat(WIDTH // BANDS)
    return np.broadcast_to(row[None, :, None], (HEIGHT, WIDTH, 3))


def alpha(number: int) -> bytes:
    """The exact alpha of a picture: 255 minus the gray."""
    return bytes((255 - picture(number)[:, :, 0]).tobytes())


class Twin(twin.Twin):
    """The service, whose books also say which picture a task was for; where it is `gated`, behind two gates. Its clock
    is `ahead` of the user's by so many seconds."""

    def __init__(self, *, gated: bool = False, ahead: float = 0.0, **options: Any) -> None:
        self.later = RunningClock()
        self._gates: list[Gate] = []
        self._gated = gated
        limits = {"rate": (10**6, 1.0), **options}
        super().__init__(Options(**limits), clock=self.later, wall=lambda: time.time() + ahead)
        self.url = self._through_gate(self.url)
        self._faults: list[Fault] = []
        self._picture_of: dict[str, str] = {}
        self._start, self._state.run = self._state.run, self._noted  # type: ignore[method-assign]
        self._delete, self._state.delete = self._state.delete, self._deleted  # type: ignore[method-assign]
        self._edited: list[tuple[Any, str]] = []
        self.is_safe: Callable[[str], bool] = lambda bands: True
        self.deleted_early = 0
        """How many tasks were deleted whose alpha was not `is_safe` here."""

    @property
    def storage_url(self) -> str:
        return self._storage_url

    @storage_url.setter
    def storage_url(self, url: str) -> None:
        self._storage_url = self._through_gate(url)

    def _through_gate(self, url: str) -> str:
        if not self._gated:
            return url
        self._gates.append(Gate(url))
        return self._gates[-1].url

    @property
    def storage_gate(self) -> Gate:
        return self._gates[0]

    @property
    def api_gate(self) -> Gate:
        return self._gates[1]

    def close(self) -> None:
        super().close()
        for gate in self._gates:
            gate.close()

    def inject(self, fault: Fault) -> None:
        self._faults.append(fault)
        super().inject(fault)

    def mend(self) -> None:
        """Ends all faults."""
        for fault in self._faults:
            object.__setattr__(fault, "times", 0)
        for endpoint, name in self._edited:
            delattr(endpoint, name)
        self._edited.clear()
        for gate in self._gates:
            gate.refuse()
            gate.admit()

    def edit(self, step: str, change: Callable[[Any], Any], number: int | None = None) -> None:
        """From now on changes what answers a step: the decoded JSON of the API, the `Response` of a download.

        Args:
            number: the picture whose answers alone are changed.
        """
        listener = self._storage if step == "download" else self._api
        endpoint, name = listener._server.application, f"_{step}"
        answer = getattr(endpoint, name)

        def changed(*arguments: Any) -> Any:
            response = answer(*arguments)
            body = None if step == "download" else response.get_json()
            if number is not None and self._picture_of.get(self._task(step, arguments, body)) != bands_of(number):
                return response
            if body is None:
                return change(response)
            response.set_data(json.dumps(change(body)))
            return response

        setattr(endpoint, name, changed)
        self._edited.append((endpoint, name))

    def _task(self, step: str, arguments: tuple[Any, ...], body: Any) -> str:
        """The id of the task that an answer is about."""
        if step == "download":
            return str(self._state._results[arguments[0]][0])
        return str(body["data"]["task_id"] if step == "run" else arguments[0])

    def expire(self, task_id: str) -> None:
        """The service forgets a task, which it has charged for."""
        wait_for(lambda: self.charged)
        self._state.expire(task_id)

    def before_expiry(self, happens: Callable[[], None]) -> None:
        """Something that happens before the life of a file, a task or an address ends by a fault."""
        expire = self._state.expire

        def expire_later(name: str) -> None:
            happens()
            expire(name)

        self._state.expire = expire_later  # type: ignore[method-assign]

    def _noted(self, order: Any, fault: str = "") -> Any:
        task = self._start(order, fault)
        self._picture_of[task.id] = _bands(np.asarray(Image.open(io.BytesIO(task.picture)).convert("L")))
        return task

    def units(self, number: int) -> float:
        """What a picture has cost so far."""
        own = bands_of(number)
        return sum(charge.units for charge in self.ledger if self._picture_of[charge.task_id] == own)

    def _deleted(self, task_id: str) -> None:
        self._delete(task_id)
        self.deleted_early += not self.is_safe(self._picture_of[task_id])


def bands_of(number: int) -> str:
    """What is kept of a picture's bands."""
    return _bands(picture(number)[:, :, 0])


def _bands(luma: Any) -> str:
    """What a picture's upload keeps of its bands."""
    middle = luma[HEIGHT // 2, WIDTH // BANDS // 2 :: WIDTH // BANDS]
    return str([round(int(level) / 51) for level in middle])


class Swift(Cancel):
    """Waits by a clock that it moves on, and hardly by any other."""

    def __init__(self, clock: RunningClock) -> None:
        super().__init__(threading.Event())
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        self._clock.move(seconds)
        super().sleep(min(seconds, HASTE_SECONDS))


class Host(worker_host.Host):
    """A host whose worker may end at any time. `apart` makes the host a process of its own."""

    def __init__(self, environ: dict[str, str], *, apart: bool = False) -> None:
        super().__init__(environ, *((sys.executable, "-c", HOST, *WORKER) if apart else ()))

    def send(self, **message: Any) -> None:
        """One message; a worker that has ended does not get it, nor one whose host has left."""
        with contextlib.suppress(OSError, ValueError):
            super().send(**message)

    def job(self, number: int) -> None:
        """Asks for a picture's alpha."""
        with contextlib.suppress(FileNotFoundError):  # the worker's folder has gone with it
            self.ask(str(number), picture(number).tobytes(), WIDTH, HEIGHT, engine="youcam")

    def cancel(self, number: int) -> None:
        self.send(type="cancel", id=str(number))

    def end_of(self, number: int) -> dict[str, Any]:
        """A job's result or error; empty where the worker ended before."""
        while message := self.next():
            if message.get("id") == str(number) and message["type"] != "progress":
                return message
        return {}

    def came(self, number: int, message: dict[str, Any]) -> str:
        """What a picture's last message comes to: "" with the right alpha in place, else the error's code, "wrong", or
        "gone" where there is no answer."""
        try:
            alike = message["type"] == "result" and (self.folder / message["file"]).read_bytes() == alpha(number)
        except (KeyError, FileNotFoundError):  # after the host's end
            return "gone"
        return "" if alike else str(message.get("code", "wrong"))

    def leave(self) -> None:
        """The host's end: it closes the worker's input, and reads no more."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class World:
    """A user with a key for a twin of their own; all their files are in one folder."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.home, self.temporary, self.photos = (folder / name for name in ("home", "temporary", "photos"))
        for each in (self.temporary, self.photos):
            each.mkdir()
        self.twin = Twin(**options)
        self.twin.is_safe = self._is_kept
        self.ahead = 0.0
        """By how many seconds the user's clock is ahead, for removals in this process."""
        self.on_journal: Callable[[Journal], None] = lambda journal: None
        """Is given the journal of each removal in this process."""
        self._files: dict[Path, bytes] = {}
        for name in OWN_FILES:
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            self._own(self.home / name, b"the user's own")
            os.utime(self.home / name, (1.0, 1.0))
        self._hosts: list[Host] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("YOUCAM_", "LAYERLIFT_"))}
        self.environ = {
            **kept,
            "LAYERLIFT_HOME": str(self.home),
            "LAYERLIFT_RATE": "100000/1",
            "TMPDIR": str(self.temporary),
            "YOUCAM_API_URL": self.twin.url,
            "YOUCAM_API_KEY": self.twin.key,
        }

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        for host in self._hosts:
            host.close()
        self.twin.close()

    def host(self, *, apart: bool = False) -> Host:
        """A host that has just started its worker."""
        self._hosts.append(Host(self.environ, apart=apart))
        return self._hosts[-1]

    def sweep(self) -> None:
        """Lets a worker come and go: the folder of one that was killed goes with the next."""
        host = self.host()
        host.leave()
        host.wait_for_silence()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Another program writes to the shared database, where there is one."""
        with contextlib.closing(sqlite3.connect(self.home / database.NAME, timeout=30.0)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def photo(self, number: int) -> Path:
        """A picture as a file."""
        path = self.photos / f"{number}.png"
        if not path.exists():
            image = io.BytesIO()
            Image.fromarray(picture(number)).save(image, "PNG")
            self._own(path, image.getvalue())
        return path

    def _own(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self._files[path] = data

    def own(self) -> dict[Path, bool]:
        """The user's own files, and whether each is as it was."""
        return {path: path.is_file() and path.read_bytes() == data for path, data in self._files.items()}

    def _is_kept(self, bands: str) -> bool:
        """Whether the alpha of the picture that has these bands is on the disk."""
        cache = Cache(self.home / "results")
        kept = (cache.get(path.stem) for path in (self.home / "results").glob("*.alpha"))
        return any(found is not None and _bands(255 - found) == bands for found in kept)

    def service(self, seconds: float) -> Service:
        """A client that waits `seconds` for an answer."""
        return Service(self.twin.url, self.twin.key, timeouts=(seconds, seconds), wall=self._wall)

    def _wall(self) -> float:
        return time.time() + self.ahead

    @contextlib.contextmanager
    def engine(self, seconds: float) -> Iterator[tuple[Engine, Cancel]]:
        """The engine of a process that comes and goes, in which all waits are short; it waits `seconds` for answers."""
        cancel = Swift(self.twin.later)
        with Engines(Settings(self.environ)) as engines:
            opened = engines.open("youcam", cancel.sleep)
            assert opened.journal
            opened.journal.clock = self._wall
            self.on_journal(opened.journal)
            service = self.service(seconds)
            try:
                yield replace(opened, service=service, clock=self.twin.later), cancel
            finally:
                service.close()

    def remove(self, number: int, seconds: float, *, again: bool = False) -> errors.LayerliftError | None:
        """One removal in this process; None where its alpha is the right one. Waits `seconds` for an answer."""
        with self.engine(seconds) as (engine, cancel):
            try:
                found = single.remove(Picture(picture(number)), engine, lambda *_: None, cancel, again=again)
            except errors.LayerliftError as error:
                return error
        assert found.alpha.tobytes() == alpha(number)
        return None

    def cut_out(self, number: int) -> Path:
        """Where the command puts a picture's cut-out."""
        return self.photos / f"{number}-cutout.png"

    def has(self, number: int) -> bool:
        """Whether the command has delivered a picture."""
        path = self.cut_out(number)
        return path.exists() and Image.open(path).getchannel("A").tobytes() == alpha(number)

    def command(self, *arguments: object, **changes: str) -> Program:
        """The `layerlift` command, as it starts."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return Program("layerlift", *arguments, env={**self.environ, **changes}, text=True, **pipes)
