"""Whether a network that was left alone is in equilibrium."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ktc._model.controls import Controls
from ktc._model.network import Network

#: Relaxation times after which a linear network counts as relaxed: e⁻¹⁰ of a deviation of its mean
#: is left, less than the sampling error of 10⁸ replicas.
RELAXATION_TIMES = 10.0

#: Note of estimates that assume a start in equilibrium, where none is known.
UNRELAXED = "not known to start in equilibrium"


def has_relaxed(network: Network, rested: float) -> bool:
    """Whether replicas are known to be in equilibrium after a time at constant controls.

    ``rested`` is infinite where they were drawn in equilibrium. A linear network relaxes within ten
    of its slowest relaxation times. How long nonlinear units take is not known, nor is it computed
    for a sparse network.
    """
    if rested == math.inf:
        return True
    if rested <= 0 or not network.is_linear or network.is_sparse:
        return False
    return rested >= float(RELAXATION_TIMES * network.relaxation_times[-1])


def rest_after(
    before: Network, rested: float, after: Iterable[Network], controls: Controls
) -> float:
    """Return the rest after an exchange for networks of the same energy: infinite, or 0.

    Equilibrium stays: exp(−H/kT) does not depend on resistances and friction where they are at one
    temperature and neither sources nor generators drive the network.
    """
    if not controls.isothermal or controls.emf.any() or controls.current.any():
        return 0.0
    for network in (before, *after):
        if network.core.is_active or network.core.elements.noises:
            return 0.0
    return math.inf if has_relaxed(before.with_controls(controls), rested) else 0.0
