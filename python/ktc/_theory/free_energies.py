"""Free energies: closed forms of Gaussian networks, quadrature of quartic units by themselves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy  # imports scipy.linalg and scipy.optimize when they are first used

from ktc._base.validation import Array
from ktc._model.description import Description, network_of
from ktc._model.network import Network

# Where the energy is this many kT above its least value, 1e-22 of the probability is left out.
DEEPEST = 50.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def at_equilibrium(device: Description, name: str = "device") -> Network:
    """The device's network, where it relaxes to exp(−H/kT)/Z.

    Raises:
        ValueError: several temperatures, sources or noise generators.
    """
    net = network_of(device, name)
    _ = net.common_kT
    driven = net.controls.emf.any() or net.controls.current.any()
    if driven or (net.elements is not None and net.elements.noises):
        raise ValueError(
            "this needs a network at equilibrium, but sources or noise generators drive this one; "
            "sample an Emulator instead"
        )
    return net


def free_energy(device: Description) -> float:
    """F = −kT ln Z, Z = ∫ exp(−H/kT) dx (and dp where there is inertia), in the unit of kT.

    F = −½ bᵀK⁻¹b + ½ kT ln det K − ½ d kT ln(2π kT) (− ½ kT Σ ln(2π kT M)), which fixes Z in the
    network's own units; differences do not depend on them while kT stays. Quartic units that are
    coupled to no other are integrated one by one, to some 1e-13 kT.

    Raises:
        ValueError: coupled quartic units (``theory.free_energy_difference`` estimates differences
            of theirs), several temperatures, sources or noise generators.

    Example:
        >>> import ktc
        >>> round(free_energy(ktc.Network(stiffness=2.0, friction=1.0))
        ...       - free_energy(ktc.Network(stiffness=1.0, friction=1.0)), 6)
        0.346574
        >>> round(free_energy(ktc.Network(stiffness=-1.0, friction=1.0, quartic=1.0)), 6)
        -1.362293
    """
    net = at_equilibrium(device)
    kT, quartic = net.common_kT, net.quartic > 0
    _refuse_coupled(net)
    own = np.diagonal(net.stiffness)
    value = 0.0
    for i in np.flatnonzero(quartic):
        value += _unit_free_energy(own[i], net.bias[i], net.quartic[i], kT)
    if not quartic.all():
        stiffness, bias = net.stiffness[np.ix_(~quartic, ~quartic)], net.bias[~quartic]
        value -= 0.5 * float(bias @ np.linalg.solve(stiffness, bias))
        value += 0.5 * kT * float(np.linalg.slogdet(stiffness / (2 * np.pi * kT))[1])
    if net.inertia is not None:
        value -= 0.5 * kT * float(np.sum(np.log(2 * np.pi * kT * net.inertia)))
    return value


def free_energy_change(before: Description, after: Description) -> float:
    """F(after) − F(before) of one device at two settings of its bias, stiffness and quartic.

    ΔF = −½ Δbᵀ K′⁻¹(b + b′) + ½ (K′⁻¹b)ᵀ ΔK (K⁻¹b) + ½ kT ln(det K′/det K): the differences are
    taken before the products, so that a small step between large biases keeps its digits. With
    quartic units, the difference of two quadratures.

    Raises:
        ValueError: where kT or the number of units differ, and as ``free_energy``.

    Example:
        >>> import ktc
        >>> soft, stiff = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 2.0))
        >>> round(free_energy_change(soft, stiff), 6)
        0.346574
    """
    old, new = network_of(before, "before"), network_of(after, "after")
    refuse_unlike(old, new)
    if old.quartic.any() or new.quartic.any():
        return free_energy(after) - free_energy(before)
    old, new = at_equilibrium(before, "before"), at_equilibrium(after, "after")
    value = -0.5 * (new.bias - old.bias) @ np.linalg.solve(new.stiffness, new.bias + old.bias)
    ratio = 0.0
    if not np.array_equal(old.stiffness, new.stiffness):
        at_old, at_new = (np.linalg.solve(net.stiffness, old.bias) for net in (old, new))
        value += 0.5 * at_new @ (new.stiffness - old.stiffness) @ at_old
        ratio += float(np.sum(np.log(scipy.linalg.eigvalsh(new.stiffness, old.stiffness))))
    if old.inertia is not None and new.inertia is not None:
        ratio -= float(np.sum(np.log(new.inertia / old.inertia)))
    return float(value + 0.5 * old.common_kT * ratio)


def refuse_unlike(before: Network, after: Network) -> None:
    """Refuses two networks between which there is no free energy change."""
    if before.units != after.units:
        raise ValueError(
            f"after must have {before.units} units as before has, but has {after.units}: a free "
            "energy change belongs to one device"
        )
    if before.common_kT != after.common_kT:
        raise ValueError(
            f"after must have kT = {before.common_kT:g} as before has, but has "
            f"{after.common_kT:g}: between two temperatures there is no free energy change"
        )


def kinetic_change(before: Network, after: Network) -> float:
    """−½ kT Σ ln(M′/M): the momenta's part of a free energy change."""
    if before.inertia is None or after.inertia is None:
        return 0.0
    return -0.5 * before.common_kT * float(np.sum(np.log(after.inertia / before.inertia)))


