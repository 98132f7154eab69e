"""Least excess work of Gaussian networks where the bias is driven along some directions only.

With the modes V of K in the metric R (VᵀRV = 1, VᵀKV = Λ), b = B s, C = VᵀB, and distances e, w of
mean and values from the end, ė = −Λe + C w and

    W_ex = ∫₀ᵀ |C w − Λ e|² dt + ½ e(T)ᵀ Λ e(T),

the heat during the drive and of the relaxation after it. Its least value is e(0)ᵀ P(0) e(0), with

    −dP/dt = −ΛP − PΛ + Λ² − (P − Λ) Π (P − Λ),    P(T) = ½ Λ,

where Π projects on the range of C. With Π = 1 it is P(0) = (T + 2Λ⁻¹)⁻¹, the least of any drive.

Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301; linear–quadratic control, Anderson,
Moore (1990), Optimal Control, ch. 3; doubling, Anderson (1978), Int. J. Control 28, 295.
"""

from __future__ import annotations

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._model.network import Network
from ktc._theory.gaussian import symmetrized


def least_work_along(net: Network, to_bias: Array, change: Array, time: float) -> float:
    """Least excess work of changing s by ``change`` in a time, b = b₀ + B s; from equilibrium.

    Args:
        net: an overdamped Gaussian network.
        to_bias: B, of full rank, shape (d, p).
        change: change of s, shape (p,).
        time: T.
    """
    rates, modes = scipy.linalg.eigh(net.stiffness, net.friction)
    rates = rates * time
    driven = modes.T @ to_bias
    range_of, _ = np.linalg.qr(driven / np.linalg.norm(driven, axis=0))
    least = _riccati(rates, range_of @ range_of.T)
    away = driven @ change / rates
    return float(time * (away @ least @ away))


def _riccati(rates: Array, projector: Array) -> Array:
    """P(0) in units of time where T is 1."""
    d = len(rates)
    one = np.eye(d)
    left = one - projector
    drift, cost = -left * rates, rates[:, None] * left * rates
    block = np.block([[drift, -projector], [-cost, -drift.T]])
    doublings = max(0, int(np.ceil(np.log2(np.linalg.norm(block, 2)))))
    moved = scipy.linalg.expm(block / 2**doublings)
    # Two point form: e(h) = A e(0) − G p(h), p(0) = H e(0) + Aᵀ p(h), of which none grows.
    back = np.linalg.inv(moved[d:, d:])
    along, reach, value = back.T, -moved[:d, d:] @ back, -back @ moved[d:, :d]
    for _ in range(doublings):
        joined = np.linalg.inv(one + reach @ value)
        value, reach, along = (
            symmetrized(value + along.T @ value @ joined @ along),
            symmetrized(reach + along @ joined @ reach @ along.T),
            along @ joined @ along,
        )
    end = 0.5 * np.diag(rates)
    return symmetrized(value + along.T @ end @ np.linalg.solve(one + reach @ end, along))
