"""Recorded series against what a script reads from the emulator tick by tick."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ktc import Board, Emulator, Network, Protocol
from refusal import refused

K2 = np.array([[2.0, 0.6], [0.6, 1.0]])
EVERYTHING = ("state", "mean", "covariance", "energy", "work", "heat", "bias")
REPLICAS, TICKS = 37, 10


def network():
    return Network(K2, [1.0, 0.5], kT=0.8, bias=[0.1, 0.2])


def inertial():
    return Network(K2, [1.0, 0.5], kT=0.8, inertia=[0.4, 0.9])


def board():
    farads = np.array([1e-12, 2e-12])
    return Board(2, 1e6, farads, 300.0, stiffness=K2 * 1e12)


def drive(device):
    unit = 1e-4 if isinstance(device, Board) else 1.0
    tau = 1e-6 if isinstance(device, Board) else 1.0
    holds = tau * np.linspace(0.1, 0.3, TICKS)
    bias = unit * np.column_stack([np.arange(TICKS) * 0.2, np.sin(np.arange(TICKS))])
    return Protocol(holds, {"bias": bias}, final={"bias": [3 * unit, -unit]})


def by_hand(device, protocol):
    """The same protocol through set and run, and every reading after every tick."""
    emulator = Emulator(device, replicas=REPLICAS, seed=81)
    rows = {name: [] for name in EVERYTHING}
    for hold, bias in zip(protocol.holds, protocol.controls["bias"]):
        emulator.set(bias=bias)
        emulator.run(float(hold))
        state = emulator.read()
        rows["state"].append(state)
        rows["mean"].append(state.mean(axis=0))
        rows["covariance"].append(np.cov(state.T, bias=True))
        rows["energy"].append(emulator.energy().mean())
        rows["work"].append(emulator.ledger.work.mean())
        rows["heat"].append(emulator.ledger.heat.mean())
        rows["bias"].append(emulator.controls.bias)
    emulator.set(bias=protocol.final["bias"])
    return emulator, {name: np.array(values) for name, values in rows.items()}


@pytest.mark.parametrize("device", [network(), inertial(), board()], ids=["rc", "rlc", "board"])
@pytest.mark.parametrize("every", [1, 3, 10])
def test_series_are_the_readings(device, every):
    """Every third of ten ticks: after ticks 3, 6 and 9. Same noise, so only rounding differs."""
    protocol = drive(device)
    manual, rows = by_hand(device, protocol)
    emulator = Emulator(device, replicas=REPLICAS, seed=81)
    run = emulator.play(protocol, record=EVERYTHING, every=every)

    stops = np.arange(every, TICKS + 1, every)
    np.testing.assert_allclose(run.times, np.cumsum(protocol.holds)[stops - 1], rtol=1e-14)
    points = len(stops)
    shapes = {
        "state": (points, REPLICAS, 2),
        "mean": (points, 2),
        "covariance": (points, 2, 2),
        "bias": (points, 2),
    }
    assert list(run.series) == list(EVERYTHING)
    for name, series in run.series.items():
        assert series.shape == shapes.get(name, (points,))
        expected = rows[name][stops - 1]
        tolerance = 1e-12 * np.abs(rows[name]).max()
        np.testing.assert_allclose(series, expected, rtol=1e-12, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(emulator.read(), manual.read())
    # Books are entered by tiles, which end with a call: sums in another order.
    np.testing.assert_allclose(emulator.ledger.work, manual.ledger.work, rtol=1e-12, atol=1e-13)


def test_work_is_recorded_before_the_last_update():
    """The last update is after the last tick: its work is in the run, not in the series."""
    protocol = drive(network())
    emulator = Emulator(network(), replicas=REPLICAS, seed=82)
    run = emulator.play(protocol, record=["work", "mean"])
    jump = -(protocol.final["bias"] - protocol.controls["bias"][-1]) @ run.series["mean"][-1]
    assert run.series["work"][-1] + jump == pytest.approx(run.work.mean, rel=1e-12)


def test_accounts_start_at_zero_with_the_run():
    """A second run records its own work and heat, not those before it."""
    emulator = Emulator(network(), replicas=REPLICAS, seed=83)
    emulator.play(drive(network()))
    work, heat = emulator.ledger.work, emulator.ledger.heat
    run = emulator.play(Protocol([0.5, 0.5], {"bias": [1.0, 2.0]}), record=["work", "heat"])
    assert run.series["work"][-1] == pytest.approx(np.mean(emulator.ledger.work - work), rel=1e-12)
    assert run.series["heat"][-1] == pytest.approx(np.mean(emulator.ledger.heat - heat), rel=1e-12)
    np.testing.assert_allclose(run.times, [0.5, 1.0])


def test_recording_does_not_disturb():
    plain = Emulator(network(), replicas=REPLICAS, seed=84)
    watched = Emulator(network(), replicas=REPLICAS, seed=84)
    first = plain.play(drive(network()))
    second = watched.play(drive(network()), record=EVERYTHING, every=3)
    np.testing.assert_array_equal(plain.read(), watched.read())
    for name in ("work", "heat"):
        plain_samples, watched_samples = getattr(first, name).samples, getattr(second, name).samples
        np.testing.assert_allclose(plain_samples, watched_samples, rtol=1e-12, atol=1e-12)
    assert first.series == {}
    assert first.times.shape == (0,)


def test_one_name_is_enough():
    run = Emulator(network(), replicas=2, seed=85).play(drive(network()), record="energy")
    assert list(run.series) == ["energy"]


@pytest.mark.parametrize("record", [None, "mean"])
def test_progress_changes_nothing(record, capsys):
    protocol = Protocol.sample(1.0, 250, bias=lambda t: t)
    silent = Emulator(network(), replicas=5, seed=86)
    loud = Emulator(network(), replicas=5, seed=86)
    silent.play(protocol, record=record)
    assert capsys.readouterr().err == ""
    loud.play(protocol, record=record, progress=True)
    assert "250" in capsys.readouterr().err
    np.testing.assert_array_equal(silent.read(), loud.read())
    assert silent.controls == loud.controls


def test_records_beyond_memory_are_refused_before_anything_moves(monkeypatch):
    """Ten states of 37 replicas of two units take 5920 bytes, five take half."""
    emulator = Emulator(network(), replicas=REPLICAS, seed=87)
    monkeypatch.setattr("ktc._base.resources.memory", lambda: 5000.0)
    with refused(MemoryError, "5.92e-06 GB", "every", "to="):
        emulator.play(drive(network()), record="state")
    assert emulator.time == 0.0
    emulator.play(drive(network()), record="state", every=2)


def test_no_bar_is_loaded_where_none_is_shown():
    """tqdm takes a tenth of a second, which a first play without a bar should not wait for."""
    code = (
        "import sys, ktc; e = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=2, seed=1);"
        "drive = ktc.Protocol([1.0], {}); e.play(drive); print('tqdm' in sys.modules);"
        "e.play(drive, progress=True); print('tqdm' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
