"""The infinite ensemble against 10⁵ replicas of the sampling engine, wherever both run.

A comparison at 4.5 standard errors is a false alarm of 7e-6 a number; seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ensembles import device
from infinite import REPLICAS, circuits, drives, exact, random_network
from ktc.schedules import MinimalDissipation
from replica_means import assert_mean


def same_numbers(sampled, infinite, names=("work", "heat", "supply"), allowance=0.0):
    """Means and variances of two runs: a variance has the standard error √((κ − 1)/N) of itself."""
    for name in names:
        many, one = getattr(sampled, name), getattr(infinite, name)
        assert one.stderr == 0
        assert_mean(many.samples, one.mean, allowance * abs(one.mean) + 1e-12)
        deviation = (many.samples - many.mean) ** 2
        error = 4.5 * deviation.std() / np.sqrt(len(deviation)) + 1e-12
        assert abs(many.variance - one.variance) <= error, name


@pytest.mark.parametrize("inertia", [None, 0.7])
@pytest.mark.parametrize("name", drives())
def test_runs_agree_with_replicas(name, inertia):
    """Means and variances of work, heat and supply, and the recorded moments, at 4.5σ.

    The emulators ran before, so that a run's accounts are not those since the books were opened.
    """
    network = random_network(3, 11, kT=1.2, inertia=inertia)
    options = {"record": ["mean", "covariance", "energy", "work", "heat", "bias"], "every": 2}
    runs = []
    for emulator in (ktc.Emulator(network, replicas=REPLICAS, seed=17), exact(network)):
        emulator.set(bias=[2.0, -1.0, 0.0])
        emulator.run(0.4)
        runs.append(emulator.play(drives()[name], **options))
    same_numbers(*runs)
    sampled, infinite = (run.series for run in runs)
    scatter = np.sqrt(np.einsum("pii->pi", infinite["covariance"]) / REPLICAS)
    assert np.all(np.abs(sampled["mean"] - infinite["mean"]) < 4.5 * scatter)
    widths = np.einsum("pii,pjj->pij", infinite["covariance"], infinite["covariance"])
    scatter = np.sqrt((widths + infinite["covariance"] ** 2) / REPLICAS)
    assert np.all(np.abs(sampled["covariance"] - infinite["covariance"]) < 4.5 * scatter)
    assert np.array_equal(sampled["bias"], infinite["bias"])
    for quantity in ("energy", "work", "heat"):
        spread = runs[0].work.samples.std() + runs[0].heat.samples.std() + 3
        assert sampled[quantity] == pytest.approx(
            infinite[quantity], abs=4.5 * spread / np.sqrt(REPLICAS)
        )


@pytest.mark.parametrize("name", circuits())
def test_circuits_agree_with_replicas(name):
    """A step of 0.02 leaves 3e-3 of an account to the splitting integrator, at most."""
    circuit = circuits()[name]
    drive = ktc.Protocol([0.5, 0.7], {"bias": [0.6, -0.4]}, {"bias": 0.2})
    runs = [
        device(circuit, REPLICAS, 23, resolve_heat=True, dt=0.02).play(drive),
        device(circuit, math.inf, None).play(drive),
    ]
    driven = circuit.noises or circuit.sources or any(r.emf for r in circuit.resistors)
    same_numbers(*runs, ("work", "supply") if driven else ("work", "heat", "supply"), 3e-3)
    for quantity in ("source", "injected", "heat"):
        many, one = getattr(runs[0], quantity), getattr(runs[1], quantity)
        assert_mean(many.samples, one.mean, 3e-3 * abs(one.mean) + 1e-12)
    for account, many in runs[0].heat_per_resistor.items():
        one = runs[1].heat_per_resistor[account].mean
        assert_mean(many.samples, one, 3e-3 * abs(one) + 1e-3)


def test_learning_agrees_with_replicas():
    """The controller's own path differs by its noise, the excess beside the bound does not."""
    data = [[1.0, -2.0, 0.5]]
    network = random_network(3, 12, kT=0.8)
    options = {"ticks": 60, "parameters": ("bias",)}
    one = ktc.learn(network, data, MinimalDissipation(1.0), replicas=math.inf, **options)
    many = ktc.learn(network, data, MinimalDissipation(1.0), replicas=REPLICAS, seed=3, **options)
    gap = one.excess_work.mean - one.bound
    assert abs(many.excess_work.mean - many.bound - gap) < 4.5 * many.excess_work.stderr
    # A run's end scatters by some √(kT/kN) of the unit's widths.
    scatter = 4.5 * np.sqrt(np.diag(one.device.moments().covariance) / REPLICAS).max()
    slack = np.linalg.norm(network.stiffness, 2) * scatter * 2
    assert many.parameters["bias"] == pytest.approx(one.parameters["bias"], abs=slack)
    assert many.heat.mean == pytest.approx(one.heat.mean, abs=10 * many.heat.stderr)
    assert one.completed_excess_work.mean == pytest.approx(
        many.completed_excess_work.mean, abs=10 * many.completed_excess_work.stderr
    )


def test_real_boards_agree_with_replicas():
    """Quantised, offset and settling controls: a learning run within 4.5σ of 10⁵ replicas.

    While outputs settle every hold is a protocol of its own, within the run whose accounts are
    asked for.
    """
    for spec in (
        ktc.Imperfections(dac_bits=12, dac_range=7e-4, offset=1e-5, seed=5),
        ktc.Imperfections(settling_time=1e-7, capacitance_tolerance=0.02, seed=6),
    ):
        board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
        one, many = (
            ktc.learn(board, [[1e-4, 2e-4]], MinimalDissipation(5e-6), ticks=30, **options)
            for options in ({"replicas": math.inf}, {"replicas": REPLICAS, "seed": 8})
        )
        kT = one.kT
        # The controller's path scatters with its replicas: some three naive errors in all.
        assert many.work.mean / kT == pytest.approx(
            one.work.mean / kT, abs=14 * many.work.stderr / kT
        )
        deviation = (many.work.samples - many.work.mean) ** 2 / kT**2
        error = 4.5 * deviation.std() / np.sqrt(REPLICAS)
        assert many.work.variance / kT**2 == pytest.approx(
            one.work.variance / kT**2, abs=error + 0.01 * one.work.variance / kT**2
        )
