"""Random netlists of R, C, L, K, V, I, E, F, G, H and subcircuits against ngspice.

Skipped where ngspice is not installed (Debian, Ubuntu: apt-get install ngspice).
"""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from netlists.collection import Case, circuit
from netlists.ngspice import values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ngspice") is None,
        reason="ngspice is not installed: apt-get install ngspice",
    ),
]

VALUES = ["1k", "2.2k", "{r}", "{2*r+10}", "{max(r,500)}", "470"]


def elements(draw: random.Random, nodes: list[str]) -> list[str]:
    """Each node has a resistor to ground, and voltages have one in series, for one solution."""
    lines = [f"R{node}g {node} 0 {draw.choice(VALUES)}" for node in nodes]
    sources, inductors = ["Vs"], []
    lines += [f"Vs s {nodes[0]} 0", f"Rs s {nodes[-1]} {draw.choice(VALUES)}"]
    for k in range(draw.randint(3, 9)):
        a, b = draw.sample([*nodes, "0"], 2)
        p, q = draw.sample([*nodes, "0"], 2)
        inner = f"x{k}"
        series = f"R{inner} {inner} {a} {draw.choice(VALUES)}"
        match draw.choice("RCLEGFHVI"):
            case "R":
                lines.append(f"R{k} {a} {b} {draw.choice(VALUES)}")
            case "C":
                lines.append(f"C{k} {a} {b} {draw.choice(['1n', '10n', '{c}'])}")
            case "L":
                lines += [f"L{k} {inner} {b} 1m", series]
                inductors.append(f"L{k}")
            case "E":
                gain = draw.choice(["2", "{g}", "-0.5"])
                lines += [f"E{k} {inner} {b} {p} {q} {gain}", series]
            case "H":
                lines += [f"H{k} {inner} {b} {draw.choice(sources)} 200", series]
            case "G":
                lines.append(f"G{k} {a} {b} ({p},{q}) {draw.choice(['1m', '{g/1k}', '-0.1m'])}")
            case "F":
                lines.append(f"F{k} {a} {b} {draw.choice(sources)} {draw.choice(['0.5', '{g}'])}")
            case "V":
                lines += [f"V{k} {inner} {b} {draw.choice('01')}", series]
                sources.append(f"V{k}")
            case "I":
                lines.append(f"I{k} {a} {b} 1m")
    if len(inductors) > 1:
        lines.append(f"K1 {' '.join(inductors[:2])} {draw.choice(['0.5', '-0.3', '{1/3}'])}")
    draw.shuffle(lines)
    return lines


def netlist(draw: random.Random) -> str:
    lines = ["a random circuit", "* output: a", "* decades: 100 1meg", ".param r=1k c=2n g=0.7"]
    for number in range(draw.randint(0, 2)):
        name = draw.choice(["r", "g"])
        lines += [f".subckt s{number} p q {name}={draw.choice(['0.2', '600'])}"]
        lines += [*elements(draw, ["p", "q", "m"]), ".ends"]
        call = draw.choice(["", f"{name}=0.5"])
        lines.append(
            f"X{number} {draw.choice('abc')} {draw.choice(['0', 'a', 'b'])} s{number} {call}"
        )
    lines += ["Vin in 0 1 ac 1", "Rin in a 50", *elements(draw, ["a", "b", "c"]), ".end", ""]
    return "\n".join(lines)


def test_operating_point_response_and_noise(tmp_path):
    """Of a hundred circuits; ngspice finds no solution of some that are not stable."""
    compared = 0
    for seed in range(100):
        case = Case(tmp_path / f"{seed}.cir")
        case.path.write_text(netlist(random.Random(seed)))
        made = circuit(case)
        try:
            wanted = values(case, tmp_path)
        except AssertionError:
            continue
        nodes = {node.lower(): node for node in made.nodes}
        found, largest = made.op().voltages, max(map(abs, wanted["op"].values()))
        for node, volts in wanted["op"].items():
            assert found[nodes[node]] == pytest.approx(volts, abs=1e-6 * largest), (seed, node)
        response = made.ac("Vin", case.frequencies).voltages
        for node, pairs in wanted["ac"].items():
            exact = np.array(pairs) @ [1.0, 1.0j]
            assert np.abs(response[nodes[node]] - exact).max() < 1e-6 * max(
                1.0, np.abs(exact).max()
            ), (seed, node)
        density = made.noise("a", case.frequencies).density
        np.testing.assert_allclose(density, wanted["noise"], rtol=1e-5, err_msg=str(seed))
        compared += 1
    assert compared > 50
