"""Every netlist of the collection has the values of ngspice, or is refused for its reason."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

import ktc
from circuit_moments import Linear
from netlists.collection import ACCEPTED, CASES, REFUSED, Case, circuit
from netlists.reference import found, reference

STORED = reference()
#: Relative to the value, and to the largest of the file, for those that cancel.
RELATIVE, ABSOLUTE = 1e-5, 1e-9


def names(case: Case) -> str:
    return case.path.stem


def test_the_collection_is_large_and_its_values_are_stored():
    assert len(CASES) >= 150 and len(REFUSED) >= 30
    assert set(STORED) == {"version", *(case.path.name for case in ACCEPTED)}
    kinds = {b.kind for case in ACCEPTED for b in circuit(case).branches}
    assert kinds == set("RCLVIEFGH")


@pytest.mark.parametrize("case", ACCEPTED, ids=names)
def test_operating_point_response_and_noise(case):
    made, stored = circuit(case), STORED[case.path.name]
    assert ktc.Circuit.from_netlist(str(made), waveforms="drive") == made
    nodes = {node.lower(): node for node in made.nodes}
    # ngspice has no nodes inside of POLY and of elements with a resistance.
    assert {re.sub(r".*\.(rser|\d)", "", node) for node in nodes.keys() - stored["op"]} <= {""}
    op, source = made.op().voltages, case.source or "Iprobe"
    response = made.ac(source, case.frequencies).voltages
    scale = max(map(abs, stored["op"].values()))
    largest = np.abs([_complex(values) for values in stored["ac"].values()]).max()
    for node, volts in stored["op"].items():
        assert op[nodes[node]] == pytest.approx(volts, rel=RELATIVE, abs=ABSOLUTE * scale), node
        np.testing.assert_allclose(
            response[nodes[node]],
            _complex(stored["ac"][node]),
            rtol=RELATIVE,
            atol=ABSOLUTE * largest,
            err_msg=node,
        )
    density = made.noise(case.output, case.frequencies).density
    np.testing.assert_allclose(density, stored["noise"], rtol=RELATIVE)


def _complex(pairs: list[list[float]]) -> np.ndarray:
    return np.array(pairs) @ [1.0, 1.0j]


#: Circuits without an emulator, and why.
WITHOUT_STATE = "no capacitor and no inductor"
NOT_EMULATED = {
    "lattice-allpass": "no resistor damps",  # a current around the lattice
    "cold-and-silent": "at 0 K",  # heat between two temperatures at a node without capacitor
    # White noise that an op-amp has to follow through a capacitor.
    "frequency-dependent-negative-resistor": "noise of R4 .* would be the voltage",
    "nullor-amplifier": "noise of R1 .* would be the voltage",
}


@pytest.mark.parametrize("case", ACCEPTED, ids=names)
def test_compiled_circuits_have_the_operating_point_and_the_noise(case):
    made, wanted = circuit(case), STORED[case.path.name]["op"]
    if case.path.stem in NOT_EMULATED or not {b.kind for b in made.branches} & set("CL"):
        with pytest.raises(ktc.CircuitError, match=NOT_EMULATED.get(names(case), WITHOUT_STATE)):
            made.compile()
        return
    net = made.compile()
    linear, equation = Linear(net), net.equation
    gradient = net.stiffness @ linear.rest() - net.bias
    volts = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
    found = {node.lower(): value for node, value in zip(net.nodes, volts, strict=True)}
    largest = max(map(abs, wanted.values()))
    for node, value in wanted.items():
        assert found[node] == pytest.approx(value, rel=1e-6, abs=1e-6 * largest), node
    if f"q({case.output})".lower() in map(str.lower, net.coordinates):
        np.testing.assert_allclose(
            _density(linear, case), STORED[case.path.name]["noise"], rtol=RELATIVE
        )


def _density(linear: Linear, case: Case) -> list[float]:
    """Noise of a node with a capacitor; that of others has a part that is white."""
    net = linear.net
    place = [node.lower() for node in net.nodes].index(case.output.lower())
    found = []
    for frequency in case.frequencies:
        motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
        transfer = linear.voltages[place] @ net.stiffness @ np.linalg.solve(motion, linear.noise)
        found.append(2 * np.sum(np.abs(transfer) ** 2))
    return found


@pytest.mark.parametrize("case", REFUSED, ids=names)
def test_refusal(case):
    line, part = case.refused
    with pytest.raises(ktc.CircuitError) as caught:
        ktc.Circuit.from_file(case.path, waveforms="drive")
    assert caught.value.line == line and part in str(caught.value)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed: apt-get install ngspice"
)
@pytest.mark.parametrize("case", ACCEPTED, ids=names)
def test_the_stored_values_are_those_of_ngspice(case, tmp_path):
    now, stored = found(case, tmp_path), STORED[case.path.name]
    for key in ("op", "ac"):
        assert set(now[key]) == set(stored[key])
        largest = np.abs(list(stored[key].values())).max()
        for node, value in stored[key].items():
            np.testing.assert_allclose(now[key][node], value, rtol=1e-7, atol=1e-10 * largest)
    np.testing.assert_allclose(now["noise"], stored["noise"], rtol=1e-6)
