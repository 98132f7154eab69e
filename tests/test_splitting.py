"""The splitting integrator: what it leaves alone, its order, its paths, and its failures.

References are Gibbs moments, ordinary differential equations, and the documented sub-steps written
again in NumPy. "4σ" is a false alarm of 6.3e-5 a comparison, "4.5σ" of 6.8e-6; seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate

import ktc
from ensembles import covariance_near, device, near
from in_steps import bits, coupled_wells, quartic_with_inertia
from ktc._model.elements import CurrentSource
from ktc._model.elements import Resistor as Element
from reference import random_spd
from reference_motion import Circuit, Noise, Resistor, order_of
from reference_quartic import Unit
from refusal import refused, refused_unchanged

# Steps so long that their bias is seen.
pytestmark = pytest.mark.filterwarnings("ignore:dt = :RuntimeWarning")

RNG = np.random.default_rng(2)
K3, DENSE = random_spd(RNG, 3), random_spd(RNG, 3, 4.0)
BIAS = np.array([1.0, -0.5, 2.0])
J = np.array([[0.0, 2.0, -1.0], [-2.0, 0.0, 0.5], [1.0, -0.5, 0.0]])
BRIDGES = [([1, 0, 0], 0.3), ([1, -1, 0], 2.0), ([0, 1, -1], 0.5), ([1, 1, 1], 1.0)]

QUADRATIC = {
    "overdamped": lambda: ktc.Network(K3, [1.0, 3.0, 0.2], kT=0.7, bias=BIAS),
    "dense friction": lambda: ktc.Network(K3, DENSE, kT=0.7, bias=BIAS),
    "inertia": lambda: ktc.Network(K3, [0.6, 3.0, 1.0], kT=0.7, bias=BIAS, inertia=[1, 2, 0.5]),
    "inertia, dense friction": lambda: ktc.Network(K3, DENSE, kT=0.7, bias=BIAS, inertia=1.0),
    "resistors between nodes": lambda: ktc.Network.of_elements(
        K3, [Element(d, g, str(d)) for d, g in BRIDGES], 0.7, bias=BIAS
    ),
    "interconnection": lambda: ktc.Network.of_elements(
        K3, [Element(d, g, str(d)) for d, g in BRIDGES[:2]], 0.7, bias=BIAS, interconnection=J
    ),
}


@pytest.mark.parametrize("make", QUADRATIC.values(), ids=QUADRATIC.keys())
@pytest.mark.parametrize("length", [1.0, 7.0])
def test_gibbs_state_survives_steps_of_any_length(make, length):
    """At one temperature: mean K⁻¹b and covariance kT K⁻¹ after 30 steps of 1 and 7, 4.5σ.

    Fastest times of these networks are 0.1 to 1; replicas have forgotten the state that they
    started from by 30 steps of 1. Shadow work stays rounding, and the first law holds.
    """
    network = make()
    emulator = ktc.Emulator(network, replicas=30_000, seed=81, dt=length, resolve_heat=True)
    first = emulator.read()
    emulator.run(30 * length)
    x = emulator.read()
    rest = np.linalg.solve(K3, BIAS)
    assert near(x, rest, sigmas=4.5)
    assert covariance_near(x - rest, 0.7 * np.linalg.inv(K3))
    if length == 1.0:
        assert np.abs(np.corrcoef(x[:, 0], first[:, 0])[0, 1]) < 4.5 / np.sqrt(len(x))
    if network.inertia is not None:
        p = emulator.read_momentum()
        assert covariance_near(p, 0.7 * np.diag(network.inertia))
    assert emulator.ledger.imbalance() < 1e-12
    assert np.abs(emulator.ledger.shadow).max() < 1e-10
    assert near(emulator.ledger.heat, [0.0])


def test_gibbs_state_is_a_fixed_point_of_the_documented_steps():
    """The moments kT K⁻¹ reproduce themselves to 1e-13 under the reference's sub-steps as well."""
    circuit = Circuit(K3, [Resistor(d, g, 0.7) for d, g in BRIDGES], interconnection=J, bias=BIAS)
    rest, covariance = np.linalg.solve(K3, BIAS), 0.7 * np.linalg.inv(K3)
    moved = circuit.split(rest, covariance, 7.0, 5)
    assert moved.mean == pytest.approx(rest, abs=1e-13)
    assert moved.covariance == pytest.approx(covariance, abs=1e-13)


