"""Single units in any potential: quadrature against grids, the quartic's own, and slow motion."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc._model.potential_unit import PotentialUnit, one_unit
from ktc._model.quartic_unit import OneUnit
from ktc.potentials import Cosine, Polynomial, Table, TwoParabolas, from_function

KNOTS = np.linspace(-2.0, 3.0, 41)
UNITS = {
    "tilted memory": (0.0, 0.2, 0.0, 1.0, TwoParabolas(0.3, 3.0)),
    "raised well": (0.0, 0.0, 0.0, 1.0, TwoParabolas(10.0, 2.0)),
    "convex kink": (0.3, 0.1, 0.0, 0.5, TwoParabolas(0.1, -2.0)),
    "junction": (0.05, 0.3, 0.0, 0.7, Cosine(2.0, 1.0)),
    "junction and quartic": (0.3, 1.0, 0.5, 0.7, Cosine(-3.0, 2.0)),
    "degree 8": (0.0, 0.1, 0.0, 1.0, Polynomial([0.3, -1, 0.2, 0.5, -0.1, 0.04, 0.02, 0.01])),
    "table": (0.0, 0.1, 0.0, 0.2, Table(KNOTS, 0.25 * KNOTS**4 - KNOTS**2)),
    "attojoules": (0.0, 0.0, 0.0, 4e-21, Polynomial({2: -4e15, 4: 4e51})),
}


@pytest.mark.parametrize("case", UNITS.values(), ids=UNITS)
def test_quadrature_against_a_fine_grid(case):
    """Rectangle sums of 400,001 points: exact to 1e-9 for smooth energies, to h² at kinks."""
    k, b, q, kT, potential = case
    unit = PotentialUnit(k, b, q, kT, potential)
    states = unit.states * unit.length
    x = np.linspace(states.min(), states.max(), 400_001)
    energy = (0.5 * k * x**2 - b * x + 0.25 * q * x**4 + potential.energy(x)) / kT
    weight, h = np.exp(energy.min() - energy), x[1] - x[0]
    density = weight / (weight.sum() * h)
    free = kT * (energy.min() - np.log(weight.sum() * h))
    assert unit.free_energy == pytest.approx(free, abs=1e-8 * kT)
    mean = (x @ density) * h
    size = unit.length
    assert float(unit.average(states)) == pytest.approx(mean, abs=1e-8 * size)
    variance = ((x - mean) ** 2 @ density) * h
    assert unit.fisher(("bias",))[0, 0] == pytest.approx(variance / kT, rel=1e-8)
    flux = np.cumsum(-(x - mean) * density) * h
    inside = density > 1e-200 / size
    friction = np.sum(flux[inside] ** 2 / density[inside]) * h / kT**2
    assert unit.friction(("bias",), 1.0)[0, 0] == pytest.approx(friction, rel=2e-6)


@pytest.mark.parametrize(
    "case",
    [(-2.0, 0.3, 1.0, 0.5), (-1.0, 2.0, 3.0, 1e-3), (-50.0, 0.0, 1.0, 1.0), (0, 0, 1.0, 1.0)],
)
def test_a_polynomial_of_degree_four_is_the_quartic_unit(case):
    k, b, q, kT = case
    known, found = OneUnit(*case), PotentialUnit(k, b, 0.0, kT, Polynomial({4: q / 4}))
    assert found.free_energy == pytest.approx(known.free_energy, abs=1e-12 * kT, rel=1e-13)
    assert found.barrier == pytest.approx(known.barrier, abs=1e-9)
    for name in ("bias", "diagonal"):
        fisher = known.fisher((name,))
        assert found.fisher((name,)) == pytest.approx(fisher, rel=1e-10)
        if known.barrier < 50:
            friction = known.friction((name,), 1.3)
            assert found.friction((name,), 1.3) == pytest.approx(friction, rel=1e-9)
    quarter = known.fisher(("bias", "quartic"))
    assert 0.25 * found.fisher(("bias", "c4"))[0, 1] == pytest.approx(quarter[0, 1], abs=1e-9)


def test_fisher_matrices_of_parameters_are_derivatives_of_averages():
    """∂⟨∂_aH⟩/∂b = ⟨∂_a∂_bH⟩ − F_ab, by central differences, for parameters linear in H."""
    for name, case in (("amplitude", UNITS["junction"]), ("c6", UNITS["degree 8"])):
        k, b, q, kT, potential = case
        value = dict(zip(potential.names, potential.numbers, strict=True))[name]
        names = ("bias", name)
        h = 1e-4 * abs(value)
        ends = [one_unit(k, b, q, kT, potential.replaced(**{name: value + s * h})) for s in (-1, 1)]
        low, high = (end.average(end.forces(names)) for end in ends)
        fisher = one_unit(*case).fisher(names)
        assert (low - high) / (2 * h) == pytest.approx(fisher[1], rel=1e-6)


def test_wells_behind_high_barriers_are_kept_apart():
    unit = PotentialUnit(0.0, 0.0, 0.0, 1.0, TwoParabolas(0.0, 12.0))
    assert unit.barrier == pytest.approx(72.0)
    assert float(unit.average(unit.states * unit.length)) == pytest.approx(0.0, abs=1e-12)
    assert unit.fisher(("bias",))[0, 0] == pytest.approx(145.0, rel=1e-12)
    with pytest.raises(ValueError, match="barrier of 72 kT"):
        unit.friction(("bias",), 1.0)
    shallow = PotentialUnit(0.0, 0.0, 0.0, 1.0, TwoParabolas(2.0, 12.0))  # 48 kT above the other
    assert shallow.barrier == pytest.approx(50.0)
    assert float(shallow.average(shallow.states * shallow.length)) == pytest.approx(-12.0)
    assert shallow.friction(("bias",), 1.0)[0, 0] > 0


def test_what_has_no_equilibrium_or_none_within_rounding_is_refused():
    for case, told in (
        ((0.0, 0.0, 0.0, 1.0, Cosine(1.0, 1.0)), "nothing confines"),
        ((1e-12, 0.0, 0.0, 1.0, Cosine(20.0, 1e-2)), "raise kT"),
        ((0.0, 0.0, 0.0, 1e-15, Polynomial({2: -1.0, 4: 1.0})), "rounding outweighs kT"),
    ):
        with pytest.raises(ValueError, match=told):
            PotentialUnit(*case)


def test_theory_of_uncoupled_units_takes_potentials():
    """Against the quartic unit's own forms, and sums over units."""
    theory = ktc.theory
    own = ktc.Network(-1.0, 1.0, quartic=1.0, bias=0.3)
    copy = ktc.Network(0.0, 1.0, potential=Polynomial({1: -0.3, 2: -0.5, 4: 0.25}))
    assert theory.free_energy(copy) == pytest.approx(theory.free_energy(own), abs=1e-13)
    assert theory.friction_tensor(copy) == pytest.approx(theory.friction_tensor(own), rel=1e-12)
    assert 16 * theory.fisher_matrix(own, "quartic") == pytest.approx(
        theory.fisher_matrix(copy, "c4"), rel=1e-12
    )
    ends = own.with_controls(bias=1.0), copy.with_controls(c1=-1.0)
    for measure in (theory.wasserstein_distance, theory.free_energy_change):
        assert measure(copy, ends[1]) == pytest.approx(measure(own, ends[0]), abs=1e-9)
    bound = theory.wasserstein_bound(own, ends[0], 1.0)
    assert theory.wasserstein_bound(copy, ends[1], 1.0) == pytest.approx(bound, abs=1e-9)
    pair = ktc.Network(
        np.diag([0.0, 1.0]), [1.0, 2.0], potential=[TwoParabolas(0.5, 2.0), Cosine(1.0, 2.0)]
    )
    alone = [
        ktc.Network(0.0, 1.0, potential=TwoParabolas(0.5, 2.0)),
        ktc.Network(1.0, 2.0, potential=Cosine(1.0, 2.0)),
    ]
    whole = sum(map(theory.free_energy, alone))
    assert theory.free_energy(pair) == pytest.approx(whole, abs=1e-13)
    blocks = theory.friction_tensor(pair, ("bias", "amplitude", "spring"))
    second = theory.friction_tensor(alone[1], ("bias", "amplitude"))
    assert blocks[np.ix_([1, 2], [1, 2])] == pytest.approx(second)
    assert blocks[0, 1] == blocks[0, 2] == blocks[1, 3] == 0.0


