"""Controls: the quantities that can be changed while a network runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.cached import cached_property
from ktc._base.codec import register
from ktc._base.lazy_imports import scipy
from ktc._base.validation import (
    Array,
    count,
    frozen,
    known_keywords,
    per_unit,
    real_array,
    square,
)
from ktc._model.matrices import confining
from ktc._model.potentials.on_site import NOWHERE, ROW, OnSite
from ktc._model.potentials.potential import Potential
from ktc._model.sparse_stiffness import SparseMatrix, SparseStiffness, is_sparse

CONTROL_NAMES = _core.CONTROLS


@dataclass(frozen=True, eq=False)
class Controls:
    """Values of all controls: H = ½ xᵀ stiffness x − biasᵀ x + ¼ Σ quartic x⁴ + Σ V_i(x_i).

    Attributes:
        bias: shape (d,), or (replicas, d) where each replica of an emulator has its own.
        held_stiffness: shape (d, d), symmetric; positive definite among the units without quartic
            terms; a ``SparseStiffness`` in a sparse network.
        kT: thermal energy of all resistors, or one number per heat account, shape (accounts,).
        quartic: shape (d,), not negative.
        emf, current: of each resistor's branch, and of each current source.
        accounts: number of heat accounts.
        potential: numbers of all potentials V_i, unit by unit, empty without any.
        on_site: kinds of the potentials, which are fixed.
    """

    bias: Array
    held_stiffness: Array | SparseStiffness
    kT: float | Array
    quartic: Array
    emf: Array
    current: Array
    accounts: int
    potential: Array = field(default_factory=lambda: frozen(np.empty(0)))
    on_site: OnSite = NOWHERE

    def updated(self, replicas: float = 0, /, **changes: ArrayLike | SparseMatrix) -> Controls:
        """These controls with some of them replaced, all checked.

        A bias may be (replicas, d) where their number is given.

        Raises:
            TypeError: an unknown control, or a value that is not a number.
            ValueError: a wrong shape, a number that is not finite, a stiffness that is not
                symmetric or does not confine the energy, a negative quartic term, or a kT that is
                not positive.
        """
        known_keywords(changes, (*CONTROL_NAMES, *self.on_site.names), "control")
        units = self.units
        checked: dict[str, Any] = {}
        if "bias" in changes:
            checked["bias"] = frozen(_bias(changes["bias"], units, replicas))
        for name in ("emf", "current"):
            if name in changes:
                size = len(getattr(self, name))
                checked[name] = frozen(per_unit(name, changes[name], size))
        if "quartic" in changes:
            checked["quartic"] = quartic_per_unit(changes["quartic"], units)
        named = {name: changes[name] for name in changes if name in (ROW, *self.on_site.names)}
        if named:
            checked["potential"] = self.on_site.replaced(self.potential, named)
        if named or "stiffness" in changes or "quartic" in changes:
            held = self._confining(
                changes.get("stiffness", self.held_stiffness),
                checked.get("quartic", self.quartic),
                checked.get("potential", self.potential),
            )
            if "stiffness" in changes or "quartic" in changes:
                checked["held_stiffness"] = held
        if "kT" in changes:
            checked["kT"] = temperatures(changes["kT"], self.accounts, units)
        return replace(self, **checked)

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.bias.shape[-1])

    @property
    def per_replica(self) -> bool:
        """Whether each replica has a bias of its own."""
        return self.bias.ndim == 2

    @property
    def strongest(self) -> Controls:
        """Controls of one bias, of every unit the largest in magnitude of any replica."""
        if not self.per_replica:
            return self
        rows = np.abs(self.bias).argmax(axis=0)
        return replace(self, bias=frozen(self.bias[rows, np.arange(self.units)]))

    @property
    def is_sparse(self) -> bool:
        """Whether the stiffness is sparse."""
        return isinstance(self.held_stiffness, SparseStiffness)

    @property
    def stiffness(self) -> Array:
        """K, shape (d, d); ValueError beyond 4096 units of a sparse one, ``sparse_stiffness``."""
        held = self.held_stiffness
        return held.dense() if isinstance(held, SparseStiffness) else held

    @property
    def sparse_stiffness(self) -> SparseMatrix:
        """K as a ``scipy.sparse.csr_array``, read-only where the network is sparse."""
        held = self.held_stiffness
        return held.matrix if isinstance(held, SparseStiffness) else scipy.sparse.csr_array(held)

    @cached_property
    def potentials(self) -> tuple[Potential | None, ...]:
        """The potential of each unit, or None."""
        return self.on_site.at(self.potential) or (None,) * self.units

    def parameter(self, name: str) -> Array:
        """Values of a parameter of potentials, one per unit that has it."""
        return np.asarray(self.potential[self.on_site.places(name)])

    @property
    def is_linear(self) -> bool:
        """Whether H has no more than quadratic terms."""
        return not self.on_site and not self.quartic.any()

    def require_linear(self, what: str) -> None:
        """Refuse quartic terms and potentials, for ``what``."""
        if not self.is_linear:
            part = f"quartic is {self.quartic}" if self.quartic.any() else "potential is given"
            raise ValueError(f"{what} needs a linear network, but {part}; measure on an Emulator")

    @property
    def isothermal(self) -> bool:
        """Whether all resistors are at one temperature."""
        return np.ndim(self.kT) == 0

    @property
    def common_kT(self) -> float:
        """The one thermal energy of all resistors; ValueError where temperatures differ."""
        if not self.isothermal:
            raise ValueError(
                f"this needs one temperature, but kT is {self.kT}; "
                "where they differ there is no equilibrium and no free energy"
            )
        return float(self.kT)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of units, heat accounts, EMFs and current sources."""
        return self.units, self.accounts, len(self.emf), len(self.current)

    def checked(self, other: object, replicas: float = 0) -> Controls:
        """Other controls, if they are of the same network, and of so many replicas."""
        if not isinstance(other, Controls):
            raise TypeError(
                f"controls must be ktc.Controls, but is {type(other).__name__}; pass single "
                "controls by name, such as with_controls(bias=...)"
            )
        if other.on_site != self.on_site:
            raise ValueError("controls must have the kinds of potentials of this network")
        if other.sizes != self.sizes or other.is_sparse != self.is_sparse:
            raise ValueError(
                "controls must have the sizes of this network, (units, accounts, emfs, currents) "
                f"= {self.sizes}, and a stiffness of its kind, but have {other.sizes}"
            )
        if other.per_replica and len(other.bias) != replicas:
            raise ValueError(
                f"bias must be of shape ({self.units},), but {len(other.bias)} replicas have one "
                "each; take that of one replica, bias=controls.bias[0]"
            )
        return other

    def shape(self, name: str) -> tuple[int, ...]:
        """Full shape of a control."""
        sizes = {"kT": (self.accounts,), "stiffness": (self.units,) * 2, "bias": (self.units,)}
        return sizes[name] if name in sizes else np.shape(getattr(self, name))

    def arrays(self) -> dict[str, Any]:
        """The controls as the core takes them: kT as one number per heat account."""
        kT = np.broadcast_to(np.asarray(self.kT, dtype=float), (self.accounts,))
        held = self.held_stiffness
        return {
            "bias": self.bias,
            "stiffness": held.core if isinstance(held, SparseStiffness) else held,
            "kT": np.ascontiguousarray(kT),
            "quartic": self.quartic,
            "emf": self.emf,
            "current": self.current,
            ROW: self.potential,
        }

    def _confining(
        self, given: ArrayLike | SparseMatrix, quartic: Array, potential: Array
    ) -> Array | SparseStiffness:
        """A new stiffness, sparse where the present one is."""
        units = self.units
        if isinstance(self.held_stiffness, SparseStiffness):
            return self.held_stiffness.replaced(given, quartic)
        if is_sparse(given):
            given = SparseStiffness.of(given, units).matrix.toarray()
        added = self.on_site.confinement(potential) if self.on_site else None
        return confining(square("stiffness", given, units), quartic, added)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Controls):
            return self is other
        # A learner compares at every update, which mostly moves the bias.
        names = ("bias", "held_stiffness", "quartic", "kT", "emf", "current", "accounts", ROW)
        pairs = ((getattr(self, name), getattr(other, name)) for name in names)
        alike = all(one is two or _equal(one, two) for one, two in pairs)
        return alike and self.on_site == other.on_site

    __hash__ = None  # type: ignore[assignment]  # arrays inside