def test_emulators_with_and_without_steps_agree():
    """``resolve_heat`` changes how a network moves, not where to: mean and covariance, 4.5σ."""
    network = QUADRATIC["interconnection"]()
    drive = ktc.Protocol.ramp(duration=2.0, ticks=4, bias=([0, 0, 0], [2.0, 1.0, -1.0]))
    runs = []
    for options in ({}, {"resolve_heat": True}):
        emulator = ktc.Emulator(network, replicas=40_000, seed=82, **options)
        runs.append((emulator.play(drive), emulator.read()))
    (exact, x), (split, y) = runs
    scatter = np.sqrt((x.var(axis=0) + y.var(axis=0)) / len(x))
    assert np.all(np.abs(x.mean(axis=0) - y.mean(axis=0)) < 4.5 * scatter)
    scatter = np.sqrt((exact.work.samples.var() + split.work.samples.var()) / len(x))
    assert abs(exact.work.mean - split.work.mean) < 4.5 * scatter
    assert split.source.mean == split.injected.mean == 0


def kicked(current=0.0, kT=0.4):
    """A node with a quartic capacitor, an inductor to a second, quadratic node; two resistors."""
    stiffness = np.diag([-0.5, 1.0, 2.0])
    interconnection = np.array([[0, -1.0, 0], [1.0, 0, -1.0], [0, 1.0, 0]])
    resistors = [Resistor([1, 0, 0], 0.3, kT), Resistor([0, 0, 1], 0.2, kT, emf=0.5)]
    circuit = Circuit(
        stiffness,
        resistors,
        interconnection=interconnection,
        bias=[0.2, 0.0, 0.0],
        sources=[([1.0, 0.5, 0.0], current)],
    )
    return circuit, np.array([1.0, 0.0, 0.0])


@pytest.mark.parametrize("current", [0.0, 0.8])
def test_quartic_paths_against_numpy(current):
    """State and every account after long steps: means and mean squares of two ensembles, 4.5σ.

    The reference books whole energy differences of each sub-step; the engine local formulas.
    """
    circuit, quartic = kicked(current)
    start, dt, steps, n = np.array([1.0, -0.5, 0.3]), 0.4, 6, 60_000
    z, accounts = circuit.simulate(
        np.tile(start, (n, 1)), quartic, dt, steps, np.random.default_rng(3)
    )
    emulator = device(circuit, n, 83, quartic=quartic, dt=dt, state=start)
    emulator.run(dt * steps)
    books = emulator.ledger
    assert books.imbalance() < 1e-12
    theirs = np.column_stack([z, *accounts.values()])
    ours = np.column_stack([emulator.read(), books.source, books.shadow, books.heat_per_resistor])
    for one, other in ((ours, theirs), (ours**2, theirs**2)):
        scatter = np.sqrt((one.var(axis=0) + other.var(axis=0)) / n)
        assert np.all(np.abs(one.mean(axis=0) - other.mean(axis=0)) <= 4.5 * scatter)
    assert np.std(books.shadow) > 1e-3


def test_sources_and_heat_of_a_driven_quartic_circuit():
    """Nearly without noise against the ordinary differential equation: slope 2 ± 0.2, all accounts.

    dz = (J − G)∇H + g e d + a I: source = ∫(I a·∇H − Σ e g (d·∇H − e)) dt, heat_r =
    ∫ g (d·∇H − e)² dt. What a current source gives to a quartic unit is source, not shadow work.
    """
    circuit, quartic = kicked(current=0.8, kT=1e-20)
    start, duration = np.array([1.0, -0.5, 0.3]), 3.0

    def equations(_, packed):
        z = packed[:3]
        slope = circuit.stiffness @ z - circuit.bias + quartic * z**3
        rate, heat, source = circuit.interconnection @ slope, [], 0.0
        for r in circuit.resistors:
            force = r.direction @ slope - r.emf
            rate = rate - r.conductance * force * r.direction
            heat.append(r.conductance * force**2)
            source -= r.emf * r.conductance * force
        for direction, current in circuit.sources:
            rate = rate + direction * current
            source += current * direction @ slope
        return np.concatenate([rate, [source], heat])

    exact = scipy.integrate.solve_ivp(
        equations, (0, duration), [*start, 0, 0, 0], rtol=1e-11, atol=1e-13
    ).y[:, -1]
    assert abs(exact[3]) > 1
    steps, errors = [0.1, 0.05, 0.025], []
    for dt in steps:
        emulator = device(circuit, 1, 84, quartic=quartic, dt=dt, state=start)
        emulator.run(duration)
        books = emulator.ledger
        found = [*emulator.read()[0], books.source[0], *books.heat_per_resistor[0]]
        errors.append([*(found - exact), books.shadow[0]])
        assert books.imbalance() < 1e-12
    for error in np.array(errors).T:
        assert order_of(steps, error) == pytest.approx(2, abs=0.2)


