"""Estimates in formulas: propagated errors, pairs of the same replicas, comparison and format."""

from __future__ import annotations

import math
import operator
import pickle

import numpy as np
import pytest

import ktc
from ktc import Estimate
from refusal import refused

A = Estimate(3.0, 0.3, method="a", unit="J", kT=0.5)
B = Estimate(-2.0, 0.4, method="b", unit="J", kT=0.5)


def test_independent_errors_add_in_squares():
    """By hand: absolute errors of sums, relative ones of products and quotients."""
    total, rest, product, ratio = A + B, A - B, A * B, A / B
    assert (total.mean, rest.mean, product.mean, ratio.mean) == (1.0, 5.0, -6.0, -1.5)
    for one in (total, rest):
        assert one.stderr == pytest.approx(0.5, rel=1e-15)
        assert one.unit == "J" and one.in_kT.mean == 2 * one.mean
    for one in (product, ratio):
        with refused(ValueError, "kT was not one constant"):
            one.in_kT  # noqa: B018
    relative = math.hypot(0.1, 0.2)
    assert product.stderr == pytest.approx(6 * relative, rel=1e-15)
    assert ratio.stderr == pytest.approx(1.5 * relative, rel=1e-15)
    assert (product.unit, ratio.unit, (1 / A).unit) == ("J²", "", "1/J")
    assert total.method == "a; b"


def test_numbers_have_no_error():
    for made, mean, error in (
        (A + 1, 4.0, 0.3), (1 + A, 4.0, 0.3), (A - 1, 2.0, 0.3), (1 - A, -2.0, 0.3),
        (2 * A, 6.0, 0.6), (A * -2, -6.0, 0.6), (A / 2, 1.5, 0.15), (6 / A, 2.0, 0.2),
        (-A, -3.0, 0.3), (A * np.float64(2), 6.0, 0.6), (np.float64(2) * A, 6.0, 0.6),
    ):  # fmt: skip
        assert (made.mean, made.stderr) == pytest.approx((mean, error), rel=1e-15)
    exact = Estimate.exact(2.0, variance=3.0)
    assert ((exact * 2).mean, (exact * 2).stderr, (exact * 2).variance) == (4.0, 0.0, 12.0)


def test_estimates_of_one_run_know_what_they_share():
    """work − heat is ΔE, whose scatter is that of its samples and not of two independent ones."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), 2000, 1)
    run = emulator.play(ktc.Protocol.ramp(3.0, 20, bias=(0.0, 5.0)))
    change = run.work - run.heat
    expected = Estimate.of_samples(run.work.samples - run.heat.samples)
    assert change.stderr == pytest.approx(expected.stderr, rel=1e-12)
    assert change.samples == pytest.approx(expected.samples, rel=1e-12, abs=1e-12)
    assert (run.work - run.work).stderr == 0
    assert (run.work / run.work).stderr == pytest.approx(0, abs=1e-16)
    assert (run.excess_work - run.work).stderr == pytest.approx(0, abs=1e-12)
    other = emulator.play(ktc.Protocol.ramp(3.0, 20, bias=(5.0, 0.0)))
    apart = run.work - other.work
    assert apart.stderr == math.hypot(run.work.stderr, other.work.stderr)
    scaled = 2 * run.work.in_kT - run.heat.in_kT
    assert scaled.stderr == pytest.approx(
        Estimate.of_samples(2 * run.work.samples - run.heat.samples).stderr, rel=1e-12
    )


def test_exact_numbers_keep_pairs_and_turning_does():
    w = Estimate.of_samples([1.0, 2.0, 4.0], ensemble="r")
    for exact in (3.0, Estimate.exact(3.0)):
        assert ((w - exact) - w).stderr == pytest.approx(0, abs=1e-15)
    assert (w * (1 / w)).stderr == pytest.approx(0, abs=1e-15)
    zero = Estimate.of_samples([3.0]) * 0
    assert (zero.mean, zero.stderr) == (0.0, 0.0)
    with refused(ValueError, "must be as many, but are 3 and 1"):
        w - Estimate.of_samples([1.0], ensemble="r")
    with refused(ValueError, "different units"):
        Estimate(1.0, 0.1, method="a", unit="V") < A  # noqa: B015


def test_an_error_that_is_not_in_the_samples_stays():
    """ΔF of an estimate adds to the pair's scatter: 0.3 beside that of the samples."""
    replicas = object()
    rng = np.random.default_rng(1)
    one = Estimate.of_samples(rng.normal(size=50), ensemble=replicas).shifted(0.0, 0.3)
    other = Estimate.of_samples(rng.normal(size=50), ensemble=replicas)
    alone = Estimate.of_samples(one.samples - other.samples).stderr
    assert (one - other).stderr == pytest.approx(math.hypot(alone, 0.3), rel=1e-12)


