"""ngspice finds the same operating points, responses and shares of noise.

Skipped where ngspice is not installed (Debian, Ubuntu: apt-get install ngspice).
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import ktc
from test_ngspice import NETLISTS, SIMULATION_KELVIN, spice

pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None,
    reason="ngspice is not installed: apt-get install ngspice",
)

#: Active circuits: elements for ngspice, and calls that add the same to a circuit.
ACTIVE = {
    "inverting amplifier of gain 1e6": (
        "E1 out 0 0 n 1e6\n",
        lambda c: c.add("E1", "out", 0, 1e6, control=("0", "n")),
    ),
    "transconductor": (
        "G1 out 0 n 0 2m\n",
        lambda c: c.add("G1", "out", 0, "2m", control=("n", "0")),
    ),
    "current mirror": (
        "F1 out 0 Vd 3\n",
        lambda c: c.add("F1", "out", 0, 3, control=("Vd",)),
    ),
    "transresistance": (
        "H1 h 0 Vd 500\nR9 h out 2k\n",
        lambda c: c.add("H1", "h", 0, 500, control=("Vd",)).add("R9", "h", "out", "2k"),
    ),
    "transformer": (
        "L7 n 0 1m\nL8 s 0 4m\nK1 L7 L8 0.9\nR9 s 0 300\n",
        lambda c: (
            c.add("L7", "n", 0, "1m")
            .add("L8", "s", 0, "4m")
            .add_coupling("K1", "L7", "L8", value=0.9)
            .add("R9", "s", 0, 300)
        ),
    ),
}
PASSIVE = """Vd in 0 0.1
R1 in n 1k
R2 n out 10k
C1 n 0 1n
C2 n out 20p
R3 out 0 50k temp=100
"""


def pairs():
    """Circuits and the text that ngspice reads of each."""
    for name, (text, node, _) in NETLISTS.items():
        yield pytest.param(text, ktc.Circuit.from_netlist(text, title=True), node, id=name)
    for name, (more, add) in ACTIVE.items():
        text = f"{name}\n{PASSIVE}{more}"
        yield pytest.param(text, add(ktc.Circuit.from_netlist(PASSIVE)), "out", id=name)


@pytest.mark.parametrize(("text", "circuit", "node"), list(pairs()))
def test_operating_point(text, circuit, node, tmp_path):
    currents = [b.name for b in circuit.branches if b.kind in "VLEH"]
    vectors = [*(f"v({n})" for n in circuit.nodes), *(f"i({name.lower()})" for name in currents)]
    if circuit.couplings and "L4" in text:
        pytest.skip("ngspice leaves the current around a loop of inductors to rounding")
    theirs = spice(tmp_path, text, node, f"op\nwrdata out.txt {' '.join(vectors)}")
    point = circuit.op()
    ours = [*point.voltages.values(), *(point.currents[name] for name in currents)]
    found = [float(theirs[name.lower()]) for name in vectors]
    np.testing.assert_allclose(ours, found, rtol=1e-6, atol=1e-11)


@pytest.mark.parametrize(("text", "circuit", "node"), list(pairs()))
def test_response(text, circuit, node, tmp_path):
    """Magnitudes of all nodes for a current into one of them, from 1 Hz to 1 GHz."""
    kicked = ktc.Circuit.from_netlist(f"Ikick 0 {node} 0")
    for b in circuit.branches:
        kicked._append(b)
    for k in circuit.couplings:
        kicked._append_coupling(k)
    vectors = [f"vm({n})" for n in circuit.nodes]
    commands = f"ac dec 5 1 1e9\nwrdata out.txt {' '.join(vectors)}"
    theirs = spice(tmp_path, text, node, commands)
    frequencies = theirs["frequency"].real
    response = kicked.ac("Ikick", frequencies)
    largest = max(found.max() for name, found in theirs.items() if name.startswith("vm("))
    largest = max(largest, 1e3)  # a kilohm, where ideal sources hold all nodes
    for name in circuit.nodes:
        found, ours = theirs[f"vm({name.lower()})"], np.abs(response.voltages[name])
        np.testing.assert_allclose(ours, found, rtol=1e-6, atol=1e-12 * largest)


@pytest.mark.parametrize(("text", "circuit", "node"), list(pairs()))
def test_shares_of_noise(text, circuit, node, tmp_path):
    resistors = [b for b in circuit.branches if b.kind == "R"]
    vectors = " ".join(f"onoise_{b.name.lower()}" for b in resistors)
    commands = f"noise v({node}) Ikick dec 5 1 1e9 1\nsetplot noise1\nwrdata out.txt {vectors}"
    theirs = spice(tmp_path, text, node, commands)
    noise = circuit.noise(node, theirs["frequency"])
    for b in resistors:
        kelvin = circuit.kelvin if b.kelvin is None else b.kelvin
        found = theirs[f"onoise_{b.name.lower()}"] ** 2 * kelvin / SIMULATION_KELVIN
        # Its k_B is that of CODATA 2014, 3.5e-7 less.
        np.testing.assert_allclose(noise.shares[b.name], found, rtol=1e-6, atol=1e-40)


@pytest.mark.parametrize("name", NETLISTS)
def test_transient_mean_from_rest(name, tmp_path):
    """The trapezoidal rule in eight thousand steps leaves some 1e-6 of the largest response."""
    text, node, duration = NETLISTS[name]
    circuit = ktc.Circuit.from_netlist(text, title=True)
    vectors = " ".join(f"v({n})" for n in circuit.nodes)
    step = duration / 8000
    commands = f"tran {step} {duration} 0 {step} uic\nlinearize {vectors}\nwrdata out.txt {vectors}"
    theirs = spice(tmp_path, text, node, commands)
    rows = np.arange(80, 8000, 240)
    path = circuit.transient_mean([0.0, *theirs["time"][rows]])
    largest = max(np.abs(theirs[f"v({n.lower()})"]).max() for n in circuit.nodes)
    for n in circuit.nodes:
        found = theirs[f"v({n.lower()})"][rows]
        np.testing.assert_allclose(path.voltages[n][1:], found, rtol=0, atol=2e-5 * largest)