def double_well_with_inertia():
    unit = Unit(-1.0, 1.0, bias=0.1, kT=0.5)
    return unit, ktc.Network(-1.0, 0.8, kT=0.5, bias=0.1, quartic=1.0, inertia=1.5)


def test_shadow_work_of_kicks():
    """From equilibrium: zero on average at 4σ, and its width falls with the square of the step.

    Widths of 20 000 replicas are known to half a percent: slope 2 ± 0.1 over dt = 0.4, 0.2, 0.1.
    """
    _, network = double_well_with_inertia()
    steps, widths = [0.4, 0.2, 0.1], []
    for dt in steps:
        emulator = ktc.Emulator(network, replicas=20_000, seed=85, dt=dt)
        emulator.run(4.0)
        shadow = emulator.ledger.shadow
        widths.append(shadow.std())
        assert dt > 0.2 or near(shadow, [0.0])
        assert emulator.ledger.imbalance() < 1e-12
    assert order_of(steps, widths) == pytest.approx(2, abs=0.1)
    assert widths[0] < 0.1


def test_averages_with_inertia():
    """Bias of ⟨x²⟩, ⟨x⁴⟩ and ⟨p²⟩ of a kicked double well at dt = 1, ½ and ¼ against quadrature.

    Every one is below 0.05 dt² of its value, beyond 4σ; at dt = 1 it is seen in ⟨x⁴⟩, where 9σ are
    expected. What steps cost in the stationary state is shadow work, dissipated as heat: positive
    by 10σ at dt = 1, and falling with about the fourth power of the step, the bias squared.
    """
    unit, network = double_well_with_inertia()
    exact = [unit.average(lambda x: x**2), unit.average(lambda x: x**4), 0.75]
    costs = []
    for dt, replicas in ((1.0, 240_000), (0.5, 60_000), (0.25, 60_000)):
        emulator = ktc.Emulator(network, replicas=replicas, seed=86, dt=dt)
        emulator.run(12.0)
        x, p = emulator.read()[:, 0], emulator.read_momentum()[:, 0]
        columns = np.column_stack([x**2, x**4, p**2]) / exact - 1
        assert near(columns, 0.0, bias=0.05 * dt**2)
        assert near(columns[:, 1], 0.0) == (dt < 1)
        shadow = emulator.ledger.shadow
        costs.append(shadow.mean())
        assert dt < 1 or shadow.mean() > 10 * shadow.std() / np.sqrt(len(shadow))
    assert costs[0] > 12 * abs(costs[1])
    assert abs(costs[2]) < 0.01 * costs[0]


def test_weak_order_with_inertia():
    """⟨x⟩ and ⟨xp⟩ out of equilibrium, nearly without noise, against Newton's equation: slope 2.

    At kT = 1e-20 a path is the average; the step's error in x, p, heat and shadow work, ± 0.1.
    """
    network = ktc.Network(-1.0, 0.8, kT=1e-20, bias=0.1, quartic=1.0, inertia=1.5)

    def equations(_, packed):
        x, p, _ = packed
        return [p / 1.5, x - x**3 + 0.1 - 0.8 * p / 1.5, 0.8 * (p / 1.5) ** 2]

    exact = scipy.integrate.solve_ivp(
        equations, (0, 2.0), [1.6, 0.5, 0.0], rtol=1e-11, atol=1e-13
    ).y[:, -1]
    steps, errors = [0.1, 0.05, 0.025, 0.0125], []
    for dt in steps:
        emulator = ktc.Emulator(network, replicas=1, seed=87, dt=dt, state=1.6, momentum=0.5)
        emulator.run(2.0)
        found = [emulator.read()[0, 0], emulator.read_momentum()[0, 0], emulator.ledger.heat[0]]
        errors.append([*(found - exact), emulator.ledger.shadow[0]])
    for error in np.array(errors).T:
        assert order_of(steps, error) == pytest.approx(2, abs=0.1)


