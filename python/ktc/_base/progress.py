"""Progress bars of long calculations."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ktc._base.lazy_imports import interrupts_deferred


class _NoBar:
    """A progress bar that shows nothing."""

    def update(self, n: float = 1) -> None:
        pass

    def set_postfix_str(self, s: str) -> None:
        pass


def progress_bar(
    total: int, unit: str, shown: bool, text: str | None = None
) -> AbstractContextManager[Any]:
    """Make a progress bar on standard error, a context manager; silent unless ``shown``."""
    if not shown:
        return nullcontext(_NoBar())
    with interrupts_deferred():
        from tqdm import tqdm  # slow to import

    bar: AbstractContextManager[Any] = tqdm(total=total, unit=unit, desc=text, leave=False)
    return bar
