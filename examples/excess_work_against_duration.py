"""Cost of learning against its duration, by every schedule, and the least possible.

Two coupled units learn the mean μ of their data from equilibrium at zero bias:

    H = ½ xᵀKx − bᵀx,   db/dt = η(t) (μ − ⟨x⟩),   W_ex ≥ μᵀR (T + 2K⁻¹R)⁻¹ μ

Minimal dissipation, η = [(T − t)F + 2ζ]⁻¹ with jumps at both ends, reaches the bound without
knowing μ. Others have their rate tuned, by many runs that are not counted. Each cost includes a
last jump to b = Kμ, so that none gains by stopping short. "exact" is the infinite ensemble.

    python examples/excess_work_against_duration.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137; Schmiedl, Seifert (2007), PRL 98, 108301.
"""

import math

import numpy as np
from drawing import common_legend, errorbars, new_figure, plain_ticks
from harness import Table, main, seeds_of

import ktc
from ktc import schedules

NET = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0, kT=1.0)
TARGET = np.array([5.0, -3.0])
SCHEDULES = {
    "minimal dissipation": schedules.MinimalDissipation,
    "scalar of traces": lambda T: schedules.MinimalDissipation(T, matrix=False),
    "continuous, target known": lambda T: schedules.ContinuousMinimalDissipation(T, TARGET),
    "natural gradient": lambda T: tuned(T, schedules.NaturalGradient),
    "constant": lambda T: tuned(T, schedules.Constant),
    "growing tenfold": lambda T: tuned(T, lambda T, r: schedules.Exponential(T, r, 10 * r)),
    "cosine": lambda T: tuned(T, schedules.Cosine),
    "Adam": lambda T: tuned(T, schedules.Adam, bracket=(2 / T, 40 / T)),
}


def tuned(T, make, bracket=None):
    """The rate of least cost for the infinite ensemble."""
    options = {"replicas": math.inf, "tolerance": 0.01, "bracket": bracket}
    return ktc.best_rate(NET, TARGET, lambda rate: make(T, rate), **options).schedule


def cost(schedule, replicas, seed=None):
    options = {"replicas": replicas, "ticks": 400, "seed": seed}
    return ktc.learn(NET, TARGET, schedule, **options).completed_excess_work


def experiment(seed=1, quick=False):
    durations, replicas = ([1.0, 5.0], 2000) if quick else ([0.5, 1.0, 2.0, 5.0, 20.0], 50_000)
    bounds = [ktc.theory.least_excess_work(NET, NET.stiffness @ TARGET, T) for T in durations]
    seeds = seeds_of(seed)
    table = Table("schedule", "T", "exact", "sampled", "bound", "exact/bound", named=2)
    for name, make in SCHEDULES.items():
        for T, bound in zip(durations, bounds, strict=True):
            schedule = make(T)
            exact, sampled = cost(schedule, math.inf), cost(schedule, replicas, next(seeds))
            table.add(name, f"{T:g}", exact, sampled, bound, exact.mean / bound)
    figure, axes = new_figure(1, 2, figsize=(9.0, 4.2))
    work, ratio = axes[0]
    work.plot(durations, bounds, color="0.75", linewidth=5, label="bound")
    ratio.axhline(1.0, color="0.75", linewidth=5)
    for number, name in enumerate(SCHEDULES):
        errorbars(work, durations, table.column("sampled", schedule=name), number, name)
        errorbars(ratio, durations, table.column("exact/bound", schedule=name), number)
    work.set(xscale="log", yscale="log", xlabel="duration T", ylabel="completed W_ex [kT]")
    ratio.set(xscale="log", xlabel="duration T", ylabel="exact W_ex over the bound")
    plain_ticks(work, durations, [2, 5, 10, 20])
    plain_ticks(ratio, durations)
    common_legend(figure, work, 5)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
