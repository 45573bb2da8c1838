"""The parts that all plug-ins share, as one of them has them: in a folder `common` of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

COMMON = Path(__file__).resolve().parents[2] / "plugin" / "common"


def load_common(plug_in: Path, name: str) -> ModuleType:
    """A module of the plug-in's `common`, new for each call."""
    for known in [known for known in sys.modules if known.partition(".")[0] == COMMON.name]:
        del sys.modules[known]
    folder = plug_in / COMMON.name
    spec = importlib.util.spec_from_file_location(
        COMMON.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec and spec.loader
    sys.modules[COMMON.name] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    return importlib.import_module(f"{COMMON.name}.{name}")
