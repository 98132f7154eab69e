"""Fits as files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ktc._base import storage
from ktc._base.units import Units
from ktc._learning import schedules
from ktc._learning.center import learnable
from ktc._learning.history import History
from ktc._learning.metrics.calibration_report import CalibrationReport
from ktc._model.description import Described
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network
from ktc._model.parameters import Parameters

#: Arguments of ``Fit`` that are single numbers, words or lists, and those that are arrays.
PLAIN = ("samples", "batch", "seed", "stopped_early", "applied_change", "variances")
ARRAYS = (
    *("data_mean", "data_forces", "final_forces", "final_state"),
    *("work", "heat", "hidden", "scatter"),
)


def to_file(fit: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Save the constructor's arguments of a fit.

    Args:
        fit: the arguments by name.
        path: the file.

    Raises:
        ValueError: a schedule that is not one of ktc.schedules.
    """
    schedule, start, learned = fit["schedule"], fit["start"], fit["learned"]
    name = schedule.name
    if type(schedule) is not getattr(schedules, name, None):
        raise ValueError(
            f"schedule {name} is not one of ktc.schedules, so a saved fit could not bring it back"
        )
    spec, report = fit["imperfections"], fit["calibration"]
    header = {name: fit[name] for name in PLAIN}
    header |= {
        "schedule": name,
        "arguments": schedule.arguments,
        "names": list(learned.names),
        "symbols": vars(start.symbols),
        "imperfections": spec.as_dict() if spec else None,
    }
    arrays = {name: fit[name] for name in ARRAYS if fit[name] is not None}
    arrays |= {"scale": start.scale}
    arrays |= {f"network_{k}": v for k, v in start.network.as_dict().items()}
    arrays |= {f"history_{k}": v for k, v in vars(fit["history"]).items()}
    arrays |= {f"mask_{k}": v for k, v in _masks(learned).items()}
    if fit["positive"] is not None:
        arrays |= {"positive_work": fit["positive"][0], "positive_heat": fit["positive"][1]}
    if report is not None:
        header["calibration"], measured = report.as_parts()
        arrays |= {f"calibration_{k}": v for k, v in measured.items()}
    storage.save(path, "Fit", header, arrays)


def from_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments that ``to_file`` saved."""
    header, arrays = storage.load(path, "Fit")
    with storage.rebuilding(path):
        network = Network.from_dict(storage.part(arrays, "network_"))
        start = Described(network, arrays["scale"], Units(**header["symbols"]))
        positive = storage.part(arrays, "positive_")
        spec, report = header["imperfections"], header.get("calibration")
        measured = storage.part(arrays, "calibration_")
        mask = storage.part(arrays, "mask_") or None
        return {name: header[name] for name in PLAIN} | {
            **{name: arrays.get(name) for name in ARRAYS},
            "hidden": arrays["hidden"].astype(np.intp),
            "start": start,
            "schedule": getattr(schedules, header["schedule"])(**header["arguments"]),
            "learned": learnable(start, header["names"], mask),
            "history": History(**storage.part(arrays, "history_")),
            "positive": (positive["work"], positive["heat"]) if positive else None,
            "imperfections": Imperfections(**spec) if spec else None,
            "calibration": report
            and CalibrationReport.from_parts(
                report, measured, start.symbols.energy, network.common_kT
            ),
            "version": header["version"],
        }


def _masks(learned: Parameters) -> dict[str, Any]:
    """The masks of which the same Parameters are made; none of the center."""
    masks = {}
    for name, places in learned.places.items():
        array = np.zeros((learned.units,) * len(places), dtype=bool)
        array[places] = True
        masks[name] = array | array.T
    return {} if learned.names == ("center",) else masks
