"""The seams between a network and the studies of it that take an emulator of their own."""

from __future__ import annotations

from functools import singledispatch
from typing import Any


@singledispatch
def estimated_free_energy_change(before: Any, after: Any, **options: Any) -> Any:
    """F(after) − F(before) with its error bar; ktc._measure.free_energy_ladder registers how."""
    raise TypeError(f"there is no free energy of {type(before).__name__}")
