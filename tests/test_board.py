"""The board in SI: kT/C, RC times, programming, and bad input.

Statistical tests fix their seeds and compare at 5 standard errors: 5.7e-7 for each number.
"""

import math

import numpy as np
import pytest
from scipy.constants import Boltzmann
from scipy.linalg import solve_continuous_lyapunov

import ktc
from refusal import refused, refused_unchanged

REPLICAS = 100_000
RESISTANCE, CAPACITANCE = np.array([1e6, 2e6]), np.array([1e-12, 4e-12])
K = np.array([[1.2e12, 2e11], [2e11, 3e11]])


def board(**changes):
    return ktc.Board(
        **{
            "cells": 2,
            "resistance": RESISTANCE,
            "capacitance": CAPACITANCE,
            "temperature": 300.0,
            **changes,
        }
    )


def assert_variances(states, exact):
    """Of Gaussian samples about their known means: relative error √(2/N), times 5."""
    assert (np.abs((states**2).mean(axis=0) / exact - 1) < 5 * math.sqrt(2 / len(states))).all()


def test_noise_of_a_capacitor():
    """⟨v²⟩ = k_B T/C, whatever the resistance: two comparisons at the start, two after 5 µs."""
    emulator = board().emulator(replicas=REPLICAS, seed=1)
    exact = Boltzmann * 300.0 / CAPACITANCE
    assert_variances(emulator.read(), exact)
    emulator.run(5e-6)
    assert_variances(emulator.read(), exact)
    assert board().thermal_width == pytest.approx(np.sqrt(exact), rel=1e-14)
    assert board().kT == pytest.approx(Boltzmann * 300.0, rel=1e-15)


def test_cells_at_several_temperatures():
    """Σ of F Σ + Σ Fᵀ + D = 0, F = −R⁻¹K, D = 2k_B T_i/R_i, and the heat that passes between them.

    Into resistor i flows [(KΣK)_ii − k_B T_i K_ii]/R_i. Three comparisons of Σ, whose elements
    scatter by √((Σ_ii Σ_jj + Σ_ij²)/N), and two of heat; the splitting's own error, second order
    in a tenth of the fastest time, is below the scatter.
    """
    kelvin = np.array([100.0, 500.0])
    hot = board(temperature=kelvin, stiffness=K)
    kT = Boltzmann * kelvin
    assert hot.network.kT == pytest.approx(kT, rel=1e-15)
    assert hot.thermal_width == pytest.approx(np.sqrt(kT / CAPACITANCE), rel=1e-14)
    assert repr(hot) == "<ktc.Board: 2 RC cells at 100 to 500 K>"
    # In units of 1e-20 J and 1e-12 F, so that Lyapunov's equation is well scaled.
    own, damping = K * 1e-12, RESISTANCE * 1e-6
    drift, noise = -own / damping[:, None], np.diag(2 * kT * 1e20 / damping)
    exact = solve_continuous_lyapunov(drift, -noise)
    emulator = hot.emulator(replicas=REPLICAS, seed=6, resolve_heat=True)
    assert not hot.emulator(replicas=1).resolve_heat
    emulator.run(2e-6)
    charges = emulator.read() * CAPACITANCE * 1e16
    scatter = np.sqrt((np.outer(exact.diagonal(), exact.diagonal()) + exact**2) / REPLICAS)
    assert (np.abs(charges.T @ charges / REPLICAS - exact) < 5 * scatter).all()
    flow = (np.diagonal(own @ exact @ own) - kT * 1e20 * np.diagonal(own)) / damping
    heat = emulator.ledger.heat_per_resistor * 1e20
    error = 5 * heat.std(axis=0) / math.sqrt(REPLICAS)
    assert (np.abs(heat.mean(axis=0) - 2 * flow) < error).all()
    assert flow[0] * 2 > error[0]  # from the hot cell to the cold one, well resolved


def test_what_needs_one_temperature_says_so():
    hot = board(temperature=[300.0, 400.0])
    with refused(ValueError, "needs one temperature"):
        _ = hot.kT
    with refused(ValueError, "needs one temperature"):
        ktc.theory.free_energy(hot)
    assert board(temperature=[300.0, 300.0]).temperature == 300.0
    assert (hot.program(bias=1e-3).temperature == [300.0, 400.0]).all()
    volts = hot.encoding(scale=4.0).encode([8.0, 8.0])
    assert volts == pytest.approx(2 * hot.thermal_width, rel=1e-14)


