"""Running statistics against NumPy on recorded states, and against closed forms.

Statistical tests fix their seeds and compare at 4.5 standard errors, 6.8e-6 for each number.
"""

import numpy as np
import pytest

import ktc
from ktc._base.codec import to_record
from ktc._emulation import recorder
from ktc._emulation.statistics import Statistics
from refusal import refused

K2 = np.array([[2.0, 0.6], [0.6, 1.0]])
REPLICAS, TICKS, LAGS = 130, 30, 4
SETTLING = ktc.Imperfections(settling_time=3e-7, offset=1e-5, capacitance_tolerance=0.1, seed=5)


def board(**options):
    return ktc.Board(2, 1e6, [1e-12, 2e-12], 300.0, stiffness=K2 * 1e12, **options)


def emulator_of(kind, **options):
    options = {"replicas": REPLICAS, "seed": 31, **options}
    friction = [1.0, 0.5]
    if kind == "board":
        return board().emulator(**options)
    if kind == "real board":
        return board(imperfections=SETTLING).emulator(**options)
    if kind == "inertia":
        return ktc.Emulator(ktc.Network(K2, friction, inertia=[0.4, 0.9]), **options)
    if kind == "quartic":
        return ktc.Emulator(ktc.Network(K2, friction, quartic=[0.1, 0.2]), **options)
    network = ktc.Network(K2, friction, kT=0.8, bias=[0.1, 0.2])
    if kind == "itemised":
        return ktc.Emulator(network, resolve_heat=True, **options)
    dtype = "float32" if kind == "single" else "float64"
    return ktc.Emulator(network, dtype=dtype, **options)


KINDS = ["rc", "single", "itemised", "inertia", "quartic", "board", "real board"]


def drive(kind, ticks=TICKS):
    tau, unit = (1e-6, 1e-4) if "board" in kind else (1.0, 1.0)
    bias = unit * np.column_stack([np.linspace(0, 2, ticks), np.sin(np.arange(ticks))])
    return ktc.Protocol(np.full(ticks, 0.2 * tau), {"bias": bias}, final={"bias": 0.0})


def edges(kind):
    """Uneven ones, and even ones for the second unit; some samples lie outside."""
    uneven = np.array([-1.0, -0.5, -0.4, 0.1, 0.2, 1.0, 1.1])
    return (1e-4 if "board" in kind else 1.0) * np.array([uneven, np.linspace(-1, 1, 7)])


