"""What the user has chosen last, for all actions of the plug-in: GIMP keeps it, also for its next sessions."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

import json
from typing import Any

from common.options import ENGINES, RESULTS, Options
from gimpfu import PARASITE_PERSISTENT, gimp

KEPT = "layerlift-options"


def remembered() -> Options:
    """What is kept; what is no valid value counts as never chosen."""
    parasite = gimp.parasite_find(KEPT)
    try:
        kept = json.loads(parasite.data) if parasite else {}
    except ValueError:
        kept = {}
    return Options.read(lambda name: str(kept.get(name, "")) if isinstance(kept, dict) else "")


def remember(options: Options) -> None:
    """Keep what was chosen."""
    kept: dict[str, str] = {}
    options.write(kept.__setitem__)
    gimp.parasite_attach(gimp.Parasite(KEPT, PARASITE_PERSISTENT, json.dumps(kept)))


def shown() -> dict[str, Any]:
    """The kept choices as the values of a dialog, by the names of its parameters."""
    options = remembered()
    return {
        "result": RESULTS.index(options.result),
        "clean-edges": options.clean_edges,
        "hide-original": options.hide_original,
        "engine": list(ENGINES).index(options.engine),
    }


def chosen(result: int, clean_edges: bool, hide_original: bool, engine: int) -> Options:
    """The values of a dialog, in its order, as options."""
    return Options(list(ENGINES)[engine], RESULTS[result], bool(clean_edges), bool(hide_original))
