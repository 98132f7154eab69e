"""Exact motion of driven linear networks: EMFs, currents, generators, temperatures, inductors.

Samples are compared with moment equations (``reference_driven``) at 4.5 to 5 standard errors.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

import ktc
from reference_driven import Driven
from refusal import refused

DIVIDER = "V1 in 0 5\nR1 in a 1k\nR2 a 0 1k\nC1 a 0 1n"
STIFF = "R1 a 0 1 kelvin=100\nC1 a 0 1p\nR2 b 0 1meg kelvin=300\nC2 b 0 1n\nC3 a b 1p"
NOISY = "R1 a 0 1k\nC1 a 0 1n\nI1 a 0 1u noise=1e-23 bandwidth=300k"


def random_network(seed):
    """Coupled capacitors and inductors, resistors at two temperatures, sources, generators."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    root = rng.normal(size=(n, n))
    flow = rng.normal(size=(n, n)) * (seed % 3 > 0)
    resistors = [
        ktc.Resistor(
            np.eye(n)[k] if k < n else rng.normal(size=n),
            float(rng.lognormal(0, 1)),
            f"R{k}",
            emf=float(rng.normal()),
        )
        for k in range(n + 1)
    ]
    noises = [ktc.NoiseSource(rng.normal(size=n), 0.5)] * (seed % 2)
    noises += [ktc.NoiseSource(rng.normal(size=n), 0.8, float(rng.lognormal(-1, 1)))] * (
        seed % 4 > 1
    )
    return ktc.Network.of_elements(
        root @ root.T + 0.2 * np.eye(n),
        resistors,
        [1.0] * (n + 1) if seed % 5 == 0 else [0.3, *[1.5] * n],
        bias=rng.normal(size=n),
        interconnection=flow - flow.T,
        sources=[ktc.CurrentSource(rng.normal(size=n), float(rng.normal()))],
        noises=noises,
    )


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(20))
def test_random_circuits_against_moment_equations(seed, length):
    """Mean and covariance of state and source energy, and mean total heat, after one hold.

    At most 22 numbers of 60 holds, 5 standard errors: a false alarm of 8e-4 in all.
    """
    network, replicas = random_network(seed), 20_000
    reference = Driven(network)
    start, hold = np.linspace(-1, 2, network.units), length * reference.fastest()
    mean, covariance = reference.moments(start, hold)
    emulator = ktc.Emulator(network, replicas, seed=seed, state=start)
    assert not emulator.resolve_heat
    emulator.run(hold)
    books = emulator.ledger
    assert books.imbalance() < 1e-11
    found = np.column_stack([emulator.read(), books.source])
    seen = [*range(network.units), -1]
    mean, covariance = mean[seen], covariance[np.ix_(seen, seen)]
    width = np.sqrt(np.diagonal(covariance))
    assert np.all(np.abs(found.mean(axis=0) - mean) < 5 * width / np.sqrt(replicas) + 1e-7)
    scaled = (found - mean) / width
    products = scaled[:, :, None] * scaled[:, None, :]
    expected = covariance / np.outer(width, width)
    scatter = products.std(axis=0) / np.sqrt(replicas)
    assert np.all(np.abs(products.mean(axis=0) - expected) < 5 * scatter + 1e-6)
    first = reference.energy(start, np.zeros_like(covariance))
    heat = mean[-1] + first - reference.energy(*reference.moments(start, hold))
    net = books.net_heat
    assert abs(net.mean() - heat) < 5 * net.std() / np.sqrt(replicas) + 1e-7


