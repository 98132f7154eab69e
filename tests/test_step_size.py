"""The step that is chosen: as fast as the network is, at every setting that is played."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc.step_size import default_step, fastest_rate, rate_bound
from reference_quartic import Unit


def rate_of(network):
    return fastest_rate(network, network.controls)


def test_linear_networks_have_their_fastest_rate():
    """Largest |eigenvalue| of the drift: k/R, √(k/M) where that is faster, and of LC circuits."""
    assert rate_of(ktc.Network(3.0, 2.0)) == pytest.approx(1.5, rel=1e-12)
    ringing = ktc.Network(4.0, 0.1, inertia=1.0)
    assert rate_of(ringing) == pytest.approx(2.0, rel=1e-12)
    coupled = ktc.Network([[2.0, 1.0], [1.0, 2.0]], 1.0)
    assert rate_of(coupled) == pytest.approx(3.0, rel=1e-12)
    assert default_step(coupled, [coupled.controls]) == pytest.approx(1 / 30, rel=1e-12)


@pytest.mark.parametrize(
    ("k", "b", "kappa", "kT"),
    [(1, 0, 1e-6, 1), (0, 0, 1, 1), (-2, 0, 1, 0.1), (-2, 0, 1, 1), (1, 50, 1, 1), (1, 0, 1, 100)],
)
def test_quartic_units_are_as_stiff_as_where_they_stay(k, b, kappa, kT):
    """Between the mean curvature ⟨V″⟩ by quadrature and five times that."""
    unit = Unit(float(k), kappa, bias=float(b), kT=kT)
    curvature = unit.average(lambda x: k + 3 * kappa * x**2)
    found = rate_of(ktc.Network(float(k), 1.0, kT=kT, bias=float(b), quartic=kappa))
    assert curvature < found * 1.0001
    assert found < 5 * curvature


def test_wells_that_couplings_make_are_seen():
    """K = [[½, −4], [−4, ½]], κ = 1: wells at x² = 3.5, curvature ½ + 3·3.5 ∓ 4; not by K_ii."""
    network = ktc.Network([[0.5, -4.0], [-4.0, 0.5]], 1.0, kT=0.01, quartic=1.0)
    at_well = np.array([[0.5 + 10.5, -4.0], [-4.0, 0.5 + 10.5]])
    fastest = np.linalg.eigvalsh(at_well)[-1]
    assert fastest < rate_of(network) < 1.3 * fastest


def test_convex_couplings_do_not_count_as_wells():
    """A positive definite K of many couplings is no well, however large their sum."""
    stiffness = np.full((20, 20), 0.9) + 0.1 * np.eye(20)
    soft = ktc.Network(stiffness, 1.0, kT=1e-6, quartic=1e-6)
    assert rate_of(soft) == pytest.approx(np.linalg.eigvalsh(stiffness)[-1], rel=1e-3)


def test_every_setting_of_a_protocol_counts():
    """A quench to 400 times the stiffness in one tick: the step there is of that tick, 1e-12 first
    law, and the mean after it relaxes as the exact emulator's does."""
    drive = ktc.Protocol([0.2, 0.01, 0.2], {"stiffness": [1.0, 400.0, 1.0]})
    network = ktc.Network(1.0, 1.0, bias=1.0)
    emulator = ktc.Emulator(network, replicas=10, seed=161, resolve_heat=True)
    emulator.play(drive)
    assert emulator._engine.longest_step == pytest.approx(1 / 4000)
    assert emulator.ledger.imbalance() < 1e-12
    emulator.run(0.1)
    assert emulator._engine.longest_step == pytest.approx(0.1)


def test_given_steps_cut_holds_evenly():
    """dt = 0.3 of a hold of 1: four steps of ¼; bits are those of dt = ¼ itself."""
    network = ktc.Network([[2.0, 1.0], [1.0, 2.0]], 1.0)
    states = []
    for dt in (0.3, 0.25):
        emulator = ktc.Emulator(network, replicas=16, seed=162, dt=dt, resolve_heat=True)
        emulator.run(1.0)
        states.append(emulator.read())
    assert np.array_equal(*states)


@pytest.mark.parametrize("bias", [0.0, 3.0, 50.0])
def test_the_quick_bound_is_one(bias):
    """No eigenvalue problem where rows already say that a step is short enough; never too early."""
    rng = np.random.default_rng(77)
    for d in (1, 2, 7):
        factor = rng.normal(size=(d, d))
        network = ktc.Network(
            factor @ factor.T - 0.5 * np.eye(d), rng.uniform(0.5, 2, d), quartic=1.0, bias=bias
        )
        bound = rate_bound(network, network.controls)
        exact = fastest_rate(network, network.controls)
        assert exact <= bound * (1 + 1e-12)
        assert bound < 20 * exact
