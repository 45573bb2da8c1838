"""For plug-ins that import gimpcolor before gimpfu: gimpfu puts the real module in this one's place."""

import gimpfu  # noqa: F401
