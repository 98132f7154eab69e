"""What this machine has: memory and disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def memory() -> float:
    """Physical memory [bytes]; without a limit where the system does not tell."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def disk(folder: Path) -> float:
    """Free space where a folder lies [bytes]."""
    return float(shutil.disk_usage(folder).free)
