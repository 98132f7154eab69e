"""Values of resistors, capacitors, inductors and couplings as controls of a circuit that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite, positive
from ktc._circuits.branch import Branch, Coupling
from ktc._circuits.equation import CircuitEquation
from ktc._model.controls import CONTROL_NAMES

#: First letters of elements whose values are controls.
LETTERS = "RCLK"


def values_by_name(branches: Sequence[Branch], couplings: Sequence[Coupling]) -> dict[str, float]:
    """Return the values of elements that are controls, by name."""
    known = {b.name: b.value for b in branches if b.kind in LETTERS}
    return known | {c.name: c.value for c in couplings}


def checked_values(
    branches: Sequence[Branch], couplings: Sequence[Coupling], values: Mapping[str, ArrayLike]
) -> dict[str, float]:
    """Return new values of elements by lower-case name.

    Raises:
        TypeError: a name that no resistor, capacitor, inductor or coupling has.
        ValueError: a value that such an element cannot have, or another one for a wire.
    """
    named = values_by_name(branches, couplings)
    known = {name.lower(): value for name, value in named.items()}
    found: dict[str, float] = {}
    for name, value in values.items():
        key = name.lower()
        if key not in known:
            raise TypeError(
                f"unknown control {name!r}; choose from {', '.join(map(repr, CONTROL_NAMES))}, the "
                f"sources of the circuit, or its elements {', '.join(map(repr, named))}"
            )
        if key in found:
            raise TypeError(f"{name!r} is given twice; names do not depend on case")
        if key[0] == "k":
            found[key] = finite(name, value)
            continue
        found[key] = positive(name, value)
        if not known[key]:
            raise wire_refused(name, found[key])
    return found


def wire_refused(name: str, value: float) -> ValueError:
    """Return the error of a resistance for a wire."""
    return ValueError(
        f"{name} cannot be set to {value:g}: it is a wire of 0 ohms in the circuit, and its ends "
        "are one node; give it a resistance there"
    )


def with_values(
    branches: tuple[Branch, ...], couplings: tuple[Coupling, ...], values: Mapping[str, float]
) -> tuple[tuple[Branch, ...], tuple[Coupling, ...]]:
    """Return elements with other values, by lower-case name."""
    return (
        tuple(replace(b, value=values.get(b.name.lower(), b.value)) for b in branches),
        tuple(replace(c, value=values.get(c.name.lower(), c.value)) for c in couplings),
    )


def continued(
    old: CircuitEquation, new: CircuitEquation, values: Mapping[str, float], own_bias: Array
) -> CircuitEquation:
    """Return the equation with other values, if the state of the old one is a state of it.

    Resistances do not change the energy, so that the stiffness is bit by bit the old one. A new
    capacitance or inductance changes it at held charges and fluxes, which is work. ``own_bias`` is
    ``bias_of`` of the new values without ``with_source_energy``.

    Raises:
        ValueError: values with which the circuit has other coordinates or heat accounts, or whose
            energy the Hamiltonian does not hold.
    """
    told = ", ".join(f"{name.upper()} = {value:g}" for name, value in values.items())
    hint = "make a new emulator of a circuit with these values"
    for what, before, after in (
        ("coordinates", old.coordinates, new.coordinates),
        ("resistors", [r.account for r in old.resistors], [r.account for r in new.resistors]),
    ):
        if list(before) != list(after):
            raise ValueError(
                f"{told} cannot be set while the circuit runs: its {what} would be "
                f"{', '.join(after)} instead of {', '.join(before)}; {hint}"
            )
    if all(name[0] == "r" for name in values):
        if _alike(new.stiffness, old.stiffness) and _alike(new.bias_of, old.bias_of):
            return replace(new, stiffness=old.stiffness, bias_of=old.bias_of)
        raise ValueError(
            f"{told} cannot be set while the circuit runs: with its active elements the energy "
            f"of the state depends on it; {hint}"
        )
    refused = f"{told} cannot be set while the circuit runs"
    _refuse_other_energies(old, new, own_bias, refused, hint)
    return new


def _refuse_other_energies(
    old: CircuitEquation, new: CircuitEquation, own_bias: Array, told: str, hint: str
) -> None:
    """Refuse capacitances and inductances whose energy is not all in the Hamiltonian."""
    if old.active is not None:
        raise ValueError(f"{told}: controlled sources supply energy that depends on it; {hint}")
    before = own_bias if old.source_energy else old.bias_of
    series = np.vstack([before, own_bias]).any(axis=0)
    bound = [old.sources[place] for place in np.flatnonzero(series).tolist()]
    if bound:
        raise ValueError(
            f"{told}: {', '.join(bound)} in series with capacitors or inductors take back energy "
            f"that depends on it; {hint}"
        )
    if not _alike(old.bias_of, new.bias_of):
        raise ValueError(
            f"{told}: with_source_energy() counts in H what sources deliver, which depends on it; "
            "take the plain compile(), whose ledger has this energy as source"
        )
    if _alike(old.stiffness, new.stiffness):
        raise ValueError(
            f"{told}: sources fix its voltage or current, and the state does not hold its energy; "
            f"{hint}"
        )


def _alike(one: Array, other: Array) -> bool:
    return np.allclose(one, other, rtol=1e-12, atol=0)
