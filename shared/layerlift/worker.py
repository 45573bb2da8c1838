"""Jobs and progress as JSON lines between a host's plug-in and the core. Run as ``python -m layerlift.worker``.

One JSON object a line, UTF-8, on standard input and output. Pixels travel as raw files in a private folder, which the
worker makes, names in its first line, and removes when it ends.

From the worker::

    {"type": "hello", "protocol": 1, "version": "0.1.0", "folder": "/private/folder"}
    {"type": "progress", "id": "1", "stage": "upload", "fraction": 0.4, "text": "3.1 of 7.4 MB", "engine": "youcam"}
    {"type": "result", "id": "1", "file": "1.alpha", "engine": "youcam", "task_id": "...", "dst_id": "...",
     "units": 1, "seconds": 3.2, "cached": false, "full": false}
    {"type": "result", "id": "2", "file": "2.clean", "rectangles": [[768, 512, 256, 256]]}
    {"type": "error", "id": "1", "code": "no_key", "message": "...", "action": "...", "request_id": null}

To the worker::

    {"type": "job", "id": "1", "pixels": "1.raw", "width": 6000, "height": 4000, "channels": 3, "engine": "auto",
     "again": false}
    {"type": "clean", "id": "2", "pixels": "2.raw", "alpha": "1.alpha", "width": 6000, "height": 4000, "channels": 4,
     "depth": "u16"}
    {"type": "agree", "id": "3"}
    {"type": "cancel", "id": "1"}

`pixels` and `file` are names in the folder. A job's pixels are rows of 8-bit sRGB from the top, Y, YA, RGB or RGBA;
its result is the alpha, one byte a pixel, of the same size, not multiplied with the layer's own, and `full` where the
whole picture is opaque subject. `stage` is one of `removal.Stage`, `fraction` 0 to 1 of that stage; `again` pays again
where an earlier start may have been charged in vain; where there are no news, the last progress comes again every
`BEAT_SECONDS`.

`clean` asks for the subject's own colours where the alpha is neither 0 nor 255. Its pixels are the host's own samples
in the machine's byte order, of whatever profile, gamma or linear: 1 to 5 channels (5 is CMYKA; the last of 2, 4 or 5 is
alpha) of a `depth` of `DEPTHS`, u8 where none is said. Its progress has the one stage "clean". Its result is a file of
the pixels of `rectangles` [x, y, width, height], one after the other, at that depth; all other pixels stay as they are.

`agree` says that the user agrees to uploads to the service from now on; its result names the `host`.

Every job, `clean` and `agree` ends with one result or one error. When standard input ends, the worker cancels what it
does, removes its folder and exits. What is paid for by then, or when a job is cancelled, is first finished without the
host, and kept for the next job with the same pixels, whose result is `cached`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import __version__, errors, log, private

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .engines import Engines
    from .foreground import Rectangle
    from .pictures import Sample

PROTOCOL = 1
GRACE_SECONDS = 3.0
REPORT_SECONDS = 0.1
BEAT_SECONDS = 10.0
_ENGINES = ("auto", "youcam", "offline")
DEPTHS = {"u8": "uint8", "u16": "uint16", "u32": "uint32", "f16": "float16", "f32": "float32", "f64": "float64"}
"""The names of numpy's types of samples."""


