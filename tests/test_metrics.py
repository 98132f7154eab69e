"""F and ζ of all learnable parameters, against definitions carried out by other means.

Gaussian networks: correlations of the joint normal of x(0) and x(t) by Gauss–Hermite quadrature,
exact for polynomials, integrated over time. Quartic units: the generator of the Fokker–Planck
equation on a grid, and derivatives of the free energy. Nothing here is sampled.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import scipy.linalg

import ktc
from ktc import theory
from reference_quartic import Unit
from refusal import refused

K2 = np.array([[2.0, 0.7], [0.7, 1.0]])
R2 = np.array([[1.0, 0.3], [0.3, 2.5]])  # K R ≠ R K
KT = 0.7
ALL = ("bias", "stiffness", "quartic")
OF_A_UNIT = ("bias", "diagonal", "quartic")


def network(**changes):
    return ktc.Network(
        **{"stiffness": K2, "friction": R2, "kT": KT, "bias": [1.2, -0.8], **changes}
    )


@cache
def hermite(dimensions):
    """Nodes (5ⁿ, n) and weights of a standard normal in n dimensions."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    grid = np.meshgrid(*[nodes] * dimensions, indexing="ij")
    mass = np.prod(np.meshgrid(*[weights] * dimensions, indexing="ij"), axis=0).ravel()
    return np.stack([axis.ravel() for axis in grid], -1), mass / mass.sum()


def covariance_at(net, parameters, time):
    """⟨δ∂H(t) δ∂H(0)ᵀ⟩ by Gauss–Hermite quadrature of the joint normal of x(t) and x(0)."""
    d = net.units
    full = np.zeros((len(net.drift),) * 2)
    full[:d, :d] = net.common_kT * np.linalg.inv(net.stiffness)
    if net.inertia is not None:
        full[d:, d:] = net.common_kT * np.diag(net.inertia)
    lagged = (scipy.linalg.expm(net.drift * time) @ full)[:d, :d]
    joint = np.block([[full[:d, :d], lagged], [lagged.T, full[:d, :d]]])
    values, vectors = np.linalg.eigh(joint)
    root = vectors * np.sqrt(np.maximum(values, 0))
    points, mass = hermite(2 * d)
    states = np.tile(np.linalg.solve(net.stiffness, net.bias), 2)
    states = states + points @ root.T
    later, now = (parameters.forces(part) for part in (states[:, :d], states[:, d:]))
    return (later - mass @ later).T @ (mass[:, None] * (now - mass @ now))


def integrated(net, parameters):
    # Gauss–Legendre in u, t = T u³, over 40 of the slowest times: 1e-9.
    horizon = 40 / np.abs(np.linalg.eigvals(net.drift).real).min()
    nodes, weights = np.polynomial.legendre.leggauss(80)
    u = 0.5 * (nodes + 1)
    total = sum(
        1.5 * horizon * x**2 * w * covariance_at(net, parameters, horizon * x**3)
        for x, w in zip(u, weights)
    )
    return (total + total.T) / 2 / net.common_kT


def test_fisher_matrix_of_a_gaussian_network():
    parameters = theory.Parameters(network(), ALL)
    found = theory.fisher_matrix(network(), parameters)
    expected = covariance_at(network(), parameters, 0.0) / KT
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(found, found.T)


MOTIONS = {
    "overdamped": ({}, ALL),
    "inertia": ({"inertia": [0.3, 2.0]}, ("bias", "stiffness")),
    "critically damped": (
        {"stiffness": np.diag([1.0, 4.0]), "friction": [2.0, 4.0], "inertia": [1.0, 1.0]},
        ("bias", "stiffness"),
    ),
}


@pytest.mark.parametrize(("changes", "names"), MOTIONS.values(), ids=MOTIONS.keys())
def test_friction_tensor_of_a_gaussian_network(changes, names):
    net = network(**changes)
    parameters = theory.Parameters(net, names)
    found = theory.friction_tensor(net, parameters)
    np.testing.assert_allclose(found, integrated(net, parameters), rtol=1e-7, atol=1e-8)
    np.testing.assert_array_equal(found, found.T)
    assert np.linalg.eigvalsh(found)[0] > 0


def test_friction_tensor_of_stiffnesses_in_a_circuit_with_inductors():
    net = ktc.Circuit.from_netlist("R1 a m 2\nL1 m 0 3\nC1 a 0 0.5\nR2 a 0 5").compile()
    parameters = theory.Parameters(net, "stiffness")
    found = theory.friction_tensor(net, parameters)
    expected = integrated(net, parameters)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, rtol=1e-6, atol=1e-12)


