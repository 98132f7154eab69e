"""Wasserstein distance between equilibria, and the bounds that it sets to excess work."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import positive, refusing_overflow
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.potential_unit import unit_of
from ktc._theory import quantiles
from ktc._theory.free_energies import at_equilibrium, refuse_unlike
from ktc._theory.gaussian import bures, equilibrium, square_root, symmetrized
from ktc._theory.transport import Transport


def wasserstein_distance(before: Description, after: Description) -> float:
    """Wasserstein distance 𝒲 between two equilibria of one device, weighted by its friction matrix.

    𝒲² = min ⟨(x − y)ᵀR(x − y)⟩ over all couplings of both distributions. For Gaussian networks
    𝒲² = ΔmᵀRΔm + tr(P + P′) − 2 tr (S P′ S)^½ with covariances P = S² and P′ in coordinates R^½x
    (Bures–Wasserstein). For units without couplings, also nonlinear ones, 𝒲² = R∫(q′ − q)² du with
    their quantiles q(u). 𝒲² has the unit of energy · time.

    Args:
        before, after: a Network or a Board at the first and at the last controls.

    Raises:
        ValueError: inertia or inductors, coupled nonlinear units, several temperatures, sources.

    Source: Gelbrich (1990), Math. Nachr. 147, 185; Aurell, Mejía-Monasterio, Muratore-Ginanneschi
    (2011), Phys. Rev. Lett. 106, 250601.

    Example:
        >>> import ktc
        >>> wide, narrow = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 4.0))
        >>> ktc.theory.wasserstein_distance(wide, narrow)  # the widths differ by ½
        0.5
    """
    old, new = _pair(before, after)
    if old.is_linear and new.is_linear:
        root = square_root(old.friction)
        ends = [equilibrium(net) for net in (old, new)]
        first, last = (symmetrized(root @ end.covariance @ root) for end in ends)
        move = ends[1].mean - ends[0].mean
        return float(np.sqrt(bures(first, last) + move @ old.friction @ move))
    total = 0.0
    for unit, friction in enumerate(old.friction.diagonal().tolist()):
        total += friction * quantiles.squared_distance(unit_of(old, unit), unit_of(new, unit))
    return float(np.sqrt(total))


def least_dissipation(before: Description, after: Description, duration: float) -> float:
    """Least dissipation 𝒲²/T of any overdamped motion from one equilibrium to another.

    It is the excess work of the optimal drive that ends in equilibrium, if all of H can be
    controlled; for the stiffness of one unit it is R(σ_f − σ_i)²/T.

    Args:
        before, after: as for ``theory.wasserstein_distance``.
        duration: T.

    Raises:
        ValueError: as for ``theory.wasserstein_distance``.

    Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601.

    Example:
        >>> import ktc
        >>> wide, narrow = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 4.0))
        >>> ktc.theory.least_dissipation(wide, narrow, duration=0.5)
        0.5
    """
    return wasserstein_distance(before, after) ** 2 / positive("duration", duration)


@refusing_overflow("1/duration")
def wasserstein_bound(before: Description, after: Description, duration: float) -> float:
    """Least excess work of any drive of an overdamped device from equilibrium to given controls.

    min over p of 𝒲²(p₀, p)/T + kT KL(p‖p_T), with KL the Kullback–Leibler divergence: the
    dissipation on the way from p₀ to p, and of the relaxation to p_T after the controls have
    arrived. No drive of any controls costs less. For Gaussian networks, drives of bias and
    stiffness reach the bound. 𝒲²(p₀, p_T)/T is no bound, because the controls may arrive before
    the state.

    For Gaussian networks it is in closed form. Mean and covariance separate, and the mean
    contributes μᵀR(T + 2K⁻¹R)⁻¹μ, the bound of bias drives. For units without couplings, also
    nonlinear ones, it is a minimum over monotone maps of quantiles, to about 1e-7 kT. If the target
    has two wells, it is the lower of two minima that Newton's method finds from p₀ and from p_T.

    Args:
        before, after, duration: as for ``theory.least_dissipation``.

    Raises:
        ValueError: as for ``theory.wasserstein_distance``.

    Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601;
    with the final relaxation: Jordan, Kinderlehrer, Otto (1998), SIAM J. Math. Anal. 29, 1.

    Example:
        >>> import ktc
        >>> start, end = (ktc.Network(stiffness=1.0, friction=1.0, bias=b) for b in (0.0, 5.0))
        >>> round(ktc.theory.wasserstein_bound(start, end, duration=1.0), 6)
        8.333333
    """
    old, new = _pair(before, after)
    time = positive("duration", duration)
    if old.is_linear and new.is_linear:
        root = square_root(old.friction)
        first, last = equilibrium(old), equilibrium(new)
        start, end = (symmetrized(root @ one.covariance @ root) for one in (first, last))
        goal = Transport(root @ last.mean, end, old.common_kT)
        return goal.excess(root @ first.mean, start, time)
    total = 0.0
    for unit, friction in enumerate(old.friction.diagonal().tolist()):
        total += quantiles.bound(unit_of(old, unit), unit_of(new, unit), friction, time)
    return total


def _pair(before: Description, after: Description) -> tuple[Network, Network]:
    old, new = at_equilibrium(before, "before"), at_equilibrium(after, "after")
    refuse_unlike(old, new)
    for name, net in (("before", old), ("after", new)):
        if net.inertia is not None or not net.has_friction:
            raise ValueError(
                f"{name} must be overdamped, but has inertia or inductors: the Wasserstein "
                "distance bounds the work of overdamped networks only"
            )
    if not np.array_equal(old.friction, new.friction):
        raise ValueError(
            "after must have the friction matrix of before; pass one device at two settings of its "
            "controls"
        )
    if not old.is_linear or not new.is_linear:
        for name, net in (("before", old), ("after", new)):
            bonds = np.argwhere(np.triu(net.stiffness, 1) + np.triu(net.friction, 1))
            if len(bonds):
                raise ValueError(
                    f"{name} must not have couplings beside nonlinear units, because the "
                    "Wasserstein distance then has no closed form and no quadrature, but its units "
                    f"{bonds[0][0]} and {bonds[0][1]} are coupled; compare with longer runs "
                    "instead, whose excess work falls as 1/duration, or uncouple the units"
                )
    return old, new
