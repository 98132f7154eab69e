"""When a learner's updates are no learning any more."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array

#: An update whose |g·Δθ| is so many times kT, or the first update's where that is more, is no
#: learning any more: the rate is too large for its ticks, and grows from update to update.
DIVERGED = 1e6
DIVERGENCE = "the controls diverged: the rate is too large for its ticks"


class Divergence:
    """Judges one update after another.

    Args:
        kT: thermal energy.

    Example:
        >>> import numpy as np
        >>> judge = Divergence(kT=1.0)
        >>> [judge.diverged(np.ones(1), np.array([change])) for change in (5.0, 1e5, 1e8)]
        [False, False, True]
    """

    def __init__(self, kT: float) -> None:
        self._scale = kT
        self._begun = False

    def diverged(self, gradient: Array, change: Array) -> bool:
        """Whether Δθ leaves every bound that the first update set."""
        with np.errstate(over="ignore", invalid="ignore"):
            gain = abs(float(gradient @ change))
        if not self._begun and np.isfinite(gain):
            self._scale = max(self._scale, gain)
        self._begun = True
        return not np.isfinite(change).all() or not gain <= DIVERGED * self._scale