class Worker:
    """Takes jobs from one stream and answers on another, one job after the other.

    Args:
        lines: the host's messages; their end ends the worker.
        out: where the answers go.
        folder: the private folder.
        engines: opens the engines that jobs ask for. Called after the hello, since its imports take a while.
    """

    def __init__(self, lines: IO[str], out: IO[str], folder: Path, engines: Callable[[], Engines]) -> None:
        self._lines = lines
        self._out = out
        self._folder = folder
        self._engines = engines
        self._jobs: queue.SimpleQueue[tuple[dict[str, Any], threading.Event] | None] = queue.SimpleQueue()
        self._cancels: dict[str, threading.Event] = {}
        self._guard = threading.Lock()
        self._opened: Engines | None = None

    @property
    def busy(self) -> bool:
        """Whether something goes on that is paid for, though its user has left."""
        return self._opened is not None and self._opened.background.busy

    def serve(self, ended: Callable[[], None]) -> None:
        """Works until the input ends. `ended` is then called at once, from the thread that reads."""
        self._send(type="hello", protocol=PROTOCOL, version=__version__, folder=str(self._folder))
        threading.Thread(target=self._listen, args=(ended,), daemon=True).start()
        with self._engines() as engines:
            self._opened = engines
            threading.Thread(target=_take_up, args=(engines,), daemon=True).start()
            while (job := self._jobs.get()) is not None:
                message, cancel = job
                self._answer(message, cancel, engines)

    def _listen(self, ended: Callable[[], None]) -> None:
        for line in self._lines:
            message = _message(line)
            name = str(message.get("id"))
            if message.get("type") in ("job", "clean", "agree"):
                self._cancels[name] = threading.Event()
                self._jobs.put((message, self._cancels[name]))
            elif message.get("type") == "cancel" and name in self._cancels:
                self._cancels[name].set()
        for cancel in self._cancels.values():
            cancel.set()
        self._jobs.put(None)
        ended()

    def _answer(self, message: dict[str, Any], cancel: threading.Event, engines: Engines) -> None:
        """Does one job; whatever happens, it ends with one result or one error."""
        name = str(message.get("id"))
        try:
            if message["type"] == "agree":
                result = {"host": engines.agree()}
            elif message["type"] == "clean":
                result = self._clean(name, message, cancel)
            else:
                result = self._work(name, message, cancel, engines)
            self._send(type="result", id=name, **result)
            return
        except errors.LayerliftError as found:
            error = found
        except OSError as found:
            error = errors.make("disk", found.strerror or "")
        except Exception as found:  # noqa: BLE001 - the host waits for an answer
            traceback.print_exc()
            error = errors.make("internal", type(found).__name__)
        self._send(
            type="error",
            id=name,
            code=error.code,
            message=error.message,
            action=error.action,
            request_id=error.request_id,
        )

    def _work(self, name: str, message: dict[str, Any], cancel: threading.Event, engines: Engines) -> dict[str, Any]:
        from . import pictures, removal
        from .cancelling import Cancel

        choice = message.get("engine")
        if choice not in _ENGINES:
            raise errors.make("bad_job")
        pixels = self._folder / _name(message.get("pixels"))
        width, height, channels = _shape(message)
        wish = Cancel(cancel, engines.background)
        engine = engines.open(choice, wish.sleep)
        with self._progress(name, engine=engine.name) as report:
            try:
                picture = pictures.read_raw(pixels, width, height, channels)
                again = message.get("again") is True
                outcome = removal.remove(
                    picture,
                    engine,
                    lambda stage, fraction, text: report(stage.value, fraction, text),
                    wish,
                    again=again,
                )
            finally:
                engine.service.close()
        pixels.unlink(missing_ok=True)
        target = self._folder / f"{pixels.stem}.alpha"
        _write(target, outcome.alpha)
        return {
            "file": target.name,
            "engine": outcome.engine,
            "task_id": outcome.task_id,
            "dst_id": outcome.dst_id,
            "units": outcome.units,
            "cached": outcome.cached,
            "full": outcome.full,
            "seconds": round(outcome.seconds, 3),
        }

    def _clean(self, name: str, message: dict[str, Any], cancel: threading.Event) -> dict[str, Any]:
        import numpy as np

        from . import foreground, pictures
        from .cancelling import Cancel

        pixels, matte = (self._folder / _name(message.get(field)) for field in ("pixels", "alpha"))
        width, height, channels = _shape(message, most=5)
        picture = pictures.read_raw(pixels, width, height, channels, _sample(message))
        alpha = pictures.read_raw(matte, width, height, 1).pixels[:, :, 0].astype(np.uint8, copy=False)
        with contextlib.suppress(PermissionError):  # Windows keeps what is still mapped
            pixels.unlink()
        target = pixels.with_suffix(".clean")
        wish = Cancel(cancel)
        with self._progress(name) as report:

            def tell(fraction: float) -> None:
                wish.check()
                report("clean", fraction)

            rectangles = wish.during(lambda: _written(target, foreground.clean_edges(picture, alpha, tell)))
        return {"file": target.name, "rectangles": rectangles}

    @contextlib.contextmanager
    def _progress(self, name: str, **fields: Any) -> Iterator[Callable[..., None]]:
        """A function that tells the host of a stage, the fraction of it that is done and a text, not too often."""
        last: list[Any] = [None, 0.0]

        def report(stage: str, fraction: float, text: str = "") -> None:
            now = time.monotonic()
            if stage != last[0] or now - last[1] >= REPORT_SECONDS or fraction >= 1:
                last[:] = stage, now
                beat.say(stage=stage, fraction=round(fraction, 3), text=text)

        with _Beat(lambda news: self._send(type="progress", id=name, **fields, **news)) as beat:
            yield report

    def _send(self, **message: Any) -> None:
        with self._guard, contextlib.suppress(OSError):
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


