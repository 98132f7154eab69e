"""ζ of double wells, measured on replicas in equilibrium, against quadrature.

    H = ½ k x² + ¼ x⁴ − b x,   k = −2, b = 0.2, friction 2, kT from 1 to 0.35

Replicas exchange slowly between the wells, in up to 35 times the time of motion within a well. The
bias feels little else. Diagonal and quartic term owe half of their ζ to it, but only 3 % of their
variance, which the noise of their own correlations hides; the measurement subtracts the slow mode
that they share with the bias. "off" is the difference in standard errors, "window" the longest
window in units of time.

    python examples/friction_of_double_wells.py [--seed 1] [--quick] [--figure FILE]

Source: Sivak, Crooks (2012), PRL 108, 190602.
"""

import numpy as np
from drawing import common_legend, errorbars, new_figure, plain_ticks
from harness import Table, main, scaled, seeds_of

import ktc

NAMES = ("bias", "diagonal", "quartic")


def experiment(seed=1, quick=False):
    replicas, step = (400, 0.15) if quick else (4000, 0.1)
    temperatures = [1.0, 0.5] if quick else [1.0, 0.7, 0.5, 0.35]
    table, seeds = (
        Table("kT", "ζ of", "exact", "measured", "off", "window", named=2),
        seeds_of(seed),
    )
    figure, [[ax]] = new_figure(1, 1, figsize=(5.4, 3.8))
    ratios = {name: [] for name in NAMES}
    for kT in temperatures:
        well = ktc.Network(-2.0, 2.0, kT, bias=0.2, quartic=1.0)
        exact = ktc.theory.friction_tensor(well, NAMES).diagonal()
        options = {"replicas": replicas, "interval": step, "seed": next(seeds)}
        found = ktc.theory.friction_estimate(well, NAMES, **options)
        window = found.method.split()[-1]
        pairs = zip(found.raw.diagonal(), found.stderr.diagonal(), strict=True)
        for name, true, (mean, error) in zip(NAMES, exact, pairs, strict=True):
            measured = ktc.Estimate(mean, error, method=found.method)
            off = f"{(mean - true) / error:+.1f}"
            table.add(f"{kT:g}", name, true, measured, off, window)
            ratios[name].append(scaled(measured, 1 / true))
    ax.axhline(1.0, color="0.75", linewidth=5, label="quadrature")
    for number, name in enumerate(NAMES):
        errorbars(ax, np.array(temperatures), ratios[name], number, name)
    ax.set(xscale="log", xlabel="kT", ylabel="measured ζ / exact ζ")
    plain_ticks(ax, temperatures)
    common_legend(figure, ax, 4)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
