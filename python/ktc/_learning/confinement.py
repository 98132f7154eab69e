"""Backtracking of updates that would leave the energy unconfined."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters

#: Share that an update must leave of the stiffness in every direction that no quartic term
#: confines, and of every quartic coefficient: at the boundary relaxation times diverge.
MARGIN = 0.1
MOST_HALVINGS = 40


class Floor(NamedTuple):
    """What a whole run keeps: ``share`` of the stiffness of ``start``, and leading terms."""

    share: float
    start: Controls
    quartic: Array
    leading: Array


def confined(
    parameters: Parameters,
    controls: Controls,
    theta: Array,
    change: Array,
    margin: float = MARGIN,
    floor: Floor | None = None,
) -> tuple[float, Controls]:
    """The largest share 1, ½, ¼, … of Δθ that keeps the energy confined, and the controls after it.

    Zero, and the present controls, where none is found. ``margin`` is of the present stiffness,
    ``floor`` of that at the start of the run, so that halvings do not compound.

    Source: the rule of the fraction to the boundary; Nocedal, Wright (2006), Numerical
    Optimization, ch. 19.
    """
    for share in np.ldexp(1.0, -np.arange(MOST_HALVINGS)):
        with suppress(ValueError, np.linalg.LinAlgError):
            after = parameters.controls(theta + share * change, controls)
            if _keeps_margin(controls, after, margin, floor):
                return float(share), after
    return 0.0, controls


def _keeps_margin(before: Controls, after: Controls, margin: float, floor: Floor | None) -> bool:
    """Whether an update leaves the margin; LinAlgError where it does not leave it of K."""
    if after.quartic is not before.quartic:
        if (after.quartic < margin * before.quartic).any():
            return False
        if floor is not None and (after.quartic < floor.quartic).any():
            return False
    if after.potential is not before.potential:
        found = after.on_site.leading(after.potential)
        if (found < margin * after.on_site.leading(before.potential)).any():
            return False
        if floor is not None and (found < floor.leading).any():
            return False
    if after.held_stiffness is not before.held_stiffness:
        # A unit is confined by its quartic term or, without one, by its stiffness.
        bare = np.flatnonzero(is_bare(before) & is_bare(after))
        place = np.ix_(bare, bare)
        new, old = (confining_stiffness(one, place) for one in (after, before))
        scipy.linalg.cholesky(new - margin * old)
        if floor is not None:
            least = floor.share * confining_stiffness(floor.start, place)
            scipy.linalg.cholesky(new - least)
    return True


def is_bare(controls: Controls) -> NDArray[np.bool_]:
    """Which units have no energy that grows faster than quadratically."""
    bare = controls.quartic == 0
    if controls.on_site:
        bare &= np.isfinite(controls.on_site.confinement(controls.potential))
    return np.asarray(bare)


def confining_stiffness(controls: Controls, place: tuple[NDArray[np.intp], ...]) -> Array:
    """A part of K, with what potentials add to it at large displacements."""
    own = controls.stiffness[place]
    if controls.on_site:
        added = controls.on_site.confinement(controls.potential)
        own = own + np.diag(added[place[1].ravel()])
    return own
