"""Same seed, same bits, however the work is divided; and Ctrl-C at any time."""

import json
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ktc
from reference import random_spd

RNG = np.random.default_rng(1)
COUPLED, DENSE = random_spd(RNG, 3), random_spd(RNG, 3, 4.0)
NETWORKS = {
    "uncoupled": ktc.Network(np.diag([1.0, 2.0, 5.0]), friction=[1.0, 3.0, 0.2], bias=1.0),
    "coupled": ktc.Network(COUPLED, DENSE, kT=0.7, bias=[1.0, -2.0, 0.5]),
    "with inertia": ktc.Network(COUPLED, DENSE, kT=0.7, bias=1.0, inertia=[1.0, 0.5, 2.0]),
}
both_precisions = pytest.mark.parametrize("dtype", ["float64", "float32"])
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())


def exercise(emulator):
    """Every kind of move there is."""
    ticks = 12
    drive = ktc.Protocol(
        np.linspace(0.01, 0.3, ticks),
        {"bias": np.linspace(0, 2, ticks), "stiffness": np.linspace(1, 2, ticks)},
        final={"bias": 1.0},
    )
    emulator.run(0.3)
    emulator.set(bias=[0.5, 0.0, -1.0], kT=1.3)
    emulator.play(drive)
    emulator.equilibrate()
    emulator.set(stiffness=COUPLED, bias=0.1)
    emulator.run(0.2)
    emulator.play(ktc.Protocol(np.full(5, 0.1), {"bias": np.arange(5.0)}))
    return emulator


def bits(emulator):
    """All figures per replica, one column each."""
    books = emulator.ledger
    columns = [emulator.read(), books.work, books.heat, books.supply, books.energy_change]
    if emulator.network.inertia is not None:
        columns.append(emulator.read_momentum())
    return np.column_stack([*columns, emulator.energy()])


def same(first, second):
    """Bit for bit."""
    np.testing.assert_array_equal(first, second, strict=True)


def same_states_close_books(first, second):
    """States bit for bit. Books to rounding: those of modes are entered every sixteen steps and at
    the end of every call, so that other calls round other sums; sixteen are summed in the precision
    of the state."""
    same(first.read(), second.read())
    error = 1e-12 if first.dtype == "float64" else 1e-4  # 6e-8 of each of 5000 posts of order 1
    np.testing.assert_allclose(bits(first), bits(second), rtol=error, atol=error, strict=True)


@pytest.mark.parametrize("threads", [2, 3, 7])
@both_precisions
@every_network
def test_any_number_of_threads(network, dtype, threads):
    """With 20 000 replicas there is work enough for each of seven."""
    one, many = (
        exercise(ktc.Emulator(network, replicas=20_000, seed=2, threads=n, dtype=dtype))
        for n in (1, threads)
    )
    same(bits(many), bits(one))
    same(many.moments().mean, one.moments().mean)
    same(many.moments().covariance, one.moments().covariance)


@both_precisions
@every_network
def test_any_number_of_other_replicas(network, dtype):
    """A replica's bits depend on its number alone; 1 to 1000 of them, whole groups or not."""
    all_of_them = bits(exercise(ktc.Emulator(network, replicas=1000, seed=3, dtype=dtype)))
    for replicas in (1, 15, 16, 17, 31, 33, 63, 64, 65, 200, 999):
        some = bits(exercise(ktc.Emulator(network, replicas=replicas, seed=3, dtype=dtype)))
        same(some, all_of_them[:replicas])


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(NETWORKS)),
    cuts=st.sets(st.integers(1, 299), min_size=1, max_size=4),
    offset=st.sampled_from([0, 1, 1000, 2**32, 2**33 - 300]),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_replicas_split_over_emulators(name, cuts, offset, dtype):
    """Anywhere, not only between groups of 16 or blocks of 64, and anywhere among the 2^33."""
    network, options = NETWORKS[name], {"seed": 4, "dtype": dtype}
    whole = exercise(ktc.Emulator(network, replicas=300, first_replica=offset, **options))
    ends = [0, *sorted(cuts), 300]
    parts = [
        exercise(ktc.Emulator(network, replicas=b - a, first_replica=offset + a, **options))
        for a, b in zip(ends, ends[1:])
    ]
    same(np.concatenate([bits(part) for part in parts]), bits(whole))


