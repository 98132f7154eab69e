"""An emulator on the density of one unit, for plans of learning."""

from __future__ import annotations

import math

from ktc._emulation.emulator import Emulator
from ktc._emulation.ideal_frontend import IdealFrontend
from ktc._engines.density_engine import DensityEngine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._model.description import Description


def density_emulator(device: Description, reach: tuple[float, float]) -> Emulator:
    """Infinitely many replicas of one overdamped unit, quartic or not, under control of its bias.

    Args:
        device: the unit, in equilibrium at its own controls.
        reach: least and greatest bias that it may be set to, in the network's own units.
    """
    options = EnsembleOptions(motion="exact", replicas=math.inf)
    engine = DensityEngine(device.network, reach)
    return Emulator.operating(IdealFrontend(device, options, engine))
