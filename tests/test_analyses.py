"""Operating point, response and noise of circuits, against closed forms and compiled circuits."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from circuit_moments import Linear

BOLTZMANN = 1.380649e-23


def circuit(text):
    return ktc.Circuit.from_netlist(text)


def test_op_of_a_divider_balances_powers():
    point = circuit("V1 in 0 6\nR1 in a 1k\nR2 a 0 2k\nI1 0 a 3m").op()
    # Superposition: 6 V · 2/3 + 3 mA · 2/3 kΩ.
    assert point.voltages == pytest.approx({"in": 6.0, "a": 6.0}, rel=1e-14)
    assert point.currents == pytest.approx({"V1": 0, "R1": 0, "R2": 3e-3, "I1": 3e-3}, abs=1e-17)
    assert point.power == pytest.approx({"V1": 0.0, "I1": 18e-3}, abs=1e-16)
    assert point.heat == pytest.approx({"R1": 0.0, "R2": 18e-3}, abs=1e-16)


def test_op_at_other_values_of_sources():
    made = circuit("V1 in 0 6\nR1 in a 1k\nR2 a 0 2k\nI1 0 a 3m")
    assert made.op(v1=3.0, I1=0.0).voltages["a"] == pytest.approx(2.0, rel=1e-14)
    with pytest.raises(TypeError, match="unknown source 'V2'; the circuit has 'V1', 'I1'"):
        made.op(V2=1.0)


def test_op_from_rest_of_capacitors_in_series_and_inductors_in_parallel():
    point = circuit("V1 a 0 4\nC1 a b 1n\nC2 b 0 3n\nR1 a c 1\nL1 c 0 1\nL2 c 0 3").op()
    assert point.voltages["b"] == pytest.approx(1.0, rel=1e-12)
    assert point.currents["L1"] == pytest.approx(3.0, rel=1e-12)
    assert point.currents["L2"] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("V1 a 0 1\nL1 a 0 1\nR1 a 0 1", "nothing bounds the current of V1, of L1"),
        ("V1 a 0 1\nV2 a 0 2\nR1 a 0 1", "nothing bounds the current of V1, of V2"),
        ("V1 a 0 1\nV2 a 0 1\nR1 a 0 1", "does not determine the current of V1, of V2"),
        ("R1 a b 1\nR2 c 0 1\nR3 b a 2", "does not determine the voltage of node 'a', node 'b'"),
        ("R1 a 0 1\nI1 0 b 1n\nC2 b 0 1", "nothing bounds the voltage of node 'b'"),
    ],
)
def test_singular_circuits_name_what_is_not_determined(text, message):
    with pytest.raises(ktc.CircuitError, match=message):
        circuit(text).op()


def test_wires_join_nodes_and_amplifiers_hold_their_inputs():
    made = ktc.Circuit(kelvin=300.0).add("V1", "in", 0, 1).add("R1", "in", "n", "1k")
    made.add("R2", "n", "out", "10k").add("E1", "out", 0, math.inf, control=("0", "n"))
    made.add("R3", "out", "w", 0).add("R4", "w", 0, 50)
    point = made.op()
    assert point.voltages == pytest.approx({"in": 1, "n": 0, "out": -10, "w": -10}, abs=1e-12)
    assert sum(point.power.values()) == pytest.approx(sum(point.heat.values()), rel=1e-12)
    noise = made.noise("w", [0.0, 1e3])
    four_kT = 4 * BOLTZMANN * 300
    np.testing.assert_allclose(noise.shares["R1"], four_kT * 1e3 * 100, rtol=1e-12)
    np.testing.assert_allclose(noise.shares["R2"], four_kT * 1e4, rtol=1e-12)
    np.testing.assert_allclose(noise.shares["R4"], 0.0, atol=1e-40)


def test_noise_of_sources_white_and_filtered():
    made = ktc.Circuit(kelvin=0.0).add("V1", "in", 0, 0, noise=4e-18, bandwidth=1e3)
    made.add("R1", "in", "a", 1e3).add("R2", "a", 0, 1e3).add_noise("I1", 0, "a", 1e-24, 1e4)
    f = np.array([0.0, 1e3, 1e4])
    noise = made.noise("a", f)
    np.testing.assert_allclose(noise.shares["V1"], 1e-18 / (1 + (f / 1e3) ** 2), rtol=1e-12)
    np.testing.assert_allclose(noise.shares["I1"], 2.5e-19 / (1 + (f / 1e4) ** 2), rtol=1e-12)
    np.testing.assert_allclose(noise.density, sum(noise.shares.values()), rtol=1e-15)
    current = made.noise("i(V1)", f)
    assert current.output == "i(V1)"
    np.testing.assert_allclose(current.shares["V1"], 1e-24 / (1 + (f / 1e3) ** 2), rtol=1e-12)
    across = made.noise(("in", "a"), 0.0)
    np.testing.assert_allclose(across.shares["V1"], 1e-18, rtol=1e-12)


def test_coupled_inductors_split_the_resonance():
    """Tanks 1 µH, 1 nF, k = 0.5: resonances at f₀/√(1 ± k)."""
    made = ktc.Circuit().add("I1", 0, "a", 0).add("L1", "a", 0, "1u").add("C1", "a", 0, "1n")
    made.add("L2", "b", 0, "1u").add("C2", "b", 0, "1n").add_coupling("K1", "L1", "L2", value=0.5)
    made.add("R1", "a", 0, "1meg").add("R2", "b", 0, "1meg")
    f0 = 1 / (2 * math.pi * math.sqrt(1e-6 * 1e-9))
    for k, sign in ((0.5, 1), (-0.5, -1)):
        resonance = f0 / math.sqrt(1 + k)
        at = made.ac("I1", resonance * np.array([1 - 1e-4, 1.0, 1 + 1e-4]))
        assert np.argmax(np.abs(at.voltages["a"])) == 1
        assert (at.voltages["b"][1] / at.voltages["a"][1]).real * sign > 0.99


NETLISTS = [
    "V1 in 0 2\nR1 in m 1k\nR2 m a 2k\nR3 m b 4k\nC1 a 0 1n\nC2 b 0 2n\nC3 b in 500p\nI1 0 a 1m",
    "R1 a 0 10meg kelvin=88\nC1 a 0 680p\nR2 b 0 10meg kelvin=296\nC2 b 0 420p\nC3 a b 100p",
    "V1 in 0 1\nR1 in m 300\nL1 m b 1m\nC1 b 0 1n\nR2 b 0 20k kelvin=77\n"
    "I1 0 b 1u noise=1e-22 bandwidth=50k\nI2 b 0 0 noise=1e-23",
]


@pytest.mark.parametrize("text", NETLISTS)
def test_analyses_agree_with_the_compiled_circuit(text):
    """Stationary mean and node spectra, the latter from drift and noise of the network."""
    made = circuit(text)
    net = made.compile()
    linear, equation = Linear(net), net.equation
    gradient = net.stiffness @ linear.rest() - net.bias
    means = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
    point = made.op()
    np.testing.assert_allclose(
        [point.voltages[n] for n in net.nodes], means, rtol=1e-10, atol=1e-12
    )
    frequencies = np.geomspace(10, 1e8, 15)
    state = ktc.spectra.spectral_density(net, frequencies)
    of_state = equation.nodes_of_gradient @ net.stiffness
    for place, node in enumerate(net.nodes):
        held = of_state[place]
        theirs = np.einsum("i,fij,j->f", held, state, held).real
        if f"q({node})" in net.coordinates:  # no white noise of its own
            np.testing.assert_allclose(made.noise(node, frequencies).density, theirs, rtol=1e-9)


def test_noise_of_a_capacitor_sums_to_kT_over_C():
    """Each resistor's share of kT/C is that of its conductance and temperature."""
    made = circuit("R1 a 0 1k kelvin=250\nC1 a 0 1n\nR2 a 0 4k kelvin=100\nR3 a b 1k\nC2 b 0 1f")
    shares = made.noise_power("a", 1e-2, 1e14)
    unit = BOLTZMANN / 1e-9 / 1.25
    wanted = {"R1": 250 * unit, "R2": 0.25 * 100 * unit, "R3": BOLTZMANN * 300 * 1e-15 / 1e-18}
    assert shares == pytest.approx(wanted, rel=1e-5)
    with pytest.raises(ValueError, match="high must be above low = 2, but is 1"):
        made.noise_power("a", 2.0, 1.0)


