"""Protocols: what they sample, how they join, what they refuse. No random numbers but one play."""

from __future__ import annotations

import numpy as np
import pytest

from ktc import Emulator, Network, Protocol
from ktc._model.controls import Controls
from ktc._model.waveforms import full_shape

K2 = np.array([[2.0, 0.5], [0.5, 1.0]])
SADDLE = np.array([[1.0, 2.0], [2.0, 1.0]])
PAIR = Network(K2, 1.0)


def settings(protocol, network=PAIR):
    return protocol.settings(network.controls)


def played(protocol, network=PAIR, replicas=50, seed=71):
    emulator = Emulator(network, replicas=replicas, seed=seed)
    return emulator, emulator.play(protocol)


# --- Sampling ------------------------------------------------------------------------------------


def test_functions_are_sampled_at_midpoints():
    drive = Protocol.sample(
        duration=2.0,
        ticks=4,
        bias=lambda t: [t, -t],
        stiffness=lambda t: (1 + t) * K2,
        kT=1.5,
        final={"bias": 9.0},
    )
    midpoints = np.array([0.25, 0.75, 1.25, 1.75])
    np.testing.assert_allclose(drive.controls["bias"], np.outer(midpoints, [1, -1]), rtol=1e-15)
    np.testing.assert_allclose(
        drive.controls["stiffness"], (1 + midpoints)[:, None, None] * K2, rtol=1e-15
    )
    np.testing.assert_array_equal(drive.controls["kT"], np.full(4, 1.5))
    np.testing.assert_array_equal(drive.holds, np.full(4, 0.5))
    assert drive.final["bias"] == 9.0
    assert (drive.ticks, drive.duration) == (4, 2.0)
    np.testing.assert_array_equal(drive.times, [0.0, 0.5, 1.0, 1.5, 2.0])


def test_the_call_of_the_manual():
    drive = Protocol.sample(
        duration=1.0, ticks=1000, bias=lambda t: 5 * (t + 1) / 3, final={"bias": 5.0}
    )
    assert drive.controls["bias"].shape == (1000,)
    assert drive.controls["bias"][0] == pytest.approx(5 * 1.0005 / 3)
    assert drive.duration == pytest.approx(1.0, rel=1e-14)


def test_midpoints_make_ramps_second_order():
    """∫ of a held cubic against t⁴/4: the error falls by 4 ± 1 % as the tick is halved."""
    errors = []
    for ticks in (10, 20, 40):
        held = Protocol.sample(1.0, ticks, bias=lambda t: t**3)
        errors.append(0.25 - np.sum(held.controls["bias"] * held.holds))
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4.0, rtol=0.01)


def test_ramp():
    ramp = Protocol.ramp(4.0, 4, bias=([0.0, 8.0], [4.0, 0.0]), kT=(1.0, 2.0))
    np.testing.assert_allclose(ramp.controls["bias"], [[0.5, 7], [1.5, 5], [2.5, 3], [3.5, 1]])
    np.testing.assert_allclose(ramp.controls["kT"], [1.125, 1.375, 1.625, 1.875])
    np.testing.assert_array_equal(ramp.final["bias"], [4.0, 0.0])
    assert ramp.final["kT"] == 2.0


def test_ramp_between_scalar_and_matrix():
    """A scalar stiffness is that multiple of the identity, not of a matrix of ones."""
    ramp = Protocol.ramp(1.0, 2, stiffness=(4.0, K2), bias=([1.0, 2.0], 0.0))
    np.testing.assert_allclose(
        ramp.controls["stiffness"], [0.75 * 4 * np.eye(2) + 0.25 * K2, np.eye(2) + 0.75 * K2]
    )
    np.testing.assert_allclose(ramp.controls["bias"], [[0.75, 1.5], [0.25, 0.5]])
    np.testing.assert_array_equal(ramp.final["bias"], [0.0, 0.0])


@pytest.mark.parametrize("pair", [[0.0, 1.0], (0.0,), 3.0, (0.0, 1.0, 2.0)])
def test_ramp_wants_pairs(pair):
    with pytest.raises(ValueError, match=r"bias must be a pair \(start, end\)"):
        Protocol.ramp(1.0, 2, bias=pair)


