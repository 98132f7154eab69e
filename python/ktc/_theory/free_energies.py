"""Free energies: closed form for Gaussian networks, quadrature for uncoupled other units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.lazy_imports import scipy
from ktc._model.description import Description, network_of
from ktc._model.network import Network
from ktc._model.potential_unit import unit_of


def at_equilibrium(device: Description, name: str = "device") -> Network:
    """Return the network of a device that relaxes to exp(−H/kT)/Z."""
    net = network_of(device, name)
    if net.core.is_active:
        raise ValueError(
            f"{name} must have an equilibrium, but active elements supply energy to it, so that "
            "exp(−H/kT) is not its stationary state; sample an Emulator instead"
        )
    _ = net.common_kT
    driven = net.controls.emf.any() or net.controls.current.any()
    if driven or net.core.elements.noises:
        raise ValueError(
            f"{name} must have an equilibrium, but sources or noise generators drive it; sample an "
            "Emulator instead"
        )
    return net


def refuse_driven_run(*settings: Network) -> None:
    """Refuse a run between settings under sources, generators or active elements."""
    for net in settings:
        if net.core.is_active:
            raise ValueError(
                "an active circuit has no equilibrium, because active elements supply energy to "
                "it, and so no free energy and no excess work; take work and net_heat"
            )
        if net.core.elements.noises:
            raise ValueError(
                "a run with noise generators has no equilibrium, and so no free energy and no "
                "excess work; take work and net_heat"
            )
        if net.controls.emf.any() or net.controls.current.any():
            raise ValueError(
                "a run that starts or ends under emf or current has no free energy in H and no "
                "excess work; take work, source and heat, or, where the sources of a circuit drive "
                "no steady current, sample an Emulator of circuit.compile().with_source_energy()"
            )


def free_energy(device: Description) -> float:
    """Free energy −kT ln Z, Z = ∫ exp(−H/kT) dx (and dp where there is inertia), in the unit of kT.

    −½ bᵀK⁻¹b + ½ kT ln det K − ½ d kT ln(2π kT) (− ½ kT Σ ln(2π kT M)), with Z in the network's own
    units. Differences at one kT do not depend on these units. Nonlinear units, those with
    quartic terms or potentials, that are coupled to no other are integrated one by one, to about
    1e-13 kT.

    Args:
        device: a Network or a Board, at its own controls.

    Raises:
        ValueError: coupled nonlinear units (``theory.free_energy_difference`` estimates differences
            of their free energy), several temperatures, sources or noise generators.

    Example:
        >>> import ktc
        >>> soft, stiff = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 2.0))
        >>> round(ktc.theory.free_energy(stiff) - ktc.theory.free_energy(soft), 6)
        0.346574
        >>> well = ktc.Network(stiffness=-1.0, friction=1.0, quartic=1.0)
        >>> round(ktc.theory.free_energy(well), 6)
        -1.362293

    Source: Landau, Lifshitz (1980), Statistical Physics, part 1, section 31.
    """
    net = at_equilibrium(device)
    kT, other = net.common_kT, nonlinear(net)
    pair = coupled_nonlinear(net)
    if pair is not None:
        kind = "quartic" if net.quartic[pair[0]] else "nonlinear"
        raise ValueError(
            f"{kind} unit {pair[0]} is coupled to unit {pair[1]}, so that there is no closed "
            "form and no quadrature of the free energy; estimate differences by "
            "theory.free_energy_difference"
        )
    value = sum(unit_of(net, unit).free_energy for unit in np.flatnonzero(other).tolist())
    if not other.all():
        stiffness, bias = net.stiffness[np.ix_(~other, ~other)], net.bias[~other]
        value -= 0.5 * float(bias @ np.linalg.solve(stiffness, bias))
        value += 0.5 * kT * float(np.linalg.slogdet(stiffness / (2 * np.pi * kT))[1])
    if net.inertia is not None:
        value -= 0.5 * kT * float(np.sum(np.log(2 * np.pi * kT * net.inertia)))
    return value


def free_energy_change(before: Description, after: Description) -> float:
    """Free energy of ``after`` minus that of ``before``, two settings of one device.

    ΔF = −½ Δbᵀ K′⁻¹(b + b′) + ½ (K′⁻¹b)ᵀ ΔK (K⁻¹b) + ½ kT ln(det K′/det K). Differences are taken
    before products, so that a small step between large biases keeps its relative precision. With
    quartic terms or potentials it is the difference of two quadratures.

    Args:
        before, after: a Network or a Board at the first and at the last controls.

    Raises:
        ValueError: different kT or numbers of units, and as for ``free_energy``.

    Example:
        >>> import ktc
        >>> soft, stiff = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 2.0))
        >>> round(ktc.theory.free_energy_change(soft, stiff), 6)
        0.346574

    Source: Landau, Lifshitz (1980), Statistical Physics, part 1, section 31.
    """
    old, new = network_of(before, "before"), network_of(after, "after")
    refuse_unlike(old, new)
    if not old.is_linear or not new.is_linear:
        return free_energy(after) - free_energy(before)
    old, new = at_equilibrium(before, "before"), at_equilibrium(after, "after")
    value = -0.5 * (new.bias - old.bias) @ np.linalg.solve(new.stiffness, new.bias + old.bias)
    ratio = 0.0
    if not np.array_equal(old.stiffness, new.stiffness):
        at_old, at_new = (np.linalg.solve(net.stiffness, old.bias) for net in (old, new))
        value += 0.5 * at_new @ (new.stiffness - old.stiffness) @ at_old
        ratios = scipy.linalg.eigvalsh(new.stiffness, old.stiffness)
        if ratios[0] > np.finfo(float).eps * ratios[-1]:
            ratio += float(np.sum(np.log(ratios)))
        else:  # the smallest ratios are lost to rounding, but not the determinants
            ratio += np.linalg.slogdet(new.stiffness)[1] - np.linalg.slogdet(old.stiffness)[1]
    if old.inertia is not None and new.inertia is not None:
        ratio -= float(np.sum(np.log(new.inertia / old.inertia)))
    return float(value + 0.5 * old.common_kT * ratio)


def refuse_unlike(before: Network, after: Network) -> None:
    """Refuse two networks that are not one device at one temperature."""
    if before.units != after.units:
        raise ValueError(
            f"after must have {before.units} units, as many as before, but has {after.units}; pass "
            "one device at two settings of its controls"
        )
    if before.common_kT != after.common_kT:
        raise ValueError(
            f"after must have kT = {before.common_kT:g}, that of before, but has "
            f"{after.common_kT:g}; a free energy change is defined at one temperature"
        )


def kinetic_change(before: Network, after: Network) -> float:
    """−½ kT Σ ln(M′/M), the part of the momenta in a free energy change."""
    if before.inertia is None or after.inertia is None:
        return 0.0
    return -0.5 * before.common_kT * float(np.sum(np.log(after.inertia / before.inertia)))


def method_of(*devices: Description) -> str:
    """Name the method of ``free_energy``: "closed form" of linear networks, or "quadrature"."""
    linear = all(device.network.is_linear for device in devices)
    return "closed form" if linear else "quadrature"


def nonlinear(net: Network) -> NDArray[np.bool_]:
    """Which units have a quartic term or a potential, shape (d,)."""
    return np.array([one is not None for one in net.potentials]) | (net.quartic > 0)


def coupled_nonlinear(net: Network) -> tuple[int, int] | None:
    """Return a unit that is not harmonic and one it is coupled to, or None if there are none."""
    for unit in np.flatnonzero(nonlinear(net)).tolist():
        for other in np.flatnonzero(net.stiffness[unit]).tolist():
            if other != unit:
                return unit, other
    return None
