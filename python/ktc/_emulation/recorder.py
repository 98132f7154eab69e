"""Recording of time series while a protocol plays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ktc._base.files import FilePath
from ktc._base.progress import progress_bar
from ktc._base.resources import within_memory
from ktc._base.validation import Array, count, flag, items, known_keywords
from ktc._circuits.named_controls import Resolved
from ktc._emulation.record_file import RecordFile, record_files
from ktc._emulation.statistics import Observer, Statistics
from ktc._emulation.voltage_records import VOLTAGES, VoltageRecord
from ktc._model.accounts import TOGETHER, require_kept
from ktc._model.controls import Controls
from ktc._model.moments import Reader
from ktc._model.network import Network
from ktc._model.waveforms import full_shape

if TYPE_CHECKING:
    from ktc._emulation.ideal_frontend import IdealFrontend

QUANTITIES = ("state", "mean", "covariance", "energy", "work", "heat", "bias", *VOLTAGES)

# Parts into which an unrecorded protocol is cut where a progress bar is shown.
PROGRESS_STEPS = 100
# Numbers of a waveform that are handed over at once: scalars are broadcast part by part.
NUMBERS_AT_ONCE = 2**22


class Recording(NamedTuple):
    """What a play gathers, as the arguments of ``ktc.Emulator.play`` say."""

    names: Sequence[str] | str | None = None
    every: int = 1
    to: FilePath | None = None
    overwrite: bool = False
    statistics: Statistics | None = None
    progress: bool = False

    def checked(self, ticks: int) -> tuple[list[str], list[int]]:
        """The quantities, and the ticks after which they are recorded, of so many ticks."""
        every = count("every", self.every)
        given = () if self.names is None else self.names
        names = [given] if isinstance(given, str) else list(items("record", given))
        known_keywords(names, QUANTITIES, "quantity to record")
        if every > ticks:
            raise ValueError(f"every must be at most the {ticks} ticks, but is {every}")
        return names, list(range(every, ticks + 1, every)) if names else []


class Recorder:
    """Preallocated series of chosen quantities, taken after every ``every``-th tick."""

    def __init__(
        self,
        frontend: IdealFrontend,
        reader: Reader,
        resolved: Resolved,
        waveforms: Mapping[str, Array],
        recording: Recording,
    ) -> None:
        protocol = resolved.protocol
        names, self.stops = recording.checked(protocol.ticks)
        if flag("overwrite", recording.overwrite) and recording.to is None:
            raise ValueError("overwrite is given without to, the files to replace; give both")
        for name, prefix in (("state", ""), ("voltages", "voltage_")):
            if name in names and not frontend.engine.sampled:
                raise ValueError(
                    f"a record of {name!r} needs individual replicas; with replicas=math.inf "
                    f"record '{prefix}mean' and '{prefix}covariance'"
                )
        self._engine, self._protocol, self._progress = frontend.engine, protocol, recording.progress
        d = frontend.network.units
        controls = frontend.controls
        self._sizes = {name: controls.shape(name)[0] for name in protocol.controls}
        self.times: Array = protocol.times[self.stops]
        self._take = _readers(frontend, reader, names)
        sampled = {"state", "voltages"} & set(names)
        replicas = int(frontend.options.replicas) if sampled else 0
        shapes: dict[str, tuple[int, ...]] = {
            "state": (replicas, d),
            "mean": (d,),
            "covariance": (d, d),
        }
        shapes["bias"] = bias = _shape_of_bias(frontend, waveforms)
        self._numbers = math.prod(bias) * (d if "stiffness" in waveforms else 1)
        if set(VOLTAGES) & set(names):
            voltages = VoltageRecord(frontend, reader, resolved, waveforms, self.stops)
            self._take |= {n: each for n, each in voltages.readers().items() if n in names}
            n = voltages.nodes
            shapes |= {"voltages": (replicas, n), "voltage_mean": (n,)}
            shapes["voltage_covariance"] = (n, n)
        wanted = {name: (len(self.stops), *shapes.get(name, ())) for name in names}
        self._files: dict[str, RecordFile] = {}
        self.series: dict[str, Array] = {}
        if recording.to is None:
            self.series = _in_memory(wanted)
        else:
            self._files = record_files(recording.to, wanted, recording.overwrite)

    def play(
        self,
        waveforms: Mapping[str, Array],
        observer: Observer | None,
        networks: Mapping[int, Network],
        extremes: Sequence[Controls],
    ) -> None:
        """Play all ticks, stopping where something is to be recorded.

        At the ticks of ``networks`` these take over; steps are then chosen for ``extremes``.
        """
        gather = () if observer is None else (observer.core,)
        ticks, stops = self._protocol.ticks, self.stops
        if not stops and self._progress:
            stops = np.unique(np.linspace(0, ticks, PROGRESS_STEPS + 1).astype(int))[1:].tolist()
        at_once = max(1, NUMBERS_AT_ONCE // self._numbers)
        done = 0
        with progress_bar(ticks, "tick", self._progress) as bar:
            for point, stop in enumerate([*stops, ticks]):
                while done < stop:
                    upto = min(stop, done + at_once, *(t for t in networks if t > done))
                    part: dict[str, Any] = {
                        name: full_shape(name, values[done:upto], self._sizes[name])
                        for name, values in waveforms.items()
                    }
                    if done in networks:
                        first = {name: values[0] for name, values in part.items()}
                        self._engine.exchange(networks[done], first)
                        self._engine.prepare(extremes)
                    self._engine.play(self._protocol.holds[done:upto], part, *gather)
                    bar.update(upto - done)
                    done = upto
                if point < len(self.stops):
                    self._record(point)

    def _record(self, point: int) -> None:
        """Record the present values as the given point."""
        for name, read in self._take.items():
            values = read(self.stops[point])
            if name in self._files:
                self._files[name].write(values)
            else:
                self.series[name][point] = values

    def close(self) -> None:
        """End the record; what went to disk is read from there."""
        self.series |= {name: file.close() for name, file in self._files.items()}


def _shape_of_bias(frontend: IdealFrontend, waveforms: Mapping[str, Array]) -> tuple[int, ...]:
    """(d,), or (replicas, d) where replicas have a bias of their own now or while it plays."""
    controls, wave = frontend.controls, waveforms.get("bias")
    if controls.per_replica or (wave is not None and wave.ndim == 3):
        return int(frontend.options.replicas), controls.units
    return (controls.units,)


def _in_memory(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    size = 8 * sum(math.prod(shape) for shape in shapes.values())
    needed = (
        f"records of {1e-9 * size:.3g} GB are more than the memory of this machine; record less "
        "often (every), less, or to disk (to=...)"
    )
    with within_memory(size, needed):
        return {name: np.empty(shape) for name, shape in shapes.items()}


def _readers(
    frontend: IdealFrontend, reader: Reader, names: Sequence[str]
) -> dict[str, Callable[[int], Array | float]]:
    engine = frontend.engine
    if engine.netted and "heat" in names:
        raise ValueError(f"a record of heat is not possible: {TOGETHER}")
    for name in {"work", "heat"} & set(names):
        require_kept(name, frontend.options.accounts, f"a record of {name}")
    first_work = engine.work() if "work" in names else 0.0
    first_heat = engine.heat() if "heat" in names else 0.0
    readers: dict[str, Callable[[int], Array | float]] = {
        "state": lambda tick: reader.read(),
        "mean": lambda tick: reader.moments().mean,
        "covariance": lambda tick: reader.moments().covariance,
        "energy": lambda tick: float(np.mean(engine.energy())),
        "work": lambda tick: float(np.mean(engine.work() - first_work)),
        "heat": lambda tick: float(np.mean(engine.heat() - first_heat)),
        "bias": lambda tick: engine.controls()["bias"],
    }
    return {name: readers[name] for name in names if name in readers}
