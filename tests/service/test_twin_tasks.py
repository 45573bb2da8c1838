"""The offline service speaks every task of the service: its fields, its masks, its chains and its prices."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from layerlift.service import answers
from layerlift.twin import Fault, Twin
from layerlift.twin.features import FEATURES
from layerlift.twin.pictures import color
from PIL import Image

STILL = (10**6, 300.0)
SIZE = (64, 48)
HOLE = (20, 16, 28, 24)
GREEN = (0, 200, 0)
BOXES = {
    "output_width": 100,
    "output_height": 80,
    "input_x": 10,
    "input_y": 20,
    "input_width": 64,
    "input_height": 48,
    "crop_input_x": 0,
    "crop_input_y": 0,
    "crop_input_width": 64,
    "crop_input_height": 48,
}
FIELDS: dict[str, dict[str, Any]] = {
    "sod": {},
    "enhance": {"scale": 2},
    "lighting": {},
    "bg-blur": {"intensity": 100},
    "bg-replace": {"prompt": "a quiet beach"},
    "colorize": {},
    "colorize/color-correct": {},
    "generative-fill": {},
    "obj-replace": {"prompt": "a red kite"},
    "out-paint": BOXES,
}
"""Of a task, besides its mask."""
MASKED = ("generative-fill", "obj-replace")
SEVERAL = ("colorize", "colorize/color-correct")
PRICES = {"bg-replace": 2.0}
RESULT_FORMS = ("results_list", "results_data", "results_list_data")


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def photo() -> Image.Image:
    """The left half dark, which is the subject, on a bright ramp."""
    row = np.concatenate([np.full(32, 20), np.arange(190, 254, 2)]).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(row, SIZE[::-1]).copy()).convert("RGB")


def mask(size: tuple[int, int] = SIZE) -> Image.Image:
    """White in the hole."""
    image = Image.new("L", size)
    image.paste(255, HOLE)
    return image


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def fields_of(client: Any, slug: str) -> dict[str, Any]:
    """Those that a task needs; its mask is uploaded."""
    if slug not in MASKED:
        return FIELDS[slug]
    return {"msk_file_id": client.uploaded(png(mask()), "image/png", slug), **FIELDS[slug]}


def started(client: Any, slug: str, source: Image.Image | None = None, **fields: Any) -> str:
    file_id = client.uploaded(png(source or photo()), "image/png", slug)
    answer = client.run(file_id, slug, **(fields or fields_of(client, slug)))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["task_id"])


def state(client: Any, slug: str, task: str) -> Any:
    return client.ended(task, slug).json()["data"]


def entries(results: Any) -> list[Any]:
    """The objects with the addresses, whatever the form."""
    if isinstance(results, list):
        return [entry for outer in results for entry in outer.get("data", [outer])]
    return next((results[name] for name in ("output", "data") if name in results), [results])


def results_of(client: Any, slug: str, source: Image.Image | None = None, **fields: Any) -> list[Image.Image]:
    found = state(client, slug, started(client, slug, source, **fields))
    assert "results" in found, found
    return [opened(entry["url"]) for entry in entries(found["results"])]


def opened(url: str) -> Image.Image:
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    assert image.format == "PNG"
    return image


def failure(client: Any, slug: str, answer: requests.Response) -> str:
    """The engine's code that a task ends with."""
    assert answer.status_code == 200, answer.text
    found = state(client, slug, answer.json()["data"]["task_id"])
    assert found["task_status"] == "error"
    return str(found["error"])


def by_url(client: Any, slug: str, url: str, **fields: Any) -> requests.Response:
    answer: requests.Response = client.api("POST", f"/s2s/v2.0/task/{slug}", json={"src_file_url": url, **fields})
    return answer


# every task, in every form


def test_there_are_these_tasks() -> None:
    assert FEATURES.keys() == FIELDS.keys()


@pytest.mark.parametrize("form", ["", *RESULT_FORMS, "dst_id_in_data", "dst_id_in_results", "base64_ids"])
@pytest.mark.parametrize("slug", FIELDS)
def test_a_task_goes_the_whole_way(make_twin: Any, raw: Any, slug: str, form: str) -> None:
    twin = make_twin(forms=[form] if form else [], units=10)
    client = raw(twin)
    found = state(client, slug, started(client, slug))
    urls = [entry["url"] for entry in entries(found["results"])]
    assert len(set(urls)) == (2 if slug in SEVERAL else 1)
    for url in urls:
        assert opened(url).size == {"enhance": (128, 96), "out-paint": (100, 80)}.get(slug, SIZE)
    assert twin.charged == PRICES.get(slug, 1.0)


