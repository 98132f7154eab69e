"""Inference: against exact conditional motion, one emulator per input, and a slow reference."""

import numpy as np
import pytest

import ktc
from reference import random_spd
from refusal import refused

RNG = np.random.default_rng(5)
UNITS, HELD, READ = 6, [4, 0, 2], [5, 1]
MOVING = [1, 3, 5]
K, BIAS = random_spd(RNG, UNITS), RNG.normal(size=UNITS)
QUARTIC = np.array([0.5, 1.0, 0.0, 2.0, 1.5, 0.3])
INPUTS = RNG.normal(size=(70, 3))
START = RNG.normal(size=UNITS)
NETWORKS = {
    "linear": ktc.Network(K, 1.5, 0.6, BIAS),
    "shared friction": ktc.Network(K, random_spd(RNG, UNITS), 0.6, BIAS),
    "inertia": ktc.Network(K, 1.5, 0.6, BIAS, inertia=0.7),
    "quartic": ktc.Network(K, 1.5, 0.6, BIAS, QUARTIC),
    "sparse": ktc.Network(ktc.lattices.ring(UNITS, own=1.0, coupling=0.5), 1.5, 0.6, BIAS, QUARTIC),
}


def energy(network, states):
    """H of states (..., d), written out."""
    stiffness = network.sparse_stiffness.toarray() if network.is_sparse else network.stiffness
    pairs = 0.5 * np.einsum("...i,ij,...j->...", states, stiffness, states)
    return pairs - states @ network.bias + 0.25 * states**4 @ network.quartic


def whole(held, moving):
    """States of all units."""
    states = np.empty((*np.shape(moving)[:-1], UNITS))
    states[..., HELD], states[..., MOVING] = held, moving
    return states


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_each_input_is_one_emulator_of_its_conditional_network(network):
    """The same bits where motion is exact, rounding elsewhere, and the first law."""
    options = {} if network.moves_exactly else {"dt": 0.01}
    found = ktc.infer(
        network, (HELD, INPUTS), None, 0.3, 3, state=START, seed=7, threads=1, **options
    )
    for k in (0, 1, 69):
        emulator = ktc.Emulator(
            network.conditioned(HELD, INPUTS[k]), 3, 7, 1, state=START[MOVING], first_step=0,
            first_replica=3 * k, **options,
        )  # fmt: skip
        emulator.run(0.3)
        ends = emulator.read()
        assert found.mean[k] == pytest.approx(ends.mean(axis=0), rel=1e-13, abs=1e-14)
        spread = ends.std(axis=0, ddof=1) / np.sqrt(3)
        assert found.stderr[k] == pytest.approx(spread, rel=1e-11)
        heat = emulator.ledger.heat.mean()
        assert found.heat.samples[k] == pytest.approx(heat, rel=1e-11, abs=1e-13)
        change = energy(network, whole(INPUTS[k], ends)) - energy(network, START)
        if network.inertia is None:
            assert found.work.samples[k] - heat == pytest.approx(change.mean(), rel=1e-11)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("state", [None, 0.0], ids=["equilibrium", "zero"])
def test_results_do_not_depend_on_the_chunk(network, state):
    every, few = (
        ktc.infer(network, (HELD, INPUTS), READ, 0.2, 2, state=state, seed=3, chunk=chunk)
        for chunk in (None, 10)
    )
    assert np.array_equal(every.mean, few.mean) and np.array_equal(every.stderr, few.stderr)
    for name in ("work", "heat"):
        assert np.array_equal(getattr(every, name).samples, getattr(few, name).samples)


def test_gaussian_networks_move_along_the_exact_conditional_path():
    """Mean, work and heat from z* + A(m − z*) and A P Aᵀ + Q: within 5 standard errors."""
    network, r = NETWORKS["linear"], 4000
    found = ktc.infer(network, (HELD, INPUTS[:3]), READ, 0.4, r, state=START, seed=11)
    heats = []
    for k, values in enumerate(INPUTS[:3]):
        A, c, Q = network.conditioned(HELD, values).transition(0.4)
        mean = A @ START[MOVING] + c
        assert np.all(np.abs(found.mean[k] - mean[[2, 0]]) < 5 * np.sqrt(np.diag(Q)[[2, 0]] / r))
        end = energy(network, whole(values, mean)) + 0.5 * np.sum(K[np.ix_(MOVING, MOVING)] * Q)
        placed = energy(network, whole(values, START[MOVING]))
        assert found.work.samples[k] == pytest.approx(placed - energy(network, START), rel=1e-11)
        heats.append(placed - end)
    assert found.heat.samples == pytest.approx(heats, abs=0.1)


def test_work_from_equilibrium_is_that_of_placing_the_inputs():
    """⟨H(x_U, v) − H(x)⟩ over the equilibrium, in closed form: within 5 standard errors."""
    network = NETWORKS["linear"]
    found = ktc.infer(network, (HELD, INPUTS[0]), None, 0.1, 20_000, seed=2)
    rest = ktc.theory.equilibrium(network)
    moving = np.ix_(MOVING, MOVING)
    placed = energy(network, whole(INPUTS[0], rest.mean[MOVING]))
    placed += 0.5 * np.sum(K[moving] * rest.covariance[moving])
    before = energy(network, rest.mean) + 0.5 * UNITS * 0.6
    assert abs(found.work.mean - (placed - before)) < 5 * found.work.stderr
    assert len(found.work.samples) == 20_000 and found.work.method == "mean over replicas"


