"""Readings of a board: grid, noise, range and rate of its ADC.

Statistical tests fix their seeds and compare at 5 standard errors: 5.7e-7 for each number.
"""

import math

import numpy as np
import pytest
from scipy.constants import Boltzmann

import ktc
from refusal import refused, refused_unchanged

REPLICAS = 50_000
WIDTH = math.sqrt(Boltzmann * 300.0 / 1e-12)


def emulator(replicas=REPLICAS, seed=1, cells=2, **spec):
    options = {"first_replica": spec.pop("first_replica", 0), "state": spec.pop("state", None)}
    board = ktc.Board(cells, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(**spec))
    return board.emulator(replicas, seed, **options)


def true_state(device):
    """What the cells are at: the ADC is not in the way of the energies ½ C v²."""
    return device._frontend._cells.read()


def test_an_ideal_adc_reads_the_state():
    device, plain = emulator(offset=0.0), ktc.Board(2, 1e6, 1e-12, 300.0).emulator(REPLICAS, 1)
    assert (device.read() == plain.read()).all()
    assert (device.moments().covariance == plain.moments().covariance).all()


def test_readings_lie_on_the_grid():
    """Every one within half a step of the cell, and a multiple of the step."""
    device = emulator(1000, adc_bits=7, adc_range=6 * WIDTH)
    readings, step = device.read(), 6 * WIDTH / 63
    codes = readings / step
    assert np.abs(codes - np.rint(codes)).max() < 1e-12 * 63
    assert np.abs(readings - true_state(device)).max() <= step / 2 * (1 + 1e-9)
    assert len(np.unique(np.rint(codes))) > 40


def test_noise_enters_the_covariance_and_not_the_state():
    """Cov = k_B T/C + noise² on the diagonal, four numbers; it is white from reading to reading."""
    noise = 0.7 * WIDTH
    device = emulator(adc_noise=noise)
    exact = (WIDTH**2 + noise**2) * np.eye(2)
    spread = np.sqrt((exact**2 + np.outer(exact.diagonal(), exact.diagonal())) / REPLICAS)
    assert (np.abs(device.moments().covariance - exact) < 5 * spread).all()
    first = device.read() - true_state(device)
    device.run(1e-9)
    second = device.read() - true_state(device)
    for samples in (first, second):
        assert abs(samples.std() / noise - 1) < 5 / math.sqrt(2 * samples.size)
        assert abs(samples.mean()) < 5 * noise / math.sqrt(samples.size)
    flat = [first.ravel(), second.ravel(), first[:, ::-1].ravel()]
    correlation = np.corrcoef(flat)[np.triu_indices(3, 1)]
    # The last pair is each cell with its neighbour, counted twice.
    assert np.abs(correlation).max() < 5 / math.sqrt(REPLICAS)


def test_moments_are_those_of_the_readings():
    device = emulator(500, adc_noise=1e-5, adc_bits=8, adc_range=1e-3)
    moments, readings = device.moments(), device.read()
    device.run(1e-6)
    assert moments.mean == pytest.approx(readings.mean(axis=0), rel=1e-12)
    assert moments.covariance == pytest.approx(np.cov(readings.T, bias=True), rel=1e-10)


def test_one_instant_is_one_conversion():
    device = emulator(10, adc_noise=1e-5)
    first = device.read()
    first[:] = 0.0
    assert (device.read() == device.read()).all() and device.read().any()
    before = device.read()
    device.set(bias=1e-4)
    assert (device.read() == before).all()
    device.write(np.zeros(2))
    assert not (device.read() == before).any()
    device.equilibrate()
    assert np.abs(device.read()).max() > 0


def test_noise_of_readings_is_found_by_replica_and_number():
    """Split emulators read the same bits; a copy and a reset too; another seed does not."""
    spec = {"adc_noise": 1e-5}
    whole = emulator(3000, seed=2, **spec)
    parts = [emulator(n, seed=2, first_replica=f, **spec) for f, n in ((0, 1500), (1500, 1500))]
    for _ in range(2):
        assert (np.concatenate([part.read() for part in parts]) == whole.read()).all()
        for device in (*parts, whole):
            device.run(1e-6)
    twin = whole.copy()
    assert (twin.read() == whole.read()).all()
    noise = whole.read() - true_state(whole)
    other = emulator(3000, seed=3, **spec)
    assert not (other.read() - true_state(other) == noise).any()
    whole.reset()
    fresh = emulator(3000, seed=2, **spec)
    assert (whole.read() == fresh.read()).all()