class _Beat:
    """Passes progress on, and says the last of it again where a step (a wait for the service) has no news."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._news: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def say(self, **fields: Any) -> None:
        self._news.put(fields)

    def __enter__(self) -> _Beat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._news.put(None)
        self._thread.join()

    def _pass_on(self) -> None:
        last: dict[str, Any] | None = None
        while True:
            try:
                last = self._news.get(timeout=BEAT_SECONDS)
                if last is None:
                    return
            except queue.Empty:
                pass
            if last is not None:
                self._send(last)


def _take_up(engines: Engines) -> None:
    """What a killed process has left goes on beside the jobs."""
    from . import removal

    removal.take_up(engines)


def _name(value: object) -> str:
    """The name of a file in the folder. Raises SetupError `bad_job`."""
    if not (isinstance(value, str) and value.isprintable() and Path(value).name):
        raise errors.make("bad_job")
    return Path(value).name


def _shape(message: dict[str, Any], most: int = 4) -> tuple[int, int, int]:
    """Width, height and channels of a message's pixels. Raises SetupError `bad_job`."""
    width, height, channels = (message.get(field) for field in ("width", "height", "channels"))
    if not (type(width) is int and type(height) is int and type(channels) is int and 1 <= channels <= most):
        raise errors.make("bad_job")
    return width, height, channels


def _sample(message: dict[str, Any]) -> Sample:
    """The type of a message's samples. Raises SetupError `bad_job`."""
    import numpy as np

    depth = message.get("depth", "u8")
    if not (isinstance(depth, str) and depth in DEPTHS):
        raise errors.make("bad_job")
    sample: Sample = np.dtype(DEPTHS[depth]).type
    return sample


def _write(path: Path, pixels: NDArray[np.generic]) -> None:
    # Not by `tofile`, which says nothing when the disk is full.
    try:
        path.write_bytes(pixels.data if pixels.flags.c_contiguous else pixels.tobytes())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _written(path: Path, parts: Iterator[tuple[Rectangle, NDArray[np.generic]]]) -> list[Rectangle]:
    """The rectangles of what was written, whole or not at all."""
    rectangles = []
    try:
        with path.open("wb") as file:
            for rectangle, pixels in parts:
                file.write(pixels.data)
                rectangles.append(rectangle)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return rectangles


def _message(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _leave(out: IO[str]) -> None:
    """Lets go of the host's pipes, so that nobody waits for the end of a worker that goes on without them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (out.fileno(), 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def main() -> int:
    """Serves one host on standard input and output."""
    from .settings import Settings

    # Ctrl+C in the host's terminal, and the terminal's end, reach the worker too; it ends by the end of its input.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    settings = Settings()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What a library prints must not mix with the protocol.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    log.start(settings.state_folder)
    try:
        folder = private.make(settings.work_folder)
    except OSError as error:
        print(f"No folder for the pixels can be made: {error}", file=sys.stderr)
        return 2

    def engines() -> Engines:
        from .engines import Engines

        return Engines(settings)

    def ended() -> None:
        """The host is gone: its pixels go at once, and what is paid for goes on. A step that does not see the cancel
        in time must not keep the process."""
        folder.remove()
        _leave(out)
        done.wait(GRACE_SECONDS)
        while worker.busy and not done.wait(GRACE_SECONDS):
            pass
        os._exit(0)

    done = threading.Event()
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    worker = Worker(lines, out, folder.path, engines)
    try:
        worker.serve(ended)
    finally:
        done.set()
        folder.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