def test_units_of_measurement_do_not_matter():
    """Coulombs, joules and seconds against units of order one: paths and heats to 1e-11.

    The draw of the equilibrium and every step scale exactly, but for the rounding of products.
    """
    state, energy, time = 1e-13, 4e-21, 1e-6
    stiffness, friction = np.array([[-1.0, 0.3], [0.3, 1.0]]), np.array([1.0, 2.0])
    plain = ktc.Network(stiffness, friction, kT=0.3, bias=[0.1, 0], quartic=[1.0, 0.5])
    scaled = ktc.Network(
        stiffness * energy / state**2,
        friction * energy * time / state**2,
        kT=0.3 * energy,
        bias=np.array([0.1, 0]) * energy / state,
        quartic=np.array([1.0, 0.5]) * energy / state**4,
    )
    one = ktc.Emulator(plain, replicas=200, seed=97, dt=0.05)
    other = ktc.Emulator(scaled, replicas=200, seed=97, dt=0.05 * time)
    assert other.read() / state == pytest.approx(one.read(), abs=1e-11)
    one.run(2.0)
    other.run(2.0 * time)
    assert other.read() / state == pytest.approx(one.read(), abs=1e-11)
    assert other.ledger.heat / energy == pytest.approx(one.ledger.heat, abs=1e-11)


def test_lost_states_never_leave_the_engine():
    """A step that is unstable past the check (by the private engine) is an error, and stays one.

    Reading, running, saving and copying raise until the emulator is reset, equilibrated or written
    to; then it goes on as one that was never lost.
    """
    emulator = ktc.Emulator(quartic_with_inertia(), replicas=100, seed=90, dt=0.1)
    twin = ktc.Emulator(quartic_with_inertia(), replicas=100, seed=90, dt=0.1)

    def lose():
        emulator._frontend.engine.core.longest_step = 50.0
        with refused(OverflowError, "left the range of numbers", "dt is unstable", "smaller"):
            emulator._frontend.engine.play(np.array([5000.0]), {})

    lose()
    for look in (
        emulator.read,
        emulator.read_momentum,
        emulator.energy,
        emulator.ledger.imbalance,
        emulator.copy().read,
        lambda: emulator.ledger.heat,
        lambda: emulator.ledger.heat_per_resistor,
        lambda: emulator.moments().mean,
        lambda: emulator.set(bias=1.0),
        lambda: emulator.run(0.1),
        lambda: emulator.play(ktc.Protocol([0.1], {})),
        lambda: emulator.save("nowhere.npz"),
    ):
        with refused(OverflowError, "left the range of numbers", "reset, equilibrate or write"):
            look()
    emulator.reset()
    for each in (emulator, twin):
        each.run(0.5)
    assert np.array_equal(bits(emulator), bits(twin))
    for mend in (emulator.equilibrate, lambda: emulator.write(0.0)):
        lose()
        mend()
        emulator.run(0.5)
        assert np.isfinite(bits(emulator)).all()
        assert emulator.ledger.imbalance() < 1e-12


def test_unstable_steps_are_refused():
    """``dt`` beyond twice the fastest time, at the start, after a set, and in a protocol."""
    network = quartic_with_inertia()
    with refused(ValueError, "dt must be at most", "but is 5", "unstable"):
        ktc.Emulator(network, dt=5.0)
    emulator = ktc.Emulator(network, replicas=10, seed=91, dt=0.3)
    stiffer = ktc.Protocol([0.1, 0.1], {"quartic": [1.0, 1e4]})
    with refused_unchanged(emulator, ValueError, "dt must be at most", "0.3"):
        emulator.play(stiffer)
    emulator.set(quartic=1e4)
    with refused(ValueError, "dt must be at most", "0.3"):
        emulator.run(0.1)
    for dt in (0.0, -1.0, np.nan, "fast"):
        with refused(TypeError if dt == "fast" else ValueError, "dt"):
            ktc.Emulator(network, dt=dt)
    with refused(ValueError, "dt must be None", "resolve_heat=True"):
        ktc.Emulator(ktc.Network(1.0, 1.0), dt=0.1)


def test_overdamped_quartic_units_come_back_from_far_out():
    """Without kicks nothing is unstable: the quartic force is moved exactly, however far out."""
    emulator = ktc.Emulator(coupled_wells(), replicas=100, seed=92, dt=0.2, state=1e6)
    emulator.run(10.0)
    assert np.abs(emulator.read()).max() < 5
    assert emulator.ledger.imbalance() < 1e-12


def test_states_beyond_all_energies_are_refused():
    """A state whose quartic energy is no double is refused where it is written, unchanged."""
    emulator = ktc.Emulator(coupled_wells(), replicas=10, seed=93)
    with refused_unchanged(emulator, ValueError, "state", "energy overflows"):
        emulator.write(1e90)
    with refused(ValueError, "state", "energy overflows"):
        ktc.Emulator(coupled_wells(), replicas=10, seed=93, state=1e90)


