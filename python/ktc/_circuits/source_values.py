"""Values of sources that give the controls of an emulator, and controls that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.validation import Array, finite, real_array
from ktc._circuits.equation import CircuitEquation
from ktc._model.controls import Controls

#: Controls that sources act on.
DRIVEN = ("bias", "emf", "current")


class HasSources(Protocol):
    """An equation of motion whose sources have names."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources."""


def places_of(equation: HasSources, names: Iterable[str]) -> dict[str, int]:
    """Return the indices of named sources in θ; case does not matter."""
    known = {name.lower(): place for place, name in enumerate(equation.sources)}
    places: dict[str, int] = {}
    for name in names:
        if name.lower() not in known:
            sources = ", ".join(map(repr, equation.sources)) or "none"
            raise TypeError(f"unknown source {name!r}; the circuit has {sources}")
        other = next((o for o in places if o.lower() == name.lower()), None)
        if other is not None:
            raise TypeError(f"{other!r} and {name!r} are one source; give it one value")
        places[name] = known[name.lower()]
    return places


def source_values(equation: CircuitEquation, controls: Controls) -> dict[str, float]:
    """Return the values of the sources that controls determine, by name."""
    values, null = _solved(equation, driven_controls(controls), {})
    known = np.flatnonzero(~null.any(axis=1))
    return {equation.sources[k]: float(values[0, k]) for k in known}


def known_at(
    equation: CircuitEquation,
    controls: Controls,
    names: Iterable[str],
    remembered: Array | None = None,
) -> dict[str, float]:
    """Return the values of the sources that are known at controls; those named must be.

    Raises:
        ValueError: controls that no values give, or several.
    """
    values, null = _solved(equation, driven_controls(controls), {}, remembered)
    null = may_move(_acting(equation), remembered)[:, None] * null
    if null[list(places_of(equation, names).values())].any():
        together = [equation.sources[s] for s in np.flatnonzero(null.any(axis=1))]
        raise ValueError(
            f"{', '.join(together)} act only together, and their present values are not known; set "
            f"them by name first: emulator.set({', '.join(f'{each}=...' for each in together)})"
        )
    known = np.flatnonzero(~null.any(axis=1)).tolist()
    return {equation.sources[k]: float(values[0, k]) for k in known}


def waveforms_of(equation: HasSources, values: Mapping[str, ArrayLike], others: Array) -> Array:
    """Return θ with some values replaced, shape (sources,) or (ticks, sources)."""
    places = places_of(equation, values)
    arrays = {name: real_array(name, value) for name, value in values.items()}
    theta = np.broadcast_to(others, (*_shape_of(arrays), len(others))).copy()
    for name, array in arrays.items():
        theta[..., places[name]] = array
    return theta


