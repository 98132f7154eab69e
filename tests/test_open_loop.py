"""Exact averages of protocols, drives by minimisation, and figures of merit.

References: moment equations of tests/reference_drive, replicas at 4.5σ, the closed forms of
Schmiedl and Seifert. Richardson's extrapolation from n and 2n ticks leaves the fourth order.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc import theory
from ktc.theory import Gaussian
from reference_drive import Reference, bias_drive
from refusal import refused
from replica_means import SIGMAS

R = np.array([[1.0, 0.3], [0.3, 2.5]])
K = np.array([[2.0, 0.7], [0.7, 1.0]])
NET = ktc.Network(K, R, 0.7, bias=[1.2, -0.8])


@pytest.mark.parametrize("inertia", [None, [0.3, 2.0]])
def test_expected_work_of_a_bias_drive(inertia):
    net = ktc.Network(K, R, 0.7, bias=[1.2, -0.8], inertia=inertia)
    drive = ktc.Protocol.ramp(1.3, 7, bias=([1.2, -0.8], [-1.0, 2.0]))
    found = theory.expected(net, drive)
    reference = Reference(K, R, 0.7, None if inertia is None else np.array(inertia))
    exact = bias_drive(
        reference, np.array([1.2, -0.8]), drive.holds, drive.controls["bias"], np.array([-1.0, 2.0])
    )
    assert found.excess_work == pytest.approx(exact.excess_work, rel=1e-10)
    np.testing.assert_allclose(found.mean, exact.mean[:2], rtol=1e-10)


@pytest.mark.parametrize("inertia", [None, [0.3, 2.0]])
def test_expected_work_against_replicas(inertia):
    """Bias and stiffness at once, scalars broadcast: work, mean and covariance at 4.5σ."""
    net = ktc.Network(K, 1.0, 0.7, bias=[1.2, -0.8], inertia=inertia)
    stiffness = np.linspace(K, 2 * K, 5)
    drive = ktc.Protocol(
        np.full(5, 0.2), {"bias": np.linspace(0, 2, 5), "stiffness": stiffness}, {"bias": 1.0}
    )
    found = theory.expected(net, drive)
    emulator = ktc.Emulator(net, replicas=20_000, seed=80)
    run = emulator.play(drive)
    assert abs(run.work.mean - found.work) < SIGMAS * run.work.stderr
    assert abs(run.excess_work.mean - found.excess_work) < SIGMAS * run.work.stderr
    error = np.sqrt(found.covariance.diagonal() / 20_000)
    assert (np.abs(emulator.moments().mean - found.mean) < SIGMAS * error).all()
    ratio = emulator.moments().covariance.diagonal() / found.covariance.diagonal()
    assert (np.abs(ratio - 1) < SIGMAS * np.sqrt(2 / 20_000)).all()


def test_expected_on_a_board():
    board = ktc.Board(1, 1e6, 1e-12, 300.0)
    drive = theory.optimal_drive(board, 1e-4, 1e-6, ticks=200)
    found = theory.expected(board, drive)
    bound = theory.least_excess_work(board, 1e-4, 1e-6)
    assert found.excess_work == pytest.approx(bound, rel=1e-4)
    assert found.covariance.item() == pytest.approx(1.380649e-23 * 300 / 1e-12, rel=1e-9)


def richardson(search):
    coarse, fine = search(4), search(8)
    assert coarse > fine
    return (4 * fine - coarse) / 3


def test_bias_drive_by_minimisation():
    """d = 2, K R ≠ R K, jumps found by the search: the bound of Schmiedl and Seifert to 1e-4."""
    final, duration = np.array([-1.0, 2.0]), 1.1

    def search(ticks):
        found = theory.optimized_drive(NET, {"bias": final}, duration, ticks)
        assert found.converged
        assert found.excess_work > theory.least_excess_work(NET, final, duration)
        return found.excess_work

    least = theory.least_excess_work(NET, final, duration)
    assert richardson(search) == pytest.approx(least, rel=1e-4)


def test_minimisation_finds_the_jumps():
    """One harmonic unit, μ = 5, T = 1: 5/3 at either end, straight between them, to O(1/n²)."""
    found = theory.optimized_drive(ktc.Network(1.0, 1.0), {"bias": 5.0}, 1.0, ticks=10)
    held = found.protocol.controls["bias"].ravel()
    times = (np.arange(10) + 0.5) / 10
    np.testing.assert_allclose(held, 5 / 3 * (1 + times), atol=0.02)
    assert found.protocol.final["bias"] == 5.0


@pytest.mark.parametrize("duration", [0.1, 1.0])
def test_stiffness_drive_by_minimisation(duration):
    unit = ktc.Network(1.0, 1.0)
    least = theory.least_stiffness_excess_work(unit, 2.0, duration)

    def search(ticks):
        return theory.optimized_drive(unit, {"stiffness": 2.0}, duration, ticks).excess_work

    assert richardson(search) == pytest.approx(least, rel=2e-4)


def test_full_control_reaches_the_bound_of_transport():
    """Bias and stiffness of two units that turn and squeeze: 𝒲²/T + kT KL to 1e-5."""
    after = ktc.Network([[1.0, -0.6], [-0.6, 3.0]], R, 0.7, bias=[1.0, -2.0])
    final = {"stiffness": after.stiffness, "bias": after.bias}

    def search(ticks):
        return theory.optimized_drive(NET, final, 0.3, ticks).excess_work

    bound = theory.wasserstein_bound(NET, after, 0.3)
    assert richardson(search) == pytest.approx(bound, rel=1e-5)


def test_a_control_that_waits_jumps_at_the_end():
    """Only the bias varies on the way to a new stiffness: dearer than both."""
    unit, final = ktc.Network(1.0, 1.0), {"bias": 2.0, "stiffness": 2.0}
    both = theory.optimized_drive(unit, final, 1.0, 4)
    one = theory.optimized_drive(unit, final, 1.0, 4, controls=("bias",))
    assert one.excess_work > both.excess_work
    np.testing.assert_array_equal(one.protocol.controls["stiffness"], np.ones((4, 1, 1)))
    assert one.protocol.final["stiffness"] == 2.0


def test_minimisation_with_inertia():
    """Bounded by the kicked optimum, and better than the straight ramp."""
    unit = ktc.Network(1.0, 0.5, inertia=0.2)
    found = theory.optimized_drive(unit, {"bias": 1.0}, 3.0, 12)
    assert found.excess_work > theory.least_excess_work(unit, 1.0, 3.0)
    ramp = theory.expected(unit, ktc.Protocol.ramp(3.0, 12, bias=(0.0, 1.0)))
    assert found.excess_work < ramp.excess_work


def test_what_cannot_be_optimised_is_refused():
    unit = ktc.Network(1.0, 1.0)
    with refused(ValueError, "controls must be one or both of"):
        theory.optimized_drive(unit, {"kT": 2.0}, 1.0, 4)
    with refused(ValueError, "controls must be one or both of"):
        theory.optimized_drive(unit, {}, 1.0, 4)
    with refused(ValueError, "quartic units"):
        theory.optimized_drive(ktc.Network(1.0, 1.0, quartic=1.0), {"bias": 1.0}, 1.0, 4)
    with refused(ValueError, "protocol must drive only bias and stiffness", "kT"):
        theory.expected(unit, ktc.Protocol([1.0], {"kT": [2.0]}))


def test_landauer():
    """The table's kT ln 2; k_B·300 K makes it 2.87e-21 J."""
    assert theory.landauer(1.0) == pytest.approx(0.693147, abs=5e-7)
    assert theory.landauer(1.380649e-23 * 300, bits=2) == pytest.approx(2 * 2.8711e-21, rel=1e-4)
    with refused(ValueError, "kT must be positive"):
        theory.landauer(0.0)