def test_quartic_units_need_resistors_of_their_own():
    """Dense friction, a bridge, two quartic units joined by J: refused by name, before a move."""
    dense = ktc.Network(np.eye(2), [[1.0, 0.5], [0.5, 1.0]])
    bridge = [Element([1, -1], 1.0, "bridge"), Element([0, 1], 1.0, "own")]
    with refused(ValueError, "quartic", "unit 0", "own axes"):
        ktc.Network(np.eye(2), [[1.0, 0.5], [0.5, 1.0]], quartic=1.0)
    with refused(ValueError, "quartic", "unit 0", "own axes"):
        ktc.Network.of_elements(np.eye(2), bridge, 1.0, quartic=1.0)
    with refused(ValueError, "quartic", "unit 0", "unit 1", "interconnection"):
        ktc.Network.of_elements(
            np.eye(2), bridge[1:], 1.0, quartic=1.0, interconnection=[[0, 1.0], [-1.0, 0]]
        )
    for network in (dense, ktc.Network.of_elements(np.eye(2), bridge, 1.0)):
        emulator = ktc.Emulator(network, replicas=10, seed=94, resolve_heat=True)
        with refused_unchanged(emulator, ValueError, "quartic", "own axes"):
            emulator.set(quartic=[1.0, 0.0])
        late = np.zeros((6000, 2))
        late[-1, 0] = 1.0
        with refused_unchanged(emulator, ValueError, "quartic", "own axes"):
            emulator.play(ktc.Protocol(np.full(6000, 0.1), {"quartic": late}))


def test_exact_emulators_refuse_what_they_cannot_move():
    """``set`` and ``play`` of quartic and EMFs on an emulator of exact holds; currents move it."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=10, seed=95)
    assert not emulator.resolve_heat
    fed = ktc.Network.of_elements(
        np.eye(1), [Element([1.0], 1.0, "R")], 1.0, sources=[CurrentSource([1.0], 0.0)]
    )
    other = ktc.Emulator(fed, replicas=10, seed=95)
    other.set(current=0.5, emf=0.2)
    other.run(1.0)
    assert (other.ledger.source != 0).all() and other.ledger.imbalance() < 1e-12
    with refused_unchanged(other, ValueError, "quartic must be zero", "resolve_heat=True"):
        other.set(quartic=0.5)
    for name in ("quartic", "emf"):
        with refused_unchanged(emulator, ValueError, "exact holds", "resolve_heat=True"):
            emulator.set(**{name: 0.5})
        values = np.zeros(6000)
        values[-1] = 0.5
        with refused_unchanged(emulator, ValueError, "exact holds", "resolve_heat=True"):
            emulator.play(ktc.Protocol(np.full(6000, 0.1), {name: values}))
        with refused_unchanged(emulator, ValueError, "exact holds", "resolve_heat=True"):
            emulator.play(ktc.Protocol([0.1], {}, final={name: 0.5}))


def test_noise_and_sources_leave_the_stationary_mean_where_theory_has_it():
    """EMF, current and both kinds of noise on an RLC circuit: F m + c = 0, Lyapunov's P."""
    circuit = Circuit(
        np.diag([1.0, 2.0, 0.5]),
        [Resistor([1, 0, 0], 0.5, 0.4, emf=1.0), Resistor([0, 0, 1], 0.7, 1.2, emf=-0.5)],
        interconnection=np.array([[0, -1.0, 0], [1.0, 0, -1.0], [0, 1.0, 0]]),
        bias=[0.0, 0.3, 0.0],
        sources=[([0.0, 0.0, 1.0], 0.8)],
        noises=[Noise([1, 0, 0], 0.3), Noise([0, 0, 1], 0.5, 2.0)],
    )
    mean, covariance = circuit.stationary()
    powers = circuit.powers(mean, covariance)
    assert powers[:2].sum() == pytest.approx(powers[2:].sum(), rel=1e-9)
    dt, duration = 0.05, 5.0
    split = circuit.split(mean, covariance, dt, round(duration / dt))
    emulator = device(circuit, 40_000, 96, resolve_heat=True, dt=dt)
    z = emulator.read()
    assert near(z, mean[:3], sigmas=4.5)
    assert covariance_near(z - mean[:3], covariance[:3, :3])
    emulator.run(duration)
    z, books = emulator.read(), emulator.ledger
    assert near(z, split.mean[:3], sigmas=4.5)
    assert covariance_near(z - split.mean[:3], split.covariance[:3, :3])
    assert near(books.heat_per_resistor, split.heat)
    assert near(books.source, [split.source])
    assert near(books.injected, [split.injected])
    assert books.imbalance() < 1e-12
