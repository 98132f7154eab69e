"""A Gaussian learned on running replicas against maximum likelihood in closed form.

Three units learn their bias, or bias and stiffness, from 400 samples with mean x̄ and covariance S,
by F and ζ of the present parameters, which follow the averages of the replicas.
The log-likelihood ℓ is largest at K = kT S⁻¹, b = K x̄. The table gives the difference in ℓ between
that maximum and the learned parameters, in nats per sample, and the excess work including a last
jump to the maximum. The bound is that of any control, or of the bias alone (of a board with that
K). The dotted line is the uncertainty left by 400 samples, p/2n nats for p parameters.

    python examples/gaussian_against_maximum_likelihood.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137; Akaike (1974), IEEE Trans. Autom. Control 19, 716.
"""

import math

import numpy as np
from drawing import STYLES, errorbars, legend, new_figure
from harness import Table, main, over_runs

import ktc

COVARIANCE = [[1.0, 0.6, 0.0], [0.6, 0.8, -0.3], [0.0, -0.3, 0.5]]
DATA = np.random.default_rng(0).multivariate_normal([2.0, -1.0, 0.5], COVARIANCE, 400)
STIFFNESS = np.linalg.inv(np.cov(DATA.T, bias=True))
BIAS = STIFFNESS @ DATA.mean(axis=0)
BEST = ktc.theory.log_likelihood(ktc.Network(STIFFNESS, 1.0, bias=BIAS), DATA)
LEARNED = {
    "bias": (ktc.Network(STIFFNESS, 1.0), ("bias",)),
    "bias and stiffness": (ktc.Network(np.eye(3), 1.0), ("bias", "stiffness")),
}
T, TICKS = 20.0, 200


def learned(what, replicas, seed=1):
    net, parameters = LEARNED[what]
    rule = ktc.schedules.MinimalDissipation(T, anticipate=False)
    return ktc.learn(
        net, DATA, rule, parameters=parameters, replicas=replicas, ticks=TICKS, seed=seed
    )


def lost(fit):
    return BEST - ktc.theory.log_likelihood(fit.network, DATA)


def experiment(seed=1, quick=False):
    ensembles, runs = ([100, 1000], 4) if quick else ([30, 100, 300, 1000, 10_000], 16)
    table = Table("learned", "replicas", "nats lost", "excess work", "bound", named=2)
    figure, axes = new_figure(1, 2, figsize=(9.0, 4.0))
    loss, way = axes[0]
    for number, what in enumerate(LEARNED):
        for replicas in ensembles:
            fits = [learned(what, replicas, seed + k) for k in range(runs)]
            spent = over_runs([fit.completed_excess_work.mean for fit in fits])
            lost_by = over_runs([lost(fit) for fit in fits])
            table.add(what, str(replicas), lost_by, spent, fits[0].bound_target)
        exact = learned(what, math.inf)
        spent = exact.completed_excess_work.mean
        table.add(what, "∞", lost(exact), spent, exact.bound_target)
        errorbars(loss, ensembles, table.column("nats lost", learned=what)[:-1], number, what)
        open_still = exact.history.theta.shape[1] / (2 * len(DATA))
        loss.axhline(open_still, color=STYLES[number]["color"], linestyle=":", linewidth=1)
    history = exact.history
    best = np.concatenate([BIAS, STIFFNESS[np.triu_indices(3)]])
    for k, (values, goal) in enumerate(zip(history.theta.T, best, strict=True)):
        number = 0 if k < 3 else 1
        kind = ("bias", "stiffness")[number] if k in (0, 3) else None
        way.plot(history.time, values, color=STYLES[number]["color"], linewidth=1.4, label=kind)
        way.plot(T * 1.03, goal, "<", color=STYLES[number]["color"], markersize=6)
    way.plot([], [], "<", color="0.4", label="closed form")
    loss.set(xscale="log", yscale="log", xlabel="replicas", ylabel="nats lost per sample")
    way.set(xlabel="time", ylabel="parameters, infinite ensemble")
    legend(loss)
    legend(way)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
