"""What can be programmed while a network runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ktc.checks import (
    Array,
    frozen,
    known_keywords,
    per_unit,
    positive,
    positive_definite,
    real_array,
    square,
    symmetric,
)

CONTROL_NAMES = ("bias", "stiffness", "quartic", "kT", "emf", "current")

CONFINE = "nothing confines the energy: add to its diagonal, or give those units a quartic term"


@dataclass(frozen=True)
class Controls:
    """A setting of all controls: H = ½ xᵀ stiffness x − biasᵀ x + ¼ Σ quartic x⁴.

    Attributes:
        bias: shape (d,).
        stiffness: shape (d, d), symmetric; positive definite among the units without quartic.
        kT: thermal energy of all resistors, or one number a heat account, shape (accounts,).
        quartic: shape (d,), not negative.
        emf: EMF in the branch of each resistor, shape (resistors,).
        current: of each current source, shape (sources,).
        accounts: number of heat accounts.
    """

    bias: Array
    stiffness: Array
    kT: float | Array
    quartic: Array
    emf: Array
    current: Array
    accounts: int

    def updated(self, **changes: Any) -> Controls:
        """These controls with some replaced, all checked.

        Raises:
            TypeError: an unknown control, or something that is not a number.
            ValueError: a wrong shape, a number that is not finite, a stiffness that is not
                symmetric or that confines nothing, a negative quartic, a kT that is not positive.
        """
        known_keywords(changes, CONTROL_NAMES, "control")
        units = len(self.bias)
        checked: dict[str, Any] = {}
        if "bias" in changes:
            checked["bias"] = frozen(per_unit("bias", changes["bias"], units))
        if "quartic" in changes:
            checked["quartic"] = quartic_per_unit(changes["quartic"], units)
        if "stiffness" in changes or "quartic" in changes:
            matrix = square("stiffness", changes.get("stiffness", self.stiffness), units)
            quartic = checked.get("quartic", self.quartic)
            checked["stiffness"] = frozen(confining(matrix, quartic))
        if "kT" in changes:
            checked["kT"] = temperatures(changes["kT"], self.accounts, units)
        for name in ("emf", "current"):
            if name in changes:
                size = len(getattr(self, name))
                checked[name] = frozen(per_unit(name, changes[name], size))
        return replace(self, **checked)

    def as_dict(self) -> dict[str, Any]:
        """The controls by name."""
        return {name: getattr(self, name) for name in CONTROL_NAMES}

    def arrays(self) -> dict[str, Any]:
        """The controls as the core takes them: kT as one number a heat account."""
        kT = np.broadcast_to(np.asarray(self.kT, dtype=float), (self.accounts,))
        return {**self.as_dict(), "kT": np.ascontiguousarray(kT)}

    def shape(self, name: str) -> tuple[int, ...]:
        """Full shape of a control."""
        return (self.accounts,) if name == "kT" else np.shape(getattr(self, name))

    @property
    def isothermal(self) -> bool:
        """Whether all resistors are at one temperature."""
        return np.ndim(self.kT) == 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Controls) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in CONTROL_NAMES
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside


def quartic_per_unit(value: Any, units: int) -> Array:
    """``value`` as one quartic coefficient a unit, none negative."""
    quartic = per_unit("quartic", value, units)
    if (quartic < 0).any():
        unit = int(np.argmax(quartic < 0))
        raise ValueError(
            f"quartic must not be negative, but is {quartic[unit]} at unit {unit}: "
            "nothing would confine the energy"
        )
    return frozen(quartic)


def confining(stiffness: Array, quartic: Array) -> Array:
    """``stiffness``, symmetric and positive definite among the units that have no quartic term.

    A quartic term outgrows every quadratic one along its own unit, so that only displacements of
    the other units alone need a positive energy.
    """
    matrix = symmetric("stiffness", stiffness)
    bare = np.flatnonzero(quartic == 0)
    if len(bare):
        positive_definite("stiffness", matrix[np.ix_(bare, bare)], CONFINE)
    return matrix


def temperatures(value: Any, accounts: int, units: int) -> float | Array:
    """``value`` as the thermal energy of all resistors alike, or as one a heat account.

    One number a unit is taken for all alike, too, where all are equal.
    """
    array = real_array("kT", value)
    if array.ndim == 0:
        return positive("kT", value)
    alike = bool(array.size) and bool((array == array.flat[0]).all()) and array.flat[0] > 0
    if array.shape != (accounts,) and not (alike and array.shape == (units,)):
        raise ValueError(
            f"kT must be one number, or of shape ({accounts},), one a heat account, "
            f"but is {array} of shape {array.shape}; units at several temperatures need a friction "
            "that is a scalar or (d,)"
        )
    if (array < 0).any():
        place = int(np.argmax(array < 0))
        raise ValueError(f"kT must not be negative, but is {array[place]} at account {place}")
    return float(array[0]) if alike else frozen(array)
