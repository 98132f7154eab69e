"""Couplings of a 64-cell board learned from handwritten digits, and their cost.

Images of one digit, with dither of half a standard deviation a pixel, and each pixel in its own
standard deviation about its mean, are data of a board of uncoupled cells. All of K is learned:

    H = ½ qᵀKq,   dK/dt = η(t) (⟨∂_K H⟩_board − ⟨∂_K H⟩_data),   η(t) = [(T − t)F + 2ζ]⁻¹

solved by conjugate gradients, or natural gradient at 4/T, or one rate for all. Told are nats per
image that are left to gain, and the completed excess work a replica beside the least of any
control. The board then goes on by itself, and its samples are shown beside data.

    python examples/couplings_of_digits.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137; digits: Alpaydin, Kaynak (1998), UCI repository,
the copy in scikit-learn (pip install 'ktc[demo]').
"""

import math

import numpy as np
from drawing import common_legend, errorbars, new_figure, plain_ticks
from harness import Table, main, scaled, seeds_of
from sklearn.datasets import load_digits

import ktc
from ktc import schedules

T, BOARD = 20e-6, ktc.Board(64, 1e6, 1e-12, 300.0)  # twenty RC
PIXELS, LABELS = load_digits(return_X_y=True)
IMAGES = PIXELS[LABELS == 3]
DITHER = 0.5 * np.maximum(IMAGES.std(axis=0), 1.0)
DATA = np.random.default_rng(0).normal(np.tile(IMAGES, (10, 1)), DITHER)
ENCODING = ktc.Encoding(BOARD.thermal_width, offset=DATA.mean(axis=0), scale=DATA.std(axis=0))
VOLTS = ENCODING.encode(DATA)
SAME = 1 / (T * BOARD.kT * BOARD.capacitance[0] ** 2)  # by which uncoupled cells learn at 1/T
RULES = {
    "minimal dissipation": schedules.MinimalDissipation(T),
    "natural gradient": schedules.NaturalGradient(T, 4 / T),
    "constant": schedules.Constant(T, SAME),
}


def pictures(ax, rows):
    """Seven states of the board per row, as images of grey levels."""
    shown = [ENCODING.decode(row[:7]) for row in rows.values()]
    tiles = np.pad(np.reshape(shown, (len(rows), 7, 8, 8)), ((0, 0), (0, 0), (1, 1), (1, 1)))
    ax.imshow(np.block([list(row) for row in tiles]), cmap="gray_r", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[4.5 + 10 * k for k in range(len(rows))], yticklabels=rows)


def experiment(seed=1, quick=False):
    ensembles = [1024, math.inf] if quick else [1024, 4096, 16384, math.inf]
    seeds = seeds_of(seed)
    table = Table("schedule", "replicas", "nats left", "zJ each", "bound", named=2)
    best = BOARD.kT * np.linalg.inv(np.cov(VOLTS.T, bias=True) * 1e-24)
    figure, axes = new_figure(1, 2, figsize=(9.6, 3.9), width_ratios=[1.5, 1])
    for number, (name, rule) in enumerate(list(RULES.items())[: 1 if quick else None]):
        for replicas in ensembles:
            options = {"replicas": replicas, "ticks": 100, "seed": next(seeds)}
            fit = ktc.learn(BOARD, VOLTS, rule, parameters=("stiffness",), **options)
            if number == 0 and replicas < math.inf:
                drawn = fit.device
            spent, bound = scaled(fit.completed_excess_work, 1e21), fit.bound_target * 1e21
            models = [BOARD.program(stiffness=K) for K in (best, fit.controls.stiffness)]
            left = -np.diff([ktc.theory.log_likelihood(model, VOLTS) for model in models])[0]
            table.add(name, f"{replicas:g}".replace("inf", "∞"), left, spent, bound)
        finite = table.column("zJ each", schedule=name)[:-1]
        errorbars(axes[0, 1], ensembles[:-1], finite, number, name)
    drawn.run(10 * T)
    first, last = BOARD.emulator(7, seed).read(), drawn.read()
    pictures(axes[0, 0], {"data": VOLTS, "uncoupled": first, "learned": last})
    axes[0, 1].axhline(bound, color="0.75", linewidth=5, label="least of any control")
    axes[0, 1].set(xscale="log", yscale="log", xlabel="replicas", ylabel="completed W_ex [zJ]")
    plain_ticks(axes[0, 1], ensembles[:-1], [2, 5, 10, 20, 50])
    common_legend(figure, axes[0, 1], 4)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
