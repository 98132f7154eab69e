"""Mixin: single-threaded access, copyable, not picklable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from threading import get_ident
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, Self, TypeVar


class Turn:
    """The thread that has its turn at an object: ``held["thread"]``, or none.

    Python may raise KeyboardInterrupt on the return of any call, so that a lock may be acquired or
    released without its caller knowing. An entry of a dictionary shows who made it.
    """

    def __init__(self) -> None:
        self.held: dict[str, int] = {}


class Locked(Protocol):
    """An object that one thread may use at a time."""

    _lock: Turn


Owner = TypeVar("Owner", bound=Locked)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_thread(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Refuse the method while another thread uses the object.

    The engine runs without the global interpreter lock, so that two threads would mix their
    controls and corrupt its ledger. Several emulators may run side by side.
    """

    @wraps(method)
    def alone(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        held, own = self._lock.held, get_ident()
        if held.get("thread") == own:
            return method(self, *args, **kwargs)
        try:
            if held.setdefault("thread", own) == own:
                return method(self, *args, **kwargs)
        finally:
            # No call, after which Ctrl-C could be heard.
            try:
                if held["thread"] == own:
                    del held["thread"]
            except KeyError:
                pass
        raise RuntimeError(
            "this emulator is in use by another thread; give each thread its own, such as a "
            "copy(), or join the other one first"
        )

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
