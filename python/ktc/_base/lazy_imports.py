"""Imports on first use, which Ctrl-C cannot leave half done.

``import ktc`` must be quick, and SciPy takes longer than all of ktc. An interrupted import of it
leaves modules behind that lack their submodules until Python is restarted.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Self


class InterruptGate:
    """Defers Ctrl-C while it is closed, for many short blocks: it sets the handler only once."""

    def __init__(self) -> None:
        self.closed = False
        self._received: tuple[int, FrameType | None] | None = None
        self._handler = signal.getsignal(signal.SIGINT)
        self._acts = current_thread() is main_thread() and callable(self._handler)

    def __enter__(self) -> Self:
        if self._acts:
            signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        if self._acts:
            signal.signal(signal.SIGINT, self._handler)

    def open(self) -> None:
        """Let Ctrl-C act, also one that came while the gate was closed."""
        self.closed = False
        if self._received is not None:
            received, self._received = self._received, None
            self._hear(*received)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.closed:
            self._received = (number, frame)
        elif callable(self._handler):
            self._handler(number, frame)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let Ctrl-C act at the end of the block; only the main thread receives it."""
    with InterruptGate() as gate:
        gate.closed = True
        try:
            yield
        finally:
            gate.open()


class LazyPackage:
    """A package whose subpackages are imported when they are first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> ModuleType:
        if name.startswith("__"):
            raise AttributeError(name)
        with interrupts_deferred():
            module = import_module(f"{self._name}.{name}")
        setattr(self, name, module)
        return module


if TYPE_CHECKING:
    import scipy as scipy
else:
    scipy = LazyPackage("scipy")
