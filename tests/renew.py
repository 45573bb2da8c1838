"""Renews shared/constraints.txt, the set of packages that is installed and tested: `python3 tests/renew.py`.

It takes the newest releases that pyproject.toml allows, for Linux, Windows and macOS and every Python that the project
runs on, with the hashes of all their files. Run all tests afterwards, and look at what has changed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
CONSTRAINTS = CHECKOUT / "shared" / "constraints.txt"
OLDEST = "3.10"
INTEL_MAC = "sys_platform == 'darwin' and platform_machine == 'x86_64'"
OTHERS = "python_version >= '3.11' and (sys_platform != 'darwin' or platform_machine != 'x86_64')"
# The last onnxruntime with wheels for Macs with Intel's processor is 1.23; it must not be the last for all.
LIMITS = f"onnxruntime<1.24 ; {INTEL_MAC}\nonnxruntime>=1.24 ; {OTHERS}\n"
HEADER = "# The packages that Layerlift is installed and tested with. Made by `python3 tests/renew.py`.\n"


def main() -> int:
    """Write the file anew; 0 where that went well."""
    with tempfile.TemporaryDirectory() as name:
        python = Path(name) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.check_call([sys.executable, "-m", "venv", name])
        subprocess.check_call([str(python), "-m", "pip", "install", "--quiet", "uv"])
        limits = Path(name, "limits.txt")
        limits.write_text(LIMITS, "utf-8")
        compiled = subprocess.check_output(
            [
                *(str(python), "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--universal"),
                *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
                *("--python-version", OLDEST, "--constraint", str(limits)),
                *("--extra", "offline", "pyproject.toml"),
            ],
            cwd=str(CHECKOUT),
            encoding="utf-8",
        )
    CONSTRAINTS.write_text(HEADER + compiled, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
