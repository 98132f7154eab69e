"""Closed forms of ktc.theory against quadrature, scipy.stats, time integrals and brute force.

Nothing here is sampled: every tolerance is that of the numerical method it names.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize
import scipy.stats

from ktc import Board, Circuit, Network, Protocol, theory
from reference_drive import Reference, bias_drive

K2 = np.array([[2.0, 0.7], [0.7, 1.0]])
R2 = np.array([[1.0, 0.3], [0.3, 2.5]])  # K R ≠ R K
B2 = np.array([1.2, -0.8])
KT = 0.7

BOLTZMANN = 1.380649e-23
FARADS = np.array([1e-12, 2e-12])
BOARD = Board(
    2, [1e6, 3e6], FARADS, 300.0, stiffness=np.array([[1.0, 0.2], [0.2, 0.5]]) * 1e12, bias=3e-5
)


def network(**changes):
    return Network(**{"stiffness": K2, "friction": R2, "kT": KT, "bias": B2, **changes})


def grid_distribution(stiffness, bias, kT, half_width=9.0, points=161):
    """e^{−H/kT} on a square grid: (points², 2) places, weights, and Z.

    The trapezoidal rule converges exponentially on Gaussians: 161 points over 9 widths to 1e-12.
    """
    centre = np.linalg.solve(stiffness, bias)
    width = half_width * np.sqrt(kT / np.linalg.eigvalsh(stiffness)[0])
    axis = np.linspace(-width, width, points)
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2) + centre
    energy = 0.5 * np.einsum("ni,ij,nj->n", places, stiffness, places) - places @ bias
    weights = np.exp(-energy / kT)
    z = weights.sum() * (axis[1] - axis[0]) ** 2
    return places, weights / weights.sum(), z


def test_equilibrium_and_free_energy_by_quadrature_in_two_dimensions():
    places, weights, z = grid_distribution(K2, B2, KT)
    assert theory.free_energy(network()) == pytest.approx(-KT * np.log(z), rel=1e-11)
    mean = weights @ places
    found = theory.equilibrium(network())
    np.testing.assert_allclose(found.mean, mean, rtol=1e-10)
    covariance = np.einsum("n,ni,nj->ij", weights, places - mean, places - mean)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-10)


@pytest.mark.parametrize("inertia", [None, 0.4])
def test_free_energy_by_quadrature_in_one_dimension(inertia):
    unit = Network(1.7, 0.9, kT=0.3, bias=0.8, inertia=inertia)

    def boltzmann(x):
        return np.exp(-(0.5 * 1.7 * x**2 - 0.8 * x) / 0.3)

    z, _ = scipy.integrate.quad(boltzmann, -10, 10, points=[0.8 / 1.7], epsabs=0, epsrel=1e-12)
    if inertia is not None:
        momenta, _ = scipy.integrate.quad(lambda p: np.exp(-0.5 * p**2 / 0.4 / 0.3), -10, 10)
        z *= momenta
    assert theory.free_energy(unit) == pytest.approx(-0.3 * np.log(z), rel=1e-10)


def test_free_energy_does_not_depend_on_friction():
    assert theory.free_energy(network()) == theory.free_energy(network(friction=5.0))


def test_free_energy_of_a_board_in_joules():
    """−½ C v² per uncoupled cell, and ½ kT ln of a stiffness ratio."""
    board = Board(1, 1e6, 2e-12, 300.0)
    kT = BOLTZMANN * 300.0
    moved = theory.free_energy_change(board, board.program(bias=1e-4))
    assert moved == pytest.approx(-0.5 * 2e-12 * 1e-8, rel=1e-13)
    stiffer = theory.free_energy_change(board, board.program(stiffness=[[2e12]]))
    assert stiffer == pytest.approx(0.5 * kT * np.log(4), rel=1e-13)


def test_free_energy_change_is_the_difference():
    other = Network(K2 + [[1.0, -0.2], [-0.2, 0.3]], R2, KT, bias=[-0.4, 2.0])
    change = theory.free_energy_change(network(), other)
    _, _, before = grid_distribution(K2, B2, KT)
    _, _, after = grid_distribution(other.stiffness, other.bias, KT)
    assert change == pytest.approx(-KT * np.log(after / before), rel=1e-11)
    assert theory.free_energy_change(other, network()) == pytest.approx(-change, rel=1e-13)
    assert theory.free_energy_change(other, other) == 0.0
    inertial = (network(inertia=2.0), network(inertia=8.0))
    assert theory.free_energy_change(*inertial) == pytest.approx(-KT * np.log(4), rel=1e-13)


def test_free_energy_change_keeps_the_digits_of_large_biases():
    """−½(b′² − b²)/k with k = 4 in exact arithmetic; F itself is 10¹⁸ times larger."""
    start, end = 2.0**40, 2.0**40 + 3.0
    exact = -Fraction(1, 8) * (Fraction(end) ** 2 - Fraction(start) ** 2)
    unit = Network(4.0, 1.0, bias=start)
    change = theory.free_energy_change(unit, Network(4.0, 1.0, bias=end))
    assert change == pytest.approx(float(exact), rel=1e-15)
    # A hundredth of kT at a free energy of 10¹² kT, with the stiffness driven as well.
    soft, stiff = Network(1.0, 1.0, bias=1e6), Network(1.0 + 1e-14, 1.0, bias=1e6)
    exact = Fraction(1e6) ** 2 / 2 * (1 - 1 / Fraction(1.0 + 1e-14))
    assert theory.free_energy_change(soft, stiff) == pytest.approx(float(exact), rel=1e-9)


def test_free_energy_change_refuses():
    with pytest.raises(ValueError, match=r"after must have kT = 0\.7, that of before, but has 1"):
        theory.free_energy_change(network(), network(kT=1.0))
    with pytest.raises(ValueError, match="after must have 2 units, as many as before, but has 1"):
        theory.free_energy_change(network(), Network(1.0, 1.0, KT))


@pytest.mark.parametrize("device", [network(), BOARD], ids=["network", "board"])
def test_log_likelihood(device):
    """Against scipy.stats; on a board the density is one of volts."""
    at = device.network
    spread = at.kT * np.linalg.inv(at.stiffness)
    mean = np.linalg.solve(at.stiffness, at.bias)
    if device is BOARD:
        mean, spread = mean / FARADS, spread / np.outer(FARADS, FARADS)
    data = mean + np.array([[0.3, -1.0], [2.0, 0.1], [0.0, 0.0]]) * np.sqrt(np.diag(spread))
    width = np.sqrt(np.diag(spread))
    scaled = scipy.stats.multivariate_normal(np.zeros(2), spread / np.outer(width, width))
    expected = np.mean(scaled.logpdf((data - mean) / width)) - np.sum(np.log(width))
    assert theory.log_likelihood(device, data) == pytest.approx(expected, rel=1e-12)
    one = np.asarray(data[0])
    assert theory.log_likelihood(device, one) == theory.log_likelihood(device, [one])


def test_log_likelihood_refuses():
    for data in ([[1.0, 2.0, 3.0]], [1.0], np.empty((0, 2)), np.zeros((3, 2, 2))):
        with pytest.raises(ValueError, match="data must have shape"):
            theory.log_likelihood(network(), data)
    with pytest.raises(ValueError, match=r"data must be finite, but is nan at index \(0, 1\)"):
        theory.log_likelihood(network(), [[0.0, np.nan]])
    with pytest.raises(TypeError, match="data must be real numbers"):
        theory.log_likelihood(network(), [["a", "b"]])


def test_fisher_matrix_by_quadrature():
    """F = Cov(∂_θE)/kT on the grid; E = ½xᵀKx − bᵀx, or ½(x − λ)ᵀK(x − λ)."""
    places, weights, _ = grid_distribution(K2, B2, KT)
    centre = np.linalg.solve(K2, B2)
    for parameter, force in (("bias", -places), ("center", -(places - centre) @ K2)):
        deviation = force - weights @ force
        covariance = np.einsum("n,ni,nj->ij", weights, deviation, deviation)
        found = theory.fisher_matrix(network(), parameter)
        np.testing.assert_allclose(found, covariance / KT, rtol=1e-9)


def test_fisher_matrix_is_the_curvature_of_the_free_energy():
    """F = −∂²F/∂b²: exact second differences of a quadratic, to rounding."""

    def free(b):
        return theory.free_energy(network(bias=b))

    step = np.eye(2)
    curvature = [
        [
            (free(B2 + u + v) - free(B2 + u - v) - free(B2 - u + v) + free(B2 - u - v)) / 4
            for u in step
        ]
        for v in step
    ]
    np.testing.assert_allclose(theory.fisher_matrix(network()), -np.array(curvature), rtol=1e-12)


@pytest.mark.parametrize("inertia", [None, [0.3, 2.0]], ids=["overdamped", "inertia"])
@pytest.mark.parametrize("parameter", ["bias", "center"])
def test_friction_tensor_by_time_integral(inertia, parameter):
    """(1/kT)∫₀^∞ ⟨δ∂E(0) δ∂E(t)ᵀ⟩ dt, e^{Ft} integrated numerically over 60 slowest times."""
    device = network(inertia=inertia)
    reference = Reference(K2, R2, KT, None if inertia is None else np.array(inertia))
    drift = reference.drift(K2)
    covariance = reference.equilibrium_covariance(K2)
    slowest = 1 / np.abs(np.linalg.eigvals(drift).real).min()

    def correlation(t):
        return (scipy.linalg.expm(drift * t) @ covariance)[:2, :2]

    integral, _ = scipy.integrate.quad_vec(correlation, 0, 60 * slowest, epsrel=1e-10, limit=2000)
    to_bias = np.eye(2) if parameter == "bias" else K2
    expected = to_bias.T @ integral @ to_bias / KT
    found = theory.friction_tensor(device, parameter)
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_array_equal(found, found.T)


def test_closed_forms_of_one_unit():
    """Centre: F = k and ζ = γ; bias: 1/k and γ/k²."""
    unit = Network(2.0, 3.0, kT=0.4)
    assert theory.fisher_matrix(unit, "center").item() == pytest.approx(2.0)
    assert theory.friction_tensor(unit, "center").item() == pytest.approx(3.0)
    assert theory.fisher_matrix(unit).item() == pytest.approx(0.5)
    assert theory.friction_tensor(unit).item() == pytest.approx(0.75)


@pytest.mark.parametrize("device", [network(), BOARD], ids=["network", "board"])
def test_metrics_are_covariant(device):
    """θ′ = Mθ turns a metric G into MᵀGM, here with M from b = K diag(1/scale) λ."""
    jacobian = device.network.stiffness @ np.diag(1 / device.scale)
    np.testing.assert_allclose(theory.parameter_map(device, "center"), jacobian, rtol=1e-14)
    for metric in (theory.fisher_matrix, theory.friction_tensor):
        there = metric(device, "center")
        expected = jacobian.T @ metric(device, "bias") @ jacobian
        np.testing.assert_allclose(there, expected, rtol=1e-12, atol=1e-12 * np.abs(there).max())


def test_metrics_of_a_board_in_volts():
    """An uncoupled cell: ½C(v − λ)², so F = C and ζ = R C² in the centre's volts."""
    board = Board(2, [1e6, 2e6], FARADS, 300.0)
    fisher, friction = (m(board, "center") for m in (theory.fisher_matrix, theory.friction_tensor))
    np.testing.assert_allclose(fisher, np.diag(FARADS), rtol=1e-13)
    np.testing.assert_allclose(friction, np.diag([1e6, 2e6] * FARADS**2), rtol=1e-13)


