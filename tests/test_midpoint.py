"""All units at once: the steps, what they leave alone, their order, their books and their errors.

References are the documented step written again in NumPy with the same normals, densities of steps
on grids, quadratures, the Fokker–Planck equation and ordinary differential equations. "4σ" is a
false alarm of 6.3e-5 a comparison, "4.5σ" of 6.8e-6, a χ² test of 1e-5; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate

import ktc
import reference_noise
from ensembles import covariance_near, near, surprise
from ktc._model.elements import CurrentSource, Resistor
from reference import random_spd
from reference_midpoint import Density, Together, fokker_planck
from reference_motion import order_of
from reference_noise import HOLD
from reference_quartic import Unit, Units
from refusal import refused, refused_unchanged

# Steps so long that their bias is seen.
pytestmark = pytest.mark.filterwarnings("ignore:dt = :RuntimeWarning")

RNG = np.random.default_rng(5)
K3 = np.array([[-1.0, 0.4, 0.1], [0.4, 0.5, -0.3], [0.1, -0.3, 2.0]])
#: A double well coupled to a quartic unit, at different friction.
PAIR = Together([[-1.0, 0.6], [0.6, 0.5]], [1.0, 0.5], [0.2, -0.1], [1.0, 2.0], kT=0.5)
CASES = {
    "coupled": Together(K3, [1.0, 0.0, 0.3], [0.3, -0.2, 0.1], [1.0, 3.0, 0.5], kT=0.7),
    "alone": Together(np.diag([-1.0, 0.0, 2.0]), [1.0, 0.4, 0.0], [0.3, 0, 0.1], [1, 3, 0.5], 0.7),
    "more than a tile of noise": Together(
        random_spd(RNG, 35) - 0.1 * np.eye(35), 0.5, RNG.normal(size=35), 1.0, kT=0.4
    ),
}
WELLS = {"double well": Unit(-2.0, 1.0, 0.05, kT=1 / 3), "one well": Unit(1.0, 0.7, 0.3, kT=0.8)}
every_case = pytest.mark.parametrize("units", CASES.values(), ids=CASES.keys())
every_well = pytest.mark.parametrize("unit", WELLS.values(), ids=WELLS.keys())


def network(units):
    return ktc.Network(
        units.stiffness, units.friction, kT=units.kT, bias=units.bias, quartic=units.quartic
    )


def emulator(units, replicas, seed, **options):
    made = ktc.Emulator(network(units), replicas=replicas, seed=seed, **options)
    assert not made.resolve_heat
    return made


def alone(unit):
    return Together([[unit.stiffness]], unit.quartic, unit.bias, unit.friction, unit.kT)


def normals(seed, first, replicas, units, steps):
    """(steps, replicas, d) standard normals of the heat bath, by their addresses."""
    groups = range(first // 16, (first + replicas + 15) // 16)
    whole = np.array(
        [
            [
                np.concatenate([reference_noise.normals(seed, HOLD, g, i, s) for g in groups])
                for i in range(units)
            ]
            for s in steps
        ]
    )
    skipped = first - 16 * groups[0]
    return whole[:, :, skipped : skipped + replicas].transpose(0, 2, 1)


@every_case
def test_paths_are_the_documented_steps(units):
    """3 steps, and 67 more, with the normals of their addresses: to 1e-11.

    A step's element is the unit, and steps count from one: the first is for drawing a start. Halves
    of the quartic relaxation are joined within 32 steps of a hold, which only rounding can tell.
    """
    seed, first, replicas, dt = 31, 5, 40, 0.05
    d = len(units.bias)
    x = np.random.default_rng(6).normal(size=(replicas, d))
    device = emulator(units, replicas, seed, first_replica=first, dt=dt)
    device.write(x)
    for steps in (range(1, 4), range(4, 71)):
        device.run(len(steps) * dt)
        x = units.moved(x, dt, normals(seed, first, replicas, d, steps))
        assert device.read() == pytest.approx(x, abs=1e-11)


@pytest.mark.parametrize("dt", [0.01, 1.0, 100.0])
def test_gibbs_state_is_a_fixed_point_of_the_linear_step(dt):
    """A S Aᵀ + Q = S, A K⁻¹b + c = K⁻¹b for S = kT K⁻¹ at any step, to 1e-12 of its size."""
    stiffness = random_spd(np.random.default_rng(7), 4)
    units = Together(stiffness, 0.0, [1.0, 0.2, -1.0, 0.5], [0.3, 1.0, 2.0, 7.0], kT=0.6)
    matrix, push, noise = units.linear(dt)
    rest, covariance = np.linalg.solve(stiffness, units.bias), 0.6 * np.linalg.inv(stiffness)
    assert matrix @ covariance @ matrix.T + noise @ noise.T == pytest.approx(covariance, rel=1e-11)
    assert matrix @ rest + push == pytest.approx(rest, rel=1e-11)


def test_engine_keeps_the_gibbs_state_at_long_steps():
    """Without its quartic terms: K⁻¹b and kT K⁻¹ after 100 steps of 14 fastest times, 4.5σ.

    The step was chosen while the network was soft; with the stiff one no mode keeps more than
    |1 − y|/(1 + y) = 0.76 of itself a step, y = ½ dt λ, the bath's noise makes up for the rest.
    """
    soft = 0.05 * np.eye(3)
    stiff, bias = random_spd(np.random.default_rng(8), 3), np.array([1.0, -0.5, 2.0])
    stiff /= np.linalg.eigvalsh(stiff)[-1]
    device = ktc.Emulator(
        ktc.Network(soft, 1.0, kT=0.7, quartic=1e-8), replicas=30_000, seed=32, dt=14.0
    )
    device.set(quartic=0.0, stiffness=stiff, bias=bias)
    device.run(1400.0)
    assert device._frontend.engine.core.longest_step == 14.0
    x, rest = device.read(), np.linalg.solve(stiff, bias)
    assert near(x, rest, sigmas=4.5)
    assert covariance_near(x - rest, 0.7 * np.linalg.inv(stiff))


@every_well
def test_stationary_density_of_one_unit(unit):
    """From equilibrium through 4 R/|k| at four steps: samples against the density of steps, χ².

    That density has a bias in ⟨x²⟩, ⟨x⁴⟩ and ⟨H⟩ of second order, slope 2 ± 0.05 over the shorter
    three, and is what one step of the splitting integrator twice as long has.
    """
    units, reach, lengths, biases = alone(unit), 1.2 * unit.reach(), (0.2, 0.1, 0.05, 0.025), []
    exact = [unit.average(lambda x, n=n: x**n) for n in (2, 4)]
    exact.append(unit.average(unit.energy))
    for dt in np.array(lengths) / abs(unit.stiffness):
        steps = round(4 / abs(unit.stiffness) / dt)
        device = emulator(units, 40_000, seed=33, dt=dt)
        device.run(steps * dt)
        density = Density(units, dt, reach, 600)
        energy = units.energy(density.points)
        weights, operator = np.exp(-(energy - energy.min()) / unit.kT), density.operator()
        weights = density.started(density.points, weights / weights.sum())
        for _ in range(steps - 1):
            weights = operator @ weights
        # The density is known before the last half of the quartic relaxation, which is undone here.
        before = device.read()[:, 0]
        before = before / np.sqrt(1 - unit.quartic / unit.friction * dt * before**2)
        assert weights.sum() == pytest.approx(1, abs=1e-6)
        assert surprise(before, density.points[:, 0], weights / weights.sum()) > 1e-5
        rest = density.stationary()
        found = [density.average(lambda x, n=n: x[:, 0] ** n, rest) for n in (2, 4)]
        found.append(density.average(units.energy, rest))
        biases.append(np.array(found) - exact)
        x, twice = unit.stationary_of_step(2 * dt)
        assert twice @ x**2 == pytest.approx(found[0], rel=1e-3)
    for bias in np.array(biases).T:
        assert order_of(lengths[1:], bias[1:]) == pytest.approx(2, abs=0.05)


PRODUCTS = [
    lambda x: x[:, 0] ** 2,
    lambda x: x[:, 1] ** 2,
    lambda x: x[:, 0] * x[:, 1],
    lambda x: x[:, 1] ** 4,
    PAIR.energy,
]


def test_stationary_averages_of_two_coupled_units():
    """⟨x_i x_j⟩, ⟨x⁴⟩ and ⟨H⟩ of densities of steps on a grid, against quadrature and the engine.

    The bias has slope 2 ± 0.2 at short steps; samples after 40 steps of 0.1 from equilibrium have
    the density's averages at 4.5σ, and are seen not to have those of the quadrature.
    """
    points, weights = Units(PAIR.stiffness, PAIR.quartic, PAIR.bias, PAIR.kT).on_grid(4.0, 70)
    exact = np.array([weights @ function(points) for function in PRODUCTS])
    lengths, biases = (0.1, 0.06, 0.05), []
    for dt in lengths:
        density = Density(PAIR, dt, 3.3, 44)
        rest = density.stationary()
        found = np.array([density.average(function, rest) for function in PRODUCTS])
        biases.append(found - exact)
        if dt == 0.1:
            device = emulator(PAIR, 100_000, seed=34, dt=dt)
            device.run(40 * dt)
            x = device.read()
            columns = np.column_stack([function(x) for function in PRODUCTS])
            assert near(columns, found, sigmas=4.5)
            assert not near(columns, exact, sigmas=4.5)
    for bias in np.array(biases).T:
        assert order_of(lengths[1:], bias[1:]) == pytest.approx(2, abs=0.2)


def narrow(points, centre, width=0.3):
    weights = np.exp(-0.5 * ((points - centre) ** 2).sum(axis=1) / width**2)
    return weights / weights.sum()


@every_well
def test_weak_order_of_one_unit(unit):
    """⟨x⟩, ⟨x²⟩, ⟨x⁴⟩, ⟨H⟩ from a narrow normal after R/|k| in 8 … 32 steps: slope 2 ± 0.1.

    Deterministic: powers of the one-step density against the Fokker–Planck equation.
    """
    units, counts, errors = alone(unit), (8, 16, 32), []
    duration = unit.friction / abs(unit.stiffness)
    x = unit.modes()[0]
    start = narrow(x[:, None], 0.7)
    later = unit.moved(start, duration)
    functions = [lambda x: x[:, 0], lambda x: x[:, 0] ** 2, lambda x: x[:, 0] ** 4, units.energy]
    exact = np.array([later @ function(x[:, None]) for function in functions])
    for count in counts:
        density = Density(units, duration / count, 1.2 * unit.reach(), 600)
        weights, operator = density.started(x[:, None], start), density.operator()
        for _ in range(count - 1):
            weights = operator @ weights
        errors.append([density.average(function, weights) for function in functions] - exact)
    for error in np.array(errors).T:
        assert order_of(1 / np.array(counts), error) == pytest.approx(2, abs=0.1)


def test_weak_order_of_two_coupled_units():
    """The same of two: means and products after 1 in 12, 16 and 24 steps, slope 2 ± 0.1; samples
    of the engine from a point after 12 steps are where the density has them, 4.5σ."""
    functions = [lambda x: x[:, 0], lambda x: x[:, 1], *PRODUCTS]
    counts, errors, centre = (12, 16, 24), [], [0.7, -0.4]
    points, later = fokker_planck(PAIR, 3.3, 26, lambda x: narrow(x, centre), 1.0)
    exact = np.array([later @ function(points) for function in functions])
    for count in counts:
        density = Density(PAIR, 1 / count, 3.3, 44)
        weights, operator = density.started(points, narrow(points, centre)), density.operator()
        for _ in range(count - 1):
            weights = operator @ weights
        errors.append([density.average(function, weights) for function in functions] - exact)
        if count == 12:
            weights = density.started(np.array([centre]), np.ones(1))
            for _ in range(count - 1):
                weights = operator @ weights
            device = emulator(PAIR, 60_000, seed=35, dt=1 / count, state=centre)
            device.run(1.0)
            x = device.read()
            columns = np.column_stack([function(x) for function in functions])
            expected = [density.average(function, weights) for function in functions]
            assert near(columns, np.array(expected), sigmas=4.5)
    for error in np.array(errors).T:
        assert order_of(1 / np.array(counts), error) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["coupled", "alone"])
def test_relaxation_without_noise(kind):
    """From far out, kT = 1e-24, against the ordinary differential equation: slope 2 ± 0.1."""
    case = CASES[kind]
    units = Together(case.stiffness, case.quartic, case.bias, case.friction, kT=1e-24)
    start, duration = np.array([2.0, -1.5, 0.8]), 1.0
    exact = scipy.integrate.solve_ivp(
        lambda _, x: -units.slope(x) / units.friction, (0, duration), start, rtol=1e-11, atol=1e-13
    ).y[:, -1]
    steps, errors = [1 / 20, 1 / 40, 1 / 80], []
    for dt in steps:
        device = emulator(units, 1, seed=36, dt=dt, state=start)
        device.run(duration)
        lost = units.energy(start[None]) - units.energy(exact[None])
        errors.append([*(device.read()[0] - exact), *(device.ledger.heat - lost)])
    for error in np.array(errors).T:
        # A unit alone without a quartic term moves exactly; the equation is solved to 1e-10.
        assert np.abs(error).max() < 1e-10 or order_of(steps, error) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["coupled", "alone"])
def test_books_are_sums_over_ticks(kind):
    """Work H(x; θ′) − H(x; θ), heat −ΔH, supply bᵀΔx of every tick from recorded states: 1e-12.

    Bias, stiffness and quartic change at once, in holds of less and of more than 32 steps.
    """
    units = CASES[kind]
    ticks, rng = 5, np.random.default_rng(9)
    bias = units.bias + rng.normal(size=(ticks + 1, 3))
    stiffness = units.stiffness * rng.uniform(0.8, 1.2, size=(ticks + 1, 1, 1))
    quartic = units.quartic * rng.uniform(0.5, 2.0, size=(ticks + 1, 1))
    holds = np.array([0.1, 0.3, 0.9, 0.05, 0.2])
    waveforms = {"bias": bias, "stiffness": stiffness, "quartic": quartic}
    drive = ktc.Protocol(
        holds,
        {name: values[:-1] for name, values in waveforms.items()},
        final={name: values[-1] for name, values in waveforms.items()},
    )
    device = emulator(units, 70, seed=37, dt=0.02)
    states = [device.read()]
    run = device.play(drive, record="state")
    states += list(run.series["state"])
    energies = [units.energy]
    for k in range(ticks + 1):
        at = Together(stiffness[k], quartic[k], bias[k], units.friction, units.kT)
        energies.append(at.energy)
    work = sum(energies[k + 1](states[k]) - energies[k](states[k]) for k in range(ticks + 1))
    heat = -sum(energies[k + 1](states[k + 1]) - energies[k + 1](states[k]) for k in range(ticks))
    supply = sum((states[k + 1] - states[k]) @ bias[k] for k in range(ticks))
    books, size = device.ledger, np.abs(heat).max() + np.abs(work).max()
    assert books.work == pytest.approx(work, abs=1e-12 * size)
    assert books.heat == pytest.approx(heat, abs=1e-12 * size)
    assert books.supply == pytest.approx(supply, abs=1e-12 * size)
    assert books.imbalance() < 1e-12
    assert sorted(books.amounts()) == ["heat", "supply", "work"]
    assert not books.source.any() and not books.injected.any() and not books.shadow.any()
    for name in ("heat_per_resistor", "entropy_flow"):
        with refused(ValueError, f"{name} is not kept", "resolve_heat=True"):
            getattr(books, name)


def test_agrees_with_the_splitting_integrator():
    """At the default step, driven: means, squares, work and heat of both motions, 4.5σ."""
    drive = ktc.Protocol.ramp(duration=2.0, ticks=4, bias=([0.2, -0.1], [1.0, 0.5]))
    columns = []
    for resolve_heat in (False, True):
        device = ktc.Emulator(network(PAIR), 40_000, seed=38, resolve_heat=resolve_heat)
        run, x = device.play(drive), device.read()
        assert device.resolve_heat is resolve_heat
        columns.append(np.column_stack([x, x**2, run.work.samples, run.heat.samples]))
    scatter = np.sqrt((columns[0].var(axis=0) + columns[1].var(axis=0)) / 40_000)
    assert np.all(np.abs(columns[0].mean(axis=0) - columns[1].mean(axis=0)) < 4.5 * scatter)


def free_energy(units):
    """−kT ln Z of two units by quadrature on a grid."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    x = 4.5 * np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    return -units.kT * np.log(
        4.5**2 * np.outer(weights, weights).ravel() @ np.exp(-units.energy(x) / units.kT)
    )