def test_boards_take_and_give_volts():
    board = ktc.Board(3, 1e6, 1e-12, 300.0)
    chain = board.program(stiffness=ktc.lattices.ring(3, 1.0, 0.5).toarray() * 1e12)
    found = ktc.infer(chain, ([1], [[1e-3]]), None, 1e-5, 2000, seed=1)
    values = 1e-3 / chain.scale[1]
    exact = ktc.theory.equilibrium(chain.network.conditioned(1, values)).mean * chain.scale[[0, 2]]
    assert np.all(np.abs(found.mean[0] - exact) < 5 * found.stderr[0])
    assert found.heat.unit == "J" and found.heat.in_kT.mean > 0
    assert found.completed[0, 1] == 1e-3


def test_answers_and_accuracy():
    """A unit on the side of each input: no error at this temperature."""
    network = ktc.Network([[1.0, -0.8, 0.8], [-0.8, 2.0, 0.0], [0.8, 0.0, 2.0]], 1.0, 1e-4)
    values = np.linspace(-1, 1, 20)[:, None]
    labels = (values[:, 0] < 0).astype(int)
    found = ktc.infer(network, ([0], values), [1, 2], 10.0, labels=labels, seed=1)
    assert np.array_equal(found.answers, labels)
    assert found.accuracy.mean == 1 and found.top(2).mean == 1
    wrong = ktc.infer(network, ([0], values), [1, 2], 10.0, labels=1 - labels, seed=1)
    assert wrong.accuracy.mean == 0 and wrong.top(2).mean == 1
    swapped = ktc.infer(network, ([0], values), [2, 1], 10.0, labels=1 - labels, seed=1)
    assert swapped.accuracy.mean == 1 and np.isinf(swapped.stderr).all()
    with refused(ValueError, "labels"):
        _ = ktc.infer(network, ([0], values), [1, 2], 10.0, seed=1).accuracy
    with refused(ValueError, "most", "2", "3"):
        found.top(3)


def test_inputs_are_read_from_a_memory_map(tmp_path):
    np.save(tmp_path / "x.npy", INPUTS)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    network = NETWORKS["quartic"]
    first, second = (
        ktc.infer(network, (HELD, given), READ, 0.1, state=0.0, seed=1)
        for given in (INPUTS, mapped)
    )
    assert np.array_equal(first.mean, second.mean)
    assert type(second.inputs) is np.memmap
    second.save(tmp_path / "x.ktc")
    again = ktc.load(tmp_path / "x.ktc")
    assert np.array_equal(again.mean, first.mean) and again.heat.mean == first.heat.mean


def test_a_learned_model_is_conditioned_and_infers():
    """With a hidden unit, which no default output shows."""
    network = ktc.Network(K[:3, :3], 1.0, 0.5)
    data = RNG.normal(size=(20, 2))
    fit = ktc.learn(
        network, data, ktc.schedules.MinimalDissipation(1.0), hidden=[1], replicas=100, ticks=20,
        seed=1,
    )  # fmt: skip
    held = fit.condition(0, 2.0)
    assert held.network == fit.network.conditioned(0, 2.0)
    found = fit.infer(([0], [[2.0]]), None, 1.0, 5, seed=1)
    assert found.outputs.tolist() == [2]
    other = ktc.infer(fit.network, ([0], [[2.0]]), [2], 1.0, 5, seed=1)
    assert np.array_equal(found.mean, other.mean)


def test_bad_input_is_refused():
    network = NETWORKS["linear"]
    with refused(ValueError, "inputs", "(n, 2)", "(70, 3)"):
        ktc.infer(network, ([0, 1], INPUTS), None, 1.0)
    with refused(ValueError, "inputs", "pair", "3 items"):
        ktc.infer(network, INPUTS[:3], None, 1.0)
    with refused(ValueError, "inputs", "0 to 5", "9"):
        ktc.infer(network, ([9], [[1.0]]), None, 1.0)
    with refused(ValueError, "inputs", "none"):
        ktc.infer(network, ([], np.empty((1, 0))), None, 1.0)
    with refused(ValueError, "outputs", "unit 0"):
        ktc.infer(network, ([0], [[1.0]]), [0, 1], 1.0)
    with refused(ValueError, "labels", "(70,)", "(3,)"):
        ktc.infer(network, (HELD, INPUTS), READ, 1.0, labels=[0, 1, 0])
    with refused(ValueError, "labels", "0 to 1", "2"):
        ktc.infer(network, (HELD, INPUTS[:1]), READ, 1.0, labels=[2])
    with refused(ValueError, "duration", "positive", "0"):
        ktc.infer(network, (HELD, INPUTS), READ, 0.0)
    with refused(ValueError, "state", "(6,)", "(2,)"):
        ktc.infer(network, (HELD, INPUTS), READ, 1.0, state=[0.0, 1.0])
    with refused(ValueError, "chunk", "at least 1", "0"):
        ktc.infer(network, (HELD, INPUTS), READ, 1.0, chunk=0)
    with refused(ValueError, "inputs", "finite", "nan"):
        ktc.infer(network, (HELD, np.full((1, 3), np.nan)), READ, 1.0)
    limits = ktc.Imperfections(dac_bits=8, dac_range=1e-3)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=limits)
    with refused(ValueError, "limits", ".network"):
        ktc.infer(board, ([0], [[1e-3]]), None, 1e-6)
