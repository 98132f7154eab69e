"""Runs and fits know whether they started in equilibrium, by what was done to the emulator."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse

import ktc
from ktc.schedules import MinimalDissipation

UNIT = ktc.Network(stiffness=1.0, friction=1.0)
PAIR = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
WELL = ktc.Network(stiffness=-1.0, friction=1.0, quartic=1.0)
SPARSE = ktc.Network(stiffness=scipy.sparse.eye_array(3, format="csr"), friction=1.0)
HELD = ktc.Protocol([0.5], {})
NOTE = "not known to start in equilibrium"


@pytest.mark.parametrize("replicas", [64, math.inf])
def test_rest_is_the_time_since_the_last_change(replicas):
    emulator = ktc.Emulator(PAIR, replicas)
    assert emulator.rested == math.inf
    emulator.run(1.0)
    emulator.set(bias=[0.0, 0.0])  # no change
    emulator.set(stiffness=PAIR.stiffness, kT=1.0)
    assert emulator.rested == math.inf
    emulator.set(bias=[0.0, 1.0])
    assert emulator.rested == 0
    emulator.run(2.0)
    emulator.set(bias=np.array([0.0, 1.0]))
    assert emulator.copy().rested == emulator.rested == 2.0
    emulator.equilibrate()
    assert emulator.rested == math.inf
    emulator.write([0.0, 0.0])
    emulator.run(0.5)
    assert emulator.rested == 0.5
    emulator.reset()
    assert emulator.rested == math.inf
    placed = ktc.Emulator(PAIR, replicas, state=[1.0, 1.0])
    placed.run(3.0)
    assert placed.rested == 3.0
    placed.reset()
    assert placed.rested == 0


def test_a_protocol_changes_controls_at_its_ticks():
    emulator = ktc.Emulator(PAIR, 64, seed=1)
    ticks = np.full(4, 0.25)
    for controls, final, rested in (
        ({}, {}, math.inf),
        ({"bias": [0.0] * 4, "stiffness": [PAIR.stiffness] * 4}, {}, math.inf),
        ({"bias": [1.0, 2.0, 2.0, 2.0]}, {}, 0.75),
        ({"bias": [2.0] * 4}, {}, 1.75),
        ({"bias": [2.0] * 4, "kT": [1.0, 1.0, 1.0, 2.0]}, {}, 0.25),
        ({}, {"bias": 3.0}, 0.0),
        ({"bias": [3.0] * 4}, {"bias": 3.0}, 1.0),
    ):
        emulator.play(ktc.Protocol(ticks, controls, final))
        assert emulator.rested == rested, (controls, final)


def test_rest_is_saved(tmp_path):
    emulator = ktc.Emulator(PAIR, 64, seed=1)
    emulator.save(tmp_path / "drawn.npz")
    emulator.set(bias=[1.0, 0.0])
    emulator.run(1.5)
    emulator.save(tmp_path / "rested.npz")
    loaded = [ktc.load(tmp_path / name).rested for name in ("drawn.npz", "rested.npz")]
    assert loaded == [math.inf, 1.5]
    run = emulator.play(HELD)
    run.save(tmp_path / "run.npz")
    assert ktc.load(tmp_path / "run.npz").rested == 1.5


def test_a_protocol_that_stops_has_changed_controls():
    board = ktc.Board(
        1, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(adc_bits=8, adc_range=1e-5)
    )
    emulator = board.emulator(replicas=10, seed=1)
    with pytest.raises(ktc.LimitError):
        emulator.play(ktc.Protocol([1e-6] * 4, {"bias": [1e-3] * 4}), record="state")
    assert emulator.rested < 1e-5


def test_outputs_that_settle_are_not_at_rest():
    board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(settling_time=1e-7))
    emulator = board.emulator(replicas=10, seed=1)
    assert emulator.rested == math.inf
    emulator.set(bias=1e-4)
    assert emulator.rested == 0
    assert not emulator.play(ktc.Protocol([1e-6], {})).from_equilibrium
    emulator.equilibrate()
    assert emulator.play(ktc.Protocol([1e-6], {})).from_equilibrium


def test_what_is_known_to_be_in_equilibrium():
    """A linear network after ten of its slowest times; any network that was drawn."""
    slowest = PAIR.relaxation_times[-1]
    for network, rest, known in (
        (PAIR, None, True),
        (WELL, None, True),
        (SPARSE, None, True),
        (PAIR, 0.0, False),
        (PAIR, 9.9 * slowest, False),
        (PAIR, 10.1 * slowest, True),
        (WELL, 100.0, False),
        (SPARSE, 100.0, False),
    ):
        emulator = ktc.Emulator(network, 64, seed=1)
        if rest is not None:
            emulator.set(bias=0.5)
        if rest:
            emulator.run(rest)
        run = emulator.play(HELD)
        assert run.from_equilibrium is known
        assert (NOTE in repr(run)) is not known


def test_excess_work_from_elsewhere_is_marked():
    """Set a bias of 3, then let it relax at 0: W − ΔF is −4.5 with nothing dissipated for it.

    Of 10,000 replicas; 4 standard errors, a false alarm of 6e-5.
    """
    emulator = ktc.Emulator(UNIT, 10_000, seed=1)
    emulator.set(bias=3.0)
    found = emulator.play(ktc.Protocol([5.0], {"bias": [0.0]})).excess_work
    assert abs(found.mean + 4.5) < 4 * found.stderr + 1e-9
    for marked in (found, found.in_kT, found.shifted(1.0)):
        assert marked.note == NOTE and NOTE in str(marked) and NOTE in repr(marked)
    emulator.equilibrate()
    found = emulator.play(ktc.Protocol([5.0], {"bias": [0.0]})).excess_work
    assert found.note == "" and NOTE not in str(found)


@pytest.mark.parametrize("parameters", [("bias",), ("bias", "couplings")])
def test_a_fit_from_elsewhere_says_so(parameters):
    emulator = ktc.Emulator(PAIR, 1000, seed=1)
    data, rule = [[1.0, -1.0], [2.0, 0.5]], MinimalDissipation(1.0)

    def fitted():
        return ktc.learn(emulator, data, rule, parameters=parameters, ticks=20)

    fit = fitted()
    assert fit.from_equilibrium is True and fit.excess_work.note == ""
    assert "bound not applicable" not in repr(fit) and NOTE not in repr(fit)
    again = fitted()
    assert again.from_equilibrium is False and NOTE in repr(again)
    assert ("bound not applicable" in repr(again)) is (parameters == ("bias",))
    for work in (again.excess_work, again.completed_excess_work, again.applied_excess_work):
        assert work.note == NOTE
    if parameters == ("bias",):
        labels = [line.get_label() for line in again.plot().axes[-1].lines]
        assert "bound" not in labels
        assert "bound" in [line.get_label() for line in fit.plot().axes[-1].lines]
    emulator.equilibrate()
    assert fitted().from_equilibrium is True
    emulator.run(20 * PAIR.relaxation_times[-1])
    assert ktc.learn(PAIR, data, rule, replicas=10, ticks=5, seed=1).from_equilibrium is True


@pytest.mark.parametrize("replicas", [64, math.inf])
def test_resistances_and_friction_keep_the_equilibrium_of_one_temperature(replicas):
    rc = "R1 in a 1k\nC1 a 0 1n\nR2 a 0 2k"
    passive = ktc.Circuit.from_netlist(f"V1 in 0 0\n{rc}")
    driven = ktc.Circuit.from_netlist(f"V1 in 0 1\n{rc}")
    hot = ktc.Circuit.from_netlist(f"V1 in 0 0\n{rc} kelvin=400")
    noisy = ktc.Circuit.from_netlist(f"V1 in 0 0\n{rc}\nI1 a 0 0 noise=1e-24")
    cases = (passive, "R1", True), (driven, "R1", False), (hot, "R1", False), (noisy, "R1", False)
    for device, name, kept in (*cases, (PAIR, "friction", True)):
        emulator = ktc.Emulator(device, replicas)
        emulator.set(**{name: 4e3})
        assert (emulator.rested == math.inf) is kept
        assert emulator.play(HELD).from_equilibrium is kept
        emulator.equilibrate()
        emulator.play(ktc.Protocol([1e-7] * 2, {name: [2e3, 3e3]}, final={name: 5e3}))
        assert (emulator.rested == math.inf) is kept
    emulator.set(stiffness=2 * PAIR.stiffness)
    emulator.set(friction=1.0)
    assert emulator.rested == 0
