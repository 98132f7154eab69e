"""One overdamped double well, V = ½kx² − bx + ¼κx⁴ with k < 0: density, wells, escape, order.

References are quadratures, the Fokker–Planck equation in sinc functions, and the operator of one
documented step on a grid: no random numbers. "4σ" is a false alarm of 6.3e-5 a comparison, a χ²
test raises one with probability 1e-5; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from ensembles import surprise
from ktc import Emulator, Network
from reference_motion import order_of
from reference_quartic import Unit

# Steps so long that their bias is seen.
pytestmark = pytest.mark.filterwarnings("ignore:dt = :RuntimeWarning")

#: Barriers in kT, tilts in kT between the wells.
WELLS = {
    "3 kT": Unit(-2.0, 1.0, kT=1 / 3, friction=1.0),
    "5 kT, tilted": Unit(-2.0, 1.0, bias=0.05, kT=0.2, friction=0.7),
    "7 kT": Unit(-1.5, 0.4, kT=1.5**2 / 1.6 / 7, friction=2.0),
}
every_well = pytest.mark.parametrize("unit", WELLS.values(), ids=WELLS.keys())
#: In units of R/|k|: the fastest time of a well is half of it.
STEPS = (0.4, 0.2, 0.1)


def network(unit, **options):
    return Network(
        unit.stiffness,
        unit.friction,
        kT=unit.kT,
        bias=unit.bias,
        quartic=unit.quartic,
        **options,
    )


def emulator(unit, replicas, seed, **options):
    """Heat resolved: by the splitting integrator. test_midpoint.py has the steps without that."""
    return Emulator(network(unit), replicas, seed=seed, resolve_heat=True, **options)


@every_well
def test_stationary_density_at_three_steps(unit):
    """Long motion at each of three steps keeps the quadrature's density, but for its own bias.

    From equilibrium through 4 R/|k|: samples against the step's operator (χ²), and the operator
    against quadrature: the bias of ⟨x²⟩ and ⟨x⁴⟩ is below half of (dt |k|/R)² and second order,
    slope 2 ± 0.1.
    """
    x, biases = None, []
    for dt in np.array(STEPS) * unit.friction / abs(unit.stiffness):
        device = emulator(unit, 40_000, seed=41, dt=dt)
        steps = round(4 * unit.friction / abs(unit.stiffness) / dt)
        device.run(steps * dt)
        assert device.ledger.imbalance() < 1e-12
        x, operator = unit.step_operator(dt)
        weights = np.exp(-(unit.energy(x) - unit.energy(x).min()) / unit.kT)
        weights /= weights.sum()
        for _ in range(steps):
            weights = operator @ weights
        assert surprise(device.read()[:, 0], x, weights) > 1e-5
        x, rest = unit.stationary_of_step(dt)
        biases.append([rest @ x**n / unit.average(lambda y, n=n: y**n) - 1 for n in (2, 4)])
    for bias in np.array(biases).T:
        assert np.all(np.abs(bias) < 0.5 * np.array(STEPS) ** 2)
        assert order_of(STEPS, bias) == pytest.approx(2, abs=0.1)


@every_well
@pytest.mark.parametrize("resolve_heat", [False, True])
def test_stationary_density_at_the_default_step(unit, resolve_heat):
    """At the step that is chosen by default the bias drowns: χ² against quadrature itself."""
    device = Emulator(network(unit), 40_000, seed=42, resolve_heat=resolve_heat)
    device.run(4 * unit.friction / abs(unit.stiffness))
    x = np.linspace(-unit.reach(), unit.reach(), 3001)
    weights = np.exp(-(unit.energy(x) - unit.energy(x).min()) / unit.kT)
    assert surprise(device.read()[:, 0], x, weights / weights.sum()) > 1e-5


@pytest.mark.parametrize("barrier", [1.0, 5.0, 30.0, 1e3, 1e6])
@pytest.mark.parametrize("tilt", [0.0, 1.5])
def test_wells_are_filled_in_proportion_from_the_start(barrier, tilt):
    """The right well's share and the density at the start against quadrature, 4σ and χ²."""
    kT = 0.25 / barrier
    unit = Unit(-1.0, 1.0, bias=0.5 * tilt * kT, kT=kT)
    samples = emulator(unit, 50_000, seed=43).read()[:, 0]
    x, weights = unit.nodes()
    if barrier > 100:
        # Two wells far apart, each a normal but for terms of order kT/barrier.
        share = 1 / (1 + np.exp(-tilt))
        wells = np.where(samples > 0, samples - 1, samples + 1) / np.sqrt(0.5 * kT)
        assert scipy.stats.kstest(wells - wells.mean(), "norm").pvalue > 1e-5
    else:
        share = weights[x > 0].sum()
        grid = np.linspace(-unit.reach(), unit.reach(), 3001)
        density = np.exp(-(unit.energy(grid) - unit.energy(grid).min()) / kT)
        assert surprise(samples, grid, density / density.sum()) > 1e-5
    scatter = np.sqrt(share * (1 - share) / len(samples))
    assert abs(np.mean(samples > 0) - share) < 4 * scatter + 2 * kT


