"""The command line as a user meets it: processes, files, exit statuses, terminals."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import requests
from helpers.holding import Held
from helpers.programs import LAYERLIFT
from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.command import main
from layerlift.models import fetching
from layerlift.removal import engines
from layerlift.store import database
from layerlift.twin import Fault, Twin
from PIL import Image, ImageCms

from .command import (
    COLUMNS,
    Result,
    bars,
    begin,
    end_of,
    from_a_shell,
    half_black,
    key_of,
    layerlift,
    names,
    read_until,
)
from .proxy import Proxy
from .wire import Seen, reply, server

FIELDS = {
    "input", "output", "status", "engine", "model", "fallback", "task_id", "dst_id", "units", "seconds", "error",
}  # fmt: skip
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["--version"], "layerlift "),
        (["key", "show"], "(environment)"),
        (["balance"], "1000 units"),
        (["jobs"], ""),
        (["doctor"], "the key comes from the environment"),
        (["remove", "--json", "{photos}"], '"status": "done"'),
        (["jobs", "resume"], ""),
        (["serve", "--help"], "--engine"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_each_command_works_as_a_shell_starts_it(
    account: dict[str, str], photos: Path, command: list[str], words: str
) -> None:
    half_black().save(photos / "a.png")
    result = from_a_shell(account, *(word.replace("{photos}", str(photos)) for word in command))
    assert (result.status, words in result.output) == (0, True), result


def test_a_photo_becomes_a_cut_out_beside_it(account: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "Käse & Brot.jpg", quality=95)
    result = layerlift(account, "remove", photos / "Käse & Brot.jpg")
    assert (result.status, result.output) == (0, "")
    assert "Engine: YouCam" in result.errors and "127.0.0.1" in result.errors and "\r" not in result.errors
    with Image.open(photos / "Käse & Brot-cutout.png") as cut_out:
        assert (cut_out.mode, cut_out.size) == ("RGBA", (64, 32))
        assert (cut_out.getpixel((8, 8)), cut_out.getpixel((56, 8))[3]) == ((0, 0, 0, 255), 0)  # type: ignore[index]


def test_the_result_goes_to_the_file_that_is_named(account: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "a.png")
    target = photos / "new" / "folder" / "b.png"
    assert layerlift(account, "remove", photos / "a.png", "-o", target).status == 0
    assert target.exists() and names(photos) == ["a.png", "new"]


def test_a_cut_out_of_a_cut_out_costs_nothing_unasked(account: dict[str, str], twin: Twin, photos: Path) -> None:
    half_black().save(photos / "a.png")
    dog = photos / "dog.png"
    assert layerlift(account, "remove", photos / "a.png", "-o", dog).status == 0
    result = layerlift(account, "remove", "--json", dog)
    assert (result.status, [(told["status"], told["output"]) for told in result.pictures]) == (0, [("skipped", None)])
    assert f"{dog}: Skipped: this is a cut-out." in result.errors
    for several in (photos, photos / "*.png"):
        result = layerlift(account, "remove", "--json", several)
        assert [Path(told["input"]).name for told in result.pictures] == ["a.png"]
    (told,) = layerlift(account, "remove", "--json", "--again", dog).pictures
    assert told["status"] == "cached", "over white, it is what the original was"
    assert twin.charged == 1


def test_a_folder_and_single_photos_go_to_one_folder_told_as_json(
    account: dict[str, str], photos: Path, tmp_path: Path
) -> None:
    for width, name in enumerate(("b.jpg", "a.PNG", "old-cutout.png"), start=64):
        half_black(width).save(photos / name)
    (photos / "notes.txt").write_text("no picture")
    (photos / "folder.jpg").mkdir()
    half_black(70).save(tmp_path / "c.webp", lossless=True)
    result = layerlift(account, "remove", photos, tmp_path / "c.webp", "--output-dir", tmp_path / "out", "--json")
    assert result.status == 0
    assert sorted(Path(told["input"]).name for told in result.pictures) == ["a.PNG", "b.jpg", "c.webp"]
    for told in result.pictures:
        assert told.keys() == FIELDS
        assert (told["status"], told["engine"], told["units"], told["error"]) == ("done", "youcam", 1, None)
        assert told["task_id"] and told["seconds"] > 0 and Path(told["output"]).exists()
    assert names(tmp_path / "out") == ["a-cutout.png", "b-cutout.png", "c-cutout.png"]


def test_the_mask_alone_can_be_had(account: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "a.png")
    assert layerlift(account, "remove", photos / "a.png", "--result", "mask", "-o", photos / "m.png").status == 0
    with Image.open(photos / "m.png") as mask:
        assert (mask.mode, mask.size) == ("L", (64, 32))
        assert (mask.getpixel((8, 8)), mask.getpixel((56, 8))) == (255, 0)


def test_a_photo_of_the_camera_is_turned_upright(account: dict[str, str], photos: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    half_black().save(photos / "a.jpg", exif=exif, quality=95)
    assert layerlift(account, "remove", photos / "a.jpg").status == 0
    with Image.open(photos / "a-cutout.png") as cut_out:
        assert (cut_out.size, cut_out.getexif().get(0x0112, 1)) == ((32, 64), 1)
        alpha = cut_out.getchannel("A")
        assert (alpha.getpixel((16, 8)), alpha.getpixel((16, 56))) == (255, 0)


def test_16_bits_stay_with_their_profile(account: dict[str, str], photos: Path) -> None:
    pixels = np.zeros((32, 64, 3), np.uint16)
    pixels[:, 32:] = 65535
    pixels[:, :32] = np.arange(1, 33, dtype=np.uint16)[:, None, None]
    image = pyvips.Image.new_from_memory(pixels.tobytes(), 64, 32, 3, "ushort").copy(interpretation="rgb16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", PROFILE)
    image.pngsave(str(photos / "a.png"), bitdepth=16)
    image.tiffsave(str(photos / "b.tif"))
    assert layerlift(account, "remove", photos).status == 0
    for name in ("a", "b"):
        cut_out = pyvips.Image.new_from_file(str(photos / f"{name}-cutout.png"))
        assert (cut_out.format, cut_out.bands, cut_out.get("icc-profile-data")) == ("ushort", 4, PROFILE)
        found = np.frombuffer(cut_out.write_to_memory(), np.uint16).reshape(32, 64, 4)
        assert (found[:, :, :3] == pixels).all()
        assert (found[:, :32, 3] == 65535).all() and (found[:, 32:, 3] == 0).all()


def test_a_picture_that_is_all_subject_is_told(account: dict[str, str], photos: Path) -> None:
    Image.new("RGB", (64, 32)).save(photos / "all.png")
    result = layerlift(account, "remove", photos / "all.png")
    assert result.status == 0
    assert "no background was found: the whole picture was kept" in result.errors


def test_bad_pictures_fail_alone_and_the_rest_go_on(account: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "good.jpg")
    half_black().convert("CMYK").save(photos / "cmyk.jpg")
    half_black(30000, 20).save(photos / "wide.png")
    Image.new("RGB", (1, 1)).save(photos / "one.png")
    Image.new("RGBA", (64, 32)).save(photos / "transparent.png")
    Image.new("RGB", (64, 32), "white").save(photos / "no subject.png")
    (photos / "text.jpg").write_text("Dear diary")
    (photos / "empty.png").write_bytes(b"")
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 100).save(stream, "JPEG")
    (photos / "corrupt.jpg").write_bytes(stream.getvalue()[:5000])
    result = layerlift(account, "remove", "--json", photos, photos / "gone.jpg")
    ends = {Path(told["input"]).name: (told["error"] or {"code": "done"})["code"] for told in result.pictures}
    assert ends == {
        "good.jpg": "done",
        "cmyk.jpg": "done",
        "wide.png": "done",
        "one.png": "done",
        "transparent.png": "picture_empty",
        "no subject.png": "error_no_subject",
        "text.jpg": "picture_unreadable",
        "empty.png": "picture_unreadable",
        "corrupt.jpg": "picture_unreadable",
        "gone.jpg": "picture_missing",
    }
    assert result.status == 1
    done = [f"{Path(name).stem}-cutout.png" for name, code in ends.items() if code == "done"]
    assert names(photos) == sorted([*(name for name in ends if name != "gone.jpg"), *done])
    for told in result.pictures:
        assert told.keys() == FIELDS
        if told["error"]:
            assert (told["status"], told["output"], told["units"]) == ("failed", None, 0)
            assert len(told["error"]["message"].splitlines()) == 1
    lines = [line for line in result.errors.splitlines() if f"/{len(ends)} " in line]
    assert len(lines) == len(ends)
    with Image.open(photos / "wide-cutout.png") as wide, Image.open(photos / "cmyk-cutout.png") as cmyk:
        assert (wide.size, cmyk.mode) == ((30000, 20), "RGBA")


def test_one_bad_picture_is_one_clear_line(account: dict[str, str], photos: Path) -> None:
    result = layerlift(account, "remove", photos / "gone.jpg")
    assert (result.status, result.output) == (1, "")
    assert result.errors.splitlines()[1:] == [
        f"gone.jpg: There is no such file: {photos / 'gone.jpg'}. Check the path."
    ]


def test_a_failure_that_nobody_foresaw_does_not_end_the_batch(
    account: dict[str, str], photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from layerlift.imaging import pictures

    for name in ("a.png", "b.png"):
        half_black().save(photos / name)
    read = pictures.read
    monkeypatch.setattr(pictures, "read", lambda path, _: 1 / 0 if path.name == "a.png" else read(path))
    for name in ("YOUCAM_API_URL", "YOUCAM_API_KEY", "LAYERLIFT_HOME"):
        monkeypatch.setenv(name, account[name])
    assert main.main(["remove", "--json", str(photos)]) == 1
    told = Result(1, *capsys.readouterr()).pictures
    assert [picture["status"] for picture in told] == ["failed", "done"]
    assert told[0]["error"]["code"] == "internal" and "ZeroDivisionError" in told[0]["error"]["message"]


def test_ctrl_c_stops_the_reading_of_a_picture(
    account: dict[str, str], photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from layerlift.imaging import pictures

    def read(path: Path, report: Callable[[float], None]) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            for _ in range(500):
                report(0.5)
                time.sleep(0.01)
        except errors.Cancelled:
            stopped.set()
            raise

    stopped = threading.Event()
    half_black().save(photos / "a.png")
    monkeypatch.setattr(pictures, "read", read)
    for name in ("YOUCAM_API_URL", "YOUCAM_API_KEY", "LAYERLIFT_HOME"):
        monkeypatch.setenv(name, account[name])
    assert main.main(["remove", "--json", str(photos)]) == 1
    (told,) = Result(1, *capsys.readouterr()).pictures
    assert told["status"] == "cancelled"
    assert stopped.wait(PATIENCE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{photos}/a.png", "{photos}/b.png", "-o", "x.png"], "-o takes one picture"),
        (["{photos}/a.png", "{photos}/a.jpg"], "would both go to"),
        (["{photos}/a.png", "{photos}/../{name}/a.png"], "would both go to"),
        (["{photos}/a.png", "-o", "{photos}/a.png"], "would replace the picture"),
        (["{photos}/a.png", "{photos}/a-cutout.png"], "would replace the picture"),
        (["{photos}/a.png", "-o", "{photos}"], "is a folder"),
        (["{photos}/a.png", "-o", "x.jpg"], "should end in .png"),
        (["{photos}/empty"], "there is no picture in"),
        (["{photos}/a.png", "-o", "x.png", "--output-dir", "y"], "not allowed with"),
        (["{photos}/a.png", "--engine", "other"], "invalid choice"),
        ([], "required: PHOTO"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    account: dict[str, str], twin: Twin, photos: Path, arguments: list[str], words: str
) -> None:
    for name in ("a.png", "b.png", "a.jpg", "a-cutout.png"):
        half_black().save(photos / name)
    (photos / "empty").mkdir()
    before = {path: path.read_bytes() for path in photos.iterdir() if path.is_file()}
    filled = [argument.format(photos=photos, name=photos.name) for argument in arguments]
    result = layerlift(account, "remove", *filled)
    assert (result.status, result.output) == (2, "")
    assert words in result.errors
    assert twin.requests == []
    assert {path: path.read_bytes() for path in photos.iterdir() if path.is_file()} == before


def test_without_a_key_the_offline_engine_works_and_says_so(environ: dict[str, str], photos: Path) -> None:
    photo = Path(__file__).parents[1] / "photos" / "astronaut.jpg"
    result = layerlift(environ, "remove", photo, "--output-dir", photos, "--json")
    assert (result.status, result.pictures[0]["engine"], result.pictures[0]["units"]) == (0, "offline", 0)
    assert "Engine: offline" in result.errors
    with Image.open(photos / "astronaut-cutout.png") as cut_out, Image.open(photo) as original:
        assert (cut_out.size, cut_out.getchannel("A").getextrema()) == (original.size, (0, 255))


def test_without_a_key_youcam_says_how_to_set_one(environ: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "a.png")
    result = layerlift(environ, "remove", photos, "--engine", "youcam")
    assert (result.status, result.output) == (2, "")
    assert result.errors.startswith("layerlift: No API key is set.") and "layerlift key set" in result.errors


def test_without_the_model_the_offline_engine_says_how_to_get_it(
    environ: dict[str, str],
    photos: Path,
    own_log: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    half_black().save(photos / "a.png")
    monkeypatch.setattr(fetching, "default_path", lambda: photos / "gone.onnx")
    monkeypatch.setenv("LAYERLIFT_HOME", environ["LAYERLIFT_HOME"])
    assert main.main(["remove", "--engine", "offline", str(photos)]) == 2
    output, told = capsys.readouterr()
    assert output == "" and "model file is missing" in told and "install.py" in told and len(told.splitlines()) == 1


def test_a_refused_key_stops_the_batch_and_lists_what_is_left(account: dict[str, str], photos: Path) -> None:
    for width, name in enumerate(("a.png", "b.png", "c.png"), start=64):
        half_black(width).save(photos / name)
    result = layerlift({**account, "YOUCAM_API_KEY": "sk-wrong-and-secret"}, "remove", "--json", photos)
    ends = [(told["status"], told["error"]["code"]) for told in result.pictures]
    assert sorted(ends) == [("cancelled", "not_started"), ("cancelled", "not_started"), ("failed", "InvalidApiKey")]
    assert result.status == 2
    assert "sk-wrong-and-secret" not in result.errors + result.output
    assert names(photos) == ["a.png", "b.png", "c.png"]


def test_an_empty_account_stops_the_batch_and_keeps_what_was_paid(
    environ: dict[str, str], make_twin: Any, photos: Path
) -> None:
    twin = make_twin(units=1)
    for width, name in enumerate(("a.png", "b.png", "c.png"), start=64):
        half_black(width).save(photos / name)
    result = layerlift({**environ, **key_of(twin)}, "remove", "--json", photos)
    ends = [(told["status"], (told["error"] or {}).get("code")) for told in result.pictures]
    assert sorted(ends) == [("cancelled", "not_started"), ("done", None), ("failed", "CreditInsufficiency")]
    assert (result.status, twin.charged) == (1, 1)
    assert len(list(photos.glob("*-cutout.png"))) == 1


def test_an_engine_that_fails_on_one_picture_does_not_stop_the_batch(
    account: dict[str, str], twin: Twin, photos: Path
) -> None:
    for name in ("a.png", "b.png"):
        half_black().save(photos / name)
    twin.inject(Fault("run", "engine", code="error_decode_image"))
    result = layerlift(account, "remove", "--json", photos)
    assert [told["status"] for told in result.pictures] == ["failed", "done"] and result.status == 1


def test_without_a_network_it_says_so(environ: dict[str, str], photos: Path) -> None:
    """In real time: the pauses before a request is tried again."""
    half_black().save(photos / "a.png")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    away = {"YOUCAM_API_URL": f"http://127.0.0.1:{port}", "YOUCAM_API_KEY": "sk-0123456789"}
    result = layerlift({**environ, **away}, "remove", "--json", photos)
    assert (result.status, result.pictures[0]["error"]["code"]) == (1, "unreachable")
    assert "network" in result.errors.splitlines()[-1]


def test_a_proxy_that_answers_with_a_page_is_named(account: dict[str, str], twin: Twin, photos: Path) -> None:
    half_black().save(photos / "a.png")
    twin.inject(Fault("declare", "html", times=100))
    result = layerlift(account, "remove", "--json", photos)
    assert (result.status, result.pictures[0]["error"]["code"]) == (1, "proxy_answer")
    assert "log-in page" in result.errors and "<" not in result.errors


@pytest.mark.parametrize("url", ["http://service.example", "nonsense", "https://[bad", "ftp://service.example"])
def test_an_address_that_can_not_be_used_is_refused(account: dict[str, str], photos: Path, url: str) -> None:
    half_black().save(photos / "a.png")
    result = layerlift({**account, "YOUCAM_API_URL": url}, "remove", "--yes", photos)
    assert (result.status, len(result.errors.splitlines())) == (2, 1)
    assert "YOUCAM_API_URL" in result.errors


def test_a_full_disk_is_told_and_leaves_no_half_file(account: dict[str, str], photos: Path) -> None:
    noise = Image.effect_noise((1000, 1000), 100)
    noise.paste(0, (0, 0, 1000, 300))
    noise.save(photos / "a.png")
    result = layerlift(account, "remove", "--json", photos, limit=400_000)
    assert (result.status, result.pictures[0]["error"]["code"]) == (2, "disk")
    assert names(photos) == ["a.png"]


def test_an_output_folder_that_takes_nothing_is_told_before_anything_is_paid(
    account: dict[str, str], twin: Twin, photos: Path
) -> None:
    half_black().save(photos / "a.png")
    (photos / "file").write_text("no folder")
    locked = photos / "locked"
    locked.mkdir(mode=0o500)
    for folder in (photos / "file" / "out", *([locked] if os.getuid() else [])):
        result = layerlift(account, "remove", photos / "a.png", "--output-dir", folder, "--json")
        assert (result.status, result.pictures[0]["error"]["code"]) == (2, "disk")
    assert twin.requests == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_program_cancels_and_tells_of_every_picture(
    environ: dict[str, str], make_twin: Any, photos: Path, number: signal.Signals
) -> None:
    engine = Held()
    twin = make_twin(engine=engine)
    for name in ("a.png", "b.png"):
        half_black().save(photos / name)
    process = begin({**environ, **key_of(twin)}, "remove", "--json", photos)
    wait_for(lambda: twin.calls("poll"))
    process.send_signal(number)
    said = read_until(process, "What is paid for")
    engine.released.set()
    result = end_of(process)
    assert "Traceback" not in said
    assert sorted((told["status"], told["error"]["message"]) for told in result.pictures) == [
        (
            "cancelled",
            "Cancelled: it may cost 1 unit; the result is kept, and is free the next time. Nothing was changed.",
        ),
        ("cancelled", "Cancelled: nothing was paid for. Nothing was changed."),
    ]
    assert (result.status, names(photos)) == (1, ["a.png", "b.png"])
    again = layerlift({**environ, **key_of(twin)}, "remove", "--json", str(photos))
    assert [(told["status"], told["units"]) for told in again.pictures] == [("cached", 0), ("cached", 0)]
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


class Relay:
    """Between a program and the twin's API. Until `released` is set, polls are answered by headers that never end."""

    def __init__(self, twin: Twin) -> None:
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self.polled = threading.Event()
        self._twin = twin

    def __call__(self, request: Any) -> None:
        if request.command == "GET" and not self.released.is_set():
            self.polled.set()
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not self.released.wait(0.05):
                request.wfile.write(b"x")
            raise ConnectionAbortedError
        (body,) = [seen.body for seen in self.seen if seen.connection == request.client_address[1]][-1:]
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        answer = requests.request(
            request.command, self._twin.url + request.path, data=body, headers=headers, timeout=60
        )
        reply(answer.content, status=answer.status_code)(request)


