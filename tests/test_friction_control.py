"""Friction that changes while a network of units runs, against block exponentials."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from reference_netlist import by_blocks
from refusal import refused

INFINITE = float("inf")


@pytest.mark.parametrize("replicas", [20_000, INFINITE])
@pytest.mark.parametrize("kind", ["scalar", "per unit", "matrix", "inertia"])
def test_friction_of_units(kind, replicas):
    """Friction 1, then another one: mean and covariance by block exponentials."""
    stiffness = np.array([[2.0, 0.5], [0.5, 1.0]])
    first, second = {
        "scalar": (1.0, 3.0),
        "per unit": ([1.0, 2.0], [3.0, 0.5]),
        "matrix": ([[1.0, 0.2], [0.2, 2.0]], [[2.0, -0.5], [-0.5, 0.7]]),
        "inertia": (1.0, 3.0),
    }[kind]
    inertia = 0.7 if kind == "inertia" else None
    network = ktc.Network(stiffness, first, 1.3, bias=[1.0, 0.5], inertia=inertia)
    options = {} if replicas == INFINITE else {"seed": 2}
    device = ktc.Emulator(network, replicas, state=[1.0, -2.0], **options)
    size = 4 if inertia else 2
    mean, covariance = np.array([1.0, -2.0, 0, 0][:size]), np.zeros((size, size))
    for friction, hold in ((first, 0.5), (second, 0.8)):
        device.set(friction=friction)
        device.run(hold)
        r = np.eye(2) * friction if np.ndim(friction) < 2 else np.array(friction)
        if inertia:
            zero, one = np.zeros((2, 2)), np.eye(2)
            drift = np.block([[zero, one / 0.7], [-stiffness, -r / 0.7]])
            push, noise = np.array([0, 0, 1.0, 0.5]), np.diag([0, 0, *(2.6 * np.diagonal(r))])
        else:
            flow = np.linalg.inv(r)
            drift, push, noise = -flow @ stiffness, flow @ [1.0, 0.5], 2.6 * flow
        decay, lag, spread = by_blocks(drift, push, noise, hold)
        mean, covariance = decay @ mean + lag, decay @ covariance @ decay.T + spread
    np.testing.assert_array_equal(device.network.friction, r)
    found = device.moments()
    mean, covariance = mean[:2], covariance[:2, :2]
    if replicas == INFINITE:
        np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
        np.testing.assert_allclose(found.covariance, covariance, rtol=1e-12)
    else:
        width = np.sqrt(np.diagonal(covariance))
        assert np.all(np.abs(found.mean - mean) < 5 * width / np.sqrt(replicas))
        scaled = (np.asarray(found.covariance) - covariance) / np.outer(width, width)
        assert np.abs(scaled).max() < 5 * np.sqrt(2 / replicas)
    assert device.ledger.imbalance() < 1e-12
    assert not device.ledger.work.any()


def test_friction_of_quartic_and_sparse_units():
    """Steps at another friction: the decay of a slow unit, 2 %, and the books."""
    scipy_sparse = pytest.importorskip("scipy.sparse")
    sparse = ktc.Network(scipy_sparse.eye_array(3, format="csr"), 1.0, kT=1e-6)
    quartic = ktc.Network(1.0, 1.0, kT=1e-6, quartic=1e-3)
    for network in (sparse, quartic):
        device = ktc.Emulator(network, 64, seed=1, state=np.ones(network.units))
        device.set(friction=4.0)
        device.run(4.0)
        np.testing.assert_allclose(device.moments().mean, np.exp(-1.0), rtol=0.02)
        assert device.ledger.imbalance() < 1e-10
        run = device.play(ktc.Protocol([1.0, 1.0], {"friction": [1.0, 2.0]}))
        np.testing.assert_allclose(device.moments().mean, np.exp(-2.5), rtol=0.02)
        assert abs(run.work.mean) == 0.0


def test_friction_is_fixed_on_boards_and_keeps_its_accounts():
    board = ktc.Board(2, 1e6, 1e-12, 300.0)
    with refused(ValueError, "friction is fixed", ".network"):
        board.emulator(replicas=10, seed=1).set(friction=1.0)
    device = ktc.Emulator(ktc.Network(np.eye(2), 1.0), 10, seed=1)
    with refused(ValueError, "friction must stay", "accounts"):
        device.set(friction=[[2.0, 0.1], [0.1, 2.0]])
    with refused(ValueError, "friction", "positive"):
        device.set(friction=-1.0)
    with refused(ValueError, "friction must stay"):
        device.play(ktc.Protocol([1.0], {"friction": [[[2.0, 0.1], [0.1, 2.0]]]}))