@pytest.mark.parametrize("slug", FIELDS)
def test_results_stand_in_the_form_that_is_asked_for(make_twin: Any, raw: Any, slug: str) -> None:
    several = slug in SEVERAL
    shapes = {}
    for form in ("", *RESULT_FORMS):
        client = raw(make_twin(forms=[form] if form else []))
        shapes[form] = state(client, slug, started(client, slug))["results"]
    assert shapes[""].keys() == {"output" if several else "url"}
    assert [set(entry) for entry in shapes["results_list"]] == [{"url"}] * (1 + several)
    assert [set(entry) for entry in shapes["results_data"]["data"]] == [{"url"}] * (1 + several)
    [outer] = shapes["results_list_data"]
    assert [entry["id"] for entry in outer["data"]] == list(range(1 + several))


@pytest.mark.parametrize("slug", FIELDS)
def test_ids_of_results_are_their_own(make_twin: Any, raw: Any, slug: str) -> None:
    beside_url = raw(make_twin(forms=["dst_id_in_results"]))
    beside_state = raw(make_twin(forms=["dst_id_in_data"]))
    found = state(beside_url, slug, started(beside_url, slug))
    ids = [entry["dst_id"] for entry in entries(found["results"])]
    assert len(set(ids)) == (2 if slug in SEVERAL else 1)
    assert "dst_id" not in found
    found = state(beside_state, slug, started(beside_state, slug))
    in_entries = ["dst_id" in entry for entry in entries(found["results"])]
    assert (in_entries, "dst_id" in found) == (([True, True], False) if slug in SEVERAL else ([False], True))


@pytest.mark.parametrize("slug", FIELDS)
def test_another_poll_gives_every_result_a_fresh_address_and_the_same_id(make_twin: Any, raw: Any, slug: str) -> None:
    client = raw(make_twin(forms=["dst_id_in_results"]))
    task = started(client, slug)
    first, second = (entries(state(client, slug, task)["results"]) for _ in range(2))
    assert [entry["dst_id"] for entry in first] == [entry["dst_id"] for entry in second]
    assert not {entry["url"] for entry in first} & {entry["url"] for entry in second}


# what they make


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_enhance_makes_larger_pictures(twin: Twin, raw: Any, scale: int) -> None:
    [image] = results_of(raw(twin), "enhance", scale=scale)
    assert (image.size, image.mode) == ((64 * scale, 48 * scale), "RGB")


@pytest.mark.parametrize("slug", ["enhance", "lighting"])
def test_a_cut_out_keeps_its_alpha(twin: Twin, raw: Any, slug: str) -> None:
    source = photo()
    source.putalpha(mask())
    [image] = results_of(raw(twin), slug, source)
    alpha = image.getchannel("A").resize(SIZE, Image.Resampling.NEAREST)
    assert (alpha.getpixel((24, 20)), alpha.getpixel((2, 2))) == (255, 0)


def test_lighting_uses_the_whole_range(twin: Twin, raw: Any) -> None:
    [image] = results_of(raw(twin), "lighting")
    assert image.convert("L").getextrema() == (0, 255)


def test_blur_leaves_the_subject_sharp(twin: Twin, raw: Any) -> None:
    noise = np.random.default_rng(1).integers(200, 256, (*SIZE[::-1], 3), dtype=np.uint8)
    noise[:, :32] = 0
    noise[::2, 40:] = 255
    source = Image.fromarray(noise)
    client = raw(twin)
    rough = np.asarray(source, float)[:, 48:].std()
    spread = []
    for intensity in (0, 50, 100):
        [image] = results_of(client, "bg-blur", source, intensity=intensity)
        pixels = np.asarray(image, float)
        assert pixels[:, :32].max() == 0
        spread.append(pixels[:, 48:].std())
    assert rough * 0.99 <= spread[0] > spread[1] > spread[2]


