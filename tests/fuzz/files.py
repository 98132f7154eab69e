"""Saved files: bytes, headers and arrays changed, of every kind that ktc saves."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

import ktc
from ktc._learning.checkpoint import Checkpoint

from .long_runs import takes_long
from .source import Source
from .tables import folder
from .verdict import attempt, short

NUMBERS = (0, -1, 1, 2, 3, 2**33, 2**40, 2**63, 10**30, 10**400, 0.5, -0.0, 1e308, -1e300, 5e-324,
           float("nan"), float("inf"), True, False)  # fmt: skip
OTHERS = (None, "", "x", "kind", "work", "float32", "float64", "split", "exact", "Emulator", [], {},
          [1], [[1]], {"kind": "array"}, {"kind": "tuple", "items": []}, {"kind": "tuple"},
          {"kind": "Network"}, {"kind": 3}, {"kind": ["a"]}, {"a": 1}, "NaN")  # fmt: skip
DTYPES = ("f4", "f8", ">f8", "i8", "u1", "b1", "U3", "f2", "c16", "S4", "M8[s]", "i4", "u8")


def objects() -> Iterator[Any]:
    """One or several small objects of every kind that ktc saves."""
    two = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [1.0, 2.0], kT=1.0, bias=[0.5, 0.0])
    wells = ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0)
    baths = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0, kT=[1.0, 2.0])
    inertial = ktc.Network(1.0, 1.0, inertia=1.0)
    lattice = ktc.Network(ktc.lattices.ring(4), 1.0)
    circuit = ktc.Circuit.from_netlist(
        "V1 in 0 1m\nR1 in a 1k\nC1 a 0 1n\nL1 a b 1u\nR2 b 0 1k\nI1 a 0 0 noise=1e-24"
    ).compile()
    spec = ktc.Imperfections(
        offset=1e-6, dac_bits=8, dac_range=1e-3, settling_time=1e-7, adc_bits=8, adc_range=1.0,
        adc_noise=1e-6, resistance_tolerance=0.01, seed=3,
    )  # fmt: skip
    board = ktc.Board(2, 1e6, 1e-12, 300.0, topology=ktc.Topology.all_to_all(2), imperfections=spec)
    yield from (
        two,
        wells,
        baths,
        inertial,
        lattice,
        circuit,
        board,
        ktc.Board(1, 1e3, 1e-9, 300.0),
    )
    networks = (two, wells, baths, inertial, lattice, circuit)
    emulators = [ktc.Emulator(network, replicas=3, seed=1) for network in networks]
    emulators += [ktc.Emulator(two, replicas=float("inf")), board.emulator(replicas=3, seed=1)]
    emulators += [ktc.Emulator(two, replicas=3, seed=1, dtype="float32", accounts=("work", "heat"))]
    times = [1.0] * 5 + [1e-7, 1.0, 1e-6, 1.0]
    for emulator, time in zip(emulators, times, strict=True):
        emulator.run(0.3 * time)
        yield emulator
    drive = ktc.Protocol([0.5, 0.25], {"bias": [1.0, 2.0]}, final={"bias": 0.0})
    yield drive
    yield ktc.Protocol.ramp(1.0, 3, stiffness=(np.eye(2), 2 * np.eye(2)))
    yield emulators[0].play(drive, record=("state", "mean", "energy"))
    statistics = ktc.Statistics(covariance=True, histogram=[-1.0, 0.0, 1.0], autocorrelation=1)
    yield emulators[1].play(ktc.Protocol([0.5] * 4, {}), statistics=statistics)
    yield emulators[6].play(drive)
    samples = [[1.0, 2.0], [2.0, 1.0], [0.5, 0.0]]
    schedules = (
        ktc.schedules.Constant(1.0, 0.1),
        ktc.schedules.MinimalDissipation(1.0),
        ktc.schedules.Adam(1.0, 0.1, weights={"bias": 1.0}),
    )
    for schedule in schedules:
        yield ktc.learn(two, samples, schedule, replicas=4, ticks=3, seed=1)
    yield ktc.learn(board, np.array(samples) * 1e-5, schedules[0], replicas=4, ticks=2, seed=1)
    yield from checkpoints(two, samples)
    yield ktc.Encoding([1.0, 2.0], offset=0.5)
    yield ktc.plan(two, samples, duration=5.0, nats=0.1)
    yield ktc.best_rate(two, samples, lambda rate: ktc.schedules.Constant(1.0, rate), replicas=4,
                        ticks=3, tolerance=0.5)  # fmt: skip
    yield ktc.convergence(wells, lambda e: e.energy(), 0.2, replicas=4, seed=1, dts=[0.05, 0.1])


def checkpoints(network: ktc.Network, samples: list[list[float]]) -> Iterator[Checkpoint]:
    """Runs in the middle, each with other parts that it remembers."""
    both, few = ("bias", "stiffness"), [[1.0], [2.0], [0.5]]
    cases: list[tuple[list[list[float]], ktc.schedules.Schedule, dict[str, Any]]] = [
        (samples, ktc.schedules.MinimalDissipation(1.0), {"parameters": both}),
        (samples, ktc.schedules.Adam(1.0, 0.1), {"batch": 2}),
        (few, ktc.schedules.Constant(1.0, 0.1), {"hidden": 1, "batch": 2}),
        (samples, ktc.schedules.NaturalGradient(1.0, 0.1), {"replicas": float("inf")}),
        (samples, ktc.schedules.NaturalGradient(1.0, 0.1),
         {"metrics": ktc.Metrics("measured", replicas=100)}),
    ]  # fmt: skip
    path = folder() / "run.npz"
    for data, schedule, options in cases:
        path.unlink(missing_ok=True)
        seed = None if "replicas" in options else 1
        given = {"replicas": 4, "seed": seed} | options
        ktc.learn(network, data, schedule, ticks=6, checkpoint=path, every=2,
                  callback=lambda record: record.tick == 3, **given)  # fmt: skip
        yield ktc.load(path)


@cache
def saved() -> tuple[tuple[str, bytes, dict[str, np.ndarray], Any], ...]:
    """Each object as its kind, its file, its arrays and its header."""
    kept = []
    path = folder() / "whole.npz"
    for value in objects():
        value.save(path)
        with np.load(path) as archive:
            arrays = dict(archive)
        header = json.loads(str(arrays.pop("header")))
        kept.append((type(value).__name__, path.read_bytes(), arrays, header))
    return tuple(kept)


def fuzz(source: Source) -> None:
    kind, whole, arrays, header = source.pick(saved())
    change = source.pick((in_bytes, in_header, in_header, in_arrays, in_arrays, in_entries))
    raw, told = change(source, whole, dict(arrays), copy.deepcopy(header))
    path = folder() / "changed.npz"
    path.write_bytes(raw)
    names = [path.name]
    told = f"load a {kind}, {told}"
    loaded = attempt(lambda: ktc.load(path), names, told)
    if isinstance(loaded, Checkpoint) and not lasts(loaded):
        attempt(lambda: resumed(path), names, f"resume, {told}")
    elif loaded is not None:
        use(loaded, told)


def lasts(run: Checkpoint) -> bool:
    """Whether the rest of a run, or its measurements, would rightly take long."""
    return run.ticks > 100 or run.metrics.replicas > 1000


def resumed(path: Path) -> None:
    """The rest of a run; numbers that were edited may overflow."""
    with np.errstate(all="ignore"):
        ktc.resume(path, callback=lambda record: None)


def in_bytes(source: Source, whole: bytes, arrays: Any, header: Any) -> tuple[bytes, str]:
    raw = bytearray(whole)
    told = []
    for _ in range(source.integer(1, 4)):
        k, kind = source.integer(0, len(raw)), source.integer(0, 4)
        told.append(f"bytes {kind} at {k}")
        if kind == 0:
            raw[k : k + 1] = bytes([source.integer(0, 255)])
        elif kind == 1:
            del raw[k:]
        elif kind == 2:
            del raw[k : k + source.integer(1, 50)]
        elif kind == 3:
            raw[k:k] = bytes([source.pick((0, 255, 80, 75))]) * source.integer(1, 50)
        else:
            # The directory of the archive, which holds sizes and places, is near the end.
            raw[-source.integer(1, min(400, len(raw) or 1)) :][:1] = b"\xff"
            where = max(0, len(raw) - source.integer(1, 400))
            raw[where : where + 1] = bytes([source.integer(0, 255)])
    return bytes(raw), ", ".join(told)


def in_header(source: Source, whole: bytes, arrays: Any, header: Any) -> tuple[bytes, str]:
    told = []
    for _ in range(source.pick((1, 1, 1, 2, 3))):
        places = list(nodes(header))
        holder, key = places[source.integer(0, len(places) - 1)]
        kind = source.integer(0, 9)
        new: Any = source.pick(NUMBERS) if kind < 5 else copy.deepcopy(source.pick(OTHERS))
        if kind == 9:
            other = source.pick(saved())[3]
            holders = list(nodes(other))
            there, its = holders[source.integer(0, len(holders) - 1)]
            new = copy.deepcopy(there[its])
        if kind == 8 and isinstance(holder, dict):
            told.append(f"without {key!r}")
            del holder[key]
        else:
            told.append(f"{key!r}: {short(holder[key], 60)} → {short(new, 60)}")
            holder[key] = new
    return packed(arrays, header), ", ".join(told)


def nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a tree, as its holder and its key there."""
    if isinstance(tree, (dict, list)):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from nodes(tree[key])