def test_scalars_are_broadcast_when_played():
    scalar = Protocol([0.5, 0.5], {"bias": [1.0, 2.0], "stiffness": [3.0, 4.0]}, {"bias": 0.5})
    full = Protocol(
        [0.5, 0.5],
        {"bias": [[1.0, 1.0], [2.0, 2.0]], "stiffness": [3 * np.eye(2), 4 * np.eye(2)]},
        {"bias": [0.5, 0.5]},
    )
    one, first = played(scalar)
    two, second = played(full)
    np.testing.assert_array_equal(one.read(), two.read())
    np.testing.assert_array_equal(first.work.samples, second.work.samples)
    assert one.controls == two.controls
    np.testing.assert_array_equal(one.controls.stiffness, 4 * np.eye(2))


def test_many_scalar_ticks_are_handed_over_in_parts(monkeypatch):
    """Same bits whatever the size of the parts, in which scalars are broadcast."""
    drive = Protocol.sample(3.0, 17, bias=lambda t: t, stiffness=lambda t: 1 + t, kT=2.0)
    emulator, whole = played(drive)
    sizes = []

    def watched(name, values, units):
        full = full_shape(name, values, units)
        sizes.append(full.size)
        return full

    monkeypatch.setattr("ktc._emulation.recorder.NUMBERS_AT_ONCE", 12)
    monkeypatch.setattr("ktc._emulation.recorder.full_shape", watched)
    other, parts = played(drive)
    assert max(sizes) == 12
    np.testing.assert_array_equal(emulator.read(), other.read())
    np.testing.assert_array_equal(whole.work.samples, parts.work.samples)
    np.testing.assert_array_equal(whole.heat.samples, parts.heat.samples)


def test_no_control_is_a_rest():
    emulator, run = played(Protocol.sample(duration=1.0, ticks=3))
    assert emulator.controls == PAIR.controls
    assert emulator.time == 1.0
    assert not run.work.samples.any()


def test_final_alone():
    """A control that only the last update sets."""
    emulator, run = played(Protocol([1.0], {}, final={"stiffness": 2 * K2}))
    np.testing.assert_array_equal(emulator.controls.stiffness, 2 * K2)
    state = emulator.read()
    expected = 0.5 * np.einsum("ni,ij,nj->n", state, K2, state)
    np.testing.assert_allclose(run.work.samples, expected, rtol=1e-12)


