#!/usr/bin/env python3
"""Remove the background of a layer, or of all open images: the subject goes to a new layer above the original.

A thin adapter. It writes the layer's pixels to a file, asks Layerlift's worker for an alpha of the same size, and puts
that on a copy of the layer. The copy keeps the layer's precision, profile, place and opacity, and but for the edges its
colours, bit for bit.
"""

# mypy: disable-error-code="name-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from typing import Any

from choices import CLEAN_TIP, HIDE_TIP, RESULT_NAMES, RESULT_TIP, chosen, remember, shown
from common.installed import version
from common.language import DOMAIN, FOLDER
from common.options import ENGINES, RESULTS, Options
from controls import AGAIN, MENU
from cutout import selected_of
from gimpfu import *
from questions import Wish, advise_key, is_asked, mending
from removal import remove
from supervision import PROCEDURE, Note, do, supervise
from taskmenu import register_tasks, run_one

AUTHOR = f"Layerlift {version()}"


def remove_background(
    image: Any, drawable: Any, result: int, clean_edges: bool, hide_original: bool, engine: int
) -> None:
    """Put the subject of a layer, or of each selected layer, on a new layer above it, in one undo step."""
    choices = result, clean_edges, hide_original, engine
    if not is_asked():
        remove_one(lambda text: None, image.ID, drawable.ID, False, *choices)
        return
    remember(chosen(*choices))
    if len(selected_of(image)) > 1:
        advises = supervise(remove_many, image.ID, *choices)
    else:
        advises = supervise(remove_one, image.ID, drawable.ID, False, *choices)
    if advises:
        advise_key()


def remove_background_again(image: Any, drawable: Any, result: int, clean_edges: bool, hide_original: bool) -> None:
    """The same for scripts, where it may be paid for once more."""
    remove_one(lambda text: None, image.ID, drawable.ID, True, result, clean_edges, hide_original, 0)


def remove_one(note: Note, image_id: int, drawable_id: int, again: bool, *choices: Any) -> bool:
    """Do that, and note what the user has to hear if it is cancelled; whether they are to be told of keys."""
    return remove(note, gimp._id2image(image_id), gimp._id2drawable(drawable_id), Wish(chosen(*choices), again))


def remove_all_backgrounds(result: int, clean_edges: bool, hide_original: bool, engine: int) -> None:
    """Do the same for the selected layers of every open image, in one undo step for each image."""
    choices = result, clean_edges, hide_original, engine
    if is_asked():
        remember(chosen(*choices))
    if supervise(remove_many, 0, *choices):
        advise_key()


def remove_many(note: Note, image_id: int, *choices: Any) -> bool:
    """Do that for one image, or for all, and note what the user has to hear if it is cancelled; whether they are to be
    told of keys."""
    # Not needed for a single layer.
    from documents import remove_all

    image = gimp._id2image(image_id) if image_id else None
    return mending(lambda wish: remove_all(wish, note, image), Wish(chosen(*choices)))


def work(job: str, note: str) -> int:
    """Do what another process of this plug-in supervises."""
    return int(do({"remove_one": remove_one, "remove_many": remove_many, "run_one": run_one}, job, note))


def show_settings() -> None:
    """Show the settings, which scripts have no use for."""
    if not is_asked():
        fail("The settings are a window. Scripts use the command 'layerlift'.")
    from settings import show_settings

    show_settings()


def prepare(form: Any, *given: Any) -> None:
    """Have a dialog show what it costs."""
    from costs import prepare

    prepare(form, *given)


DEFAULTS = Options()
ENGINE_NAMES = tuple(engine.name for engine in ENGINES.values())
CATALOGUE = DOMAIN, str(FOLDER)
RESULT = (
    PF_OPTION, "result", N_("Resul_t"), RESULTS.index(DEFAULTS.result), RESULT_NAMES,
    RESULT_TIP,
)  # fmt: skip
CLEAN = (
    PF_TOGGLE, "clean-edges", N_("Clean edge colo_urs"), DEFAULTS.clean_edges, (),
    CLEAN_TIP,
)  # fmt: skip
HIDE = (
    PF_TOGGLE, "hide-original", N_("_Hide the original layer"), DEFAULTS.hide_original, (),
    HIDE_TIP,
)  # fmt: skip
ENGINE = (
    PF_OPTION, "engine", N_("_Engine"), list(ENGINES).index(DEFAULTS.engine), ENGINE_NAMES,
    N_("The YouCam service is better, and costs 1 unit; the offline engine is free, and a quick draft"),
)  # fmt: skip
IMAGE_AND_LAYER = [(PF_IMAGE, "image", N_("The image"), None), (PF_DRAWABLE, "drawable", N_("The layer"), None)]
OPTIONS = [RESULT, CLEAN, HIDE, ENGINE]
register(
    "python-fu-layerlift",
    N_("Put the subject of the layer on a new layer without the background"),
    N_(
        "The layer's picture goes to the YouCam background removal service, or without an API key to the offline "
        "engine on this computer, which is a quick draft. What comes back is an alpha; the colours stay as they are."
    ),
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    N_("_Remove Background..."),
    "*",
    [*IMAGE_AND_LAYER, *OPTIONS],
    [],
    remove_background,
    menu=MENU,
    domain=CATALOGUE,
    on_run=shown,
    on_dialog=prepare,
    takes_each=False,
)
register(
    AGAIN,
    "Put the subject of the layer on a new layer, and pay for it once more where need be",
    "As python-fu-layerlift by the YouCam service, also for a layer that has its cut-out, or is one, and for one whose "
    "earlier task may have been charged in vain.",
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    None,
    "*",
    [*IMAGE_AND_LAYER, RESULT, CLEAN, HIDE],
    [],
    remove_background_again,
)
register(
    "python-fu-layerlift-all",
    N_("Put the subjects of all open images on new layers without their backgrounds"),
    N_(
        "As Remove Background, for the layer of each open image that is active, or the layers that are selected. You "
        "are told first what it costs. Each image gets one undo step."
    ),
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    N_("Run on _All Open Images..."),
    "",
    OPTIONS,
    [],
    remove_all_backgrounds,
    menu=MENU,
    domain=CATALOGUE,
    on_run=shown,
    on_dialog=prepare,
)
register_tasks(AUTHOR, CATALOGUE)
register(
    PROCEDURE,
    "Does what the other procedures of Layerlift supervise",
    "Not for scripts: call python-fu-layerlift and python-fu-layerlift-all.",
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    None,
    None,
    [(PF_STRING, "job", "What is to be done", ""), (PF_STRING, "note", "The file for what a cancel has cost", "")],
    [(PF_INT32, "advises-key", "Whether the user is to be told what a key is good for")],
    work,
    run_mode_param=False,
)
register(
    "python-fu-layerlift-settings",
    N_("API key, balance, consent, and what is chosen when a dialog opens"),
    N_("Key, consent and paid work are the same for GIMP, Krita and the command."),
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    N_("_Settings..."),
    "",
    [],
    [],
    show_settings,
    menu=MENU,
    domain=CATALOGUE,
)

main()
