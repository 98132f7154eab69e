"""Check the contents of the source distribution and of the wheel.

Usage: python tools/distributions.py SDIST WHEEL
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

IN_SOURCE = (
    "CMakeLists.txt",
    "CMakePresets.json",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "benchmarks/__main__.py",
    "benchmarks/cpp/CMakeLists.txt",
    "bindings/module.cpp",
    "cpp/engine/engine.hpp",
    "python/ktc/_core.pyi",
    "tests/conftest.py",
    "tools/layers.py",
)
IN_WHEEL = ("ktc/__init__.py", "ktc/_core.pyi", "ktc/py.typed")
NOT_IN_WHEEL = {".cpp", ".hpp", ".a", ".lib"}


def is_openblas(name: str) -> bool:
    """Whether a file is the library of scipy-openblas32, not a module of ktc."""
    return "openblas" in name and not name.endswith(".py")


def complaints(source: set[str], wheel: set[str]) -> list[str]:
    """Files that are missing or must not be there, given the names of all files in both."""
    found = [f"the source distribution lacks {name}" for name in IN_SOURCE if name not in source]
    found += [f"the wheel lacks {name}" for name in IN_WHEEL if name not in wheel]
    found += [
        f"the wheel must not hold {name}"
        for name in sorted(wheel)
        if PurePosixPath(name).suffix in NOT_IN_WHEEL or is_openblas(name)
    ]
    return found


def main() -> int:
    """Command line."""
    with tarfile.open(sys.argv[1]) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(sys.argv[2]) as archive:
        wheel = set(archive.namelist())
    found = complaints(source, wheel)
    for line in found:
        print(line)
    for path in map(Path, sys.argv[1:3]):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