def test_values_cannot_be_written():
    source = np.array([1.0, 2.0])
    drive = Protocol([0.5, 0.5], {"bias": source}, final={"bias": 3.0})
    source[0] = 99.0
    assert drive.controls["bias"][0] == 1.0
    for array in (drive.holds, drive.controls["bias"], drive.final["bias"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_repr():
    assert repr(Protocol([0.5, 0.5], {"bias": [1, 2]})) == (
        "<ktc.Protocol: bias over 2 ticks, duration 1>"
    )


# --- Joining -------------------------------------------------------------------------------------

FIRST = Protocol.sample(
    0.6, 3, bias=lambda t: [t, 1 - t], stiffness=lambda t: (1 + t) * K2, final={"bias": 2.0}
)
SECOND = Protocol.sample(
    0.8, 2, bias=lambda t: -t, stiffness=lambda t: (2 - t) * K2, final={"stiffness": 3.0}
)


@pytest.mark.parametrize("inertia", [None, 0.7], ids=["overdamped", "inertia"])
def test_joined_books_equal_both(inertia):
    """Work, heat and supply of p + q per replica: those of p, then q. Same noise; rounding only."""
    network = Network(K2, 1.0, kT=0.5, inertia=inertia)
    joined = FIRST + SECOND
    assert joined.ticks == 5
    assert joined.duration == pytest.approx(1.4, rel=1e-14)
    emulator, whole = played(joined, network)
    apart = Emulator(network, replicas=50, seed=71)
    parts = [apart.play(FIRST), apart.play(SECOND)]
    assert emulator.controls == apart.controls
    np.testing.assert_allclose(emulator.read(), apart.read(), rtol=1e-12, atol=1e-13)
    for account in ("work", "heat", "supply"):
        total = sum(getattr(part, account).samples for part in parts)
        found = getattr(whole, account).samples
        np.testing.assert_allclose(found, total, rtol=1e-12, atol=1e-12)
    change = sum(part.free_energy_change.mean for part in parts)
    assert whole.free_energy_change.mean == pytest.approx(change, rel=1e-12)


def test_a_control_of_the_first_alone_stays_at_its_final_value():
    second = Protocol.sample(1.0, 2, bias=lambda t: t)
    joined = FIRST + second
    last = FIRST.controls["stiffness"][-1]
    np.testing.assert_array_equal(joined.controls["stiffness"][3:], [last, last])
    scalars = Protocol([1.0], {"bias": [[1.0, 2.0]]}, {"bias": 0.0}) + Protocol([1.0, 1.0], {})
    np.testing.assert_array_equal(scalars.controls["bias"], [[1.0, 2.0], [0, 0], [0, 0]])
    np.testing.assert_array_equal(scalars.final["bias"], 0.0)


def test_joining_mixes_scalars_and_matrices():
    joined = Protocol([1.0], {"stiffness": [3.0]}) + Protocol([1.0], {"stiffness": [K2]})
    np.testing.assert_array_equal(joined.controls["stiffness"], [3 * np.eye(2), K2])


def test_the_last_final_wins():
    joined = Protocol([1.0], {"bias": [1.0]}, {"bias": 5.0}) + Protocol([1.0], {"bias": [2.0]})
    np.testing.assert_array_equal(joined.controls["bias"], [1.0, 2.0])
    assert joined.final == {}
    closing = Protocol([1.0], {"bias": [1.0]}) + Protocol([1.0], {}, {"stiffness": 2.0})
    assert closing.final["stiffness"] == 2.0


def test_joining_refuses():
    bias = Protocol([1.0], {"bias": [1.0]})
    with pytest.raises(ValueError, match="second protocol drives 'kT'.*constant waveform"):
        _ = bias + Protocol([1.0], {"kT": [2.0]})
    # A value set at the end of the first has no tick of the second to be held in.
    with pytest.raises(ValueError, match="first protocol ends with a value of 'kT'"):
        _ = Protocol([1.0], {"bias": [1.0]}, {"kT": 2.0}) + bias
    with pytest.raises(ValueError, match="bias must keep one shape"):
        _ = Protocol([1.0], {"bias": [[1.0, 2.0]]}) + Protocol([1.0], {"bias": [[1.0, 2.0, 3.0]]})
    with pytest.raises(TypeError):
        _ = bias + 3


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "controls", "final", "error", "message"),
    [
        ([1, 0, 1], {}, None, ValueError, "holds must be positive, but is 0.0 at tick 1"),
        ([1, 1, -2], {}, None, ValueError, "holds must be positive, but is -2.0 at tick 2"),
        ([1, np.nan], {}, None, ValueError, r"holds must be finite, but is nan at index \(1,\)"),
        ([], {}, None, ValueError, r"holds must have shape \(ticks,\), but has shape \(0,\)"),
        (1.0, {}, None, ValueError, r"holds must have shape \(ticks,\), but has shape \(\)"),
        ("abc", {}, None, TypeError, "holds must be real numbers, but is str 'abc'"),
        ([1, 1], {"bias": [1.0]}, None, ValueError, "bias must have one value per tick, 2 in all"),
        ([1, 1], {"bias": 1.0}, None, ValueError, "bias must have one value per tick, 2 in all"),
        ([1, 1], {"kT": [[[1]], [[1]]]}, None, ValueError, "kT must have one value per tick"),
        ([1, 1], {"bias": [1, np.inf]}, None, ValueError, r"bias must be finite.*index \(1,\)"),
        ([1, 1], {"bias": [1, 1j]}, None, TypeError, "bias must be real numbers"),
        ([1, 1], {"bais": [1, 1]}, None, TypeError, "unknown control 'bais'; choose from 'bias'"),
        ([1, 1], {}, {"tension": 1}, TypeError, "unknown control 'tension'"),
        ([1, 1], {}, {"bias": np.nan}, ValueError, "final bias must be finite"),
        ([1, 1], {}, {"kT": [[1, 1]]}, ValueError, "final kT has shape"),
        ([1, 1], [1, 1], None, TypeError, "controls must be a mapping.*but is list"),
        ([1, 1], {}, 5.0, TypeError, "final must be a mapping.*but is float"),
    ],
)
def test_constructor_refuses(holds, controls, final, error, message):
    with pytest.raises(error, match=message):
        Protocol(holds, controls, final)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"duration": 0.0, "ticks": 2}, ValueError, "duration must be positive, but is 0.0"),
        ({"duration": np.inf, "ticks": 2}, ValueError, "duration must be finite, but is inf"),
        ({"duration": [1, 2], "ticks": 2}, ValueError, "duration must be one number"),
        ({"duration": 1.0, "ticks": 0}, ValueError, "ticks must be at least 1, but is 0"),
        ({"duration": 1.0, "ticks": 2.0}, TypeError, "ticks must be a whole number, but is 2.0"),
        ({"duration": 1.0, "ticks": True}, TypeError, "ticks must be a whole number"),
        ({"duration": 1.0, "ticks": 2, "bais": 1.0}, TypeError, "unknown control 'bais'"),
        ({"duration": 1.0, "ticks": 2, "bias": "up"}, TypeError, "bias must be real numbers"),
        ({"duration": 1.0, "ticks": 2, "bias": lambda t: None}, TypeError, "bias at t = 0.25"),
        (
            {"duration": 1.0, "ticks": 2, "bias": lambda t: np.nan if t > 0.5 else 0.0},
            ValueError,
            "bias at t = 0.75 must be finite, but is nan",
        ),
        (
            {"duration": 1.0, "ticks": 2, "bias": lambda t: [0.0] * (1 if t < 0.5 else 2)},
            ValueError,
            "bias must keep one shape",
        ),
        ({"duration": 1.0, "ticks": 2, "kT": [[1.0, 2.0]]}, ValueError, "no network's kT has"),
    ],
)
def test_sampling_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        Protocol.sample(**arguments)


