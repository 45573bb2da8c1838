"""What GIMP's users have at hand, by the names that the menus and dialogs of this plug-in give it."""

from __future__ import annotations

from common.language import N_, _

PAY_AGAIN = N_("YouCam, pay again")
WAYS = {
    "set_key": _("Set a valid API key with the command 'layerlift key set'."),
    "agree": _("Allow it under Filters > Remove Background > Allow Uploads, or choose the offline engine."),
    "pay_again": _("To pay again, choose the engine '{engine}'.").format(engine=_(PAY_AGAIN)),
}
"""What they can do about the worker's kinds of errors."""
