"""Who removes backgrounds: the service with the user's key, or its offline twin, ready to be used."""

from __future__ import annotations

import functools
import json
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from .. import errors
from ..imaging.makers import Maker, read_maker
from ..imaging.prepare import Upload
from ..service.connection import is_loopback
from ..service.pacing import Pacer
from ..service.service import Service, Sleep
from ..service.tasks import REMOVAL, Fields, Task
from ..store import journal as journals
from ..store.database import Database
from ..store.entries import Entry, digest
from ..store.journal import Journal
from ..store.records import Record, Unrecorded
from ..store.settings import Settings
from .cancelling import Background
from .choices import Name
from .deleting import Deletions
from .offline import Offline

LEAVING_SECONDS = 8.0
"""For so long one who wants to go waits for what is paid for: a program should end within ten seconds."""
_DELETING_SECONDS = 5.0

_log = logging.getLogger(__name__)
_successors: list[subprocess.Popen[bytes]] = []
"""Each waits for the end of its input, which must not come before that of this process."""


@dataclass(frozen=True)
class Engine:
    """Who does the work: the service with the user's key, or its offline twin."""

    name: Name
    service: Service
    units: int
    """What one picture costs the user."""
    journal: Journal | None = None
    """Where paid work is written down; None where nothing is charged."""
    account: str = ""
    """A fingerprint of the key and of the host that it is for."""
    host: str = ""
    """Whose work it is: what is kept of it is free for every account that the user has there."""
    delete: Callable[[Sequence[Entry]], None] = lambda entries: None
    """Has the service delete what it has of pictures whose alphas are kept here, of these and of earlier ones."""
    check_consent: Callable[[], None] = lambda: None
    """Raises ConsentNeeded where the user has not agreed to uploads, or does no longer."""
    abandon: Callable[[str], None] = lambda task_id: None
    """Hears of a task that costs nothing, and for which nobody waits any more."""
    in_flight: int | None = None
    """How many pictures it can have at a time; None for any number."""
    model: str | None = None
    """The offline model that it is going to use, as far as can be told before."""
    read_maker: Callable[[bytes], Maker | None] = lambda data: None
    """Which model made a result."""
    explain: Callable[[str, str], errors.LayerliftError] = errors.from_service
    """What the code with which a task has failed means, with the engine's words on it."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, never going back, by which tasks are polled."""
    fields: Fields = field(default_factory=dict)
    """What its task is run with; of a mask, the name of the file."""
    masks: Mapping[str, Upload] = field(default_factory=dict)
    """The masks among the fields, which are uploaded before each start."""

    @property
    def task(self) -> Task:
        """What it does."""
        return self.service.task

    def of(self, task: Task, fields: Fields, units: int, masks: Mapping[str, Upload]) -> Engine:
        """The same engine, for another task that is run with these fields, and costs so many units."""
        return replace(self, service=self.service.of(task, fields), units=units, fields=fields, masks=masks)

    def name_picture(self, *parts: bytes | str | NDArray[np.generic]) -> str:
        """The journal's name for what this engine makes of a picture."""
        asked: list[bytes | str] = []
        if self.task is not REMOVAL:
            asked = [self.task.slug, self._fields_as_text, *self._masks]
        return digest(self.name, self.host, *asked, *parts)

    def claim(self, upload: Upload, sleep: Sleep, name: str = "") -> AbstractContextManager[Record]:
        """The record of an upload, or of a name, after waiting for whoever else works on the same."""
        if self.journal is None:
            return nullcontext(Unrecorded(upload.width, upload.height, self.abandon))
        size, fields = (upload.width, upload.height), self._fields_as_text
        name = name or self.name_picture(upload.data)
        return self.journal.claim(name, self.name, self.account, size, sleep, self.task.slug, fields)

    @property
    def _fields_as_text(self) -> str:
        return json.dumps(self.fields, sort_keys=True) if self.fields else ""

    @property
    def _masks(self) -> list[bytes]:
        return [self.masks[name].data for name in sorted(self.masks)]


