"""Potentials of all units of a network, and their numbers as one control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc import _core
from ktc._base.codec import register
from ktc._base.validation import Array, frozen, of_type, real_array
from ktc._model.potentials.cosine import Cosine
from ktc._model.potentials.polynomial import Polynomial
from ktc._model.potentials.potential import Potential
from ktc._model.potentials.table import Table
from ktc._model.potentials.two_parabolas import TwoParabolas

#: Names of the parameters of all kinds.
PARAMETER_NAMES = tuple(
    dict.fromkeys(name for kind in (Polynomial, Cosine, TwoParabolas, Table) for name in kind.names)
)
#: Name of the control that holds the numbers of all units.
ROW = "potential"


class OnSite:
    """The potential of each unit; their numbers, unit by unit, are one row.

    Attributes:
        templates: a potential or None per unit; empty without any. Kinds and tables are fixed, the
            numbers are those at the start.
        row: the numbers of all templates.
        names: parameters of any unit.
    """

    def __init__(self, templates: tuple[Potential | None, ...] = ()) -> None:
        self.templates = templates
        numbers = [() if one is None else one.numbers for one in templates]
        self.row = frozen(np.array([value for part in numbers for value in part]))
        self._starts = np.cumsum([0, *map(len, numbers)])
        places: dict[str, list[int]] = {}
        units: dict[str, list[int]] = {}
        for unit, one in enumerate(templates):
            for k, name in enumerate(() if one is None else one.names):
                places.setdefault(name, []).append(int(self._starts[unit]) + k)
                units.setdefault(name, []).append(unit)
        self.names = tuple(places)
        self._places = {name: np.array(found) for name, found in places.items()}
        self._units = {name: np.array(found) for name, found in units.items()}

    @classmethod
    def of(
        cls, potential: Potential | Sequence[Potential | None] | None, units: int, sparse: bool
    ) -> OnSite:
        """One potential for all units, one or None per unit, or None for none, checked."""
        if potential is None:
            return cls()
        if isinstance(potential, Potential):
            potential = (potential,) * units
        if not isinstance(potential, (list, tuple)):
            raise TypeError(
                "potential must be one of ktc.potentials, or a list with one or None per unit, but "
                f"is {type(potential).__name__}"
            )
        if len(potential) != units:
            raise ValueError(
                f"potential must have {units} entries, one per unit, but has {len(potential)}"
            )
        for unit, one in enumerate(potential):
            if one is not None:
                of_type(f"potential[{unit}]", one, Potential)
        if all(one is None for one in potential):
            return cls()
        if sparse:
            raise ValueError(
                "potential must be None where stiffness is sparse; pass stiffness.toarray()"
            )
        return cls(tuple(potential))

    def __bool__(self) -> bool:
        return bool(self.templates)

    @property
    def kinds(self) -> list[str]:
        """Kind of each unit, "none" where it has none."""
        return ["none" if one is None else one.kind for one in self.templates]

    @property
    def tables(self) -> list[tuple[Array, Array]]:
        """Knots and cells of each unit that has a table."""
        return [
            (one.knots, one.cells) for one in self.templates if one is not None and len(one.knots)
        ]

    def added_to(self, core: _core.Network) -> _core.Network:
        """A network of the core with these potentials."""
        return core.with_potentials(self.kinds, self.tables) if self else core

    def units(self, name: str) -> NDArray[np.intp]:
        """Units that have a parameter of this name."""
        return self._units[name]

    def places(self, name: str) -> NDArray[np.intp]:
        """Places of a parameter in the row, one per unit that has it."""
        return self._places[name]

    def at(self, row: Array) -> tuple[Potential | None, ...]:
        """The potentials at a row of numbers; ValueError, with the unit named, for a bad one."""
        found: list[Potential | None] = []
        for unit, one in enumerate(self.templates):
            numbers = tuple(row[self._starts[unit] : self._starts[unit + 1]].tolist())
            if one is not None and one.numbers != numbers:
                try:
                    one = one.replaced(**dict(zip(one.names, numbers, strict=True)))
                except ValueError as error:
                    raise ValueError(f"potential of unit {unit}: {error}") from None
            found.append(one)
        return tuple(found)

    def replaced(self, row: Array, changes: Mapping[str, ArrayLike]) -> Array:
        """A row with parameters replaced by name, scalars or one per unit that has them."""
        if ROW in changes:
            others = [name for name in changes if name != ROW]
            new = real_array(ROW, changes[ROW])
            if others or new.shape != row.shape:
                raise ValueError(
                    f"potential must be {len(row)} numbers, without parameters by name beside it, "
                    f"but has shape {new.shape}, beside {', '.join(others) or 'none'}"
                )
        else:
            new = self._merged(row, changes)
        self.at(new)
        return frozen(new)

    def _merged(self, row: Array, changes: Mapping[str, ArrayLike]) -> Array:
        new = row.copy()
        for name, value in changes.items():
            new[self._places[name]] = self._values(name, real_array(name, value))
        return new

    def over_ticks(
        self, row: Array, waveforms: Mapping[str, Array], last: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Waveforms and final values with parameters put into rows of the control "potential"."""
        named, ticked = self._apart(waveforms)
        ends, final = self._apart(last)
        if (named or ends) and (ROW in ticked or ROW in final):
            raise ValueError(
                f"potential is given beside {', '.join({*named, *ends})}; give one of the two"
            )
        if named:
            rows = np.repeat(row[None], len(next(iter(named.values()))), axis=0)
            for name, values in named.items():
                held = values[:, None] if values.ndim == 1 else values
                rows[:, self._places[name]] = self._values(name, held)
            ticked[ROW], row = rows, rows[-1]
        if ends:
            final[ROW] = self._merged(row, ends)
        return ticked, final

    def energy(self, row: Array, state: Array) -> Array:
        """Σ V_i(x_i) of states, shape (n, d), in the network's own units."""
        total = np.zeros(len(state))
        for unit, one in enumerate(self.at(row)):
            if one is not None:
                total += one.energy(state[:, unit])
        return total

    @property
    def linear(self) -> tuple[str, ...]:
        """Parameters in which H is linear."""
        kinds = [one.linear for one in self.templates if one is not None]
        return tuple(name for name in self.names if any(name in linear for linear in kinds))

    def require_linear_change(self, first: Array, last: Array) -> None:
        """Refuse two rows between which H does not change along a straight line."""
        for name in self.names:
            if name not in self.linear and (first != last)[self._places[name]].any():
                raise ValueError(
                    f"before and after differ in {name}, in which the energy of coupled units is "
                    f"not linear; compare settings of one {name}"
                )

    def rows(self, name: str, units: NDArray[np.intp]) -> NDArray[np.intp]:
        """Places in the row of a parameter of some of the units that have it."""
        return np.asarray(self._places[name][np.searchsorted(self._units[name], units)])

    def _apart(self, given: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Values of parameters, and all others."""
        named = {name: values for name, values in given.items() if name in self._places}
        return named, {name: values for name, values in given.items() if name not in named}

    def confinement(self, row: Array) -> Array:
        """Curvature that each unit's potential adds at large |x|, shape (d,)."""
        return np.array([0.0 if one is None else one.confinement for one in self.at(row)])

    def leading(self, row: Array) -> Array:
        """The coefficient by which each unit's potential confines, 0 where it does not, (d,)."""
        return np.array([0.0 if one is None else one.leading for one in self.at(row)])

    def _values(self, name: str, values: Array) -> Array:
        count = len(self._places[name])
        if values.shape[-1:] not in ((), (1,), (count,)):
            raise ValueError(
                f"{name} must be one number or {count}, one per unit whose potential has it, but "
                f"has shape {values.shape}"
            )
        return values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OnSite):
            return NotImplemented
        return self is other or self.templates == other.templates

    def __hash__(self) -> int:
        return hash(self.templates)


register(OnSite, ("templates",))

#: Without any potential.
NOWHERE = OnSite()
