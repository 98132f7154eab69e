"""Records of the loop of learning, and where it stands between two updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ktc._base.codec import RecordError, Saved
from ktc._base.validation import Array, of_shape, positive
from ktc._model.controls import Controls
from ktc._model.parameters import Parameters

#: Columns whose entries are arrays, and those that may be left out.
ARRAYS = ("theta", "bias", "gradient", "mean")
MAY_BE_NONE = ("path_free_energy", "noise_work")


class Row(NamedTuple):
    """One update: arrays of ``History`` by name, and the accounts since the device was made."""

    theta: Array
    bias: Array
    gradient: Array
    mean: Array
    share: float
    path_free_energy: float | None
    noise_work: float | None
    spent: list[float]


class LoopState(NamedTuple):
    """Where a loop stands between two updates: what changes while it runs."""

    theta: Array
    controls: Controls
    least_gain: float
    flow: Array
    first: Array
    rows: list[Row]
    steering: Saved | None
    restraint: Saved | None


class Outcome(NamedTuple):
    """Arrays of ``History`` by name, one row per update, and why the loop stopped early, if so."""

    rows: dict[str, Array]
    stopped: str | None


def saved_loop(state: LoopState) -> dict[str, object]:
    """What a file keeps of a loop, as ``restored_loop`` takes it."""
    columns = zip(Row._fields, zip(*state.rows, strict=True), strict=bool(state.rows))
    found: dict[str, object] = {
        name: None if values[0] is None else np.array(values) for name, values in columns
    }
    return {**state._asdict(), "rows": found}


def restored_loop(
    saved: Saved, now: LoopState, learned: Parameters, start: Controls, ticks: int
) -> LoopState:
    """The state of a loop that a file has kept; ``now`` is that of a new one."""
    size, units, rows = learned.size, learned.units, saved["rows"]
    of_shape("loop/theta", saved["theta"], size)
    controls = start.checked(saved["controls"])
    changed = {name: getattr(controls, name) for name in learned.changes(saved["theta"], controls)}
    if start.updated(**changed) != controls:
        raise RecordError(f"loop/controls: must be those of the start, but for {tuple(changed)}")
    of_shape("loop/flow", saved["flow"], size)
    of_shape("loop/first", saved["first"], *now.first.shape)
    for name, kind in (
        ("steering", "without a rate"),
        ("restraint", "that reacts to noise"),
    ):
        if (saved[name] is None) != (getattr(now, name) is None):
            raise RecordError(f"loop/{name}: only that of a rule {kind} is saved")
    return LoopState(
        saved["theta"], controls, positive("loop/least_gain", saved["least_gain"]), saved["flow"],
        saved["first"], _rows(rows, (size, units, size, units), ticks), saved["steering"],
        saved["restraint"],
    )  # fmt: skip


def _rows(saved: Saved, widths: Sequence[int], ticks: int) -> list[Row]:
    """Rows of their columns, of which the first ones are arrays of these widths."""
    if not saved:
        return []
    if set(saved) != set(Row._fields) or len(saved["share"]) > ticks + 1:
        raise RecordError(f"loop/rows: must be columns of at most {ticks + 1} updates")
    many = len(saved["share"])
    shapes = {name: (many, *widths[k : k + 1]) for k, name in enumerate(Row._fields)}
    shapes["spent"] = (many, 4)
    columns: list[Sequence[object]] = []
    for name in Row._fields:
        values = saved[name]
        if values is None and name in MAY_BE_NONE:
            columns.append([None] * many)
            continue
        of_shape(f"loop/rows/{name}", values, *shapes[name])
        columns.append(list(values) if name in ARRAYS else values.tolist())
    return [Row(*one) for one in zip(*columns, strict=True)]
