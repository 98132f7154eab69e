"""Write python/ktc/_core.pyi from the installed bindings, or check that it is up to date.

Usage: python tools/stubs.py [--check]; needs ktc and pybind11-stubgen installed.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

STUB = Path(__file__).resolve().parents[1] / "python" / "ktc" / "_core.pyi"

#: What tests alone use is left out (KTC_TESTING in CMakeLists.txt).
WRITE = """
import sys
from ktc import _core
vars(_core).pop("testing", None)
sys.modules.pop("ktc._core.testing", None)
from pybind11_stubgen import main
main(["ktc._core", "-o", ".", "--exit-code"])
"""


def generate() -> str:
    """The stub of the installed bindings, as the project's formatter lays it out."""
    with tempfile.TemporaryDirectory() as folder:
        # Run from there, so that the installed package is described and not the source tree.
        subprocess.run(
            [sys.executable, "-c", WRITE],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        text = (Path(folder) / "ktc" / "_core.pyi").read_text(encoding="utf-8")
    # The generator leaves out what a constant tuple holds; ours hold names.
    text = text.replace(": tuple = ", ": tuple[str, ...] = ")
    for command in (["check", "--select", "I,RUF022", "--fix", "--quiet"], ["format"]):
        text = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(STUB), "-"],
            input=text,
            capture_output=True,
            check=True,
            encoding="utf-8",
            cwd=STUB.parents[2],
        ).stdout
    return text


def main() -> int:
    """Command line."""
    fresh = generate()
    if sys.argv[1:] != ["--check"]:
        STUB.write_text(fresh, encoding="utf-8")
        return 0
    kept = STUB.read_text(encoding="utf-8")
    difference = list(
        difflib.unified_diff(
            kept.splitlines(), fresh.splitlines(), str(STUB.name), "generated", lineterm=""
        )
    )
    print("\n".join(difference) or "stubs: up to date")
    if difference:
        print("stubs: out of date; run python tools/stubs.py")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
