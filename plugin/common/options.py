"""What the user can choose, and what a plug-in goes by where nothing is chosen. The API key is not among it: only the
worker keeps that."""

from __future__ import annotations

from typing import Callable, NamedTuple

from .language import N_, _


class Engine(NamedTuple):
    """What an engine is called: in a list, with what it is, and in a line. GIMP 3 makes the scripts' word of the name,
    so that this alone is not translated yet."""

    name: str
    explained: str
    short: str


ENGINES = {
    "auto": Engine(N_("Automatic"), _("Automatic: YouCam where a key is set, else offline"), ""),
    "youcam": Engine(N_("YouCam service"), _("YouCam service"), "YouCam"),
    "offline": Engine(N_("Offline engine"), _("Offline engine, a quick draft"), _("offline engine, a quick draft")),
}
"""By what the worker calls them."""
AS_ALPHA, AS_MASK = "alpha", "mask"
RESULTS = (AS_ALPHA, AS_MASK)


class Options(NamedTuple):
    """`engine` is one of ENGINES, `result` one of RESULTS."""

    engine: str = "auto"
    result: str = AS_ALPHA
    clean_edges: bool = True
    hide_original: bool = True

    @classmethod
    def read(cls, setting: Callable[[str], str]) -> Options:
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
        """Hand each option to `keep(name, text)`."""
        for name, value in self._asdict().items():
            keep(name, str(value).lower())


def _flag(text: str, default: bool) -> bool:
    return {"true": True, "false": False}.get(text, default)
