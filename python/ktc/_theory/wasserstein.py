"""Distances of transport, and the bound that they set to the work of any control whatever."""

from __future__ import annotations

import numpy as np
import scipy  # imports scipy.linalg, scipy.sparse and scipy.special when they are first used

from ktc._base.validation import Array, positive
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._model.quartic_unit import OneUnit
from ktc._theory import quantiles
from ktc._theory.free_energies import at_equilibrium, refuse_unlike
from ktc._theory.gaussian import inverse, symmetrized

NEWTON_STEPS = 200


def wasserstein_distance(before: Description, after: Description) -> float:
    """𝒲 between two equilibria of one device, 𝒲² = min ⟨(x − y)ᵀR(x − y)⟩ over all couplings.

    Gaussian: 𝒲² = ΔmᵀRΔm + tr R(P + P′) − 2 tr (S P′ S)^½ in coordinates R^½x, S² = P (the metric
    of Bures). Units that are coupled to none, quartic ones too: R∫(q′ − q)² du of the quantiles.

    Raises:
        ValueError: inertia or inductors, coupled quartic units, several temperatures, sources.

    Source: Gelbrich (1990), Math. Nachr. 147, 185; Aurell, Mejía-Monasterio, Muratore-Ginanneschi
    (2011), Phys. Rev. Lett. 106, 250601.

    Example:
        >>> import ktc
        >>> wide, narrow = (ktc.Network(k, 1.0) for k in (1.0, 4.0))
        >>> wasserstein_distance(wide, narrow)  # the widths differ by ½
        0.5
    """
    old, new = _pair(before, after)
    if not old.quartic.any() and not new.quartic.any():
        root = _root(old.friction)
        first, last = (symmetrized(root @ _covariance(net) @ root) for net in (old, new))
        inner = _root(first)
        overlap = np.linalg.eigvalsh(symmetrized(inner @ last @ inner))
        spread = np.trace(first + last) - 2 * np.sum(np.sqrt(np.maximum(overlap, 0)))
        move = _mean(new) - _mean(old)
        return float(np.sqrt(max(0.0, spread) + move @ old.friction @ move))
    total = 0.0
    for unit in range(old.units):
        friction = float(old.friction[unit, unit])
        total += friction * quantiles.squared_distance(_unit(old, unit), _unit(new, unit))
    return float(np.sqrt(total))


def least_dissipation(before: Description, after: Description, duration: float) -> float:
    """𝒲²/T: the least heat that no return gives back, of any overdamped motion between equilibria.

    It is reached where all of H may be controlled, and is the excess work of a drive that ends in
    equilibrium, such as R(σ_f − σ_i)²/T for the stiffness of one unit.

    Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601.

    Example:
        >>> import ktc
        >>> least_dissipation(ktc.Network(1.0, 1.0), ktc.Network(4.0, 1.0), duration=0.5)
        0.5
    """
    return wasserstein_distance(before, after) ** 2 / positive("duration", duration)


def wasserstein_bound(before: Description, after: Description, duration: float) -> float:
    """Least excess work of any control of overdamped dynamics from one equilibrium to a model.

    min over p of 𝒲²(p₀, p)/T + kT KL(p‖p_T): dissipation on the way to p, and what is left to relax
    when the controls have reached the model p_T. Every drive costs at least as much, with whatever
    controls; for Gaussians the bias and the stiffness suffice to reach it. 𝒲²(p₀, p_T)/T alone is
    no bound: controls may arrive before the state does.

    Gaussian: mean and covariance part. The mean's is μᵀR(T + 2K⁻¹R)⁻¹μ, the bound of bias drives;
    the covariance's is a convex minimum over the linear map that carries p₀ to p, by Newton's
    method, to rounding. Units coupled to none, quartic ones too: a minimum over monotone maps of
    quantiles, to some 1e-7 kT; where the target has two wells, the lower one of two that Newton's
    method finds from p₀ and from p_T.

    Args:
        before: at its initial controls, where it starts in equilibrium.
        after: the same device at its final controls, the model.
        duration: T.

    Raises:
        ValueError: as ``wasserstein_distance``.

    Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601;
    with the final relaxation: Jordan, Kinderlehrer, Otto (1998), SIAM J. Math. Anal. 29, 1.

    Example:
        >>> import ktc
        >>> start, end = ktc.Network(1.0, 1.0), ktc.Network(1.0, 1.0, bias=5.0)
        >>> round(wasserstein_bound(start, end, 1.0), 6)
        8.333333
    """
    old, new = _pair(before, after)
    time = positive("duration", duration)
    if not old.quartic.any() and not new.quartic.any():
        move = _mean(new) - _mean(old)
        metric = time * inverse(old.friction) + 2 * inverse(new.stiffness)
        return float(move @ np.linalg.solve(metric, move)) + _covariance_bound(old, new, time)
    total = 0.0
    for unit in range(old.units):
        friction = float(old.friction[unit, unit])
        total += quantiles.bound(_unit(old, unit), _unit(new, unit), friction, time)
    return total


