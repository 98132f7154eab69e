"""Closed forms of the literature on the infinite ensemble, to 1e-9 as the tick goes to zero.

Errors of sampled and held drives are even in the tick, so Richardson's extrapolation of a few tick
counts leaves no more than rounding. There is no sampling noise and no seed but of the networks.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from infinite import UNIT, exact, random_network
from ktc import theory
from ktc.schedules import Constant, ContinuousMinimalDissipation, MinimalDissipation
from refusal import refused


def extrapolated(values, order=2):
    """Limit of a sequence at ticks n, 2n, 4n, … whose error is even in the tick (Richardson)."""
    values, power = list(values), order
    while len(values) > 1:
        factor = 2.0**power
        values = [
            (factor * fine - coarse) / (factor - 1)
            for coarse, fine in zip(values, values[1:], strict=False)
        ]
        power += 2 if order == 2 else 1
    return values[0]


@pytest.mark.parametrize("duration", [0.5, 1.0, 2.0, 5.0, 20.0])
def test_centre_learned_at_least_dissipation(duration):
    """γμ²/(T + 2τ) (Schmiedl, Seifert 2007), μ = 5; λ(T) = μ; Var W = 2 kT W_ex at every tick."""
    values, reached = [], []
    for ticks in 32 * 2 ** np.arange(5):
        fit = ktc.learn(
            UNIT, 5.0, MinimalDissipation(duration), ticks=int(ticks), replicas=math.inf
        )
        assert fit.excess_work.variance == pytest.approx(2 * fit.excess_work.mean, rel=1e-12)
        assert fit.work.stderr == fit.heat.stderr == 0
        assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, abs=1e-12)
        values.append(fit.excess_work.mean)
        reached.append(fit.parameters["bias"][0])
    assert extrapolated(values) == pytest.approx(25 / (duration + 2), abs=1e-9)
    assert extrapolated(reached) == pytest.approx(5, abs=1e-9)


def test_continuous_scheme():
    """γμ²(T + τ/2)/(T + τ)² with the starting displacement paid: 9.375 for μ = 5, T = 1."""
    values = [
        ktc.learn(
            UNIT, 5.0, ContinuousMinimalDissipation(1.0, 5.0), ticks=n, replicas=math.inf
        ).excess_work.mean
        for n in (16, 32, 64, 128, 256, 512)
    ]
    assert extrapolated(values) == pytest.approx(9.375, abs=1e-9)


def test_constant_rate():
    """½ η k γ [μ² − (μ − m_f)²], m_f the final mean: a rule in the run's own end."""
    eta, values = 0.8, []
    for ticks in (32, 64, 128, 256, 512):
        fit = ktc.learn(UNIT, 5.0, Constant(2.0, eta), ticks=ticks, replicas=math.inf)
        end = fit.device.moments().mean[0]
        values.append(fit.excess_work.mean - 0.5 * eta * (25 - (5 - end) ** 2))
    assert extrapolated(values) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("parameter", ["bias", "center"])
def test_matrix_rate_on_a_coupled_network(parameter):
    """μᵀR(T + 2K⁻¹R)⁻¹μ, K and R that do not commute, and the mean on a straight line.

    Natural gradient: whatever the anisotropy, the mean goes straight to the data at constant
    speed. That is the limit of short ticks, so the deviation is extrapolated, too.
    """
    network = random_network(4, 5, kT=0.7)
    centre = np.linalg.solve(network.stiffness, network.bias)
    goal = centre + np.array([3.0, -2.0, 0.5, 1.0])
    lag = np.linalg.solve(network.stiffness, network.friction)
    speed = np.linalg.solve(1.5 * np.eye(4) + 2 * lag, goal - centre)
    bound = speed @ network.friction @ (goal - centre)
    excesses, deviations = [], []
    for ticks in (32, 64, 128, 256, 512):
        fit = ktc.learn(
            network,
            goal[None],
            MinimalDissipation(1.5),
            parameters=(parameter,),
            ticks=ticks,
            replicas=math.inf,
        )
        excesses.append(fit.excess_work.mean)
        at = fit.history.time[:, None] * speed + centre
        deviations.append((fit.history.mean - at)[:: ticks // 8])
        assert np.abs(deviations[-1]).max() < 20 / ticks**2
    assert extrapolated(excesses) == pytest.approx(bound, abs=1e-9)
    assert np.abs(extrapolated(deviations)).max() < 1e-9
    assert fit.bound == pytest.approx(excesses[-1], rel=1e-3)


@pytest.mark.parametrize(("duration", "work"), [(0.1, 0.478289), (1.0, 0.402918), (10.0, 0.354741)])
def test_least_work_of_stiffening(duration, work):
    """Stiffness 1 → 2 (Schmiedl, Seifert 2007): the drive of least work, and its table."""
    values = []
    for ticks in (64, 128, 256, 512, 1024):
        drive = theory.optimal_stiffness_drive(UNIT, 2.0, duration, ticks)
        values.append(exact(UNIT).play(drive).work.mean)
    least = theory.least_stiffness_excess_work(UNIT, 2.0, duration) + 0.5 * np.log(2)
    assert extrapolated(values) == pytest.approx(least, abs=1e-9)
    assert least == pytest.approx(work, abs=1e-6)


def test_kicked_underdamped_trap():
    """kλ²/(2 + Qω₀t_f) with impulses at both ends (Gomez-Marin, Schmiedl, Seifert 2008).

    Impulses take a whole tick, so that the error is a series in the tick and not in its square.
    """
    k, mass, friction, duration = 2.0, 1.5, 0.8, 3.0
    network = ktc.Network(stiffness=k, friction=friction, inertia=mass)
    values = [
        exact(network)
        .play(theory.optimal_drive(network, 4.0 * k, duration, ticks))
        .excess_work.mean
        for ticks in 64 * 2 ** np.arange(7)
    ]
    # Q ω₀ of the reference is k/γ, the inverse of the trap's own relaxation time.
    assert extrapolated(values, order=1) == pytest.approx(
        k * 16 / (2 + k / friction * duration), abs=1e-8
    )


def test_entropy_beyond_all_numbers_is_refused():
    """Heat over kT of 1e-21 J overflows where the heat does not; nothing has moved."""
    netlist = "R1 a 0 1k kelvin=300\nC1 a 0 1n\nR2 a 0 1k kelvin=400"
    emulator = ktc.Emulator(ktc.Circuit.from_netlist(netlist).compile(), replicas=math.inf)
    with refused(ValueError, "duration is 1.7e+308", "entropy flow"):
        emulator.run(1.7e308)
    assert emulator.time == 0.0
    assert emulator.ledger.heat[0] == 0.0
