"""What the user has chosen last, for all actions of the plug-in: GIMP keeps it, also for its next sessions."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

import json
from typing import Any

from common.language import N_
from common.options import AS_ALPHA, ENGINES, RESULTS, Options
from gimpfu import PARASITE_PERSISTENT, gimp

KEPT = "layerlift-options"
RESULT_NAMES = (N_("New layer with alpha"), N_("New layer with a layer mask"))
RESULT_TIP = N_("You can paint on a mask afterwards; alpha can't be corrected later, but has clean edge colours")
CLEAN_TIP = N_("Give the soft edges the subject's own colours, without a rim of the old background")
HIDE_TIP = N_("The original stays in the image, but no longer shows behind the cut-out")


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


def grey(form: Any) -> None:
    """Grey what does nothing for the result that is chosen in a window."""
    form.enable("clean-edges", RESULTS[form["result"]] == AS_ALPHA)
