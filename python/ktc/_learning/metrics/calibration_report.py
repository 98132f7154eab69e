"""What measuring F and ζ cost beside a run, and how well they were known."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._base.codec import register
from ktc._base.estimate import Estimate
from ktc._base.files import Storable
from ktc._base.validation import Array


@dataclass(frozen=True)
class CalibrationReport(Storable):
    """What measuring F and ζ cost beside the run, and how well they were known.

    Attributes:
        replicas: of the calibration ensemble.
        count: number of measurements.
        time: that the ensemble ran for in all.
        work, heat: of the calibration ensemble, per replica of it: the book work, ΔF included.
        free_energy_change: of the model from the start to where the last measurement was, exact
            where it has a closed form or a quadrature, by Bennett's acceptance ratio between one
            measurement and the next elsewhere; None where two of them were too far apart for that.
        parameters: θ of the last measurement, shape (p,); empty before the first one.
        shrinkage: largest share of the diagonal that was mixed in, of F and of ζ.
        condition: largest condition number of F and of ζ at unit diagonal, after shrinkage; NaN is
            never in it, infinity where shrinkage is None and noise rules. Beyond 256 parameters it
            is a lower bound, from the extreme Ritz values of forty products with each.
        least_eigenvalue: least eigenvalue of the raw F and ζ at unit diagonal; negative where noise
            rules. Beyond 256 parameters it is an upper bound, likewise.
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

    @property
    def excess_work(self) -> Estimate:
        """W − ΔF: what calibration dissipated, per replica of its ensemble.

        It goes from equilibrium to equilibrium, so that this is heat beyond what any slower way
        between the same controls gives off.

        Raises:
            ValueError: ΔF is not known.
        """
        change = self.free_energy_change
        if change is None:
            raise ValueError(
                "the free energy change of the calibration ensemble is not known: two of its "
                "measurements were too far apart for Bennett's acceptance ratio; lower refresh "
                "of metrics"
            )
        return self.work.shifted(-change.mean, change.stderr)


register(CalibrationReport)
