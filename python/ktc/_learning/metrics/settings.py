"""How a learner obtains F and ζ, and what measuring them took."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register
from ktc._base.estimate import Estimate
from ktc._base.files import Storable
from ktc._base.validation import Array, choice, count, not_negative, positive
from ktc._theory.matrix_estimate import OPTIMAL, checked_shrinkage

SOURCES = ("auto", "exact", "measured")
FISHERS = ("equilibrium", "replicas")


@dataclass(frozen=True)
class Metrics(Storable):
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


register(Metrics)


@dataclass(frozen=True)
class CalibrationReport(Storable):
    """Cost of measuring F and ζ for a run, and the quality of the measurements.

    Attributes:
        replicas: number of calibration replicas.
        count: number of measurements.
        time: total time for which they ran.
        work, heat: work and heat per calibration replica, ΔF included.
        free_energy_change: ΔF of the model from the start to the last measurement: exact where a
            closed form or a quadrature is available, by Bennett's acceptance ratio between
            consecutive measurements elsewhere; None where two of them were too far apart for that.
        parameters: θ of the last measurement, shape (p,); empty before the first one.
        shrinkage: largest share of the diagonal that was mixed in, for F and for ζ.
        condition: largest condition number of F and of ζ at unit diagonal, after shrinkage; never
            NaN, infinite where shrinkage is None and noise dominates. Beyond 256 parameters it is a
            lower bound, from the extreme Ritz values of forty products with each.
        least_eigenvalue: least eigenvalue of the raw F and ζ at unit diagonal; negative where noise
            dominates. Beyond 256 parameters it is an upper bound, likewise.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0, quartic=1.0)
        >>> fit = ktc.learn(
        ...     net, 1.0, ktc.schedules.MinimalDissipation(1.0), replicas=100, ticks=10, seed=1,
        ...     metrics=ktc.Metrics("measured", replicas=1000),
        ... )
        >>> fit.calibration.count > 0
        True
    """

    replicas: int
    count: int
    time: float
    work: Estimate
    heat: Estimate
    free_energy_change: Estimate | None
    parameters: Array
    shrinkage: tuple[float, float]
    condition: tuple[float, float]
    least_eigenvalue: tuple[float, float]

    def __post_init__(self) -> None:
        count("replicas", self.replicas)
        count("count", self.count, least=0)
        not_negative("time", self.time)

    @property
    def excess_work(self) -> Estimate:
        """W − ΔF: what calibration dissipated, per calibration replica; they end in equilibrium.

        Raises:
            ValueError: ΔF is not available.
        """
        change = self.free_energy_change
        if change is None:
            raise ValueError(
                "the free energy change of the calibration replicas is not available: two "
                "measurements were too far apart for Bennett's acceptance ratio; lower refresh "
                "of metrics"
            )
        return self.work.shifted(-change)


register(CalibrationReport)
