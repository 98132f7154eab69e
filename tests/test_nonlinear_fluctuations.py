"""Jarzynski and Crooks for quartic units and RLC circuits driven hard, free energies by quadrature.

Splitting steps are not exact, yet work is booked at updates and the steps keep exp(−H/kT) to second
order: at the steps taken here the bias is below a percent, and is allowed for where it says so.
"4σ" is a false alarm of 6.3e-5 a comparison, "4.5σ" of 6.8e-6; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ensembles import near
from ktc._model.elements import Resistor
from reference_quartic import Unit

REPLICAS = 40_000


def gaussian_free_energy(stiffness, bias, kT):
    """Up to what does not depend on the controls."""
    determinant = np.linalg.slogdet(stiffness)[1]
    return 0.5 * kT * determinant - 0.5 * bias @ np.linalg.solve(stiffness, bias)


def melting():
    """A double well tilted over and melted into one well: bias, stiffness and quartic at once."""
    start, end = Unit(-1.0, 0.5, bias=-0.1, kT=0.4), Unit(0.2, 0.8, bias=0.3, kT=0.4)
    network = ktc.Network(-1.0, 1.0, kT=0.4, bias=-0.1, quartic=0.5)
    ramps = {"bias": (-0.1, 0.3), "stiffness": (-1.0, 0.2), "quartic": (0.5, 0.8)}
    return network, ktc.Protocol.ramp(1.5, 12, **ramps), end.free_energy() - start.free_energy()


def tilting_with_inertia():
    """A double well with inertia, tilted from one side to the other in half a period."""
    start, end = Unit(-1.0, 1.0, bias=-0.25, kT=0.3), Unit(-1.0, 1.0, bias=0.15, kT=0.3)
    network = ktc.Network(-1.0, 0.5, kT=0.3, bias=-0.25, quartic=1.0, inertia=0.8)
    ramp = ktc.Protocol.ramp(1.5, 10, bias=(-0.25, 0.15))
    return network, ramp, end.free_energy() - start.free_energy()


def ringing():
    """An RLC loop whose capacitor and source are switched hard, underdamped."""
    first, last = np.diag([1.0, 0.5]), np.diag([2.5, 0.5])
    network = ktc.Network.of_elements(
        first,
        [Resistor([0.0, 1.0], 0.2, "R")],
        0.7,
        interconnection=[[0.0, 1.0], [-1.0, 0.0]],
    )
    bias = np.array([0.9, 0.0])
    drive = ktc.Protocol(
        [0.4, 0.3, 0.5],
        {"bias": [[0.6, 0], [0.2, 0], [0.9, 0]], "stiffness": [first, last, 0.5 * (first + last)]},
        final={"stiffness": last},
    )
    change = gaussian_free_energy(last, bias, 0.7) - gaussian_free_energy(first, 0 * bias, 0.7)
    return network, drive, change


CASES = {"melting": melting, "inertia": tilting_with_inertia, "RLC": ringing}
every_case = pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())


def both_ways(make):
    """Works of the drive and of its reverse from the other end, over kT, and ΔF/kT."""
    network, drive, change = make()
    options = {"replicas": REPLICAS, "resolve_heat": True}
    forward = ktc.Emulator(network, seed=141, **options)
    run = forward.play(drive)
    assert run.free_energy_change.mean == pytest.approx(change, abs=1e-9)
    waveforms = {name: values[::-1] for name, values in drive.controls.items()}
    final = {name: getattr(network.controls, name) for name in waveforms}
    other_end = network.with_controls(run.final_controls)
    backward = ktc.Emulator(other_end, seed=142, **options)
    back = backward.play(ktc.Protocol(drive.holds[::-1], waveforms, final))
    assert back.final_controls == network.controls
    for emulator in (forward, backward):
        assert emulator.ledger.imbalance() < 1e-12
    return run.work.samples / network.kT, back.work.samples / network.kT, change / network.kT


@every_case
def test_jarzynski(make):
    """⟨e^{−W/kT}⟩ = e^{−ΔF/kT} both ways at 4σ; and without fluctuations it would fail by far."""
    forward, backward, change = both_ways(make)
    for work, sign in ((forward, 1.0), (backward, -1.0)):
        weights = np.exp(-(work - sign * change))
        assert weights.std() / np.sqrt(REPLICAS) < 0.03
        assert near(weights, 1.0, bias=3e-3)
        assert np.exp(-(work.mean() - sign * change)) < 0.85


@every_case
def test_crooks_bin_by_bin(make):
    """P_F(W) e^{−(W−ΔF)/kT} = P_R(−W) over 12 bins of 300 or more samples, 4.5σ each."""
    forward, backward, change = both_ways(make)
    edges = np.quantile(np.concatenate([forward, -backward]), np.linspace(0.03, 0.97, 13))
    compared = 0
    for low, high in zip(edges[:-1], edges[1:]):
        weights = np.where((forward >= low) & (forward < high), np.exp(change - forward), 0.0)
        there = ((-backward >= low) & (-backward < high)).astype(float)
        if min(np.count_nonzero(weights), there.sum()) < 300:
            continue
        compared += 1
        error = np.sqrt((weights.var() + there.var()) / REPLICAS)
        assert abs(weights.mean() - there.mean()) < 4.5 * error + 5e-3 * there.mean()
    assert compared >= 7


@every_case
def test_second_law_and_a_start_out_of_equilibrium(make):
    """Excess work is positive by 20 error bars; from one well alone the identity fails by 20."""
    network, drive, change = make()
    run = ktc.Emulator(network, replicas=REPLICAS, seed=143).play(drive)
    assert run.excess_work.mean > 20 * run.excess_work.stderr
    off = np.zeros(network.units)
    off[0] = 1.2
    started = ktc.Emulator(network, replicas=REPLICAS, seed=144, state=off).play(drive)
    weights = np.exp(-(started.work.samples - change) / network.kT)
    assert abs(weights.mean() - 1) > 20 * weights.std() / np.sqrt(REPLICAS)
