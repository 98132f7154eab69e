"""Detection of controls that blow up."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array

#: A run has blown up where |g·Δθ| of an update exceeds this many times kT, or this many times that
#: of the first update where it is larger: the rate is too large for the ticks.
LARGEST_GAIN = 1e6
BLOWN_UP = "the controls diverged: the rate is too large for its ticks"


class BlowUpDetector:
    """Compares the updates of one run with its first one.

    Args:
        kT: thermal energy.

    Example:
        >>> import numpy as np
        >>> from ktc._learning.blow_up import BlowUpDetector
        >>> detector = BlowUpDetector(kT=1.0)
        >>> [detector.blows_up(np.ones(1), np.array([step])) for step in (5.0, 1e5, 1e8)]
        [False, False, True]
    """

    def __init__(self, kT: float) -> None:
        self._scale = kT
        self._begun = False

    def blows_up(self, gradient: Array, change: Array) -> bool:
        """Whether |g·Δθ| is not finite, or beyond every bound that the first update set."""
        with np.errstate(over="ignore", invalid="ignore"):
            gain = abs(float(gradient @ change))
        if not self._begun and np.isfinite(gain):
            self._scale = max(self._scale, gain)
        self._begun = True
        return not np.isfinite(change).all() or not gain <= LARGEST_GAIN * self._scale