def test_flicker_noise_follows_one_over_f():
    made = ktc.Circuit(kelvin=0.0).add("R1", "a", 0, 1).add("C1", "a", 0, 1e-10)
    made.add_flicker_noise("I1", 0, "a", "1f", "10m", "10k")
    f = np.geomspace(1e-2, 1e4, 2001)
    np.testing.assert_allclose(made.noise("a", f).density * f, 1e-15, rtol=5e-3)
    variance = made.voltage_moments(ktc.Emulator(made, replicas=math.inf)).covariance[0, 0]
    assert variance == pytest.approx(sum(made.noise_power("a", 1e-9, 1e9).values()), rel=1e-6)
    with pytest.raises(ktc.CircuitError, match="0 < lowest < highest, but has 1 A²/Hz from 2 to 1"):
        made.add_flicker_noise("I2", 0, "a", 1.0, 2.0, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.ac("V9", 1.0), "source must be the name of a V or I, 'V1', but is 'V9'"),
        (lambda c: c.ac("V1", -1.0), "frequencies must be a non-negative"),
        (lambda c: c.noise("x", 1.0), "output must name nodes of the circuit, in, a, but is 'x'"),
        (lambda c: c.noise("i(R1)", 1.0), "the current of one of V1, but is 'i.R1.'; put a volt"),
        (lambda c: c.noise(("a",), 1.0), "output must be a node, two nodes"),
        (lambda c: c.noise("a", [math.nan]), "frequencies must be finite"),
        (lambda c: ktc.Circuit().op(), "the circuit has no elements"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(circuit("V1 in 0 1\nR1 in a 1k\nR2 a 0 1k"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.add("F1", "a", 0, 2, control=("V9",)), "F1 is controlled by the current"),
        (lambda c: c.add("G1", "a", 0, 2, control=("z", "0")), "G1 is controlled by node 'z'"),
        (lambda c: c.add("L1", "a", 0, 1).add_coupling("K1", "L1", "L7", value=0.1), "'L7', which"),
    ],
)
def test_references_to_nothing_are_refused(change, message):
    with pytest.raises(ktc.CircuitError, match=message):
        change(circuit("V1 in 0 1\nR1 in a 1k\nR2 a 0 1k")).op()