def test_a_background_has_the_color_of_what_it_is_made_of(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    template = client.templates().json()["result"]["templates"][3]
    for fields, wanted in [
        ({"prompt": "a quiet beach"}, color("a quiet beach")),
        ({"type": "prompt", "prompt": "snow"}, color("snow")),
        ({"type": "template", "template_id": template["id"]}, opened(template["thumb"]).getpixel((0, 0))),
    ]:
        source = Image.new("RGB", SIZE, "white")
        source.paste((0, 0, 0), (0, 0, 32, 48))
        [image] = results_of(client, "bg-replace", source, **fields)
        assert (image.getpixel((10, 10)), image.getpixel((60, 10))) == ((0, 0, 0), wanted)


def test_several_results_differ(twin: Twin, raw: Any) -> None:
    source = Image.linear_gradient("L").resize(SIZE)
    warm, cool = results_of(raw(twin), "colorize", source.convert("RGB"))
    assert warm.tobytes() != cool.tobytes()


def test_what_is_removed_has_the_color_around_it(twin: Twin, raw: Any) -> None:
    source = Image.new("RGB", SIZE, GREEN)
    source.paste((250, 0, 0), HOLE)
    [image] = results_of(raw(twin), "generative-fill", source)
    assert image.getcolors() == [(SIZE[0] * SIZE[1], GREEN)]


def test_a_mask_that_covers_all_leaves_the_mean(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    whole = client.uploaded(png(Image.new("L", SIZE, 255)), "image/png", "generative-fill")
    [image] = results_of(client, "generative-fill", Image.new("RGB", SIZE, GREEN), msk_file_id=whole)
    assert image.getcolors() == [(SIZE[0] * SIZE[1], GREEN)]


def test_what_is_replaced_has_the_prompt_s_color(twin: Twin, raw: Any) -> None:
    source = Image.new("RGB", SIZE, GREEN)
    [image] = results_of(raw(twin), "obj-replace", source)
    assert (image.getpixel(HOLE[:2]), image.getpixel((2, 2))) == (color("a red kite"), GREEN)


def test_an_extended_picture_stands_at_its_place_and_its_edges_go_on(twin: Twin, raw: Any) -> None:
    source = photo()
    [image] = results_of(raw(twin), "out-paint", source)
    assert image.crop((10, 20, 74, 68)).tobytes() == source.tobytes()
    for inside, outside in [((10, 30), (0, 30)), ((73, 30), (99, 30)), ((40, 20), (40, 0)), ((73, 67), (99, 79))]:
        assert image.getpixel(inside) == image.getpixel(outside)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"output_width": 80, "output_height": 50}, (80, 50)),
        ({name: BOXES[name] for name in BOXES if name.startswith("input")}, (74, 68)),
        ({name: 8 for name in BOXES if name.startswith("crop")}, (8, 8)),
    ],
)
def test_boxes_that_are_not_given_are_those_of_the_picture(twin: Twin, raw: Any, fields: Any, size: Any) -> None:
    [image] = results_of(raw(twin), "out-paint", **fields)
    assert image.size == size


# fields


@pytest.mark.parametrize(
    ("slug", "fields"),
    [
        ("enhance", {}),
        ("enhance", {"scale": 3}),
        ("enhance", {"scale": "2"}),
        ("enhance", {"scale": 2.0}),
        ("enhance", {"scale": True}),
        ("enhance", {"scale": None}),
        ("enhance", {"scale": [2]}),
        ("enhance", {"scale": 2, "intensity": 5}),
        ("enhance", {"scale": 2, "colour": "red"}),
        ("lighting", {"scale": 2}),
        ("bg-blur", {"intensity": -1}),
        ("bg-blur", {"intensity": 101}),
        ("bg-blur", {"intensity": 50.5}),
        ("bg-blur", {"intensity": "50"}),
        ("bg-replace", {}),
        ("bg-replace", {"prompt": ""}),
        ("bg-replace", {"prompt": "   "}),
        ("bg-replace", {"prompt": 5}),
        ("bg-replace", {"type": "prompt"}),
        ("bg-replace", {"type": "template"}),
        ("bg-replace", {"type": "template", "prompt": "a beach"}),
        ("bg-replace", {"type": "template", "template_id": "gone"}),
        ("bg-replace", {"type": "template", "template_id": ["beach-noon"]}),
        ("bg-replace", {"template_id": "beach-noon"}),
        ("bg-replace", {"type": "picture", "prompt": "a beach"}),
        ("colorize", {"prompt": "warm"}),
        ("colorize/color-correct", {"scale": 1}),
        ("generative-fill", {}),
        ("generative-fill", {"msk_file_id": ""}),
        ("generative-fill", {"msk_file_id": 5}),
        ("generative-fill", {"msk_file_id": "a", "prompt": "b"}),
        ("obj-replace", {"msk_file_id": "a"}),
        ("obj-replace", {"msk_file_id": "a", "prompt": ""}),
        ("obj-replace", {"prompt": "a kite"}),
        ("out-paint", {**BOXES, "output_width": 0}),
        ("out-paint", {**BOXES, "input_x": -1}),
        ("out-paint", {**BOXES, "input_y": 1.5}),
        ("out-paint", {**BOXES, "crop_input_width": "64"}),
        ("out-paint", {name: BOXES[name] for name in list(BOXES)[1:]}),
        ("out-paint", {**BOXES, "crop_input_z": 1}),
    ],
    ids=str,
)
def test_fields_are_what_the_service_takes(twin: Twin, raw: Any, slug: str, fields: Any) -> None:
    client = raw(twin)
    file_id = client.uploaded(png(photo()), "image/png", slug)
    assert code(client.run(file_id, slug, **fields)) == (400, "InvalidParameters")
    assert twin.charged == 0


