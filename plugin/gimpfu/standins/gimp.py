"""For plug-ins that import gimp before gimpfu: gimpfu puts the real module in this one's place."""

import gimpfu  # noqa: F401
