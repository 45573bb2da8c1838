"""How much memory this computer has to spare, and giving it back."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h."""
_LARGE_BYTES = 1 << 20


def free() -> int | None:
    """The bytes that a program can take without driving others out; None where the system does not tell.

    Linux tells by MemAvailable in /proc/meminfo, and by the limits of control groups, as containers have; Windows by
    GlobalMemoryStatusEx; macOS by the percentage that is left before it calls its memory short.
    """
    try:
        if sys.platform == "win32":
            return _ask_windows()
        if sys.platform == "darwin":
            return _ask_system("hw.memsize", 8) * _ask_system("kern.memorystatus_level", 4) // 100
        found = re.search(r"^MemAvailable: +(\d+) kB$", _MEMINFO.read_text("ascii"), re.MULTILINE)
        return min([int(found[1]) * 1024, *_left_to_groups()]) if found else None
    except (OSError, AttributeError, ValueError):
        return None


def _left_to_groups() -> Iterator[int]:
    """What each control group (version 2) that this process is in has left below its limit."""
    with contextlib.suppress(OSError, ValueError):
        found = re.search(r"^0::/(.*)$", _GROUP.read_text(), re.MULTILINE)
        group = _GROUPS / (found[1] if found else "")
        for folder in (group, *group.parents):
            limit = folder / "memory.max"
            if limit.exists() and (most := limit.read_text().strip()) != "max":
                used = int((folder / "memory.current").read_text())
                cached = re.search(r"^inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
                yield int(most) - used + (int(cached[1]) if cached else 0)


def return_large_blocks() -> None:
    """Has the GNU C library return large blocks to the system when they are freed; it would keep them thread by
    thread, several pictures in all, and what a model takes."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def return_all() -> None:
    """Has the GNU C library return what is free at this moment, also between small blocks that are not."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of Windows' sysinfoapi.h."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "available", "total_page", "available_page")),
        *((name, ctypes.c_uint64) for name in ("total_virtual", "available_virtual", "available_extended")),
    )


def _ask_windows() -> int | None:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    asked = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined,unused-ignore]
    return int(status.available) if asked else None


def _ask_system(name: str, size: int) -> int:
    """A number that macOS' sysctl has."""
    value = ctypes.create_string_buffer(size)
    length = ctypes.c_size_t(size)
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if library.sysctlbyname(name.encode(), value, ctypes.byref(length), None, 0) != 0:
        raise OSError(name)
    return int.from_bytes(value.raw[: length.value], sys.byteorder)
