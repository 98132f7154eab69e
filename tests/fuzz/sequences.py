"""Sequences of calls of one emulator; after each the first law holds and the state is finite."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import ktc

from .long_runs import takes_long
from .odd import EXTREMES, odd
from .rounding import Rounding
from .source import Source
from .tables import folder
from .verdict import attempt, require_finite, require_first_law, short


class Subject:
    """What an emulator is made of, and the scales of its times and its bias."""

    def __init__(self, device: Any, time: float = 1.0, bias: float = 1.0, kinds: str = "fnirs"):
        self.device, self.time, self.bias, self.kinds = device, time, bias, kinds
        self.units = device.network.units


@cache
def subjects() -> tuple[Subject, ...]:
    circuit = ktc.Circuit.from_netlist(
        "V1 in 0 1m\nR1 in a 1k\nC1 a 0 1n\nL1 a b 1u\nR2 b 0 1k kelvin=100\nI1 a 0 0 noise=1e-24"
    )
    spec = ktc.Imperfections(
        offset=1e-6, dac_bits=8, dac_range=1e-2, settling_time=1e-7, adc_bits=8, adc_range=1.0,
        adc_noise=1e-6, resistance_tolerance=0.01, update_time=1e-8, adc_rate=1e7, seed=3,
    )  # fmt: skip
    return (
        Subject(ktc.Network([[2.0, 0.5], [0.5, 1.0]], [1.0, 2.0])),
        Subject(ktc.Network([[2.0, 0.5], [0.5, 1.0]], [[2.0, 0.5], [0.5, 1.0]])),
        Subject(ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0, kT=[1.0, 2.0])),
        Subject(ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0), kinds="frns"),
        Subject(ktc.Network([[1.0, 0.2], [0.2, 1.0]], 1.0, quartic=[0.0, 1.0], inertia=1.0)),
        Subject(ktc.Network(1.0, 1.0, inertia=2.0)),
        Subject(ktc.Network(ktc.lattices.ring(4), 1.0)),
        Subject(circuit.compile(), 1e-6, 1e-3),
        Subject(ktc.Board(2, 1e6, 1e-12, 300.0), 1e-6, 1e-4),
        Subject(ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec), 1e-6, 1e-4),
    )


def value(source: Source, scale: float, units: int) -> Any:
    """A control: mostly one that fits, at times one that does not."""
    kind = source.integer(0, 11)
    if kind < 5:
        return scale * source.integer(-99, 99) / 50
    if kind < 9:
        return scale * np.array(source.numbers(units)) / 5
    if kind == 9:
        return scale * source.pick(EXTREMES)
    return odd(source)


def stiffness(source: Source, units: int) -> Any:
    if source.rarely(6):
        return odd(source)
    root = np.array(source.numbers(units * units)).reshape(units, units) / 10
    return root @ root.T + source.pick((0.1, 1.0, 1.0, 0.0)) * np.eye(units)


def controls(source: Source, subject: Subject) -> dict[str, Any]:
    given = {}
    for _ in range(source.pick((1, 1, 1, 2))):
        name = source.pick(("bias", "bias", "bias", "stiffness", "kT", "quartic", "emf", "current"))
        if name == "stiffness":
            made = stiffness(source, subject.units)
            if subject.time != 1.0 and isinstance(made, np.ndarray) and made.dtype.kind == "f":
                made = made * subject.device.network.stiffness[0, 0]
            given[name] = made
        elif name == "kT":
            given[name] = source.pick((1.0, 2.0, 300 * 1.38e-23, 0.0, -1.0, [1.0, 2.0]))
        else:
            given[name] = value(source, subject.bias, subject.units)
    return given


def duration(source: Source, subject: Subject) -> Any:
    if source.rarely(12):
        return odd(source)
    if source.rarely(12):
        return source.pick((subject.time * 1e-12, 5e-324, subject.time * 30.0))
    return subject.time * source.integer(1, 20) / 10


def protocol(source: Source, subject: Subject) -> Any:
    ticks = source.integer(1, 4)
    given: dict[str, Any] = {}
    if not source.rarely(5):
        given["bias"] = [subject.bias * x / 5 for x in source.numbers(ticks)]
    if source.rarely(8):
        given["quartic"] = [abs(x) / 5 for x in source.numbers(ticks)]
    if source.rarely(8):
        given["kT"] = [float(np.max(subject.device.network.kT))] * ticks
    final = {"bias": 0.0} if "bias" in given and source.rarely(2) else None
    holds = [subject.time * source.integer(1, 20) / 10 for _ in range(ticks)]
    return ktc.Protocol(holds, given, final)


def options(source: Source, subject: Subject) -> dict[str, Any]:
    if source.rarely(6):
        return {"replicas": float("inf")}
    given: dict[str, Any] = {"replicas": source.integer(1, 5), "seed": source.integer(0, 3)}
    if source.rarely(5):
        given["dtype"] = "float32"
    if source.rarely(3):
        given["resolve_heat"] = True
    if source.rarely(8):
        given["accounts"] = source.pick((("work", "heat"), "work", (), ("heat", "supply")))
    if source.rarely(8):
        given["first_replica"] = source.integer(0, 200)
    if source.rarely(8):
        given["state"] = value(source, subject.bias, subject.units)
    return given


Step = tuple[str, Callable[[], Any]]


def step(source: Source, emulator: ktc.Emulator, subject: Subject) -> Step:
    """One call, told and ready."""
    kind = source.pick(
        ("set", "set", "run", "run", "run", "play", "play", "read", "moments", "energy", "copy",
         "save", "reset", "equilibrate", "settle", "write", "ledger.reset", "ledger", "pickle",
         "read_momentum", "other", "thread")
    )  # fmt: skip
    path = folder() / "sequence.npz"
    if kind == "set":
        given = controls(source, subject)
        told = ", ".join(f"{name}={short(what, 80)}" for name, what in given.items())
        return f"set({told})", lambda: emulator.set(**given)
    if kind == "run":
        time = duration(source, subject)
        if takes_long(emulator, time):
            time = 0.0
        return f"run({short(time, 80)})", lambda: emulator.run(time)
    if kind == "play":
        drive = protocol(source, subject)
        if takes_long(emulator, drive.duration, drive):
            return "time", lambda: emulator.time
        record = source.pick((None, "state", ("mean", "work"), ("energy",), ("covariance", "bias")))
        every = source.integer(1, 2)
        gather = source.pick((None, None, ktc.Statistics(covariance=True)))
        told = f"play({drive!r}, {record!r}, {every}, statistics={gather!r})"
        return told, lambda: played(emulator.play(drive, record, every, statistics=gather))
    if kind == "write":
        state = value(source, subject.bias, subject.units)
        return f"write({short(state, 80)})", lambda: emulator.write(state)
    if kind == "save":

        def again() -> ktc.Emulator:
            emulator.save(path)
            return ktc.Emulator.load(path)

        return "load(save())", again
    if kind == "pickle":
        import pickle

        return "loads(dumps())", lambda: pickle.loads(pickle.dumps(emulator))
    if kind == "ledger":
        return "ledger.amounts()", emulator.ledger.amounts
    if kind == "ledger.reset":
        return "ledger.reset()", emulator.ledger.reset
    if kind == "other":
        name = source.pick(("bias", "work", "heat", "nothing", "supply"))
        return f"ledger.variance({name!r})", lambda: emulator.ledger.variance(name)
    if kind == "thread":
        return "copy().settle()", lambda: emulator.copy().settle()
    return f"{kind}()", getattr(emulator, kind)


def played(run: ktc.Run) -> list[Any]:
    """What a run gives out."""
    repr(run)
    given = [run.work, run.heat, dict(run.series)]
    if run.seed is not None and run.network.controls.isothermal:
        given.append(run.free_energy_change)
    return given


NAMES = {
    "bias", "stiffness", "kT", "quartic", "emf", "current", "duration", "state", "momentum",
    "replicas", "accounts", "account", "record", "every", "statistics", "seed", "dtype", "momenta",
    "first_replica", "resolve_heat", "inertia", "name", "work", "heat", "supply", "dt", "ticks",
    "tick", "holds", "ADC", "DAC", "imbalance", "controls", "set", "reading", "readings", "cell",
    "read", "update", "samples", "equilibrium", "sources", "settling_time",
}  # fmt: skip


def fuzz(source: Source) -> None:
    subject = source.pick(subjects())
    given = options(source, subject)
    told = [f"subject {subjects().index(subject)}", short(given)]

    def make() -> ktc.Emulator:
        if isinstance(subject.device, ktc.Board):
            return subject.device.emulator(**given)
        return ktc.Emulator(subject.device, **given)

    emulator = attempt(make, NAMES, "; ".join(told))
    if emulator is None:
        return
    rounding = Rounding(emulator, subject.bias)
    for _ in range(source.integer(1, 8)):
        words, call = step(source, emulator, subject)
        told.append(words)
        result = attempt(call, None if words.startswith("loads") else NAMES, "; ".join(told))
        if isinstance(result, ktc.Emulator):
            emulator = result
        elif result is not None and "variance" not in words:  # infinite for one replica
            require_finite(result, "; ".join(told), ("stderr",))
        require_first_law(emulator, "; ".join(told), rounding.of(emulator))
