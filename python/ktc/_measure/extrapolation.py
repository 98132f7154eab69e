"""Limit of an average at small steps, with an error bar that covers the terms left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array

#: Expected size of each term at the longest step, over that of the term before.
RATIO = 0.4
#: Rounds in which the size of the terms settles.
ROUNDS = 30


class Extrapolation(NamedTuple):
    """⟨A⟩ + Σ_k t_k (dt/dt₁)^{2k} through averages at steps of which dt₁ is the longest.

    Attributes:
        limit: ⟨A⟩.
        stderr: standard error of the limit, with that of the remainder.
        remainder: the part of it that is due to terms beyond the first.
        terms: t_k, ascending.
        first_stderr: standard error of t_1.
        fit: p-value of the fit, 1 for two steps.
    """

    limit: float
    stderr: float
    remainder: float
    terms: Array
    first_stderr: float
    fit: float


def extrapolate(steps: Array, means: Array, errors: Array) -> Extrapolation:
    """Extrapolate averages of independent runs at descending steps to dt → 0.

    Limit and t_1 are free. Each further term is expected within RATIO of the one before, normal,
    with the size that the data show: the error bar covers what a parabola leaves out, and terms
    below the noise cost next to nothing.

    Source: Oates, Karvonen, Teckentrup, Strocchi, Niederer (2024), Probabilistic Richardson
    Extrapolation, J. R. Stat. Soc. B; arXiv 2401.07562.
    """
    unit = float(max(np.abs(means).max(), errors.max())) or 1.0
    reference = means[-1]
    values = (means - reference) / unit
    floor = 4 * np.finfo(float).eps
    noise = np.maximum(errors / unit, floor)
    squares = (steps / steps[0]) ** 2
    powers = squares[:, None] ** np.arange(len(steps) + 2)
    free, others = powers[:, :2], powers[:, 2:]
    shrinking = RATIO ** np.arange(1, others.shape[1] + 1)

    size = float(np.ptp(values))
    for _ in range(ROUNDS):
        prior = (size * shrinking) ** 2
        covariance = np.diag(noise**2) + (others * prior) @ others.T
        weights = np.linalg.solve(covariance, np.column_stack([free, values]))
        spread = np.linalg.inv(free.T @ weights[:, :2])
        solution = spread @ (free.T @ weights[:, 2])
        pull = weights[:, 2] - weights[:, :2] @ solution
        terms = np.concatenate([solution[1:], prior * (others.T @ pull)])
        sizes = np.concatenate([[np.hypot(terms[0], np.sqrt(spread[1, 1]))], np.abs(terms[1:])])
        found = float(np.max(sizes / np.concatenate([[1.0], shrinking])))
        if abs(found - size) <= 1e-6 * size:
            break
        size = found
    response = spread @ weights[:, :2].T
    variances = (response * noise) ** 2
    remainder = np.sqrt(max(0.0, spread[0, 0] - variances[0].sum()))
    freedom = len(steps) - 2
    misfit = float(pull @ (values - free @ solution))
    return Extrapolation(
        limit=float(reference + unit * solution[0]),
        stderr=unit * float(np.sqrt(spread[0, 0])) if errors.any() or remainder > floor else 0.0,
        remainder=unit * float(remainder) if remainder > floor else 0.0,
        terms=unit * terms,
        first_stderr=unit * float(np.sqrt(spread[1, 1])),
        fit=float(scipy.stats.chi2.sf(misfit, freedom)) if freedom else 1.0,
    )
