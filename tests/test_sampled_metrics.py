"""F and ζ measured on replicas, against closed forms and quadrature.

Every entry is compared at 4.5 of its own standard errors, a false alarm of 7e-6 each, 150 in all;
truncation and the integrator's step add a stated allowance. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc import theory
from reference_quartic import Units
from refusal import refused, refused_unchanged
from replica_means import SIGMAS

NETS = {
    "Gaussian": (
        ktc.Network([[2.0, 0.7], [0.7, 1.0]], 1.3, 0.7, bias=[1.2, -0.8]),
        ("bias", "stiffness"),
    ),
    "with inertia": (
        ktc.Network([[2.0, 0.7], [0.7, 1.0]], 1.3, 0.7, bias=[0.2, -0.4], inertia=[1.0, 2.0]),
        ("bias", "stiffness"),
    ),
    "the quartic table": (
        ktc.Network(0.2, 1.0, 1.0, bias=6.0, quartic=1.0),
        ("bias", "diagonal", "quartic"),
    ),
    "double well": (
        ktc.Network(-1.5, 1.0, 0.5, bias=0.1, quartic=1.0),
        ("bias", "diagonal"),
    ),
}


def near(found, exact, allowance):
    return np.abs(found.raw - exact) <= SIGMAS * found.stderr + allowance * np.abs(exact).max()


@pytest.mark.parametrize(("net", "names"), NETS.values(), ids=NETS.keys())
def test_both_metrics_of_one_run(net, names):
    """Six correlation times leave 0.3 % out, three times as much where modes differ."""
    fisher, friction = theory.metric_estimates(net, names, replicas=3000, seed=60)
    assert near(fisher, theory.fisher_matrix(net, names), 2e-3).all()
    exact = theory.friction_tensor(net, names)
    assert near(friction, exact, 0.01).all()
    # Error bars are of a useful size: four windows of 3,000 replicas know ζ to some percent.
    assert (friction.stderr.diagonal() < 0.12 * exact.diagonal()).all()
    assert friction.time == pytest.approx(fisher.time)
    np.testing.assert_array_equal(friction.raw, friction.raw.T)


def test_fisher_estimate_of_a_draw():
    net, names = NETS["Gaussian"]
    found = theory.fisher_estimate(net, names, replicas=20_000, seed=61)
    assert near(found, theory.fisher_matrix(net, names), 0.0).all()
    assert found.time == 0.0
    assert found.condition == pytest.approx(
        np.linalg.cond(found.mean / np.sqrt(np.outer(*[found.mean.diagonal()] * 2)))
    )


def test_fisher_estimate_of_coupled_quartic_units():
    """Against sums over a grid: couplings and biases of two units in double wells."""
    units = Units([[-1.0, 0.8], [0.8, -1.5]], [1.0, 1.5], [0.2, -0.1], 0.5)
    net = ktc.Network(units.stiffness, 1.0, units.kT, bias=units.bias, quartic=units.quartic)
    names = ("bias", "couplings", "quartic")
    points, weights = units.on_grid(4.0, 300)
    forces = np.column_stack([-points, points[:, 0] * points[:, 1], 0.25 * points**4])
    forces = forces - weights @ forces
    exact = (forces * weights[:, None]).T @ forces / units.kT
    found = theory.fisher_estimate(net, names, replicas=20_000, seed=62)
    assert near(found, exact, 0.0).all()


def test_error_bars_are_the_scatter_of_repetitions():
    """40 repetitions of a fast unit: their χ²/39 within 0.32 and 2.2 but for 1e-4 each."""
    unit = ktc.Network(1.0, 1.0, bias=0.5)
    runs = [
        theory.metric_estimates(unit, ("bias", "diagonal"), replicas=200, seed=seed, windows=2)
        for seed in range(70, 110)
    ]
    for which in (0, 1):
        scatter = np.var([run[which].raw for run in runs], axis=0, ddof=1)
        predicted = np.mean([run[which].stderr ** 2 for run in runs], axis=0)
        assert ((scatter / predicted > 0.32) & (scatter / predicted < 2.2)).all()


def test_a_running_emulator_pays_for_its_calibration():
    """Measured where it stands: time passes, controls stay, and the books go on."""
    net, _ = NETS["Gaussian"]
    emulator = ktc.Emulator(net, replicas=500, seed=63)
    emulator.set(bias=[0.3, 0.3])
    emulator.equilibrate()
    before = emulator.controls
    found = theory.friction_estimate(emulator, "bias")
    assert emulator.time == pytest.approx(found.time)
    assert emulator.controls == before
    assert np.any(emulator.ledger.heat != 0)
    assert found.replicas == 500
    exact = theory.friction_tensor(net)
    assert near(found, exact, 0.01).all()


def test_shrinkage_keeps_few_replicas_well_conditioned():
    """55 parameters on 30 replicas: raw is singular, shrunken is not, and the diagonal stays."""
    net = ktc.Network(np.eye(10) + 0.1, 1.0)
    exact = theory.fisher_matrix(net, "stiffness")
    found = theory.fisher_estimate(net, "stiffness", replicas=30, seed=64)
    assert found.least_eigenvalue < 1e-12
    assert found.condition < 1e3
    assert 0 < found.shrinkage <= 1
    np.testing.assert_allclose(found.mean.diagonal(), found.raw.diagonal(), rtol=1e-14)
    assert np.linalg.norm(found.mean - exact) < np.linalg.norm(found.raw - exact)
    raw = theory.fisher_estimate(net, "stiffness", replicas=30, seed=64, shrinkage=None)
    np.testing.assert_array_equal(raw.mean, raw.raw)
    half = theory.fisher_estimate(net, "stiffness", replicas=30, seed=64, shrinkage=0.5)
    np.testing.assert_allclose(half.mean[0, 1], 0.5 * raw.mean[0, 1])
    assert "shrinkage 0.5" in repr(half)


def test_shrinkage_does_not_depend_on_units():
    """Parameters in other units: entries scale, intensity and condition stay."""
    one = ktc.Network([[1.0, 0.4], [0.4, 2.0]], 1.0)
    other = ktc.Network([[1e12, 4e11], [4e11, 2e12]], 1e6, kT=4e-21)
    first, second = (
        theory.fisher_estimate(net, ("bias", "stiffness"), replicas=300, seed=65)
        for net in (one, other)
    )
    assert second.shrinkage == pytest.approx(first.shrinkage, rel=1e-6)
    assert second.condition == pytest.approx(first.condition, rel=1e-6)


def test_metrics_on_a_board():
    """States in volts, forces in the network's own units: K⁻¹RK⁻¹, farads and ohms."""
    board = ktc.Board(2, 1e6, [1e-12, 2e-12], 300.0)
    fisher, friction = theory.metric_estimates(board, "bias", replicas=2000, seed=66)
    assert near(fisher, theory.fisher_matrix(board), 0.0).all()
    assert near(friction, theory.friction_tensor(board), 0.01).all()