def test_a_reading_beyond_the_range_is_refused():
    device = emulator(
        10, adc_range=1e-3, state=[[0.0, 0.0]] * 6 + [[0.0, -2e-3]] + [[0.0, 0.0]] * 3
    )
    parts = ["±0.001 V", "ADC", "1 of 20", "-0.002 V of cell 1 in replica 6", "adc_range"]
    before = true_state(device)
    with refused(ktc.LimitError, *parts):
        device.read()
    with refused(ktc.LimitError, *parts):
        device.moments()
    assert (true_state(device) == before).all() and device.time == 0
    device.write(np.zeros(2))
    assert not device.read().any()


def test_the_rate_of_readings():
    """Two at one instant are one; closer than 1/rate otherwise they are refused."""
    device = emulator(10, adc_rate=1e6)
    device.read()
    device.moments()
    device.run(0.4e-6)
    with refused(ktc.LimitError, "1e+06 readings a second", "1e-06 s", "4e-07 s"):
        device.read()
    with refused(ktc.LimitError, "4e-07 s after the last"):
        device.moments()
    device.run(0.6e-6)
    device.read()
    assert device.time == pytest.approx(1e-6)


def test_records_are_readings():
    """At the ends of ticks, on the grid; a record that the ADC is too slow for names its tick."""
    device = emulator(100, adc_bits=6, adc_range=8 * WIDTH, adc_noise=1e-6, adc_rate=1e6)
    drive = ktc.Protocol([0.5e-6] * 6, {"bias": np.full(6, 1e-5)})
    with refused(ktc.LimitError, "after tick 1", "5e-07 s", "every"):
        device.play(drive, record="mean")
    assert device.time == 0
    run = device.play(drive, record=("state", "mean", "covariance"), every=2)
    states, step = run.series["state"], 8 * WIDTH / 31
    assert np.abs(states / step - np.rint(states / step)).max() < 1e-9
    assert run.series["mean"] == pytest.approx(states.mean(axis=1), rel=1e-12, abs=1e-20)
    assert run.series["covariance"][1] == pytest.approx(np.cov(states[1].T, bias=True), rel=1e-9)
    assert run.times == pytest.approx([1e-6, 2e-6, 3e-6])
    assert (states[-1] == device.read()).all()
    # Energies are not read by the ADC, so that they may be recorded at every tick.
    device.run(1e-6)
    assert len(device.play(drive, record=("work", "energy")).times) == 6


def test_a_protocol_stops_where_a_reading_is_out_of_range():
    """It is left where it stopped, at the controls of that tick."""
    device = emulator(100, adc_range=10 * WIDTH)
    drive = ktc.Protocol([1e-5] * 3, {"bias": np.array([0.0, 30 * WIDTH, 0.0])})
    with refused(ktc.LimitError, "ADC"):
        device.play(drive, record="state")
    assert device.time == pytest.approx(2e-5)
    assert device.controls.bias.tolist() == device.applied_controls.bias.tolist()
    assert device.controls.bias[0] == 30 * WIDTH
    assert device.ledger.imbalance() < 1e-12
    device.set(bias=0.0)
    device.run(2e-5)
    assert np.abs(device.read()).max() < 10 * WIDTH


def test_refused_reads_change_nothing():
    device = emulator(10, adc_bits=4, adc_range=1e-2)
    with refused_unchanged(device, TypeError, "unknown quantity to record 'voltage'"):
        device.play(ktc.Protocol([1e-6], {}), record="voltage")
    with refused_unchanged(device, ValueError, "every must be at most the 1 ticks", "2"):
        device.play(ktc.Protocol([1e-6], {}), record="mean", every=2)