def test_unknown_parameter():
    for function in (theory.fisher_matrix, theory.friction_tensor, theory.parameter_map):
        with pytest.raises(ValueError, match="parameter must be one of .*'bias', 'center'.*'mean'"):
            function(network(), "mean")


def least_by_brute_force(reference, start, final, duration, ticks):
    """Least excess work over all piecewise constant biases, by general-purpose minimisation."""
    d = len(final)
    holds = np.full(ticks, duration / ticks)

    def excess(flat):
        return bias_drive(reference, start, holds, flat.reshape(ticks, d), final).excess_work

    guess = np.linspace(start, final, ticks + 2)[1:-1].ravel()
    return scipy.optimize.minimize(excess, guess, method="BFGS", options={"gtol": 1e-7}).fun


def test_least_excess_work_by_brute_force():
    """d = 2 with K R ≠ R K, from a biased start: minima over 2, 4, 8 ticks fall to the bound.

    Held drives lose c/n² of it: Richardson's extrapolation of the last two leaves O(1/n⁴), 1e-4.
    """
    reference, final, duration = Reference(K2, R2, KT), np.array([-1.0, 2.0]), 1.1
    bound = theory.least_excess_work(network(), final, duration)
    minima = [least_by_brute_force(reference, B2, final, duration, n) for n in (2, 4, 8)]
    assert minima[0] > minima[1] > minima[2] > bound
    extrapolated = (4 * minima[2] - minima[1]) / 3
    assert extrapolated == pytest.approx(bound, rel=1e-4)


