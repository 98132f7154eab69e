"""A learning-rate matrix on an anisotropic Gaussian: a straight path at constant speed.

    ḃ = η(t) g,   η(t) = [(T − t)F + 2ζ]⁻¹,   F = K⁻¹,   ζ = K⁻¹RK⁻¹

makes the mean of the replicas move as m(t) = m(0) + v t, whatever the condition number of K, and
spends the least that any drive of the bias can; the last jump of the bias sends it on to the data's
mean. Scalar rates bend, which costs work. Ways are those of the infinite ensemble. Costs include a
last jump to the data's own bias, and constant rates are tuned to them.

    python examples/matrix_rate.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137; Amari (1998), Neural Comput. 10, 251.
"""

import math

import numpy as np
from drawing import STYLES, errorbars, legend, new_figure, plain_ticks
from harness import Table, main, scaled, seeds_of

import ktc
from ktc import schedules

T, TICKS = 10.0, 400
TURN = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
TARGET = TURN @ [2.0, 2.0]
RATES = {
    "matrix": lambda net: schedules.MinimalDissipation(T),
    "scalar of traces": lambda net: schedules.MinimalDissipation(T, matrix=False),
    "natural gradient": lambda net: tuned(net, schedules.NaturalGradient),
    "constant": lambda net: tuned(net, schedules.Constant),
}


def network(condition):
    """Two units with stiffness 1/√c and √c along rotated axes."""
    stiff = np.sqrt(condition)
    return ktc.Network(stiffness=TURN @ np.diag([1 / stiff, stiff]) @ TURN.T, friction=1.0, kT=1.0)


def tuned(net, make):
    options = {"replicas": math.inf, "ticks": TICKS, "tolerance": 0.01}
    return ktc.best_rate(net, TARGET, lambda rate: make(T, rate), **options).schedule


def bend(mean):
    """Largest distance from the chord over its length, and relative variation of the speed."""
    steps = np.diff(mean, axis=0)
    chord = mean[-1] - mean[0]
    across = (mean - mean[0]) @ np.array([-chord[1], chord[0]]) / (chord @ chord)
    speeds = np.linalg.norm(steps, axis=1)
    return np.abs(across).max(), speeds.std() / speeds.mean()


def experiment(seed=1, quick=False):
    conditions, many = ([1, 30], 2000) if quick else ([1, 3, 10, 30, 100], 50_000)
    table = Table("rate", "condition", "bend", "speed", "exact/bound", "sampled/bound", named=2)
    figure, axes = new_figure(1, 2, figsize=(8.4, 3.9))
    (ways, costs), seeds = axes[0], seeds_of(seed)
    for number, (name, make) in enumerate(RATES.items()):
        for condition in conditions:
            schedule = make(net := network(condition))
            exact = ktc.learn(net, TARGET, schedule, replicas=math.inf, ticks=TICKS)
            fit = ktc.learn(net, TARGET, schedule, replicas=many, ticks=TICKS, seed=next(seeds))
            both = [scaled(f.completed_excess_work, 1 / f.bound_target) for f in (exact, fit)]
            table.add(name, str(condition), *bend(exact.history.mean), *both)
            if condition == 30:
                look = {**STYLES[number], "markevery": TICKS // 8, "markersize": 5}
                ways.plot(*exact.history.mean.T, label=name, **look)
        errorbars(costs, conditions, table.column("sampled/bound", rate=name), number, name)
    ways.plot(*TARGET, "*", color="0.4", markersize=12, label="data mean")
    ways.set(xlabel="⟨x₁⟩", ylabel="⟨x₂⟩", aspect="equal")
    costs.set(xscale="log", yscale="log", xlabel="condition number of K", ylabel="W_ex / bound")
    plain_ticks(costs, conditions, [1, 2, 5, 10, 20, 50])
    legend(ways, columns=2)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
