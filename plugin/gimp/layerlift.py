#!/usr/bin/env python3
"""Remove the background of a layer, or of all open images: the subject goes to a new layer above the original.

A thin adapter. It writes the layer's pixels to a file, asks Layerlift's worker for an alpha of the same size, and puts
that on a copy of the layer. The copy keeps the layer's precision, profile, place and opacity, and but for the edges its
colours, bit for bit.
"""

# mypy: disable-error-code="name-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any

from common import words
from common.installed import version
from common.language import DOMAIN, FOLDER, _
from common.options import ENGINES, RESULTS, Options
from common.worker import Worker
from controls import PAY_AGAIN, WAYS
from cutout import CutOut, undo_step
from gimpfu import *
from gimpfu import confirm
from strips import show_progress
from supervision import PROCEDURE, Note, do, supervise

AUTHOR = f"Layerlift {version()}"


def remove_background(
    image: Any, drawable: Any, result: int, clean_edges: bool, hide_original: bool, engine: int
) -> None:
    """Put the subject of a layer on a new layer above it, in one undo step."""
    supervise(remove_one, image.ID, drawable.ID, result, clean_edges, hide_original, engine)


def remove_one(
    note: Note, image_id: int, drawable_id: int, result: int, clean_edges: bool, hide_original: bool, engine: int
) -> None:
    """Do that, and note what the user has to hear if it is cancelled."""
    image, drawable = gimp._id2image(image_id), gimp._id2drawable(drawable_id)
    options, again = chosen(result, clean_edges, hide_original, engine)
    cutout = CutOut(image, drawable)
    gimp.progress_init(_("Removing the background"))
    with Worker(WAYS) as worker:
        job = cutout.export(Path(worker.folder, "layer.raw"), show_progress)
        if not again and cutout.is_there():
            check_cost(worker.plan([dict(job, name=drawable.name)], options.engine, lambda *_: None))

        def show(text: str, fraction: float) -> None:
            note(words.MAY_COST if worker.may_cost else words.UNPAID)
            show_progress(text, fraction)

        answer = worker.remove(dict(job, engine=options.engine, again=again), show)
        if answer["cached"]:
            pdb.gimp_progress_set_text(words.FREE)
        cutout.make(worker, answer["file"], options, show_progress)
        cutout.check_unchanged()
        with undo_step(image):
            cutout.insert(options)
        gimp.displays_flush()
    if answer["full"]:
        gimp.message(words.FULL)


def check_cost(plan: dict[str, Any]) -> None:
    """Ask before a cut-out, or a layer that has its own, costs anything; scripts have to say it beforehand."""
    if not plan["units"]:
        return
    if gimp.PROCESS.run_mode == RUN_NONINTERACTIVE:
        way = _("To remove its background anyway, choose the engine '{engine}'.").format(engine=_(PAY_AGAIN))
        fail(f"{words.HAS_CUT_OUT} {way}")
    if not confirm(_("Remove Background Again?"), words.question_again(plan)):
        raise CancelError("cancelled")


def remove_all_backgrounds(result: int, clean_edges: bool, hide_original: bool, engine: int) -> None:
    """Do the same for the selected layers of every open image, in one undo step for each image."""
    supervise(remove_many, result, clean_edges, hide_original, engine)


def remove_many(note: Note, result: int, clean_edges: bool, hide_original: bool, engine: int) -> None:
    """Do that, and note what the user has to hear if it is cancelled."""
    # Not needed for a single layer.
    from documents import remove_all

    remove_all(*chosen(result, clean_edges, hide_original, engine), note)


def chosen(result: int, clean_edges: bool, hide_original: bool, engine: int) -> tuple[Options, bool]:
    """What was chosen in the dialog, and whether that is to pay again, which is the last of the engines there."""
    again = engine == len(ENGINES)
    name = "youcam" if again else list(ENGINES)[engine]
    return Options(name, RESULTS[result], clean_edges, hide_original), again


def work(job: str, note: str) -> None:
    """Do what another process of this plug-in supervises."""
    do({"remove_one": remove_one, "remove_many": remove_many}, job, note)


def consent() -> dict[str, Any]:
    """What the dialog shows: it is the same for GIMP, Krita and the command, whatever GIMP remembers."""
    with Worker(WAYS) as worker:
        return {"agree": worker.has_agreed()}


def allow_uploads(agree: bool) -> None:
    """Remember whether the user agrees to uploads."""
    with Worker(WAYS) as worker:
        host = worker.agree(bool(agree))
    if agree:
        gimp.message(_("From now on, layers that you choose may be uploaded to {host}.").format(host=host))
    else:
        gimp.message(_("From now on, nothing is uploaded to {host}.").format(host=host))


DEFAULTS = Options()
RESULT_NAMES = (N_("New layer with alpha"), N_("New layer with a layer mask"))
ENGINE_NAMES = (*(engine.name for engine in ENGINES.values()), PAY_AGAIN)
MENU = N_("<Image>/Filters/Remove Background")
CATALOGUE = DOMAIN, str(FOLDER)
OPTIONS = [
    (PF_OPTION, "result", N_("_Result"), RESULTS.index(DEFAULTS.result), RESULT_NAMES),
    (PF_TOGGLE, "clean-edges", N_("_Clean edge colours"), DEFAULTS.clean_edges),
    (PF_TOGGLE, "hide-original", N_("_Hide the original layer"), DEFAULTS.hide_original),
    (PF_OPTION, "engine", N_("_Engine"), list(ENGINES).index(DEFAULTS.engine), ENGINE_NAMES),
]
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
    [
        (PF_IMAGE, "image", N_("The image"), None),
        (PF_DRAWABLE, "drawable", N_("The layer"), None),
        *OPTIONS,
    ],
    [],
    remove_background,
    menu=MENU,
    domain=CATALOGUE,
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
    N_("All _Open Images..."),
    "",
    OPTIONS,
    [],
    remove_all_backgrounds,
    menu=MENU,
    domain=CATALOGUE,
)
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
    [],
    work,
    run_mode_param=False,
)
register(
    "python-fu-layerlift-settings",
    N_("Allow pictures to be uploaded to the background removal service"),
    N_(
        "Layers that you choose are then uploaded to the YouCam service, which charges a unit for each. Without this, "
        "nothing leaves this computer. It holds for GIMP, Krita and the command, and is taken back here as well."
    ),
    AUTHOR,
    "GPL-3.0-or-later",
    "2026",
    N_("_Allow Uploads..."),
    "",
    [(PF_TOGGLE, "agree", N_("_Allow uploading layers that I choose"), False)],
    [],
    allow_uploads,
    menu=MENU,
    domain=CATALOGUE,
    on_run=consent,
)

main()
