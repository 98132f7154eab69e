"""The planner: what it proposes is spent and reached, and nothing cheaper would do.

Runs are compared at 4.5 standard errors of their own scatter over runs: a false alarm of 7e-6 for
every number.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import ktc
from ktc import theory
from ktc._learning.planning import plan_search
from ktc._learning.planning.plan_search import PlanSearch
from refusal import refused
from replica_means import assert_mean

UNIT = ktc.Network(1.0, 1.0)
CELLS = {"resistance": 1e6, "capacitance": [1e-12, 2e-12, 1e-12], "temperature": 300.0}
BOARD = ktc.Board(3, **CELLS, topology=ktc.Topology.ring(3), couplings=0.2e12)
DATA = BOARD.thermal_width * np.random.default_rng(3).normal([2.0, -1.0, 1.0], 1.0, (40, 3))


def least(error):
    return float(re.search(r"at least (?:about )?([\d.e+-]+)", str(error.value))[1])


def test_one_unit_by_closed_forms():
    """μ = 5, T = 8: 2.5 kT a replica by γμ²/(T + 2τ), and noise of some kT for all together.

    The noise of the gradient costs ∫dt/(T − t + 2τ) and jumps of order one.
    """
    plan = ktc.plan(UNIT, 5.0, joules=1000.0, duration=8.0)
    assert plan.bound == pytest.approx(2.5)
    assert 1.0 < plan.noise_work * plan.replicas < np.log(5.0) + 2
    assert plan.replicas == pytest.approx((1000 - np.log(5.0) - 1) / 2.5, rel=0.015)
    assert plan.excess_work == pytest.approx(2.5, rel=0.015)
    # λ(T) scatters by about 0.8 √(kT/kN).
    assert plan.nats_lost * plan.replicas == pytest.approx(0.32, rel=0.1)


def test_an_accuracy_that_batches_reach_in_longer_runs_alone():
    """Batches lose 0.032 nats in a tenth of τ, 0.020 in five: what 5 τ do is found, or shorter."""
    data = 5.0 + np.random.default_rng(1).normal(size=(50, 1))
    told = ktc.plan(UNIT, data, duration=5.0, nats=0.03, batch=5)
    plan = ktc.plan(UNIT, data, joules=told.total_excess_work, nats=0.03, batch=5)
    assert plan.duration <= 1.003 * 5.0 and plan.nats_lost <= 0.03  # eight bisections
    assert plan.total_excess_work <= told.total_excess_work
    with refused(ValueError, "nats must be above 0.019", "larger batches", "but is 0.01"):
        ktc.plan(UNIT, data, joules=1e6, nats=0.01, batch=5)


@pytest.mark.parametrize("options", [{"duration": 5.0}, {"joules": 2e8}])
def test_a_fine_accuracy_has_the_ticks_that_it_needs(options):
    """32 ticks would lose 1e-6 nats in 5 τ and more in 10 τ, whatever the replicas."""
    coarse = ktc.plan(UNIT, 5.0, duration=5.0, replicas=10)
    assert (
        theory.expected_learning(UNIT, 5.0, coarse.schedule, ticks=coarse.ticks).ideal.nats_lost
        > 1e-7
    )
    plan = ktc.plan(UNIT, 5.0, nats=1e-8, **options)
    assert plan.nats_lost <= 1e-8 and plan.ticks > coarse.ticks
    assert plan.total_excess_work <= options.get("joules", np.inf)
    with refused(ValueError, "nats must be above", "more ticks", "but is 1e-08"):
        ktc.plan(UNIT, 5.0, nats=1e-8, duration=5.0, ticks=coarse.ticks)
    with refused(ValueError, "joules must be at least about", "allow more nats"):
        ktc.plan(UNIT, 5.0, nats=1e-8, joules=1e6, ticks=16)


@pytest.mark.parametrize("spec", [None, ktc.Imperfections(adc_noise=1e-4)])
def test_runs_spend_and_reach_what_is_planned(spec):
    """150 runs of each of a plan by budget and accuracy, and of one that sees batches."""
    board = ktc.Board(3, **CELLS, couplings=0.2e12, imperfections=spec)
    best = theory.log_likelihood(
        board.program(bias=board.stiffness @ (DATA.mean(axis=0) * board.capacitance)), DATA
    )
    for options in ({"joules": 5e-19, "nats": 0.05}, {"duration": 4e-6, "nats": 0.05, "batch": 20}):
        plan = ktc.plan(board, DATA, **options)
        assert plan.nats_lost <= 0.05
        assert plan.total_excess_work <= options.get("joules", np.inf)
        spent, lost = [], []
        for k in range(150):
            fit = ktc.learn(board, DATA, **plan.settings, seed=k, threads=1)
            spent.append(plan.replicas * fit.excess_work.mean)
            learned = board.program(bias=fit.history.bias[-1])
            lost.append(best - theory.log_likelihood(learned, DATA))
        assert_mean(np.array(spent), plan.total_excess_work)
        assert_mean(np.array(lost), plan.nats_lost)


def test_a_budget_and_a_duration_buy_the_most_replicas():
    plan = ktc.plan(BOARD, DATA, joules=1e-18, duration=5e-6)
    found = theory.expected_learning(BOARD, DATA, plan.schedule, ticks=plan.ticks)
    spent = [n * found.costs(n).excess_work for n in (plan.replicas, plan.replicas + 1)]
    assert spent[0] <= 1e-18 < spent[1]
    assert plan.total_excess_work == pytest.approx(spent[0])
    assert plan.nats_lost == pytest.approx(found.costs(plan.replicas).nats_lost)
    fine = theory.expected_learning(BOARD, DATA, plan.schedule, ticks=16 * plan.ticks).ideal
    assert found.ideal.excess_work == pytest.approx(fine.excess_work, rel=0.01)


def test_an_accuracy_and_a_duration_take_the_fewest_replicas():
    plan = ktc.plan(BOARD, DATA, duration=5e-6, nats=0.01, ticks=50)
    found = theory.expected_learning(BOARD, DATA, plan.schedule, ticks=50)
    assert plan.ticks == 50
    assert found.costs(plan.replicas).nats_lost <= 0.01 < found.costs(plan.replicas - 1).nats_lost


def test_of_replicas_and_a_duration_the_costs_are_told():
    plan = ktc.plan(BOARD, DATA, duration=5e-6, replicas=70, ticks=40)
    costs = theory.expected_learning(BOARD, DATA, plan.schedule, ticks=40).costs(70)
    assert (plan.excess_work, plan.nats_lost) == (costs.excess_work, costs.nats_lost)
    assert (plan.replicas, plan.ticks, plan.duration) == (70, 40, 5e-6)


def test_a_budget_and_an_accuracy_buy_the_shortest_duration():
    """What is as accurate and faster by two per cent is above the budget."""
    plan = ktc.plan(BOARD, DATA, joules=2e-19, nats=0.02)
    assert plan.total_excess_work <= 2e-19 and plan.nats_lost <= 0.02
    faster = ktc.plan(BOARD, DATA, duration=0.98 * plan.duration, nats=0.02)
    assert faster.total_excess_work > 2e-19
    rich = ktc.plan(BOARD, DATA, joules=1e-12, nats=0.02)
    assert rich.duration == pytest.approx(0.1 * BOARD.network.relaxation_times[0])


def test_the_default_accuracy_is_what_the_samples_leave_open():
    """d/2n = 3/80."""
    plan = ktc.plan(BOARD, DATA, 1e-18)
    assert plan == ktc.plan(BOARD, DATA, 1e-18, nats=3 / 80)
    assert 0.8 * 3 / 80 < plan.nats_lost <= 3 / 80


@pytest.mark.parametrize("other", [{"duration": 1e-6}, {"nats": 0.05}])
def test_the_least_budget_is_named(other):
    with pytest.raises(ValueError, match="joules must be at least") as error:
        ktc.plan(BOARD, DATA, joules=1e-21, **other)
    plan = ktc.plan(BOARD, DATA, joules=1.001 * least(error), **other)
    assert plan.total_excess_work <= 1.001 * least(error)
    with refused(ValueError, "joules must be at least"):
        ktc.plan(BOARD, DATA, joules=0.9 * least(error), **other)


def test_a_budget_out_of_reach_is_refused_after_few_ticks(monkeypatch):
    """In a second or two; the budget that is named is about the least, and is enough."""
    ticks, expected = [], PlanSearch._expected

    def counted(self, duration, number):
        ticks.append(number)
        return expected(self, duration, number)

    monkeypatch.setattr(PlanSearch, "_expected", counted)
    with pytest.raises(ValueError, match="joules must be at least about") as error:
        ktc.plan(BOARD, DATA, joules=1e-30, nats=1e-9)
    assert sum(ticks) < 20_000
    assert 1e-20 < least(error) < 1e-18
    monkeypatch.setattr(plan_search, "MANY_TICKS", 100)
    with pytest.raises(ValueError, match="joules must be at least about") as error:
        ktc.plan(UNIT, 5.0, joules=1e-3, nats=1e-2)
    ample = ktc.plan(UNIT, 5.0, joules=least(error), nats=1e-2)
    assert ample.total_excess_work <= least(error)
    with refused(ValueError, "joules must be at least about"):
        ktc.plan(UNIT, 5.0, joules=0.75 * least(error), nats=1e-2)
    monkeypatch.undo()
    assert ktc.plan(UNIT, 5.0, joules=least(error), nats=1e-2) == ample


def test_ticks_of_a_real_board_are_as_long_as_it_needs():
    spec = ktc.Imperfections(update_time=2e-7, adc_rate=4e6)
    board = ktc.Board(3, **CELLS, couplings=0.2e12, imperfections=spec)
    plan = ktc.plan(board, DATA, joules=1e-18, duration=3e-6)
    assert plan.ticks == 12  # 3 µs by the ADC's quarter of one
    ktc.learn(board, DATA, **plan.settings, seed=1)
    with refused(ValueError, "duration must be at least 2.5e-06 for 10 ticks of this board"):
        ktc.plan(board, DATA, joules=1e-18, duration=2e-6, ticks=10)
    assert ktc.plan(board, DATA, joules=1e-12, nats=0.1).duration >= 2.5e-7


def test_data_that_are_where_the_device_is():
    """There is nothing to pay for but noise, whatever rounding makes of the rest."""
    there = UNIT.with_controls(UNIT.controls.updated(bias=0.3))
    plan = ktc.plan(there, 0.3, duration=4.0, nats=0.01)
    assert plan.noise_work == pytest.approx(plan.excess_work) and plan.ticks <= 64
    with refused(ValueError, "mean where the device already is", "give nats"):
        ktc.plan(there, 0.3, joules=100.0, duration=4.0)


def test_a_mean_beyond_the_range_of_the_dac():
    spec = ktc.Imperfections(dac_bits=8, dac_range=1e-4)
    board = ktc.Board(3, **CELLS, couplings=0.2e12, imperfections=spec)
    with refused(ktc.LimitError, "to learn the data's mean, bias must be within ±0.0001 V"):
        ktc.plan(board, DATA, joules=1e-18, nats=0.1)


def test_a_compiled_circuit():
    """One RC cell, as a board of one cell but for its coordinate: charge."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 0\nR1 in out 1meg\nC1 out 0 1p").compile()
    charge = 2e-4 * 1e-12
    plan = ktc.plan(circuit, charge, joules=1e-18, duration=3e-6)
    board = ktc.Board(1, 1e6, 1e-12, circuit.kT / 1.380649e-23)
    other = ktc.plan(board, 2e-4, joules=1e-18, duration=3e-6)
    assert plan.replicas == other.replicas and plan.symbols.energy == "J"
    assert plan.total_excess_work == pytest.approx(other.total_excess_work, rel=1e-9)


