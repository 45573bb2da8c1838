"""The service's twin on loopback, as one object."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from .. import errors
from .account import Charge
from .faults import Fault, FaultBook
from .options import Options
from .state import State

if TYPE_CHECKING:
    from .endpoint import Call


class Twin:
    """The service on two ports of 127.0.0.1, API and storage, from construction until `close`.

    Raises SetupError `no_engine` where werkzeug is not installed, OSError where `port` is taken.

    Attributes:
        url: address of the API.
        storage_url: address of uploads and results; receives no key.
        key: the only API key that is accepted, random.
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        try:
            from .api import Api
            from .endpoint import Record
            from .listener import Listener
            from .storage import Storage
        except ModuleNotFoundError as error:
            raise errors.make("no_engine", str(error)) from error
        self.options = options or Options()
        self._state = State(self.options, clock, wall, entropy)
        self._record = Record(FaultBook(self.options.faults))
        self.key = f"sk-{entropy(24).hex()}"
        self._storage = Listener(Storage(self._state, self._record))
        self.storage_url = self._storage.url
        try:
            self._api = Listener(Api(self._state, self._record, self.key, self.storage_url), port, wall)
        except BaseException:
            self._storage.close()
            raise
        self.url = self._api.url

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both servers with all their connections."""
        self._api.close()
        self._storage.close()
        self._state.close()

    def abandon(self, task_id: str) -> None:
        """Nobody waits for a task any more: the engine need not work on it."""
        self._state.abandon(task_id)

    def inject(self, fault: Fault) -> None:
        """One more fault, whose `after` counts from now."""
        self._record.add_fault(fault)

    @property
    def requests(self) -> list[Call]:
        """The calls so far, oldest first (the last 10,000)."""
        return list(self._record.calls)

    def calls(self, *steps: str) -> list[Call]:
        """The calls of some steps, oldest first."""
        return [call for call in self.requests if call.step in steps]

    @property
    def ledger(self) -> list[Charge]:
        """All charges, oldest first, those of lost tasks among them."""
        self._state.balance()
        return self._state.account.charges

    @property
    def charged(self) -> float:
        """Units charged so far."""
        self._state.balance()
        return self._state.account.spent

    @property
    def uploads(self) -> dict[str, bytes]:
        """What was uploaded, by file id, the last 16 files; also what was deleted since."""
        return dict(self._state.uploads)

    @property
    def delivered(self) -> int:
        """How many results were sent as they are."""
        return sum(call.status == 200 and call.fault in ("", "hang") for call in self.calls("download"))

    @property
    def late_polls(self) -> int:
        """How many tasks were lost because nobody polled them in time."""
        self._state.balance()
        return self._state.late_polls
