"""Imperfections of a real board: converters between numbers and volts, errors, limits."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ktc._base.codec import register
from ktc._base.validation import Array, count, finite, positive, random_seed


@dataclass(frozen=True)
class Converter:
    """2^bits − 1 evenly spaced values from −limit to +limit, zero and both ends among them.

    The spacing is limit/(2^(bits−1) − 1). The lowest of the 2^bits codes is not used, so that the
    grid is symmetric and includes zero.

    Attributes:
        bits: resolution; None for a continuous range.
        limit: largest magnitude [V]; None for no limit.

    Example:
        >>> import ktc
        >>> import numpy as np
        >>> ktc.Converter(bits=3, limit=3.0).quantised(np.array([0.4, -1.6, 3.0]))
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


class LimitError(ValueError):
    """A request that the hardware cannot meet: a value out of range, or a time that is too short.

    It is raised before any state changes, except that a protocol stops at the tick at which a
    reading exceeds the range of the ADC.
    """


@dataclass(frozen=True)
class Imperfections:
    """The data sheet of a board; the default is an ideal board.

    Constant errors of one board (tolerances, offset) are drawn from ``seed``, independent of the
    seed of the thermal noise; a larger tolerance scales the same errors. A number out of range
    raises ValueError, as does any negative one except ``temperature_error``.

    Attributes:
        resistance_tolerance: δ of each cell's resistance: R(1 + u) with u uniform in [−δ, δ];
            relative, below 1.
        capacitance_tolerance: the same of each cell's capacitance C; an own elastance that is
            programmed is divided by the same 1 + u.
        coupling_tolerance: the same of each coupling: elastance, capacitance or resistance.
        offset: rms of the constant error of each bias [V], normally distributed.
        dac_bits: resolution of the DAC that makes biases and EMFs; 2 to 32, with ``dac_range``, on
            the grid of a ``ktc.Converter``.
        dac_range: largest magnitude of a bias or an EMF [V]; beyond it a control is refused.
        settling_time: time constant τ of the DAC's output [s], which approaches a new value as
            e^{−t/τ}.
        update_time: least time between two control updates [s].
        adc_bits: resolution of the ADC that reads cells; 2 to 32, with ``adc_range``.
        adc_range: largest magnitude of a reading [V]; beyond it a reading is refused.
        adc_noise: rms of the noise of each reading of each cell [V], normally distributed.
        adc_rate: largest number of readings per second [Hz]; None for no limit.
        parasitic_capacitance: to ground, at each cell [F].
        temperature_error: true minus nominal temperature [K], the same for all cells.
        pickup: one-sided density of the noise voltage in series with each cell's resistor [V²/Hz],
            independent between cells: like 4 k_B T R of the resistor, but not from a heat bath. An
            uncoupled cell has ⟨v²⟩ = (k_B T + pickup/4R)/C.
        seed: number of the board, below 2**64.

    Example:
        >>> import ktc
        >>> spec = ktc.Imperfections(capacitance_tolerance=0.05, dac_bits=12, dac_range=1e-3)
        >>> f"{spec.dac.step:.3e}"
        '4.885e-07'
        >>> ktc.Imperfections() == ktc.Imperfections(seed=0)
        True
    """

    resistance_tolerance: float = 0.0
    capacitance_tolerance: float = 0.0
    coupling_tolerance: float = 0.0
    offset: float = 0.0
    dac_bits: int | None = None
    dac_range: float | None = None
    settling_time: float = 0.0
    update_time: float = 0.0
    adc_bits: int | None = None
    adc_range: float | None = None
    adc_noise: float = 0.0
    adc_rate: float | None = None
    parasitic_capacitance: float = 0.0
    temperature_error: float = 0.0
    pickup: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            object.__setattr__(self, name, _checked(name, value, optional=field.default is None))
        for which in ("dac", "adc"):
            if getattr(self, f"{which}_bits") and getattr(self, f"{which}_range") is None:
                raise ValueError(
                    f"{which}_range must be given with {which}_bits, but is None: "
                    "bits divide a range"
                )

    @property
    def dac(self) -> Converter:
        """The converter that makes biases."""
        return Converter(self.dac_bits, self.dac_range)

    @property
    def adc(self) -> Converter:
        """The converter that reads cells."""
        return Converter(self.adc_bits, self.adc_range)

    @property
    def read_time(self) -> float:
        """Least time between two readings [s]."""
        return 0.0 if self.adc_rate is None else 1 / self.adc_rate

    @property
    def reads_exactly(self) -> bool:
        """Whether a reading returns the exact state."""
        return self.adc_noise == 0 and self.adc_bits is None and self.adc_range is None


register(Imperfections)


def _checked(name: str, value: object, optional: bool) -> float | None:
    if value is None and optional:
        return None
    if name == "seed":
        return random_seed(count(name, value, least=0))
    if name.endswith("_bits"):
        return count(name, value, least=2, most=32)
    if optional:
        return positive(name, value)
    number = finite(name, value)
    if number < 0 and name != "temperature_error":
        raise ValueError(f"{name} must not be negative, but is {number}")
    if name.endswith("_tolerance") and number >= 1:
        raise ValueError(f"{name} must be below 1, but is {number}: no component may vanish")
    return number