@pytest.mark.parametrize("operation", [operator.mul, operator.truediv])
def test_pairs_cover(operation):
    """1σ coverage of a product and a ratio of correlated means, 2000 times: 68.3 % at 4σ of the
    binomial, and 1 % for 200 samples and the second order.
    """
    rng = np.random.default_rng(3)
    exact, hits = operation(3.0, 2.0), 0
    for _ in range(2000):
        shared = rng.normal(size=200)
        replicas = object()
        a, b = (
            Estimate.of_samples(mean + shared + 0.5 * rng.normal(size=200), ensemble=replicas)
            for mean in (3.0, 2.0)
        )
        found = operation(a, b)
        hits += abs(found.mean - exact) < found.stderr
    assert abs(hits / 2000 - 0.683) < 0.01 + 4 * math.sqrt(0.683 * 0.317 / 2000)


def test_comparison_and_format():
    assert A > B and A >= 3 and A < 3.5 and B <= -2.0 and not A > 4
    assert A > 2 and sorted([A, B]) == [B, A]
    assert f"{A:.2f}" == "3.00 ± 0.30 J"
    assert f"{Estimate.exact(2.0, unit='V'):.1e}" == "2.0e+00 V"
    assert f"{A}" == str(A)


def test_what_is_refused():
    with refused(ValueError, "different units, 'J' and 'V'"):
        A + Estimate(1.0, 0.1, method="a", unit="V")
    with refused(ZeroDivisionError, "the divisor of 3 ± 0.3 J is zero"):
        A / 0
    for wrong in ("1", None, [1.0], np.ones(2)):
        with pytest.raises(TypeError):
            A + wrong
        with pytest.raises(TypeError):
            wrong > A  # noqa: B015


def test_a_saved_fit_pairs_again(tmp_path):
    """A loaded fit is one run too."""
    fit = ktc.learn(
        ktc.Network(1.0, 1.0), 2.0, ktc.schedules.Constant(1.0, 0.5), replicas=50, ticks=10, seed=1
    )
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    # ΔF at a run's own parameters differs from run to run, so that these errors are not the same.
    changes = [(one.excess_work - one.work).stderr for one in (fit, again)]
    assert changes[0] == changes[1] < math.hypot(fit.excess_work.stderr, fit.work.stderr)
    alone = math.sqrt(fit.work.variance / 50)
    parts = [one.stderr / alone for one in (fit.excess_work, fit.work)]
    assert parts[0] > 1 > parts[1]
    rest = math.sqrt(parts[0] ** 2 - 1)
    assert changes[0] == pytest.approx(alone * math.hypot(1 - parts[1], rest), rel=1e-9)
    assert (fit.work - again.work).stderr == math.hypot(fit.work.stderr, again.work.stderr)


def test_what_two_estimates_share_counts_once():
    """A common source c with coefficients a and b is a + b of it, alone or through a third."""
    c = Estimate(1.0, 0.5, method="c", unit="J")
    one, other = A + c, B - 2 * c
    assert (one - A).stderr == pytest.approx(0.5, rel=1e-15)
    assert (one + other).stderr == pytest.approx(math.hypot(0.3, 0.4, 0.5), rel=1e-15)
    assert (2 * one + other).stderr == pytest.approx(math.hypot(0.6, 0.4), rel=1e-15)
    assert (one - one).stderr == 0 and (A - A).stderr == 0
    assert (A * c / c).stderr == pytest.approx(0.3, rel=1e-12)
    works = [Estimate.of_samples(np.arange(5.0) * k, unit="J", ensemble=k) for k in (1.0, 2.0)]
    lost = works[0].shifted(-c) - works[1].shifted(-c)
    assert lost.stderr == pytest.approx(math.hypot(*(work.stderr for work in works)), rel=1e-15)
    again = lost + works[1]
    assert again.stderr == pytest.approx(works[0].stderr, rel=1e-12)
    assert again.stderr == pytest.approx((lost + works[1] + c - c).stderr, rel=1e-12)


def test_shared_sources_cover():
    """1σ coverage of (x + c)(y − c)/c over 4000 sets of three sources: 68.3 % at 4σ of the
    binomial, and 1 % for the second order of errors of 2 %.
    """
    rng, hits = np.random.default_rng(5), 0
    means = np.array([3.0, 5.0, 1.5])
    exact = (means[0] + means[2]) * (means[1] - means[2]) / means[2]
    for draw in rng.normal(means, 0.02 * means, size=(4000, 3)):
        x, y, c = (Estimate(v, 0.02 * m, method="m") for v, m in zip(draw, means, strict=True))
        found = (x + c) * (y - c) / c
        hits += abs(found.mean - exact) < found.stderr
    assert abs(hits / 4000 - 0.683) < 0.01 + 4 * math.sqrt(0.683 * 0.317 / 4000)