def test_ctrl_c_ends_a_program_within_ten_seconds_and_the_next_run_fetches_what_was_paid_for(
    environ: dict[str, str], make_twin: Any, photos: Path
) -> None:
    """In real time: how long the end takes."""
    twin = make_twin(poll_within_seconds=PATIENCE)
    relay = Relay(twin)
    half_black().save(photos / "a.png")
    with server(relay) as between:
        relay.seen = between.seen
        user = {**environ, **key_of(twin), "YOUCAM_API_URL": between.url}
        process = begin(user, "remove", "--json", photos)
        wait_for(relay.polled.is_set)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        result = end_of(process)
        assert time.monotonic() - began < 10
        assert (result.status, result.pictures[0]["status"]) == (1, "cancelled")
        relay.released.set()
        wait_for(lambda: twin.calls("delete"))
        (again,) = layerlift(user, "remove", "--json", photos).pictures
    assert (again["status"], len(twin.calls("run")), twin.charged) == ("cached", 1, 1.0)


@pytest.mark.parametrize("step", ["run", "poll", "download"])
def test_a_program_that_is_ended_waits_for_no_answer_that_does_not_come(
    environ: dict[str, str], make_twin: Any, photos: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(engines, "LEAVING_SECONDS", 0.2)
    released = threading.Event()
    twin = make_twin(faults=(Fault(step, "hang", times=10**6, seconds=600.0, until=released),))
    half_black().save(photos / "a.png")
    for name, value in {**environ, **key_of(twin)}.items():
        monkeypatch.setenv(name, value)

    def end() -> None:
        wait_for(lambda: twin.calls(step))
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end)
    ending.start()
    handed_over = threading.Event()
    monkeypatch.setattr(engines, "_hand_over", lambda settings: handed_over.set())
    assert main.main(["remove", str(photos)]) == 1
    assert handed_over.is_set() and not released.is_set()
    released.set()
    ending.join()
    wait_for(lambda: twin.delivered)