def test_refused():
    unit = ktc.Network(1.0, 1.0)
    with refused(ValueError, "outlast a window of 0.5", "longest"):
        theory.friction_estimate(unit, replicas=100, seed=1, longest=0.5)
    with refused(ValueError, "longest must be at least one interval of 0.1, but is 0.05"):
        theory.friction_estimate(unit, replicas=100, seed=1, interval=0.1, longest=0.05)
    with refused(ValueError, "replicas must be at least 20"):
        theory.friction_estimate(unit, replicas=10, seed=1)
    for bad in (1.5, "none", [0.1]):
        with refused(ValueError, "shrinkage must be 'optimal', None, or a number from 0 to 1"):
            theory.fisher_estimate(unit, replicas=10, seed=1, shrinkage=bad)
    with refused(ValueError, "one temperature"):
        theory.fisher_estimate(ktc.Network(np.eye(2), 1.0, kT=[1.0, 2.0]))
    emulator = ktc.Emulator(unit, replicas=50, seed=1)
    with refused_unchanged(emulator, ValueError, "seed must be left out for a running device"):
        theory.fisher_estimate(emulator, seed=3)
    stuck = ktc.Emulator(unit, replicas=50, seed=1, state=1.0)
    with refused(ValueError, "not positive", "more replicas"):
        theory.fisher_estimate(stuck)


def test_fast_and_slow_parameters_have_windows_of_their_own():
    """Rates 40 times apart: ζ of the fast unit is as well known as that of the slow one."""
    net = ktc.Network(np.diag([1.0, 40.0]), 1.0)
    found = theory.friction_estimate(net, ("bias", "diagonal"), replicas=2000, seed=67)
    exact = theory.friction_tensor(net, ("bias", "diagonal"))
    root = np.sqrt(np.outer(*[exact.diagonal()] * 2))
    assert (np.abs(found.raw - exact) <= SIGMAS * found.stderr + 0.01 * root).all()
    relative = found.stderr.diagonal() / exact.diagonal()
    assert (relative < 0.06).all()
    assert relative.max() < 2 * relative.min()


def test_held_controls_take_the_place_of_an_interval():
    """One unit, h = 3τ: F (h/2) coth(h/2τ) within 5 standard errors, a false alarm of 6e-7."""
    unit = ktc.Network(1.0, 1.0)
    _, held = theory.metric_estimates(unit, replicas=4000, seed=60, hold=3.0)
    assert abs(held.mean.item() - 1.5 / np.tanh(1.5)) < 5 * held.stderr.item()
    with pytest.raises(ValueError, match="interval must be left out with hold = 3"):
        theory.metric_estimates(unit, replicas=100, hold=3.0, interval=0.1)
    with pytest.raises(ValueError, match="hold must be"):
        theory.metric_estimates(unit, replicas=100, hold=0.0)