@pytest.mark.parametrize("kind", ["one", "coupled"])
def test_jarzynski(kind):
    """⟨e^{−W/kT}⟩ = e^{−ΔF/kT} of a moving bias at 4σ and 0.3 %; mean work alone misses by 15 %."""
    if kind == "one":
        start, end = Unit(-1.0, 0.5, -0.1, kT=0.4), Unit(-1.0, 0.5, 0.7, kT=0.4)
        units, change = alone(start), end.free_energy() - start.free_energy()
        drive = ktc.Protocol.ramp(1.5, 12, bias=(-0.1, 0.7))
    else:
        end = Together(PAIR.stiffness, PAIR.quartic, [1.2, -0.6], PAIR.friction, PAIR.kT)
        units, change = PAIR, free_energy(end) - free_energy(PAIR)
        drive = ktc.Protocol.ramp(1.5, 12, bias=([0.2, -0.1], [1.2, -0.6]))
    work = emulator(units, 60_000, seed=39).play(drive).work.samples
    weights = np.exp(-(work - change) / units.kT)
    assert weights.std() / np.sqrt(len(weights)) < 0.02
    assert near(weights, 1.0, bias=3e-3)
    assert np.exp(-(work.mean() - change) / units.kT) < 0.85


def test_what_cannot_move_at_once_is_refused():
    """Several temperatures and sources, by ``set`` and in a protocol: named, with the mend."""
    resistors = [Resistor([1.0, 0], 1.0, "a"), Resistor([0, 1.0], 0.5, "b")]
    made = ktc.Network.of_elements(
        PAIR.stiffness, resistors, 0.5, quartic=1.0, sources=[CurrentSource([1.0, 0], 0.0)]
    )
    device = ktc.Emulator(made, replicas=20, seed=40)
    assert not device.resolve_heat
    for wrong in ({"kT": [0.5, 0.6]}, {"emf": [0.1, 0.0]}, {"current": 0.3}):
        with refused_unchanged(device, ValueError, "temperatures", "resolve_heat=True"):
            device.set(**wrong)
        with refused_unchanged(device, ValueError, "temperatures", "resolve_heat=True"):
            device.play(ktc.Protocol([0.1], {}, final=wrong))
    device.set(kT=0.6)
    device.run(0.1)
    for options in ({"resolve_heat": True}, {}):
        other = ktc.Network.of_elements(PAIR.stiffness, resistors, [0.5, 0.6], quartic=1.0)
        assert ktc.Emulator(other, replicas=20, state=np.zeros(2), **options).resolve_heat