def test_values_of_one_unit():
    """The table of reference values: center k, γ; stiffness kT/2k², kTγ/4k³."""
    k, gamma, kT = 2.0, 3.0, 0.4
    unit = ktc.Network(k, gamma, kT=kT)
    assert theory.fisher_matrix(unit, "center").item() == pytest.approx(k, rel=1e-14)
    assert theory.friction_tensor(unit, "center").item() == pytest.approx(gamma, rel=1e-14)
    assert theory.fisher_matrix(unit, "stiffness").item() == pytest.approx(kT / (2 * k**2))
    expected = kT * gamma / (4 * k**3)
    assert theory.friction_tensor(unit, "stiffness").item() == pytest.approx(expected, rel=1e-14)


def test_friction_of_stiffness_with_inertia_in_closed_form():
    """∫⟨δx²(0)δx²(t)⟩dt of a damped oscillator: with C = e^{Ft}, ½∫C²/kT = kT (γ/k³ + m/(γk²))/4.

    ∫C² of ẍ + (γ/m)ẋ + (k/m)x = 0 from rest is (1/2)(γ/k + m/γ), by parts.
    """
    k, gamma, m, kT = 2.0, 3.0, 0.7, 0.4
    unit = ktc.Network(k, gamma, kT=kT, inertia=m)
    expected = 0.25 * kT * (gamma / k**3 + m / (gamma * k**2))
    assert theory.friction_tensor(unit, "stiffness").item() == pytest.approx(expected, rel=1e-12)


UNITS = {
    "the quartic table": (0.2, 6.0, 1.0, 1.0),
    "hard": (0.0, 0.0, 1.0, 1.0),
    "tilted wells": (-2.0, 0.3, 1.0, 0.4),
    "wells 6 kT deep": (-5.0, 0.1, 1.0, 1.0),
}


