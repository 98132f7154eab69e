"""The normals: their transform against high precision, their distribution, their independence.

Statistical tests draw at fixed seeds. Bounds of 5 standard errors of a normal statistic, or tail
probabilities of 5.7e-7, give a false alarm of 5.7e-7 for each number compared; the tests name how
many they compare.
"""

import math
import subprocess
import sys
from functools import cache
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import ktc
from core_testing import testing
from ktc import _core
from reference import normal_pair

FALSE_ALARM = 5.7e-7
TOP = 2**64 - 1

# u from 2^−53 to 1 − 2^−53: both ends, every power of two, and both sides of the sixteen intervals
# that the logarithm's table divides [½, 1) and [1/16, 1/8) into.
RADII = [2**52 - 1 - k for k in range(40)] + [2**52 - (1 << k) for k in range(52)]
RADII += [(1 << k) + shift for k in range(52) for shift in (-1, 0, 1)]
RADII += [
    ((16 + i) << shift) + side for i in range(17) for shift in (47, 44) for side in (-2, -1, 0, 1)
]
RADII = [radius % 2**52 for radius in RADII]
# A quarter's ends and middle, in each of the four.
ANGLES = [
    (quarter << 62) + within
    for quarter in range(4)
    for within in (0, 2, 2**51 - 2, 2**51 - 1, 2**51, 2**51 + 2, 2**52 - 1)
]


@pytest.fixture
def using():
    """Takes kernels of a level into use, until the test is over."""
    yield testing.use_kernels
    testing.use_kernels(_core.instruction_sets()[-1])


def transform(radius, angle):
    """The core's normals of two lists of words, one pair a row."""
    pairs = []
    for start in range(0, len(radius), 8):
        words = [list(w[start : start + 8]) + [0] * 8 for w in (radius, angle)]
        pairs.append(testing.transform(words[0][:8], words[1][:8]).reshape(2, 8).T)
    return np.concatenate(pairs)[: len(radius)]


def errors_in_ulp(radius, angle):
    with mp.workdps(40):
        return [
            float(abs(mp.mpf(float(found)) - exact) / mp.mpf(math.ulp(float(exact))))
            for row, words in zip(transform(radius, angle), zip(radius, angle))
            for found, exact in zip(row, normal_pair(*words))
        ]


@pytest.mark.parametrize("level", _core.instruction_sets())
def test_transform_at_extreme_words(level, using):
    """Some ten roundings in series: 3.3 units was the most in 100 000 draws."""
    using(level)
    radius, angle = zip(*[(r, ANGLES[k % len(ANGLES)]) for k, r in enumerate(RADII * 3)])
    assert max(errors_in_ulp(radius, angle)) <= 4
    radius, angle = zip(*[(r, a) for r in (0, 2**51, 2**52 - 1) for a in ANGLES])
    assert max(errors_in_ulp(radius, angle)) <= 4


@pytest.mark.parametrize("level", _core.instruction_sets())
def test_transform_at_any_words(level, using):
    using(level)
    generator = np.random.default_rng(8)
    words = generator.integers(0, TOP, (2, 4000), dtype=np.uint64, endpoint=True).tolist()
    assert max(errors_in_ulp(*words)) <= 4


def test_numbers_of_the_series_are_those_derived():
    """tools/normal_series.py derives the tables and coefficients and compares the header."""
    tool = Path(__file__).parents[2] / "tools" / "normal_series.py"
    subprocess.run([sys.executable, tool, "--check"], check=True)


def test_transform_is_bounded_and_finite():
    longest = math.sqrt(2 * 53 * math.log(2))
    pairs = transform(*zip(*[(r, a) for r in RADII for a in ANGLES]))
    assert np.isfinite(pairs).all()
    assert np.hypot(*pairs.T).max() == pytest.approx(longest, rel=1e-15)
    assert np.hypot(*pairs.T).min() == pytest.approx(2.0**-26, rel=1e-15)


