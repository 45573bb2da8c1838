"""What a host's settings dialog asks of the worker: the key, the consent, the balance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.programs import WORKER
from helpers.waiting import wait_for
from layerlift.twin import Fault, Twin

from .proxy import Proxy
from .worker_host import ask, said

KEY = "sk-0123456789-very-secret"


def kept(key: str | None = None, place: str | None = None, agreed: bool = False) -> dict[str, Any]:
    return {"key": key, "key_place": place, "key_error": None, "agreed": agreed, "host": "service.example"}


def contents(home: Path) -> dict[str, bytes]:
    """What is kept of the user's settings."""
    kept = (home / name for name in ("api-key", "settings.json"))
    return {path.name: path.read_bytes() for path in kept if path.exists()}


@pytest.fixture
def host(start: Any) -> Any:
    return start(YOUCAM_API_URL="https://service.example")


def test_without_a_key_the_settings_are_told_too(host: Any) -> None:
    assert ask(host, type="settings") == kept()


def test_a_key_is_set_shown_redacted_and_forgotten(host: Any, environ: dict[str, str]) -> None:
    assert ask(host, type="key", key=f"  {KEY}\n") == kept("...cret", "file")
    assert Path(environ["LAYERLIFT_HOME"], "api-key").read_text() == KEY
    assert ask(host, type="settings") == kept("...cret", "file")
    assert ask(host, type="key", key=None) == kept()
    assert not Path(environ["LAYERLIFT_HOME"], "api-key").exists()


def test_a_key_of_the_environment_comes_first_and_is_told_to_be_there(start: Any) -> None:
    host = start(YOUCAM_API_URL="https://service.example", YOUCAM_API_KEY="sk-of-the-environment")
    assert ask(host, type="key", key=KEY) == kept("...ment", "environment")
    assert ask(host, type="key", key=None) == kept("...ment", "environment")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "bad_job"),
        ({"key": 5}, "bad_job"),
        ({"key": ["sk"]}, "bad_job"),
        ({"key": ""}, "key_missing"),
        ({"key": " \n"}, "key_missing"),
        ({"key": "two words"}, "InvalidApiKey"),
        ({"key": "sk-\u00e4"}, "InvalidApiKey"),
        ({"key": "\ud800"}, "InvalidApiKey"),
    ],
    ids=str,
)
def test_what_is_no_key_is_refused_and_the_stored_one_stays(
    host: Any, environ: dict[str, str], fields: dict[str, Any], code: str
) -> None:
    ask(host, type="key", key=KEY)
    assert ask(host, type="key", **fields) == {"code": code}
    assert Path(environ["LAYERLIFT_HOME"], "api-key").read_text() == KEY


