"""Elements that change in circuits that count the energy of sources in H."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc

VALUES = {"C": 1.6e-9, "L": 1.7e-3, "K": 0.5}
CASES = (
    ("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nR2 b 0 1k\nC2 b 0 1n", ("C1", "C2")),
    ("V1 in 0 1\nL1 in a 1m\nR1 a b 1k\nC1 b 0 1n\nC2 a 0 1n", ("L1", "C1", "C2")),
    ("V1 in 0 1\nL1 in a 1m\nL2 a b 2m\nR1 b c 1k\nC1 c 0 1n", ("L1", "L2", "C1")),
    ("I1 0 a 1m\nL1 a b 1m\nL2 b 0 1m\nR1 a 0 1k\nC1 a 0 1n", ("L1", "C1")),
    (
        "I1 0 a 1m\nL1 a 0 1m\nR1 a 0 1k\nC1 a 0 1n\nL2 b 0 2m\nR2 b 0 1k\nK1 L1 L2 0.4",
        ("L1", "L2", "K1"),
    ),
    ("V1 in 0 1\nR1 in a 1k\nC1 a b 1n\nC2 b 0 1n\nR2 b 0 1k", ("C1", "C2")),
)


@pytest.mark.parametrize(("text", "element"), [(t, e) for t, names in CASES for e in names])
@pytest.mark.parametrize("options", [{"replicas": math.inf}, {"replicas": 5, "seed": 1}])
def test_elements_change_as_in_the_plain_circuit(text, element, options):
    plain = ktc.Circuit.from_netlist(text).compile()
    found = []
    for network in (plain, plain.with_source_energy()):
        state = np.linspace(1, 2, network.units) / np.diag(network.stiffness)
        emulator = ktc.Emulator(network, state=state, **options)
        emulator.set(**{network.sources[0]: 2e-3})
        emulator.run(1e-7)
        before = emulator.ledger.work
        emulator.set(**{element: VALUES[element[0]]})
        changed = emulator.ledger.work - before
        emulator.run(3e-7)
        emulator.set(**{network.sources[0]: 2.5e-3})
        emulator.run(2e-7)
        assert emulator.ledger.imbalance() < 1e-12
        assert np.abs(changed).max() > 0
        found.append((changed, emulator.ledger.net_heat, emulator.moments().mean))
    # Replicas have the same law, but not the same noise where the coordinates move together.
    share = 1e-8 if options["replicas"] == math.inf else 1e-6
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=share, atol=0.1 * share * np.abs(one).max())


def test_sources_in_series_with_capacitors_are_named():
    text = "V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nV2 p 0 1\nC2 p a 1n"
    emulator = ktc.Emulator(ktc.Circuit.from_netlist(text).compile().with_source_energy(), 5)
    with pytest.raises(ValueError, match="runs: V2 in series with capacitors"):
        emulator.set(C1=2e-9)


@pytest.mark.parametrize(
    ("text", "sparse", "reason"),
    [
        ("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nE1 b 0 a 0 1\nR2 b c 1k\nC2 c 0 1n", None, "active"),
        ("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n", True, "sparse=False"),
    ],
)
def test_active_and_sparse_circuits_refuse_source_energy(text, sparse, reason):
    network = ktc.Circuit.from_netlist(text).compile(sparse=sparse)
    with pytest.raises(ValueError, match=f"with_source_energy is not available .*{reason}"):
        network.with_source_energy()


def test_excess_work_of_driven_runs_names_the_remedy():
    circuit = ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n")
    drive = ktc.Protocol([1e-6], {"V1": [2.0]})
    run = ktc.Emulator(circuit, 5, seed=1).play(drive)
    with pytest.raises(ValueError, match=r"sample an Emulator of .*with_source_energy\(\)"):
        _ = run.excess_work
    counted = ktc.Emulator(circuit.compile().with_source_energy(), math.inf).play(drive)
    # From 1 V to 2 V at once: C (2 V - 1 V)^2 / 2 is dissipated.
    assert counted.excess_work.mean == pytest.approx(0.5e-9)
