"""One progress bar for everything that takes long."""

from __future__ import annotations

from typing import Any


def progress_bar(total: int, unit: str, shown: bool, text: str | None = None) -> Any:
    """A bar on standard error, used as a context manager; silent where not ``shown``."""
    from tqdm import tqdm  # takes a while, and not everybody wants a bar

    return tqdm(total=total, unit=unit, desc=text, disable=not shown, leave=False)
