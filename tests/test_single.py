"""States in single precision: that they are, that their paths are taken, and that they are right.

Statistical tests fix their seeds and allow 4.5 standard errors: a false alarm of 7e-6 each.
"""

import math

import numpy as np
import pytest

import ktc
from reference import random_spd
from reference_noise import HOLD, single_normals

RNG = np.random.default_rng(1401)
STIFFNESS = random_spd(RNG, 3)
LINEAR = {
    "one unit": ktc.Network(2.0, 0.5, kT=0.7),
    "coupled": ktc.Network(STIFFNESS, 1.0, kT=0.7),
    "inertia": ktc.Network(STIFFNESS, 1.0, kT=0.7, inertia=[1.0, 0.5, 2.0]),
    "heat resolved": ktc.Network(STIFFNESS, 1.0, kT=0.7),
}
PRECISIONS = ("float64", "float32")
WELLS = ktc.Network(np.array([[-2.0, 0.7], [0.7, -2.0]]), 1.0, kT=0.5, quartic=1.0)


def single(network, replicas=100, seed=5, **options):
    return ktc.Emulator(network, replicas, seed, dtype="float32", **options)


def noise(replicas, element, step, seed=5):
    """The documented normals of one unit and step, 32 replicas a group."""
    groups = range(math.ceil(replicas / 32))
    of = [single_normals(seed, HOLD, g, element, step) for g in groups]
    return np.concatenate(of)[:replicas].astype(float)


def test_modes_take_the_single_kernel():
    """One hold of a unit from zero is its width times the normals of single precision."""
    emulator = single(ktc.Network(1.0, 1.0), state=0.0, first_step=0)
    emulator.run(0.5)
    width = np.float32(math.sqrt(-math.expm1(-1.0)))
    np.testing.assert_allclose(emulator.read()[:, 0], width * noise(100, 0, 1), rtol=3e-7)


def test_units_at_once_take_the_single_kernel():
    """A step of two coupled wells is that of its formula, with the normals of single precision."""
    step = 0.01
    emulator = single(WELLS, state=0.0, dt=step, first_step=0)
    emulator.run(step)
    kick = math.sqrt(2 * 0.5 * step) * np.stack([noise(100, i, 1) for i in range(2)])
    half = np.linalg.solve(np.eye(2) + step / 2 * WELLS.stiffness, kick)
    expected = half / np.sqrt(1 + step * half**2)
    np.testing.assert_allclose(emulator.read(), expected.T, rtol=3e-6, atol=1e-9)


@pytest.mark.parametrize("kind", LINEAR)
def test_states_are_singles(kind):
    """Whatever moves them: in their own coordinates, states are numbers of 24 bits."""
    emulator = single(LINEAR[kind], resolve_heat=kind == "heat resolved")
    emulator.run(0.3)
    saved = emulator._frontend.engine.snapshot()["state"]
    np.testing.assert_array_equal(saved, saved.astype(np.float32))
    assert not np.array_equal(saved, np.zeros_like(saved))


@pytest.mark.parametrize("kind", LINEAR)
def test_equilibrium_and_relaxation(kind):
    """Mean of a hold from afar, and covariance kT K⁻¹ afterwards."""
    network, replicas = LINEAR[kind], 40_000
    emulator = single(network, replicas, state=3.0, resolve_heat=kind == "heat resolved")
    emulator.run(0.4)
    exact = ktc.Emulator(network, math.inf, state=3.0)
    exact.run(0.4)
    error = np.sqrt(np.diag(exact.moments().covariance) / replicas)
    found = emulator.moments().mean
    # Splitting is second order in its step, a tenth of the fastest time: 1e-3 of the way.
    np.testing.assert_array_less(abs(found - exact.moments().mean), 4.5 * error + 3e-3)
    emulator.run(40.0)
    covariance = network.kT * np.linalg.inv(network.stiffness)
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2)
    allowed = 4.5 * scale / math.sqrt(replicas)
    np.testing.assert_array_less(abs(emulator.moments().covariance - covariance), allowed)


