"""Large circuits against the dense compilation of the same circuits, and moment equations.

Two-sided bounds of 4.5 standard errors fail by chance with probability 6.8e-6 a comparison; no test
makes more than a thousand, and all seeds are fixed.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

import ktc
from circuit_moments import Linear
from refusal import refused

# Four temperatures, a loop through a node without capacitor, capacitors that no other joins to
# ground, a source behind a capacitor, a current source and a noise generator.
WARM = """
V1 in 0 1m
R1 in a 1k kelvin=300
R2 a b 2k kelvin=100
R3 b 0 3k kelvin=500
R4 b m 1k kelvin=300
R5 m c 1k kelvin=300
R6 m 0 2k kelvin=300
C1 a 0 1n
C2 b 0 2n
C3 c 0 1n
C4 a b 0.5n
C5 in c 0.2n
I1 0 b 1u
I2 0 a 0 noise=4e-22
R8 c d 500 kelvin=20
C8 d e 1n
R9 e 0 2k kelvin=20
"""
# Inductors, one in series with a resistor, and a current source between them.
RINGING = """
V1 in 0 1m
R1 in a 100 kelvin=900
L1 a b 1u
C1 b 0 1n
R2 b 0 1k kelvin=300
L2 b c 2u
R3 c d 50 kelvin=300
C2 d 0 2n
R4 d 0 500 kelvin=100
I1 0 c 2u
"""
BOTH = pytest.mark.parametrize("text", [WARM, RINGING], ids=["warm", "ringing"])


def grid(side, coupling=0.0, sources=0, kelvins=(300.0,), ohms=1e3):
    """An RC grid of side × side nodes, resistors at some temperatures in turn."""
    circuit, name = ktc.Circuit(), "n{}_{}".format
    count = 0
    for i in range(side):
        for j in range(side):
            here = name(i, j)
            circuit.add(f"C{here}", here, 0, 1e-12)
            for way, there in (("v", (i + 1, j)), ("h", (i, j + 1))):
                if max(there) == side:
                    continue
                kelvin = kelvins[count % len(kelvins)]
                circuit.add(f"R{way}{here}", here, name(*there), ohms, kelvin=kelvin)
                if coupling:
                    circuit.add(f"C{way}{here}", here, name(*there), coupling)
                count += 1
        circuit.add(f"Rg{i}", name(i, 0), 0, 1e4)
        if i < sources:
            circuit.add(f"V{i}", f"s{i}", 0, 0.1 * i)
            circuit.add(f"Rs{i}", f"s{i}", name(i, side - 1), 2e3)
    return circuit


def compiled(text):
    """A circuit compiled by dense algebra, and as a large one."""
    circuits = [ktc.Circuit.from_netlist(text) for _ in range(2)]
    return circuits[0].compile(sparse=False), circuits[1].compile(sparse=True), *circuits


def require_moments(emulator, mean, covariance):
    """Mean and covariance of an ensemble within 4.5 standard errors of normal states."""
    found, count = emulator.moments(), len(emulator.read())
    width = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(width, width)
    assert (np.abs(found.mean - mean) < 4.5 * width / math.sqrt(count)).all()
    scatter = np.sqrt((1 + correlation**2) / count) * np.outer(width, width)
    assert (np.abs(found.covariance - covariance) < 4.5 * scatter).all()


@BOTH
def test_large_and_small_circuits_are_one_network(text):
    dense, sparse, *circuits = compiled(text)
    for name in ("coordinates", "accounts", "nodes", "sources", "symbols", "units"):
        assert getattr(sparse, name) == getattr(dense, name)
    assert np.allclose(sparse.kT, dense.kT, rtol=1e-14)
    assert np.allclose(sparse.stiffness, dense.stiffness, rtol=1e-12)
    assert np.allclose(sparse.bias, dense.bias, rtol=1e-12, atol=1e-18)
    width = np.sqrt(np.diagonal(Linear(dense).covariance()))
    state = np.random.default_rng(1).normal(size=(5, dense.units)) * width
    emulators = [ktc.Emulator(net, replicas=5, seed=1, state=state) for net in (dense, sparse)]
    for emulator, circuit in zip(emulators, circuits, strict=True):
        emulator.set(**circuit.controls(V1=2e-3))
    one, other = (
        circuit.voltages(emulator) for circuit, emulator in zip(circuits, emulators, strict=True)
    )
    assert np.allclose(other, one, rtol=1e-11, atol=1e-15)
    moments = [c.voltage_moments(e) for c, e in zip(circuits, emulators, strict=True)]
    for name in ("mean", "covariance"):
        one, other = (getattr(each, name) for each in moments)
        assert np.allclose(other, one, rtol=1e-9, atol=1e-9 * np.abs(one).max())
    one, other = (c.currents(e) for c, e in zip(circuits, emulators, strict=True))
    assert one.keys() == other.keys()
    for name, current in one.items():
        assert np.allclose(other[name], current, rtol=1e-9, atol=1e-15), name
    one, other = (emulator.energy() for emulator in emulators)
    assert np.allclose(other, one, rtol=1e-12)
    assert np.allclose(emulators[1].ledger.work, emulators[0].ledger.work, rtol=1e-12)


@BOTH
def test_a_step_is_the_implicit_midpoint(text):
    cold = text.replace("noise=4e-22", "")
    for kelvin in ("20", "100", "300", "500", "900"):
        cold = cold.replace(f"kelvin={kelvin}", "kelvin=1e-25")
    dense, sparse, *_ = compiled(cold)
    drift, push = dense.drift, Linear(dense).own_push()
    state = np.random.default_rng(2).normal(size=dense.units) * np.abs(Linear(dense).rest())
    for steps in (0.3, 50.0):
        h = steps / np.abs(np.linalg.eigvals(drift)).max()
        emulator = ktc.Emulator(sparse, replicas=1, seed=1, state=state, dt=h)
        emulator.run(h)
        one = np.eye(len(drift))
        after = np.linalg.solve(one - 0.5 * h * drift, (one + 0.5 * h * drift) @ state + h * push)
        assert np.allclose(emulator.read()[0], after, rtol=1e-9, atol=1e-12 * np.abs(after).max())


@BOTH
@pytest.mark.parametrize("step", [None, 40.0])
def test_the_stationary_state_is_exact_at_any_step(text, step):
    dense, sparse, *_ = compiled(text)
    exact = ktc.Emulator(dense, replicas=math.inf).moments()
    fastest = 1 / np.abs(np.linalg.eigvals(dense.drift)).max()
    dt = None if step is None else step * fastest
    emulator = ktc.Emulator(sparse, replicas=100_000, seed=3, dt=dt)
    for _ in range(2):
        require_moments(emulator, exact.mean, exact.covariance)
        emulator.run(4 * (dt or fastest))
    assert emulator.ledger.imbalance() < 1e-12


def test_coupled_grids_at_several_temperatures_start_in_their_stationary_state():
    circuit = grid(5, coupling=4e-13, sources=2, kelvins=(50.0, 300.0, 900.0))
    exact = Linear(circuit.compile(sparse=False))
    emulator = ktc.Emulator(circuit.compile(sparse=True), replicas=50_000, seed=4)
    require_moments(emulator, exact.rest(), exact.covariance())
    emulator.run(2e-10)
    require_moments(emulator, exact.rest(), exact.covariance())


@BOTH
def test_means_and_heats_of_a_drive_are_those_of_moment_equations(text):
    dense, sparse, small, large = compiled(text)
    fastest = 1 / np.abs(np.linalg.eigvals(dense.drift)).max()
    exact = ktc.Emulator(dense, replicas=math.inf, resolve_heat=True)
    # Second order in the step: at a fiftieth of the fastest time it is below the scatter.
    options = {"replicas": 20_000, "dt": 0.02 * fastest, "resolve_heat": True}
    emulator = ktc.Emulator(sparse, seed=5, **options)
    for each, circuit in ((exact, small), (emulator, large)):
        each.set(**circuit.controls(V1=1.002e-3))
        each.run(3 * fastest)
    require_moments(emulator, exact.moments().mean, exact.moments().covariance)
    own, expected = emulator.ledger, exact.ledger
    for name in ("work", "heat", "source", "injected", "heat_per_resistor"):
        found, value = getattr(own, name), getattr(expected, name)[0]
        error = found.std(axis=0) / math.sqrt(len(found))
        assert (np.abs(found.mean(axis=0) - value) <= 4.5 * error + 1e-30).all(), name
    assert own.imbalance() < 1e-12


def test_heat_of_modes_faster_than_a_step_is_not_lost():
    # Two cells, whose mean heat is that of Ciliberto et al. (2013), at steps of their fastest time.
    text = "R1 a 0 1k kelvin=900\nC1 a 0 1n\nR2 b 0 1k kelvin=100\nC2 b 0 1n\nC3 a b 2n\n"
    dense, sparse, *_ = compiled(text)
    exact = ktc.Emulator(dense, replicas=math.inf, resolve_heat=True)
    fastest = 1 / np.abs(np.linalg.eigvals(dense.drift)).max()
    hold = 200 * fastest
    exact.run(hold)
    power = exact.ledger.heat_per_resistor[0]
    errors = []
    for step in (1.0, 0.5, 0.25):
        emulator = ktc.Emulator(
            sparse, replicas=40_000, seed=6, dt=step * fastest, resolve_heat=True
        )
        emulator.run(hold)
        heat = emulator.ledger.heat_per_resistor
        scatter = heat.std(axis=0) / math.sqrt(len(heat)) / np.abs(power)
        errors.append(heat.mean(axis=0) / power - 1)
        # Without the correction half of the heat would be missing at the longest step.
        assert (np.abs(errors[-1]) < 0.35 * step**2 + 4.5 * scatter).all()
    assert np.abs(errors[0]).max() > 3 * np.abs(errors[2]).max()


def test_replicas_do_not_depend_on_threads_files_or_the_precision_of_books(tmp_path):
    circuit = grid(6, coupling=3e-13, sources=3, kelvins=(100.0, 300.0))
    net = circuit.compile(sparse=True)
    assert pickle.loads(pickle.dumps(net)) == net
    assert net != circuit.compile(sparse=False)
    one, two = (
        ktc.Emulator(net, replicas=130, seed=1, threads=t, resolve_heat=r)
        for t, r in ((1, True), (2, False))
    )
    protocol = ktc.Protocol([1e-10] * 6, {"V1": [1.0, 0.5, 0.0, -0.5, 0.0, 1.0]})
    for emulator in (one, two):
        emulator.set(V2=0.3)
        run = emulator.play(protocol, record=["voltages", "voltage_mean"], every=6)
        assert np.array_equal(run.series["voltages"][0], circuit.voltages(emulator))
        mean = circuit.voltages(emulator).mean(axis=0)
        assert np.allclose(run.series["voltage_mean"][0], mean, rtol=1e-9, atol=1e-12)
    one.save(tmp_path / "grid.npz")
    loaded = ktc.Emulator.load(tmp_path / "grid.npz")
    for emulator in (one, two, loaded):
        emulator.run(3e-10)
    for emulator in (two, loaded):
        assert np.array_equal(emulator.read(), one.read())
        assert np.allclose(emulator.ledger.heat, one.ledger.heat, rtol=1e-12)
        assert np.allclose(emulator.ledger.source, one.ledger.source, rtol=1e-12)
    assert np.allclose(one.ledger.heat_per_resistor.sum(axis=1), one.ledger.heat, rtol=1e-10)
    assert one.ledger.heat_per_resistor.shape == (130, len(net.accounts))
    places = [circuit.nodes.index(node) for node in ("s0", "s1", "s2")]
    assert np.allclose(circuit.voltages(one)[:, places], [0.0, 1.0, 0.3], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        (WARM, ".ic v(a)=2m v(c)=1m"),
        (WARM.replace("C4 a b 0.5n", "C4 a b 0.5n ic=1m"), ""),
        (RINGING.replace("L2 b c 2u", "L2 b c 2u ic=3u"), ".ic v(d)=1m"),
        (WARM, ""),
    ],
)
def test_initial_conditions_are_those_of_dense_algebra(text, conditions):
    dense, sparse = (ktc.Circuit.from_netlist(text + conditions) for _ in range(2))
    dense.compile(sparse=False)
    sparse.compile(sparse=True)
    expected = dense.initial_state()
    scale = 1e-9 * np.abs(expected).max()
    assert np.allclose(sparse.initial_state(), expected, rtol=1e-9, atol=scale)


@pytest.mark.parametrize(
    ("conditions", "part"),
    [
        (".ic v(m)=1", "v(m) is at a node whose voltage no charge holds"),
        (".ic v(in)=1", "v(in) is at a node whose voltage no charge holds"),
        (".ic v(x)=1", "v(x) names no node"),
    ],
)
def test_initial_conditions_that_nothing_holds_are_refused(conditions, part):
    circuit = ktc.Circuit.from_netlist(WARM + conditions)
    circuit.compile(sparse=True)
    with pytest.raises(ktc.CircuitError) as found:
        circuit.initial_state()
    assert part in str(found.value)


def test_a_circuit_beyond_the_memory_is_refused_by_its_size(monkeypatch):
    monkeypatch.setattr("ktc._base.resources.memory", lambda: 1e5)
    with pytest.raises(ktc.CircuitError, match=r"101 nodes and 290 elements needs"):
        grid(10).compile(sparse=True)


def test_the_number_of_nodes_decides():
    assert not grid(10).compile().is_sparse
    with pytest.raises(ValueError, match="sparse=False"):
        _ = grid(3).compile(sparse=True).equation
    large = grid(32)
    assert large.compile().is_sparse
    assert large.compile() is large.compile() is large.network
    small = grid(3)
    assert small.compile(sparse=True).is_sparse
    assert small.network.is_sparse


def test_large_circuits_refuse_dense_algebra():
    circuit = grid(4)
    net = circuit.compile(sparse=True)
    with refused(ValueError, "replicas", "sparse=False"):
        ktc.Emulator(net, replicas=math.inf)
    for name in ("drift", "relaxation_times", "friction"):
        with pytest.raises(ValueError, match="sparse=False"):
            getattr(net, name)
    emulator = ktc.Emulator(net, replicas=3, seed=1)
    for name, value in (("stiffness", np.eye(net.units)), ("quartic", 1.0)):
        before = emulator.read(), emulator.controls
        with refused(ValueError, name, "sparse=False"):
            emulator.set(**{name: value})
        assert np.array_equal(emulator.read(), before[0])
        assert emulator.controls == before[1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("R1 a 0 1\nC1 a 0 1\nR2 b c 1\nC2 b c 1", "floating"),
        ("V1 a 0 1\nV2 a 0 2\nR1 a b 1\nC1 b 0 1", "V2 (line 2) closes a loop"),
        ("R1 a 0 1\nC1 a 0 1\nL1 a 0 1\nL2 a 0 1\nK1 L1 L2 0.1", "L2 (line 4) closes a loop"),
        ("R1 a 0 1\nC1 a 0 1\nL1 a b 1\nL2 b 0 1\nK1 L1 L2 0.1", "to node 'b'"),
        ("R1 a b 1 kelvin=4\nR2 b 0 1 kelvin=5\nC1 a 0 1", "R1 (line 1) at 4 K and R2 (line 2)"),
        ("R1 a 0 1\nC1 a 0 1\nL1 b 0 1\nC2 b 0 1", "no resistor damps the motion of 'q(b)'"),
        ("R1 a b 1\nR2 b 0 1\nC1 a 0 1\nI1 b 0 0 noise=1", "the noise of I1 (line 4)"),
        ("R1 a 0 1\nC1 a 0 1\nI1 a 0 0 noise=1 bandwidth=1", "I1 (line 3) has filtered noise"),
        ("R1 a 0 1\nC1 a 0 1e-20\nC2 b 0 1e-20\nR2 b 0 1\nC3 a b 1", "dependent"),
        ("R1 a 0 1 kelvin=0\nC1 a 0 1", "all resistors are at 0 K"),
        ("V1 a 0 1\nR1 a 0 1\nC1 a 0 1", "no state"),
        ("R1 a 0 1\nC1 a 0 1\nL1 a 0 1\nL2 b 0 1\nR2 b 0 1\nK1 L1 L3 0.1", "L3"),
    ],
)
def test_circuits_without_a_solution_are_refused(text, part):
    with pytest.raises(ktc.CircuitError) as found:
        ktc.Circuit.from_netlist(text).compile(sparse=True)
    assert part in str(found.value)


def test_a_mode_that_is_hardly_damped_has_no_stationary_state_at_two_temperatures():
    text = "R1 a 0 1meg kelvin=4\nC1 a 0 1n\nL1 a 0 1n\nR2 b 0 1k kelvin=5\nC2 b 0 1p\nC3 a b 1e-18"
    net = ktc.Circuit.from_netlist(text).compile(sparse=True)
    with pytest.raises(ValueError, match="give the emulator a state"):
        ktc.Emulator(net, replicas=1, seed=1)
    assert ktc.Emulator(net, replicas=1, seed=1, state=np.zeros(net.units)).read().shape == (1, 3)


GRID_OF_100 = """
import resource, sys
sys.path.insert(0, {tests!r})
import numpy as np
import ktc
from test_large_circuits import grid
circuit = grid(100, coupling=2e-13, sources=100, kelvins=(100.0, 300.0, 300.0))
emulator = ktc.Emulator(circuit.compile(), replicas=64, seed=1)
emulator.run(3 * emulator.network.core.fastest ** -1)
assert emulator.ledger.imbalance() < 1e-11
assert circuit.voltages(emulator).shape == (64, 10_100)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_grid_of_100_by_100_nodes_takes_less_than_a_gigabyte(request):
    code = GRID_OF_100.format(tests=str(request.path.parent))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 1e6
