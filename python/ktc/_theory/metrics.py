"""The two metrics of a learning run, in closed form or by quadrature: F and ζ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ktc._base.validation import Array
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.parameters import LEARNABLE, Parameters
from ktc._model.quartic_unit import OneUnit
from ktc._theory import gaussian_moments as isserlis
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.gaussian import PARAMETERS, gaussian, parameter_map, symmetrized

Learnable = str | Sequence[str] | Parameters


def fisher_matrix(device: Description, parameter: Learnable = "bias") -> Array:
    """F = Cov(∂_θH)/kT, shape (p, p). The Fisher information is F/kT.

    Gaussian networks: K⁻¹ for the bias, K for the center, the theorem of Isserlis for all others.
    Units that are coupled to none, quartic ones too: quadrature of their own parameters.

    Args:
        device: a Network or a Board, at its own controls.
        parameter: "bias", "center", one or several of ``LEARNABLE``, or ``Parameters``.

    Raises:
        ValueError: coupled quartic units, couplings beside quartic units, several temperatures,
            sources or noise generators; ``fisher_estimate`` measures F of those at equilibrium.

    Example:
        >>> import ktc
        >>> fisher_matrix(ktc.Network(stiffness=4.0, friction=1.0), "center")
        array([[4.]])
        >>> fisher_matrix(ktc.Network(stiffness=2.0, friction=1.0), ("bias", "diagonal"))
        array([[0.5  , 0.   ],
               [0.   , 0.125]])
    """
    net = at_equilibrium(device)
    if parameter in PARAMETERS and not net.quartic.any():
        to_bias = parameter_map(device, str(parameter))
        return symmetrized(to_bias.T @ np.linalg.solve(net.stiffness, to_bias))
    parameters = as_parameters(device, parameter)
    if not net.quartic.any():
        return isserlis.fisher(net, parameters)
    result = np.zeros((parameters.size,) * 2)
    for unit, names, entries in _by_unit(net, parameters, "fisher_estimate"):
        result[np.ix_(entries, entries)] = _one(net, unit).fisher(names)
    return result


def friction_tensor(device: Description, parameter: Learnable = "bias") -> Array:
    """ζ = (1/kT)∫₀^∞ ⟨δ∂H(0) δ∂H(t)ᵀ⟩ dt, shape (p, p): K⁻¹RK⁻¹ for the bias, R for the center.

    Gaussian networks: closed form of all parameters, by the theorem of Isserlis, with inertia and
    inductors too. For bias and center the inertia drops out of the time integral; in circuits with
    inductors the place of R is taken by the symmetric part of (G − J)⁻¹, the integral of e^{Ft} K⁻¹
    with F = (J − G)K. Overdamped units that are coupled to none by stiffness or friction, quartic
    ones too: quadrature, exact in one dimension.

    Args:
        device: a Network or a Board, at its own controls.
        parameter: "bias", "center", one or several of ``LEARNABLE``, or ``Parameters``.

    Raises:
        ValueError: coupled quartic units, couplings beside quartic units, quartic units with
            inertia, several temperatures, sources or noise generators; ``friction_estimate``
            measures ζ of those at equilibrium.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.

    Example:
        >>> import ktc
        >>> friction_tensor(ktc.Network(stiffness=2.0, friction=3.0), "bias")
        array([[0.75]])
        >>> friction_tensor(ktc.Network(stiffness=1.0, friction=1.0), "stiffness")
        array([[0.25]])
    """
    net = at_equilibrium(device)
    if parameter in PARAMETERS and not net.quartic.any():
        pulled = np.linalg.solve(net.stiffness, parameter_map(device, str(parameter)))
        return symmetrized(pulled.T @ _resistance(net) @ pulled)
    parameters = as_parameters(device, parameter)
    if not net.quartic.any():
        return isserlis.friction(net, parameters, _resistance(net))
    result = np.zeros((parameters.size,) * 2)
    if net.inertia is not None or not net.has_friction:
        raise ValueError(
            "quartic units with inertia have no friction tensor by quadrature; measure it by "
            "theory.friction_estimate"
        )
    for unit, names, entries in _by_unit(net, parameters, "friction_estimate", net.friction):
        own = _one(net, unit).friction(names, float(net.friction[unit, unit]))
        result[np.ix_(entries, entries)] = own
    return result


def as_parameters(device: Description, parameter: Learnable) -> Parameters:
    """``parameter`` as Parameters of this device; "center" is none of them."""
    if isinstance(parameter, Parameters):
        if parameter.units != device.network.units:
            raise ValueError(
                f"parameter must be of {device.network.units} units as device has, "
                f"but is of {parameter.units}"
            )
        return parameter
    if parameter == "center":
        # The center is K⁻¹b, a coordinate of Gaussian networks: this says why, or is never reached.
        gaussian(device)
    if isinstance(parameter, str) and parameter not in LEARNABLE:
        known = tuple(dict.fromkeys(PARAMETERS + LEARNABLE))
        raise ValueError(f"parameter must be one of {known}, but is {parameter!r}")
    return Parameters(device, parameter)


def _by_unit(
    net: Network, parameters: Parameters, estimate: str, friction: Array | None = None
) -> list[tuple[int, tuple[str, ...], list[int]]]:
    """Of every unit the names of its parameters and their places in θ, where units are apart."""
    for what, matrix in (("stiffness", net.stiffness), ("friction", friction)):
        if matrix is None:
            continue
        bonds = np.argwhere(np.triu(matrix, 1))
        if len(bonds):
            raise ValueError(
                f"quartic units in a network whose units {bonds[0][0]} and {bonds[0][1]} are "
                f"coupled by {what} have no closed form and no quadrature; measure them by "
                f"theory.{estimate}"
            )
    found: dict[int, tuple[list[str], list[int]]] = {}
    for name, block in parameters.blocks.items():
        first, *rest = parameters.places[name]
        if rest and (first != rest[0]).any():
            raise ValueError(
                f"couplings of a network with quartic units have no quadrature; leave {name!r} "
                f"out or measure them by theory.{estimate}"
            )
        for unit, place in zip(first.tolist(), range(block.start, block.stop), strict=True):
            names, entries = found.setdefault(unit, ([], []))
            names.append("diagonal" if rest else name)
            entries.append(place)
    return [(unit, tuple(names), entries) for unit, (names, entries) in found.items()]


def _one(net: Network, unit: int) -> OneUnit:
    own = float(net.stiffness[unit, unit])
    return OneUnit(own, float(net.bias[unit]), float(net.quartic[unit]), net.common_kT)


def _resistance(net: Network) -> Array:
    if net.has_friction:
        return net.friction
    core = net.core
    return symmetrized(np.asarray(np.linalg.inv(core.mobility - core.interconnection), np.float64))
