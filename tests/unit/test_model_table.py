"""The table of offline models: each entry is whole, and none is of a licence that would forbid its use."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from layerlift.models.table import MODELS, Model

FREE = {"Apache-2.0", "MIT"}


def test_each_model_and_each_file_is_there_once() -> None:
    names = [model.name for model in MODELS]
    files = [file.name.casefold() for model in MODELS for file in model.files]
    hashes = [file.hash for model in MODELS for file in model.files]
    assert [len(set(found)) for found in (names, files, hashes)] == [len(names), len(files), len(hashes)]
    assert {"u2netp", "isnet", "isnet-anime", "birefnet-lite", "birefnet", "birefnet-portrait"} <= set(names)
    ranks = [model.rank for model in MODELS if model.rank]
    assert len(set(ranks)) == len(ranks)


def test_one_model_is_built_in_and_the_smallest_of_all_that_are_used_unasked() -> None:
    (built_in,) = (model for model in MODELS if model.built_in)
    assert built_in.name == "u2netp"
    assert built_in.rank == min(model.rank for model in MODELS if model.rank)
    assert built_in.memory == min(model.memory for model in MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_entry_is_whole(model: Model) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", model.name) and model.name != "auto"
    assert model.licence in FREE
    assert urlsplit(model.source).scheme == "https"
    assert model.purpose.endswith(".") and model.files and model.memory > 0 and model.seconds > 0
    for file in model.files:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.onnx", file.name)
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.hash)
        assert file.size > 0 and file.recipe.side in (320, 1024) and 0 not in file.recipe.deviation
        assert file.address.startswith("https://") or (not file.address and (model.built_in or file.package))


@pytest.mark.parametrize("word", ["rmbg", "bria", "withoutbg"])
def test_models_whose_licence_forbids_their_use_are_not_there(word: str) -> None:
    assert word not in repr(MODELS).lower()
