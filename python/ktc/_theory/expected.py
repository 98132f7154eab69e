"""Average cost of a protocol on a Gaussian network, from exact moments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._engines.factory import STATIONARY
from ktc._engines.moments_engine import MomentsEngine
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.waveforms import full_shape
from ktc._theory.free_energies import free_energy_change
from ktc._theory.gaussian import gaussian


class Expected(NamedTuple):
    """Averages over infinitely many replicas of a protocol that starts in equilibrium.

    Attributes:
        work: ⟨W⟩.
        excess_work: ⟨W⟩ − ΔF.
        mean, covariance: of the public state at the end, shapes (d,) and (d, d).
        network: the physics at the final controls.
    """

    work: float
    excess_work: float
    mean: Array
    covariance: Array
    network: Network


def expected(device: Description, protocol: Protocol) -> Expected:
    """Exact averages of a bias and stiffness protocol, from equilibrium at the device's controls.

    Mean and covariance move exactly through every hold, P′ = A P Aᵀ + Q, m′ = A m + c; an update
    costs ½ tr ΔK(P + mmᵀ) − Δb·m. ``ktc.Emulator`` with ``replicas=math.inf`` plays the same.

    Raises:
        ValueError: quartic units, several temperatures, sources or noise generators, or controls
            among the protocol's other than bias and stiffness.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.optimal_drive(unit, 5.0, 1.0, ticks=100)
        >>> round(ktc.theory.expected(unit, drive).excess_work, 3)  # 25/3, and the tick's share
        8.333
    """
    net = gaussian(device)
    others = (set(protocol.controls) | set(protocol.final)) - {"bias", "stiffness"}
    if others:
        raise ValueError(
            f"protocol must drive only bias and stiffness to have exact averages, "
            f"but drives {sorted(others)}"
        )
    waveforms, final = protocol.settings(net.controls)
    engine = MomentsEngine(net, False, STATIONARY, variances=False)
    engine.play(
        protocol.holds,
        {name: full_shape(name, values, net.units) for name, values in waveforms.items()},
    )
    engine.set({"bias": final.bias, "stiffness": final.stiffness})
    last = net.with_controls(final)
    work, d, scale = float(engine.work()[0]), net.units, device.scale
    mean, covariance = engine.moments(True)
    return Expected(
        work,
        work - free_energy_change(net, last),
        mean[:d] * scale,
        covariance[:d, :d] * np.outer(scale, scale),
        last,
    )
