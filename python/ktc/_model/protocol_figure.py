"""Figure of a protocol: controls over time, with the jumps at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.units import CONSISTENT, Units
from ktc._base.validation import Array
from ktc._drawing.scales import Scale, scale_of
from ktc._drawing.style import legend, line, new_figure, units
from ktc._model.controls import Controls
from ktc._model.description import Description

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ktc._model.protocol import Protocol

#: Name of one column of each control in legends.
ITEMS = {
    "bias": "unit",
    "stiffness": "eigenvalue",
    "kT": "resistor",
    "quartic": "unit",
    "emf": "resistor",
    "current": "source",
}

#: Time before the start and after the end that is drawn, over the duration.
MARGIN = 0.04


def draw_protocol(
    protocol: Protocol,
    device: Description | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw controls over time; a stiffness matrix as its eigenvalues.

    Args:
        protocol: a ``ktc.Protocol``.
        device: the Network or Board that it drives, for units and for the controls before the first
            jump.
        figsize: width and height in inches.

    Returns:
        A matplotlib Figure.

    Raises:
        ValueError: a protocol without controls.

    Example:
        >>> import ktc
        >>> drive = ktc.Protocol.ramp(duration=2.0, ticks=50, bias=(0.0, 4.0))
        >>> ktc.plot.draw_protocol(drive).axes[0].get_ylabel()
        'bias'
    """
    if not protocol.controls and not protocol.final:
        raise ValueError("protocol must drive some control to be drawn, but drives no control")
    figure, axes = new_figure(len(driven(protocol)), figsize=figsize, sharex=True)
    initial = None if device is None else device.network.controls
    draw_controls(
        list(axes[:, 0]), protocol, initial, CONSISTENT if device is None else device.symbols
    )
    return figure


def driven(protocol: Protocol) -> list[str]:
    """Names of the controls that a protocol sets."""
    return list(dict.fromkeys([*protocol.controls, *protocol.final]))


def draw_controls(
    axes: list[Axes], protocol: Protocol, initial: Controls | None, symbols: Units
) -> None:
    """Draw each control on its own axes, in the order of ``driven``."""
    clock = scale_of(protocol.duration, symbols.time)
    for ax, name in zip(axes, driven(protocol), strict=True):
        time, values = _waveform(protocol, name, initial)
        scale = scale_of(values, _unit(symbols, name))
        label = name
        if values.ndim == 3:
            values = np.asarray(np.linalg.eigvalsh(values), dtype=np.float64)
            label = f"{name}, eigenvalues"
        columns = values.reshape(len(values), -1) * scale.factor
        if columns.shape[1] == 1:
            line(ax, time * clock.factor, columns[:, 0], 0, steps=True, marker="")
        else:
            units(ax, time * clock.factor, columns, steps=True, name=ITEMS[name])
        mark_ends(ax, protocol.duration, clock)
        ax.set_ylabel(scale.label(label))
        legend(ax)
    axes[-1].set_xlabel(clock.label("time"))


def mark_ends(ax: Axes, duration: float, clock: Scale) -> None:
    """Draw thin lines at the start and the end of a protocol."""
    for end in (0.0, duration * clock.factor):
        ax.axvline(end, color="0.6", linewidth=0.8, linestyle=(0, (2, 3)), zorder=0)


def _waveform(protocol: Protocol, name: str, initial: Controls | None) -> tuple[Array, Array]:
    """Times and values of the changes of a control, with a margin at both ends."""
    margin = MARGIN * protocol.duration
    before = None if initial is None else np.asarray(getattr(initial, name))
    ticks = protocol.controls.get(name)
    end = protocol.final.get(name, None if ticks is None else ticks[-1])
    after = np.asarray(end)[None]
    parts, times = [after, after], np.array([protocol.duration, protocol.duration + margin])
    if ticks is not None:
        parts, times = [ticks, *parts], np.concatenate([protocol.times[:-1], times])
    if before is not None:
        parts, times = [before[None], *parts], np.concatenate([[-margin], times])
    return times, np.concatenate(_one_shape(parts))


def _one_shape(parts: list[Array]) -> list[Array]:
    """Broadcast scalars among vectors or matrices, as playing a protocol does."""
    shape = max((part.shape[1:] for part in parts), key=len)
    full = []
    for part in parts:
        if part.shape[1:] == shape:
            full.append(part)
        elif len(shape) == 2:
            full.append(part[:, None, None] * np.eye(shape[0]))
        else:
            full.append(np.broadcast_to(part[:, None], (len(part), *shape)))
    return full


def _unit(symbols: Units, control: str) -> str:
    known = {"bias": symbols.bias, "stiffness": symbols.stiffness, "kT": symbols.energy}
    if control in known:
        return known[control]
    # EMFs, currents and quartic terms have unit symbols only in SI.
    if symbols.energy != "J":
        return ""
    charges = {"1/F": "J/C⁴", "1/H": "J/Wb⁴"}
    quartic = " or ".join(charges[one] for one in symbols.stiffness.split(" or "))
    return {"emf": "V", "current": "A", "quartic": quartic}[control]