def test_a_terminal_that_is_closed_loses_nothing_that_was_paid_for(
    environ: dict[str, str], make_twin: Any, photos: Path, terminal: Any
) -> None:
    engine = Held()
    twin = make_twin(engine=engine)
    half_black().save(photos / "a.png")
    shown = terminal({**environ, **key_of(twin)}, "remove", photos)
    wait_for(lambda: twin.calls("poll"))
    shown.hang_up()
    engine.released.set()
    assert shown.process.wait(PATIENCE) == 1
    (again,) = layerlift({**environ, **key_of(twin)}, "remove", "--json", photos).pictures
    assert (again["status"], len(twin.calls("run")), twin.charged) == ("cached", 1, 1.0)


def test_a_signal_that_is_ignored_from_the_start_stays_so(
    environ: dict[str, str], make_twin: Any, photos: Path
) -> None:
    """As nohup has it."""
    engine = Held()
    twin = make_twin(engine=engine)
    half_black().save(photos / "a.png")
    command = ["nohup", LAYERLIFT, "remove", str(photos)]
    with subprocess.Popen(command, env={**environ, **key_of(twin)}, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: twin.calls("poll"))
        process.send_signal(signal.SIGHUP)
        engine.released.set()
        assert process.wait(PATIENCE) == 0
    assert (photos / "a-cutout.png").exists()


