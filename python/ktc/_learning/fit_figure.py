"""Figure of a fit: parameters, gradient and energies over the time of learning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array
from ktc._drawing.labels import Scale, plain, scale_of
from ktc._drawing.style import MANY, STYLES, legend, line, new_figure, thermal_axis, units
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.directions import Directions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ktc._learning.fit import Fit

#: Unit of each kind of parameter, as an attribute of Units.
UNIT_OF = {"bias": "bias", "center": "state", "quartic": ""}


def draw_fit(fit: Fit, figsize: tuple[float, float] | None = None) -> Figure:
    """Draw each kind of parameter, and the energies; of one kind alone the gradient too.

    Where the likelihood is available at each update, excess work and likelihood bias have a panel.
    ``figsize`` is in inches.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
        >>> fit = ktc.learn(net, 5.0, schedule, replicas=100, ticks=50, seed=1)
        >>> [ax.get_ylabel() for ax in ktc.plot.draw_fit(fit).axes]
        ['bias', 'gradient g', 'energy', 'excess work']
    """
    kinds = list(fit.learned.blocks)
    gradient, excess = len(kinds) == 1, len(fit.history.path_likelihood_bias) > 0
    figure, axes = new_figure(
        len(kinds) + gradient + 1 + excess, figsize=figsize, height=2.2, sharex=True
    )
    clock = scale_of(fit.duration, fit.symbols.time)
    panels = iter(axes[:, 0])
    for kind in kinds:
        draw_parameters(next(panels), fit, clock, kind=kind)
    if gradient:
        draw_gradient(next(panels), fit, clock)
    draw_ledger(next(panels), fit, clock)
    if excess:
        draw_excess_work(next(panels), fit, clock)
    axes[-1, 0].set_xlabel(clock.label("time"))
    figure.suptitle(plain(fit.schedule.name), fontsize="medium")
    return figure


def draw_parameters(
    ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = (), kind: str | None = None
) -> None:
    """θ(t) of one kind, on one scale with ``peers``, and for the bias of a Gaussian network the
    maximum of the likelihood.
    """
    name = kind or next(iter(fit.learned.blocks))
    block, places = fit.learned.blocks[name], fit.learned.places[name]
    target = _target(fit)
    goal = np.empty(0) if target is None else target[block]
    scale = _common_scale(
        [*peers, fit], lambda one: (one.history.theta[:, block], goal), _unit(fit, name)
    )
    start = fit.learned.vector(fit.start.network.controls)
    time = np.concatenate([[0.0], fit.history.time]) * clock.factor
    values = np.concatenate([start[None], fit.history.theta])[:, block]
    alone = fit.learned.units == 1 or isinstance(fit.learned, Directions)
    numbers = () if alone else [",".join(map(str, place)) for place in zip(*places, strict=True)]
    what = "unit" if len(places) == 1 else "element"
    units(ax, time, values * scale.factor, steps=True, name=what, numbers=numbers)
    few = len(goal) <= MANY
    for number, value in enumerate(goal * scale.factor):
        ax.plot(
            [fit.time * clock.factor], [value],
            label="maximum likelihood" if number == 0 else None,
            marker="*" if few else "_", markersize=11 if few else 9, linestyle="none",
            color=STYLES[number]["color"] if few else "black", markerfacecolor="white",
            clip_on=False, zorder=5,
        )  # fmt: skip
    ax.set_ylabel(scale.label(name))
    legend(ax)


def draw_gradient(ax: Axes, fit: Fit, clock: Scale) -> None:
    """g(t) that the updates used."""
    energy, of = fit.symbols.energy, _unit(fit, next(iter(fit.learned.blocks)))
    unit = " or ".join(f"{energy}/{one}" for one in of.split(" or ")) if energy else ""
    scale = scale_of(fit.history.gradient, unit)
    units(ax, fit.history.time * clock.factor, fit.history.gradient * scale.factor)
    ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_ylabel(scale.label("gradient g"))
    legend(ax)


def draw_ledger(ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = ()) -> None:
    """Mean work, free energy change and heat; on the right in kT."""

    def accounts(one: Fit) -> dict[str, Array]:
        history = one.history
        found = {"work": history.work, "ΔF": history.path_free_energy, "heat": history.heat}
        if len(one.hidden):
            found |= {"clamped work": history.positive_work, "clamped heat": history.positive_heat}
        return {label: values for label, values in found.items() if len(values)}

    scale = _common_scale([*peers, fit], lambda one: accounts(one).values(), fit.symbols.energy)
    for number, (label, values) in enumerate(accounts(fit).items()):
        # Updates do work at an instant; heat flows in between.
        flows = label.endswith("heat")
        time, shown = (fit.history.time, values) if flows else _from_zero(fit, values)
        line(ax, time * clock.factor, shown * scale.factor, number, label, steps=not flows)
    _finish(ax, fit, scale, "energy")


def draw_excess_work(ax: Axes, fit: Fit, clock: Scale, peers: Sequence[Fit] = ()) -> None:
    """W − ΔF, the bias of the chain's likelihood, which equals it, and the bound at its end.

    No bound where the run is known not to have started in equilibrium.
    """
    history = fit.history
    curves = {"excess work": history.excess_work, "likelihood bias": history.likelihood_bias}
    known = _target(fit) is not None and fit.start.network.has_friction and fit.time > 0
    known = known and fit.from_equilibrium is not False
    bounds = [fit.bound] if known else []
    scale = _common_scale(
        [*peers, fit], lambda one: (one.history.excess_work, *bounds), fit.symbols.energy
    )
    for number, (label, values) in enumerate(curves.items()):
        time, shown = _from_zero(fit, values)
        line(ax, time * clock.factor, shown * scale.factor, number, label, steps=True)
    for bound in bounds:
        ax.axhline(bound * scale.factor, color="0.7", linewidth=3.5, zorder=0, label="bound")
    _finish(ax, fit, scale, "excess work")


def _target(fit: Fit) -> Array | None:
    """θ of the maximum of the likelihood, where drawing may ask for it."""
    whole = ExactModel(fit.start, fit.learned).whole and not len(fit.hidden)
    return fit.learned.vector(fit.maximum_likelihood) if whole else None


def _unit(fit: Fit, kind: str) -> str:
    """Unit symbol of a kind of parameter."""
    if isinstance(fit.learned, Directions):
        return fit.learned.symbols[kind]
    name = UNIT_OF.get(kind, "stiffness")
    return str(getattr(fit.symbols, name)) if name else ""


def _from_zero(fit: Fit, values: Array) -> tuple[Array, Array]:
    """A curve that was zero before the first update."""
    return np.concatenate([[0.0], fit.history.time]), np.concatenate([[0.0], values])


def _common_scale(
    fits: Iterable[Fit], values: Callable[[Fit], Iterable[ArrayLike]], unit: str
) -> Scale:
    """One scale for all values of all fits."""
    return scale_of([np.abs(v).max() for fit in fits for v in values(fit) if np.size(v)], unit)


def _finish(ax: Axes, fit: Fit, scale: Scale, text: str) -> None:
    ax.set_ylabel(scale.label(text))
    if fit.symbols.energy:
        thermal_axis(ax, scale, fit.kT, text)
    legend(ax)
