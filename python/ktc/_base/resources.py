"""Resources of this machine: memory, disk, cores, and the libraries in use."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ktc import _core
from ktc._base.validation import count, told

MOST_THREADS = 4096


def memory() -> float:
    """Return the physical memory [bytes]; infinity where the system does not report it."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


@contextmanager
def within_memory(size: float, refusal: str) -> Iterator[None]:
    """Raise MemoryError with this message where the block needs more than this machine has."""
    if size > memory():
        raise MemoryError(refusal)
    try:
        yield
    except MemoryError:
        raise MemoryError(refusal) from None


@contextmanager
def allocating(name: str, value: object) -> Iterator[None]:
    """Name the argument that sets the size of the block's arrays where memory does not suffice."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(
            f"{name} is {told(value)}, which takes more memory than is available"
            f"{f' ({error})' if str(error) else ''}; make it smaller"
        ) from None


def disk(folder: Path) -> float:
    """Return the free space on the disk of a folder [bytes]."""
    return float(shutil.disk_usage(folder).free)


def thread_count(threads: int | None) -> int:
    """``threads``, or the cores this process may use where it is None."""
    if threads is not None:
        return count("threads", threads, most=MOST_THREADS)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def show_config() -> dict[str, str]:
    """Report versions, libraries and the instruction set in use; include it in a bug report.

    Example:
        >>> import ktc
        >>> {"kernels", "openblas", "openblas core"} <= set(ktc.show_config())
        True
    """
    from importlib.metadata import version  # slow, and rarely needed

    return {
        "ktc": _core.version(),
        "kernels": _core.instruction_set(),
        "kernels available": ", ".join(_core.instruction_sets()),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "openblas": version("scipy-openblas32"),
        "openblas core": _core.library_core(),
    }
