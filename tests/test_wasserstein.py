"""Distances of transport and the bound of any control, against brute force and known cases."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

import ktc
from ktc import theory
from refusal import refused

R = np.array([[1.0, 0.3], [0.3, 2.5]])
START = ktc.Network([[2.0, 0.7], [0.7, 1.0]], R, 0.7, bias=[0.3, 0.4])
END = ktc.Network([[1.0, -0.6], [-0.6, 3.0]], R, 0.7, bias=[1.0, -2.0])
SOFT = ktc.Network(0.2, 1.0, 1.0, quartic=1.0)
PULLED = ktc.Network(0.2, 1.0, 1.0, quartic=1.0, bias=6.0)


def covariances():
    root = scipy.linalg.sqrtm(R).real
    return [root @ (0.7 * np.linalg.inv(net.stiffness)) @ root for net in (START, END)]


def test_distance_is_the_largest_overlap_of_couplings():
    """𝒲² = tr P + tr P′ − 2 max tr C over cross-covariances: C = P^½ U P′^½, U orthogonal (SVD)."""
    first, last = covariances()
    roots = [scipy.linalg.sqrtm(p).real for p in (first, last)]
    overlap = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    move = np.linalg.solve(END.stiffness, END.bias) - np.linalg.solve(START.stiffness, START.bias)
    expected = np.trace(first + last) - 2 * overlap + move @ R @ move
    assert theory.wasserstein_distance(START, END) ** 2 == pytest.approx(expected, rel=1e-12)
    assert theory.wasserstein_distance(END, START) ** 2 == pytest.approx(expected, rel=1e-12)
    assert theory.least_dissipation(START, END, 0.5) == pytest.approx(2 * expected, rel=1e-12)
    assert theory.wasserstein_distance(START, START) == pytest.approx(0, abs=1e-7)


def test_distance_is_that_of_pot():
    """The Bures–Wasserstein distance of POT, in coordinates R^½x."""
    gaussian = pytest.importorskip("ot.gaussian", reason="needs POT")
    root = scipy.linalg.sqrtm(R).real
    means = [root @ np.linalg.solve(net.stiffness, net.bias) for net in (START, END)]
    expected = gaussian.bures_wasserstein_distance(*means, *covariances())
    assert theory.wasserstein_distance(START, END) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("duration", [0.03, 0.3, 3.0])
def test_bound_by_brute_force_over_covariances(duration):
    """All covariances of p by Cholesky factors, 𝒲 by the formula of Bures, a simplex search."""
    first, _ = covariances()
    outward = np.linalg.inv(scipy.linalg.sqrtm(R).real)
    target = outward @ END.stiffness @ outward / 0.7
    root = scipy.linalg.sqrtm(first).real

    def cost(entries):
        factor = np.array([[entries[0], 0.0], entries[1:]])
        p = factor @ factor.T
        values = np.linalg.eigvalsh(root @ p @ root)
        if values[0] <= 0:
            return np.inf
        distance = np.trace(first + p) - 2 * np.sum(np.sqrt(values))
        ratio = target @ p
        return distance / duration + 0.35 * (np.trace(ratio) - 2 - np.log(np.linalg.det(ratio)))

    guess = np.linalg.cholesky(first)[np.tril_indices(2)]
    options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000, "maxfev": 8000}
    spread = scipy.optimize.minimize(cost, guess, method="Nelder-Mead", options=options).fun
    move = np.linalg.solve(END.stiffness, END.bias) - np.linalg.solve(START.stiffness, START.bias)
    metric = duration * np.linalg.inv(R) + 2 * np.linalg.inv(END.stiffness)
    expected = spread + move @ np.linalg.solve(metric, move)
    assert theory.wasserstein_bound(START, END, duration) == pytest.approx(expected, rel=1e-9)


def test_bound_of_bias_and_of_stiffness_drives():
    """The bound is what bias drives and the best stiffness drive reach, in their closed forms."""
    moved = ktc.Network(START.stiffness, R, 0.7, bias=[-1.0, 2.0])
    for duration in (0.1, 1.0, 10.0):
        least = theory.least_excess_work(START, [-1.0, 2.0], duration)
        assert theory.wasserstein_bound(START, moved, duration) == pytest.approx(least, rel=1e-12)
        unit, stiffer = ktc.Network(1.0, 1.0), ktc.Network(2.0, 1.0)
        least = theory.least_stiffness_excess_work(unit, 2.0, duration)
        assert theory.wasserstein_bound(unit, stiffer, duration) == pytest.approx(least, rel=1e-11)


@pytest.mark.parametrize(("duration", "work"), [(0.1, 0.478289), (1.0, 0.402918), (10.0, 0.354741)])
def test_reference_values_of_the_stiffness(duration, work):
    """The table: 1 → 2, W with ΔF = 0.346574; and R(σ_f − σ_i)²/T for an end in equilibrium."""
    unit, stiffer = ktc.Network(1.0, 1.0), ktc.Network(2.0, 1.0)
    bound = theory.wasserstein_bound(unit, stiffer, duration)
    assert bound + theory.free_energy_change(unit, stiffer) == pytest.approx(work, abs=5e-7)
    expected = (1 - np.sqrt(0.5)) ** 2 / duration
    assert theory.least_dissipation(unit, stiffer, duration) == pytest.approx(expected, rel=1e-12)


def test_limits_in_time():
    """At once: kT KL(p₀‖p_T); slowly: 𝒲²/T; nothing for no change, and less with more time."""
    jump = ktc.Protocol([1e-12], {"stiffness": [END.stiffness], "bias": [END.bias]})
    at_once = theory.expected(START, jump).excess_work
    assert theory.wasserstein_bound(START, END, 1e-9) == pytest.approx(at_once, rel=1e-6)
    slow = theory.least_dissipation(START, END, 1e7)
    assert theory.wasserstein_bound(START, END, 1e7) == pytest.approx(slow, rel=1e-5)
    assert theory.wasserstein_bound(START, START, 1.0) == pytest.approx(0, abs=1e-14)
    many = [theory.wasserstein_bound(START, END, t) for t in np.geomspace(1e-3, 1e3, 13)]
    assert (np.diff(many) < 0).all()


def test_many_units_as_one_and_by_conjugate_gradients():
    """Twenty uncoupled units cost twenty times one; a rotation of all of them costs the same."""
    one = theory.wasserstein_bound(ktc.Network(1.0, 1.0), ktc.Network(3.0, 1.0), 0.7)
    spin = np.linalg.qr(np.random.default_rng(5).normal(size=(20, 20)))[0]
    before = ktc.Network(np.eye(20), 1.0)
    stiffness = spin @ np.diag([3.0] * 10 + [1.0] * 10) @ spin.T
    after = ktc.Network((stiffness + stiffness.T) / 2, 1.0)
    assert theory.wasserstein_bound(before, after, 0.7) == pytest.approx(10 * one, rel=1e-9)


def test_quantiles_give_the_gaussian_forms():
    """The mesh of quantiles against the closed form: a quartic term of 1e-9 changes nothing."""
    pair = [ktc.Network(k, 1.3, 0.6, bias=b) for k, b in ((1.0, 0.2), (2.5, -1.0))]
    almost = [ktc.Network(k, 1.3, 0.6, bias=b, quartic=1e-9) for k, b in ((1.0, 0.2), (2.5, -1.0))]
    for duration in (0.1, 2.0):
        exact = theory.wasserstein_bound(*pair, duration)
        assert theory.wasserstein_bound(*almost, duration) == pytest.approx(exact, abs=1e-8)
    exact = theory.wasserstein_distance(*pair)
    assert theory.wasserstein_distance(*almost) == pytest.approx(exact, abs=1e-7)


def test_distance_of_quartic_units_by_sorted_quantiles():
    """∫(q′ − q)²du by inverting cumulative sums on a fine grid; second order: 1e-5."""
    x = np.linspace(-6, 6, 400_001)
    u = (np.arange(200_000) + 0.5) / 200_000
    found = []
    for net in (SOFT, PULLED):
        weight = np.exp(net.bias[0] * x - 0.1 * x**2 - 0.25 * x**4)
        total = np.cumsum(weight) - 0.5 * weight
        found.append(np.interp(u, total / weight.sum(), x))
    expected = np.mean((found[1] - found[0]) ** 2)
    assert theory.wasserstein_distance(SOFT, PULLED) ** 2 == pytest.approx(expected, rel=1e-4)


def test_bound_of_quartic_units():
    """Below the best bias drive of the quartic table, 1.443; limits; units apart add up."""
    bound = theory.wasserstein_bound(SOFT, PULLED, 2.0)
    assert 1.2 < bound < 1.443
    slow = theory.least_dissipation(SOFT, PULLED, 1e5)
    assert theory.wasserstein_bound(SOFT, PULLED, 1e5) == pytest.approx(slow, rel=1e-3)
    # At once: kT KL(p₀‖p_T) = ⟨H′ − H⟩₀ − ΔF = −b⟨x⟩₀ − ΔF, and ⟨x⟩₀ = 0.
    at_once = -theory.free_energy_change(SOFT, PULLED)
    assert theory.wasserstein_bound(SOFT, PULLED, 1e-7) == pytest.approx(at_once, rel=1e-5)
    both = [
        ktc.Network(np.diag([0.2, 1.0]), 1.0, 1.0, bias=b, quartic=[1.0, 0.0])
        for b in ([0.0, 0.0], [6.0, 5.0])
    ]
    expected = bound + theory.least_excess_work(ktc.Network(1.0, 1.0), 5.0, 2.0)
    assert theory.wasserstein_bound(*both, 2.0) == pytest.approx(expected, abs=1e-6)


def test_bound_into_two_wells():
    """One well splits into two: above 0, below the jump at once, and falling with time."""
    one, two = ktc.Network(1.0, 1.0, quartic=0.5), ktc.Network(-4.0, 1.0, quartic=1.0, bias=0.2)
    bounds = [theory.wasserstein_bound(one, two, t) for t in (0.1, 0.5, 2.0, 10.0)]
    assert (np.diff(bounds) < 0).all()
    assert 0 < bounds[-1] < theory.least_dissipation(one, two, 10.0)


def test_refused():
    inertial = ktc.Network(1.0, 1.0, inertia=1.0)
    with refused(ValueError, "before must be overdamped, but has inertia or inductors"):
        theory.wasserstein_bound(inertial, inertial, 1.0)
    with refused(ValueError, "after must have the friction"):
        theory.wasserstein_distance(ktc.Network(1.0, 1.0), ktc.Network(1.0, 2.0))
    with refused(ValueError, "after must have kT = 1"):
        theory.wasserstein_distance(ktc.Network(1.0, 1.0), ktc.Network(1.0, 1.0, kT=2.0))
    coupled = ktc.Network([[1.0, 0.5], [0.5, 1.0]], 1.0, quartic=1.0)
    with refused(ValueError, "units 0 and 1 are coupled"):
        theory.wasserstein_bound(coupled, coupled, 1.0)
    with refused(ValueError, "duration must be positive"):
        theory.wasserstein_bound(START, END, 0.0)
