"""Arrays that no memory holds: the error names the argument that set their size, and the size."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import ktc
from ktc._base import resources
from refusal import refused

LARGE, MATRIX = 10**8, np.eye(300)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ktc.Protocol.ramp(1.0, LARGE, stiffness=(MATRIX, 2 * MATRIX)),
        lambda: ktc.Protocol.sample(1.0, LARGE, stiffness=MATRIX),
        lambda: ktc.Protocol.sample(1.0, LARGE, stiffness=lambda t: t * MATRIX),
    ],
)
def test_values_of_ticks(monkeypatch, make):
    monkeypatch.setattr(np, "arange", lambda number, dtype: np.zeros(2))  # takes seconds to fill
    monkeypatch.setattr(resources, "memory", lambda: 1e6)
    with refused(MemoryError, "ticks is 2", "values of stiffness", "GB", "take fewer"):
        make()


@pytest.mark.parametrize(
    ("statistics", "parts"),
    [
        (ktc.Statistics(covariance=True), ["covariance is True", "80 GB"]),
        (
            ktc.Statistics(histogram=np.linspace(0, 1, 10**7)),
            ["9999999 bins", "8e+03 GB"],
        ),
        (ktc.Statistics(autocorrelation=9), ["autocorrelation is 9", "GB"]),
    ],
)
def test_statistics(monkeypatch, statistics, parts):
    network = ktc.Network(scipy.sparse.eye_array(10**5, format="csr"), 1.0)
    emulator = ktc.Emulator(network, 1, seed=1, state=0.0)
    drive = ktc.Protocol([0.01] * 12, {})
    monkeypatch.setattr(resources, "memory", lambda: 1e6)
    with refused(MemoryError, *parts):
        emulator.play(drive, statistics=statistics)
    assert emulator.time == 0.0


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: ktc.lattices.ring(LARGE), ["units is 100000000"]),
        (lambda: ktc.lattices.grid(20, 30), ["rows · columns is 600"]),
        (lambda: ktc.lattices.springs(70, [(0, 1)]), ["units is 70"]),
        (lambda: ktc.Topology.all_to_all(10**4), ["cells is 10000"]),
    ],
)
def test_lattices_and_topologies(monkeypatch, make, parts):
    def refuse(*_, **__):
        raise MemoryError("Unable to allocate 1.49 GiB")

    monkeypatch.setattr(np, "arange", refuse)
    monkeypatch.setattr(ktc._boards.topology, "combinations", refuse)
    with refused(MemoryError, *parts, "1.49 GiB", "make it smaller"):
        make()


def test_samples_of_a_fit(monkeypatch):
    schedule = ktc.schedules.Constant(1.0, 0.1)
    fit = ktc.learn(ktc.Network(1.0, 1.0), 1.0, schedule, replicas=2, ticks=2, seed=1)
    monkeypatch.setattr(resources, "memory", lambda: 1e6)
    with refused(MemoryError, "samples is 100000000", "GB"):
        fit.sample(LARGE, seed=1)


def test_ticks_of_waveforms(monkeypatch):
    netlist = "V1 in 0 SIN(0 1 1k)\nR1 in a 1k\nC1 a 0 1n"
    circuit = ktc.Circuit.from_netlist(netlist, waveforms="drive")

    def refuse(*_, **__):
        raise MemoryError("Unable to allocate 763 MiB")

    monkeypatch.setattr(np, "linspace", refuse)
    with refused(MemoryError, "ticks is 100000000", "763 MiB"):
        circuit.protocol(1e-3, LARGE)
