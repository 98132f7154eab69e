"""Figure of a schedule: its learning rate over time, and the integral with its jumps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._drawing.labels import scale_of
from ktc._drawing.style import legend, new_figure, units
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.protocol_figure import MARGIN, mark_ends
from ktc._theory.geometry import Geometry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ktc._learning.schedule import Schedule

#: Unit of η·time by that of the parameter: its square over joules.
GAIN_UNITS = {"": "", "V": "1/F", "C": "F", "A": "1/H", "Wb": "H"}

#: Instants at which the rate is drawn, of networks up to so many units; fewer beyond, as
#: eigenvalues take time that grows with the cube of the units.
INSTANTS, FEWEST, UNITS = 201, 17, 64

#: Relative size of what a matrix may have beside its diagonal by rounding.
ROUNDING = 1e-9

Indices = NDArray[np.int_]
Linear = Callable[[Array], Array]


def draw_schedule(
    schedule: Schedule,
    device: Description | None = None,
    parameter: str = "bias",
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the eigenvalues of η(t), and of its integral with the jumps at both ends.

    The rate at a jump is infinite: the upper axes leave jumps out, the lower ones show them as
    steps at 0 and T, F⁻¹ζ η for ``MinimalDissipation``.

    Args:
        schedule: what to draw.
        device: the Network or Board to learn on; one unit with k = γ = 1 by default.
        parameter: "bias" or "center".
        figsize: inches.

    Example:
        >>> import ktc
        >>> figure = ktc.plot.draw_schedule(ktc.schedules.MinimalDissipation(duration=2.0))
        >>> len(figure.axes)
        2
    """
    described = Network(stiffness=1.0, friction=1.0) if device is None else device
    schedule.check(described.network.units)
    geometry = Geometry.of(described, parameter)
    symbols = described.symbols
    time = np.linspace(0, schedule.duration, INSTANTS)
    many = int(np.clip(INSTANTS * (UNITS / geometry.size) ** 2, FEWEST, INSTANTS))
    drawn = np.linspace(0, INSTANTS - 1, many).round().astype(int)
    found = _spectra(schedule, geometry, time, drawn)
    margin = MARGIN * schedule.duration
    ends = np.array([schedule.duration, schedule.duration + margin])
    long_time = np.concatenate([[-margin, 0.0], time[drawn], ends])
    clock = scale_of(schedule.duration, symbols.time)
    of = symbols.bias if parameter == "bias" else symbols.state
    gain = scale_of(found.learned, " or ".join(GAIN_UNITS[one] for one in of.split(" or ")))
    figure, axes = new_figure(2, figsize=figsize, sharex=True)
    for ax, instants, values, text, scale in (
        (axes[0, 0], time[drawn], found.rates, f"rate η of the {parameter}", gain.per(clock)),
        (axes[1, 0], long_time, found.learned, "∫η dt with jumps", gain),
    ):
        # Modes of one rate, as a scalar schedule has them, are one line.
        if np.ptp(values, axis=1).max() <= 1e-9 * np.abs(values).max():
            values = values[:, :1]
        units(ax, instants * clock.factor, values * scale.factor, name="eigenvalue")
        mark_ends(ax, schedule.duration, clock)
        ax.set_ylabel(scale.label(text))
    legend(axes[0, 0], columns=3)
    places = ("first jump", 0.0, "left"), ("last jump", schedule.duration, "right")
    for jump, (text, time_of, side) in zip(found.jumps, places, strict=True):
        if jump:
            axes[1, 0].annotate(
                text, (time_of * clock.factor, 1.02), xycoords=("data", "axes fraction"),
                ha=side, va="bottom", fontsize="small",
            )  # fmt: skip
    if not any(found.jumps):
        axes[1, 0].annotate(
            "no jumps", (1.0, 1.02), xycoords="axes fraction", ha="right", fontsize="small"
        )
    axes[1, 0].set_xlabel(clock.label("time"))
    return figure


