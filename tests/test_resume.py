"""Runs that are killed go on from their checkpoint, to the bits of runs that are not."""

from __future__ import annotations

import errno
import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import ktc
from ktc._base import codec
from ktc._base.archive import write_archive
from ktc._base.codec import same
from ktc._emulation.emulator import saved_emulator
from ktc.schedules import Adam, Constant, MinimalDissipation, NaturalGradient, Schedule
from refusal import refused
from small_disk import filled, small_disk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL of POSIX")

UNIT = ktc.Network(1.0, 1.0)
TWO = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
WELL = ktc.Network(-1.0, 1.0, quartic=1.0, kT=0.5)
PAIR = ktc.Network([[1.0, 0.3], [0.3, 1.0]], 1.0, quartic=0.2)
DATA = np.random.default_rng(3).normal([1.0, -0.5], 0.8, size=(30, 2))
BOARD = ktc.Board(
    2, 1e6, 1e-12, 300.0, topology=ktc.Topology.all_to_all(2),
    imperfections=ktc.Imperfections(
        offset=1e-6, dac_bits=12, dac_range=1e-3, settling_time=1e-8, adc_bits=12, adc_range=1.0,
        adc_noise=1e-6, seed=3,
    ),
)  # fmt: skip
TICKS, EVERY = 24, 5
MEASURED = ktc.Metrics("measured", replicas=300)


class RunningMean(Schedule):
    """A schedule of a user's that remembers its velocity."""

    uses_metrics = False

    def __init__(self, duration, rate):
        super().__init__(duration, rate=rate)
        self._rate, self._last = rate, 0.0

    def begun(self):
        return RunningMean(self.duration, self._rate)

    def memory(self):
        return {"last": self._last}

    def recall(self, memory):
        self._last = memory["last"]

    def velocity(self, time, gradient, geometry):
        self._last = 0.5 * self._last + self._rate * gradient
        return self._last


def running():
    """An infinite ensemble with a past of its own."""
    emulator = ktc.Emulator(TWO, math.inf)
    emulator.set(bias=[0.5, 0.0])
    emulator.run(0.3)
    return emulator


BOTH = {"parameters": ("bias", "stiffness")}
CASES = {
    "transport": (TWO, DATA, MinimalDissipation(2.0), BOTH),
    "closed form": (TWO, DATA, MinimalDissipation(2.0), {}),
    "metrics": (TWO, DATA, MinimalDissipation(2.0, anticipate=False), BOTH),
    "matrix-free": (
        ktc.Network(ktc.lattices.ring(8).toarray() + np.eye(8), 1.0),
        np.random.default_rng(1).normal(size=(50, 8)), MinimalDissipation(2.0, anticipate=False),
        BOTH,
    ),
    "anticipation": (WELL, [[0.8], [1.1]], MinimalDissipation(2.0, anticipate=True), {}),
    "measured": (TWO, DATA, MinimalDissipation(2.0), {"metrics": MEASURED}),
    "measured quartic": (PAIR, DATA, MinimalDissipation(2.0), {"metrics": MEASURED} | BOTH),
    "products": (
        ktc.Network(ktc.lattices.ring(23).toarray() + np.eye(23), 1.0),
        np.random.default_rng(1).normal(size=(50, 23)), NaturalGradient(0.3, 1.0),
        {"metrics": ktc.Metrics("measured", replicas=320)} | BOTH,
    ),
    "open loop": (WELL, [[0.8], [1.1]], MinimalDissipation(2.0), {}),
    "sources": (
        ktc.Circuit.from_netlist("V1 in 0 0\nR1 in a 1k\nC1 a 0 1n"), [[3e-9], [4e-9]],
        MinimalDissipation(4e-6), {"parameters": ("V1",)},
    ),
    "measured ahead": (
        PAIR, DATA, MinimalDissipation(2.0, anticipate=True), {"metrics": MEASURED},
    ),
    "replicas' F": (
        TWO, DATA, NaturalGradient(2.0, 1.0), {"metrics": ktc.Metrics(fisher="replicas")} | BOTH,
    ),
    "natural gradient": (TWO, DATA, NaturalGradient(2.0, 1.0), BOTH),
    "Adam": (TWO, DATA, Adam(2.0, 1.0), BOTH),
    "constant": (TWO, DATA, Constant(2.0, 0.5), BOTH),
    "own": (TWO, DATA, RunningMean(2.0, 0.3), {}),
    "quartic": (WELL, [[0.8], [1.1]], Constant(2.0, 0.1), {"parameters": ("bias", "quartic")}),
    "center": (TWO, DATA, NaturalGradient(2.0, 1.0), {"parameters": ("center",)}),
    "sparse": (
        ktc.Network(ktc.lattices.ring(6), 1.0), np.ones((3, 6)), Constant(2.0, 0.3), {},
    ),
    "inertia": (
        ktc.Network(1.0, 0.5, inertia=1.0), [[1.0], [2.0]], MinimalDissipation(2.0), BOTH,
    ),
    "hidden": (TWO, DATA[:, :1], Constant(2.0, 0.3), {"hidden": 1, "batch": 7} | BOTH),
    "batches": (TWO, DATA, Constant(2.0, 0.3), {"batch": 7} | BOTH),
    "board": (BOARD, DATA * 1e-5, MinimalDissipation(2e-5), {}),
    "single": (
        lambda: ktc.Emulator(TWO, 100, seed=2, threads=1, dtype="float32"), DATA,
        NaturalGradient(2.0, 1.0), {"replicas": None, "seed": None, "threads": None},
    ),
    "infinite": (
        TWO, DATA, MinimalDissipation(2.0), {"replicas": math.inf, "threads": None} | BOTH,
    ),
    "infinite batches": (
        TWO, DATA, MinimalDissipation(2.0), {"replicas": math.inf, "threads": None, "batch": 7},
    ),
    "running infinite": (
        running, DATA, NaturalGradient(2.0, 1.0), {"replicas": None, "seed": None, "threads": None},
    ),
}  # fmt: skip