def test_the_removal_alone_lets_fields_pass_that_it_does_not_know(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    for slug in FIELDS:
        file_id = client.uploaded(png(photo()), "image/png", slug)
        answer = client.run(file_id, slug, **fields_of(client, slug), output_ext="png")
        assert (answer.status_code, slug) == (200 if slug == "sod" else 400, slug)


@pytest.mark.parametrize("slug", FIELDS)
@pytest.mark.parametrize(
    "source", [{}, {"src_file_id": "a", "src_file_url": "http://127.0.0.1/a.png"}, {"src_file_url": "a.png"}], ids=str
)
def test_a_task_has_one_source(twin: Twin, raw: Any, slug: str, source: Any) -> None:
    client = raw(twin)
    body = {**source, **fields_of(client, slug)}
    assert code(client.api("POST", f"/s2s/v2.0/task/{slug}", json=body)) == (400, "InvalidParameters")


@pytest.mark.parametrize(
    ("fields", "engine_code"),
    [
        ({**BOXES, "output_width": 4097}, "error_exceed_max_image_size"),
        ({**BOXES, "output_width": 70}, "invalid_parameter"),
        ({**BOXES, "crop_input_x": 1}, "invalid_parameter"),
        ({"input_x": 0, "input_y": 0, "input_width": 10**12, "input_height": 1}, "error_exceed_max_image_size"),
    ],
    ids=str,
)
def test_boxes_have_to_fit(twin: Twin, raw: Any, fields: Any, engine_code: str) -> None:
    client = raw(twin)
    file_id = client.uploaded(png(photo()), "image/png", "out-paint")
    assert failure(client, "out-paint", client.run(file_id, "out-paint", **fields)) == engine_code
    assert twin.charged == 0


def test_a_result_above_4096_pixels_is_refused(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    for width, scale, outcome in [(1024, 4, "success"), (1025, 4, "error"), (2049, 2, "error")]:
        found = state(client, "enhance", started(client, "enhance", Image.new("RGB", (width, 4)), scale=scale))
        assert found["task_status"] == outcome
        assert outcome == "success" or found["error"] == "error_exceed_max_image_size"
    assert twin.charged == 1


# masks


@pytest.mark.parametrize(
    "data",
    [
        png(mask((64, 49))),
        png(mask((63, 48))),
        png(mask((48, 64))),
        png(mask((128, 96))),
        png(Image.new("RGB", SIZE, (255, 0, 0))),
        png(Image.new("RGBA", SIZE)),
        png(mask())[:-40],
        b"no picture",
    ],
    ids=["high", "narrow", "turned", "large", "colored", "transparent", "cut", "text"],
)
@pytest.mark.parametrize("slug", MASKED)
def test_a_mask_is_a_gray_picture_of_the_source_s_size(twin: Twin, raw: Any, slug: str, data: bytes) -> None:
    client = raw(twin)
    source = client.uploaded(png(photo()), "image/png", slug)
    other = client.uploaded(data, "image/png", slug)
    answer = client.run(source, slug, **{**FIELDS[slug], "msk_file_id": other})
    assert failure(client, slug, answer) == "error_decode_mask"
    assert twin.charged == 0


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_gray_mask_may_be_written_in_several_ways(twin: Twin, raw: Any, mode: str) -> None:
    client = raw(twin)
    other = client.uploaded(png(mask().convert(mode)), "image/png", "generative-fill")
    assert results_of(client, "generative-fill", msk_file_id=other)
    stream = io.BytesIO()
    mask().convert("RGB" if mode == "RGB" else "L").save(stream, "JPEG")
    other = client.uploaded(stream.getvalue(), slug="generative-fill")
    assert results_of(client, "generative-fill", msk_file_id=other)


@pytest.mark.parametrize(
    ("forms", "refusal"), [((), (404, "")), (("missing_file_500",), (500, "unknown_internal_error"))]
)
def test_a_mask_has_to_be_uploaded_for_the_task(make_twin: Any, raw: Any, forms: Any, refusal: Any) -> None:
    client = raw(make_twin(forms=["dst_id_in_data", *forms]))
    slug = "generative-fill"
    source = client.uploaded(png(photo()), "image/png", slug)
    declared = client.declare(png(mask()), "image/png", slug).json()["data"]["files"][0]["file_id"]
    of_another = client.uploaded(png(mask()), "image/png", "obj-replace")
    result = state(client, "enhance", started(client, "enhance", mask().convert("RGB"), scale=1))["dst_id"]
    for wrong in ("nothing", declared, of_another, result):
        assert code(client.run(source, slug, msk_file_id=wrong)) == refusal


# paths and files


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/s2s/v2.0/task/cloth", 404),
        ("GET", "/s2s/v2.0/task/cloth/1", 404),
        ("POST", "/s2s/v2.0/file/cloth", 404),
        ("POST", "/s2s/v2.0/file/colorize/sharpen", 404),
        ("POST", "/s2s/v2.0/file/colorize%2Fcolor-correct", 404),
        ("POST", "/s2s/v2.0/task/ENHANCE", 404),
        ("GET", "/s2s/v2.0/task/template/sod", 404),
        ("GET", "/s2s/v2.0/task/enhance", 405),
        ("DELETE", "/s2s/v2.0/task/enhance/1", 405),
    ],
)
def test_other_tasks_are_refused(twin: Twin, raw: Any, method: str, path: str, status: int) -> None:
    assert raw(twin).api(method, path).status_code == status


