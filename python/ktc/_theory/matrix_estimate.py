"""Symmetric matrices measured on replicas: error bars, shrinkage, condition number."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array, frozen, real_array

#: Shrinkage of least expected squared error, estimated from the error bars.
OPTIMAL = "optimal"
Shrinkage = float | str | None
# Negative eigenvalues at unit diagonal that are due to rounding, per row.
ROUNDING = 1e-14


class MatrixEstimate:
    """Symmetric matrix of the parameters, F or ζ, with error bars and shrinkage.

    The raw estimate G is shrunk toward its diagonal D: mean = (1 − s) G + s D. This keeps the
    variances, whatever the units of the parameters, and reduces correlations, which a small
    ensemble overestimates. By default s minimises the expected squared error of the correlations,
    Σ stderr²/Σ r² over all pairs (r, stderr at unit diagonal), but is large enough that the least
    eigenvalue is at least a tenth of the error bar of a correlation. With less shrinkage, negative
    eigenvalues of the correlations are replaced by zero, so that mean is positive semidefinite
    always, as F and ζ are.

    Attributes:
        mean: the matrix to use, shape (p, p), positive semidefinite.
        stderr: standard errors of the raw entries, shape (p, p), without the effect of shrinkage.
        raw: the estimate before shrinkage, shape (p, p).
        shrinkage: s, from 0 (raw) to 1 (diagonal).
        least_eigenvalue: of ``raw`` at unit diagonal; negative where noise dominates.
        condition: largest over least eigenvalue of ``mean`` at unit diagonal.
        replicas: number of independent replicas.
        time: duration of the run of each replica.
        method: name of the estimator.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
        >>> found = ktc.theory.fisher_estimate(net, replicas=2000, seed=1)
        >>> bool((abs(found.raw - ktc.theory.fisher_matrix(net)) < 5 * found.stderr).all())
        True

    Source: Ledoit, Wolf (2004), J. Multivar. Anal. 88, 365; toward the own diagonal, Schäfer,
    Strimmer (2005), Stat. Appl. Genet. Mol. Biol. 4, 32.
    """

    def __init__(
        self,
        raw: Array,
        stderr: Array,
        *,
        shrinkage: Shrinkage = OPTIMAL,
        replicas: int,
        time: float,
        method: str,
    ) -> None:
        self.raw, self.stderr = frozen(raw), frozen(stderr)
        self.replicas, self.time, self.method = replicas, time, method
        own = raw.diagonal()
        if not (own > 0).all():
            entry = int(np.argmin(own))
            raise ValueError(
                f"the estimate of diagonal entry {entry} is {own[entry]:.3g}, not positive, "
                "because noise dominates it; take more replicas (in learn, by ktc.Metrics)"
            )
        root = np.sqrt(own)
        scaled, errors = (matrix / root / root[:, None] for matrix in (raw, stderr))
        values, vectors = np.linalg.eigh(scaled)
        self.least_eigenvalue = float(values[0])
        self.shrinkage = _intensity(scaled, errors, self.least_eigenvalue, shrinkage)
        mean = (1 - self.shrinkage) * raw + self.shrinkage * np.diag(own)
        shrunk = (1 - self.shrinkage) * values + self.shrinkage
        if shrunk[0] < -ROUNDING * len(own):
            shrunk = np.maximum(shrunk, 0.0)
            positive = (vectors * shrunk) @ vectors.T
            root = root / np.sqrt(positive.diagonal())
            mean = positive * root * root[:, None]
        self.mean = frozen(mean)
        self.condition = float(shrunk[-1] / shrunk[0]) if shrunk[0] > 0 else np.inf

    def __array__(self, dtype: object = None, copy: object = None) -> Array:
        return np.array(self.mean)

    def __repr__(self) -> str:
        p = len(self.mean)
        return (
            f"<ktc.theory.MatrixEstimate: {p}×{p} by {self.method}, {self.replicas} replicas, "
            f"shrinkage {self.shrinkage:.2g}, condition {self.condition:.3g}>"
        )


def checked_shrinkage(shrinkage: Shrinkage) -> Shrinkage:
    """Check a shrinkage: a number from 0 to 1, ``OPTIMAL``, or None for no shrinkage."""
    if shrinkage is None or (isinstance(shrinkage, str) and shrinkage == OPTIMAL):
        return shrinkage
    value = None if isinstance(shrinkage, str) else real_array("shrinkage", shrinkage)
    if value is None or value.ndim or not 0 <= value <= 1:
        raise ValueError(
            f"shrinkage must be {OPTIMAL!r}, None, or a number from 0 to 1, but is {shrinkage!r}"
        )
    return float(value)


def _intensity(scaled: Array, errors: Array, least: float, shrinkage: Shrinkage) -> float:
    if shrinkage is None or len(scaled) == 1:
        return 0.0
    if not isinstance(shrinkage, str):
        return shrinkage
    pairs = np.triu_indices(len(scaled), 1)
    noise, size = float(np.sum(errors[pairs] ** 2)), float(np.sum(scaled[pairs] ** 2))
    optimal = min(1.0, noise / size) if size > 0 else 0.0
    floor = 0.1 * float(np.sqrt(noise / len(pairs[0])))
    if (1 - optimal) * least + optimal < floor:
        optimal = min(1.0, (floor - least) / (1 - least))
    return optimal
