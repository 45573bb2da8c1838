"""The engines that a user can choose; apart from `engines`, which takes long to import."""

from __future__ import annotations

from typing import Literal, get_args

Name = Literal["youcam", "offline"]
Choice = Literal["auto", Name]
"""auto: youcam where a key is set, else offline."""
CHOICES: tuple[Choice, ...] = get_args(Choice)
