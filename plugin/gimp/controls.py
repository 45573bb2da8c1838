"""What GIMP's users have at hand, by the names that the menus and dialogs of this plug-in give it."""

from __future__ import annotations

PAY_AGAIN = "YouCam, pay again"
WAYS = {
    "set_key": "Set a valid API key with the command 'layerlift key set'.",
    "agree": "Allow it under Filters > Remove Background > Allow Uploads, or choose the offline engine.",
    "pay_again": f"To pay again, choose the engine '{PAY_AGAIN}'.",
}
"""What they can do about the worker's kinds of errors."""
