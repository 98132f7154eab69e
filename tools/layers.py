"""Check that no file imports upward, and that no Python modules import each other in a circle.

The layers are declared here, once, as data: one rank per package, lowest first. Imports inside
functions count, so that a lazy import hides no circle. Imports for types alone must not point
upward either, but two modules of one package may know each other's types, and any module the types
of a library. What could hide an import is refused: includes by macro, C++ files of other endings
than .hpp and .cpp, and in Python imports by a computed name.

Usage: python tools/layers.py [ROOT]; prints every complaint and exits with 1 if there is one.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: From the bottom up: each layer and its places, folders of C++ or packages of Python. A file may
#: include or import its own layer and those below.
LAYERS: dict[str, list[str]] = {
    "ground": ["cpp/ground"],
    "kernels": ["cpp/kernels"],
    "physics": ["cpp/physics"],
    "motion": ["cpp/motion"],
    "engine": ["cpp/engine"],
    "bindings": ["bindings", "ktc._core"],
    "base": ["ktc._base"],
    "drawing": ["ktc._drawing"],
    "model": ["ktc._model"],
    "circuits": ["ktc._circuits"],
    "engines": ["ktc._engines"],
    "theory": ["ktc._theory"],
    "emulation": ["ktc._emulation"],
    "measure": ["ktc._measure"],
    "boards": ["ktc._boards"],
    "tasks": ["ktc._tasks"],
    "learning": ["ktc._learning"],
    "commands": ["ktc._commands"],
    "public": [
        "ktc",
        "ktc.__main__",
        "ktc.lattices",
        "ktc.plot",
        "ktc.potentials",
        "ktc.presets",
        "ktc.schedules",
        "ktc.spectra",
        "ktc.theory",
    ],
}

#: Libraries that only some places may know: a layer with all above it, or the files or modules that
#: a pattern matches.
LIBRARIES: dict[str, str] = {
    "pybind11": "bindings",
    "Python.h": "bindings",
    "cblas.h": r"cpp/ground/dense\.cpp",
    "lapacke.h": r"cpp/ground/dense\.cpp",
    "matplotlib": r"ktc\._drawing\.\w+|ktc\.[\w.]+_figure",
    "tqdm": r"ktc\._base\.progress",
}

#: Ways of Python to import or run what is named at run time.
COMPUTED = {"__builtins__", "__import__", "builtins", "eval", "exec", "import_module", "importlib"}
COMPUTED |= {"runpy", "sys.modules"}
#: Members of importlib that import nothing.
HARMLESS = ("importlib.metadata", "importlib.util.find_spec")
#: Modules that may use some: SciPy is imported on first use; saved fields have types by name.
DYNAMIC: dict[str, set[str]] = {
    "ktc._base.lazy_imports": {"importlib", "import_module"},
    "ktc._base.codec": {"eval", "sys.modules"},
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


def cpp_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line without comments; continued lines are one."""

    def without(found: re.Match[str]) -> str:
        return found[1] or " " + "\\\n" * found[0].count("\n")

    text = path.read_text(encoding="utf-8")
    text = re.sub(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', without, text, flags=re.DOTALL)
    number = 1
    for line in re.split(r"(?<!\\)\n", text):
        yield number, line.replace("\\\n", "")
        number += line.count("\n") + 1


def cpp_imports(path: Path, folder: str) -> Iterator[tuple[int, str]]:
    """Line and target of every include: a path from the root of the tree, or a library's header."""
    for number, line in cpp_lines(path):
        found = re.match(r'\s*(?:#|%:)\s*include\w*\s*(["<])([^">]+)[">]', line)
        if not found:
            continue
        target = found[2]
        ours = f"cpp/{target.partition('/')[0]}" in LAYER_OF_PLACE
        if found[1] == '"' and "/" not in target:
            yield number, f"{folder}/{target}"
        else:
            yield number, f"cpp/{target}" if found[1] == '"' or ours else target


def cpp_faults(path: Path) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in a C++ file that could hide an import."""
    if path.suffix not in (".hpp", ".cpp"):
        yield 1, "is not read, because it ends neither in .hpp nor in .cpp; rename it"
        return
    for number, line in cpp_lines(path):
        if re.match(r"\s*(?:#|%:)\s*(?:include|import)", line):
            if not re.match(r'\s*#\s*include\s*(?:"[^"]+"|<[^>]+>)\s*$', line):
                yield number, f"{line.strip()}: write an include as its path in quotes or angles"
            elif ".." in line:
                yield number, f"{line.strip()}: write the path from cpp/"
        elif re.match(r'\s*(?:export\s+)?import\s*["<]', line):
            yield number, f"{line.strip()}: include a header"
        elif re.search(r"module_?::import|PyImport_", line):
            yield number, "C++ may import no Python module: take what it needs as an argument"


def python_imports(path: Path, module: str) -> Iterator[tuple[int, str, bool]]:
    """Line, dotted target, and whether it is for types alone, of every import in a file."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        types_only = id(node) in for_types
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, types_only
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield node.lineno, inner if layer_of(inner) else source, types_only


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a Python file imports or names."""
    # sys.modules.get("library") only looks up what others have imported.
    looked_up = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if re.match(r"sys\.modules\.get\('(?!ktc\b)", ast.unparse(node))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in looked_up:
            yield node.lineno, ast.unparse(node)


def python_faults(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in a Python file that could hide an import."""
    refused = COMPUTED - DYNAMIC.get(module, set())
    for line, name in _names(ast.parse(path.read_text(encoding="utf-8"))):
        if (name in refused or name.partition(".")[0] in refused) and not name.startswith(HARMLESS):
            yield line, f"{name} may hide an import: write an import statement"


def complaint(place: str, layer: str, target: str) -> str | None:
    """Why ``place`` may not import ``target``, or None where it may."""
    library = next((x for x in LIBRARIES if re.match(rf"{re.escape(x)}([./]|$)", target)), None)
    if library:
        home = LIBRARIES[library]
        allowed = HEIGHT[layer] >= HEIGHT[home] if home in HEIGHT else re.fullmatch(home, place)
        return None if allowed else f"{library} may be known only to {home}"
    if not target.startswith(("cpp/", "bindings/", "ktc.")) and target != "ktc":
        return None
    below = layer_of(target)
    if below is None:
        return f"{target} is in no layer: declare it in tools/layers.py"
    if HEIGHT[below] > HEIGHT[layer]:
        return f"{target} ({below}) lies above {layer}"
    return None


def circles(imports: dict[str, set[str]]) -> Iterator[str]:
    """Every module that imports itself through others at run time, with the way back to it."""
    for module in sorted(imports):
        came_from: dict[str, str] = {}
        waiting = [module]
        while waiting:
            here = waiting.pop(0)
            for target in sorted(imports.get(here, ())):
                if target not in came_from:
                    came_from[target] = here
                    waiting.append(target)
        if module in came_from:
            way = [module]
            while way[0] != module or len(way) == 1:
                way.insert(0, came_from[way[0]])
            # One complaint per circle: at its first module in alphabetical order.
            if module == min(way):
                yield " → ".join(way)


def check(root: Path) -> list[str]:
    """All complaints about the tree at ``root``, one line each."""
    complaints = []
    includes: dict[str, set[str]] = {}
    for path in sorted([*root.glob("cpp/**/*"), *root.glob("bindings/**/*")]):
        if path.is_dir():
            continue
        place = path.relative_to(root).as_posix()
        found = list(cpp_imports(path, place.rpartition("/")[0]))
        complaints += _check_file(place, place, found)
        complaints += [f"{place}:{line}: {reason}" for line, reason in cpp_faults(path)]
        includes[place] = {posixpath.normpath(target) for _, target in found}
    complaints += [f"circle of includes: {way}" for way in circles(includes)]
    at_run_time: dict[str, set[str]] = {}
    for path in sorted(root.glob("python/ktc/**/*.py")):
        parts = path.relative_to(root / "python").with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        place = path.relative_to(root).as_posix()
        imports = list(python_imports(path, module))
        counted = [x[:2] for x in imports if not x[2] or x[1].startswith("ktc")]
        complaints += _check_file(place, module, counted)
        complaints += [f"{place}:{line}: {reason}" for line, reason in python_faults(path, module)]
        at_run_time[module] = {target for _, target, types_only in imports if not types_only}
    complaints += [f"circle of imports: {way}" for way in circles(_modules(at_run_time))]
    return complaints


def _modules(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same with each target cut down to the module that it names or is defined in."""
    return {
        module: {
            known
            for target in targets
            if (known := next((t for t in (target, target.rpartition(".")[0]) if t in imports), ""))
            and known != "ktc"
        }
        for module, targets in imports.items()
    }


def _check_file(path: str, place: str, imports: list[tuple[int, str]]) -> list[str]:
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
    print(f"layers: {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
