"""Runs that would rightly take long, which fuzzers leave out."""

from __future__ import annotations

from typing import Any

import ktc

#: More steps than a core refuses at once.
REFUSED = 2.0**53
MOST_STEPS = 3000


def takes_long(emulator: ktc.Emulator, duration: Any, protocol: ktc.Protocol | None = None) -> bool:
    """Whether a run, or the play of a protocol, is valid and has many steps."""
    frontend: Any = emulator._frontend
    cells = getattr(frontend, "_cells", frontend)
    try:
        controls = [cells.controls]
        if protocol is not None:
            controls = protocol.extremes(controls[0], protocol.settings(controls[0])[0])
        cells.engine.prepare(controls)
        longest = float(cells.engine.core.longest_step)
        steps = float(duration) / longest
    except Exception:  # motion without steps, or a duration that is none
        return False
    return MOST_STEPS < steps < 2 * REFUSED