def method_of(*devices: Description) -> str:
    """How their free energies are found: "closed form", or "quadrature" with quartic units."""
    quartic = any(device.network.quartic.any() for device in devices)
    return "quadrature" if quartic else "closed form"


def coupled_quartic(net: Network) -> tuple[int, int] | None:
    """A quartic unit and one that it is coupled to; None where there is no such pair."""
    for unit in np.flatnonzero(net.quartic):
        others = np.flatnonzero(net.stiffness[unit])
        others = others[others != unit]
        if len(others):
            return int(unit), int(others[0])
    return None


def _refuse_coupled(net: Network) -> None:
    pair = coupled_quartic(net)
    if pair is not None:
        raise ValueError(
            f"the free energy of coupled quartic units has no closed form and no quadrature: "
            f"quartic unit {pair[0]} is coupled to unit {pair[1]}; theory.free_energy_difference "
            "estimates differences of it"
        )


def _unit_free_energy(stiffness: float, bias: float, quartic: float, kT: float) -> float:
    """−kT ln ∫ exp(−V/kT) dx of V = ½kx² − bx + ¼κx⁴, by Gauss's rule between levels of V.

    In units of (kT/κ)^¼, v(y) = ½ay² − cy + ¼y⁴. Every stretch on which v is monotone is cut where
    v has doubled, so that twenty nodes integrate each piece to rounding however deep wells are.
    """
    length = (kT / quartic) ** 0.25
    a, c = stiffness * length**2 / kT, bias * length / kT

    def v(y: Array | float) -> Array:
        return np.asarray(y * (y * (0.5 * a + 0.25 * np.square(y)) - c))

    roots = np.roots([1.0, 0.0, a, -c])
    rests = np.sort(roots.real[np.abs(roots.imag) <= 1e-9 * np.abs(roots).max()])
    least = float(v(rests).min())
    far = 1.0 + float(np.abs(rests).max())
    while min(v(far), v(-far)) < least + DEEPEST:
        far *= 2
    total = 0.0
    levels = least + np.concatenate([[0.25], 2.0 ** np.arange(0, 5), [DEEPEST]])
    for left, right in zip([-far, *rests], [*rests, far], strict=True):
        low, high = sorted((float(v(left)), float(v(right))))
        cuts = [
            float(scipy.optimize.brentq(lambda y, level=level: float(v(y)) - level, left, right))
            for level in levels[(levels > low) & (levels < high)]
        ]
        # Beyond the last level nothing is left to integrate.
        ends = [y for y in (left, right) if v(y) <= levels[-1]]
        edges = np.sort([*cuts, *ends])
        for begin, end in pairwise(edges):
            half = 0.5 * (end - begin)
            total += half * float(WEIGHTS @ np.exp(least - v(begin + half * (NODES + 1))))
    return float(kT * (least - np.log(total) - np.log(length)))
