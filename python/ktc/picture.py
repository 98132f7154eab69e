"""The seam between things that can be drawn and the file that draws them (ktc.plot)."""

from __future__ import annotations

from functools import singledispatch
from typing import Any


@singledispatch
def draw(thing: Any, **options: Any) -> Any:
    """Draws ``thing`` and returns a matplotlib Figure; ktc.plot registers how, type by type."""
    raise TypeError(f"there is no picture of {type(thing).__name__}")
