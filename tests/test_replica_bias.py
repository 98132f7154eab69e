"""A bias of each replica: the bits of one emulator per replica, its books, and what refuses it."""

import numpy as np
import pytest
import scipy.sparse

import ktc
from reference import random_spd

RNG = np.random.default_rng(14)
COUPLED = random_spd(RNG, 3)
WARM = np.array([1.0, 1.5, 2.0])
REPLICAS, FIRST = 150, 37
CASES = {
    "exact": ({}, {}),
    "exact, single precision": ({}, {"dtype": "float32"}),
    "uncoupled": ({"stiffness": np.diag([1.0, 2.0, 5.0])}, {}),
    "with inertia": ({"inertia": 0.7}, {}),
    "quartic": ({"quartic": 1.0}, {"dt": 0.01}),
    "quartic, single precision": ({"quartic": 1.0}, {"dt": 0.01, "dtype": "float32"}),
    "quartic, uncoupled": ({"quartic": 1.0, "stiffness": np.eye(3)}, {"dt": 0.01}),
    "quartic with inertia": ({"quartic": 1.0, "inertia": 0.7}, {"dt": 0.01}),
    "several temperatures": ({"quartic": 1.0, "kT": WARM}, {"dt": 0.01}),
    "heat per resistor": ({}, {"dt": 0.01, "resolve_heat": True}),
    "sparse": ({"stiffness": scipy.sparse.csr_array(COUPLED)}, {"dt": 0.01}),
}


def exercised(case, rows, biases, start):
    """Set, run and play the biases of some replicas, one for all of a single replica."""
    given, options = CASES[case]
    network = ktc.Network(**{"stiffness": COUPLED, "friction": 1.0} | given)
    own = biases[:, rows[0]] if len(rows) == 1 else biases[:, rows]
    emulator = ktc.Emulator(
        network, len(rows), 3, first_replica=FIRST + rows[0], first_step=0, state=start[rows],
        threads=1, **options,
    )  # fmt: skip
    emulator.set(bias=own[0])
    emulator.run(0.1)
    ticks = [0, 1, 1, 2, 3]
    drive = ktc.Protocol(np.full(5, 0.05), {"bias": own[ticks]}, final={"bias": own[2]})
    emulator.play(drive)
    emulator.set(bias=0.5)
    emulator.play(ktc.Protocol([0.05], {"bias": [1.0]}))
    emulator.set(bias=own[1])
    return emulator


@pytest.mark.parametrize("case", CASES)
def test_each_replica_has_the_bits_of_its_own_emulator(case):
    biases = 2.0 * RNG.normal(size=(4, REPLICAS, 3))
    if "single" in case:
        biases[2] += 3000.0 if case.startswith("exact") else 30.0  # rounds the state
    start = RNG.normal(size=(REPLICAS, 3))
    every = exercised(case, np.arange(REPLICAS), biases, start)
    books = every.ledger
    close = 1e-6 if "single" in case else 1e-12
    assert books.imbalance() < close
    for replica in (0, 26, 27, 149):
        alone = exercised(case, [replica], biases, start)
        assert (every.read()[replica] == alone.read()[0]).all()
        assert every.energy()[replica] == alone.energy()[0]
        for name, amounts in alone.ledger.amounts().items():
            assert (books.amounts()[name][replica] == amounts[0]).all(), name


def test_each_replica_starts_in_its_own_equilibrium():
    emulator = ktc.Emulator(ktc.Network(COUPLED, 1.0), 20000, seed=5)
    bias = np.repeat([[3.0, 0.0, -1.0], [0.0, 2.0, 4.0]], 10000, axis=0)
    emulator.set(bias=bias)
    emulator.equilibrate()
    spread = np.linalg.inv(COUPLED)
    for half in (slice(0, 10000), slice(10000, None)):
        state = emulator.read()[half]
        error = np.sqrt(np.diagonal(spread) / 10000)
        # 4.5 sigma of six means: a false alarm in 25000 runs.
        assert (np.abs(state.mean(axis=0) - spread @ bias[half][0]) < 4.5 * error).all()
    assert emulator.rested == np.inf


def test_a_saved_emulator_goes_on_with_the_same_bits(tmp_path):
    emulator = ktc.Emulator(ktc.Network(COUPLED, 1.0), 70, seed=5)
    emulator.set(bias=RNG.normal(size=(70, 3)))
    emulator.save(tmp_path / "e")
    found = ktc.Emulator.load(tmp_path / "e")
    for each in (emulator, found):
        each.run(0.3)
    assert (found.read() == emulator.read()).all()
    assert (found.controls.bias == emulator.controls.bias).all()
    emulator.reset()
    assert emulator.controls.bias.shape == (3,)


def test_the_bias_of_each_replica_is_recorded():
    emulator = ktc.Emulator(ktc.Network(COUPLED, 1.0), 5, seed=5)
    drive = RNG.normal(size=(4, 5, 3))
    run = emulator.play(ktc.Protocol(np.full(4, 0.1), {"bias": drive}), record="bias", every=2)
    assert (run.series["bias"] == drive[1::2]).all()


@pytest.mark.parametrize(
    "bias", [np.zeros((5, 2)), np.zeros((4, 3)), np.full((5, 3), np.nan), np.full((5, 3), 1e200)]
)
def test_a_bias_that_does_not_fit_changes_nothing(bias):
    emulator = ktc.Emulator(ktc.Network(COUPLED, 1.0), 5, seed=5)
    before = emulator.copy()
    with pytest.raises(ValueError, match="bias"):
        emulator.set(bias=bias)
    with pytest.raises(ValueError, match="bias"):
        emulator.play(ktc.Protocol([0.1], {"bias": bias[None]}))
    assert emulator.controls == before.controls
    assert (emulator.read() == before.read()).all()
    assert emulator.time == 0.0


def test_what_cannot_hold_a_bias_of_each_replica_says_so():
    network = ktc.Network(COUPLED, 1.0)
    emulator = ktc.Emulator(network, 5, seed=5)
    emulator.set(bias=np.ones((5, 3)))
    with pytest.raises(ValueError, match="5 replicas have one each"):
        network.with_controls(emulator.controls)
    with pytest.raises(ValueError, match=r"replicas=math\.inf"):
        ktc.Emulator(network, np.inf).set(bias=np.ones((5, 3)))
    quartic = ktc.Emulator(ktc.Network(COUPLED, 1.0, quartic=1.0), 5, seed=5)
    quartic.set(bias=np.ones((5, 3)))
    with pytest.raises(ValueError, match="write a state"):
        quartic.equilibrate()
    warm = ktc.Emulator(ktc.Network(COUPLED, 1.0, kT=WARM), 5, seed=5)
    with pytest.raises(ValueError, match="resolve_heat=True"):
        warm.set(bias=np.ones((5, 3)))
