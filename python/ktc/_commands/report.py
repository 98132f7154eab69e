"""Reports of a comparison: a table for the terminal, and numbers for a file."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ktc._base.estimate import Estimate
from ktc._drawing.labels import scale_of
from ktc._learning.comparison import Comparison, Point

EXPLANATION = """\
completed: excess work with one last jump to the mean of the data, so that all runs reach one model
ratio: completed excess work over the bound
error: rms of learned mean - data mean, in standard deviations of the data
±: one standard error of repeated runs"""

#: Largest number of decimals, or of digits before them less one, without a power of ten.
MOST_DECIMALS = 6
DIGITS = 15  # of a double


def with_error(estimate: Estimate, factor: float = 1.0) -> str:
    """Format mean ± standard error times ``factor``, to two digits of the error.

    With a power of ten for more than six decimals or seven digits before them: (1.46 ± 0.70)e-11.
    """
    mean, error = estimate.mean * factor, estimate.stderr * factor
    if not 0 < error < math.inf:
        return f"{mean:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    largest = max(abs(mean), error)
    if decimals <= MOST_DECIMALS and largest < 10 ** (MOST_DECIMALS + 1):
        return f"{mean:.{decimals}f} ± {error:.{decimals}f}"
    power = math.floor(math.log10(largest))
    decimals = min(max(0, 1 - math.floor(math.log10(error)) + power), DIGITS)
    shown = [f"{value / 10.0**power:.{decimals}f}" for value in (mean, error)]
    return f"({' ± '.join(shown)})e{power:+03d}"


def table(comparison: Comparison) -> str:
    """The cost of both runs, in joules and kT, beside the bound."""
    kT, energy = comparison.model.board.kT, comparison.model.board.symbols.energy
    works = [point.excess_work.mean for point in comparison.points]
    scale = scale_of(works, energy)
    lines = [
        ["", "excess work", "", "completed", "", "ratio", "error"],
        ["schedule", *[f"[{scale.unit}]", "[kT]"] * 2, "to bound", "[sd]"],
    ]
    for point, fit in zip(comparison.points, comparison.fits, strict=True):
        costs = [
            with_error(work, factor)
            for work in (fit.excess_work, point.excess_work)
            for factor in (scale.factor, 1 / kT)
        ]
        name = point.schedule + (" (best rate)" if point.rate else "")
        lines.append([name, *costs, with_error(point.ratio), f"{comparison.error(fit):.3f}"])
    bound = comparison.points[0].bound
    least = ["bound", "", "", f"{bound * scale.factor:.4g}", f"{bound / kT:.4g}", "1", ""]
    return _aligned([*lines, least])


def results(comparison: Comparison) -> dict[str, object]:
    """Return all numbers of the table and the scan, energies in joules and in kT."""
    model, kT = comparison.model, comparison.model.board.kT
    rows = [
        {
            **_point(point, kT),
            "excess_work": _estimate(fit.excess_work, kT),
            "work": _estimate(fit.work, kT),
            "heat": _estimate(fit.heat, kT),
            "final_error": comparison.error(fit),
            "learned_mean": model.mean_at(fit.history.bias[-1]).tolist(),
        }
        for point, fit in zip(comparison.points, comparison.fits, strict=True)
    ]
    return {
        "kT": kT,
        "shrinkage": model.shrinkage,
        "data_mean": model.encoding.decode(model.mean).tolist(),
        "table": rows,
        "scan": [_point(point, kT) for point in comparison.scan],
    }


def _point(point: Point, kT: float) -> dict[str, object]:
    return {
        "schedule": point.schedule,
        "duration": point.duration,
        "seed": point.seed,
        "rate": point.rate,
        "completed_excess_work": _estimate(point.excess_work, kT),
        "bound": {"J": point.bound, "kT": point.bound / kT},
        "ratio": {"mean": point.ratio.mean, "stderr": point.ratio.stderr},
    }


def _estimate(estimate: Estimate, kT: float) -> dict[str, float]:
    mean, stderr = estimate.mean, estimate.stderr
    return {"J": mean, "stderr_J": stderr, "kT": mean / kT, "stderr_kT": stderr / kT}


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Align the first column to the left, the others to the right."""
    columns: list[list[str]] = []
    for column in zip(*rows, strict=True):
        width = max(map(len, column))
        columns.append([cell.rjust(width) if columns else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))