def in_arrays(source: Source, whole: bytes, arrays: Any, header: Any) -> tuple[bytes, str]:
    told = []
    for _ in range(source.pick((1, 1, 1, 2)) if arrays else 0):
        name = source.pick(sorted(arrays))
        arrays[name] = changed(source, arrays[name])
        told.append(f"{name} → {short(arrays[name])} {arrays[name].dtype}")
    return packed(arrays, header), ", ".join(told)


def changed(source: Source, array: np.ndarray) -> np.ndarray:
    """Another array in the place of one."""
    kind = source.integer(0, 9)
    if kind < 4 and array.size and array.dtype.kind in "iuf":
        made = array.copy()
        with np.errstate(all="ignore"):
            new = np.array(source.pick((-1.0, 0.0, 1e300, -1e300, 100.0, 1e9, np.nan, np.inf, 0.5)))
            made.reshape(-1)[source.integer(0, array.size - 1)] = new.astype(made.dtype)
        return made
    if kind == 4:
        try:
            with np.errstate(all="ignore"):
                return array.astype(source.pick(DTYPES))
        except (TypeError, ValueError):
            return np.array("x")
    shapes = (
        array[..., None],
        array.reshape(-1),
        array.reshape(-1)[:-1],
        np.concatenate([array.reshape(-1)] * 2),
        array[None],
        array[:0] if array.ndim else array,
        np.array(0.0),
        np.empty((0, 3)),
        np.broadcast_to(array, (2, *array.shape)),
        array.T,
    )
    return np.ascontiguousarray(source.pick(shapes))


