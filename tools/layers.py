"""Checks that no file imports upward. The layers are declared here, once, as data.

Usage: python tools/layers.py [ROOT]; prints every upward import and exits with 1 if there is one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: From the bottom up: each layer and its places, folders of C++ or modules of Python. A file may
#: include or import its own layer and those below, for its types too.
LAYERS: dict[str, list[str]] = {
    "ground": ["cpp/ground", "cpp/kernels"],
    "physics": ["cpp/physics"],
    "motion": ["cpp/motion"],
    "engine": ["cpp/engine"],
    "bindings": ["bindings", "ktc._core", "ktc.openblas"],
    "description": [
        "ktc.boards.converter",
        "ktc.boards.imperfections",
        "ktc.checks",
        "ktc.circuits",
        "ktc.controls",
        "ktc.couplings",
        "ktc.elements",
        "ktc.emulation.accounts",
        "ktc.encoding",
        "ktc.lattices",
        "ktc.network",
        "ktc.picture",
        "ktc.presets",
        "ktc.progress",
        "ktc.protocol",
        "ktc.quantity",
        "ktc.settling",
        "ktc.sparse",
        "ktc.storage",
        "ktc.study",
        "ktc.table_file",
        "ktc.units",
    ],
    "use": [
        "ktc.boards",
        "ktc.comparison",
        "ktc.config",
        "ktc.convergence",
        "ktc.emulation",
        "ktc.estimate",
        "ktc.free_energies",
        "ktc.gaussian_model",
        "ktc.geometry",
        "ktc.learning",
        "ktc.schedules",
        "ktc.spectra",
        "ktc.theory",
    ],
    "show": [
        "ktc.__main__",
        "ktc.cli",
        "ktc.demo",
        "ktc.experiment",
        "ktc.learn_file",
        "ktc.plot",
        "ktc.report",
        "ktc",
    ],
}

#: Libraries that only one place may know: a layer with all above it, or a single file or module.
LIBRARIES: dict[str, str] = {
    "pybind11": "bindings",
    "Python.h": "bindings",
    "cblas.h": "cpp/ground/dense.cpp",
    "lapacke.h": "cpp/ground/dense.cpp",
    "matplotlib": "show",
    "tqdm": "ktc.progress",
}

HEIGHT = {name: height for height, name in enumerate(LAYERS)}
LAYER_OF_PLACE = {place: name for name, places in LAYERS.items() for place in places}


def layer_of(place: str) -> str | None:
    """The layer of a C++ path or a Python module: that of its longest declared prefix."""
    separator = "/" if "/" in place else "."
    parts = place.split(separator)
    for length in range(len(parts), 0, -1):
        prefix = separator.join(parts[:length])
        # The package itself is the top of all; a module in it must be declared by its own name.
        if prefix in LAYER_OF_PLACE and (prefix != "ktc" or place == "ktc"):
            return LAYER_OF_PLACE[prefix]
    return None


def cpp_imports(path: Path, folder: str) -> Iterator[tuple[int, str]]:
    """Line and target of every include: a path from the root of the tree, or a library's header."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not found:
            continue
        quoted, target = found[1] == '"', found[2]
        if quoted:
            yield number, f"cpp/{target}" if "/" in target else f"{folder}/{target}"
        else:
            yield number, target


def python_imports(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted target of every import, wherever in the file it stands."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield node.lineno, inner if layer_of(inner) else source


def complaint(place: str, layer: str, target: str) -> str | None:
    """Why ``place`` may not import ``target``, or None where it may."""
    library = next((x for x in LIBRARIES if re.match(rf"{re.escape(x)}([./]|$)", target)), None)
    if library:
        home = LIBRARIES[library]
        allowed = HEIGHT[layer] >= HEIGHT[home] if home in HEIGHT else place == home
        return None if allowed else f"{library} may be known only to {home}"
    if not target.startswith(("cpp/", "bindings/", "ktc.")) and target != "ktc":
        return None
    below = layer_of(target)
    if below is None:
        return f"{target} is in no layer: declare it in tools/layers.py"
    if HEIGHT[below] > HEIGHT[layer]:
        return f"{target} ({below}) lies above {layer}"
    return None


def check(root: Path) -> list[str]:
    """All complaints about the tree at ``root``, one line each."""
    complaints = []
    for path in sorted([*root.glob("cpp/**/*.?pp"), *root.glob("bindings/**/*.?pp")]):
        place = path.relative_to(root).as_posix()
        complaints += _check_file(place, place, cpp_imports(path, place.rpartition("/")[0]))
    for path in sorted(root.glob("python/ktc/**/*.py")):
        parts = path.relative_to(root / "python").with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        place = path.relative_to(root).as_posix()
        complaints += _check_file(place, module, python_imports(path, module))
    return complaints


def _check_file(path: str, place: str, imports: Iterator[tuple[int, str]]) -> list[str]:
    layer = layer_of(place)
    if layer is None:
        return [f"{path}: is in no layer: declare it in tools/layers.py"]
    reasons = ((line, complaint(place, layer, target)) for line, target in imports)
    return [f"{path}:{line}: {reason}" for line, reason in reasons if reason]


def main() -> int:
    """Command line."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    complaints = check(root)
    for line in complaints:
        print(line)
    print(f"layers: {len(complaints)} upward imports")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
