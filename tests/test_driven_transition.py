"""Transitions of driven networks against moment equations by block exponentials (Van Loan)."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from reference_driven import Driven
from reference_netlist import by_blocks
from refusal import refused
from test_driven import random_network


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(20))
def test_transitions_against_block_exponentials(seed, length):
    """Sources, generators, filters and two temperatures: A, c and Q to 1e-9 of their size."""
    network = random_network(seed)
    reference = Driven(network)
    hold = length * reference.fastest()
    states = slice(0, reference.size - 1)
    expected = by_blocks(
        reference.drift[states, states],
        reference.push[states],
        reference.diffusion[states, states],
        hold,
    )
    for found, wanted in zip(network.transition(hold), expected, strict=True):
        assert found.shape == wanted.shape
        size = max(np.abs(wanted).max(), 1e-5)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * size)


def test_a_divider_charges_to_its_voltage():
    """A = e^{−h/τ}, c = (1 − A) q*, Q = kT C (1 − A²), with τ = RC/2 and q* = C · 2.5 V."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 5\nR1 in a 1k\nR2 a 0 1k\nC1 a 0 1n")
    network, tau = circuit.compile(), 0.5e-6
    for hold in (1e-10, 3e-7, 1e-3):
        decay = np.exp(-hold / tau)
        A, c, Q = network.transition(hold)
        assert A[0, 0] == pytest.approx(decay, rel=1e-12, abs=1e-300)
        assert c[0] == pytest.approx(2.5e-9 * -np.expm1(-hold / tau), rel=1e-9, abs=0)
        spread = 1.380649e-23 * 300.0 * 1e-9 * -np.expm1(-2 * hold / tau)
        assert Q[0, 0] == pytest.approx(spread, rel=1e-12, abs=0)


def test_several_temperatures_with_inertia():
    """Two masses at two temperatures, without a source, by block exponentials."""
    network = ktc.Network(
        [[2.0, 0.5], [0.5, 1.0]], [0.3, 0.7], kT=[1.0, 2.0], bias=[1.0, 0.0], inertia=[1.0, 3.0]
    )
    noise = np.diag([0.0, 0.0, 2 * 0.3 * 1.0, 2 * 0.7 * 2.0])
    push = np.array([0.0, 0.0, 1.0, 0.0])
    expected = by_blocks(network.drift, push, noise, 2.0)
    for found, wanted in zip(network.transition(2.0), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_an_active_circuit():
    """A follower with gain: the transition of its emulator's mean from a given state."""
    circuit = ktc.Circuit.from_netlist(
        "V1 in 0 1m\nR1 in a 1k\nC1 a 0 1n\nE1 b 0 a 0 2\nR2 b c 1k\nC2 c 0 1n"
    )
    network, start = circuit.compile(), np.array([1e-12, -2e-12])
    device = ktc.Emulator(network, replicas=float("inf"), state=start)
    device.run(7e-7)
    A, c, Q = network.transition(7e-7)
    np.testing.assert_allclose(device.moments().mean, A @ start + c, rtol=1e-9)
    np.testing.assert_allclose(device.moments().covariance, Q, rtol=1e-9)


def test_quartic_networks_have_no_transition():
    with refused(ValueError, "linear network", "quartic"):
        ktc.Network(1.0, 1.0, quartic=1.0).transition(1.0)