@pytest.mark.parametrize(("k", "b", "kappa", "kT"), UNITS.values(), ids=UNITS.keys())
def test_friction_of_a_quartic_unit_by_its_generator(k, b, kappa, kT):
    """ζ = ⟨δ∂H (−L)⁻¹ δ∂H⟩/kT, L a birth–death process that keeps the Boltzmann weights.

    Second order in the spacing of the grid; two grids and Richardson leave 1e-6.
    """
    unit, gamma = ktc.Network(k, 1.7, kT=kT, bias=b, quartic=kappa), 1.7

    def on_grid(points):
        x = np.linspace(-6.0, 6.0, points)
        step = x[1] - x[0]
        energy = 0.5 * k * x**2 - b * x + 0.25 * kappa * x**4
        energy = (energy - energy.min()) / kT
        keep = energy < 45
        x, energy = x[keep], energy[keep]
        p = np.exp(-energy)
        p /= p.sum()
        flux = kT / gamma / step**2 * np.sqrt(p[1:] * p[:-1])
        force = np.stack([-x, 0.5 * x**2, 0.25 * x**4])
        force -= (force @ p)[:, None]
        # −pL is symmetric and tridiagonal, singular for constants alone: one point is pinned, at
        # the middle of the probability, and the mean of the solution does not matter.
        bands = np.zeros((2, len(x)))
        bands[1, :-1] += flux
        bands[1, 1:] += flux
        bands[0, 1:] = -flux
        bands[1, np.searchsorted(np.cumsum(p), 0.5)] *= 1 + 1e3
        # The pin takes what the rounding of Σ p δ∂H feeds in, nothing else.
        root = np.sqrt(bands[1])
        bands[0, 1:] /= root[1:] * root[:-1]
        bands[1] = 1.0
        solution = scipy.linalg.solveh_banded(bands, (p * force / root).T).T / root
        solution -= (solution @ p)[:, None]
        return (p * force) @ solution.T / kT

    coarse, fine = on_grid(3001), on_grid(6001)
    expected = (4 * fine - coarse) / 3
    found = theory.friction_tensor(unit, OF_A_UNIT)
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize(("k", "b", "kappa", "kT"), UNITS.values(), ids=UNITS.keys())
def test_fisher_matrix_of_a_quartic_unit(k, b, kappa, kT):
    """Moments by the trapezoidal rule of tests/reference_quartic, exponentially exact."""
    unit = Unit(k, kappa, bias=b, kT=kT)
    powers = {1: -1.0, 2: 0.5, 4: 0.25}
    mean = {n: c * unit.average(lambda x, n=n: x**n) for n, c in powers.items()}
    expected = [
        [
            c * e * unit.average(lambda x, n=n, m=m: x ** (n + m)) - mean[n] * mean[m]
            for m, e in powers.items()
        ]
        for n, c in powers.items()
    ]
    found = theory.fisher_matrix(ktc.Network(k, 1.0, kT=kT, bias=b, quartic=kappa), OF_A_UNIT)
    np.testing.assert_allclose(found, np.array(expected) / kT, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("quartic", [0.0, 0.9], ids=["gaussian", "quartic"])
def test_fisher_matrix_is_the_curvature_of_the_free_energy(quartic):
    """F = −∂²F/∂θ², by central differences, second order in a step of 1e-3: 1e-5."""
    net = ktc.Network(np.diag([1.5, 2.0]), 1.0, kT=KT, bias=[0.3, -1.0], quartic=quartic)
    parameters = theory.Parameters(net, OF_A_UNIT if quartic else ("bias", "stiffness"))
    theta, step = parameters.vector(net.controls), 1e-3 * np.eye(parameters.size)

    def free(change):
        return theory.free_energy(
            net.with_controls(parameters.controls(theta + change, net.controls))
        )

    curvature = np.array(
        [
            [free(u + v) - free(u - v) - free(v - u) + free(-u - v) for v in step]
            for u in step
        ]
    )  # fmt: skip
    found = theory.fisher_matrix(net, parameters)
    np.testing.assert_allclose(found, -curvature / 4e-6, rtol=1e-5, atol=1e-6)


def test_quartic_terms_that_vanish():
    """κ → 0 joins quadrature to the closed form: both metrics, with a bias, first order in κ."""
    linear = ktc.Network(2.0, 1.3, kT=0.5, bias=0.9)
    for metric in (theory.fisher_matrix, theory.friction_tensor):
        limit = metric(linear, OF_A_UNIT)
        distances = []
        for kappa in (1e-4, 1e-6):
            quartic = ktc.Network(2.0, 1.3, kT=0.5, bias=0.9, quartic=kappa)
            distances.append(np.abs(metric(quartic, OF_A_UNIT) / limit - 1))
        assert (distances[0] < 1e-3).all()
        np.testing.assert_allclose(distances[1], distances[0] / 100, rtol=1e-2)


def test_units_apart_are_blocks():
    """Quartic and linear units side by side: each the metric of its own, nothing between them."""
    net = ktc.Network(np.diag([-1.0, 2.0]), [1.0, 2.0], kT=KT, bias=[0.2, 0.4], quartic=[1.0, 0.0])
    parameters = theory.Parameters(net, OF_A_UNIT)
    for metric in (theory.fisher_matrix, theory.friction_tensor):
        found = metric(net, parameters)
        for unit in range(2):
            alone = ktc.Network(
                net.stiffness[unit, unit], net.friction[unit, unit], KT,
                bias=net.bias[unit], quartic=net.quartic[unit],
            )  # fmt: skip
            own = [parameters.labels.index(f"{n}[{u}]") for n, u in zip(
                OF_A_UNIT, (unit, f"{unit},{unit}", unit)
            )]  # fmt: skip
            np.testing.assert_allclose(
                found[np.ix_(own, own)], metric(alone, OF_A_UNIT), rtol=1e-11, atol=1e-13
            )
            found[np.ix_(own, own)] = 0
        assert not found.any()


def test_two_deep_wells_exchange_as_kramers_says():
    """ζ of the bias is x_w² times the life of a two-state process, up to Kramers' corrections."""
    k, kappa, kT = -12.0, 1.0, 2.0
    unit = ktc.Network(k, 1.0, kT=kT, quartic=kappa)
    well, barrier = np.sqrt(12.0), 36.0
    rate = np.sqrt(24.0 * 12.0) / (2 * np.pi) * np.exp(-barrier / kT)
    expected = well**2 / (2 * rate) / kT
    assert theory.friction_tensor(unit).item() == pytest.approx(expected, rel=0.1)


def test_metrics_refuse():
    coupled = ktc.Network([[1.0, 0.5], [0.5, 1.0]], 1.0, quartic=[1.0, 0.0])
    with refused(ValueError, "units 0 and 1 are coupled by stiffness", "fisher_estimate"):
        theory.fisher_matrix(coupled)
    by_friction = ktc.Network(
        np.eye(3), scipy.linalg.block_diag(1.0, R2), kT=1.0, quartic=[1.0, 0.0, 0.0]
    )
    assert theory.fisher_matrix(by_friction).shape == (3, 3)
    with refused(ValueError, "coupled by friction", "friction_estimate"):
        theory.friction_tensor(by_friction)
    apart = ktc.Network(np.eye(2), 1.0, quartic=1.0)
    with refused(ValueError, "couplings of a network with nonlinear units"):
        theory.fisher_matrix(apart, "couplings")
    with refused(ValueError, "nonlinear units with inertia", "friction_estimate"):
        theory.friction_tensor(ktc.Network(1.0, 1.0, quartic=1.0, inertia=1.0))
    with refused(ValueError, "only in overdamped networks"):
        theory.friction_tensor(network(inertia=1.0), "quartic")
    with refused(ValueError, "quartic units have no such closed form"):
        theory.fisher_matrix(apart, "center")
    deep = ktc.Network(-20.0, 1.0, kT=1.0, quartic=1.0)
    with refused(ValueError, "a barrier of 100 kT"):
        theory.friction_tensor(deep)
    assert theory.fisher_matrix(deep).item() == pytest.approx(20.0, rel=1e-2)
    with refused(ValueError, "parameter must be of 2 units"):
        theory.fisher_matrix(apart, theory.Parameters(deep))
