"""The engine's helper threads: the same bits on any number, kept between calls, new after a fork.

Each test has a process of its own, so that the threads it counts are its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import os, signal, sys, threading, time
import numpy as np
import ktc

K = 2.0 * np.eye(8) - 0.2

def emulator(threads, seed=5, replicas=20_000):
    network = ktc.Network(stiffness=K, friction=1.0)
    return ktc.Emulator(network, replicas=replicas, seed=seed, threads=threads)

def exercise(emulator):
    emulator.set(bias=np.arange(8.0))
    for _ in range(3):
        emulator.play(ktc.Protocol.sample(1.0, 20, bias=lambda t: t * np.ones(8)))
    return np.concatenate([emulator.read().ravel(), emulator.ledger.work,
                           emulator.ledger.heat, emulator.moments().covariance.ravel()])

def system_threads():
    return len(os.listdir("/proc/self/task"))
"""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def run(script: str, returncode: int = 0) -> subprocess.CompletedProcess[str]:
    """What a process of its own prints; a deadlock would show as a time-out."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == returncode, done.stderr
    return done


def test_the_same_bits_on_one_two_and_three_threads() -> None:
    run("""
        one, two, three = (exercise(emulator(n)) for n in (1, 2, 3))
        assert np.array_equal(one, two) and np.array_equal(one, three)
    """)


@linux
def test_helpers_start_when_they_are_wanted_and_stay() -> None:
    run("""
        exercise(emulator(1))  # the libraries may start threads of their own
        before = system_threads()
        exercise(emulator(1))
        assert system_threads() == before
        exercise(emulator(3))
        assert system_threads() == before + 2
        several = emulator(3, replicas=2000)
        drive = ktc.Protocol.sample(1.0, 20, bias=1.0)
        for _ in range(1000):
            several.play(drive)
        assert system_threads() == before + 2
    """)


@linux
def test_emulators_side_by_side_share_the_helpers() -> None:
    run("""
        alone = [exercise(emulator(3, seed)) for seed in range(4)]
        before = system_threads()
        found = [None] * 4

        def work(seed):
            for _ in range(5):
                found[seed] = exercise(emulator(3, seed))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(a, b) for a, b in zip(alone, found))
        # Two for each of four at most, two there before; joined threads may take a while to go.
        deadline = time.monotonic() + 30
        while system_threads() > before + 3 * 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert system_threads() <= before + 3 * 2
    """)


@forks
def test_a_forked_process_has_helpers_of_its_own() -> None:
    run("""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # that a process of threads forks
        expected = exercise(emulator(3))
        running = emulator(3)
        for depth in range(3):
            child = os.fork()
            if child:
                break
            if not np.array_equal(exercise(emulator(3)), expected):
                os._exit(1)
            if not np.array_equal(exercise(running), expected):
                os._exit(2)
            running = emulator(3)
        if child:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert np.array_equal(exercise(running), expected)
            sys.exit(status)
    """)


@forks
def test_a_pool_of_processes_forks_while_a_thread_plays() -> None:
    run("""
        import multiprocessing, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = exercise(emulator(3, 1))
        stop = threading.Event()

        def play():
            while not stop.is_set():
                exercise(emulator(3, 2))

        def child():
            sys.exit(not np.array_equal(exercise(emulator(3, 1)), expected))

        player = threading.Thread(target=play)
        player.start()
        context = multiprocessing.get_context("fork")
        for _ in range(3):
            process = context.Process(target=child)
            process.start()
            process.join()
            assert process.exitcode == 0
        stop.set()
        player.join()
    """)


def test_the_process_ends_with_helpers_asleep() -> None:
    run("exercise(emulator(3))")
    run(
        """
        exercise(emulator(3))
        sys.exit(7)
    """,
        returncode=7,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to itself")
def test_an_interruption_is_heard_while_helpers_work() -> None:
    run("""
        several = emulator(3)
        exercise(several)
        # A shell starts what runs in the background with this signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sooner = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        sooner.start()
        try:
            several.play(ktc.Protocol.sample(1e6, 1_000_000, bias=1.0))
        except KeyboardInterrupt:
            pass
        else:
            raise SystemExit("played to the end")
        assert several.ledger.imbalance() < 1e-12
    """)


@linux
def test_helpers_take_no_signals() -> None:
    run("""
        exercise(emulator(1))
        main = set(os.listdir("/proc/self/task"))
        exercise(emulator(3))
        helpers = set(os.listdir("/proc/self/task")) - main
        assert len(helpers) == 2
        for helper in helpers:
            with open(f"/proc/self/task/{helper}/status") as status:
                blocked = next(int(x.split()[1], 16) for x in status if x.startswith("SigBlk"))
            assert blocked >> (signal.SIGINT - 1) & 1
    """)
