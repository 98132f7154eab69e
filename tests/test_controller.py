"""What a controller does thousands of times a second takes short cuts: they change nothing."""

from __future__ import annotations

import copy
import gc

import numpy as np
import pytest

import ktc
from ktc._base.codec import from_record, to_record
from ktc._emulation.ideal_frontend import IdealFrontend

RNG = np.random.default_rng(12)
D = 5
ROOT = RNG.normal(size=(D, D))
STIFFNESS = ROOT @ ROOT.T + np.eye(D)

NETWORKS = {
    "overdamped": ktc.Network(stiffness=STIFFNESS, friction=1.3),
    "inertia": ktc.Network(stiffness=STIFFNESS, friction=1.3, inertia=0.4),
    "quartic": ktc.Network(stiffness=STIFFNESS, friction=1.3, quartic=0.2),
    "temperatures": ktc.Network(stiffness=STIFFNESS, friction=1.3, kT=np.linspace(0.5, 1.5, D)),
    "board": ktc.Board(D, 1e6, 1e-12, 300.0),
}
SCALE = {"board": 1e-4}
TIME = {"board": 1e-6}

each = pytest.mark.parametrize("kind", NETWORKS)


def emulator(kind: str, replicas: int = 70) -> ktc.Emulator:
    start = None if kind != "temperatures" else np.zeros(D)
    resolved = kind == "temperatures"
    made = ktc.Emulator(
        NETWORKS[kind], replicas, seed=3, threads=2, state=start, resolve_heat=resolved
    )
    assert isinstance(made, ktc.Emulator)
    return made


def bias_of(kind: str, tick: int) -> np.ndarray:
    return SCALE.get(kind, 1.0) * np.cos(np.arange(D) + tick)


def books(device: ktc.Emulator) -> np.ndarray:
    moments = device.moments()
    amounts = [np.ravel(amount) for amount in device.ledger.amounts().values()]
    return np.concatenate(
        [device.read().ravel(), *amounts, moments.mean, moments.covariance.ravel()]
    )


@each
def test_arrays_and_what_must_be_prepared_first_give_the_same_bits(kind: str) -> None:
    """An array of doubles is taken as it is; a list goes through all checks of Python."""
    plain, prepared = emulator(kind), emulator(kind)
    for tick in range(6):
        bias = bias_of(kind, tick)
        plain.set(bias=bias)
        prepared.set(bias=list(bias))
        assert plain.controls == prepared.controls
        for device in (plain, prepared):
            device.run((1 + tick % 2) * 0.3 * TIME.get(kind, 1.0))
    np.testing.assert_array_equal(books(plain), books(prepared))


def test_each_short_cut_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    device = emulator("inertia")
    monkeypatch.setattr(IdealFrontend, "apply", None)
    prepared = []
    for tick in range(6):
        device.set(bias=bias_of("inertia", tick))
        device.run((0.2, 0.5, 0.3)[tick % 3])
        prepared.append(device._frontend.engine.core.prepared)
    assert prepared == [1, 2, 3, 3, 3, 3]
    with pytest.raises(TypeError):
        device.set(bias=[0.0] * D)


@each
def test_set_and_run_are_the_ticks_of_a_protocol(kind: str) -> None:
    """A protocol knows no short cut: bias by bias it plays the same holds."""
    by_hand, played = emulator(kind), emulator(kind)
    if kind in ("quartic", "temperatures"):
        # One step for all, since each hold would choose its own.
        step = 0.02
        by_hand, played = (
            ktc.Emulator(
                NETWORKS[kind],
                70,
                seed=3,
                dt=step,
                state=np.zeros(D),
                resolve_heat=kind == "temperatures",
            )
            for _ in range(2)
        )
    hold = 0.3 * TIME.get(kind, 1.0)
    waveform = np.array([bias_of(kind, tick) for tick in range(6)])
    for bias in waveform:
        by_hand.set(bias=bias)
        by_hand.run(hold)
    played.play(ktc.Protocol(np.full(6, hold), {"bias": waveform}))
    np.testing.assert_array_equal(by_hand.read(), played.read())
    np.testing.assert_allclose(by_hand.ledger.work, played.ledger.work, rtol=1e-12)
    assert by_hand.controls == played.controls


@each
def test_holds_and_shapes_that_alternate_are_told_apart(kind: str) -> None:
    """Propagators are kept by hold, shape and temperature: a mixture of all is as if made anew."""
    kept, fresh = emulator(kind), emulator(kind)
    stiffness = kept.controls.stiffness
    changes = [
        {},
        {"stiffness": 1.5 * stiffness},
        {"kT": 2.0 * kept.controls.kT},
        {"stiffness": stiffness},
    ]
    for tick in range(12):
        hold = (0.2, 0.5, 0.3)[tick % 3] * TIME.get(kind, 1.0)
        change = changes[tick % 4]
        for device in (kept, fresh):
            if change:
                device.set(**change)
            device.set(bias=bias_of(kind, tick))
            device.run(hold)
        # A loaded or copied engine has the numbers, but what it prepares may be its own.
        fresh = from_record(to_record(fresh), threads=1)
    np.testing.assert_array_equal(books(kept), books(fresh))


