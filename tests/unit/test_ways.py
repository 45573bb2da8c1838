"""The buttons that hosts offer for what users can do about an error."""

from __future__ import annotations

from typing import get_args

import pytest
from layerlift.command import consent
from layerlift.errors.kinds import Kind
from layerlift.removal.choices import CHOICES

from plugin.common import ways

WITHOUT_BUTTONS = {"agree", "reinstall", "other_picture", "cancelled"}
"""Consent is a question of its own; about the others a host can do nothing."""


@pytest.mark.parametrize("engine", CHOICES)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_of_error_has_its_ways_out_and_each_has_its_button(kind: str, engine: str) -> None:
    found = ways.out_of(kind, engine)
    assert bool(found) == (kind not in WITHOUT_BUTTONS) and len(set(found)) == len(found)
    assert set(found) <= set(ways.LABELS)
    assert engine != "offline" or ways.OFFLINE not in found, "it is what has failed"
    assert keys(ways.LABELS[way] for way in found) is not None


def test_all_faces_name_the_same_page_for_keys() -> None:
    assert ways.KEY_PAGE == consent.KEY_PAGE


def test_who_has_no_units_can_buy_some_and_who_has_no_key_can_set_one() -> None:
    assert ways.out_of("buy", "auto")[0] == ways.BUY
    assert ways.out_of("set_key", "youcam") == (ways.SETTINGS, ways.OFFLINE)
    assert ways.out_of("pay_again", "youcam") == (ways.PAY_AGAIN,)


def test_a_kind_that_only_a_newer_worker_knows_has_no_way_out() -> None:
    assert ways.out_of("of a newer worker", "auto") == ()


def keys(labels: object) -> list[str]:
    """The letters that press these buttons, each one alone."""
    found = [label[label.index("_") + 1].lower() for label in labels]  # type: ignore[attr-defined]
    assert len(set(found)) == len(found), labels
    return found


def test_no_two_answers_about_an_upload_have_the_same_key() -> None:
    assert len(keys(ways.CONSENT.values())) == 3