def test_steps_that_are_too_long_are_refused():
    """Beyond twice the fastest time, not positive, no number; and past that check in the core."""
    for units in CASES.values():
        with refused(ValueError, "dt must be at most", "but is 5"):
            emulator(units, 10, seed=41, dt=5.0)
        for dt in (0.0, -1.0, np.nan, np.inf, "fast"):
            with refused(TypeError if dt == "fast" else ValueError, "dt"):
                emulator(units, 10, seed=41, dt=dt)
    device = emulator(CASES["coupled"], 10, seed=41)
    device.set(quartic=[1e4, 0.0, 0.3])
    device.run(0.01)
    stiff = emulator(CASES["coupled"], 10, seed=41, dt=0.1)
    with refused_unchanged(stiff, ValueError, "dt must be at most", "0.1"):
        stiff.play(ktc.Protocol([0.1, 0.1], {"quartic": [[1.0, 0, 0.3], [1e4, 0, 0.3]]}))
    for kind, message in (("coupled", "dt is 2.5, too long"), ("alone", "dt is 1000, so long")):
        device = emulator(CASES[kind], 10, seed=41)
        hold = 2.5 if kind == "coupled" else 1000.0
        before = device.read()
        device._frontend.engine.core.longest_step = hold
        with refused(ValueError, message, "make it smaller"):
            device._frontend.engine.play(np.array([hold]), {})
        assert np.array_equal(device.read(), before)
        assert device.time == 0