class Engines:
    """Opens the engine that a removal asks for. The offline one starts at its first use and ends with this object."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.offline = Offline(settings)
        self._services: WeakSet[Service] = WeakSet()
        """Those that are not closed."""
        self._guard = threading.Lock()
        self._journal: Journal | None = None
        self._requests: Database | None = None
        self.background = Background()
        """What goes on after its user has cancelled, since it is paid for. Leaving the `with` block waits for it, but
        not by KeyboardInterrupt, and not for longer than `leave` says."""
        self._deletions = Deletions()
        self._end = math.inf

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Who interrupts the program ends it at once.
        if kind is None or not issubclass(kind, KeyboardInterrupt):
            self.background.wait(self._seconds_left)
            self._deletions.wait(min(_DELETING_SECONDS, self._seconds_left))
            if not self.background.busy:
                with self._guard:
                    services = list(self._services)
                for service in services:
                    service.close()
                for database in (self._journal, self._requests):
                    if database is not None:
                        database.close()
        if self.background.busy and self._journal is not None:
            _hand_over(self.settings)
        self.offline.close()

    def open(
        self, choice: str, sleep: Sleep, *, uploads: bool = True, agreed: bool = False, key: str | None = None
    ) -> Engine:
        """The engine for "auto" (youcam where a key is set, else offline), "youcam" or "offline".

        Args:
            sleep: how the keyring is waited for.
            uploads: whether pictures are to be uploaded.
            agreed: whether the user agrees to these uploads, for which nothing need be remembered then. What is
                remembered can be taken back all the same.
            key: the API key in place of the one that is kept.

        Raises:
            ConsentNeeded: pictures would leave this computer, and nobody has agreed to that.
            KeyringUnusable: nobody knows whether a key is set.
            SetupError: ``no_key``, what `OfflineEngine.choose` raises, or an address that can't be used.
        """
        if choice == "offline":
            key = None
        elif key is None and (found := self.settings.key(sleep)) is not None:
            key = found.value
        if key is not None:
            service = self._connect(key)
            check = _allow if agreed and not self.may_upload else self._check_consent
            if uploads:
                check()
            with self._guard:
                self._journal = self._journal or Journal(self.settings.state_folder)
            place = urlsplit(self.settings.api_url).netloc
            account = digest("account", place, key)[:16]
            delete = functools.partial(self._delete, key=key, journal=self._journal, account=account)
            return Engine("youcam", service, 1, self._journal, account, place, delete, check)
        if choice == "youcam":
            raise errors.make("no_key")
        planned = self.offline.choose()
        twin = self.offline.open()
        service = self._keep(Service(twin.url, twin.key))
        model, in_flight = planned.maker.model, self.offline.count_in_flight(planned)
        return Engine(
            "offline",
            service,
            units=0,
            abandon=twin.abandon,
            in_flight=in_flight,
            model=model,
            read_maker=read_maker,
            explain=_explain_own,
        )

    def close(self, engine: Engine) -> None:
        """The engine is not used any more, but for what goes on in the background."""
        if not self.background.busy:
            self._release(engine.service)

    def leave(self) -> None:
        """The program is to end: what is paid for and not done in `LEAVING_SECONDS` is left to a process of its own."""
        self._end = time.monotonic() + LEAVING_SECONDS

    @property
    def _seconds_left(self) -> float:
        return max(0.0, min(threading.TIMEOUT_MAX, self._end - time.monotonic()))

    @property
    def ever_paid(self) -> bool:
        """Whether any process of this user has ever opened the youcam engine."""
        return journals.exists(self.settings.state_folder)

    @property
    def may_upload(self) -> bool:
        """Whether the user has agreed to uploads, which an engine on this computer does not need."""
        return is_loopback(self.settings.api_url) or self.settings.has_agreed(self.settings.api_host)

    def _check_consent(self) -> None:
        if not self.may_upload:
            raise errors.make("consent_needed", self.settings.api_host)

    def _delete(self, entries: Sequence[Entry], key: str, journal: Journal, account: str) -> None:
        if self.settings.delete_delivered:
            self._deletions.start(entries, journal, account, lambda: self._connected(key))

    def _connect(self, key: str) -> Service:
        """The service, for one user of it: what it has counted and learned goes with that."""
        with self._guard:
            self._requests = self._requests or Database(self.settings.state_folder, synced=False)
        return self._keep(Service(self.settings.api_url, key, pace=Pacer(self._requests, *self.settings.rate)))

    @contextmanager
    def _connected(self, key: str) -> Iterator[Service]:
        service = self._connect(key)
        try:
            yield service
        finally:
            self._release(service)

    def _keep(self, service: Service) -> Service:
        with self._guard:
            self._services.add(service)
        return service

    def _release(self, service: Service) -> None:
        service.close()
        with self._guard:
            self._services.discard(service)


def _explain_own(code: str, words: str) -> errors.LayerliftError:
    """An engine of this program also fails with what is known on this side alone, as a model that is gone."""
    return errors.make(code, "" if words == code else words) if code in errors.OWN else errors.from_service(code, words)


def _allow() -> None:
    """The consent to the uploads of one engine alone, which nobody can take back."""


def _hand_over(settings: Settings) -> None:
    """Has a process that outlives this one, and its terminal, finish what is paid for: unpolled it would be lost.

    Its input tells it the settings: others can't read that, unlike a command line, and its own environment is this
    process's, which may know nothing of a key that was given otherwise.
    """
    alone: dict[str, Any] = {}
    if sys.platform == "win32":
        alone["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        alone["start_new_session"] = True
    try:
        successor = subprocess.Popen(
            [sys.executable, "-I", "-m", "layerlift.removal.finishing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **alone,
        )
        _successors.append(successor)
        if successor.stdin:
            successor.stdin.write(json.dumps(settings.passed_on).encode())
            successor.stdin.flush()
    except OSError as error:
        _log.warning("What is paid for is left to the next run: %s", error)