def _equal(one: ArrayLike | SparseStiffness, other: ArrayLike | SparseStiffness) -> bool:
    if isinstance(one, SparseStiffness) or isinstance(other, SparseStiffness):
        return bool(one == other)
    return np.array_equal(one, other)


def initial_controls(
    accounts: int,
    stiffness: Array | SparseStiffness,
    kT: ArrayLike,
    bias: ArrayLike | None = None,
    quartic: ArrayLike | None = None,
    emf: Array | None = None,
    current: Array | None = None,
    on_site: OnSite | None = None,
) -> Controls:
    """Return the controls of a new network, checked; what is None is zero, one EMF per unit."""
    units = stiffness.units if isinstance(stiffness, SparseStiffness) else len(stiffness)
    zero = frozen(np.zeros(units))
    kappa = zero if quartic is None else quartic_per_unit(quartic, units)
    if isinstance(stiffness, SparseStiffness):
        stiffness.require_confining(kappa)
    else:
        added = on_site.confinement(on_site.row) if on_site else None
        stiffness = confining(stiffness, kappa, added)
    on_site = on_site or NOWHERE
    return Controls(
        bias=zero if bias is None else frozen(per_unit("bias", bias, units)),
        held_stiffness=stiffness,
        kT=temperatures(kT, accounts, units),
        quartic=kappa,
        emf=zero if emf is None else frozen(emf),
        current=frozen(np.empty(0) if current is None else current),
        accounts=accounts,
        potential=on_site.row,
        on_site=on_site,
    )


