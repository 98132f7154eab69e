"""Inductors in series and in parallel of large circuits, against the dense compilation."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc._circuits.branch import CircuitError
from refusal import refused

SERIES = "V1 in 0 1m\nR1 in a 1k\nC1 a 0 1n\nL1 a b 1m\nL2 b c 3m\nL3 d c 2m\nR2 d 0 2k\nC2 d 0 1n"
PARALLEL = "V1 in 0 1m\nR1 in a 1k\nC1 a 0 1n\nL1 a 0 4m\nL2 0 a 1m\nR2 a 0 1k"
LADDER = """V1 in 0 1m
R1 in a 500
C1 a 0 1n
L1 a m1 1m
L2 m1 m2 2m
L3 m2 m1 3m
L4 m2 b 1m
L5 a b 5m
C2 b 0 2n
R2 b 0 800
"""
DRIVEN = "V1 in 0 1m\nL1 in m 1m\nL2 m a 2m\nR1 a 0 1k\nC1 a 0 1n\nI1 0 a 1u"


@pytest.mark.parametrize("text", [SERIES, PARALLEL, LADDER, DRIVEN])
def test_the_same_circuit_as_the_dense_one(text):
    """Coordinates, stiffness, controls, node voltages and currents at random states to 1e-12."""
    circuit = ktc.Circuit.from_netlist(text)
    dense, sparse = circuit.compile(sparse=False), circuit.compile(sparse=True)
    assert sparse.coordinates == dense.coordinates
    assert sparse.nodes == dense.nodes
    np.testing.assert_allclose(sparse.stiffness, dense.stiffness, rtol=1e-12)
    theta = np.arange(1.0, 1 + len(dense.sources))
    states = np.random.default_rng(1).normal(size=(5, dense.units)) * 1e-12
    for net in (dense, sparse):
        assert net.sources == dense.sources
    values = dict(zip(dense.sources, theta.tolist(), strict=True))
    read, currents = [], []
    for net in (dense, sparse):
        controls = net.controls.updated(**net.source_controls(**values))
        read.append(net.nodes_at(states, controls, theta))
        currents.append(net.inductor_currents(net.gradient(states, controls), theta))
    np.testing.assert_allclose(read[1], read[0], rtol=1e-9, atol=1e-12)
    assert list(currents[1]) == list(currents[0])
    for name, found in currents[1].items():
        np.testing.assert_allclose(found, currents[0][name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("text", [SERIES, PARALLEL, LADDER, DRIVEN])
def test_motion_and_start(text):
    """Mean and covariance of the start, and the mean after a change of V1; 5 standard errors."""
    circuit = ktc.Circuit.from_netlist(text)
    exact = ktc.Emulator(circuit.compile(sparse=False), float("inf"))
    fastest = 1 / np.abs(np.linalg.eigvals(exact.network.drift)).max()
    many = ktc.Emulator(circuit.compile(sparse=True), 4000, seed=1, dt=0.02 * fastest)
    for device in (exact, many):
        device.set(V1=3e-3)
        device.run(3 * fastest)
    mean, covariance = exact.moments().mean, np.asarray(exact.moments().covariance)
    width = np.sqrt(np.diagonal(covariance))
    found = (many.read() - mean) / width
    moved = np.abs(mean - np.asarray(ktc.Emulator(exact.network, float("inf")).moments().mean))
    slack = 1e-3 * moved / width  # of steps, second order in 0.02
    assert np.all(np.abs(found.mean(axis=0)) < 5 / np.sqrt(4000) + slack)
    scatter = np.cov(found.T) - covariance / np.outer(width, width)
    assert np.abs(scatter).max() < 5 * np.sqrt(2 / 4000)


def test_initial_currents_of_inductors_in_series_and_parallel():
    """ic= of one in series is the current of all, of one in parallel a share."""
    for text in (SERIES.replace("L2 b c 3m", "L2 b c 3m ic=2m"), PARALLEL + "\n.ic v(a)=1"):
        circuit = ktc.Circuit.from_netlist(text)
        circuit.compile(sparse=True)
        found = circuit.initial_state()
        circuit.compile(sparse=False)
        np.testing.assert_allclose(found, circuit.initial_state(), rtol=1e-12, atol=1e-24)


def test_a_saved_circuit_has_its_inductors(tmp_path):
    circuit = ktc.Circuit.from_netlist(SERIES)
    device = ktc.Emulator(circuit.compile(sparse=True), 64, seed=1)
    device.save(tmp_path / "device")
    loaded = ktc.Emulator.load(tmp_path / "device")
    for name, amperes in circuit.currents(device).items():
        np.testing.assert_array_equal(circuit.currents(loaded)[name], amperes)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("L1 a b 1m\nL2 b c 1m\nL3 c a 1m\nC2 b 0 1n\nC3 c 0 1n", "closes a loop"),
        ("L1 a b 1m\nL2 b 0 1m\nK1 L1 L2 0.5", "cut set"),
        ("L1 a b 1m", "cut set"),
    ],
)
def test_other_redundant_inductors_are_refused(text, part):
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n\n" + text)
    with refused(CircuitError, part, "sparse=False"):
        circuit.compile(sparse=True)
