"""Layerlift's core: a picture goes to the background-removal service, an alpha comes back."""

__version__ = "0.1.0"
