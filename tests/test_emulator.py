"""The emulator: equilibrium and relaxation against independent formulas, and its face.

Statistical tests fix their seeds and compare at 5 standard errors of a normal statistic: a false
alarm of 5.7e-7 for each number compared, of which each test says how many there are.
"""

import copy
import math
import pickle
import threading

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import ktc
from ktc import _core
from reference import LinearNetwork, random_spd
from reference_noise import EQUILIBRIUM, normals
from refusal import refused, refused_unchanged

COUPLED = np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 3.0]])
DENSE = random_spd(np.random.default_rng(7), 3, 5.0)
BIAS = np.array([1.0, -2.0, 0.5])
NETWORKS = {
    "uncoupled": {"stiffness": np.diag([1.0, 2.0, 5.0]), "friction": [1.0, 3.0, 0.2]},
    "coupled": {"stiffness": COUPLED, "friction": [1.0, 3.0, 0.2]},
    "dense friction": {"stiffness": COUPLED, "friction": DENSE},
    "ringing": {"stiffness": COUPLED, "friction": 0.2, "inertia": [1.0, 0.5, 2.0]},
    "with inertia": {"stiffness": COUPLED, "friction": DENSE, "inertia": [1.0, 0.5, 2.0]},
    "light": {"stiffness": COUPLED, "friction": DENSE, "inertia": 1e-6},
}
every_network = pytest.mark.parametrize("description", NETWORKS.values(), ids=NETWORKS.keys())


def make(description, kT=0.7, bias=BIAS):
    return ktc.Network(**description, kT=kT, bias=bias)


def reference(description, kT=0.7, bias=BIAS):
    return LinearNetwork(**description, kT=kT, bias=bias)


def full_state(emulator):
    parts = [emulator.read()]
    if emulator.network.inertia is not None:
        parts.append(emulator.read_momentum())
    return np.concatenate(parts, axis=1)


def assert_normal(samples, mean, covariance):
    """Mean, covariance, and squared distance: n + n(n+1)/2 + 1 comparisons at 5 standard errors."""
    count, n = samples.shape
    white = np.linalg.solve(np.linalg.cholesky(covariance), (samples - mean).T).T
    assert np.abs(white.mean(axis=0)).max() < 5 / math.sqrt(count)
    spread = 5 * np.sqrt((1 + np.eye(n)) / count)
    assert (np.abs(white.T @ white / count - np.eye(n)) < spread).all()
    assert scipy.stats.kstest((white**2).sum(axis=1), "chi2", args=(n,)).pvalue > 5.7e-7


def equilibrium(network):
    mean = np.zeros(len(network.hessian()))
    mean[: network.units] = np.linalg.solve(network.stiffness, network.bias)
    return mean, network.kT * np.linalg.inv(network.hessian())


@every_network
def test_it_starts_in_equilibrium(description):
    """At most 28 comparisons: exp(−H/kT) is N(K⁻¹b, kT K⁻¹) times N(0, kT M)."""
    emulator = ktc.Emulator(make(description), replicas=100_000, seed=1)
    assert_normal(full_state(emulator), *equilibrium(reference(description)))


@every_network
def test_motion_leaves_equilibrium_alone(description):
    """The same after many holds of very different lengths, none of them short or long for all."""
    emulator = ktc.Emulator(make(description), replicas=100_000, seed=2)
    for hold in (1e-3, 0.3, 5.0, 1e-2, 1.0, 1e-7, 40.0, 0.1):
        emulator.run(hold)
    assert_normal(full_state(emulator), *equilibrium(reference(description)))


@pytest.mark.parametrize("hold", [0.01, 1.0])
@every_network
def test_equipartition_after_long_evolution(description, hold):
    """⟨x ∂H/∂x⟩ = kT for each unit and ⟨p²/M⟩ = kT after 300 ticks: at most six comparisons.

    Over short holds from equilibrium; over long ones, 15 of the slowest relaxation times in all,
    from far off.
    """
    network, ref = make(description), reference(description)
    start = {} if hold < 0.1 else {"state": [9.0, -9.0, 9.0]}
    emulator = ktc.Emulator(network, replicas=40_000, seed=3, **start)
    emulator.play(ktc.Protocol(np.full(300, hold), {}))
    x = emulator.read()
    products = x * (x @ ref.stiffness - ref.bias)
    if network.inertia is not None:
        products = np.hstack([products, emulator.read_momentum() ** 2 / ref.inertia])
    error = products.std(axis=0) / math.sqrt(len(x))
    assert (np.abs(products.mean(axis=0) - 0.7) < 5 * error).all()


