"""Runs whose figures must not change: every motion, both precisions, boards, circuits, learning.

``tests/reference_runs.json`` holds their figures and what they were computed with;
``test_reference_runs.py`` compares. Runs use the public interface alone, in calls that are there to
stay, and data that are sums and products of given decimals, so that a record of one version can be
compared with any other.

    python tests/reference_runs.py            # compare this ktc with the record, run by run
    python tests/reference_runs.py --record   # write the record from this ktc

A new record is due where results change on purpose. The changelog then names the runs that changed
and why.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import reference_fits
import reference_plays
from reference_figures import (
    BY_LIBRARIES,
    CLOSED_FORMS,
    FACTORS,
    KERNELS,
    ROUNDING,
    Figures,
    difference,
    environment,
    figures_of,
    scales,
    text_of,
)

RECORD = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Run:
    """A run, and what its bits depend on.

    Attributes:
        figures: makes the figures on a number of threads.
        bits: KERNELS, LIBRARIES, FACTORS or ROUNDING.
        single: whether states are in single precision.
    """

    figures: Callable[[int], Figures]
    bits: str
    single: bool = False

    def tolerance(self, figure: str, here: Mapping[str, Any], made: Mapping[str, Any]) -> float:
        """Largest relative difference of a figure between two environments; infinite for any.

        Another library or level rounds otherwise, by 1e-16, or 6e-8 of a state in single precision.
        Runs are short and contract: at most 3e-14 and 3e-6 came of it where OpenBLAS's kernels
        were Nehalem's, Sandybridge's and Haswell's, with NumPy 1.26 and OpenBLAS 0.3.27, and with
        ktc's kernels of level v2.
        """
        rounding = 1e-4 if self.single else 1e-10
        levels = {here["kernels"], made["kernels"]}
        kernels = here["system"] == made["system"] and (len(levels) == 1 or levels == {"v3", "v4"})
        libraries = all(here[name] == made[name] for name in made if name != "kernels")
        if self.bits == FACTORS and not (kernels and libraries):
            return math.inf
        if self.bits == ROUNDING or figure in CLOSED_FORMS:
            return rounding
        alone = self.bits == KERNELS and figure not in BY_LIBRARIES
        return 0.0 if kernels and (libraries or alone) else rounding


def runs() -> dict[str, Run]:
    """All runs by name."""
    listed = {}
    for name, (options, bits) in reference_plays.MOTIONS.items():
        listed[name] = Run(partial(reference_plays.moved, options), bits)
        single = {**options, "dtype": "float32"}
        listed[f"{name}, single"] = Run(partial(reference_plays.moved, single), bits, single=True)
    listed |= {name: Run(figures, bits) for name, (figures, bits) in reference_plays.OTHERS.items()}
    for name, (figures, bits) in reference_plays.SINGLE.items():
        listed[f"{name}, single"] = Run(figures, bits, single=True)
    for name, (figures, bits) in reference_fits.FITS.items():
        listed[f"learn: {name}"] = Run(figures, bits, single="single" in name)
    return listed


RUNS = runs()


@cache
def record() -> tuple[dict[str, Any], dict[str, Figures]]:
    """The environment of the record, and its figures by run."""
    read = json.loads(RECORD.read_text())
    return read["made with"], {name: figures_of(text) for name, text in read["runs"].items()}


def changes(name: str, threads: int, exactly: bool = False) -> list[str]:
    """Figures of a run that differ from the record, one line each.

    Args:
        name: of the run.
        threads: for its emulators.
        exactly: asks for the same bits of all figures in any environment.
    """
    made, runs = record()
    run, expected, here = RUNS[name], runs[name], environment()
    found, scale = run.figures(threads), scales(expected)
    lines = [f"{figure}: not in the record" for figure in found if figure not in expected]
    for figure, values in expected.items():
        if figure not in found:
            lines.append(f"{figure}: missing")
            continue
        allowed = 0.0 if exactly else run.tolerance(figure, here, made)
        what = difference(values, found[figure], allowed, scale[figure])
        if what is not None:
            lines.append(f"{figure}: {what}")
    return lines


def write() -> None:
    """Makes the record."""
    figures = {name: text_of(run.figures(1)) for name, run in RUNS.items()}
    RECORD.write_text(json.dumps({"made with": environment(), "runs": figures}, indent=0) + "\n")


def compare() -> None:
    """Prints every figure whose bits differ from the record, whatever is allowed."""
    made, here = record()[0], environment()
    for name in made:
        if made[name] != here.get(name):
            print(f"{name}: {here.get(name)} here, {made[name]} in the record")
    differ = 0
    for name, run in RUNS.items():
        lines = changes(name, 1, exactly=True)
        differ += bool(lines)
        if lines:
            print(f"{name} ({run.bits})", *lines, sep="\n    ")
    print(f"{len(RUNS) - differ} of {len(RUNS)} runs have the bits of the record")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write the record")
    if parser.parse_args().record:
        write()
    else:
        compare()
