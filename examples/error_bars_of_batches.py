"""Error bars with batches, hidden units and coupled quartic units, against repeated runs.

Each row repeats a run with many seeds and tells how many error bars, in percent, reach the mean of
all: of the work, the excess work, the excess work completed to given controls, and the heat. The
last column is of the excess work, as if replicas were independent.

    python examples/error_bars_of_batches.py [--seed 1] [--quick] [--figure FILE]
"""

from typing import NamedTuple

import numpy as np
from drawing import new_figure
from harness import Table, main

import ktc
from ktc import schedules

LINEAR = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
QUARTIC = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0, quartic=[1.0, 0.5])
ACCOUNTS = ("work", "excess", "completed", "heat", "independent")


class Case(NamedTuple):
    """One row: what is learned, from batches of how many of 60 samples, and how often."""

    model: str
    schedule: schedules.Schedule
    replicas: int
    batch: int | None
    runs: int = 300


CASES = [
    Case("bias", schedules.MinimalDissipation(3.0), 20, 10),
    Case("bias", schedules.MinimalDissipation(3.0), 1000, 10),
    Case("bias", schedules.NaturalGradient(3.0, 0.8), 1000, 10),
    Case("bias", schedules.Constant(3.0, 0.7), 1000, 10),
    Case("bias", schedules.Adam(3.0, 0.8), 1000, 10),
    Case("bias", schedules.MinimalDissipation(3.0), 1000, 5),
    Case("both", schedules.MinimalDissipation(3.0), 300, 20),
    Case("both", schedules.Constant(3.0, 0.3), 300, 20),
    Case("hidden", schedules.Constant(3.0, 0.1), 200, None),
    Case("hidden", schedules.NaturalGradient(3.0, 0.3), 200, None),
    Case("hidden", schedules.MinimalDissipation(3.0), 200, 20),
    Case("quartic", schedules.Constant(3.0, 0.4), 100, None, 150),
    Case("quartic", schedules.Constant(3.0, 0.4), 100, 20, 150),
]
NAMES = {
    "bias": "bias",
    "both": "bias and stiffness",
    "hidden": "a hidden unit",
    "quartic": "coupled quartic units",
}


def learned(case, seed):
    """One run."""
    rows = np.random.default_rng(0).normal(size=(60, 2))
    data = 0.9 * (rows - rows.mean(axis=0)) + [1.2, -0.6]
    options = {"parameters": ("bias",) if case.model == "bias" else ("bias", "stiffness")}
    if case.model == "hidden":
        data, options["hidden"] = data[:, 0], 1
    network = QUARTIC if case.model == "quartic" else LINEAR
    return ktc.learn(
        network, data, case.schedule, replicas=case.replicas, batch=case.batch, ticks=8,
        seed=seed, threads=1, **options,
    )  # fmt: skip


def coverage(case, seeds):
    """Percentage of error bars of each account that reach its mean over runs."""
    found = []
    for seed in seeds:
        fit = learned(case, seed)
        target = fit.start.network.controls.updated(bias=[1.0, 0.0])
        spent = [fit.work, fit.excess_work, fit.completed(target), fit.heat]
        alone = spent[1].mean, np.sqrt(spent[1].variance / case.replicas)
        found.append([*((one.mean, one.stderr) for one in spent), alone])
    means, errors = np.moveaxis(np.array(found), -1, 0)
    shares = np.round(100 * np.mean(np.abs(means - means.mean(axis=0)) < errors, axis=0))
    spread = np.sqrt(shares * (100 - shares) / len(found))
    return [ktc.Estimate(*cell, method="binomial") for cell in zip(shares, spread, strict=True)]


def experiment(seed=1, quick=False):
    table = Table("learned", "schedule", "N", "batch", *ACCOUNTS, named=4)
    for case in CASES[2:3] if quick else CASES:
        own = np.random.SeedSequence([seed, len(table.rows)])
        seeds = own.generate_state(40 if quick else case.runs, np.uint64).tolist()
        batch = "all" if case.batch is None else f"{case.batch}"
        cells = coverage(case, seeds)
        table.add(NAMES[case.model], case.schedule.name, f"{case.replicas}", batch, *cells)
    figure, [[plane]] = new_figure(1, 1)
    plane.axhspan(60, 76, color="0.9")
    for column, mark in (("excess", "o"), ("independent", "x")):
        plane.plot([cell.mean for cell in table.column(column)], mark)
    title = "o linear response, × independent replicas"
    plane.set(xlabel="row", ylabel="coverage (%)", ylim=(0, 100), title=title)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
