"""Potentials: derivatives, confinement, tables, refusals and files."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ktc._base.codec import from_record, to_record
from ktc.potentials import Cosine, Polynomial, Potential, Table, TwoParabolas, from_function

KNOTS = np.linspace(-2.0, 3.0, 23) + 0.05 * np.sin(np.arange(23.0))
KINDS: dict[str, Potential] = {
    "polynomial": Polynomial([0.3, -1.0, 0.2, 0.5, -0.1, 0.04, 0.02, 0.01]),
    "cosine": Cosine(amplitude=-1.7, period=0.8),
    "right": TwoParabolas(center=0.4, distance=1.5, spring=2.0),
    "left": TwoParabolas(center=-0.3, distance=1.5),
    "convex kink": TwoParabolas(center=0.2, distance=-0.5),
    "table": Table(KNOTS, 0.25 * KNOTS**4 - KNOTS**2, scale=1.3),
    "lines": Table(KNOTS, np.cos(KNOTS), continuation=0.0),
}
each = pytest.mark.parametrize("potential", KINDS.values(), ids=KINDS)


def places(potential: Potential) -> np.ndarray:
    """Points within and beyond tables, none of them within 1e-3 of a break."""
    x = np.random.default_rng(3).uniform(-4, 5, 400)
    apart = np.abs(x[:, None] - potential.breaks).min(axis=1, initial=1.0)
    return x[apart > 1e-3]


@each
def test_slope_and_curvature_are_derivatives(potential):
    x, h = places(potential), 1e-5
    slope = (potential.energy(x + h) - potential.energy(x - h)) / (2 * h)
    curvature = (potential.slope(x + h) - potential.slope(x - h)) / (2 * h)
    # Rounding of an energy of 1e4 over 2h is 1e-7, the third derivative of 1e4 times h² 1e-6.
    assert potential.slope(x) == pytest.approx(slope, rel=1e-6, abs=1e-5)
    assert potential.curvature(x) == pytest.approx(curvature, rel=1e-6, abs=1e-5)
    assert potential.energy(0.5).shape == () and potential.slope(np.ones((2, 3))).shape == (2, 3)


@each
def test_gradients_are_derivatives_by_the_parameters(potential):
    x = places(potential)
    for name, value in zip(potential.names, potential.numbers, strict=True):
        if abs(value) < 1e-12:
            continue
        h = 1e-6 * abs(value)
        up, down = (potential.replaced(**{name: value + s * h}).energy(x) for s in (1, -1))
        away = (
            np.abs(x - potential.numbers[0]) > 1e-3 if name == "center" else np.ones(len(x), bool)
        )
        found = (up - down)[away] / (2 * h)
        scale = 1 + np.abs(potential.energy(x)).max() / abs(value)
        assert potential.gradient(name, x)[away] == pytest.approx(found, abs=1e-8 * scale, rel=1e-6)


@each
def test_the_energy_is_linear_in_the_parameters_that_are_said_to_be(potential):
    x, numbers = places(potential), dict(zip(potential.names, potential.numbers, strict=True))
    values = np.array([numbers[name] for name in potential.linear])
    features = potential.features(x)
    assert features.shape == (len(values), len(x))
    assert values @ features == pytest.approx(potential.energy(x), rel=1e-12, abs=1e-12)
    changed = values * np.linspace(1.1, 1.4, len(values))
    other = potential.replaced(**dict(zip(potential.linear, changed, strict=True)))
    assert changed @ features == pytest.approx(other.energy(x), rel=1e-12, abs=1e-12)


@each
def test_energies_are_continuous_at_breaks(potential):
    at, h = potential.breaks, 1e-9
    left, right = potential.energy(at - h), potential.energy(at + h)
    bound = 3 * h * (1 + np.abs(potential.slope(at - h)) + np.abs(potential.slope(at + h)))
    assert (np.abs(left - right) < bound).all()
    if potential.kind == "table":
        bent = np.abs(potential.curvature(at - h) - potential.curvature(at + h))
        inner = bent[1:-1]
        assert (inner < 1e-6).all()
        assert np.abs(potential.slope(at - h) - potential.slope(at + h)).max() < 1e-6


@each
def test_smallest_curvature_bounds_the_curvature_and_is_met(potential):
    x = np.concatenate([np.linspace(-6, 6, 100_001), potential.breaks])
    least = potential.smallest_curvature()
    if potential.kind == "two_parabolas" and potential.numbers[1] > 0:
        assert least == -np.inf
    else:
        assert potential.curvature(x).min() == pytest.approx(least, rel=1e-6)


@each
def test_confinement_is_the_curvature_far_away(potential):
    far = np.array([-1e6, 1e6])
    mean = potential.energy(far) / (0.5 * far**2)
    if np.isinf(potential.confinement):
        assert (mean > 1e6).all()
    else:
        assert mean.min() == pytest.approx(potential.confinement, abs=1e-4)
    assert potential.confines == (potential.confinement > 0)


@each
def test_the_cells_for_the_core_give_the_energy(potential):
    """As the core takes them: one row of numbers, knots, and one cubic per cell."""
    assert len(potential.numbers) == len(potential.names)
    assert potential.cells.shape == (
        (len(potential.knots) + 1, 4) if potential.kind == "table" else (0, 4)
    )
    if potential.kind != "table":
        return
    for x in (-3.0, *potential.knots[[0, 1, -1]], 0.37, 4.0):
        cell = int((potential.knots <= x).sum())
        t = x - potential.knots[max(cell - 1, 0)]
        cubic = potential.cells[cell] @ [1, t, t**2, t**3]
        assert potential.numbers[0] * cubic == pytest.approx(float(potential.energy(x)), rel=1e-13)


def test_two_parabolas_are_those_of_mechanical_memories():
    """U = ½ (x − S c₁)² + 2 c₀c₁ (Θ(x − c₀) − 1 + Θ(c₀)), S = sign(x − c₀)."""
    x = np.random.default_rng(5).uniform(-12, 12, 500)
    for c0, c1 in ((0.0, 5.0), (10.0, 2.5), (-3.0, 4.0), (1.0, -2.0), (0.7, 0.0)):
        written = 0.5 * (x - np.sign(x - c0) * c1) ** 2
        written += 2 * c0 * c1 * ((x > c0) - 1.0 + (c0 > 0))
        assert TwoParabolas(c0, c1, 3.0).energy(x) == pytest.approx(3 * written, abs=1e-12)
    far = TwoParabolas(0.0, 1e9)
    assert far.energy(1e9 + 2.0) == 2.0  # rounding does not grow with the distance of the wells


@pytest.mark.parametrize("end", [None, 4.0])
def test_a_table_passes_through_its_points_and_goes_on_as_stated(end):
    x = np.array([-1.0, -0.2, 0.1, 0.9, 1.4])
    cubic = np.polynomial.Polynomial([0.3, -0.4, 2.0, 0.25])
    table = Table(x, cubic(x), continuation=end)
    inside = np.linspace(-1, 1.4, 50)
    assert table.energy(inside) == pytest.approx(cubic(inside), abs=1e-14)  # not-a-knot
    for place in (-1.0, 1.4):
        t = np.sign(place) * 1.7
        half = 0.5 * (cubic.deriv(2)(place) if end is None else end)
        value = cubic(place) + cubic.deriv()(place) * t + half * t**2
        assert table.energy(place + t) == pytest.approx(value, rel=1e-13)


def test_a_function_is_tabulated_to_the_stated_error():
    def morse(x):
        return 7 * (1 - np.exp(-1.3 * x)) ** 2

    x = np.random.default_rng(1).uniform(-0.8, 4.0, 20_000)
    sizes = []
    for error in (1e-2, 1e-4, 1e-7):
        table = from_function(morse, -0.8, 4.0, error=error, continuation=0.0)
        assert np.abs(table.energy(x) - morse(x)).max() <= 1.05 * error
        sizes.append(len(table.x))
    assert sizes == sorted(sizes) and sizes[-1] < 5000
    assert len(from_function(lambda x: x**2, -1, 1).x) == 17


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Polynomial([1.0, 2.0, 3.0]), "highest power is 3"),
        (lambda: Polynomial({4: -1.0, 2: 3.0}), r"x\^4 is -1"),
        (lambda: Polynomial({9: 1.0}), "power of coefficients"),
        (lambda: Polynomial(np.ones(9)), r"shape \(9,\)"),
        (lambda: Polynomial({2: np.nan}), r"coefficients\[2\]"),
        (lambda: Polynomial({4: 1.0}).replaced(c4=-1.0), "leading"),
        (lambda: Cosine(1.0, 0.0), "period must be positive, but is 0.0"),
        (lambda: Cosine(np.inf, 1.0), "amplitude must be finite"),
        (lambda: TwoParabolas(0.0, 1.0, 0.0), "spring must be positive"),
        (lambda: TwoParabolas([0.0, 1.0], 1.0), "center must be one number"),
        (lambda: Table([0, 1, 2], [0, 1, 2]), "at least 4"),
        (lambda: Table([0, 1, 1, 2], [0, 1, 2, 3]), r"x\[2\] = 1 follows 1"),
        (lambda: Table(range(4), np.eye(4)), r"energy must have shape \(n,\)"),
        (lambda: Table(range(5), -(np.arange(5.0) ** 2)), "curvature -2 at the end x = 0"),
        (lambda: Table(range(4), range(4), continuation=-1.0), "continuation must not be negative"),
        (lambda: Table(range(4), range(4), scale=0.0), "scale must be positive"),
        (lambda: from_function(np.abs, 1, 1), "high must be above low"),
        (lambda: from_function(np.sign, -1, 2), "a jump cannot be tabulated"),
        (lambda: from_function(lambda x: 1.0, -1, 2), "one energy per x"),
        (lambda: from_function(np.log, -1, 2), "values of function must be finite"),
        (lambda: KINDS["table"].gradient("period", 0.0), "period"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_wrong_arguments_name_the_value_and_the_fix(make, told):
    with pytest.raises(ValueError, match=told):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cosine("much", 1.0),
        lambda: Polynomial({1.5: 2.0}),
        lambda: Cosine(1.0, 1.0).replaced(distance=2.0),
        lambda: Polynomial({4: 1.0}).replaced(c9=2.0),
        lambda: Potential(),
    ],
)
def test_wrong_types_are_refused(make):
    with pytest.raises(TypeError):
        make()


@each
def test_potentials_are_equal_by_value_and_are_saved(potential):
    same = from_record(to_record(potential))
    assert same == potential and hash(same) == hash(potential)
    assert pickle.loads(pickle.dumps(potential)) == potential
    name, value = potential.names[-1], potential.numbers[-1]
    assert potential.replaced(**{name: 2 * value + 1}) != potential
    assert potential.replaced() == potential
    assert potential != "potential"