def test_a_reader_that_leaves_is_no_failure_of_ours(account: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "a.png")
    read, write = os.pipe()
    os.close(read)
    outcome = subprocess.run(
        [LAYERLIFT, "remove", "--json", str(photos)], env=account, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert outcome.returncode == 1 and "Traceback" not in outcome.stderr and "BrokenPipe" not in outcome.stderr


def test_nothing_is_sent_without_an_agreement_where_nobody_can_be_asked(
    environ: dict[str, str], proxy: Proxy, photos: Path
) -> None:
    half_black().save(photos / "a.png")
    result = layerlift({**environ, **proxy.environ}, "remove", photos, text="y\n")
    assert (result.status, result.output, proxy.seen) == (2, "", 0)
    assert "service.example" in result.errors and "--yes" in result.errors
    assert "sk-0123456789" not in result.errors


def test_yes_agrees_for_good(environ: dict[str, str], proxy: Proxy, photos: Path) -> None:
    half_black().save(photos / "a.png")
    for more in (["--yes"], []):
        seen = proxy.seen
        process = begin({**environ, **proxy.environ}, "remove", photos, *more, stderr=subprocess.DEVNULL)
        wait_for(lambda seen=seen: proxy.seen > seen)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 1


def test_a_terminal_shows_a_bar_that_fits_on_one_line(account: dict[str, str], photos: Path, terminal: Any) -> None:
    for name in ("a.png", f"b{'long' * 15}.png"):
        half_black(400, 300).save(photos / name)
        shown = terminal(account, "remove", photos / name)
        assert shown.end() == 0
        assert f"{name} [{'#' * 24}] prepare"[: COLUMNS - 1] in shown.text
        cut_out = (photos / name).with_name(f"{Path(name).stem}-cutout.png")
        assert f"\x1b[K{name}: {cut_out}" in shown.text.replace("\r\n", "")
        assert max(map(len, bars(shown.text))) < COLUMNS


def test_a_terminal_shows_how_far_a_large_picture_is_read_and_written(
    account: dict[str, str], photos: Path, terminal: Any
) -> None:
    half_black(4000, 3000).save(photos / "a.png")
    shown = terminal(account, "remove", photos / "a.png")
    assert shown.end() == 0
    stages = [line.split("] ")[1] for line in bars(shown.text) if line.startswith("a.png [")]
    assert (stages[0], stages[-1]) == ("prepare", "write")
    assert stages.index("read") < stages.index("upload") < stages.index("write")


def test_a_key_from_a_pipe_is_stored_shown_redacted_used_and_forgotten(environ: dict[str, str], twin: Twin) -> None:
    environ["YOUCAM_API_URL"] = twin.url
    stored = layerlift(environ, "key", "set", text=f" {twin.key} \n")
    assert (stored.status, stored.output) == (0, "")
    assert stored.errors == "The key is stored in the file that only you can read.\nIt is used from now on.\n"
    shown = layerlift(environ, "key", "show")
    assert (shown.status, shown.output) == (0, f"...{twin.key[-4:]} (file)\n")
    assert layerlift(environ, "balance").output == "1000 units\n"
    forgotten = layerlift(environ, "key", "forget")
    assert forgotten.status == 0
    assert forgotten.errors == "The key in the file that only you can read is forgotten.\nNo key is set any more.\n"
    assert layerlift(environ, "key", "forget").errors == "No key was stored.\nNo key is set any more.\n"
    for command in (["key", "show"], ["balance"]):
        result = layerlift(environ, *command)
        assert (result.status, result.output) == (2, "") and "No API key is set" in result.errors


@pytest.mark.parametrize("text", ["", "\n", "  \n"], ids=repr)
def test_no_key_is_not_stored(environ: dict[str, str], text: str) -> None:
    assert layerlift(environ, "key", "set", text=text).status == 2
    assert not Path(environ["LAYERLIFT_HOME"], "api-key").exists()


def test_a_key_is_never_an_argument(environ: dict[str, str]) -> None:
    result = layerlift(environ, "key", "set", "sk-0123456789")
    assert result.status == 2 and not Path(environ["LAYERLIFT_HOME"], "api-key").exists()


def set_key(terminal: Any, environ: dict[str, str], agrees: str) -> Any:
    """Types a key where `key set` asks for it, and an answer to its question; the terminal afterwards."""
    typed = terminal(environ, "key", "set")
    typed.until("API key:")
    typed.type("sk-0123456789abcdef\n")
    typed.until("Agree? [y/N]")
    typed.type(f"{agrees}\n")
    assert typed.end() == 0
    return typed


def test_on_a_terminal_the_key_is_not_shown_and_the_upload_is_asked_for(environ: dict[str, str], terminal: Any) -> None:
    assert "0123456789" not in set_key(terminal, environ, "y").text
    home = Path(environ["LAYERLIFT_HOME"])
    assert (home / "api-key").read_text() == "sk-0123456789abcdef"
    assert json.loads((home / "settings.json").read_text()) == {"upload_agreed": ["yce-api-01.makeupar.com"]}


def test_a_user_who_does_not_agree_any_more_takes_it_back_by_key_set(environ: dict[str, str], terminal: Any) -> None:
    layerlift(environ, "uploads", "allow")
    set_key(terminal, environ, "n")
    assert "not allowed" in layerlift(environ, "uploads").output


def test_uploads_are_shown_allowed_and_forbidden(environ: dict[str, str], proxy: Proxy, photos: Path) -> None:
    half_black().save(photos / "a.png")
    user = {**environ, **proxy.environ}
    for command, allowed in ((["forbid"], "not allowed"), (["allow"], "allowed"), (["forbid"], "not allowed")):
        for arguments in (command, []):
            shown = layerlift(user, "uploads", *arguments)
            said = f"Uploads to service.example, for 1 unit each, are {allowed}.\n"
            assert (shown.status, shown.output) == (0, said)
    refused = layerlift(user, "remove", photos)
    assert (refused.status, proxy.seen) == (2, 0) and "layerlift uploads allow" in refused.errors


@pytest.mark.parametrize(("units", "text"), [(12.34, "12.34"), (1234567.5, "1234567.5"), (0, "0")])
def test_the_balance_is_shown_to_the_cent(environ: dict[str, str], make_twin: Any, units: float, text: str) -> None:
    twin = make_twin(units=units)
    assert layerlift({**environ, **key_of(twin)}, "balance").output == f"{text} units\n"


def test_the_balance_counts_among_the_requests_of_all_processes(account: dict[str, str]) -> None:
    assert layerlift(account, "balance").status == 0
    with closing(sqlite3.connect(Path(account["LAYERLIFT_HOME"]) / database.NAME)) as opened:
        assert opened.execute("SELECT COUNT(*) FROM requests").fetchone() == (1,)


def test_a_refused_key_has_no_balance(account: dict[str, str]) -> None:
    result = layerlift({**account, "YOUCAM_API_KEY": "sk-wrong-and-secret"}, "balance")
    assert (result.status, result.output) == (2, "")
    assert "does not know this API key" in result.errors and "(request " in result.errors


def test_the_offline_service_on_its_own_serves_the_command(environ: dict[str, str], photos: Path) -> None:
    half_black().save(photos / "a.png")
    with begin(environ, "serve", "--engine", "luma-key", stdin=None, stderr=None) as server:
        assert server.stdout
        printed = dict(server.stdout.readline().strip().split("=", 1) for _ in range(2))
        result = layerlift({**environ, **printed}, "remove", "--json", photos)
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) == 0
    assert result.pictures[0]["engine"] == "youcam" and (photos / "a-cutout.png").exists()
