"""ngspice reads the same netlists, and gives the same response and the same noise.

Skipped where ngspice is not installed (Debian, Ubuntu: apt-get install ngspice).
"""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import scipy.linalg

import ktc
from circuit_moments import Linear

pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None,
    reason="ngspice is not installed: apt-get install ngspice",
)

# Title; elements; the node whose noise is compared, held by a capacitor; duration of the response.
NETLISTS = {
    "two temperatures": (
        """two RC cells at two temperatures, joined by a capacitor
Vd in 0 1m
R1 a in 10meg temp=-185.15
C1 a 0 680p
R2 b 0 10meg temp=22.85
C2 b 0 420pF
C3 a b 100p
""",
        "a",
        0.05,
    ),
    "series resonator": (
        """series RLC with a load
.param r0=100
Vd in 0 DC 1
R1 in m {r0}
L1 m b 1m
C1 b 0 1n $ resonant near 159 kHz
R2 b 0
+ 20k
""",
        "b",
        2e-5,
    ),
    "star": (
        """star of resistors fed by a voltage and through a capacitor
Vd in 0 2
Vs up in 0.5
R1 up m 1k
R2 m a {1k*2}
R3 m b 4k
C1 a 0 1n
C2 b 0 2n
C3 b in 500p ; couples the source
R4 b 0 10k temp=100
""",
        "b",
        2e-5,
    ),
    "floating bridge": (
        """a current into a capacitor bridge that nothing else holds
Id 0 a 1m
R1 a 0 1k
R2 b 0 3k
C1 a b 1n
L1 b c 1m
R3 c d 500 temp=-50
C2 d 0 2n
""",
        "d",
        5e-5,
    ),
    "ladder": (
        """an LC ladder between 50 ohms and a hot load
Vd in 0 1
Rs in 1 50
C1 1 0 318.3p
L1 1 2 1.592u
C2 2 0 636.6p
L2 2 3 1.592u
C3 3 0 318.3p
Rl 3 0 50 temp=400
Il 3 0 5m
""",
        "3",
        1e-7,
    ),
    "coupled": (
        """coupled tanks joined by two inductors in series
Id 0 a 1m
R1 a 0 20
C1 a 0 1n
L1 a 0 1u
R2 b 0 30 temp=100
C2 b 0 1n
L2 b 0 2u
K1 L1 L2 0.3
L3 a m 1u
L4 m b 3u
K2 L3 L1 -0.2
""",
        "b",
        2e-7,
    ),
    "low-pass": (
        """Sallen-Key low-pass of quality 2
Vd in 0 1
R1 in a 10k
R2 a b 10k temp=60
C1 a out 1.6n
C2 b 0 100p
E1 out 0 b out 1meg
""",
        "out",
        5e-5,
    ),
    "integrator": (
        """an operational amplifier loaded by a capacitor, between two resistors
Vd in 0 1
R1 in m 1k
R2 m out 5k
C1 m out 1n
E1 x 0 0 m 100k
R3 x out 50
C2 out 0 100p
""",
        "out",
        2e-5,
    ),
    "amplifiers": (
        """all four controlled sources, and a gyrator
Vd in 0 1
R1 in a 1k
C1 a 0 1n
G1 0 b a 0 0.5m
R2 b 0 1k temp=100
C2 b 0 500p
Vs b c 0
R3 c d 2k
F1 0 d Vs 0.4
C3 d 0 300p
H1 e 0 Vs 700
R4 e f 1k
C4 f 0 200p
G2 f 0 g 0 1m
G3 0 g f 0 1m
C5 g 0 1n
""",
        "f",
        2e-5,
    ),
}
SIMULATION_KELVIN = 300.0


