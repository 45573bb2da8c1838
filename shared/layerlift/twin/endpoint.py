"""What the API and the storage have in common: the record of calls, request ids, and faults."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from http.client import responses
from typing import NamedTuple
from urllib.parse import urlsplit

from PIL import Image
from werkzeug.wrappers import Request, Response

from .faults import Fault, FaultBook
from .listener import Delivery
from .state import Refusal, State

KEPT_CALLS = 10_000
WRONG_LENGTH_BY = 7
PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in to the network</h1></body></html>"


class Call(NamedTuple):
    """One request as it arrived, the status that it was given (0: reset, no answer), and the fault that it met."""

    time: float
    step: str
    method: str
    path: str
    headers: dict[str, str]
    storage: bool
    status: int
    fault: str


class Record:
    """The calls of a twin, oldest first, and the faults that are still to come."""

    def __init__(self, faults: FaultBook) -> None:
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._faults = faults
        self._lock = threading.Lock()

    def add_fault(self, fault: Fault) -> None:
        """One more fault, whose `after` counts from now."""
        with self._lock:
            self._faults.add(fault)

    def fault(self, step: str) -> Fault | None:
        """The fault that meets this request."""
        with self._lock:
            return self._faults.take(step)


Act = Callable[["Fault | None"], Response]


class Endpoint(ABC):
    """An application for a `Listener`. `storage` marks its calls."""

    storage: bool

    def __init__(self, state: State, record: Record) -> None:
        self._state = state
        self._record = record

    @abstractmethod
    def route(self, request: Request) -> tuple[str, Act]:
        """The step of the protocol and what answers it. Raises Refusal where there is none."""

    @abstractmethod
    def guard(self, request: Request) -> None:
        """Raises Refusal for a request that is not let in, whatever it asks for."""

    @abstractmethod
    def refuse(self, refusal: Refusal) -> Response:
        """The answer to a refused request."""

    def __call__(self, request: Request) -> Delivery:
        arrived = self._state.clock()
        step, kind = "", ""
        try:
            step, act = self.route(request)
            fault = self._record.fault(step)
            kind = fault.kind if fault else ""
            delivery = self._deliver(request, act, fault)
        except Refusal as refusal:
            delivery = Delivery(self.refuse(refusal))
        if delivery.response is not None:
            delivery.response.headers["x-request-id"] = self._state.entropy(16).hex()
        status = delivery.response.status_code if delivery.response else 0
        self._record.calls.append(
            Call(arrived, step, request.method, target(request), dict(request.headers), self.storage, status, kind)
        )
        return delivery

    def _deliver(self, request: Request, act: Act, fault: Fault | None) -> Delivery:
        kind = fault.kind if fault else ""
        if fault is None:
            return Delivery(self._answer(request, act, None))
        if kind == "reset_before":
            return Delivery(None)
        if kind == "html":
            return Delivery(Response(PAGE, mimetype="text/html"))
        if kind == "redirect":
            elsewhere = f"http://localhost:{request.environ['SERVER_PORT']}{target(request)}"
            return Delivery(Response(status=307, headers={"Location": fault.location or elsewhere}))
        if kind.isdigit():
            return Delivery(self.refuse(Refusal(int(kind), fault.code, responses.get(int(kind), kind))))
        response = self._answer(request, act, fault)
        if kind == "reset_after":
            return Delivery(None)
        if kind == "hang":
            return Delivery(response, seconds=fault.seconds, until=fault.until)
        if kind == "not_the_form":
            return Delivery(Response('["unexpected"]', mimetype="application/json"))
        size = len(response.get_data())
        if kind == "truncated":
            response.set_data(response.get_data()[: size // 2])
            return Delivery(response, promised=max(size, 1))
        if kind == "wrong_length":
            return Delivery(response, promised=max(0, size - WRONG_LENGTH_BY))
        return Delivery(response)

    def _answer(self, request: Request, act: Act, fault: Fault | None) -> Response:
        try:
            self.guard(request)
            return act(fault)
        except Refusal as refusal:
            return self.refuse(refusal)


def target(request: Request) -> str:
    """Path and query exactly as they were sent."""
    sent = str(request.environ["RAW_URI"])
    parts = urlsplit(sent)
    return sent.removeprefix(f"{parts.scheme}://{parts.netloc}") if parts.scheme else sent


def spoil(result: bytes, kind: str) -> bytes:
    """A result PNG with one of the faults bad_picture, bomb, other_size, no_alpha."""
    if kind == "bad_picture":
        return result[:8] + bytes(len(result) - 8)
    if kind == "bomb":
        header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0)
        return result[:12] + header + struct.pack(">I", zlib.crc32(header)) + result[33:]
    with Image.open(io.BytesIO(result)) as image:
        spoilt = image.convert("RGB") if kind == "no_alpha" else image.resize((image.width + 1, image.height))
    stream = io.BytesIO()
    spoilt.save(stream, "PNG")
    return stream.getvalue()
