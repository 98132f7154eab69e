"""Same bits in steps of any motion: threads, splits of the replicas, saves, cuts, interruptions."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import ktc
from in_steps import bits, coupled_wells, quartic_with_inertia, restless, wells_alone

# Steps so long that their bias is seen.
pytestmark = pytest.mark.filterwarnings("ignore:dt = :RuntimeWarning")

HOLDS, BIASES = [0.3, 0.4, 0.25], [0.1, 0.5, -0.2]


@dataclass
class Kind:
    """A network and how it moves."""

    make: Callable[[], ktc.Network]
    options: dict[str, Any] = field(default_factory=dict)

    def emulator(self, replicas=300, **options):
        return ktc.Emulator(self.make(), replicas=replicas, **{"seed": 88} | self.options | options)

    def drive(self):
        """Bias of all units and the quartic term of those that have one, tick by tick."""
        quartic = np.outer([1.0, 1.4, 0.8], self.make().quartic)
        return ktc.Protocol(HOLDS, {"bias": BIASES, "quartic": quartic})


KINDS = {
    "restless": Kind(restless, {"state": np.zeros(3)}),
    "inertia": Kind(quartic_with_inertia),
    "wells, heat resolved": Kind(coupled_wells, {"resolve_heat": True}),
    "wells, all at once": Kind(coupled_wells),
    "wells alone, all at once": Kind(wells_alone),
    "inertia, single": Kind(quartic_with_inertia, {"dtype": "float32"}),
    "wells, all at once, single": Kind(coupled_wells, {"dtype": "float32"}),
    "wells alone, all at once, single": Kind(wells_alone, {"dtype": "float32"}),
}
ROUNDING = {"float64": 1e-12, "float32": 2e-6}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def moves_at_once(emulator):
    return not emulator.resolve_heat


@every_kind
def test_same_bits_on_any_number_of_threads(kind):
    """State and books do not know how many threads moved them."""
    expected = None
    for threads in (1, 2, 5):
        emulator = kind.emulator(replicas=3000, threads=threads)
        emulator.play(kind.drive())
        if expected is None:
            expected = bits(emulator)
        assert np.array_equal(bits(emulator), expected)


@every_kind
def test_same_bits_however_replicas_are_split(kind):
    """Emulators with disjoint ranges hold what one has: cut in the middle of a group of 16 and
    of a block of 64."""
    whole = kind.emulator(replicas=2500)
    whole.play(kind.drive())
    parts = []
    for first, last in ((0, 5), (5, 143), (143, 700), (700, 1030), (1030, 2112), (2112, 2500)):
        emulator = kind.emulator(replicas=last - first, first_replica=first)
        emulator.play(kind.drive())
        parts.append(bits(emulator))
    assert np.array_equal(np.vstack(parts), bits(whole))


@pytest.mark.parametrize("units", [20, 40, 100])
def test_same_bits_of_large_networks_however_replicas_are_split(units):
    """Products of whole blocks, cut at their ends and within them."""
    stiffness = np.full((units, units), 0.05) + np.eye(units)
    kind = Kind(lambda: ktc.Network(stiffness, 1.0, kT=0.5, quartic=0.3), {"state": 0.7})
    whole = kind.emulator(replicas=1000)
    whole.run(0.5)
    parts = []
    for first, last in ((0, 256), (256, 300), (300, 832), (832, 1000)):
        emulator = kind.emulator(replicas=last - first, first_replica=first)
        emulator.run(0.5)
        parts.append(bits(emulator))
    assert np.array_equal(np.vstack(parts), bits(whole))


@every_kind
def test_same_bits_after_a_save_in_the_middle(kind, tmp_path):
    """Saved between two ticks, loaded, played on: the same bits; so does a copy, and a reset."""
    whole = kind.emulator()
    whole.play(kind.drive())
    whole.run(0.5)
    half = kind.emulator()
    half.play(kind.drive())
    half.save(tmp_path / "half.npz")
    twin = half.copy()
    loaded = ktc.Emulator.load(tmp_path / "half.npz", threads=2)
    assert loaded.resolve_heat == half.resolve_heat
    assert loaded.dt == half.dt and loaded.time == half.time
    for each in (half, twin, loaded):
        each.run(0.5)
        assert np.array_equal(bits(each), bits(whole))
        assert each.ledger.imbalance() < ROUNDING[each.dtype]
    loaded.reset()
    loaded.play(kind.drive())
    loaded.run(0.5)
    assert np.array_equal(bits(loaded), bits(whole))


@every_kind
@pytest.mark.parametrize("dt", [0.125, 0.005])
def test_one_hold_or_many_ticks(kind, dt):
    """Cut at multiples of the step a hold gives the same bits: noise belongs to steps.

    Units that move at once join halves of neighbouring steps within 128 of a hold, which only
    rounding can tell: there bits are the same where it is cut at multiples of 128 steps.
    """
    whole, cut = (kind.emulator(dt=dt) for _ in range(2))
    whole.run(512 * dt)
    for _ in range(4):
        cut.run(128 * dt)
    assert np.array_equal(whole.read(), cut.read())
    assert bits(cut) == pytest.approx(bits(whole), rel=1e-12, abs=1e-12)
    whole.run(24 * dt)
    for steps in (2, 3, 7, 12):
        cut.run(steps * dt)
    if moves_at_once(whole):
        assert cut.read() == pytest.approx(whole.read(), abs=10 * ROUNDING[whole.dtype])
    else:
        assert np.array_equal(whole.read(), cut.read())
    error = 100 * ROUNDING[whole.dtype]
    assert bits(cut) == pytest.approx(bits(whole), rel=error, abs=error)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
@every_kind
def test_same_bits_after_an_interruption(kind):
    """Stopped at some step of a long hold, read, and gone on to its end: the same bits."""

    class StopError(Exception):
        pass

    def stop(*_):
        raise StopError

    whole, stopped = (kind.emulator(replicas=3000, dt=0.0625, threads=2) for _ in range(2))
    whole.run(64.0)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        stopped.run(64.0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except StopError:
        assert 0 <= stopped.time <= 64
        assert np.isfinite(stopped.read()).all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if stopped.time < 64:
        stopped.run(64 - stopped.time)
    assert np.array_equal(stopped.read(), whole.read())
    assert bits(stopped) == pytest.approx(bits(whole), rel=1e-9, abs=1e-9)
    assert stopped.ledger.imbalance() < ROUNDING[stopped.dtype]


@every_kind
def test_seeds_differ(kind):
    start = np.zeros(kind.make().units)
    one, other = (kind.emulator(seed=seed, state=start) for seed in (88, 89))
    for each in (one, other):
        each.run(0.5)
    assert not np.any(one.read() == other.read())
