"""ngspice reads the same netlists with parameters, subcircuits and options to the same values.

Skipped where ngspice is not installed (Debian, Ubuntu: apt-get install ngspice).
"""

from __future__ import annotations

import math
import random
import re
import shutil
import subprocess

import numpy as np
import pytest

import ktc
from circuit_moments import Linear
from test_subcircuits import LOW_PASS

pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None,
    reason="ngspice is not installed: apt-get install ngspice",
)

NETLISTS = {
    "parameters": """
.param r0=1k r1 = {2*r0} half='r1/2'
.param gain={max(1, min(3, 2)) + sqrt(16) - abs(-1)}
V1 in 0 {gain}
R1 in a {r0}
R2 a b 'r1'
R3 b 0 {half + 2**3**2 + log(10)}
C1 b 0 1n
""",
    "parameters in any order": """
V1 in 0 {v}
R1 in a {r}
R2 a 0 {2*r}
.param r={10*s + pwr(2, 3)} v={3 > 2 ? 5 : 6}
.param s={int(7.9)*nint(2.5)}
C1 a 0 1n
""",
    "subcircuits": f"""
{LOW_PASS}
.param r0=4k
V1 a 0 1
X1 a b lowpass
Xb b c lowpass r={{r0}} c=2n
Rl c 0 10k
I1 0 c 1m
""",
    "calls in subcircuits": """
.global vdd
V1 vdd 0 3
.subckt outer a b r=10
X1 a inner rr={2*r}
X2 b inner rr={r+1}
R9 a b {r}
.ends
.subckt inner x rr=5
R1 x vdd {rr}
R2 x 0 {3*rr}
C1 x 0 1n
.ends
X9 p q outer r=100
X8 q s outer
R5 s 0 7
""",
    "copies and values as options": """
I1 0 a 1m
R1 a 0 1k m=2
R2 a b r=2k
R3 b 0 resistance=3k
C1 b 0 c=1n m=3
L1 b c l=1m m=2
R4 c 0 4k
""",
    "temperature": """
V1 a 0 1
R1 a b 1k tc1=0.01 tc2=0.0005
R2 b c 1k tc1=0.01 temp=77
R3 c 0 1k tc1=-0.002 dtemp=10
C1 b 0 1n
C2 c 0 1n
.options temp=47 tnom=30 reltol=1e-6
""",
    "waveforms": """
V1 a 0 PULSE(1 5 1u 1n 1n 1u 2u)
V2 b 0 SIN(1 2 1k 0 0 30)
V3 c 0 PWL(-1n 1 1n 5)
V4 d 0 dc 7 SFFM(1 2 1k 3 100)
I1 0 e EXP(1m 5m 1u 1u 2u 1u) ac 1 0
V5 f 0 SFFM(1 2 1k 3 100 30 60)
R1 a e 1k
R2 b e 1k
R3 c e 2k
R4 d e 3k
R5 f e 3k
C1 e 0 1n
.tran 1n 1u
""",
    "numbers": """
V1 a 0 1.5e+0V
R1 a b 10kOhm
R2 b 0 0.001Meg
R3 b c 2.5E3
R4 c 0 1e3k
R5 c 0 1mega
R6 c b 100mil
C1 b 0 10pF
I1 0 c 5uA
""",
}