def _covariance_bound(old: Network, new: Network, time: float) -> float:
    """min over symmetric A of tr (A−1)P(A−1)/T + ½kT[tr BAPA − ln det BAPA − d], Newton's method.

    In coordinates R^½x, p₀ = N(0, P) and A > 0 is the map that carries it to p; B = P_T⁻¹. The
    objective is convex in A, and its last term keeps A positive.
    """
    kT, d = old.common_kT, old.units
    root = _root(old.friction)
    start = symmetrized(root @ _covariance(old) @ root)
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
        step = _solve(lambda s, back=back: curve(s, back), -slope)
        fall = -float(np.sum(slope * step))
        if fall <= 1e-26 * (d + abs(value(carrier))):
            break
        # Newton's step, shortened while A is not positive or the objective does not fall.
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


def _solve(apply: object, right: Array) -> Array:
    """Symmetric X with apply(X) = right: dense for few units, conjugate gradients for many."""
    d = len(right)
    if d <= 16:
        first, second = np.triu_indices(d)
        columns = []
        for i, j in zip(first, second, strict=True):
            unit = np.zeros((d, d))
            unit[i, j] = unit[j, i] = 1.0
            columns.append(apply(unit)[first, second])  # type: ignore[operator]
        entries = np.linalg.solve(np.stack(columns, axis=1), right[first, second])
        solution = np.zeros((d, d))
        solution[first, second] = solution[second, first] = entries
        return solution
    operator = scipy.sparse.linalg.LinearOperator(
        (d * d, d * d),
        matvec=lambda x: np.ravel(apply(x.reshape(d, d))),  # type: ignore[operator]
        dtype=np.float64,
    )
    flat, _ = scipy.sparse.linalg.cg(operator, right.ravel(), maxiter=20 * d)
    return symmetrized(flat.reshape(d, d))


def _pair(before: Description, after: Description) -> tuple[Network, Network]:
    old, new = at_equilibrium(before, "before"), at_equilibrium(after, "after")
    refuse_unlike(old, new)
    for name, net in (("before", old), ("after", new)):
        if net.inertia is not None or not net.has_friction:
            raise ValueError(
                f"{name} has inertia or inductors; the distance of transport bounds the work of "
                "overdamped networks alone"
            )
    if not np.array_equal(old.friction, new.friction):
        raise ValueError("after must have the friction that before has: it is one device")
    if old.quartic.any() or new.quartic.any():
        for name, net in (("before", old), ("after", new)):
            bonds = np.argwhere(np.triu(net.stiffness, 1) + np.triu(net.friction, 1))
            if len(bonds):
                raise ValueError(
                    f"units {bonds[0][0]} and {bonds[0][1]} of {name} are coupled beside quartic "
                    "units, and their distance of transport has no closed form and no quadrature"
                )
    return old, new


def _unit(net: Network, unit: int) -> OneUnit:
    own = float(net.stiffness[unit, unit])
    return OneUnit(own, float(net.bias[unit]), float(net.quartic[unit]), net.common_kT)


def _mean(net: Network) -> Array:
    return np.asarray(np.linalg.solve(net.stiffness, net.bias), np.float64)


def _covariance(net: Network) -> Array:
    return net.common_kT * inverse(net.stiffness)


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return symmetrized((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