def autocovariance(states, lags):
    """States (points, replicas, d) about their one mean, over all pairs of each lag."""
    deviation = states - states.mean(axis=(0, 1))
    points = len(states)
    return np.array(
        [(deviation[lag:] * deviation[: points - lag]).mean(axis=(0, 1)) for lag in range(lags + 1)]
    )


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_those_of_the_recorded_states(kind, every):
    """To rounding: sums of 3900 samples or less."""
    wanted = ktc.Statistics(
        covariance=True, histogram=edges(kind), autocorrelation=LAGS, every=every
    )
    run = emulator_of(kind).play(drive(kind), record="state", every=every, statistics=wanted)
    states, found = run.series["state"], run.statistics
    flat = states.reshape(-1, 2)
    assert found.observations == len(states)
    assert found.samples == len(flat)
    scale = flat.std(axis=0)
    np.testing.assert_allclose(found.mean, flat.mean(axis=0), rtol=0, atol=1e-13 * scale.max())
    np.testing.assert_allclose(found.variance, flat.var(axis=0), rtol=1e-12)
    covariance = np.cov(flat.T, bias=True)
    np.testing.assert_allclose(
        found.covariance, covariance, rtol=1e-12, atol=1e-13 * covariance.max()
    )
    for unit in range(2):
        row = edges(kind)[unit]
        counts, _ = np.histogram(flat[:, unit], row)
        np.testing.assert_array_equal(found.histogram[unit], counts)
        assert found.below[unit] == np.sum(flat[:, unit] < row[0])
        assert found.above[unit] == np.sum(flat[:, unit] > row[-1])
        np.testing.assert_allclose(found.density[unit], counts / len(flat) / np.diff(row))
        assert counts.min() > 0
    assert found.below.sum() > 0
    assert found.above.sum() > 0
    expected = autocovariance(states, LAGS)
    np.testing.assert_allclose(found.autocorrelation, expected / expected[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.lags, np.arange(LAGS + 1) * (run.times[1] - run.times[0]))
    assert found.interval == pytest.approx(run.times[1] - run.times[0])


@pytest.mark.parametrize("kind", ["rc", "quartic", "real board"])
def test_gathering_does_not_disturb(kind):
    plain, watched = emulator_of(kind), emulator_of(kind)
    first = plain.play(drive(kind))
    second = watched.play(drive(kind), statistics=ktc.Statistics(every=7))
    np.testing.assert_array_equal(plain.read(), watched.read())
    # Posts are summed in groups that a stop cuts: books agree to rounding.
    most = 1e-14 * abs(first.work.samples).max()
    np.testing.assert_allclose(first.work.samples, second.work.samples, rtol=0, atol=most)
    with refused(ValueError, "no statistics", "statistics=ktc.Statistics"):
        first.statistics  # noqa: B018


def numbers(found):
    return {name: array.tobytes() for name, array in to_record(found).arrays.items()}


@pytest.mark.parametrize("kind", ["rc", "itemised", "quartic"])
def test_threads_make_the_same_bits(kind):
    """Enough replicas that five threads are woken."""
    wanted = ktc.Statistics(covariance=True, histogram=edges(kind), autocorrelation=3)
    several = [
        numbers(
            emulator_of(kind, replicas=20_000, threads=threads, first_replica=7)
            .play(drive(kind, 5), statistics=wanted)
            .statistics
        )
        for threads in (1, 2, 5)
    ]
    assert several[0] == several[1] == several[2]


def test_a_protocol_in_pieces_is_observed_alike(monkeypatch):
    """Records at other ticks, a progress bar, and waveforms handed over seven ticks at a time."""
    wanted = ktc.Statistics(covariance=True, autocorrelation=LAGS, every=3)
    whole = emulator_of("rc").play(drive("rc"), statistics=wanted)
    monkeypatch.setattr(recorder, "NUMBERS_AT_ONCE", 14)
    pieces = emulator_of("rc").play(
        drive("rc"), record="mean", every=4, progress=True, statistics=wanted
    )
    assert numbers(whole.statistics) == numbers(pieces.statistics)


def test_far_off_means_keep_their_digits():
    """x = 1e8 ± 1: the states themselves have 1.5e-8 of rounding, their statistics add none."""
    emulator = ktc.Emulator(
        ktc.Network(stiffness=1.0, friction=1.0, bias=1e8), replicas=1000, seed=5
    )
    run = emulator.play(
        ktc.Protocol(np.full(50, 0.3), {}),
        record="state",
        statistics=ktc.Statistics(autocorrelation=2, covariance=True),
    )
    deviation = run.series["state"] - 1e8
    np.testing.assert_allclose(run.statistics.variance, deviation.var(axis=(0, 1)), rtol=1e-13)
    np.testing.assert_allclose(run.statistics.covariance[0], deviation.var(axis=(0, 1)), rtol=1e-13)
    expected = autocovariance(deviation, 2)
    np.testing.assert_allclose(
        run.statistics.autocorrelation, expected / expected[0], rtol=0, atol=1e-13
    )


def test_values_on_edges_are_binned_as_by_numpy():
    """Noiseless units that rest on every edge and on either side of it."""
    values = np.repeat(np.linspace(-1, 1, 11), 3)
    values[::3] = np.nextafter(values[::3], -9)
    values[2::3] = np.nextafter(values[2::3], 9)
    still = ktc.Network(stiffness=1.0, friction=1e30)
    emulator = ktc.Emulator(still, replicas=33, seed=1, state=values[:, None])
    for row in (np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)[[0, 1, 2, 3, 9, 10]]):
        run = emulator.play(
            ktc.Protocol([1e-9], {}), record="state", statistics=ktc.Statistics(histogram=row)
        )
        counts, _ = np.histogram(run.series["state"], row)
        np.testing.assert_array_equal(run.statistics.histogram[0], counts)


