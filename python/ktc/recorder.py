"""Recording of time series while a protocol plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ktc.checks import Array, known_keywords
from ktc.gaussian_engine import Engine
from ktc.moments import Reader
from ktc.progress import progress_bar
from ktc.protocol import Protocol, full_shape

if TYPE_CHECKING:
    from ktc.emulator import Emulator

QUANTITIES = ("state", "mean", "covariance", "energy", "work", "heat", "bias")

# Parts into which an unrecorded protocol is cut where a progress bar is shown.
PROGRESS_STEPS = 100
# Numbers of a waveform that are handed over at once: scalars are broadcast part by part.
NUMBERS_AT_ONCE = 2**22


class Recorder:
    """Preallocated series of chosen quantities, taken after every ``every``-th tick."""

    def __init__(
        self,
        emulator: Emulator,
        reader: Reader,
        protocol: Protocol,
        record: Sequence[str] | str | None,
        every: int,
    ) -> None:
        names = [record] if isinstance(record, str) else list(record or ())
        known_keywords(names, QUANTITIES, "quantity to record")
        if every > protocol.ticks:
            raise ValueError(f"every must be at most the {protocol.ticks} ticks, but is {every}")
        if "state" in names and emulator.infinite:
            raise ValueError(
                "record must not name 'state' of an infinite ensemble, which has no replicas; "
                "record 'mean' and 'covariance'"
            )
        self.units = emulator.network.units
        controls = emulator.controls
        self.sizes = {name: controls.shape(name)[0] for name in protocol.controls}
        self.stops = list(range(every, protocol.ticks + 1, every)) if names else []
        self.times: Array = protocol.times[self.stops]
        self._take = _readers(emulator, reader, names)
        d = self.units
        shapes = {
            "state": (0 if emulator.infinite else int(emulator.replicas), d),
            "mean": (d,),
            "covariance": (d, d),
            "bias": (d,),
        }
        self.series: dict[str, Array] = {
            name: np.empty((len(self.stops), *shapes.get(name, ()))) for name in names
        }

    def take(self, point: int) -> None:
        """Writes down the present values as the given point."""
        for name, read in self._take.items():
            self.series[name][point] = read(self.stops[point])


def play_recorded(
    engine: Engine,
    protocol: Protocol,
    waveforms: Mapping[str, Array],
    recorder: Recorder,
    progress: bool,
) -> None:
    """Plays all ticks, stopping where something is to be recorded."""
    ticks = protocol.ticks
    stops = list(recorder.stops)
    if not stops and progress:
        stops = np.unique(np.linspace(0, ticks, PROGRESS_STEPS + 1).astype(int))[1:].tolist()
    at_once = max(1, NUMBERS_AT_ONCE // recorder.units ** (2 if "stiffness" in waveforms else 1))
    done = 0
    with progress_bar(ticks, "tick", progress) as bar:
        for point, stop in enumerate([*stops, ticks]):
            while done < stop:
                upto = min(stop, done + at_once)
                part: dict[str, Any] = {
                    name: full_shape(name, values[done:upto], recorder.sizes[name])
                    for name, values in waveforms.items()
                }
                engine.play(protocol.holds[done:upto], part)
                bar.update(upto - done)
                done = upto
            if point < len(recorder.stops):
                recorder.take(point)


def _readers(
    emulator: Emulator, reader: Reader, names: Sequence[str]
) -> dict[str, Callable[[int], Array | float]]:
    engine = emulator._engine
    first_work, first_heat = engine.work(), engine.heat()
    readers: dict[str, Callable[[int], Array | float]] = {
        "state": lambda tick: reader.read(),
        "mean": lambda tick: reader.moments().mean,
        "covariance": lambda tick: reader.moments().covariance,
        "energy": lambda tick: float(np.mean(engine.energy())),
        "work": lambda tick: float(np.mean(engine.work() - first_work)),
        "heat": lambda tick: float(np.mean(engine.heat() - first_heat)),
        "bias": lambda tick: engine.controls()["bias"],
    }
    return {name: readers[name] for name in names}
