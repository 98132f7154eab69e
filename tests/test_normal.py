"""The normals: their transform against high precision, their distribution, their independence.

Statistical tests draw at fixed seeds. Bounds of 5 standard errors of a normal statistic, or tail
probabilities of 5.7e-7, give a false alarm of 5.7e-7 for each number compared; the tests name how
many they compare.
"""

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import ktc
from ktc import _core
from reference import normal_pair

FALSE_ALARM = 5.7e-7
TOP = 2**64 - 1

# The logarithm folds at √½ and √2; its ends are 2^−53 and 1 − 2^−53.
FOLD = int(math.sqrt(0.5) * 2**52)
RADII = [0, 1 << 12, 2 << 12, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, TOP - (1 << 12), TOP] + [
    (FOLD + shift) << 12 for shift in (-2, -1, 0, 1, 2)
]
# A quadrant's ends and middle, in each of the four.
ANGLES = [
    (quadrant << 62) + within
    for quadrant in range(4)
    for within in (0, 1 << 10, (1 << 61) - 1, 1 << 61, (1 << 61) + (1 << 10), (1 << 62) - 1)
]


def transform(radius, angle):
    """The core's normals of two lists of words, one pair a row."""
    pairs = []
    for start in range(0, len(radius), 8):
        words = [list(w[start : start + 8]) + [0] * 8 for w in (radius, angle)]
        pairs.append(_core.transform(words[0][:8], words[1][:8]).reshape(2, 8).T)
    return np.concatenate(pairs)[: len(radius)]


def errors_in_ulp(radius, angle):
    with mp.workdps(40):
        return [
            float(abs(mp.mpf(float(found)) - exact) / mp.mpf(math.ulp(float(exact))))
            for row, words in zip(transform(radius, angle), zip(radius, angle))
            for found, exact in zip(row, normal_pair(*words))
        ]


def test_transform_at_extreme_words():
    """Some ten roundings in series: 3.4 units was the most in 80 000 draws."""
    radius, angle = zip(*[(r, a) for r in RADII for a in ANGLES])
    assert max(errors_in_ulp(radius, angle)) <= 5


@given(st.lists(st.tuples(st.integers(0, TOP), st.integers(0, TOP)), min_size=8, max_size=8))
def test_transform_at_any_words(words):
    radius, angle = zip(*words)
    assert max(errors_in_ulp(radius, angle)) <= 5


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
        normals = _core.normals(20, _core.Purpose.equilibrium, 0, element, 0)
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


def block(*, seed=3, purpose=_core.Purpose.hold, group=0, element=0, step=0):
    """65536 normals at consecutive groups, elements and steps from an address on."""
    return np.concatenate(
        [
            _core.normals(seed, purpose, group + g, element + e, step + s)
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
    "other purpose": (HERE, {"purpose": _core.Purpose.equilibrium}),
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
