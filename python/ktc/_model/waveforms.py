"""Controls over time: shapes of waveforms, and checks against the controls of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.validation import Array, known_keywords, of_type, real_array
from ktc._model.controls import CONTROL_NAMES, Controls
from ktc._model.potentials.on_site import PARAMETER_NAMES, ROW

#: A control of networks of units that acts on no energy.
FRICTION = "friction"
#: First letters of the names of sources and elements of a circuit, which have one value per tick.
ELEMENT_LETTERS = tuple("VIRCLKvirclk")
# Numbers of axes that one value of a control may have.
_DIMENSIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys((*CONTROL_NAMES, *PARAMETER_NAMES), (0, 1)),
    "stiffness": (0, 2),
    "bias": (0, 1, 2),
    FRICTION: (0, 1, 2),
}


def known_controls(names: Iterable[str]) -> None:
    """Refuse names that are neither controls nor, by their first letter, elements of a circuit."""
    others = [name for name in names if str(name)[:1] not in ELEMENT_LETTERS]
    known_keywords(others, (*CONTROL_NAMES, FRICTION, *PARAMETER_NAMES), "control")


def full_shape(name: str, values: Array, size: int) -> Array:
    """Return a waveform at full shape: scalars as ``size`` columns, or multiples of 1."""
    if values.ndim > 1:
        return values
    if name == "stiffness":
        return values[:, None, None] * np.eye(size)
    return np.repeat(values[:, None], size, axis=1)


def one_shape(name: str, parts: list[Array]) -> list[Array]:
    """Return waveforms of one control at one shape, with scalars broadcast to it."""
    shapes = {part.shape[1:] for part in parts if part.ndim > 1}
    if name == "bias" and len({shape[-1] for shape in shapes}) == 1 < len(shapes):
        most = max(shapes, key=len)  # a row per replica
        parts = [_in_every_row(part, most) if part.ndim == 2 else part for part in parts]
        shapes = {part.shape[1:] for part in parts if part.ndim > 1}
    if len(shapes) > 1:
        raise ValueError(f"{name} must keep one shape, but has {sorted(shapes)}")
    return [full_shape(name, part, shape[0]) for shape in shapes for part in parts] or parts


def _in_every_row(part: Array, shape: tuple[int, ...]) -> Array:
    """A waveform of one bias for all replicas as one of each."""
    return np.broadcast_to(part[:, None], (len(part), *shape))


def setting(what: str, name: str, value: ArrayLike) -> Array:
    """Return one value of a control, checked; ``what`` names it in errors."""
    array = real_array(what, value)
    if array.ndim not in _DIMENSIONS.get(name, (0,)):
        raise ValueError(f"{what} has shape {array.shape}, which no network's {name} has")
    return array


def waveform(name: str, value: ArrayLike, ticks: int) -> Array:
    """Return one value per tick of a control, checked."""
    array = real_array(name, value)
    if array.ndim == 0 or len(array) != ticks or array.ndim - 1 not in _DIMENSIONS.get(name, (0,)):
        raise ValueError(
            f"{name} must have one value per tick, {ticks} in all as holds, but has shape "
            f"{array.shape}"
        )
    return array


def checked_waveforms(
    waveforms: Mapping[str, Array], last: dict[str, Array], controls: Controls, replicas: float = 0
) -> tuple[dict[str, Array], Controls]:
    """Return waveforms as a network with ``controls`` takes them, and the controls at the end.

    A bias may have one row for each of ``replicas``, where there are any.
    """
    of_type("controls", controls, Controls)
    on_site = controls.on_site
    known_keywords([*waveforms, *last], (*CONTROL_NAMES, *on_site.names), "control")
    checked, last = on_site.over_ticks(controls.potential, waveforms, last)
    if controls.is_sparse and "stiffness" in {*waveforms, *last}:
        raise ValueError(
            "stiffness of a sparse network is set, not played: a protocol holds one dense "
            "matrix per tick; use Emulator.set(stiffness=...) between two protocols"
        )
    for name, values in checked.items():
        _require_shape(name, values, controls.shape(name), replicas)
    quartic = "quartic" in checked or not controls.is_linear
    for name in set(checked) & ({"kT"} if quartic else {"stiffness", "kT"}):
        checked[name] = _physical(controls, name, checked[name])
    if quartic:
        _check_together(controls, checked)
    elif not controls.is_sparse:  # the engine refuses a bias that overflows
        _refuse_overflow("tick", controls, checked)
    try:
        ends = {name: values[-1] for name, values in checked.items()}
        if "bias" in last:
            controls.updated(replicas, **ends)
        final = controls.updated(replicas, **ends | last)
    except ValueError as error:
        raise ValueError(f"final update: {error}") from None
    if final.is_linear and not final.is_sparse:
        ends = {"bias": final.bias[None], "stiffness": final.stiffness[None]}
        _refuse_overflow("final update", final, ends)
    return checked, final


def _require_shape(name: str, values: Array, target: tuple[int, ...], replicas: float) -> None:
    shapes: list[tuple[float, ...]] = [(), target]
    if name == "bias" and replicas:
        shapes.append((replicas, *target))
    if values.shape[1:] not in shapes:
        raise ValueError(
            f"{name} must be a scalar or of shape {' or '.join(map(str, shapes[1:]))} at every "
            f"tick, but has shape {values.shape[1:]}"
        )


def controls_at(controls: Controls, waveforms: Mapping[str, Array], tick: int) -> Controls:
    """Return ``controls`` with the values of one tick."""
    bias = waveforms.get("bias")
    replicas = bias.shape[1] if bias is not None and bias.ndim == 3 else 0
    return controls.updated(replicas, **{name: values[tick] for name, values in waveforms.items()})


def _check_together(controls: Controls, waveforms: Mapping[str, Array]) -> None:
    """Check stiffness, quartic terms and potentials of each tick: one may confine for all."""
    names = ("stiffness", "quartic", ROW)
    confining = {name: waveforms[name] for name in names if name in waveforms}
    for tick in range(len(next(iter(confining.values()))) if confining else 0):
        try:
            controls_at(controls, confining, tick)
        except ValueError as error:
            raise ValueError(f"tick {tick}: {error}") from None


def _physical(controls: Controls, name: str, values: Array) -> Array:
    """The values as ``controls`` would take them; only doubtful ticks are checked one by one."""
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
        # Twice the margin of a single update, which decides the doubtful ticks.
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
    """Refuse a bias whose equilibrium energy ½ bᵀK⁻¹b exceeds the range of a double."""
    if not {"bias", "stiffness"} & set(checked):
        return
    bias, stiffness = checked.get("bias", controls.bias[None]), checked.get("stiffness")
    if bias.ndim == 3:  # of each tick the largest; the engine refuses others
        largest = np.abs(bias).max(axis=2).argmax(axis=1)
        bias = bias[np.arange(len(bias)), largest]
    # A scalar bias is a size times a direction that all ticks share.
    alike = bias.ndim == 1
    direction = np.ones((1, controls.units)) if alike else bias
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
