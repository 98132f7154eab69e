"""Draw docs/images/architecture.svg: the packages as floors, their imports as arrows.

Usage: python tools/architecture.py [--check]; writes the picture, or exits with 1 if it differs
from the code. Floors and their order are those of tools/layers.py. An arrow that other arrows imply
is left out; each floor lists all that it imports, those for types alone in parentheses.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
import layers

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "architecture.svg"

#: Contents of the floors that have no docstring of their own.
CONTENTS = {
    "ground": "Errors, matrices, BLAS and LAPACK, random numbers.",
    "kernels": "The innermost loops, compiled for each instruction set.",
    "physics": "Elements, network and controls, energy, ledger.",
    "motion": "Integrators: exact transitions, midpoint and splitting steps; equilibria.",
    "engine": "The only time loop and the only threads; updates of controls; statistics.",
    "bindings": "Flat tables of pybind11 definitions: the module ktc._core.",
    "public": "What users import: ktc and its namespaces, thin modules of names.",
}
WIDTH, MARGIN, BOX, FLOOR, STEP, LANE = 860, 20, 720, 46, 68, 22
COLOURS = ("#33658a", "#b5502b", "#4f772d", "#7b4b94", "#8a6d1f", "#2a7f7f")
FONT = "font-family='DejaVu Sans, Verdana, sans-serif'"


class Arrow(NamedTuple):
    """An import of ``target`` by ``source``, both floors, on a lane beside the boxes."""

    source: str
    target: str
    lane: int


def imports(root: Path) -> dict[str, dict[str, bool]]:
    """For each floor the floors that it imports, and whether only for types."""
    found: dict[str, dict[str, bool]] = {name: {} for name in layers.LAYERS}

    def add(place: str, target: str, types_only: bool) -> None:
        source, below = layers.layer_of(place), layers.layer_of(target)
        if source and below and source != below:
            found[source][below] = types_only and found[source].get(below, True)

    for path in sorted([*root.glob("cpp/**/*.?pp"), *root.glob("bindings/**/*.?pp")]):
        place = path.relative_to(root).as_posix()
        for _, target in layers.cpp_imports(path, place.rpartition("/")[0]):
            if not place.endswith(".test.cpp"):
                add(place, target, False)
    for path in sorted(root.glob("python/ktc/**/*.py")):
        parts = path.relative_to(root / "python").with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for _, target, types_only in layers.python_imports(path, module):
            add(module, target, types_only)
    return found


def needed(found: dict[str, dict[str, bool]]) -> list[tuple[str, str]]:
    """The imports that no others imply, from the top down."""

    def reach(floor: str) -> set[str]:
        below = set(found[floor])
        return below.union(*(reach(other) for other in found[floor]))

    return [
        (floor, below)
        for floor in reversed(found)
        for below in sorted(found[floor], key=list(found).index, reverse=True)
        if not any(below in reach(other) for other in found[floor] if other != below)
    ]


def arrows(found: dict[str, dict[str, bool]]) -> list[Arrow]:
    """The same, those between neighbours on lane 0 and others on the first lane that is free."""
    height, result = layers.HEIGHT, []
    taken: list[tuple[int, int, int]] = []
    for source, target in sorted(needed(found), key=lambda e: height[e[0]] - height[e[1]]):
        low, high = height[target], height[source]
        lane = 0
        if high - low > 1:
            lane = next(
                n
                for n in range(1, 99)
                if all(m != n or high <= bottom or low >= top for m, bottom, top in taken)
            )
            taken.append((lane, low, high))
        result.append(Arrow(source, target, lane))
    return result


def contents(root: Path, floor: str) -> str:
    """The first line of what a floor says about itself."""
    if floor in CONTENTS:
        return CONTENTS[floor]
    (package,) = layers.LAYERS[floor]
    path = root / "python" / Path(*package.split(".")) / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def places(floor: str) -> str:
    """Where a floor lies."""
    return "ktc" if floor == "public" else ", ".join(layers.LAYERS[floor])


def _text(x: float, y: float, words: str, style: str) -> str:
    return f"<text x='{x}' y='{y}' {style}>{escape(words)}</text>"


def _floor(root: Path, floor: str, found: dict[str, dict[str, bool]], y: float) -> Iterator[str]:
    shade = "#e8eef4" if layers.HEIGHT[floor] > layers.HEIGHT["bindings"] else "#f3ede4"
    yield (
        f"<rect x='{MARGIN}' y='{y}' width='{BOX}' height='{FLOOR}' rx='4' fill='{shade}' "
        "stroke='#5b6670'/>"
    )
    yield _text(MARGIN + 10, y + 18, places(floor), "font-weight='bold' font-size='13'")
    used = ", ".join(
        name if not found[floor][name] else f"({name})"
        for name in layers.LAYERS
        if name in found[floor]
    )
    right = "font-size='11' fill='#5b6670' text-anchor='end'"
    if used:
        yield _text(MARGIN + BOX - 10, y + 18, f"imports {used}", right)
    yield _text(MARGIN + 10, y + 36, contents(root, floor), "font-size='12'")


def _arrow(arrow: Arrow, y: dict[str, float], dashed: bool) -> str:
    right = MARGIN + BOX
    colour = COLOURS[layers.HEIGHT[arrow.source] % len(COLOURS)]
    style = f"fill='none' stroke='{colour}' stroke-width='1.6' marker-end='url(#head)'"
    if dashed:
        style += " stroke-dasharray='4 3'"
    if arrow.lane == 0:
        x = MARGIN + BOX / 2
        return f"<path d='M{x} {y[arrow.source] + FLOOR} V{y[arrow.target] - 3}' {style}/>"
    x = right + 14 + LANE * arrow.lane
    start, end = y[arrow.source] + FLOOR * 0.7, y[arrow.target] + FLOOR * 0.3
    return f"<path d='M{right} {start:g} H{x} V{end:g} H{right + 4}' {style}/>"


def picture(root: Path) -> str:
    """The text of the SVG file."""
    found = imports(root)
    names = list(reversed(layers.LAYERS))
    y: dict[str, float] = {name: MARGIN + STEP * i for i, name in enumerate(names)}
    height = 2 * MARGIN + STEP * len(names)
    body = [line for name in names for line in _floor(root, name, found, y[name])]
    body += [_arrow(arrow, y, found[arrow.source][arrow.target]) for arrow in arrows(found)]
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' {FONT}>\n"
        "<title>Packages of ktc as floors; arrows are imports</title>\n"
        "<defs><marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        "markerHeight='7' orient='auto'><path d='M0 0 L8 4 L0 8 z' fill='#333'/></marker></defs>\n"
        f"<rect width='{WIDTH}' height='{height}' fill='white'/>\n"
    )
    return head + "\n".join(body) + "\n</svg>\n"


def main() -> int:
    """Command line."""
    text = picture(ROOT)
    if sys.argv[1:] != ["--check"]:
        PICTURE.write_text(text, encoding="utf-8")
        return 0
    same = PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == text
    print(f"architecture: {'up to date' if same else 'run python tools/architecture.py'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