@pytest.mark.parametrize("slug", FIELDS)
def test_a_task_is_polled_under_its_own_name(make_twin: Any, clock: Any, raw: Any, slug: str) -> None:
    twin = make_twin(clocks={"clock": clock}, rate=STILL, run_seconds=60, poll_within_seconds=10)
    client = raw(twin)
    task = started(client, slug)
    clock.move(9)
    for other in FIELDS.keys() - {slug}:
        assert code(client.poll(task, other)) == (400, "InvalidTaskId")
    assert client.poll(task, slug).status_code == 200
    clock.move(9)
    client.poll(task, "sod" if slug != "sod" else "enhance")
    clock.move(2)
    assert code(client.poll(task, slug)) == (400, "InvalidTaskId")
    assert twin.late_polls == 1


@pytest.mark.parametrize(
    ("forms", "short", "long"),
    [
        ([], 404, 200),
        (["short_file_path"], 200, 404),
        (["both_file_paths"], 200, 200),
        (["both_file_paths", "short_file_path"], 200, 404),
    ],
)
def test_where_files_are_declared(make_twin: Any, raw: Any, forms: Any, short: int, long: int) -> None:
    twin = make_twin(forms=forms)
    client = raw(twin)
    assert client.declare(b"a", slug="").status_code == short
    for slug in FIELDS:
        assert client.declare(b"a", slug=slug).status_code == long
    assert len(twin.calls("declare")) == (short == 200) + len(FIELDS) * (long == 200)


@pytest.mark.parametrize(
    ("forms", "refusal"), [((), (404, "")), (("missing_file_500",), (500, "unknown_internal_error"))]
)
def test_a_file_is_valid_for_the_task_that_it_was_declared_for(
    make_twin: Any, raw: Any, forms: Any, refusal: Any
) -> None:
    client = raw(make_twin(forms=["both_file_paths", *forms]))
    of_one = client.uploaded(png(photo()), "image/png", "colorize")
    of_all = client.uploaded(png(photo()), "image/png", "")
    for slug in FIELDS:
        fields = fields_of(client, slug)
        if slug != "colorize":
            assert code(client.run(of_one, slug, **fields)) == refusal
        assert client.run(of_all, slug, **fields).status_code == 200
    assert client.run(of_one, "colorize").status_code == 200


# chains


@pytest.mark.parametrize("form", ["dst_id_in_data", "dst_id_in_results"])
@pytest.mark.parametrize("slug", FIELDS)
def test_a_result_is_the_source_of_every_task_without_an_upload(make_twin: Any, raw: Any, slug: str, form: str) -> None:
    twin = make_twin(forms=[form])
    client = raw(twin)
    first = state(client, "lighting", started(client, "lighting"))
    dst_id = first.get("dst_id") or first["results"]["dst_id"]
    fields = fields_of(client, slug)
    uploads = len(twin.calls("upload"))
    answer = client.run(dst_id, slug, **fields)
    assert answer.status_code == 200, answer.text
    assert state(client, slug, answer.json()["data"]["task_id"])["task_status"] == "success"
    assert len(twin.calls("upload")) == uploads


@pytest.mark.parametrize("slug", FIELDS)
def test_a_task_that_sends_no_id_is_followed_by_its_address(twin: Twin, raw: Any, slug: str) -> None:
    client = raw(twin)
    first = state(client, slug, started(client, slug))
    for entry in entries(first["results"]):
        assert "dst_id" not in entry
        answer = by_url(client, "enhance", entry["url"], scale=1)
        second = state(client, "enhance", answer.json()["data"]["task_id"])
        assert opened(second["results"]["url"]).size == opened(entry["url"]).size
    assert "dst_id" not in first


def test_each_of_several_results_goes_on_by_its_own_id(make_twin: Any, raw: Any) -> None:
    client = raw(make_twin(forms=["dst_id_in_data"]))
    several = entries(state(client, "colorize", started(client, "colorize"))["results"])
    for entry in several:
        task = client.run(entry["dst_id"], "enhance", scale=1).json()["data"]["task_id"]
        again = opened(entries(state(client, "enhance", task)["results"])[0]["url"])
        assert again.tobytes() == opened(entry["url"]).tobytes()


