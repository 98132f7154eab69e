"""Circuits with controlled sources and ideal operational amplifiers.

Random circuits are compared with modified nodal analysis, one frequency at a time, and with the
modes of its pencil; ensembles with moment equations written out for one circuit.
"""

import math

import numpy as np
import pytest
import scipy.linalg

import ktc
from circuit_moments import Linear
from ktc._circuits.active_circuit import compile_active
from ktc._circuits.branch import CircuitError
from ktc._circuits.circuit_graph import CircuitGraph
from random_circuits import (
    BOLTZMANN,
    active_circuit,
    circuit_of_decades,
    inductive_circuit,
    sound_circuits,
)
from reference_active import ActiveNodal
from refusal import refused
from test_compile_circuit import components
from test_inductors import pencil_covariance

KT = BOLTZMANN * 300


def test_random_active_circuits_respond_and_fluctuate_as_by_nodal_analysis():
    """At rest, at a frequency, and in their noise: currents of inductors and held voltages."""
    ideal = reduced = compared = 0
    for found, net, draw in sound_circuits(active_circuit, 5, 120, margin=1e-5):
        nodal, linear, equation = ActiveNodal(found), Linear(net), net.equation
        assert net.nodes == tuple(nodal.nodes)
        count = len(net.nodes)
        gradient = net.stiffness @ linear.rest() - net.bias
        ours = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
        theirs = nodal.operating_point(winding=1e-9)[:count]
        tolerance = 1e-6 * max(1, np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)

        pairs = [(b.plus, b.minus) for b in found.branches if b.kind == "C"]
        part = components(["0", *net.nodes], pairs)
        held = [k for k, node in enumerate(net.nodes) if part[node] == part["0"]]
        places = [*held, *(nodal.place(name) for name in equation.inductors)]
        read = np.vstack([equation.nodes_of_gradient[held], equation.inductors_of_gradient])
        of_sources = np.vstack([equation.nodes_of_sources[held], equation.inductors_of_sources])
        frequency = 10 ** draw.uniform(-2, 1)
        motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
        for place, name in enumerate(equation.sources):
            source = next(b for b in nodal.branches if b[0] == name)
            bias = equation.bias_of[:, place]
            controls = {n: getattr(equation, f"{n}_of")[:, place] for n in ("emf", "current")}
            push = linear.push({"bias": bias, **controls})
            gradient = net.stiffness @ np.linalg.solve(motion, push) - bias
            ours = read @ gradient + of_sources[:, place]
            theirs = nodal.response(source, frequency)[places]
            scale = max(1, np.abs(theirs).max(initial=0))
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7 * scale)
        transfer = read @ net.stiffness @ np.linalg.solve(motion, linear.noise)
        ours, theirs = 2 * (np.abs(transfer) ** 2).sum(axis=1), nodal.noise(frequency)[places]
        np.testing.assert_allclose(
            ours, theirs, rtol=1e-6, atol=1e-9 * max(1e-3, theirs.max(initial=0))
        )
        states = sum(b.kind in "CL" for b in found.branches)
        ideal += any(b.value == math.inf for b in found.branches)
        reduced += net.units < states
        compared += len(places)
    assert ideal > 10 and reduced > 40 and compared > 200


def test_random_active_circuits_have_the_covariances_of_the_pencil():
    for found, net, _ in sound_circuits(active_circuit, 6, 80, margin=1e-5):
        nodal = ActiveNodal(found)
        scale = np.sqrt(np.diagonal(net.stiffness))
        if np.linalg.cond(np.linalg.eig(net.drift * scale[:, None] / scale)[1]) > 1e4:
            continue  # nearly defective, where modes lose digits
        pairs = [(b.plus, b.minus) for b in found.branches if b.kind == "C"]
        part = components(["0", *net.nodes], pairs)
        held = [k for k, node in enumerate(net.nodes) if part[node] == part["0"]]
        places = [*held, *(nodal.place(name) for name in net.equation.inductors)]
        read = [net.equation.nodes_of_gradient[held], net.equation.inductors_of_gradient]
        read = np.vstack(read) @ net.stiffness
        ours = read @ Linear(net).covariance() @ read.T
        wanted = pencil_covariance(nodal)[np.ix_(places, places)]
        scale = np.abs(wanted).max(initial=0)
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-6 * max(scale, 1e-3))


