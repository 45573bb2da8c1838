"""The values that a procedure was last run with, kept over restarts: one JSON file for each procedure."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Sequence

from ..parameters import PF_COLOR, Parameter


class LastValues:
    """Reads and writes last values in the folder plug-in-settings of a GIMP `profile`.

    A file that is broken, or values that no longer fit their parameters, count as never saved. Images and items are
    not kept: an ID means nothing in the next session.
    """

    def __init__(self, profile: str) -> None:
        self._folder = Path(profile) / "plug-in-settings"

    def _path(self, procedure: str) -> Path:
        return self._folder / (procedure + ".json")

    def load(self, procedure: str, parameters: Sequence[Parameter]) -> list[Any]:
        """A value for each parameter: the last one, or else its default."""
        try:
            saved = json.loads(self._path(procedure).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            saved = None
        if not isinstance(saved, dict):
            saved = {}
        return [_fitting(parameter, saved.get(parameter.name)) for parameter in parameters]

    def save(self, procedure: str, parameters: Sequence[Parameter], values: Sequence[Any]) -> None:
        """Keep the values. A folder that can't be written is no reason to stop: the next run starts from defaults."""
        kept: dict[str, Any] = {}
        for parameter, value in zip(parameters, values):
            if not parameter.is_object:
                kept[parameter.name] = list(value) if parameter.kind == PF_COLOR else value
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=str(self._folder)) as folder:
                file = Path(folder) / "values"
                file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
                file.replace(self._path(procedure))
        except OSError:
            return


def _fitting(parameter: Parameter, saved: Any) -> Any:
    default = parameter.default
    if saved is None or parameter.is_object:
        return default
    if parameter.kind == PF_COLOR:
        is_color = isinstance(saved, list) and len(saved) == 4 and all(isinstance(value, int) for value in saved)
        return tuple(saved) if is_color else default
    if isinstance(saved, (int, float)) and isinstance(default, (int, float)):
        return saved
    return saved if default is None or isinstance(saved, type(default)) else default
