"""What GIMP's users have at hand, by the names that the menus and dialogs of this plug-in give it."""

from __future__ import annotations

from common.language import N_, _

AGAIN = "python-fu-layerlift-again"
"""The procedure with which scripts pay again."""
MENU = N_("<Image>/Filters/Remove Background")
TASKS_MENU = N_("<Image>/Filters/Remove Background/Service Tasks")
"""GIMP sorts a menu by what the user reads: in one of their own, the tasks do not come before the removal."""
WAYS = {
    "set_key": _("Set a valid API key under Filters > Remove Background > Settings."),
    "agree": _("Allow uploads under Filters > Remove Background > Settings, or choose the offline engine."),
    "pay_again": _("To pay again, call the procedure '{name}'.").format(name=AGAIN),
}
"""What scripts can do about the worker's kinds of errors; who is at GIMP's window has buttons for it."""
TASK_WAYS = {
    "set_key": WAYS["set_key"],
    "agree": _("Allow uploads under Filters > Remove Background > Settings."),
    "pay_again": _("To pay again, run it from the menu."),
}
"""The same where a task can't be run offline."""
