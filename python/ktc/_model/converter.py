"""Converters between numbers and volts (DAC, ADC): their grid and range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array


@dataclass(frozen=True)
class Converter:
    """2^bits − 1 evenly spaced values from −limit to +limit, zero and both ends among them.

    The spacing is limit/(2^(bits−1) − 1). The lowest of the 2^bits codes is not used, so that the
    grid is symmetric and includes zero.

    Attributes:
        bits: resolution; None for a continuous range.
        limit: largest magnitude [V]; None for no limit.

    Example:
        >>> from ktc._model.converter import Converter
        >>> import numpy as np
        >>> Converter(bits=3, limit=3.0).quantised(np.array([0.4, -1.6, 3.0]))
        array([ 0., -2.,  3.])
    """

    bits: int | None = None
    limit: float | None = None

    @property
    def step(self) -> float:
        """Spacing of the grid [V]; zero for a continuous range."""
        if self.bits is None or self.limit is None:
            return 0.0
        return self.limit / float(2 ** (self.bits - 1) - 1)

    def quantised(self, volts: Array) -> Array:
        """Round to the nearest values of the grid, ties to the even one."""
        if self.step == 0.0:
            return volts
        return np.asarray(np.rint(volts / self.step) * self.step)

    def outside(self, volts: Array) -> NDArray[np.intp]:
        """Return the indices of values beyond the range, shape (found, volts.ndim)."""
        if self.limit is None:
            return np.empty((0, volts.ndim), dtype=np.intp)
        return np.argwhere(np.abs(volts) > self.limit)