def controls_at(equation: CircuitEquation, values: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Return the controls that named sources act on, with the others as in the circuit."""
    places = list(places_of(equation, values).values())
    theta = waveforms_of(equation, values, equation.values)
    acting = {name: m for name, m in _maps(equation).items() if m[:, places].any()}
    return {name: theta @ matrix.T for name, matrix in acting.items()}


def changed_controls(
    equation: CircuitEquation,
    present: Controls,
    values: Mapping[str, ArrayLike],
    remembered: Array | None = None,
) -> tuple[dict[str, Array], Array]:
    """Return the controls that named sources change, and the values of all sources.

    Other sources keep their present values: ``remembered`` or those in the circuit, if these give
    the present controls, or else those that do. Values are of shape (sources,), or
    (ticks, sources) of waveforms, and NaN where the present controls leave a source open.

    Raises:
        ValueError: present values that are not determined, though the named sources need them.
    """
    found, null = _solved(equation, driven_controls(present), {}, remembered)
    null = may_move(_acting(equation), remembered)[:, None] * null
    places = list(places_of(equation, values).values())
    theta = waveforms_of(equation, values, found[0])
    changes: dict[str, Array] = {}
    for name, matrix in _maps(equation).items():
        rows = matrix[:, places].any(axis=1)
        lost = np.abs(matrix[:, places] @ null[places]) > 1e-9 * np.abs(matrix).max(initial=0.0)
        if lost.any():
            together = [equation.sources[s] for s in np.flatnonzero(null.any(axis=1))]
            raise ValueError(
                f"{', '.join(together)} act on {name} only together, and their present values are "
                f"not known; give all of them: {', '.join(f'{each}=...' for each in together)}"
            )
        if rows.any():
            held = getattr(present, name)
            changes[name] = np.broadcast_to(held, (*theta.shape[:-1], len(held))).copy()
            changes[name][..., rows] = theta @ matrix[rows].T
    opened = np.asarray(null.any(axis=1))
    opened[places] = False
    theta[..., opened] = np.nan
    return changes, theta


def carried_controls(
    before: CircuitEquation, after: CircuitEquation, present: Controls, remembered: Array | None
) -> dict[str, Array]:
    """Return the controls that the present values of the sources give with other elements.

    Controls that the sources do not act on, and those on which they act as before, are left out.

    Raises:
        ValueError: present values that are not determined, though a control needs them.
    """
    maps = _maps(after)
    moved = [n for n, matrix in _maps(before).items() if not np.array_equal(matrix, maps[n])]
    if not moved:
        return {}
    found, null = _solved(before, driven_controls(present), {}, remembered)
    null = may_move(_acting(before), remembered)[:, None] * null
    for name in moved:
        lost = np.abs(maps[name] @ null) > 1e-9 * np.abs(maps[name]).max(initial=0.0)
        if lost.any():
            together = [before.sources[s] for s in np.flatnonzero(null.any(axis=1))]
            raise ValueError(
                f"{', '.join(together)} act on {name}, and their present values are not known; "
                f"set them by name: {', '.join(f'{each}=...' for each in together)}"
            )
    return {name: maps[name] @ found[0] for name in moved}


def present_values(
    equation: CircuitEquation,
    controls: Controls | Mapping[str, Array],
    given: Mapping[str, float],
    remembered: Array | None = None,
) -> Array:
    """Return the values of the sources at the controls of an emulator, for node voltages.

    They are of shape (points, sources), for controls or for waveforms of the three controls that
    sources act on, each of shape (points, entries).

    Raises:
        ValueError: controls that no values give, or a node voltage that depends on sources which
            they do not determine.
    """
    values, null = _solved(equation, driven_controls(controls), given, remembered)
    null = may_move(_acting(equation), remembered)[:, None] * null
    rows = equation.nodes_of_sources
    lost = (np.abs(rows @ null) > 1e-9 * (np.abs(rows) @ np.abs(null))).any(axis=1)
    if lost.any():
        nodes = [repr(equation.nodes[n]) for n in np.flatnonzero(lost)]
        names = [equation.sources[s] for s in np.flatnonzero(null.any(axis=1))]
        raise ValueError(
            f"the emulator's controls do not determine the voltage of node{'s'[: len(nodes) - 1]} "
            f"{', '.join(nodes)}: {', '.join(names)} act on them only together or not at all; give "
            f"their present values: circuit.voltages(emulator, "
            f"{', '.join(f'{name}=...' for name in names)})"
        )
    return values


def _maps(equation: CircuitEquation) -> dict[str, Array]:
    """The matrices that map θ to each control."""
    return {name: getattr(equation, f"{name}_of") for name in DRIVEN}


def may_move(acting: NDArray[np.bool_], remembered: Array | None) -> NDArray[np.bool_]:
    """Return which sources are unknown where controls do not tell them.

    The others act on no control, and their value is remembered.
    """
    if remembered is None:
        return np.ones_like(acting)
    return acting | np.isnan(remembered)


def known_values(own: Array, remembered: Array | None, moving: NDArray[np.bool_]) -> list[Array]:
    """Return values that sources may have: those remembered, and those of the circuit."""
    if remembered is None:
        return [own]
    return [remembered, np.where(moving, own, remembered)]


def _acting(equation: CircuitEquation) -> NDArray[np.bool_]:
    """Return which sources act on any control."""
    return np.asarray(np.vstack(list(_maps(equation).values())).any(axis=0))


def driven_controls(controls: Controls | Mapping[str, Array]) -> Array:
    """Return the controls that sources act on, side by side, shape (points, entries)."""
    if isinstance(controls, Controls):
        controls = {name: getattr(controls, name)[None] for name in DRIVEN}
    return np.hstack([controls[name] for name in DRIVEN])


def _solved(
    equation: CircuitEquation,
    found: Array,
    given: Mapping[str, float],
    remembered: Array | None = None,
) -> tuple[Array, Array]:
    """Values of the sources that give controls, (points, sources), and what these leave open.

    The latter is a basis of shape (sources, open), without columns where remembered values or those
    of the circuit give the controls.
    """
    places = places_of(equation, given)
    fixed = {place: finite(name, given[name]) for name, place in places.items()}
    matrix = np.vstack(list(_maps(equation).values()))
    size = np.abs(matrix).max(axis=1, initial=0.0)
    driven = size > 0
    matrix, found = matrix[driven] / size[driven, None], found[:, driven] / size[driven]

    def missed(values: Array, tolerance: float) -> bool:
        rounding = tolerance * (np.abs(found) + np.abs(values) @ np.abs(matrix).T)
        return bool((np.abs(values @ matrix.T - found) > rounding).any())

    moving = may_move(_acting(equation), remembered)
    for known in known_values(equation.values, remembered, moving):
        values = np.tile(known, (len(found), 1))
        values[:, list(fixed)] = list(fixed.values())
        if np.isfinite(values).all() and not missed(values, 1e-14 * len(known)):
            return values, np.empty((len(known), 0))
    free = np.setdiff1d(np.arange(len(equation.values)), list(fixed))
    columns = matrix[:, free]
    step = np.linalg.lstsq(columns, (found - values @ matrix.T).T, rcond=None)[0].T
    # Sources at their values in the circuit stay there within rounding.
    values[:, free] += np.where(np.abs(step) > 1e-13 * np.abs(step).max(initial=0.0), step, 0.0)
    if missed(values, 1e-9):
        named = f" with {', '.join(given)} as given" if given else ""
        raise ValueError(
            f"no values of the sources {', '.join(equation.sources)}{named} give the bias, emf and "
            "current of the emulator; set them by circuit.controls(...)"
        )
    # The null space, with zero in place of rounding.
    _, singular, right = np.linalg.svd(columns)
    least = np.finfo(np.float64).eps * max(columns.shape) * singular.max(initial=0.0)
    null = right[int(np.sum(singular > least)) :].T
    opened = np.zeros((len(equation.values), null.shape[1]))
    opened[free] = np.where(np.abs(null) > 1e-12, null, 0.0)
    return values, opened


def _shape_of(arrays: Mapping[str, Array]) -> tuple[int, ...]:
    """The common shape of numbers and waveforms, () or (ticks,)."""
    for name, array in arrays.items():
        if array.ndim > 1:
            raise ValueError(
                f"{name} must be a number or a waveform of shape (ticks,), but has shape "
                f"{array.shape}"
            )
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim == 1}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"waveforms must have one value per tick, all of one length, but {told}")
    return tuple(set(lengths.values()))
