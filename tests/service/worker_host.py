"""The worker as a host sees it: a process, its lines, its folder; or in this process, where a test mends its parts."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from helpers import worker_host
from helpers.protocol import Session
from helpers.waiting import PATIENCE
from layerlift.removal.engines import Engines
from layerlift.store.settings import Settings
from layerlift.twin import Twin
from layerlift.worker import worker

WIDTH, HEIGHT = 96, 32


class Host(worker_host.Host):
    """A host whose pictures are `steps`."""

    def job(self, name: str = "1", pixels: bytes | None = None, **changes: Any) -> None:
        """Writes the pixels and asks for their alpha."""
        data = steps().tobytes() if pixels is None else pixels
        self.ask(name, data, **{"width": WIDTH, "height": HEIGHT, "engine": "auto", **changes})


def ask(host: Host, **message: Any) -> dict[str, Any]:
    """The end of one question, without its type and name; of an error the code alone."""
    host.send(id="1", **message)
    end = host.until_end("1")[1]
    assert end.pop("id") == "1"
    if end.pop("type") == "error":
        assert end["message"] and (end["action"] or end["kind"] in ("set_key", "agree"))
        return {"code": end["code"]}
    return end


def steps() -> Any:
    """Gray steps, each a flat area, whose alpha is known: 255 minus the gray."""
    columns = np.repeat(np.arange(0, 256, 51, dtype=np.uint8), WIDTH // 6)
    return np.broadcast_to(columns[None, :, None], (HEIGHT, WIDTH, 3))


def expected() -> bytes:
    return bytes((255 - steps()[:, :, 0]).tobytes())


def said(
    lines: list[str],
    folder: Path,
    twin: Twin | None = None,
    until: Callable[[], object] | None = None,
    **changes: str,
) -> list[dict[str, Any]]:
    """What a worker in this process says to some lines; its input ends when all are answered, or after `until`. Its
    settings come from these variables."""
    answered = threading.Semaphore(0)

    def all_are_answered() -> None:
        for _ in lines:
            assert answered.acquire(timeout=PATIENCE)

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            if json.loads(text)["type"] in ("result", "error"):
                answered.release()
            return super().write(text)

    class In(io.StringIO):
        def __iter__(self) -> Iterator[str]:
            yield from lines
            (until or all_are_answered)()

    account = {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key} if twin else {}
    settings = Settings({"LAYERLIFT_HOME": str(folder / "home"), **account, **changes})
    out = Out()
    worker.Worker(In(), out, folder, lambda: Engines(settings)).serve(lambda: None)
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    session = Session()
    for line in lines:
        session.sends(line)
    for message in messages:
        session.hears(message)
    return messages
