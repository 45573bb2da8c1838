"""What the worker makes of a host's own samples, at every depth: clean edges, and the layer cut out."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.waiting import PATIENCE, wait_for
from layerlift.imaging import foreground

from .worker_host import HEIGHT, WIDTH, said

DEPTHS = {"u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "f16": np.float16, "f32": np.float32, "f64": np.float64}


def edge(depth: str = "u8", channels: int = 3) -> tuple[Any, Any]:
    """Pixels and their alpha: a dark subject, half opaque before white between; the pixels' own alpha is 3/4."""
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, 40:56], alpha[:, 56:] = 128, 0
    pixels = np.full((HEIGHT, WIDTH, channels), 0.1)
    pixels[:, 40:56], pixels[:, 56:] = 0.55, 1
    if channels in (2, 4, 5):
        pixels[:, :, -1] = 0.75
    dtype = np.dtype(DEPTHS[depth])
    return (pixels if dtype.kind == "f" else np.rint(pixels * np.iinfo(dtype).max)).astype(dtype), alpha


def ask(kind: str, folder: Path, samples: Any, matte: Any, **changes: Any) -> list[dict[str, Any]]:
    """What a worker says to a request of a kind, for a layer's samples and an alpha."""
    (folder / "1.alpha").write_bytes(matte.tobytes())
    for name in ("1.raw", f"1.{kind}"):
        (folder / name).write_bytes(samples.tobytes())
    height, width, channels = samples.shape
    job = {"pixels": "1.raw", "alpha": "1.alpha", "width": width, "height": height, "channels": channels, **changes}
    return said([json.dumps({"type": kind, "id": "1", **job})], folder)


def put_back(end: dict[str, Any], folder: Path, pixels: Any) -> Any:
    """The pixels with the result's rectangles in their places."""
    whole, samples = pixels.copy(), np.fromfile(folder / end["file"], pixels.dtype)
    for x, y, width, height in end["rectangles"]:
        count = width * height * pixels.shape[2]
        part, samples = samples[:count], samples[count:]
        whole[y : y + height, x : x + width] = part.reshape(height, width, -1)
    assert samples.size == 0
    return whole


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("depth", DEPTHS)
def test_edges_lose_the_old_backgrounds_colour_at_every_depth_and_all_else_keeps_its_bits(
    tmp_path: Path, depth: str, channels: int
) -> None:
    pixels, alpha = edge(depth, channels)
    *progress, end = ask("clean", tmp_path, pixels, alpha, depth=depth)
    assert {key: end[key] for key in ("type", "id", "file")} == {"type": "result", "id": "1", "file": "1.clean"}
    assert not (tmp_path / "1.raw").exists()
    cleaned = put_back(end, tmp_path, pixels)
    colours = channels - 1 if channels in (2, 4, 5) else channels
    assert (cleaned[:, :40] == pixels[:, :40]).all() and (cleaned[:, 56:] == pixels[:, 56:]).all()
    assert (cleaned[..., colours:] == pixels[..., colours:]).all()
    middle = cleaned[:, 40:56, :colours] / pixels[0, -1, 0]
    assert np.abs(middle - 0.1).max() < 0.2
    assert {line.get("stage") for line in progress[1:]} == {"clean"}
    fractions = [line["fraction"] for line in progress[1:]]
    assert fractions == sorted(fractions)


def test_only_rectangles_with_an_edge_come_back(tmp_path: Path) -> None:
    pixels, alpha = np.full((700, 900, 3), 90, np.uint8), np.full((700, 900), 255, np.uint8)
    alpha[300:320, 400:420], alpha[320:, 420:] = 100, 0
    pixels[alpha < 255] = 200
    end = ask("clean", tmp_path, pixels, alpha)[-1]
    area = sum(width * height for _, _, width, height in end["rectangles"])
    assert 0 < area <= 4 * 256 * 256
    cleaned = put_back(end, tmp_path, pixels)
    assert ((cleaned != pixels).any(axis=2) <= ((alpha > 0) & (alpha < 255))).all()


def test_nothing_comes_back_where_there_is_no_edge(tmp_path: Path) -> None:
    end = ask("clean", tmp_path, np.zeros((4, 5, 3), np.uint8), np.full((4, 5), 255, np.uint8))[-1]
    assert (end["rectangles"], (tmp_path / end["file"]).read_bytes()) == ([], b"")


