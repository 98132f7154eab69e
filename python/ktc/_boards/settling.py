"""Outputs of converters that settle at first order, as a few held values per tick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array

# Pieces for each of the fastest times of what settles: work is then right to some 1e-3 of itself.
PIECES_PER_TIME = 12
# What is nearer to its target than this, relative to both, is there.
ARRIVED = 1e-12

#: Pieces of one hold, beyond which it is a mistake.
MOST_PIECES = 10**6


class Settled(NamedTuple):
    """Ticks cut into pieces: holds (ticks·n,), values (ticks·n, ...), and the output at the end."""

    holds: Array
    values: Array
    end: Array


def pieces(holds: Array, time_constant: float, fastest_rate: float) -> int:
    """Number of pieces per hold that resolve the output and the network that follows it."""
    moving = min(float(holds.max()), time_constant)
    number = np.ceil(PIECES_PER_TIME * moving * (1 / time_constant + fastest_rate))
    if not number <= MOST_PIECES:
        raise ValueError(
            f"a hold while outputs settle needs {number:g} pieces, because the network is so fast "
            "beside settling_time; lower quartic, or set outputs that settle at once"
        )
    return max(1, int(number))


def settled(start: Array, targets: Array, holds: Array, time_constant: float, n: int) -> Settled:
    """b(t) = b_k + (b(t_k) − b_k) e^{−(t − t_k)/τ} in tick k, averaged over n pieces of each hold.

    Piece j ends where a share (1 − j/n)³ of the hold's change of b is left: pieces grow as b slows
    down, and the last one, which may be long, has little to spread. Each is held at the exact
    average of b over it, so that ∫b dt is exact; means and work are second order in 1/n. ``start``
    has any shape (...), ``targets`` b_k the shape (ticks, ...).
    """
    # Share of the distance to the target that each hold covers.
    fall = -np.expm1(-holds / time_constant)
    covered = np.outer(fall, 1 - (1 - np.arange(n + 1) / n) ** 3)
    inner = -time_constant * np.log1p(-covered[:, 1:-1])
    widths = np.diff(inner, axis=1, prepend=0.0, append=holds[:, None])
    away = np.diff(covered, axis=1) * time_constant / widths
    values = np.empty((len(holds), n, *np.shape(start)))
    output = np.asarray(start, dtype=float)
    for tick, target in enumerate(targets):
        distance = output - target
        values[tick] = target + np.multiply.outer(away[tick], distance)
        output = target + distance * (1 - fall[tick])
    return Settled(widths.ravel(), values.reshape(-1, *np.shape(start)), output)


class AnalogOutput:
    """Outputs of the converters of a board, which follow their targets with one time constant.

    Attributes:
        time_constant: τ; zero for outputs that jump.
        now: present outputs by name.
        target: the values that they settle to.
    """

    def __init__(self, time_constant: float, now: Mapping[str, Array]) -> None:
        self.time_constant = time_constant
        self.now, self.target = dict(now), dict(now)

    @property
    def moving(self) -> bool:
        """Whether any output has yet to reach its target."""
        return any(not np.array_equal(self.now[name], self.target[name]) for name in self.now)

    def aim(self, values: Mapping[str, Array]) -> None:
        """Set new targets, which take effect at once where there is no time constant."""
        aimed = {name: values[name] for name in self.now if name in values}
        self.target |= aimed
        if self.time_constant == 0:
            self.now |= aimed

    def arrive(self) -> dict[str, Array]:
        """Put all outputs at their targets; return these values."""
        self.now = dict(self.target)
        return self.now

    def follow(self, holds: Array, targets: Mapping[str, Array], n: int) -> dict[str, Settled]:
        """All outputs over ticks, cut into n pieces each; those without targets settle on."""
        result = {}
        for name, start in self.now.items():
            steady = np.broadcast_to(self.target[name], (len(holds), *start.shape))
            waveform = targets.get(name, steady)
            cut = settled(start, waveform, holds, self.time_constant, n)
            near = ARRIVED * np.maximum(np.abs(waveform[-1]), np.abs(cut.end))
            arrived = (np.abs(cut.end - waveform[-1]) <= near).all()
            result[name] = cut._replace(end=waveform[-1]) if arrived else cut
        return result

    def copy(self) -> AnalogOutput:
        """Outputs in the same state that go on independently."""
        twin = AnalogOutput(self.time_constant, self.now)
        twin.target = dict(self.target)
        return twin
