"""Steering along a drive computed beforehand, to the parameters of greatest likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from ktc._base.codec import Saved, require_alike
from ktc._base.validation import Array
from ktc._learning.drive_plan import DrivePlan, resampled
from ktc._learning.ensemble_motion import GaussianMotion, UnitMotion
from ktc._learning.metrics.exact_model import MOST_DENSE, ExactModel
from ktc._learning.restraint import floor_of
from ktc._model.controls import Controls
from ktc._model.network import Network
from ktc._model.quartic_unit import OneUnit
from ktc._theory.metrics import entries_by_unit, fisher_matrix
from ktc._theory.wasserstein import wasserstein_bound

#: Most holds of a computed drive, interpolated in between; fewer where the moments are many.
MOST_HOLDS, FEWER_HOLDS = 256, 64
#: Number of units from which on there are fewer holds, and above which no drive is computed, each
#: counted twice with inertia.
MANY_UNITS, MOST_UNITS = 6, 12
#: Share of the stiffness that an update must leave in every direction.
LEAST_STIFFNESS = 1e-6
#: Holds are coarse where they are this many times the fastest relaxation time, and a drive costly
#: above this many times the least work of any control.
COARSE, COSTLY = 2.0, 2.0


class OpenLoop:
    """Steering along a path θ(t) that does not depend on the replicas, with a jump to θ* at T.

    The noise of replicas does not steer, and feedback gains no work from it.

    Args:
        path: θ in the middle of equal holds, shape (n, p).
        goal: θ*.
        duration, hold: T, and the time between updates.
    """

    rule = "open loop"
    margin = LEAST_STIFFNESS
    noise_work: float | None = 0.0

    def __init__(self, path: Array, goal: Array, duration: float, hold: float) -> None:
        self._path, self._goal, self._duration, self._hold = path, goal, duration, hold
        self._middles = duration * (np.arange(len(path)) + 0.5) / len(path)

    def parameters(self, time: float, forces: Array, controls: Controls) -> Array:
        """θ to hold from ``time`` on, or θ* at the end."""
        if time >= self._duration - 0.5 * self._hold:
            return self._goal
        middle = time + 0.5 * self._hold
        return np.array([np.interp(middle, self._middles, row) for row in self._path.T])

    def saved(self) -> dict[str, object]:
        """The path and its end, as ``restore`` takes them."""
        return {"path": self._path, "goal": self._goal}

    def restore(self, saved: Saved) -> None:
        """Go on from what was ``saved``."""
        require_alike(saved, self.saved(), "steering")
        self._path, self._goal = saved["path"], saved["goal"]


def open_loop(
    exact: ExactModel, best: Controls, duration: float, ticks: int, warn: bool = True
) -> OpenLoop | None:
    """The drive of least excess work to controls; None where it cannot be computed.

    It is computed for overdamped or inertial Gaussian networks of up to twelve coordinates, and for
    overdamped quartic units without couplings, from equilibrium at the start.
    """
    learned, net = exact.parameters, exact.start.network
    if learned.size > MOST_DENSE or net.is_sparse or not net.has_friction:
        return None
    size = net.units * (1 if net.inertia is None else 2)
    closed = exact.method == "closed form"
    if not closed and exact.method != "quadrature":
        return None
    if (closed and size > MOST_UNITS) or (not closed and net.inertia is not None):
        return None
    path = _path(exact, best, duration, min(ticks, _holds(closed, size)), warn)
    return open_loop_of(exact, path, best, duration, ticks)


def open_loop_of(
    exact: ExactModel, path: Array, best: Controls, duration: float, ticks: int
) -> OpenLoop | None:
    """Steering along a path; None where it is not finite."""
    goal = exact.parameters.vector(best)
    return OpenLoop(path, goal, duration, duration / ticks) if np.isfinite(path).all() else None


def _holds(closed: bool, size: int) -> int:
    return FEWER_HOLDS if closed and size > MANY_UNITS else MOST_HOLDS


def _path(exact: ExactModel, best: Controls, duration: float, holds: int, warn: bool) -> Array:
    """θ of every hold, of no more than ``holds``, shape (n, p)."""
    learned, net = exact.parameters, exact.start.network
    start, goal = learned.vector(net.controls), learned.vector(best)
    if exact.method == "closed form":
        own = fisher_matrix(exact.start, learned).diagonal()
        scales = np.sqrt(net.common_kT / own)
        motion = GaussianMotion(exact.start, learned, scales)
        aim = (goal - start) / scales
        jump = float(aim @ (motion.forces @ motion.first))
        jump -= exact.free_energy_change(net.controls, best) / net.common_kT
        keeps = _keeps(exact, best, start, scales)
        found, spent = DrivePlan(motion, aim, jump, duration, holds, keeps).best()
        if warn:
            _warn_where_coarse(net, best, duration, len(found), spent)
        return np.asarray(start + scales * found)
    path = np.tile(start, (holds, 1))
    least = floor_of(net.controls, best).quartic
    for unit, names, entries in entries_by_unit(learned):
        one, other = OneUnit.of(net, unit), OneUnit.of(net.with_controls(best), unit)
        scales = np.sqrt(one.kT / one.fisher(names).diagonal())
        aim = (goal - start)[entries] / scales
        if not aim.any():
            continue
        alone = UnitMotion(one, other, float(net.friction[unit, unit]), names, scales)
        jump = float(aim @ (alone.forces @ alone.first))
        jump -= (other.free_energy - one.free_energy) / one.kT
        place = names.index("quartic") if "quartic" in names else None
        keeps = _keeps_quartic(place, start[entries], scales, float(least[unit]))
        found, _ = DrivePlan(alone, aim, jump, duration, holds, keeps).best()
        path[:, entries] = start[entries] + scales * resampled(found, holds)
    return path


def _warn_where_coarse(
    start: Network, best: Controls, duration: float, holds: int, spent: float
) -> None:
    """Warn of a drive whose holds are long beside a relaxation, and that costs far more than the
    least of any control; ``spent`` is its excess work in kT.
    """
    if start.inertia is not None:
        return
    goal = start.with_controls(best)
    fastest = min(float(net.relaxation_times.min()) for net in (start, goal))
    coarse = duration / holds / fastest
    least = wasserstein_bound(start, goal, duration) / start.common_kT
    if coarse > COARSE and spent > COSTLY * least:
        warnings.warn(
            f"the drive is computed in {holds} holds, each {coarse:.3g} times the fastest "
            f"relaxation time of the start or of the data's model, and costs {spent / least:.3g} "
            "times the least of any control: take a shorter duration, or learn all of the bias and "
            "stiffness",
            RuntimeWarning,
            stacklevel=9,
        )


def _keeps(
    exact: ExactModel, best: Controls, start: Array, scales: Array
) -> Callable[[Array], bool]:
    """Whether paths leave the stiffness its floor."""
    learned, controls = exact.parameters, exact.start.network.controls
    floor = floor_of(controls, best)
    least = floor.share * controls.stiffness

    def keeps(path: Array) -> bool:
        if "stiffness" not in learned.changes(start, controls):
            return True
        rows = [learned.changes(start + scales * one, controls)["stiffness"] for one in path]
        return bool(np.linalg.eigvalsh(np.array(rows) - least).min() > 0)

    return keeps


def _keeps_quartic(
    place: int | None, start: Array, scales: Array, least: float
) -> Callable[[Array], bool]:
    """Whether paths leave a quartic term its floor."""

    def keeps(path: Array) -> bool:
        if place is None:
            return True
        return bool((start[place] + scales[place] * path[:, place]).min() > least)

    return keeps