@pytest.mark.parametrize(
    ("forms", "refusal"), [((), (404, "")), (("missing_file_500",), (500, "unknown_internal_error"))]
)
def test_a_deleted_task_is_chained_no_more(make_twin: Any, raw: Any, forms: Any, refusal: Any) -> None:
    twin = make_twin(forms=["dst_id_in_data", *forms])
    client = raw(twin)
    task = started(client, "lighting")
    found = state(client, "lighting", task)
    assert client.delete(task).status_code == 200
    assert code(client.run(found["dst_id"], "enhance", scale=2)) == refusal
    answer = by_url(client, "enhance", found["results"]["url"], scale=2)
    assert failure(client, "enhance", answer) == "error_download_image"
    assert twin.charged == 1


def test_deleting_a_task_deletes_what_it_worked_on(make_twin: Any, raw: Any) -> None:
    client = raw(make_twin(forms=["dst_id_in_data"]))
    slug = "generative-fill"
    first = started(client, "lighting")
    found = state(client, "lighting", first)
    source = client.uploaded(png(photo()), "image/png", slug)
    fields = fields_of(client, slug)
    second = client.run(found["dst_id"], slug, **fields).json()["data"]["task_id"]
    assert state(client, slug, second)["task_status"] == "success"
    assert client.delete(second).status_code == 200
    assert code(client.run(source, slug, **fields)) == (404, "")
    assert code(client.run(found["dst_id"], "enhance", scale=1)) == (404, "")
    assert requests.get(found["results"]["url"], timeout=10).status_code == 404
    assert client.delete(first).status_code == 200


def test_a_task_that_runs_on_a_result_is_not_hurt_when_that_is_deleted(make_twin: Any, clock: Any, raw: Any) -> None:
    client = raw(make_twin(clocks={"clock": clock}, forms=["dst_id_in_data"], run_seconds=1, rate=STILL))
    first = started(client, "lighting")
    clock.move(1)
    dst_id = state(client, "lighting", first)["dst_id"]
    second = client.run(dst_id, "enhance", scale=2).json()["data"]["task_id"]
    assert client.delete(first).status_code == 200
    clock.move(1)
    assert state(client, "enhance", second)["task_status"] == "success"


@pytest.mark.parametrize(
    ("forms", "refusal"), [((), (404, "")), (("missing_file_500",), (500, "unknown_internal_error"))]
)
def test_a_result_expires_with_its_task(make_twin: Any, clock: Any, raw: Any, forms: Any, refusal: Any) -> None:
    twin = make_twin(clocks={"clock": clock}, forms=["dst_id_in_data", *forms], file_seconds=100, rate=STILL)
    client = raw(twin)
    dst_id = state(client, "lighting", started(client, "lighting"))["dst_id"]
    clock.move(99)
    assert client.run(dst_id, "enhance", scale=1).status_code == 200
    clock.move(1)
    assert code(client.run(dst_id, "enhance", scale=1)) == refusal


def test_a_result_of_another_account_is_unknown(make_twin: Any, raw: Any) -> None:
    other, client = raw(make_twin(forms=["dst_id_in_data"])), raw(make_twin(forms=["dst_id_in_data"]))
    found = state(other, "lighting", started(other, "lighting"))
    assert code(client.run(found["dst_id"], "enhance", scale=1)) == (404, "")
    answer = by_url(client, "enhance", found["results"]["url"], scale=1)
    assert failure(client, "enhance", answer) == "error_download_image"


@pytest.mark.parametrize("slug", FIELDS)
def test_an_address_that_is_no_valid_result_is_not_downloaded(make_twin: Any, clock: Any, raw: Any, slug: str) -> None:
    twin = make_twin(clocks={"clock": clock}, rate=STILL, result_seconds=100)
    client = raw(twin)
    url = state(client, "lighting", started(client, "lighting"))["results"]["url"]
    upload = client.declare(b"a").json()["data"]["files"][0]["requests"][0]["url"]
    thumb = client.templates().json()["result"]["templates"][0]["thumb"]
    wrong = [url.split("?")[0], url + "&a=b", upload, thumb, "https://example.com/a.png", f"{twin.url}/result/a"]
    for address in wrong:
        assert failure(client, slug, by_url(client, slug, address, **fields_of(client, slug))) == "error_download_image"
    assert by_url(client, slug, url, **fields_of(client, slug)).status_code == 200
    clock.move(100)
    answer = by_url(client, slug, url, **fields_of(client, slug))
    assert failure(client, slug, answer) == "error_download_image"


def test_a_failed_task_has_nothing_to_go_on_with(make_twin: Any, raw: Any) -> None:
    client = raw(make_twin(forms=["dst_id_in_data", "dst_id_in_results"]))
    found = state(client, "sod", started(client, "sod", Image.new("RGB", SIZE, "white")))
    assert (found["error"], "dst_id" in found, "results" in found) == ("error_no_subject", False, False)


