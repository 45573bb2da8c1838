"""Layerlift's core: a picture goes to the background-removal service, an alpha comes back."""

import os

# numpy would share each product of small matrices out to all cores, which takes longer, and other pictures need them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
