"""Style of lines: distinct in grey, thinned where they are long, bands for many units."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import interrupts_deferred
from ktc._base.validation import Array
from ktc._drawing.labels import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis

    from ktc._drawing.figure import Picture

#: Colours that are distinct for the colour-blind (Okabe, Ito), each with a dash and a marker.
STYLES: list[dict[str, Any]] = [
    {"color": "#000000", "linestyle": "-", "marker": "o"},
    {"color": "#0072B2", "linestyle": "--", "marker": "s"},
    {"color": "#D55E00", "linestyle": "-.", "marker": "^"},
    {"color": "#009E73", "linestyle": ":", "marker": "D"},
    {"color": "#AA4499", "linestyle": (0, (6, 1.5, 1, 1.5, 1, 1.5)), "marker": "v"},
    {"color": "#56B4E9", "linestyle": (0, (8, 3)), "marker": "P"},
]

#: Largest number of units that are drawn as lines, not as bands.
MANY = 6

#: Approximate largest number of points per line.
POINTS = 2000

WIDTH = 7.0  # inches


def new_figure(
    rows: int = 1,
    columns: int = 1,
    figsize: tuple[float, float] | None = None,
    height: float = 2.6,
    **options: Any,
) -> tuple[Picture, Any]:
    """A figure with axes of shape (rows, columns); ``height`` inches per row by default."""
    with interrupts_deferred():
        from ktc._drawing.figure import Picture

    size = (WIDTH, 0.5 + height * rows) if figsize is None else figsize
    figure = Picture(figsize=size, dpi=120, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for ax in axes.flat:
        ax.tick_params(direction="in", top=True, right=True, which="both")
        ax.margins(x=0.02)
    return figure, axes


def legend(ax: Axes, columns: int = 4) -> int:
    """Draw a legend above the axes and return its number of rows."""
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=min(columns, len(labels)),
            frameon=False,
            borderaxespad=0.2,
            fontsize="small",
            handlelength=3.2,
            columnspacing=1.2,
        )
    return -(-len(labels) // columns)


def thermal_axis(ax: Axes, scale: Scale, kT: float, text: str) -> SecondaryAxis:
    """Add an axis on the right that shows the energies of the left axis in kT."""
    shown = scale.factor * kT

    def to_kT(values: ArrayLike) -> Array:
        return np.asarray(values, dtype=np.float64) / shown

    def from_kT(values: ArrayLike) -> Array:
        return np.asarray(values, dtype=np.float64) * shown

    right = ax.secondary_yaxis("right", functions=(to_kT, from_kT))
    right.set_ylabel(f"{text} [kT]")
    right.tick_params(direction="in", which="both")
    ax.tick_params(right=False, which="both")
    return right


def thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """Thin a line to about ``POINTS`` points, keeping the extremes of each stretch."""
    if len(x) <= POINTS:
        return x, y
    edges = np.linspace(0, len(x), POINTS // 2 + 1).astype(int)
    kept = {0, len(x) - 1}
    for start, stop in pairwise(edges):
        stretch = y[start:stop]
        kept |= {int(start + np.argmin(stretch)), int(start + np.argmax(stretch))}
    indices = np.array(sorted(kept))
    return x[indices], y[indices]


def line(
    ax: Axes, x: Array, y: Array, number: int, label: str = "", steps: bool = False, **options: Any
) -> None:
    """Draw one thinned line in the style of its number, with a few markers."""
    x, y = thinned(x, y)
    look = {**STYLES[number % len(STYLES)], "markersize": 4.5, "linewidth": 1.4, **options}
    spread = max(1, len(x) // 8)
    # Markers of different lines are at different places.
    first = int(spread * ((0.25 + 0.37 * number) % 1))
    style = "steps-post" if steps else "default"
    ax.plot(x, y, label=label or None, markevery=(first, spread), drawstyle=style, **look)


def units(
    ax: Axes,
    x: Array,
    values: Array,
    steps: bool = False,
    name: str = "unit",
    numbers: Sequence[int | str] = (),
) -> None:
    """Draw a line for each column of a few ``values``, or bands of quantiles over many.

    ``steps`` draws values that are held; ``numbers``, by default 0, 1, …, follow ``name`` in the
    legend.
    """
    count = values.shape[1]
    if count <= MANY:
        for unit in range(count):
            number = numbers[unit] if numbers else unit
            label = f"{name} {number}" if count > 1 or numbers else ""
            line(ax, x, values[:, unit], unit, label, steps)
        return
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int))
    least, lower, median, upper, most = np.quantile(values[chosen], [0, 0.25, 0.5, 0.75, 1], axis=1)
    few = x[chosen]
    step: Literal["post"] | None = "post" if steps else None
    style: Literal["steps-post", "default"] = "steps-post" if steps else "default"
    ax.fill_between(few, least, most, step=step, color="0.88", label=f"all {count} {name}s")
    for edge in (values.min(axis=1), values.max(axis=1)):
        ax.plot(*thinned(x, edge), color="0.45", linewidth=0.8, linestyle=":", drawstyle=style)
    ax.fill_between(few, lower, upper, step=step, color="0.66", label="middle half")
    ax.plot(few, median, color="black", linewidth=1.6, label="median", drawstyle=style)
