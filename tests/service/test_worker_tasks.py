"""The service's other tasks as a host asks its worker for them: what there is, what it costs, and layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layerlift.twin import Fault, Twin
from numpy.typing import NDArray

from .proxy import Proxy
from .worker_host import Host

WIDTH, HEIGHT = 64, 48


def subject() -> NDArray[np.uint8]:
    """A dark square with soft edges on transparency: (HEIGHT, WIDTH, 4)."""
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[12:36, 16:48] = (40, 80, 120, 255)
    pixels[12, 16:48, 3] = pixels[35, 16:48, 3] = 128
    return pixels


def run(host: Host, task: str, pixels: NDArray[np.uint8], **fields: Any) -> dict[str, Any]:
    """The worker's last word on a task that is run on these pixels."""
    (host.folder / "1.raw").write_bytes(pixels.tobytes())
    height, width, channels = pixels.shape
    host.send(
        type="task", id="1", task=task, pixels="1.raw", width=width, height=height, channels=channels,
        **{"agreed": True, **fields},
    )  # fmt: skip
    return host.until_end()[1]


def layers(host: Host, end: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """What came: (height, width, 4) each."""
    assert end["type"] == "result", end
    found = []
    for layer in end["layers"]:
        data = np.frombuffer((host.folder / layer["file"]).read_bytes(), np.uint8)
        found.append(data.reshape(layer["height"], layer["width"], 4))
    return found


def ask(host: Host, **question: Any) -> dict[str, Any]:
    host.send(id="1", **question)
    return host.until_end()[1]


def test_tasks_are_told_with_their_fields_prices_and_the_balance(start: Any, twin: Twin) -> None:
    told = ask(start(twin), type="tasks")
    by_name = {task["task"]: task for task in told["tasks"]}
    assert not {"sod", "out-paint"} & set(by_name), "what is no task on a layer"
    assert by_name["enhance"]["fields"] == [
        {
            "name": "scale", "kind": "choice", "purpose": "how many times as wide and high", "required": True,
            "lowest": 0, "highest": 0, "choices": ["1", "2", "4"], "default": None,
        }
    ]  # fmt: skip
    assert (by_name["enhance"]["title"], told["balance"], told["agreed"]) == ("Enhance", 1000.0, True)
    assert not twin.calls("declare", "run")


def test_templates_come_with_their_pictures_as_far_as_there_are_any(start: Any, twin: Twin) -> None:
    host = start(twin)
    found = ask(host, type="templates", task="bg-replace")["templates"]
    assert found and all(one["id"] for one in found)
    shown = [one["picture"] for one in found if one["picture"]]
    assert shown and all((host.folder / name).read_bytes().startswith(b"\x89PNG") for name in shown)
    twin.inject(Fault("thumb", "404", times=99))
    found = ask(host, type="templates", task="bg-replace")["templates"]
    assert found and not any(one["picture"] for one in found)


@pytest.mark.parametrize(("own_size", "size"), [(False, (WIDTH, HEIGHT)), (True, (2 * WIDTH, 2 * HEIGHT))])
def test_a_result_has_the_size_and_the_alpha_of_its_layer(
    start: Any, twin: Twin, own_size: bool, size: tuple[int, int]
) -> None:
    host = start(twin)
    end = run(host, "enhance", subject(), fields={"scale": "2"}, own_size=own_size)
    (made,) = layers(host, end)
    assert (made.shape, end["units"], end["cached"]) == ((size[1], size[0], 4), 1, False)
    scale = 2 if own_size else 1
    alpha = subject()[..., 3]
    if not own_size:
        assert (made[..., 3] == alpha).all()
    inside = made[20 * scale : 28 * scale, 24 * scale : 40 * scale]
    assert np.abs(inside[..., :3].astype(int) - (40, 80, 120)).max() < 12 and (inside[..., 3] == 255).all()
    soft = made[(made[..., 3] > 100) & (made[..., 3] < 160)]
    assert soft[:, :3].mean() < 120, "the white that it was put on is in its edges"


def test_the_same_is_free_the_next_time_and_other_fields_are_not(start: Any, twin: Twin) -> None:
    host = start(twin)
    ends = [run(host, "enhance", subject(), fields={"scale": scale}) for scale in ("2", "2", "1")]
    assert [(end["units"], end["cached"]) for end in ends] == [(1, False), (0, True), (1, False)]
    assert twin.charged == 2


def test_colours_come_in_the_order_that_the_host_has(start: Any, twin: Twin) -> None:
    host = start(twin)
    opaque = np.full((HEIGHT, WIDTH, 4), (120, 80, 40, 255), np.uint8)
    (made,) = layers(host, run(host, "lighting", opaque[..., [2, 1, 0, 3]], order="bgr"))
    (plain,) = layers(host, run(host, "lighting", opaque))
    assert np.abs(made[..., [2, 1, 0, 3]].astype(int) - plain).max() <= 2


def test_an_alpha_is_grown_to_a_mask_that_leaves_no_rim(start: Any, twin: Twin) -> None:
    host = start(twin)
    picture = np.full((HEIGHT, WIDTH, 4), (200, 200, 190, 255), np.uint8)
    picture[12:36, 16:48, :3] = (40, 80, 120)
    (host.folder / "2.raw").write_bytes(subject()[..., 3].tobytes())
    (made,) = layers(host, run(host, "generative-fill", picture, mask="2.raw", grow=True))
    assert made[..., 3].min() == 255
    assert made[..., 0].min() > 120, "what is dark is the subject"


def test_a_new_background_is_without_the_services_copy_of_the_subject(start: Any, twin: Twin) -> None:
    host = start(twin)
    pixels = subject()
    (whole,) = layers(host, run(host, "bg-replace", pixels, fields={"type": "prompt", "prompt": "a beach"}))
    end = run(host, "bg-replace", pixels, fields={"type": "prompt", "prompt": "a beach"}, without_subject=True)
    (made,) = layers(host, end)
    assert end["cached"], "where the subject is filled in is no matter of the service"
    around = (slice(0, 4), slice(None))
    assert (made[around] == whole[around]).all()
    inside = (slice(16, 32), slice(20, 44))
    assert np.abs(whole[inside][..., :3].astype(int) - whole[0, 0, :3]).max() > 60, "it has a copy of the subject"
    assert np.abs(made[inside][..., :3].astype(int) - whole[0, 0, :3]).max() < 12


def test_several_results_are_several_layers(start: Any, twin: Twin) -> None:
    host = start(twin)
    made = layers(host, run(host, "colorize", subject()))
    assert len(made) > 1 and {layer.shape for layer in made} == {(HEIGHT, WIDTH, 4)}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"task": "enhance", "fields": {"scale": "3"}}, "bad_field"),
        ({"task": "enhance"}, "bad_field"),
        ({"task": "enhance", "fields": {"scale": "2", "size": "1"}}, "bad_field"),
        ({"task": "obj-replace", "fields": {"prompt": "a cat"}}, "bad_field"),
        ({"task": "bg-replace", "fields": {"prompt": "x" * 10_000}}, "bad_field"),
        ({"task": "no-task"}, "task_unknown"),
        ({"task": "lighting", "mask": "2.raw"}, "bad_job"),
        ({"task": "generative-fill", "mask": "3.raw"}, "pixels_missing"),
        ({"task": "generative-fill", "mask": "2.raw"}, "pixels_missing"),
    ],
)
def test_what_can_not_be_run_is_refused_before_anything_is_sent(
    start: Any, twin: Twin, fields: dict[str, Any], code: str
) -> None:
    host = start(twin)
    (host.folder / "2.raw").write_bytes(b"\xff")
    assert run(host, pixels=subject(), **fields)["code"] == code
    assert not twin.calls("declare", "run")


def test_without_consent_nothing_is_uploaded_and_without_a_key_the_way_out_is_told(start: Any, proxy: Proxy) -> None:
    assert run(start(**proxy.environ), "lighting", subject(), agreed=False)["kind"] == "agree"
    host = start()
    for end in (run(host, "lighting", subject()), ask(host, type="tasks")):
        assert (end["code"], end["kind"]) == ("task_needs_key", "set_key")


def test_a_cancelled_task_is_finished_and_free_the_next_time(start: Any, make_twin: Any) -> None:
    twin = make_twin(run_seconds=1.0)
    host = start(twin)
    (host.folder / "1.raw").write_bytes(subject().tobytes())
    host.send(type="task", id="1", task="lighting", pixels="1.raw", width=WIDTH, height=HEIGHT, channels=4, agreed=True)
    while host.next()["stage"] != "waiting":
        pass
    host.send(type="cancel", id="1")
    assert host.until_end()[1]["code"] == "cancelled"
    end = run(host, "lighting", subject())
    assert (end["units"], end["cached"], twin.charged, len(twin.calls("run"))) == (0, True, 1, 1)
