"""The seam between a network and the studies of it that take an emulator (ktc.convergence)."""

from __future__ import annotations

from functools import singledispatch
from typing import Any


@singledispatch
def converge(thing: Any, observable: Any, duration: Any, **options: Any) -> Any:
    """Convergence of an observable with the step; ktc.convergence registers how."""
    raise TypeError(f"there is no convergence of {type(thing).__name__}")
