"""The values that a procedure was last run with, kept over restarts: one JSON file for each procedure."""
from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Dict, List, Optional, Sequence

from .parameters import PF_COLOR, Parameter


class LastValues:
    """Reads and writes last values in `folder`.

    A file that is broken, or values that no longer fit their parameters, count as never saved. Images and items are
    not kept: an ID means nothing in the next session.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def _path(self, procedure: str) -> str:
        return os.path.join(self._folder, procedure + ".json")

    def load(self, procedure: str, parameters: Sequence[Parameter]) -> List[Any]:
        """A value for each parameter: the last one, or else its default."""
        try:
            with open(self._path(procedure), encoding="utf-8") as file:
                saved = json.load(file)
        except (OSError, ValueError):
            saved = None
        if not isinstance(saved, dict):
            saved = {}
        return [_fitting(parameter, saved.get(parameter.name)) for parameter in parameters]

    def save(self, procedure: str, parameters: Sequence[Parameter], values: Sequence[Any]) -> None:
        """Keep the values. A folder that can't be written is no reason to stop: the next run starts from defaults."""
        kept: Dict[str, Any] = {}
        for parameter, value in zip(parameters, values):
            if not parameter.is_object:
                kept[parameter.name] = list(tuple(value)) if parameter.kind == PF_COLOR else value
        temporary: Optional[str] = None
        try:
            os.makedirs(self._folder, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
            os.replace(temporary, self._path(procedure))
        except (OSError, TypeError, ValueError):
            if temporary and os.path.exists(temporary):
                os.remove(temporary)


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
