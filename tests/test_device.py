"""The contract of a device, and the members of a Fit whatever was learned on it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ktc
from ktc.schedules import Constant, MinimalDissipation
from reference_device import ReferenceDevice

PAGE = Path(__file__).parents[1] / "docs" / "write-a-device.md"
UNIT = ktc.Network(1.0, 1.0)
PAIR = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
DATA = np.random.default_rng(3).normal([1.0, -2.0], 1.0, size=(40, 2))
SPEC = ktc.Imperfections(capacitance_tolerance=0.02, settling_time=1e-8, seed=4)


def numpy_device(replicas=500):
    """The device of the page, by its own code."""
    code = re.search(r"```python\n(.*?)\nnetwork = ", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(code.group(1), names)
    return names["NumpyDevice"](PAIR, replicas, seed=1)


def test_what_is_a_device():
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=SPEC)
    for device in (
        numpy_device(),
        ReferenceDevice(PAIR),
        ktc.Emulator(PAIR, replicas=2, seed=1),
        ktc.Emulator(PAIR, replicas=math.inf),
        board.emulator(2, seed=1),
    ):
        assert isinstance(device, ktc.Device)
    for other in (PAIR, board, ktc.Protocol([1.0], {}), 3.0):
        assert not isinstance(other, ktc.Device)


def test_abilities_of_a_real_board():
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=SPEC)
    emulator = board.emulator(2, seed=1)
    for ability in (
        ktc.HasShortestTick,
        ktc.Settles,
        ktc.Rests,
        ktc.RealisesControls,
        ktc.Seeded,
        ktc.HasImperfections,
        ktc.Describes,
    ):
        assert isinstance(emulator, ability)
        assert not isinstance(numpy_device(), ability)
    assert isinstance(board, ktc.Programmable) and isinstance(board, ktc.DeviceFactory)
    assert isinstance(emulator.ledger, ktc.EnsembleLedger)


def test_the_device_of_the_page_meets_the_bound_with_any_parameters():
    """4 standard errors, a false alarm of 6e-5; its first law closes to rounding."""
    device = numpy_device(5000)
    before = device.energy()
    fit = ktc.learn(device, DATA.mean(axis=0), MinimalDissipation(2.0), ticks=100)
    assert abs(fit.excess_work.mean - fit.bound) < 4 * fit.excess_work.stderr
    change = fit.work.samples - fit.heat.samples
    assert device.energy() - before == pytest.approx(change, abs=1e-11)
    fit = ktc.learn(
        numpy_device(), DATA, MinimalDissipation(2.0), parameters=("bias", "stiffness"), ticks=40
    )
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, abs=1e-9)
    assert fit.seed is None and fit.imperfections is None and fit.from_equilibrium is None


def test_a_device_that_lacks_a_member_is_refused_by_name():
    class Halved:
        network, scale, symbols, controls = UNIT, UNIT.scale, UNIT.symbols, UNIT.controls

        def run(self, duration):
            pass

    with pytest.raises(TypeError, match="Halved lacks set, moments, read, ledger"):
        ktc.learn(Halved(), 1.0, MinimalDissipation(1.0))


def test_a_member_that_is_none_is_lacking():
    class Mute(ReferenceDevice):
        read = None

    with pytest.raises(TypeError, match="Mute lacks read$"):
        ktc.learn(Mute(UNIT), 1.0, MinimalDissipation(1.0))


@pytest.mark.parametrize("kind", [ktc.Emulator, ktc.Network, ktc.Board, ReferenceDevice])
def test_a_class_is_no_device(kind):
    match = f"device must be an object, but is the class {kind.__name__}; pass one"
    with pytest.raises(TypeError, match=match):
        ktc.learn(kind, 1.0, MinimalDissipation(1.0))


def altered(**members):
    """A device of numpy replicas of a pair, of which some members return something else."""
    made = numpy_device(5)
    kind = type("Altered", (type(made),), members)
    made.__class__ = kind
    return made


def ledger_of(work, heat):
    return property(lambda self: SimpleNamespace(work=work, heat=heat), lambda self, value: None)


@pytest.mark.parametrize(
    ("members", "error", "match"),
    [
        ({"moments": lambda self: SimpleNamespace(mean=1.0)}, TypeError, "moments.*mean .* float"),
        (
            {"moments": lambda self: SimpleNamespace(mean=np.zeros(()))},
            ValueError,
            r"mean of the device must be of shape \(2,\), but has shape \(\)",
        ),
        ({"moments": lambda self: SimpleNamespace(mean=np.zeros((5, 2)))}, ValueError, "mean of"),
        ({"read": lambda self: np.zeros(2)}, ValueError, r"read.* of shape \(5, 2\), .* \(2,\)"),
        ({"read": lambda self: [[0.0, 0.0]] * 5}, TypeError, "read.* but is list"),
        ({"ledger": ledger_of(0.0, 0.0)}, TypeError, "ledger.work .* but is float 0.0"),
        ({"ledger": ledger_of(np.zeros((5, 2)), np.zeros(5))}, ValueError, "ledger.work of"),
        ({"ledger": ledger_of(np.zeros(5), np.zeros(4))}, ValueError, "ledger.heat of .* shape"),
        ({"ledger": ledger_of(np.zeros(0), np.zeros(0))}, ValueError, "ledger.work of .* shape"),
        (
            {"controls": property(lambda self: PAIR.controls, lambda self, value: None)},
            ValueError,
            r"controls .* set last, but bias is still array.* after set\(bias=",
        ),
        ({"controls": {"bias": 0.0}}, TypeError, "controls of the device must be a ktc.Controls"),
        ({"network": 3.0}, TypeError, "network of the device must be a ktc.Network"),
    ],
)
def test_what_a_device_returns_is_checked(members, error, match):
    names = {"network", "controls"} & members.keys()
    members |= {n: property(lambda s, v=members[n]: v, lambda s, v: None) for n in names
                if not isinstance(members[n], property)}  # fmt: skip
    with pytest.raises(error, match=match):
        ktc.learn(altered(**members), DATA, MinimalDissipation(1.0), ticks=5)


@pytest.mark.parametrize("shape", [(), (2,), (5, 2)])
def test_a_covariance_of_the_device_is_checked_where_it_is_read(shape):
    def moments(self):
        return SimpleNamespace(mean=np.zeros(2), covariance=np.ones(shape))

    with pytest.raises(ValueError, match="covariance of the device must be of shape"):
        ktc.learn(
            altered(moments=moments), DATA, Constant(1.0, 0.1), parameters=("stiffness",), ticks=5
        )


OPTIONS = {"replicas": 40, "ticks": 10, "seed": 2, "threads": 1}
RUNS = {
    "bias": (PAIR, DATA, MinimalDissipation(1.0), {}),
    "center": (PAIR, DATA, MinimalDissipation(1.0), {"parameters": ("center",)}),
    "batches": (PAIR, DATA, MinimalDissipation(1.0), {"batch": 7}),
    "stiffness": (PAIR, DATA, MinimalDissipation(1.0), {"parameters": ("bias", "stiffness")}),
    "couplings": (PAIR, DATA, Constant(1.0, 0.1), {"parameters": ("couplings",)}),
    "masked": (PAIR, DATA, Constant(1.0, 0.1), {"mask": {"bias": [True, False]}}),
    "hidden": (PAIR, DATA[:, :1], Constant(1.0, 0.1), {"hidden": 1}),
    "quartic": (
        ktc.Network(0.5, 1.0, quartic=1.0), DATA[:, :1], Constant(1.0, 0.1),
        {"parameters": ("bias", "quartic")},
    ),
    "infinite": (PAIR, DATA, MinimalDissipation(1.0), {"replicas": math.inf}),
}  # fmt: skip
#: What is not available of some runs raises ValueError, or is None.
MAY_RAISE = {
    "hidden": {"maximum_likelihood", "completed_excess_work", "bound_target"},
}


def learned(name):
    device, data, schedule, options = RUNS[name]
    given = {**OPTIONS, **options}
    if given["replicas"] == math.inf:
        given = {key: value for key, value in given.items() if key not in ("seed", "threads")}
    return ktc.learn(device, data, schedule, **given)


@pytest.mark.parametrize("name", RUNS)
def test_every_member_of_a_fit_exists_for_every_run(name, tmp_path):
    fit = learned(name)
    members = [member for member in dir(ktc.Fit) if not member.startswith("_")]
    raised = set()
    for member in {*members, *vars(fit)} - {"load"}:
        try:
            getattr(fit, member)
        except ValueError:
            raised.add(member)
    assert raised == MAY_RAISE.get(name, set())
    assert len(fit.theta) == len(fit.theta_names) == fit.learned.size
    fit.save(tmp_path / "fit.npz")
    again = ktc.load(tmp_path / "fit.npz")
    assert isinstance(again, ktc.Fit) and (again.theta == fit.theta).all()
    assert again.learned == fit.learned and str(again.work) == str(fit.work)


@pytest.mark.parametrize("name", RUNS)
def test_every_run_is_drawn(name):
    assert learned(name).plot().axes


@pytest.mark.parametrize("name", RUNS)
def test_parameters_can_be_set_on_emulators_and_networks(name):
    fit = learned(name)
    network = fit.start.network
    assert network.with_controls(**fit.parameters) == fit.network
    emulator = ktc.Emulator(network, replicas=2, seed=1)
    emulator.set(**fit.parameters)
    assert emulator.controls == fit.controls
    shapes = {"bias": (network.units,), "stiffness": (network.units,) * 2}
    for control, values in fit.parameters.items():
        assert values.shape == shapes.get(control, (network.units,))