def test_least_excess_work_of_a_board_in_joules():
    """The same circuit in units of 1e12/F, 1e6 ohm and volts: energies scale by 1e-12."""
    scaled = Network(BOARD.stiffness * 1e-12, np.array([1.0, 3.0]), bias=3e-5)
    volts, seconds = np.array([1e-4, -2e-4]), 2e-6
    joules = theory.least_excess_work(BOARD, volts, seconds)
    assert joules == pytest.approx(1e-12 * theory.least_excess_work(scaled, volts, 2.0), rel=1e-12)


def test_least_excess_work_limits():
    """Fast: one jump, ½ μᵀKμ, whatever the friction; slow: μᵀRμ/T; nothing for no move."""
    final = np.array([-1.0, 2.0])
    move = np.linalg.solve(K2, final - B2)
    assert theory.least_excess_work(network(), final, 1e-9) == pytest.approx(
        0.5 * move @ K2 @ move, rel=1e-8
    )
    assert theory.least_excess_work(network(), final, 1e9) == pytest.approx(
        move @ R2 @ move / 1e9, rel=1e-8
    )
    assert theory.least_excess_work(network(), B2, 1.0) == 0.0
    with pytest.raises(ValueError, match="duration must be positive, but is 0"):
        theory.least_excess_work(network(), final, 0.0)
    with pytest.raises(ValueError, match=r"bias must be a scalar or of shape \(2,\)"):
        theory.least_excess_work(network(), [1.0, 2.0, 3.0], 1.0)