def stiffness_with(bad, tick=2, ticks=4):
    values = np.repeat(K2[None], ticks, axis=0)
    values[tick] = bad
    return {"stiffness": values}


NEARLY_SINGULAR = np.array([[1.0, 1 - 1e-16 * 3], [1 - 1e-16 * 3, 1.0]])
UNPLAYABLE = {
    "saddle": (stiffness_with(SADDLE), {}, "tick 2: stiffness must be positive definite.*about -1"),
    "asymmetric": (
        stiffness_with([[1.0, 0.2], [0.1, 1.0]]),
        {},
        "tick 2: stiffness must be symmetric, but stiffness.0, 1. = 0.2",
    ),
    "nearly singular": (stiffness_with(NEARLY_SINGULAR), {}, "tick 2: stiffness must be positive"),
    "negative scalar": ({"stiffness": [1.0, 1.0, 1.0, -1.0]}, {}, "tick 3: stiffness must be pos"),
    "negative kT": ({"kT": [1.0, 0.0, 1.0, 1.0]}, {}, "tick 1: kT must be positive, but is 0.0"),
    "three units": ({"bias": np.ones((4, 3))}, {}, r"bias must be a scalar or of shape \(2,\)"),
    "three by three": (
        {"stiffness": np.ones((4, 3, 3))},
        {},
        r"stiffness must be a scalar or of shape \(2, 2\)",
    ),
    "overflow": (
        {"bias": [0.0, 0.0, 0.0, 1e200]},
        {},
        "tick 3: bias is so large that the equilibrium energy overflows",
    ),
    "overflow by softness": (
        {"bias": np.full(4, 1e149), "stiffness": [1.0, 1.0, 1e-30, 1.0]},
        {},
        "tick 2: bias is so large",
    ),
    "overflow of one unit": (
        {"bias": [[0.0, 0.0], [0.0, 1e200], [0.0, 0.0], [0.0, 0.0]], "stiffness": [K2] * 4},
        {},
        "tick 1: bias is so large",
    ),
    "overflow at the emulator's own bias": (
        {"stiffness": [1.0, 1.0, 1.0, 1e-310]},
        {},
        "tick 3: bias is so large",
    ),
    "final saddle": ({}, {"stiffness": SADDLE}, "final update: stiffness must be positive"),
    "final shape": ({}, {"bias": [1.0, 2.0, 3.0]}, "final update: bias must be a scalar"),
    "final kT": ({}, {"kT": -2.0}, "final update: kT must be positive, but is -2.0"),
    "final overflow": ({}, {"bias": 1e200}, "final update: bias is so large"),
}


