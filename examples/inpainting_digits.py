"""Digits in-painted from their upper half by a 64-cell board: error against time and heat.

The board of couplings_of_digits.py learns all couplings from two thirds of the images of one digit.
Then cells of the upper half are held at the pixels of images that it has not seen, each after a
sample of the model of its own, and the others relax to their conditional distribution

    p(x_U | x_C) ∝ exp(−H(x_U, x_C)/kT)

from which the lower half is read. Told are the root-mean-square error of the lower half, in grey
levels of 16, and work and heat of one replica.

    python examples/inpainting_digits.py [--seed 1] [--quick] [--figure FILE]

Source: Whitelam (2025), arXiv 2509.15324; digits: Alpaydin, Kaynak (1998), UCI repository, the copy
in scikit-learn (pip install 'ktc[demo]').
"""

import numpy as np
from couplings_of_digits import BOARD, IMAGES, T
from drawing import errorbars, legend, new_figure
from harness import Table, main, over_runs, seeds_of

import ktc

UPPER, LOWER, UNSEEN = np.arange(32), np.arange(32, 64), np.arange(len(IMAGES)) % 3 == 0
SEEN = IMAGES[~UNSEEN]
DITHER = 0.5 * np.maximum(SEEN.std(axis=0), 1.0)
DATA = np.random.default_rng(0).normal(np.tile(SEEN, (10, 1)), DITHER)
ENCODING = ktc.Encoding(BOARD.thermal_width, offset=DATA.mean(axis=0), scale=DATA.std(axis=0))
IMAGE, RC, UPPER_HALF = IMAGES[UNSEEN], T / 20, np.arange(64) < 32


def error(found):
    """Root-mean-square difference of the lower half from each image, averaged over images."""
    off = ENCODING.decode(found)[:, LOWER] - IMAGE[:, LOWER]
    return over_runs(np.sqrt(np.mean(off**2, axis=1)))


def pictures(ax, rows):
    """Seven images of every row, as grey levels; what is not known is white."""
    tiles = np.reshape([ENCODING.decode(row[:7]) for row in rows.values()], (-1, 7, 8, 8))
    tiles = np.block([list(row) for row in np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1)))])
    ax.imshow(tiles, cmap="gray_r", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[4.5 + 10 * k for k in range(len(rows))], yticklabels=rows)


def experiment(seed=1, quick=False):
    seeds, rule = seeds_of(seed), ktc.schedules.MinimalDissipation(T)
    options = {"ticks": 100, "replicas": 1024 if quick else 4096, "seed": next(seeds)}
    fit = ktc.learn(BOARD, ENCODING.encode(DATA), rule, parameters=("stiffness",), **options)
    volts, half, exact = map(ENCODING.encode, (IMAGE, np.where(UPPER_HALF, IMAGE, 0.0), IMAGE))
    for row in exact:
        rest = fit.condition(UPPER, row[UPPER])
        row[LOWER] = ktc.theory.equilibrium(rest.network).mean * rest.scale
    plain = error(np.where(UPPER_HALF, volts, 0.0))
    rows = {"image": volts, "upper half": half}
    table = Table("RC", "one replica", "mean of 100", "exact mean", "work [kT]", "heat [kT]")
    for time in [0.1, 10] if quick else [0.01, 0.03, 0.1, 0.3, 1, 3, 10]:
        one, many = (
            fit.infer((UPPER, volts[:, UPPER]), None, time * RC, replicas, seed=next(seeds))
            for replicas in (1, 100)
        )
        errors = [error(states) for states in (one.completed, many.completed, exact)]
        table.add(f"{time:g}", *errors, many.work.in_kT, many.heat.in_kT)
        if time in (0.1, 10):
            rows[f"one, {time:g} RC"] = one.completed
    figure, axes = new_figure(1, 2, figsize=(9.6, 3.9), width_ratios=[1, 1.1])
    pictures(axes[0, 0], {**rows, "mean of 100": many.completed, "exact mean": exact})
    heat, ax = list(map(float, table.column("heat [kT]"))), axes[0, 1]
    for number, name in enumerate(["one replica", "mean of 100"]):
        errorbars(ax, heat, table.column(name), number, name)
    ax.axhline(plain.mean, color="0.6", linestyle=":", label="mean image, no input")
    ax.axhline(error(exact).mean, color="0.6", label="exact conditional mean")
    ax.set(xlabel="heat per replica [kT]", ylabel="error [grey levels]", ylim=(0, None))
    legend(ax, 2)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
