"""The engine of the infinite ensemble: exact means, covariances, accounts and variances.

References are the moment equations of ``reference_motion`` by Runge and Kutta, and those of
``reference_drive``. The limit of short ticks is in test_infinite_limits.py, the agreement with
replicas in test_infinite_agreement.py.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse

import ktc
from ensembles import device
from infinite import REPLICAS, UNIT, circuits, drives, exact, random_network
from ktc._engines import moments_motion as gaussian_motion
from ktc._engines.moments_motion import Motion
from ktc.schedules import MinimalDissipation
from reference_drive import Reference, bias_drive, mean_work, stiffness_work_form
from reference_motion import Circuit, Resistor, zero_state
from refusal import refused


@pytest.mark.parametrize("inertia", [None, [0.5, 1.0, 2.0]])
def test_bias_drives_have_the_reference_moments(inertia):
    """Mean, covariance, mean and variance of the work of a bias drive, at every tick."""
    network = random_network(3, 8, kT=1.3, inertia=inertia)
    rng = np.random.default_rng(3)
    holds, biases, final = rng.uniform(0.1, 2.0, 7), rng.normal(size=(7, 3)), rng.normal(size=3)
    reference = Reference(network.stiffness, network.friction, 1.3, inertia)
    expected = bias_drive(reference, network.bias, holds, biases, final)
    emulator = exact(network)
    run = emulator.play(ktc.Protocol(holds, {"bias": biases}, {"bias": final}))
    assert run.work.mean == pytest.approx(expected.work, rel=1e-12)
    assert run.work.variance == pytest.approx(expected.work_variance, rel=1e-11)
    assert run.excess_work.mean == pytest.approx(expected.excess_work, rel=1e-10)
    # The work is normal, so Jarzynski's equality is this identity.
    assert run.excess_work.in_kT.mean == pytest.approx(run.work.in_kT.variance / 2, rel=1e-11)
    moments = emulator.moments()
    assert moments.mean == pytest.approx(expected.mean[:3], abs=1e-12)
    assert moments.covariance == pytest.approx(expected.covariance[:3, :3], abs=1e-12)
    assert emulator.ledger.imbalance() < 1e-14


def test_stiffness_drives_have_the_reference_moments():
    """Bias and stiffness at once: the mean work of the moment equations."""
    network = random_network(3, 9, kT=0.6)
    rng = np.random.default_rng(4)
    holds, biases = rng.uniform(0.1, 1.0, 6), rng.normal(size=(6, 3))
    factors = rng.normal(size=(7, 3, 9))
    stiffness = factors @ np.swapaxes(factors, 1, 2) / 9 + 0.2 * np.eye(3)
    expected = mean_work(
        Reference(network.stiffness, network.friction, 0.6),
        (network.bias, network.stiffness),
        holds,
        list(zip(biases, stiffness[:-1], strict=True)),
        (biases[-1], stiffness[-1]),
    )
    emulator = exact(network)
    drive = ktc.Protocol(
        holds, {"bias": biases, "stiffness": stiffness[:-1]}, {"stiffness": stiffness[-1]}
    )
    run = emulator.play(drive)
    assert run.work.mean == pytest.approx(expected.work, rel=1e-12)
    assert run.excess_work.mean == pytest.approx(expected.excess_work, rel=1e-11)
    assert emulator.moments().covariance == pytest.approx(expected.covariance, abs=1e-12)


def test_variance_of_stiffening_is_that_of_its_quadratic_form():
    """W = xᵀDx with x ~ N(0, C): mean tr DC, variance 2 tr (DC)²."""
    holds, k = np.array([0.3, 0.5, 0.2, 1.0]), np.array([1.4, 0.7, 2.5, 1.9])
    d, c = stiffness_work_form(1.0, holds, k, 0.5, friction=1.5, kT=0.8)
    network = ktc.Network(stiffness=1.0, friction=1.5, kT=0.8)
    run = exact(network).play(ktc.Protocol(holds, {"stiffness": k}, {"stiffness": 0.5}))
    assert run.work.mean == pytest.approx(np.trace(d @ c), rel=1e-13)
    assert run.work.variance == pytest.approx(2 * np.trace(d @ c @ d @ c), rel=1e-12)


@pytest.mark.parametrize("name", circuits())
@pytest.mark.parametrize("duration", [1e-3, 0.9, 30.0])
@pytest.mark.parametrize("most_forms", [0, gaussian_motion.MOST_FORMS])
def test_every_account_of_a_circuit(name, duration, most_forms, monkeypatch):
    """From rest at z = 0: mean, covariance, heat of every resistor, source and injection, each by
    its rate integrated by Runge and Kutta; and the first law, which none of them used. By the
    integrals of forms that small networks keep, and by those of moments that large ones take.
    """
    monkeypatch.setattr(gaussian_motion, "MOST_FORMS", most_forms)
    circuit = circuits()[name]
    expected = circuit.evolve(*zero_state(circuit), duration)
    emulator = device(circuit, math.inf, None, state=np.zeros(circuit.size))
    emulator.run(duration)
    moments, books = emulator.moments(), emulator.ledger
    n = circuit.size
    assert moments.mean == pytest.approx(expected.mean[:n], rel=1e-9, abs=1e-11)
    assert moments.covariance == pytest.approx(expected.covariance[:n, :n], rel=1e-9, abs=1e-11)
    assert books.heat_per_resistor[0] == pytest.approx(expected.heat, rel=1e-9, abs=1e-10)
    assert books.source[0] == pytest.approx(expected.source, rel=1e-9, abs=1e-10)
    assert books.injected[0] == pytest.approx(expected.injected, rel=1e-9, abs=1e-10)
    assert books.shadow[0] == 0
    warm = [r.kT > 0 for r in circuit.resistors]
    flow = sum(h / r.kT for h, r, w in zip(expected.heat, circuit.resistors, warm) if w)
    assert books.entropy_flow[0] == pytest.approx(flow, rel=1e-9, abs=1e-9)
    assert books.imbalance() < 1e-13


@pytest.mark.parametrize("name", circuits())
def test_circuits_start_and_stay_stationary(name):
    """The start is the solution of Lyapunov's equation; powers there are those of its moments."""
    circuit = circuits()[name]
    mean, covariance = circuit.stationary()
    emulator = device(circuit, math.inf, None)
    n = circuit.size
    for _ in range(3):
        moments = emulator.moments()
        assert moments.mean == pytest.approx(mean[:n], abs=1e-12)
        assert moments.covariance == pytest.approx(covariance[:n, :n], abs=1e-12)
        emulator.run(0.7)
    *heat, source, injected = circuit.powers(mean, covariance) * 2.1
    assert emulator.ledger.heat_per_resistor[0] == pytest.approx(heat, abs=1e-11)
    assert emulator.ledger.source[0] == pytest.approx(source, abs=1e-11)
    assert emulator.ledger.injected[0] == pytest.approx(injected, abs=1e-11)