def test_optimal_drive_moves_the_mean_at_constant_speed():
    """Means at the ticks' ends by the moment equations lie on a straight line, to O(h²)."""
    final, duration, ticks = np.array([-1.0, 2.0]), 1.1, 400
    drive = theory.optimal_drive(network(), final, duration, ticks)
    assert isinstance(drive, Protocol)
    reference = Reference(K2, R2, KT)
    halfway = bias_drive(reference, B2, drive.holds[:200], drive.controls["bias"][:200], B2).mean
    whole = bias_drive(reference, B2, drive.holds, drive.controls["bias"], final).mean
    start = np.linalg.solve(K2, B2)
    np.testing.assert_allclose(whole - halfway, halfway - start, rtol=1e-4)
    speed = (whole - start) / duration
    lag = duration * np.eye(2) + 2 * np.linalg.solve(K2, R2)
    np.testing.assert_allclose(lag @ speed, np.linalg.solve(K2, final) - start, rtol=1e-4)


def test_stationary_covariance_and_transition():
    """Non-normal reference value of the field, and Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds by quadrature."""
    drift, diffusion = -np.array([[2.0, 1.5], [0.0, 1.0]]), np.array([[1.0, 0.2], [0.2, 0.5]])
    unit = theory.stationary_covariance(drift, np.eye(2))
    np.testing.assert_allclose(np.diag(unit), [0.4375, 0.5], rtol=1e-13)
    decay, noise = theory.linear_transition(drift, diffusion, 0.8)
    np.testing.assert_allclose(decay, scipy.linalg.expm(0.8 * drift), rtol=1e-13)

    def rate(s):
        e = scipy.linalg.expm(drift * s)
        return e @ diffusion @ e.T

    expected, _ = scipy.integrate.quad_vec(rate, 0, 0.8, epsrel=1e-12)
    np.testing.assert_allclose(noise, expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("drift", "diffusion", "message"),
    [
        ([[1.0]], [[1.0]], "stable|negative real"),
        ([[-1.0, 0.0]], [[1.0]], "drift must be a square matrix"),
        ([[-1.0]], [[-1.0]], "diffusion must be positive semidefinite"),
        (-np.eye(2), [[1.0, 0.5], [0.0, 1.0]], "diffusion must be symmetric"),
        (-np.eye(2), [[1.0]], "diffusion must be of shape"),
        ([[np.inf]], [[1.0]], "drift must be finite"),
    ],
)
def test_linear_systems_refuse(drift, diffusion, message):
    with pytest.raises(ValueError, match=message):
        theory.stationary_covariance(drift, diffusion)
    with pytest.raises(ValueError, match=message):
        theory.linear_transition(drift, diffusion, 1.0)


