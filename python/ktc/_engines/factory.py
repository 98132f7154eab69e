"""Choice of the engine that carries an ensemble, and samples of an equilibrium."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._engines.density_engine import DensityEngine
from ktc._engines.engine import Engine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.moments_engine import MomentsEngine
from ktc._engines.sampling_engine import SamplingEngine
from ktc._model.controls import CONTROL_NAMES
from ktc._model.network import Network
from ktc._model.potentials.on_site import ROW

#: No state of its own to start from: the stationary one.
STATIONARY: Array = np.empty(0)


def new_engine(network: Network, options: EnsembleOptions, start: Array = STATIONARY) -> Engine:
    """An engine at the network's own controls: samples, or moments for infinitely many replicas.

    ``start`` is (replicas, n) to start from; empty for the stationary state.
    """
    if network.controls.on_site and ROW not in CONTROL_NAMES:
        raise ValueError("networks with potentials cannot be emulated yet; use ktc.theory")
    if options.infinite:
        return MomentsEngine(network, options.resolve_heat, start)
    return SamplingEngine(network, options, start)


def density_engine(network: Network, reach: tuple[float, float]) -> Engine:
    """The engine of one overdamped unit, by its density, for biases within ``reach``."""
    return DensityEngine(network, reach)


def equilibrium_samples(
    network: Network, replicas: int, seed: int, threads: int | None = None
) -> Array:
    """Samples of exp(−H/kT)/Z at the network's own controls, shape (replicas, d).

    They are the states in which a ``ktc.Emulator`` with the same seed starts.
    """
    options = EnsembleOptions.checked(network, replicas, seed, threads)
    return new_engine(network, options).read(0, network.units)
