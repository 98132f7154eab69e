"""Figures of several schedules: cost over duration, fits side by side, what was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import interrupts_deferred
from ktc._drawing.labels import column_names, plain, scale_of
from ktc._drawing.style import STYLES, legend, new_figure, thermal_axis
from ktc._learning.comparison import Comparison
from ktc._learning.fit import Fit
from ktc._learning.fit_figure import draw_excess_work, draw_ledger, draw_parameters
from ktc._theory.least_work import least_excess_work

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Largest number of columns that are named.
NAMED = 24

#: Note in the legend for schedules that need the target.
TARGET_KNOWN = {"ContinuousMinimalDissipation": ", target known"}


def excess_over_duration(
    comparison: Comparison, figsize: tuple[float, float] | None = None
) -> Figure:
    """Draw the completed excess work of every schedule over its duration, and the bound."""
    with interrupts_deferred():
        from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    figure, axes = new_figure(1, figsize=figsize, height=4.2)
    ax = axes[0, 0]
    board, scan = comparison.model.board, comparison.scan
    ends = np.array([point.duration for point in scan])
    clock = scale_of(ends, board.symbols.time)
    scale = scale_of([point.excess_work.mean for point in scan], board.symbols.energy)
    target = board.stiffness @ (comparison.model.mean * board.capacitance)
    durations = np.geomspace(ends.min() / 1.15, ends.max() * 1.15, 60)
    bounds = np.array([least_excess_work(board, target, t) for t in durations])
    ax.plot(
        durations * clock.factor, bounds * scale.factor, color="0.6", linewidth=5, label="bound"
    )
    for number, name in enumerate(dict.fromkeys(point.schedule for point in scan)):
        points = [point for point in scan if point.schedule == name]
        note = ", best rate" if points[0].rate else TARGET_KNOWN.get(name, "")
        ax.errorbar(
            np.array([p.duration for p in points]) * clock.factor,
            np.array([p.excess_work.mean for p in points]) * scale.factor,
            np.array([p.excess_work.stderr for p in points]) * scale.factor,
            label=plain(name + note),
            linewidth=1.2, markersize=5.5, markerfacecolor="white", capsize=2.5,
            **STYLES[number % len(STYLES)],
        )  # fmt: skip
    ax.set_xlabel(clock.label("duration"))
    ax.set_ylabel(scale.label("completed excess work"))
    # Before the right axis is made, whose ticks are reset where the left scale changes.
    ax.set_xscale("log")
    ax.set_yscale("log")
    right = thermal_axis(ax, scale, board.kT, "completed excess work")
    for axis in (ax.yaxis, right.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    ax.set_xticks([t * clock.factor for t in dict.fromkeys(ends.tolist())])
    ax.xaxis.set_major_formatter("{x:.3g}")
    ax.xaxis.set_minor_locator(NullLocator())
    legend(ax, columns=2)
    return figure


def side_by_side(fits: Sequence[Fit], figsize: tuple[float, float] | None = None) -> Figure:
    """Draw controls and ledger of several fits, one column each; ``figsize`` is in inches.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> rates = [ktc.schedules.Constant(2.0, rate) for rate in (0.5, 1.0)]
        >>> fits = [ktc.learn(unit, 1.0, rate, replicas=100, ticks=20, seed=1) for rate in rates]
        >>> len(ktc.plot.side_by_side(fits).axes)
        6
    """
    size = (4.6 * len(fits), 8.4) if figsize is None else figsize
    figure, axes = new_figure(3, len(fits), figsize=size, sharex=True, sharey="row")
    for column, fit in enumerate(fits):
        clock = scale_of(fit.duration, fit.symbols.time)
        for row, draw in enumerate((draw_parameters, draw_ledger, draw_excess_work)):
            draw(axes[row, column], fit, clock, peers=fits)
        rows = legend(axes[0, column], columns=2)
        axes[0, column].set_title(plain(fit.schedule.name), pad=6 + 15 * rows, fontsize="medium")
        axes[2, column].set_xlabel(clock.label("time"))
    return figure


def images(
    pictures: Mapping[str, ArrayLike],
    label: str,
    limits: tuple[float, float],
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw grey images in a row on one scale, each with its caption; high values are dark.

    Args:
        pictures: by caption, shape (rows, columns) each.
        label: what the grey levels mean.
        limits: values that are white and black; values beyond look like them.
        figsize: inches.

    Example:
        >>> import ktc
        >>> pictures = {"data": [[0, 1], [1, 0]], "learned": [[0.1, 0.9], [0.8, 0.2]]}
        >>> figure = ktc.plot.images(pictures, "grey level", limits=(0.0, 1.0))
        >>> [ax.get_title() for ax in figure.axes[:2]]
        ['data', 'learned']
    """
    size = (2.1 * len(pictures) + 0.9, 2.8) if figsize is None else figsize
    figure, axes = new_figure(1, len(pictures), figsize=size)
    for ax, (caption, image) in zip(axes[0], pictures.items(), strict=True):
        drawn = ax.imshow(np.asarray(image), cmap="gray_r", vmin=limits[0], vmax=limits[1])
        ax.set_title(plain(caption), fontsize="medium")
        ax.set_xticks([])
        ax.set_yticks([])
    figure.colorbar(drawn, ax=axes[0], label=plain(label), pad=0.02, extend="both")
    return figure


def means(
    series: Mapping[str, ArrayLike],
    columns: Sequence[str],
    label: str,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw one marker per column and series; the first series as bars.

    Args:
        series: by name, shape (columns,) each.
        columns: names of the columns; numbers, counted from 1, stand for them where there are
            more than 24, and for those that the font cannot write.
        label: what the values are.
        figsize: inches.

    Example:
        >>> import ktc
        >>> found = {"data": [1.0, 2.0], "learned": [1.1, 1.9]}
        >>> figure = ktc.plot.means(found, columns=["height", "width"], label="mean [cm]")
        >>> figure.axes[0].get_ylabel()
        'mean [cm]'
    """
    figure, axes = new_figure(1, figsize=figsize, height=3.6)
    ax = axes[0, 0]
    places = np.arange(1, len(columns) + 1)
    for number, (name, values) in enumerate(series.items()):
        shown = np.asarray(values, dtype=np.float64)
        if number == 0:
            ax.bar(places, shown, width=0.8, color="0.85", edgecolor="0.5", label=plain(name))
            continue
        look = {key: STYLES[number - 1][key] for key in ("color", "marker")}
        ax.plot(places, shown, linestyle="none", markerfacecolor="none", label=plain(name), **look)
    ax.axhline(0.0, color="black", linewidth=0.8)
    ax.set_ylabel(plain(label))
    if len(columns) <= NAMED:
        names, below = column_names(columns)
        longest = max(map(len, names))
        ax.set_xticks(places, names, rotation=90 if longest * len(names) > 60 else 0)
        ax.set_xlabel(below)
    else:
        ax.set_xlabel("column, counted from 1")
    ax.tick_params(axis="x", length=0)
    legend(ax)
    return figure
