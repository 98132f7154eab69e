"""Heat told apart by resistor: mean, order in the step, distribution, and what cannot be told.

References are moment equations and the exact moments of the documented sub-steps; "4σ" is a false
alarm of 6.3e-5 a comparison, and all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import ktc
from ensembles import near
from ktc._model.elements import Resistor as Element
from reference import random_spd
from reference_motion import Circuit, Resistor, order_of
from refusal import refused

K = np.array([[1.0, 0.9], [0.9, 1.0]])
DISPLACED, HOLD = np.array([5.0, 0.0]), 2.0
NOTHING = np.zeros((2, 2))


def pair(kT=1.0):
    """Two coupled units at one temperature, R = 1."""
    return Circuit(K, [Resistor(np.eye(2)[i], 1.0, kT) for i in range(2)])


def heats(replicas, dt, seed=51, kT=1.0, state=DISPLACED):
    emulator = ktc.Emulator(
        ktc.Network(K, 1.0, kT=kT),
        replicas=replicas,
        seed=seed,
        dt=dt,
        resolve_heat=True,
        state=state,
    )
    emulator.run(HOLD)
    assert emulator.ledger.imbalance() < 1e-12
    return emulator.ledger.heat_per_resistor


def test_displacement_heats_two_resistors_unequally():
    """7.20 and 4.87 beyond the thermal part, and that part by itself from x₀ = 0, 4σ.

    Moment equations give both; heat beyond the thermal part does not depend on kT. At dt = 0.02
    the scheme's own bias is 9e-4 (``test_mean_heat_is_second_order``), allowed for.
    """
    full = pair().evolve(DISPLACED, NOTHING, HOLD).heat
    thermal = pair().evolve(np.zeros(2), NOTHING, HOLD).heat
    assert full - thermal == pytest.approx([7.20, 4.87], abs=5e-3)
    cold = pair(kT=0.01).evolve(DISPLACED, NOTHING, HOLD).heat
    cold_thermal = pair(kT=0.01).evolve(np.zeros(2), NOTHING, HOLD).heat
    assert cold - cold_thermal == pytest.approx(full - thermal, rel=1e-9)
    assert near(heats(40_000, 0.02), full, bias=9e-4)
    assert near(heats(40_000, 0.02, state=np.zeros(2)), thermal, bias=9e-4)
    # Nearly without noise the same numbers to four digits.
    assert near(heats(2000, 0.02, kT=1e-6), full - thermal, bias=9e-4)


def test_the_midpoint_rule_would_be_wrong():
    """d·∇H at the midpoint of the hold times the displacement: 7.69 and 4.38, not the heat."""
    decay = scipy.linalg.expm(-K * HOLD)
    moved = decay @ DISPLACED
    midpoint = K @ (DISPLACED + moved) / 2 * (DISPLACED - moved)
    assert midpoint == pytest.approx([7.69, 4.38], abs=5e-3)
    assert np.abs(heats(2000, 0.02, kT=1e-6).mean(axis=0) - midpoint).min() > 0.4


def test_mean_heat_is_second_order():
    """Slope 2 ± 0.05 of the error over dt = 2/5 … 2/80, by the exact moments of the sub-steps.

    And the engine has just these moments: at dt = 0.4, where the error is 0.34, within 4σ.
    """
    exact = pair().evolve(DISPLACED, NOTHING, HOLD).heat
    counts = [5, 10, 20, 40, 80]
    errors = [pair().split(DISPLACED, NOTHING, HOLD / n, n).heat - exact for n in counts]
    for error in np.array(errors).T:
        assert order_of([HOLD / n for n in counts], error) == pytest.approx(2, abs=0.05)
    assert np.all(np.abs(errors[0]) > 0.3)
    assert np.all(np.abs(errors[-1]) < 2.3 * (HOLD / 80) ** 2)
    assert near(heats(100_000, 0.4), exact + errors[0])


def test_slope_measured_on_the_engine():
    """The same error measured at kT = 1e-6, where noise is 1e-3 of it: slope 2 ± 0.05."""
    exact = pair(1e-6).evolve(DISPLACED, NOTHING, HOLD).heat
    steps = [0.4, 0.2, 0.1, 0.05]
    errors = np.array([heats(4000, dt, kT=1e-6).mean(axis=0) - exact for dt in steps])
    for error in errors.T:
        assert order_of(steps, error) == pytest.approx(2, abs=0.05)


def test_distribution_of_heat():
    """⟨e^{−s·Q}⟩ of both heats at small kT s, against the tilted moment equations, 4σ.

    For u(z, t) = ⟨e^{−s·Q}⟩ from z, the ansatz u = exp(−½ zᵀSz + c) turns the backward equation of
    Stratonovich heat, dQ_r = −d_r·∇H ∘ dξ_r, into a Riccati equation for S and one for c; they are
    integrated here. At equal s the total −ΔH comes out of the Gaussian closed form besides.
    """
    kT, s = 1.0, np.array([0.12, -0.08])
    units = np.eye(2)

    def equations(_, packed):
        S = packed[:4].reshape(2, 2)
        rate_s, rate_c = np.zeros((2, 2)), 0.0
        for r in range(2):
            # Generator of resistor r acting alone: −g f ∂ + g kT ∂∂, f = d·Kz, tilted by
            # e^{−s dQ} with dQ = −f∘dξ: every ∂ becomes ∂ + s f.
            d, f = units[r], K @ units[r]
            tilt = s[r] * f - S @ d  # (∂ + s f) u = (tilt·z) u
            rate_s += -2 * kT * np.outer(tilt, tilt) + np.outer(f, tilt) + np.outer(tilt, f)
            rate_c += kT * float(d @ tilt)
        return np.concatenate([(0.5 * (rate_s + rate_s.T)).ravel(), [rate_c]])

    end = scipy.integrate.solve_ivp(equations, (0, HOLD), np.zeros(5), rtol=1e-10, atol=1e-12).y[
        :, -1
    ]
    S, c = end[:4].reshape(2, 2), end[4]
    start = np.array([1.5, 0.5])
    expected = np.exp(-0.5 * start @ S @ start + c)
    weights = np.exp(-heats(100_000, 0.02, state=start) @ s)
    scatter = weights.std(ddof=1) / np.sqrt(len(weights))
    assert scatter < 3e-3 * expected
    assert abs(weights.mean() - expected) < 4 * scatter + 1e-3 * expected


def test_columns_are_heats_of_resistors_that_share_nothing():
    """Three heats of a dense K sum to the total; a lone resistor's column is all of it."""
    rng = np.random.default_rng(5)
    network = ktc.Network(random_spd(rng, 3), [1.0, 2.0, 0.5], kT=0.7, bias=[1.0, 0.0, -1.0])
    emulator = ktc.Emulator(network, replicas=100, seed=52, resolve_heat=True, state=1.0)
    emulator.run(1.0)
    books = emulator.ledger
    assert books.heat_per_resistor.shape == (100, 3)
    assert books.accounts == ("0", "1", "2")
    assert books.heat_per_resistor.sum(axis=1) == pytest.approx(books.heat, rel=1e-12, abs=1e-12)
    dense = ktc.Network(np.eye(2), [[1.0, 0.3], [0.3, 1.0]])
    alone = ktc.Emulator(dense, replicas=100, seed=53, resolve_heat=True, state=1.0)
    alone.run(1.0)
    assert dense.accounts == ("all",)
    assert np.array_equal(alone.ledger.heat_per_resistor[:, 0], alone.ledger.heat)