@pytest.mark.parametrize(
    ("barrier", "duration", "excess"), [(5.0, 50.0, 0.013), (7.0, 200.0, 3e-3)]
)
def test_escape_rate(barrier, duration, excess):
    """The rate at which a well empties, against the mean first passage time by quadrature.

    From the left minimum, ⟨φ₁(x_t)⟩ = φ₁(x_0) e^{−λ₁t} exactly, φ₁ the slowest mode of the
    Fokker–Planck equation, and λ₁ → 2/τ as the barrier rises (Kramers 1940; they differ by
    ``excess`` here). Measured λ₁ at 4σ; the step 0.1 shifts it by less than 1.2 %.
    """
    unit = Unit(-2.0, 1.0, kT=1 / barrier)
    x, rates, vectors, root = unit.modes()
    left, right = -np.sqrt(2), np.sqrt(2)
    passage = 2 / unit.passage_time(left, right)
    assert abs(rates[1] / passage - 1) < excess
    device = emulator(unit, 30_000, seed=44, dt=0.1, state=left)
    device.run(duration)
    mode = vectors[:, 1] / root
    slowest = np.interp(device.read()[:, 0], x, mode) / np.interp(left, x, mode)
    scatter = slowest.std(ddof=1) / np.sqrt(len(slowest)) / slowest.mean() / duration
    measured = -np.log(slowest.mean()) / duration
    assert scatter < 0.03 * measured
    assert abs(measured - rates[1]) < 4 * scatter + 0.012 * rates[1]
    assert abs(measured - passage) < 4 * scatter + (0.012 + excess) * passage


@every_well
def test_weak_order_of_averages(unit):
    """⟨x⟩, ⟨x²⟩, ⟨x⁴⟩ from a narrow normal after R/|k| by 4 … 32 steps: slope 2 ± 0.1 of the error.

    Deterministic: powers of the one-step operator against the Fokker–Planck equation.
    """
    start, duration = 0.7, unit.friction / abs(unit.stiffness)
    counts, errors = (4, 8, 16, 32), []
    x = unit.modes()[0]
    point = np.exp(-0.5 * ((x - start) / 0.1) ** 2)
    point /= point.sum()
    exact = unit.moved(point, duration)
    for count in counts:
        weights, (grid, operator) = point, unit.step_operator(duration / count, len(x))
        assert np.array_equal(grid, x)
        for _ in range(count):
            weights = operator @ weights
        errors.append([(weights - exact) @ x**n for n in (1, 2, 4)])
    for error in np.array(errors).T:
        assert order_of(1 / np.array(counts), error) == pytest.approx(2, abs=0.1)


@every_well
@pytest.mark.parametrize("steps", [1, 3])
def test_engine_takes_the_documented_steps(unit, steps):
    """One and three long steps from a point: samples against the operator's density, χ²."""
    dt, start = 0.5 * unit.friction / abs(unit.stiffness), 0.9
    device = emulator(unit, 40_000, seed=45, dt=dt, state=start)
    device.run(steps * dt)
    x = np.linspace(-unit.reach(), unit.reach(), 1200)
    half = unit.step_density(dt, x) * (x[1] - x[0])
    near = np.append(x, start)
    weights = unit.step_density(dt, near)[:-1, -1] * (x[1] - x[0])
    for _ in range(2 * steps - 1):
        weights = half @ weights
    assert weights.sum() == pytest.approx(1, abs=1e-3)
    assert surprise(device.read()[:, 0], x, weights / weights.sum()) > 1e-5
