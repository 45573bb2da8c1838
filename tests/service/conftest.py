"""The offline service, as real HTTP on loopback, and pictures with an exactly known cut-out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from layerlift.offline import Options, Twin
from PIL import Image


@pytest.fixture
def make_twin() -> Iterator[Callable[..., Twin]]:
    """Starts twins with the given fields of `Options` (and the clocks of `Twin`); they end with the test."""
    with ExitStack() as stack:

        def make(clocks: dict[str, Any] | None = None, **options: Any) -> Twin:
            if "forms" in options:
                options["forms"] = frozenset(options["forms"])
            return stack.enter_context(Twin(Options(**options), **(clocks or {})))

        yield make


@pytest.fixture
def twin(make_twin: Callable[..., Twin]) -> Twin:
    """A twin with the defaults of the live service."""
    return make_twin()


@pytest.fixture
def make_picture() -> Callable[..., bytes]:
    """Encodes a gray picture: the left half dark (opaque in the cut-out), the right half white (transparent)."""

    def make(width: int = 64, height: int = 48, kind: str = "JPEG", dark: int = 0) -> bytes:
        image = Image.new("RGB", (width, height), "white")
        image.paste((dark, dark, dark), (0, 0, width // 2, height))
        stream = io.BytesIO()
        image.save(stream, kind, **({"quality": 95} if kind == "JPEG" else {}))
        return stream.getvalue()

    return make


@pytest.fixture
def picture(make_picture: Callable[..., bytes]) -> bytes:
    """A small JPEG with a subject."""
    return make_picture()