def test_a_cell_charges_through_its_resistor():
    """v = V (1 − e^{−t/RC}) on average: two comparisons."""
    emulator = board().emulator(replicas=REPLICAS, seed=2)
    emulator.set(bias=1e-3)
    emulator.run(1e-6)
    exact = 1e-3 * -np.expm1(-1e-6 / (RESISTANCE * CAPACITANCE))
    error = np.sqrt(Boltzmann * 300.0 / CAPACITANCE / REPLICAS)
    assert (np.abs(emulator.moments().mean - exact) < 5 * error).all()


def test_work_and_heat_are_joules():
    """A step from 0 to V costs −V⟨q⟩ = 0 at once; then V²C/2 of C V² supplied is dissipated."""
    cell = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
    emulator = cell.emulator(replicas=REPLICAS, seed=3)
    emulator.set(bias=1e-3)
    emulator.run(1e-4)
    books, energy = emulator.ledger, 1e-12 * 1e-3**2
    for account, exact in ((books.work, 0.0), (books.heat, energy / 2), (books.supply, energy)):
        error = account.std() / math.sqrt(REPLICAS)
        assert abs(account.mean() - exact) < 5 * error


def test_couplings_correlate_cells():
    """Cov q = k_B T K⁻¹, in volts over both capacitances: three comparisons."""
    coupled = board(stiffness=K)
    emulator = coupled.emulator(replicas=REPLICAS, seed=4)
    emulator.run(3e-6)
    exact = Boltzmann * 300.0 * np.linalg.inv(K) / np.outer(CAPACITANCE, CAPACITANCE)
    covariance = emulator.moments().covariance
    spread = np.sqrt((exact**2 + np.outer(exact.diagonal(), exact.diagonal())) / REPLICAS)
    assert (np.abs(covariance - exact) < 5 * spread).all()
    states = emulator.read()
    assert covariance == pytest.approx(np.cov(states.T, bias=True), rel=1e-10)


def test_the_network_is_in_coulombs():
    network = board(stiffness=K, bias=[1e-3, 2e-3]).network
    assert network.stiffness.tolist() == K.tolist()
    assert network.friction.diagonal().tolist() == RESISTANCE.tolist()
    assert network.bias.tolist() == [1e-3, 2e-3]
    assert network.inertia is None
    assert board().network.relaxation_times == pytest.approx(RESISTANCE * CAPACITANCE, rel=1e-12)
    assert board().scale == pytest.approx(1 / CAPACITANCE, rel=1e-15)


def test_states_are_written_and_read_in_volts():
    emulator = board().emulator(replicas=3, seed=5, state=[1e-3, -2e-3])
    assert emulator.read() == pytest.approx(np.tile([1e-3, -2e-3], (3, 1)), rel=1e-12)
    emulator.write([[0.0, 1e-4], [1e-4, 0.0], [0.0, 0.0]])
    assert emulator.read()[1] == pytest.approx([1e-4, 0.0], rel=1e-12)
    exact = 0.5 * CAPACITANCE * np.array([1e-4, 1e-4]) ** 2
    assert emulator.energy() == pytest.approx([exact[1], exact[0], 0.0], rel=1e-12)


def test_scalars_are_the_same_for_all_cells():
    one = ktc.Board(cells=3, resistance=1e6, capacitance=1e-12, temperature=300.0, bias=1e-3)
    assert one.resistance.tolist() == [1e6] * 3
    assert one.capacitance.tolist() == [1e-12] * 3
    assert one.bias.tolist() == [1e-3] * 3
    assert one.stiffness.tolist() == np.diag([1e12] * 3).tolist()


def test_a_programmed_board_is_another_board():
    bare = board()
    programmed = bare.program(stiffness=K, bias=1e-3)
    assert programmed.stiffness.tolist() == K.tolist()
    assert programmed.program(bias=0.0).stiffness.tolist() == K.tolist()
    assert programmed.program(stiffness=bare.stiffness).bias.tolist() == [1e-3] * 2
    assert not bare.bias.any()
    for kept in ("resistance", "capacitance"):
        assert getattr(programmed, kept).tolist() == getattr(bare, kept).tolist()
    assert programmed.temperature == 300.0


