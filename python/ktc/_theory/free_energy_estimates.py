"""Free energy differences from works: Bennett's acceptance ratio, and Jarzynski's average."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import scipy  # imports scipy.optimize and scipy.special when they are first used
from numpy.typing import ArrayLike

from ktc._base.estimate import Estimate
from ktc._base.validation import Array, finite, positive, real_array

# Below it the asymptotic error bar is not to be trusted (Klimovich, Shirts, Mobley 2015,
# J. Comput.-Aided Mol. Des. 29, 397).
LEAST_OVERLAP = 0.03
# Samples that must carry an exponential average before its bias is small beside its error bar.
LEAST_CARRIERS = 100.0


class Acceptance(NamedTuple):
    """Solution of Bennett's equation for one pair of ensembles.

    Attributes:
        change: ΔF.
        forward, reverse: share of the deviation of ΔF that each sample carries, mean zero; their
            sum over all samples of an ensemble is that ensemble's deviation.
        overlap: ∫ p q/(share of p · p + share of q · q), from 0 (apart) to 1 (alike).
    """

    change: float
    forward: Array
    reverse: Array
    overlap: float


def bennett(
    forward: ArrayLike, reverse: ArrayLike, kT: float, least_overlap: float = LEAST_OVERLAP
) -> Estimate:
    """ΔF by the acceptance ratio, from works of a process and of its reverse.

    Solves Σ_F f(ln(n_F/n_R) + (W − ΔF)/kT) = Σ_R f(ln(n_R/n_F) + (W + ΔF)/kT), f(u) = 1/(1 + e^u):
    the estimate of least variance that both sets of works allow. Asymptotically
    Var ΔF = kT² (1/n_F + 1/n_R)(1/O − 1), O the overlap of both distributions of work.

    Args:
        forward: works of independent runs from equilibrium at the first controls.
        reverse: works of independent runs of the reversed protocol, from equilibrium at the last
            controls. For updates at once they are ±(H(x; θ′) − H(x; θ)).
        kT: thermal energy.
        least_overlap: smaller overlaps raise.

    Raises:
        ValueError: fewer than two works of either kind, numbers that are not finite, or an overlap
            so small that the error bar would mean nothing.

    Source: Bennett (1976), J. Comput. Phys. 22, 245; Shirts, Bair, Hooker, Pande (2003), Phys. Rev.
    Lett. 91, 140601; Shirts, Chodera (2008), J. Chem. Phys. 129, 124105.

    Example:
        >>> rng = np.random.default_rng(1)  # a trap of k = kT = 1 moved by 1: ΔF = 0
        >>> forward, reverse = (0.5 + rng.normal(size=10_000) for _ in range(2))
        >>> print(bennett(forward, reverse, kT=1.0))
        0.000896005 ± 0.0071
    """
    works = [_works(name, w) for name, w in (("forward", forward), ("reverse", reverse))]
    found = acceptance(works[0], works[1], positive("kT", kT))
    if found.overlap < least_overlap:
        raise ValueError(
            f"forward and reverse works overlap by {found.overlap:.2g} only, below {least_overlap}:"
            " the error bar would mean nothing; go in smaller steps, or more slowly"
        )
    error = np.hypot(*(np.std(d) * np.sqrt(len(d)) for d in (found.forward, found.reverse)))
    return Estimate(found.change, error, method="Bennett acceptance ratio", kT=kT)


def acceptance(forward: Array, reverse: Array, kT: float) -> Acceptance:
    """Bennett's equation, solved between bounds that always hold a sign change."""
    ratio = np.log(len(forward) / len(reverse))

    def terms(change: float) -> tuple[Array, Array]:
        return (
            np.asarray(scipy.special.expit(-(ratio + (forward - change) / kT))),
            np.asarray(scipy.special.expit(ratio - (reverse + change) / kT)),
        )

    def balance(change: float) -> float:
        accepted, returned = terms(change)
        return float(np.sum(accepted) - np.sum(returned))

    # Every term is monotone in ΔF, and all have turned a logarithm beyond the extreme works.
    ends = np.concatenate([forward, -reverse])
    reach = kT * (abs(ratio) + np.log(len(ends)) + 40.0)
    low, high = float(ends.min()) - reach, float(ends.max()) + reach
    change = float(scipy.optimize.brentq(balance, low, high, xtol=1e-13 * (high - low), rtol=1e-15))
    accepted, returned = terms(change)
    slope = float(np.sum(accepted * (1 - accepted)) + np.sum(returned * (1 - returned)))
    # n_F n_R/(n_F + n_R) of perfect overlap.
    most = len(forward) * len(reverse) / len(ends)
    scale = kT / max(slope, np.finfo(float).tiny)
    return Acceptance(
        change,
        -scale * (accepted - np.mean(accepted)),
        scale * (returned - np.mean(returned)),
        slope / most,
    )


def jarzynski(work: ArrayLike, kT: float) -> Estimate:
    """ΔF = −kT ln⟨e^{−W/kT}⟩ of runs from equilibrium: no reverse process is needed.

    The mean is carried by the few smallest works, and is biased upward for a finite number of them,
    by kT Var(e^{−W/kT})/(2N⟨e^{−W/kT}⟩²) to leading order; where works scatter by more than a few
    kT the bias hides among samples that were never drawn. ``bennett`` is better wherever the
    reverse process can be run.

    Args:
        work: of independent runs, shape (n,).
        kT: thermal energy.

    Warns:
        RuntimeWarning: fewer than about 100 samples carry the mean, (Σw)²/Σw² of w = e^{−W/kT}.

    Source: Jarzynski (1997), Phys. Rev. Lett. 78, 2690; its bias: Gore, Ritort, Bustamante (2003),
    Proc. Natl. Acad. Sci. 100, 12564.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> print(jarzynski(0.5 + rng.normal(size=10_000), kT=1.0))
        -0.0123595 ± 0.013
    """
    works, kT = _works("work", work), positive("kT", kT)
    weights = np.exp((works.min() - works) / kT)
    mean = float(np.mean(weights))
    carriers = float(np.sum(weights) ** 2 / np.sum(weights**2))
    if carriers < LEAST_CARRIERS:
        warnings.warn(
            f"Jarzynski's average rests on {carriers:.0f} of {len(works)} works: it is biased "
            "upward, and its error bar is too small; take more replicas, a slower protocol, or "
            "bennett with the reverse process",
            RuntimeWarning,
            stacklevel=2,
        )
    error = kT * float(np.std(weights, ddof=1)) / mean / np.sqrt(len(works))
    change = float(works.min()) - kT * np.log(mean)
    return Estimate(change, error, method="Jarzynski average", kT=kT)


def _works(name: str, works: ArrayLike) -> Array:
    values = real_array(name, works)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"{name} must be works of two runs or more, of shape (n,), but has shape {values.shape}"
        )
    _ = finite(name, np.ptp(values))
    return values
