"""Services that host tests are worked for by."""

from __future__ import annotations

from pathlib import Path

from layerlift.twin import Options, Twin
from layerlift.twin.engines import luma_key

from .window import wait_for


def held(gate: Path) -> Options:
    """A service that ends its tasks while the file is there, and takes any number of requests."""

    def engine(picture: bytes) -> bytes:
        wait_for(gate.exists, "the gate to open", 300.0)
        return luma_key(picture)

    return Options(engine=engine, polling_interval_ms=1000, poll_within_seconds=120.0, rate=(10_000, 1.0))


def account_of(twin: Twin) -> dict[str, str]:
    """Variables of a user with an account there, whose programs send no more than the service takes."""
    requests, seconds = twin.options.rate
    return {
        "YOUCAM_API_URL": twin.url,
        "YOUCAM_API_KEY": twin.key,
        "LAYERLIFT_RATE": f"{requests}/{seconds:g}",
    }
