"""Learnable parameters θ as one vector, and their forces ∂H/∂θ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.validation import (
    Array,
    choice,
    frozen,
    items,
    of_type,
    per_unit,
    real_array,
    refusing_overflow,
    square,
)
from ktc._model.controls import Controls
from ktc._model.description import Description, network_of
from ktc._model.potentials.on_site import ROW
from ktc._model.potentials.potential import Potential

Mask: TypeAlias = NDArray[np.bool_]

#: Names of learnable parameters. "stiffness" is "couplings" and "diagonal" together.
LEARNABLE = ("bias", "stiffness", "couplings", "diagonal", "quartic")
CONTROL_OF = dict.fromkeys(("stiffness", "couplings", "diagonal"), "stiffness")


class Parameters:
    """A choice of a device's parameters as one vector θ, with their conjugate forces ∂H/∂θ.

    H is linear in all of them, H = Σ θ_a ∂_aH(x) + the rest, so that ∂H/∂θ are the sufficient
    statistics of exp(−H/kT)/Z, and the work of a change is Δθ · ∂H/∂θ exactly:

        bias b_i: −x_i      K_ii: ½x_i²      K_ij = K_ji, i < j: x_i x_j      quartic κ_i: ¼x_i⁴

    and of potentials the parameters in which V is linear: "amplitude" of cosines, "c1" … "c8" of
    polynomials, "spring" and "scale", at present values of their other parameters.

    A symmetric pair of couplings is one parameter. The vector has the units of the controls and the
    order of ``names``, with couplings row by row of the upper triangle.

    Args:
        device: a Network, or a Board, whose states are volts.
        names: one or several of "bias", "stiffness", "couplings", "diagonal", "quartic", and of
            parameters of potentials, that do not overlap.
        mask: True where a parameter is learned, by default everywhere: a symmetric (d, d) array
            for the stiffness, or a mapping with one array per name, (d,) for all others.

    Attributes:
        size: number of parameters p.
        blocks: slice of the vector, by name.
        places: units, or (rows, columns), of the entries, by name.
        labels: one per parameter, such as "bias[0]" and "couplings[0,1]".

    Raises:
        ValueError: unknown or overlapping names; a mask that does not fit or leaves nothing.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0, bias=[0.1, 0.2])
        >>> some = ktc.theory.Parameters(net, ("bias", "couplings"))
        >>> some.labels, some.vector(net.controls)
        (('bias[0]', 'bias[1]', 'couplings[0,1]'), array([0.1, 0.2, 0.5]))
        >>> some.forces([[2.0, 3.0]])
        array([[-2., -3.,  6.]])
    """

    #: B where the bias is b₀ + B θ and nothing else depends on θ, shape (d, p); None elsewhere.
    to_bias: Array | None = None
    #: Values at the device's controls by name, where these do not tell them.
    values: Mapping[str, float] | None = None
    _potentials: tuple[Potential | None, ...] = ()
    _rows: Mapping[str, NDArray[np.intp]] = MappingProxyType({})

    def __init__(
        self,
        device: Description,
        names: str | Sequence[str] = "bias",
        mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
    ) -> None:
        network = network_of(device)
        self.units, self.scale = network.units, device.scale
        on_site = network.controls.on_site
        self.names = _names(names, on_site.linear)
        #: potentials whose parameters are learned, and places of these in their row of numbers
        self._potentials = network.potentials if set(self.names) & {*on_site.linear} else ()
        rows: dict[str, NDArray[np.intp]] = {}
        masks = _masks(self.names, mask, self.units)
        self.places: dict[str, tuple[Any, ...]] = {}
        self.blocks: dict[str, slice] = {}
        labels: list[str] = []
        for name in self.names:
            own = name in on_site.linear
            candidates = np.zeros(self.units, dtype=bool)
            if own:
                candidates[on_site.units(name)] = True
            else:
                candidates = _candidates(name, self.units)
            places = np.nonzero(candidates & masks[name])
            if own:
                rows[name] = on_site.rows(name, places[0])
            first = len(labels)
            for place in zip(*places, strict=True):
                labels.append(f"{name}[{','.join(map(str, place))}]")
            if len(labels) == first:
                raise ValueError(f"mask leaves no {name} to learn; leave that name out of names")
            self.places[name], self.blocks[name] = places, slice(first, len(labels))
        self.labels, self._rows = tuple(labels), rows
        self.size = len(labels)

    @property
    def by_bias(self) -> bool:
        """Whether they act by the bias alone: their forces need the mean of the state only."""
        return self.names == ("bias",) or self.to_bias is not None

    @property
    def of_potentials(self) -> bool:
        """Whether parameters of potentials are among them, whose forces no moments determine."""
        return bool(self._rows)

    @property
    def masks(self) -> dict[str, Mask] | None:
        """Masks by name with which ``Parameters(device, names, masks)`` makes an equal one."""
        masks = {}
        for name, places in self.places.items():
            array = np.zeros((self.units,) * len(places), dtype=bool)
            array[places] = True
            masks[name] = array | array.T
        return masks

    def vector(self, controls: Controls) -> Array:
        """Return θ of some controls, shape (p,)."""
        self._check_units(controls)
        theta = np.empty(self.size)
        for name, block in self.blocks.items():
            control, places = self._place(name)
            theta[block] = getattr(controls, control)[places]
        return theta

    def changes(self, vector: ArrayLike, controls: Controls) -> dict[str, Array]:
        """Return the arguments of ``set`` that bring a device from ``controls`` to θ."""
        self._check_units(controls)
        theta = self._checked(vector)
        changed: dict[str, Array] = {}
        for name, block in self.blocks.items():
            control, places = self._place(name)
            array = changed.setdefault(control, np.array(getattr(controls, control)))
            array[places] = theta[block]
            if control == "stiffness":
                array[places[::-1]] = theta[block]
        return changed

    def _place(self, name: str) -> tuple[str, tuple[NDArray[np.intp], ...]]:
        """The control of a name, and the places in it."""
        if name in self._rows:
            return ROW, (self._rows[name],)
        return CONTROL_OF.get(name, name), self.places[name]

    def controls(self, vector: ArrayLike, controls: Controls) -> Controls:
        """Return ``controls`` with the values θ, checked as by ``with_controls``."""
        changes = self.changes(vector, controls)
        return controls.updated(**changes)

    def named(self, vector: ArrayLike, changes: Mapping[str, Array]) -> dict[str, Array]:
        """Return θ by the names that an emulator takes, where ``changes`` has it by controls."""
        return dict(changes)

    @refusing_overflow("state")
    def forces(self, state: ArrayLike) -> Array:
        """Return ∂H/∂θ, shape (n, p), at public states, shape (n, d)."""
        # A sum finds what is no number in less time than a test of each.
        known = type(state) is np.ndarray and state.dtype == np.float64
        known = known and math.isfinite(np.sum(state))
        x = np.atleast_2d(state if known else real_array("state", state))
        if x.ndim != 2 or x.shape[1] != self.units:
            raise ValueError(
                f"state must have shape (n, {self.units}), one column per unit, "
                f"but has shape {np.shape(state)}"
            )
        # Contiguous per unit, so that products of columns stream through memory.
        columns = np.ascontiguousarray((x / self.scale).T)
        result = np.empty((self.size, len(x)))
        for name, block in self.blocks.items():
            if name in self._rows:
                for row, unit in zip(result[block], self.places[name][0].tolist(), strict=True):
                    row[:] = self._potential(unit).gradient(name, columns[unit])
                continue
            first, *rest = (columns[place] for place in self.places[name])
            if name == "bias":
                np.negative(first, out=result[block])
            elif name == "quartic":
                np.multiply(0.25, first**4, out=result[block])
            else:
                np.multiply(first, rest[0], out=result[block])
                result[block][self.places[name][0] == self.places[name][1]] *= 0.5
        return result.T

    def mean_forces(self, mean: ArrayLike, covariance: ArrayLike | None = None) -> Array:
        """Return ⟨∂H/∂θ⟩ of a normal distribution of the public state, shape (p,).

        ⟨x_i x_j⟩ = m_i m_j + P_ij and ⟨x⁴⟩ = m⁴ + 6m²P + 3P² (Isserlis), with the mean m, shape
        (d,), and the covariance P, shape (d, d), of which a bias needs none.
        """
        if covariance is None:
            return self._mean_forces(mean, None)
        with refusing_overflow("mean or covariance"):
            return self._mean_forces(mean, covariance)

    def _mean_forces(self, mean: ArrayLike, covariance: ArrayLike | None) -> Array:
        m = per_unit("mean", mean, self.units) / self.scale
        result = np.empty(self.size)
        if covariance is not None:
            spread = square("covariance", covariance, self.units)
            spread = spread / np.outer(self.scale, self.scale)
            second = np.outer(m, m) + spread
            own = spread.diagonal()
        for name, block in self.blocks.items():
            places = self.places[name]
            if name == "bias":
                result[block] = -m[places]
            elif name in self._rows:
                raise ValueError(
                    f"the average of ∂H/∂{name} over a normal distribution has no closed form; "
                    "give samples"
                )
            elif covariance is None:
                raise ValueError(f"covariance must be given for {name}, but is None")
            elif name == "quartic":
                result[block] = 0.25 * (m**4 + 6 * m**2 * own + 3 * own**2)[places]
            else:
                result[block] = second[places] * np.where(places[0] == places[1], 0.5, 1.0)
        return result

    def _potential(self, unit: int) -> Potential:
        found = self._potentials[unit]
        assert found is not None
        return found

    def split(self, vector: ArrayLike) -> dict[str, Array]:
        """Split a vector of p numbers by name: θ, a gradient or error bars."""
        theta = self._checked(vector)
        return {name: theta[block] for name, block in self.blocks.items()}

    def _checked(self, vector: ArrayLike) -> Array:
        theta = real_array("vector", vector)
        if theta.shape != (self.size,):
            raise ValueError(
                f"vector must have shape ({self.size},), one number per parameter, "
                f"but has shape {theta.shape}"
            )
        return theta

    def _check_units(self, controls: Controls) -> None:
        if of_type("controls", controls, Controls).units != self.units:
            raise ValueError(
                f"controls must be those of {self.units} units, but have {controls.units}"
            )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Parameters)
            and self.labels == other.labels
            and self._fixed == other._fixed
            and np.array_equal(self.scale, other.scale)
        )

    @property
    def _fixed(self) -> tuple[Potential | None, ...]:
        """The potentials at a value of one of what is learned of them."""
        return tuple(
            one if one is None else one.replaced(**dict.fromkeys(one.linear, 1.0))
            for one in self._potentials
        )

    def __hash__(self) -> int:
        return hash(self.labels)

    def __repr__(self) -> str:
        parts = ", ".join(f"{b.stop - b.start} {name}" for name, b in self.blocks.items())
        return f"<ktc.theory.Parameters: {parts}>"


def _names(names: str | Sequence[str], others: tuple[str, ...]) -> tuple[str, ...]:
    chosen = (names,) if isinstance(names, str) else items("names, or parameter,", names)
    for name in chosen:
        choice("parameter", name, LEARNABLE + others)
    parts = [p for n in chosen for p in (("couplings", "diagonal") if n == "stiffness" else (n,))]
    if not parts or len(set(parts)) < len(parts):
        raise ValueError(
            f"names must be one or several that do not overlap, but are {chosen}; as a parameter, "
            "'stiffness' is 'couplings' and 'diagonal' together"
        )
    return chosen


def _candidates(name: str, units: int) -> Mask:
    if name in ("bias", "quartic"):
        return np.ones(units, dtype=bool)
    if name == "diagonal":
        return np.eye(units, dtype=bool)
    return np.triu(np.ones((units, units), dtype=bool), 1 if name == "couplings" else 0)


def _masks(
    names: tuple[str, ...], mask: ArrayLike | Mapping[str, ArrayLike] | None, units: int
) -> dict[str, Mask]:
    masks: dict[str, Mask] = dict.fromkeys(names, np.array(True))
    if mask is None:
        return masks
    if isinstance(mask, Mapping):
        given = dict(mask)
        for name in given:
            if name not in names:
                raise ValueError(
                    f"mask has {name!r}, which is not among the names {names}; add it there, "
                    "or leave it out"
                )
    else:
        given = {name: mask for name in names if name in CONTROL_OF}
        if not given:
            raise ValueError(
                f"mask is of the stiffness, which is not among the names {names}; of others give "
                f"a mapping, such as {{{names[0]!r}: [...]}}"
            )
    for name, value in given.items():
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"mask of {name} must be an array, but {error}") from None
        shape = (units, units) if name in CONTROL_OF else (units,)
        if array.shape != shape or not (array == array.astype(bool)).all():
            raise ValueError(
                f"mask of {name} must be True or False, of shape {shape}, "
                f"but has shape {array.shape} and type {array.dtype}"
            )
        uneven = np.argwhere(np.atleast_2d(array != array.T))
        if len(uneven):
            i, j = uneven[0]
            raise ValueError(
                f"mask of {name} must be symmetric, but differs between [{i}, {j}] and [{j}, {i}]; "
                "pass mask | mask.T if that is meant"
            )
        masks[name] = frozen(array.astype(bool))
    return masks
