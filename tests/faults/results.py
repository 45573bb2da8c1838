"""Answers of a service that is wrong about one picture: alone, and among others that it is right about."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from helpers.waiting import PATIENCE
from layerlift import errors
from layerlift.twin import Fault
from PIL import Image

from .invariants import violations
from .matrix import ANSWER_SECONDS, LONG, Found
from .world import HEIGHT, WIDTH, World

OWN_CODES = ("cancelled", "disk", "no_key", "unauthorized", "consent_needed", "may_be_charged", "journal_damaged")
"""Names of our own states, which a service can't know."""
API_STEPS = ("declare", "run", "poll", "delete")
LARGE_BYTES = 64_000_001


def _picture(change: Callable[[Image.Image], Image.Image], kind: str = "PNG", **options: Any) -> Callable[[Any], Any]:
    """Changes a result's picture."""

    def changed(response: Any) -> Any:
        stream = io.BytesIO()
        with Image.open(io.BytesIO(response.get_data())) as image:
            change(image).save(stream, kind, **options)
        response.set_data(stream.getvalue())
        return response

    return changed


def _turned(orientation: int) -> Callable[[Any], Any]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _picture(lambda image: image, exif=exif)


def _large(response: Any) -> Any:
    response.set_data(bytes(LARGE_BYTES))
    return response


def _typed(kind: str) -> Callable[[Any], Any]:
    def changed(response: Any) -> Any:
        response.headers["Content-Type"] = kind
        return response

    return changed


def _data(**fields: Any) -> Callable[[Any], Any]:
    """Changes what an answer of the API says."""
    return lambda body: {**body, "data": {**body["data"], **fields}}


def _named(**fields: Any) -> Callable[[Any], Any]:
    """Changes what the answer to a poll says once the task has succeeded."""

    def changed(body: Any) -> Any:
        return _data(**fields)(body) if body["data"]["task_status"] == "success" else body

    return changed