@pytest.mark.parametrize("kind", [circuit_of_decades, inductive_circuit])
def test_without_active_elements_it_is_the_passive_circuit(kind):
    """M = J − G by the other derivation: rates, rest, power of sources, and detailed balance."""
    for circuit, net, _ in sound_circuits(kind, 7, 60):
        graph = CircuitGraph(circuit.branches, joined=False)
        equation = compile_active(graph, circuit.kelvin, circuit.couplings)
        flow, theta = equation.active, equation.values
        rates = np.linalg.eigvals(flow.flow @ equation.stiffness)
        wanted = np.linalg.eigvals(net.drift)
        assert len(rates) == len(wanted)
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(
            np.sort_complex(rates), np.sort_complex(wanted), rtol=0, atol=1e-7 * scale
        )
        drive = np.array([s.direction for s in equation.currents]).reshape(len(theta), len(rates))
        gradient = np.linalg.solve(flow.flow, -drive.T @ theta)
        power = theta @ (flow.readings @ gradient + flow.conductance @ theta)
        joule = Linear(net).powers()[1].sum()
        assert power == pytest.approx(joule, rel=1e-6, abs=1e-9)
        lost = sum(r.conductance * np.outer(r.direction, r.direction) for r in equation.resistors)
        size = np.sqrt(np.diagonal(equation.stiffness))
        balance = (0.5 * (flow.flow + flow.flow.T) + lost) * np.outer(size, size)
        assert np.abs(balance).max() < 1e-7 * scale


def test_a_gyrator_makes_an_inductor_of_a_capacitor():
    """Two G: lossless, with the equipartition and the rates of L = C/g² between the nodes."""
    circuit = ktc.Circuit().add("R1", "a", 0, "1k").add("C1", "a", 0, "1n").add("C2", "b", 0, "4n")
    circuit.add("G1", "a", 0, 1e-3, control=("b", 0)).add("G2", 0, "b", 1e-3, control=("a", 0))
    net = circuit.compile()
    tank = ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n\nL1 a 0 4m").compile()
    np.testing.assert_allclose(
        np.sort_complex(np.linalg.eigvals(net.drift)),
        np.sort_complex(np.linalg.eigvals(tank.drift)),
        rtol=1e-12,
    )
    volts = net.equation.nodes_of_gradient @ net.stiffness
    covariance = volts @ Linear(net).covariance() @ volts.T
    np.testing.assert_allclose(covariance, np.diag([KT / 1e-9, KT / 4e-9]), rtol=1e-12, atol=1e-20)


def test_amplified_johnson_noise():
    """Through two equal poles ⟨y²⟩ = A² kT/2C₁ + kT/C₂, and every replica's books close."""
    circuit = ktc.Circuit().add("R1", "a", 0, "1meg").add("C1", "a", 0, "1p")
    circuit.add("E1", "x", 0, 100, control=("a", 0)).add("R2", "x", "y", "1k").add(
        "C2", "y", 0, "1n"
    )
    net = circuit.compile()
    emulator = ktc.Emulator(net, replicas=40_000, seed=1)
    emulator.run(3e-6)
    volts = circuit.voltages(emulator)
    wanted = 1e4 * KT / 2e-12 + KT / 1e-9
    # Standard error 0.7 %: a false alarm in 10⁶ seeds.
    assert np.var(volts[:, 2]) == pytest.approx(wanted, rel=0.035)
    np.testing.assert_allclose(volts[:, 1], 100 * volts[:, 0], rtol=1e-12)
    assert emulator.ledger.imbalance() < 1e-12 and "net_heat" in emulator.ledger.names
    # The resistor at the output takes the amplifier's energy, at rest ⟨(x − y)²⟩/R₂ less its own
    # noise, ½ A² kT/C₁R₂: the mean net heat is zero, because E supplies it.
    assert abs(np.mean(emulator.ledger.net_heat)) < 5 * np.std(emulator.ledger.net_heat) / 200