def ngspice(folder, text):
    deck = folder / "deck.cir"
    deck.write_text(text)
    done = subprocess.run(
        ["ngspice", "-b", deck.name], cwd=folder, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", NETLISTS)
def test_operating_point(name, tmp_path):
    text = f"{name}\n{NETLISTS[name]}.end\n"
    circuit = ktc.Circuit.from_netlist(text, title=True, waveforms="initial")
    net = circuit.compile()
    script = "".join(f"print v({node.lower()})\n" for node in circuit.nodes)
    commands = f".control\nset numdgt=12\nop\n{script}quit\n.endc\n.end\n"
    # Its nodes of subcircuits are named x1.m, as here.
    told = ngspice(tmp_path, text.replace(".tran 1n 1u", "").replace(".end\n", commands))
    found = dict(re.findall(r"^v\((\S+)\) = (\S+)$", told, re.MULTILINE))
    linear, equation = Linear(net), net.equation
    gradient = net.stiffness @ linear.rest() - net.bias
    ours = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
    assert len(found) == len(net.nodes), told
    for node, volts in zip(net.nodes, ours, strict=True):
        assert volts == pytest.approx(float(found[node.lower()]), rel=1e-6, abs=1e-9), node


def random_expression(draw, depth=0):
    """An expression of numbers, operators and functions, of moderate value as a rule."""
    if depth > 3 or draw.random() < 0.25:
        return draw.choice(["2", "3", "0.5", "1.5k", "100m", "7", "1e-1", "x", "y", "2meg", "10u"])
    a, b = random_expression(draw, depth + 1), random_expression(draw, depth + 1)
    return draw.choice(
        [
            f"{a} + {b}",
            f"{a} - {b}",
            f"{a}*{b}",
            f"({a})/({b})",
            f"(-({a}))",
            f"({a} - {b})",
            f"({a} > {b} ? {b} : {a})",
            f"sqrt(abs({a}))",
            f"max({a}, {b})",
            f"min({a}, {b})",
            f"atan({a})*{b}",
            f"{draw.choice('23')}**{draw.choice('23')}**{draw.choice('23')}",
            f"(-{draw.choice('23')}**{draw.choice(['2', '-2'])})",
            f"log(1 + abs({a}))",
            f"int({a})",
            f"floor({a})",
            f"sgn({a})",
            f"pwr({draw.choice('23')}, {draw.choice('-.') + '5'})",
            f"tanh({a})",
        ]
    )


def test_random_expressions(tmp_path):
    """Two hundred, each the voltage of a source. ngspice keeps some nine digits of a parameter."""
    draw, sources = random.Random(1), []
    while len(sources) < 200:
        expression = random_expression(draw)
        line = f"V{len(sources)} n{len(sources)} 0 {{{expression}}}"
        try:
            value = ktc.Circuit.from_netlist(f".param x=4 y={{x/3}}\n{line}").branches[0].value
        except ktc.CircuitError:
            continue
        if value == 0 or 1e-6 < abs(value) < 1e9:
            sources.append((expression, line, value))
    loads = [f"R{k} n{k} 0 1k" for k in range(len(sources))]
    script = [".control", "set numdgt=12", "op", *(f"print v(n{k})" for k in range(len(sources)))]
    lines = ["title", ".param x=4 y={x/3}", *(line for _, line, _ in sources), *loads, *script]
    told = ngspice(tmp_path, "\n".join([*lines, "quit", ".endc", ".end", ""]))
    found = dict(re.findall(r"^v\(n(\d+)\) = (\S+)$", told, re.MULTILINE))
    assert len(found) == len(sources), told
    for k, (expression, _, value) in enumerate(sources):
        assert value == pytest.approx(float(found[str(k)]), rel=1e-6, abs=1e-9), expression


DRIVEN = """a resonator driven by a pulse, and a low-pass by a modulated current
V1 in 0 PULSE(0 2 1u 0.2u 0.4u 3u 7u)
R1 in m 100
L1 m b 10u
C1 b 0 1n
R2 b 0 2k
I1 0 a SFFM(1m 2m 300k 2 50k)
R3 a 0 1k
C3 a 0 500p
V2 c 0 PWL(0 0 2u 1 5u -1) r=0 td=1u
R4 a c 3k
"""


def test_a_protocol_of_waveforms_gives_the_transient(tmp_path):
    """Mean voltages at the ends of ticks of 5 ns, where ngspice takes steps of 1 ns.

    Both errors are of second order, some 1e-4 of the largest voltage.
    """
    made = ktc.Circuit.from_netlist(DRIVEN, title=True, waveforms="drive")
    emulator = ktc.Emulator(made, replicas=math.inf)
    run = emulator.play(made.protocol(duration=12e-6, ticks=2400), record="mean")
    net = made.compile()
    places = [net.coordinates.index(f"q({node})") for node in "ba"]
    ours = run.series["mean"][:, places] @ np.diag([1e9, 2e9])
    commands = (
        ".options reltol=1e-5\n.control\ntran 1n 12u 0 1n\nlinearize v(b) v(a)\n"
        "set wr_singlescale\nset numdgt=10\nwrdata out.txt v(b) v(a)\nquit\n.endc\n.end\n"
    )
    ngspice(tmp_path, DRIVEN + commands)
    theirs = np.loadtxt(tmp_path / "out.txt")
    assert len(theirs) == 12001 and len(ours) == 2400
    found = theirs[5::5, 1:]
    assert np.abs(ours - found).max() < 2e-4 * np.abs(found).max()
