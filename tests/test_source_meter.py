"""Energy of each source of a circuit: exact means and covariances, and draws for each replica."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg

import ktc

DIVIDERS = (
    "V1 in 0 2\nV2 b 0 1\nR1 in a 1k\nR2 a b 2k\nC1 a 0 1n\nR3 a c 5k kelvin=600\n"
    "I1 0 c 1m noise=1e-20\nC2 c 0 2n"
)
#: V3 is in series with a capacitor, I1 drives a tank.
TANK = (
    "V1 in 0 2\nR1 in a 1k\nL1 a b 1m\nC1 b 0 1n\nR2 b 0 3k kelvin=77\nV3 p 0 1\nC3 p b 1n\n"
    "I1 0 b 1m"
)
CIRCUITS = [DIVIDERS, TANK]
#: Holds [s] and values of the first two sources.
PLAN = [(1e-9, 2.0, 1.0), (3e-7, -1.0, 0.5), (4e-6, 3.0, -2.0), (2e-5, 0.0, 0.7)]


def circuit(text):
    return ktc.Circuit.from_netlist(text)


def played(meter, plan=PLAN):
    names = list(meter)[:2]
    for hold, *values in plan:
        meter.emulator.set(**dict(zip(names, values, strict=True)))
        meter.run(hold)


class Reference:
    """Mean and covariance of state and energies by the moment equations of both together."""

    def __init__(self, net):
        eq, core = net.equation, net.core.elements
        n, k = net.units, len(net.sources)
        self.n, self.k, self.eq = n, k, eq
        self.K, self.theta = net.stiffness, np.array(eq.values)
        d, g, a = core.directions, core.conductance, core.source_directions
        T = np.atleast_1d(net.controls.arrays()["kT"])[core.account]
        E, I = eq.emf_of, eq.current_of  # noqa: E741
        flow = net.core.flow
        # dQ_j = Σ E_rj dξ_r + Σ I_sj a_s·∇H dt + β_j·dx, dξ = −g (d·∇H − e) dt + noise.
        self.of_gradient = np.vstack(
            [flow, -(g[:, None] * E).T @ d + I.T @ a + eq.bias_of.T @ flow]
        )
        push = np.hstack([d.T @ (g[:, None] * E) + a.T @ I])
        self.of_theta = np.vstack([push, (g[:, None] * E).T @ E + eq.bias_of.T @ push])
        along = np.hstack([d, E + d @ eq.bias_of])
        white = np.hstack([core.noise_directions, core.noise_directions @ eq.bias_of])
        self.D = along.T @ ((2 * T * g)[:, None] * along)
        self.D += white.T @ (core.noise_density[:, None] * white)
        self.mean, self.cov = np.zeros(n + k), np.zeros((n + k, n + k))

    def hold(self, theta, time):
        n, k = self.n, self.k
        slope = np.zeros((n + k, n + k))
        slope[:, :n] = self.of_gradient @ self.K
        constant = self.of_theta @ theta - self.of_gradient @ (self.eq.bias_of @ theta)
        # Energies so far stay; charges of this hold start at zero.
        size = n + k
        steps = max(1, int(time / 1e-7))
        h = time / steps
        block = np.block([[-slope, self.D], [np.zeros((size, size)), slope.T]])
        moved = scipy.linalg.expm(block * h)
        decay = moved[size:, size:].T
        noise = decay @ moved[:size, size:]
        affine = scipy.linalg.expm(
            np.block([[slope, constant[:, None]], [np.zeros((1, size + 1))]]) * h
        )
        mean = np.concatenate([self.mean[:n], np.zeros(k)])
        joint = np.zeros((n + 2 * k, n + 2 * k))
        held = [*range(n), *range(n + k, n + 2 * k)]
        joint[np.ix_(held, held)] = self.cov
        grown = np.eye(n + 2 * k)
        grown[:size, :size] = decay
        added = np.zeros_like(joint)
        added[:size, :size] = noise
        for _ in range(steps):
            mean = affine[:size, :size] @ mean + affine[:size, size]
            joint = grown @ joint @ grown.T + added
        sums = np.zeros((n + k, n + 2 * k))
        sums[:n, :n] = np.eye(n)
        sums[n:, n : n + k] = np.diag(theta)
        sums[n:, n + k :] = np.eye(k)
        self.cov = sums @ joint @ sums.T
        self.mean = np.concatenate([mean[:n], self.mean[n:] + theta * mean[n:]])

    def play(self, plan=PLAN):
        for hold, *values in plan:
            self.theta[: len(values)] = values
            self.hold(self.theta, hold)
        return self.mean[self.n :], self.cov[self.n :, self.n :]


def started(net, **options):
    """An emulator and the moment equations from one state."""
    state = np.linspace(1.0, 2.0, net.units) / np.diagonal(net.stiffness)
    reference = Reference(net)
    reference.mean[: net.units] = state
    return ktc.SourceMeter(ktc.Emulator(net, state=state, **options)), reference


@pytest.mark.parametrize("text", CIRCUITS)
def test_infinite_ensembles_have_the_moments_of_the_moment_equations(text):
    meter, reference = started(circuit(text).compile(), replicas=math.inf)
    played(meter)
    mean, covariance = reference.play()
    found = np.array([meter[name].mean for name in meter])
    np.testing.assert_allclose(found, mean, rtol=1e-9, atol=1e-9 * np.abs(mean).max())
    width = np.sqrt(np.diagonal(covariance))
    np.testing.assert_allclose(
        meter.covariance / np.outer(width, width), covariance / np.outer(width, width), atol=1e-7
    )
    ledger = meter.emulator.ledger
    assert found.sum() == pytest.approx(float(ledger.source[0] + ledger.supply[0]), rel=1e-12)


@pytest.mark.parametrize("text", CIRCUITS)
def test_variance_of_the_sum_is_that_of_the_ledger(text):
    # Where no source is in series with a capacitor, supply is zero.
    meter, _ = started(
        circuit(text.replace("V3 p 0 1\nC3 p b", "C3 0 b")).compile(), replicas=math.inf
    )
    played(meter)
    assert meter.covariance.sum() == pytest.approx(
        meter.emulator.ledger.variance("source"), rel=1e-9
    )


def test_rounding_of_the_state_does_not_pass_for_noise():
    """Over holds so short that the last digit of a flux is as large as its noise."""
    text = (
        "C1 1 0 3.04p\nR1 1 in 4712\nC2 2 0 12.71p\nR2 2 1 441\nC3 3 0 19.25p\nR3 3 2 6824\n"
        "C4 4 0 162p\nR4 4 3 111\nV1 in 0 -2.3\nL1 1 4 985u\nR9 4 0 46k\nI1 0 2 59u\nV3 r 0 0.7\n"
        "R8 r 4 312"
    )
    net = circuit(text).compile()
    plan = [(1e-12, 0.3, 1e-4), (1e-12, -1.0, -2e-4)]
    many = 20_000
    meters = [started(net, **options)[0] for options in (
        {"replicas": math.inf}, {"replicas": many, "seed": 17}
    )]  # fmt: skip
    for meter in meters:
        played(meter, plan)
    exact, sampled = meters
    for name in exact:
        error = sampled[name].mean - exact[name].mean
        # Three means at 4.5 standard errors; false alarm 2e-5.
        assert abs(error) < 4.5 * math.sqrt(exact[name].variance / many)


@pytest.mark.parametrize("text", CIRCUITS)
def test_replicas_have_these_moments_and_the_sum_of_the_ledger(text):
    many = 20_000
    meter, reference = started(circuit(text).compile(), replicas=many, seed=5)
    played(meter)
    mean, covariance = reference.play()
    energies = np.stack(list(meter.samples.values()), axis=1)
    width = np.sqrt(np.diagonal(covariance))
    assert (width[:3] > 0).all()
    # Of 3 means and 6 moments at 4.5 standard errors; false alarm 6e-5.
    assert (np.abs(energies.mean(axis=0) - mean) < 4.5 * width / math.sqrt(many)).all()
    found = np.cov(energies.T) / np.outer(width, width)
    wanted = covariance / np.outer(width, width)
    error = np.sqrt((1 + wanted**2) / many)
    assert (np.abs(found - wanted) < 4.5 * error).all()
    ledger = meter.emulator.ledger
    total = ledger.source + ledger.supply
    np.testing.assert_allclose(
        energies.sum(axis=1), total, rtol=1e-12, atol=1e-12 * np.abs(total).max()
    )
    # Joint with the state: Cov(E, x) of the moment equations, at 4.5 standard errors.
    state = meter.emulator.read()
    units = state.shape[1]
    both = np.cov(np.hstack([state, energies]).T)
    root = np.sqrt(np.diagonal(reference.cov))
    r = reference.cov / np.outer(root, root)
    assert (
        np.abs(both / np.outer(root, root) - r)[:units] < 4.5 * np.sqrt((1 + r**2) / many)[:units]
    ).all()


def test_a_meter_leaves_states_and_ledger_as_they_are():
    made = circuit(DIVIDERS)
    alone = ktc.Emulator(made, replicas=100, seed=3)
    meter = ktc.SourceMeter(ktc.Emulator(made, replicas=100, seed=3))
    protocol = ktc.Protocol.ramp(1e-5, 7, V1=(0.0, 2.0), I1=(1e-3, 0.0))
    meter.play(protocol)
    for hold, v, i in zip(
        protocol.holds, protocol.controls["V1"], protocol.controls["I1"], strict=True
    ):
        alone.set(V1=v, I1=i)
        alone.run(hold)
    alone.set(**protocol.final)
    np.testing.assert_array_equal(alone.read(), meter.emulator.read())
    np.testing.assert_array_equal(alone.ledger.source, meter.emulator.ledger.source)
    np.testing.assert_array_equal(alone.remembered_sources, meter.emulator.remembered_sources)


def test_replicas_do_not_depend_on_which_others_there_are():
    made = circuit(DIVIDERS)

    def samples(**options):
        meter = ktc.SourceMeter(ktc.Emulator(made, seed=3, **options))
        meter.play(ktc.Protocol.ramp(1e-5, 3, V1=(0.0, 2.0)))
        return meter.samples["V1"]

    whole = samples(replicas=1500, threads=2)
    parts = [samples(replicas=700), samples(replicas=800, first_replica=700, threads=1)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)
    assert np.std(whole) > 0


def test_mean_energies_are_the_mean_powers_over_time():
    made = circuit(TANK)
    emulator = ktc.Emulator(made, replicas=math.inf)
    emulator.set(V1=-1.0, V3=2.0)
    meter = ktc.SourceMeter(emulator)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    hold = 2e-6
    energy = dict.fromkeys(meter, 0.0)
    probe = emulator.copy()
    for gap, weight in zip(np.diff(0.5 * hold * (1 + nodes), prepend=0.0), weights, strict=True):
        probe.run(gap)
        for name, power in made.powers(probe).items():
            energy[name] += 0.5 * hold * weight * power
    meter.run(hold)
    assert {name: each.mean for name, each in meter.items()} == pytest.approx(energy, rel=1e-8)


def test_sources_that_act_together_share_by_their_voltages():
    made = circuit("V1 p 0 3\nV2 in p -1\nR1 in a 1k\nC1 a 0 1n\nR2 a 0 1k")
    meter = ktc.SourceMeter(ktc.Emulator(made, replicas=100, seed=1))
    meter.run(1e-6)
    found = meter.samples
    np.testing.assert_allclose(found["V1"], -3 * found["V2"], rtol=1e-9)
    cancelled = circuit("V1 p 0 1\nV2 in p -1\nR1 in a 1k\nC1 a 0 1n\nR2 a 0 1k")
    meter = ktc.SourceMeter(ktc.Emulator(cancelled, replicas=100, seed=1))
    meter.run(1e-6)
    np.testing.assert_allclose(meter.samples["V1"], -meter.samples["V2"], rtol=1e-9)
    assert np.std(meter.samples["V1"]) > 0


def test_sources_in_h_deliver_at_held_values():
    made = circuit("V1 in 0 2\nR1 in a 1k\nC1 a 0 1n")
    plain = ktc.SourceMeter(ktc.Emulator(made, replicas=50, seed=1))
    counted = ktc.SourceMeter(
        ktc.Emulator(made.compile().with_source_energy(), replicas=50, seed=1)
    )
    for meter in (plain, counted):
        meter.emulator.set(V1=5.0)
        meter.run(1e-6)
        charge = meter.emulator.ledger.supply / 5.0 + meter.emulator.ledger.source / 5.0
        np.testing.assert_allclose(meter.samples["V1"], 5.0 * charge, rtol=1e-12)
    # V1 Q, with Q the charge of the capacitor.
    mean = 5.0 * 1e-9 * 3.0 * (1 - math.exp(-1))
    assert plain["V1"].mean == pytest.approx(mean, rel=1e-3)


def test_active_circuits_have_meters():
    text = "V1 in 0 1\nR1 in a 1k\nC1 a 0 1n\nE1 b 0 a 0 2\nR2 b c 1k\nC2 c 0 1n\nI1 0 c 1m"
    meter = ktc.SourceMeter(ktc.Emulator(circuit(text), replicas=math.inf))
    sampled = ktc.SourceMeter(ktc.Emulator(circuit(text), replicas=2000, seed=1))
    for each in (meter, sampled):
        played(each, PLAN[1:])
    for name in meter:
        scale = abs(meter[name].mean) + math.sqrt(meter[name].variance)
        assert sampled[name].mean == pytest.approx(meter[name].mean, abs=5e-3 * scale)
        assert sampled[name].stderr == pytest.approx(
            math.sqrt(meter[name].variance / 2000), rel=0.1
        )


def test_refusals_name_the_reason():
    made = circuit(DIVIDERS)
    with pytest.raises(TypeError, match="one of a circuit"):
        ktc.SourceMeter(ktc.Emulator(ktc.Network(1.0, 1.0), 10))
    for options, reason in (
        ({"resolve_heat": True}, "by steps"),
        ({"dtype": "float32"}, "single precision"),
        ({"accounts": ("work",)}, "account of source"),
    ):
        with pytest.raises(ValueError, match=reason):
            ktc.SourceMeter(ktc.Emulator(made, 10, seed=1, **options))
    with pytest.raises(ValueError, match="without sources"):
        ktc.SourceMeter(ktc.Emulator(circuit("R1 a 0 1k\nC1 a 0 1n"), 10))
    filtered = DIVIDERS.replace("noise=1e-20", "noise=1e-20 bandwidth=10k")
    with pytest.raises(ValueError, match="bandwidth"):
        ktc.SourceMeter(ktc.Emulator(circuit(filtered), 10))
    meter = ktc.SourceMeter(ktc.Emulator(made, math.inf))
    with pytest.raises(ValueError, match="drives kT"):
        meter.play(ktc.Protocol([1e-6], {"kT": [4e-21]}))
    with pytest.raises(ValueError, match="duration"):
        meter.run(-1.0)
    meter.run(1e-6)
    meter.emulator.run(1e-7)
    with pytest.raises(ValueError, match="without its meter"):
        meter.run(1e-6)
    series = ktc.Emulator(circuit("V1 p 0 1\nV2 in p 1\nR1 in a 1k\nC1 a 0 1n"), 10)
    series.set(emf=[5.0])
    with pytest.raises(ValueError, match="V1, V2 act only together"):
        ktc.SourceMeter(series).run(1e-6)


MOVES = {
    "reset": lambda emulator: emulator.reset(),
    "ledger": lambda emulator: emulator.ledger.reset(),
    "run": lambda emulator: emulator.run(1e-7),
    "write": lambda emulator: emulator.equilibrate(),
}


@pytest.mark.parametrize("replicas", [10, math.inf])
@pytest.mark.parametrize("text", [DIVIDERS, "V1 p 0 1\nC3 p b 1n\nR1 b 0 1k"])
@pytest.mark.parametrize("move", MOVES)
def test_an_emulator_that_has_moved_without_its_meter_is_refused(move, text, replicas):
    seed = {} if replicas == math.inf else {"seed": 1}
    meter = ktc.SourceMeter(ktc.Emulator(circuit(text), replicas, **seed))
    meter.emulator.set(V1=3.0)
    meter.run(1e-6)
    MOVES[move](meter.emulator)
    time, samples = meter.emulator.time, meter.samples["V1"]
    with pytest.raises(ValueError, match="make a new meter"):
        meter.run(1e-6)
    with pytest.raises(ValueError, match="make a new meter"):
        meter.play(ktc.Protocol([1e-6], {"V1": [5.0]}))
    assert meter.emulator.time == time
    np.testing.assert_array_equal(meter.samples["V1"], samples)
    again = ktc.SourceMeter(meter.emulator)
    before = meter.emulator.ledger.source + meter.emulator.ledger.supply
    again.run(1e-6)
    ledger = meter.emulator.ledger
    given = ledger.source + ledger.supply - before
    np.testing.assert_allclose(
        sum(again.samples.values()), given, rtol=1e-10, atol=1e-10 * np.abs(given).max()
    )


def test_one_replica_has_no_covariance():
    meter = ktc.SourceMeter(ktc.Emulator(circuit(DIVIDERS), 1, seed=1))
    meter.run(1e-6)
    np.testing.assert_array_equal(meter.covariance, np.zeros((3, 3)))
    assert not meter.emulator.moments().covariance.any()


def test_names_of_sources_do_not_depend_on_case():
    meter = ktc.SourceMeter(ktc.Emulator(circuit(DIVIDERS), 10, seed=1))
    meter.run(1e-6)
    assert meter["v1"].mean == meter["V1"].mean
    assert "v2" in meter
    assert "V9" not in meter
    with pytest.raises(KeyError, match="no source 'V9'; choose from 'V1', 'V2', 'I1'"):
        meter["V9"]


def test_protocols_of_resistances_play_and_others_are_named():
    meter = ktc.SourceMeter(ktc.Emulator(circuit(DIVIDERS), 10, seed=1))
    meter.play(ktc.Protocol([1e-6, 1e-6], {"R1": [1e3, 3e3], "V1": [1.0, 2.0]}))
    total = meter.emulator.ledger.source
    np.testing.assert_allclose(sum(meter.samples.values()), total, rtol=1e-9)
    for final in ({}, {"C1": 3e-9}):
        drive = {} if final else {"C1": [2e-9]}
        with pytest.raises(ValueError, match="drives C1, but a meter plays sources, resistances"):
            meter.play(ktc.Protocol([1e-6], {"R1": [1e3], **drive}, final=final))
    assert meter.emulator.time == pytest.approx(2e-6)


def random_circuit(rng):
    """Capacitors to ground in a chain of resistors, with what a circuit of sources may have."""
    n = int(rng.integers(2, 5))

    def size(low, high):
        return f"{10 ** rng.uniform(low, high):g}"

    lines = [f"R90 {n} 0 {size(3, 5)}", f"V1 in 0 {rng.normal():g}"]
    for i in range(1, n + 1):
        before = i - 1 if i > 1 else "in"
        kelvin = rng.choice([100, 300, 600])
        lines.append(f"C{i} {i} 0 {size(-12, -9)}")
        lines.append(f"R{i} {i} {before} {size(2, 5)} kelvin={kelvin}")
    lines.append(f"I1 0 {rng.integers(1, n + 1)} {1e-4 * rng.normal():g} noise=1e-22")
    if rng.random() < 0.7:
        lines.append(f"L1 1 {n} {size(-6, -3)}")
    if rng.random() < 0.6:
        lines += ["V2 q 0 1", f"C90 q 1 {size(-12, -9)}"]
    if rng.random() < 0.5:
        lines += ["V3 r 0 -1", f"R91 r {n} {size(2, 5)}"]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("share", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(8))
def test_random_circuits_have_the_moments_at_holds_of_any_length(seed, share):
    """Bounds of 5 standard errors: false alarm 2e-4 of all."""
    rng = np.random.default_rng(seed)
    net = circuit(random_circuit(rng)).compile()
    hold, many = share * net.relaxation_times.min(), 20_000
    plan = [(hold, *rng.normal(size=2) * [1.0, 1e-4]) for _ in range(3)]
    exact, reference = started(net, replicas=math.inf)
    sampled, _ = started(net, replicas=many, seed=seed)
    for meter in (exact, sampled):
        for time, volts, amperes in plan:
            meter.emulator.set(V1=volts, I1=amperes)
            meter.run(time)
    covariance = exact.covariance
    width = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    on = width > 0
    unit, place = np.where(on, width, 1.0), np.ix_(on, on)
    if share <= 1:
        for time, volts, amperes in plan:
            order = {"V1": volts, "I1": amperes}
            reference.theta[:] = [
                order.get(n, v) for n, v in zip(net.sources, reference.theta, strict=True)
            ]
            reference.hold(reference.theta, time)
        wanted = reference.cov[reference.n :, reference.n :]
        np.testing.assert_allclose(
            (covariance / np.outer(unit, unit))[place], (wanted / np.outer(unit, unit))[place],
            atol=1e-9,
        )  # fmt: skip
    energies = np.stack(list(sampled.samples.values()), axis=1)
    mean = np.array([exact[name].mean for name in exact])
    assert (np.abs(energies.mean(axis=0) - mean)[on] < 5 * width[on] / math.sqrt(many)).all()
    r = covariance / np.outer(unit, unit)
    found = np.cov(energies.T) / np.outer(unit, unit)
    assert (np.abs(found - r) < 5 * np.sqrt((1 + r**2) / many))[place].all()
