"""Figure of a protocol: its controls over time, with the jumps at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.units import CONSISTENT, Units
from ktc._base.validation import Array
from ktc._drawing.labels import Scale, scale_of
from ktc._drawing.style import legend, line, new_figure, units
from ktc._model.controls import CONTROL_NAMES, Controls
from ktc._model.description import Description
from ktc._model.potentials.on_site import PARAMETER_NAMES
from ktc._model.waveforms import FRICTION, one_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ktc._model.protocol import Protocol

#: What one column of a control describes.
ITEMS = {
    "bias": "unit",
    "stiffness": "eigenvalue",
    "kT": "resistor",
    "quartic": "unit",
    "emf": "resistor",
    "current": "source",
}

#: Margin before the start and after the end, over the duration.
MARGIN = 0.04


def draw_protocol(
    protocol: Protocol,
    device: Description | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the controls over time, and of a stiffness matrix its eigenvalues.

    Args:
        protocol: what to draw.
        device: the Network or Board to play it on, which gives the units, and the controls from
            which the first jump starts.
        figsize: inches.

    Example:
        >>> import ktc
        >>> drive = ktc.Protocol.ramp(duration=2.0, ticks=50, bias=(0.0, 4.0))
        >>> ktc.plot.draw_protocol(drive).axes[0].get_ylabel()
        'bias'
    """
    if not protocol.controls and not protocol.final:
        raise ValueError("this protocol drives no control: there is nothing to draw")
    figure, axes = new_figure(len(driven(protocol)), figsize=figsize, sharex=True)
    initial = None if device is None else device.network.controls
    draw_controls(
        list(axes[:, 0]), protocol, initial, CONSISTENT if device is None else device.symbols
    )
    return figure


def driven(protocol: Protocol) -> list[str]:
    """Return the names of all controls that a protocol sets."""
    return list(dict.fromkeys([*protocol.controls, *protocol.final]))


def draw_controls(
    axes: list[Axes], protocol: Protocol, initial: Controls | None, symbols: Units
) -> None:
    """Draw every control on its own axes, in the order of ``driven``, with the time on the last."""
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
            units(ax, time * clock.factor, columns, steps=True, name=ITEMS.get(name, "unit"))
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
    unknown = initial is None or name not in CONTROL_NAMES
    before = None if unknown else np.asarray(getattr(initial, name))
    ticks = protocol.controls.get(name)
    end = protocol.final.get(name, None if ticks is None else ticks[-1])
    after = np.asarray(end)[None]
    parts, times = [after, after], np.array([protocol.duration, protocol.duration + margin])
    if ticks is not None:
        parts, times = [ticks, *parts], np.concatenate([protocol.times[:-1], times])
    if before is not None:
        parts, times = [before[None], *parts], np.concatenate([[-margin], times])
    return times, np.concatenate(one_shape(name, parts))


def _unit(symbols: Units, control: str) -> str:
    if control == FRICTION:
        return ""
    if control in PARAMETER_NAMES:  # of a potential, or a capacitance such as c1
        return "F" if control[1:].isdigit() and symbols.energy == "J" else ""
    if control not in CONTROL_NAMES:  # an element of a circuit
        return {"V": "V", "I": "A", "R": "Ω", "C": "F", "L": "H", "K": ""}[control[0].upper()]
    known = {"bias": symbols.bias, "stiffness": symbols.stiffness, "kT": symbols.energy}
    if control in known:
        return known[control]
    # EMFs, currents and quartic terms have unit symbols only where the device uses the SI.
    if symbols.energy != "J":
        return ""
    charges = {"1/F": "J/C⁴", "1/H": "J/Wb⁴"}
    quartic = " or ".join(charges[one] for one in symbols.stiffness.split(" or "))
    return {"emf": "V", "current": "A", "quartic": quartic}[control]
