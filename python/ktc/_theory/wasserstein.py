"""Wasserstein distance between equilibria, and the bounds that it sets to excess work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, positive
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.quartic_unit import OneUnit
from ktc._theory import quantiles
from ktc._theory.free_energies import at_equilibrium, refuse_unlike
from ktc._theory.gaussian import bures, equilibrium, inverse, square_root, symmetrized
from ktc._theory.least_work import least_work_of_move

NEWTON_STEPS = 200


def wasserstein_distance(before: Description, after: Description) -> float:
    """Wasserstein distance 𝒲 between two equilibria of one device, weighted by its friction matrix.

    𝒲² = min ⟨(x − y)ᵀR(x − y)⟩ over all couplings of both distributions. For Gaussian networks
    𝒲² = ΔmᵀRΔm + tr(P + P′) − 2 tr (S P′ S)^½ with covariances P = S² and P′ in coordinates R^½x
    (Bures–Wasserstein). For units without couplings, also quartic ones, 𝒲² = R∫(q′ − q)² du with
    their quantiles q(u). 𝒲² has the unit of energy · time.

    Args:
        before, after: a Network or a Board at the first and at the last controls.

    Raises:
        ValueError: inertia or inductors, coupled quartic units, several temperatures, sources.

    Source: Gelbrich (1990), Math. Nachr. 147, 185; Aurell, Mejía-Monasterio, Muratore-Ginanneschi
    (2011), Phys. Rev. Lett. 106, 250601.

    Example:
        >>> import ktc
        >>> wide, narrow = (ktc.Network(stiffness=k, friction=1.0) for k in (1.0, 4.0))
        >>> ktc.theory.wasserstein_distance(wide, narrow)  # the widths differ by ½
        0.5
    """
    old, new = _pair(before, after)
    if not old.quartic.any() and not new.quartic.any():
        root = square_root(old.friction)
        ends = [equilibrium(net) for net in (old, new)]
        first, last = (symmetrized(root @ end.covariance @ root) for end in ends)
        move = ends[1].mean - ends[0].mean
        return float(np.sqrt(bures(first, last) + move @ old.friction @ move))
    total = 0.0
    for unit, friction in enumerate(old.friction.diagonal().tolist()):
        total += friction * quantiles.squared_distance(OneUnit.of(old, unit), OneUnit.of(new, unit))
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


def wasserstein_bound(before: Description, after: Description, duration: float) -> float:
    """Least excess work of any drive of an overdamped device from equilibrium to given controls.

    min over p of 𝒲²(p₀, p)/T + kT KL(p‖p_T), with KL the Kullback–Leibler divergence: the
    dissipation on the way from p₀ to p, and of the relaxation to p_T after the controls have
    arrived. No drive of any controls costs less. For Gaussian networks, drives of bias and
    stiffness reach the bound. 𝒲²(p₀, p_T)/T is no bound, because the controls may arrive before
    the state.

    For Gaussian networks mean and covariance separate. The mean contributes μᵀR(T + 2K⁻¹R)⁻¹μ, the
    bound of bias drives; the covariance contributes a convex minimum over the linear map from p₀ to
    p, by Newton's method to rounding. For units without couplings, also quartic ones, it is a
    minimum over monotone maps of quantiles, to about 1e-7 kT. If the target has two wells, it is
    the lower of two minima that Newton's method finds from p₀ and from p_T.

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
    if not old.quartic.any() and not new.quartic.any():
        move = equilibrium(new).mean - equilibrium(old).mean
        return least_work_of_move(move, new, time) + _covariance_bound(old, new, time)
    total = 0.0
    for unit, friction in enumerate(old.friction.diagonal().tolist()):
        total += quantiles.bound(OneUnit.of(old, unit), OneUnit.of(new, unit), friction, time)
    return total


def _covariance_bound(old: Network, new: Network, time: float) -> float:
    """min over symmetric A of tr (A−1)P(A−1)/T + ½kT[tr BAPA − ln det BAPA − d], Newton's method.

    In coordinates R^½x, A > 0 maps p₀ = N(0, P) to p, and B = P_T⁻¹. The objective is convex in A,
    and ln det keeps A positive.
    """
    kT, d = old.common_kT, old.units
    root = square_root(old.friction)
    start = symmetrized(root @ equilibrium(old).covariance @ root)
    outward = inverse(root)
    target = symmetrized(outward @ new.stiffness @ outward) / kT
    base = np.linalg.slogdet(target @ start)[1] + d
    weight = 1 / (time * kT)

    def value(carrier: Array) -> float:
        off = carrier - np.eye(d)
        moved = weight * np.sum(off * (off @ start))
        pulled = np.sum((target @ carrier) * (start @ carrier).T)
        sign, log_det = np.linalg.slogdet(carrier)
        return float(moved + 0.5 * (pulled - base) - log_det) if sign > 0 else np.inf

    def curve(step: Array, back: Array) -> Array:
        bent = target @ step @ start
        return symmetrized(2 * weight * step @ start + bent) + back @ step @ back

    carrier = np.eye(d)
    for _ in range(NEWTON_STEPS):
        back = inverse(carrier)
        slope = symmetrized(2 * weight * (carrier - np.eye(d)) @ start + target @ carrier @ start)
        slope -= back
        step = _solve(partial(curve, back=back), -slope)
        fall = -float(np.sum(slope * step))
        if fall <= 1e-26 * (d + abs(value(carrier))):
            break
        # Backtrack while A is not positive or the objective does not decrease.
        share = 1.0
        while True:
            trial = carrier + share * step
            least = float(np.linalg.eigvalsh(trial)[0])
            gained = value(carrier) - value(trial) if least > 0 else -np.inf
            if gained >= 0.25 * share * fall or (share < 1e-8 and gained >= 0) or share < 1e-12:
                break
            share *= 0.5
        carrier = trial if least > 0 else carrier
        if fall < 1e-20:
            break
    return max(0.0, kT * value(carrier))


def _solve(apply: Callable[[Array], Array], right: Array) -> Array:
    """Solve apply(X) = right for symmetric X: dense for few units, conjugate gradients for many."""
    d = len(right)
    if d <= 16:
        first, second = np.triu_indices(d)
        columns = []
        for i, j in zip(first, second, strict=True):
            unit = np.zeros((d, d))
            unit[i, j] = unit[j, i] = 1.0
            columns.append(apply(unit)[first, second])
        entries = np.linalg.solve(np.stack(columns, axis=1), right[first, second])
        solution = np.zeros((d, d))
        solution[first, second] = solution[second, first] = entries
        return solution

    operator = scipy.sparse.linalg.LinearOperator(
        (d * d, d * d), matvec=lambda v: apply(v.reshape(d, d)).ravel(), dtype=np.float64
    )
    flat, _ = scipy.sparse.linalg.cg(operator, right.ravel(), maxiter=20 * d)
    return symmetrized(flat.reshape(d, d))


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
    if old.quartic.any() or new.quartic.any():
        for name, net in (("before", old), ("after", new)):
            bonds = np.argwhere(np.triu(net.stiffness, 1) + np.triu(net.friction, 1))
            if len(bonds):
                raise ValueError(
                    f"{name} must not have couplings beside quartic units, because the Wasserstein "
                    "distance then has no closed form and no quadrature, but its units "
                    f"{bonds[0][0]} and {bonds[0][1]} are coupled; compare with longer runs "
                    "instead, whose excess work falls as 1/duration, or uncouple the units"
                )
    return old, new