def integrator():
    """Gain −10 and a pole at 10 µs, the output loaded by a capacitor, C₁ between m and out."""
    circuit = ktc.Circuit().add("V1", "in", 0, 0.1).add("R1", "in", "m", "1k")
    circuit.add("C1", "m", "out", "1n").add("R2", "m", "out", "10k").add("C2", "out", 0, "3n")
    return circuit.add("E1", "out", 0, math.inf, control=(0, "m"))


def test_an_operational_amplifier_holds_its_input():
    """v(out) = −10 V₁, ⟨v²⟩ = (kT/C)(1 + R₂/R₁), and V₁ supplies V₁²/R₁ and noise of R₁ alone."""
    circuit = integrator()
    net = circuit.compile()
    assert net.units == 1
    np.testing.assert_allclose(net.relaxation_times, [1e-5], rtol=1e-12)
    emulator = ktc.Emulator(net, replicas=40_000, seed=2)
    emulator.run(2e-5)
    volts = circuit.voltages(emulator)
    assert not volts[:, 1].any()
    # Standard errors 0.5 % and 0.7 %.
    deviation = math.sqrt(11 * KT / 1e-9)
    assert np.mean(volts[:, 2]) == pytest.approx(-1, abs=5 * deviation / 200)
    assert np.var(volts[:, 2]) == pytest.approx(deviation**2, rel=0.035)
    source = emulator.ledger.source
    variance = 0.01 * 2 * KT / 1e3 * 2e-5
    assert np.mean(source) == pytest.approx(1e-5 * 2e-5, abs=5 * math.sqrt(variance) / 200)
    assert np.var(source) == pytest.approx(variance, rel=0.035)
    emulator.set(**circuit.controls(V1=-0.1))
    emulator.run(1e-5)
    assert emulator.ledger.imbalance() < 1e-12
    mean = circuit.voltages(emulator, V1=-0.1)[:, 2].mean()
    assert mean == pytest.approx(1 - 2 * math.exp(-1), abs=5 * deviation / 200)


def test_noise_of_an_operational_amplifier():
    """Current noise S at its input adds S R₂/4C₁ to the thermal noise."""
    circuit = integrator().add("I1", 0, "m", 0.0, noise=1e-20)
    volts = circuit.compile().equation.nodes_of_gradient @ circuit.compile().stiffness
    ours = ktc.Emulator(circuit.compile(), replicas=math.inf).moments().covariance
    wanted = 11 * KT / 1e-9 + 1e-20 * 1e4 / 4e-9
    assert (volts @ ours @ volts.T)[2, 2] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("bandwidth", [None, 1e6])
def test_voltage_noise_of_a_buffer(bandwidth):
    """S at the input of a buffer before a low-pass of f₁: S (π/2) f₀f₁/(f₀ + f₁) and kT/C."""
    circuit = ktc.Circuit().add("V1", "p", 0, 0.0, noise=1e-16, bandwidth=bandwidth)
    circuit.add("E1", "out", 0, math.inf, control=("p", "out")).add("R2", "p", 0, "1meg")
    circuit.add("R1", "out", "a", "1k").add("C1", "a", 0, "1n")
    with refused(CircuitError, "noise of V1", "reaches V1"):
        circuit.compile()  # R2 would take white current from V1
    circuit = ktc.Circuit().add("V1", "p", 0, 0.0, noise=1e-16, bandwidth=bandwidth)
    circuit.add("E1", "out", 0, math.inf, control=("p", "out"))
    circuit.add("R1", "out", "a", "1k").add("C1", "a", 0, "1n")
    found = circuit.voltage_moments(ktc.Emulator(circuit, replicas=math.inf)).covariance[2, 2]
    cut = 1 / (2 * math.pi * 1e-6)
    passed = cut if bandwidth is None else cut * bandwidth / (cut + bandwidth)
    assert found == pytest.approx(KT / 1e-9 + 1e-16 * math.pi / 2 * passed, rel=1e-9)


def amplifier():
    """V₁ charges C₁ at a, whose voltage draws a current from node o, fed by I₁."""
    circuit = ktc.Circuit().add("V1", "in", 0, 2e-6).add("R1", "in", "a", "1k", kelvin=400)
    circuit.add("C1", "a", 0, "1n").add("G1", "o", 0, 5e-3, control=("a", 0))
    circuit.add("R2", "o", 0, "2k", kelvin=100).add("C2", "o", 0, "2n").add("R3", "in", 0, "5k")
    return circuit.add("I1", 0, "o", 3e-9)


