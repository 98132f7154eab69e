"""State of NumPy's random streams, in files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktc._base.codec import RecordError, require_alike
from ktc._base.validation import count

#: Numbers that Philox makes at once.
BUFFER = 4


def philox(*entropy: int) -> np.random.Generator:
    """The stream of some numbers, which are its seed."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(list(entropy))))


def saved_stream(stream: np.random.Generator) -> dict[str, object]:
    """Where a stream stands, as ``restore_stream`` takes it."""
    return dict(stream.bit_generator.state)


def restore_stream(stream: np.random.Generator, saved: Mapping[str, object], place: str) -> None:
    """Go on from a saved state; ``place`` is its entry in the file."""
    now = stream.bit_generator.state
    require_alike(saved, now, place)
    if saved["bit_generator"] != now["bit_generator"]:
        raise RecordError(f"{place}/bit_generator: must be {now['bit_generator']!r}")
    for name, most in (("buffer_pos", BUFFER), ("has_uint32", 1), ("uinteger", 2**32 - 1)):
        count(f"{place}/{name}", saved[name], least=0, most=most)
    stream.bit_generator.state = dict(saved)
