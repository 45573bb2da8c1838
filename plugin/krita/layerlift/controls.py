"""What Krita's users have at hand, by the names that the menus and dialogs of this plug-in give it."""

from .common.language import _

WAYS = {
    "set_key": _("Set a valid API key in the settings."),
    "agree": _("Allow uploads in the settings, or choose the offline engine there."),
    "pay_again": _("To pay again, choose 'Pay again' where you remove the background of this layer alone."),
}
"""What they can do about the worker's kinds of errors."""