def spice(folder, text, node, commands):
    """Runs a netlist with ngspice at 300 K, and returns what it wrote, columns by name.

    Its noise analysis wants a source as input, which it gets at the node of the output.
    """
    deck = folder / "deck.cir"
    deck.write_text(
        text
        + ".options temp=26.85 noacct reltol=1e-6 abstol=1e-15 vntol=1e-12 chgtol=1e-20\n"
        + f"Ikick 0 {node} dc 0 ac 1\n"
        + ".control\nset wr_singlescale\nset wr_vecnames\nset numdgt=12\n"
        + commands
        + "\nquit\n.endc\n.end\n"
    )
    done = subprocess.run(
        ["ngspice", "-b", deck.name], cwd=folder, capture_output=True, text=True, timeout=60
    )
    written = folder / "out.txt"
    assert written.exists(), done.stdout + done.stderr
    names = written.read_text().split("\n", 1)[0].split()
    return dict(zip(names, np.loadtxt(written, skiprows=1).T))


@pytest.mark.parametrize("name", NETLISTS)
def test_response_from_rest(name, tmp_path):
    """Every node after the sources are switched on, discharged capacitors and currents at zero.

    ngspice integrates by the trapezoidal rule in two thousand steps, which leaves some 1e-5 of the
    response; its first steps, where sources jump, are left out.
    """
    text, node, duration = NETLISTS[name]
    circuit = ktc.Circuit.from_netlist(text, title=True)
    net = circuit.compile()
    vectors = " ".join(f"v({n})" for n in net.nodes)
    step = duration / 2000
    got = spice(
        tmp_path,
        text,
        node,
        f"tran {step} {duration} 0 {step} uic\nlinearize {vectors}\nwrdata out.txt {vectors}",
    )
    linear, equation = Linear(net), net.equation
    times = got["time"][20:2000:60]
    push = linear.own_push()
    for time in times:
        # (e^{Ft} − 1) F⁻¹ push, without F⁻¹: the last column of one exponential.
        block = np.zeros((net.units + 1, net.units + 1))
        block[:-1, :-1], block[:-1, -1] = linear.drift * time, push * time
        scale = np.append(np.sqrt(np.diagonal(net.stiffness)), 1.0)
        grown = scipy.linalg.expm(block * scale[:, None] / scale) / scale[:, None] * scale
        gradient = net.stiffness @ grown[:-1, -1] - net.bias
        ours = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
        row = int(np.argmin(np.abs(got["time"] - time)))
        theirs = np.array([got[f"v({n})"][row] for n in net.nodes])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("name", NETLISTS)
def test_noise_spectrum(name, tmp_path):
    """One-sided density [V²/Hz] over six decades about the circuit's own rates.

    ngspice gives every resistor the temperature of the simulation; its contributions, resistor by
    resistor, are scaled by the resistors' own.
    """
    text, node, _ = NETLISTS[name]
    circuit = ktc.Circuit.from_netlist(text, title=True)
    net = circuit.compile()
    linear = Linear(net)
    rates = np.abs(np.linalg.eigvals(net.drift)) / (2 * np.pi)
    resistors = [b for b in circuit.branches if b.kind == "R"]
    vectors = " ".join(f"onoise_{b.name.lower()}" for b in resistors)
    got = spice(
        tmp_path,
        text,
        node,
        f"noise v({node}) Ikick dec 10 {rates.min() / 1e2} {rates.max() * 1e2} 1\n"
        f"setplot noise1\nwrdata out.txt {vectors}",
    )
    theirs = sum(
        got[f"onoise_{b.name.lower()}"] ** 2
        * (circuit.kelvin if b.kelvin is None else b.kelvin)
        / SIMULATION_KELVIN
        for b in resistors
    )
    place = net.nodes.index(node)
    ours = []
    for frequency in got["frequency"]:
        motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
        transfer = linear.voltages[place] @ net.stiffness @ np.linalg.solve(motion, linear.noise)
        ours.append(2 * np.sum(np.abs(transfer) ** 2))
    # Its k_B is that of CODATA 2014, 3.5e-7 less.
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