def test_two_temperature_pair_in_joules():
    """5.584e-21 W (Ciliberto et al. 2013), of its closed form to 1e-12, in the stationary state."""
    boltzmann, r, c1, c2, c = 1.380649e-23, 10e6, 680e-12, 420e-12, 100e-12
    netlist = f"R1 a 0 {r} kelvin=88\nC1 a 0 {c1}\nR2 b 0 {r} kelvin=296\nC2 b 0 {c2}\nC3 a b {c}"
    network = ktc.Circuit.from_netlist(netlist).compile()
    emulator = exact(network)
    emulator.run(0.1)
    x, y = c1 * c2 + c * (c1 + c2), (c1 + c) * r + (c2 + c) * r
    power = boltzmann * c**2 * (296 - 88) / (x * y)
    assert emulator.ledger.heat_per_resistor[0] / 0.1 == pytest.approx([power, -power], rel=1e-10)


def test_heat_split_of_two_resistors():
    """K = [[1, .9], [.9, 1]] from (5, 0), hold 2: ∫ of the powers by quadrature, beside all heat.

    The split is not a function of the endpoints; the moment equations have it by Runge and Kutta.
    """
    stiffness = np.array([[1.0, 0.9], [0.9, 1.0]])
    circuit = Circuit(stiffness, [Resistor([1, 0], 1.0, 1.0), Resistor([0, 1], 1.0, 1.0)])
    expected = circuit.evolve(np.array([5.0, 0.0]), np.zeros((2, 2)), 2.0)
    network = ktc.Network(stiffness=stiffness, friction=1.0)
    emulator = exact(network, resolve_heat=True, state=[5.0, 0.0])
    plain = exact(network, state=[5.0, 0.0])
    for each in (emulator, plain):
        each.run(2.0)
    assert emulator.ledger.heat_per_resistor[0] == pytest.approx(expected.heat, rel=1e-9)
    assert emulator.ledger.heat[0] == pytest.approx(plain.ledger.heat[0], rel=1e-13)


