"""Circuits as built, driven, read, and refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc._circuits.branch import CircuitError
from reference_circuit import BOLTZMANN
from replica_means import assert_closed

KT = BOLTZMANN * 300.0  # J, at the default temperature


def circuit(text):
    return ktc.Circuit.from_netlist(text)


def test_source_at_a_capacitor_couples_its_jump():
    """A jump ΔV reaches the divider at once, ΔV C1/(C1 + C2); work is booked at held charge."""
    text = "V1 in 0 0\nC1 in a 3n\nC2 a 0 1n\nR1 a 0 1k"
    made = circuit(text)
    device = ktc.Emulator(made.compile(), replicas=10, seed=1)
    before, charge = made.voltages(device), device.read()[:, 0]
    device.set(**made.controls(V1=2e-6))
    after = made.voltages(device)
    np.testing.assert_allclose(after[:, 0], 2e-6)
    np.testing.assert_allclose(after[:, 1] - before[:, 1], 1.5e-6, rtol=1e-9)
    # H = ½ q²/C − b q with b = −ΔV C1/C: charge on the node stands at a higher voltage.
    np.testing.assert_allclose(device.ledger.work, 1.5e-6 * charge, rtol=1e-9)
    device.run(1e-6)
    assert_closed(device)


def test_sources_driven_by_a_protocol():
    """Hold by hold v ← V + (v − V) e^{−h/τ}; one resistor moves exactly."""
    made = circuit(".options kelvin=1p\nV1 in 0 0\nR1 in a 1k\nC1 a 0 1n")
    device = ktc.Emulator(made.compile(), replicas=3, seed=1, resolve_heat=True)
    volts, holds = np.sin(np.arange(12.0)), np.linspace(1e-7, 2e-6, 12)
    device.play(ktc.Protocol(holds, made.controls(V1=volts), final=made.controls(V1=7.0)))
    expected = 0.0
    for level, hold in zip(volts, holds):
        expected = level + (expected - level) * np.exp(-hold / 1e-6)
    np.testing.assert_allclose(made.voltages(device), np.tile([7.0, expected], (3, 1)), rtol=1e-9)
    assert_closed(device)


def test_controls_name_only_what_a_source_enters():
    made = circuit(
        "V1 a 0 1\nC1 a b 1n\nR1 b 0 1k\nV2 c 0 2\nR2 c b 1k\nI1 0 b 1m\nL1 d b 1m\nV3 d 0 3"
    )
    assert set(made.controls(V1=5.0)) == {"bias"}
    assert set(made.controls(v2=5.0)) == {"emf"}
    assert set(made.controls(I1=5.0)) == {"current"} == set(made.controls(V3=5.0))
    own = made.compile().controls
    for name, values in made.controls(V1=1.0, V2=2.0, I1=1e-3, V3=3.0).items():
        np.testing.assert_allclose(values, getattr(own, name), rtol=1e-15)
    shapes = {name: v.shape for name, v in made.controls(V1=[1, 2, 3], V2=0).items()}
    assert shapes == {"bias": (3, 2), "emf": (3, 2)}
    with pytest.raises(TypeError, match="unknown source 'V9'"):
        made.controls(V9=1.0)
    with pytest.raises(TypeError, match="real numbers"):
        made.controls(V1="much")


def test_voltages_belong_to_the_circuit(tmp_path):
    text = "V1 in 0 1u\nR1 in a 1k\nC1 a 0 1n\nC2 a in 1n"
    made = circuit(text)
    device = ktc.Emulator(made.compile(), replicas=5, seed=1, resolve_heat=True)
    device.set(**made.controls(V1=3e-6))
    device.run(1e-6)
    voltages = made.voltages(device)
    np.testing.assert_allclose(voltages[:, 0], 3e-6)
    device.save(tmp_path / "saved")
    loaded = ktc.Emulator.load(tmp_path / "saved")
    np.testing.assert_array_equal(made.voltages(loaded), voltages)
    with pytest.raises(ValueError, match="emulator must be one of this circuit"):
        circuit(text.replace("1k", "2k")).voltages(device)
    device.set(bias=1e-6)
    with pytest.raises(ValueError, match=r"circuit.controls"):
        made.voltages(device)


def test_voltages_of_sources_in_series_need_their_values():
    """Kirchhoff: in = V1 and x = V1 + V2; the one EMF V1 + V2 tells neither."""
    made = circuit("V1 in 0 1\nV2 x in 0.5\nR1 x a 1k\nC1 a 0 1n")
    device = ktc.Emulator(made.compile(), replicas=2, seed=1)
    np.testing.assert_allclose(made.voltages(device)[0, :2], [1.0, 1.5], rtol=1e-12)
    device.set(**made.controls(V1=3.0))
    with pytest.raises(ValueError, match=r"node 'in': V1, V2 .*voltages\(emulator, V1=..., V2="):
        made.voltages(device)
    for given in ({"V1": 3.0}, {"v2": 0.5}, {"V1": 3.0, "V2": 0.5}):
        np.testing.assert_allclose(made.voltages(device, **given)[0, :2], [3.0, 3.5], rtol=1e-12)
    np.testing.assert_allclose(made.voltages(device, V1=2.0)[0, :2], [2.0, 3.5], rtol=1e-12)
    with pytest.raises(ValueError, match="with V1, V2 as given"):
        made.voltages(device, V1=3.0, V2=1.0)
    with pytest.raises(TypeError, match="unknown source 'V3'"):
        made.voltages(device, V3=3.0)
    with pytest.raises(TypeError, match="'V1' and 'v1' are one source"):
        made.voltages(device, V1=3.0, v1=3.0)


def test_voltage_of_a_source_that_enters_nothing_is_given():
    made = circuit("V1 z 0 5\nV2 b 0 1\nR1 a b 1k\nC1 a 0 1n")
    device = ktc.Emulator(made.compile(), replicas=2, seed=1)
    assert made.controls(V1=3.0) == {}
    assert made.voltages(device)[0, 0] == 5.0
    assert made.voltages(device, V1=3.0)[0, 0] == 3.0
    device.set(**made.controls(V1=3.0, V2=2.0))
    with pytest.raises(ValueError, match="node 'z': V1 "):
        made.voltages(device)
    voltages = made.voltages(device, V1=3.0)
    np.testing.assert_allclose(voltages[0, :2], [3.0, 2.0], rtol=1e-12)


def test_waveforms_are_of_one_length():
    made = circuit("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nI1 0 a 0")
    with pytest.raises(ValueError, match="V1 has 2, I1 has 3"):
        made.controls(V1=[1, 2], I1=[1, 2, 3])
    with pytest.raises(ValueError, match=r"V1 must be .*\(ticks,\), but has shape \(1, 2\)"):
        made.controls(V1=[[1, 2]])
    with pytest.raises(TypeError, match="'V1' and 'v1' are one source"):
        made.controls(V1=2.0, v1=3.0)


def test_a_compiled_circuit_is_learned_on():
    """b = K ⟨q⟩ of the data; 500 replicas leave K √(kT/N) and more by the noise of the gradient."""
    net = circuit("R1 a 0 1k\nC1 a 0 1n\nR2 b 0 1k\nC2 b 0 1n\nC3 a b 1n").compile()
    data = np.array([[3e-15, -1e-15]])
    fit = ktc.learn(
        net,
        data,
        schedule=ktc.schedules.MinimalDissipation(duration=1e-5),
        replicas=500,
        ticks=100,
        seed=1,
    )
    expected = net.stiffness @ data[0]
    spread = np.sqrt(KT * np.diagonal(net.stiffness) / 500)
    assert np.all(np.abs(fit.parameters["bias"] - expected) < 5 * spread)


def test_units_of_a_compiled_circuit():
    net = circuit("R1 a 0 1k\nC1 a 0 1n").compile()
    assert isinstance(net, ktc.Network) and net.symbols.energy == "J" and net.symbols.state == "C"
    assert net.kT == KT
    net = circuit("R1 a 0 1k\nL1 a 0 1m").compile()
    assert net.symbols.state == "C or Wb" and net.coordinates == ("phi(L1)",)
    assert net.stiffness.item() == 1e3


def test_any_size_of_values():
    """The same physics in attofarads and in farads: what is scaled out leaves no trace."""
    for size in (1e-15, 1.0, 1e6):
        net = circuit(f"R1 a b 1\nR2 b 0 1\nC1 a 0 {size!r}\nC2 a c {size!r}\nL1 c 0 {size!r}")
        rates = net.compile().relaxation_times * (1 / size)
        np.testing.assert_allclose(rates, circuit_of_one_farad_rates(), rtol=1e-9)


def circuit_of_one_farad_rates():
    return circuit("R1 a b 1\nR2 b 0 1\nC1 a 0 1\nC2 a c 1\nL1 c 0 1").compile().relaxation_times


def test_built_by_calls_or_read():
    made = ktc.Circuit().add("R1", 1, 0, "10meg", kelvin=88).add("C1", "1", "gnd", 680e-12)
    assert made == circuit("R1 1 0 10meg kelvin=88\nC1 1 0 680p")
    assert made != circuit("R1 1 0 10meg kelvin=88\nC1 1 0 681p")
    assert made != "R1 1 0 10meg"
    assert repr(made) == "<ktc.Circuit: 2 elements, nodes 1>"
    net = made.compile()
    assert made.compile() is net
    assert made.add("C2", 1, 0, "1n").compile() is not net


@pytest.mark.parametrize(
    ("arguments", "options", "error", "part"),
    [
        (("R1", "a", 0, -5.0), {}, CircuitError, "R1 must be positive, but is -5 ohms"),
        (("R1", "a", 0, float("nan")), {}, CircuitError, "finite"),
        (("R1", "a", 0, "big"), {}, CircuitError, "'big' is not a number"),
        (("R1", "a", 0, None), {}, TypeError, "value of R1 must be a number"),
        (("R1", "a", 0, 1.0), {"kelvin": -1.0}, CircuitError, "kelvin of R1"),
        (("R1", "a", 0, 1.0), {"noise": 1.0}, CircuitError, "noise="),
        (("R1", "a", 0, 1.0), {"celsius": 1.0}, TypeError, "celsius"),
        (("C1", "a", 0, 1.0), {"kelvin": 1.0}, CircuitError, "only a resistor may have"),
        (("R1", None, 0, 1.0), {}, TypeError, "node of R1 must be a str"),
        (("R1", "a b", 0, 1.0), {}, CircuitError, "one word"),
        (("R1", "", 0, 1.0), {}, CircuitError, "one word"),
        ((5, "a", 0, 1.0), {}, TypeError, "name must be a str"),
        (("", "a", 0, 1.0), {}, CircuitError, "name must be one word"),
    ],
)
def test_call_that_is_refused_adds_nothing(arguments, options, error, part):
    made = ktc.Circuit()
    with pytest.raises(error, match=part):
        made.add(*arguments, **options)
    assert made.branches == () and made.nodes == ()


def test_bad_circuits():
    with pytest.raises(ValueError, match="kelvin"):
        ktc.Circuit(kelvin=-1.0)
    with pytest.raises(ValueError, match="one line"):
        ktc.Circuit(title="two\nlines")


# Netlist, parts of the message, line.
WITHOUT_ANSWER = [
    ("R1 a 0 1k\nC1 a 0 1n\nC2 a b 1n\nC3 b c 1n", ("nodes 'b', 'c' are floating", "leakage"), 3),
    ("R1 a b 1k\nC1 a b 1n", ("nodes 'a', 'b' are floating", "ground"), 1),
    ("I1 0 a 1\nC1 a 0 1n\nR1 b 0 1\nC2 b 0 1n", ("'a' is floating",), 1),
    ("V1 a 0 1\nR1 a 0 1k\nV2 a 0 1\nC1 a 0 1n", ("V1 (line 1), V2 (line 3)", "loop"), 3),
    (
        "V1 a 0 1\nV2 a b 1\nV3 c 0 1\nV4 b 0 1\nR1 c 0 1",
        ("V1 (line 1), V2 (line 2), V4 (line 4)", "contradict"),
        4,
    ),
    ("V1 a 0 1\nL1 a 0 1m\nR1 a 0 1", ("V1 (line 1), L1 (line 2)", "winding"), 2),
    ("R1 a 0 1\nL1 a b 1m\nI1 b 0 1m", ("fix the current of L1 (line 2)", "no state"), None),
    (
        "V1 a 0 1\nL1 a b 1m\nL2 b c 1m\nV2 c 0 1\nR1 b 0 1",
        ("V1 (line 1), V2 (line 4), L1 (line 2), L2 (line 3) form a loop", "winding"),
        3,
    ),
    (
        "R1 a m 1k kelvin=88\nR2 m 0 1k kelvin=296\nC1 a 0 1n",
        ("R1 (line 1) at 88 K, R2 (line 2) at 296 K", "'m'", "parasitic capacitance"),
        1,
    ),
    (
        "R1 a 0 1k kelvin=88\nC1 a b 1n\nR2 b 0 1k",
        ("R1 (line 1) at 88 K, R2 (line 3) at 300 K", "'a'", "parasitic capacitance"),
        1,
    ),
    ("R1 a 0 1\nC1 a 0 1n\nL1 b 0 1m\nC2 b 0 1n", ("q(b), phi(L1)", "winding"), None),
    (  # two equal branches, between which current circulates past R1
        "R1 a 0 1\nC1 a 0 1n\nL2 a b 1m\nC2 b 0 1n\nL3 a c 1m\nC3 c 0 1n",
        ("q(b), q(c), phi(L2), phi(L3)", "winding"),
        None,
    ),
    ("V1 a 0 1\nR1 a 0 1\nC1 a 0 1n", ("voltage sources fix both ends of C1", "state"), None),
    ("R1 a 0 1k", ("no capacitor and no inductor",), None),
    ("C1 a 0 1n\nL1 a 0 1m", ("no resistor",), None),
    ("", ("no resistor",), None),
    ("R1 a 0 1\nL1 a 0 1m\nI1 a 0 0 noise=1", ("I1 (line 3)", "'a'", "parasitic"), 3),
    ("R1 a 0 1\nC1 a b 1n\nR2 b 0 1\nI1 a 0 0 noise=1", ("I1 (line 4)", "parasitic"), 4),
    ("R1 a 0 1\nC1 a 0 1e-300\nR2 a 0 1", ("C1 (line 2) has 1e-300 farads", "too far apart"), 2),
    ("R1 a b 1\nC1 b 0 1p\nV1 a 0 1e300", ("V1 (line 3) has 1e+300 volts", "too far apart"), 3),
    ("V0 a c 1e30\nV1 b 0 3.3k\nC2 c b 1e308\nR3 b a 1e300", ("C2 (line 3) has 1e+308",), 3),
    (
        "R1 a 0 1 kelvin=9\nC1 a 0 1f\nR2 a b 1e40\nC2 b 0 1e40",
        ("too far apart", "q(b) relaxes", "slower than q(a)"),
        None,
    ),
]


# Two paces 1e21 and more apart, and what has the stationary state solved for.
SLOW = "R1 a 0 1k\nC1 a 0 1g\nR2 b 0 1k\nC2 b a 1p\n"
FAR_APART = [
    (SLOW + "I1 0 a 0 noise=1e-24", ("q(a)", "slower than q(b)", "1.0e-09 s")),
    (SLOW + "I1 0 a 0 noise=1e-24 bandwidth=1g", ("slower than the filter of I1", "1.6e-10 s")),
    (SLOW + "V1 c 0 0\nR3 c b 1k", ("q(a)", "slower than q(b)")),
    (SLOW + "R3 b 0 1k kelvin=4", ("q(a)", "slower than q(b)")),
    (
        "R1 a 0 1k\nC1 a 0 1n\nI1 0 a 0 noise=1e-24 bandwidth=1e-20",
        ("the filter of I1 relaxes", "slower than q(a)", "1.0e-06 s"),
    ),
]


def test_rates_thirty_decades_apart():
    """A ring of R, L and C relaxes within L/R and RC where R is large."""
    net = circuit("C0 b a 680p\nL1 c a 10meg\nR2 0 b 8.3e22\nR3 c 0 1e-30").compile()
    assert net.relaxation_times == pytest.approx([1e7 / 8.3e22, 8.3e22 * 680e-12], rel=1e-12)
    emulator = ktc.Emulator(net, replicas=math.inf)
    emulator.run(1.0)
    assert np.diag(emulator.moments().covariance) == pytest.approx(
        [KT * 680e-12, KT * 1e7], rel=1e-9
    )


@pytest.mark.parametrize(("text", "parts"), FAR_APART)
def test_paces_too_far_apart_are_refused_by_compile(text, parts):
    with pytest.raises(CircuitError, match="too far apart") as caught:
        circuit(text).compile()
    for part in parts:
        assert part in str(caught.value)


def test_known_stationary_state_at_any_paces():
    """One temperature, no source: ⟨v²⟩ = kT/C; 2000 replicas leave 3.2 %, a fifth of the tolerance.

    A false alarm in 10⁶ seeds.
    """
    net = circuit(SLOW).compile()
    volts = ktc.Emulator(net, replicas=2000, seed=1).read()[:, 1] * net.stiffness[1, 1]
    assert abs(np.mean(volts**2) / (KT / 1e-12) - 1) < 0.16


@pytest.mark.parametrize(("text", "parts", "line"), WITHOUT_ANSWER)
def test_circuit_without_answer_says_why(text, parts, line):
    made = circuit(text)
    with pytest.raises(CircuitError) as caught:
        made.compile()
    for part in parts:
        assert part in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("joined", ["1u", "1m", "10"])
def test_a_large_capacitor_between_two_temperatures_leaves_rounding(joined):
    """Cells of 680 pF and 420 pF: the books close, and the variance is that of the pair.

    In the limit both nodes have one voltage; R1 and R2 are equal, so that its variance is that of
    their mean temperature, k_B T̄/(C1 + C2), within 1/2000 by 2 C1/C3 < 1.4e-3 and the mean square.
    """
    made = circuit(
        "R1 a 0 10meg kelvin=100\nC1 a 0 680p\nR2 b 0 10meg kelvin=300\nC2 b 0 420p\n"
        f"C3 a b {joined}"
    )
    net = made.compile()
    assert net.coordinates == ("q(a)", "q(a-b)")
    device = ktc.Emulator(net, replicas=20_000, seed=1)
    device.run(0.02)
    assert abs(device.ledger.imbalance()) < 1e-14
    volts = made.voltages(device)
    # Of 20,000 replicas 1 %: a false alarm of 1e-6 at 4.9 standard errors.
    np.testing.assert_allclose((volts**2).mean(axis=0), BOLTZMANN * 200 / 1.1e-9, rtol=0.05)


def test_circuits_beyond_the_memory_are_refused_by_their_size(monkeypatch):
    monkeypatch.setattr("ktc._circuits.compilation.MOST_NODES", 1_000)
    cells = "\n".join(f"R{k} n{k} 0 1\nC{k} n{k} 0 1" for k in range(1_000))
    with pytest.raises(CircuitError, match=r"1,001 nodes, too many for the memory"):
        circuit(cells).compile(sparse=False)


def test_unequal_branches_are_damped():
    text = "R1 a 0 1\nC1 a 0 1n\nL2 a b 1m\nC2 b 0 1n\nL3 a c 1.001m\nC3 c 0 1n"
    assert (circuit(text).compile().relaxation_times > 0).all()


def test_parasitic_capacitance_mends_two_temperatures():
    text = "R1 a m 1k kelvin=88\nR2 m 0 1k kelvin=296\nC1 a 0 1n"
    with pytest.raises(CircuitError):
        circuit(text).compile()
    assert circuit(text + "\nC2 m 0 1p").compile().accounts == ("R1", "R2")


def test_celsius_and_kelvin_of_one_temperature_meet():
    """26.85 °C is 300 K but for the last bit."""
    net = circuit("R1 a m 1k temp=26.85\nR2 m 0 1k kelvin=300\nC1 a 0 1n").compile()
    assert net.accounts == ("R1+R2",)


def test_dangling_resistor_keeps_its_column():
    net = circuit("R1 a 0 1k\nC1 a 0 1n\nR2 a b 1k\nR3 a 0 1k").compile()
    assert net.accounts == ("R1", "R2", "R3")
    device = ktc.Emulator(net, replicas=5, seed=1, resolve_heat=True)
    device.run(1e-6)
    assert not device.ledger.heat_per_resistor[:, 1].any()
