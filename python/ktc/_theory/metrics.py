"""Fisher matrix F and friction tensor ζ, in closed form or by quadrature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ktc._base.validation import Array, choice
from ktc._model.description import Description
from ktc._model.directions import directions_among, directions_of
from ktc._model.network import Network
from ktc._model.parameters import LEARNABLE, Parameters
from ktc._model.potential_unit import unit_of
from ktc._theory import gaussian_moments
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.gaussian import PARAMETERS, gaussian, parameter_map, symmetrized

Learnable = str | Sequence[str] | Parameters


def fisher_matrix(device: Description, parameter: Learnable = "bias") -> Array:
    """Fisher matrix F = Cov(∂_θH)/kT of the parameters θ, shape (p, p).

    F is kT times the Fisher information matrix Cov(∂_θH)/kT² of p(x; θ) = exp(−H/kT)/Z, which
    counts nats, and for H linear in θ the negative second derivative of the free energy. So F has
    the unit of energy over θ².

    For Gaussian networks it is K⁻¹ for the bias, K for the center, and follows from the theorem of
    Isserlis for all others. For units without couplings, also nonlinear ones (with
    quartic terms or potentials), it is a quadrature.

    Args:
        device: a Network or a Board, at its own controls.
        parameter: "bias", "center", one or several of ``theory.LEARNABLE``, names of sources of a
            circuit in ``with_source_energy()``, or ``theory.Parameters``.

    Raises:
        ValueError: couplings beside nonlinear units, several temperatures, sources or noise
            generators; ``theory.fisher_estimate`` measures F of those that have an equilibrium.

    Example:
        >>> import ktc
        >>> ktc.theory.fisher_matrix(ktc.Network(stiffness=4.0, friction=1.0), "center")
        array([[4.]])
        >>> net = ktc.Network(stiffness=2.0, friction=1.0)
        >>> ktc.theory.fisher_matrix(net, ("bias", "diagonal"))
        array([[0.5  , 0.   ],
               [0.   , 0.125]])

    Source: Amari (1998), Neural Comput. 10, 251; Isserlis (1918), Biometrika 12, 134.
    """
    net = at_equilibrium(device)
    if isinstance(parameter, str) and parameter in PARAMETERS and net.is_linear:
        to_bias = parameter_map(device, parameter)
        return symmetrized(to_bias.T @ np.linalg.solve(net.stiffness, to_bias))
    parameters = as_parameters(device, parameter)
    if net.is_linear:
        return gaussian_moments.fisher(net, parameters)
    result = np.zeros((parameters.size,) * 2)
    for unit, names, entries in _by_unit(net, parameters, "fisher_estimate"):
        result[np.ix_(entries, entries)] = unit_of(net, unit).fisher(names)
    return result


def friction_tensor(device: Description, parameter: Learnable = "bias") -> Array:
    """Friction tensor ζ = (1/kT)∫₀^∞ ⟨δ∂H(0) δ∂H(t)ᵀ⟩ dt of the parameters θ, shape (p, p).

    Slow driving of the parameters costs an excess work of ∫θ̇ᵀζθ̇ dt. ζ is K⁻¹RK⁻¹ for the bias and
    R for the center, with R the friction matrix of the network.

    For Gaussian networks there is a closed form for all parameters by the theorem of Isserlis, also
    with inertia and inductors. For bias and center the inertia drops out of the time integral. In
    circuits with inductors, R is replaced by the symmetric part of (G − J)⁻¹, the integral of
    e^{At} K⁻¹ with the drift A = (J − G)K. For overdamped units without couplings by stiffness or
    friction, also nonlinear ones, ζ is a quadrature, exact in one dimension.

    Args:
        device, parameter: as for ``theory.fisher_matrix``.

    Raises:
        ValueError: nonlinear units with inertia, and as for ``theory.fisher_matrix``;
            ``theory.friction_estimate`` measures ζ of those that have an equilibrium.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=2.0, friction=3.0)
        >>> ktc.theory.friction_tensor(net, "bias")
        array([[0.75]])
        >>> ktc.theory.friction_tensor(net, "diagonal").round(5)
        array([[0.09375]])
    """
    net = at_equilibrium(device)
    if isinstance(parameter, str) and parameter in PARAMETERS and net.is_linear:
        pulled = np.linalg.solve(net.stiffness, parameter_map(device, parameter))
        return symmetrized(pulled.T @ _resistance(net) @ pulled)
    parameters = as_parameters(device, parameter)
    if net.is_linear:
        return gaussian_moments.friction(net, parameters, _resistance(net))
    result = np.zeros((parameters.size,) * 2)
    if net.inertia is not None or not net.has_friction:
        raise ValueError(
            "the friction tensor of nonlinear units with inertia has no quadrature; measure "
            "it by theory.friction_estimate"
        )
    for unit, names, entries in _by_unit(net, parameters, "friction_estimate", net.friction):
        own = unit_of(net, unit).friction(names, float(net.friction[unit, unit]))
        result[np.ix_(entries, entries)] = own
    return result


def as_parameters(device: Description, parameter: Learnable) -> Parameters:
    """Return ``parameter`` as Parameters of a device, refusing "center"."""
    if isinstance(parameter, Parameters):
        if parameter.units != device.network.units:
            raise ValueError(
                f"parameter must be of {device.network.units} units, as many as device has, "
                f"but is of {parameter.units}"
            )
        return parameter
    names = (parameter,) if isinstance(parameter, str) else parameter
    if isinstance(names, (list, tuple)) and directions_among(device, names):
        return directions_of(device, tuple(names))
    if isinstance(parameter, str) and parameter == "center":
        # The center is K⁻¹b, defined for Gaussian networks: this raises with the reason.
        gaussian(device)
    if isinstance(parameter, str):
        linear = device.network.controls.on_site.linear
        choice("parameter", parameter, dict.fromkeys(PARAMETERS + LEARNABLE + linear))
    return Parameters(device, parameter)


def _by_unit(
    net: Network, parameters: Parameters, estimate: str, friction: Array | None = None
) -> list[tuple[int, tuple[str, ...], list[int]]]:
    """For every unit of an uncoupled network the names of its parameters and their places in θ."""
    for what, matrix in (("stiffness", net.stiffness), ("friction", friction)):
        if matrix is None:
            continue
        bonds = np.argwhere(np.triu(matrix, 1))
        if len(bonds):
            raise ValueError(
                f"units {bonds[0][0]} and {bonds[0][1]} are coupled by {what} in a network with "
                "nonlinear units, which has no closed form and no quadrature; measure by "
                f"theory.{estimate}"
            )
    for name, (first, *rest) in parameters.places.items():
        if rest and (first != rest[0]).any():
            raise ValueError(
                f"couplings of a network with nonlinear units have no quadrature; leave {name!r} "
                f"out, or measure by theory.{estimate}"
            )
    return entries_by_unit(parameters)


def entries_by_unit(parameters: Parameters) -> list[tuple[int, tuple[str, ...], list[int]]]:
    """For every unit the names of its parameters, and their places in θ."""
    found: dict[int, dict[int, str]] = {}
    for name, block in parameters.blocks.items():
        places = parameters.places[name]
        own = "diagonal" if len(places) == 2 else name
        for unit, place in zip(places[0].tolist(), range(block.start, block.stop), strict=True):
            found.setdefault(unit, {})[place] = own
    return [(unit, tuple(own.values()), list(own)) for unit, own in found.items()]


def _resistance(net: Network) -> Array:
    if net.has_friction:
        return net.friction
    core = net.core
    return symmetrized(np.asarray(np.linalg.inv(core.mobility - core.interconnection), np.float64))
