"""Coupled inductors, and inductors in series, in parallel and in loops.

Random circuits of unit size are compared with modified nodal analysis: operating points, responses
and spectra at one frequency at a time, and stationary covariances by the modes of its pencil.
"""

import numpy as np
import pytest
import scipy.linalg

import ktc
from circuit_moments import Linear
from ktc._circuits.branch import CircuitError
from random_circuits import BOLTZMANN, inductive_circuit, sound_circuits
from reference_circuit import Nodal, branches_of, couplings_of
from refusal import refused


def test_random_circuits_respond_and_fluctuate_as_by_nodal_analysis():
    """Nodes at rest, currents at a frequency by source, and noise of currents and held nodes."""
    reduced = coupled = compared = 0
    for found, net, draw in sound_circuits(inductive_circuit, 1, 150):
        nodal = Nodal(branches_of(found), couplings_of(found))
        linear, equation = Linear(net), net.equation
        inductors = [len(nodal.nodes) + nodal.extra.index(b) for b in nodal.extra if b[0][0] == "L"]
        operating = nodal.operating_point(winding=1e-8)
        gradient = net.stiffness @ linear.rest() - net.bias
        volts = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
        amperes = (
            equation.inductors_of_gradient @ gradient
            + equation.inductors_of_sources @ equation.values
        )
        ours = np.concatenate([volts, amperes])
        theirs = operating[[*range(len(net.nodes)), *inductors]]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(np.abs(theirs).max(), 1))
        np.testing.assert_allclose(volts, theirs[: len(volts)], atol=1e-6, rtol=1e-6)

        frequency = 10 ** draw.uniform(-2, 1)
        motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
        for place, name in enumerate(equation.sources):
            source = next(b for b in nodal.branches if b[0] == name)
            theirs = nodal.response(source, frequency)[inductors]
            bias = equation.bias_of[:, place]
            controls = {n: getattr(equation, f"{n}_of")[:, place] for n in ("emf", "current")}
            push = linear.push({"bias": bias, **controls})
            gradient = net.stiffness @ np.linalg.solve(motion, push) - bias
            ours = equation.inductors_of_gradient @ gradient
            ours = ours + equation.inductors_of_sources[:, place]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7 * max(1, abs(theirs).max()))
        read = equation.inductors_of_gradient @ net.stiffness
        transfer = read @ np.linalg.solve(motion, linear.noise)
        theirs = nodal.noise(frequency)[inductors]
        np.testing.assert_allclose(
            2 * (np.abs(transfer) ** 2).sum(axis=1),
            theirs,
            rtol=1e-6,
            atol=1e-9 * max(theirs.max(), 1e-3),
        )
        reduced += net.units < len(inductors) + sum(b.kind == "C" for b in found.branches)
        coupled += bool(found.couplings)
        compared += len(inductors)
    assert reduced > 60 and coupled > 90 and compared > 500


def pencil_covariance(nodal):
    """Stationary covariance of what is no white noise, by the modes of the pencil M(s)."""
    steady, rate = nodal.matrix(0.0).real, (nodal.matrix(1.0) - nodal.matrix(0.0)).real
    (alpha, beta), left, right = scipy.linalg.eig(
        -steady, rate, left=True, right=True, homogeneous_eigvals=True
    )
    finite = np.abs(alpha) * 1e-6 < np.abs(beta)
    finite &= np.abs(alpha) > 1e-9 * np.abs(beta)  # without the fluxes that loops conserve
    rates, left, right = alpha[finite] / beta[finite], left[:, finite], right[:, finite]
    noise = np.array(
        [
            nodal.row(b) * np.sqrt(2 * BOLTZMANN * b[4] / b[3])
            for b in nodal.branches
            if b[0][0] == "R"
        ]
    )
    driven = (left.conj().T @ noise.T) / np.sum(left.conj() * (rate @ right), axis=0)[:, None]
    modes = -(driven @ driven.conj().T) / (rates[:, None] + rates.conj())
    return (right @ modes @ right.conj().T).real


def test_random_circuits_have_the_covariances_of_the_pencil():
    """Currents of all inductors and voltages of held nodes, also at two temperatures."""
    warm = 0
    for found, net, _ in sound_circuits(inductive_circuit, 2, 120):
        nodal = Nodal(branches_of(found), couplings_of(found))
        try:
            wanted = pencil_covariance(nodal)
        except np.linalg.LinAlgError:
            continue
        names = [b[0] for b in nodal.extra]
        places = [len(nodal.nodes) + names.index(name) for name in net.equation.inductors]
        held = [k for k, name in enumerate(net.coordinates) if name[2:-1] in nodal.nodes]
        places += [nodal.nodes.index(net.coordinates[k][2:-1]) for k in held]
        read = np.vstack([net.equation.inductors_of_gradient, np.eye(net.units)[held]])
        read = read @ net.stiffness
        ours = read @ Linear(net).covariance() @ read.T
        wanted = wanted[np.ix_(places, places)]
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
        warm += len(set(net.kT)) > 1 if np.ndim(net.kT) else 0
    assert warm > 15


