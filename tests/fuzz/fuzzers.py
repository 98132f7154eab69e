"""All fuzzers, by name."""

from __future__ import annotations

from collections.abc import Callable

from . import calls, files, netlists, sequences, tables
from .source import Source

FUZZERS: dict[str, Callable[[Source], None]] = {
    "netlists": netlists.fuzz,
    "tables": tables.fuzz_files,
    "data": tables.fuzz_data,
    "files": files.fuzz,
    "calls": calls.fuzz,
    "sequences": sequences.fuzz,
}