START, MOMENTUM = np.array([3.0, -1.0, 2.0]), np.array([1.0, 0.5, -2.0])


@pytest.mark.parametrize("duration", [0.05, 0.7, 4.0])
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "light"])
def test_relaxation_from_a_displaced_start(name, duration):
    """Mean and covariance from one point follow their moment equations: at most 28 comparisons."""
    network, ref = make(NETWORKS[name]), reference(NETWORKS[name])
    momentum = None if ref.inertia is None else MOMENTUM
    emulator = ktc.Emulator(network, replicas=50_000, seed=4, state=START, momentum=momentum)
    for part in (0.3, 0.7):
        emulator.run(part * duration)
    z = START if momentum is None else np.concatenate([START, MOMENTUM])
    assert_normal(full_state(emulator), *ref.relaxed(z, np.zeros((len(z), len(z))), duration))


@pytest.mark.parametrize("duration", [0.05, 0.7, 4.0])
def test_light_cells_relax_as_cells_without_inertia(duration):
    """The limit is off by M/R, some 1e-6: far below the errors of the ten comparisons."""
    emulator = ktc.Emulator(make(NETWORKS["light"]), replicas=50_000, seed=4, state=START)
    emulator.run(duration)
    limit = reference(NETWORKS["dense friction"])
    assert_normal(emulator.read(), *limit.relaxed(START, np.zeros((3, 3)), duration))


def test_relaxation_after_a_change_of_every_control():
    """New bias, stiffness and kT at once: the moment equations go on at the new ones."""
    emulator = ktc.Emulator(make(NETWORKS["with inertia"]), replicas=100_000, seed=5)
    mean, covariance = equilibrium(reference(NETWORKS["with inertia"]))
    stiffness, bias = random_spd(np.random.default_rng(8), 3, 4.0), np.array([0.0, 3.0, 1.0])
    emulator.set(stiffness=stiffness, bias=bias, kT=2.0)
    emulator.run(0.9)
    changed = {**NETWORKS["with inertia"], "stiffness": stiffness}
    assert_normal(
        full_state(emulator),
        *reference(changed, kT=2.0, bias=bias).relaxed(mean, covariance, 0.9),
    )


@every_network
def test_moments_are_those_of_the_states(description):
    """Against NumPy's own, to rounding of sums of 1003 numbers; small widths on a large offset."""
    emulator = ktc.Emulator(make(description, bias=1e6), replicas=1003, seed=6)
    x, moments = emulator.read(), emulator.moments()
    assert moments.mean == pytest.approx(x.mean(axis=0), rel=1e-14)
    exact = np.cov((x - x.mean(axis=0)).T, bias=True)
    assert moments.covariance == pytest.approx(exact, rel=1e-6, abs=1e-8)


def test_moments_stay_those_of_their_instant():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=500, seed=7)
    held, x = emulator.moments(), emulator.read()
    for move in (
        lambda: emulator.run(1.0),
        lambda: emulator.set(stiffness=2 * COUPLED),
        emulator.equilibrate,
        emulator.reset,
        lambda: emulator.write([0.0, 0.0, 0.0]),
        lambda: emulator.play(ktc.Protocol([1.0], {"bias": [3.0]})),
    ):
        move()
        assert held.mean == pytest.approx(x.mean(axis=0), rel=1e-12)
        assert held.covariance == pytest.approx(np.cov(x.T, bias=True), rel=1e-12)
        held, x = emulator.moments(), emulator.read()


