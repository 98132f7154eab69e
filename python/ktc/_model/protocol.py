"""Protocols: controls over time, sampled and held, with jumps at both ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.resources import within_memory
from ktc._base.validation import (
    Array,
    frozen,
    positive,
    real_array,
    tick_count,
    told,
)
from ktc._model.controls import Controls
from ktc._model.description import Description
from ktc._model.potentials.on_site import ROW
from ktc._model.protocol_figure import draw_protocol
from ktc._model.waveforms import (
    checked_waveforms,
    controls_at,
    known_controls,
    one_shape,
    setting,
    waveform,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Protocol(Storable):
    """Controls over time: ticks of one update and one hold each, and a final update after them.

    Args:
        holds: duration of each tick, shape (ticks,), positive.
        controls: for each control, its values tick by tick: ``bias`` (ticks,), (ticks, d), or
            (ticks, replicas, d) for a bias of each replica, ``quartic`` (ticks,) or (ticks, d),
            ``stiffness`` (ticks,) or (ticks, d, d), ``kT`` (ticks,) or (ticks, accounts), ``emf``
            and ``current`` (ticks,) or one column per element. Scalars
            are broadcast when played. Controls not named stay as they are on the emulator. Names
            of sources and elements, "V1", "R1", "C1", "L1" or "K1", are values in the circuit on
            which the protocol is played, (ticks,); ``friction`` is (ticks,), (ticks, d) or
            (ticks, d, d). Parameters of potentials, such as ``center``, are (ticks,) or have one
            column per unit whose potential has them.
        final: values set after the last hold; controls not named stay at their last tick's.

    Raises:
        ValueError: a hold that is not positive, numbers that are not finite, wrong lengths.
        TypeError: an unknown control.

    Example:
        >>> import ktc
        >>> drive = ktc.Protocol([0.5, 0.5], {"bias": [1.0, 2.0]}, final={"bias": 3.0})
        >>> drive.duration, drive.ticks
        (1.0, 2)
        >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
        >>> emulator = ktc.Emulator(circuit, replicas=float("inf"))
        >>> run = emulator.play(ktc.Protocol.ramp(1e-5, 100, V1=(0.0, 2.0)), record="mean")
    """

    def __init__(
        self,
        holds: ArrayLike,
        controls: Mapping[str, ArrayLike],
        final: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        self.holds = frozen(real_array("holds", holds))
        if self.holds.ndim != 1 or len(self.holds) == 0:
            raise ValueError(f"holds must have shape (ticks,), but has shape {self.holds.shape}")
        if not (self.holds > 0).all():
            tick = int(np.argmin(self.holds > 0))
            raise ValueError(f"holds must be positive, but is {self.holds[tick]} at tick {tick}")
        for what, given in (("controls", controls), ("final", {} if final is None else final)):
            if not isinstance(given, Mapping):
                raise TypeError(
                    f"{what} must be a mapping from control names to values, but is "
                    f"{type(given).__name__}"
                )
            known_controls(given)
        self.controls = {n: frozen(waveform(n, v, self.ticks)) for n, v in controls.items()}
        self.final = {n: frozen(setting(f"final {n}", n, v)) for n, v in (final or {}).items()}

    @classmethod
    def sample(
        cls,
        duration: float,
        ticks: int,
        final: Mapping[str, ArrayLike] | None = None,
        **functions: Callable[[float], ArrayLike] | ArrayLike,
    ) -> Protocol:
        """Sample functions of time, or constants, at the midpoints of equal ticks.

        Midpoints make an open-loop drive second order in the tick.

        Args:
            duration: total time, positive.
            ticks: number of ticks, at least 1.
            final: values set after the last hold.
            **functions: for each control a function of time or a constant; scalars broadcast.
                Values are checked as by the constructor.

        Example:
            >>> import ktc
            >>> drive = ktc.Protocol.sample(duration=1.0, ticks=4, bias=lambda t: 5 * (t + 1) / 3,
            ...                             final={"bias": 5.0})
            >>> drive.controls["bias"].round(3)
            array([1.875, 2.292, 2.708, 3.125])
        """
        hold = positive("duration", duration) / tick_count(ticks)
        known_controls(functions)
        midpoints = (np.arange(ticks, dtype=np.float64) + 0.5) * hold
        sampled = {}
        for name, function in functions.items():
            sampled[name] = _sampled(name, function, midpoints)
        return cls(np.full(ticks, hold), sampled, final)

    @classmethod
    def ramp(cls, duration: float, ticks: int, **ends: tuple[ArrayLike, ArrayLike]) -> Protocol:
        """Make linear ramps from a start value to an end value, which is set after the last hold.

        Example:
            >>> import ktc
            >>> ktc.Protocol.ramp(duration=2.0, ticks=2, bias=(0.0, 4.0)).controls["bias"]
            array([1., 3.])
        """
        known_controls(ends)
        lines: dict[str, Callable[[float], ArrayLike]] = {}
        final = {}
        for name, pair in ends.items():
            if not isinstance(pair, tuple) or len(pair) != 2:  # type: ignore[redundant-expr]
                raise ValueError(f"{name} must be a pair (start, end), but is {told(pair)}")
            settings = [setting(name, name, value)[None] for value in pair]
            start, end = (value[0] for value in one_shape(name, settings))
            lines[name] = _line(start, end, duration)
            final[name] = end
        return cls.sample(duration, ticks, final, **lines)

    @property
    def ticks(self) -> int:
        """Number of ticks."""
        return len(self.holds)

    @property
    def duration(self) -> float:
        """Total time."""
        return float(np.sum(self.holds))

    @property
    def times(self) -> Array:
        """When each tick starts, and last the end, shape (ticks + 1,)."""
        times = np.concatenate([[0.0], np.cumsum(self.holds)])
        # Rounding errors of the sums, which would add up over many ticks (Neumaier, 1974).
        part = times[1:] - times[:-1]
        lost = (times[:-1] - (times[1:] - part)) + (self.holds - part)
        times[1:] += np.cumsum(lost)
        return times

    def __add__(self, later: Protocol) -> Protocol:
        """Join two protocols; the final update of the first merges with the first of the second.

        Updates at one instant add up exactly, so that the merge changes no energy. A control that
        only the first protocol drives keeps its final value during the second. Any other control
        that the second drives, or the first ends with, raises ValueError, because a waveform needs
        a value at every tick.
        """
        if not isinstance(later, Protocol):
            return NotImplemented
        for which, names in (
            ("the second protocol drives", later.controls),
            ("the first protocol ends with a value of", self.final),
        ):
            missing = [name for name in names if name not in self.controls]
            if missing:
                raise ValueError(
                    f"{which} {missing[0]!r}, but the first has no waveform of it; "
                    "give the first one a constant waveform for it"
                )
        joined = {}
        for name, values in self.controls.items():
            held = self.final.get(name, values[-1])
            tail = later.controls.get(name, np.broadcast_to(held, (later.ticks, *held.shape)))
            joined[name] = np.concatenate(one_shape(name, [values, tail]))
        final = {**{n: v for n, v in self.final.items() if n not in later.controls}, **later.final}
        return Protocol(np.concatenate([self.holds, later.holds]), joined, final)

    def settings(
        self, controls: Controls, replicas: float = 0
    ) -> tuple[dict[str, Array], Controls]:
        """Return the values of all ticks, checked for a network, and its last controls.

        Scalars stay scalars. A shape that does not fit, a stiffness or kT that is not physical, or
        a bias whose energy overflows raises ValueError, with the tick named.
        """
        return checked_waveforms(self.controls, self.final, controls, replicas)

    def extremes(self, controls: Controls, waveforms: Mapping[str, Array]) -> list[Controls]:
        """Return the controls at the start and at ticks that cover all extremes.

        These are the ticks at which a control is largest, at which temperatures differ most, and at
        which each set of quartic units first occurs.
        """
        ticks: set[int] = set()
        for name, values in waveforms.items():
            rows = values.reshape(self.ticks, -1)
            ticks.add(int(np.argmax(np.abs(rows).max(axis=1))))
            if name == ROW:  # each number alone may decide the step
                ticks |= {int(each) for each in (*rows.argmax(axis=0), *rows.argmin(axis=0))}
            if name == "kT":
                ticks.add(int(np.argmax(np.ptp(rows, axis=1))))
            if name == "quartic":
                ticks |= set(np.unique(rows != 0, axis=0, return_index=True)[1].tolist())
        return [controls, *(controls_at(controls, waveforms, tick) for tick in sorted(ticks))]

    def plot(
        self, *, device: Description | None = None, figsize: tuple[float, float] | None = None
    ) -> Figure:
        """Draw the controls over time, as ``ktc.plot.draw_protocol``."""
        return draw_protocol(self, device, figsize)

    def __repr__(self) -> str:
        names = ", ".join(self.controls) or "no control"
        return f"<ktc.Protocol: {names} over {self.ticks} ticks, duration {self.duration:g}>"


register(Protocol, ("holds", "controls", "final"))


def _sampled(name: str, function: Callable[[float], ArrayLike] | ArrayLike, times: Array) -> Array:
    """Values of a control at given times."""
    place = f"{name} at t = {times[0]:g}" if callable(function) else name
    first = setting(place, name, function(float(times[0])) if callable(function) else function)
    # The values of a function are separate objects at first.
    size = len(times) * (first.nbytes + (200 if callable(function) else 0))
    refusal = (
        f"ticks is {len(times)}, whose values of {name} take {1e-9 * size:.3g} GB, more than the "
        "memory of this machine; take fewer"
    )
    with within_memory(size, refusal):
        if not callable(function):
            return np.repeat(first[np.newaxis], len(times), axis=0)
        later = (setting(f"{name} at t = {t:g}", name, function(float(t))) for t in times[1:])
        values = [first, *later]
        shapes = {value.shape for value in values}
        if len(shapes) > 1:
            raise ValueError(f"{name} must keep one shape, but has {sorted(shapes)}")
        return np.stack(values)


def _line(start: Array, end: Array, duration: float) -> Callable[[float], ArrayLike]:
    return lambda t: start + (end - start) * (t / duration)