FINE = {
    **{f"turned by {orientation}": ("download", _turned(orientation)) for orientation in (3, 6)},
    "no type": ("download", _typed("")),
    "bytes for a type": ("download", _typed("application/octet-stream")),
    "odd dst_id": ("poll", _named(dst_id={"id": 7})),
    "surrogate dst_id": ("poll", _named(dst_id="\ud800\n")),
    "endless dst_id": ("poll", _named(dst_id="x" * 100_000)),
    "odd interval": ("poll", _data(polling_interval="soon")),
    "no interval": ("poll", _data(polling_interval=0)),
    "endless interval": ("poll", _data(polling_interval=1e300)),
}
"""What is odd, and does not matter."""
UNUSABLE = {
    "JPEG": ("download", _picture(lambda image: image.convert("RGB"), "JPEG")),
    "no alpha": ("download", _picture(lambda image: image.convert("RGB"))),
    "gray": ("download", _picture(lambda image: image.convert("L"))),
    "one pixel": ("download", _picture(lambda image: image.resize((1, 1)))),
    "turned": ("download", _picture(lambda image: image.transpose(Image.Transpose.ROTATE_90))),
    "larger": ("download", _picture(lambda image: image.resize((2 * WIDTH, 2 * HEIGHT)))),
    "decoded size": ("download", _picture(lambda image: image.resize((5000, 5000 * HEIGHT // WIDTH)))),
    "too large": ("download", _large),
    "wrong type": ("download", _typed("text/plain")),
}
"""What is charged, and of no use."""
UNREAD = ("too large", "wrong type")
"""Of these nothing is read."""
DOUBTFUL = {
    "no URL": ("poll", _named(results={})),
    "null URL": ("poll", _named(results={"url": None})),
    "no results": ("poll", _named(results=None)),
    "file URL": ("poll", _named(results={"url": "file:///etc/hostname"})),
    "plain URL": ("poll", _named(results={"url": "http://192.0.2.1/x.png"})),
    "broken URL": ("poll", _named(results={"url": "http://[::1/x"})),
    "odd state": ("poll", _data(task_status="paused")),
    "another's task": ("run", None),
    "no task": ("run", _data(task_id=None)),
    "odd task": ("run", _data(task_id={"id": 7})),
    "surrogate task": ("run", _data(task_id="\ud800")),
}
"""What leaves it open whether anything will come of a charge."""
FREE = {f"engine {code}": ("run", code) for code in OWN_CODES}
REFUSED = {
    f"{step} {code}": (step, code)
    for step in ("declare", "run", "poll", "download", "delete")
    for code in OWN_CODES[:3]
}
"""Refusals by names of our own states."""
LASTING = ("odd state",)
"""The polls go on until the deadline. In a batch the polls go on until a time that no test waits for."""


class Odd(NamedTuple):
    """One thing that is odd, in answers about picture 0."""

    kind: str
    among_others: bool = False
    axis: str = "odd answers"

    def __str__(self) -> str:
        return f"odd-{self.kind}{'-among_others' if self.among_others else ''}".replace(" ", "_")

    def run(self, folder: Path) -> Found:
        with World(folder, poll_within_seconds=LONG) as world:
            broken: list[str] = []
            told: list[errors.LayerliftError] = []
            if self.kind == "another's task":
                assert world.remove(1, ANSWER_SECONDS) is None
            self._harm(world)
            missing = self._batch(world, broken) if self.among_others else self._alone(world, told, broken)
            asked = []
            world.twin.mend()
            for number in missing:
                if (last := world.remove(number, ANSWER_SECONDS)) is not None:
                    told.append(last)
                    asked.append(number)
                    if world.remove(number, ANSWER_SECONDS, again=True) is not None:
                        broken.append("who wants to pay again can't")
            if asked and self.kind not in UNUSABLE and self.step != "run":
                broken.append("what the service has mended is not free")
            pictures = range(3 if self.among_others else 1 + (self.kind == "another's task"))
            broken += violations(world, pictures, pictures, asked=asked)
            return Found(told, broken)

    @property
    def step(self) -> str:
        """Where the service is wrong."""
        return {**FINE, **UNUSABLE, **DOUBTFUL, **FREE, **REFUSED}[self.kind][0]

    def _alone(self, world: World, told: list[errors.LayerliftError], broken: list[str]) -> list[int]:
        """Asks for the picture twice; returns it where it did not come."""
        started = len(world.twin.calls("run"))
        for _ in range(1 if self.kind in LASTING else 2):
            error = world.remove(0, ANSWER_SECONDS)
            if error is None:
                return []
            told.append(error)
            charged = isinstance(error, errors.MayBeCharged) or "was charged" in error.action
            if self.kind in FINE:
                broken.append(f"'{error.code}' where nothing is wrong that matters")
            if self.kind in (*UNUSABLE, *DOUBTFUL) and not charged:
                broken.append(f"the charge is hidden by '{error.code}'")
            if self.kind in UNUSABLE and self.kind not in UNREAD and not list(world.home.glob("unusable/*[a-f]*")):
                broken.append("what came is not kept for a report")
            if isinstance(error, (errors.SetupError, errors.Cancelled)):
                broken.append(f"the service can say '{error.code}'")
        if len(world.twin.calls("run")) > started + 1 and self.kind not in FREE:
            broken.append("it was started anew unasked")
        return [0]

    def _batch(self, world: World, broken: list[str]) -> list[int]:
        """Asks for three pictures together; returns the one that did not come."""
        command = world.command("remove", *map(world.photo, range(3)), "--engine", "youcam", "--yes")
        told = command.communicate(timeout=PATIENCE)[1]
        missing = [number for number in range(3) if not world.has(number)]
        if len(missing) > 1:
            broken.append(f"others went with the odd one: {told}")
        if "YOUCAM_API_URL" in told:
            broken.append("the user is to blame")
        return missing

    def _harm(self, world: World) -> None:
        if self.kind in FREE or self.kind in REFUSED:
            step, code = {**FREE, **REFUSED}[self.kind]
            kind = "engine" if self.kind in FREE else "400"
            world.twin.inject(Fault(step, kind, code=code, times=1 if self.among_others else 10**6))
            return
        step, change = {**FINE, **UNUSABLE, **DOUBTFUL}[self.kind]
        if change is None:
            change = _data(task_id=world.twin.ledger[0].task_id)
        world.twin.edit(step, change, 0)


KINDS = (*FINE, *UNUSABLE, *DOUBTFUL, *FREE, *REFUSED)
BESIDE = [kind for kind in (*UNUSABLE, *DOUBTFUL, *FREE) if kind not in (*LASTING, "another's task")]
ODDITIES = [
    *map(Odd, KINDS),
    *(
        Odd(kind, among_others=True)
        for kind in (*UNUSABLE, *DOUBTFUL, *FREE)
        if kind not in (*LASTING, "another's task")
    ),
]
