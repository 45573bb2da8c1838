"""The worker as a host sees it: a process, its lines, its folder."""

from __future__ import annotations

import io
import json
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift import __version__, foreground, private, worker
from layerlift.engines import Engines
from layerlift.offline import Fault, Twin
from layerlift.settings import Settings
from PIL import Image

WIDTH, HEIGHT = 96, 32
STAGES = ["prepare", "upload", "waiting", "download", "refine"]
PATIENCE = 30.0


class Host:
    """A process that speaks the worker's lines, and what it said."""

    def __init__(self, environ: dict[str, str], *command: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            command or (sys.executable, "-m", "layerlift.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            **options,
        )
        self.errors = ""
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._threads = [threading.Thread(target=work) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()
        self.hello = self.next()
        self.folder = Path(self.hello.get("folder", "."))

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"{}")

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors = self.process.stderr.read().decode()

    def next(self) -> dict[str, Any]:
        """The next message; empty where there are no more."""
        message: dict[str, Any] = json.loads(self._lines.get(timeout=PATIENCE))
        return message

    def write(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **message: Any) -> None:
        self.write(json.dumps(message).encode())

    def job(self, name: str = "1", pixels: bytes | None = None, **changes: Any) -> None:
        """Writes the pixels and asks for their alpha."""
        data = steps().tobytes() if pixels is None else pixels
        (self.folder / f"{name}.raw").write_bytes(data)
        fields = {"pixels": f"{name}.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
        self.send(type="job", id=name, **(fields | changes))

    def until_end(self, name: str = "1") -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The progress of a job, and its result or error."""
        progress = []
        while True:
            message = self.next()
            assert message.get("id") == name, message
            if message["type"] != "progress":
                return progress, message
            progress.append(message)

    def end(self) -> int:
        """Closes the worker's input; its exit status."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            try:
                stream.close()
            except BrokenPipeError:
                continue


def steps() -> Any:
    """Gray steps, each a flat area, whose alpha is known: 255 minus the gray."""
    columns = np.repeat(np.arange(0, 256, 51, dtype=np.uint8), WIDTH // 6)
    return np.broadcast_to(columns[None, :, None], (HEIGHT, WIDTH, 3))


def expected() -> bytes:
    return bytes((255 - steps()[:, :, 0]).tobytes())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A user without a key, whose home has a difficult name."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YOUCAM_", "LAYERLIFT_"))}
    return {**kept, "LAYERLIFT_HOME": str(tmp_path / "häuslich wohnen")}


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., Host]]:
    """Starts workers, with a twin's key or other changes to the environment."""
    with ExitStack() as stack:

        def begin(twin: Twin | None = None, *command: str, options: Any = None, **changes: str) -> Host:
            account = {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key} if twin else {}
            host = Host({**environ, **account, **changes}, *command, **(options or {}))
            stack.callback(host.close)
            return host

        yield begin


def test_it_says_hello_with_its_version_and_a_folder_that_only_the_user_can_see(start: Any) -> None:
    host = start()
    assert host.hello == {"type": "hello", "protocol": 1, "version": __version__, "folder": str(host.folder)}
    assert host.folder.stat().st_mode & 0o777 == 0o700
    assert host.end() == 0
    assert not host.folder.exists()


def test_a_job_ends_with_the_exact_alpha_after_progress_in_order(start: Any, twin: Twin) -> None:
    host = start(twin)
    host.job()
    progress, end = host.until_end()
    assert {key: end[key] for key in ("type", "id", "file", "engine", "units")} == {
        "type": "result",
        "id": "1",
        "file": "1.alpha",
        "engine": "youcam",
        "units": 1,
    }
    assert end["task_id"] and end["seconds"] > 0 and end["full"] is False
    assert (host.folder / end["file"]).read_bytes() == expected()
    assert not (host.folder / "1.raw").exists()
    assert [stage for stage in dict.fromkeys(line["stage"] for line in progress)] == STAGES
    for stage in STAGES:
        fractions = [line["fraction"] for line in progress if line["stage"] == stage]
        assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert all(line["engine"] == "youcam" for line in progress)
    assert any("MB" in line["text"] for line in progress if line["stage"] == "upload")