@pytest.mark.parametrize("case", list(UNPLAYABLE))
def test_unplayable_protocols_name_the_tick_and_change_nothing(case):
    controls, final, message = UNPLAYABLE[case]
    protocol = Protocol(np.full(4, 0.5), controls, final)
    emulator = Emulator(PAIR, replicas=20, seed=72)
    emulator.set(bias=0.3)
    emulator.run(0.1)
    twin = emulator.copy()
    with pytest.raises(ValueError, match=message):
        emulator.play(protocol)
    assert emulator.time == twin.time
    assert emulator.controls == twin.controls
    np.testing.assert_array_equal(emulator.read(), twin.read())
    for account in ("work", "heat", "supply", "energy_change"):
        np.testing.assert_array_equal(
            getattr(emulator.ledger, account), getattr(twin.ledger, account)
        )
    # Nor has any noise been used up.
    good = Protocol(np.full(4, 0.5), {"bias": np.arange(4.0)})
    np.testing.assert_array_equal(emulator.play(good).work.samples, twin.play(good).work.samples)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"record": "voltage"}, TypeError, "unknown quantity to record 'voltage'"),
        ({"record": ["mean", "x"]}, TypeError, "unknown quantity to record 'x'"),
        ({"every": 0}, ValueError, "every must be at least 1, but is 0"),
        ({"every": 5}, ValueError, "every must be at most the 4 ticks, but is 5"),
        ({"every": 1.0}, TypeError, "every must be a whole number"),
    ],
)
def test_bad_options_change_nothing(arguments, error, message):
    emulator = Emulator(PAIR, replicas=20, seed=72)
    before = emulator.read()
    with pytest.raises(error, match=message):
        emulator.play(Protocol(np.full(4, 0.5), {"bias": np.ones(4)}), **arguments)
    assert emulator.time == 0.0
    assert emulator.controls == PAIR.controls
    np.testing.assert_array_equal(emulator.read(), before)


def test_only_protocols_are_played():
    with pytest.raises(TypeError, match=r"protocol must be a ktc\.Protocol, but is .*dict"):
        Emulator(PAIR, replicas=2, seed=1).play({"bias": [1.0]})


def test_rounding_asymmetry_is_made_symmetric():
    """What one update would accept, a protocol accepts, and with the same result."""
    askew = K2.copy()
    askew[0, 1] *= 1 + 1e-15
    values, final = settings(Protocol([1.0, 1.0], {"stiffness": [K2, askew]}))
    np.testing.assert_array_equal(values["stiffness"][1], values["stiffness"][1].T)
    np.testing.assert_array_equal(final.stiffness, PAIR.controls.updated(stiffness=askew).stiffness)


def test_units_of_many_decades_are_judged_by_themselves():
    """Farads and picofarads on one diagonal are as positive definite as ones."""
    wide = np.diag([1e12, 1e-6])
    network = Network(wide, 1.0)
    values, _ = settings(Protocol([1.0], {"stiffness": [2 * wide]}), network)
    np.testing.assert_array_equal(values["stiffness"][0], 2 * wide)


# --- Cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quartic", [None, 1.0], ids=["linear", "quartic"])
def test_a_bias_and_kT_of_many_ticks_are_checked_as_arrays(quartic, monkeypatch):
    """Controls are made of each tick where stiffness or quartic, one check together, change."""
    network = Network(K2, 1.0, quartic=quartic)
    made = []
    updated = Controls.updated
    monkeypatch.setattr(
        Controls, "updated", lambda *own, **new: made.append(new) or updated(*own, **new)
    )
    settings(Protocol(np.ones(500), {"bias": np.linspace(0, 1, 500)}), network)
    settings(Protocol(np.ones(500), {"kT": np.linspace(1, 2, 500), "bias": np.ones(500)}), network)
    assert len(made) < 10
    settings(Protocol(np.ones(50), {"quartic": np.ones(50)}), network)
    assert len(made) > 50


def test_controls_of_quartic_networks_are_refused_by_tick():
    network = Network(-K2, 1.0, quartic=1.0)
    kT = np.ones((5, 1))
    kT[3] = -1.0
    with pytest.raises(ValueError, match=r"tick 3: kT must be positive"):
        settings(Protocol(np.ones(5), {"kT": kT[:, 0]}), network)
    with pytest.raises(ValueError, match=r"bias must be a scalar or of shape \(2,\) at every tick"):
        settings(Protocol(np.ones(5), {"bias": np.ones((5, 3))}), network)
    quartic = np.ones((5, 2))
    quartic[2, 1] = 0.0
    with pytest.raises(ValueError, match=r"tick 2: stiffness must be positive definite"):
        settings(Protocol(np.ones(5), {"quartic": quartic, "kT": np.ones(5)}), network)
