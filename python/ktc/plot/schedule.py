"""Picture of a schedule: the learning rate over time, and how much it learns with its jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc.checks import Array
from ktc.geometry import Geometry
from ktc.network import Network
from ktc.plot.protocol import MARGIN, mark_ends
from ktc.plot.scales import scale_of
from ktc.plot.style import legend, new_figure, units
from ktc.schedules import Schedule
from ktc.units import Description

if TYPE_CHECKING:
    from ktc.plot.figure import Picture

#: Unit of η·time by that of the parameter: its square over joules.
GAIN_UNITS = {"": "", "V": "1/F", "C": "F", "A": "1/H", "Wb": "H"}

#: Instants at which the rate is drawn.
INSTANTS = 201


def draw_schedule(
    schedule: Schedule,
    device: Description | None = None,
    parameter: str = "bias",
    figsize: tuple[float, float] | None = None,
) -> Picture:
    """Eigenvalues of η(t), and of its integral with the jumps at both ends.

    Jumps are infinitely fast learning: above they have no place, below they are the steps at 0
    and T, F⁻¹ζ η for ``MinimalDissipation``.

    Args:
        schedule: what to draw.
        device: the Network or Board whose rate is meant; one unit with k = γ = 1 by default.
        parameter: "bias" or "center".
        figsize: inches.
    """
    described = Network(stiffness=1.0, friction=1.0) if device is None else device
    schedule.check(described.network.units)
    geometry = Geometry.of(described, parameter)
    symbols = described.symbols
    time = np.linspace(0, schedule.duration, INSTANTS)
    rates = np.stack([schedule.rate(t, geometry) for t in time])
    first, last = _jumps(schedule, geometry)
    steps = 0.5 * (rates[1:] + rates[:-1]) * np.diff(time)[:, None, None]
    learned = first + np.concatenate([np.zeros((1, *first.shape)), np.cumsum(steps, axis=0)])
    margin = MARGIN * schedule.duration
    ends = np.array([schedule.duration, schedule.duration + margin])
    long_time = np.concatenate([[-margin, 0.0], time, ends])
    nothing, everything = np.zeros((2, *first.shape)), np.stack([learned[-1] + last] * 2)
    learned = np.concatenate([nothing, learned, everything])

    clock = scale_of(schedule.duration, symbols.time)
    gain = scale_of(learned, GAIN_UNITS[symbols.bias if parameter == "bias" else symbols.state])
    figure, axes = new_figure(2, figsize=figsize, sharex=True)
    for ax, instants, matrices, text, scale in (
        (axes[0, 0], time, rates, f"rate η of the {parameter}", gain.per(clock)),
        (axes[1, 0], long_time, learned, "∫η dt with jumps", gain),
    ):
        values = np.sort(np.linalg.eigvals(matrices).real, axis=1)
        # Modes of one rate, as a scalar schedule has them, are one line.
        if np.ptp(values, axis=1).max() <= 1e-9 * np.abs(values).max():
            values = values[:, :1]
        units(ax, instants * clock.factor, values * scale.factor, name="eigenvalue")
        mark_ends(ax, schedule.duration, clock)
        ax.set_ylabel(scale.label(text))
    legend(axes[0, 0], columns=3)
    for text, jump, time_of in (("first jump", first, 0.0), ("last jump", last, ends[0])):
        if np.any(jump):
            side = "left" if time_of == 0.0 else "right"
            axes[1, 0].annotate(
                text, (time_of * clock.factor, 1.02), xycoords=("data", "axes fraction"),
                ha=side, va="bottom", fontsize="small",
            )  # fmt: skip
    if not (np.any(first) or np.any(last)):
        axes[1, 0].annotate(
            "no jumps", (1.0, 1.02), xycoords="axes fraction", ha="right", fontsize="small"
        )
    axes[1, 0].set_xlabel(clock.label("time"))
    return figure


def _jumps(schedule: Schedule, geometry: Geometry) -> tuple[Array, Array]:
    """Matrices of both jumps, Δθ = matrix · g."""
    columns = np.eye(len(geometry.fisher))
    first = np.empty_like(columns)
    for number, column in enumerate(columns):

        def toward(_: Array, column: Array = column) -> Array:
            return column

        first[:, number] = schedule.first_jump(column, geometry, toward)
    last = [schedule.last_jump(column, geometry) for column in columns]
    return first, np.stack(last, axis=1)