@pytest.mark.parametrize("hold", [3e-9, 1e-6, 3e-5])
def test_energy_of_sources_against_moment_equations(hold):
    """Mean and variance of V₁'s and I₁'s energy, and its covariance with the final voltages.

    dv_a = ((V − v_a)/R₁ dt + dw₁)/C₁,  dv_o = ((I − G v_a − v_o/R₂) dt + dw₂)/C₂,
    dy = (V (V − v_a)/R₁ + V²/R₃ + I v_o) dt + V dw₁ + V dw₃, with w of rates 2kT/R.
    """
    circuit = amplifier()
    volts, amps, gain = 2e-6, 3e-9, 5e-3
    ohms, farads = np.array([1e3, 2e3]), np.array([1e-9, 2e-9])
    kelvin = np.array([400.0, 100.0])
    energy = math.sqrt(2 * BOLTZMANN * 300 * hold * volts**2 / 1e3)  # a unit of y
    drift = np.zeros((4, 4))  # (v_a, v_o, y, 1), in µV and this unit
    unit = np.array([1e-6, 1e-6, energy, 1.0])
    drift[0, [0, 3]] = [-1 / ohms[0] / farads[0], volts / ohms[0] / farads[0]]
    drift[1, [0, 1, 3]] = np.array([-gain, -1 / ohms[1], amps]) / farads[1]
    drift[2, [0, 1, 3]] = [-volts / ohms[0], amps, volts**2 / ohms[0] + volts**2 / 5e3]
    drift = drift * unit / unit[:, None]
    noise = np.zeros((4, 3))
    rates = np.sqrt(2 * BOLTZMANN * np.array([*(kelvin / ohms), 300 / 5e3]))
    noise[0, 0], noise[2, 0] = rates[0] / farads[0], volts * rates[0]
    noise[1, 1], noise[2, 2] = rates[1] / farads[1], volts * rates[2]
    noise /= unit[:, None]
    diffusion = noise @ noise.T
    start, rest = np.zeros((4, 4)), np.zeros(4)
    start[:2, :2] = scipy.linalg.solve_continuous_lyapunov(drift[:2, :2], -diffusion[:2, :2])
    rest[:2], rest[3] = np.linalg.solve(drift[:2, :2], -drift[:2, 3]), 1.0
    steps = 1 + int(hold / 1e-7)
    block = np.block([[drift, diffusion], [np.zeros((4, 4)), -drift.T]]) * (hold / steps)
    grown = scipy.linalg.expm(block)
    decay, added = grown[:4, :4], grown[:4, 4:] @ grown[:4, :4].T
    mean, covariance = rest, start
    for _ in range(steps):
        mean, covariance = decay @ mean, decay @ covariance @ decay.T + added
    mean, covariance = mean[:3] * unit[:3], covariance[:3, :3] * np.outer(unit, unit)[:3, :3]

    emulator = ktc.Emulator(circuit.compile(), replicas=40_000, seed=3)
    emulator.run(hold)
    found = np.column_stack([circuit.voltages(emulator)[:, 1:], emulator.ledger.source])
    deviation = np.sqrt(np.diag(covariance))
    # Five standard errors: two false alarms in 10⁶ for each of nine numbers.
    assert (np.abs(found.mean(axis=0) - mean) < deviation / 40).all()
    ours = np.cov(found.T) / np.outer(deviation, deviation)
    wanted = covariance / np.outer(deviation, deviation)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=0.036)
    assert emulator.ledger.imbalance() < 1e-12
    infinite = ktc.Emulator(circuit.compile(), replicas=math.inf)
    infinite.run(hold)
    assert infinite.ledger.source[0] == pytest.approx(mean[2], rel=1e-8)
    assert infinite.ledger.net_heat[0] == pytest.approx(mean[2], rel=1e-8)
    assert infinite.ledger.variance("source") == pytest.approx(covariance[2, 2], rel=1e-8)