@pytest.mark.parametrize("seed", range(20))
def test_random_circuits_start_where_they_stay(seed):
    """The stationary state is drawn, and many holds keep it: the moments of infinite ensembles.

    5 standard errors, 20 networks of at most 14 numbers, twice: a false alarm of 3e-4.
    """
    network, replicas = random_network(seed), 20_000
    exact = ktc.Emulator(network, replicas=float("inf"))
    emulator = ktc.Emulator(network, replicas, seed=100 + seed)
    mean, covariance = exact.moments().mean, np.asarray(exact.moments().covariance)
    width = np.sqrt(np.diagonal(covariance))
    for duration in (None, 0.7):
        if duration is not None:
            emulator.play(ktc.Protocol([duration / 50] * 50, {}))
            exact.run(duration)
        scaled = (emulator.read() - mean) / width
        assert np.all(np.abs(scaled.mean(axis=0)) < 5 / np.sqrt(replicas))
        products = scaled[:, :, None] * scaled[:, None, :]
        scatter = products.std(axis=0) / np.sqrt(replicas)
        expected = covariance / np.outer(width, width)
        assert np.all(np.abs(products.mean(axis=0) - expected) < 5 * scatter)
    for ours, theirs in (
        (emulator.ledger.source, exact.ledger.source),
        (emulator.ledger.net_heat, exact.ledger.net_heat),
    ):
        assert abs(ours.mean() - theirs[0]) < 5 * ours.std() / np.sqrt(replicas)


@pytest.mark.parametrize("hold", [1e-9, 1e-7, 1e-4])
def test_divider(hold):
    """v(a) = 2.5 V and 12.5 mW at any hold, where a step of τ/10 gave 2.50078 V; 4.5σ."""
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    emulator = ktc.Emulator(circuit.compile(), replicas=100_000, seed=1)
    for _ in range(3):
        emulator.run(hold)
    node = circuit.voltages(emulator)[:, circuit.nodes.index("a")]
    assert abs(node.mean() - 2.5) < 4.5 * node.std() / np.sqrt(len(node)) < 1e-7
    assert node.var() == pytest.approx(1.380649e-23 * 300.15 / 1e-9, rel=4.5 * np.sqrt(2e-5))
    power = emulator.ledger.source / (3 * hold)
    assert abs(power.mean() - 12.5e-3) < 4.5 * power.std() / np.sqrt(len(node))
    assert emulator.ledger.imbalance() < 1e-12


def test_stiff_circuit_at_two_temperatures():
    """Rates nine decades apart, a millisecond: variances of the node voltages by the equations."""
    circuit = ktc.Circuit.from_netlist(STIFF)
    network = circuit.compile()
    began = time.perf_counter()
    emulator = ktc.Emulator(network, replicas=64, seed=1)
    emulator.run(1e-3)
    assert time.perf_counter() - began < 1.0
    many = ktc.Emulator(network, replicas=40_000, seed=1)
    many.run(1e-3)
    exact = np.asarray(ktc.Emulator(network, replicas=float("inf")).moments().covariance)
    found = np.cov(many.read().T)
    width = np.sqrt(np.diagonal(exact))
    assert np.abs((found - exact) / np.outer(width, width)).max() < 4.5 * np.sqrt(2 / 40_000)


def test_sources_that_change_from_tick_to_tick():
    """A sine of the source in 200 ticks: mean charge and energy of the infinite ensemble, 4.5σ."""
    circuit = ktc.Circuit.from_netlist("I1 0 a 0\nV1 in 0 1u\nR1 in a 1k\nC1 a 0 1n\nR2 a 0 3k")
    phase = np.sin(np.linspace(0, 9, 200))
    values = [circuit.controls(V1=1e-5 * s, I1=1e-8 * s) for s in phase]
    waves = {name: np.array([v[name] for v in values]) for name in ("emf", "current")}
    protocol = ktc.Protocol([1e-7] * 200, waves)
    emulator = ktc.Emulator(circuit.compile(), replicas=20_000, seed=4)
    exact = ktc.Emulator(circuit.compile(), replicas=float("inf"))
    run, theirs = emulator.play(protocol), exact.play(protocol)
    found = emulator.read()
    assert np.all(np.abs(found.mean(axis=0) - exact.moments().mean) < 4.5 * found.std(axis=0) / 141)
    for name in ("source", "heat"):
        ours = getattr(run, name)
        assert abs(ours.mean - getattr(theirs, name).mean) < 4.5 * ours.stderr
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_source_that_is_zero_for_a_while(dtype):
    """Ticks with and without a current in one play: the same law as in two plays, 4.5σ.

    Without the current the modes move independently, and a source of zero gives no energy.
    """
    circuit = ktc.Circuit.from_netlist("I1 0 a 0\nR1 a 0 1k\nC1 a 0 1n\nR2 a b 2k\nC2 b 0 2n")
    emulator = ktc.Emulator(circuit.compile(), replicas=20_000, seed=5, dtype=dtype)
    current = np.array([0, 0, 1e-6, 1e-6, 0, 0, 1e-6])[:, None]
    run = emulator.play(ktc.Protocol([1e-6] * 7, {"current": current}, final={"current": 0.0}))
    exact = ktc.Emulator(circuit.compile(), replicas=float("inf"))
    theirs = exact.play(ktc.Protocol([1e-6] * 7, {"current": current}, final={"current": 0.0}))
    found = emulator.read()
    assert np.all(np.abs(found.mean(axis=0) - exact.moments().mean) < 4.5 * found.std(axis=0) / 141)
    for name in ("source", "heat"):
        ours = getattr(run, name)
        assert abs(ours.mean - getattr(theirs, name).mean) < 4.5 * ours.stderr
    assert emulator.ledger.imbalance() < (1e-12 if dtype == "float64" else 1e-5)


