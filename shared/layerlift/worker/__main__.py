"""The worker's process: it serves one host on standard input and output. Run as ``python -m layerlift.worker``."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from typing import IO, TYPE_CHECKING

from .. import language
from ..imaging import blas
from ..language import _
from ..store import log
from . import private
from .worker import Worker

if TYPE_CHECKING:
    from ..removal.engines import Engines

GRACE_SECONDS = 3.0


def _leave(out: IO[str]) -> None:
    """Lets go of the host's pipes, so that nobody waits for the end of a worker that goes on without them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (out.fileno(), 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def main() -> int:
    """Serves one host on standard input and output."""
    blas.use_one_thread()
    language.speak()
    from ..store.settings import Settings

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
        print(_("No folder for the pixels can be made: {error}").format(error=error), file=sys.stderr)
        return 2

    def engines() -> Engines:
        from ..removal.engines import Engines

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
    terminated = threading.Event()

    def terminate(*_: object) -> None:
        """The end of the session ends it as the end of its host does: what is paid for is finished."""
        if not terminated.is_set():
            terminated.set()
            threading.Thread(target=worker.end, args=(ended,), daemon=True).start()

    signal.signal(signal.SIGTERM, terminate)
    try:
        worker.serve(ended)
    finally:
        done.set()
        folder.remove()
    if terminated.is_set():
        # Python's own end would abort, since its input is still being read.
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
