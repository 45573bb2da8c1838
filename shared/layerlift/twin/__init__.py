"""The service's twin on loopback: the same protocol, no network, no key to buy.

`Twin` is the running service, `Options` how it behaves, `Fault` what goes wrong in it. `features` has its tasks,
`engines` and `pictures` what stands behind them. Importing this needs no werkzeug.
"""

from __future__ import annotations

from .account import Charge
from .engines import Engine, EngineError, luma_key
from .faults import Fault
from .options import FORMS, Options
from .twin import Twin

__all__ = ["FORMS", "Charge", "Engine", "EngineError", "Fault", "Options", "Twin", "luma_key"]
