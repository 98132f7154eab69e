"""Waveforms of sources: PULSE, PWL, SIN, EXP, SFFM and AM of SPICE, with exact means over ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, finite, real_array
from ktc._circuits.waveform_shapes import Lines, Shape, Waves

#: Names in netlists; the last two are noise, and sine is sin.
RANDOM = ("trnoise", "trrandom")
WAVEFORMS = ("sin", "sine", "pulse", "exp", "pwl", "sffm", "am", *RANDOM)
MOST_SIDEBANDS = 1000

_NEEDED = {
    "sin": (3, "offset, amplitude, frequency"),
    "pulse": (2, "two levels"),
    "exp": (6, "v1 v2 td1 tau1 td2 tau2"),
    "pwl": (2, "pairs of a time and a value"),
    "sffm": (5, "offset, amplitude, carrier frequency, modulation index, signal frequency"),
    "am": (4, "amplitude, offset, modulating frequency, carrier frequency"),
}
#: Values that the value at time 0 does not depend on, and that must not be 0.
_FREE = {"sin": (2,), "exp": (3, 5), "sffm": (2, 4), "am": (2, 3)}
_MOST = {"sin": 6, "pulse": 8, "exp": 6, "sffm": 7, "am": 5}


@dataclass(frozen=True)
class Waveform:
    """Value of a source in time, as a netlist gives it.

    The values are those of SPICE, angles in degrees, where t counts from the delay:

    - pulse (v1 v2 delay rise fall width period count): v1, then v2 for the width, repeated.
    - pwl (t1 v1 t2 v2 …): straight lines through these points, from ``repeat`` on over and over.
    - sin (v0 va f delay damping phase): v0 + va e^(−damping t) sin(2π f t + phase).
    - exp (v1 v2 td1 tau1 td2 tau2): v1 + (v2 − v1)(1 − e^(−t/tau1)) from td1, and back from td2.
    - sffm (v0 va fc m fs c s): v0 + va sin(2π fc t + c + m sin(2π fs t + s)).
    - am (va v0 fm fc delay): va (v0 + sin 2π fm t) sin 2π fc t.

    What is not given is 0. A rise or fall of 0 is a jump, where simulators take the step of
    ``.tran``; a width or period of 0 is infinite.

    Attributes:
        shape: "pulse", "pwl", "sin", "exp", "sffm" or "am".
        values: the numbers in parentheses.
        repeat: of pwl, the time of a point from which on it repeats; None for once.
        delay: of pwl, ``td=``, by which all times are later.

    Raises:
        ValueError: too few or too many values, or values that give no waveform.

    Example:
        >>> import ktc
        >>> wave = ktc.Waveform("sin", (0.0, 1.0, 50.0))
        >>> wave.at([0.005, 0.015]), wave.mean([0.0, 0.01, 0.02]).round(3)
        (array([ 1., -1.]), array([ 0.637, -0.637]))

    Source: Vogt et al., Ngspice User's Manual version 44, section 4.1.
    """

    shape: str
    values: tuple[float, ...]
    repeat: float | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in _NEEDED:
            raise ValueError(f"shape must be one of {', '.join(_NEEDED)}, but is {self.shape!r}")
        values = real_array("values", self.values)
        if values.ndim != 1:
            raise ValueError(f"values must be a series of numbers, but has shape {values.shape}")
        object.__setattr__(self, "values", tuple(values.tolist()))
        object.__setattr__(self, "delay", finite("delay", self.delay))
        if self.repeat is not None:
            object.__setattr__(self, "repeat", finite("repeat", self.repeat))
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"{self.shape} {error}") from None

    def _check(self) -> None:
        if len(self.values) < 2:
            raise ValueError(f"needs at least two values, but has {len(self.values)}")
        least, names = _NEEDED[self.shape]
        if len(self.values) < least:
            raise ValueError(f"needs {names}, at least {least} values, but has {len(self.values)}")
        most = _MOST.get(self.shape, len(self.values))
        if any(self.values[most:]):
            raise ValueError(f"has {len(self.values)} values, but takes {most}")
        if self.shape != "pwl" and (self.repeat is not None or self.delay):
            raise ValueError("has r= or td=, which pwl alone takes")
        self._function()

    @classmethod
    def starting(cls, shape: str, values: tuple[float, ...]) -> Waveform:
        """Return a waveform whose value at time 0 counts, with values that it does not depend on.

        Simulators take the stop or the step of ``.tran`` for times and frequencies that are not
        given.
        """
        given = [*values, *[0.0] * 8]
        places = _FREE.get(shape, ())
        if len(values) < 2 or (given[3] < 0 and shape == "sin"):
            return cls(shape, values)
        for place in places:
            given[place] = given[place] or 1.0
        if shape == "exp":
            given[4] = max(given[2], given[4])
        return cls(shape, tuple(given[: max(len(values), *places, 0) + 1]) if places else values)

    def at(self, times: ArrayLike) -> Array:
        """Return the values at times [s]; at a jump, the value before it."""
        return self._function().at(np.asarray(real_array("times", times)))

    def mean(self, edges: ArrayLike) -> Array:
        """Return the exact mean between each two of increasing times [s], one less than these."""
        times = real_array("edges", edges)
        if times.ndim != 1 or len(times) < 2 or not (np.diff(times) > 0).all():
            raise ValueError("edges must be two or more increasing times")
        return self._function().integral(times) / np.diff(times)

    def scaled(self, factor: float) -> Waveform:
        """Return the waveform with all its values, but no times, multiplied."""
        levels = {"am": range(1), "pwl": range(1, len(self.values), 2)}.get(self.shape, range(2))
        values = (v * factor if k in levels else v for k, v in enumerate(self.values))
        return replace(self, values=tuple(values))

    def __str__(self) -> str:
        """The waveform as netlists write it."""
        text = f"{self.shape.upper()}({' '.join(repr(v).removesuffix('.0') for v in self.values)})"
        text += f" r={self.repeat!r}" if self.repeat is not None else ""
        return text + (f" td={self.delay!r}" if self.delay else "")

    def _function(self) -> Shape:
        given = [*self.values, *[0.0] * 8]
        if self.shape == "pulse":
            return _pulse(*given[:8])
        if self.shape == "pwl":
            return _lines(self.values, self.repeat, self.delay)
        if self.shape == "exp":
            return _exponentials(*given[:6])
        if self.shape == "am":
            return _modulated(*given[:5])
        if self.shape == "sffm":
            return _frequency_modulated(*given[:7])
        offset, size, frequency, delay, damping, degrees = given[:6]
        if not frequency:
            raise ValueError("needs a frequency; simulators take 1/stop for it")
        phase = math.radians(degrees)
        held = size * math.sin(phase)
        start = complex(size * math.sin(phase), -size * math.cos(phase))
        rate = complex(-damping, 2 * math.pi * frequency)
        return Waves(offset + held, [(delay, start, rate), (delay, complex(-held), 0j)])


register(Waveform)


def _pulse(
    low: float, high: float, delay: float, rise: float, fall: float, width: float, period: float,
    count: float,
) -> Shape:  # fmt: skip
    if min(delay, rise, fall, width, period, count) < 0:
        # The rise that has begun takes the step of a simulator.
        raise ValueError(
            "starts before time 0, or has a negative time; give the constant value by dc"
        )
    if count and not (period and count.is_integer()):
        raise ValueError("needs a period, and a whole number of pulses")
    times, levels = [0.0, rise], [low, high]
    if width:
        times += [rise + width, rise + width + fall]
        levels += [high, low]
    if not period:
        return Lines(np.array(times), np.array(levels), delay)
    if times[-1] < period:
        times, levels = [*times, period], [*levels, levels[-1]]
    kept = sum(time < period for time in times)
    ends = times[kept - 1 : kept + 1], levels[kept - 1 : kept + 1]
    times, levels = [*times[:kept], period], [*levels[:kept], float(np.interp(period, *ends))]
    return Lines(np.array(times), np.array(levels), delay, 0.0, count or math.inf)


def _lines(values: tuple[float, ...], repeat: float | None, delay: float) -> Shape:
    if len(values) % 2:
        raise ValueError("needs pairs of a time and a value")
    times, levels = np.array(values[::2]), np.array(values[1::2])
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError("needs increasing times")
    if repeat is None:
        if len(times) == 1:
            times, levels = times.repeat(2), levels.repeat(2)
        return Lines(times, levels, delay)
    if repeat not in times[:-1]:
        raise ValueError(f"repeats from {repeat:g} s, which is the time of none of its points")
    return Lines(times, levels, delay, repeat)


def _exponentials(
    low: float, high: float, first: float, rise: float, second: float, fall: float
) -> Shape:
    if first < 0:
        raise ValueError("starts before time 0; give the constant value by dc")
    if rise <= 0 or fall <= 0 or second < first:
        raise ValueError("needs positive tau1 and tau2, and td2 not before td1")
    up = high - low
    return Waves(
        low,
        [
            (first, complex(up), 0j),
            (first, complex(-up), complex(-1 / rise)),
            (second, complex(-up), 0j),
            (second, complex(up), complex(-1 / fall)),
        ],
    )


def _modulated(size: float, offset: float, signal: float, carrier: float, delay: float) -> Shape:
    """va (v0 + sin a) sin b = va (v0 sin b + ½ cos (b − a) − ½ cos (b + a))."""
    if not signal or not carrier:
        raise ValueError("needs two frequencies; simulators take some of .tran for them")
    turns = 2j * math.pi
    return Waves(
        0.0,
        [
            (delay, complex(0, -size * offset), turns * carrier),
            (delay, complex(size / 2), turns * (carrier - signal)),
            (delay, complex(-size / 2), turns * (carrier + signal)),
        ],
    )


def _frequency_modulated(
    offset: float, size: float, carrier: float, index: float, signal: float, phase_c: float,
    phase_s: float,
) -> Shape:  # fmt: skip
    """sin(b + m sin a) = Σ_n J_n(m) sin(b + n a), by Jacobi and Anger."""
    if not carrier or not signal:
        raise ValueError("needs two frequencies; simulators take some of .tran for them")
    if abs(index) > MOST_SIDEBANDS:
        raise ValueError(f"has a modulation index of {index:g}, beyond {MOST_SIDEBANDS}")
    reach = int(abs(index)) + 40
    orders = np.arange(-reach, reach + 1)
    phases = math.radians(phase_c) + orders * math.radians(phase_s)
    waves = -1j * size * scipy.special.jv(orders, index) * np.exp(1j * phases)
    rates = 2j * np.pi * (carrier + orders * signal)
    return Waves(offset, [(-math.inf, c, r) for c, r in zip(waves, rates, strict=True)])
