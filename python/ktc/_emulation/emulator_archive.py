"""Everything that a resumed emulator needs to give the same bits, as a header and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ktc._base import storage
from ktc._base.validation import Array
from ktc._model.controls import CONTROL_NAMES
from ktc._model.sparse_stiffness import SparseStiffness

if TYPE_CHECKING:
    from ktc._emulation.emulator import Emulator

#: Options of an emulator that are saved with it.
OPTIONS = ("dtype", "dt", "resolve_heat", "accounts", "replicas", "first_replica", "seed")


def archive(emulator: Emulator) -> tuple[dict[str, Any], dict[str, Array]]:
    """Header and arrays of an emulator as it stands."""
    arrays = {f"network_{k}": v for k, v in emulator.network.as_dict().items()}
    snapshot = emulator._engine.snapshot()
    if emulator.controls.is_sparse:
        del snapshot["stiffness"]
        snapshot |= emulator.controls.saved_arrays()
    arrays |= {f"engine_{k}": np.asarray(v) for k, v in snapshot.items()}
    arrays["scale"] = emulator.scale
    if emulator._start is not None:
        arrays["start"] = emulator._start
    header = {name: getattr(emulator, name) for name in OPTIONS}
    return {**header, "symbols": vars(emulator.symbols)}, arrays


def kept(header: Mapping[str, Any]) -> dict[str, Any]:
    """The options that an emulator was made with; files of old have no accounts."""
    return {name: header.get(name) if name == "accounts" else header[name] for name in OPTIONS}


def resume(emulator: Emulator, arrays: Mapping[str, Array]) -> None:
    """Puts a fresh emulator of the same options where the saved one stood."""
    emulator._start = arrays.get("start")
    saved = storage.part(arrays, "engine_")
    if "stiffness_data" in saved:
        held = SparseStiffness.of_arrays(saved)
        emulator._controls = replace(emulator.controls, held_stiffness=held)
        saved["stiffness"] = np.asarray(held.core)
    emulator._engine.restore({k: v if v.ndim else v.item() for k, v in saved.items()})
    left_alone = {"stiffness"} if emulator.controls.is_sparse else set()
    emulator._controls = emulator._engine_controls(set(CONTROL_NAMES) - left_alone)
