"""A worker as a child of Krita's event loop: what `common` knows, by Qt's signals instead of threads."""

from __future__ import annotations

import contextlib
from typing import Any

from .common import installed, protocol, stages
from .qt import QtCore, languages, sip


class Worker(QtCore.QObject):
    """A running worker; it answers one message of each kind at a time.

    `is_at_service` is whether it only waits for the service.

    Signals:
        ready(folder): it has started; pixels are written for it in `folder`.
        progressed(text, fraction): a line for the user, and the fraction of the whole, of what was asked first.
        advanced(message): how far anything is that was asked.
        ended(message): what became of one picture of a batch.
        answered(message): a result; its `id` is the kind of what was asked.
        failed(code, text, kind): what was asked is refused; or, where `kind` is "", it has died. The code is its own
            or the protocol's, the text is for the user.
    """

    ready = QtCore.pyqtSignal(str)
    progressed = QtCore.pyqtSignal(str, float)
    advanced = QtCore.pyqtSignal(dict)
    ended = QtCore.pyqtSignal(dict)
    answered = QtCore.pyqtSignal(dict)
    failed = QtCore.pyqtSignal(str, str, str)

    def __init__(self) -> None:
        super().__init__()
        self._rest, self._was_ready = b"", False
        self.is_at_service = False
        self._asked: list[str] = []
        self._process = QtCore.QProcess()
        self._silence = QtCore.QTimer()
        self._silence.setSingleShot(True)
        self._silence.timeout.connect(self._silent)

    def start(self) -> None:
        """Start it; the answer is `ready` or `failed`, once the event loop runs again."""
        QtCore.QTimer.singleShot(0, self._start)

    def ask(self, kind: str, **fields: Any) -> None:
        """Send one message; its result is `answered` or `failed`."""
        self._asked.append(kind)
        self._process.write(protocol.line(kind, kind, fields))
        self._wait(protocol.SILENCE_SECONDS)

    def is_running(self) -> bool:
        """Whether it can be asked."""
        return bool(self._process.state() == QtCore.QProcess.ProcessState.Running)

    def disconnect_all(self) -> None:
        """Nobody who has heard of it does any more."""
        for signal in (self.ready, self.progressed, self.advanced, self.ended, self.answered, self.failed):
            # There may be nobody.
            with contextlib.suppress(TypeError):
                signal.disconnect()

    def is_asked(self, kind: str) -> bool:
        """Whether a question of this kind waits for its answer."""
        return kind in self._asked

    def cancel(self, *kinds: str) -> bool:
        """Have what was asked of these kinds end soon, by its result or as failed; whether there is any."""
        asked = [kind for kind in kinds if kind in self._asked]
        for kind in asked:
            self._process.write(protocol.line("cancel", kind, {}))
        return bool(asked)

    def close(self) -> None:
        """Let it go without a further signal: the end of its input is its sign to clean up.

        One that has paid work to finish goes on alone, also after Krita's end.
        """
        self._silence.stop()
        self.blockSignals(True)
        if self._process.state() == QtCore.QProcess.ProcessState.NotRunning:
            return
        process = self._process
        process.closeWriteChannel()
        # A QProcess that is deleted kills its program: from now on Python must not delete it.
        sip.transferto(process, None)
        process.finished.connect(process.deleteLater)
        # One that goes on alone lets go of its pipes; one that keeps them hangs.
        hanging = QtCore.QTimer(process)
        hanging.setSingleShot(True)
        hanging.timeout.connect(process.kill)
        process.readChannelFinished.connect(hanging.stop)
        hanging.start(int(protocol.END_SECONDS * 1000))

    def _start(self) -> None:
        if self.signalsBlocked():
            return
        try:
            program, *arguments = installed.command()
        except protocol.WorkerError as error:
            self._fail(error)
            return
        # Qt's own, not os.environ, whose text may not be what Qt needs.
        environment = QtCore.QProcessEnvironment.systemEnvironment()
        for name in set(environment.keys()) - installed.environment(dict.fromkeys(environment.keys(), "")).keys():
            environment.remove(name)
        environment.insert("LANGUAGE", ":".join(languages()))
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._not_started)
        self._process.start(program, arguments)
        self._wait(protocol.HELLO_SECONDS)

    def _wait(self, seconds: float) -> None:
        self._silence.start(int(seconds * 1000))

    def _read(self) -> None:
        self._rest += bytes(self._process.readAllStandardOutput())
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            message = protocol.parsed(line)
            if message is not None:
                if self._silence.isActive():
                    self._silence.start()
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        kind, asked = message.get("type"), str(message.get("id"))
        if kind == "progress":
            self.advanced.emit(message)
            if asked == next(iter(self._asked), None):
                self.is_at_service = stages.is_at_service(message)
                self.progressed.emit(stages.caption(message), stages.overall(message))
        elif kind == "ended":
            self.ended.emit(message)
        elif kind == "hello":
            self._silence.stop()
            self._was_ready = True
            try:
                self.ready.emit(protocol.folder_of(message))
            except protocol.WorkerError as error:
                self._fail(error)
        elif kind in ("error", "result") and asked in self._asked:
            self._asked.remove(asked)
            self.is_at_service = False
            if not self._asked:
                self._silence.stop()
            if kind == "error":
                self._fail(protocol.refusal(message, {}), asked)
            else:
                self.answered.emit(message)

    def _ended(self) -> None:
        complaints = bytes(self._process.readAllStandardError()).decode("utf-8", "replace").split("\n")
        self._fail(protocol.died([line.strip() for line in complaints if line.strip()], self._was_ready))

    def _not_started(self, error: Any) -> None:
        if error == QtCore.QProcess.ProcessError.FailedToStart:
            self._fail(protocol.not_started(self._process.errorString()))

    def _silent(self) -> None:
        self._fail(protocol.silent())

    def _fail(self, error: protocol.WorkerError, asked: str = "") -> None:
        if not asked:
            self._silence.stop()
        self.failed.emit(error.kind, str(error), asked)
