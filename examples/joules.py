"""Joules and likelihood against replicas, converters, mismatch, and the budget of a plan.

A ring of four RC cells at 300 K learns the mean of its data in five RC. The controller knows the
drawing and reads through an ADC, whose noise is in thermal widths. A mismatch of δ puts components
off by up to δ, and biases by δ of the DAC's range, rms. A budget is what ``ktc.plan`` may spend to
lose 0.01 nats. Told are W − ΔF of what the board applied, and nats a sample lost against the best
biases of an ideal board, learned and programmed to K⟨v⟩: means over runs, each of another board.

    python examples/joules.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137.
"""

import numpy as np
from drawing import errorbars, new_figure
from harness import Table, main, over_runs, scaled

import ktc

CELLS, RING = (4, 1e6, 1e-12, 300.0), {"topology": ktc.Topology.ring(4), "couplings": 0.3e12}
DRAWING, VOLT = ktc.Board(*CELLS, **RING), ktc.Board(*CELLS).thermal_width[0]
MEAN, SPREAD = np.array([3.0, -2.0, 1.0, 2.0]), ktc.theory.equilibrium(DRAWING).covariance
DATA = np.random.default_rng(0).multivariate_normal(VOLT * MEAN, SPREAD, 300)
BIAS = DRAWING.stiffness @ DATA.mean(axis=0) * CELLS[2]
BEST = ktc.theory.log_likelihood(DRAWING.program(bias=BIAS), DATA)
USUAL = {"replicas": 1000, "DAC bits": 12, "mismatch": 0.01, "ADC noise": 0.0, "ADC bits": 16}
SWEEPS = {
    "replicas": [10, 30, 100, 300, 1000, 10_000], "DAC bits": [3, 4, 5, 6, 8, 12],
    "mismatch": [0.0, 0.003, 0.01, 0.03, 0.1], "ADC noise": [0.0, 1.0, 3.0, 10.0, 30.0],
    "ADC bits": [3, 4, 5, 6, 8], "budget [aJ]": [0.4, 0.8, 1.6, 3.2],
}  # fmt: skip


def real_board(chosen, number):
    off, noise = chosen["mismatch"], chosen["ADC noise"] * VOLT
    spec = {f"{part}_tolerance": off for part in ("resistance", "capacitance", "coupling")}
    spec |= {"dac_bits": chosen["DAC bits"], "dac_range": 10 * VOLT, "offset": off * 10 * VOLT}
    spec |= {"adc_bits": chosen["ADC bits"], "adc_range": 10 * VOLT + 8 * noise, "adc_noise": noise}
    return ktc.Board(*CELLS, **RING, imperfections=ktc.Imperfections(seed=number, **spec))


def one_run(chosen, plan, seed):
    board = real_board(chosen, seed)
    fit, blind = ktc.learn(board, DATA, **plan.settings, seed=seed), board.emulator(replicas=1)
    blind.set(bias=BIAS)
    likelihoods = (ktc.theory.log_likelihood(e.applied, DATA) for e in (fit.device, blind))
    return fit.applied_excess_work.mean / 1e-21, *(BEST - one for one in likelihoods)


def experiment(seed=1, quick=False):
    told = ("zJ each", "zJ expected", "aJ in all", "nats lost", "nats expected", "programmed")
    table = Table("varied", "value", "replicas", "µs", *told, named=2)
    figure, axes = new_figure(2, 6, figsize=(13.5, 5.4), sharex="col", sharey="row")
    for (varied, values), (upper, lower) in zip(SWEEPS.items(), axes.T, strict=True):
        for value in values[:: 3 if quick else 1]:
            chosen = {**USUAL, varied: value}
            paid = {"joules": value * 1e-18, "nats": 0.01} if "budget" in varied else None
            asked = {"duration": 5e-6, "ticks": 200, "replicas": chosen["replicas"]}
            plan = ktc.plan(real_board(chosen, 0), DATA, **(paid or asked))
            runs = [one_run(chosen, plan, seed + k) for k in range(8 if quick else 32)]
            each, learned, blind = (over_runs(found) for found in zip(*runs, strict=True))
            row = f"{value:g}", plan.replicas, plan.duration * 1e6, each, plan.excess_work / 1e-21
            lost = learned, plan.nats_lost, blind
            table.add(varied, *row, scaled(each, plan.replicas / 1e3), *lost)
        x = [float(value) for value in table.column("value", varied=varied)]
        for ax, kinds in ((upper, told[:2]), (lower, told[3:])):
            found = [table.column(kind, varied=varied) for kind in kinds]
            ax.plot(x, found[1], "0.7", linewidth=5, label="expected")
            for number in range(0, len(kinds), 2):
                errorbars(ax, x, found[number], number, kinds[number])
        lower.set(yscale="log", xlabel=varied, xscale="log" if varied == "replicas" else "linear")
        lower.set(**({"xticks": x} if "bits" in varied else {}))
    for row, text in zip(axes, ("W − ΔF [zJ per replica]", "nats lost per sample"), strict=True):
        row[0].set_ylabel(text)
        row[1].legend(frameon=False, fontsize="small")
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
