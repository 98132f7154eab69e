"""Imbalances that rounding may leave, by "Rounding of the books" in docs/physics.md."""

from __future__ import annotations

import math

import numpy as np

import ktc

#: Imbalance of the first law, relative to the energy that was moved.
ROUNDING = 1e-12
#: Largest relative error of a sum of a few hundred terms of one size.
DOUBLE, SINGLE = 2.0**-53 * 1e3, 2.0**-24 * 1e2


class Rounding:
    """The largest rounding of the books of one emulator since it was made."""

    def __init__(self, emulator: ktc.Emulator, bias: float = 0.0) -> None:
        """``bias`` is the size of the values that protocols have."""
        self._bias, self._rest, self._spread = bias, 0.0, 1.0
        self.of(emulator)

    def of(self, emulator: ktc.Emulator) -> float:
        """Largest imbalance that rounding explains after another call."""
        single, infinite = emulator.dtype == "float32", emulator.replicas == math.inf
        if not (single or infinite or emulator.resolve_heat):
            return ROUNDING
        self._see(emulator)
        if infinite:
            return ROUNDING + DOUBLE * self._spread
        try:
            moved = _moved(emulator)
        except OverflowError:  # it has lost its replicas, and gives out no number
            return ROUNDING
        if not moved > 0:
            return math.inf if self._rest > 0 or single else ROUNDING
        if not single:
            return ROUNDING + DOUBLE * math.sqrt(self._rest / moved)
        thermal = float(np.max(emulator.controls.kT)) * emulator.network.units
        return SINGLE * (1 + (self._rest + thermal) / moved)

    def _see(self, emulator: ktc.Emulator) -> None:
        """Take note of the energy at rest, and of how far rates are apart."""
        controls = emulator.controls
        if controls.quartic.any():
            return
        network = emulator.network.with_controls(controls)
        push = np.maximum(np.abs(controls.bias), 2 * self._bias)
        self._rest = max(self._rest, 0.5 * push @ abs(np.linalg.inv(network.stiffness)) @ push)
        try:
            rest = ktc.Emulator(network, replicas=math.inf).moments().mean
        except ValueError:  # none that a double holds
            self._rest = math.inf
        else:
            self._rest = max(self._rest, 0.5 * abs(rest) @ abs(network.stiffness) @ abs(rest))
        times = network.relaxation_times
        self._spread = max(self._spread, times[-1] / times[0])


def _moved(emulator: ktc.Emulator) -> float:
    """The least that a replica moved, of which the imbalance is a share; underestimated."""
    ledger = emulator.ledger
    sums = sum(abs(getattr(ledger, name)) for name in ledger.names if name in ("work", "heat"))
    energy = emulator.energy()
    return float(np.min(sums + np.maximum(abs(energy), abs(energy - ledger.energy_change))))