def test_single_precision_keeps_the_spread_about_a_distant_rest():
    """2.5 V with 2 µV of noise: the state is stored as its deviation from where it rests; 4.5σ."""
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    emulator = ktc.Emulator(circuit.compile(), replicas=40_000, seed=2, dtype="float32")
    emulator.play(ktc.Protocol([1e-7] * 40, {}))
    node = circuit.voltages(emulator)[:, circuit.nodes.index("a")]
    assert node.var() == pytest.approx(1.380649e-23 * 300.15 / 1e-9, rel=4.5 * np.sqrt(2 / 40_000))


def test_undamped_modes_beside_two_temperatures():
    """A loop that no resistor reaches, fed by a current: it swings on, and its source closes."""
    flow = np.zeros((4, 4))
    flow[0, 1], flow[1, 0] = 1.0, -1.0
    resistors = [ktc.Resistor([0, 0, 1.0, 0], 1.0, "a"), ktc.Resistor([0, 0, 0, 1.0], 1.0, "b")]
    network = ktc.Network.of_elements(
        np.eye(4), resistors, [1.0, 2.0], interconnection=flow,
        sources=[ktc.CurrentSource([0.0, 1.0, 0, 0], 0.5)],
    )  # fmt: skip
    emulator = ktc.Emulator(network, replicas=10, seed=1, state=[1.0, 0.0, 0.0, 0.0])
    emulator.run(2.0)
    # x″ = −x + I of x′ = p, p′ = −x + I.
    x, p = 0.5 + 0.5 * np.cos(2.0), -0.5 * np.sin(2.0)
    np.testing.assert_allclose(emulator.read()[:, :2], [[x, p]] * 10, atol=1e-12)
    np.testing.assert_allclose(emulator.ledger.source, 0.5 * (x * x + p * p - 1), atol=1e-12)


def test_accounts_of_generators():
    """Heat and injected energy are refused where they are not told apart; net_heat is there."""
    network = ktc.Circuit.from_netlist(NOISY).compile()
    emulator = ktc.Emulator(network, replicas=10, seed=1)
    run = emulator.play(ktc.Protocol([1e-6], {}))
    assert emulator.ledger.names == ("work", "net_heat", "supply", "source")
    assert np.array_equal(run.net_heat.samples, emulator.ledger.net_heat)
    for where in (emulator.ledger, run):
        for name in ("heat", "injected"):
            with refused(ValueError, "net_heat", "resolve_heat=True"):
                getattr(where, name)
    with refused(ValueError, "record of heat", "resolve_heat=True"):
        emulator.play(ktc.Protocol([1e-6], {}), record="heat")
    with refused(ValueError, "accounts has 'heat'", "net_heat"):
        ktc.Emulator(network, replicas=10, accounts=("work", "heat"))
    kept = ktc.Emulator(network, replicas=10, seed=1, accounts=("net_heat",))
    kept.run(1e-6)
    assert np.array_equal(kept.ledger.net_heat, emulator.ledger.net_heat)
    apart = ktc.Emulator(network, replicas=10, seed=1, resolve_heat=True)
    apart.run(1e-6)
    assert np.array_equal(apart.ledger.net_heat, apart.ledger.heat - apart.ledger.injected)
    with refused(ValueError, "heat − injected"):
        ktc.Emulator(network, replicas=10, resolve_heat=True, accounts="net_heat")