def test_replicas_far_apart_differ():
    """An offset that lost its high bits would repeat the first replicas."""
    network = NETWORKS["coupled"]
    states = [
        ktc.Emulator(network, replicas=16, seed=5, first_replica=offset).read()
        for offset in (0, 16, 2**31, 2**32, 2**33 - 16)
    ]
    assert len(np.unique(np.concatenate(states), axis=0)) == 80


@both_precisions
@every_network
def test_ticks_in_one_play_or_many(network, dtype):
    """A long play is cut into pieces; no state depends on where."""
    rng = np.random.default_rng(6)
    ticks = 5000
    holds = rng.choice([0.01, 0.02], ticks)
    controls = {"bias": rng.normal(size=(ticks, 3)), "kT": np.repeat([1.0, 2.0], ticks // 2)}
    whole = ktc.Emulator(network, replicas=70, seed=6, dtype=dtype)
    pieces = whole.copy()
    whole.play(ktc.Protocol(holds, controls))
    ends = [0, 1, 2, 700, 2500, 2501, ticks]
    for a, b in zip(ends, ends[1:]):
        pieces.play(ktc.Protocol(holds[a:b], {k: v[a:b] for k, v in controls.items()}))
    same_states_close_books(pieces, whole)
    assert pieces.time == whole.time


def test_recording_changes_nothing():
    drive = ktc.Protocol(np.full(20, 0.1), {"bias": np.arange(20.0)})
    quiet = ktc.Emulator(NETWORKS["coupled"], replicas=100, seed=7)
    recorded = quiet.copy()
    quiet.play(drive)
    recorded.play(drive, record=("state", "mean", "covariance", "energy"), every=3)
    same_states_close_books(recorded, quiet)


@every_network
def test_saved_and_resumed(network, tmp_path):
    """In the middle of a drive, with controls that are not the network's own."""
    emulator = exercise(ktc.Emulator(network, replicas=77, seed=8, first_replica=5))
    emulator.save(tmp_path / "emulator.npz")
    resumed = ktc.Emulator.load(tmp_path / "emulator.npz", threads=2)
    assert resumed.controls == emulator.controls
    assert resumed.network == network
    assert (resumed.seed, resumed.first_replica, resumed.time) == (8, 5, emulator.time)
    same(bits(resumed), bits(emulator))
    for each in (emulator, resumed):
        exercise(each)
    same(bits(resumed), bits(emulator))
    for each in (emulator, resumed):
        each.reset()
    same(bits(resumed), bits(emulator))


def test_a_given_start_is_saved_too(tmp_path):
    emulator = ktc.Emulator(NETWORKS["coupled"], replicas=3, seed=9, state=[1.0, 2.0, 3.0])
    emulator.run(1.0)
    emulator.save(tmp_path / "emulator.npz")
    resumed = ktc.Emulator.load(tmp_path / "emulator.npz")
    for each in (emulator, resumed):
        each.reset()
    same(bits(resumed), bits(emulator))


@every_network
def test_a_copy_goes_on_alike_and_by_itself(network):
    emulator = exercise(ktc.Emulator(network, replicas=50, seed=10))
    twin, before = emulator.copy(), bits(emulator)
    exercise(twin)
    same(bits(emulator), before)
    exercise(emulator)
    same(bits(emulator), bits(twin))
    assert (emulator.time, emulator.controls) == (twin.time, twin.controls)


@every_network
def test_reset_repeats_the_same_bits(network):
    emulator = ktc.Emulator(network, replicas=50, seed=11)
    start, first = bits(emulator), bits(exercise(emulator))
    emulator.reset()
    same(bits(emulator), start)
    same(bits(exercise(emulator)), first)


def test_other_seeds_give_other_states():
    states = [
        ktc.Emulator(NETWORKS["uncoupled"], replicas=20, seed=seed).read()
        for seed in (0, 1, 2, 2**32, 2**63)
    ]
    assert len(np.unique(np.concatenate(states))) == 5 * 20 * 3


# What a script does that is interrupted: its own timer thread sends it the signal, so that it
# comes in the middle of a play that would take minutes.
INTERRUPTED = """
    import json, os, signal, sys, threading, time
    import numpy as np
    import ktc

    units, replicas, ticks, threads, inertia, driven = json.loads(sys.argv[1])
    friction = np.eye(units) + 0.3 / units
    network = ktc.Network(np.eye(units) + 0.5 / units, friction, inertia=1.0 if inertia else None)
    emulator = ktc.Emulator(network, replicas=replicas, seed=1, threads=threads)
    quiet = emulator.copy()
    controls = {driven: 1.0 + np.arange(ticks) / ticks} if driven else {}
    drive = ktc.Protocol(np.full(ticks, 0.125), controls)
    heard = []

    def interrupt():
        heard.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.4, interrupt)
    timer.start()
    try:
        emulator.play(drive)
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "interrupted"
    delay = time.monotonic() - heard[0]
    timer.join()

    done = round(emulator.time / 0.125)
    report = {"outcome": outcome, "delay": delay, "done": done}
    report["imbalance"] = emulator.ledger.imbalance()
    if done:
        quiet.play(ktc.Protocol(drive.holds[:done], {k: v[:done] for k, v in controls.items()}))
    report["same controls"] = emulator.controls == quiet.controls
    for each in (emulator, quiet):
        each.set(bias=2.0)
        each.run(0.5)
    report["imbalance later"] = emulator.ledger.imbalance()
    report["same bits"] = all(
        bool((a == b).all())
        for a, b in (
            (emulator.read(), quiet.read()),
            (emulator.ledger.work, quiet.ledger.work),
            (emulator.ledger.heat, quiet.ledger.heat),
        )
    )
    print(json.dumps(report))
"""

# units, replicas, ticks, threads, inertia, driven control
LONG_PLAYS = {
    "many short ticks": (4, 4_000, 2_000_000, 1, False, None),
    "a driven bias": (8, 10_000, 1_000_000, 2, False, "bias"),
    "few long ticks": (64, 100_000, 10_000, 2, False, None),
    "dense products": (200, 2_000, 10_000, 2, True, None),
    "a new stiffness each tick": (100, 20, 10_000, 1, False, "stiffness"),
}


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot send SIGINT to one process by os.kill"
)
@pytest.mark.parametrize("case", LONG_PLAYS.values(), ids=LONG_PLAYS.keys())
def test_ctrl_c_leaves_a_usable_emulator(case):
    """It comes back long before the end, at a whole tick, with the bits of an undisturbed run.

    It takes some 30 ms; no timing decides this test, but 10 s would be no answer to Ctrl-C.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), json.dumps(case)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outcome"] == "interrupted"
    assert report["done"] < case[2]
    assert report["delay"] < 10
    assert report["imbalance"] <= 1e-12
    assert report["imbalance later"] <= 1e-12
    assert report["same controls"]
    assert report["same bits"]


def test_a_handler_that_raises_otherwise_is_heard_too():
    """Any exception of a Python signal handler comes out of the play, as out of Python code."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no interval timer")

    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    emulator = ktc.Emulator(NETWORKS["coupled"], replicas=10_000, seed=12)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Alarm):
            emulator.play(ktc.Protocol(np.full(1_000_000, 0.1), {}))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert emulator.time < 1e5
    assert emulator.ledger.imbalance() <= 1e-12
