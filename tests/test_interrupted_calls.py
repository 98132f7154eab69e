"""Ctrl-C wherever it may be heard: the emulator stays sound, and hands out no wrong number.

Signals are handled where a function is entered and where one written in C returns. A profiler
counts these places and raises the signal at a given one, so that the same input is interrupted at
the same place always.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import ktc

# Files that nobody closed are closed by the collector; an error in one that closes cannot be heard.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

Call = Callable[[ktc.Emulator], Any]


class Interrupter:
    """Raise SIGINT at one of the places where Python hears it while a call runs."""

    def __init__(self, place: int) -> None:
        self._left, self.heard = place, False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        own = frame.f_code.co_filename == __file__
        if own or event not in ("call", "c_return"):
            return
        self._left -= 1
        if self._left == 0:
            self.heard = True
            signal.raise_signal(signal.SIGINT)

    def during(self, call: Callable[[], Any]) -> bool:
        """Whether the call was interrupted."""
        try:
            sys.setprofile(self)
            call()
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)
        return False


class Subject:
    """An emulator to make, and the scales of its times and of its bias."""

    def __init__(self, make: Callable[[], ktc.Emulator], time: float, bias: float) -> None:
        self.make, self.time, self.bias = make, time, bias


SPEC = ktc.Imperfections(
    offset=1e-6, dac_bits=8, dac_range=1e-2, settling_time=1e-7, adc_bits=8, adc_range=1.0,
    adc_noise=1e-6, update_time=1e-8, adc_rate=1e7, seed=3,
)  # fmt: skip
NETWORK = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
WELLS = ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0)
BOARD = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=SPEC)
SUBJECTS = {
    "linear": Subject(lambda: ktc.Emulator(NETWORK, replicas=5, seed=1), 1.0, 1.0),
    "infinite": Subject(lambda: ktc.Emulator(NETWORK, replicas=float("inf")), 1.0, 1.0),
    "wells": Subject(lambda: ktc.Emulator(WELLS, replicas=5, seed=1), 1.0, 1.0),
    "board": Subject(lambda: BOARD.emulator(replicas=5, seed=1), 1e-6, 1e-4),
}


def calls(subject: Subject, folder: Any) -> dict[str, Call]:
    time, bias = subject.time, subject.bias
    drive = ktc.Protocol([time] * 3, {"bias": [bias, 2 * bias, 3 * bias]}, {"bias": bias / 2})
    return {
        "set an array": lambda e: e.set(bias=np.array([bias, bias])),
        "set a number": lambda e: e.set(bias=bias),
        "run": lambda e: e.run(time),
        "play": lambda e: e.play(drive),
        "record": lambda e: e.play(drive, ("mean", "work", "bias")),
        "record to files": lambda e: e.play(drive, ("mean", "work"), to=folder, overwrite=True),
        "gather": lambda e: e.play(drive, statistics=ktc.Statistics(covariance=True)),
        "equilibrate": lambda e: e.equilibrate(),
        "reset": lambda e: e.reset(),
        "write": lambda e: e.write([bias, 0.0]),
        "settle": lambda e: e.settle(),
        "copy": lambda e: e.copy(),
        "save": lambda e: e.save(folder / "e.npz"),
        "covariance": lambda e: e.moments().covariance,
        "reset the ledger": lambda e: e.ledger.reset(),
    }


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also in a job of the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def places(subject: Subject, call: Call) -> int:
    """Number of places of a call where Python may hear the signal."""
    counter = Interrupter(-1)
    device = prepared(subject)[0]
    counter.during(lambda: call(device))
    return -1 - counter._left


def prepared(subject: Subject) -> tuple[ktc.Emulator, list[tuple[Callable[[], Any], Any]]]:
    """An emulator in use, and readers of results that wait for their numbers, beside these."""
    device = subject.make()
    device.run(0.1 * subject.time)
    pending: list[tuple[Callable[[], Any], Any]] = []
    drive = ktc.Protocol([subject.time], {"bias": [subject.bias / 4]})
    for _ in range(2):
        if device.network == NETWORK:
            moments = device.moments()
            expected = device.copy().moments().covariance
            pending.append((lambda moments=moments: moments.covariance, expected))
        twin = device.copy()
        run, expected = device.play(drive), twin.play(drive).heat.mean
        pending.append((lambda run=run: run.heat.mean, expected))
    return device, pending


@pytest.mark.parametrize("some", [6, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SUBJECTS)
def test_interrupted_anywhere(name, some, tmp_path):
    """``some`` places of each call, spread over it; all of them where there are fewer."""
    subject = SUBJECTS[name]
    for told, call in calls(subject, tmp_path).items():
        if name == "infinite" and told == "gather":
            continue
        number = places(subject, call)
        draw = np.random.default_rng(number)
        chosen = range(1, number + 1)
        if some < number:
            chosen = {1, number, *draw.integers(1, number + 1, some - 2).tolist()}
        for place in chosen:
            device, pending = prepared(subject)
            interrupter = Interrupter(place)
            interrupted = interrupter.during(lambda call=call, device=device: call(device))
            where = f"{told} of {name}, place {place} of {number}"
            if interrupted:
                require_sound(device, subject, where)
            for found, expected in pending:
                np.testing.assert_allclose(found(), expected, rtol=1e-9, err_msg=where)


def require_sound(device: ktc.Emulator, subject: Subject, where: str) -> None:
    """The controls are those of the engine, books close, and the emulator goes on.

    No thread has kept it for itself: another one may use it.
    """
    found: list[float] = []
    other = threading.Thread(target=lambda: found.append(device.ledger.imbalance()))
    other.start()
    other.join()
    assert found and found[0] <= 1e-12, where
    cells = getattr(device._frontend, "_cells", device._frontend)
    for name, values in cells.engine.controls().items():
        held = np.broadcast_to(getattr(cells.controls, name), np.shape(values))
        np.testing.assert_array_equal(held, values, err_msg=f"{name} after {where}")
    assert device.ledger.imbalance() <= 1e-12, where
    device.run(subject.time)
    device.set(bias=3 * subject.bias)
    device.run(subject.time)
    assert device.ledger.imbalance() <= 1e-12, where
    assert np.isfinite(cells.engine.mean()).all()
