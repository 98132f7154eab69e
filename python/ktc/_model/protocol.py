"""A protocol: controls over time, sampled and held as a converter does, with jumps at both ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.codec import register
from ktc._base.files import Storable
from ktc._base.validation import Array, count, frozen, known_keywords, positive, real_array
from ktc._model.controls import CONTROL_NAMES, Controls
from ktc._model.protocol_figure import draw_protocol


class Protocol(Storable):
    """Ticks, each one control update and then a hold; and one last update after them.

    Args:
        holds: duration of each tick, shape (ticks,), positive.
        controls: for each control, its values tick by tick: ``bias`` (ticks,) or (ticks, d),
            ``quartic`` the same, ``stiffness`` (ticks,) or (ticks, d, d), ``kT`` (ticks,) or
            (ticks, accounts), ``emf`` and ``current`` (ticks,) or one column an element. Scalars
            are broadcast when played. Controls not named stay as they are on the emulator.
        final: values set after the last hold; controls not named stay at their last tick's.

    Raises:
        ValueError: a hold that is not positive, numbers that are not finite, wrong lengths.
        TypeError: an unknown control.

    Example:
        >>> drive = Protocol([0.5, 0.5], {"bias": [1.0, 2.0]}, final={"bias": 3.0})
        >>> drive.duration, drive.ticks
        (1.0, 2)
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
        _mapping("controls", controls)
        _mapping("final", final or {})
        self.controls = {
            name: frozen(_waveform(name, value, self.ticks)) for name, value in controls.items()
        }
        self.final = {
            name: frozen(_setting(f"final {name}", name, value))
            for name, value in (final or {}).items()
        }

    @classmethod
    def sample(
        cls,
        duration: float,
        ticks: int,
        final: Mapping[str, ArrayLike] | None = None,
        **functions: Callable[[float], ArrayLike] | ArrayLike,
    ) -> Protocol:
        """Samples functions of time at the midpoints of equal ticks; constants are allowed.

        Midpoints make an open-loop drive second order in the tick.

        Args:
            duration: total time, positive.
            ticks: number of ticks, at least 1.
            final: values set after the last hold.
            **functions: for each control a function of time or a constant; scalars broadcast.

        Raises:
            ValueError, TypeError: as the constructor, with the time of a bad value named.

        Example:
            >>> drive = Protocol.sample(duration=1.0, ticks=4, bias=lambda t: 5 * (t + 1) / 3,
            ...                         final={"bias": 5.0})
            >>> drive.controls["bias"].round(3)
            array([1.875, 2.292, 2.708, 3.125])
        """
        hold = positive("duration", duration) / count("ticks", ticks)
        _mapping("functions", functions)
        midpoints = (np.arange(ticks) + 0.5) * hold
        sampled = {}
        for name, function in functions.items():
            if not callable(function):
                sampled[name] = np.repeat(_setting(name, name, function)[np.newaxis], ticks, axis=0)
                continue
            values = [_setting(f"{name} at t = {t:g}", name, function(float(t))) for t in midpoints]
            shapes = {value.shape for value in values}
            if len(shapes) > 1:
                raise ValueError(f"{name} must keep one shape, but has {sorted(shapes)}")
            sampled[name] = np.stack(values)
        return cls(np.full(ticks, hold), sampled, final)

    @classmethod
    def ramp(cls, duration: float, ticks: int, **ends: tuple[ArrayLike, ArrayLike]) -> Protocol:
        """Straight lines from a start value to an end value, the end set after the last hold.

        Example:
            >>> Protocol.ramp(duration=2.0, ticks=2, bias=(0.0, 4.0)).controls["bias"]
            array([1., 3.])
        """
        positive("duration", duration)
        _mapping("ends", ends)
        lines: dict[str, Callable[[float], ArrayLike]] = {}
        final = {}
        for name, pair in ends.items():
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"{name} must be a pair (start, end), but is {pair!r}")
            settings = [_setting(name, name, value)[None] for value in pair]
            start, end = (value[0] for value in _one_shape(name, settings))
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
        return np.concatenate([[0.0], np.cumsum(self.holds)])

    def __add__(self, later: Protocol) -> Protocol:
        """This protocol, then another. The first one's final update merges with the other's first.

        Updates at one instant add up exactly, so the merge changes no energy. A control that only
        the first one drives stays at its final value through the second.

        Raises:
            ValueError: the second drives a control that the first does not, or the first sets one
                at its end that it does not drive: a waveform has a value at every tick.
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
            joined[name] = np.concatenate(_one_shape(name, [values, tail]))
        final = {**{n: v for n, v in self.final.items() if n not in later.controls}, **later.final}
        return Protocol(np.concatenate([self.holds, later.holds]), joined, final)

    def settings(self, controls: Controls) -> tuple[dict[str, Array], Controls]:
        """All ticks' values, checked for a network that has ``controls``, and the last controls.

        Scalars stay scalars, to be broadcast where they are needed: see ``full_shape``.

        Raises:
            ValueError: a shape that does not fit, a stiffness or kT that is not physical, or a
                bias whose energy overflows, with the tick named.
        """
        checked: dict[str, Array] = {}
        if controls.is_sparse and "stiffness" in {*self.controls, *self.final}:
            raise ValueError(
                "stiffness of a sparse network is set, not played: a protocol holds one dense "
                "matrix a tick; use Emulator.set(stiffness=...) between two protocols"
            )
        for name, values in self.controls.items():
            target = controls.shape(name)
            if values.shape[1:] not in ((), target):
                raise ValueError(
                    f"{name} must be a scalar or of shape {target} at every tick, "
                    f"but has shape {values.shape[1:]}"
                )
            checked[name] = values
        quartic = "quartic" in checked or controls.quartic.any()
        for name in set(checked) & ({"kT"} if quartic else {"stiffness", "kT"}):
            checked[name] = _physical(controls, name, checked[name])
        if quartic:
            _check_together(controls, checked)
        elif not controls.is_sparse:  # the engine refuses a bias that overflows
            _refuse_overflow("tick", controls, checked)
        try:
            final = controls.updated(
                **{**{name: values[-1] for name, values in checked.items()}, **self.final}
            )
        except ValueError as error:
            raise ValueError(f"final update: {error}") from None
        if not final.quartic.any() and not final.is_sparse:
            ends = {"bias": final.bias[None], "stiffness": final.stiffness[None]}
            _refuse_overflow("final update", final, ends)
        return checked, final

    def extremes(self, controls: Controls, waveforms: Mapping[str, Array]) -> list[Controls]:
        """Controls at the start and at ticks that have all extremes between them.

        They are the ticks at which a control is largest, at which temperatures differ most, and
        at which each set of quartic units is first on.
        """
        ticks: set[int] = set()
        for name, values in waveforms.items():
            rows = values.reshape(self.ticks, -1)
            ticks.add(int(np.argmax(np.abs(rows).max(axis=1))))
            if name == "kT":
                ticks.add(int(np.argmax(np.ptp(rows, axis=1))))
            if name == "quartic":
                ticks |= set(np.unique(rows != 0, axis=0, return_index=True)[1].tolist())
        return [controls, *(_at(controls, waveforms, tick) for tick in sorted(ticks))]

    def plot(self, **options: Any) -> Any:
        """Draws the controls over time; returns a matplotlib Figure.

        Args:
            **options: ``device`` it is meant for, which gives the units and where the first jump
                starts; ``figsize`` in inches.
        """
        return draw_protocol(self, **options)

    def __repr__(self) -> str:
        names = ", ".join(self.controls) or "no control"
        return f"<ktc.Protocol: {names} over {self.ticks} ticks, duration {self.duration:g}>"


register(Protocol, ("holds", "controls", "final"))

_DIMENSIONS = {name: (0, 2) if name == "stiffness" else (0, 1) for name in CONTROL_NAMES}


def full_shape(name: str, values: Array, size: int) -> Array:
    """A waveform of scalars at full shape: of ``size`` columns, or multiples of the identity."""
    if values.ndim > 1:
        return values
    if name == "stiffness":
        return values[:, None, None] * np.eye(size)
    return np.repeat(values[:, None], size, axis=1)


def _at(controls: Controls, waveforms: Mapping[str, Array], tick: int) -> Controls:
    return controls.updated(**{name: values[tick] for name, values in waveforms.items()})


def _check_together(controls: Controls, waveforms: Mapping[str, Array]) -> None:
    """Quartic units confine what their stiffness does not: those of a tick are one check."""
    confining = {name: waveforms[name] for name in ("stiffness", "quartic") if name in waveforms}
    for tick in range(len(next(iter(confining.values()))) if confining else 0):
        try:
            _at(controls, confining, tick)
        except ValueError as error:
            raise ValueError(f"tick {tick}: {error}") from None


def _one_shape(name: str, parts: list[Array]) -> list[Array]:
    """Waveforms of one control at one shape, scalars broadcast where another is not scalar."""
    shapes = {part.shape[1:] for part in parts if part.ndim > 1}
    if len(shapes) > 1:
        raise ValueError(f"{name} must keep one shape, but has {sorted(shapes)}")
    return [full_shape(name, part, shape[0]) for shape in shapes for part in parts] or parts


def _mapping(what: str, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} must be a mapping from control names to values, but is {type(given).__name__}"
        )
    known_keywords(given, CONTROL_NAMES, "control")


def _line(start: Array, end: Array, duration: float) -> Callable[[float], ArrayLike]:
    return lambda t: start + (end - start) * (t / duration)


def _setting(what: str, name: str, value: ArrayLike) -> Array:
    array = real_array(what, value)
    if array.ndim not in _DIMENSIONS[name]:
        raise ValueError(f"{what} has shape {array.shape}, which no network's {name} has")
    return array


def _waveform(name: str, value: ArrayLike, ticks: int) -> Array:
    array = real_array(name, value)
    if array.ndim == 0 or len(array) != ticks or array.ndim - 1 not in _DIMENSIONS[name]:
        raise ValueError(
            f"{name} must have one value a tick, {ticks} in all, but has shape {array.shape}"
        )
    return array


def _physical(controls: Controls, name: str, values: Array) -> Array:
    """The values as ``controls`` would take them, tick by tick; fast where all are well."""
    if name == "kT":
        healthy = (values.reshape(len(values), -1) > 0).all(axis=1)
    elif values.ndim == 1:
        healthy = values > 0
    else:
        diagonal = np.diagonal(values, axis1=1, axis2=2)
        root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        scaled = values / root[:, :, None] / root[:, None, :]
        healthy = (diagonal > 0).all(axis=1) & (values == np.swapaxes(values, 1, 2)).all(
            axis=(1, 2)
        )
        # Twice the margin that one update takes: what is doubtful here is left to it.
        healthy &= np.linalg.eigvalsh(scaled)[:, 0] > 8 * values.shape[1] * np.finfo(float).eps
    doubtful = np.flatnonzero(~healthy)
    if len(doubtful):
        values = values.copy()
    for tick in doubtful:
        try:
            values[tick] = getattr(controls.updated(**{name: values[tick]}), name)
        except ValueError as error:
            raise ValueError(f"tick {tick}: {error}") from None
    return values


def _refuse_overflow(where: str, controls: Controls, checked: Mapping[str, Array]) -> None:
    """Refuses a bias whose equilibrium energy ½ bᵀK⁻¹b no double can hold."""
    if not {"bias", "stiffness"} & set(checked):
        return
    bias, stiffness = checked.get("bias", controls.bias[None]), checked.get("stiffness")
    # A scalar bias is a size times a direction that all ticks share.
    alike = bias.ndim == 1
    direction = np.ones((1, len(controls.bias))) if alike else bias
    with np.errstate(over="ignore", invalid="ignore"):
        if stiffness is None:
            pulled = np.linalg.solve(controls.stiffness, direction.T).T
        elif stiffness.ndim == 1:
            pulled = direction / stiffness[:, None]
        else:
            pulled = np.linalg.solve(stiffness, direction[:, :, None])[:, :, 0]
        energy = np.sum(direction * pulled, axis=1)
        energy = bias * energy * bias if alike else energy
    bad = np.flatnonzero(~(energy <= _core.LARGEST_ENERGY))
    if len(bad):
        place = f"{where} {bad[0]}" if where == "tick" else where
        raise ValueError(
            f"{place}: bias is so large that the equilibrium energy overflows; scale it down"
        )