TANKS = """L1 a 0 1u
C1 a 0 1n
R1 a 0 1k
L2 b 0 1u
C2 b 0 1n
R2 b 0 1k
"""


def test_coupled_tanks():
    """Closed values: ⟨v²⟩ = kT/C each and uncorrelated, resonances at ω₀/√(1 ± k)."""
    circuit = ktc.Circuit.from_netlist(TANKS).add_coupling("K1", "l1", "L2", value=0.5)
    circuit.kelvin = 300.0
    net = circuit.compile()
    volts = net.equation.nodes_of_gradient @ net.stiffness
    covariance = volts @ Linear(net).covariance() @ volts.T
    np.testing.assert_allclose(covariance, np.eye(2) * 4.141947e-12, rtol=1e-6, atol=1e-20)
    rates = np.linalg.eigvals(net.drift)
    natural = np.unique(np.abs(rates).round(-3)) / (2 * np.pi)
    np.testing.assert_allclose(natural, [4.10936e6, 7.11763e6], rtol=1e-5)
    emulator = ktc.Emulator(net, replicas=40_000, seed=1)
    emulator.run(1e-6)
    sampled = np.cov(circuit.voltages(emulator).T) / 4.141947e-12
    # Standard errors 0.7 % and 0.5 %: a false alarm in 10⁶ seeds.
    np.testing.assert_allclose(sampled, np.eye(2), atol=0.035)


def test_heat_between_coupled_inductors():
    """Mean power into each resistor, by the moment equations in voltages and currents."""
    circuit = ktc.Circuit.from_netlist(
        TANKS.replace("R1 a 0 1k", "R1 a 0 1k kelvin=400").replace(
            "R2 b 0 1k", "R2 b 0 300 kelvin=100"
        )
    ).add_coupling("K1", "L1", "L2", value=-0.7)
    inverse = np.linalg.inv(1e-6 * np.array([[1, -0.7], [-0.7, 1]]))
    conductance, kelvin = np.array([1e-3, 1 / 300]), np.array([400.0, 100.0])
    # dv = −(g v + i)/C dt + √(2 k_B T g)/C dW, di = L⁻¹ v dt.
    drift = np.block(
        [[-np.diag(conductance) / 1e-9, -np.eye(2) / 1e-9], [inverse, np.zeros((2, 2))]]
    )
    unit = np.array([1.0, 1.0, 1e-2, 1e-2])
    scaled = drift * unit / unit[:, None]
    diffusion = np.zeros((4, 4))
    diffusion[:2, :2] = np.diag(2 * BOLTZMANN * kelvin * conductance) / 1e-18
    covariance = scipy.linalg.solve_continuous_lyapunov(scaled, -diffusion)
    power = conductance * np.diag(covariance)[:2] - BOLTZMANN * kelvin * conductance / 1e-9
    assert power[0] < 0 < power[1] and abs(power.sum()) < 1e-9 * power[1]
    infinite = ktc.Emulator(circuit.compile(), replicas=float("inf"), resolve_heat=True)
    infinite.run(1e-5)
    mean = infinite.ledger.heat_per_resistor / 1e-5
    np.testing.assert_allclose(np.ravel(mean), power, rtol=1e-8)


