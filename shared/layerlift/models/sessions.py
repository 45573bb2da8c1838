"""A model in memory: onnxruntime's session, from a picture to its alpha at the model's own size."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import errors
from ..language import _
from .accelerators import Accelerator, Accelerators
from .table import Recipe

_SHORT = re.compile("bad_alloc|bad allocation|failed to allocate|out of memory|insufficient memory", re.IGNORECASE)
"""What onnxruntime says where the memory does not do."""
_FATAL = 4
_PROCESSOR = "CPUExecutionProvider"
_log = logging.getLogger(__name__)
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def check() -> None:
    """Raises SetupError `no_engine` where onnxruntime is not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise errors.make("no_engine", _("onnxruntime is missing"))


class Session:
    """A model that is loaded; it is used by one thread at a time.

    Args:
        accelerators: what it is tried on first. Whatever fails there is done on the processor.

    Raises SetupError: `no_engine`; `model_unfit` for a file that is no model or takes other than one picture.
    MemoryError where it does not fit into the memory.
    """

    def __init__(self, path: Path, accelerators: Accelerators | None = None) -> None:
        # Official builds of onnxruntime report the models they load to its maker, from 1.29 on also on Linux.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        try:
            self._onnxruntime: Any = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise errors.make("no_engine", str(error)) from error
        self._path = path
        self._accelerators = accelerators
        self._accelerator: Accelerator | None = None
        self._stopped = False
        self._session = self._load()
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _TYPES:
            raise errors.make("model_unfit", _("it does not take one picture of floating-point numbers"))
        self._input = inputs[0].name
        self._type = _TYPES[inputs[0].type]
        self._make_options = self._onnxruntime.RunOptions
        self._options = self._make_options()
        self.shape: list[int | str | None] = list(inputs[0].shape)
        """What it takes: (1, 3, height, width), as far as the file tells."""

    @property
    def processor(self) -> str:
        """The name of the accelerator that it runs on; empty where the processor does it."""
        return self._accelerator.name if self._accelerator else ""

    def _load(self) -> Any:
        """onnxruntime's session on the first accelerator that works, else on the processor."""
        if self._accelerators is not None:
            # Says whatever the libraries of a card's maker lack on standard error.
            self._onnxruntime.set_default_logger_severity(_FATAL)
            for accelerator in self._accelerators.usable(self._onnxruntime):
                self._accelerator = accelerator
                with self._giving_up():
                    _find_libraries(self._onnxruntime, accelerator)
                    session = self._open([(accelerator.provider, accelerator.options), _PROCESSOR])
                    if accelerator.provider in session.get_providers():
                        return session
                    raise RuntimeError(_("it does not start"))
        self._accelerator = None
        with _reading():
            return self._open([_PROCESSOR])

    def _open(self, providers: list[Any]) -> Any:
        options = self._onnxruntime.SessionOptions()
        options.intra_op_num_threads = _cores()
        # The arena keeps what one layer has needed for the next: nearly twice the memory, and no time is won.
        options.enable_cpu_mem_arena = False
        # DirectML can't have it, and nothing of a single size of pictures is lost by it.
        options.enable_mem_pattern = self._accelerator is None
        options.log_severity_level = _FATAL
        return self._onnxruntime.InferenceSession(str(self._path), options, providers=providers)

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Whatever fails on the accelerator is its failure, unless somebody has stopped it."""
        try:
            yield
        except Exception as error:
            if self._accelerators is None or self._accelerator is None or self._stopped:
                raise
            self._accelerators.give_up(self._accelerator, _first_line(error))

    def run(self, image: Image.Image, recipe: Recipe) -> NDArray[np.float32]:
        """The alpha (height, width) of an RGB picture, 0 to 1, of the model's own size. What is no number is 0.

        Raises SetupError `model_unfit`, MemoryError.
        """
        output = self.ask(image, recipe)
        if recipe.logits:
            with np.errstate(over="ignore"):
                output = (1 / (1 + np.exp(-output))).astype(np.float32, copy=False)
        clean: NDArray[np.float32] = np.nan_to_num(output, nan=0.0, posinf=1.0, neginf=0.0)
        return clean.clip(0, 1)

    def ask(self, image: Image.Image, recipe: Recipe) -> NDArray[np.float32]:
        """What the model says to a picture (height, width), as it is."""
        values = _values(image, recipe).astype(self._type, copy=False)
        while self._accelerator is not None:
            with _reading(), self._giving_up():
                output = self._answer(values)
                if not np.isfinite(output).all():
                    raise ArithmeticError(_("it returned values that are not numbers"))
                break
            self._session = self._load()
        else:
            with _reading():
                output = self._answer(values)
        if output.ndim not in (3, 4) or output.size != output.shape[-1] * output.shape[-2] or output.size < 4:
            raise errors.make("model_unfit", _("it does not return one map"))
        return output.reshape(output.shape[-2:]).astype(np.float32, copy=False)

    def _answer(self, values: NDArray[Any]) -> NDArray[Any]:
        self._options = self._make_options()
        # Whoever stops it now may have seen the options of before.
        self._options.terminate = self._stopped
        return np.asarray(self._session.run(None, {self._input: values}, self._options)[0])

    def stop(self) -> None:
        """Ends what runs, and whatever would, until `resume`; from any thread."""
        self._stopped = True
        self._options.terminate = True

    def resume(self) -> None:
        """Lets it run again."""
        self._stopped = False


@contextmanager
def _reading() -> Iterator[None]:
    """What onnxruntime raises, as MemoryError or SetupError `model_unfit`."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if _SHORT.search(str(error)):
            raise MemoryError(str(error)) from error
        raise errors.make("model_unfit", _first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else ""


def _find_libraries(onnxruntime: Any, accelerator: Accelerator) -> None:
    """CUDA's libraries are in packages beside onnxruntime, where no system looks. What it misses, it prints."""
    if accelerator.provider.startswith("CUDA") and hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            onnxruntime.preload_dlls()
        _log.info("%s", said.getvalue().strip())


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _values(image: Image.Image, recipe: Recipe) -> NDArray[np.float32]:
    """An RGB picture as the model takes it: 1 x 3 x side x side, the aspect not kept."""
    small = image.resize((recipe.side, recipe.side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.asarray(small, np.float32)
    pixels = pixels / (recipe.scale or max(1.0, float(pixels.max())))
    normal = (pixels - np.array(recipe.mean, np.float32)) / np.array(recipe.deviation, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])