@pytest.mark.parametrize("far", [0.0, 1000.0, 1e6])
def test_work_of_a_moving_trap(far):
    """⟨W⟩ of a bias that moves from far to far + 5, against its closed form (exact ensemble)."""
    network = ktc.Network(1.0, 1.0, bias=far)
    drive = ktc.Protocol.sample(
        1.0, 400, bias=lambda t: far + 5 * (t + 1) / 3, final={"bias": far + 5.0}
    )
    run = single(network, 40_000).play(drive)
    exact = ktc.Emulator(network, math.inf).play(drive)
    assert abs(run.work.mean - exact.work.mean) < 4.5 * run.work.stderr
    assert abs(run.heat.mean - exact.heat.mean) < 4.5 * run.heat.stderr
    assert run.work.stderr == pytest.approx(math.sqrt(2 * 8.334 / 40_000), rel=0.05)
    emulator = single(network, 1000)
    emulator.play(drive)
    assert emulator.ledger.imbalance() < 2e-6


def test_a_millivolt_on_a_volt():
    """1 V is 15 500 thermal widths: 0.1 mV more costs C δV²/2 = 1.207 kT, whatever the volt."""
    board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
    emulator = board.program(bias=1.0).emulator(replicas=20_000, seed=3, dtype="float32")
    run = emulator.play(ktc.Protocol(np.full(10, 1e-6), {}, final={"bias": 1.0001}))
    exact = 1e-12 * 1e-4**2 / 2
    assert abs(run.excess_work.mean - exact) < 4.5 * run.excess_work.stderr


def test_stiffness_and_bias_far_away():
    """Both change at every tick, ten thousand thermal widths out; against the exact ensemble."""
    network = ktc.Network(np.eye(2) + 0.3, 1.0, bias=1e4)
    drive = ktc.Protocol.sample(
        1.0, 50, bias=lambda t: 1e4 + t, stiffness=lambda t: (1 + 1e-4 * t) * (np.eye(2) + 0.3)
    )
    run = single(network, 20_000).play(drive)
    exact = ktc.Emulator(network, math.inf).play(drive)
    for name in ("work", "heat"):
        found = getattr(run, name)
        assert abs(found.mean - getattr(exact, name).mean) < 4.5 * found.stderr


def test_beyond_its_range():
    """Squares of what is stored must not overflow; errors say so before anything changes."""
    emulator = single(ktc.Network(1.0, 1.0), 2)
    before = emulator.read()
    with pytest.raises(ValueError, match="state is more than 1e17 thermal widths.*float64"):
        emulator.write(1e39)
    with pytest.raises(ValueError, match="bias is more than 1e17 thermal widths.*float64"):
        emulator.set(bias=1e39)
    np.testing.assert_array_equal(emulator.read(), before)


def test_wells_against_full_precision():
    """Coupled wells driven over their barrier: work and heat of both precisions agree."""
    drive = ktc.Protocol.sample(2.0, 40, bias=lambda t: [1.5 * t, -0.5 * t])
    runs = [ktc.Emulator(WELLS, 30_000, 7, dtype=dtype).play(drive) for dtype in PRECISIONS]
    for name in ("work", "heat"):
        full, less = (getattr(run, name) for run in runs)
        assert abs(full.mean - less.mean) < 4.5 * math.hypot(full.stderr, less.stderr)


def test_boards_in_their_own_units():
    """Picofarads at 300 K: charges of 1e-16, energies of 1e-21, fourth powers of 1e-64."""
    board = ktc.Board(cells=2, resistance=1e6, capacitance=1e-12, temperature=300.0)
    emulator = board.emulator(replicas=30_000, seed=3, dtype="float32")
    emulator.set(bias=[1e-3, -2e-3])
    emulator.run(5e-6)
    assert emulator.ledger.imbalance() < 2e-6
    moments = emulator.moments()
    variance = 1.380649e-23 * 300 / 1e-12
    error = math.sqrt(variance / 30_000)
    expected = np.array([1e-3, -2e-3]) * -math.expm1(-5.0)
    np.testing.assert_array_less(abs(moments.mean - expected), 4.5 * error)
    relative = np.diag(moments.covariance) / variance - 1
    np.testing.assert_array_less(abs(relative), 4.5 * math.sqrt(2 / 30_000))