def test_pixels_are_of_8_bits_where_no_depth_is_said(tmp_path: Path) -> None:
    pixels, alpha = edge()
    end = ask("clean", tmp_path, pixels, alpha, pixels="1.clean")[-1]
    assert (put_back(end, tmp_path, pixels)[:, 40:56] < 80).all(), "the pixels may have the name of the result"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"alpha": None}, "bad_job"),
        ({"alpha": "gone.alpha"}, "pixels_missing"),
        ({"alpha": "1.raw"}, "pixels_missing"),
        ({"pixels": "../1.gone"}, "pixels_missing"),
        ({"width": "wide"}, "bad_job"),
        ({"channels": 4}, "pixels_missing"),
        ({"channels": 6}, "bad_job"),
        ({"channels": True}, "bad_job"),
        ({"depth": "u16"}, "pixels_missing"),
        ({"depth": "uint8"}, "bad_job"),
        ({"depth": None}, "bad_job"),
        ({"depth": ["u8"]}, "bad_job"),
        ({"height": 0}, "picture_empty"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["clean", "cut"])
def test_a_malformed_request_is_refused(tmp_path: Path, kind: str, changes: dict[str, Any], code: str) -> None:
    assert ask(kind, tmp_path, *edge(channels=2), **changes)[-1].get("code") == code


def test_clean_edges_can_be_cancelled_and_leave_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(picture: Any, alpha: Any, report: Any) -> Any:
        try:
            while True:
                yield (0, 0, 1, 1), picture.pixels
                report(0.5)
                time.sleep(0.001)
        finally:
            ended.set()

    monkeypatch.setattr(foreground, "clean_edges", endless)
    (tmp_path / "1.raw").write_bytes(bytes(3))
    (tmp_path / "1.alpha").write_bytes(bytes(1))
    job = {"type": "clean", "pixels": "1.raw", "alpha": "1.alpha", "width": 1, "height": 1, "channels": 3}
    lines = [json.dumps({**job, "id": "1"}), json.dumps({"type": "cancel", "id": "1"})]
    assert said(lines, tmp_path, until=lambda: None)[-1]["code"] == "cancelled"
    assert ended.wait(PATIENCE)
    wait_for(lambda: not (tmp_path / "1.clean").exists())


def test_the_end_of_its_input_ends_it_in_the_middle_of_clean_edges(start: Any) -> None:
    host = start()
    (host.folder / "1.raw").write_bytes(np.linspace(0, 1, 4000 * 3000, dtype=np.float32).tobytes())
    (host.folder / "1.alpha").write_bytes(bytes(range(1, 251)) * 48000)
    job = {"pixels": "1.raw", "alpha": "1.alpha", "width": 4000, "height": 3000, "channels": 1, "depth": "f32"}
    host.send(type="clean", id="1", **job)
    assert host.next()["stage"] == "clean"
    begin = time.monotonic()
    assert host.end() == 0
    assert time.monotonic() - begin < 2
    assert not host.folder.exists()


def cut(folder: Path, pixels: Any, alpha: Any, **changes: Any) -> Any:
    """The layer with its alpha, from a worker in this process."""
    *progress, end = ask("cut", folder, pixels, alpha, **changes)
    assert end == {"type": "result", "id": "1", "file": "1.cut"}
    assert not (folder / "1.raw").exists()
    fractions = [line["fraction"] for line in progress[1:]]
    assert {line.get("stage") for line in progress[1:]} == {"clean"}
    assert fractions == sorted(fractions) and fractions[-1] == 1
    return np.fromfile(folder / end["file"], pixels.dtype).reshape(pixels.shape)


def is_product(found: Any, own: Any, alpha: Any) -> bool:
    """Whether these are two alphas multiplied, to the nearest that the type can tell (f64: or the one beside it)."""
    exact = own.astype(np.longdouble) * alpha / 255
    nearest = (exact if own.dtype.kind == "f" else np.rint(exact)).astype(own.dtype)
    if own.dtype == np.float64:
        return bool((np.abs(found - nearest) <= np.spacing(nearest)).all())
    return bits(found) == bits(nearest)


def bits(pixels: Any) -> bytes:
    return bytes(np.ascontiguousarray(pixels).tobytes())


@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_layer_is_cut_out_by_its_alpha_times_the_other_and_its_colours_keep_their_bits(
    tmp_path: Path, depth: str, channels: int
) -> None:
    random = np.random.default_rng(2)
    dtype = np.dtype(DEPTHS[depth])
    pixels = random.normal(0.5, 2, (300, 70, channels)).astype(dtype)
    if dtype.kind == "f":
        pixels[..., -1] = random.random((300, 70))
        pixels[::7, ::3, 0], pixels[::5, ::2, 0], pixels[::9, :, 0] = np.nan, np.inf, -np.inf
    else:
        pixels = random.integers(0, np.iinfo(dtype).max, pixels.shape, dtype, endpoint=True)
    alpha = random.integers(0, 256, (300, 70), np.uint8)
    alpha[:40], alpha[40:80] = 0, 255
    whole = cut(tmp_path, pixels, alpha, depth=depth, clean=False)
    assert bits(whole[..., :-1]) == bits(pixels[..., :-1])
    assert is_product(whole[..., -1], pixels[..., -1], alpha)


