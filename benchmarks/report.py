"""Results as tables for people and JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Outcome, all_cores
from benchmarks.work import OURS, Work

PACKAGES = (
    "numpy", "scipy", "scipy-openblas32", "numba", "jax", "jaxlib", "torch", "diffrax",
    "torchsde", "thermox", "mkl_random", "mkl",
)  # fmt: skip
#: Replicas from which a second core must be worthwhile.
MANY = 10_000


def table(work: Work, outcomes: Sequence[Outcome]) -> str:
    """One case: rates, their spread, ktc over each, each over the bare kernel."""
    case = outcomes[0].case
    ours = _rate_of(outcomes, OURS)
    bare = _rate_of(outcomes, work.bare)
    value = f"time a {work.unit}" if work.per_unit else work.unit
    rows = [("", value, "spread", "ours/this", "of bare", "start s", "first s", "MiB", "busy")]
    for one in outcomes:
        rate = one.rate
        if rate is None:
            rows.append((one.contender, one.state))
            continue
        others = one.contender not in (OURS, work.bare)
        rows.append(
            (
                one.contender,
                duration(1 / rate) if work.per_unit else f"{rate:.3g}",
                f"{min(one.rates) / rate - 1:+.0%} {max(one.rates) / rate - 1:+.0%}",
                f"{ours / rate:.3g}" if ours and others else "",
                f"{rate / bare:.2f}" if bare and one.contender != work.bare else "",
                f"{one.prepare:.2f}",
                f"{one.first_run:.2f}",
                f"{one.peak:.0f}",
                f"{sum(one.loads) / len(one.loads):.0%}",
            )
        )
    cores = "one core" if case["cores"] == 1 else f"{case['cores']} cores"
    lines = [f"{work.title}: {case['label']}, {cores}", *_aligned(rows)]
    return "\n".join(lines + [f"  {note}" for note in work.notes(list(outcomes))])


def scaling(outcomes: Sequence[Outcome]) -> list[str]:
    """Rates of ktc on all cores over those on one, where there are many replicas."""
    lines = []
    singles = {_key(one): one for one in outcomes if one.cores == 1}
    for many in outcomes:
        one = singles.get(_key(many))
        large = many.case.get("replicas", 0) >= MANY and many.contender.startswith(OURS)
        if many.cores > 1 and large and one and one.rate and many.rate:
            lines.append(
                f"{many.work}, {many.case['label']}, {many.contender}: "
                f"{many.cores} cores / one {many.rate / one.rate:.2f}"
            )
    return lines


def duration(seconds: float) -> str:
    """Three digits in a readable unit."""
    for factor, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def record(outcomes: Sequence[Outcome], settings: dict[str, Any]) -> dict[str, Any]:
    """All numbers, with the machine and the versions."""
    return {
        "machine": machine(),
        "versions": versions(),
        "ktc": _show_config(),
        "settings": settings,
        "outcomes": [{**asdict(one), "rate": one.rate} for one in outcomes],
        "scaling": scaling(outcomes),
    }


def machine() -> dict[str, Any]:
    """Processor, cores that may be used, and how busy the machine is."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return {
        "processor": _processor(),
        "cores": len(all_cores()),
        "system": platform.platform(),
        "load": [round(value, 2) for value in load],
    }


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _show_config() -> dict[str, str]:
    import ktc

    return dict(ktc.show_config())


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _rate_of(outcomes: Sequence[Outcome], name: str | None) -> float | None:
    return next((one.rate for one in outcomes if one.contender == name), None)


def _key(one: Outcome) -> tuple[str, str, str]:
    return one.work, one.case["label"], one.contender


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    full = [row for row in rows if len(row) > 2]
    widths = [max(len(row[k]) for row in full) for k in range(len(full[0]))]
    widths[0] = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        if len(row) == 2:
            lines.append(f"  {row[0]:<{widths[0]}}  {row[1]}")
            continue
        cells = [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([f"  {row[0]:<{widths[0]}}", *cells]).rstrip())
    return lines