def test_theory_names_what_has_no_quadrature():
    coupled = ktc.Network([[1.0, 0.5], [0.5, 1.0]], 1.0, potential=[Cosine(1.0, 1.0), None])
    heavy = ktc.Network(1.0, 1.0, inertia=1.0, potential=Cosine(1.0, 1.0))
    for call, told in (
        (lambda: ktc.theory.free_energy(coupled), "nonlinear unit 0 is coupled to unit 1"),
        (lambda: ktc.theory.fisher_matrix(coupled), "units 0 and 1 are coupled"),
        (lambda: ktc.theory.friction_tensor(heavy), "inertia has no quadrature"),
        (lambda: ktc.theory.equilibrium(heavy), "potentials are"),
        (lambda: ktc.spectra.spectral_density(heavy, 0.0), "potentials"),
        (lambda: ktc.theory.fisher_matrix(heavy, "period"), "period"),
    ):
        with pytest.raises(ValueError, match=told):
            call()


def test_a_tabulated_function_has_the_averages_of_the_function():
    def energy(x):
        return 0.25 * x**4 - x**2 + 0.1 * np.cos(9 * x)

    table = PotentialUnit(0.0, 0.1, 0.0, 0.2, from_function(energy, -3, 3, error=1e-9))
    x = np.linspace(-3, 3, 200_001)
    weight = np.exp(-(energy(x) - 0.1 * x) / 0.2)
    mean = float(weight @ x / weight.sum())
    assert float(table.average(table.states * table.length)) == pytest.approx(mean, abs=1e-8)
