"""The public lists are complete and clean, and every public name is documented."""

from __future__ import annotations

import inspect
import pickle
from functools import reduce

import pytest

import ktc
from public_names import MODULES, all_modules, mentioned, public_names

PUBLIC = public_names()
#: Types that users receive and do not make, with the call whose example shows how.
RECEIVED = {
    "ktc.Branch": "ktc.Circuit",
    "ktc.Coupling": "ktc.Circuit.add_coupling",
    "ktc.CalibrationReport": "ktc.Metrics",
    "ktc.CircuitEquation": "ktc.Circuit",
    "ktc.CompiledCircuit": "ktc.Circuit",
    "ktc.Controls": "ktc.Network",
    "ktc.Convergence": "ktc.convergence",
    "ktc.Converter": "ktc.Imperfections",
    "ktc.CurrentSource": "ktc.Network.of_elements",
    "ktc.Described": "ktc.load",
    "ktc.Elements": "ktc.Network.of_elements",
    "ktc.History": "ktc.learn",
    "ktc.Ledger": "ktc.Emulator",
    "ktc.MeanPath": "ktc.Circuit.transient_mean",
    "ktc.Moments": "ktc.Emulator",
    "ktc.NoiseSource": "ktc.Network.of_elements",
    "ktc.ActiveFlow": "ktc.Circuit.compile",
    "ktc.NoiseSpectrum": "ktc.Circuit.noise",
    "ktc.OperatingPoint": "ktc.Circuit.op",
    "ktc.Plan": "ktc.plan",
    "ktc.Readings": "ktc.learn",
    "ktc.RealBoard": "ktc.Board",
    "ktc.Resistor": "ktc.Network.of_elements",
    "ktc.Run": "ktc.Emulator.play",
    "ktc.RunStatistics": "ktc.Statistics",
    "ktc.SmallSignal": "ktc.Circuit.ac",
    "ktc.SparseStiffness": "ktc.lattices.grid",
    "ktc.Spectrum": "ktc.Run.spectrum",
    "ktc.Transition": "ktc.Network.transition",
    "ktc.UpdateRecord": "ktc.learn",
    "ktc.Tuned": "ktc.best_rate",
    "ktc.Units": "ktc.Board",
    "ktc.potentials.Potential": "ktc.potentials.Cosine",
    "ktc.schedules.PathToTarget": "ktc.schedules.MinimalDissipation",
    "ktc.theory.Costs": "ktc.theory.expected_learning",
    "ktc.theory.Expected": "ktc.theory.expected",
    "ktc.theory.ExpectedLearning": "ktc.theory.expected_learning",
    "ktc.theory.Gaussian": "ktc.theory.equilibrium",
    "ktc.theory.OptimizedDrive": "ktc.theory.optimized_drive",
}
#: Types that only other packages of ktc pass to a public call: lazy samples of a run for its
#: estimates, the frontend that a board's one wraps, the turns that a ledger shares with its
#: emulator.
INTERNAL = {"LazySamples", "IdealFrontend", "Turn"}
#: Exceptions that are caught within ktc.
CAUGHT = {"Indefinite", "RecordError"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_dir_shows_the_public_list_and_nothing_else(module):
    assert dir(module) == sorted(module.__all__) and len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_every_type_that_a_public_name_mentions_is_public():
    """Those of the types that are found on the way, too; one whose name starts with _ is not."""
    known = {id(thing) for thing in PUBLIC.values()}
    missing = {
        f"{found.__module__}.{found.__name__} (in {name})"
        for name, thing in PUBLIC.items()
        for found in mentioned(thing)
        if id(found) not in known
        and not found.__name__.startswith("_")
        and found.__name__ not in INTERNAL
    }
    assert not missing


def test_every_exception_is_public():
    known = {id(thing) for thing in PUBLIC.values()}
    assert not {
        thing.__name__
        for module in all_modules()
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, BaseException)
        and thing.__module__.startswith("ktc")
        and not thing.__name__.startswith("_")
        and thing.__name__ not in CAUGHT
        and id(thing) not in known
    }


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_documented(name):
    """Whatever can be called has an example; protocols and exceptions need none."""
    thing = PUBLIC[name]
    text = inspect.getdoc(thing)
    assert text and not text.startswith(f"{name.rpartition('.')[2]}(")
    of_no_use_alone = isinstance(thing, type) and (
        issubclass(thing, BaseException) or getattr(thing, "_is_protocol", False)
    )
    if callable(thing) and not of_no_use_alone:
        shown_by = reduce(getattr, RECEIVED.get(name, name).split(".")[1:], ktc)
        assert ">>> " in inspect.getdoc(shown_by), f"{name} has no example"


@pytest.mark.parametrize("name", ["CircuitError", "LimitError"])
def test_an_error_is_reported_by_the_name_that_users_catch(name):
    error = getattr(ktc, name)
    assert f"{error.__module__}.{error.__qualname__}" == f"ktc.{name}"
    assert pickle.loads(pickle.dumps(error)) is error


def test_the_source_of_a_public_class_is_found():
    assert "class Network" in inspect.getsource(ktc.Network)
