"""Picture of a fit of several kinds of parameters: each kind, gradient and energies over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._drawing.names import plain
from ktc._drawing.scales import scale_of
from ktc._drawing.style import legend, new_figure, units
from ktc._learning.fit_figure import draw_ledger_of

if TYPE_CHECKING:
    from ktc._drawing.figure import Picture
    from ktc._learning.joint_fit import JointFit


def draw_joint_fit(fit: JointFit, figsize: tuple[float, float] | None = None) -> Picture:
    """θ of every kind, and below it work, heat and, where it is known on the way, ΔF.

    Args:
        fit: what to draw.
        figsize: inches.
    """
    blocks = fit.learned.blocks
    figure, axes = new_figure(len(blocks) + 1, figsize=figsize, height=2.2, sharex=True)
    clock = scale_of(fit.duration, fit.symbols.time)
    start = fit.learned.vector(fit.start.network.controls)
    values = np.concatenate([start[None], fit.history.parameters])
    time = np.concatenate([[0.0], fit.history.time]) * clock.factor
    for ax, (name, block) in zip(axes[:, 0], blocks.items(), strict=False):
        unit = {"bias": fit.symbols.bias, "quartic": ""}.get(name, fit.symbols.stiffness)
        scale = scale_of(values[:, block], unit)
        places = fit.learned.places[name]
        alone = fit.learned.units == 1
        numbers = () if alone else [",".join(map(str, p)) for p in zip(*places, strict=True)]
        what = "unit" if len(places) == 1 else "element"
        units(ax, time, values[:, block] * scale.factor, steps=True, name=what, numbers=numbers)
        ax.set_ylabel(scale.label(name))
        legend(ax)
    history = fit.history
    books = {"work": history.work, "heat": history.heat}
    if len(history.path_free_energy):
        books["ΔF"] = history.free_energy_change
    if len(fit.hidden):
        books |= {"clamped work": history.positive_work, "clamped heat": history.positive_heat}
    draw_ledger_of(axes[-1, 0], fit, clock, books)
    axes[-1, 0].set_xlabel(clock.label("time"))
    figure.suptitle(plain(fit.schedule.name), fontsize="medium")
    return figure
