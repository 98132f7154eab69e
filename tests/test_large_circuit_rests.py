"""Where large circuits rest, and what they refuse, against dense compilation and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from circuit_moments import Linear


def compiled(text):
    """A circuit compiled by dense algebra, and as a large one."""
    circuits = [ktc.Circuit.from_netlist(text) for _ in range(2)]
    return circuits[0].compile(sparse=False), circuits[1].compile(sparse=True), *circuits


def line(cells, load, source=50.0, resistance=1.0, inductance=0.0, kelvin=300.0):
    """Cells of a resistor, an inductor and a capacitor under 1 V; a load of 0 is open."""
    circuit = ktc.Circuit(kelvin).add("V1", "in", 0, 1.0).add("Rs", "in", "n0", source)
    for k in range(cells):
        middle = f"m{k}" if inductance else f"n{k + 1}"
        circuit.add(f"R{k}", f"n{k}", middle, resistance)
        if inductance:
            circuit.add(f"L{k}", middle, f"n{k + 1}", inductance)
        circuit.add(f"C{k}", f"n{k + 1}", 0, 1e-12)
    return circuit.add("RL", f"n{cells}", 0, load) if load else circuit


def rest_of(sparse):
    """The state where a circuit rests: the start of one replica without temperature."""
    cold = sparse.with_controls(kT=1e-300)
    return ktc.Emulator(cold, replicas=1, seed=1).read()[0]


# Rests with a zero current, a zero voltage, zero charges under a current of resistors, and beside
# conductances that lie far apart.
@pytest.mark.parametrize(
    "text",
    [
        "V1 i 0 1\nR1 i a 1k\nL1 a b 1m\nC1 b 0 1n",
        "V1 i 0 1\nR1 i a 1k\nL1 a 0 1m\nC1 a 0 1n",
        "I1 0 a 1m\nR1 a 0 1k\nL1 a 0 1m\nC1 a 0 1n",
        "V1 i 0 1\nR1 i a 3\nR2 a 0 7\nR3 i b 3\nR4 b 0 7\nC1 a b 1n",
        "V1 i 0 1\nR1 i a 3\nR2 a 0 7\nR3 i b 3\nR4 b 0 7\nL1 a b 1m",
        "V1 i 0 1e-100\nR1 i a 1k\nL1 a b 1m\nC1 b 0 1n\nR2 b 0 1g",
        "V1 s 0 1\nR1 a s 1g\nC1 a 0 1p\nL1 a b 1p\nR2 b 0 3g\nC2 b 0 1p",
        str(line(50, 1e6)),
        str(line(5, 1e9)),
        str(line(20, 0.0, inductance=1e-9)),
        str(line(20, 1e9, inductance=1e-9)),
    ],
)
def test_rests_at_zero_and_under_weak_loads_are_found(text):
    dense, sparse, *circuits = compiled(text)
    root = np.linalg.cholesky(dense.stiffness).T
    found, exact = root @ rest_of(sparse), root @ Linear(dense).rest()
    operating = circuits[0].op().voltages
    state = np.linalg.solve(root, found)
    emulator = ktc.Emulator(sparse, replicas=1, seed=1, state=state)
    volts = dict(zip(sparse.nodes, circuits[1].voltages(emulator)[0], strict=True))
    scale = max(map(abs, operating.values())) or 1.0
    assert volts == pytest.approx(operating, rel=1e-12, abs=1e-12 * scale)
    # ∇H of least energy: a bridge in balance stores none.
    farads = 1 / math.sqrt(np.diagonal(dense.stiffness).min())
    assert np.abs(found - exact).max() < 1e-9 * max(np.linalg.norm(exact), farads * scale)
    assert np.isfinite(ktc.Emulator(sparse, replicas=2, seed=1).read()).all()


def test_long_lines_start_at_rest():
    loaded = line(1100, 1e6)
    network = loaded.compile(sparse=True)
    emulator = ktc.Emulator(network, replicas=1, seed=1, state=rest_of(network))
    drop = (50.0 + np.arange(1101)) / (50.0 + 1100.0 + 1e6)
    assert np.abs(loaded.voltages(emulator)[0] - [1.0, *(1.0 - drop)]).max() < 1e-11
    opened = line(600, 0.0, resistance=0.1, inductance=1e-9)
    network = opened.compile(sparse=True)
    state = rest_of(network)
    emulator = ktc.Emulator(network, replicas=1, seed=1, state=state)
    assert np.abs(opened.voltages(emulator) - 1.0).max() < 1e-11
    assert np.abs(state[600:]).max() < 1e-11 * math.sqrt(1e-9 * 1e-12)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("V1 a 0 1\nR1 a b 1\nL1 b c 1m\nL2 c 0 2m\nK1 L1 L2 0.1", "'L1', 'L2'"),
        ("V1 a 0 1\nR1 a b 1\nL1 b c 1m\nV2 c d 0\nL2 d 0 2m", "'L1', 'L2'"),
        ("V1 a 0 1\nR1 a b 1\nC1 b 0 1n\nL1 b c 1m\nI1 c 0 1m", "'L1', 'I1'"),
    ],
)
def test_cut_sets_name_their_elements(text, names):
    circuit = ktc.Circuit.from_netlist(text)
    with pytest.raises(ktc.CircuitError, match=f"{names}, carry current .* pass sparse=False"):
        circuit.compile(sparse=True)
    assert circuit.compile(sparse=False).units


def test_powers_and_transients_name_what_they_need():
    circuit = ktc.Circuit.from_netlist("V1 i 0 1\nR1 i a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(circuit.compile(sparse=True), replicas=2, seed=1)
    with pytest.raises(ValueError, match=r"circuit.powers needs .*compile\(sparse=False\)"):
        circuit.powers(emulator)
    with pytest.raises(ValueError, match=r"circuit.transient_mean needs .*sparse=False"):
        circuit.transient_mean([0.0, 1e-6])
    circuit.compile(sparse=False)
    assert circuit.transient_mean([0.0, 1e-3]).voltages["a"][-1] == pytest.approx(1.0)


def test_a_small_inductance_beside_a_weak_load_is_no_obstacle():
    # A long step loses the conductance of R1 beside h²/L1. No current flows at rest.
    circuit = ktc.Circuit.from_netlist(
        "V1 s 0 1\nR1 a s 20meg\nC1 a 0 100p\nL1 b a 3n\nC2 b 0 0.1p\nR2 c b 7k\n"
        "C3 c 0 100p\nR3 d c 30\nC4 d 0 0.4p\nR4 e c 1meg\nC5 e 0 10p\nC6 d a 0.2p"
    )
    network = circuit.compile(sparse=True)
    emulator = ktc.Emulator(network, replicas=1, seed=1, state=rest_of(network))
    assert np.abs(circuit.voltages(emulator) - 1.0).max() < 1e-11


def test_a_rest_that_rounding_hides_is_refused():
    circuit = ktc.Circuit.from_netlist(
        "V1 s 0 1\nR1 a s 57785526\nC1 a 0 0.784p\nL2 b s 12.6u\nR3 c a 0.385\nC3 c 0 733n\n"
        "R4 d b 14\nR5 e s 72295565\nC5 e 0 282p\nL6 f d 31.6n\nC6 f 0 173p\nR7 g b 11.9\n"
        "C7 g 0 10.4p\nC8 g f 33.9p\nC9 b c 0.0149p\nL10 d g 1.26p\nI1 0 c 1m"
    )
    network = circuit.compile(sparse=True)
    refusal, state = "", None
    try:
        state = rest_of(network)
    except ValueError as error:
        refusal = str(error)
    if refusal:
        assert "lie too far apart; give the emulator a state to start from" in refusal
        return
    emulator = ktc.Emulator(network, replicas=1, seed=1, state=state)
    held = 1e-3 * 57785526 + 1
    exact = [1.0, held, 1.0, held + 0.385e-3, *[1.0] * 4]
    assert circuit.voltages(emulator)[0] == pytest.approx(exact, rel=1e-9, abs=1e-9 * held)
