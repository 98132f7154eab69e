"""Check conventions of the source that no linter knows.

- No file of cpp/, bindings/ or python/ has more than 400 lines.
- `Any` appears no more often than tools/any_ceilings.json allows for the file. It is meant for
  what NumPy, SciPy and matplotlib leave untyped; ceilings may only be lowered.
- Only the factory of the engines asks whether an object is of a class of engine.
- Floors that are given devices ask no object for an attribute by name, and compare no classes:
  abilities are protocols, asked for with ``isinstance``.

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
FACTORY = "python/ktc/_engines/factory.py"
#: Floors that are given devices.
FLOORS = ("engines", "emulation", "measure", "boards", "learning", "commands")
MEET_DEVICES = tuple(f"python/ktc/_{floor}/" for floor in FLOORS)
#: Objects whose attributes may be asked for by name: an object's own, and its copy's.
OWN = {"self", "twin"}
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


def _classes(nodes: list[ast.expr]) -> list[str]:
    """Names in these expressions that are written as those of classes are."""
    names = (_last_name(x) for node in nodes for x in ast.walk(node) if isinstance(x, ast.expr))
    return [name for name in names if name[:1].isupper()]


def _called(node: ast.AST) -> str:
    """Name of the function that is called; empty for other nodes."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _by_class(node: ast.AST) -> list[str]:
    """Names of the classes by which a comparison or a pattern tells an object's own class."""
    if isinstance(node, ast.MatchClass):
        return _classes([node.cls])
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(_called(side) == "type" or _last_name(side) == "class" for side in sides):
            return _classes(sides)
    return []


def _by_name(node: ast.AST) -> str:
    """The function by which a call asks an object for an attribute by its name, if it does."""
    name = _called(node)
    if not isinstance(node, ast.Call) or not node.args or ast.unparse(node.args[0]) in OWN:
        return ""
    if name == "vars" and not isinstance(node.args[0], ast.Call):
        return name
    literal = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    asks = name in ("getattr", "hasattr") and (literal or _last_name(node.args[0]) in DEVICES)
    return name if asks else ""


def forbidden_calls(tree: ast.AST, place: str) -> Iterator[tuple[int, str]]:
    """Line and reason of every expression that asks an engine or a device what it is."""
    for node in ast.walk(tree):
        line, found = getattr(node, "lineno", 0), _by_class(node)
        if isinstance(node, ast.Call) and _called(node) in ("isinstance", "issubclass"):
            found = [name for name in _classes(node.args[1:]) if name.endswith("Engine")]
        if place == FACTORY:
            found = [name for name in found if not name.endswith("Engine")]
        for name in found:
            if name.endswith("Engine"):
                yield line, f"isinstance of {name} outside {FACTORY}: call its contract"
            elif place.startswith(MEET_DEVICES):
                yield line, f"class {name} compared: use isinstance of a protocol"
        if (
            place.startswith(MEET_DEVICES)
            and isinstance(node, ast.Call)
            and (name := _by_name(node))
        ):
            asked = ast.unparse(node.args[0])
            yield line, f"{name} of {asked}: use isinstance of a protocol"


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
        calls = forbidden_calls(tree, place)
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
