"""Minimal dissipation beyond the harmonic unit: a quartic unit and two double wells learn a mean.

    H = ½ k x² + ¼ x⁴ − b x,   η(t) = [(T − t) F(b) + 2ζ(b)]⁻¹ with jumps F⁻¹ζ η g and ½F⁻¹g

F and ζ are those at the equilibrium of the present bias, by quadrature, or measured on 4,000 other
replicas; or F is that of the learning replicas; or both are averages over the way to where the
model has the data's mean ("anticipating"). Natural gradient and constant rate are tuned. Ramp and
geodesic know the target. Each cost has a last jump to the b that has the data's mean; "own b" is
where its own last jump led. Bounds are of any control. Wells are 1 and 3 kT deep.

    python examples/quartic_and_double_well.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137; Sivak, Crooks (2012), PRL 108, 190602.
"""

import numpy as np
from drawing import common_legend, errorbars, new_figure, plain_ticks
from harness import Table, main, scaled, seeds_of

import ktc
from ktc import Metrics, schedules

UNITS = {"quartic": (0.2, 6.0), "shallow wells": (-2.0, 1.5), "deep wells": (-3.5, 2.0)}
METRICS = {"": Metrics(), ", measured": Metrics("measured", replicas=4000)}
METRICS |= {", running F": Metrics(fisher="replicas")}
RULES = [f"the rule{how}" for how in METRICS] + ["anticipating", "anticipating, measured"]
TUNED = {"natural gradient": schedules.NaturalGradient, "constant": schedules.Constant}


def mean_at(k, bias):
    x = np.linspace(-8, 8, 4001)
    weight = np.exp(bias * x - k * x**2 / 2 - x**4 / 4)
    return weight @ x / weight.sum()


def learned(name, net, goal, T, options):
    if name in RULES:
        rule = schedules.MinimalDissipation(T, anticipate="anticipating" in name)
        how = name.removeprefix("the rule").removeprefix("anticipating")
        return ktc.learn(net, goal, rule, metrics=METRICS[how], **options)
    few = {"replicas": 1000, "ticks": 60, "bracket": (0.2 / T, 10.0 / T)}
    best = ktc.best_rate(net, goal, lambda rate: TUNED[name](T, rate), **few)
    return ktc.learn(net, goal, best.schedule, **options)


def driven(net, bias, T, seeds, replicas, ticks):
    ramp = ktc.Protocol.ramp(T, ticks, bias=(0.0, bias))
    geodesic = ktc.theory.geodesic_drive(net, {"bias": bias}, T, ticks)
    for name, drive in (("linear ramp", ramp), ("geodesic", geodesic)):
        yield name, ktc.Emulator(net, replicas, next(seeds)).play(drive).excess_work


def experiment(seed=1, quick=False):
    durations, replicas = ([2.0], 2000) if quick else ([1.0, 2.0, 4.0, 8.0], 20_000)
    options, seeds = {"replicas": replicas, "ticks": 100 if quick else 200}, seeds_of(seed)
    table = Table("unit", "T", "drive", "completed", "own b", "bound", named=3)
    figure, axes = new_figure(1, len(UNITS), figsize=(9.6, 4.0))
    for ax, (unit, (k, bias)) in zip(axes[0], UNITS.items(), strict=True):
        net = ktc.Network(k, 1.0, quartic=1.0)
        for T in durations:
            for name in ("the rule", "anticipating", "constant") if quick else (*RULES, *TUNED):
                fit = learned(name, net, mean_at(k, bias), T, options | {"seed": next(seeds)})
                reached, bound = fit.parameters["bias"][0], fit.bound_target
                table.add(unit, f"{T:g}", name, fit.completed_excess_work, reached, bound)
            for name, spent in driven(net, bias, T, seeds, **options):
                table.add(unit, f"{T:g}", name, spent, bias, bound)
        ax.axhline(1.0, color="0.75", linewidth=5, label="bound")
        for number, name in enumerate(dict.fromkeys(table.column("drive"))):
            spent, least = (table.column(c, unit=unit, drive=name) for c in ("completed", "bound"))
            ratios = [scaled(cost, 1 / bound) for cost, bound in zip(spent, least, strict=True)]
            errorbars(ax, durations, ratios, number, name)
        ax.set(xscale="log", xlabel="duration T", title=unit)
        plain_ticks(ax, durations)
    axes[0, 0].set_ylabel("completed W_ex / bound")
    common_legend(figure, axes[0, 0], 5)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
