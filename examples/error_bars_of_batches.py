"""Error bars with batches, hidden units and coupled quartic units, against repeated runs.

Each row repeats a run with many seeds and tells how many error bars, in percent, reach the mean of
all. The last column is of the excess work, as if replicas were independent.

    python examples/error_bars_of_batches.py [--seed 1] [--quick] [--figure FILE]
"""

import numpy as np
from drawing import new_figure
from harness import Table, main

import ktc
from ktc import schedules

LINEAR = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
QUARTIC = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0, quartic=[1.0, 0.5])
ROWS = np.random.default_rng(0).normal(size=(60, 2))
ACCOUNTS = ("work", "excess", "completed", "heat", "independent")
LINEAR_MODELS = BIAS, BOTH, HIDDEN = "bias", "bias and stiffness", "a hidden unit"
RATES = (schedules.NaturalGradient, 0.8), (schedules.Constant, 0.7), (schedules.Adam, 0.8)
# What is learned, schedule, replicas, and samples of a batch out of 60.
CASES = [
    (BIAS, schedules.MinimalDissipation(3.0), 20, 10),
    (BIAS, schedules.MinimalDissipation(3.0), 1000, 10),
    *((BIAS, one(3.0, rate), 1000, 10) for one, rate in RATES),
    (BIAS, schedules.MinimalDissipation(3.0), 1000, 5),
    (BOTH, schedules.MinimalDissipation(3.0), 300, 20),
    (BOTH, schedules.Constant(3.0, 0.3), 300, 20),
    (HIDDEN, schedules.Constant(3.0, 0.1), 200, None),
    (HIDDEN, schedules.NaturalGradient(3.0, 0.3), 200, None),
    (HIDDEN, schedules.MinimalDissipation(3.0), 200, 20),
    ("coupled quartic units", schedules.Constant(3.0, 0.4), 100, None),
    ("coupled quartic units", schedules.Constant(3.0, 0.4), 100, 20),
]


def learned(model, schedule, replicas, batch, seed):
    """One run."""
    data = 0.9 * (ROWS - ROWS.mean(axis=0)) + [1.2, -0.6]
    options = {"replicas": replicas, "batch": batch, "ticks": 8, "seed": seed, "threads": 1}
    options["parameters"] = ("bias",) if model == BIAS else ("bias", "stiffness")
    if model == HIDDEN:
        data, options["hidden"] = data[:, 0], 1
    return ktc.learn(LINEAR if model in LINEAR_MODELS else QUARTIC, data, schedule, **options)


def coverage(case, seeds):
    """Percentage of error bars of each account that reach its mean over runs."""
    found = []
    for seed in seeds:
        fit = learned(*case, seed)
        completed = fit.completed(fit.start.network.controls.updated(bias=[1.0, 0.0]))
        spent = [fit.work, fit.excess_work, completed, fit.heat]
        alone = spent[1].mean, np.sqrt(spent[1].variance / case[2])
        found.append([*((one.mean, one.stderr) for one in spent), alone])
    means, errors = np.moveaxis(np.array(found), -1, 0)
    shares = np.round(100 * np.mean(np.abs(means - means.mean(axis=0)) < errors, axis=0))
    spread = np.sqrt(shares * (100 - shares) / len(found))
    return [ktc.Estimate(*cell, method="binomial") for cell in zip(shares, spread, strict=True)]


def experiment(seed=1, quick=False):
    table = Table("learned", "schedule", "N", "batch", *ACCOUNTS, named=4)
    for case in CASES[2:3] if quick else CASES:
        runs = 150 if case[0] not in LINEAR_MODELS else 40 if quick else 300
        seeds = np.random.SeedSequence([seed, len(table.rows)]).generate_state(runs, np.uint64)
        found = coverage(case, seeds.tolist())
        table.add(case[0], case[1].name, f"{case[2]}", f"{case[3] or 'all'}", *found)
    figure, [[plane]] = new_figure(1, 1)
    plane.axhspan(60, 76, color="0.9")
    for column, mark in (("excess", "o"), ("independent", "x")):
        plane.plot([cell.mean for cell in table.column(column)], mark)
    title = "o linear response, × independent"
    plane.set(xlabel="row", ylabel="coverage (%)", ylim=(0, 100), title=title)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