def test_a_board_without_limits_needs_no_more_than_an_emulator():
    """Neither imperfections nor missing couplings: its emulator is a plain one."""
    plain = board(stiffness=K)
    assert type(plain.emulator(10, seed=1)) is ktc.Emulator
    assert not plain.restricted and plain.topology.complete and plain.imperfections is None
    assert plain.couplings == {(0, 1): K[0, 1]}
    assert not board().couplings
    assert plain.real.network == plain.network
    assert "2 RC cells at 300 K" in repr(plain)
    ring = ktc.Board(4, 1e6, 1e-12, 300.0, topology=ktc.Topology.ring(4), coupling="capacitive")
    assert "capacitive couplings, ring" in repr(ring)
    assert "imperfections of seed 3" in repr(board(imperfections=ktc.Imperfections(seed=3)))


def test_a_saved_emulator_still_speaks_volts(tmp_path):
    emulator = board(stiffness=K).emulator(replicas=5, seed=6)
    emulator.run(1e-6)
    emulator.save(tmp_path / "board.npz")
    loaded = ktc.Emulator.load(tmp_path / "board.npz")
    assert (loaded.read() == emulator.read()).all()
    assert loaded.symbols == emulator.symbols
    assert loaded.symbols.state == "V"


BAD = [
    ({"cells": 0}, ValueError, ["cells", "at least 1", "0"]),
    ({"cells": 2.0}, TypeError, ["cells", "whole number", "2.0"]),
    ({"cells": 3}, ValueError, ["resistance", "(3,)", "(2,)"]),
    ({"resistance": 0.0}, ValueError, ["resistance", "0.0", "unit 0"]),
    ({"resistance": [1e6, -1.0]}, ValueError, ["resistance", "-1.0", "unit 1"]),
    ({"resistance": "1 Mohm"}, TypeError, ["resistance", "'1 Mohm'"]),
    ({"capacitance": -1e-12}, ValueError, ["capacitance", "-1e-12"]),
    ({"capacitance": np.nan}, ValueError, ["capacitance", "nan"]),
    ({"capacitance": [1e-12]}, ValueError, ["capacitance", "(2,)", "(1,)"]),
    ({"temperature": 0.0}, ValueError, ["temperature", "positive", "0.0"]),
    ({"temperature": -273.0}, ValueError, ["temperature", "-273.0"]),
    ({"temperature": [300.0, 310.0, 320.0]}, ValueError, ["temperature", "scalar", "(2,)", "(3,)"]),
    ({"temperature": [300.0, -1.0]}, ValueError, ["temperature", "positive", "-1.0 at unit 1"]),
    (
        {"temperature": [300.0, 310.0], "coupling": "resistive"},
        ValueError,
        ["temperature must be one number", "'resistive'", "ktc.Circuit"],
    ),
    ({"temperature": np.inf}, ValueError, ["temperature", "inf"]),
    ({"stiffness": np.eye(3)}, ValueError, ["stiffness", "(2, 2)", "2 cells", "(3, 3)"]),
    ({"stiffness": 1e12}, ValueError, ["stiffness", "(2, 2)", "()"]),
    ({"stiffness": -K}, ValueError, ["stiffness", "positive definite"]),
    (
        {"stiffness": [[1e12, 1e11], [0.0, 1e12]]},
        ValueError,
        ["stiffness[0, 1] = 100000000000.0", "0.0"],
    ),
    ({"stiffness": [["a", "b"], ["c", "d"]]}, TypeError, ["stiffness", "'a'"]),
    ({"stiffness": [[1.0], [1.0, 2.0]]}, TypeError, ["stiffness", "list"]),
    ({"bias": [1e-3]}, ValueError, ["bias", "(2,)", "(1,)"]),
    ({"bias": np.inf}, ValueError, ["bias", "inf"]),
    ({"voltage": 1.0}, TypeError, ["voltage"]),
]


@pytest.mark.parametrize(("changes", "error", "parts"), BAD)
def test_bad_input(changes, error, parts):
    with refused(error, *parts):
        board(**changes)


def test_bad_updates_change_nothing():
    emulator = board().emulator(replicas=10, seed=7)
    with refused_unchanged(emulator, ValueError, "bias", "(2,)", "(3,)"):
        emulator.set(bias=[1e-3] * 3)
    with refused_unchanged(emulator, TypeError, "unknown control 'voltage'", "'bias'"):
        emulator.set(voltage=1e-3)
    with refused_unchanged(emulator, ValueError, "stiffness", "positive definite"):
        emulator.set(stiffness=[[1e12, 2e12], [2e12, 1e12]])


def test_unknown_options_of_an_emulator_are_refused():
    with refused(TypeError, "samples"):
        board().emulator(samples=10)
