"""Learnable parameters as one vector: round trips, exact works, masks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc import theory
from refusal import refused

K = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 1.5]])
NET = ktc.Network(K, 1.0, kT=0.7, bias=[0.1, -0.2, 0.3], quartic=[0.0, 0.4, 1.0])
RING = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
CHOICES = [
    ("bias",),
    ("stiffness",),
    ("couplings", "bias"),
    ("bias", "diagonal", "quartic", "couplings"),
]


@pytest.mark.parametrize("names", CHOICES, ids=" ".join)
def test_vector_and_controls_are_inverse(names):
    """θ → controls → θ is the identity, and what is not among the names stays."""
    some = theory.Parameters(NET, names)
    theta = some.vector(NET.controls) + 0.01 * np.arange(1, some.size + 1)
    changed = some.controls(theta, NET.controls)
    np.testing.assert_array_equal(some.vector(changed), theta)
    others = theory.Parameters(NET, [n for n in CHOICES[-1] if n not in names] or ["bias"])
    if "stiffness" not in names and len(names) < 4:
        np.testing.assert_array_equal(others.vector(changed), others.vector(NET.controls))
    np.testing.assert_array_equal(changed.stiffness, changed.stiffness.T)
    assert some.controls(some.vector(NET.controls), NET.controls) == NET.controls


@pytest.mark.parametrize("names", CHOICES, ids=" ".join)
@pytest.mark.parametrize("device", [NET, ktc.Board(3, 1e6, [1e-12, 2e-12, 3e-12], 300.0)])
def test_work_of_an_update_is_the_change_times_the_forces(device, names):
    """H(x; θ′) − H(x; θ) = Δθ · ∂H/∂θ at the public state, as the ledger books it, to rounding."""
    if not isinstance(device, ktc.Network) and "quartic" in names:
        names = names[:2]
    some = theory.Parameters(device, names)
    emulator = ktc.Emulator(device, replicas=50, seed=3)
    theta = some.vector(emulator.controls)
    unit = np.concatenate([np.ones(block.stop - block.start) for block in some.blocks.values()])
    step = np.linspace(0.01, 0.02, some.size) * np.where(theta == 0, 1e-4, np.abs(theta)) * unit
    emulator.set(**some.changes(theta + step, emulator.controls))
    # The vector's own rounding at this size of θ is what the difference can lose.
    forces = some.forces(emulator.read())
    expected = forces @ (some.vector(emulator.controls) - theta)
    assert emulator.ledger.work == pytest.approx(expected, rel=1e-9, abs=1e-12 * device.network.kT)


def test_mean_forces_by_gauss_hermite():
    """⟨∂H/∂θ⟩ of a normal distribution: five nodes a direction integrate x⁴ exactly."""
    some = theory.Parameters(NET, CHOICES[-1])
    mean, covariance = np.array([0.3, -1.0, 2.0]), np.linalg.inv(K)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    points = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), -1).reshape(-1, 3)
    mass = np.prod(np.meshgrid(weights, weights, weights, indexing="ij"), axis=0).ravel()
    states = mean + points @ np.linalg.cholesky(covariance).T
    expected = mass / mass.sum() @ some.forces(states)
    np.testing.assert_allclose(some.mean_forces(mean, covariance), expected, rtol=1e-12)


def test_masks():
    """A symmetric mask of the stiffness, and one a name; labels say what is left."""
    ring = theory.Parameters(NET, ("couplings", "bias"), RING)
    assert ring.labels == (
        "couplings[0,1]", "couplings[1,2]", "bias[0]", "bias[1]", "bias[2]",
    )  # fmt: skip
    assert theory.Parameters(NET, "stiffness", np.eye(3) + RING).size == 5
    one = theory.Parameters(NET, ("bias", "quartic"), {"bias": [1, 0, 0], "quartic": [0, 1, 1]})
    assert one.labels == ("bias[0]", "quartic[1]", "quartic[2]")
    assert repr(one) == "<ktc.theory.Parameters: 1 bias, 2 quartic>"
    parts = one.split([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(parts["quartic"], [2.0, 3.0])
    assert one == theory.Parameters(NET, one.names, {"bias": [1, 0, 0], "quartic": [0, 1, 1]})
    assert one != ring


REFUSED = [
    ({"names": "centre"}, "parameter must be one of"),
    ({"names": ()}, "names must be one or several"),
    ({"names": ("stiffness", "diagonal")}, "do not overlap"),
    ({"names": "couplings", "mask": [[0, 1, 0], [0, 0, 0], [0, 0, 0]]}, "symmetric, but differs"),
    ({"names": "couplings", "mask": np.eye(3)}, "mask leaves no couplings to learn"),
    ({"names": "couplings", "mask": np.ones((2, 2))}, "of shape (3, 3)"),
    ({"names": "couplings", "mask": 0.5 * np.ones((3, 3))}, "True or False"),
    ({"names": "bias", "mask": np.ones((3, 3))}, "mask is of the stiffness"),
    ({"names": "bias", "mask": {"quartic": [1, 1, 1]}}, "not among the names"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_refused(arguments, words):
    with refused(ValueError, words):
        theory.Parameters(NET, **arguments)


def test_vectors_that_do_not_fit_are_refused():
    some = theory.Parameters(NET, ("bias", "stiffness"))
    with refused(ValueError, "vector must have shape (9,)"):
        some.controls(np.zeros(3), NET.controls)
    with refused(ValueError, "vector must be finite"):
        some.controls(np.full(9, np.nan), NET.controls)
    with refused(ValueError, "nothing confines"):
        some.controls(-np.ones(9), NET.controls)
    with refused(ValueError, "state must have shape (n, 3)"):
        some.forces(np.zeros((5, 2)))
    with refused(ValueError, "controls must be those of 3 units"):
        some.vector(ktc.Network(1.0, 1.0).controls)
    with pytest.raises(TypeError):
        theory.Parameters(ktc.Emulator(NET, replicas=2, seed=1))
