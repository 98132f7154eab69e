"""The normals in single precision: their transform, their distribution, their independence.

Statistical tests draw at fixed seeds and state how many numbers they compare, each at 5 standard
errors of a normal statistic or a tail probability of 5.7e-7.
"""

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

from core_testing import testing
from ktc import _core
from reference import philox

FALSE_ALARM = 5.7e-7
LEVELS = _core.instruction_sets()
HOLD = testing.Purpose.hold


@pytest.fixture
def using():
    """Takes kernels of a level into use, until the test is over."""
    yield testing.use_kernels
    testing.use_kernels(LEVELS[-1])


def uniform(word):
    """(w + ½) 2^−32 to single precision, at most 1 − 2^−24."""
    return np.float32(float(np.float32(word)) * (2.0**-32 - 2.0**-56) + 2.0**-33)


def pair(radius, angle):
    """√(−2 ln u) times a point of the circle, as for words of 64 bits, to high precision."""
    y = (mp.mpf(angle % 2**23 // 2) + mp.mpf(1) / 2) / 2**22 - mp.mpf(1) / 2
    length = mp.sqrt(-2 * mp.log(mp.mpf(float(uniform(radius)))))
    across, along = length * mp.cospi(y / 2), length * mp.sinpi(y / 2)
    if angle >> 31:
        across = -across
    return (along, across) if angle >> 30 & 1 else (across, along)


def errors_in_ulp(radius, angle):
    found = np.concatenate(
        [
            testing.single_transform(radius[k : k + 16], angle[k : k + 16]).reshape(2, 16).T
            for k in range(0, len(radius), 16)
        ]
    )
    return [
        float(abs(mp.mpf(float(z)) - exact)) / float(np.spacing(np.float32(abs(exact))))
        for row, words in zip(found, zip(radius, angle))
        for z, exact in zip(row, pair(*words))
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_transform(level, using):
    """At random words, at both ends and at powers of two: 2.9 units was the most."""
    using(level)
    generator = np.random.default_rng(4)
    radius = [*range(48), *(2**32 - 1 - k for k in range(300)), *(2**32 - 2**k for k in range(32))]
    radius += [2**k + shift for k in range(1, 32) for shift in (-1, 0, 1)]
    radius += generator.integers(0, 2**32, 3000).tolist()
    radius = radius[: len(radius) // 16 * 16]
    angle = generator.integers(0, 2**32, len(radius)).tolist()
    ends = [0, 1, 2**22 - 1, 2**22, 2**22 + 2, 2**23 - 1]
    angle[: 4 * len(ends)] = [(quarter << 30) + end for quarter in range(4) for end in ends]
    assert max(errors_in_ulp(radius, angle)) <= 4


def test_words_of_a_group():
    """The documented words: radii from the first two of a counter, angles from the last two."""
    step, group, element, seed = 2**33 + 5, 11, 7, 2**40 + 3
    radius, angle = [], []
    for place in range(8):
        counter = [step % 2**32, step >> 32, (group << 3) | place, (int(HOLD) << 28) | element]
        words = philox(counter, [seed % 2**32, seed >> 32])
        radius += words[:2]
        angle += words[2:]
    expected = testing.single_transform(radius, angle)
    assert (testing.single_normals(seed, HOLD, group, element, step) == expected).all()


def test_levels_that_fuse_have_the_same_bits(using):
    def draw(level):
        using(level)
        return np.concatenate([testing.single_normals(8, HOLD, 3, 1, k) for k in range(500)])

    results = {level: draw(level) for level in LEVELS}
    fused = [result for level, result in results.items() if level in ("v3", "v4")]
    assert all((result == fused[0]).all() for result in fused)
    best = results[LEVELS[-1]]
    for result in results.values():
        assert np.abs(result - best).max() < 8 * 2.0**-22  # a few units of the largest


@cache
def sample():
    """Two million normals: group, replica."""
    return np.array([testing.single_normals(21, HOLD, g, 0, 0) for g in range(2**16)], dtype=float)


def test_moments():
    """Eight comparisons."""
    for order in range(1, 9):
        exact = [math.prod(range(k - 1, 0, -2)) * (k % 2 == 0) for k in (order, 2 * order)]
        error = math.sqrt((exact[1] - exact[0] ** 2) / sample().size)
        assert np.mean(sample() ** order) == pytest.approx(exact[0], abs=5 * error)


def test_distribution():
    """Kolmogorov and Smirnov's distance, and χ² over 500 bins of equal probability."""
    assert scipy.stats.kstest(sample().ravel(), "norm").pvalue > FALSE_ALARM
    counts, _ = np.histogram(sample(), scipy.stats.norm.ppf(np.linspace(0, 1, 501)))
    assert scipy.stats.chisquare(counts).pvalue > FALSE_ALARM


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("beyond", [3.0, 4.0, 4.5, 5.0])
def test_tails(beyond, side):
    """Eight comparisons."""
    count, p = int(np.sum(side * sample() > beyond)), scipy.stats.norm.sf(beyond)
    assert scipy.stats.binomtest(count, sample().size, p).pvalue > FALSE_ALARM


@pytest.mark.parametrize("lag", [1, 2, 15, 16, 17, 31])
def test_replicas_of_one_group_do_not_correlate(lag):
    """Lag 16 pairs the two normals of one radius. 24 comparisons, of z and z² crosswise."""
    first, second = sample()[:, :-lag].ravel(), sample()[:, lag:].ravel()
    for a in (first, first**2 - 1):
        for b in (second, second**2 - 1):
            assert abs(np.mean(a * b) / (a.std() * b.std())) < 5 / math.sqrt(first.size)


@pytest.mark.parametrize("change", ["seed", "group", "element", "step"])
def test_neighbouring_addresses_do_not_correlate(change):
    """Four comparisons for each."""

    def block(shift):
        at = {"seed": 3, "group": 0, "element": 0, "step": 0}
        at[change] += shift
        return np.concatenate(
            [
                testing.single_normals(
                    at["seed"], HOLD, at["group"] + 2 * g, at["element"] + 2 * e, at["step"] + 2 * s
                )
                for g in range(12)
                for e in range(12)
                for s in range(12)
            ]
        ).astype(float)

    first, second = block(0), block(1)
    for a in (first, first**2 - 1):
        for b in (second, second**2 - 1):
            assert abs(np.mean(a * b) / (a.std() * b.std())) < 5 / math.sqrt(first.size)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rows", [1, 3, 4, 9])
def test_rows_are_the_normals_of_their_addresses(level, rows, using):
    using(level)
    for one, dtype in ((testing.normals, float), (testing.single_normals, np.float32)):
        expected = np.stack([one(7, HOLD, 3, 5 + k, 11) for k in range(rows)])
        found = np.empty_like(expected, dtype=dtype)
        testing.fill_normals(found, 7, HOLD, 3, 5, 11)
        np.testing.assert_array_equal(found, expected)


def test_rows_of_no_whole_group_are_refused():
    for size, element in ((15, 0), (32, 2**28 - 1)):
        with pytest.raises(ValueError, match="out must hold a whole number of groups"):
            testing.fill_normals(np.empty(size), 7, HOLD, 3, element, 11)