def test_divergence_is_what_a_state_dissipates():
    """kT KL is the excess work of a sudden update, ⟨H′ − H⟩ − ΔF."""
    after = ktc.Network(2 * K, R, 0.7, bias=[-1.0, 0.5])
    jump = ktc.Protocol([1e-12], {"stiffness": [2 * K], "bias": [[-1.0, 0.5]]})
    excess = theory.expected(NET, jump).excess_work
    found = theory.divergence(theory.equilibrium(NET), after)
    assert 0.7 * found == pytest.approx(excess, rel=1e-9)
    assert theory.divergence(theory.equilibrium(NET), NET) == pytest.approx(0, abs=1e-14)


def test_energy_delay_deficiency_of_drives():
    """The product is that of its parts, and that of the minimal drive in closed form."""
    unit = ktc.Network(1.0, 1.0)
    figures = {}
    drives = {
        "minimal": theory.optimal_drive(unit, 5.0, 2.0, 200),
        "ramp": ktc.Protocol.ramp(2.0, 200, bias=(0.0, 5.0)),
        "jump": ktc.Protocol([2.0], {"bias": [5.0]}),
    }
    for name, drive in drives.items():
        found = theory.expected(unit, drive)
        off = theory.deficiency(Gaussian(found.mean, found.covariance), found.network)
        figures[name] = theory.energy_delay_deficiency(found.excess_work, 2.0, off)
        assert figures[name] == pytest.approx(found.excess_work * 2.0 * off, rel=1e-12)
    # The constant speed ends 2τμ/(T + 2τ) short: KL = ½ 2.5², W = 6.25, T = 2.
    assert figures["minimal"] == pytest.approx(6.25 * 2 * 0.5 * 2.5**2, rel=1e-3)