def test_ornstein_uhlenbeck():
    """ρ(t) = exp(−λt), τ = 1/λ. Standard errors of the samples' moments by Bartlett's formula.

    Source: Bartlett (1946), J. R. Stat. Soc. Suppl. 8, 27.
    """
    rate, interval, lags, points, replicas = 2.0, 0.1, 30, 400, 1000
    emulator = ktc.Emulator(
        ktc.Network(stiffness=rate, friction=1.0, kT=0.7), replicas=replicas, seed=17
    )
    wanted = ktc.Statistics(autocorrelation=lags, every=2)
    drive = ktc.Protocol(np.full(2 * points, interval / 2), {})
    found = emulator.play(drive, statistics=wanted).statistics
    phi, samples = np.exp(-rate * interval), points * replicas
    spread = np.sqrt((1 + phi**2) / (1 - phi**2) / samples)
    assert abs(found.variance[0] / (0.7 / rate) - 1) < 4.5 * np.sqrt(2) * spread
    assert abs(found.mean[0]) < 4.5 * np.sqrt(0.35 / samples * (1 + phi) / (1 - phi))
    k = np.arange(1, lags + 1)
    bartlett = (1 + phi**2) * (1 - phi ** (2 * k)) / (1 - phi**2) - 2 * k * phi ** (2 * k)
    error = np.sqrt(bartlett / (replicas * (points - k)))
    assert np.all(np.abs(found.autocorrelation[1:, 0] - phi**k) < 4.5 * error)
    # The sum is ½ coth(λΔ/2) intervals, less e⁻⁵ beyond the window; its error by Sokal (1997).
    exact = interval / 2 / np.tanh(rate * interval / 2)
    window = np.ceil(5 * exact / interval)
    allowed = 4.5 * exact * np.sqrt(2 * (2 * window + 1) / samples) + 1.2 * np.exp(-5) * exact
    assert abs(found.integrated_time[0] - exact) < allowed


def test_density_of_a_quartic_unit():
    """exp(−H/kT)/Z by quadrature; errors from 40 groups of replicas, as times are correlated."""
    unit = ktc.Network(stiffness=-1.0, friction=1.0, quartic=1.0, kT=0.5)
    row = np.linspace(-2.5, 2.5, 21)
    groups = np.array(
        [
            ktc.Emulator(unit, replicas=500, seed=23, first_replica=500 * k, dt=0.02)
            .play(
                ktc.Protocol(np.full(20, 0.2), {}),
                statistics=ktc.Statistics(histogram=row, every=2),
            )
            .statistics.density[0]
            for k in range(40)
        ]
    )
    fine = np.linspace(-2.5, 2.5, 20 * 50 + 1)
    middle = (fine[1:] + fine[:-1]) / 2
    weight = np.exp((0.5 * middle**2 - 0.25 * middle**4) / 0.5)
    exact = weight.reshape(20, 50).sum(axis=1) / weight.sum() / (row[1] - row[0])
    error = groups.std(axis=0, ddof=1) / np.sqrt(40)
    # Twenty bins, Student's t of 39 degrees beyond 5.5: 2.5e-6 each. The step's bias is below it.
    assert np.all(np.abs(groups.mean(axis=0) - exact) < 5.5 * error + 2e-3)


def test_saved_and_loaded_with_the_run(tmp_path):
    wanted = ktc.Statistics(covariance=True, histogram=edges("rc"), autocorrelation=LAGS)
    run = emulator_of("rc").play(drive("rc"), statistics=wanted)
    run.save(tmp_path / "run")
    twin = ktc.Run.load(tmp_path / "run").statistics
    assert numbers(twin) == numbers(run.statistics)
    assert (twin.samples, twin.observations, twin.interval) == (
        run.statistics.samples,
        run.statistics.observations,
        run.statistics.interval,
    )
    emulator_of("rc").play(drive("rc")).save(tmp_path / "bare")
    with refused(ValueError, "no statistics"):
        ktc.Run.load(tmp_path / "bare").statistics  # noqa: B018


def test_what_was_not_asked_for_is_named():
    found = emulator_of("rc").play(drive("rc"), statistics=ktc.Statistics()).statistics
    for name, wish in (
        ("covariance", "covariance=True"),
        ("histogram", "histogram=edges"),
        ("density", "histogram=edges"),
        ("edges", "histogram=edges"),
        ("autocorrelation", "autocorrelation=lags"),
        ("lags", "autocorrelation=lags"),
        ("integrated_time", "autocorrelation=lags"),
    ):
        with refused(ValueError, "ask for it", wish):
            getattr(found, name)


