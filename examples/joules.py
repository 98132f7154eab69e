"""Joules and likelihood against replicas, resolution of the DAC, and mismatch of a board.

A ring of four RC cells at 300 K learns the mean of its data in five RC at the least dissipation.
The controller knows the drawing of the board and reads its cells. The board has a DAC of so many
bits; a mismatch of δ puts resistors, capacitors and couplings off by up to δ, and biases by an rms
of δ of the DAC's range. Told are W − ΔF of what the board applied, a replica and in all, and what
it loses of the data's likelihood against the best biases on an ideal board, in nats per sample:
learned, and programmed to b = K⟨v⟩ by the drawing. Means over runs, each of another board.

    python examples/joules.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137.
"""

import numpy as np
from drawing import errorbars, new_figure
from harness import Table, main, over_runs, scaled

import ktc

CELLS, RING = (4, 1e6, 1e-12, 300.0), {"topology": ktc.Topology.ring(4), "couplings": 0.3e12}
DRAWING, T = ktc.Board(*CELLS, **RING), 5e-6
VOLT = DRAWING.thermal_width[0]
RANGE = 10 * VOLT
DATA = np.random.default_rng(0).multivariate_normal(
    VOLT * np.array([3.0, -2.0, 1.0, 2.0]), ktc.theory.equilibrium(DRAWING).covariance, 300
)
BIAS = DRAWING.stiffness @ (DATA.mean(axis=0) * DRAWING.capacitance)
BEST = ktc.theory.log_likelihood(DRAWING.program(bias=BIAS), DATA)
USUAL = {"replicas": 1000, "bits": 12, "mismatch": 0.01}
SWEEPS = {
    "replicas": [10, 30, 100, 300, 1000, 10_000], "bits": [3, 4, 5, 6, 8, 12],
    "mismatch": [0.0, 0.003, 0.01, 0.03, 0.1],
}  # fmt: skip


def real_board(bits, mismatch, number):
    spec = {f"{part}_tolerance": mismatch for part in ("resistance", "capacitance", "coupling")}
    spec |= {"dac_bits": bits, "dac_range": RANGE, "offset": mismatch * RANGE}
    return ktc.Board(*CELLS, **RING, imperfections=ktc.Imperfections(seed=number, **spec))


def one_run(replicas, bits, mismatch, seed):
    board, rule = real_board(bits, mismatch, seed), ktc.schedules.MinimalDissipation(T)
    fit = ktc.learn(board, DATA, rule, replicas=replicas, ticks=200, seed=seed)
    blind = board.emulator(replicas=1)
    blind.set(bias=BIAS)
    return fit.applied_excess_work.mean / 1e-21, *(
        BEST - ktc.theory.log_likelihood(e.applied, DATA) for e in (fit.device, blind)
    )


def experiment(seed=1, quick=False):
    table = Table("varied", "value", "zJ each", "aJ in all", "nats lost", "programmed", named=2)
    figure, axes = new_figure(2, 3, figsize=(9.6, 5.6), sharex="col", sharey="row")
    bound = ktc.theory.least_excess_work(DRAWING, BIAS, T) / 1e-21
    for column, (varied, values) in enumerate(SWEEPS.items()):
        for value in values[:: 3 if quick else 1]:
            chosen = {**USUAL, varied: value}
            runs = [one_run(**chosen, seed=seed + k) for k in range(8 if quick else 32)]
            each, learned, programmed = (over_runs(found) for found in zip(*runs, strict=True))
            total = scaled(each, chosen["replicas"] / 1e3)
            table.add(varied, f"{value:g}", each, total, learned, programmed)
        x = [float(value) for value in table.column("value", varied=varied)]
        upper, lower = axes[:, column]
        upper.axhline(bound, color="0.6", linewidth=5, label="bound of the drawing")
        errorbars(upper, x, table.column("zJ each", varied=varied), 0, "dissipated")
        errorbars(lower, x, table.column("nats lost", varied=varied), 0, "learned")
        errorbars(lower, x, table.column("programmed", varied=varied), 2, "programmed")
        upper.set_xscale("log" if varied == "replicas" else "linear")
        lower.set(yscale="log", xlabel=varied)
    for row, text in zip(axes, ("W − ΔF [zJ per replica]", "nats lost per sample"), strict=True):
        row[0].set_ylabel(text)
        row[1].legend(frameon=False, fontsize="small", loc="upper right")
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
