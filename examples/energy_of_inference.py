"""Energy per inference against accuracy: digits classified by thermal noise.

A network of 74 units, one per pixel and one per digit, learns all couplings from images beside
their labels, by contrastive learning:

    dK/dt = η(t) (⟨∂_K H⟩_network − ⟨∂_K H⟩_data),   H = ½ xᵀKx

Then pixels are held at images that it has not seen, the ten others run from x = 0, and the largest
is the answer. Told are the share of right answers and the heat per inference, in kT of its own
temperature, against time, in relaxation times of an uncoupled unit, and temperature: lowered by a
factor or, which is the same, all energies raised by it. A mean of r replicas costs r times as much.

    python examples/energy_of_inference.py [--seed 1] [--quick] [--figure FILE]

Source: Whitelam (2025), arXiv 2509.15324; digits: Alpaydin, Kaynak (1998), UCI repository, the copy
in scikit-learn (pip install 'ktc[demo]').
"""

import numpy as np
from drawing import errorbars, legend, new_figure
from harness import Table, main, scaled, seeds_of
from sklearn.datasets import load_digits

import ktc

PIXELS, LABELS = load_digits(return_X_y=True)
SEEN = np.random.default_rng(0).permutation(len(PIXELS)) < 1200
WIDTH = np.maximum(PIXELS[SEEN].std(axis=0), 1.0)
IMAGES = (PIXELS - PIXELS[SEEN].mean(axis=0)) / WIDTH
ANSWERS = (np.eye(10)[LABELS] - 0.1) / 0.3  # of mean 0 and width 1, as the pixels
EXACT = np.tile(np.hstack([IMAGES, ANSWERS])[SEEN], (10, 1))
DATA = np.random.default_rng(1).normal(EXACT, 0.3)
INPUT, OUTPUT = np.arange(64), np.arange(64, 74)
TIMES = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
RUNS = [(1, 1), (10, 1), (100, 1), (1000, 1), (1, 10), (1, 100)]


def experiment(seed=1, quick=False):
    seeds, rule = seeds_of(seed), ktc.schedules.MinimalDissipation(40.0)
    options = {"replicas": 2048 if quick else 16384, "ticks": 100, "seed": next(seeds)}
    start = ktc.Network(np.eye(74), friction=1.0)
    fit = ktc.learn(start, DATA, rule, parameters=("stiffness",), **options)
    images, labels = (each[~SEEN][: 200 if quick else None] for each in (IMAGES, LABELS))
    table = Table("1/kT", "replicas", "time", "accuracy", "heat [kT]", named=3)
    figure, axes = new_figure(1, 1, figsize=(7.0, 4.2))
    runs = [(1, 1), (1, 10), (100, 1)] if quick else RUNS
    for number, (cold, replicas) in enumerate(runs):
        model = fit.network.with_controls(kT=1 / cold)
        for time in [0.1, 10.0] if quick else TIMES:
            options = {"labels": labels, "state": 0.0, "seed": next(seeds)}
            found = ktc.infer(model, (INPUT, images), OUTPUT, time, replicas, **options)
            heat = scaled(found.heat.in_kT, replicas)
            table.add(f"{cold}", f"{replicas}", f"{time:g}", found.accuracy, heat)
        where = {"1/kT": f"{cold}", "replicas": f"{replicas}"}
        heats = [cell.mean for cell in table.column("heat [kT]", **where)]
        name = f"1/kT = {cold}" if replicas == 1 else f"1/kT = 1, mean of {replicas}"
        errorbars(axes[0, 0], heats, table.column("accuracy", **where), number, name)
    K = fit.network.stiffness
    means = -np.linalg.solve(K[64:, 64:], K[64:, :64] @ images.T)
    best = np.mean(np.argmax(means, axis=0) == labels)
    axes[0, 0].axhline(best, color="0.6", label="exact conditional mean")
    axes[0, 0].set(xscale="log", xlabel="heat per inference [kT]", ylabel="accuracy", ylim=(0, 1))
    legend(axes[0, 0], 3)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