def test_the_key_is_in_no_answer_no_log_and_no_process_list(start: Any, twin: Twin, environ: dict[str, str]) -> None:
    host = start(None, *WORKER, YOUCAM_API_URL=twin.url)
    answers = [ask(host, type="key", key=twin.key), ask(host, type="balance", engine="youcam")]
    answers += [ask(host, type="key", key=f"{twin.key} ?"), ask(host, type="key", key=[twin.key])]
    process = Path(f"/proc/{host.process.pid}")
    seen = json.dumps(answers).encode() + (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert host.end() == 0
    host.close()
    logs = list(Path(environ["LAYERLIFT_HOME"]).glob("*.log*"))
    assert logs and b"credit" in logs[0].read_bytes()
    seen += host.errors.encode() + b"".join(log.read_bytes() for log in logs)
    assert twin.key.encode() not in seen


def test_consent_is_given_and_withdrawn(host: Any, environ: dict[str, str]) -> None:
    ask(host, type="key", key=KEY)
    for fields, agreed in (
        ({}, True),
        ({"agreed": False}, False),
        ({"agreed": False}, False),
        ({"agreed": True}, True),
    ):
        assert ask(host, type="agree", **fields) == {"host": "service.example"}
        assert ask(host, type="settings")["agreed"] is agreed
        assert ask(host, type="consent") == {"agreed": agreed, "host": "service.example"}
    ask(host, type="agree", agreed=False)
    host.job("2")
    assert host.until_end("2")[1]["code"] == "consent_needed"


@pytest.mark.parametrize("kind", ["job", "batch"])
def test_consent_to_one_run_is_not_remembered(start: Any, proxy: Proxy, environ: dict[str, str], kind: str) -> None:
    host = start(**proxy.environ)
    picture = {"name": "a.jpg", "pixels": "1.raw", "width": 96, "height": 32, "channels": 3}
    question = {"type": kind, "engine": "auto", **(picture if kind == "job" else {"pictures": [picture]})}
    (host.folder / "1.raw").write_bytes(bytes(96 * 32 * 3))
    host.send(id="once", agreed=True, **question)
    wait_for(lambda: proxy.seen)
    host.send(type="cancel", id="once")
    while host.next()["type"] not in ("result", "error"):
        continue
    assert ask(host, **question) == {"code": "consent_needed"}
    assert ask(host, type="settings")["agreed"] is False
    assert contents(Path(environ["LAYERLIFT_HOME"])) == {}


@pytest.mark.parametrize("agreed", [None, 0, "no"], ids=str)
def test_an_unclear_consent_is_refused_and_changes_nothing(host: Any, agreed: Any) -> None:
    ask(host, type="agree")
    assert ask(host, type="agree", agreed=agreed) == {"code": "bad_job"}
    assert ask(host, type="settings")["agreed"] is True


@pytest.mark.parametrize("engine", ["auto", "youcam"])
def test_the_balance_is_told_with_who_was_asked_and_nothing_is_charged(start: Any, make_twin: Any, engine: str) -> None:
    twin = make_twin(units=12.5)
    host = start(twin)
    assert ask(host, type="balance", engine=engine) == {"engine": "youcam", "units": 12.5, "host": "127.0.0.1"}
    assert ([call.step for call in twin.requests], twin.charged) == (["balance"], 0.0)


@pytest.mark.parametrize("engine", ["auto", "offline"])
def test_the_offline_engine_shows_that_it_can_be_used(start: Any, engine: str) -> None:
    found = ask(start(), type="balance", engine=engine)
    assert (found["engine"], found["host"]) == ("offline", None) and found["units"] > 1000


def test_the_balance_needs_a_key_that_the_service_knows(start: Any, twin: Twin) -> None:
    host = start(YOUCAM_API_URL=twin.url)
    assert ask(host, type="balance", engine="youcam") == {"code": "no_key"}
    ask(host, type="key", key="sk-of-nobody")
    assert ask(host, type="balance", engine="youcam") == {"code": "InvalidApiKey"}
    assert ask(host, type="balance", engine="other") == {"code": "bad_job"}
    ask(host, type="key", key=twin.key)
    assert ask(host, type="balance", engine="youcam")["units"] == 1000


@pytest.mark.parametrize("stored", [None, "sk-of-nobody-that-is-stored"])
def test_a_key_is_tried_and_not_kept(start: Any, twin: Twin, environ: dict[str, str], stored: str | None) -> None:
    home, host = Path(environ["LAYERLIFT_HOME"]), start(YOUCAM_API_URL=twin.url)
    if stored:
        ask(host, type="key", key=stored)
    before, files = ask(host, type="settings"), contents(home)
    for engine in ("youcam", "auto"):
        found = ask(host, type="balance", engine=engine, key=f" {twin.key}\n")
        assert found == {"engine": "youcam", "units": 1000, "host": "127.0.0.1"}
    assert ask(host, type="balance", engine="auto", key="sk-of-somebody") == {"code": "InvalidApiKey"}
    assert (ask(host, type="settings"), contents(home)) == (before, files)
    untold = ask(host, type="balance", engine="youcam")
    assert untold == {"code": "InvalidApiKey" if stored else "no_key"}, "the key was remembered"
    assert twin.charged == 0


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "bad_job"),
        (5, "bad_job"),
        ("", "key_missing"),
        (" \n", "key_missing"),
        ("two words", "InvalidApiKey"),
        ('"quoted"\r\nX-Other: 1', "InvalidApiKey"),
        ("sk-\u00e4", "InvalidApiKey"),
        ("\ud800", "InvalidApiKey"),
    ],
    ids=ascii,
)
def test_what_is_no_key_is_not_tried(start: Any, twin: Twin, key: Any, code: str) -> None:
    host = start(YOUCAM_API_URL=twin.url)
    assert ask(host, type="balance", engine="auto", key=key) == {"code": code}
    assert twin.requests == []


def test_the_offline_engine_asks_no_service_whatever_key_is_tried(start: Any, twin: Twin) -> None:
    host = start(YOUCAM_API_URL=twin.url)
    assert ask(host, type="balance", engine="offline", key=twin.key)["host"] is None
    assert twin.requests == []


def test_the_balance_needs_no_consent_since_nothing_is_uploaded(start: Any, proxy: Proxy) -> None:
    host = start(**proxy.environ)
    host.send(type="balance", id="1", engine="auto")
    wait_for(lambda: proxy.seen)
    host.send(type="cancel", id="1")
    assert host.until_end("1")[1]["code"] == "cancelled"


def test_a_service_that_is_not_reached_is_told(start: Any) -> None:
    host = start(YOUCAM_API_URL="http://127.0.0.1:9", YOUCAM_API_KEY=KEY)
    assert ask(host, type="balance", engine="auto") == {"code": "unreachable"}


def test_a_balance_that_does_not_come_can_be_cancelled(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("balance", "hang", seconds=60))
    host.send(type="balance", id="1", engine="auto")
    wait_for(lambda: twin.calls("balance"))
    host.send(type="cancel", id="1")
    assert host.until_end("1")[1]["code"] == "cancelled"


def test_settings_that_can_not_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    lines = [json.dumps({"type": kind, "id": kind, "key": KEY}) for kind in ("key", "agree")]
    codes = [answer.get("code") for answer in said(lines, tmp_path)]
    assert codes == [None, "no_keyring", "disk"]
