"""The graphics cards that onnxruntime can run a model on, and which of them work here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..language import N_, _

_FAILED = N_("The graphics card could not be used ({reason}), so the processor was.")
_log = logging.getLogger(__name__)


class Accelerator(NamedTuple):
    """A provider of onnxruntime, under the name that users know."""

    name: str
    provider: str
    options: dict[str, str]


ACCELERATORS = (
    Accelerator("CUDA", "CUDAExecutionProvider", {}),
    Accelerator("DirectML", "DmlExecutionProvider", {}),
    Accelerator("OpenVINO", "OpenVINOExecutionProvider", {"device_type": "GPU"}),
    Accelerator("CoreML", "CoreMLExecutionProvider", {}),
)
"""In the order in which they are tried. Each is in a build of onnxruntime of its own; CoreML is in that for macOS."""


class Accelerators:
    """Those that this process may use. One that has failed is not tried again.

    Args:
        wanted: whether the user wants a graphics card to be used; asked for each session.
        known: those to try, in this order.
    """

    def __init__(self, wanted: Callable[[], bool], known: Sequence[Accelerator] = ACCELERATORS) -> None:
        self._wanted = wanted
        self._known = known
        self._failures: dict[str, str] = {}
        self._told = False

    def usable(self, onnxruntime: Any) -> list[Accelerator]:
        """Those that this build of onnxruntime has, and that have not failed."""
        if not self._wanted():
            return []
        available = onnxruntime.get_available_providers()
        return [one for one in self._known if one.provider in available and one.name not in self._failures]

    def give_up(self, accelerator: Accelerator, reason: str) -> None:
        """It does not work here."""
        self._failures[accelerator.name] = reason
        _log.info("%s can't be used: %s", accelerator.name, reason)

    @property
    def failure(self) -> str:
        """A sentence for the user on those that have failed; empty where none has."""
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self._failures.items())
        return _(_FAILED).format(reason=reasons) if reasons else ""

    def tell_failure(self) -> str:
        """`failure`, for the first who asks once there is one."""
        told, self._told = self._told, self._told or bool(self._failures)
        return "" if told else self.failure
