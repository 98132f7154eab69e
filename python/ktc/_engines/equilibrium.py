"""Independent samples of an equilibrium, drawn by the sampling engine."""

from __future__ import annotations

import numpy as np

from ktc import _core
from ktc._base.resources import thread_count
from ktc._base.validation import Array
from ktc._engines.step_choice import StepChoice
from ktc._model.network import Network


def equilibrium_samples(
    network: Network, replicas: int, seed: int, threads: int | None = None
) -> Array:
    """Samples of exp(−H/kT)/Z at the network's own controls, shape (replicas, d).

    They are the states in which an ``Emulator`` of the same seed starts.
    """
    motion, controls = network.core.motion(network.controls.arrays(), False), network.controls
    engine = _core.Engine(
        network=network.core,
        controls=controls.arrays(),
        seed=seed,
        first_replica=0,
        replicas=replicas,
        threads=thread_count(threads),
        motion=motion,
        dtype="float64",
        longest_step=StepChoice(network, motion).longest(None, [controls]),
        state=np.empty(0),
    )
    return engine.read(0, network.units)
