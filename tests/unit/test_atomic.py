"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from layerlift.atomic import replacing


def test_what_went_wrong_first_is_heard_where_the_unfinished_file_can_not_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "picture.png"):
        raise ZeroDivisionError
    assert not (tmp_path / "picture.png").exists()


def test_only_the_user_reads_what_is_private_and_others_read_the_rest_as_all_new_files(tmp_path: Path) -> None:
    for name, private, mode in (("key", True, 0o600), ("sheet", False, 0o666)):
        (tmp_path / name).touch()
        new = (tmp_path / name).stat().st_mode & mode
        with replacing(tmp_path / name, private=private) as part:
            part.write_text("whole")
        assert ((tmp_path / name).stat().st_mode & 0o777, (tmp_path / name).read_text()) == (new, "whole")