def test_steps_come_on_request_alone():
    """``heat_per_resistor`` among the accounts asks for steps; other accounts do not."""
    network = ktc.Circuit.from_netlist(STIFF).compile()
    assert ktc.Emulator(network, 1, accounts=("heat", "heat_per_resistor")).resolve_heat
    assert not ktc.Emulator(network, 1, accounts=("heat", "source")).resolve_heat
    with refused(ValueError, "entropy_flow", "resolve_heat=True"):
        ktc.Emulator(network, 1, accounts="entropy_flow")
    with refused(ValueError, "heat_per_resistor", "resolve_heat=True"):
        _ = ktc.Emulator(network, 1).ledger.heat_per_resistor
    with refused(ValueError, "dt must be None", "resolve_heat=True"):
        ktc.Emulator(network, 1, dt=1e-9)


@pytest.mark.parametrize("dt", [5e-8, 5e-7, 2e-6])
def test_steps_keep_the_stationary_mean(dt):
    """v(a) = 2.5 V and 6.25 mW into each resistor at steps of 0.1 to 4 relaxation times; 4.5σ."""
    circuit = ktc.Circuit.from_netlist(DIVIDER)
    network = circuit.compile()
    emulator = ktc.Emulator(network, replicas=40_000, seed=1, resolve_heat=True, dt=dt)
    emulator.run(1e-4)
    node = circuit.voltages(emulator)[:, circuit.nodes.index("a")]
    assert abs(node.mean() - 2.5) < 4.5 * node.std() / np.sqrt(len(node)) < 1e-7
    books = emulator.ledger
    for found, expected in (
        (books.heat_per_resistor[:, 0], 6.25e-3),
        (books.heat_per_resistor[:, 1], 6.25e-3),
        (books.source, 12.5e-3),
    ):
        power = found / 1e-4
        assert abs(power.mean() - expected) < 4.5 * power.std() / np.sqrt(len(node))
    assert books.imbalance() < 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_steps_about_the_rest_against_moment_equations(seed):
    """Mean powers of random circuits by fine steps are those of the infinite ensemble; 5σ + 2 %.

    The first law closes with a shadow of lossless moves, whose mean vanishes.
    """
    network = random_network(seed)
    exact = ktc.Emulator(network, replicas=float("inf"))
    emulator = ktc.Emulator(network, 20_000, seed=seed, resolve_heat=True)
    for device in (exact, emulator):
        device.set(bias=network.bias + 0.5)
        device.run(0.4)
    found, expected = emulator.ledger.amounts(), exact.ledger.amounts()
    assert emulator.ledger.imbalance() < 1e-11
    scale = 0.01 * max(np.abs(v).max() for v in expected.values())
    for name, values in found.items():
        scatter = values.std(axis=0) / np.sqrt(20_000)
        assert np.all(np.abs(values.mean(axis=0) - expected[name][0]) < 5 * scatter + scale), name
    mean, covariance = exact.moments().mean, np.asarray(exact.moments().covariance)
    width = np.sqrt(np.diagonal(covariance))
    found = (emulator.read() - mean) / width
    assert np.all(np.abs(found.mean(axis=0)) < 5 / np.sqrt(20_000) + 0.01)


def test_a_warning_of_steps_that_take_hours():
    """Before they begin, with the alternatives; exact motion takes none."""
    network = ktc.Circuit.from_netlist(STIFF).compile()
    emulator = ktc.Emulator(network, replicas=64, seed=1, resolve_heat=True)
    for move in (
        lambda: emulator.run(1e-3),
        lambda: emulator.play(ktc.Protocol([5e-4] * 2, {})),
    ):
        with pytest.warns(UserWarning, match=r"hours: without resolve_heat.*math.inf"):
            _stopped_by_warning(move)
    assert emulator.time == 0.0