def test_too_few_lags_for_an_integrated_time():
    found = emulator_of("rc").play(drive("rc"), statistics=ktc.Statistics(autocorrelation=2))
    with refused(ValueError, "2 lags", "larger autocorrelation"):
        found.statistics.integrated_time  # noqa: B018


def test_units_that_rest_have_no_autocorrelation():
    """A noiseless one beside one that is not."""
    still = ktc.Network(np.eye(2), [1.0, 1.0], kT=[0.0, 1.0])
    emulator = ktc.Emulator(still, replicas=3, seed=1, state=[0.0, 0.0])
    run = emulator.play(
        ktc.Protocol(np.full(5, 0.1), {}), statistics=ktc.Statistics(autocorrelation=2)
    )
    assert run.statistics.variance[0] == 0.0
    with refused(ValueError, "unit 0", "did not vary"):
        run.statistics.autocorrelation  # noqa: B018


def test_wishes_are_checked():
    with pytest.raises(TypeError, match="quantiles"):
        ktc.Statistics(quantiles=3)
    with refused(TypeError, "covariance", "1"):
        ktc.Statistics(covariance=1)
    with refused(ValueError, "histogram", "ascending", "0.5", "(2,)"):
        ktc.Statistics(histogram=[0.0, 1.0, 0.5])
    with refused(ValueError, "histogram", "ascending", "(1, 1)"):
        ktc.Statistics(histogram=[[0.0, 1.0], [2.0, 2.0]])
    with refused(ValueError, "histogram", "finite"):
        ktc.Statistics(histogram=[0.0, np.inf])
    for bad in (1.0, [1.0], [[1.0], [2.0]], []):
        with refused(ValueError, "histogram", "shape"):
            ktc.Statistics(histogram=bad)
    with refused(ValueError, "autocorrelation", "at least 1"):
        ktc.Statistics(autocorrelation=0)
    with refused(ValueError, "every", "at least 1"):
        ktc.Statistics(every=0)


@pytest.mark.parametrize("kind", ["rc", "real board"])
@pytest.mark.parametrize(
    ("wanted", "error", "parts"),
    [
        ("mean", TypeError, ["ktc.Statistics", "str"]),
        (Statistics(every=31), ValueError, ["every", "30 ticks", "31"]),
        (Statistics(autocorrelation=30), ValueError, ["autocorrelation", "30 observations"]),
        (Statistics(autocorrelation=15, every=2), ValueError, ["15 observations", "15"]),
        (Statistics(histogram=np.zeros((3, 2)) + [0, 1]), ValueError, ["(2, bins + 1)", "(3, 2)"]),
    ],
)
def test_statistics_that_do_not_fit_are_refused(kind, wanted, error, parts):
    emulator = emulator_of(kind)
    before = emulator.read()
    with refused(error, *parts):
        emulator.play(drive(kind), statistics=wanted)
    assert emulator.time == 0.0
    np.testing.assert_array_equal(emulator.read(), before)


def test_unequal_holds():
    unequal = ktc.Protocol([0.1, 0.2, 0.1, 0.3], {})
    with refused(ValueError, "equal intervals"):
        emulator_of("rc").play(unequal, statistics=ktc.Statistics(autocorrelation=1))
    found = emulator_of("rc").play(unequal, statistics=ktc.Statistics()).statistics
    assert found.interval is None


def test_statistics_beyond_memory_are_refused(monkeypatch):
    monkeypatch.setattr("ktc._base.resources.memory", lambda: 1e6)
    emulator = emulator_of("rc", replicas=1000)
    with refused(MemoryError, "0.00", "GB", "autocorrelation"):
        emulator.play(drive("rc", 100), statistics=ktc.Statistics(autocorrelation=99))
    emulator.play(drive("rc", 100), statistics=ktc.Statistics(autocorrelation=9))


def test_the_infinite_ensemble_has_no_samples():
    device = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=np.inf)
    with refused(ValueError, "replicas=math.inf", "record 'mean'"):
        device.play(ktc.Protocol([1.0], {}), statistics=ktc.Statistics())
    assert device.time == 0.0