def in_entries(source: Source, whole: bytes, arrays: Any, header: Any) -> tuple[bytes, str]:
    """Headers of arrays that claim something else, entries that are lost or compressed."""
    kind = source.integer(0, 5)
    name = source.pick(sorted(arrays)) if arrays else "header"
    told = f"entry {name}, change {kind}"
    if kind == 0 and arrays:
        del arrays[name]
        return packed(arrays, header), told
    if kind == 1:
        arrays[source.pick(("extra", "header2", "a/b", "", "../x"))] = np.ones(2)
        return packed(arrays, header), told
    if kind == 2:
        return packed(arrays, header, zipfile.ZIP_DEFLATED), told
    claimed = source.pick(("(0,)", "(2**40,)", "(1099511627776,)", "(-1,)", "(3,", "()", "(2, 2)",
                           "(10**400,)", "'x'", "(True,)", "(1.5,)", "(2**32, 2**32)"))  # fmt: skip
    descr = source.pick(("'<f8'", "'|O'", "'<U99999999'", "'<f8,'", "[('a', '<f8')]", "3", "'|V0'"))
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {claimed}, }}"
    raw = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + b"\0" * 32
    return packed(arrays, header, instead={name: raw}), f"{told}: {text}"


def packed(
    arrays: dict[str, np.ndarray],
    header: Any,
    compression: int = zipfile.ZIP_STORED,
    instead: dict[str, bytes] | None = None,
) -> bytes:
    """An archive of arrays and a header, whose checksums are right."""
    file = io.BytesIO()
    try:
        text = json.dumps(header)
    except ValueError:  # an integer of thousands of digits
        text = "1" * 5000
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in {**arrays, "header": np.array(text)}.items():
            entry = io.BytesIO()
            npy.write_array(entry, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", (instead or {}).get(name, entry.getvalue()))
    return file.getvalue()


MEASURED = (
    "maximum_likelihood", "completed_excess_work", "bound_target", "gradient_noise_work",
    "free_energy_change", "excess_work", "applied_free_energy_change", "applied_excess_work",
)  # fmt: skip


def read(value: Any, name: str) -> Any:
    """An attribute, or what it returns; numbers that were edited may overflow."""
    with np.errstate(all="ignore"):
        found = getattr(value, name)
        return found() if name == "__repr__" else found


def quartic(result: ktc.Fit | ktc.Run) -> bool:
    network = result.start.network if isinstance(result, ktc.Fit) else result.network
    return bool(network.quartic.any())


def use(value: Any, told: str) -> None:
    """What was loaded works, or says what is wrong."""
    names = {
        "duration", "state", "dt", "controls", "bias", "stiffness", "emf", "friction", "drift",
        "current", "settling_time", "quartic", "kT", "inertia", "resistance", "capacitance",
    }  # fmt: skip
    attempt(lambda: read(value, "__repr__"), None, f"repr, {told}")
    if hasattr(value, "save"):
        attempt(lambda: value.save(folder() / "again.npz"), names, f"save, {told}")
    if isinstance(value, ktc.Network):
        made = attempt(lambda: ktc.Emulator(value, replicas=2, seed=1), names, f"emulator, {told}")
        value = made if made is not None else value
    if isinstance(value, ktc.Board):
        made = attempt(lambda: value.emulator(replicas=2, seed=1), names, f"emulator, {told}")
        value = made if made is not None else value
    if isinstance(value, ktc.Emulator):
        duration = value.dt or 1e-3
        if not takes_long(value, duration):
            attempt(lambda: value.run(duration), names, f"run, {told}")
        # Books that were edited need not close.
        attempt(value.ledger.imbalance, None, f"imbalance, {told}")
    else:
        # Averages of coupled quartic units are measured, which takes seconds.
        left = MEASURED if isinstance(value, (ktc.Fit, ktc.Run)) and quartic(value) else ()
        for name in sorted(set(dir(type(value))) - set(left)):
            if not name.startswith("_") and not callable(getattr(type(value), name)):
                attempt(lambda name=name: read(value, name), None, f".{name}, {told}")