def test_moments_are_closed_for_writing():
    """Whoever asks next at the same instant gets the same arrays."""
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=10, seed=1)
    known = emulator.moments()
    for array in (known.mean, known.covariance):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_one_replica_has_a_mean_and_no_spread():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=1, seed=8)
    assert emulator.moments().mean == pytest.approx(emulator.read()[0], rel=1e-14)
    assert np.abs(emulator.moments().covariance).max() < 1e-28


def test_what_is_read_is_a_copy():
    emulator = ktc.Emulator(make(NETWORKS["with inertia"]), replicas=5, seed=9)
    for read in (emulator.read, emulator.read_momentum, emulator.energy):
        first = read()
        first[:] = 99.0
        assert not (read() == 99.0).any()


@every_network
def test_energy_is_h(description):
    """H as it is written, to rounding."""
    emulator = ktc.Emulator(make(description), replicas=50, seed=10)
    momentum = None if emulator.network.inertia is None else emulator.read_momentum()
    exact = reference(description).energy(emulator.read(), momentum)
    assert emulator.energy() == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_an_initial_state_is_taken_as_it_is():
    rng = np.random.default_rng(11)
    state, momentum = rng.normal(size=(2, 70, 3))
    emulator = ktc.Emulator(
        make(NETWORKS["with inertia"]), replicas=70, seed=11, state=state, momentum=momentum
    )
    assert emulator.read() == pytest.approx(state, rel=1e-13, abs=1e-13)
    assert emulator.read_momentum() == pytest.approx(momentum, rel=1e-13, abs=1e-13)
    emulator.run(1.0)
    emulator.reset()
    assert emulator.read() == pytest.approx(state, rel=1e-13, abs=1e-13)


def test_one_state_for_all_replicas_and_no_momentum_unless_given():
    emulator = ktc.Emulator(
        make(NETWORKS["with inertia"]), replicas=4, seed=12, state=[1.0, 2.0, 3.0]
    )
    assert emulator.read() == pytest.approx(np.tile([1.0, 2.0, 3.0], (4, 1)), rel=1e-13)
    assert not emulator.read_momentum().any()


def test_writing_places_replicas_and_opens_new_books():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=4, seed=13)
    emulator.set(bias=0.0)
    emulator.run(1.0)
    state = np.arange(12.0).reshape(4, 3)
    emulator.write(state)
    assert emulator.read() == pytest.approx(state, rel=1e-13, abs=1e-13)
    assert emulator.time == 1.0
    for account in ("work", "heat", "supply", "energy_change"):
        assert not getattr(emulator.ledger, account).any()


def test_equilibrating_draws_afresh_at_the_present_controls():
    """Six comparisons a draw; the two draws must differ, and be those of one emulator again."""
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=50_000, seed=14)
    emulator.set(bias=[5.0, 0.0, 0.0], kT=3.0)
    draws = []
    for _ in range(2):
        emulator.equilibrate()
        draws.append(emulator.read())
        changed = reference(NETWORKS["coupled"], kT=3.0, bias=[5.0, 0.0, 0.0])
        assert_normal(draws[-1], *equilibrium(changed))
        assert not emulator.ledger.work.any()
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(draws[0].T, draws[1].T)]
    assert np.abs(correlation).max() < 5 / math.sqrt(50_000)


def test_reset_goes_back_to_the_very_start():
    emulator = ktc.Emulator(make(NETWORKS["ringing"]), replicas=100, seed=15)
    start = full_state(emulator)
    emulator.set(bias=3.0, kT=2.0)
    emulator.run(1.0)
    once = full_state(emulator)
    emulator.reset()
    assert (full_state(emulator) == start).all()
    assert (emulator.time, emulator.controls) == (0.0, emulator.network.controls)
    assert not emulator.ledger.heat.any()
    emulator.set(bias=3.0, kT=2.0)
    emulator.run(1.0)
    assert (full_state(emulator) == once).all()