def learned(case: str, **options: object) -> ktc.Fit:
    device, data, schedule, others = CASES[case]
    given = {"replicas": 100, "ticks": TICKS, "seed": 5, "threads": 1} | others | options
    return ktc.learn(device() if callable(device) else device, data, schedule, **given)


def killed(case: str, path: Path, moves: int, **options: object) -> None:
    """A child that is killed in the middle of one of its runs of the device."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        return
    whole, left, hold = ktc.Emulator.run, moves, CASES[case][2].duration / TICKS

    def run(emulator: ktc.Emulator, duration: float) -> None:
        nonlocal left
        left -= duration == hold
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        whole(emulator, duration)

    ktc.Emulator.run = run
    try:
        learned(case, checkpoint=path, every=EVERY, **options)
    finally:
        os._exit(1)


def assert_same(one: ktc.Fit, other: ktc.Fit) -> None:
    for name, values in vars(one.history).items():
        np.testing.assert_array_equal(values, getattr(other.history, name), err_msg=name)
    assert same(one, other)
    assert same(saved_emulator(one.device), saved_emulator(other.device))


#: Cases that take more than a second, whose parts are in others.
LONG = ("anticipation", "measured quartic", "measured ahead", "products")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow) if c in LONG else c for c in CASES]
)
def test_a_killed_run_goes_on_to_the_same_bits(case, tmp_path):
    """Killed at a random tick, and again after it was resumed in another child."""
    path, draw = tmp_path / "run.ktc", np.random.default_rng(sorted(CASES).index(case))
    fit = learned(case)
    killed(case, path, int(draw.integers(TICKS)))
    threads = None if math.isinf(fit.device.replicas) else 1
    assert_same(fit, found := ktc.resume(path, threads=threads))
    assert_same(found, again := ktc.resume(path, threads=threads))
    again.device.run(0.1 * fit.duration)
    found.device.run(0.1 * fit.duration)
    np.testing.assert_array_equal(again.device.moments().mean, found.device.moments().mean)


def test_a_run_that_is_stopped_goes_on(tmp_path):
    """By Ctrl-C in the callback, and by the callback, which stops again where it did."""
    fit, path = learned("transport"), tmp_path / "run.ktc"

    def interrupt(record):
        if record.tick == 13:
            raise KeyboardInterrupt

    cut = learned("transport", checkpoint=path, every=EVERY, callback=interrupt)
    assert cut.stopped_early == "tick 13: interrupted"
    with refused(ValueError, "callback must be passed again"):
        ktc.resume(path)
    seen = []
    assert_same(fit, ktc.resume(path, callback=lambda record: seen.append(record.tick)))
    assert seen == list(range(10, TICKS))
    assert_same(fit, ktc.resume(path))
    path.unlink()

    def stop(record):
        return record.tick == 13

    cut = learned("Adam", checkpoint=path, every=EVERY, callback=stop)
    assert cut.stopped_early == "tick 13: stopped by the callback"
    assert_same(cut, ktc.resume(path, callback=stop))
    assert_same(learned("Adam"), ktc.resume(path, callback=lambda record: None))


def test_a_run_that_diverges_stops_again_where_it_did(tmp_path):
    path = tmp_path / "run.ktc"
    options = {"replicas": 50, "ticks": TICKS, "seed": 1, "threads": 1}
    with np.errstate(all="ignore"):
        fit = ktc.learn(UNIT, 1.0, Constant(9.0, 40.0), **options, checkpoint=path, every=3)
        assert fit.stopped_early is not None
        assert_same(fit, ktc.resume(path))


def test_what_is_refused_before_anything_moves(tmp_path):
    path = tmp_path / "run.ktc"
    emulator = ktc.Emulator(UNIT, 10, seed=1)
    rule = Constant(1.0, 0.5)

    class Forgetful(RunningMean):
        def begun(self):
            return Forgetful(self.duration, 0.1)

        def memory(self):
            return {}

    for device, schedule, options, error, told in (
        (emulator, rule, {"every": 3}, ValueError, "pass checkpoint="),
        (emulator, rule, {"checkpoint": path, "every": 0}, ValueError, "every must be at least 1"),
        (emulator, rule, {"checkpoint": 3}, TypeError, "checkpoint must be a str or a path"),
        (emulator, rule, {"checkpoint": tmp_path}, FileExistsError, "ktc.resume"),
        (emulator, Forgetful(1.0, 0.1), {"checkpoint": path}, TypeError, "memory() and recall()"),
        (emulator, rule, {"checkpoint": tmp_path / "no" / "r"}, FileNotFoundError, "No such file"),
    ):
        with refused(error, told):
            ktc.learn(device, 1.0, schedule, ticks=5, **options)
    members = ("network", "scale", "symbols", "controls", "ledger", "set", "run", "moments", "read")
    board = type("Board", (), {name: getattr(emulator, name) for name in members})()
    with refused(TypeError, "cannot be saved; only that of a ktc.Emulator can"):
        ktc.learn(board, 1.0, rule, ticks=5, checkpoint=path)
    assert emulator.time == 0 and not path.exists()


def test_the_schedule_is_that_of_the_run(tmp_path, monkeypatch):
    path = tmp_path / "run.ktc"
    fit = learned("own", checkpoint=path)
    assert_same(fit, ktc.resume(path, schedule=RunningMean(2.0, 0.3)))
    with refused(ValueError, "schedule must be that of the run, RunningMean"):
        ktc.resume(path, schedule=RunningMean(2.0, 0.4))
    monkeypatch.delitem(codec._KINDS, "RunningMean")
    with refused(ValueError, "'RunningMean', which is not defined here"):
        ktc.resume(path)
    with refused(ValueError, "threads must be"):
        ktc.resume(path, threads=0)
    again = tmp_path / "function.ktc"
    options = {"schedule": lambda time: 0.5 + time, "duration": 2.0}
    fit = ktc.learn(UNIT, 1.0, **options, replicas=50, ticks=9, seed=1, checkpoint=again)
    assert_same(fit, ktc.resume(again))
    assert_same(fit, ktc.resume(again, schedule=options["schedule"]))
    assert "ktc.resume goes on with it" in repr(ktc.load(again))


def test_damage_is_named(tmp_path):
    """Each entry that is changed in size is refused, by its name and that of the file."""
    path, changed = tmp_path / "run.ktc", tmp_path / "changed.ktc"
    learned("hidden", checkpoint=path, callback=lambda record: record.tick == 10)
    with np.load(path) as archive:
        arrays = dict(archive)
    for name in sorted(set(arrays) - {"header", "samples", "state/batches/left"}):
        cut = {**arrays, name: np.concatenate([arrays[name].ravel(), arrays[name].ravel()])}
        with changed.open("wb") as file:
            write_archive(file, cut)
        if arrays[name].size == 0:
            continue
        with pytest.raises(ValueError, match=r"changed\.ktc") as caught:
            ktc.resume(changed, callback=lambda record: None)
        # Arrays of one object are checked against one another.
        whole, last = name.rsplit("/", 1) if "/" in name else ("", name)
        assert last in str(caught.value) or whole in str(caught.value).split("(")[1], name
    whole = path.read_bytes()
    changed.write_bytes(whole[: len(whole) // 2])
    with refused(ValueError, "corrupt or truncated"):
        ktc.resume(changed)
    TWO.save(changed)
    with refused(ValueError, "holds an object of kind 'Network', not 'Checkpoint'"):
        ktc.resume(changed)


def test_a_full_disk_stops_the_run_and_leaves_the_last_checkpoint(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder) as disk:
        path = disk / "run.ktc"

        def fill(record):
            if record.tick == 7:
                filled(disk)

        with pytest.raises(OSError, match=r"run\.ktc") as caught:
            learned("Adam", checkpoint=path, every=EVERY, callback=fill)
        assert caught.value.errno == errno.ENOSPC
        (disk / "ballast").unlink()
        assert_same(learned("Adam"), ktc.resume(path, callback=lambda record: None))


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_gets_there(tmp_path):
    """At any time, also while a checkpoint is written: each child goes on from the last one."""
    path, draw = tmp_path / "run.ktc", np.random.default_rng(4)
    options = {"parameters": ("bias", "stiffness"), "replicas": 500, "ticks": 150, "threads": 1}
    kills = 0
    while True:
        child = os.fork()
        if not child:
            try:
                if path.exists():
                    ktc.resume(path, threads=1)
                else:
                    rule = NaturalGradient(2.0, 1.0)
                    ktc.learn(TWO, DATA, rule, seed=3, checkpoint=path, every=2, **options)
            finally:
                os._exit(0)
        time.sleep(draw.uniform(0.02, 0.1) * (1.5**kills))
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    assert os.WIFEXITED(status)
    fit = ktc.learn(TWO, DATA, NaturalGradient(2.0, 1.0), seed=3, **options)
    assert_same(fit, ktc.resume(path))
