"""Settings: how a learner obtains F and ζ."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.validation import choice, count, positive
from ktc._theory.matrix_estimate import OPTIMAL, checked_shrinkage

SOURCES = ("auto", "exact", "measured")
FISHERS = ("equilibrium", "replicas")


@dataclass(frozen=True)
class Metrics:
    """How ``learn`` obtains F and the friction tensor ζ at its present controls.

    F = Cov(∂_θH)/kT is called the Fisher matrix; the Fisher information is F/kT.

    Args:
        source: "exact" takes closed forms (Gaussian networks) and quadrature (uncoupled units);
            "measured" measures both on calibration replicas, a separate ensemble that follows the
            controls and relaxes at them; "auto" measures where nothing exact is available.
        fisher: "equilibrium" at the present controls; or "replicas", F from the covariance of the
            running replicas themselves, which costs nothing and is not that of an equilibrium.
        replicas: number of calibration replicas.
        shrinkage: toward the diagonal, see ``theory.MatrixEstimate``: "optimal", a share from 0 to
            1, or None for none.
        refresh: a measurement is used until the controls have moved by this share of their thermal
            scatter, √(ΔθᵀFΔθ/(p kT)); then a new one is made.

    Raises:
        ValueError, TypeError: unknown names, numbers out of range.

    Example:
        >>> import ktc
        >>> ktc.Metrics(source="measured", replicas=2000).refresh
        0.15
    """

    source: str = "auto"
    fisher: str = "equilibrium"
    replicas: int = 10_000
    shrinkage: float | str | None = OPTIMAL
    refresh: float = 0.15

    def __post_init__(self) -> None:
        for name, known in (("source", SOURCES), ("fisher", FISHERS)):
            choice(name, getattr(self, name), known)
        count("replicas", self.replicas, least=20)
        checked_shrinkage(self.shrinkage)
        positive("refresh", self.refresh)
