"""The kinds of couplings, each against the circuit that it stands for, written out in volts.

Statistical tests fix their seeds and compare at 5 standard errors: 5.7e-7 for each number.
"""

import numpy as np
import pytest
from scipy.constants import Boltzmann
from scipy.linalg import expm

import ktc
from refusal import refused, refused_unchanged

REPLICAS = 100_000
R, C = np.array([1e6, 2e6, 3e6]), np.array([1e-12, 2e-12, 4e-12])
KT = Boltzmann * 300.0
PAIRS = {(0, 1): 0.5, (1, 2): 2.0}
VALUES = {
    "elastance": {pair: 1e11 * value for pair, value in PAIRS.items()},
    "capacitive": {pair: 1e-12 * value for pair, value in PAIRS.items()},
    "resistive": {pair: 1e6 * value for pair, value in PAIRS.items()},
}
KINDS = tuple(VALUES)


def board(kind, **changes):
    arguments = {"coupling": kind, "couplings": VALUES[kind], **changes}
    return ktc.Board(3, R, C, 300.0, **arguments)


def laplacian(values):
    matrix = np.zeros((3, 3))
    for (i, j), value in values.items():
        matrix[[i, j], [i, j]] += value
        matrix[[i, j], [j, i]] -= value
    return matrix


MAXWELL = np.diag(C) + laplacian(VALUES["capacitive"])
CONDUCTANCE = np.diag(1 / R) + laplacian({p: 1 / v for p, v in VALUES["resistive"].items()})


def assert_moments(states, mean, covariance):
    """Of Gaussian samples: three means and six covariances."""
    n = len(states)
    variances = np.diag(covariance)
    assert (np.abs(states.mean(axis=0) - mean) < 5 * np.sqrt(variances / n)).all()
    spread = np.sqrt((covariance**2 + np.outer(variances, variances)) / n)
    assert (np.abs(np.cov(states.T) - covariance) < 5 * spread).all()


def test_elastances_are_the_entries_of_the_stiffness():
    stiffness = np.diag(1 / C)
    for (i, j), value in VALUES["elastance"].items():
        stiffness[i, j] = stiffness[j, i] = value
    assert board("elastance").stiffness.tolist() == stiffness.tolist()
    given = ktc.Board(3, R, C, 300.0, stiffness=stiffness)
    assert given.network == board("elastance").network
    assert given.couplings == board("elastance").couplings == VALUES["elastance"]


def test_coupling_capacitors_store_half_c_v_squared():
    """½ Σ C_i V_i² + ½ Σ C_ij (V_i − V_j)² at given voltages, with the charges that are there."""
    voltage = np.array([1e-3, -2e-3, 0.5e-3])
    charge, energy = C * voltage, 0.5 * C @ voltage**2
    for (i, j), value in VALUES["capacitive"].items():
        difference = voltage[i] - voltage[j]
        charge[i] += value * difference
        charge[j] -= value * difference
        energy += 0.5 * value * difference**2
    capacitive = board("capacitive")
    emulator = capacitive.emulator(replicas=2, seed=1, state=charge / C)
    # Two inversions of a matrix of condition 10.
    assert emulator.energy() == pytest.approx([energy] * 2, rel=1e-13)
    assert capacitive.node_voltages(emulator)[0] == pytest.approx(voltage, rel=1e-12)


def test_voltages_of_coupled_capacitors_are_correlated():
    """Cov V = k_B T C_M⁻¹."""
    capacitive = board("capacitive")
    emulator = capacitive.emulator(replicas=REPLICAS, seed=2)
    emulator.run(2e-6)
    voltages = capacitive.node_voltages(emulator)
    assert_moments(voltages, np.zeros(3), KT * np.linalg.inv(MAXWELL))


def test_coupled_capacitors_charge_through_their_resistors():
    """C_M dV/dt = −(V − b)/R."""
    capacitive, bias, time = board("capacitive"), np.array([3e-3, 0.0, -1e-3]), 1.5e-6
    emulator = capacitive.emulator(replicas=REPLICAS, seed=3)
    emulator.set(bias=bias)
    emulator.run(time)
    decay = expm(-np.linalg.solve(MAXWELL, np.diag(1 / R)) * time)
    exact = bias - decay @ bias
    assert_moments(capacitive.node_voltages(emulator), exact, KT * np.linalg.inv(MAXWELL))


