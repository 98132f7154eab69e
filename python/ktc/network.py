"""A network: the physics by itself, in any consistent units."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc.checks import (
    Array,
    frozen,
    per_unit,
    positive,
    positive_definite,
    positive_per_unit,
    real_array,
    square,
)
from ktc.controls import CONFINE, Controls, one_temperature
from ktc.units import CONSISTENT, Units


class Transition(NamedTuple):
    """Exact motion over a hold: z′ = A z + c + N(0, Q), z = x, or (x, p) with inertia."""

    A: Array
    c: Array
    Q: Array


class Network:
    """Noisy units with couplings: one immutable description.

    Without inertia, dx = −R⁻¹∇H dt + √(2kT R⁻¹) dW; with inertia M,
    dx = M⁻¹p dt, dp = −(∂H/∂x + R M⁻¹p) dt + √(2kT R) dW. In both,
    H = ½ xᵀKx − bᵀx (+ ½ pᵀM⁻¹p). The equilibrium is exp(−H/kT)/Z, whatever R is.

    Args:
        stiffness: K, shape (d, d), symmetric positive definite; a scalar makes one unit.
        friction: R, a scalar, (d,) or symmetric positive definite (d, d).
        kT: thermal energy, in the unit of H.
        bias: b, scalar or (d,); zero by default.
        quartic: must be None; nonlinear units are not in this version.
        inertia: M, scalar or (d,), positive; None for an overdamped network.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, K or R not symmetric positive
            definite, kT or M not positive.
        TypeError: something that is not a number.

    Example:
        >>> net = Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0, kT=1.0)
        >>> net.units
        2
        >>> net.relaxation_times.round(3)
        array([0.453, 1.261])

    Source: Whitelam (2024), arXiv 2412.17183; fluctuation–dissipation as in Freitas, Delvenne,
    Esposito (2020), Phys. Rev. X 10, 031005.
    """

    def __init__(
        self,
        stiffness: ArrayLike,
        friction: ArrayLike,
        kT: float = 1.0,
        bias: ArrayLike | None = None,
        quartic: None = None,
        inertia: ArrayLike | None = None,
    ) -> None:
        if quartic is not None:
            raise ValueError(
                f"quartic must be None, but is {quartic!r}: nonlinear units are not in this "
                "version; leave it out"
            )
        matrix = real_array("stiffness", stiffness)
        if matrix.ndim == 0:
            matrix = matrix.reshape(1, 1)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
            raise ValueError(
                f"stiffness must be a square matrix (d, d), but has shape {matrix.shape}"
            )
        d = len(matrix)
        self._controls = Controls(
            bias=frozen(np.zeros(d) if bias is None else per_unit("bias", bias, d)),
            stiffness=frozen(positive_definite("stiffness", matrix, CONFINE)),
            kT=one_temperature(kT),
        )
        self._friction = frozen(_friction_matrix(friction, d))
        self._inertia = (
            None if inertia is None else frozen(positive_per_unit("inertia", inertia, d))
        )

    @property
    def units(self) -> int:
        """Number of units d."""
        return len(self._controls.bias)

    @property
    def controls(self) -> Controls:
        """The controls with which every emulator of this network starts."""
        return self._controls

    @property
    def stiffness(self) -> Array:
        """K, shape (d, d)."""
        return self._controls.stiffness

    @property
    def bias(self) -> Array:
        """b, shape (d,)."""
        return self._controls.bias

    @property
    def kT(self) -> float:
        """Thermal energy."""
        return self._controls.kT

    @property
    def friction(self) -> Array:
        """R, shape (d, d)."""
        return self._friction

    @property
    def inertia(self) -> Array | None:
        """M, shape (d,), or None."""
        return self._inertia

    @property
    def network(self) -> Network:
        """Itself: a Network goes wherever a Board does."""
        return self

    @property
    def scale(self) -> Array:
        """Ones: the public state of a Network is its own."""
        return np.ones(self.units)

    @property
    def symbols(self) -> Units:
        """No unit symbols: the units are the user's."""
        return CONSISTENT

    @property
    def drift(self) -> Array:
        """F of dz = F z dt + …: −R⁻¹K, or [[0, M⁻¹], [−K, −R M⁻¹]] with inertia."""
        if self.inertia is None:
            return np.asarray(-np.linalg.solve(self.friction, self.stiffness), np.float64)
        inverse = np.diag(1 / self.inertia)
        return np.block(
            [[np.zeros_like(inverse), inverse], [-self.stiffness, -self.friction @ inverse]]
        )

    @property
    def relaxation_times(self) -> Array:
        """1/|Re λ| of the drift's eigenvalues λ, ascending, shape (d,) or (2d,)."""
        times: Array = np.sort(-1 / np.linalg.eigvals(self.drift).real)
        return times

    def transition(self, hold: float) -> Transition:
        """Exact motion over a hold at the network's own controls.

        Args:
            hold: duration, positive.

        Returns:
            A = e^{Fh}, c = (1 − A) z*, Q = P − A P Aᵀ, with z* = (K⁻¹b, 0) and
            P = kT (∇²H)⁻¹; shapes (n, n), (n,), (n, n), n = d or 2d.

        Example:
            >>> A, c, Q = Network(stiffness=1.0, friction=1.0, bias=3.0).transition(1.0)
            >>> [float(part.item()) for part in (A.round(4), c.round(4), Q.round(4))]
            [0.3679, 1.8964, 0.8647]
        """
        decay, covariance = _core.network_transition(
            self.friction, self._inertia_or_empty(), self.stiffness, self.kT, positive("hold", hold)
        )
        rest = np.zeros(len(decay))
        rest[: self.units] = np.linalg.solve(self.stiffness, self.bias)
        return Transition(decay, rest - decay @ rest, covariance)

    def with_controls(self, controls: Controls) -> Network:
        """The same network with other controls of its own."""
        return Network(
            controls.stiffness, self.friction, controls.kT, controls.bias, inertia=self.inertia
        )

    def _inertia_or_empty(self) -> Array:
        return np.empty(0) if self.inertia is None else self.inertia

    def as_dict(self) -> dict[str, Any]:
        """Constructor arguments that give an equal network."""
        return {
            "stiffness": self.stiffness,
            "friction": self.friction,
            "kT": self.kT,
            "bias": self.bias,
            "inertia": self.inertia,
        }

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Network)
            and self.controls == other.controls
            and np.array_equal(self.friction, other.friction)
            and np.array_equal(self._inertia_or_empty(), other._inertia_or_empty())
        )

    def __hash__(self) -> int:
        return hash((self.units, self.kT, self.stiffness.tobytes(), self.friction.tobytes()))

    def __repr__(self) -> str:
        kind = "overdamped" if self.inertia is None else "with inertia"
        return f"<ktc.Network: {self.units} units, {kind}, kT={self.kT:g}>"


def _friction_matrix(friction: ArrayLike, d: int) -> Array:
    array = real_array("friction", friction)
    if array.ndim < 2:
        return np.diag(positive_per_unit("friction", friction, d))
    mend = "a resistor that feeds energy in cannot be emulated"
    return positive_definite("friction", square("friction", array, d), mend)