def test_white_noise_of_a_voltage_source_is_not_compiled():
    made = ktc.Circuit().add("V1", "in", 0, 0, noise=1e-18).add("R1", "in", "a", 1e3)
    made.add("C1", "a", 0, 1e-9)
    with pytest.raises(ktc.CircuitError, match="V1 has noise, .* noise current of S/R² across"):
        made.compile()


def test_a_changed_circuit_is_analysed_anew():
    made = circuit("V1 in 0 1\nR1 in a 1k\nR2 a 0 1k")
    before = made.op().voltages["a"]
    assert (before, made.add("R3", "a", 0, 500).op().voltages["a"]) == pytest.approx((0.5, 0.25))


def test_a_large_grid_is_solved_sparsely():
    """Seen from a corner, R C cells between resistors: R_in of all cells at zero frequency."""
    made = ktc.Circuit(kelvin=300.0)
    side = 60
    for i in range(side):
        for j in range(side):
            made.add(f"C{i}.{j}", f"n{i}.{j}", 0, 1e-12)
            if i:
                made.add(f"Ra{i}.{j}", f"n{i}.{j}", f"n{i - 1}.{j}", 1e3)
            if j:
                made.add(f"Rb{i}.{j}", f"n{i}.{j}", f"n{i}.{j - 1}", 1e3)
    made.add("R0", "n0.0", 0, 1e3)
    noise = made.noise("n5.7", [0.0])
    response = made.add("I1", 0, "n5.7", 0).ac("I1", 0.0).voltages["n5.7"].real
    np.testing.assert_allclose(noise.density, 4 * BOLTZMANN * 300 * response, rtol=1e-9)  # Nyquist
