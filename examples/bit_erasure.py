"""Erasing a bit in three kinds of double wells: errors and energy against time.

    quartic      ¼ κ x⁴ + ½ k x² − b x             k is driven to 0 and back
    parabolas    k (½ x² − c₁ |x| + ½ c₁²) − b x     c₁ is driven to 0 and back
    cosine       ½ K x² + A cos(πx) − b x            A is driven to 0 and back

All have wells near ±1, 10 kT deep; friction 1, kT = 1. A quarter of the time lowers the barrier,
one tilts by b from 0 to 8, one raises the barrier, and one takes the tilt back. Errors are replicas
that end at x < 0. No erasure with an error of ε costs less work than kT (ln 2 − h(ε)), with
h = −ε ln ε − (1 − ε) ln(1 − ε): at ε = 0 this is Landauer's bound.

    python examples/bit_erasure.py [--seed 1] [--quick] [--figure FILE]

Source: Landauer (1961), IBM J. Res. Dev. 5, 183; Dago, Pereda, Barros, Ciliberto, Bellon (2021),
PRL 126, 170601.
"""

import numpy as np
from drawing import common_legend, errorbars, new_figure
from harness import Table, main, seeds_of

import ktc
from ktc.potentials import Cosine, TwoParabolas

DEPTH, TILT, TICKS = 10.0, 8.0, 400
#: Each memory, the control that makes its barrier, and its value at rest.
MEMORIES = {
    "quartic": (ktc.Network(-4 * DEPTH, 1.0, quartic=4 * DEPTH), "stiffness", -4 * DEPTH),
    "parabolas": (
        ktc.Network(0.0, 1.0, potential=TwoParabolas(0.0, 1.0, spring=2 * DEPTH)),
        "distance",
        1.0,
    ),
    "cosine": (ktc.Network(8.0, 1.0, potential=Cosine(6.8, 2.0)), "amplitude", 6.8),
}


def erasure(control, value, duration):
    """The protocol of four equal parts; the last update closes the cycle."""
    times = (np.arange(TICKS) + 0.5) / TICKS
    barrier = np.interp(times, [0, 0.25, 0.5, 0.75, 1], [1, 0, 0, 1, 1])
    tilt = np.interp(times, [0, 0.25, 0.5, 0.75, 1], [0, 0, 1, 1, 0])
    controls = {control: value * barrier, "bias": TILT * tilt}
    return ktc.Protocol(np.full(TICKS, duration / TICKS), controls, {control: value, "bias": 0.0})


def experiment(seed=1, quick=False):
    replicas, durations = (400, [0.5, 4.0]) if quick else (10_000, [0.5, 1, 2, 4, 8, 16, 32])
    table, seeds = Table("memory", "time", "error", "work/kT", named=2), seeds_of(seed)
    figure, axes = new_figure(1, 2, figsize=(8.0, 3.6))
    for number, (name, (memory, control, value)) in enumerate(MEMORIES.items()):
        errors, works = [], []
        for duration in durations:
            emulator = ktc.Emulator(memory, replicas=replicas, seed=next(seeds), threads=1)
            run = emulator.play(erasure(control, value, duration))
            errors.append(ktc.Estimate.of_samples(np.where(emulator.read()[:, 0] < 0, 1.0, 0.0)))
            works.append(run.work)
            table.add(name, f"{duration:g}", errors[-1], works[-1])
        for ax, values in zip(axes[0], (errors, works), strict=True):
            errorbars(ax, np.array(durations), values, number, name)
    axes[0][0].set(xscale="log", xlabel="time", ylabel="share of errors")
    axes[0][1].axhline(np.log(2), color="0.6", label="kT ln 2")
    axes[0][1].set(xscale="log", yscale="log", xlabel="time", ylabel="work / kT")
    common_legend(figure, axes[0][1], 4)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