def test_quartic_units_in_SI():
    """⟨x²⟩ of ½kx² + ¼κx⁴ with kT = 4e-21 J: the scale of its units changes no figure."""
    kT, capacitance = 1.380649e-23 * 300, 1e-12
    small = ktc.Network(1 / capacitance, 1e6, kT=kT, quartic=1 / capacitance**2 / kT)
    plain = ktc.Network(1.0, 1.0, quartic=1.0)
    scale = math.sqrt(kT * capacitance)
    second = [
        single(network, 2000, state=unit, dt=0.05 * time, first_step=0)
        for network, unit, time in ((small, scale, 1e-6), (plain, 1.0, 1.0))
    ]
    for emulator, time in zip(second, (1e-6, 1.0)):
        emulator.run(2 * time)
    # One and the same numbers, but for the units they are counted in: powers of two and roundings.
    np.testing.assert_allclose(second[0].read() / scale, second[1].read(), rtol=1e-4, atol=1e-4)
    assert second[0].ledger.work.max() == 0.0
    np.testing.assert_allclose(
        second[0].ledger.heat / kT, second[1].ledger.heat, rtol=1e-3, atol=1e-3
    )


def test_units_out_of_its_range_are_refused():
    with pytest.raises(ValueError, match="float32 needs kT between 1e-30 and 1e30"):
        single(ktc.Network(1.0, 1.0, kT=1e-33))


def test_saved_and_loaded(tmp_path):
    emulator = single(WELLS, state=0.5)
    emulator.run(0.1)
    emulator.save(tmp_path / "single.npz")
    loaded = ktc.Emulator.load(tmp_path / "single.npz")
    assert loaded.dtype == "float32"
    for each in (emulator, loaded):
        each.run(0.2)
    np.testing.assert_array_equal(emulator.read(), loaded.read())


@pytest.mark.parametrize("first", [0, 37])
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kind", [*LINEAR, "wells"])
def test_an_update_works_on_states_as_they_are_read(kind, dtype, first):
    """Work is −Δbᵀx of the states that are read, which stay, and means are theirs: by NumPy.

    Doubles to 1e-12. A single about a new force is rounded once more, to 6e-8 of what it is about;
    its work is of the state before.
    """
    emulator = ktc.Emulator(
        LINEAR.get(kind, WELLS),
        150,
        5,
        dtype=dtype,
        first_replica=first,
        resolve_heat=kind == "heat resolved",
    )
    rounding = 1e-12 if dtype == "float64" else 1e-6
    bias, work = np.zeros(emulator.network.units), np.zeros(150)
    for tick in range(4):
        state, new = emulator.read(), 3.0 * np.cos(np.arange(len(bias)) + tick)
        emulator.set(bias=new)
        work -= state @ (new - bias)
        bias = new
        np.testing.assert_allclose(emulator.read(), state, rtol=0, atol=20 * rounding)
        np.testing.assert_allclose(emulator.moments().mean, emulator.read().mean(0), atol=1e-12)
        np.testing.assert_allclose(emulator.ledger.work, work, rtol=0, atol=100 * rounding)
        emulator.run(0.2)
    expected = np.cov(emulator.read().T, bias=True)
    np.testing.assert_allclose(emulator.moments().covariance, np.atleast_2d(expected), atol=1e-12)


@pytest.mark.parametrize("bias", [3e3, 1e6, 1e9])
def test_first_law_of_a_jump_that_rounds_the_state(bias):
    """The energy that rounding adds is part of the work: the imbalance stays that of singles."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=200, seed=1, dtype="float32")
    emulator.set(bias=bias)
    assert emulator.ledger.imbalance() < 1e-5
    emulator.run(0.3)
    assert emulator.ledger.imbalance() < 1e-5
