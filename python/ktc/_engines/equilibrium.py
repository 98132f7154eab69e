"""Independent samples of an equilibrium, drawn by the sampling engine."""

from __future__ import annotations

from ktc._base.validation import Array
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.factory import new_engine
from ktc._model.network import Network


def equilibrium_samples(
    network: Network, replicas: int, seed: int, threads: int | None = None
) -> Array:
    """Samples of exp(−H/kT)/Z at the network's own controls, shape (replicas, d).

    They are the states in which a ``ktc.Emulator`` with the same seed starts.
    """
    options = EnsembleOptions.checked(network, replicas, seed, threads)
    return new_engine(network, options).read(0, network.units)
