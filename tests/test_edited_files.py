"""Files of results whose numbers were edited: refused where no run could have written them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import ktc
from ktc._base.codec import RecordError, from_record, to_record
from refusal import refused

NET = ktc.Network(1.0, 1.0)
DATA = np.random.default_rng(5).normal(size=(40, 1))


def a_run():
    statistics = ktc.Statistics(autocorrelation=2)
    emulator = ktc.Emulator(NET, 5, seed=1)
    return emulator.play(ktc.Protocol([1.0] * 4, {}), statistics=statistics)


def a_fit():
    spec = ktc.Imperfections(offset=1e-6, seed=1)
    board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
    schedule = ktc.schedules.MinimalDissipation(1e-6)
    return ktc.learn(board, 1e-5 * DATA, schedule, replicas=5, ticks=3, batch=7, seed=1)


def a_board_emulator():
    spec = ktc.Imperfections(adc_bits=8, adc_range=1e-3, adc_rate=1e6, seed=1)
    emulator = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec).emulator(3, seed=1)
    emulator.run(1e-6)
    emulator.set(bias=1e-5)
    emulator.read()
    return emulator


MADE = {
    "plan": lambda: ktc.plan(NET, DATA, duration=1.0, replicas=3, batch=7),
    "tuned": lambda: ktc.best_rate(
        NET, 1.0, lambda rate: ktc.schedules.Constant(1.0, rate), replicas=5, ticks=3
    ),
    "fit": a_fit,
    "run": a_run,
    "emulator": lambda: ktc.Emulator(NET, 3, seed=1),
    "board emulator": a_board_emulator,
}
NAN = math.nan


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file of each object, by its name."""
    folder = tmp_path_factory.mktemp("whole")
    for name, make in MADE.items():
        make().save(folder / name)
    return folder


def edit(source, path, place, value):
    """Copy a file with one entry replaced: an array, or a number of the record."""
    with np.load(source) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays.pop("header")))
    if place in arrays:
        arrays[place] = value
    else:
        *parents, last = place.split("/")
        node = header["record"]
        for parent in parents:
            node = node[parent]
        assert last in node
        node[last] = value
    with path.open("wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


@pytest.mark.parametrize("name", MADE)
def test_what_was_saved_is_loaded(whole, name):
    ktc.load(whole / name)


@pytest.mark.parametrize(
    ("name", "place", "values"),
    [
        ("plan", "duration", [NAN, math.inf, 0.0, -1.0]),
        ("plan", "replicas", [-1, 0]),
        ("plan", "ticks", [0]),
        ("plan", "batch", [0]),
        ("plan", "parameter", ["x"]),
        ("plan", "kT", [0.0, NAN]),
        ("plan", "excess_work", [NAN, math.inf]),
        ("plan", "nats_lost", [math.inf]),
        ("tuned", "rate", [-1.0, NAN]),
        ("fit", "samples", [-1, 0]),
        ("fit", "batch", [-1, 0, 41]),
        ("fit", "seed", [-1, 2**64]),
        ("fit", "imperfections", [2**33]),
        ("fit", "calibration", [1.5]),
        ("fit", "readings/applied_change", [NAN, math.inf]),
        ("fit", "history/time", [np.array([3e-6, 2e-6, 1e-6, 0.0])]),
        ("fit", "history/time", [np.array([0.0, 1e-6, 2e-6, 9e-6])]),
        ("run", "seed", [-1, 2**64, None]),
        ("run", "_statistics/interval", [NAN, -1.0, 0.0, math.inf]),
        ("run", "_statistics/observations", [0, -1]),
        ("run", "_statistics/samples", [0, -1]),
        ("emulator", "state/engine/time", [-5.0, NAN]),
        ("emulator", "options/seed", [None, -1]),
        ("board emulator", "state/updated", [-1.0, 2e-6]),
        ("board emulator", "state/read", [-1.0, 2e-6]),
        ("board emulator", "state/readings", [-1]),
        ("tuned", "completed_excess_work/stderr", [-1.0, NAN]),
        ("tuned", "completed_excess_work/mean", [NAN]),
    ],
)
def test_an_edited_number_is_refused(whole, tmp_path, name, place, values):
    path = tmp_path / "edited"
    for value in values:
        edit(whole / name, path, place, value)
        with refused(ValueError, str(path), "is corrupt or truncated", place.split("/")[-1]):
            ktc.load(path)


def test_nan_survives_where_it_was_saved():
    value = {"one": math.nan, "two": (np.float64("nan"), 1.0)}
    again = from_record(to_record(value))
    assert math.isnan(again["one"]) and math.isnan(again["two"][0])
    record = to_record({"one": 1.0})
    with pytest.raises(RecordError, match="one: NaN"):
        from_record(record._replace(tree={"one": math.nan}))