@each
def test_the_array_that_was_given_may_be_used_again(kind: str) -> None:
    device = emulator(kind)
    bias = bias_of(kind, 0)
    device.set(bias=bias)
    known = device.controls
    bias[:] = 0.0
    np.testing.assert_array_equal(known.bias, bias_of(kind, 0))
    np.testing.assert_array_equal(device.controls.bias, bias_of(kind, 0))
    assert device.controls is known
    with pytest.raises(ValueError, match="read-only"):
        known.bias[0] = 1.0


@pytest.mark.parametrize(
    ("bias", "message"),
    [
        (np.full(D, np.nan), r"bias must be finite, but is nan at index \(0,\)"),
        (np.array([0, 0, np.inf, 0, 0]), r"bias must be finite, but is inf at index \(2,\)"),
        (np.zeros(D + 1), r"bias must be a scalar or of shape \(5,\).*\(6,\)"),
        (np.zeros((D, 1)), r"bias must be a scalar, \(5,\), or \(70, 5\).*\(5, 1\)"),
        (np.full(D, 1e200), "bias is so large that the equilibrium energy overflows"),
        (np.ma.masked_equal(np.zeros(D), 0.0), "bias must have no masked entries"),
    ],
)
@pytest.mark.parametrize("held", [False, True])
def test_refusals_name_what_is_wrong_and_change_nothing(
    bias: np.ndarray, message: str, held: bool
) -> None:
    device, twin = emulator("overdamped"), emulator("overdamped")
    device.set(bias=np.ones(D))
    twin.set(bias=np.ones(D))
    moments = device.moments() if held else None
    with pytest.raises(ValueError, match=message):
        device.set(bias=bias)
    assert device.controls == twin.controls
    if held and not np.isfinite(np.ma.getdata(bias)).all():
        assert device.moments() is moments
    device.run(0.5)
    twin.run(0.5)
    np.testing.assert_array_equal(books(device), books(twin))


@pytest.mark.parametrize("duration", [np.float64(0.5), np.float32(0.5), 1, np.array(0.5)])
def test_durations_may_be_any_real_number(duration: float) -> None:
    one, other = emulator("overdamped"), emulator("overdamped")
    one.run(duration)
    other.run(float(duration))
    np.testing.assert_array_equal(one.read(), other.read())


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_durations_that_are_none_are_refused(duration: float) -> None:
    device = emulator("overdamped")
    with pytest.raises(ValueError, match="duration must be"):
        device.run(duration)
    assert device.time == 0.0


# Large ensembles of quartic units take long, and have no path of their own.
SIZES = [(kind, 70) for kind in NETWORKS]
SIZES += [(kind, 30_000) for kind in NETWORKS if kind != "quartic"]


@pytest.mark.parametrize(("kind", "replicas"), SIZES)
def test_moments_that_somebody_holds_are_those_of_their_instant(kind: str, replicas: int) -> None:
    """Small ensembles are kept, large ones are finished before they move on."""
    device, twin = emulator(kind, replicas), emulator(kind, replicas)
    held, expected = [], []
    for tick in range(4):
        for one in (device, twin):
            one.set(bias=bias_of(kind, tick))
            one.run(0.3 * TIME.get(kind, 1.0))
        held.append(device.moments())
        expected.append(twin.moments().covariance)
    device.set(bias=np.zeros(D), stiffness=2 * device.controls.stiffness)
    device.reset()
    for moments, covariance in zip(held, expected, strict=True):
        np.testing.assert_array_equal(moments.covariance, covariance)
    last = held[-1]
    del device, held
    gc.collect()
    np.testing.assert_array_equal(last.covariance, expected[-1])


def test_a_copy_has_controls_and_preparations_of_its_own() -> None:
    device = emulator("inertia")
    device.set(bias=bias_of("inertia", 0))
    device.run(0.3)
    twin = copy.copy(device)
    twin.set(bias=bias_of("inertia", 1), stiffness=2 * STIFFNESS)
    twin.run(0.3)
    np.testing.assert_array_equal(device.controls.bias, bias_of("inertia", 0))
    device.run(0.3)
    plain = emulator("inertia")
    plain.set(bias=bias_of("inertia", 0))
    for _ in range(2):
        plain.run(0.3)
    np.testing.assert_array_equal(device.read(), plain.read())


@pytest.mark.parametrize("kind", ["quartic", "temperatures"])
def test_the_default_step_follows_the_controls(kind: str) -> None:
    """It is kept while the controls are the same, and chosen anew where they are not."""
    device = emulator(kind)
    steps = []
    for change in (
        {},
        {"bias": 30 * np.ones(D)},
        {},
        {"stiffness": 3 * STIFFNESS},
        {"bias": np.zeros(D)},
    ):
        if change:
            device.set(**change)
        device.run(0.01)
        steps.append(device._frontend.engine.core.longest_step)
        assert steps[-1] == ktc._engines.step_size.default_step(device.network, [device.controls])
    assert len(set(steps)) == (4 if kind == "quartic" else 2)
    device.play(
        ktc.Protocol.sample(0.1, 2, stiffness=9 * STIFFNESS, final={"stiffness": STIFFNESS})
    )
    device.run(0.01)
    assert device._frontend.engine.core.longest_step == ktc._engines.step_size.default_step(
        device.network, [device.controls]
    )
