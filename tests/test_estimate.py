"""Numbers with error bars."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from ktc import Emulator, Estimate, Network, Protocol


def test_mean_and_standard_error():
    """By hand: mean 3, sample variance 10/3, so stderr = √(10/12)."""
    estimate = Estimate.of_samples([1.0, 2.0, 5.0, 4.0])
    assert estimate.mean == 3.0
    assert estimate.stderr == pytest.approx(np.sqrt(10 / 12), rel=1e-15)
    assert float(estimate) == 3.0
    np.testing.assert_array_equal(estimate.samples, [1.0, 2.0, 5.0, 4.0])


def test_small_spread_on_a_large_mean_is_kept():
    estimate = Estimate.of_samples(1e12 + np.array([-1.0, 1.0]))
    assert estimate.mean == 1e12
    assert estimate.stderr == 1.0


def test_the_error_bar_covers():
    """Of 2000 means of 50 normals, 68.3 % lie within one error bar: binomial, at 4σ.

    At 50 samples the t distribution takes 0.5 % of that. False alarm 6.3e-5.
    """
    generator = np.random.default_rng(61)
    hits = 0
    for _ in range(2000):
        estimate = Estimate.of_samples(generator.normal(3.0, 2.0, size=50))
        hits += abs(estimate.mean - 3.0) < estimate.stderr
    assert abs(hits / 2000 - 0.678) < 4 * np.sqrt(0.683 * 0.317 / 2000)


def autoregressive(rho, count, generator):
    """A stationary series of unit variance, x′ = ρx + √(1 − ρ²) ξ; τ = ½(1 + ρ)/(1 − ρ)."""
    noise = np.sqrt(1 - rho**2) * generator.normal(size=count)
    noise[0] = generator.normal()
    return scipy.signal.lfilter([1.0], [1.0, -rho], noise)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_error_bar_of_a_series_covers(rho):
    """1000 means of series of 200 integrated times or more: 68.3 % within one error bar, at 4σ.

    The error bars' own scatter takes up to 1 % of that.
    """
    generator, count = np.random.default_rng(62), 4000
    means, errors = np.transpose(
        [
            (found.mean, found.stderr)
            for found in (
                Estimate.of_series(autoregressive(rho, count, generator)) for _ in range(1000)
            )
        ]
    )
    exact = np.sqrt((1 + rho) / (1 - rho) / count)
    assert np.mean(errors) == pytest.approx(exact, rel=0.03)
    assert abs(np.mean(np.abs(means) < errors) - 0.683) < 0.01 + 4 * np.sqrt(0.683 * 0.317 / 1000)


def test_a_series_that_alternates_counts_as_independent():
    series = autoregressive(-0.5, 4000, np.random.default_rng(64))
    found, independent = Estimate.of_series(series), Estimate.of_samples(series)
    assert found.stderr == pytest.approx(independent.stderr, rel=1e-3)


def test_one_replica_over_time():
    """400 relaxation times: √(2/400) = 0.0707, to 4σ of an error bar's own 11 %; 6.3e-5."""
    emulator = Emulator(Network(stiffness=1.0, friction=1.0), replicas=1, seed=5)
    series = emulator.play(Protocol(np.full(20_000, 0.02), {}), record="state").series["state"]
    found = Estimate.of_series(series[:, 0, 0], unit="V", kT=2.0)
    assert found.stderr == pytest.approx(np.sqrt(2 / 400), rel=4 * 0.11)
    assert abs(found.mean) < 4 * np.sqrt(2 / 400)
    assert found.method == "mean over time" and found.unit == "V"
    assert found.in_kT.stderr == found.stderr / 2
    assert found.variance == pytest.approx(series.var(ddof=1))


def test_a_series_that_is_too_short_is_refused():
    generator = np.random.default_rng(63)
    for series in (autoregressive(0.999, 2000, generator), np.arange(50.0), [1.0, 2.0, 1.5]):
        with pytest.raises(ValueError, match="series must be longer than 20 integrated times"):
            Estimate.of_series(series)
    with pytest.raises(ValueError, match="series must be one row"):
        Estimate.of_series(np.zeros((3, 2)))
    assert Estimate.of_series(np.ones(20)).stderr == 0


def test_one_sample_has_no_error_bar():
    estimate = Estimate.of_samples([2.5])
    assert estimate.mean == 2.5
    assert estimate.stderr == np.inf


@pytest.mark.parametrize("samples", [[], np.zeros((2, 3)), 5.0])
def test_samples_are_one_row(samples):
    with pytest.raises(ValueError, match="samples must be one row of at least one number"):
        Estimate.of_samples(samples)


def test_in_kT():
    estimate = Estimate.of_samples([1.0, 3.0], unit="J", kT=0.5, method="by hand")
    scaled = estimate.in_kT
    assert (scaled.mean, scaled.stderr, scaled.unit) == (4.0, 2.0, "kT")
    assert scaled.method == "by hand"
    np.testing.assert_array_equal(scaled.samples, [2.0, 6.0])
    assert scaled.in_kT.mean == scaled.mean


def test_in_kT_without_one_temperature():
    with pytest.raises(ValueError, match="kT was not one constant"):
        _ = Estimate.of_samples([1.0, 3.0]).in_kT


def test_exact_numbers_have_no_samples():
    estimate = Estimate.exact(0.25, unit="J", kT=2.0)
    assert (estimate.mean, estimate.stderr) == (0.25, 0.0)
    assert estimate.in_kT.mean == 0.125
    with pytest.raises(ValueError, match="no samples: it is by closed form"):
        _ = estimate.samples
    with pytest.raises(ValueError, match="no samples"):
        _ = estimate.in_kT.samples


def test_shifted():
    estimate = Estimate.of_samples([1.0, 3.0], kT=2.0, unit="J").shifted(-0.5)
    assert (estimate.mean, estimate.stderr, estimate.unit) == (1.5, 1.0, "J")
    np.testing.assert_array_equal(estimate.samples, [0.5, 2.5])
    assert estimate.in_kT.mean == 0.75
    assert Estimate.exact(1.0).shifted(2.0).stderr == 0.0


def test_text():
    assert str(Estimate.of_samples([1.0, 3.0], unit="J")) == "2 ± 1 J"
    assert str(Estimate.exact(0.5)) == "0.5 (closed form)"
    assert repr(Estimate.exact(0.5)) == "<ktc.Estimate: 0.5 (closed form)>"
    # Samples that happen to be equal are no closed form.
    assert str(Estimate.of_samples([2.0, 2.0])) == "2 (mean over replicas)"


def test_samples_of_a_run_cannot_be_written():
    run = Emulator(Network(1.0, 1.0), replicas=3, seed=62).play(Protocol([1.0], {"bias": [2.0]}))
    with pytest.raises(ValueError, match="read-only"):
        run.work.samples[0] = 0.0