def test_switching_a_capacitor_at_held_charge_costs_its_energy():
    """The work is the difference of ½ qᵀC_M⁻¹q, replica by replica."""
    capacitive = board("capacitive")
    emulator = capacitive.emulator(replicas=1000, seed=4)
    charge = emulator.read() * C
    switched = {**VALUES["capacitive"], (0, 1): 3e-12}
    emulator.set(stiffness=capacitive.stiffness_of(switched))
    after = np.diag(C) + laplacian(switched)
    difference = np.linalg.inv(after) - np.linalg.inv(MAXWELL)
    exact = 0.5 * np.einsum("ni,ij,nj->n", charge, difference, charge)
    assert emulator.ledger.work == pytest.approx(exact, rel=1e-9, abs=1e-12 * KT)
    assert emulator.controls.stiffness.tolist() == (
        capacitive.program(couplings=switched).stiffness.tolist()
    )


def test_coupling_resistors_do_not_change_the_equilibrium():
    """Cov q = k_B T diag(C), ⟨q⟩ = C b at any resistors: two boards."""
    bias = np.array([1e-4, 0.0, -2e-4])
    for factor in (1.0, 100.0):
        values = {pair: factor * value for pair, value in VALUES["resistive"].items()}
        emulator = board("resistive", couplings=values, bias=bias).emulator(REPLICAS, seed=5)
        emulator.run(3e-6)
        assert_moments(emulator.read(), bias, KT * np.diag(1 / C))
        assert emulator.ledger.imbalance() < 1e-12


def test_coupling_resistors_carry_charge_between_cells():
    """C dV/dt = −G V from a placed state: mean and covariance obey the moment equations."""
    start, time = np.array([5e-4, 0.0, -3e-4]), 0.8e-6
    emulator = board("resistive").emulator(REPLICAS, seed=6, state=start)
    emulator.run(time)
    decay = expm(-np.diag(1 / C) @ CONDUCTANCE * time)
    rest = KT * np.diag(1 / C)
    assert_moments(emulator.read(), decay @ start, rest - decay @ rest @ decay.T)


def test_sources_in_resistors_solve_a_linear_system():
    """G V = e/R in the steady state, and each resistor dissipates what crosses it, V²/R."""
    emf = np.array([2e-2, 0.0, -1e-2, 0.0, 0.0])
    resistive = board("resistive")
    emulator = resistive.emulator(3000, seed=7, resolve_heat=True, dt=5e-8)
    assert emulator.ledger.accounts == ("0", "1", "2", "0-1", "1-2")
    emulator.set(emf=emf)
    emulator.run(8e-5)  # 13 slowest times
    exact = np.linalg.solve(CONDUCTANCE, emf[:3] / R)
    # The step is a fifth of the fastest time: by halving it, means are then off by below 4e-4 of
    # the largest source, and heats by below 4e-4 of their sum.
    error = 5 * np.sqrt(KT / C / 3000) + 4e-4 * emf.max()
    assert (np.abs(resistive.node_voltages(emulator).mean(axis=0) - exact) < error).all()
    emulator.ledger.reset()
    emulator.run(1e-5)
    across = np.array([*(exact - emf[:3]), exact[0] - exact[1], exact[1] - exact[2]])
    resistances = np.array([*R, *VALUES["resistive"].values()])
    joule = across**2 / resistances * 1e-5
    heat = emulator.ledger.heat_per_resistor
    error = 5 * heat.std(axis=0) / np.sqrt(len(heat)) + 4e-4 * joule.sum()
    assert (np.abs(heat.mean(axis=0) - joule) < error).all()


def test_couplings_of_any_form():
    ring = ktc.Topology.ring(3)
    for kind in KINDS:
        boards = [
            board(kind, topology=ring, couplings=given)
            for given in (2e-3, [2e-3] * 3, {(1, 0): 2e-3, (2, 1): 2e-3, (0, 2): 2e-3})
        ]
        assert all(one.network == boards[0].network for one in boards)
        assert boards[0].couplings == {(0, 1): 2e-3, (0, 2): 2e-3, (1, 2): 2e-3}
        assert not board(kind, couplings=None).couplings


