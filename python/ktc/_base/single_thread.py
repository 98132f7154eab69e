"""What holds an engine: one thread at a time, copied with it, saved rather than pickled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, TypeVar


class Turn(Protocol):
    """A lock: who holds it has its turn at the engine, as often as it likes."""

    def acquire(self, blocking: bool = True) -> bool:
        """Takes the turn, or says that another thread has it."""

    def release(self) -> None:
        """Gives it back."""


class TakesTurns(Protocol):
    """Whatever works at an engine."""

    @property
    def _turn(self) -> Turn: ...


Self = TypeVar("Self", bound=TakesTurns)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_thread(
    method: Callable[Concatenate[Self, Arguments], Result],
) -> Callable[Concatenate[Self, Arguments], Result]:
    """The method, refused while another thread is at the same engine.

    An engine runs without Python's lock, so that two threads would mix their controls and tear
    its books. Emulators of their own run side by side.

    Raises:
        RuntimeError: while another thread has its turn; nothing has changed then.
    """

    @wraps(method)
    def alone(self: Self, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        turn = self._turn
        if not turn.acquire(False):
            raise RuntimeError(
                "this emulator is in use by another thread; give each thread its own, such as a "
                "copy(), or join the other one first"
            )
        try:
            return method(self, *args, **kwargs)
        finally:
            turn.release()

    return alone


class Exclusive(ABC):
    """A device whose copies have an engine of their own, by ``copy()`` and the copy module."""

    def __init__(self) -> None:
        self._turn: Turn = RLock()

    @abstractmethod
    def copy(self) -> Exclusive:
        """A device in the same state that goes on by itself."""

    def __copy__(self) -> Exclusive:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Exclusive:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        kind = type(self).__name__
        raise TypeError(
            f"a running {kind} cannot be pickled; save(path) it, and {kind}.load(path) where it is "
            "to go on"
        )
