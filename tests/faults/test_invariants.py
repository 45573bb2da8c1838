"""The checks see what they are there to see: each is held against a world where it must fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from layerlift.imaging import prepare
from layerlift.imaging.pictures import Picture
from layerlift.service import polling
from layerlift.service.answers import Task
from layerlift.service.service import Service

from .invariants import violations
from .world import World, picture


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as found:
        yield found


@dataclass
class Careless:
    """A client that keeps no journal."""

    world: World

    def start(self, number: int) -> Task:
        upload = prepare.prepare(Picture(picture(number)))
        destination = self.service.declare([upload], sleep=time.sleep)[0]
        self.service.upload(destination, upload.data, sleep=time.sleep)
        return self.service.run(destination.file_id, sleep=time.sleep)

    def finish(self, number: int) -> None:
        polling.wait(self.service, self.start(number))

    @property
    def service(self) -> Service:
        return Service(self.world.twin.url, self.world.twin.key)


@pytest.fixture
def careless(world: World) -> Careless:
    return Careless(world)


def test_nothing_is_wrong_where_each_picture_is_paid_once_and_delivered(world: World, careless: Careless) -> None:
    careless.finish(0)
    careless.finish(1)
    assert violations(world, [0, 1], [0, 1]) == []


def test_a_picture_that_is_paid_twice_is_told(world: World, careless: Careless) -> None:
    careless.finish(0)
    careless.finish(1)
    careless.finish(1)
    assert violations(world, [0, 1], [0, 1]) == ["picture 1 cost 2 units", "3 units were charged for 2 pictures"]


def test_a_result_that_is_paid_and_not_delivered_is_told_once_the_service_is_done(
    world: World, careless: Careless
) -> None:
    careless.finish(0)
    assert violations(world, [0], []) == ["picture 0 was paid and never delivered"]
    assert violations(world, [0], [], excused=[0]) == []


def test_a_task_that_nobody_polls_is_told(world: World, careless: Careless) -> None:
    careless.start(0)
    assert violations(world, [0], [0]) == ["1 tasks were not polled in time"]


def test_a_key_on_its_way_to_the_storage_or_another_host_is_told(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.twin.key}"}
    requests.get(f"{world.twin.storage_url}/result/x", headers=headers, timeout=10)
    port = world.twin.url.rpartition(":")[2]
    requests.get(f"http://localhost:{port}/s2s/v1.0/client/credit", headers=headers, timeout=10)
    storage = world.twin.storage_url.removeprefix("http://")
    assert violations(world, [], []) == [
        f"the key was sent to {storage} in download",
        f"the key was sent to localhost:{port} in balance",
    ]


def test_files_that_stay_in_folders_of_passage_are_told(world: World) -> None:
    (world.home / "work" / "tmp1").mkdir(parents=True)
    (world.home / "work" / ".lock").touch()
    (world.home / "work" / "tmp1" / "1.raw").touch()
    (world.temporary / "x").touch()
    (world.photos / ".0-cutout.png-abc").touch()
    (world.home / "cache").mkdir()
    (world.home / "cache" / "0.part").touch()
    assert violations(world, [], []) == [
        "home/work/tmp1/1.raw was left behind",
        "temporary/x was left behind",
        "home/cache/0.part was left half written",
        "photos/.0-cutout.png-abc was left half written",
    ]
