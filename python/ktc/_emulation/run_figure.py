"""Figure of a run: controls, records, and the distribution of energies over the replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.estimate import Estimate
from ktc._base.validation import count
from ktc._drawing.labels import Scale, column_names, scale_of
from ktc._drawing.style import STYLES, legend, line, new_figure, thinned, units
from ktc._model.accounts import NET_HEAT
from ktc._model.protocol_figure import draw_controls, driven, mark_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ktc._emulation.run import Run

#: Largest number of accounts that are named below the axis.
NAMED = 24
#: Number of replicas whose recorded states are drawn.
TRACES = 5
#: Recorded energies, with their labels.
ENERGIES = {"work": "mean work", "heat": "mean heat", "energy": "mean of H"}


def draw_run(run: Run, unit: int = 0, figsize: tuple[float, float] | None = None) -> Figure:
    """Draw controls and records over time, and the distribution of work and heat over the replicas.

    Where the accounts were itemised, all of them are drawn, with the heat of each resistor.

    Args:
        run: what to draw.
        unit: the unit whose recorded states are drawn, a few replicas and their mean.
        figsize: inches.

    Example:
        >>> import ktc
        >>> emulator = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=100, seed=1)
        >>> run = emulator.play(ktc.Protocol.ramp(duration=2.0, ticks=50, bias=(0.0, 4.0)))
        >>> len(ktc.plot.draw_run(run).axes)
        2
    """
    if not count("unit", unit, least=0) < run.network.units:
        raise ValueError(f"unit must be below {run.network.units}, but is {unit}")
    protocol = run.protocol
    controls = len(driven(protocol))
    records = [name for name in ("state", "mean", "covariance") if name in run.series]
    energies = [name for name in ENERGIES if name in run.series]
    accounts = _accounts(run)
    rows = controls + len(records) + bool(energies) + 1 + bool(accounts)
    figure, grid = new_figure(rows, figsize=figsize, height=2.2)
    axes = list(grid[:, 0])
    if accounts:
        _draw_accounts(axes.pop(), run, accounts)
    clock = scale_of(run.duration, run.symbols.time)
    if controls:
        draw_controls(axes[:controls], protocol, run.initial_controls, run.symbols)
    for ax, name in zip(axes[controls:], records, strict=False):
        _draw_record(ax, run, name, unit, clock)
    if energies:
        _draw_energies(axes[-2], run, energies, clock)
    for ax in axes[:-1]:
        ax.sharex(axes[0])
        mark_ends(ax, run.duration, clock)
    for ax in axes[:-2]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    if len(axes) > 1:
        axes[-2].set_xlabel(clock.label("time"))
    _draw_distribution(axes[-1], run)
    return figure


def _draw_record(ax: Axes, run: Run, name: str, unit: int, clock: Scale) -> None:
    time, values = run.times * clock.factor, run.series[name]
    if name == "state":
        chosen = values[:, :, unit]
        scale = scale_of(chosen, run.symbols.state)
        for replica, trace in enumerate(chosen[:, :TRACES].T * scale.factor):
            label = None if replica else "replicas"
            ax.plot(*thinned(time, trace), color="0.6", linewidth=0.7, label=label)
        line(ax, time, chosen.mean(axis=1) * scale.factor, 0, "mean of all", linewidth=2.0)
        ax.set_ylabel(scale.label(f"state of unit {unit}"))
    else:
        rms = name == "covariance"
        columns = np.sqrt(np.diagonal(values, axis1=1, axis2=2)) if rms else values
        scale = scale_of(columns, run.symbols.state)
        units(ax, time, columns * scale.factor)
        ax.set_ylabel(scale.label("rms width" if rms else "mean state"))
    legend(ax)


def _draw_energies(ax: Axes, run: Run, names: list[str], clock: Scale) -> None:
    scale = scale_of([run.series[name] for name in names], run.symbols.energy)
    for number, name in enumerate(names):
        energy = run.series[name] * scale.factor
        line(ax, run.times * clock.factor, energy, number, ENERGIES[name])
    ax.set_ylabel(scale.label("energy"))
    legend(ax)


def _heat(run: Run) -> str:
    """The account of heat that a run has."""
    return NET_HEAT if NET_HEAT in run._samples else "heat"


def _draw_distribution(ax: Axes, run: Run) -> None:
    """Histograms of work and heat over the replicas; means, for infinitely many."""
    if run.infinite:
        _draw_means(ax, run)
        return
    samples = {"work": run.work.samples, _heat(run): getattr(run, _heat(run)).samples}
    scale = scale_of(list(samples.values()), run.symbols.energy)
    replicas = len(samples["work"])
    together = np.concatenate(list(samples.values()))
    least, most = float(together.min()), float(together.max())
    if least == most:
        half = 0.5 * (abs(least) or 1.0 / scale.factor)
        least, most = least - half, most + half
    bins = np.linspace(least, most, int(np.clip(2 * replicas ** (1 / 3), 5, 60)) + 1)
    for number, (name, values) in enumerate(samples.items()):
        counts, edges = np.histogram(values, bins=bins)
        look = {key: STYLES[number][key] for key in ("color", "linestyle")}
        ax.stairs(counts, edges * scale.factor, label=name, linewidth=1.4, **look)
        shown = float(np.mean(values)) * scale.factor
        ax.plot([shown], [0], clip_on=False, zorder=5, **{**STYLES[number], "linestyle": "none"},
                label=f"mean {name}")  # fmt: skip
    ax.set_ylim(bottom=0)
    ax.set_xlabel(scale.label("energy per replica"))
    ax.set_ylabel("replicas per bin")
    legend(ax)


def _draw_means(ax: Axes, run: Run) -> None:
    """Mean work and heat, with their standard deviation where it is available."""
    means = {"work": run.work, _heat(run): getattr(run, _heat(run))}
    scale = scale_of([mean.mean for mean in means.values()], run.symbols.energy)
    for number, (name, energy) in enumerate(means.items()):
        try:
            spread = energy.variance**0.5
        except ValueError:
            spread = 0.0
        ax.errorbar(
            [energy.mean * scale.factor],
            [number],
            xerr=[spread * scale.factor],
            label=f"{name}, mean ± standard deviation" if spread else f"mean {name}",
            **{**STYLES[number], "linestyle": "none"},
        )
    ax.set_yticks([])
    ax.set_xlabel(scale.label("energy per replica"))
    legend(ax)


def _accounts(run: Run) -> dict[str, Estimate]:
    """Mean energies by account; empty without heat per resistor."""
    try:
        heats = run.heat_per_resistor
    except ValueError:
        return {}
    posts = {"work": run.work}
    others = {"source": run.source, "injected": run.injected, "shadow": run.shadow}
    for name, post in others.items():
        if post.mean != 0 if run.infinite else post.samples.any():
            posts[name] = post
    return posts | {f"heat {name}": heat for name, heat in heats.items()}


def _draw_accounts(ax: Axes, run: Run, accounts: dict[str, Estimate]) -> None:
    """Bars of the mean of every account, with error bars."""
    means = np.array([account.mean for account in accounts.values()])
    errors = np.array([account.stderr for account in accounts.values()])
    scale = scale_of(means, run.symbols.energy)
    places = np.arange(1, len(means) + 1)
    heats = np.array([name.startswith("heat") for name in accounts])
    kinds = (
        ("into the network", ~heats, "0.85", None),
        ("heat into the resistors", heats, "0.6", "//"),
    )
    for label, chosen, color, hatch in kinds:
        ax.bar(
            places[chosen], means[chosen] * scale.factor, width=0.8, edgecolor="0.3", label=label,
            color=color, hatch=hatch,
        )  # fmt: skip
    finite = np.isfinite(errors)
    ax.errorbar(
        places[finite], means[finite] * scale.factor, errors[finite] * scale.factor,
        linestyle="none", color="black", capsize=2.5, linewidth=1.2,
    )  # fmt: skip
    ax.axhline(0.0, color="black", linewidth=0.8)
    if len(accounts) <= NAMED:
        names, below = column_names(list(accounts))
        longest = max(map(len, names))
        ax.set_xticks(places, names, rotation=90 if longest * len(names) > 80 else 0)
        ax.set_xlabel(below.replace("column", "account"))
    else:
        named = ", ".join(name for name, heat in zip(accounts, heats, strict=True) if not heat)
        ax.set_xlabel(f"account, counted from 1: {named}, then heat of each resistor")
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(scale.label("mean energy"))
    legend(ax)
