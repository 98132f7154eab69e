"""Free energy differences from works: Bennett acceptance ratio and Jarzynski average."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.estimate import Estimate
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, finite, positive, real_array, refusing_overflow

# Below this overlap the asymptotic error bar is unreliable (Klimovich, Shirts, Mobley 2015,
# J. Comput.-Aided Mol. Des. 29, 397).
LEAST_OVERLAP = 0.03
# Multiples of it, between which ΔF is sought, are doubles.
LARGEST_KT = 1e300
# Effective samples above which the bias of an exponential average is small beside its error bar:
# 2 standard errors cover 92 % or more (95 % nominal) for Gaussian works, N from 10³ to 10⁴.
LEAST_EFFECTIVE = 100.0
# Weights have no variance from a tail index of 0.5 on; its estimates scatter by 0.06 for 10⁴ works.
HEAVIEST_TAIL = 0.45
# Skewness of the mean of e^{−W} over Gaussian works above which 2 standard errors cover 92 % or
# less; the lower quantile has to agree in part, because it scatters.
LARGEST_SKEWNESS, SKEWNESS_OF_TAIL = 1.0, 0.4
# Works below this share of kT are none in its unit: their weights are 1 but for rounding.
SMALLEST_WORK = 1e-12
# Standard errors of a mismatch of two sets of works that is reported: a false alarm of 6e-6.
MISMATCH = 4.5


class Acceptance(NamedTuple):
    """Solution of the Bennett equation for one pair of ensembles.

    ``forward`` and ``reverse`` are the influence of each sample on ΔF, of zero mean: the sum over
    an ensemble is the deviation of ΔF that it causes. The overlap is ∫ p q/(f p + r q) of the
    distributions p and q of work with the shares f and r of samples, from 0 (disjoint) to 1.
    """

    change: float
    forward: Array
    reverse: Array
    overlap: float


def bennett(
    forward: ArrayLike, reverse: ArrayLike, kT: float, least_overlap: float = LEAST_OVERLAP
) -> Estimate:
    """Estimate ΔF by the Bennett acceptance ratio, from works of a process and of its reverse.

    Solve Σ_F f(ln(n_F/n_R) + (W − ΔF)/kT) = Σ_R f(ln(n_R/n_F) + (W + ΔF)/kT), f(u) = 1/(1 + e^u),
    the estimate of least variance from both sets of works. Asymptotically
    Var ΔF = kT² (1/n_F + 1/n_R)(1/O − 1), with O the overlap of both distributions of work.

    Args:
        forward: works of independent runs from equilibrium at the first controls, shape (n_F,).
        reverse: works of independent runs of the reversed protocol, from equilibrium at the last
            controls, shape (n_R,). The work of an instantaneous update is ±(H(x; θ′) − H(x; θ)).
        kT: thermal energy, in the unit of the works.
        least_overlap: smallest overlap that is accepted.

    Raises:
        ValueError: fewer than two works of either kind, numbers that are not finite, an overlap
            below ``least_overlap``, where the error bar is unreliable, works below 1e-12 kT, or
            works that are far from a pair of forward and reverse works at this kT: a wrong sign, or
            a wrong unit.

    Warns:
        RuntimeWarning: works that contradict P_F(W)/P_R(−W) = e^{(W−ΔF)/kT} by more than 4.5
            standard errors.

    Source: Bennett (1976), J. Comput. Phys. 22, 245; Shirts, Bair, Hooker, Pande (2003), Phys. Rev.
    Lett. 91, 140601; Shirts, Chodera (2008), J. Chem. Phys. 129, 124105; consistency of the pair:
    Shirts (2013), J. Chem. Theory Comput. 9, 909.

    Example:
        >>> import ktc
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)  # a trap of k = kT = 1 moved by 1: ΔF = 0
        >>> forward, reverse = (0.5 + rng.normal(size=10_000) for _ in range(2))
        >>> print(ktc.theory.bennett(forward, reverse, kT=1.0))
        0.000896005 ± 0.0071
    """
    works = _works("forward", forward), _works("reverse", reverse)
    least_overlap, kT = finite("least_overlap", least_overlap), positive("kT", kT)
    if kT > LARGEST_KT:
        raise ValueError(f"kT must be at most {LARGEST_KT:g}, but is {kT}: energies overflow")
    with refusing_overflow("forward/kT or reverse/kT"):
        _ = works[0] / kT, works[1] / kT
    with np.errstate(over="ignore"):  # exponents beyond doubles are 0 or 1
        found = acceptance(*works, kT)
        _check_pair(*works, kT, found.change)
    largest = max(float(np.abs(each).max()) for each in works)
    if 0 < largest < SMALLEST_WORK * kT:
        raise ValueError(
            f"kT must be in the unit of the works, but is {kT:g}, and no work is above "
            f"{largest:.3g}: in joules it is about 4e-21"
        )
    if found.overlap < least_overlap:
        raise ValueError(
            f"forward and reverse works overlap by {found.overlap:.2g}, below least_overlap = "
            f"{least_overlap}: the error bar would be unreliable; take smaller steps or a slower "
            "protocol"
        )
    error = np.hypot(*(np.std(d) * np.sqrt(len(d)) for d in (found.forward, found.reverse)))
    if not all(map(np.ptp, works)):  # equal works show no scatter of their own
        number = 1 / len(works[0]) + 1 / len(works[1])
        lacking = (1 - found.overlap) / found.overlap
        # Below the rounding of the overlap the works are those of a reversible process.
        error = max(error, kT * np.sqrt(number * lacking) if lacking > 1e-12 else 0.0)
    return Estimate(found.change, error, method="Bennett acceptance ratio", kT=kT)


def acceptance(forward: Array, reverse: Array, kT: float) -> Acceptance:
    """Solve the Bennett equation between bounds that always bracket the root."""
    ratio = np.log(len(forward) / len(reverse))

    def terms(change: float) -> tuple[Array, Array]:
        return (
            np.asarray(scipy.special.expit(-(ratio + (forward - change) / kT))),
            np.asarray(scipy.special.expit(ratio - (reverse + change) / kT)),
        )

    def balance(change: float) -> float:
        accepted, returned = terms(change)
        return float(np.sum(accepted) - np.sum(returned))

    # Every term is monotone in ΔF, and saturates at a logarithm beyond the extreme works.
    ends = np.concatenate([forward, -reverse])
    reach = kT * (abs(ratio) + np.log(len(ends)) + 40.0)
    low, high = float(ends.min()) - reach, float(ends.max()) + reach
    change = float(scipy.optimize.brentq(balance, low, high, xtol=1e-13 * (high - low), rtol=1e-15))
    accepted, returned = terms(change)
    slope = float(np.sum(accepted * (1 - accepted)) + np.sum(returned * (1 - returned)))
    # The slope at perfect overlap, n_F n_R/(n_F + n_R).
    most = len(forward) * len(reverse) / len(ends)
    scale = kT / max(slope, np.finfo(float).tiny)
    accepted, returned = accepted - np.mean(accepted), returned - np.mean(returned)
    return Acceptance(change, -scale * accepted, scale * returned, slope / most)


def _check_pair(forward: Array, reverse: Array, kT: float, change: float) -> None:
    """Refuse or report works that do not obey the fluctuation theorem.

    Given a work w from both sets, W or −W of the reverse, the theorem makes it a forward one with
    probability φ = 1/(1 + e^{−s}), s = ln(n_F/n_R) + (w − ΔF)/kT. Score tests of this logistic
    model along w and along φ have zero mean and unit variance, whatever the distributions.
    """
    works = np.concatenate([forward, -reverse]) / kT
    probability = scipy.special.expit(np.log(len(forward) / len(reverse)) + works - change / kT)
    weight = probability * (1 - probability)
    total = np.sum(weight)
    residual = -probability
    residual[: len(forward)] += 1
    for along in (works, probability):
        centred = along - (np.sum(weight * along) / total if total > 0 else 0.0)
        variance = float(np.sum((np.sqrt(weight) * centred) ** 2))  # centred² may overflow
        score = float(np.sum(residual * centred))
        if variance <= len(works) * (np.finfo(float).eps * float(np.max(np.abs(along)))) ** 2:
            continue  # equal but for rounding: there is nothing to test
        deviation = abs(score) / np.sqrt(variance)
        if deviation < MISMATCH:
            continue
        message = (
            f"forward and reverse are no pair of works at kT = {kT:g}: they contradict Crooks' "
            f"theorem by {deviation:.1f} standard errors; "
        )
        # One Newton step for the coefficient of the logistic model, which should be 1.
        if along is works and not 0.5 < 1 + score / variance < 2:
            raise ValueError(
                message + "pass the works of the reversed protocol with their own sign, from "
                "equilibrium at its first controls, and kT in the unit of the works"
            )
        warnings.warn(
            message + "check that each set starts in equilibrium and that the protocols mirror "
            "each other",
            RuntimeWarning,
            stacklevel=3,
        )
        return


def jarzynski(work: ArrayLike, kT: float) -> Estimate:
    """Estimate ΔF = −kT ln⟨e^{−W/kT}⟩ from works of runs from equilibrium, without the reverse.

    The smallest works dominate the mean. A finite number of them biases the estimate upward, by
    kT Var(e^{−W/kT})/(2N⟨e^{−W/kT}⟩²) to leading order. Where works vary by more than a few kT, the
    bias is due to samples that were never drawn, and the error bar does not show it. Prefer
    ``bennett`` if the reverse process can be run.

    Args:
        work: works of independent runs, shape (n,).
        kT: thermal energy, in the unit of the works.

    Raises:
        ValueError: fewer than two works, or numbers that are not finite.

    Warns:
        RuntimeWarning: the error bar may not cover: an effective number of samples below 100, be it
            (Σw)²/Σw², w = e^{−W/kT}, or N e^{−(s/kT)²} with s the standard deviation of a Gaussian
            that has the median of the works and the quantile that 25 works lie below; weights w
            whose largest values have a Pareto tail of index above 0.45: they may have no variance;
            or a mean of w of skewness above 1 over Gaussian works that are as wide as the lower
            half of the works is. Values that were never drawn are seen where they continue the
            others: a second mode that holds no work leaves no trace.

    Source: Jarzynski (1997), Phys. Rev. Lett. 78, 2690; its bias: Gore, Ritort, Bustamante (2003),
    Proc. Natl. Acad. Sci. 100, 12564; tail of weights: Vehtari, Simpson, Gelman, Yao, Gabry (2024),
    J. Mach. Learn. Res. 25, 72, fitted by moments: Hosking, Wallis (1987), Technometrics 29, 339.

    Example:
        >>> import ktc
        >>> import numpy as np
        >>> rng = np.random.default_rng(1)
        >>> print(ktc.theory.jarzynski(0.5 + rng.normal(size=10_000), kT=1.0))
        -0.0123595 ± 0.013
    """
    works, kT = _works("work", work), positive("kT", kT)
    with refusing_overflow("work/kT"):
        _ = works / kT
    weights = np.exp((works.min() - works) / kT)
    mean = float(np.mean(weights))
    effective = min(float(np.sum(weights) ** 2 / np.sum(weights**2)), _gaussian_samples(works / kT))
    fault = ""
    if effective < LEAST_EFFECTIVE:
        fault = f"rests on {effective:.0f} of {len(works)} works"
    elif (index := _tail_index(weights)) > HEAVIEST_TAIL:
        fault = f"has weights of a Pareto tail of index {index:.2f}, above {HEAVIEST_TAIL:g}"
    elif (skewness := _skewness(works / kT)) > LARGEST_SKEWNESS:
        fault = f"has a skewness of {skewness:.2g} for Gaussian works of this width"
    if fault:
        warnings.warn(
            f"the Jarzynski average {fault}: it may be biased upward, and its error bar too small; "
            "take more replicas, a slower protocol, or bennett with the reverse process",
            RuntimeWarning,
            stacklevel=2,
        )
    error = kT * float(np.std(weights, ddof=1)) / mean / np.sqrt(len(works))
    change = float(works.min()) - kT * np.log(mean)
    return Estimate(change, error, method="Jarzynski average", kT=kT)


def _gaussian_samples(works: Array) -> float:
    """Effective samples of the average of e^{−W} over Gaussian works with this lower tail."""
    return float(len(works) * np.exp(-(_tail_width(works) ** 2)))


def _tail_width(works: Array) -> float:
    """Standard deviation of a normal distribution of this median and lower quantile."""
    share = 25 / len(works)
    if share >= 0.5:
        return 0.0
    tail, median = np.quantile(works, [share, 0.5])
    return float((tail - median) / scipy.special.ndtri(share))


def _skewness(works: Array) -> float:
    """Skewness of the mean of e^{−W} over Gaussian works as wide as the lower half of these.

    That width hardly depends on the few works on which the mean rests, so that sets that happen to
    lack them are no exception. Zero where the lower quantile contradicts.
    """

    def of_width(width: float) -> float:
        spread = np.exp(min(width**2, 100.0))
        return float((spread + 2) * np.sqrt((spread - 1) / len(works)))

    below = np.median(works) - works
    found = of_width(float(np.sqrt(np.mean(below[below >= 0] ** 2))))
    return found if of_width(_tail_width(works)) > SKEWNESS_OF_TAIL else 0.0


def _tail_index(weights: Array) -> float:
    """Index ξ of a generalised Pareto distribution of the largest 3√N weights, at most a fifth."""
    number = int(min(0.2 * len(weights), 3 * np.sqrt(len(weights))))
    tail = np.sort(weights)[-number - 1 :]
    above = tail[1:] - tail[0]
    rank = 1 - (np.arange(1, number + 1) - 0.35) / number
    first, second = np.mean(above), np.mean(rank * above)
    # Equal weights have no tail.
    return float(2 - first / (first - 2 * second)) if first > 2 * second else -np.inf


def _works(name: str, works: ArrayLike) -> Array:
    values = real_array(name, works)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"{name} must be works of at least two runs, shape (n,), but has shape {values.shape}"
        )
    with np.errstate(over="ignore"):
        _ = finite(name, np.ptp(values))
    return values