def test_saved_and_resumed(tmp_path):
    emulator = ktc.Emulator(amplifier().compile(), replicas=20, seed=4)
    emulator.run(1e-6)
    emulator.save(tmp_path / "amplifier.ktc")
    other = ktc.load(tmp_path / "amplifier.ktc")
    assert other.network == emulator.network
    for each in (emulator, other):
        each.run(1e-6)
    assert (emulator.read() == other.read()).all()


@pytest.mark.parametrize(("gain", "part"), [(-1e-3, "never decays"), (-2e-3, "grows at 1e+06")])
def test_limit_of_a_negative_resistor(gain, part):
    circuit = ktc.Circuit().add("R1", "a", 0, "1k").add("C1", "a", 0, "1n")
    stable = ktc.Circuit().add("R1", "a", 0, "1k").add("C1", "a", 0, "1n")
    net = stable.add("G1", "a", 0, -0.5e-3, control=("a", 0)).compile()
    # Noise of R₁ in twice its resistance.
    volts = net.stiffness @ Linear(net).covariance() @ net.stiffness
    assert volts[0, 0] == pytest.approx(2 * KT / 1e-9, rel=1e-12)
    with refused(CircuitError, "not stable", "mode at a", part):
        circuit.add("G1", "a", 0, gain, control=("a", 0)).compile()


BASE = "R1 a 0 1k\nC1 a 0 1n\n"


@pytest.mark.parametrize(
    ("elements", "parts"),
    [
        ([("E1", "x", 0, 2, ("q", 0))], ["E1", "node 'q'", "connect"]),
        ([("F1", "a", 0, 2, ("V9",))], ["F1", "V9", "does not have"]),
        ([("E1", "a", 0, 1, ("a", 0))], ["E1", "undetermined"]),
        ([("E1", "a", 0, 2, ("a", 0))], ["no state"]),
        ([("G1", "b", 0, 1, ("a", 0))], ["G1", "undetermined"]),
        (  # a differentiator, whose output is the derivative of white noise
            [("C2", "a", "m", 1e-9, ()), ("R2", "m", "o", 1e3, ()), ("C3", "o", 0, 1e-9, ()),
             ("E1", "o", 0, math.inf, (0, "m"))],
            ["E1", "derivative of noise", "small resistor"],
        ),
        (  # the capacitor would have the voltage of the noise of R2
            [("R2", "i", 0, 1e3, ()), ("R3", "o", 0, 1e3, ()), ("C2", "o", 0, 1e-9, ()),
             ("E1", "o", 0, math.inf, ("i", "o"))],
            ["white noise of R2", "E1", "capacitance of a node"],
        ),
    ],
)  # fmt: skip
def test_active_circuits_without_a_solution(elements, parts):
    circuit = ktc.Circuit.from_netlist(BASE)
    for name, plus, minus, value, control in elements:
        circuit.add(name, plus, minus, value, control=control)
    with refused(CircuitError, *parts):
        circuit.compile()


def test_what_active_networks_do_not_have():
    """Heat apart from supplied energy, free energies, closed forms of equilibrium, learning."""
    circuit = integrator()
    net = circuit.compile()
    for replicas, seed in ((10, 1), (math.inf, None)):
        with refused(ValueError, "active elements", "net_heat"):
            ktc.Emulator(net, replicas=replicas, seed=seed, resolve_heat=True)
        with refused(ValueError, "active elements", "net_heat"):
            ktc.Emulator(net, replicas=replicas, seed=seed, accounts=("heat",))
    emulator = ktc.Emulator(net, replicas=10, seed=1)
    for name in ("heat", "injected"):
        with refused(ValueError, "active elements", "net_heat"):
            getattr(emulator.ledger, name)
    for function in (ktc.theory.free_energy, ktc.theory.equilibrium, ktc.theory.friction_tensor):
        with refused(ValueError, "equilibrium", "active elements"):
            function(net)
    run = emulator.play(ktc.Protocol([1e-6], circuit.controls(V1=[1e-6])))
    with refused(ValueError, "active elements"):
        _ = run.excess_work
    data = np.random.default_rng(1).normal(size=(50, 1))
    with refused(ValueError, "active elements"):
        ktc.learn(net, data, ktc.schedules.Constant(1e-6, rate=0.1), replicas=10, seed=1)