def test_an_error_beyond_the_samples_is_common_to_a_run():
    rows, replicas = np.random.default_rng(2).normal(size=(2, 40)), object()
    one, again, other = (
        Estimate(float(row.mean()), 2 * float(row.std(ddof=1)) / math.sqrt(40), row, method="m",
                 ensemble=replicas)
        for row in (rows[0], rows[0], rows[1])
    )  # fmt: skip
    assert (one - again).stderr == 0
    errors = [math.sqrt(3) * float(row.std(ddof=1)) / math.sqrt(40) for row in rows]
    alone = Estimate.of_samples(rows[0] - rows[1]).stderr
    expected = math.hypot(alone, errors[0] - errors[1])
    assert (one - other).stderr == pytest.approx(expected, rel=1e-12)
    less = Estimate(1.0, 0.5 * one.stderr / 4, rows[0], method="m", ensemble=replicas)
    assert (less + 0 * other).stderr == pytest.approx(less.stderr, rel=1e-12)


def test_excess_works_share_a_measured_free_energy():
    """ΔF of coupled quartic units is estimated: differences of what has it do not count it."""
    coupled = ktc.Network(0.7 * np.eye(4) + 0.3, 1.0, quartic=0.2)
    rule = ktc.schedules.MinimalDissipation(1.0)
    fit = ktc.learn(coupled, [[1.0, 0.5, 0.0, 0.0]], rule, replicas=200, ticks=20, seed=1)
    assert fit.free_energy_change.stderr > 0
    assert (fit.excess_work - fit.work).stderr == fit.free_energy_change.stderr
    assert (fit.excess_work + fit.free_energy_change - fit.work).stderr < 1e-12
    assert (fit.excess_work - fit.completed(fit.controls)).stderr < 1e-12
    lost, completed = pickle.loads(pickle.dumps((fit.excess_work, fit.completed(fit.controls))))
    assert (lost - completed).stderr < 1e-12
    apart = fit.excess_work - fit.likelihood_bias
    assert apart.stderr == pytest.approx(fit.work.stderr, rel=1e-12)
    emulator = ktc.Emulator(coupled, 200, 1)
    run = emulator.play(ktc.Protocol.ramp(1.0, 9, bias=([0.0] * 4, [1.0, 0.0, 0.0, 0.0])))
    assert (run.excess_work - run.work + run.free_energy_change).stderr < 1e-12


@pytest.mark.parametrize(
    ("one", "other", "times", "over"),
    [
        ("J", "J", "J²", ""),
        ("J·s", "J", "J²·s", "s"),
        ("J s", "J", "J²·s", "s"),
        ("1/F", "F", "", "1/F²"),
        ("V", "1/F", "V/F", "V·F"),
        ("J/(V·s)", "V²", "J·V/s", "J/(V³·s)"),
        ("V^2/Hz", "V**2", "V⁴/Hz", "1/Hz"),
        ("m/s/s", "s⁻²", "m/s⁴", "m"),
        ("", "kT", "kT", "1/kT"),
        ("°C", "%", "°C·%", "°C/%"),
        ("2J", "J", "2J·J", "2J/J"),
    ],
)
def test_units_cancel(one, other, times, over):
    a, b = (Estimate(2.0, 0.1, method="m", unit=unit) for unit in (one, other))
    assert ((a * b).unit, (a / b).unit) == (times, over)


def test_free_energies_of_one_seed_share_their_noise():
    """ΔF to two ends from one start: over 60 seeds the difference scatters as its error says,
    which is below that of independent ones; the ratio of variances is within its 5σ.
    """
    start = ktc.Network([[0.5, 0.3], [0.3, 0.5]], 1.0, quartic=0.5)
    ends = [start.with_controls(bias=[1.0, shift]) for shift in (0.0, 0.2)]
    found, errors, apart = [], [], []
    for seed in range(60):
        one, other = (
            ktc.theory.free_energy_difference(start, end, replicas=100, seed=seed) for end in ends
        )
        found.append((one - other).mean)
        errors.append((one - other).stderr)
        apart.append(math.hypot(one.stderr, other.stderr))
    ratio = np.var(found, ddof=1) / np.mean(np.square(errors))
    assert abs(ratio - 1) < 5 * math.sqrt(2 / 59)
    assert np.mean(errors) < 0.5 * np.mean(apart)
    again = ktc.theory.free_energy_difference(start, ends[0], replicas=100, seed=0)
    first = ktc.theory.free_energy_difference(start, ends[0], replicas=100, seed=0)
    assert (again - first).stderr < 1e-15
    whole = ktc.theory.free_energy_difference(start, ends[0], "integration", replicas=100, seed=0)
    assert (whole - whole).stderr == 0 and whole.stderr > 0
