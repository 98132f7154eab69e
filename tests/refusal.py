"""What a refused call must do: name argument, value and mend, and change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import ktc
from ktc._base.codec import to_record


def condition(emulator: ktc.Emulator) -> dict[str, Any]:
    """Everything that a call could change."""
    books = emulator.ledger
    return {
        "state": emulator.read(),
        "energy": emulator.energy(),
        "work": books.work,
        "heat": books.heat,
        "supply": books.supply,
        "energy change": books.energy_change,
        "time": emulator.time,
        "controls": to_record(emulator.controls),
    }


@contextmanager
def refused(error: type[Exception], *parts: str) -> Iterator[None]:
    """The block raises exactly this error, and its message has all these parts."""
    with pytest.raises(error) as caught:
        yield
    assert type(caught.value) is error
    for part in parts:
        assert re.search(re.escape(part), str(caught.value)), f"{part!r} not in {caught.value}"


@contextmanager
def refused_unchanged(
    emulator: ktc.Emulator, error: type[Exception], *parts: str
) -> Iterator[None]:
    """The same, and the emulator is bit for bit as it was, and goes on as if nothing had been."""
    before, twin = condition(emulator), emulator.copy()
    with refused(error, *parts):
        yield
    np.testing.assert_equal(condition(emulator), before)
    for each in (emulator, twin):
        each.run(0.1)
    np.testing.assert_equal(condition(emulator), condition(twin))
