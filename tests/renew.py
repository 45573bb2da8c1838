"""Renews shared/constraints.txt, the set of packages that is installed and tested: `python3 tests/renew.py [KIND...]`.

It takes the newest releases that pyproject.toml allows, for Linux, Windows and macOS and every Python that the project
runs on, with the hashes of all their files. Then it does the same for what each kind of graphics card takes besides, or
for those kinds alone. Run all tests afterwards, and look at what has changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from plugin.installer.environment import constraints  # noqa: E402
from plugin.installer.gpu import SIZES  # noqa: E402

OLDEST = "3.10"
INTEL_MAC = "sys_platform == 'darwin' and platform_machine == 'x86_64'"
OTHERS = "python_version >= '3.11' and (sys_platform != 'darwin' or platform_machine != 'x86_64')"
# The last onnxruntime with wheels for Macs with Intel's processor is 1.23; it must not be the last for all.
LIMITS = f"onnxruntime<1.24 ; {INTEL_MAC}\nonnxruntime>=1.24 ; {OTHERS}\n"
HEADER = "# The packages that Layerlift is installed and tested with. Made by `python3 tests/renew.py`.\n"


def main(kinds: list[str]) -> int:
    """Write the files anew; 0 where that went well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.check_call([sys.executable, "-m", "venv", name])
        subprocess.check_call([str(python), "-m", "pip", "install", "--quiet", "uv"])
        base = constraints(CHECKOUT)
        if not kinds:
            limits = folder / "limits.txt"
            limits.write_text(LIMITS, "utf-8")
            base.write_text(HEADER + compiled(python, "offline", limits), "utf-8")
        for kind in kinds or SIZES:
            found = packages(compiled(python, kind, base))
            known = packages(base.read_text("utf-8"))
            text = "".join(package for package in found if package not in known)
            constraints(CHECKOUT, kind).write_text(HEADER + text, "utf-8")
    return 0


def compiled(python: Path, extra: str, limits: Path) -> str:
    """The packages of the project and an extra of its, in these limits."""
    return subprocess.check_output(
        [
            *(str(python), "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--universal"),
            *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *("--python-version", OLDEST, "--constraint", str(limits), "--extra", extra, "pyproject.toml"),
        ],
        cwd=str(CHECKOUT),
        encoding="utf-8",
    )


def packages(text: str) -> list[str]:
    """The lines of each package: its version, for which systems, and its hashes."""
    return re.findall(r"^[^#\s].*\n(?:[ ].*\n)*", text, re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
