"""The best open-loop drives, played: their bounds, their order in the tick, their statistics.

Orders of convergence are measured on exact moment equations (reference_drive), without noise; the
sampling engine is then compared with the same equations. "4σ" means that one comparison fails by
chance with probability 6.3e-5 (two-sided normal); every seed is fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

from ktc import Board, Emulator, Network, Protocol, theory
from reference_drive import Reference, bias_drive, mean_work, stiffness_work_form

K3 = np.array([[2.0, 0.7, -0.2], [0.7, 1.0, 0.3], [-0.2, 0.3, 1.5]])
R3 = np.array([[1.0, 0.3, 0.0], [0.3, 0.5, -0.1], [0.0, -0.1, 2.0]])  # K R ≠ R K
B3 = np.array([3.0, -1.0, 0.5])

# name: stiffness, friction, kT, inertia, final bias, duration
CASES = {
    "one unit": (np.eye(1), np.eye(1), 1.0, None, np.array([5.0]), 1.0),
    "coupled": (K3, R3, 0.7, None, B3, 1.5),
    "inertia": (K3, R3, 0.7, np.array([0.3, 0.8, 1.2]), B3, 1.5),
}


def described(name):
    stiffness, friction, kT, inertia, bias, duration = CASES[name]
    network = Network(stiffness, friction, kT, inertia=inertia)
    return network, Reference(stiffness, friction, kT, inertia), bias, duration


def reference_of(reference, drive):
    d = reference.units
    return bias_drive(
        reference, np.zeros(d), drive.holds, drive.controls["bias"], drive.final["bias"]
    )


@pytest.mark.parametrize("name", ["one unit", "coupled"])
def test_second_order_in_the_tick(name):
    network, reference, bias, duration = described(name)
    bound = theory.least_excess_work(network, bias, duration)
    errors = []
    for ticks in (8, 16, 32, 64, 128):
        drive = theory.optimal_drive(network, bias, duration, ticks)
        errors.append(reference_of(reference, drive).excess_work - bound)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert min(errors) > 0  # held drives are drives: none may beat the bound
    # The next term of the expansion is smaller by (h/τ)², here below 2 % from 16 ticks on.
    np.testing.assert_allclose(orders[1:], 2.0, atol=0.02)


def test_impulses_are_first_order_and_reach_the_underdamped_bound():
    """k λ²/(2 + Q ω₀ t_f), Gomez-Marin, Schmiedl, Seifert (2008).

    A held impulse of length h loses R v² h/3 instead of R v² h and moves by v h/2 instead of v h:
    the best of such drives has the effective duration (T − h)²/(T − 4h/3) ≈ T − 2h/3.
    """
    k, friction, inertia, distance, duration = 1.3, 0.8, 0.6, 2.0, 1.7
    network = Network(k, friction, kT=0.9, inertia=inertia)
    reference = Reference(k, friction, 0.9, inertia)
    quality, frequency = np.sqrt(k * inertia) / friction, np.sqrt(k / inertia)
    bound = k * distance**2 / (2 + quality * frequency * duration)
    assert theory.least_excess_work(network, k * distance, duration) == pytest.approx(
        bound, rel=1e-12
    )
    relative = []
    for ticks in (250, 500, 1000):
        drive = theory.optimal_drive(network, k * distance, duration, ticks)
        relative.append(reference_of(reference, drive).excess_work / bound - 1)
    leading = 2 / 3 * duration / (duration + 2 * friction / k) / np.array([250, 500, 1000])
    # Second-order terms are of relative size h/τ = 1 % at 250 ticks.
    np.testing.assert_allclose(relative, leading, rtol=0.02)


@pytest.mark.parametrize("name", list(CASES))
def test_engine_agrees_with_the_moment_equations(name):
    """Mean and variance of work, mean and covariance of the state, each at 4σ."""
    network, reference, bias, duration = described(name)
    drive = theory.optimal_drive(network, bias, duration, ticks=20)
    exact = reference_of(reference, drive)
    replicas = 40_000
    emulator = Emulator(network, replicas=replicas, seed=20)
    run = emulator.play(drive)

    assert abs(run.work.mean - exact.work) < 4 * run.work.stderr
    assert run.work.stderr == pytest.approx(np.sqrt(exact.work_variance / replicas), rel=0.02)
    # The work is Gaussian: Var(s²)/Var² = 2/N, and its skewness scatters by √(6/N).
    samples = run.work.samples
    spread = np.var(samples, ddof=1) / exact.work_variance - 1
    assert abs(spread) < 4 * np.sqrt(2 / replicas)
    assert abs(np.mean((samples - samples.mean()) ** 3) / np.std(samples) ** 3) < 4 * np.sqrt(
        6 / replicas
    )
    d = network.units
    moments = emulator.moments()
    variances = np.diag(exact.covariance)[:d]
    deviations = (moments.mean - exact.mean[:d]) / np.sqrt(variances / replicas)
    assert np.abs(deviations).max() < 4
    scatter = np.sqrt((np.outer(variances, variances) + exact.covariance[:d, :d] ** 2) / replicas)
    assert (np.abs(moments.covariance - exact.covariance[:d, :d]) < 4 * scatter).all()


@pytest.mark.parametrize("name", list(CASES))
def test_fluctuation_and_dissipation_of_work(name):
    """Var W = 2 kT W_ex with both jumps: exact in the moments, at 4σ in samples of either side."""
    network, reference, bias, duration = described(name)
    drive = theory.optimal_drive(network, bias, duration, ticks=7)
    exact = reference_of(reference, drive)
    assert exact.work_variance == pytest.approx(2 * network.kT * exact.excess_work, rel=1e-12)

    replicas = 40_000
    run = Emulator(network, replicas=replicas, seed=21).play(drive)
    excess, variance = run.excess_work, np.var(run.work.samples, ddof=1)
    # Mean and variance of Gaussian samples are independent.
    error = np.hypot(2 * network.kT * excess.stderr, variance * np.sqrt(2 / replicas))
    assert abs(variance - 2 * network.kT * excess.mean) < 4 * error


@pytest.mark.parametrize("duration", [0.5, 1.0, 2.0, 5.0, 20.0])
def test_centre_moved_to_five(duration):
    """μ²/(T + 2), physics in units k = γ = kT = 1; 400 ticks leave less than 0.2 % of it."""
    network = Network(1.0, 1.0)
    drive = theory.optimal_drive(network, 5.0, duration, ticks=400)
    excess = Emulator(network, replicas=20_000, seed=5).play(drive).excess_work
    exact = reference_of(Reference(1.0, 1.0), drive).excess_work
    assert exact == pytest.approx(25 / (duration + 2), rel=2e-3)
    assert abs(excess.mean - exact) < 4 * excess.stderr


def test_one_cell_in_joules():
    board = Board(cells=1, resistance=2e6, capacitance=3e-12, temperature=310.0)
    kT = 1.380649e-23 * 310.0
    tau, volts = 6e-6, 8 * np.sqrt(kT / 3e-12)
    duration = 1.5 * tau
    # R C² V²/(T + 2RC): friction R, moved charge C V.
    bound = 2e6 * (3e-12 * volts) ** 2 / (duration + 2 * tau)
    assert theory.least_excess_work(board, volts, duration) == pytest.approx(bound, rel=1e-12)
    run = board.emulator(replicas=20_000, seed=6).play(
        theory.optimal_drive(board, volts, duration, ticks=200)
    )
    assert run.excess_work.unit == "J"
    # 200 ticks leave (h/τ)²/12 ≈ 5e-6 of the bound, far below the error bar of 0.2 %.
    assert abs(run.excess_work.mean - bound) < 4 * run.excess_work.stderr
    assert run.free_energy_change.mean == pytest.approx(-0.5 * 3e-12 * volts**2, rel=1e-12)


def test_any_change_of_the_drive_costs_more():
    """Smooth changes of the held drive, both signs, against the moment equations."""
    network, reference, bias, duration = described("coupled")
    drive = theory.optimal_drive(network, bias, duration, ticks=64)
    least = reference_of(reference, drive).excess_work
    midpoints = (np.arange(64) + 0.5) / 64
    for wave in (np.ones(64), np.sin(np.pi * midpoints), np.cos(2 * np.pi * midpoints)):
        for unit in range(3):
            for sign in (-0.3, 0.3):
                values = drive.controls["bias"].copy()
                values[:, unit] += sign * wave
                changed = Protocol(drive.holds, {"bias": values}, drive.final)
                assert reference_of(reference, changed).excess_work > least


# --- Stiffness -----------------------------------------------------------------------------------


def work_of_width(final_width, duration, k_start, k_final, kT=1.0, friction=1.0):
    """Work of s(t) linear from √(kT/k_start) to ``final_width``, by quadrature of ½ k̇ s² dt.

    The jumps cost ½ Δk s²; between them k = kT/s² − R ṡ/s and k̇ is its derivative.
    """
    start = np.sqrt(kT / k_start)
    speed = (final_width - start) / duration

    def stiffness(width):
        return kT / width**2 - friction * speed / width

    def power(t):
        width = start + speed * t
        slope = (-2 * kT / width**3 + friction * speed / width**2) * speed
        return 0.5 * slope * width**2

    smooth, _ = scipy.integrate.quad(power, 0, duration, epsabs=1e-13, epsrel=1e-13)
    first = 0.5 * (stiffness(start) - k_start) * start**2
    last = 0.5 * (k_final - stiffness(final_width)) * final_width**2
    return first + smooth + last


@pytest.mark.parametrize(("duration", "work"), [(0.1, 0.478289), (1.0, 0.402918), (10.0, 0.354741)])
def test_least_work_of_stiffening(duration, work):
    """Stiffness 1 → 2 (Schmiedl, Seifert 2007), minimised numerically over the final width."""
    best = scipy.optimize.minimize_scalar(
        work_of_width,
        bounds=(0.3, 1.5),
        method="bounded",
        args=(duration, 1.0, 2.0),
        options={"xatol": 1e-10},
    )
    assert best.fun == pytest.approx(work, abs=6e-7)  # six published digits
    unit = Network(1.0, 1.0)
    least = theory.least_stiffness_excess_work(unit, 2.0, duration)
    assert least == pytest.approx(best.fun - 0.5 * np.log(2), abs=1e-10)


@pytest.mark.parametrize(("k_final", "duration"), [(2.0, 1.0), (0.3, 0.7), (5.0, 0.05)])
def test_least_work_in_other_units(k_final, duration):
    """Stiffer and softer, in units where nothing is one; against the same minimisation."""
    kT, friction, k_start = 0.6, 1.7, 0.8
    width = np.sqrt(kT / k_start)
    best = scipy.optimize.minimize_scalar(
        work_of_width,
        bounds=(0.2 * width, 3 * width),
        method="bounded",
        args=(duration, k_start, k_final, kT, friction),
        options={"xatol": 1e-10},
    )
    unit = Network(k_start, friction, kT)
    least = theory.least_stiffness_excess_work(unit, k_final, duration)
    change = 0.5 * kT * np.log(k_final / k_start)
    assert least == pytest.approx(best.fun - change, abs=1e-9)


def stiffness_reference(k_start, drive, friction=1.0, kT=1.0):
    form, covariance = stiffness_work_form(
        k_start,
        drive.holds,
        drive.controls["stiffness"].ravel(),
        float(drive.final["stiffness"].item()),
        friction,
        kT,
    )
    return form @ covariance


def test_the_two_references_agree():
    """Variance equations and the quadratic form in correlated states give one mean work."""
    drive = theory.optimal_stiffness_drive(Network(1.0, 1.0), 2.0, 1.0, ticks=9)
    product = stiffness_reference(1.0, drive)
    settings = [(np.zeros(1), k) for k in drive.controls["stiffness"]]
    moments = mean_work(
        Reference(1.0, 1.0),
        (np.zeros(1), np.eye(1)),
        drive.holds,
        settings,
        (np.zeros(1), drive.final["stiffness"]),
    )
    assert np.trace(product) == pytest.approx(moments.work, rel=1e-13)


@pytest.mark.parametrize(("duration", "from_ticks"), [(0.1, 8), (1.0, 8), (10.0, 64)])
def test_stiffness_drive_is_second_order(duration, from_ticks):
    """From T = 10 on, the first ticks must resolve τ = 1: hence more of them."""
    unit = Network(1.0, 1.0)
    bound = theory.least_stiffness_excess_work(unit, 2.0, duration) + 0.5 * np.log(2)
    errors = []
    for ticks in from_ticks * np.array([1, 2, 4, 8]):
        drive = theory.optimal_stiffness_drive(unit, 2.0, duration, int(ticks))
        errors.append(np.trace(stiffness_reference(1.0, drive)) - bound)
    assert min(errors) > 0
    np.testing.assert_allclose(
        np.log2(np.array(errors[:-1]) / errors[1:]), [2.0, 2.0, 2.0], atol=0.03
    )


def test_no_held_stiffness_does_better():
    """Brute force over eight held values: between the bound and the sampled closed form."""
    unit, duration, ticks = Network(1.0, 1.0), 1.0, 8
    drive = theory.optimal_stiffness_drive(unit, 2.0, duration, ticks)
    bound = theory.least_stiffness_excess_work(unit, 2.0, duration) + 0.5 * np.log(2)

    def work(values):
        form, covariance = stiffness_work_form(1.0, drive.holds, values, 2.0, 1.0, 1.0)
        return float(np.trace(form @ covariance))

    best = scipy.optimize.minimize(work, np.linspace(1, 2, ticks), method="BFGS")
    sampled = work(drive.controls["stiffness"].ravel())
    assert bound < best.fun <= sampled + 1e-9
    # Both errors are of second order in the tick; at eight ticks that is 0.1 % of the work.
    assert sampled - bound < 1e-3 * bound


@pytest.mark.parametrize("duration", [0.1, 1.0, 10.0])
def test_engine_stiffens_at_the_least_work(duration):
    """Work against its exact mean and variance at 4σ, and against the bound."""
    unit, replicas = Network(1.0, 1.0), 40_000
    drive = theory.optimal_stiffness_drive(unit, 2.0, duration, ticks=256)
    product = stiffness_reference(1.0, drive)
    variance = 2 * np.trace(product @ product)
    fourth = 48 * np.trace(np.linalg.matrix_power(product, 4))  # κ₄ of a quadratic form
    run = Emulator(unit, replicas=replicas, seed=22).play(drive)
    assert abs(run.work.mean - np.trace(product)) < 4 * np.sqrt(variance / replicas)
    scatter = np.sqrt(fourth / replicas + 2 * variance**2 / replicas)
    assert abs(np.var(run.work.samples, ddof=1) - variance) < 4 * scatter
    assert run.free_energy_change.mean == pytest.approx(0.5 * np.log(2), rel=1e-12)
    # The tick's own error is below 0.1 % of the excess, far inside the error bar.
    bound = theory.least_stiffness_excess_work(unit, 2.0, duration)
    assert abs(run.excess_work.mean - bound) < 4 * run.excess_work.stderr


def test_stiffness_of_one_cell_in_joules():
    """The same ratio of stiffness and of T/τ costs the same in kT, whatever the units."""
    board = Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
    least = theory.least_stiffness_excess_work(board, 2e12, 1e-6)
    unit = theory.least_stiffness_excess_work(Network(1.0, 1.0), 2.0, 1.0)
    assert least == pytest.approx(unit * 1.380649e-23 * 300.0, rel=1e-12)
    drive = theory.optimal_stiffness_drive(board, 2e12, 1e-6, ticks=100)
    run = board.emulator(replicas=20_000, seed=23).play(drive)
    assert abs(run.excess_work.mean - least) < 4 * run.excess_work.stderr


def test_a_fast_widening_stays_confined():
    """Softening 1000-fold in a thousandth of τ: the held stiffness stays positive."""
    drive = theory.optimal_stiffness_drive(Network(1.0, 1.0), 1e-3, 1e-3, ticks=50)
    assert drive.controls["stiffness"].min() > 0


@pytest.mark.parametrize(
    ("device", "stiffness", "duration", "message"),
    [
        (Network(np.eye(2), 1.0), 2.0, 1.0, "one overdamped unit"),
        (Network(1.0, 1.0, inertia=1.0), 2.0, 1.0, "one overdamped unit"),
        (Network(1.0, 1.0, bias=0.5), 2.0, 1.0, "without bias"),
        (Network(1.0, 1.0), 0.0, 1.0, "stiffness must be positive"),
        (Network(1.0, 1.0), -2.0, 1.0, "stiffness must be positive"),
        (Network(1.0, 1.0), [1.0, 2.0], 1.0, "stiffness must be of shape"),
        (Network(1.0, 1.0), 2.0, 0.0, "duration must be positive"),
    ],
)
def test_stiffness_drives_refuse(device, stiffness, duration, message):
    with pytest.raises(ValueError, match=message):
        theory.least_stiffness_excess_work(device, stiffness, duration)
    with pytest.raises(ValueError, match=message):
        theory.optimal_stiffness_drive(device, stiffness, duration, ticks=10)


def test_bias_drives_refuse():
    unit = Network(1.0, 1.0)
    with pytest.raises(ValueError, match="duration must be positive"):
        theory.optimal_drive(unit, 5.0, -1.0, ticks=10)
    with pytest.raises(ValueError, match="ticks must be at least 1"):
        theory.optimal_drive(unit, 5.0, 1.0, ticks=0)
    with pytest.raises(ValueError, match=r"bias must be a scalar or of shape \(1,\)"):
        theory.optimal_drive(unit, [5.0, 5.0], 1.0, ticks=10)