@pytest.mark.tampered
@pytest.mark.parametrize("account", ["stationary_rates", "white_rate", "slopes"])
def test_the_first_law_can_fail(account, monkeypatch):
    """Every account has a formula of its own: a wrong one shows in the imbalance."""
    right = vars(Motion)[account].func
    monkeypatch.setattr(Motion, account, property(lambda motion: 1.001 * right(motion)))
    circuit = circuits()["generators"]
    emulator = device(circuit, math.inf, None, state=np.array([3.0, -1.0]))
    emulator.run(1.0)
    assert emulator.ledger.imbalance() > 1e-6


def test_large_networks_resolve_heat_without_their_forms():
    """300 units at as many temperatures: 27e6 numbers of forms are not kept. Books close.

    From cold, the heats of a short hold are what the resistors' noise brings in, −kT_r g_r K_rr h.
    """
    rng = np.random.default_rng(7)
    d, hold = 300, 1e-4
    factor = rng.normal(size=(d, d))
    stiffness = factor @ factor.T / d + np.eye(d)
    kT = rng.uniform(0.5, 2.0, d)
    emulator = exact(ktc.Network(stiffness=stiffness, friction=2.0, kT=kT), state=np.zeros(d))
    emulator.run(hold)
    expected = -kT * np.diag(stiffness) / 2 * hold
    assert emulator.ledger.heat_per_resistor[0] == pytest.approx(expected, rel=1e-3)
    assert emulator.ledger.imbalance() < 1e-13


def test_entropy_production_of_an_infinite_ensemble():
    """½ (ln 2 − 1 + ½) k_B to relax from kT = 1 to 2, wholly."""
    emulator = exact(UNIT, resolve_heat=True)
    run = emulator.play(ktc.Protocol([40.0], {"kT": [2.0]}))
    assert run.entropy_production.mean == pytest.approx(0.5 * (np.log(2) - 0.5), abs=1e-12)
    assert run.entropy_production.stderr == 0


def test_what_needs_replicas_is_refused():
    emulator = exact(UNIT)
    with refused(ValueError, "read()", "math.inf", "moments()", "finite"):
        emulator.read()
    with refused(ValueError, "state", "shape"):
        emulator.write(np.zeros((5, 1)))
    with refused(ValueError, "record", "state", "mean"):
        emulator.play(ktc.Protocol([1.0], {}), record="state")
    run = emulator.play(ktc.Protocol([1.0], {"bias": [1.0]}))
    with refused(ValueError, "no samples", "infinite ensemble"):
        _ = run.work.samples
    with refused(ValueError, "variance", "source"):
        emulator.ledger.variance("source")
    with refused(ValueError, "no variance"):
        _ = run.source.variance


def test_what_an_infinite_ensemble_cannot_have_is_refused():
    with refused(ValueError, "quartic", "replicas", "finite"):
        exact(ktc.Network(stiffness=1.0, friction=1.0, quartic=1.0))
    with refused(ValueError, "sparse", "replicas", "finite", "toarray()"):
        exact(ktc.Network(stiffness=scipy.sparse.eye_array(3, format="csr"), friction=1.0))
    with refused(ValueError, "dt", "left out", "0.1"):
        exact(UNIT, resolve_heat=True, dt=0.1)
    with refused(ValueError, "first_replica", "left out", "3"):
        exact(UNIT, first_replica=3)
    emulator = exact(UNIT, resolve_heat=True)
    before = emulator.moments().mean
    with refused(ValueError, "quartic", "replicas", "finite"):
        emulator.set(quartic=1.0)
    with refused(ValueError, "quartic", "replicas", "finite"):
        emulator.play(ktc.Protocol([1.0, 1.0], {"bias": [1.0, 1.0], "quartic": [0.0, 1.0]}))
    with refused(ValueError, "noise generators", "resolve_heat=True"):
        exact(UNIT).set(emf=1.0)
    with refused(ValueError, "bias", "overflows"):
        emulator.set(bias=1e200)
    with refused(ValueError, "state", "overflows"):
        emulator.write([1e200])
    with refused(TypeError, "replicas"):
        ktc.Emulator(UNIT, replicas=10.5)
    with refused(TypeError, "replicas"):
        ktc.Emulator(UNIT, replicas=-math.inf)
    assert emulator.time == 0
    assert emulator.moments().mean == before
    assert emulator.ledger.work == emulator.controls.bias == 0


