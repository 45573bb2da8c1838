"""What must hold whatever goes wrong, read from the service's own books and the user's folders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlsplit

from .world import World

LATER = 60.0
"""Seconds after which every task that nobody polls is lost."""


def violations(
    world: World,
    pictures: Iterable[int],
    delivered: Collection[int],
    excused: Collection[int] = (),
    asked: Collection[int] = (),
) -> list[str]:
    """What does not hold in a world where all is over; each as a sentence.

    Args:
        pictures: all pictures that were ever asked for.
        delivered: those whose exact alpha the user has.
        excused: those that may have been lost, since nobody could know their task: the user was told so.
        asked: those that the user has asked to pay for once more.
    """
    world.twin.later.move(LATER)
    return [
        *_paid_twice(world, pictures, asked),
        *_lost(world, pictures, delivered, excused),
        *_polled_late(world, excused),
        *_key_elsewhere(world),
        *_deleted_early(world),
        *_touched(world),
        *_left_behind(world),
    ]


def _paid_twice(world: World, pictures: Iterable[int], asked: Collection[int]) -> Iterator[str]:
    agreed = len(asked)
    for number in pictures:
        agreed += 1
        if world.twin.units(number) > 1 + (number in asked):
            yield f"picture {number} cost {world.twin.units(number):g} units"
    if world.twin.charged > agreed:
        yield f"{world.twin.charged:.0f} units were charged for {agreed} pictures"


def _lost(world: World, pictures: Iterable[int], delivered: Collection[int], excused: Collection[int]) -> Iterator[str]:
    for number in pictures:
        if world.twin.units(number) and number not in delivered and number not in excused:
            yield f"picture {number} was paid and never delivered"


def _polled_late(world: World, excused: Collection[int]) -> Iterator[str]:
    if world.twin.late_polls > len(excused):
        yield f"{world.twin.late_polls} tasks were not polled in time"


def _key_elsewhere(world: World) -> Iterator[str]:
    own = urlsplit(world.twin.url).netloc
    key = f"Bearer {world.twin.key}"
    for call in world.twin.requests:
        if call.headers.get("Authorization") == key and (call.storage or call.headers.get("Host") != own):
            yield f"the key was sent to {call.headers.get('Host')} in {call.step}"


def _deleted_early(world: World) -> Iterator[str]:
    if world.twin.deleted_early:
        yield f"{world.twin.deleted_early} tasks were deleted before their alphas were safe"


def _touched(world: World) -> Iterator[str]:
    for path, is_whole in world.own().items():
        if not is_whole:
            yield f"{path.relative_to(world.folder)}, the user's own, was touched"


def _left_behind(world: World) -> Iterator[str]:
    own = world.own()
    for place in (world.home / "work", world.temporary):
        for path in sorted(place.rglob("*")) if place.exists() else ():
            if path.is_file() and path not in own and path != world.home / "work" / ".lock":
                yield f"{path.relative_to(world.folder)} was left behind"
    for path in sorted(world.folder.rglob("*")):
        is_half = path.suffix == ".part" or (path.name.startswith(".") and path.name != ".lock")
        if path.is_file() and path not in own and is_half:
            yield f"{path.relative_to(world.folder)} was left half written"
