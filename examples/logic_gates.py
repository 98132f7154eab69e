"""Logic gates of double wells: error against heat, by time and by energies over kT.

Bits are signs of units in double wells, ¼(x² − 1)². Inputs a and b are held at ±1, the output y
runs from x = 0, and of XOR another unit, c = a AND b, in wells four times as deep. Beside the wells
the energy is

    AND: −g (a + b − 1) y    OR: −g (a + b + 1) y    XOR: −4g (a + b − 1) c − g (a + b − 1.6c − 1) y

with g = ½, so that no barrier keeps a wrong answer of AND and OR. Told are the share of wrong
answers over random inputs, that in equilibrium, and the heat per gate, at several energies over kT.

    python examples/logic_gates.py [--seed 1] [--quick] [--figure FILE]

Source: Whitelam (2025), arXiv 2509.15324; Landauer (1961), IBM J. Res. Dev. 5, 183.
"""

import itertools

import numpy as np
from drawing import STYLES, common_legend, errorbars, new_figure
from harness import Table, main, over_runs, seeds_of

import ktc

BITS, G = {"AND": np.logical_and, "OR": np.logical_or, "XOR": np.logical_xor}, 0.5
TIMES, SCALES = [0.3, 1.0, 3.0, 10.0, 30.0], [2, 5, 10]


def gate(name, scale):
    """The network of a, b, y, and c of XOR, at kT = 1."""
    sign, deep = 1 if name == "OR" else -1, 4 if name == "XOR" else 0
    wells, bias = np.array([1, 1, 1, deep]), sign * G * np.array([0, 0, 1, deep])
    pairs = np.zeros((4, 4))
    pairs[2, :2], pairs[3, :3] = -G, G * np.array([-deep, -deep, 1.6])
    size = 4 if deep else 3
    K, wells = (pairs + pairs.T - np.diag(wells))[:size, :size], wells[:size]
    return ktc.Network(scale * K, scale, 1.0, scale * bias[:size], scale * wells)


def wrong_at_rest(network, truth):
    """Share of wrong answers in equilibrium, by quadrature over y and c."""
    grid, wrong = np.linspace(-2.5, 2.5, 200), []
    for bits in itertools.product([-1.0, 1.0], repeat=2):
        rest = network.conditioned([0, 1], bits)
        x = np.stack(np.meshgrid(*[grid] * rest.units, indexing="ij"))
        energy = np.einsum("i...,ij,j...->...", x, rest.stiffness / 2, x)
        energy += np.tensordot(rest.quartic / 4, x**4, 1) - np.tensordot(rest.bias, x, 1)
        weight = np.exp(energy.min() - energy)
        wrong.append(np.sum(weight * ((x[0] > 0) != truth(*np.array(bits) > 0))) / weight.sum())
    return np.mean(wrong)


def experiment(seed=1, quick=False):
    seeds, gates = seeds_of(seed), 400 if quick else 40_000
    table = Table("gate", "energy/kT", "time", "wrong", "at rest", "heat [kT]", named=3)
    figure, axes = new_figure(1, 3, figsize=(9.6, 3.9), sharey=True)
    inputs = np.random.default_rng(0).choice([-1.0, 1.0], (gates, 2))
    for ax, (name, truth) in zip(axes[0], BITS.items(), strict=True):
        for number, scale in enumerate(SCALES[1:] if quick else SCALES):
            network = gate(name, scale)
            least = wrong_at_rest(network, truth)
            for time in TIMES[1::2] if quick else TIMES:
                found = ktc.infer(network, ([0, 1], inputs), [2], time, state=0.0, seed=next(seeds))
                right = truth(*(inputs.T > 0))
                wrong = over_runs((found.mean[:, 0] > 0) != right)
                table.add(name, f"{scale}", f"{time:g}", wrong, least, found.heat)
            where = {"gate": name, "energy/kT": f"{scale}"}
            heat = [cell.mean for cell in table.column("heat [kT]", **where)]
            errorbars(ax, heat, table.column("wrong", **where), number, f"{scale} kT")
            ax.axhline(least, color=STYLES[number]["color"], linewidth=0.6)
        ax.axvline(np.log(2), color="0.75", linewidth=5, label="kT ln 2")
        ax.set(title=name, xlabel="heat per gate [kT]", yscale="log", xscale="log")
    axes[0, 0].set(ylabel="share of wrong answers")
    common_legend(figure, axes[0, 0], 4)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
