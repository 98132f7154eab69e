"""Check conventions of the source that no linter knows.

- No file of cpp/, bindings/ or python/ has more than 400 lines.
- `Any` appears no more often than tools/any_ceilings.json allows for the file. It is meant for
  what NumPy, SciPy and matplotlib leave untyped; ceilings may only be lowered.
- Only the factory of the engines asks an object for its class with ``isinstance(_, …Engine)``.
- Nothing asks a device for an attribute by name: abilities are protocols, asked for with
  ``isinstance``.

Usage: python tools/conventions.py [--lower]; prints every complaint and exits with 1 if there is
one. ``--lower`` first lowers the ceilings of `Any` to the present counts.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CEILINGS = "tools/any_ceilings.json"
MOST_LINES = 400
#: The one place that chooses between engines.
FACTORY = "python/ktc/_engines/"
#: Names of variables and attributes that hold a device.
DEVICES = {"board", "device", "emulator", "engine", "running"}


def any_uses(tree: ast.AST) -> int:
    """Number of uses of ``Any`` in code, without its import."""
    return sum(
        (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and node.attr == "Any")
        for node in ast.walk(tree)
    )


def _last_name(node: ast.expr) -> str:
    """``emulator`` of ``self._emulator`` and of ``emulator``; empty for other expressions."""
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_")
    return node.id.strip("_") if isinstance(node, ast.Name) else ""


def _classes(node: ast.expr) -> Iterator[str]:
    """Names of the classes that the second argument of isinstance lists."""
    if isinstance(node, ast.Tuple):
        for element in node.elts:
            yield from _classes(element)
    elif isinstance(node, ast.BinOp):
        yield from _classes(node.left)
        yield from _classes(node.right)
    else:
        yield _last_name(node)


def forbidden_calls(tree: ast.AST, in_factory: bool = False) -> Iterator[tuple[int, str]]:
    """Line and reason of every call that asks an engine or a device what it is."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        name, arguments = node.func.id, node.args
        if name == "isinstance" and not in_factory and len(arguments) == 2:
            for found in _classes(arguments[1]):
                if found.endswith("Engine"):
                    yield node.lineno, f"isinstance of {found} outside {FACTORY}: call its contract"
        elif name in ("getattr", "hasattr") and _last_name(arguments[0]) in DEVICES:
            yield (
                node.lineno,
                f"{name} of {ast.unparse(arguments[0])}: use isinstance of a protocol",
            )


def trees(root: Path) -> Iterator[tuple[str, ast.AST]]:
    """Path from the root, and syntax tree, of every Python file of the package."""
    for path in sorted((root / "python").rglob("*.py")):
        yield path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def counts(root: Path) -> dict[str, int]:
    """Number of uses of ``Any`` in each file that has some."""
    found = {path: any_uses(tree) for path, tree in trees(root)}
    return {path: uses for path, uses in found.items() if uses}


def check(root: Path) -> list[str]:
    """All complaints about the tree at ``root``, one line each."""
    complaints = []
    for folder in ("cpp", "bindings", "python"):
        for path in sorted([*(root / folder).rglob("*.?pp"), *(root / folder).rglob("*.py")]):
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > MOST_LINES:
                place = path.relative_to(root).as_posix()
                complaints.append(f"{place}: {lines} lines; split it below {MOST_LINES}")
    for place, tree in trees(root):
        calls = forbidden_calls(tree, place.startswith(FACTORY))
        complaints += [f"{place}:{line}: {reason}" for line, reason in calls]
    kept, present = ceilings(root), counts(root)
    for place in sorted(kept.keys() | present.keys()):
        uses, ceiling = present.get(place, 0), kept.get(place, 0)
        if uses > ceiling:
            complaints.append(f"{place}: Any {uses} times; {CEILINGS} allows {ceiling}")
        elif uses < ceiling:
            complaints.append(f"{place}: Any {uses} times: run python tools/conventions.py --lower")
    return complaints


def ceilings(root: Path) -> dict[str, int]:
    """The committed ceilings."""
    path = root / CEILINGS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def lower(root: Path) -> None:
    """Write the present counts where they are below the ceilings."""
    kept, present = ceilings(root), counts(root)
    lowered = {place: min(present.get(place, 0), most) for place, most in sorted(kept.items())}
    text = json.dumps({place: most for place, most in lowered.items() if most}, indent=2)
    (root / CEILINGS).write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Command line."""
    if "--lower" in sys.argv[1:]:
        lower(ROOT)
    complaints = check(ROOT)
    print("\n".join([*complaints, f"conventions: {len(complaints)} complaints"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
