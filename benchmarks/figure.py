"""All rates in one figure: a panel per work, a row per case, a point per contender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Outcome
from benchmarks.work import OURS, Work

OUR_COLOUR, BARE_COLOUR = "black", "0.6"


def draw(path: Path, works: Mapping[str, Work], outcomes: Sequence[Outcome]) -> None:
    """Write the figure; works without a measurement have no panel."""
    from matplotlib.figure import Figure

    measured = [one for one in outcomes if one.rate]
    names = [name for name in works if any(one.work == name for one in measured)]
    rows = {name: _rows([one for one in measured if one.work == name]) for name in names}
    if not names:
        return
    heights = [1.6 + 0.32 * len(rows[name]) for name in names]
    figure = Figure(figsize=(9.0, sum(heights)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, name in zip(panels, names, strict=True):
        _panel(panel, works[name], rows[name])
    figure.savefig(path, dpi=150)


def _rows(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    rows: dict[str, list[Outcome]] = {}
    for one in outcomes:
        cores = "one core" if one.cores == 1 else f"{one.cores} cores"
        rows.setdefault(f"{one.case['label']}, {cores}", []).append(one)
    return rows


def _panel(panel: Any, work: Work, rows: Mapping[str, list[Outcome]]) -> None:
    colours = _colours(work)
    for place, row in enumerate(rows.values()):
        for one in row:
            scale = 1 / one.rate if work.per_unit and one.rate else one.rate
            ours, bare = one.contender == OURS, one.contender == work.bare
            panel.plot(
                scale,
                place,
                marker="D" if ours else "|" if bare else "o",
                markersize=8 if ours else 14 if bare else 6,
                markeredgewidth=3 if bare else 0,
                color=colours[one.contender],
                linestyle="none",
                label=one.contender,
                zorder=3 if ours else 2,
            )
    _logarithmic(panel)
    panel.set_yticks(range(len(rows)), list(rows))
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlabel(f"time for one {work.unit} [s]" if work.per_unit else work.unit)
    panel.set_title(work.title, loc="left", fontsize="medium")
    panel.grid(axis="x", which="major", color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
    # One entry for each contender, however many cases it has a point in.
    handles, labels = panel.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    panel.legend(
        unique.values(), unique.keys(), fontsize="small", frameon=False,
        loc="upper left", bbox_to_anchor=(1.0, 1.05),
    )  # fmt: skip


def _logarithmic(panel: Any) -> None:
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    panel.xaxis.set_major_formatter(FormatStrFormatter("%.0e"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _colours(work: Work) -> dict[str, str]:
    """ktc and the bare kernel in fixed colours, the others in order."""
    cycle = [f"C{k}" for k in range(10)]
    others = [one.name for one in work.contenders if one.name not in (OURS, work.bare)]
    found = {name: cycle[k % len(cycle)] for k, name in enumerate(others)}
    return {**found, OURS: OUR_COLOUR, **({work.bare: BARE_COLOUR} if work.bare else {})}
