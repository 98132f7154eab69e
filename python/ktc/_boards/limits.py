"""Limits of a real board: ranges of its converters, and the least time between updates."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._boards.real_board import RealBoard
from ktc._model.controls import Controls
from ktc._model.imperfections import LimitError
from ktc._model.protocol import Protocol

# Room for the rounding of times that are sums of many holds.
ROUNDING = 1e-9


def check_protocol(
    real: RealBoard, protocol: Protocol, controls: Controls, pause: float = np.inf
) -> tuple[dict[str, Array], Controls]:
    """Waveforms and final controls of a protocol, checked for a board at ``controls``.

    Args:
        pause: time since the last update.

    Raises:
        TypeError: something that is not a Protocol.
        LimitError, ValueError: controls beyond the board's limits, with the tick named.
    """
    if not isinstance(protocol, Protocol):
        raise TypeError(f"protocol must be a ktc.Protocol, but is {type(protocol).__name__}")
    waveforms, final = protocol.settings(controls)
    if protocol.controls:
        require_pause(real, pause, "tick 0: ")
        for tick in np.flatnonzero(_too_short(real, protocol.holds))[:1]:
            raise LimitError(
                f"tick {tick}: it lasts {protocol.holds[tick]:.6g} s, but the board needs "
                f"{real.imperfections.update_time:g} s between two updates; take fewer ticks, or "
                "more time"
            )
    elif protocol.final:
        require_pause(real, pause + protocol.duration, "final update: ")
    for name, values in waveforms.items():
        real.require(name, values)
    for name in protocol.final:
        real.require(name, np.asarray(getattr(final, name))[None], where="final update: ")
    return waveforms, final


def _too_short(real: RealBoard, pauses: Array) -> Array:
    """Which pauses are shorter than the update time; updates at one instant are one update."""
    least = real.imperfections.update_time * (1 - ROUNDING)
    return np.asarray((pauses > 0) & (pauses < least))


def require_pause(real: RealBoard, pause: float, where: str = "") -> None:
    """Refuse an update too soon after the last one.

    Raises:
        LimitError: ``pause`` is below the update time, and not zero.
    """
    if _too_short(real, np.asarray(pause)).any():
        raise LimitError(
            f"{where}this update comes {pause:.6g} s after the last, but the board needs "
            f"{real.imperfections.update_time:g} s between two; run longer between them"
        )
