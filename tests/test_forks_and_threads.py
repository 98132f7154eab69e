"""Emulators in forked and spawned processes, and in threads."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import sys
import threading

import numpy as np
import pytest

import ktc
from child_process import reported

NETWORK = [[2.0, 0.5], [0.5, 1.0]]


def emulator(seed: int, threads: int | None = 2) -> ktc.Emulator:
    return ktc.Emulator(ktc.Network(NETWORK, 1.0), replicas=3000, seed=seed, threads=threads)


def played(seed: int) -> tuple[np.ndarray, float]:
    """What one emulator gives after a few calls."""
    device = emulator(seed)
    device.set(bias=0.5)
    device.run(0.2)
    run = device.play(ktc.Protocol([0.1] * 3, {"bias": [1.0, 2.0, 3.0]}))
    assert device.ledger.imbalance() < 1e-12
    return device.read(), run.work.mean


FORKED = """
import multiprocessing, os, threading
import numpy as np
import ktc
network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
def bits(device):
    device.run(0.1)
    return device.read().tobytes()
device = ktc.Emulator(network, replicas=20_000, seed=1, threads=4)
device.run(0.1)  # helpers are at work from here on
twin = device.copy()
start, end = os.pipe()
child = os.fork()
if child == 0:
    # Its own emulator and one that it makes, on several threads.
    fresh = ktc.Emulator(network, replicas=20_000, seed=1, threads=4)
    fresh.run(0.1)
    same = bits(device) == bits(fresh)
    os.write(end, b"same" if same else b"other")
    os._exit(0)
mine = bits(device) == bits(twin)
os.waitpid(child, 0)
print(json.dumps([os.read(start, 10).decode(), mine]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_goes_on_with_the_same_bits():
    assert reported(FORKED, timeout=60) == ["same", True]


BUSY_FORK = """
import os, threading, time
import ktc
network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
device = ktc.Emulator(network, replicas=50_000, seed=1, threads=2)
stop = threading.Event()
def keep_running():
    while not stop.is_set():
        device.run(0.1)
busy = threading.Thread(target=keep_running)
busy.start()
found = []
for _ in range(20):
    start, end = os.pipe()
    child = os.fork()
    if child == 0:
        # The pool of threads may be in any state, and the emulator in the middle of a hold.
        fresh = ktc.Emulator(network, replicas=2000, seed=2, threads=2)
        fresh.run(0.1)
        sound = fresh.ledger.imbalance() < 1e-12
        try:
            device.run(0.1)
            told = "worked"
        except RuntimeError as error:
            told = "refused" if "in use by another thread" in str(error) else str(error)
        os.write(end, f"{sound} {told}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    found.append(os.read(start, 100).decode())
stop.set()
busy.join()
print(json.dumps([found, device.ledger.imbalance()]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_runs():
    """Emulators of the child work; the one in use at the fork works, or says that it is in use."""
    found, imbalance = reported(BUSY_FORK, timeout=120)
    assert set(found) <= {"True worked", "True refused"}
    assert imbalance < 1e-12


FORK_IN_A_PROPERTY = """
import os, signal, threading
import ktc
from ktc._base.cached import cached_property
class Slow:
    begun, finish = threading.Event(), threading.Event()
    @cached_property
    def value(self):
        self.begun.set()
        self.finish.wait()
        return 5
one = Slow()
other = threading.Thread(target=lambda: one.value)
other.start()
Slow.begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)  # a lock that the other thread held would be held for ever
    Slow.finish = threading.Event()
    Slow.finish.set()
    os._exit(Slow().value)
Slow.finish.set()
other.join()
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), one.value]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_computes_a_property():
    assert reported(FORK_IN_A_PROPERTY, timeout=60) == [5, 5]


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("fork", marks=pytest.mark.skipif(sys.platform == "win32", reason="no fork")),
        pytest.param("spawn", marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside threads
def test_a_pool_of_processes(method):
    """Seeds in any process, the same numbers as in this one."""
    context = multiprocessing.get_context(method)
    emulator(0).run(0.1)
    with context.Pool(2) as pool:
        found = pool.map_async(played, range(4)).get(timeout=120)
    for seed, (state, work) in enumerate(found):
        expected = played(seed)
        np.testing.assert_array_equal(state, expected[0])
        assert work == expected[1]


def test_emulators_side_by_side_in_threads():
    expected = [played(seed) for seed in range(6)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(played, [*range(6)] * 3))
    for number, (state, work) in enumerate(found):
        np.testing.assert_array_equal(state, expected[number % 6][0])
        assert work == expected[number % 6][1]


def test_one_emulator_in_two_threads_is_refused():
    """Each call works alone or is refused, and no tick is lost or doubled."""
    device, twin = emulator(1), emulator(1)
    done: list[float] = []
    refusals: list[str] = []
    begin = threading.Barrier(2)

    def use() -> None:
        begin.wait()
        for _ in range(300):
            try:
                device.run(0.01)
                done.append(0.01)
            except RuntimeError as error:
                refusals.append(str(error))

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(done) + len(refusals) == 600
    assert all("in use by another thread" in told for told in refusals)
    for _ in done:
        twin.run(0.01)
    np.testing.assert_array_equal(device.read(), twin.read())
    np.testing.assert_array_equal(device.ledger.heat, twin.ledger.heat)
    assert device.ledger.imbalance() < 1e-12


def test_what_another_thread_may_do_meanwhile():
    """A long call holds the emulator: every other call is refused until it has ended."""
    device = emulator(1, threads=1)
    reading, free = threading.Event(), threading.Event()
    read = device._frontend.read

    def slow() -> np.ndarray:
        reading.set()
        assert free.wait(60)
        return read()

    device._frontend.read = slow
    drive = ktc.Protocol([0.1], {"bias": [1.0]})
    player = threading.Thread(target=device.play, args=(drive, "state"))
    player.start()
    assert reading.wait(60)
    try:
        for call in (
            lambda: device.set(bias=0.0),
            lambda: device.run(0.1),
            device.read,
            device.moments,
            device.equilibrate,
            device.copy,
            device.energy,
            lambda: device.save("never.npz"),
        ):
            with pytest.raises(RuntimeError, match="in use by another thread"):
                call()
    finally:
        free.set()
        player.join()
    device._frontend.read = read
    device.run(0.1)
    assert device.ledger.imbalance() < 1e-12