@cache
def sample():
    """8 million normals: states of a free-standing unit at kT = k = 1, in equilibrium."""
    unit = ktc.Network(stiffness=np.eye(64), friction=1.0, kT=1.0)
    return ktc.Emulator(unit, replicas=2**17, seed=20, threads=2).read().ravel()


def test_states_in_equilibrium_are_the_normals():
    states = sample()[: 64 * 16].reshape(16, 64)
    for element in (0, 63):
        normals = testing.normals(20, testing.Purpose.equilibrium, 0, element, 0)
        assert states[:, element].tolist() == normals.tolist()


@pytest.mark.parametrize("order", range(1, 9))
def test_moments(order):
    """Eight comparisons at 5 standard errors."""
    exact = [math.prod(range(k - 1, 0, -2)) * (k % 2 == 0) for k in (order, 2 * order)]
    error = math.sqrt((exact[1] - exact[0] ** 2) / sample().size)
    assert np.mean(sample() ** order) == pytest.approx(exact[0], abs=5 * error)


def test_bin_frequencies():
    """100 bins; 5 standard errors is 5.7e-7 two-sided, taken from the binomial law itself."""
    edges = np.concatenate([[-np.inf], np.linspace(-4.9, 4.9, 99), [np.inf]])
    counts, _ = np.histogram(sample(), edges)
    probability = np.diff(scipy.stats.norm.cdf(edges))
    for count, p in zip(counts, probability):
        assert scipy.stats.binomtest(int(count), sample().size, p).pvalue > FALSE_ALARM


def test_bins_together():
    """χ² over 999 bins of equal probability; one comparison."""
    edges = scipy.stats.norm.ppf(np.linspace(0, 1, 1000))
    counts, _ = np.histogram(sample(), edges)
    assert scipy.stats.chisquare(counts).pvalue > FALSE_ALARM


@pytest.mark.parametrize("beyond", [3.0, 4.0, 4.5, 5.0, 5.4])
@pytest.mark.parametrize("side", [-1, 1])
def test_tails(beyond, side):
    """Ten comparisons; at 5.4 some 0.3 are expected a side."""
    count = int(np.sum(side * sample() > beyond))
    p = scipy.stats.norm.sf(beyond)
    assert scipy.stats.binomtest(count, sample().size, p).pvalue > FALSE_ALARM


def block(*, seed=3, purpose=testing.Purpose.hold, group=0, element=0, step=0):
    """65536 normals at consecutive groups, elements and steps from an address on."""
    return np.concatenate(
        [
            testing.normals(seed, purpose, group + g, element + e, step + s)
            for g in range(16)
            for e in range(16)
            for s in range(16)
        ]
    )


HERE: dict[str, object] = {}
NEIGHBOURS = {
    "next group": (HERE, {"group": 1}),
    "next element": (HERE, {"element": 1}),
    "next step": (HERE, {"step": 1}),
    "step with another high half": (HERE, {"step": 2**32}),
    "next seed": (HERE, {"seed": 4}),
    "seed with another high half": (HERE, {"seed": 3 + 2**32}),
    "other purpose": (HERE, {"purpose": testing.Purpose.equilibrium}),
    "element for step": ({"element": 16}, {"step": 16}),
    "element for group": ({"element": 16}, {"group": 16}),
}


def independent(first, second):
    """Neither z, nor z², nor the two crosswise, correlate: four comparisons at 5 errors."""
    bound = 5 / math.sqrt(len(first))
    for a in (first, first**2 - 1):
        for b in (second, second**2 - 1):
            assert abs(np.mean(a * b) / (a.std() * b.std())) < bound


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_neighbouring_addresses_do_not_correlate(one, other):
    independent(block(**one), block(**other))


@pytest.mark.parametrize("lag", [1, 2, 7, 8, 15])
def test_replicas_of_one_group_do_not_correlate(lag):
    """Lag 8 pairs the cosine with the sine of one angle, which share their radius."""
    lanes = block().reshape(-1, 16)
    independent(lanes[:, :-lag].ravel(), lanes[:, lag:].ravel())
