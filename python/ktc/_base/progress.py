"""One progress bar for everything that takes long."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any


class _NoBar:
    """Takes what a bar is told, and shows nothing."""

    def update(self, n: float = 1) -> None:
        pass

    def set_postfix_str(self, s: str) -> None:
        pass


def progress_bar(
    total: int, unit: str, shown: bool, text: str | None = None
) -> AbstractContextManager[Any]:
    """A bar on standard error, used as a context manager; silent where not ``shown``."""
    if not shown:
        return nullcontext(_NoBar())
    from tqdm import tqdm  # takes a tenth of a second to load

    bar: AbstractContextManager[Any] = tqdm(total=total, unit=unit, desc=text, leave=False)
    return bar
