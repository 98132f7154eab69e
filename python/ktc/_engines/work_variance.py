"""The variance of work, heat, supply and source energy of a Gaussian ensemble, carried exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._engines.moments_motion import Hold
from ktc._model.accounts import NET_HEAT

# Rows of what is carried: work, work + source + energy at the opening, and supply and source, which
# are linear in the path.
WORK, TOTAL, SUPPLY, SOURCE = range(4)
WORKS = slice(0, 2)


class Feed(NamedTuple):
    """Energy from sources over a hold beside its mean, c·Δδ + ζ, ζ white noise on the path.

    With δ′ = F δ + noise of covariance rate D, and source power ℓ·δ + Σ_r e_r σ_r dW_r/dt, where
    resistor r adds d_r σ_r dW_r to δ,

        Fᵀ c = ℓ,   d Cov(ζ, noise of δ)/dt = Σ_r e_r σ_r² d_r − D c,
        d Var ζ/dt = Σ_r σ_r² (e_r − c·d_r)² + c·D_g c, with D_g of the generators.

    Attributes:
        pull: c, shape (rows,).
        cross: the rate of Cov(ζ, δ), shape (rows,).
        rate: the rate of Var ζ.
    """

    pull: Array
    cross: Array
    rate: float


class WorkVariance:
    """Second moments of energies W with the state, δ = z − ⟨z⟩ normal with covariance P.

    Every control update adds a quadratic form, ½ δᵀSδ + vᵀδ beside its mean, to the work. With
    c = Cov(W, δ) and C = Cov(W, δδᵀ), Isserlis' theorem makes this closed:

        an update   Var W += tr(S C) + 2 v·c + ½ tr(SPSP) + vᵀPv,   c += P v,   C += P S P
        a hold      c → A c,   C → A C Aᵀ

    Heat is W + source + H(opening) − H(now), less what generators inject; supply Σ b·Δz is linear,
    and source energy as ``Feed`` says. Values are replaced, never changed in place, so that a
    shallow copy is a copy.

    Attributes:
        closed: whether that is heat: no generator has acted.
    """

    def __init__(self, covariance: Array, hessian: Array, slope: Array) -> None:
        """Start at zero, where H = ½ δᵀ hessian δ + slope·δ beside its mean."""
        self.linear = np.stack([0 * slope, covariance @ slope, 0 * slope, 0 * slope])
        self.curved = np.stack([0 * covariance, covariance @ hessian @ covariance])
        self.variance = np.array([0.0, _variance(covariance, hessian, slope), 0.0, 0.0])
        self.closed = True
        self._pending: tuple[Hold, int] | None = None

    def copy(self) -> WorkVariance:
        """A shallow copy."""
        twin = WorkVariance.__new__(WorkVariance)
        vars(twin).update(vars(self))
        return twin

    def update(self, covariance: Array, form: Array | None, slope: Array) -> None:
        """Carry an update that adds ½ δᵀ form δ + slope·δ to the work; None for no form."""
        moved = covariance @ slope
        change = np.full(2, slope @ moved) + 2 * (self.linear[WORKS] @ slope)
        if form is not None:
            self.catch_up()
            pulled = covariance @ form
            change += 0.5 * np.sum(pulled * pulled.T)
            change += np.sum(self.curved * form, axis=(1, 2))
            self.curved = self.curved + pulled @ covariance
        variance, linear = self.variance.copy(), self.linear.copy()
        variance[WORKS] += change
        linear[WORKS] += moved
        self.variance, self.linear = variance, linear

    def hold(
        self,
        hold: Hold,
        before: Array,
        after: Array,
        bias: Array | None,
        feed: Feed | None = None,
    ) -> None:
        """Carry a hold from covariance ``before`` to ``after`` at a bias; None for no bias.

        Until ``catch_up`` all holds must be of one motion.
        """
        linear = self.linear @ hold.decay.T
        if feed is not None:
            assert hold.lag is not None  # of driven holds
            carried, crossed = hold.decay @ (before @ feed.pull), hold.lag @ feed.cross
            gained = after @ feed.pull - carried + crossed
            own = feed.pull @ (gained + before @ feed.pull - carried + crossed)
            variance = self.variance.copy()
            for row in (TOTAL, SOURCE):
                joint = (linear[row] - self.linear[row]) @ feed.pull
                variance[row] += own + feed.rate * hold.duration + 2 * joint
                linear[row] += gained
            self.variance = variance
        if bias is not None:
            pulled, later = before @ bias, after @ bias
            carried = hold.decay @ pulled
            own = bias @ later + bias @ pulled - 2 * (bias @ carried)
            variance = self.variance.copy()
            variance[SUPPLY] += own + 2 * ((linear - self.linear)[SUPPLY] @ bias)
            linear[SUPPLY] += later - carried
            self.variance = variance
        self.linear = linear
        if self._pending is not None and self._pending[0].duration == hold.duration:
            self._pending = (hold, self._pending[1] + 1)
        else:
            self.catch_up()
            self._pending = (hold, 1)

    def amounts(self, covariance: Array, hessian: Array, slope: Array) -> dict[str, float]:
        """The known variances by name; H now is ½ δᵀ hessian δ + slope·δ beside its mean."""
        found = {"work": self.variance[WORK], "supply": self.variance[SUPPLY]}
        now = self.copy()
        now.catch_up()
        joint = 0.5 * np.sum(now.curved[TOTAL] * hessian) + now.linear[TOTAL] @ slope
        own = _variance(covariance, hessian, slope)
        found[NET_HEAT] = self.variance[TOTAL] + own - 2 * joint
        if self.closed:
            found["heat"] = found[NET_HEAT]
        found["source"] = self.variance[SOURCE]
        return {name: max(0.0, float(value)) for name, value in found.items()}

    def catch_up(self) -> None:
        """Carry C over the holds since it was last needed."""
        if self._pending is None:
            return
        hold, times = self._pending
        decay = np.linalg.matrix_power(hold.decay, times)
        self.curved, self._pending = decay @ self.curved @ decay.T, None

    def snapshot(self) -> dict[str, Any]:
        """Arrays and numbers of which ``of_snapshot`` makes the same."""
        parts = {name: part for name, part in vars(self).items() if name != "_pending"}
        hold, times = self._pending or (None, 0)
        return parts | {"waiting": np.array([0.0 if hold is None else hold.duration, times])}

    @classmethod
    def of_snapshot(
        cls, saved: Mapping[str, Any], hold_of: Callable[[float], Hold]
    ) -> WorkVariance:
        """The one whose ``snapshot`` this is, with the holds of the present motion."""
        made = cls.__new__(cls)
        made.linear, made.curved = saved["linear"], saved["curved"]
        made.variance, made.closed = saved["variance"], bool(saved["closed"])
        duration, times = saved["waiting"]
        if not (duration >= 0 and 0 <= times < 2**53):
            raise ValueError(f"spread_waiting must not be negative, but is {saved['waiting']}")
        made._pending = (hold_of(float(duration)), int(times)) if times else None
        return made


def _variance(covariance: Array, hessian: Array, slope: Array) -> float:
    bent = covariance @ hessian
    return float(0.5 * np.sum(bent * bent.T) + slope @ covariance @ slope)
