"""The judge of all fuzzers: a call succeeds with finite results, or ktc says what is wrong with it.

An error is accepted where ktc raises it on purpose and its message names something that was given.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import ktc

from .rounding import Rounding

#: Errors that are documented, of exactly these types or, for OSError, its subclasses.
DOCUMENTED = (ValueError, TypeError, ktc.CircuitError, ktc.LimitError, OverflowError, MemoryError)
#: Processor time of one input [s].
LONGEST = 5.0

PACKAGE = str(Path(ktc.__file__).parent)
HERE = str(Path(__file__).parent)


class Failure(AssertionError):
    """An input broke a promise."""


def attempt(call: Callable[[], Any], names: Iterable[str] | None, told: str) -> Any:
    """Return the result of a call, or None where it is refused properly.

    Args:
        call: what to try.
        names: of arguments, elements, files or entries: an error must name one; None for any.
        told: what is tried, for the report.

    Raises:
        Failure: an error of another kind, a warning of NumPy, a result that is not finite, or more
            than five seconds of processor time.
    """
    started = time.thread_time()
    result = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for harmless in (UserWarning, PendingDeprecationWarning):
                warnings.simplefilter("ignore", harmless)
            # A step whose bias is large is taken all the same.
            warnings.filterwarnings("ignore", "dt = ", RuntimeWarning)
            result = call()
    except Exception as error:
        complaint = _complaint(error, names)
        if complaint:
            raise Failure(f"{complaint}\n  {told}\n{_trace(error)}") from error
    elapsed = time.thread_time() - started
    if elapsed > LONGEST:
        raise Failure(f"slow: {elapsed:.1f} s\n  {told}")
    return result


def require_finite(value: Any, told: str, undefined: Iterable[str] = ()) -> None:
    """Refuse a result with NaN or infinite numbers, but for entries that may be undefined."""
    for place, number in _numbers(value, ""):
        name = re.split(r"[.\[]", place)[-1]
        # Replicas that were drawn in equilibrium have rested for ever.
        if name not in ("rested", *undefined) and not np.isfinite(number).all():
            raise Failure(f"not finite: {place or 'result'} = {number!r}\n  {told}")


def require_first_law(emulator: ktc.Emulator, told: str, rounding: float | None = None) -> None:
    """Refuse an emulator whose books do not close up to rounding, or whose state is not finite.

    One that has lost its replicas on purpose gives out no number, but raises OverflowError.
    """
    # The true state, as reading that of a board is limited, and changes it.
    frontend: Any = emulator._frontend
    engine = getattr(frontend, "_cells", frontend).engine
    try:
        state = engine.mean()
        imbalance = emulator.ledger.imbalance()
    except OverflowError:
        return
    except ValueError:
        if emulator.accounts is None:
            raise
        imbalance = 0.0
    most = Rounding(emulator).of(emulator) if rounding is None else rounding
    if not imbalance <= most:
        raise Failure(f"first law: imbalance {imbalance:.3g} above {most:.3g}\n  {told}")
    if not np.isfinite(state).all():
        raise Failure(f"not finite: state\n  {told}")


def _complaint(error: Exception, names: Iterable[str] | None) -> str | None:
    """What is wrong with an error, or None."""
    message, kind = str(error), type(error).__name__
    if isinstance(error, OSError):
        return None if error.filename or "errno" in dir(error) else f"bare {kind}"
    if isinstance(error, Warning) and on_purpose(error.__traceback__):
        return None
    if type(error) not in DOCUMENTED:
        return f"undocumented {kind}: {_first_line(message)}"
    if not message:
        return f"bare {kind}"
    if re.search(r"\w\(\) (got an unexpected|missing \d|takes )", message):
        return None  # Python checks the names of arguments.
    if not on_purpose(error.__traceback__):
        return f"accidental {kind}: {_first_line(message)}"
    if names is not None and not any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names if name
    ):
        return f"names nothing, {kind}: {_first_line(message)}"
    return None


def on_purpose(trace: TracebackType | None) -> bool:
    """Whether ktc raised the error, or refused the names of arguments.

    The innermost Python frame is then where ktc raises or warns, or calls its core, or, for
    arguments that a signature does not have, here.
    """
    frames = list(traceback.walk_tb(trace))
    frame, line = frames[-1]
    file = frame.f_code.co_filename
    if file.startswith(HERE):
        return True
    return file.startswith(PACKAGE) and line in _raising_lines(file)


@cache
def _raising_lines(file: str) -> frozenset[int]:
    """Lines of raise statements and of calls into the core, whose errors are of our own."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    lines: set[int] = set()
    for node in ast.walk(tree):
        of_core = isinstance(node, ast.Call) and re.search(
            r"(?<!\w)(_core|core|_?engine|native|warnings)\.", ast.unparse(node.func)
        )
        if isinstance(node, ast.Raise) or of_core:
            lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(lines)


def _numbers(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    ):
        yield place, value
    elif depth < 5:
        for name, part in _parts(value):
            yield from _numbers(part, f"{place}{name}", depth + 1)


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """What a result is made of, by name."""
    if isinstance(value, Mapping):
        return [(f"[{key}]", part) for key, part in value.items()]
    if isinstance(value, ktc.Estimate):
        return [(".mean", value.mean), (".stderr", value.stderr)]
    if isinstance(value, ktc.Moments):
        return [(".mean", value.mean), (".covariance", value.covariance)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{key}", getattr(value, key)) for key in value._fields]
    if isinstance(value, (tuple, list)):
        return [(f"[{key}]", part) for key, part in enumerate(value)]
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith("ktc"):
        names = [field.name for field in dataclasses.fields(value)]
        return [(f".{key}", getattr(value, key)) for key in names if not key.startswith("_")]
    return []


def short(value: Any, longest: int = 300) -> str:
    """A representation for reports that never fails and never fills the screen."""
    try:
        if isinstance(value, int) and abs(value) > 10**30:
            return f"10**{len(str(value)) - 1}" if abs(value) < 10**1000 else "huge int"
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= longest else f"{text[:longest]}…"


def _trace(error: Exception) -> str:
    """The innermost frames."""
    lines = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    return "".join(itertools.chain(lines[-4:])).rstrip()


def _first_line(message: str) -> str:
    return message.strip().split("\n")[0][:160]


@contextmanager
def bounded_memory(extra: int = 4 << 30) -> Iterator[None]:
    """Let this process take at most so many bytes more, where the system can say so."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