def test_readings_through_an_adc_take_more_replicas():
    """Steps of the ADC count as noise of step²/12."""
    kept = {"duration": 4e-6, "nats": 0.02, "ticks": 32}
    width = BOARD.thermal_width[0]
    few = ktc.plan(BOARD, DATA, **kept).replicas
    coarse, noisy = (
        ktc.plan(ktc.Board(3, **CELLS, topology=ktc.Topology.ring(3), couplings=0.2e12,
                           imperfections=spec), DATA, **kept)
        for spec in (
            ktc.Imperfections(adc_bits=4, adc_range=7 * width),
            ktc.Imperfections(adc_noise=width / 12**0.5),
        )
    )  # fmt: skip
    assert coarse == noisy
    assert noisy.replicas > few


def test_centers_and_batches():
    plan = ktc.plan(BOARD, DATA, duration=4e-6, nats=0.05, batch=20, parameter="center")
    assert plan.settings["batch"] == 20 and plan.settings["parameters"] == ("center",)
    bias = ktc.plan(BOARD, DATA, duration=4e-6, nats=0.05, batch=20)
    assert plan.excess_work == pytest.approx(bias.excess_work, rel=1e-9)
    with refused(ValueError, "nats must be above", "batches", "larger batches"):
        ktc.plan(BOARD, DATA, duration=4e-6, nats=0.001, batch=2)


