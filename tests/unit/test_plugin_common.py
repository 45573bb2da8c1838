"""What all plug-ins share: stages and options, beside what the worker knows of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layerlift.removal.stages import Stage

from plugin.common import stages
from plugin.common.options import AS_MASK, ENGINES, Options

SCHEMA = Path(__file__).resolve().parents[2] / "shared" / "docs" / "worker-protocol.schema.json"


def test_progress_of_stages_that_it_does_not_know_is_shown_all_the_same() -> None:
    assert stages.caption({"stage": "new", "text": "50 %", "engine": "other"}) == "Working (50 %)"
    assert stages.overall({"stage": "new", "fraction": 0.5}) == 0.0
    assert stages.caption({"stage": "prepare"}) == "Preparing the picture"
    assert stages.overall({"stage": "waiting", "fraction": 0.5}) == pytest.approx(0.475)
    assert stages.overall({"stage": "insert", "fraction": 1}) == 1


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.READ, Stage.WRITE)])
def test_every_stage_that_the_worker_names_has_its_line_and_its_part_of_the_bar(stage: Stage) -> None:
    assert "Working" not in stages.caption({"stage": stage.value})
    begin, end = (stages.overall({"stage": stage.value, "fraction": fraction}) for fraction in (0, 1))
    assert 0 < begin < end < 1


def test_the_user_can_choose_the_engines_that_the_worker_takes() -> None:
    assert list(ENGINES) == json.loads(SCHEMA.read_text("utf-8"))["$defs"]["choice"]["enum"]


def test_options_that_a_host_keeps_as_text_come_back_and_what_is_no_valid_one_counts_as_none() -> None:
    kept: dict[str, str] = {}
    chosen = Options("offline", AS_MASK, False, False)
    chosen.write(kept.__setitem__)
    assert Options.read(kept.__getitem__) == chosen
    assert Options.read(lambda name: "something") == Options.read(lambda name: "") == Options()
