"""Resources of this machine: memory, disk and cores."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ktc._base.validation import count

MOST_THREADS = 4096


def memory() -> float:
    """Return the physical memory [bytes]; infinity where the system does not report it."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def disk(folder: Path) -> float:
    """Return the free space on the disk of a folder [bytes]."""
    return float(shutil.disk_usage(folder).free)


def thread_count(threads: int | None) -> int:
    """``threads``, or the cores this process may use where it is None."""
    return _available_cores() if threads is None else count("threads", threads, most=MOST_THREADS)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