def test_a_picture_that_is_all_subject_is_told_to_be_full_also_when_it_is_free(start: Any, twin: Twin) -> None:
    host = start(twin)
    for name, cached in (("1", False), ("2", True)):
        host.job(name, bytes(WIDTH * HEIGHT * 3))
        _, end = host.until_end(name)
        assert (end["full"], end["cached"]) == (True, cached)
        assert set((host.folder / end["file"]).read_bytes()) == {255}


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_gray_and_alpha_layers_are_taken(start: Any, twin: Twin, channels: int) -> None:
    pixels = np.repeat(steps()[:, :, :1], channels, axis=2).copy()
    if channels in (2, 4):
        pixels[:, :, -1] = 255
    host = start(twin)
    host.job(pixels=pixels.tobytes(), channels=channels)
    _, end = host.until_end()
    assert (host.folder / end["file"]).read_bytes() == expected()


def test_the_offline_engine_is_used_without_a_key_and_charges_nothing(start: Any) -> None:
    photo = Image.open(Path(__file__).parents[1] / "photos" / "astronaut.jpg").convert("RGB")
    host = start()
    host.job(pixels=photo.tobytes(), width=photo.width, height=photo.height)
    progress, end = host.until_end()
    assert {line["engine"] for line in progress} == {"offline"}
    assert (end["type"], end["engine"], end["units"]) == ("result", "offline", 0)
    alpha = np.fromfile(host.folder / end["file"], np.uint8).reshape(photo.height, photo.width)
    assert alpha[photo.height // 2, photo.width // 3] > 200 and alpha[0, 0] < 50


def test_several_jobs_wait_in_line(start: Any, twin: Twin) -> None:
    host = start(twin)
    for name in ("a", "b", "c"):
        host.job(name)
    ends = [host.until_end(name)[1] for name in ("a", "b", "c")]
    assert [end["file"] for end in ends] == ["a.alpha", "b.alpha", "c.alpha"]


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


def clean(folder: Path, samples: Any, matte: Any, **changes: Any) -> list[dict[str, Any]]:
    """What a worker says to a request for clean edges."""
    (folder / "1.alpha").write_bytes(matte.tobytes())
    for name in ("1.raw", "1.clean"):
        (folder / name).write_bytes(samples.tobytes())
    height, width, channels = samples.shape
    job = {"pixels": "1.raw", "alpha": "1.alpha", "width": width, "height": height, "channels": channels, **changes}
    return said([json.dumps({"type": "clean", "id": "1", **job})], folder)


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
    *progress, end = clean(tmp_path, pixels, alpha, depth=depth)
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
    end = clean(tmp_path, pixels, alpha)[-1]
    area = sum(width * height for _, _, width, height in end["rectangles"])
    assert 0 < area <= 4 * 256 * 256
    cleaned = put_back(end, tmp_path, pixels)
    assert ((cleaned != pixels).any(axis=2) <= ((alpha > 0) & (alpha < 255))).all()


def test_nothing_comes_back_where_there_is_no_edge(tmp_path: Path) -> None:
    end = clean(tmp_path, np.zeros((4, 5, 3), np.uint8), np.full((4, 5), 255, np.uint8))[-1]
    assert (end["rectangles"], (tmp_path / end["file"]).read_bytes()) == ([], b"")


def test_pixels_are_of_8_bits_where_no_depth_is_said(tmp_path: Path) -> None:
    pixels, alpha = edge()
    end = clean(tmp_path, pixels, alpha, pixels="1.clean")[-1]
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
def test_a_malformed_request_for_clean_edges_is_refused(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    assert clean(tmp_path, *edge(), **changes)[-1].get("code") == code


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


def test_garbage_between_the_lines_is_ignored(start: Any, twin: Twin) -> None:
    host = start(twin)
    for line in (
        b"",
        b"\xff\xfe\x00",
        b"no json",
        b"[" * 100_000,
        b"[1]",
        b"7",
        b'"text"',
        b"{}",
        b'{"type": "nonsense"}',
    ):
        host.write(line)
    host.send(type="cancel", id="of nobody")
    host.job()
    assert host.until_end()[1]["type"] == "result"


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": None},
        {"pixels": ""},
        {"pixels": 5},
        {"pixels": "a\0b"},
        {"pixels": "\ud800"},
        {"width": "wide"},
        {"width": 1.5},
        {"width": float("inf")},
        {"height": None},
        {"height": True},
        {"channels": 0},
        {"channels": 5},
        {"engine": None},
        {"engine": "other"},
        {"engine": ["auto"]},
    ],
    ids=str,
)
def test_a_malformed_job_is_refused(changes: dict[str, Any]) -> None:
    job = {"pixels": "1.raw", "width": 1, "height": 1, "channels": 3, "engine": "auto", **changes}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], Path("unused"))
    assert [(answer["type"], answer.get("code")) for answer in answers] == [("hello", None), ("error", "bad_job")]
    assert answers[1]["message"] and answers[1]["action"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pixels": "gone.raw"}, "pixels_missing"),
        ({"width": WIDTH + 1}, "pixels_missing"),
        ({"width": 10**30}, "pixels_missing"),
        ({"pixels": ".."}, "pixels_missing"),
        ({"pixels": "."}, "bad_job"),
        ({"width": 0}, "picture_empty"),
        ({"height": -1}, "picture_empty"),
    ],
    ids=str,
)
def test_pixels_that_are_not_there_as_told_are_missed(
    tmp_path: Path, twin: Twin, changes: dict[str, Any], code: str
) -> None:
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto", **changes}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert answers[-1].get("code") == code
    assert twin.requests == []