def _stopped_by_warning(move):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            move()
    except UserWarning as warning:
        warnings.warn(str(warning), stacklevel=1)


@pytest.mark.parametrize("sources", ["constant", "new in every tick"])
def test_source_energy_is_the_same_however_ticks_are_divided(sources):
    """One play, a play with records, and a call per tick: the same noise, to rounding."""
    netlist = "I1 0 a 1u\nV1 in 0 1u\nR1 in a 1k\nC1 a 0 1n\nR2 a 0 3k"
    circuit, ticks = ktc.Circuit.from_netlist(netlist), 53
    wave = np.ones(ticks) if sources == "constant" else np.sin(np.arange(ticks)) + 2
    values = [circuit.controls(V1=1e-5 * s, I1=1e-8 * s) for s in wave]
    waves = {name: np.array([v[name] for v in values]) for name in ("emf", "current")}
    protocol = ktc.Protocol([1e-7] * ticks, waves)
    whole, recorded, stepped = (
        ktc.Emulator(circuit.compile(), replicas=100, seed=3) for _ in range(3)
    )
    whole.play(protocol)
    recorded.play(protocol, record="mean", every=7)
    for k in range(ticks):
        stepped.set(emf=waves["emf"][k], current=waves["current"][k])
        stepped.run(1e-7)
    for other in (recorded, stepped):
        np.testing.assert_array_equal(other.read(), whole.read())
        for name in ("source", "heat", "work"):
            expected = getattr(whole.ledger, name)
            scale = 1e-12 * np.abs(whole.ledger.source).max()
            np.testing.assert_allclose(getattr(other.ledger, name), expected, atol=scale)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "drive", ["one hot resistor", "white noise", "filtered noise", "two halves"]
)
def test_many_modes_with_correlated_noise(drive, dtype):
    """Covariances of 24 coupled units after four holds from one state, of several scales; 5σ.

    At most 300 numbers of eight cases: a false alarm of 1.4e-3. A few columns of noise beside that
    of one temperature, or all of a triangular matrix.
    """
    units, replicas = 24, 20_000
    rng = np.random.default_rng(8)
    root = rng.normal(size=(units, units))
    hot = {"one hot resistor": 1, "two halves": 12}.get(drive, 0)
    noises = []
    if "noise" in drive:
        width = 0.3 if drive == "filtered noise" else None
        noises = [ktc.NoiseSource(rng.normal(size=units), 2.0, width)]
    network = ktc.Network.of_elements(
        root @ root.T / units + 0.2 * np.eye(units),
        [ktc.Resistor(np.eye(units)[i], 1.0, f"R{i}") for i in range(units)],
        [4.0] * hot + [1.0] * (units - hot),
        noises=noises,
    )
    exact = ktc.Emulator(network, replicas=float("inf"), state=np.ones(units))
    emulator = ktc.Emulator(network, replicas, seed=9, state=np.ones(units), dtype=dtype)
    for hold in (1e-3, 1e-3, 0.05, 0.3):
        exact.run(hold)
        emulator.run(hold)
    mean, covariance = exact.moments().mean, np.asarray(exact.moments().covariance)
    width = np.sqrt(np.diagonal(covariance))
    scaled = (emulator.read() - mean) / width
    assert np.all(np.abs(scaled.mean(axis=0)) < 5 / np.sqrt(replicas))
    products = scaled[:, :, None] * scaled[:, None, :]
    scatter = products.std(axis=0) / np.sqrt(replicas)
    assert np.all(np.abs(products.mean(axis=0) - covariance / np.outer(width, width)) < 5 * scatter)
    heat = emulator.ledger.net_heat
    assert abs(heat.mean() - exact.ledger.net_heat[0]) < 5 * heat.std() / np.sqrt(replicas)
    assert emulator.ledger.imbalance() < (1e-11 if dtype == "float64" else 1e-5)
