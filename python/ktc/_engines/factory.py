"""Choice of the engine that carries an ensemble."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._engines.engine import Engine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.moments_engine import MomentsEngine
from ktc._engines.sampling_engine import SamplingEngine
from ktc._model.network import Network

#: No state of its own to start from: the stationary one.
STATIONARY: Array = np.empty(0)


def new_engine(network: Network, options: EnsembleOptions, start: Array = STATIONARY) -> Engine:
    """An engine at the network's own controls: samples, or moments for infinitely many replicas.

    Args:
        network: the network.
        options: validated options.
        start: (replicas, n) to start from; empty for the stationary state.
    """
    if options.infinite:
        return MomentsEngine(network, options.resolve_heat, start)
    return SamplingEngine(network, options, start)