@pytest.mark.parametrize(
    ("name", "value"), [("seed", 1), ("threads", 7), ("dtype", "float32"), ("dt", 0.1)]
)
def test_arguments_without_a_meaning_are_refused(name, value):
    with refused(ValueError, name, "must be left out", "math.inf", repr(value)):
        exact(UNIT, **{name: value})
    with refused(ValueError, name, "must be left out", "math.inf", repr(value)):
        ktc.Board(1, 1e6, 1e-12, 300.0).emulator(math.inf, **{name: value})


def test_an_infinite_ensemble_has_no_seed_and_no_threads(tmp_path):
    emulator = exact(UNIT)
    assert emulator.replicas == math.inf and emulator.infinite
    assert emulator.seed is None and emulator.threads is None and emulator.dtype == "float64"
    assert emulator.play(ktc.Protocol([1.0], {"bias": [1.0]})).seed is None
    emulator.save(tmp_path / "emulator.ktc")
    with refused(ValueError, "threads must be left out", "2"):
        ktc.Emulator.load(tmp_path / "emulator.ktc", threads=2)


def test_accounts_have_one_entry():
    emulator = exact(random_network(3, 1, dense=False), resolve_heat=True)
    emulator.set(bias=1.0)
    emulator.run(0.3)
    books = emulator.ledger
    for name in ("work", "heat", "supply", "source", "injected", "shadow", "entropy_flow"):
        assert getattr(books, name).shape == (1,)
    assert books.heat_per_resistor.shape == (1, 3)
    assert books.heat_per_resistor.sum() == pytest.approx(books.heat[0], rel=1e-13)
    assert books.energy_change.shape == emulator.energy().shape == (1,)
    books.reset()
    assert books.work == books.heat == books.variance("work") == 0


@pytest.mark.parametrize("resolve_heat", [False, True])
def test_resumes_with_the_same_bits(tmp_path, resolve_heat):
    network = random_network(3, 13, kT=0.9)
    emulator = exact(network, resolve_heat=resolve_heat)
    drive = drives()["all"]
    emulator.set(bias=1.0)
    emulator.run(0.3)
    emulator.run(0.3)
    emulator.save(tmp_path / "emulator.ktc")
    twin, loaded = emulator.copy(), ktc.Emulator.load(tmp_path / "emulator.ktc")
    assert loaded.replicas == math.inf
    runs = [each.play(drive) for each in (emulator, twin, loaded)]
    first = runs[0]
    for each, run in zip((twin, loaded), runs[1:], strict=True):
        assert run.work.mean == first.work.mean
        assert run.work.variance == first.work.variance
        assert each.ledger.heat == emulator.ledger.heat
        assert each.ledger.variance("heat") == emulator.ledger.variance("heat")
        assert (each.moments().covariance == emulator.moments().covariance).all()
        assert each.time == emulator.time
    emulator.reset()
    emulator.set(bias=1.0)
    emulator.run(0.3)
    emulator.run(0.3)
    again = emulator.play(drive)
    assert again.work.mean == first.work.mean
    assert again.work.variance == first.work.variance


def test_runs_and_fits_come_back(tmp_path):
    network = random_network(2, 14)
    run = exact(network).play(ktc.Protocol([1.0], {"bias": [1.0]}), record="mean")
    run.save(tmp_path / "run.ktc")
    back = ktc.Run.load(tmp_path / "run.ktc")
    fit = ktc.learn(network, [[1.0, 2.0]], MinimalDissipation(1.0), ticks=9, replicas=math.inf)
    fit.save(tmp_path / "fit.ktc")
    again = ktc.Fit.load(tmp_path / "fit.ktc")
    for old, new in ((run, back), (fit, again)):
        assert (new.work.mean, new.work.variance) == (old.work.mean, old.work.variance)
        assert new.excess_work.stderr == 0
        assert "infinite ensemble" in str(new.work)


