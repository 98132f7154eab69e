"""What can be programmed while a network runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ktc.checks import Array, frozen, known_keywords, per_unit, positive, positive_definite, square

CONTROL_NAMES = ("bias", "stiffness", "kT")

CONFINE = (
    "nothing confines the energy: add to its diagonal "
    "(only a quartic term, which this version does not have, could confine an indefinite one)"
)


@dataclass(frozen=True)
class Controls:
    """A setting of all controls: H = ½ xᵀ stiffness x − biasᵀ x at temperature kT.

    Attributes:
        bias: shape (d,).
        stiffness: shape (d, d), symmetric positive definite.
        kT: thermal energy of every resistor.
    """

    bias: Array
    stiffness: Array
    kT: float

    def updated(self, **changes: Any) -> Controls:
        """These controls with some replaced, all checked.

        Raises:
            TypeError: an unknown control, or something that is not a number.
            ValueError: a wrong shape, a number that is not finite, a stiffness that is not
                symmetric positive definite, a kT that is not positive.
        """
        known_keywords(changes, CONTROL_NAMES, "control")
        units = len(self.bias)
        checked: dict[str, Any] = {}
        if "bias" in changes:
            checked["bias"] = frozen(per_unit("bias", changes["bias"], units))
        if "stiffness" in changes:
            matrix = square("stiffness", changes["stiffness"], units)
            checked["stiffness"] = frozen(positive_definite("stiffness", matrix, CONFINE))
        if "kT" in changes:
            checked["kT"] = one_temperature(changes["kT"])
        return replace(self, **checked)

    def as_dict(self) -> dict[str, Any]:
        """The controls by name."""
        return {name: getattr(self, name) for name in CONTROL_NAMES}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Controls) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in CONTROL_NAMES
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside


def one_temperature(value: Any) -> float:
    """``value`` as the thermal energy of all resistors alike."""
    array = np.asarray(value)
    if array.ndim == 1 and len(array) and (array == array[0]).all():
        return positive("kT", array[0])
    if array.ndim:
        raise ValueError(
            f"kT must be one number, but has shape {array.shape} with differing values; "
            "resistors at several temperatures are not in this version"
        )
    return positive("kT", value)