def test_time_adds_up_without_drift():
    """A million tenths: a plain sum would be off by 1e-6."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=1, seed=16)
    emulator.play(ktc.Protocol(np.full(1_000_000, 0.1), {}))
    assert emulator.time == 100_000.0


def test_a_seed_is_drawn_where_none_is_given_and_kept():
    network = ktc.Network(1.0, 1.0)
    first, second = ktc.Emulator(network, replicas=8), ktc.Emulator(network, replicas=8)
    assert first.seed != second.seed
    assert (ktc.Emulator(network, replicas=8, seed=first.seed).read() == first.read()).all()


@pytest.mark.parametrize("seed", [0, 2**32, 2**64 - 1, np.uint64(2**63), np.int32(5)])
def test_all_64_bits_of_a_seed_count(seed):
    states = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=16, seed=seed).read().ravel()
    expected = normals(int(seed), EQUILIBRIUM, 0, 0, 0)
    np.testing.assert_array_almost_equal_nulp(states, expected, 5)


def test_threads_are_those_of_the_process_by_default():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=1)
    assert emulator.threads >= 1
    assert ktc.Emulator(ktc.Network(1.0, 1.0), replicas=1, threads=3).threads == 3


COUNT = ["must be a whole number"]
BAD_ARGUMENTS = [
    ({"network": np.eye(2)}, TypeError, ["network", "ndarray", "ktc.Network"]),
    ({"replicas": 0}, ValueError, ["replicas", "at least 1", "0"]),
    ({"replicas": -5}, ValueError, ["replicas", "-5"]),
    ({"replicas": 10.0}, TypeError, ["replicas", "10.0", *COUNT]),
    ({"replicas": True}, TypeError, ["replicas", "True", *COUNT]),
    ({"replicas": None}, TypeError, ["replicas", "None", *COUNT]),
    ({"replicas": 2**33 + 1}, ValueError, ["replicas", "2**33", str(2**33 + 1)]),
    ({"first_replica": -1}, ValueError, ["first_replica", "at least 0", "-1"]),
    ({"first_replica": 2**33 - 9}, ValueError, ["first_replica + replicas", str(2**33 + 1)]),
    ({"first_replica": 2**64}, ValueError, ["first_replica", str(2**64 + 10)]),
    ({"first_replica": 1.5}, TypeError, ["first_replica", "1.5", *COUNT]),
    ({"seed": -1}, ValueError, ["seed", "at least 0", "-1"]),
    ({"seed": 2**64}, ValueError, ["seed", "2**64", str(2**64)]),
    ({"seed": 1.0}, TypeError, ["seed", "1.0", *COUNT]),
    ({"seed": "7"}, TypeError, ["seed", "'7'", *COUNT]),
    ({"threads": 0}, ValueError, ["threads", "at least 1", "0"]),
    ({"threads": 10**30}, ValueError, ["threads", "at most", str(10**30)]),
    ({"threads": 2.0}, TypeError, ["threads", "2.0", *COUNT]),
    ({"dtype": "float16"}, ValueError, ["dtype", "'float64'", "'float32'", "'float16'"]),
    ({"dt": 0.01}, ValueError, ["dt", "0.01", "leave it out"]),
    ({"resolve_heat": "yes"}, TypeError, ["resolve_heat", "True or False", "'yes'"]),
    ({"state": [1.0]}, ValueError, ["state", "(10, 2)", "(1,)"]),
    ({"state": np.ones((9, 2))}, ValueError, ["state", "(10, 2)", "(9, 2)"]),
    ({"state": [1.0, np.nan]}, ValueError, ["state", "nan", "(1,)"]),
    ({"state": "zero"}, TypeError, ["state", "'zero'"]),
    ({"momentum": [1.0, 1.0]}, ValueError, ["momentum", "state"]),
    ({"state": 0.0, "momentum": 0.0}, ValueError, ["momentum", "inertia", "leave it out"]),
    ({"replica": 10}, TypeError, ["replica"]),
]


@pytest.mark.parametrize(("changes", "error", "parts"), BAD_ARGUMENTS)
def test_bad_arguments(changes, error, parts):
    good = {"network": ktc.Network(np.eye(2), 1.0), "replicas": 10, "seed": 1}
    with refused(error, *parts):
        ktc.Emulator(**{**good, **changes})


BAD_CALLS = [
    ("run", [0.0], ValueError, ["duration", "positive", "0.0"]),
    ("run", [-1.0], ValueError, ["duration", "-1.0"]),
    ("run", [np.nan], ValueError, ["duration", "nan"]),
    ("run", [np.inf], ValueError, ["duration", "inf"]),
    ("run", [[1.0, 2.0]], ValueError, ["duration", "(2,)"]),
    ("run", ["1 s"], TypeError, ["duration", "'1 s'"]),
    ("run", [None], TypeError, ["duration", "None"]),
    ("run", [1j], TypeError, ["duration", "1j"]),
    ("set", [{"bias": [1.0, 2.0]}], ValueError, ["bias", "(3,)", "(2,)"]),
    ("set", [{"bias": np.nan}], ValueError, ["bias", "nan"]),
    ("set", [{"bias": 1e200}], ValueError, ["bias", "overflows", "scale it down"]),
    ("set", [{"stiffness": -COUPLED}], ValueError, ["stiffness", "positive definite"]),
    ("set", [{"stiffness": COUPLED + np.eye(3, k=1)}], ValueError, ["stiffness", "symmetric"]),
    ("set", [{"stiffness": np.eye(2)}], ValueError, ["stiffness", "(3, 3)", "(2, 2)"]),
    ("set", [{"kT": 0.0}], ValueError, ["kT", "positive", "0.0"]),
    ("set", [{"kT": [1.0, 2.0, 3.0]}], ValueError, ["kT", "several temperatures"]),
    ("set", [{"bias": 1.0, "cubic": 1.0}], TypeError, ["unknown control 'cubic'", "'bias'"]),
    ("set", [{"bias": 1.0, "quartic": 1.0}], ValueError, ["quartic", "resolve_heat=True"]),
    ("set", [{"bias": 1.0, "stiffness": 0.0}], ValueError, ["stiffness"]),
    ("write", [[1.0, 2.0]], ValueError, ["state", "(20, 3)", "(2,)"]),
    ("write", [np.ones((19, 3))], ValueError, ["state", "(20, 3)", "(19, 3)"]),
    ("write", [[1.0, np.inf, 0.0]], ValueError, ["state", "inf", "(1,)"]),
    ("write", [0.0, [1.0, 2.0]], ValueError, ["momentum", "(2,)"]),
    ("write", [None, 0.0], ValueError, ["momentum", "state"]),
    ("play", ["drive"], TypeError, ["protocol", "Protocol", "str"]),
]


@pytest.mark.parametrize(("method", "arguments", "error", "parts"), BAD_CALLS)
def test_bad_calls_change_nothing(method, arguments, error, parts):
    emulator = ktc.Emulator(make(NETWORKS["with inertia"]), replicas=20, seed=1)
    emulator.set(bias=2.0)
    emulator.run(0.5)
    keywords = arguments.pop() if method == "set" else {}
    with refused_unchanged(emulator, error, *parts):
        getattr(emulator, method)(*arguments, **keywords)


@settings(max_examples=50)
@given(
    holds=st.lists(st.sampled_from([0.1, 1.0]), min_size=2, max_size=4),
    tick=st.integers(0, 3),
    bad=st.sampled_from([-1.0, 0.0]),
    name=st.sampled_from(["stiffness", "kT"]),
)
def test_a_protocol_with_one_bad_tick_changes_nothing(holds, tick, bad, name):
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=20, seed=1)
    tick = min(tick, len(holds) - 1)
    values = np.ones(len(holds))
    values[tick] = bad
    protocol = ktc.Protocol(holds, {name: values, "bias": np.arange(float(len(holds)))})
    with refused_unchanged(emulator, ValueError, name, f"tick {tick}"):
        emulator.play(protocol)


def test_a_protocol_that_does_not_fit_changes_nothing():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=20, seed=1)
    for controls, parts in (
        ({"bias": np.ones((2, 4))}, ["bias", "(3,)", "(4,)"]),
        ({"stiffness": np.tile(np.eye(2), (2, 1, 1))}, ["stiffness", "(3, 3)", "(2, 2)"]),
    ):
        with refused_unchanged(emulator, ValueError, *parts):
            emulator.play(ktc.Protocol([1.0, 1.0], controls))
    with refused_unchanged(emulator, ValueError, "stiffness", "positive definite"):
        emulator.play(ktc.Protocol([1.0], {"bias": [1.0]}, final={"stiffness": -1.0}))


def test_there_are_no_momenta_without_inertia():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=2, seed=1)
    with refused(ValueError, "no inertia"):
        emulator.read_momentum()
    with refused_unchanged(emulator, ValueError, "momentum", "leave it out"):
        emulator.write([0.0, 0.0, 0.0], momentum=0.0)


class Waiting:
    """A reader in the midst of whose reading another thread has its try."""

    def __init__(self, read):
        self.read, self.reading, self.go_on = read, threading.Event(), threading.Event()

    def moments(self):
        self.reading.set()
        assert self.go_on.wait(60)
        return self.read()


def test_a_second_thread_is_refused_and_changes_nothing(tmp_path):
    network = make(NETWORKS["coupled"])
    emulator, alone = (ktc.Emulator(network, replicas=100, seed=1) for _ in range(2))
    drive = ktc.Protocol([0.5, 0.5], {"bias": [1.0, 2.0]})
    held, ledger, reader = emulator.moments(), emulator.ledger, Waiting(emulator._frontend.moments)
    emulator._frontend.moments = reader.moments
    runs = []
    first = threading.Thread(target=lambda: runs.append(emulator.play(drive, "mean")))
    first.start()
    assert reader.reading.wait(60)
    for call in (
        lambda: emulator.set(bias=3.0),
        lambda: emulator.run(1.0),
        lambda: emulator.play(drive),
        lambda: emulator.write(0.0),
        lambda: emulator.save(tmp_path / "emulator.npz"),
        emulator.read,
        emulator.moments,
        emulator.energy,
        emulator.equilibrate,
        emulator.reset,
        emulator.copy,
        ledger.imbalance,
        ledger.reset,
        lambda: ledger.work,
    ):
        with refused(RuntimeError, "in use by another thread", "copy()"):
            call()
    assert held.covariance.shape == (3, 3)
    assert not list(tmp_path.iterdir())
    reader.go_on.set()
    first.join()
    assert (runs[0].work.samples == alone.play(drive, record="mean").work.samples).all()
    assert (emulator.read() == alone.read()).all()
    emulator.run(1.0)


def test_what_describes_a_run_is_read_only():
    """Otherwise a saved emulator would not go on with the same bits."""
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=10, seed=1)
    names = ("seed", "replicas", "dt", "dtype", "threads", "first_replica", "accounts")
    for name in (*names, "description", "network", "scale", "controls", "time"):
        with pytest.raises(AttributeError):
            setattr(emulator, name, 99)
    run = emulator.play(ktc.Protocol([1.0], {"bias": [1.0]}))
    for name in ("seed", "version", "accounts", "network", "protocol"):
        with pytest.raises(AttributeError):
            setattr(run, name, 99)
    assert emulator.seed == run.seed == 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, ktc.Emulator.copy])
def test_copies_go_on_by_themselves(copied):
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=10, seed=1)
    twin, other = copied(emulator), emulator.copy()
    state = emulator.read()
    twin.set(bias=3.0)
    twin.run(1.0)
    assert (emulator.read() == state).all()
    assert emulator.controls == other.controls
    assert emulator.time == 0.0
    emulator.set(bias=3.0)
    emulator.run(1.0)
    assert (emulator.read() == twin.read()).all()


def test_an_emulator_is_saved_and_not_pickled():
    emulator = ktc.Emulator(make(NETWORKS["coupled"]), replicas=10, seed=1)
    with refused(TypeError, "a running Emulator cannot be pickled", "Emulator.load(path)"):
        pickle.dumps(emulator)
    with refused(TypeError, "the ledger of a running emulator cannot be pickled", "amounts()"):
        pickle.dumps(emulator.ledger)


def test_replicas_that_memory_does_not_hold(monkeypatch):
    """Three units take eleven numbers of eight bytes a replica, their books among them."""

    def full(**_):
        raise MemoryError

    monkeypatch.setattr(_core, "Engine", full)
    with refused(MemoryError, "1000000 replicas", "0.068 GB", "take fewer"):
        ktc.Emulator(make(NETWORKS["coupled"]), replicas=10**6, seed=1)


@pytest.mark.parametrize("kind", ["exact", "split", "board"])
def test_chunks_that_share_a_seed_have_noise_of_their_own(kind):
    """60 chunks, each started from the states of the last one, are one path.

    Variance kT/k (1 − e^{−2kt/γ}) about the mean of 4000 replicas: 4.5 standard errors, a false
    alarm of 7e-6. The splitting integrator's bias is below 1e-3. Repeated noise would give 37.
    """
    board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(offset=0.0))
    make = {
        "exact": lambda **start: ktc.Emulator(ktc.Network(1.0, 1.0), **start),
        "split": lambda **start: ktc.Emulator(ktc.Network(1.0, 1.0), resolve_heat=True, **start),
        "board": board.emulator,
    }[kind]
    unit, second = (np.sqrt(1.380649e-23 * 300 / 1e-12), 1e-6) if kind == "board" else (1.0, 1.0)
    state = np.full((4000, 1), unit)
    for _ in range(60):
        emulator = make(replicas=4000, seed=7, state=state)
        emulator.run(0.05 * second)
        state = emulator.read()
    variance = np.var(state / unit) / (1 - np.exp(-6))
    assert abs(variance - 1) < 4.5 * np.sqrt(2 / 4000) + 1e-3


def test_noise_of_replicas_that_start_from_states_of_their_own(tmp_path):
    """The same states have the same noise, also after reset and after loading; write keeps it."""
    network, states = ktc.Network(1.0, 1.0), np.random.default_rng(1).normal(size=(5, 1))

    def moved(emulator):
        emulator.run(1.0)
        return emulator.read()

    one, two = (ktc.Emulator(network, replicas=5, seed=3, state=states) for _ in range(2))
    one.save(tmp_path / "start.npz")
    first = moved(one)
    assert (moved(two) == first).all()
    one.reset()
    assert (moved(one) == first).all()
    loaded = ktc.Emulator.load(tmp_path / "start.npz")
    assert (moved(loaded) == first).all()
    loaded.reset()
    assert (moved(loaded) == first).all()
    alike = moved(ktc.Emulator(network, replicas=5, seed=3, state=np.zeros(1), first_step=0))
    written = ktc.Emulator(network, replicas=5, seed=3)
    written.write(np.zeros((5, 1)))
    assert (moved(written) == alike).all()
    assert not np.isclose(first - states * np.exp(-1.0), alike).any()


def test_ranges_of_replicas_with_states_of_their_own_share_a_first_step():
    """Together they have the bits of the whole; one state for all needs no first step for that."""
    network, states = ktc.Network(1.0, 1.0), np.random.default_rng(2).normal(size=(128, 1))

    def moved(**options):
        emulator = ktc.Emulator(network, seed=3, **options)
        emulator.run(1.0)
        return emulator.read(), emulator.first_step

    for whole, first, second in (
        ({"state": states, "first_step": 7}, {"state": states[:64]}, {"state": states[64:]}),
        ({"state": [0.3]}, {"state": 0.3}, {"state": [0.3]}),
        ({}, {}, {}),
    ):
        expected, step = moved(replicas=128, **whole)
        parts = [
            moved(replicas=64, first_replica=at, **(part | {"first_step": step}))[0]
            for at, part in ((0, first), (64, second))
        ]
        assert (np.concatenate(parts) == expected).all()
        assert step == whole.get("first_step", step if "state" in whole else 0)
    assert moved(replicas=64, state=[0.0])[1] == moved(replicas=2, state=-0.0)[1] > 0


def test_first_step_is_checked():
    network = ktc.Network(1.0, 1.0)
    for wrong in (-1, 2**62 + 1, 0.5):
        with pytest.raises((ValueError, TypeError), match="first_step must"):
            ktc.Emulator(network, replicas=2, seed=1, first_step=wrong)
    with refused(ValueError, "first_step must be left out with replicas=math.inf"):
        ktc.Emulator(network, replicas=np.inf, first_step=0)
