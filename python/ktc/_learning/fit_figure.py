"""Picture of a fit: parameters, gradient and energies over the time of learning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array
from ktc._drawing.names import plain
from ktc._drawing.scales import Scale, scale_of
from ktc._drawing.style import MANY, STYLES, legend, line, new_figure, thermal_axis, units
from ktc._theory.gaussian import parameter_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ktc._drawing.figure import Picture
    from ktc._learning.fit import Fit


def draw_fit(fit: Fit, figsize: tuple[float, float] | None = None) -> Picture:
    """Parameters with the data's maximum-likelihood values, gradient, and energies over time.

    Args:
        fit: what to draw.
        figsize: inches.
    """
    figure, axes = new_figure(4, figsize=figsize, height=2.2, sharex=True)
    clock = scale_of(fit.duration, fit.symbols.time)
    draw_parameters(axes[0, 0], fit, clock)
    draw_gradient(axes[1, 0], fit, clock)
    draw_ledger(axes[2, 0], fit, clock)
    draw_excess_work(axes[3, 0], fit, clock)
    axes[3, 0].set_xlabel(clock.label("time"))
    figure.suptitle(plain(fit.schedule.name), fontsize="medium")
    return figure


def draw_parameters(ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = ()) -> None:
    """θ(t), and at its end where the maximum of the likelihood is; units by ``peers`` too."""
    values, target = fit.history.parameters, target_parameters(fit)
    unit = fit.symbols.bias if fit.parameter == "bias" else fit.symbols.state
    scale = _common_scale([*peers, fit], lambda one: (one.history.parameters, target), unit)
    start = np.linalg.solve(parameter_map(fit.start, fit.parameter), fit.start.network.bias)
    time = np.concatenate([[0.0], fit.history.time]) * clock.factor
    units(ax, time, np.concatenate([start[None], values]) * scale.factor, steps=True)
    few = len(target) <= MANY
    for number, value in enumerate(target * scale.factor):
        ax.plot(
            [fit.time * clock.factor], [value],
            label="maximum likelihood" if number == 0 else None,
            marker="*" if few else "_", markersize=11 if few else 9, linestyle="none",
            color=STYLES[number]["color"] if few else "black", markerfacecolor="white",
            clip_on=False, zorder=5,
        )  # fmt: skip
    ax.set_ylabel(scale.label(fit.parameter))
    legend(ax)


def draw_gradient(ax: Axes, fit: Fit, clock: Scale) -> None:
    """g(t) that the updates used."""
    energy, of = fit.symbols.energy, fit.symbols.bias
    if fit.parameter != "bias":
        of = fit.symbols.state
    unit = " or ".join(f"{energy}/{one}" for one in of.split(" or ")) if energy else ""
    scale = scale_of(fit.history.gradient, unit)
    units(ax, fit.history.time * clock.factor, fit.history.gradient * scale.factor)
    ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_ylabel(scale.label("gradient g"))
    legend(ax)


def draw_ledger(ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = ()) -> None:
    """Mean work, free energy change and heat; on the right in kT."""

    def posts(one: Fit) -> dict[str, Array]:
        history = one.history
        return {"work": history.work, "ΔF": history.free_energy_change, "heat": history.heat}

    books = posts(fit)
    scale = _common_scale([*peers, fit], lambda one: posts(one).values(), fit.symbols.energy)
    for number, (label, values) in enumerate(books.items()):
        # Updates do work at an instant; heat flows in between.
        time, shown = (fit.history.time, values) if label == "heat" else _from_zero(fit, values)
        line(ax, time * clock.factor, shown * scale.factor, number, label, steps=label != "heat")
    _finish(ax, fit, scale, "energy")


def draw_ledger_of(ax: Axes, fit: Fit, clock: Scale, books: Mapping[str, Array]) -> None:
    """Given accounts of one fit over its updates."""
    scale = scale_of([np.abs(values).max() for values in books.values()], fit.symbols.energy)
    for number, (label, values) in enumerate(books.items()):
        flows = label.endswith("heat")
        time, shown = (fit.history.time, values) if flows else _from_zero(fit, values)
        line(ax, time * clock.factor, shown * scale.factor, number, label, steps=not flows)
    _finish(ax, fit, scale, "energy")


def draw_excess_work(ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = ()) -> None:
    """W − ΔF, the bias of the chain's likelihood, which equals it, and the bound at its end."""
    books = {"excess work": fit.history.excess_work, "likelihood bias": fit.history.likelihood_bias}
    bounds = [fit.bound] if fit.start.network.has_friction and fit.time > 0 else []
    scale = _common_scale(
        [*peers, fit], lambda one: (one.history.excess_work, *bounds), fit.symbols.energy
    )
    for number, (label, values) in enumerate(books.items()):
        time, shown = _from_zero(fit, values)
        line(ax, time * clock.factor, shown * scale.factor, number, label, steps=True)
    for bound in bounds:
        ax.axhline(bound * scale.factor, color="0.7", linewidth=3.5, zorder=0, label="bound")
    _finish(ax, fit, scale, "excess work")


def _from_zero(fit: Fit, values: Array) -> tuple[Array, Array]:
    """A book that was zero before the first update."""
    return np.concatenate([[0.0], fit.history.time]), np.concatenate([[0.0], values])


def _common_scale(
    fits: Iterable[Fit], values: Callable[[Fit], Iterable[ArrayLike]], unit: str
) -> Scale:
    """One scale for all values of all fits."""
    return scale_of([np.abs(value).max() for fit in fits for value in values(fit)], unit)


def _finish(ax: Axes, fit: Fit, scale: Scale, text: str) -> None:
    ax.set_ylabel(scale.label(text))
    if fit.symbols.energy:
        thermal_axis(ax, scale, fit.kT, text)
    legend(ax)


def target_parameters(fit: Fit) -> Array:
    """The maximum-likelihood parameters of the data, shape (d,)."""
    bias = fit.start.network.stiffness @ (fit.data_mean / fit.start.scale)
    return np.asarray(np.linalg.solve(parameter_map(fit.start, fit.parameter), bias))
