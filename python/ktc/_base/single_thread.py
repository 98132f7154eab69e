"""Mixin: single-threaded access, copyable, not picklable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, Self, TypeVar


class Locked(Protocol):
    """An object whose calls are serialised by a lock."""

    _lock: RLock


Owner = TypeVar("Owner", bound=Locked)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_thread(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Refuse the method while another thread holds the object's lock.

    The engine runs without the global interpreter lock, so that two threads would mix their
    controls and corrupt its ledger. Several emulators may run side by side.
    """

    @wraps(method)
    def alone(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        lock = self._lock
        if not lock.acquire(False):
            raise RuntimeError(
                "this emulator is in use by another thread; give each thread its own, such as a "
                "copy(), or join the other one first"
            )
        try:
            return method(self, *args, **kwargs)
        finally:
            lock.release()

    return alone


class SingleThreaded(ABC):
    """Mixin: ``copy()`` and the copy module make independent objects; pickling is refused."""

    @abstractmethod
    def copy(self) -> Self:
        """An object in the same state that goes on independently."""

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        kind = type(self).__name__
        raise TypeError(
            f"a running {kind} cannot be pickled; save it with save(path) and continue with "
            f"{kind}.load(path)"
        )
