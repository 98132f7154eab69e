"""Slow driving: thermodynamic length, and drives of constant dissipation rate along a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, of_type, positive
from ktc._model.controls import Controls
from ktc._model.description import Description, network_of
from ktc._model.parameters import Parameters
from ktc._model.protocol import Protocol
from ktc._theory.metrics import friction_tensor

DRIVEN = ("bias", "stiffness", "quartic")
#: Degree of the polynomial that interpolates √(Δθᵀ ζ Δθ) along the line.
DEGREE = 128


def thermodynamic_length(device: Description, final: Mapping[str, ArrayLike]) -> float:
    """Thermodynamic length 𝓛 = ∫√(dθᵀ ζ dθ) of the straight line of the controls to ``final``.

    ζ is the friction tensor. A slow drive along the line costs W_ex ≈ ∫θ̇ᵀζθ̇ dt. The least of these
    is 𝓛²/T, at the speed of constant dissipation rate. For one parameter the line is a geodesic.

    Args:
        device: a Network or Board at its initial controls; Gaussian, or overdamped without
            couplings.
        final: values by name, one or several of "bias", "stiffness", "quartic".

    Raises:
        ValueError: other controls, values of a wrong shape, and as for ``theory.friction_tensor``.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602; Crooks (2007), Phys. Rev. Lett. 99,
    100602.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> length = ktc.theory.thermodynamic_length(unit, {"stiffness": 4.0})
        >>> round(length, 6)  # ∫ dk/√(4k³) = 1 − ½
        0.5
    """
    return float(_line(device, final)[1](1.0))


def geodesic_drive(
    device: Description, final: Mapping[str, ArrayLike], duration: float, ticks: int
) -> Protocol:
    """Drive along the straight line to ``final`` at the speed of constant slow dissipation rate.

    Its excess work is 𝓛²/T to leading order for long T. It has no jumps and ignores the lag of the
    state, so that ``theory.optimal_drive`` and ``theory.optimized_drive`` cost less for short T.

    Args:
        device, final: as for ``theory.thermodynamic_length``.
        duration: T.
        ticks: number of equal ticks.

    Raises:
        ValueError: as for ``theory.thermodynamic_length``.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
        >>> drive = ktc.theory.geodesic_drive(unit, {"stiffness": 4.0}, duration=10.0, ticks=2)
        >>> drive.controls["stiffness"].ravel().round(3)  # 1/√k falls evenly from 1 to ½
        array([1.306, 2.56 ])
    """
    end, length = _line(device, final)
    positive("duration", duration)
    shares = 0.5 * (1 - np.cos(np.linspace(0, np.pi, 8 * DEGREE + 1)))
    lengths = length(shares)
    share = scipy.interpolate.PchipInterpolator(lengths / lengths[-1], shares)

    def held(name: str) -> Callable[[float], Array]:
        first, last = getattr(device.network, name), getattr(end, name)
        return lambda t: np.asarray(first + float(share(t / duration)) * (last - first))

    closing = {name: getattr(end, name) for name in final}
    return Protocol.sample(duration, ticks, closing, **{name: held(name) for name in final})


def _line(
    device: Description, final: Mapping[str, ArrayLike]
) -> tuple[Controls, np.polynomial.Chebyshev]:
    """The controls at the end, and ∫√(Δθᵀ ζ Δθ) along the line as a function from 0 to 1."""
    net = network_of(device)
    of_type("final", final, Mapping, "a mapping from control names to values")
    keys: list[object] = list(final)
    unknown = [name for name in keys if not isinstance(name, str) or name not in DRIVEN]
    if unknown or not final:
        raise ValueError(f"final must name some of {DRIVEN}, but names {unknown or 'none'}")
    end = net.controls.updated(**dict(final))
    differ = {name: np.asarray(getattr(end, name) != getattr(net, name)) for name in final}
    masks = {name: mask for name, mask in differ.items() if mask.any()}
    if not masks:
        raise ValueError("final must differ from the controls of the device, but is equal to them")
    parameters = Parameters(device, list(masks), masks)
    start = parameters.vector(net.controls)
    step = parameters.vector(end) - start

    def speeds(shares: Array) -> Array:
        found = []
        for share in shares:
            there = net.with_controls(parameters.controls(start + share * step, net.controls))
            found.append(np.sqrt(step @ friction_tensor(there, parameters) @ step))
        return np.array(found)

    # Chebyshev nodes are dense at both ends, where ζ may change by decades.
    speed = np.polynomial.Chebyshev.interpolate(speeds, DEGREE, domain=[0.0, 1.0])
    return end, speed.integ(lbnd=0.0)
