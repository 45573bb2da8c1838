"""Everything that can go wrong, in one table.

Each error carries a stable ``code``, a ``message`` and an ``action`` for the user, whether an automatic retry may
mend it (``retry``), and, where the service answered, its HTTP ``status`` and ``request_id``. The subclasses are named
by what the caller does next::

    LayerliftError
    ├── SetupError           mend the installation or the settings
    │   ├── AuthError        set another API key
    │   ├── ConsentNeeded    ask the user whether pictures may be uploaded
    │   └── KeyringUnusable  unlock or mend the system's keyring
    ├── TopUpError           buy units
    ├── PictureError         use another picture; a batch goes on with the next
    ├── ServiceError         the service failed; where `retry` is set, try again later
    │   └── RateLimited      wait, then go on
    ├── NetworkError         mend the connection, try again
    ├── MayBeCharged         look at the unit history before anything is paid again
    └── Cancelled            nothing: the user asked for it
"""

from __future__ import annotations

from . import kinds
from .kinds import *  # noqa: F403 - all of it is for others, too
from .table import FAILURES, OWN, REFUSALS, TABLE, from_service, make, wrap

__all__ = ["FAILURES", "OWN", "REFUSALS", "TABLE", "from_service", "make", "wrap"]
__all__ += kinds.__all__
