"""Samples of a run are those of its end, whatever becomes of the emulator, and take no memory."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest

import ktc

NAMES = ("work", "heat", "supply")


def emulator_of(replicas: float = 70, **options) -> ktc.Emulator:
    network = ktc.Network([[2.0, 0.6], [0.6, 1.0]], [1.0, 0.5])
    return ktc.Emulator(network, replicas, seed=3, **options)


def drive() -> ktc.Protocol:
    bias = np.linspace(0, 2, 9)[:, None] * [1.0, -1.0]
    return ktc.Protocol(np.full(9, 0.2), {"bias": bias}, final={"bias": 0.5})


def set_a_bias(emulator):
    emulator.set(bias=np.array([3.0, 1.0]))


MOVES = {
    "set": lambda emulator: emulator.set(bias=3.0, kT=2.0),
    "set a bias alone": set_a_bias,
    "run": lambda emulator: emulator.run(0.5),
    "play": lambda emulator: emulator.play(drive()),
    "write": lambda emulator: emulator.write(np.zeros(2)),
    "equilibrate": lambda emulator: emulator.equilibrate(),
    "reset": lambda emulator: emulator.reset(),
    "new books": lambda emulator: emulator.ledger.reset(),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
@pytest.mark.parametrize("fresh", [True, False])
def test_a_run_is_that_of_its_end(move, fresh):
    """Differences of the books around it; the emulator moves on before and after it is read."""
    emulator = emulator_of()
    if not fresh:
        emulator.set(bias=1.0)
        emulator.run(0.3)
    before = {name: getattr(emulator.ledger, name) for name in NAMES}
    runs = emulator.play(drive()), emulator.copy().play(drive())
    expected = {name: getattr(emulator.ledger, name) - before[name] for name in NAMES}
    work = runs[0].work
    read_late, shifted_late = work.in_kT, runs[0].excess_work
    for name in NAMES:
        np.testing.assert_array_equal(getattr(runs[0], name).samples, expected[name])
    move(emulator)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(runs[0], name).samples, expected[name])
    np.testing.assert_array_equal(work.samples, expected["work"])
    np.testing.assert_array_equal(read_late.samples, expected["work"])  # kT = 1
    change = runs[0].free_energy_change.mean
    np.testing.assert_array_equal(shifted_late.samples, expected["work"] - change)
    assert work.samples is work.samples
    assert work.mean == np.mean(expected["work"])
    assert work.variance == pytest.approx(np.var(expected["work"], ddof=1), rel=1e-14)


def test_itemised_books_and_the_infinite_ensemble():
    """All columns of several temperatures, and exact means, which move on too."""
    several = ktc.Network([[2.0, 0.6], [0.6, 1.0]], [1.0, 0.5], kT=[1.0, 2.0])
    for replicas in (70, np.inf):
        emulator = ktc.Emulator(
            several, replicas, seed=3 if replicas == 70 else None, resolve_heat=True
        )
        run = emulator.play(drive())
        amounts = emulator.ledger.amounts()
        emulator.run(1.0)
        for name in (*NAMES, "source", "injected", "shadow", "entropy_flow"):
            assert getattr(run, name).mean == np.mean(amounts[name])
        for column, estimate in enumerate(run.heat_per_resistor.values()):
            assert estimate.mean == np.mean(amounts["heat_per_resistor"][:, column])


def test_a_copy_moves_on_by_itself():
    emulator = emulator_of()
    run = emulator.play(drive())
    expected = emulator.ledger.work
    twin = emulator.copy()
    twin.run(1.0)
    np.testing.assert_array_equal(run.work.samples, expected)
    emulator.set(bias=9.0)
    np.testing.assert_array_equal(run.work.samples, expected)


def test_a_run_outlives_its_emulator_without_its_state():
    """100 units take 800 bytes a replica, of which a run needs 24."""
    emulator = emulator_of().copy()  # the fixture that checks the first law knows the other one
    run = emulator.play(drive())
    expected, engine = emulator.ledger.work, weakref.ref(emulator._frontend.engine)
    del emulator
    gc.collect()
    np.testing.assert_array_equal(run.work.samples, expected)
    assert engine() is None


def test_samples_are_closed_for_writing():
    run = emulator_of().play(drive())
    with pytest.raises(ValueError, match="read-only"):
        run.work.samples[0] = 1.0


def test_estimates_and_runs_are_copied_and_pickled():
    emulator = emulator_of()
    run = emulator.play(drive())
    work, expected = run.work, emulator.ledger.work
    twins = [copy.deepcopy(each) for each in (work, work.in_kT)]
    twins += [pickle.loads(pickle.dumps(each)) for each in (work, work.in_kT)]
    emulator.run(1.0)
    for twin in twins:
        np.testing.assert_array_equal(twin.samples, expected)


@pytest.mark.parametrize("size", [1, 2, 1000, 2**16, 2**16 + 1, 300_000])
def test_error_bar_of_long_and_short_rows(size):
    """Deviations are squared part by part; NumPy squares them at once. Rounding: 1e-13."""
    samples = np.random.default_rng(size).normal(1e3, 1.0, size)
    estimate = ktc.Estimate.of_samples(samples)
    assert estimate.mean == np.mean(samples)
    expected = np.std(samples, ddof=1) / np.sqrt(size) if size > 1 else np.inf
    assert estimate.stderr == pytest.approx(expected, rel=1e-13)


# --- Memory --------------------------------------------------------------------------------------

PEAK = """
    import resource, sys
    import numpy as np
    import ktc

    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    emulator = ktc.Emulator(
        ktc.Network(stiffness=1.0, friction=1.0), replicas=int(sys.argv[1]), seed=1, {accounts}
    )
    drive = ktc.Protocol(np.full(10, 0.05), dict(bias=np.linspace(0, 5, 10)))
    {script}
    print(start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

PLAYED = """
    run = emulator.play(drive)
    work, excess, heat, supply = run.work, run.excess_work, run.heat, run.supply
    assert excess.in_kT.stderr > 0 and heat.stderr > 0 and supply.stderr > 0
    assert emulator.moments().covariance.shape == (1, 1)
    assert emulator.ledger.imbalance() < 1e-12
"""

# One state of 8 bytes, three accounts of 12, turnover of 4 and opening energy of 8 bytes, 3 of
# bookkeeping a block of 64, and one account that is read: 67 bytes a replica.
SCRIPTS = {
    "set and run": (
        "",
        """
    for bias in drive.controls["bias"]:
        emulator.set(bias=bias)
        emulator.run(0.05)
    for amount in ("work", "heat", "supply", "energy_change"):
        assert getattr(emulator.ledger, amount).shape == (emulator.replicas,)
    assert emulator.ledger.imbalance() < 1e-12
    """,
    ),
    "play": ("", PLAYED),
    "read, reset and start anew": (
        "",
        """
    emulator.run(0.05)
    assert emulator.read().shape == (emulator.replicas, 1)
    emulator.reset()
    emulator.equilibrate()
    assert emulator.time == 0
    """,
    ),
    "several plays with the account that is asked for": (
        "accounts='work'",
        """
    for _ in range(3):
        run = emulator.play(drive)
        assert run.work.in_kT.stderr > 0
    assert run.work.samples.shape == emulator.ledger.work.shape
    """,
    ),
}


def peak_of(script: tuple[str, str], replicas: int) -> tuple[float, float]:
    """Bytes that the process had before and at its peak."""
    accounts, body = script
    code = textwrap.dedent(PEAK.format(accounts=accounts, script=body.strip()))
    done = subprocess.run(
        [sys.executable, "-c", code, str(replicas)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    start, peak = (1024 * float(number) for number in done.stdout.split())
    return start, peak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss counts kilobytes")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_bytes_a_replica(script):
    """So few that 1e7 replicas of one unit stay below 700 MiB, the interpreter's 40 among them."""
    few, many = 200_000, 1_000_000
    slope = (peak_of(script, many)[1] - peak_of(script, few)[1]) / (many - few)
    assert slope < (700 - 40) * 2**20 / 1e7


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss counts kilobytes")
def test_ten_million_replicas_with_all_accounts():
    """Below 700 MiB above what the interpreter and the package take."""
    start, peak = peak_of(SCRIPTS["play"], 10**7)
    assert peak - start < 700 * 2**20