def test_series_and_parallel_are_one_inductor():
    """L1 and L2 aiding in series are L1 + L2 + 2M; in parallel (L1 L2 − M²)/(L1 + L2 − 2M)."""
    rest = "R1 a 0 1k\nC1 a 0 1n\n"
    one, other, mutual = 1e-6, 4e-6, 0.25 * 2e-6
    series = ktc.Circuit.from_netlist(rest + "L1 a b 1u\nL2 b 0 4u")
    series.add_coupling("K1", "L1", "L2", value=0.25)
    net = series.compile()
    assert net.coordinates == ("q(a)", "phi(L1+L2)")
    assert net.stiffness[1, 1] == pytest.approx(1 / (one + other + 2 * mutual), rel=1e-14)
    # v(b) is the part L2 + M of the whole.
    share = (other + mutual) / (one + other + 2 * mutual)
    np.testing.assert_allclose(net.equation.nodes_of_gradient, [[1, 0], [share, 0]], atol=1e-14)
    opposed = ktc.Circuit.from_netlist(rest + "L1 a b 1u\nL2 0 b 4u").compile()
    assert opposed.coordinates == ("q(a)", "phi(L1-L2)")

    parallel = ktc.Circuit.from_netlist(rest + "L1 a 0 4u\nL2 a 0 1u")
    parallel.add_coupling("K1", "L1", "L2", value=0.25)
    net = parallel.compile()
    assert net.coordinates == ("q(a)", "phi(L2)")
    whole = (one * other - mutual**2) / (one + other - 2 * mutual)
    assert net.stiffness[1, 1] == pytest.approx(1 / whole, rel=1e-14)
    shares = np.linalg.inv([[other, mutual], [mutual, one]]) @ np.ones(2) * whole
    np.testing.assert_allclose(net.equation.inductors_of_gradient[:, 1], shares, rtol=1e-13)


def test_a_shorted_winding_screens_the_other():
    """Its flux stays zero, which leaves L1 (1 − k²) of the other."""
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nL1 a 0 1u\nL2 b 0 1u\nRw b 0 0")
    circuit.add_coupling("K1", "L1", "L2", value=0.6)
    net = circuit.compile()
    assert net.coordinates == ("phi(L1)",)
    assert net.stiffness[0, 0] == pytest.approx(1 / (1e-6 * (1 - 0.36)), rel=1e-14)
    np.testing.assert_allclose(net.equation.inductors_of_gradient, [[1], [-0.6]], rtol=1e-14)


def test_tanks_coupled_by_an_inductor():
    """Equipartition, and the flux of the loop L1, L3, L2 is no coordinate."""
    circuit = ktc.Circuit.from_netlist(TANKS + "L3 a b 2u")
    net = circuit.compile()
    assert net.coordinates == ("q(a)", "q(b)", "phi(L1)", "phi(L2)")
    np.testing.assert_allclose(
        net.stiffness[2:, 2:], [[1.5e6, -0.5e6], [-0.5e6, 1.5e6]], rtol=1e-14
    )
    emulator = ktc.Emulator(net, replicas=10, seed=1)
    emulator.run(1e-5)
    assert abs(emulator.ledger.imbalance()) < 1e-12


def test_a_current_step_into_a_node_between_inductors():
    """The step divides by the inductances, then the resistances decide.

    i₁(t) = I R₂/R + I (L₂/L − R₂/R) e^{−t R/L}, L = L₁ + L₂, R = R₁ + R₂, v = L₁ di₁/dt + R₁ i₁.
    """
    text = "I1 0 b 0\nL1 b a 1m\nR1 a 0 1\nL2 b c 3m\nR2 c 0 2"
    circuit = ktc.Circuit.from_netlist(text)
    net = circuit.compile()
    assert net.coordinates == ("phi(L1-L2)",)
    equation = net.equation
    emulator = ktc.Emulator(net, replicas=float("inf"), state=circuit.initial_state())
    emulator.set(**circuit.controls(I1=2.0))
    for time in (0.0, 1e-3, 5e-3):
        if time > emulator.time:
            emulator.run(time - emulator.time)
        decay = np.exp(-time * 3 / 4e-3)
        first = 2 * 2 / 3 + 2 * (3 / 4 - 2 / 3) * decay
        slope = -2 * (3 / 4 - 2 / 3) * decay * 3 / 4e-3
        volts = [1e-3 * slope + first, first, 2 * (2 - first)]
        gradient = net.stiffness @ emulator.moments().mean - emulator.controls.bias
        ours = equation.nodes_of_gradient @ gradient + equation.nodes_of_sources @ [2.0]
        np.testing.assert_allclose(ours, volts, rtol=1e-9)
        flows = equation.inductors_of_gradient @ gradient + equation.inductors_of_sources @ [2.0]
        np.testing.assert_allclose(flows, [first, 2 - first], rtol=1e-9)
    finite = ktc.Emulator(net, replicas=2000, seed=1)
    finite.set(**circuit.controls(I1=2.0))
    finite.run(1e-3)
    finite.set(**circuit.controls(I1=-1.0))
    finite.run(1e-3)
    assert abs(finite.ledger.imbalance()) < 1e-12


