"""Compiled circuits of many nodes, whose cost is proportional to their elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.cached import cached_property
from ktc._base.codec import register, same
from ktc._base.resources import within_memory
from ktc._base.units import Units
from ktc._base.validation import Array, positive
from ktc._circuits.branch import Branch, CircuitError, Coupling
from ktc._circuits.compilation import too_far_apart
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.element_values import wire_refused
from ktc._circuits.source_values import DRIVEN, places_of, waveforms_of
from ktc._circuits.sparse_compilation import compile_sparse
from ktc._circuits.sparse_conditions import state_at
from ktc._circuits.sparse_equation import SparseEquation
from ktc._circuits.sparse_sources import present_sources
from ktc._model.controls import Controls, initial_controls
from ktc._model.directions import NamedDirections
from ktc._model.inverse_stiffness import InverseStiffness
from ktc._model.network import Network
from ktc._model.sparse_stiffness import SparseMatrix
from ktc._model.transition import Transition

SMALLER = "measure on an Emulator, or compile the circuit with sparse=False"
#: Above this many nodes and inductors a circuit is compiled as a sparse one.
MOST_DENSE_NODES = 1000
#: Memory of a compilation of grids of a million nodes.
BYTES_PER_NODE = 2500


def is_large(branches: Sequence[Branch]) -> bool:
    """Whether a circuit is compiled as a sparse one unless told otherwise."""
    if len(branches) <= MOST_DENSE_NODES:
        return False
    nodes = {node for b in branches for node in (b.plus, b.minus)}
    return len(nodes) + sum(b.kind == "L" for b in branches) > MOST_DENSE_NODES


class SparseCircuit(CompiledCircuit):
    """Network of a large circuit, of the same coordinates, controls and accounts as a small one.

    It moves by implicit midpoint steps, which keep mean and covariance of the stationary state
    exactly at any step, also at several temperatures and under sources; transients and heats are
    second order in the step. Heat is told apart by resistor with ``resolve_heat=True``.
    """

    large: SparseEquation  #: equation of motion, and maps to node voltages

    @classmethod
    def of_branches(
        cls, branches: Sequence[Branch], kelvin: float, couplings: Sequence[Coupling] = ()
    ) -> SparseCircuit:
        """Compile elements; ``kelvin`` is the temperature of resistors without their own."""
        nodes = len({node for b in branches for node in (b.plus, b.minus)})
        needed = BYTES_PER_NODE * nodes
        refusal = (
            f"the circuit of {nodes:,} nodes and {len(branches):,} elements needs some "
            f"{1e-9 * needed:.2g} GB to compile, more than this machine has; divide it"
        )
        try:
            with (
                within_memory(needed, refusal),
                np.errstate(over="raise", divide="raise", invalid="raise"),
            ):
                return cls.of_large(compile_sparse(branches, kelvin, couplings))
        except CircuitError:
            raise
        except (ArithmeticError, np.linalg.LinAlgError, RuntimeError, ValueError) as error:
            # The topology has been checked, so that only values are refused.
            raise too_far_apart(branches, str(error)) from None
        except MemoryError as error:
            raise CircuitError(str(error)) from None

    @classmethod
    def of_large(cls, equation: SparseEquation) -> SparseCircuit:
        """Make the network of an equation."""
        network = cls.__new__(cls)
        network._elements = network._inertia = network._friction = None
        network.large, network._core = equation, equation.core()
        theta = equation.values
        network._controls = initial_controls(
            len(equation.accounts),
            equation.stiffness(),
            equation.kT,
            equation.bias_of @ theta,
            emf=equation.emf_of @ theta,
            current=equation.current_of @ theta,
        )
        network._core.check(network._controls.arrays(), "split")
        return network

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the heat accounts: resistors, "R1+R2" where they share white noise."""
        return self.large.accounts

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes but ground, in order of appearance."""
        return self.large.nodes

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates of the state: charges "q(a)", fluxes "phi(L1)"."""
        return self.large.coordinates

    @property
    def symbols(self) -> Units:
        """Units: coulombs, volts, joules, seconds; with inductors also webers and amperes."""
        if self.large.first_flux < self.units:
            return Units("C or Wb", "V or A", "1/F or 1/H", "J", "s")
        return Units("C", "V", "1/F", "J", "s")

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the voltage and current sources."""
        return self.large.sources

    def with_values(self, values: Mapping[str, ArrayLike]) -> SparseCircuit:
        """Return the circuit with other resistances; its energy is the same.

        Raises:
            TypeError: a name that no resistor has.
            ValueError: a resistance that is not positive, or other elements, which are fixed.
        """
        known = set(map(str.lower, self.large.resistors))
        wires = set(map(str.lower, self.large.wires))
        for name, value in values.items():
            if name.lower() in wires:
                raise wire_refused(name, positive(name, value))
            if name.lower() not in known:
                raise TypeError(
                    f"unknown control {name!r}: of a large circuit resistances are controls, and "
                    "other elements are fixed; compile it with sparse=False"
                )
        ohms = {name.lower(): positive(name, value) for name, value in values.items()}
        if all(self._ohms[name] == value for name, value in ohms.items()):
            return self
        network = SparseCircuit.of_large(self.large.with_resistances(ohms))
        network._controls = self.controls
        return network

    def transition(self, hold: float) -> Transition:
        """ValueError: a large circuit has no transition matrix."""
        raise ValueError("transition needs a dense network; compile the circuit with sparse=False")

    @property
    def settable(self) -> tuple[str, ...]:
        """Names of the resistors, which are controls."""
        return self.large.resistors

    def carried_controls(
        self, after: CompiledCircuit, present: Controls, remembered: Array | None
    ) -> dict[str, Array]:
        """Return no controls: resistances change none of them."""
        return {}

    @cached_property
    def _ohms(self) -> dict[str, float]:
        pairs = zip(self.large.resistors, self.large.conductance.tolist(), strict=True)
        return {name.lower(): 1 / value for name, value in pairs}

    def source_controls(self, **values: ArrayLike) -> dict[str, Array]:
        """Return the controls for given values of sources; see Circuit.controls."""
        places = list(places_of(self.large, values).values())
        theta = waveforms_of(self.large, values, self.large.values)
        return {
            name: np.asarray((matrix @ theta.T).T)
            for name, matrix in self._maps().items()
            if matrix[:, places].nnz
        }

    def changed_controls(
        self, present: Controls, values: Mapping[str, ArrayLike], remembered: Array | None = None
    ) -> tuple[dict[str, Array], Array]:
        """Return the controls that named sources change, and the values of all sources."""
        known = self.present_values(present, {}, remembered)[0]
        places = list(places_of(self.large, values).values())
        theta = waveforms_of(self.large, values, known)
        changes: dict[str, Array] = {}
        for name, matrix in self._maps().items():
            rows = np.unique(matrix[:, places].nonzero()[0])
            if len(rows):
                held = getattr(present, name)
                changes[name] = np.broadcast_to(held, (*theta.shape[:-1], len(held))).copy()
                changes[name][..., rows] = (matrix[rows] @ theta.T).T
        return changes, theta

    def directions(self, names: Sequence[str]) -> NamedDirections:
        """Refuse: learning of sources needs dense algebra."""
        raise ValueError(
            f"{', '.join(names)} cannot be learned in a sparse circuit, here of {self.units:,} "
            "coordinates; call circuit.compile(sparse=False) first, up to some thousand nodes"
        )

    def with_source_energy(self) -> CompiledCircuit:
        """Refuse: the energy of sources in H needs dense algebra."""
        raise ValueError(
            f"with_source_energy is not available for a sparse circuit, here of {self.units:,} "
            "coordinates; call circuit.compile(sparse=False) first, up to some thousand nodes, or "
            "take the circuit as it is, whose ledger has what sources deliver as source"
        )

    def _maps(self) -> dict[str, SparseMatrix]:
        """The matrices that map θ to each control."""
        return {name: getattr(self.large, f"{name}_of") for name in DRIVEN}

    def present_values(
        self,
        controls: Controls | Mapping[str, Array],
        given: Mapping[str, float],
        remembered: Array | None = None,
    ) -> Array:
        """Return the values of the sources at controls, shape (points, sources)."""
        return present_sources(self.large, controls, given, remembered)

    def nodes_at(self, state: Array, controls: Controls, theta: Array) -> Array:
        """Return node voltages at states in the last axis and values of the sources."""
        slope = self.gradient(np.atleast_2d(state), controls)
        found = self.large.node_voltages(slope, controls.emf, controls.current, theta)
        return found.reshape(*np.shape(state)[:-1], -1)

    def gradient(self, state: Array, controls: Controls) -> Array:
        """Return ∇H at states in the last axis."""
        return np.asarray(self._stiffness.times(state.T).T - controls.bias)

    def nodes_of_state(self, controls: Controls) -> Array:
        """Return the derivative of node voltages by the state; ValueError beyond 4096 units."""
        zero = np.zeros(len(self.sources))
        none = np.zeros(len(controls.emf)), np.zeros(len(controls.current))
        return self.large.node_voltages(self._stiffness.dense(), *none, zero).T

    def inductor_currents(self, gradient: Array, theta: Array) -> dict[str, Array]:
        """Return the currents of inductors by name, at ∇H in the last axis."""
        fluxes = np.atleast_2d(gradient)[:, self.large.first_flux : self.units]
        currents = np.asarray((self.large.shares @ fluxes.T).T).reshape(*gradient.shape[:-1], -1)
        return {name: currents[..., k] for k, name in enumerate(self.large.inductors)}

    def has_elements_of(self, network: Network) -> bool:
        """Whether a network is one of this circuit."""
        return isinstance(network, SparseCircuit) and (
            network.large is self.large or same(network.large, self.large)
        )

    def state_at(self, conditions: Mapping[str, float], branches: Iterable[Branch]) -> Array:
        """Return the state at given voltages and currents; see Circuit.initial_state."""
        return state_at(self.large, self._stiffness, self.bias, conditions, branches)

    @property
    def friction(self) -> Array:
        """ValueError: a large circuit has no friction matrix."""
        raise ValueError("a large circuit has no friction matrix; compile it with sparse=False")

    @property
    def drift(self) -> Array:
        """ValueError: the drift of a large circuit is dense."""
        raise ValueError(
            f"this needs dense algebra, which a large circuit of {self.units:,} coordinates has "
            "not; measure on an Emulator, or compile it with sparse=False"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseCircuit):
            return False
        return self is other or (
            same(self.large, other.large) and self._controls == other._controls
        )

    __hash__ = CompiledCircuit.__hash__

    def __repr__(self) -> str:
        resistors = len(self.large.conductance)
        return f"<ktc.CompiledCircuit: {self.units:,} coordinates, {resistors:,} resistors, sparse>"

    def __getattr__(self, name: str) -> NoReturn:
        if name == "equation":
            raise ValueError(f"a dense equation of {self!r} is not available; {SMALLER}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def _stiffness(self) -> InverseStiffness:
        held = self._controls.held_stiffness
        assert isinstance(held, InverseStiffness)
        return held


def _at_controls(large: SparseEquation, controls: Controls) -> SparseCircuit:
    return SparseCircuit.of_large(large).with_controls(controls)


register(SparseCircuit, ("large", "controls"), _at_controls)
