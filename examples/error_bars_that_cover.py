"""Error bars of learning runs, against the scatter of repeated runs.

Each row repeats a run with 300 seeds and tells how many error bars, in percent, reach the mean of
all. The last column is of the completed excess work, as if replicas were independent.
    python examples/error_bars_that_cover.py [--seed 1] [--quick] [--figure FILE]
"""

import numpy as np
from drawing import new_figure
from harness import Table, main

import ktc
from ktc import schedules

UNITS = {"1": ktc.Network(1.0, 1.0), "2": ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)}
BIAS = {
    "minimal dissipation": schedules.MinimalDissipation(4.0),
    "scalar of traces": schedules.MinimalDissipation(4.0, matrix=False),
    "continuous": schedules.ContinuousMinimalDissipation(4.0, 2.0),
    "natural gradient": schedules.NaturalGradient(4.0, 1.0),
    "constant": schedules.Constant(4.0, 1.0),
    "exponential": schedules.Exponential(4.0, 0.3, 3.0),
    "cosine": schedules.Cosine(4.0, 2.0),
    "Adam": schedules.Adam(4.0, 1.0),
}
BOTH = {
    "transport": schedules.MinimalDissipation(4.0),
    "present F and ζ": schedules.MinimalDissipation(4.0, anticipate=False),
    "natural gradient": schedules.NaturalGradient(4.0, 0.7),
    "constant": schedules.Constant(4.0, 0.5),
    "exponential": schedules.Exponential(4.0, 0.2, 1.0),
    "cosine": schedules.Cosine(4.0, 1.0),
    "Adam": schedules.Adam(4.0, 0.5),
}
CASES = {"bias": (BIAS, (20, 1000)), "bias and stiffness": (BOTH, (20, 100, 300, 1000))}
ACCOUNTS = ("work", "excess", "completed", "heat", "independent")


def data_of(units):
    """Samples on both sides of their mean, two widths off, along each axis."""
    axes = 0.85 * np.sqrt(units) * np.eye(units)
    return np.array([2.0, -1.0])[:units] + np.kron([[1.0], [-1.0]], axes)


def coverage(network, schedule, learned, replicas, seeds):
    """Percentage of error bars of each account that reach its mean over runs."""
    found = []
    for seed in seeds:
        fit = ktc.learn(
            network, data_of(network.units), schedule, parameters=learned.split(" and "),
            replicas=replicas, ticks=12, seed=seed, threads=1,
        )  # fmt: skip
        spent = [fit.work, fit.excess_work, fit.completed_excess_work, fit.heat]
        alone = spent[2].mean, np.sqrt(spent[2].variance / replicas)
        found.append([*((one.mean, one.stderr) for one in spent), alone])
    means, errors = np.moveaxis(np.array(found), -1, 0)
    shares = np.round(100 * np.mean(np.abs(means - means.mean(axis=0)) < errors, axis=0))
    spread = np.sqrt(shares * (100 - shares) / len(found))
    return [ktc.Estimate(*cell, method="binomial") for cell in zip(shares, spread, strict=True)]


def experiment(seed=1, quick=False):
    table = Table("learned", "units", "schedule", "N", *ACCOUNTS, named=4)
    figure, [[plane]] = new_figure(1, 1)
    for learned, (chosen, replicas) in CASES.items():
        for units, name, many in [(u, s, n) for u in UNITS for s in chosen for n in replicas]:
            own = np.random.SeedSequence([seed, len(table.rows)])
            seeds = own.generate_state(60 if quick else 300, np.uint64).tolist()
            if not quick or (units, name, many) == ("1", "natural gradient", 20):
                found = coverage(UNITS[units], chosen[name], learned, many, seeds)
                table.add(learned, units, name, f"{many}", *found)
    plane.axhspan(60, 76, color="0.9")
    for column, mark in (("completed", "o"), ("independent", "x")):
        plane.plot([cell.mean for cell in table.column(column)], mark)
    plane.set(xlabel="row", ylabel="coverage (%); ×: independent", ylim=(0, 100))
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
