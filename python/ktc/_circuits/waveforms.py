"""Waveforms of sources in netlists, at the instant 0."""

from __future__ import annotations

import math
from itertools import pairwise

#: Waveforms that a netlist gives, and those of them that are random.
WAVEFORMS = ("sin", "pulse", "exp", "pwl", "sffm", "am", "trnoise", "trrandom")
RANDOM = ("trnoise", "trrandom")


def initial_value(waveform: str, values: list[float]) -> float:
    """Return the value at time 0, which is the constant value of the source in ngspice.

    Args:
        waveform: one of WAVEFORMS, but none of RANDOM.
        values: its arguments, as in SPICE.

    Raises:
        ValueError: arguments from which the value does not follow.

    Source: Vogt et al., Ngspice User's Manual version 44, section 4.1.
    """
    if len(values) < 2:
        raise ValueError(f"needs at least two values, but has {len(values)}")
    given = [*values, *[0.0] * 7]
    if waveform == "sin":
        return _sine(*given[:6])
    if waveform == "sffm":
        offset, amplitude, _, index, _, carrier, signal = given[:7]
        inner = index * math.sin(math.radians(signal))
        return offset + amplitude * math.sin(math.radians(carrier) + inner)
    if waveform == "pwl":
        return _interpolated(values)
    if waveform == "am":
        return 0.0
    if given[2] < 0:
        raise ValueError("starts before time 0; give the constant value by dc")
    return values[0]


def _sine(
    offset: float, amplitude: float, frequency: float, delay: float, damping: float, phase: float
) -> float:
    angle = math.radians(phase)
    since = max(0.0, -delay)
    angle += 2 * math.pi * frequency * since
    return offset + amplitude * math.sin(angle) * math.exp(-damping * since)


def _interpolated(values: list[float]) -> float:
    if len(values) % 2:
        raise ValueError("needs pairs of a time and a value")
    times, levels = values[::2], values[1::2]
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise ValueError("needs increasing times")
    before = [k for k, time in enumerate(times) if time <= 0]
    if not before:
        return levels[0]
    k = before[-1]
    if k + 1 == len(times):
        return levels[k]
    share = -times[k] / (times[k + 1] - times[k])
    return levels[k] + share * (levels[k + 1] - levels[k])
