"""Networks that move in steps, and all that an emulator of one holds."""

from __future__ import annotations

import numpy as np

import ktc
from ktc._model.elements import CurrentSource, NoiseSource, Resistor


def restless():
    """All at once: two temperatures, sources, filters, an interconnection, a quartic unit."""
    return ktc.Network.of_elements(
        np.diag([1.0, 2.0, 0.5]),
        [Resistor([1, 0, 0], 0.3, "a", emf=0.2), Resistor([0, 0, 1], 0.2, "b")],
        [1.0, 0.5],
        quartic=[0.5, 0.0, 0.0],
        interconnection=np.array([[0, -1.0, 0], [1.0, 0, -1.0], [0, 1.0, 0]]),
        sources=[CurrentSource([1.0, 0, 0], 0.3)],
        noises=[NoiseSource([0, 0, 1.0], 0.1), NoiseSource([1.0, 0, 0], 0.1, 0.2)],
    )


def quartic_with_inertia():
    return ktc.Network(
        np.array([[-1.0, 0.5], [0.5, 1.0]]), 1.0, kT=0.5, quartic=[1.0, 0.5], inertia=[1.0, 2.0]
    )


def coupled_wells():
    return ktc.Network(np.array([[-2.0, 0.7], [0.7, -2.0]]), 1.0, kT=0.3, quartic=1.0)


def wells_alone():
    return ktc.Network(np.diag([-2.0, 0.0, 1.0]), 1.0, kT=0.3, quartic=[1.0, 0.5, 0.0])


def bits(emulator):
    """State, energy and all accounts, (replicas, numbers)."""
    parts = [emulator.read(), emulator.energy()[:, None]]
    for amount in emulator.ledger.amounts().values():
        parts.append(amount.reshape(len(amount), -1))
    if emulator.network.inertia is not None:
        parts.append(emulator.read_momentum())
    return np.hstack(parts)
