"""How much of an update the energy bears: what would leave it without a bound is cut back."""

from __future__ import annotations

import numpy as np
import scipy  # imports scipy.linalg when it is first used

from ktc._base.validation import Array
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters

#: What must be left of the stiffness in every direction that no quartic term confines, and of every
#: learned quartic coefficient: at the boundary itself relaxation takes for ever.
MARGIN = 0.1
MOST_HALVINGS = 40


def confined(
    parameters: Parameters, controls: Controls, theta: Array, change: Array
) -> tuple[float, Controls]:
    """The largest of 1, ½, ¼, … of a change that keeps the energy confined, and what it leads to.

    The share is zero, and the controls are the present ones, where no such share is left.

    Source: the rule of the fraction to the boundary; Nocedal, Wright (2006), Numerical
    Optimization, ch. 19.
    """
    share = 1.0
    for _ in range(MOST_HALVINGS):
        try:
            after = parameters.controls(theta + share * change, controls)
        except ValueError:
            after = None
        if after is not None and _keeps_margin(controls, after):
            return share, after
        share *= 0.5
    return 0.0, controls


def _keeps_margin(before: Controls, after: Controls) -> bool:
    if after.quartic is not before.quartic and (after.quartic < MARGIN * before.quartic).any():
        return False
    if after.held_stiffness is before.held_stiffness:
        return True
    # A unit is confined by its quartic term or, without one, by its stiffness.
    bare = np.flatnonzero((before.quartic == 0) & (after.quartic == 0))
    if len(bare) == 0:
        return True
    place = np.ix_(bare, bare)
    try:
        scipy.linalg.cholesky(after.stiffness[place] - MARGIN * before.stiffness[place])
    except np.linalg.LinAlgError:
        return False
    return True