def test_it_reads_well():
    text = str(ktc.plan(BOARD, DATA, joules=1e-18, duration=5e-6))
    for part in (" replicas for 5e-06 s in ", " J, each ", " kT", " nats per sample"):
        assert part in text
    assert " J" not in str(ktc.plan(UNIT, 5.0, joules=100.0, duration=2.0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        ktc.plan(UNIT, 5.0, joules=100.0, duration=2.0).ticks = 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"joules": None}, ValueError, "but given are nats"),
        ({"joules": None, "nats": None, "duration": 1.0}, ValueError, "but given are duration"),
        ({"duration": 1.0}, ValueError, "but given are joules, duration, nats"),
        ({"joules": None, "nats": None}, ValueError, "but given are none"),
        ({"replicas": 5}, ValueError, "but given are joules, nats, replicas"),
        ({"nats": None, "replicas": 5}, ValueError, "but given are joules, replicas"),
        ({"replicas": 2.5, "duration": 1.0}, TypeError, "replicas must be a whole number"),
        ({"joules": 0.0}, ValueError, "joules must be positive"),
        ({"joules": np.nan}, ValueError, "joules must be finite"),
        ({"nats": -1.0}, ValueError, "nats must be positive"),
        ({"ticks": 0}, ValueError, "ticks must be at least 1"),
        ({"batch": 2}, ValueError, "batch must be at most the 1 samples"),
        ({"parameter": "couplings"}, ValueError, "parameter must be one of"),
        ({"device": ktc.Emulator(UNIT, 2, seed=1)}, TypeError, "running Emulator"),
    ],
)  # fmt: skip
def test_bad_input(change, error, words):
    given = {"device": UNIT, "data": 5.0, "joules": 1e3, "nats": 0.1, **change}
    with refused(error, words):
        ktc.plan(**given)
