"""Quartic units, double wells and hidden units: the default beside the best-tuned constant rate.

Problems are random: a thousand samples of a random model. The constant rate is the best of a search
on 400 replicas. Both costs end with a jump to one model, a maximum of the likelihood.

    python examples/twenty_problems.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137.
"""

import numpy as np
from drawing import STYLES, new_figure
from harness import Table, main, seeds_of

import ktc
from ktc.schedules import Constant, MinimalDissipation

KINDS = ["quartic"] * 6 + ["double wells"] * 5 + ["hidden"] * 5 + ["coupled wells"] * 4
LEARNED = {
    "quartic": [("bias",), ("bias", "diagonal"), ("bias", "diagonal", "quartic")],
    "double wells": [("bias",), ("bias", "diagonal")],
    "hidden": [("bias", "couplings"), ("bias", "stiffness")],
    "coupled wells": [("bias",), ("bias", "couplings")],
}


def coupled(rng, units, size):
    return (made := np.triu(rng.uniform(-size, size, (units, units)), 1)) + made.T


def problem(number):
    kind, rng = KINDS[number], np.random.default_rng([number, 0x7477])
    names = LEARNED[kind][number % len(LEARNED[kind])]
    d = 2 if kind == "coupled wells" else int(rng.integers(1, 4))
    kT, friction, T = rng.uniform(0.5, 1.5), rng.uniform(0.5, 2, d), 10 ** rng.uniform(-0.3, 0.8)
    if kind == "hidden":  # d + 1 visible units
        net = np.diag(rng.uniform(1, 2, d + 2)) + coupled(rng, d + 2, 0.4)
        root, mean = rng.normal(size=(d + 1, 2 * d + 2)), rng.normal(size=d + 1)
        data = rng.multivariate_normal(mean, kT * root @ root.T / (2 * d + 2), 1000)
        return ktc.Network(net, float(friction[0]), kT), data, [d + 1], names, T
    low, high = (-3, -1) if "wells" in kind else (0.2, 2)
    own, other = rng.uniform(low, high, (2, d))
    quartic, harder = np.ones((2, d)) if "wells" in kind else rng.uniform(0.5, 1.5, (2, d))
    between = coupled(rng, d, 0.6) if kind == "coupled wells" else 0
    net = ktc.Network(np.diag(own) + between, friction, kT, quartic=quartic)
    truth = {"bias": rng.uniform(-2, 2, d)} | ({"quartic": harder} if "quartic" in names else {})
    if {"diagonal", "couplings"} & set(names):
        own, between = (other, 0) if "diagonal" in names else (own, coupled(rng, d, 0.6))
        truth["stiffness"] = np.diag(own) + between
    data = ktc.Emulator(net.with_controls(**truth), 1000, seed=number).read()
    return net, data, [], names, T


def experiment(seed=1, quick=False):
    columns = ("problem", "learned", "rule", "arrived", "T", "default", "constant", "rate", "ratio")
    table, seeds, replicas = Table(*columns, named=4), seeds_of(seed), 1000 if quick else 5000
    figure, [[ax]] = new_figure(1, 1, figsize=(6.4, 3.6))
    for number in (6, 12) if quick else range(len(KINDS)):
        net, data, hidden, names, T = problem(number)
        options, rule = {"parameters": names, "hidden": hidden, "ticks": 60}, MinimalDissipation(T)
        fit = ktc.learn(net, data, rule, replicas=replicas, seed=next(seeds), **options)
        more = options | {"target": fit.controls if hidden else fit.maximum_likelihood}
        more |= {"replicas": 400, "seed": number, "tolerance": 0.2}
        more |= {"bracket": (0.1, 2.0)} if KINDS[number] == "coupled wells" else {}
        best = ktc.best_rate(net, data, lambda rate, T=T: Constant(T, rate), **more)
        tuned = ktc.learn(net, data, best.schedule, replicas=replicas, seed=next(seeds), **options)
        own, other = (one.completed(more["target"]) for one in (fit, tuned))
        ratio, kind = own / other, KINDS[number]
        what = f"{kind} {number}", " ".join(names), fit.rule, "yes" if fit.arrived else "no"
        table.add(*what, T, own, other, best.rate, ratio)
        look = STYLES[list(LEARNED).index(kind)] | {"linestyle": "none"}
        ax.errorbar(number, ratio.mean, ratio.stderr, **look)
    ax.axhline(1.0, color="0.75", linewidth=5)
    kinds = "problem: quartic (0–5), double wells (6–10), hidden (11–15), coupled wells (16–19)"
    ax.set(xlabel=kinds, ylabel="default / best constant rate", xticks=range(0, 20, 2))
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