def test_a_result_above_ten_megabytes_is_a_source_all_the_same(make_twin: Any, raw: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG", quality=90)
    client = raw(make_twin(forms=["dst_id_in_data"]))
    file_id = client.uploaded(stream.getvalue(), slug="enhance")
    task = client.run(file_id, "enhance", scale=4).json()["data"]["task_id"]
    found = state(client, "enhance", task)
    assert len(requests.get(found["results"]["url"], timeout=10).content) > 10_000_000
    answer = client.run(found["dst_id"], "enhance", scale=1)
    assert state(client, "enhance", answer.json()["data"]["task_id"])["task_status"] == "success"


def test_faults_meet_chains(make_twin: Any, raw: Any) -> None:
    twin = make_twin(forms=["dst_id_in_data"])
    client = raw(twin)
    found = state(client, "lighting", started(client, "lighting"))
    twin.inject(Fault("run", "engine", code="error_inference"))
    assert failure(client, "enhance", client.run(found["dst_id"], "enhance", scale=1)) == "error_inference"
    twin.inject(Fault("run", "expired"))
    answer = by_url(client, "enhance", found["results"]["url"], scale=1)
    assert failure(client, "enhance", answer) == "error_download_image"
    twin.inject(Fault("run", "expired"))
    assert code(client.run(found["dst_id"], "enhance", scale=1)) == (404, "")
    twin.inject(Fault("templates", "503"))
    assert [client.templates().status_code for _ in range(2)] == [503, 200]


def test_an_abandoned_task_leaves_the_result_that_it_worked_on(make_twin: Any, raw: Any) -> None:
    heard: list[bytes] = []
    twin = make_twin(forms=["dst_id_in_data"], abandon=heard.append)
    client = raw(twin)
    found = state(client, "lighting", started(client, "lighting"))
    answer = client.run(found["dst_id"], "enhance", scale=1).json()["data"]["task_id"]
    state(client, "enhance", answer)
    twin.abandon(answer)
    assert code(client.poll(answer, "enhance")) == (400, "InvalidTaskId")
    assert not heard, "its engine has it no more"
    assert client.run(found["dst_id"], "enhance", scale=1).status_code == 200


def test_chains_side_by_side_keep_apart(make_twin: Any, raw: Any) -> None:
    twin = make_twin(forms=["dst_id_in_data"], rate=STILL)

    def chain(number: int) -> bool:
        client = raw(twin)
        source = Image.new("RGB", (8 + number, 8), (number, 0, 0))
        first = started(client, "sod", source)
        dst_id = state(client, "sod", first)["dst_id"]
        second = client.run(dst_id, "enhance", scale=2).json()["data"]["task_id"]
        image = opened(state(client, "enhance", second)["results"]["url"])
        deleted = [client.delete(task).status_code for task in (second, first)]
        return (image.size, deleted) == ((2 * source.width, 16), [200, 200])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(chain, range(24)))
    assert twin.charged == 48


# templates


