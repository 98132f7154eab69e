"""What can be programmed while a network runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ktc import _core
from ktc._base.codec import register, same
from ktc._base.validation import (
    Array,
    count,
    frozen,
    known_keywords,
    per_unit,
    positive,
    positive_definite,
    real_array,
    square,
    symmetric,
)
from ktc._model.sparse_stiffness import CONFINE, SparseStiffness, is_sparse

CONTROL_NAMES = _core.CONTROLS


@dataclass(frozen=True)
class Controls:
    """A setting of all controls: H = ½ xᵀ stiffness x − biasᵀ x + ¼ Σ quartic x⁴.

    Attributes:
        bias: shape (d,).
        held_stiffness: shape (d, d), symmetric; positive definite among the units without quartic;
            a ``SparseStiffness`` of a sparse network.
        kT: thermal energy of all resistors, or one number a heat account, shape (accounts,).
        quartic: shape (d,), not negative.
        emf: EMF in the branch of each resistor, shape (resistors,).
        current: of each current source, shape (sources,).
        accounts: number of heat accounts.
    """

    bias: Array
    held_stiffness: Array | SparseStiffness
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
            given = changes.get("stiffness", self.held_stiffness)
            quartic = checked.get("quartic", self.quartic)
            checked["held_stiffness"] = self._confining(given, quartic)
        if "kT" in changes:
            checked["kT"] = temperatures(changes["kT"], self.accounts, units)
        for name in ("emf", "current"):
            if name in changes:
                size = len(getattr(self, name))
                checked[name] = frozen(per_unit(name, changes[name], size))
        return replace(self, **checked)

    @property
    def is_sparse(self) -> bool:
        """Whether the stiffness is sparse."""
        return isinstance(self.held_stiffness, SparseStiffness)

    @property
    def stiffness(self) -> Array:
        """K, shape (d, d).

        Raises:
            ValueError: a sparse one of more than 4096 units; take ``sparse_stiffness``.
        """
        held = self.held_stiffness
        return held.dense() if isinstance(held, SparseStiffness) else held

    @property
    def sparse_stiffness(self) -> Any:
        """K as a ``scipy.sparse.csr_array``, closed for writing where it is held as one."""
        from scipy.sparse import csr_array

        held = self.held_stiffness
        return held.matrix if isinstance(held, SparseStiffness) else csr_array(held)

    def _confining(self, given: Any, quartic: Array) -> Array | SparseStiffness:
        """A stiffness of the kind that is held."""
        units = len(self.bias)
        if isinstance(self.held_stiffness, SparseStiffness):
            if np.ndim(given) == 0 and not is_sparse(given):
                from scipy.sparse import eye_array

                given = positive("stiffness", given) * eye_array(units, format="csr")
            return confining_sparse(given, quartic, units)
        if is_sparse(given):
            given = given.toarray()
        return frozen(confining(square("stiffness", given, units), quartic))

    def as_dict(self) -> dict[str, Any]:
        """The controls by name; a sparse stiffness as the arrays of its rows."""
        result: dict[str, Any] = {}
        for name in CONTROL_NAMES:
            if name != "stiffness":
                result[name] = getattr(self, name)
            elif isinstance(self.held_stiffness, SparseStiffness):
                result |= self.held_stiffness.arrays()
            else:
                result[name] = self.held_stiffness
        return result

    def restored(self, saved: Mapping[str, Any]) -> Controls:
        """These controls with those of an ``as_dict`` in their place."""
        changes = {k: v for k, v in saved.items() if not k.startswith("stiffness_")}
        if "stiffness_data" in saved:
            changes["stiffness"] = SparseStiffness.of_arrays(saved)
        return self.updated(**changes)

    def arrays(self) -> dict[str, Any]:
        """The controls as the core takes them: kT as one number a heat account."""
        kT = np.broadcast_to(np.asarray(self.kT, dtype=float), (self.accounts,))
        held = self.held_stiffness
        return {
            "bias": self.bias,
            "stiffness": held.core if isinstance(held, SparseStiffness) else held,
            "kT": np.ascontiguousarray(kT),
            "quartic": self.quartic,
            "emf": self.emf,
            "current": self.current,
        }

    def saved_arrays(self) -> dict[str, Array]:
        """The same as arrays that can be saved; a sparse stiffness as those of its rows."""
        return {**self.as_dict(), "kT": self.arrays()["kT"]}

    def shape(self, name: str) -> tuple[int, ...]:
        """Full shape of a control."""
        sizes = {"kT": (self.accounts,), "stiffness": (len(self.bias),) * 2}
        return sizes[name] if name in sizes else np.shape(getattr(self, name))

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers of units, heat accounts, resistors with an EMF, and current sources."""
        return {
            "units": len(self.bias),
            "accounts": self.accounts,
            "emf": len(self.emf),
            "current": len(self.current),
        }

    @property
    def isothermal(self) -> bool:
        """Whether all resistors are at one temperature."""
        return np.ndim(self.kT) == 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Controls) and (self is other or same(self, other))

    __hash__ = None  # type: ignore[assignment]  # arrays inside


def _restored(
    bias: Array,
    held_stiffness: Array | SparseStiffness,
    kT: float | Array,
    quartic: Array,
    emf: Array,
    current: Array,
    accounts: int,
) -> Controls:
    """Controls of a record, checked."""
    blank = Controls(bias, held_stiffness, kT, quartic, emf, current, count("accounts", accounts))
    changes = {name: getattr(blank, name) for name in CONTROL_NAMES if name != "stiffness"}
    return blank.updated(**changes, stiffness=held_stiffness)


register(Controls, make=_restored)


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


def confining_sparse(stiffness: Any, quartic: Array, units: int | None = None) -> SparseStiffness:
    """The same of a sparse one, without dense algebra."""
    held = stiffness if isinstance(stiffness, SparseStiffness) else None
    result = SparseStiffness.of(stiffness, units) if held is None else held
    result.require_confining(quartic)
    return result


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
