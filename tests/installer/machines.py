"""The systems that the host tests have, each with the GIMP and the Krita that are on it."""

from __future__ import annotations

from typing import NamedTuple

from hosts.chroots import CHROOTS
from hosts.versions import KRITAS, VERSIONS, KritaVersion, System, Version
from hosts.window import missing_for_windows


class Machine(NamedTuple):
    """One system."""

    gimp: Version | None
    krita: KritaVersion

    def __str__(self) -> str:
        return f"gimp {self.gimp} krita {self.krita}" if self.gimp else f"krita {self.krita}"

    @property
    def system(self) -> System:
        return self.krita

    @property
    def editors(self) -> list[System]:
        return [self.gimp, self.krita] if self.gimp else [self.krita]

    def missing(self) -> list[list[str]]:
        """What each editor lacks that can't be tested here."""
        lacks = [self.gimp.missing()] if self.gimp else []
        lacks.append([*self.krita.missing(), *missing_for_windows()])
        return [names for names in lacks if names]


MACHINES = [
    Machine(VERSIONS["2.10"], KRITAS["5.1"]),
    *(Machine(VERSIONS.get(chroot.gimp), KRITAS[chroot.krita]) for chroot in CHROOTS.values()),
]