def test_templates_come_in_pages(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    found, token, pages = [], "", 0
    while token is not None:
        page = client.templates(page_size=10, starting_token=token).json()["result"]
        found += page["templates"]
        token = page["next_token"]
        pages += 1
    assert pages == -(-len(found) // 10) > 2
    assert len({template["id"] for template in found}) == len(found)
    assert all(template.keys() == {"id", "title", "thumb"} for template in found)
    assert client.templates().json()["result"]["next_token"] == "20"
    parsed, following = answers.templates(client.templates(page_size=100).json())
    assert ([template.id for template in parsed], following) == ([template["id"] for template in found], None)
    assert len(twin.calls("templates")) == pages + 2


@pytest.mark.parametrize("query", [{"page_size": 0}, {"page_size": 101}, {"page_size": "x"}, {"starting_token": "x"}])
def test_a_page_of_templates_that_is_none_is_refused(twin: Twin, raw: Any, query: Any) -> None:
    assert code(raw(twin).templates(**query)) == (400, "InvalidParameters")


def test_templates_need_the_key_and_their_pictures_none(twin: Twin, raw: Any) -> None:
    assert code(raw(twin, "wrong").templates()) == (401, "InvalidApiKey")
    thumb = raw(twin).templates().json()["result"]["templates"][0]["thumb"]
    assert urlsplit(thumb).netloc == urlsplit(twin.storage_url).netloc
    assert opened(thumb).size == SIZE
    assert requests.get(thumb, headers={"Authorization": f"Bearer {twin.key}"}, timeout=10).status_code == 400
    assert requests.get(thumb + "x", timeout=10).status_code == 403
    assert twin.delivered == 0


# prices


def test_the_price_list_has_some_tasks(twin: Twin, raw: Any) -> None:
    skus = raw(twin).price().json()["result"]["skus"]
    listed = {sku["run_task_url"].removeprefix("/s2s/v2.0/task/"): sku["amount"] for sku in skus}
    assert listed == {"enhance": 1, "sod": 1, "bg-replace": 2, "generative-fill": 1, "colorize": 1}
    assert all(sku["description"] for sku in skus)


def test_the_history_names_every_task(make_twin: Any, raw: Any) -> None:
    twin = make_twin(units=100)
    client = raw(twin)
    tasks = {}
    for slug in FIELDS:
        tasks[started(client, slug)] = slug
    for task, slug in tasks.items():
        state(client, slug, task)
    actions = {
        tasks[entry["target_id"]]: (entry["action"], entry["info"]["credits"][0]["amount"])
        for entry in client.history().json()["result"]["history"]
    }
    assert actions == {
        "sod": ("api_background_removal", -1),
        "enhance": ("api_enhance", -1),
        "lighting": ("api_lighting", -1),
        "bg-blur": ("api_bg_blur", -1),
        "bg-replace": ("api_bg_replace", -2),
        "colorize": ("api_colorize", -1),
        "colorize/color-correct": ("api_colorize_color_correct", -1),
        "generative-fill": ("api_generative_fill", -1),
        "obj-replace": ("api_obj_replace", -1),
        "out-paint": ("api_out_paint", -1),
    }
    assert (twin.charged, client.balance().json()["results"][0]["amount"]) == (11, 89)


def test_an_account_has_to_hold_the_task_s_own_price(make_twin: Any, raw: Any) -> None:
    twin = make_twin(units=1, run_seconds=600)
    client = raw(twin)
    file_id = client.uploaded(png(photo()), "image/png", "bg-replace")
    assert code(client.run(file_id, "bg-replace", prompt="snow")) == (400, "CreditInsufficiency")
    started(client, "lighting")


def test_units_of_running_tasks_are_spoken_for_at_their_own_price(make_twin: Any, raw: Any) -> None:
    client = raw(make_twin(units=2, run_seconds=600))
    started(client, "bg-replace")
    file_id = client.uploaded(png(photo()), "image/png", "lighting")
    assert code(client.run(file_id, "lighting")) == (400, "CreditInsufficiency")


def test_a_task_that_is_polled_late_costs_its_own_price(make_twin: Any, clock: Any, raw: Any) -> None:
    twin = make_twin(clocks={"clock": clock}, run_seconds=60, poll_within_seconds=10, units=10, rate=STILL)
    client = raw(twin)
    task = started(client, "bg-replace")
    clock.move(11)
    assert code(client.poll(task, "bg-replace")) == (400, "InvalidTaskId")
    [charge] = twin.ledger
    assert (charge.units, charge.lost, charge.action) == (2, True, "api_bg_replace")


# a public client, as it is


@pytest.mark.parametrize("forms", [("both_file_paths",), ("short_file_path",)], ids=str)
@pytest.mark.parametrize("slug", FIELDS)
def test_a_public_client_s_requests_pass_unchanged(
    make_twin: Any, clock: Any, slug: str, forms: tuple[str, ...]
) -> None:
    """The generic path of uploads, `image/jpeg`, the price beforehand, a poll every 5 s, the credits at the end."""
    twin = make_twin(
        clocks={"clock": clock}, rate=(250, 300.0), per_second=5, run_seconds=12, poll_within_seconds=10, forms=forms
    )
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {twin.key}", "Content-Type": "application/json"})

    def call(method: str, path: str, body: Any = None) -> Any:
        clock.move(0.25)
        answer = session.request(method, twin.url + path, data=json.dumps(body) if body else None, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(image: Image.Image) -> str:
        stream = io.BytesIO()
        image.save(stream, "JPEG")
        data = stream.getvalue()
        file = {"content_type": "image/jpeg", "file_name": "photo.jpeg", "file_size": len(data)}
        [entry] = call("POST", "/s2s/v2.0/file", {"files": [file]})["data"]["files"]
        request = entry["requests"][0]
        put = requests.put(request["url"], data=data, headers=request["headers"], timeout=10)
        assert put.status_code == 200
        return str(entry["file_id"])

    skus = call("GET", "/s2s/v2.0/credit/feature-cost?page_size=20&starting_token=")["result"]["skus"]
    known = {sku["run_task_url"].partition("/task/")[2]: sku["amount"] for sku in skus}
    before = call("GET", "/s2s/v1.0/client/credit")["results"][0]["amount"]
    body = {"src_file_id": send(photo()), **FIELDS[slug]}
    if slug in MASKED:
        body["msk_file_id"] = send(mask())
    task = call("POST", f"/s2s/v2.0/task/{slug}", body)["data"]["task_id"]
    polls = 0
    while True:
        clock.move(4.75)
        found = call("GET", f"/s2s/v2.0/task/{slug}/{task}")["data"]
        polls += 1
        if found["task_status"] != "running":
            break
    assert (found["task_status"], polls >= 3, twin.late_polls) == ("success", True, 0)
    for entry in entries(found["results"]):
        assert opened(entry["url"])
    after = call("GET", "/s2s/v1.0/client/credit")["results"][0]["amount"]
    assert before - after == known.get(slug, 1) == twin.charged
