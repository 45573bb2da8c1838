"""Layerlift in a Python program, against the twin over real HTTP."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import layerlift
import numpy as np
import pytest
from helpers.holding import Held
from helpers.waiting import PATIENCE, wait_for
from layerlift import client as module
from layerlift.imaging import pictures as picture_files
from layerlift.removal.batch import SLOTS
from layerlift.service.service import Service
from layerlift.store.settings import DEFAULT_URL
from layerlift.twin import Twin
from PIL import Image, ImageCms

from .removals import half_dark, is_exact

WIDTH, HEIGHT = 64, 48
HALF = half_dark(WIDTH, HEIGHT).pixels
ALPHA = np.repeat([[255] * (WIDTH // 2) + [0] * (WIDTH // 2)], HEIGHT, axis=0).astype(np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def home(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process's user, who has no key; where all that is kept goes."""
    for name in os.environ.keys() - environ.keys():
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return Path(environ["LAYERLIFT_HOME"])


@pytest.fixture
def client(home: Path, twin: Twin) -> Iterator[layerlift.Client]:
    with layerlift.Client(key=twin.key, url=twin.url) as client:
        yield client


def encoded(kind: str = "PNG", pixels: Any = HALF, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def pictures(count: int) -> list[Any]:
    """Arrays that no two of are the same to the service."""
    return [half_dark(WIDTH + 2 * number, HEIGHT).pixels for number in range(count)]


def by_number(ends: Any) -> list[Any]:
    return sorted(ends, key=lambda end: end.number)


SOURCES: dict[str, Callable[[Path], Any]] = {
    "a path": lambda path: path,
    "a path as text": str,
    "bytes": lambda path: path.read_bytes(),
    "bytes of a JPEG": lambda path: encoded("JPEG", quality=95),
    "bytes of a BMP": lambda path: encoded("BMP"),
    "bytes of a WebP": lambda path: encoded("WEBP", lossless=True),
    "a bytearray": lambda path: bytearray(path.read_bytes()),
    "an open file": lambda path: path.open("rb"),
    "a file in memory": lambda path: io.BytesIO(path.read_bytes()),
    "an opened image": Image.open,
    "an RGB image": lambda path: Image.fromarray(HALF),
    "an image with palette": lambda path: Image.fromarray(HALF).convert("P"),
    "a gray image": lambda path: Image.fromarray(HALF).convert("L"),
    "a gray image of 16 bits": lambda path: Image.fromarray(HALF[..., 0].astype(np.uint16) * 257),
    "a black and white image": lambda path: Image.fromarray(HALF).convert("1"),
    "an array": lambda path: HALF,
    "a gray array": lambda path: HALF[..., 0],
    "a gray array with an axis of channels": lambda path: HALF[..., :1],
    "an array that lies elsewhere": lambda path: np.asfortranarray(HALF),
    "an array with alpha": lambda path: np.dstack([HALF, np.full((HEIGHT, WIDTH), 255, np.uint8)]),
    "a gray array with alpha": lambda path: np.dstack([HALF[..., 0], np.full((HEIGHT, WIDTH), 255, np.uint8)]),
    "an array of 16 bits": lambda path: HALF.astype(np.uint16) * 257,
    "an array of the other byte order": lambda path: (HALF.astype(np.uint16) * 257).astype(">u2"),
    "a Picture": lambda path: layerlift.Picture(HALF, PROFILE),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_each_kind_of_source_has_its_exact_alpha(client: layerlift.Client, tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded())
    source = SOURCES[kind](tmp_path / "a.png")
    cutout = client.remove(source)
    assert cutout.alpha.dtype == np.uint8 and np.array_equal(cutout.alpha, ALPHA)
    assert (cutout.source is source, cutout.number, cutout.engine) == (True, 0, "youcam")
    assert (cutout.units, cutout.cached, cutout.full, bool(cutout.task_id)) == (1, False, False, True)


def test_what_was_paid_for_is_free_for_each_client_and_as_each_kind_of_source(
    client: layerlift.Client, twin: Twin
) -> None:
    first = client.remove(HALF)
    with layerlift.Client("youcam", key=twin.key, url=twin.url) as other:
        seconds = [client.remove(HALF), other.remove(encoded()), *other.remove_all([Image.fromarray(HALF)])]
    for second in seconds:
        assert isinstance(second, layerlift.Cutout)
        assert (second.cached, second.units, second.task_id, second.dst_id) == (True, 0, first.task_id, first.dst_id)
        assert np.array_equal(second.alpha, ALPHA)
    assert twin.charged == 1


def test_the_balance_is_a_number_that_costs_nothing(client: layerlift.Client, twin: Twin) -> None:
    assert (client.balance(), twin.charged) == (1000.0, 0)


def test_sixteen_bits_the_profile_and_the_own_alpha_stay(client: layerlift.Client, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 2**16, (HEIGHT, WIDTH, 4), np.uint16)
    pixels[..., :3] = HALF.astype(np.uint16) * 200 + 13
    pixels[..., 3] |= 0x8000
    cutout = client.remove(layerlift.Picture(pixels, PROFILE))
    image = cutout.image(clean_edges=False)
    assert (image.pixels.dtype, image.icc_profile) == (np.uint16, PROFILE)
    assert np.array_equal(image.pixels[..., :3], pixels[..., :3])
    own = pixels[..., 3].astype(float) * cutout.alpha / 255
    assert np.array_equal(image.pixels[..., 3], np.rint(own))
    cutout.save(tmp_path / "b.PNG", clean_edges=False)
    found = picture_files.read(tmp_path / "b.PNG")
    assert np.array_equal(found.pixels, image.pixels) and found.icc_profile == PROFILE


def test_pillow_takes_the_cut_out_and_its_alpha(client: layerlift.Client) -> None:
    image = Image.fromarray(HALF)
    cutout = client.remove(image)
    image.putalpha(Image.fromarray(cutout.alpha))
    theirs = Image.fromarray(cutout.image().pixels)
    assert theirs.mode == "RGBA" and np.array_equal(np.asarray(theirs), np.asarray(image))


def test_a_cut_out_is_saved_whole_or_not_at_all(client: layerlift.Client, tmp_path: Path) -> None:
    cutout = client.remove(HALF)
    for name, code in (("gone/a.png", "disk"), ("a.jpg", "not_png")):
        with pytest.raises(layerlift.SetupError) as caught:
            cutout.save(tmp_path / name)
        assert caught.value.code == code and name in str(caught.value)
    assert list(tmp_path.iterdir()) == [Path(os.environ["LAYERLIFT_HOME"])]
    (tmp_path / "a.png").write_text("older")
    cutout.save(str(tmp_path / "a.png"))
    with Image.open(tmp_path / "a.png") as image:
        assert (image.mode, image.size) == ("RGBA", (WIDTH, HEIGHT))


def closed_file() -> Any:
    file = io.BytesIO(encoded())
    file.close()
    return file


BAD = {
    "a path to nothing": (lambda folder: folder / "gone.jpg", "picture_missing", "gone.jpg"),
    "a folder": (lambda folder: folder, "picture_unreadable", "directory"),
    "no bytes": (lambda _: b"", "picture_unreadable", "empty"),
    "text": (lambda _: b"Hello there", "picture_unreadable", "no known format"),
    "half a file": (lambda _: encoded()[:80], "picture_unreadable", "bytes"),
    "a file opened as text": (lambda _: io.StringIO("Hello"), "not_a_picture", "reads str, not bytes"),
    "a closed file": (lambda _: closed_file(), "not_a_picture", "closed file"),
    "an image of other colours": (lambda _: Image.new("LAB", (8, 8)), "picture_unreadable", "LAB colours"),
    "nothing": (lambda _: None, "not_a_picture", "NoneType"),
    "an empty array": (lambda _: np.zeros((0, 8, 3), np.uint8), "not_a_picture", "shape (0, 8, 3)"),
    "a flat array": (lambda _: np.zeros(64, np.uint8), "not_a_picture", "shape (64,)"),
    "five channels": (lambda _: np.zeros((8, 8, 5), np.uint8), "not_a_picture", "shape (8, 8, 5)"),
    "floats": (lambda _: np.zeros((8, 8, 3)), "not_a_picture", "float64"),
    "signed integers": (lambda _: np.zeros((8, 8), np.int16), "not_a_picture", "int16"),
    "a transparent array": (lambda _: np.zeros((8, 8, 4), np.uint8), "picture_empty", "transparent"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_picture_is_one_clear_error_and_costs_nothing(
    client: layerlift.Client, twin: Twin, photos: Path, kind: str
) -> None:
    make, code, words = BAD[kind]
    with pytest.raises(layerlift.PictureError) as caught:
        client.remove(make(photos))
    assert caught.value.code == code and words in str(caught.value)
    assert not twin.calls("run", "declare")


def test_a_cut_out_is_taken_again_only_if_that_is_wanted(client: layerlift.Client, twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    client.remove(HALF).save(path)
    with Image.open(path) as image:
        for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes()), image):
            with pytest.raises(layerlift.PictureError) as caught:
                client.remove(source)
            assert caught.value.code == "is_cut_out" and "again=True" in str(caught.value)
    assert client.remove(path, again=True).cached, "over white, it is what the original was"
    assert twin.charged == 1


def test_one_bad_picture_does_not_end_the_others(client: layerlift.Client, tmp_path: Path) -> None:
    first, second = pictures(2)
    ends = by_number(client.remove_all(source for source in (first, tmp_path / "gone.jpg", b"text", second)))
    assert [type(end).__name__ for end in ends] == ["Cutout", "Failure", "Failure", "Cutout"]
    assert [end.number for end in ends] == [0, 1, 2, 3] and ends[3].source is second
    assert ends[1].source == tmp_path / "gone.jpg" and isinstance(ends[1].error, layerlift.PictureError)
    assert is_exact(ends[0], WIDTH) and is_exact(ends[3], WIDTH + 2)


def test_what_nobody_foresaw_fails_alone_and_keeps_its_cause(
    client: layerlift.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_files, "decode", lambda data: 1 / 0)
    bad, good = by_number(client.remove_all([b"any", HALF]))
    assert (bad.error.code, type(bad.error.__cause__)) == ("internal", ZeroDivisionError)
    assert isinstance(good, layerlift.Cutout)


def test_an_empty_account_is_told_once_and_no_more_are_begun(home: Path, make_twin: Callable[..., Twin]) -> None:
    twin = make_twin(units=1)
    with layerlift.Client(key=twin.key, url=twin.url) as client:
        client.remove(HALF)
        errors = [type(end.error) for end in client.remove_all(pictures(4)[1:]) if isinstance(end, layerlift.Failure)]
    assert sorted(error.__name__ for error in errors) == ["Cancelled", "Cancelled", "TopUpError"]


def test_no_pictures_have_no_ends(client: layerlift.Client) -> None:
    assert list(client.remove_all([])) == []


def test_cut_outs_that_nobody_takes_hold_up_the_others(
    client: layerlift.Client, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    made: list[object] = []
    cutout, deliver = layerlift.Cutout, module._Job.deliver
    monkeypatch.setattr(module._Job, "deliver", lambda *fields: asked.append(1) or deliver(*fields))
    monkeypatch.setattr(module, "Cutout", lambda *fields: made.append(1) or cutout(*fields))
    ends = client.remove_all(pictures(12))
    next(ends)
    wait_for(lambda: len(asked) == 1 + module._AHEAD + SLOTS)
    assert len(made) == 1 + module._AHEAD
    assert len(list(ends)) == 11 and twin.charged == 12


class Paid:
    """A client whose removals are paid for, and come when the client is being left."""

    def __init__(self, make_twin: Callable[..., Twin]) -> None:
        self.held = Held()
        self.twin = make_twin(engine=self.held)
        self.sources = pictures(3)

    def client(self) -> layerlift.Client:
        return layerlift.Client(key=self.twin.key, url=self.twin.url)

    def begin(self, client: layerlift.Client) -> Iterator[layerlift.Cutout | layerlift.Failure]:
        """Removals that have told of a bad picture, and that are under way for all others."""
        ends = client.remove_all([b"text", *self.sources])
        assert isinstance(next(ends), layerlift.Failure)
        wait_for(lambda: len(self.twin.calls("run")) == len(self.sources))
        return ends

    def release_when_left(self, client: layerlift.Client) -> None:
        threading.Thread(target=lambda: (wait_for(lambda: client._closed), self.held.released.set())).start()

    def check_that_all_came(self) -> None:
        assert self.twin.delivered == len(self.sources)
        with self.client() as client:
            units = [client.remove(source).units for source in self.sources]
        assert units == [0] * len(units) and self.twin.charged == len(units)


@pytest.fixture
def paid(home: Path, make_twin: Callable[..., Twin]) -> Paid:
    return Paid(make_twin)


def test_the_end_of_the_block_waits_for_what_was_paid_for(paid: Paid) -> None:
    with paid.client() as client:
        ends = paid.begin(client)
        paid.release_when_left(client)
    assert next(ends, None) is None
    paid.check_that_all_came()


def test_an_error_in_the_block_waits_for_what_was_paid_for(paid: Paid) -> None:
    with pytest.raises(ZeroDivisionError), paid.client() as client:
        _ends = paid.begin(client)
        paid.release_when_left(client)
        raise ZeroDivisionError
    paid.check_that_all_came()


def test_a_dropped_loop_leaves_what_was_paid_for_to_the_end_of_the_block(paid: Paid) -> None:
    with paid.client() as client:
        paid.begin(client)
        assert not paid.twin.delivered
        paid.release_when_left(client)
    paid.check_that_all_came()


def test_a_loop_in_another_thread_ends_with_the_block(paid: Paid) -> None:
    with ThreadPoolExecutor() as pool:
        with paid.client() as client:
            rest = pool.submit(list, paid.begin(client))
            paid.release_when_left(client)
        for end in rest.result(PATIENCE):
            assert isinstance(end, layerlift.Failure) and isinstance(end.error, layerlift.Cancelled)
    paid.check_that_all_came()


def test_a_dropped_loop_begins_no_more(client: layerlift.Client, twin: Twin) -> None:
    for _ in client.remove_all(pictures(200)):
        break
    assert client.remove(half_dark(WIDTH, HEIGHT + 2).pixels).units == 1
    # What was being begun then is finished.
    wait_for(lambda: twin.delivered == len(twin.calls("run")))
    assert len(twin.calls("run")) < 100


def test_threads_share_a_client_and_pay_once_for_the_same_pixels(client: layerlift.Client, twin: Twin) -> None:
    sources = pictures(3) * 4
    with ThreadPoolExecutor(len(sources)) as pool:
        cutouts = list(pool.map(client.remove, sources))
    assert all(is_exact(cutout, source.shape[1]) for cutout, source in zip(cutouts, sources, strict=True))
    assert (twin.charged, sum(cutout.units for cutout in cutouts)) == (3, 3)


def test_a_client_keeps_nothing_of_removals_that_have_ended(
    client: layerlift.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: set[Service] = set()
    close = Service.close
    monkeypatch.setattr(Service, "close", lambda service: (closed.add(service), close(service)))
    for source in pictures(5):
        client.remove(source)
    client.balance()
    # A removal has one, a deletion another.
    wait_for(lambda: len(closed) == 11 and not client._engines._services)


INTERRUPTED = """
import sys, layerlift
with layerlift.Client(key=sys.argv[1], url=sys.argv[2]) as client:
    client.remove(sys.argv[3])
"""


def test_ctrl_c_ends_the_program_at_once_and_what_was_paid_for_comes_all_the_same(
    home: Path, make_twin: Callable[..., Twin], photos: Path
) -> None:
    held = Held()
    twin = make_twin(engine=held)
    (photos / "a.png").write_bytes(encoded())
    command = [sys.executable, "-c", INTERRUPTED, twin.key, twin.url, str(photos / "a.png")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        wait_for(lambda: twin.calls("poll"))
        program.send_signal(signal.SIGINT)
        _, told = program.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in told and told.count("Traceback") == 1 and not twin.delivered
    held.released.set()
    # By a process that has the key from the one that has ended.
    wait_for(lambda: twin.delivered == 1)
    with layerlift.Client(key=twin.key, url=twin.url) as client:
        assert client.remove(HALF).units == 0
    assert twin.charged == 1


def test_nothing_is_uploaded_before_someone_has_agreed(home: Path) -> None:
    with layerlift.Client(key="sk-any-key-at-all", url="https://api.example") as client:
        for begin in (client.remove, lambda source: client.remove_all([source])):
            with pytest.raises(layerlift.ConsentNeeded, match="layerlift uploads allow"):
                begin(HALF)


def test_a_key_that_is_given_goes_to_the_api_alone_and_is_stored_nowhere(home: Path, twin: Twin) -> None:
    before = dict(os.environ)
    client = layerlift.Client(key=f" {twin.key}\n", url=twin.url)
    with client:
        client.remove(HALF)
        assert twin.key not in repr(client) + repr(vars(client))
    assert dict(os.environ) == before
    assert {call.storage for call in twin.requests} == {True, False}
    assert not [call for call in twin.requests if call.storage and twin.key in str(call.headers)]
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files and not [path for path in files if twin.key.encode() in path.read_bytes()]


def test_without_arguments_it_is_the_users_own_set_up(home: Path, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    with layerlift.Client("youcam") as client, pytest.raises(layerlift.SetupError) as caught:
        client.balance()
    assert caught.value.code == "no_key"
    monkeypatch.setenv("YOUCAM_API_KEY", twin.key)
    assert layerlift.Client()._engines.settings.api_url == DEFAULT_URL
    monkeypatch.setenv("YOUCAM_API_URL", twin.url)
    with layerlift.Client() as client:
        assert client.remove(HALF).engine == "youcam"


@pytest.mark.parametrize(("key", "code"), [("", "key_missing"), ("a key", "InvalidApiKey")])
def test_a_key_that_can_be_none_is_refused_at_once(home: Path, key: str, code: str) -> None:
    with pytest.raises(layerlift.SetupError) as caught:
        layerlift.Client(key=key)
    assert caught.value.code == code


def test_a_refused_key_is_an_auth_error(home: Path, twin: Twin) -> None:
    with layerlift.Client(key="sk-not-this-one", url=twin.url) as client, pytest.raises(layerlift.AuthError):
        client.remove(HALF)


def test_an_engine_that_there_is_not_is_named(home: Path) -> None:
    with pytest.raises(ValueError, match="'local'"):
        layerlift.Client("local")  # type: ignore[arg-type]


def test_a_closed_client_says_so(client: layerlift.Client) -> None:
    client.close()
    client.close()
    for use in (lambda: client.remove(HALF), lambda: client.remove_all([HALF]), client.balance):
        with pytest.raises(RuntimeError, match="closed"):
            use()
