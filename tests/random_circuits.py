"""Random circuits of three kinds, and those among them that compile."""

from __future__ import annotations

import itertools
import math

import numpy as np

import ktc

BOLTZMANN = 1.380649e-23
UNIT = 1 / BOLTZMANN  # the temperature of kT = 1


def sound_circuits(random_circuit, seed, count, margin=0.0):
    """Random circuits that compile, with their networks and the generator that drew them.

    Those whose slowest mode decays less than ``margin`` times as fast as the fastest are left out.
    """
    draw, found = np.random.default_rng(seed), 0
    while found < count:
        candidate = random_circuit(draw)
        try:
            net = candidate.compile()
        except ktc.CircuitError:
            continue
        if margin:
            rates = np.linalg.eigvals(net.drift)
            if -rates.real.max() < margin * np.abs(rates).max():
                continue
        found += 1
        yield candidate, net, draw


def circuit_of_decades(draw):
    """Any elements between up to six nodes, values over decades."""
    nodes = ["0", *(f"n{i}" for i in range(draw.integers(1, 6)))]
    ranges = {"R": (1, 5), "C": (-11, -8), "L": (-6, -3)}
    counts = {"R": (1, 8), "C": (1, 5), "L": (0, 4), "V": (0, 3), "I": (0, 3)}
    result = ktc.Circuit()
    for kind, count in counts.items():
        for number in range(draw.integers(*count)):
            plus, minus = draw.choice(len(nodes), 2, replace=False)
            value = 10 ** draw.uniform(*ranges[kind]) if kind in ranges else draw.normal()
            value *= 1e-3 if kind == "I" else 1.0
            result.add(f"{kind}{number}", nodes[plus], nodes[minus], value)
    return result


def inductive_circuit(draw):
    """Up to six nodes, values within a factor of nine, three and more inductors."""
    nodes = ["0", *(f"n{i}" for i in range(draw.integers(2, 6)))]
    counts = {"R": (1, 6), "C": (0, 4), "L": (3, 8), "V": (0, 2), "I": (0, 3)}
    result = ktc.Circuit(UNIT)
    kelvins = UNIT * draw.uniform(0.5, 2, 2 if draw.random() < 0.5 else 1)
    for kind, count in counts.items():
        for number in range(draw.integers(*count)):
            plus, minus = draw.choice(len(nodes), 2, replace=False)
            kelvin = float(draw.choice(kelvins)) if kind == "R" else None
            value = draw.normal() if kind in "VI" else 3 ** draw.uniform(-1, 1)
            result.add(f"{kind}{number}", nodes[plus], nodes[minus], value, kelvin=kelvin)
    names = [b.name for b in result.branches if b.kind == "L"]
    for number, pair in enumerate(itertools.combinations(names, 2)):
        if draw.random() < 0.5:
            result.add_coupling(f"K{number}", *pair, value=draw.uniform(-0.9, 0.9))
    return result


def active_circuit(draw):
    """Up to five nodes, values within a factor of nine, one to four controlled sources."""
    nodes = ["0", *(f"n{i}" for i in range(draw.integers(2, 6)))]
    counts = {"R": (2, 7), "C": (1, 5), "L": (0, 3), "V": (0, 3), "I": (0, 2)}
    result = ktc.Circuit(UNIT)
    for kind, count in counts.items():
        for number in range(draw.integers(*count)):
            plus, minus = draw.choice(len(nodes), 2, replace=False)
            kelvin = UNIT * draw.uniform(0.5, 2) if kind == "R" else None
            value = draw.normal() if kind in "VI" else 3 ** draw.uniform(-1, 1)
            result.add(f"{kind}{number}", nodes[plus], nodes[minus], value, kelvin=kelvin)
    volts = [b.name for b in result.branches if b.kind == "V"]
    for number in range(draw.integers(1, 4)):
        kind = str(draw.choice(list("EGFH" if volts else "EG")))
        plus, minus = draw.choice(len(nodes), 2, replace=False)
        control = draw.choice(len(nodes), 2, replace=False)
        named = [nodes[k] for k in control] if kind in "EG" else [str(draw.choice(volts))]
        gain = math.inf if kind == "E" and draw.random() < 0.3 else 2 * draw.normal()
        result.add(f"{kind}{number}", nodes[plus], nodes[minus], gain, control=named)
    return result