def _restored(
    held_stiffness: Array | SparseStiffness, accounts: int, on_site: OnSite, **others: Array
) -> Controls:
    """Controls of a record, checked."""
    blank = Controls(
        held_stiffness=held_stiffness,
        accounts=count("accounts", accounts),
        on_site=on_site,
        **others,
    )
    replicas = len(blank.bias) if blank.per_replica else 0
    return blank.updated(replicas, stiffness=held_stiffness, **others)


register(Controls, make=_restored)


def _bias(value: ArrayLike, units: int, replicas: float) -> Array:
    """One bias per unit, or one row of them per replica where there are replicas."""
    array = real_array("bias", value)
    if array.ndim < 2 or not replicas:
        return per_unit("bias", array, units)
    if replicas == math.inf:
        raise ValueError(
            f"bias must be of shape ({units},) with replicas=math.inf, but has shape "
            f"{array.shape}; a bias of each replica needs a finite number of replicas"
        )
    if array.shape != (replicas, units):
        raise ValueError(
            f"bias must be a scalar, ({units},), or ({replicas}, {units}), one row per replica, "
            f"but has shape {array.shape}"
        )
    return np.ascontiguousarray(array)


def quartic_per_unit(value: ArrayLike, units: int) -> Array:
    """Return one quartic coefficient per unit, none negative."""
    quartic = per_unit("quartic", value, units)
    if (quartic < 0).any():
        unit = int(np.argmax(quartic < 0))
        raise ValueError(
            f"quartic must not be negative, but is {quartic[unit]} at unit {unit}: "
            "nothing would confine the energy"
        )
    return frozen(quartic)


def temperatures(value: ArrayLike, accounts: int, units: int) -> float | Array:
    """Return the thermal energy of all resistors alike, or one per heat account.

    One number per unit is accepted too, where all are equal.
    """
    array = real_array("kT", value)
    if array.ndim == 0:
        if not array > 0:
            raise ValueError(f"kT must be positive, but is {float(array)}")
        return float(array)
    alike = bool(array.size) and bool((array == array.flat[0]).all()) and array.flat[0] > 0
    if array.shape != (accounts,) and not (alike and array.shape == (units,)):
        raise ValueError(
            f"kT must be one number, or of shape ({accounts},), one per heat account, "
            f"but is {array} of shape {array.shape}; units at several temperatures need a friction "
            "that is a scalar or (d,)"
        )
    if (array < 0).any():
        place = int(np.argmax(array < 0))
        raise ValueError(f"kT must not be negative, but is {array[place]} at account {place}")
    return float(array[0]) if alike else frozen(array)
