"""Twenty random driven RLC netlists against moment equations of Kirchhoff's laws.

Finite ensembles start in the stationary state without sources; then the sources are set by name and
act for one hold, of 1e-3 to 1e3 fastest times.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from reference_netlist import AMPERE, JOULE, SECOND, VOLT, RandomCircuit

REPLICAS = 20_000
QUICK = [(seed, length) for seed, length in zip(range(20), 4 * [1e-3, 1e-2, 1.0, 30.0, 1e3])]
SLOW = [(seed, 10.0**decade) for seed in range(20) for decade in range(-3, 4)]


def played(seed, length):
    """Readings (v, i, y) in the units of the reference, books, and the expected moments."""
    reference = RandomCircuit(seed)
    circuit = ktc.Circuit.from_netlist(reference.netlist)
    emulator = ktc.Emulator(circuit, REPLICAS, seed=seed, threads=1)
    assert not emulator.resolve_heat
    hold = length * reference.fastest()
    emulator.set(V1=reference.drives["V1"] * VOLT, I1=reference.drives["I1"] * AMPERE)
    emulator.run(hold * SECOND)
    volts = circuit.voltages(emulator)[:, [circuit.nodes.index(n) for n in reference.nodes]]
    amps = circuit.currents(emulator)
    columns = [*(volts / VOLT).T, *(amps[name] / AMPERE for name in reference.inductors)]
    books = emulator.ledger
    return np.array([*columns, books.source / JOULE]).T, books, reference.moments(hold)


def check(seed, length):
    """Mean and covariance of v, i and y, and the mean heat, at 5 standard errors."""
    found, books, (mean, covariance, heat) = played(seed, length)
    assert books.imbalance() < 1e-11
    width, root = np.sqrt(np.diagonal(covariance)), np.sqrt(REPLICAS)
    assert np.all(np.abs(found.mean(axis=0) - mean) < 5 * width / root + 1e-9 * np.abs(mean))
    scaled = (found - mean) / width
    products = scaled[:, :, None] * scaled[:, None, :]
    scatter = products.std(axis=0) / root
    expected = covariance / np.outer(width, width)
    assert np.all(np.abs(products.mean(axis=0) - expected) < 5 * scatter + 1e-9)
    net = books.net_heat / JOULE
    assert abs(net.mean() - heat) < 5 * net.std() / root + 1e-9 * abs(heat)


@pytest.mark.parametrize(("seed", "length"), QUICK)
def test_random_rlc_circuits(seed, length):
    """At most 36 numbers of 20 holds: a false alarm of 4e-4."""
    check(seed, length)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "length"), SLOW)
def test_random_rlc_circuits_at_every_decade(seed, length):
    """At most 36 numbers of 140 holds: a false alarm of 3e-3."""
    check(seed, length)