def test_bias_free_energy_of_many():
    biases = np.array([[0.0, 0.0], [1.0, -2.0], B2])
    values = theory.bias_free_energy(network(), biases)
    whole = [theory.free_energy(network(bias=b)) for b in biases]
    np.testing.assert_allclose(np.diff(values), np.diff(whole), rtol=1e-12)
    with pytest.raises(ValueError, match="bias must have 2 columns"):
        theory.bias_free_energy(network(), [[1.0, 2.0, 3.0]])


QUARTIC = Network(2.0, 1.0, quartic=1.0)
SEVERAL = Network(np.eye(2), 1.0, kT=[1.0, 2.0])
GAUSSIAN_ONLY = [
    theory.equilibrium,
    lambda net: theory.fisher_matrix(net, "center"),
    lambda net: theory.friction_tensor(net, "center"),
    lambda net: theory.bias_free_energy(net, np.zeros((1, net.units))),
    lambda net: theory.log_likelihood(net, np.zeros((1, net.units))),
    lambda net: theory.least_excess_work(net, 1.0, 1.0),
    lambda net: theory.optimal_drive(net, 1.0, 1.0, 2),
]


@pytest.mark.parametrize("function", GAUSSIAN_ONLY)
@pytest.mark.parametrize(
    ("network", "words"), [(QUARTIC, "quartic units"), (SEVERAL, "needs one temperature")]
)
def test_closed_forms_of_linear_networks_are_given_for_no_others(function, network, words):
    with pytest.raises(ValueError, match=words):
        function(network)


def test_friction_tensor_of_a_circuit_with_inductors():
    """ζ = K⁻¹ ∫₀^∞ e^{Ft} dt K⁻¹, symmetric part, by quadrature of the matrix exponential."""
    net = Circuit.from_netlist("R1 a m 2\nL1 m 0 3\nC1 a 0 0.5\nR2 a 0 5").compile()
    times = np.linspace(0, 400, 40_001)
    step = scipy.linalg.expm(net.drift * times[1])
    total, power = np.zeros_like(step), np.eye(len(step))
    for k in range(len(times)):
        total += power * (0.5 if k in (0, len(times) - 1) else 1.0)
        power = power @ step
    integral = total * times[1] @ np.linalg.inv(net.stiffness)
    expected = (integral + integral.T) / 2
    # The trapezoid is second order in the step, a hundredth of a second: 1e-4.
    assert theory.friction_tensor(net) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    with pytest.raises(ValueError, match="inductors"):
        theory.least_excess_work(net, 1.0, 1.0)
