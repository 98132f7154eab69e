"""Works and contenders: each contender does the same amount of the same work, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

#: Sizes, precision and `cores` of one measurement: plain values, sent between processes.
Case = Mapping[str, Any]

OURS = "ktc"


class UnavailableError(Exception):
    """A case that a contender cannot do here; the message says why."""


class WrongResultError(Exception):
    """Numbers of a contender that are not those of the work."""


@dataclass(frozen=True)
class Prepared:
    """A contender ready to run.

    Attributes:
        run: does the work once and returns what the check reads.
        amount: units of work in one run.
        check: raises WrongResultError, or says what it found.
    """

    run: Callable[[], Any]
    amount: float
    check: Callable[[Any], str]


@dataclass(frozen=True)
class Contender:
    """One way to do a work; if its modules or programs are missing, it is "not installed"."""

    name: str
    prepare: Callable[[Case], Prepared]
    modules: Sequence[str] = ()
    programs: Sequence[str] = ()


@dataclass(frozen=True)
class Work:
    """A work, its cases and its contenders.

    Attributes:
        unit: of the rate; with ``per_unit``, of what the table shows the time of instead.
        cases: given whether the run is a quick one.
        bare: the contender that is the yardstick of the machine.
        notes: further lines below the table of a case, from its outcomes.
        overall: further lines below all cases of one number of cores.
    """

    name: str
    title: str
    unit: str
    cases: Callable[[bool], list[dict[str, Any]]]
    contenders: Sequence[Contender]
    bare: str | None = None
    per_unit: bool = False
    notes: Callable[[list[Any]], list[str]] = lambda outcomes: []
    overall: Callable[[list[Any]], list[str]] = lambda outcomes: []

    def contender(self, name: str) -> Contender:
        return next(one for one in self.contenders if one.name == name)


def close(what: str, value: float, expected: float, tolerance: float) -> str:
    """Compare a number with theory."""
    text = f"{what} {value:.4g} (theory {expected:.4g} ± {tolerance:.2g})"
    # Not-a-number is not close.
    if not abs(value - expected) <= tolerance:
        raise WrongResultError(text)
    return text


def at_once(parts: Sequence[Callable[[], Any]]) -> Callable[[], list[Any]]:
    """Run parts in parallel, one thread each, for contenders without threads of their own.

    What they call must release the interpreter lock, as NumPy's loops and ctypes do.
    """
    if len(parts) == 1:
        return lambda: [parts[0]()]
    pool = ThreadPoolExecutor(len(parts))
    return lambda: list(pool.map(lambda part: part(), parts))


def shares(total: int, parts: int, multiple: int = 1) -> list[slice]:
    """Divide a range into as many parts, at multiples of a number."""
    edges = [total * part // parts // multiple * multiple for part in range(parts)] + [total]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]


def core_testing() -> Any:
    """Kernels by themselves, which a build for tests and benchmarks alone has."""
    from ktc import _core

    if not hasattr(_core, "testing"):
        raise UnavailableError("needs ktc built with -Ccmake.define.KTC_TESTING=ON")
    return _core.testing


def our_emulator(network: Any, case: Case, **options: Any) -> Any:
    """An emulator of the case's precision, threads and replicas."""
    import ktc

    make = partial(ktc.Emulator, network, seed=1, threads=case["cores"], **options)
    try:
        return make(replicas=case["replicas"], dtype=case["dtype"])
    except (TypeError, ValueError) as error:
        if case["dtype"] == "float64":
            raise
        raise UnavailableError(str(error)) from error
