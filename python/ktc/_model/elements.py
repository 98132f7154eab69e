"""Elements of a circuit in the equation of motion: resistors, current and noise sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.validation import Array, finite, frozen, items, of_type, positive, real_array


@dataclass(frozen=True)
class Resistor:
    """A resistor: dξ = −g (d·∇H − e) dt + √(2 kT g) dW along a direction d of the state.

    Attributes:
        direction: d, shape (n,).
        conductance: g, positive: 1/R of a resistor between nodes, R of one in series with a flux.
        account: name of the heat account; resistors of one account share one temperature.
        emf: e of a source in the resistor's branch.
    """

    direction: ArrayLike
    conductance: float
    account: str
    emf: float = 0.0


@dataclass(frozen=True)
class CurrentSource:
    """A source: dx = a I dt, a current into nodes or a voltage in a loop of inductors.

    Attributes:
        direction: a, shape (n,).
        current: I.
    """

    direction: ArrayLike
    current: float


@dataclass(frozen=True)
class NoiseSource:
    """A noise generator: dx = a j dt with noise current j, which injects energy and has no bath.

    Attributes:
        direction: a, shape (n,).
        density: two-sided spectral density S of j, positive: white noise adds √S a dW.
        bandwidth: −3 dB frequency Δf of a first-order low-pass filter, S/(1 + (f/Δf)²); None for
            white noise.
    """

    direction: ArrayLike
    density: float
    bandwidth: float | None = None


@dataclass(frozen=True)
class ActiveFlow:
    """Motion and power of a circuit with active elements, which supply energy and have no bath.

    dx = M ∇H dt + Σ d_r √(2 kT_r g_r) dW_r + Σ a_s I_s dt. The power of source s is
    I_s (c_s·∇H + Σ_t D_st I_t + Σ_r m_sr √(2 kT_r g_r) dW_r/dt).

    Attributes:
        flow: M, shape (n, n).
        readings: c_s, shape (sources, n).
        conductance: D, shape (sources, sources).
        noise: m, shape (sources, resistors).
    """

    flow: Array
    readings: Array
    conductance: Array
    noise: Array


@dataclass(frozen=True)
class Elements:
    """Checked elements of a circuit of n coordinates.

    Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
    """

    resistors: Sequence[Resistor]
    interconnection: Array | None = None
    sources: Sequence[CurrentSource] = ()
    noises: Sequence[NoiseSource] = ()
    active: ActiveFlow | None = None
    accounts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        n = -1
        for kind, cls in (
            ("resistors", Resistor),
            ("sources", CurrentSource),
            ("noises", NoiseSource),
        ):
            given = [
                of_type(f"{kind}[{i}]", one, cls)
                for i, one in enumerate(items(kind, getattr(self, kind)))
            ]
            if cls is Resistor and not given:
                raise ValueError("resistors must have at least one, but has none")
            n = np.size(given[0].direction) if cls is Resistor else n
            checked = tuple(_checked(f"{kind}[{i}]", one, n) for i, one in enumerate(given))
            object.__setattr__(self, kind, checked)
        if self.interconnection is not None:
            matrix = real_array("interconnection", self.interconnection)
            if matrix.shape != (n, n):
                raise ValueError(
                    f"interconnection must be of shape ({n}, {n}), but has shape {matrix.shape}"
                )
            if not np.array_equal(matrix, -matrix.T):
                raise ValueError("interconnection must be antisymmetric; pass (J - J.T)/2")
            object.__setattr__(self, "interconnection", frozen(matrix) if matrix.any() else None)
        accounts = dict.fromkeys(r.account for r in self.resistors)
        object.__setattr__(self, "accounts", tuple(accounts))

    @property
    def emf(self) -> Array:
        """EMFs e_r, shape (resistors,)."""
        return np.array([r.emf for r in self.resistors], dtype=float)

    @property
    def current(self) -> Array:
        """Source currents I_s, shape (sources,)."""
        return np.array([s.current for s in self.sources], dtype=float)

    def arguments(self, emf: Array, current: Array) -> dict[str, object]:
        """Arguments of Network.of_elements at these EMFs and currents."""
        resistors = zip(self.resistors, emf.tolist(), strict=True)
        sources = zip(self.sources, current.tolist(), strict=True)
        return {
            "resistors": tuple(replace(r, emf=e) for r, e in resistors),
            "interconnection": self.interconnection,
            "sources": tuple(replace(source, current=i) for source, i in sources),
            "noises": tuple(self.noises),
            **({} if self.active is None else {"active": self.active}),
        }

    def arrays(self, units: int | None = None) -> dict[str, Any]:
        """The elements as the core takes them.

        Raises:
            ValueError: directions that do not have ``units`` entries.
        """
        n = len(np.asarray(self.resistors[0].direction))
        if n != (n if units is None else units):
            raise ValueError(
                f"directions must have {units} entries, one per row of stiffness, but have {n}"
            )
        place = {name: k for k, name in enumerate(self.accounts)}
        flow = np.empty((0, 0)) if self.interconnection is None else self.interconnection
        widths = np.array([s.bandwidth or 0.0 for s in self.noises], dtype=float)
        return {
            "interconnection": flow,
            "directions": _rows([r.direction for r in self.resistors], n),
            "conductance": np.array([r.conductance for r in self.resistors], dtype=float),
            "account": np.array([place[r.account] for r in self.resistors]),
            "source_directions": _rows([s.direction for s in self.sources], n),
            "noise_directions": _rows([s.direction for s in self.noises], n),
            "noise_density": np.array([s.density for s in self.noises], dtype=float),
            "noise_rate": 2 * np.pi * widths,
            **self._active_arrays(),
        }

    def _active_arrays(self) -> dict[str, Array]:
        given, none = self.active, np.empty((0, 0))
        return {
            "flow": none if given is None else given.flow,
            "readings": none if given is None else given.readings,
            "reading_conductance": none if given is None else given.conductance,
            "reading_noise": none if given is None else given.noise,
        }


register(ActiveFlow)
register(Resistor)
register(CurrentSource)
register(NoiseSource)


Element = TypeVar("Element", Resistor, CurrentSource, NoiseSource)


def _checked(name: str, element: Element, n: int) -> Element:
    direction = real_array(f"{name}.direction", element.direction)
    if direction.shape != (n,):
        raise ValueError(
            f"{name}.direction must be of shape ({n},), but has shape {direction.shape}"
        )
    if isinstance(element, Resistor):
        of_type(f"{name}.account", element.account, str, "a str")
        positive(f"{name}.conductance", element.conductance)
        finite(f"{name}.emf", element.emf)
    elif isinstance(element, CurrentSource):
        finite(f"{name}.current", element.current)
    else:
        positive(f"{name}.density", element.density)
        if element.bandwidth is not None:
            positive(f"{name}.bandwidth", element.bandwidth)
    return replace(element, direction=frozen(direction))


def _rows(directions: Sequence[ArrayLike], n: int) -> Array:
    return np.array(directions, dtype=float).reshape(len(directions), n)