def test_initial_currents():
    """Each inductor's own, where loops and nodes between inductors allow them."""
    text = "R1 a 0 1k\nC1 a 0 1n\nL1 a b 1u ic={one}\nL2 b c 4u\nL3 c 0 1u ic={other}\nL4 c 0 2u"
    circuit = ktc.Circuit.from_netlist(".param one=3 other=2\n" + text)
    net, state = circuit.compile(), circuit.initial_state()
    current = net.equation.inductors_of_gradient @ net.stiffness @ state
    np.testing.assert_allclose(current, [3, 3, 2, 1], rtol=1e-12)
    with refused(CircuitError, "L1", "contradicts"):
        ktc.Circuit.from_netlist(".param one=3 other=3\n" + text).initial_state()


@pytest.mark.parametrize(
    ("couplings", "parts"),
    [
        ([("L1", "L2", 0.9), ("L1", "L3", -0.9), ("L2", "L3", 0.9)],
         ["K0, K1, K2 couple L1, L2, L3", "not positive definite", "reduce"]),
        ([("L1", "L2", 0.5), ("l2", "l1", 0.5)], ["K0 and K1 both couple L1 and L2", "remove one"]),
        ([("L1", "L9", 0.5)], ["K0 couples L9", "does not have", "L1, L2, L3, L4"]),
        ([("L4", "L2", 0.1), ("L1", "L2", 1 - 1e-16)], ["K1 couple L1, L2", "not positive"]),
    ],
)  # fmt: skip
def test_couplings_that_no_windings_have(couplings, parts):
    circuit = ktc.Circuit()
    for k in range(1, 5):
        circuit.add(f"L{k}", f"n{k}", 0, k * 1e-6).add(f"R{k}", f"n{k}", 0, 1)
    for number, (one, other, value) in enumerate(couplings):
        circuit.add_coupling(f"K{number}", one, other, value=value)
    with refused(CircuitError, *parts):
        circuit.compile()


def test_nearly_ideal_transformers():
    """k = 1 − 1e-9: equipartition, and the books close."""
    circuit = ktc.Circuit.from_netlist("R1 a 0 1k\nL1 a 0 1m\nL2 b 0 1m\nR2 b 0 1k\nC1 b 0 1p")
    circuit.add_coupling("K1", "L1", "L2", value=1 - 1e-9)
    emulator = ktc.Emulator(circuit.compile(), replicas=1000, seed=1)
    emulator.run(1e-6)
    volts = circuit.voltages(emulator)[:, 1]
    assert np.var(volts) / (BOLTZMANN * circuit.kelvin / 1e-12) == pytest.approx(1, abs=0.25)
    assert abs(emulator.ledger.imbalance()) < 1e-9


@pytest.mark.parametrize("k", [0.5, -0.9])
def test_a_current_of_a_coupled_inductor_leaves_others_at_zero(k):
    """As ``tran uic`` of ngspice: i(L1) = 0; then i′ = −L⁻¹ R i."""
    text = f"L1 a 0 1m\nL2 b 0 4m ic=1m\nK1 L1 L2 {k}\nR1 a 0 1k\nR2 b 0 1k\nC1 b 0 1f ic=-1"
    circuit = ktc.Circuit.from_netlist(text.removesuffix("\nC1 b 0 1f ic=-1"))
    times = np.array([0.0, 0.5e-9, 1e-6])
    path = circuit.transient_mean(times)
    matrix = np.array([[1e-3, 2e-3 * k], [2e-3 * k, 4e-3]])
    rates, shapes = np.linalg.eig(np.linalg.solve(matrix, 1e3 * np.eye(2)))
    parts = np.linalg.solve(shapes, [0.0, 1e-3])
    wanted = np.exp(-np.outer(times, rates)) * parts @ shapes.T
    np.testing.assert_allclose(path.currents["L1"], wanted[:, 0], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(path.currents["L2"], wanted[:, 1], rtol=1e-9, atol=1e-15)
    with_charge = ktc.Circuit.from_netlist(text)
    start = with_charge.transient_mean([0.0])
    assert start.currents["L1"][0] == pytest.approx(0.0, abs=1e-15)
    assert start.currents["L2"][0] == pytest.approx(1e-3, rel=1e-12)
    assert start.voltages["b"][0] == pytest.approx(-1.0, rel=1e-12)


def test_a_current_of_a_coupled_inductor_in_series():
    """L1 and L2 in series carry one current, zero, though L3 is coupled to both."""
    text = "L1 a b 1m\nL2 b 0 2m\nL3 c 0 1m ic=1m\nK1 L1 L3 0.5\nK2 L2 L3 0.3\nR1 a 0 1k\nR2 c 0 1k"
    start = ktc.Circuit.from_netlist(text).transient_mean([0.0])
    assert [start.currents[name][0] for name in ("L1", "L2", "L3")] == pytest.approx(
        [0.0, 0.0, 1e-3], abs=1e-15
    )
