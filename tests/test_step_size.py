"""The step that is chosen: as fast as the network is, at every setting that is played."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc._engines.step_size import Rates, default_step, fastest_rate
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
    assert emulator._frontend.engine.core.longest_step == pytest.approx(1 / 4000)
    assert emulator.ledger.imbalance() < 1e-12
    emulator.run(0.1)
    assert emulator._frontend.engine.core.longest_step == pytest.approx(0.1)


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
        bound = Rates(network).by_rows(network.controls)
        exact = fastest_rate(network, network.controls)
        assert exact <= bound * (1 + 1e-12)
        assert bound < 20 * exact


# --- A bias that changes every tick ---------------------------------------------------------------


def networks_of(d, seed):
    """Units of unlike resistances, alone and coupled, some of them not quartic, some wells."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(d, d))
    stiffness = factor @ factor.T / d + np.diag(rng.uniform(-1.0, 1.0, d) + 1.0)
    quartic = rng.uniform(0.1, 3.0, d) * (rng.random(d) < 0.8)
    quartic[0] = 1.0
    resistance, bias = 10 ** rng.uniform(-1, 1, d), rng.normal(size=d) * 10 ** rng.uniform(-2, 2)
    common = {"quartic": quartic, "bias": bias, "kT": rng.uniform(0.1, 2.0)}
    yield ktc.Network(stiffness, resistance, **common)
    yield ktc.Network(stiffness, resistance, inertia=10 ** rng.uniform(-1, 1, d), **common)


@pytest.mark.parametrize("d", [1, 2, 9])
def test_rates_bound_the_fastest_rate(d):
    """Never less; overdamped at most 1 + 2^¼ times, as λ_max(A + D) ≤ λ_max(A) + D and D itself
    is a curvature that some unit has (Weyl's inequality): here with wells, a little more."""
    for seed in range(40):
        overdamped, inertial = networks_of(d, seed)
        for network in (overdamped, inertial):
            bound = Rates(network)(network.controls)
            assert bound >= rate_of(network) * (1 - 1e-9)
        assert Rates(overdamped)(overdamped.controls) <= 2.3 * rate_of(overdamped)


@pytest.mark.parametrize("d", [1, 9])
def test_rates_are_the_fastest_rate_without_a_bias(d):
    for network in networks_of(d, 3):
        plain = network.with_controls(network.controls.updated(bias=0.0))
        assert Rates(plain)(plain.controls) == rate_of(plain)
    linear = ktc.Network([[2.0, 1.0], [1.0, 2.0]], 1.0, bias=5.0)
    assert Rates(linear)(linear.controls) == rate_of(linear)


@pytest.mark.parametrize("inertia", [None, 0.3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_bias_of_every_tick_needs_few_eigenvalue_problems(monkeypatch, inertia, dtype):
    """From 0.1 to 10 in 300 ticks, (b²)^⅓ grows by 10^(4/3): 18 quarters of a factor of two. Other
    controls make the problem a new one; their rates are forgotten."""
    solved = []
    eigenvalues = np.linalg.eigvals
    monkeypatch.setattr(np.linalg, "eigvals", lambda a: solved.append(a) or eigenvalues(a))
    stiffness = np.array([[1.0, 0.4], [0.4, -0.5]])
    network = ktc.Network(stiffness, [1.0, 2.0], inertia=inertia, quartic=1.0)
    emulator = ktc.Emulator(network, replicas=70, seed=5, dtype=dtype)
    there = np.geomspace(0.1, 10.0, 300)
    for size in (*there, *there[::-1]):
        emulator.set(bias=size * np.array([1.0, -0.5]))
        emulator.run(0.01)
    assert len(solved) <= 21
    assert emulator._frontend.engine.core.prepared <= 2 * 20
    emulator.set(stiffness=2 * stiffness)
    emulator.run(0.01)
    assert len(solved) <= 23


def test_a_bias_of_every_tick_leaves_the_density_as_it_is():
    """A slow ramp to b = 4, then rest: ⟨x⟩ and ⟨x²⟩ by quadrature at 4σ (two of 6.3e-5), beside the
    step's own error, below 1e-3 of the values."""
    unit = Unit(-1.0, 1.0, bias=4.0)
    emulator = ktc.Emulator(ktc.Network(-1.0, 1.0, quartic=1.0), replicas=40_000, seed=8)
    for bias in np.linspace(0.0, 4.0, 100):
        emulator.set(bias=np.array([bias]))
        emulator.run(0.02)
    emulator.run(3.0)
    x = emulator.read()[:, 0]
    for power in (1, 2):
        expected = unit.average(lambda x, power=power: x**power)
        error = np.std(x**power) / np.sqrt(len(x))
        assert abs(np.mean(x**power) - expected) < 4 * error + 1e-3 * expected