def test_equilibrate_and_write():
    network = random_network(2, 15, kT=0.4)
    emulator = exact(network)
    emulator.write([1.0, 2.0])
    assert not emulator.moments().covariance.any()
    emulator.run(0.5)
    A, c, Q = network.transition(0.5)
    assert emulator.moments().mean == pytest.approx(A @ [1.0, 2.0] + c, rel=1e-13)
    assert emulator.moments().covariance == pytest.approx(Q, rel=1e-12)
    emulator.set(bias=0.3)
    emulator.equilibrate()
    assert emulator.moments().mean == pytest.approx(np.linalg.solve(network.stiffness, [0.3] * 2))
    assert emulator.moments().covariance == pytest.approx(0.4 * np.linalg.inv(network.stiffness))
    assert emulator.ledger.work == 0


def test_boards_in_volts():
    """A board with exact reading: one cell's kT/C noise, and a learning run in joules."""
    board = ktc.Board(cells=2, resistance=1e6, capacitance=1e-12, temperature=300.0)
    emulator = board.emulator(replicas=math.inf)
    kT = 1.380649e-23 * 300
    assert emulator.moments().covariance == pytest.approx(np.eye(2) * kT / 1e-12, rel=1e-12)
    fit = ktc.learn(board, [[1e-4, 2e-4]], MinimalDissipation(5e-6), ticks=200, replicas=math.inf)
    assert fit.excess_work.mean == pytest.approx(fit.bound, rel=1e-4)
    assert fit.excess_work.in_kT.variance == pytest.approx(2 * fit.excess_work.in_kT.mean)
    noisy = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(adc_noise=1e-5, seed=1))
    with refused(ValueError, "read()", "math.inf", "moments()", "finite"):
        noisy.emulator(replicas=math.inf).moments()


def test_runs_and_fits_are_drawn():
    """Means with their deviations take the place of histograms."""
    circuit = circuits()["generators"]
    drive = ktc.Protocol([0.5, 0.7], {"bias": [0.6, -0.4]})
    run = device(circuit, math.inf, None).play(drive, record=["mean", "covariance", "work"])
    labels = [
        text.get_text()
        for ax in run.plot().axes
        if ax.get_legend()
        for text in ax.get_legend().get_texts()
    ]
    assert {"work, mean ± standard deviation", "mean heat"} <= set(labels)
    ktc.learn(UNIT, 5.0, MinimalDissipation(1.0), ticks=9, replicas=math.inf).plot()


def test_marks_are_nested():
    """A run inside a tally leaves the tally its own accounts."""
    one, many = exact(UNIT), ktc.Emulator(UNIT, replicas=REPLICAS, seed=9)
    for emulator in (one, many):
        emulator.set(bias=0.5)
        emulator.run(0.3)
    before = many.ledger.work
    with one.ledger.tally() as tally:
        for emulator in (one, many):
            emulator.set(bias=2.0)
            emulator.play(ktc.Protocol([0.5], {"bias": [1.0]}))
        found = tally()
    error = 4.5 * np.sqrt(2 / REPLICAS)
    assert np.var(many.ledger.work - before) == pytest.approx(found["work"], rel=error)
    assert many.ledger.variance("work") == pytest.approx(one.ledger.variance("work"), rel=error)
    # The ledger has the first update too: a tally that leaked it would agree.
    assert found["work"] != pytest.approx(one.ledger.variance("work"), rel=0.1)


def test_long_and_many_holds_keep_the_first_law():
    """10⁴ ticks, and a hold of 10⁹ relaxation times: books close to 1e-13."""
    network = random_network(3, 16, dense=False)
    for resolve_heat in (False, True):
        emulator = exact(network, resolve_heat=resolve_heat)
        times = np.arange(10_000)
        emulator.play(ktc.Protocol(np.full(10_000, 0.01), {"bias": np.sin(times / 100)}))
        emulator.run(1e9)
        assert emulator.ledger.imbalance() < 1e-13
        assert emulator.time == pytest.approx(100 + 1e9, rel=1e-15)