def test_resistors_of_one_account_share_it():
    """Two resistors under one name book on one column: R1 + R2, as in series without a capacitor.

    Mean heats from moment equations, 4σ; the step's bias is below 1e-3.
    """
    directions, g = [[1.0, 0.0], [1.0, -1.0], [0.0, 1.0]], [1.0, 0.5, 2.0]
    names = ["ends", "bridge", "ends"]
    network = ktc.Network.of_elements(
        K, [Element(d, c, name) for d, c, name in zip(directions, g, names)], kT=1.0
    )
    assert network.accounts == ("ends", "bridge")
    emulator = ktc.Emulator(
        network, replicas=40_000, seed=54, dt=0.02, resolve_heat=True, state=DISPLACED
    )
    emulator.run(HOLD)
    circuit = Circuit(K, [Resistor(d, c, 1.0) for d, c in zip(directions, g)])
    heat = circuit.evolve(DISPLACED, NOTHING, HOLD).heat
    assert near(emulator.ledger.heat_per_resistor, [heat[0] + heat[2], heat[1]], bias=1e-3)
    assert emulator.ledger.imbalance() < 1e-12


def test_run_tells_heat_by_name():
    """``Run.heat_per_resistor`` has an Estimate a name, and exact motion says why it has none."""
    network = ktc.Network(K, 1.0)
    drive = ktc.Protocol.ramp(duration=1.0, ticks=5, bias=(0.0, 1.0))
    run = ktc.Emulator(network, replicas=50, seed=55, resolve_heat=True).play(drive)
    assert list(run.heat_per_resistor) == ["0", "1"]
    total = sum(estimate.mean for estimate in run.heat_per_resistor.values())
    assert total == pytest.approx(run.heat.mean, rel=1e-12)
    exact = ktc.Emulator(network, replicas=50, seed=55)
    played = exact.play(drive)
    with refused(ValueError, "heat_per_resistor", "resolve_heat=True"):
        _ = played.heat_per_resistor
    with refused(ValueError, "heat_per_resistor", "resolve_heat=True"):
        _ = exact.ledger.heat_per_resistor
