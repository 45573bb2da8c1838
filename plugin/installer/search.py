"""Looks for every editor of this user that takes the plug-in."""

from __future__ import annotations

from .hosts import Host
from .search_gimp import find_gimps
from .search_krita import find_kritas
from .system import System


def find_hosts(system: System) -> list[Host]:
    """Every GIMP of this user, the newest first, then every Krita."""
    return [*find_gimps(system), *find_kritas(system)]
