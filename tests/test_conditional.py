"""Conditional networks against exact conditionals, quadrature, and long runs with a stiff hold."""

import numpy as np
import pytest

import ktc
from reference import random_spd
from refusal import refused

K = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.4], [-0.3, 0.4, 1.5]])
SHARED = np.array([[1.0, 0.2, 0.1], [0.2, 3.0, 0.3], [0.1, 0.3, 2.0]])


def test_gaussian_networks_have_the_conditional_mean_and_covariance():
    """By Schur complements of the covariance, 1e-12 of the numbers."""
    rng = np.random.default_rng(1)
    stiffness, bias = random_spd(rng, 7), rng.normal(size=7)
    network = ktc.Network(stiffness, 1.0, 0.7, bias)
    held, values = [5, 0, 3], rng.normal(size=3)
    free = [1, 2, 4, 6]
    covariance, mean = 0.7 * np.linalg.inv(stiffness), np.linalg.solve(stiffness, bias)
    cross, own = covariance[np.ix_(free, held)], covariance[np.ix_(held, held)]
    gain = cross @ np.linalg.inv(own)
    found = ktc.theory.equilibrium(network.conditioned(held, values))
    assert found.mean == pytest.approx(mean[free] + gain @ (values - mean[held]), rel=1e-11)
    exact = covariance[np.ix_(free, free)] - gain @ cross.T
    assert found.covariance == pytest.approx(exact, rel=1e-11, abs=1e-13)


def test_sparse_and_dense_networks_have_the_same_conditional():
    sparse = ktc.lattices.grid(3, 4, own=2.0, coupling=0.4)
    made = ktc.Network(sparse, np.arange(1.0, 13.0), 0.5, np.arange(12.0), np.full(12, 0.2))
    dense = ktc.Network(sparse.toarray(), made.resistance, 0.5, made.bias, made.quartic)
    found, exact = (net.conditioned([3, 4, 11], [1.0, -2.0, 0.3]) for net in (made, dense))
    assert found.is_sparse and not exact.is_sparse and found.units == 9
    for name in ("stiffness", "bias", "quartic", "resistance", "kT"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=1e-15)


def test_a_quartic_unit_has_the_conditional_density():
    """Powers by quadrature of the joint energy along the held value, within 5 standard errors."""
    network = ktc.Network(K[:2, :2], 1.0, 0.8, [0.3, -1.0], [0.5, 2.0])
    x, value = np.linspace(-8, 8, 4001), -1.3
    joint = np.stack([x, np.full_like(x, value)])
    energy = 0.5 * np.einsum("in,ij,jn->n", joint, network.stiffness, joint)
    energy += -network.bias @ joint + 0.25 * network.quartic @ joint**4
    weight = np.exp(-(energy - energy.min()) / 0.8)
    emulator = ktc.Emulator(network.conditioned(1, value), replicas=50_000, seed=3, threads=1)
    for powers in (1, 2, 4):
        drawn = emulator.read()[:, 0] ** powers
        exact = np.sum(weight * x**powers) / weight.sum()
        assert abs(drawn.mean() - exact) < 5 * drawn.std() / np.sqrt(len(drawn))


@pytest.mark.parametrize("inertia", [None, [0.5, 1.0, 2.0]])
@pytest.mark.parametrize("friction", [1.5, [1.0, 2.0, 3.0], SHARED], ids=["one", "each", "shared"])
def test_the_motion_is_that_of_units_whose_neighbour_cannot_move(friction, inertia):
    """The exact mean path, with the held unit stopped by a friction of 1e9: within 1e-6."""
    network = ktc.Network(K, friction, 1.0, [0.5, 0.0, -1.0], inertia=inertia)
    stopped = np.array(network.friction)
    stopped[1, 1] += 1e9
    start = np.array([1.0, 2.0, -1.0])
    whole = ktc.Network(K, stopped, 1.0, network.bias, inertia=inertia)
    slow = ktc.Emulator(whole, replicas=np.inf, state=start)
    held = ktc.Emulator(network.conditioned(1, 2.0), replicas=np.inf, state=start[[0, 2]])
    for emulator in (slow, held):
        emulator.run(0.7)
    assert held.moments().mean == pytest.approx(slow.moments().mean[[0, 2]], rel=1e-6)
    spread = slow.moments().covariance[np.ix_([0, 2], [0, 2])]
    assert held.moments().covariance == pytest.approx(spread, rel=1e-6)


def test_temperatures_and_sources_stay_with_their_units():
    network = ktc.Network(K, 1.0, [1.0, 2.0, 3.0]).with_controls(emf=[0.1, 0.2, 0.3])
    found = network.conditioned([1], [0.0])
    assert found.kT.tolist() == [1.0, 3.0] and found.controls.emf.tolist() == [0.1, 0.3]
    rest = np.linalg.solve(K[np.ix_([0, 2], [0, 2])], [0.1, 0.3])
    assert found.transition(1e6).c == pytest.approx(rest)


def test_no_unit_and_one_after_another():
    network = ktc.Network(K, [1.0, 2.0, 3.0], 1.0, [0.5, 0.0, -1.0], [1.0, 0.0, 2.0])
    assert network.conditioned([], []) == network
    both = network.conditioned([0, 2], [1.0, 2.0])
    after = network.conditioned(0, 1.0).conditioned(1, 2.0)
    assert both.bias == pytest.approx(after.bias, rel=1e-15) and both.units == 1


def test_bad_input_is_refused():
    network = ktc.Network(K, SHARED)
    with refused(ValueError, "units", "0 to 2", "3"):
        network.conditioned([3], 0.0)
    with refused(ValueError, "units", "once", "1 twice"):
        network.conditioned([1, 1], 0.0)
    with refused(ValueError, "units", "all 3"):
        network.conditioned([0, 1, 2], 0.0)
    with refused(TypeError, "units", "0.5"):
        network.conditioned([0.5], 0.0)
    with refused(ValueError, "values", "(2,)", "(3,)"):
        network.conditioned([0, 1], [1.0, 2.0, 3.0])
    with refused(ValueError, "values", "finite", "nan"):
        network.conditioned([0, 1], [1.0, np.nan])
    with refused(ValueError, "emf", "share resistors"):
        network.with_controls(emf=[1.0, 0.0, 0.0]).conditioned(0, 1.0)
    resistors = [ktc.Resistor([1, 1], 1.0, "R"), ktc.Resistor([1, 0], 1.0, "S")]
    circuit = ktc.Network.of_elements(np.eye(2), resistors, 1.0)
    with refused(ValueError, "circuit", "voltage sources"):
        circuit.conditioned(0, 1.0)
