"""What the user has chosen for Krita. The API key is not among it: only the worker keeps that."""

from __future__ import annotations

from typing import Callable, NamedTuple

ENGINES = ("auto", "youcam", "offline")
AS_LAYER, AS_MASK = "alpha", "mask"
RESULTS = (AS_LAYER, AS_MASK)


class Preferences(NamedTuple):
    """`engine` is one of ENGINES, `result` one of RESULTS."""

    engine: str = "auto"
    result: str = AS_LAYER
    clean_edges: bool = True
    hide_original: bool = True

    @classmethod
    def read(cls, setting: Callable[[str], str]) -> Preferences:
        """What `setting(name)` has, which is "" where there is none; what is no valid value counts as none."""
        default = cls()
        engine, result = setting("engine"), setting("result")
        return cls(
            engine if engine in ENGINES else default.engine,
            result if result in RESULTS else default.result,
            _flag(setting("clean_edges"), default.clean_edges),
            _flag(setting("hide_original"), default.hide_original),
        )

    def write(self, keep: Callable[[str, str], None]) -> None:
        """Hand each preference to `keep(name, text)`."""
        for name, value in self._asdict().items():
            keep(name, str(value).lower())


def _flag(text: str, default: bool) -> bool:
    return {"true": True, "false": False}.get(text, default)
