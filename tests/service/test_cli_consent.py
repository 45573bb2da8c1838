"""What the command asks on a terminal before it uploads, and what it advises after a draft."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.waiting import wait_for
from layerlift.command.consent import ASKED_UNITS, KEY_PAGE, advise_key
from layerlift.removal.choices import Name
from layerlift.removal.engines import Engine, Engines
from layerlift.store.settings import Settings
from layerlift.twin import Fault

from .command import half_black, key_of
from .proxy import Proxy
from .wire import client

PORTRAIT = Path(__file__).parents[1] / "photos" / "astronaut.jpg"
PROMPT = "[o/a/f/N] "


@pytest.fixture
def user(environ: dict[str, str], proxy: Proxy) -> dict[str, str]:
    """Somebody who has a key, and has not agreed to uploads."""
    return {**environ, **proxy.environ}


def preferences(environ: dict[str, str]) -> dict[str, Any]:
    path = Path(environ["LAYERLIFT_HOME"], "settings.json")
    return dict(json.loads(path.read_text())) if path.exists() else {}


@pytest.mark.parametrize(
    ("answer", "status"), [("\n", 2), ("n\n", 2), ("y\nNO\n", 2), ("\x04", 2), ("\x03", 1)], ids=ascii
)
def test_nothing_is_uploaded_by_enter_alone_or_by_what_is_no_answer(
    user: dict[str, str], proxy: Proxy, photos: Path, terminal: Any, answer: str, status: int
) -> None:
    half_black().save(photos / "a.png")
    asked = terminal(user, "remove", photos)
    asked.until(PROMPT)
    assert "Upload 1 picture to service.example? Cost: up to 1 unit. Balance: unknown." in asked.text
    seen = proxy.seen
    asked.type(answer)
    assert asked.end() == status and "Traceback" not in asked.text
    assert asked.text.count(PROMPT) == (2 if "y" in answer else 1)
    assert (proxy.seen, preferences(user)) == (seen, {})


@pytest.mark.parametrize(("answer", "again"), [("o", True), ("ALWAYS", False)])
def test_uploads_are_agreed_to_once_or_for_good(
    user: dict[str, str], proxy: Proxy, photos: Path, terminal: Any, answer: str, again: bool
) -> None:
    for number in range(ASKED_UNITS + 1):
        half_black().save(photos / f"{number}.png")
    asked = terminal(user, "remove", photos)
    asked.until(PROMPT)
    assert f"Cost: up to {ASKED_UNITS + 1} units." in asked.text
    seen = proxy.seen
    asked.type(f"{answer}\n")
    asked.until("Engine: YouCam")
    wait_for(lambda: proxy.seen > seen)
    asked.type("\x03")
    assert asked.end() == 1 and "Go on?" not in asked.text, "the cost was asked for twice"
    assert preferences(user) == ({} if again else {"upload_agreed": ["service.example"]})
    following = terminal(user, "remove", photos / "0.png")
    following.until(PROMPT if again else "Engine: YouCam")
    assert (PROMPT in following.text) == again


def test_who_works_offline_when_asked_gets_a_draft_uploads_nothing_and_no_advice(
    user: dict[str, str], proxy: Proxy, photos: Path, terminal: Any
) -> None:
    asked = terminal(user, "remove", PORTRAIT, "--output-dir", photos)
    asked.until(PROMPT)
    seen = proxy.seen
    asked.type("f\n")
    assert asked.end() == 0
    assert "Engine: offline" in asked.text and "API key" not in asked.text
    assert (proxy.seen, preferences(user)) == (seen, {})
    assert (photos / "astronaut-cutout.png").exists()


def test_a_balance_that_can_not_be_told_keeps_nobody_from_many_pictures(
    environ: dict[str, str], make_twin: Any, photos: Path, terminal: Any
) -> None:
    twin = make_twin(faults=[Fault("balance", "503", times=9)])
    for number in range(ASKED_UNITS + 1):
        half_black(64 + number).save(photos / f"{number}.png")
    asked = terminal({**environ, **key_of(twin)}, "remove", photos)
    asked.until("Balance: unknown. Go on? [y/N]")
    asked.type("y\n")
    assert (asked.end(), twin.charged) == (0, ASKED_UNITS + 1)


def test_who_comes_to_the_offline_engine_is_told_once_where_to_get_a_key(
    environ: dict[str, str], photos: Path, terminal: Any
) -> None:
    for advised in (True, False):
        shown = terminal(environ, "remove", PORTRAIT, "-o", photos / "a.png")
        assert shown.end() == 0
        assert (f"Get a key at {KEY_PAGE} and run 'layerlift key set'." in shown.text) == advised
    assert preferences(environ) == {"key_advised": True}


@pytest.mark.parametrize(
    ("changes", "is_terminal", "advised"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"json": True}, True, False),
        ({"engine": "offline"}, True, False),
        ({"engine": "youcam"}, True, False),
    ],
    ids=str,
)
def test_advice_is_for_those_who_read_it_and_did_not_choose(
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    is_terminal: bool,
    advised: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    options = argparse.Namespace(**{"json": False, "engine": "auto", **changes})
    name: Name = "youcam" if options.engine == "youcam" else "offline"
    with Engines(Settings(environ)) as engines:
        advise_key(engines, options, Engine(name, client(SimpleNamespace(url="http://127.0.0.1:9", key="sk")), 0))
    assert (KEY_PAGE in capsys.readouterr().err, preferences(environ)) == (
        advised,
        {"key_advised": True} if advised else {},
    )