class _Spectra(NamedTuple):
    """Eigenvalues of η and of ∫η dt, shape (instants, d) each, and whether it jumps at the ends."""

    rates: Array
    learned: Array
    jumps: tuple[bool, bool]


def _spectra(schedule: Schedule, geometry: Geometry, time: Array, drawn: Indices) -> _Spectra:
    """By diagonals where all of η and its jumps are diagonal in the parameters or in the modes."""
    rates = [_rate(schedule, geometry, t) for t in time]
    jumps: list[Linear] = [
        lambda g: schedule.first_jump(g, geometry, lambda _: g),
        lambda g: schedule.last_jump(g, geometry),
    ]
    modes, loaded = geometry.modes, geometry.fisher @ geometry.modes
    eye = np.eye(len(modes))
    overlap = modes.T @ modes
    lengths = np.sqrt(overlap.diagonal())
    skew = np.abs(overlap / np.outer(lengths, lengths) - eye).max()

    def of_modes(diagonals: Array) -> Array:
        """Eigenvalues of V diag Vᵀ."""
        if skew <= ROUNDING:
            return np.sort(diagonals * overlap.diagonal(), axis=1)
        return np.stack([np.linalg.eigvalsh((modes * one) @ modes.T) for one in diagonals])

    ways: tuple[tuple[Array, Array, Linear], ...] = (
        (eye, eye, lambda diagonals: np.sort(diagonals, axis=1)),
        (loaded, loaded.T, of_modes),
    )
    for to, back, spectrum in ways:
        diagonals = _diagonals([*rates, *jumps], to, back)
        if diagonals is not None:
            return _integrated(diagonals[:-2], diagonals[-2:], time, drawn, spectrum)
    few = time[drawn]
    matrices = np.stack([schedule.rate(t, geometry) for t in few])
    ends = np.stack([np.stack([jump(column) for column in eye], axis=1) for jump in jumps])
    return _integrated(matrices, ends, few, np.arange(len(few)), _of_matrices)


def _rate(schedule: Schedule, geometry: Geometry, time: float) -> Linear:
    return lambda gradient: schedule.velocity(time, gradient, geometry)


def _diagonals(maps: Sequence[Linear], to: Array, back: Array) -> Array | None:
    """Diagonals of back·map·to, where two random probes find all of these diagonal; else None."""
    probes = np.random.default_rng(0).uniform(1, 2, (2, len(to)))
    first, second = (np.stack([back @ one(to @ probe) for one in maps]) for probe in probes)
    diagonals: Array = first / probes[0]
    beside = np.abs(diagonals * probes[1] - second).max(axis=1)
    return diagonals if (beside <= ROUNDING * np.abs(second).max(axis=1)).all() else None


def _integrated(
    rates: Array, jumps: Array, time: Array, drawn: Indices, spectrum: Callable[[Array], Array]
) -> _Spectra:
    """Spectra of rates, as diagonals or matrices, and of their integrals by trapezoids."""
    holds = np.diff(time).reshape(-1, *[1] * (rates.ndim - 1))
    steps = np.cumsum(0.5 * (rates[1:] + rates[:-1]) * holds, axis=0)
    learned = jumps[0] + np.concatenate([np.zeros((1, *steps.shape[1:])), steps])
    values = spectrum(np.concatenate([learned[drawn], [learned[-1] + jumps[1]]]))
    nothing = np.zeros((2, values.shape[1]))
    return _Spectra(
        spectrum(rates[drawn]),
        np.concatenate([nothing, values, values[-1:]]),
        (bool(jumps[0].any()), bool(jumps[1].any())),
    )


def _of_matrices(matrices: Array) -> Array:
    mirrored = np.swapaxes(matrices, 1, 2)
    if np.allclose(matrices, mirrored, rtol=0, atol=ROUNDING * float(np.abs(matrices).max())):
        return np.asarray(np.linalg.eigvalsh(matrices), dtype=np.float64)
    return np.sort(np.linalg.eigvals(matrices).real, axis=1)
