"""What the host tests' own windows are found by."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .window import wait_for, windowed

COMING_AND_GOING = """
import ctypes, time

x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype, x.XOpenDisplay.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
display = ctypes.c_void_p(x.XOpenDisplay(None))

def show(name):
    window = x.XCreateSimpleWindow(display, x.XDefaultRootWindow(display), 0, 0, 9, 9, 0, 0, 0)
    x.XStoreName(display, window, name)
    x.XMapWindow(display, window)
    x.XSync(display, 0)
    return window

show(b"stays")
while True:
    windows = [show(b"goes") for _ in range(8)]
    time.sleep(0.01)
    for window in windows:
        x.XDestroyWindow(display, window)
    x.XSync(display, 0)
"""


def test_a_window_is_found_while_others_are_closed(tmp_path: Path) -> None:
    program = [sys.executable, "-c", COMING_AND_GOING]
    with windowed(program, tmp_path, "100x100", dict(os.environ), tmp_path / "log") as desktop:
        stays = wait_for(lambda: desktop.find("^stays$"), "the first window")
        assert [desktop.find("^stays$") for _ in range(10)] == [stays] * 10
