"""A metric measured on replicas: error bars, shrinkage, and how well conditioned it is."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array, frozen, real_array

#: The shrinkage that minimises the expected error, from the error bars themselves.
OPTIMAL = "optimal"


class MatrixEstimate:
    """A symmetric matrix of the parameters with its error bars.

    With D its diagonal, the raw estimate G is drawn to it: mean = (1 − s) G + s D. That keeps every
    own variance, whatever units the parameters have, and draws correlations alone, which are what
    a small ensemble gets wrong. By default s is the least expected squared error of the
    correlations, Σ stderr²/Σ r² over all pairs (r, stderr at unit diagonal), and at least as much
    as leaves the least eigenvalue a tenth of a correlation's error bar.

    Attributes:
        mean: the matrix to use, shape (p, p).
        stderr: standard errors of the raw entries, shape (p, p); shrinkage is not in them.
        raw: the estimate before shrinkage.
        shrinkage: s, from 0 (raw) to 1 (diagonal).
        least_eigenvalue: of ``raw`` at unit diagonal; negative where noise rules.
        condition: largest over least eigenvalue of ``mean`` at unit diagonal.
        replicas: number of independent replicas.
        time: that each was run for.
        method: how it was obtained.

    Source: Ledoit, Wolf (2004), J. Multivar. Anal. 88, 365; toward the own diagonal, Schäfer,
    Strimmer (2005), Stat. Appl. Genet. Mol. Biol. 4, 32.
    """

    def __init__(
        self,
        raw: Array,
        stderr: Array,
        *,
        shrinkage: float | str | None = OPTIMAL,
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
                f"the estimate of parameter {entry} with itself is {own[entry]:.3g}, which is not "
                "positive: noise rules it; take more replicas"
            )
        root = np.sqrt(own)
        scaled, errors = raw / root / root[:, None], stderr / root / root[:, None]
        values = np.linalg.eigvalsh(scaled)
        self.least_eigenvalue = float(values[0])
        self.shrinkage = _intensity(scaled, errors, self.least_eigenvalue, shrinkage)
        self.mean = frozen((1 - self.shrinkage) * raw + self.shrinkage * np.diag(own))
        shrunk = (1 - self.shrinkage) * values + self.shrinkage
        self.condition = float(shrunk[-1] / shrunk[0]) if shrunk[0] > 0 else np.inf

    def __array__(self, dtype: object = None, copy: object = None) -> Array:
        return np.array(self.mean)

    def __repr__(self) -> str:
        p = len(self.mean)
        return (
            f"<ktc.theory.MatrixEstimate: {p}×{p} by {self.method}, {self.replicas} replicas, "
            f"shrinkage {self.shrinkage:.2g}, condition {self.condition:.3g}>"
        )


def checked_shrinkage(shrinkage: float | str | None) -> float | str | None:
    """A share from 0 to 1, ``OPTIMAL``, or None for none."""
    if shrinkage is None or (isinstance(shrinkage, str) and shrinkage == OPTIMAL):
        return shrinkage
    value = None if isinstance(shrinkage, str) else real_array("shrinkage", shrinkage)
    if value is None or value.ndim or not 0 <= value <= 1:
        raise ValueError(
            f"shrinkage must be {OPTIMAL!r}, None, or a number from 0 to 1, but is {shrinkage!r}"
        )
    return float(value)


def _intensity(scaled: Array, errors: Array, least: float, shrinkage: float | str | None) -> float:
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
