"""Node voltages and branch currents as named results of emulators and runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc

BOLTZMANN = 1.380649e-23
TEXT = (
    "V1 in 0 1u\nR1 in a 1k kelvin=300\nR2 a 0 1k kelvin=100\nC1 a 0 1n\nL1 a b 1m\n"
    "R3 b 0 50 kelvin=200\nC2 b 0 1n\nI1 0 b 1n"
)


def circuit(text=TEXT):
    return ktc.Circuit.from_netlist(text)


def test_stationary_moments_are_the_operating_point_and_the_integral_of_the_noise():
    """∫ S df = variance, by quadrature in ln f of densities that need no compilation."""
    made = circuit()
    found = made.voltage_moments(ktc.Emulator(made, replicas=math.inf))
    point = made.op()
    np.testing.assert_allclose(found.mean, list(point.voltages.values()), rtol=1e-9, atol=1e-20)
    f = np.geomspace(1e-1, 1e12, 60_001)
    for node in ("a", "b"):
        noise = made.noise(node, f)
        place = made.nodes.index(node)
        total = np.trapezoid(noise.density * f, np.log(f))
        assert found.covariance[place, place] == pytest.approx(total, rel=1e-6)
    assert not found.covariance[0].any()


def test_moments_of_replicas_are_those_of_their_voltages():
    made = circuit()
    emulator = ktc.Emulator(made, replicas=500, seed=2)
    emulator.set(V1=3e-6)
    emulator.run(1e-7)
    volts, found = made.voltages(emulator), made.voltage_moments(emulator)
    np.testing.assert_allclose(found.mean, volts.mean(axis=0), rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(found.covariance, np.cov(volts.T, bias=True), rtol=1e-9, atol=1e-24)


def test_currents_obey_ohm_and_kirchhoff():
    made = circuit()
    for replicas in (math.inf, 20):
        options = {} if replicas == math.inf else {"seed": 1}
        emulator = ktc.Emulator(made, replicas=replicas, **options)
        currents = made.currents(emulator)
        assert set(currents) == {"R1", "R2", "R3", "L1"}
        assert currents["L1"].shape == (() if replicas == math.inf else (20,))
    exact = made.currents(ktc.Emulator(made, replicas=math.inf))
    for name, amperes in exact.items():
        assert amperes == pytest.approx(made.op().currents[name], rel=1e-9)


def test_records_of_voltages_follow_the_sources():
    made = circuit()
    emulator = ktc.Emulator(made, replicas=50, seed=3)
    names = ("voltages", "voltage_mean", "voltage_covariance", "state")
    drive = ktc.Protocol(np.full(6, 1e-7), {"V1": np.arange(6) * 1e-6}, final={"V1": -1.0})
    run = emulator.play(drive, record=names, every=2)
    volts = run.series["voltages"]
    assert volts.shape == (3, 50, 3)
    np.testing.assert_allclose(volts[:, :, 0], np.array([1, 3, 5])[:, None] * np.full(50, 1e-6))
    place = made.compile().coordinates.index("q(a)")
    np.testing.assert_allclose(volts[:, :, 1], run.series["state"][:, :, place] / 1e-9, rtol=1e-12)
    np.testing.assert_allclose(run.series["voltage_mean"], volts.mean(axis=1), rtol=1e-9)
    for found, record in zip(run.series["voltage_covariance"], volts, strict=True):
        np.testing.assert_allclose(found, np.cov(record.T, bias=True), rtol=1e-8, atol=1e-24)
    assert made.voltages(emulator)[0, 0] == pytest.approx(-1.0, rel=1e-12)


def test_records_by_controls_are_those_by_name(tmp_path):
    made = circuit()
    values = np.linspace(0, 2e-6, 5)
    runs = []
    for controls in ({"V1": values, "I1": values}, made.controls(V1=values, I1=values)):
        emulator = ktc.Emulator(made, replicas=math.inf)
        drive = ktc.Protocol(np.full(5, 1e-7), controls)
        runs.append(emulator.play(drive, record="voltage_mean", to=tmp_path / f"{len(runs)}.npy"))
    one, other = (run.series["voltage_mean"] for run in runs)
    np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(one[:, 0], values, atol=1e-20)


def test_records_of_what_is_not_determined_are_refused_before_anything_moves():
    made = circuit("V1 m 0 0\nV2 up m 1\nR1 up a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(made, replicas=5, seed=1)
    drive = ktc.Protocol([1e-7], made.controls(V1=[2.0]))
    with pytest.raises(ValueError, match="V1, V2 act on them only together"):
        emulator.play(drive, record="voltages")
    assert emulator.time == 0.0
    assert emulator.play(ktc.Protocol([1e-7], {"V1": [2.0]}), record="voltages").times == 1e-7
    plain = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=5, seed=1)
    with pytest.raises(ValueError, match="a record of voltages needs the emulator of a circuit"):
        plain.play(ktc.Protocol([1.0], {}), record="voltages")
    exact = ktc.Emulator(made, replicas=math.inf)
    with pytest.raises(ValueError, match="'voltages' needs individual replicas.*'voltage_mean'"):
        exact.play(ktc.Protocol([1.0], {}), record="voltages")


def test_spectrum_of_a_node():
    """At low frequency 4kT R; the mean over 40 bins of 200 replicas errs by 1.1 %."""
    made = circuit("V1 in 0 0\nR1 in a 1k kelvin=300\nC1 a 0 1n")
    emulator = ktc.Emulator(made, replicas=200, seed=5)
    run = emulator.play(ktc.Protocol(np.full(4096, 2e-7), {}), record="voltages")
    spectrum = run.spectrum("A", segments=8)
    low = spectrum.frequency[2:42]
    wanted = made.noise("a", low).density
    assert np.mean(spectrum.density[2:42] / wanted) == pytest.approx(1.0, abs=0.02)
    with pytest.raises(ValueError, match="unit must be one of"):
        run.spectrum("x")


def test_statistics_of_node_voltages():
    """The same linear map of the same samples as records of every tick."""
    made = circuit()
    emulator = ktc.Emulator(made, replicas=40, seed=3)
    wanted = ktc.Statistics(covariance=True)
    rest = ktc.Protocol(np.full(30, 1e-7), {}, final={"V1": 1.0})
    run = emulator.play(rest, record="voltages", statistics=wanted)
    samples = run.series["voltages"].reshape(-1, 3)
    found = run.voltage_moments
    np.testing.assert_allclose(found.mean, samples.mean(axis=0), rtol=1e-9, atol=1e-20)
    expected = np.cov(samples.T, bias=True)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-8, atol=1e-24)
    driven = emulator.play(ktc.Protocol([1e-7], {"V1": [0.0]}), statistics=wanted)
    with pytest.raises(ValueError, match="needs held controls, but the protocol drives emf"):
        _ = driven.voltage_moments


def test_learned_biases_are_values_of_sources():
    """The circuit at V1, V2 has the mean of the data, which is reached within 1e-3."""
    made = circuit(
        "V1 x 0 0\nC1 x a 1p\nR1 a 0 1meg\nV2 y 0 0\nC2 y b 1p\nR2 b 0 1meg\nC3 a b 0.5p\nC4 a 0 1p"
    )
    truth = made.compile().with_controls(**made.controls(V1=3e-5, V2=-2e-5))
    data = np.linalg.solve(truth.stiffness, truth.bias)[None]
    schedule = ktc.schedules.MinimalDissipation(duration=1e-4)
    fit = ktc.learn(made, data, schedule, replicas=math.inf, ticks=200)
    assert made.sources(fit.controls) == pytest.approx({"V1": 3e-5, "V2": -2e-5}, rel=1e-3)
    series = circuit("V1 m 0 0\nV2 up m 1\nR1 up a 1k\nC1 a 0 1n\nI1 0 a 1n")
    controls = series.compile().with_controls(**series.controls(V1=2.0)).controls
    assert series.sources(controls) == pytest.approx({"I1": 1e-9})


def test_transient_mean_is_the_mean_of_the_infinite_ensemble():
    made = circuit(TEXT + "\n.ic v(a)=2u")
    times = np.linspace(0, 6e-7, 7)
    values = np.array([1.0, 4.0, 2.0, 0.0, -1.0, 3.0]) * 1e-6
    path = made.transient_mean(times, V1=values, I1=5e-9)
    emulator = ktc.Emulator(made, replicas=math.inf, state=made.initial_state())
    drive = ktc.Protocol(np.diff(times), {"V1": values, "I1": np.full(6, 5e-9)})
    run = emulator.play(drive, record="voltage_mean")
    for place, node in enumerate(made.nodes[1:], 1):
        found = path.voltages[node][1:]
        np.testing.assert_allclose(found, run.series["voltage_mean"][:, place], rtol=1e-10)
    assert path.voltages["a"][0] == pytest.approx(2e-6, rel=1e-12)
    np.testing.assert_array_equal(path.voltages["in"], [*values, values[-1]])
    rest = made.transient_mean([0.0, 1.0], "op")
    for node, volts in made.op().voltages.items():
        np.testing.assert_allclose(rest.voltages[node], volts, rtol=1e-9)
    for name in ("R1", "L1"):
        np.testing.assert_allclose(rest.currents[name], made.op().currents[name], rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.0, 0.0],), ValueError, "times must be an ascending"),
        (([0.0, 1.0], "start"), ValueError, "state must be an array, None or 'op'"),
        (([0.0, 1.0], [1.0, 2.0]), ValueError, "state must be a scalar or of shape"),
    ],
)
def test_wrong_arguments_of_transient_mean(arguments, error, message):
    with pytest.raises(error, match=message):
        circuit().transient_mean(*arguments)
    with pytest.raises(ValueError, match="one value per interval of times, 2 in all, but have 3"):
        circuit().transient_mean([0.0, 1.0, 2.0], V1=[1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="unknown source 'V7'"):
        circuit().transient_mean([0.0, 1.0], V7=1.0)


ACROSS = (
    "V1 in 0 1u\nR1 in a 1k kelvin=300\nR2 a 0 1k\nC1 a 0 1n\nL1 a b 1m\nR3 b 0 50\nC2 b x 1n\n"
    "V2 x 0 -2u\nI1 0 m 1n\nR4 m b 10\nV3 y 0 3u\nR5 y y2 0\nR6 y2 0 1k\nL2 y2 a 1m\nR7 in 0 1k"
)


def test_powers_at_rest_are_those_of_the_operating_point():
    made = circuit(ACROSS)
    found = made.powers(ktc.Emulator(made, replicas=math.inf))
    wanted = made.op().power
    assert set(found) == set(wanted)
    for name, watts in wanted.items():
        assert found[name] == pytest.approx(watts, rel=1e-8, abs=1e-24), name


def test_powers_sum_to_the_change_of_energy_and_heat():
    """∫ Σ P dt by Gauss–Legendre quadrature = ⟨heat⟩ + change of what C and L store at held θ."""
    made = circuit(ACROSS)
    emulator = ktc.Emulator(made, replicas=math.inf)
    emulator.set(V1=5e-6, V2=1e-6, I1=3e-9)
    emulator.run(1e-7)
    at, weights = np.polynomial.legendre.leggauss(24)
    hold = 4e-7
    total = 0.0
    for node, weight in zip(at, weights, strict=True):
        moved = emulator.copy()
        moved.run(0.5 * hold * (1 + node))
        total += 0.5 * hold * weight * sum(made.powers(moved).values())
    before = (emulator.ledger.heat[0], stored(made, emulator))
    emulator.run(hold)
    after = (emulator.ledger.heat[0], stored(made, emulator))
    assert total == pytest.approx(after[0] - before[0] + after[1] - before[1], rel=1e-8)


def stored(made, emulator):
    """Mean energy of the capacitors and inductors of ACROSS."""
    found = made.voltage_moments(emulator)
    place = dict(zip(made.nodes, range(len(made.nodes)), strict=True))
    a, b, x = (place[node] for node in "abx")
    mean, covariance = found.mean, found.covariance
    energy = 0.5e-9 * (mean[a] ** 2 + covariance[a, a])
    energy += 0.5e-9 * ((mean[b] - mean[x]) ** 2 + covariance[b, b])
    net = made.compile()
    for name in ("L1", "L2"):
        row = net.equation.inductors_of_gradient[net.equation.inductors.index(name)]
        spread = row @ net.stiffness @ emulator.moments().covariance @ net.stiffness @ row
        energy += 0.5e-3 * (made.currents(emulator)[name] ** 2 + spread)
    return energy


def test_a_circuit_goes_where_a_network_goes():
    made = circuit("R1 a 0 1k\nC1 a 0 1n\nV1 x 0 0\nC2 x a 1n")
    net = made.compile()
    np.testing.assert_array_equal(
        ktc.spectra.spectral_density(made, 1e3), ktc.spectra.spectral_density(net, 1e3)
    )
    assert ktc.theory.equilibrium(made).covariance == ktc.theory.equilibrium(net).covariance
    options = {"duration": 1e-6, "replicas": 10, "seed": 1}
    studies = [ktc.convergence(c, lambda e: e.read()[:, 0], **options) for c in (made, net)]
    assert studies[0].estimates[0].mean == studies[1].estimates[0].mean


def test_nodes_of_a_circuit_are_in_the_order_of_its_columns():
    made = circuit(
        "G0 n2 n3 N1 0 0.3m\nR1 0 n0 1k\nR4 n2 n3 500\nR5 n1 0 1k\nC7 0 n1 1n\nR3 n0 n1 1k\n"
        "R9 n2 n1 1k"
    )
    assert made.nodes == made.compile().nodes == ("n2", "n3", "n0", "N1")
    found = made.voltage_moments(ktc.Emulator(made, replicas=math.inf)).mean
    np.testing.assert_allclose(found, list(made.op().voltages.values()), atol=1e-20)
