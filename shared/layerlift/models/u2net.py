"""The offline engine: u2netp (Qin et al. 2020) on onnxruntime. A quick draft, good on single objects and portraits."""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import errors
from ..language import _
from ..twin.engines import EngineError, cut_out, decode
from . import fetching

SIDE = 320
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
THREADS = 2
NOTHING = 0.5


def u2netp(path: Path) -> Callable[[bytes], bytes]:
    """An engine on the model file at `path`, to be called from any thread; one picture at a time.

    The file is checked now, the model is loaded at the first picture (0.1 s). Raises SetupError `no_model` for a
    missing or wrong file, `no_engine` where onnxruntime is not installed. The engine raises EngineError, with the code
    `error_no_subject` where the model's best guess is below 0.5: its answer to no subject is a faint ghost.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise errors.make("no_engine", _("onnxruntime is missing"))
    fetching.read(path)
    lock = threading.Lock()
    loaded: list[Any] = []

    def engine(picture: bytes) -> bytes:
        image = decode(picture)
        values = _input(image)
        with lock:
            if not loaded:
                loaded.append(_session(fetching.read(path)))
            session = loaded[0]
            outputs = session.run(None, {session.get_inputs()[0].name: values})
        matte = cast("NDArray[np.float32]", outputs[0])[0, 0]
        if matte.max() < NOTHING:
            raise EngineError("error_no_subject", "No subject was found")
        small = Image.fromarray(np.rint(matte.clip(0, 1) * 255).astype(np.uint8))
        return cut_out(image, small.resize(image.size, Image.Resampling.BICUBIC))

    return engine


def _session(data: bytes) -> Any:
    # Official builds of onnxruntime report the models they load to its maker, from 1.29 on also on Linux.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise errors.make("no_engine", str(error)) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _input(image: Image.Image) -> NDArray[np.float32]:
    """An RGB picture as the model takes it: float32, 1 x 3 x 320 x 320, the aspect not kept."""
    small = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.asarray(small, np.float32)
    pixels /= max(1.0, float(pixels.max()))
    normal = (pixels - MEAN) / DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])
