"""What lets the offline models run on a graphics card: which kind this computer has."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

SIZES = {"cuda": 1570, "directml": 25, "openvino": 92}
"""MB of the packages of its own that a kind takes: onnxruntime, which runs the models, comes once for each."""
KINDS = {"win32": ("directml",), "darwin": ("coreml",)}.get(sys.platform, ("cuda", "openvino"))
"""Those of this system."""
NONE = "off"
AUTOMATIC = "auto"
_INTEL = "0x8086"


def find(root: Path = Path("/")) -> str:
    """The kind to use on this computer; `NONE` where there is none.

    Windows has one for the cards of all makers. On Linux there is one for NVIDIA's, by its driver, and one for Intel's.
    """
    if sys.platform == "win32":
        return "directml"
    if sys.platform == "darwin":
        return "coreml"
    if (root / "proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        return "cuda"
    for file in (root / "sys/class/drm").glob("card*/device/vendor"):
        if file.read_text("ascii", "replace").strip() == _INTEL:
            return "openvino"
    return NONE