@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_layer_is_cut_out_with_the_colours_that_clean_edges_have(tmp_path: Path, depth: str, channels: int) -> None:
    pixels, alpha = (np.tile(part, (9, 3, 1)[: part.ndim]) for part in edge(depth, channels))
    cleaned = put_back(ask("clean", tmp_path, pixels, alpha, depth=depth)[-1], tmp_path, pixels)
    whole = cut(tmp_path, pixels, alpha, depth=depth, clean=True)
    assert bits(whole[..., :-1]) == bits(cleaned[..., :-1]) != bits(pixels[..., :-1])
    assert is_product(whole[..., -1], pixels[..., -1], alpha)


@pytest.mark.parametrize("depth", ["u8", "u16", "f16", "f32"])
def test_the_order_of_the_colours_does_not_matter(tmp_path: Path, depth: str) -> None:
    pixels, alpha = edge(depth, 4)
    pixels[..., 1], pixels[..., 2] = pixels[..., 1] / 2, pixels[..., 2] / 3
    order = [2, 1, 0, 3]
    one = cut(tmp_path, pixels, alpha, depth=depth, clean=True)
    other = cut(tmp_path, pixels[..., order].copy(), alpha, depth=depth, clean=True)
    assert bits(one) == bits(other[..., order])


@pytest.mark.parametrize("changes", [{"channels": 1}, {"channels": 3}, {"clean": None}, {"clean": 1}], ids=str)
def test_a_layer_is_not_cut_out_without_an_alpha_of_its_own_or_a_plain_yes_or_no(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert ask("cut", tmp_path, *edge(channels=4), **changes)[-1].get("code") == "bad_job"


def large(host: Any, name: str) -> dict[str, Any]:
    """Writes a layer whose edges take seconds; the fields of a request for it."""
    (host.folder / f"{name}.raw").write_bytes(np.linspace(0, 1, 4000 * 3000 * 2, dtype=np.float32).tobytes())
    (host.folder / f"{name}.alpha").write_bytes(bytes(range(1, 251)) * 48000)
    sizes = {"width": 4000, "height": 3000, "channels": 2, "depth": "f32"}
    return {"id": name, "pixels": f"{name}.raw", "alpha": f"{name}.alpha", "clean": True, **sizes}


def test_a_cut_can_be_cancelled_in_its_middle_and_leaves_nothing_behind(start: Any) -> None:
    host = start()
    host.send(type="cut", **large(host, "1"))
    while host.next()["fraction"] < 0.5:
        continue
    assert list(host.folder.glob(".layerlift-*"))  # what is written so far
    host.send(type="cancel", id="1")
    assert host.until_end("1")[1]["code"] == "cancelled"
    wait_for(lambda: sorted(path.suffix for path in host.folder.iterdir()) == ["", ".alpha"])
    pixels, alpha = edge(channels=4)
    (host.folder / "2.raw").write_bytes(pixels.tobytes())
    (host.folder / "2.alpha").write_bytes(alpha.tobytes())
    layer = {"pixels": "2.raw", "alpha": "2.alpha", "width": WIDTH, "height": HEIGHT, "channels": 4, "clean": True}
    host.send(type="cut", id="2", **layer)
    assert host.until_end("2")[1]["file"] == "2.cut"


def test_a_disk_that_takes_no_more_is_told_and_leaves_no_half_layer(start: Any) -> None:
    host = start(options={"limit": 20_000})
    pixels, alpha = edge("u16", 4)
    (host.folder / "1.raw").write_bytes(pixels.tobytes())
    (host.folder / "1.alpha").write_bytes(alpha.tobytes())
    layer = {"pixels": "1.raw", "alpha": "1.alpha", "width": WIDTH, "height": HEIGHT, "channels": 4, "depth": "u16"}
    host.send(type="cut", id="1", **layer)
    assert host.until_end("1")[1]["code"] == "disk"
    assert not (host.folder / "1.cut").exists()


def test_the_end_of_its_input_ends_it_in_the_middle_of_a_cut(start: Any) -> None:
    host = start()
    host.send(type="cut", **large(host, "1"))
    assert host.next()["stage"] == "clean"
    assert host.end() == 0
    assert not host.folder.exists()