def test_deficiency_by_transport():
    state = Gaussian(np.array([2.0, 0.0]), np.diag([4.0, 1.0]))
    net = ktc.Network(np.diag([1.0, 4.0]), 1.0)
    expected = np.sqrt(2.0**2 + (2 - 1) ** 2 + (1 - 0.5) ** 2 / 0.25)
    assert theory.deficiency(state, net, "wasserstein") == pytest.approx(expected)
    with refused(ValueError, "distance must be one of"):
        theory.deficiency(state, net, "euclidean")
    with refused(ValueError, "positive definite"):
        theory.divergence(Gaussian(np.zeros(2), np.diag([1.0, 0.0])), net)
    with refused(ValueError, "error must not be negative"):
        theory.energy_delay_deficiency(1.0, 1.0, -1.0)


def test_times():
    """½k m²e^{−2t/τ}/kT of a moved trap; the covariance's time average by brute force."""
    start, end = ktc.Network(2.0, 3.0, 0.5), ktc.Network(2.0, 3.0, 0.5, bias=4.0)
    expected = 0.75 * np.log(0.5 * 2 * 2.0**2 / 0.5 / 1e-3)
    assert theory.time_to_equilibrium(start, end, 1e-3) == pytest.approx(expected, rel=1e-9)
    assert theory.time_to_equilibrium(end, end, 1e-3) == 0.0
    assert theory.time_to_accuracy(start, 0.1) == pytest.approx(2 * 1.5 / 0.01)
    # 400 replicas over T = 100τ: the rms error of a time average is √(2τ/T), to 4.5 of its own.
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=400, seed=81)
    run = emulator.play(ktc.Protocol(np.full(1000, 0.1), {"bias": np.zeros(1000)}), record="state")
    averages = np.mean(run.series["state"][:, :, 0] ** 2, axis=0)
    error = np.sqrt(np.mean((averages - 1) ** 2))
    assert error == pytest.approx(np.sqrt(2 / 100), rel=SIGMAS / np.sqrt(2 * 400) + 0.02)