@pytest.mark.parametrize("name", ["../secret.raw", "/{outside}/secret.raw", "sub/../../secret.raw"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, twin: Twin, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    secret = tmp_path / "secret.raw"
    secret.write_bytes(steps().tobytes())
    name = name.replace("{outside}", str(tmp_path))
    job = {"pixels": name, "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], folder, twin)
    assert answers[-1]["code"] == "pixels_missing"
    assert secret.exists() and twin.requests == [] and [path.name for path in folder.iterdir()] == ["home"]


def test_pixels_may_have_the_name_of_the_result(tmp_path: Path, twin: Twin) -> None:
    (tmp_path / "1.alpha").write_bytes(steps().tobytes())
    job = {"pixels": "1.alpha", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert (tmp_path / answers[-1]["file"]).read_bytes() == expected()


def test_a_step_without_news_says_the_last_of_it_again(
    tmp_path: Path, make_twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.02)
    twin = make_twin(faults=[Fault("declare", "hang", seconds=0.5)])
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert sum(answer.get("stage") == "upload" and answer["fraction"] == 0 for answer in answers) > 3
    assert answers[-1]["type"] == "result"


def said(
    lines: list[str], folder: Path, twin: Twin | None = None, until: Callable[[], object] | None = None
) -> list[dict[str, Any]]:
    """What a worker in this process says to some lines; its input ends when all are answered, or after `until`."""
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
    settings = Settings({"LAYERLIFT_HOME": str(folder / "home"), **account})
    out = Out()
    worker.Worker(In(), out, folder, lambda: Engines(settings)).serve(lambda: None)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_the_youcam_engine_without_a_key_says_how_to_set_one(start: Any) -> None:
    host = start()
    host.job(engine="youcam")
    _, end = host.until_end()
    assert (end["type"], end["code"], end["request_id"]) == ("error", "no_key", None)
    assert "layerlift key set" in end["action"]


def test_a_failure_of_the_service_carries_its_request_id(start: Any, make_twin: Any) -> None:
    twin = make_twin(units=0)
    host = start(twin)
    host.job()
    _, end = host.until_end()
    assert end["code"] == "CreditInsufficiency" and len(end["request_id"]) == 32
    assert twin.key not in json.dumps(end)


class Proxy:
    """A proxy that counts who comes by, and lets nobody through."""

    def __init__(self) -> None:
        self.seen = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()


def test_nothing_is_sent_before_the_user_has_agreed(start: Any) -> None:
    proxy = Proxy()
    away = {"YOUCAM_API_URL": "https://service.example", "YOUCAM_API_KEY": "sk-0123456789", "HTTPS_PROXY": proxy.url}
    host = start(**away, https_proxy=proxy.url, NO_PROXY="", no_proxy="")
    host.job()
    _, end = host.until_end()
    assert (end["code"], proxy.seen) == ("consent_needed", 0)
    assert "service.example" in end["message"]
    host.send(type="agree", id="2")
    assert host.until_end("2")[1] == {"type": "result", "id": "2", "host": "service.example"}
    host.job("3")
    wait_for(lambda: proxy.seen)
    host.send(type="cancel", id="3")
    assert host.until_end("3")[1]["code"] == "cancelled"


@pytest.mark.parametrize("step", ["start", "declare", "upload", "run", "poll", "download"])
def test_a_cancel_is_answered_at_every_stage_and_the_next_job_works(start: Any, twin: Twin, step: str) -> None:
    host = start(twin)
    if step != "start":
        twin.inject(Fault(step, "hang", seconds=2))
    host.job()
    if step != "start":
        wait_for(lambda: twin.calls(step))
    host.send(type="cancel", id="1")
    assert host.until_end()[1]["code"] == "cancelled"
    host.job("2")
    end = host.until_end("2")[1]
    assert (host.folder / end["file"]).read_bytes() == expected()
    assert end["cached"] == (step in ("run", "poll", "download"))
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_a_cancel_before_the_task_is_started_does_not_keep_the_next_job_waiting(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("upload", "hang", seconds=60))
    host.job()
    wait_for(lambda: twin.calls("upload"))
    host.send(type="cancel", id="1")
    assert host.until_end()[1]["code"] == "cancelled"
    host.job("2")
    assert host.until_end("2")[1]["type"] == "result"


def test_a_job_that_waits_in_line_can_be_cancelled(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("declare", "hang", seconds=60))
    host.job("a")
    host.job("b")
    wait_for(lambda: twin.calls("declare"))
    host.send(type="cancel", id="b")
    host.send(type="cancel", id="a")
    assert [host.until_end(name)[1]["code"] for name in ("a", "b")] == ["cancelled", "cancelled"]
    assert len(twin.calls("declare")) == 1


@pytest.mark.parametrize("step", ["idle", "declare", "upload"])
def test_the_end_of_its_input_ends_it_before_anything_is_paid_and_removes_its_folder(
    start: Any, twin: Twin, step: str
) -> None:
    host = start(twin)
    if step != "idle":
        twin.inject(Fault(step, "hang", seconds=60))
        host.job()
        host.job("2")
        wait_for(lambda: twin.calls(step))
    assert host.end() == 0
    assert not host.folder.exists()
    assert twin.calls("run") == []


@pytest.mark.parametrize("step", ["run", "poll", "download"])
def test_what_is_paid_for_when_the_host_dies_is_finished_and_the_next_run_is_free(
    start: Any, twin: Twin, step: str
) -> None:
    host = start(twin)
    twin.inject(Fault(step, "hang", seconds=3))
    host.job()
    wait_for(lambda: twin.calls(step))
    host.process.stdin.close()
    wait_for(lambda: not host.folder.exists())
    while host.next():
        continue
    assert host.process.poll() is None
    assert host.process.wait(PATIENCE) == 0
    following = start(twin)
    following.job()
    end = following.until_end()[1]
    assert (end["cached"], end["units"]) == (True, 0)
    assert (following.folder / end["file"]).read_bytes() == expected()
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (1, 1.0, 0)


@pytest.mark.parametrize("step", ["poll", "download"])
def test_the_next_worker_goes_on_with_what_a_killed_one_has_started(start: Any, twin: Twin, step: str) -> None:
    host = start(twin)
    twin.inject(Fault(step, "hang", seconds=60))
    host.job()
    wait_for(lambda: twin.calls(step))
    host.close()
    following = start(twin)
    wait_for(lambda: [call for call in twin.calls("download") if not call.fault])
    following.job()
    end = following.until_end()[1]
    assert (end["cached"], end["units"]) == (True, 0)
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (1, 1.0, 0)


def test_two_workers_with_the_same_picture_pay_once(start: Any, make_twin: Any) -> None:
    twin = make_twin(run_seconds=0.5)
    hosts = [start(twin), start(twin)]
    for host in hosts:
        host.job()
    ends = [host.until_end()[1] for host in hosts]
    assert sorted(end["cached"] for end in ends) == [False, True]
    assert [(host.folder / end["file"]).read_bytes() for host, end in zip(hosts, ends)] == [expected()] * 2
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_the_end_of_its_input_cancels_what_it_does_and_what_waits(tmp_path: Path, make_twin: Any) -> None:
    twin = make_twin(faults=[Fault("declare", "hang", seconds=5)])
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"type": "job", "pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    lines = [json.dumps({**job, "id": name}) for name in ("1", "2")]
    answers = said(lines, tmp_path, twin, until=lambda: wait_for(lambda: twin.calls("declare")))
    ends = [answer for answer in answers if answer["type"] in ("result", "error")]
    assert [(end["id"], end.get("code")) for end in ends] == [("1", "cancelled"), ("2", "cancelled")]
    assert len(twin.calls("declare")) == 1


def test_a_killed_workers_folder_is_swept_by_the_next_and_a_living_ones_stays(start: Any) -> None:
    killed, living = start(), start()
    (killed.folder / "1.raw").write_bytes(b"pixels")
    (living.folder / "1.raw").write_bytes(b"pixels")
    killed.process.kill()
    killed.process.wait()
    assert killed.folder.exists()
    other = killed.folder.parent / "notes.txt"
    other.write_text("not a folder")
    following = start()
    assert not killed.folder.exists()
    assert (living.folder / "1.raw").exists() and following.folder.exists() and other.exists()


def test_workers_that_start_at_once_do_not_sweep_each_others_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(private.Folder, [tmp_path] * 60))
    assert [folder for folder in folders if not (folder.path / ".lock").exists()] == []
    for folder in folders:
        folder.remove()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_ctrl_c_in_the_hosts_terminal_does_not_end_it(start: Any, twin: Twin) -> None:
    host = start(twin, options={"start_new_session": True})
    os.killpg(host.process.pid, signal.SIGINT)
    host.job()
    assert host.until_end()[1]["type"] == "result"
    assert host.end() == 0 and host.errors == ""


NOISY = """
import os, sys
from layerlift import prepare, worker
quiet = prepare.prepare
def noisy(*arguments, **options):
    print("printed")
    sys.__stdout__.flush()
    os.write(1, b'{"type": "written"}' + os.linesep.encode())
    os.system("echo from a child")
    return quiet(*arguments, **options)
prepare.prepare = noisy
sys.exit(worker.main())
"""


def test_a_library_that_prints_does_not_break_the_protocol(start: Any, twin: Twin) -> None:
    host = start(twin, sys.executable, "-c", NOISY)
    host.job()
    assert host.until_end()[1]["type"] == "result"
    host.end()
    host.close()
    assert [part in host.errors for part in ("printed", "written", "from a child")] == [True] * 3


BROKEN = NOISY.split("def noisy")[0] + "prepare.prepare = lambda *_, **__: 1 / 0\nsys.exit(worker.main())"


def test_a_failure_that_nobody_foresaw_is_an_answer_too(start: Any, twin: Twin) -> None:
    host = start(twin, sys.executable, "-c", BROKEN)
    host.job()
    _, end = host.until_end()
    assert end["code"] == "internal" and "ZeroDivisionError" in end["message"]
    host.end()
    host.close()
    assert "Traceback" in host.errors


def test_a_disk_that_takes_no_more_is_told_and_leaves_no_half_alpha(start: Any, twin: Twin) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    host = start(twin, options={"preexec_fn": limit})
    host.job()
    _, end = host.until_end()
    assert (end["type"], end["code"]) == ("error", "disk")
    assert not (host.folder / "1.alpha").exists()


def test_where_home_takes_nothing_the_folder_is_among_the_temporary_files(start: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    host = start(LAYERLIFT_HOME=str(tmp_path / "file" / "home"), TMPDIR=str(tmp_path))
    assert host.folder.parent == tmp_path / f"layerlift-{os.getuid()}"
    assert host.folder.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_written_it_says_so_and_ends(start: Any, tmp_path: Path) -> None:
    (tmp_path / f"layerlift-{os.getuid()}").write_text("no folder")
    host = start(LAYERLIFT_HOME=str(tmp_path / f"layerlift-{os.getuid()}"), TMPDIR=str(tmp_path))
    assert (host.hello, host.process.wait(PATIENCE)) == ({}, 2)
    host.close()
    assert host.errors.startswith("No folder for the pixels can be made") and host.errors.count("\n") == 1


def test_another_users_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(PermissionError):
        private.Folder(tmp_path)
