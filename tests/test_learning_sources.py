"""Sources of a circuit trained by their names."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import scipy.linalg

import ktc
from ktc._base.units import BOLTZMANN
from ktc._model.directions import NamedDirections
from ktc._theory.restricted_work import least_work_along

RC = "V1 in 0 0\nR1 in a 1k\nC1 a 0 1n"
#: V1 and V2 act through a capacitor and through a resistor; two units.
TWO = "V1 x 0 0\nC1 x a 1p\nR1 a 0 1meg\nC2 a 0 1p\nV2 y 0 0\nR2 y b 1meg\nC3 b 0 2p\nC4 a b 1p"
SERIES = "V1 p 0 1\nV2 in p 0\nR1 in a 1k\nC1 a 0 1n"
LONG = ktc.schedules.MinimalDissipation(4e-6)


class ByMetrics(ktc.schedules.MinimalDissipation):
    """Steers by F and ζ in closed form, without a drive computed beforehand."""


def circuit(text=RC):
    return ktc.Circuit.from_netlist(text)


def learned(text, data, names, duration, ticks=200, rule=ByMetrics, **options):
    schedule = rule(duration)
    given = {"replicas": math.inf} | options
    return ktc.learn(circuit(text), data, schedule, parameters=names, ticks=ticks, **given)


def test_work_of_a_source_behind_a_resistor_is_that_of_its_charges():
    fit = learned(RC, [3e-9], ("V1",), 4e-6)
    ohms, farads, hold = 1e3, 1e-9, 2e-8
    volts, charge, work = 0.0, 0.0, 0.0
    for value in fit.history.theta[:, 0]:
        work -= (value - volts) * charge
        volts = value
        charge = farads * volts + (charge - farads * volts) * math.exp(-hold / (ohms * farads))
    assert fit.work.mean == pytest.approx(work, rel=1e-12)
    assert fit.excess_work.mean == pytest.approx(work + 0.5 * farads * volts**2, rel=1e-9)
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, rel=1e-9)
    assert fit.theta_names == ("V1",)
    assert fit.parameters["V1"] == volts


def test_one_source_costs_the_bound_of_one_direction():
    # (C V)² R/(T + 2 R C), second order in the tick.
    per_volt = 1e-18 * 1e3 / (4e-6 + 2e-6)
    ratios = []
    for ticks in (300, 600):
        fit = learned(RC, [3e-9], ("V1",), 4e-6, ticks)
        volts = float(fit.parameters["V1"])
        assert fit.bound == pytest.approx(per_volt * volts**2, rel=1e-12)
        ratios.append(fit.excess_work.mean / fit.bound)
    assert ratios[0] == pytest.approx(1, abs=1e-4)
    assert (4 * ratios[1] - ratios[0]) / 3 == pytest.approx(1, abs=1e-9)
    assert volts == pytest.approx(3, rel=1e-4)
    assert fit.bound_target == pytest.approx(per_volt * 9, rel=1e-9)


def test_current_source_across_an_inductor_is_learned():
    # ∂H/∂I = −φ, F = L; at rest the inductor carries the current.
    text = "I1 0 a 0\nR1 a 0 1k\nL1 a 0 1m\nC1 a 0 1n"
    fit = learned(text, [0.0, 2e-6], "I1", 2e-5, 1000)
    made = circuit(text).compile().with_source_energy()
    parameters = fit.learned
    np.testing.assert_allclose(ktc.theory.fisher_matrix(made, parameters), [[1e-3]], rtol=1e-12)
    assert fit.parameters["I1"] == pytest.approx(2e-3, rel=1e-2)
    rest = fit.device.copy()
    rest.equilibrate()
    np.testing.assert_allclose(
        rest.moments().mean, [0.0, 1e-3 * fit.parameters["I1"]], rtol=1e-9, atol=1e-24
    )
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, rel=1e-9)


def test_metrics_of_sources_are_projections_of_those_of_the_bias():
    fit = learned(TWO, [3e-13, 2e-13], ("V2", "V1"), 1e-5)
    made = circuit(TWO).compile().with_source_energy()
    # At rest node b is at V2, and node a at zero, where V1 leaves the charge −C1 V1.
    capacitance = np.array([[3e-12, -1e-12], [-1e-12, 3e-12]])
    b = np.stack([[0.0, 1.0], np.linalg.solve(capacitance, [-1e-12, 0.0])], axis=1)
    np.testing.assert_allclose(fit.learned.to_bias, b, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        ktc.theory.fisher_matrix(made, fit.learned), np.diag([3e-12, 0.375e-12]), atol=1e-24
    )
    named = ktc.theory.fisher_matrix(made, ("V2", "V1"))
    np.testing.assert_array_equal(named, ktc.theory.fisher_matrix(made, fit.learned))
    charged = np.array([[-1e-12, -1e-12], [3e-12, 0.0]])  # per volt of V2 and of V1
    np.testing.assert_allclose(
        ktc.theory.friction_tensor(made, fit.learned), 1e6 * charged.T @ charged, rtol=1e-9
    )


def drives(K, R, B, change, duration, ticks):
    """Least excess work of drives that are held over ticks, by their own quadratic form."""
    d, p = B.shape
    moved = scipy.linalg.expm(-np.linalg.solve(R, K) * duration / ticks)
    pulled = (np.eye(d) - moved) @ np.linalg.solve(K, B)
    mean, before = np.zeros((d, ticks * p)), np.zeros((p, ticks * p))
    work = np.zeros((ticks * p,) * 2)
    for k in range(ticks):
        held = np.zeros_like(before)
        held[:, k * p : (k + 1) * p] = np.eye(p)
        work -= (held - before).T @ B.T @ mean
        mean, before = moved @ mean + pulled @ held, held
    work += before.T @ B.T @ mean
    slope = -change @ B.T @ mean
    found = np.linalg.solve(work + work.T, -slope)
    moved_by = B @ change
    rest = 0.5 * moved_by @ np.linalg.solve(K, moved_by)
    return found @ work @ found + slope @ found + rest


@pytest.mark.parametrize(("d", "p", "duration"), [(3, 1, 1.0), (3, 2, 0.2), (4, 1, 5.0)])
def test_least_work_of_some_directions_is_that_of_the_best_drive(d, p, duration):
    rng = np.random.default_rng(d + p)
    K, R = (x @ x.T + np.eye(d) for x in rng.normal(size=(2, d, d)))
    B, change = rng.normal(size=(d, p)), rng.normal(size=p)
    net = ktc.Network(K, R)
    found = least_work_along(net, B, change, duration)
    few, many = (drives(K, R, B, change, duration, ticks) for ticks in (60, 120))
    assert found == pytest.approx((4 * many - few) / 3, rel=3e-6)
    assert found > ktc.theory.least_excess_work(net, B @ change, duration)


def test_least_work_of_all_directions_is_that_of_the_bias_at_any_spread_of_rates():
    net = ktc.Network(np.diag([1e-6, 1.0, 1e6]), 1.0)
    change = np.array([1e-6, 1.0, 1e3])
    found = least_work_along(net, np.eye(3), change, 1.0)
    assert found == pytest.approx(ktc.theory.least_excess_work(net, change, 1.0), rel=1e-9)


def test_one_source_of_several_modes_costs_no_less_than_its_bound():
    # A ladder: V1 moves three modes, which no drive of it moves at will.
    ladder = "V1 in 0 0\nR1 in a 1k\nC1 a 0 1n\nR2 a b 1k\nC2 b 0 1n\nR3 b c 1k\nC3 c 0 1n"
    fit = learned(ladder, [1e-9, 1e-9, 1e-9], "V1", 2e-5)
    drive = learned(ladder, [1e-9] * 3, "V1", 2e-5, rule=ktc.schedules.MinimalDissipation)
    assert drive.rule == "open loop"
    assert 1 < drive.excess_work.mean / drive.bound < 1.001
    any_bias = ktc.theory.least_excess_work(fit.start, fit.network.bias, 2e-5)
    assert any_bias < fit.bound < fit.excess_work.mean < 1.1 * fit.bound
    assert fit.parameters["V1"] == pytest.approx(1.0, rel=1e-2)


def test_finite_ensembles_learn_in_si_units():
    data = np.random.default_rng(1).normal([3e-13, 2e-13], 1e-14, (50, 2))
    fit = learned(TWO, data, ("V1", "V2"), 1e-5, replicas=2000, seed=1)
    noise = fit.gradient_noise_work.mean
    assert 0 < noise < 1e-4 * fit.bound
    assert abs(fit.excess_work.mean - fit.bound) < 4 * fit.excess_work.stderr + 1e-4 * fit.bound
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, rel=1e-3)
    volts = circuit(TWO).op(**fit.parameters).voltages
    assert volts["b"] == pytest.approx(fit.parameters["V2"])
    means = fit.sample(4000, seed=2).mean(axis=0)
    spread = math.sqrt(BOLTZMANN * 300.15 * 3e-12)
    np.testing.assert_allclose(means, data.mean(axis=0), atol=0.01 * 3e-13 + spread / 12)
    untrained = circuit(TWO).compile()
    assert fit.score(data).mean > ktc.theory.log_likelihood(untrained, data)
    assert ktc.theory.wasserstein_bound(fit.start, fit.network, 1e-5) > 0
    assert len(fit.plot().axes) == 4


def test_fits_of_sources_are_saved_and_pickled(tmp_path):
    fit = learned(TWO, [3e-13, 2e-13], ("V1", "V2"), 1e-5, 50, replicas=64, seed=1)
    fit.save(tmp_path / "fit")
    for twin in (ktc.load(tmp_path / "fit"), pickle.loads(pickle.dumps(fit))):
        assert twin.parameters == fit.parameters
        assert twin.learned == fit.learned
        assert twin.theta_names == fit.theta_names
        assert twin.bound == fit.bound
        assert twin.likelihood_bias.mean == fit.likelihood_bias.mean
        np.testing.assert_array_equal(twin.sample(3, seed=1), fit.sample(3, seed=1))
        assert twin.completed_excess_work.mean == fit.completed_excess_work.mean


def test_a_run_of_sources_is_resumed_with_the_same_bits(tmp_path):
    def run(**options):
        emulator = ktc.Emulator(circuit(SERIES).compile().with_source_energy(), 64, seed=1)
        emulator.set(V1=2.0, V2=1.0)
        return ktc.learn(emulator, [5e-9], LONG, parameters="V2", ticks=20, **options)

    whole, kept = run(), tmp_path / "run"
    stopped = run(checkpoint=kept, every=5, callback=lambda record: record.tick == 12)
    assert stopped.stopped_early
    resumed = ktc.resume(kept, callback=lambda record: None)
    np.testing.assert_array_equal(resumed.history.theta, whole.history.theta)
    np.testing.assert_array_equal(resumed.device.remembered_sources, [2.0, whole.theta[0]])


def test_learned_values_go_to_any_emulator_of_the_circuit():
    made = circuit(TWO)
    fit = learned(TWO, [3e-13, 2e-13], ("V1", "V2"), 1e-5)
    emulator = ktc.Emulator(made, replicas=math.inf)
    emulator.set(**fit.parameters)
    emulator.equilibrate()
    fit.device.equilibrate()
    np.testing.assert_allclose(emulator.moments().mean, fit.device.moments().mean, rtol=1e-9)
    volts = [made.op(**fit.parameters).voltages[node] for node in made.nodes]
    for each in (emulator, fit.device):
        np.testing.assert_allclose(made.voltage_moments(each).mean, volts, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(list(made.powers(each).values()), 0.0, atol=1e-18)
    np.testing.assert_array_equal(
        fit.device.remembered_sources, [fit.parameters["V1"], fit.parameters["V2"]]
    )


def test_a_running_emulator_goes_on_and_remembers_other_sources():
    made = circuit(SERIES)
    emulator = ktc.Emulator(made.compile().with_source_energy(), replicas=100, seed=1)
    emulator.set(V1=2.0, V2=1.0)
    emulator.equilibrate()
    fit = ktc.learn(emulator, [5e-9], LONG, parameters=("v2",), ticks=200)
    assert fit.device is emulator
    assert fit.parameters["V2"] == pytest.approx(3.0, rel=1e-3)
    np.testing.assert_array_equal(emulator.remembered_sources, [2.0, fit.parameters["V2"]])
    assert made.powers(emulator)["V1"] == pytest.approx(
        2 / 3 * made.powers(emulator)["V2"], rel=1e-3
    )


@pytest.mark.parametrize(
    "text",
    [
        RC,
        TWO,
        "V1 in 0 1\nR1 in a 1k\nL1 a b 1m\nC1 b 0 1n",
        "I1 0 a 1m\nR1 a 0 1k\nL1 a 0 1m\nC1 a 0 1n",
        "V1 in 0 1\nR1 in m 1k\nR2 m a 1k\nC1 a 0 1n\nR3 a b 1k\nC2 b 0 1n",
    ],
)
def test_counting_source_energy_changes_accounts_but_not_the_motion(text):
    made = circuit(text)
    plain = ktc.Emulator(made, replicas=math.inf)
    counted = ktc.Emulator(made.compile().with_source_energy(), replicas=math.inf)
    name = made.compile().sources[-1]
    for each in (plain, counted):
        each.equilibrate()
    energy = counted.energy()[0] - plain.energy()[0]
    for value in (0.5, 2.0, -1.0):
        for each in (plain, counted):
            each.set(**{name: value * 1e-3})
            each.run(2.3e-7)
    here, there = plain.moments(), counted.moments()
    size = np.abs(here.mean).max() + np.sqrt(here.covariance.diagonal())
    np.testing.assert_allclose(there.mean / size, here.mean / size, atol=1e-12)
    np.testing.assert_allclose(there.covariance, here.covariance, rtol=1e-9, atol=1e-40)
    volts = [made.voltage_moments(each).mean for each in (plain, counted)]
    np.testing.assert_allclose(volts[1], volts[0], atol=1e-12)
    # The first law of both: what sources delivered is the work of updates and a change of H.
    given = [each.ledger.work[0] + each.ledger.source[0] for each in (plain, counted)]
    heats = [each.ledger.heat[0] for each in (plain, counted)]
    assert heats[1] == pytest.approx(heats[0], rel=1e-9, abs=1e-9 * abs(given[0]))
    moved = counted.energy()[0] - plain.energy()[0] - energy
    assert given[1] == pytest.approx(given[0] + moved, rel=1e-9, abs=1e-9 * abs(moved))
    assert not counted.ledger.source.any()


def test_source_energy_is_saved_with_an_emulator(tmp_path):
    made = circuit("V1 in 0 2\nR1 in a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(made.compile().with_source_energy(), replicas=64, seed=1)
    emulator.set(V1=1.0)
    emulator.save(tmp_path / "emulator")
    again = ktc.Emulator.load(tmp_path / "emulator")
    for each in (emulator, again):
        each.set(V1=3.0)
        each.run(1e-6)
    np.testing.assert_array_equal(emulator.read(), again.read())
    np.testing.assert_array_equal(made.voltages(emulator), made.voltages(again))
    assert made.compile().with_source_energy().with_source_energy().sources == ("V1",)


DIVIDER = "V1 in 0 0\nR1 in a 1k\nR2 a 0 1k\nC1 a 0 1n"
REFUSED = [
    (DIVIDER, "V1", "V1 drives a steady current through R1, R2"),
    ("I1 0 a 0\nR1 a 0 1k\nC1 a 0 1n", "I1", "I1 drives a steady current through R1"),
    (RC + "\nR9 in 0 1k", "V1", "V1 drives a steady current through R9"),
    (RC + "\nI2 0 in 0", "I2", "I2 acts on no charge and no flux"),
    (RC, ("V1", "V2"), "or of the sources 'V1'"),
    (RC, ("V1", "bias"), "'V1' beside 'bias'"),
    (RC, ("V1", "v1"), "names a source twice"),
    ("V1 p 0 0\nV2 in p 0\nR1 in a 1k\nC1 a 0 1n", ("V1", "V2"), "V2 acts on the network as V1"),
    (TWO + "\nV3 z 0 0\nC9 z a 1p\nR3 a 0 1meg", ("V1", "V3"), "V3 acts on the network as V1"),
    (
        "V1 x 0 0\nV2 y 0 0\nV3 z 0 0\nC1 x a 1p\nC2 y b 2p\nC3 z a 3p\nC4 a b 1p\n"
        "R1 a 0 1\nR2 b 0 1",
        ("V1", "V2", "V3"),
        "V3 acts on the network as V1",
    ),
    (RC + "\nV2 q 0 5\nR3 q r 1k\nR4 r 0 1k\nC7 r 0 1n", "V1", "V2 is at 5"),
    (RC + "\nE1 q 0 a 0 1\nR3 q b 1k\nC3 b 0 1n", "V1", "controlled sources"),
]


@pytest.mark.parametrize(("text", "names", "message"), REFUSED)
def test_what_cannot_be_learned_is_refused_by_name(text, names, message):
    made = circuit(text)
    data = np.zeros(made.compile().units)
    with pytest.raises(ValueError, match=message.replace("(", "\\(")):
        ktc.learn(made, data, LONG, parameters=names, replicas=64)


def test_running_emulators_are_refused_before_they_move():
    made = circuit()
    emulator = ktc.Emulator(made, replicas=64, seed=1)
    with pytest.raises(ValueError, match="with_source_energy"):
        ktc.learn(emulator, [1e-9], LONG, parameters="V1")
    series = circuit("V1 p 0 0\nV2 q p 0\nC1 q a 1n\nR1 a 0 1k")
    moved = ktc.Emulator(series, replicas=64, seed=1)
    moved.set(bias=[3.0])
    with pytest.raises(ValueError, match="V1, V2 act only together"):
        ktc.learn(moved, [1e-9], LONG, parameters="V1")
    with pytest.raises(ValueError, match="mask"):
        ktc.learn(made, [1e-9], LONG, parameters="V1", mask=[[True]])
    sparse = circuit()
    sparse.compile(sparse=True)
    with pytest.raises(ValueError, match="sparse=False"):
        ktc.learn(sparse, [1e-9], LONG, parameters="V1")
    for each in (emulator, moved):
        assert each.time == 0
        assert not each.ledger.heat.any()


class Steered(ktc.Network):
    """Two units whose bias has one named direction, without a circuit."""

    direction_names = ("tilt",)

    def directions(self, names):
        return NamedDirections(("tilt",), np.array([[1.0], [-2.0]]), ("V",))

    def direction_values(self, names, controls, remembered=None):
        return {"tilt": 0.5}

    def with_source_energy(self):
        return self


def test_the_learner_needs_no_circuit():
    net = Steered([[2.0, 0.5], [0.5, 1.0]], 1.0, bias=[0.7, -0.8])
    fit = ktc.learn(
        net, [1.0, -3.0], ktc.schedules.MinimalDissipation(3.0), parameters="tilt",
        replicas=math.inf, ticks=300,
    )  # fmt: skip
    # The least square distance of b₀ + B s from K × data, in the metric K⁻¹.
    b0, B, K = np.array([0.2, 0.2]), np.array([1.0, -2.0]), net.stiffness
    best = B @ (np.array([1.0, -3.0]) - np.linalg.solve(K, b0)) / (B @ np.linalg.solve(K, B))
    assert fit.learned.vector(fit.maximum_likelihood)[0] == pytest.approx(best, rel=1e-12)
    assert fit.theta_names == ("tilt",)
    assert fit.theta[0] == pytest.approx(best, rel=2e-2)
    assert fit.bound <= fit.excess_work.mean
    np.testing.assert_allclose(fit.network.bias, b0 + B * fit.theta, rtol=1e-12)


def test_a_best_rate_of_a_source_is_found():
    best = ktc.best_rate(
        circuit(), [3e-9], lambda rate: ktc.schedules.Constant(4e-6, rate), parameters="V1",
        replicas=math.inf, ticks=40,
    )  # fmt: skip
    # Below what jumps allow, above the bound of T.
    assert best.completed_excess_work.mean > 1.5e-9
    assert best.completed_excess_work.mean < 2.5e-9