@pytest.mark.parametrize("kind", KINDS)
def test_programming_keeps_everything_else(kind):
    topology = ktc.Topology.of_edges(3, PAIRS)
    spec = ktc.Imperfections(offset=1e-5)
    first = board(kind, topology=topology, imperfections=spec)
    biased = first.program(bias=1e-4)
    assert biased.stiffness.tolist() == first.stiffness.tolist()
    assert biased.couplings == first.couplings == VALUES[kind]
    other = biased.program(couplings={(0, 1): 1e-3})
    assert other.couplings == {(0, 1): 1e-3}
    assert other.bias.tolist() == [1e-4] * 3
    assert other.topology is topology and other.imperfections is spec
    assert other.ideal.imperfections is None and other.ideal.couplings == other.couplings


BAD = [
    (
        "elastance",
        {"coupling": "inductive"},
        ValueError,
        ["coupling", "'elastance'", "'inductive'"],
    ),
    ("elastance", {"couplings": np.inf}, ValueError, ["couplings", "finite", "inf"]),
    ("elastance", {"couplings": [1.0]}, ValueError, ["couplings", "(3,)", "(1,)"]),
    ("elastance", {"couplings": {(0, 3): 1.0}}, ValueError, ["couplings", "at most 2", "3"]),
    ("elastance", {"couplings": {(0, 1): 1.0, (1, 0): 2.0}}, ValueError, ["couplings", "twice"]),
    ("elastance", {"couplings": {(0, 1): "1"}}, TypeError, ["couplings[(0, 1)]", "'1'"]),
    ("elastance", {"couplings": {(0, 1): 1e13}}, ValueError, ["stiffness", "positive definite"]),
    ("elastance", {"stiffness": np.eye(3)}, ValueError, ["stiffness", "couplings"]),
    ("capacitive", {"couplings": {(0, 1): -1e-12}}, ValueError, ["couplings[(0, 1)]", "-1e-12 F"]),
    (
        "capacitive",
        {"stiffness": np.eye(3), "couplings": None},
        ValueError,
        ["stiffness", "'capacitive'"],
    ),
    (
        "resistive",
        {"couplings": {(1, 2): 0.0}},
        ValueError,
        ["couplings[(1, 2)]", "positive", "0.0"],
    ),
    ("resistive", {"couplings": -1e6}, ValueError, ["couplings[(0, 1)]", "-1000000.0 Ω"]),
]


@pytest.mark.parametrize(("kind", "changes", "error", "parts"), BAD)
def test_bad_input(kind, changes, error, parts):
    with refused(error, *parts):
        board(kind, **changes)


def test_a_capacitive_board_is_programmed_to_its_own_capacitors_alone():
    capacitive = board("capacitive", topology=ktc.Topology.of_edges(3, PAIRS))
    emulator = capacitive.emulator(replicas=10, seed=8)
    with refused_unchanged(
        emulator, ValueError, "stiffness gives cell 1", "2e-12 F", "stiffness_of"
    ):
        own = np.diag(C * [1.0, 1.1, 1.0]) + laplacian(VALUES["capacitive"])
        emulator.set(stiffness=np.linalg.inv(own))
    with refused_unchanged(emulator, ValueError, "stiffness couples cells 0 and 2", "[1]"):
        emulator.set(stiffness=np.linalg.inv(np.diag(C) + laplacian({(0, 2): 1e-12})))
    with refused_unchanged(emulator, ValueError, "cells 0 and 1", "-1e-13 F", "below zero"):
        emulator.set(stiffness=np.linalg.inv(np.diag(C) + laplacian({(0, 1): -1e-13})))
    emulator.set(stiffness=capacitive.stiffness_of({}))
    assert emulator.controls.stiffness == pytest.approx(np.diag(1 / C), rel=1e-15)


def test_resistive_couplings_are_fixed_while_it_runs():
    resistive = board("resistive")
    emulator = resistive.emulator(replicas=10, seed=9)
    with refused_unchanged(emulator, ValueError, "stiffness is fixed", "resistive"):
        emulator.set(stiffness=np.diag(2 / C))
    emulator.set(stiffness=np.diag(1 / C))
