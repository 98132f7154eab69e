"""A network: the physics by itself, in any consistent units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.codec import from_record, register, same, to_record
from ktc._base.files import Storable
from ktc._base.units import CONSISTENT, Units
from ktc._base.validation import (
    Array,
    frozen,
    per_unit,
    positive,
    positive_definite,
    positive_per_unit,
    real_array,
    square,
)
from ktc._model.controls import (
    Controls,
    confining,
    confining_sparse,
    quartic_per_unit,
    temperatures,
)
from ktc._model.elements import CurrentSource, Elements, NoiseSource, Resistor
from ktc._model.sparse_stiffness import SparseStiffness, is_sparse, refuse_dense


class Transition(NamedTuple):
    """Exact motion over a hold: z′ = A z + c + N(0, Q), z = x, or (x, p) with inertia."""

    A: Array
    c: Array
    Q: Array


class Network(Storable):
    """Noisy units with couplings: one immutable description.

    Without inertia, dx = −R⁻¹∇H dt + √(2kT R⁻¹) dW; with inertia M,
    dx = M⁻¹p dt, dp = −(∂H/∂x + R M⁻¹p) dt + √(2kT R) dW. In both,
    H = ½ xᵀKx − bᵀx + ¼ Σ κ_i x_i⁴ (+ ½ pᵀM⁻¹p). At one temperature the equilibrium is
    exp(−H/kT)/Z, whatever R is. ``of_elements`` takes any other circuit.

    A sparse K, any matrix of ``scipy.sparse`` (``ktc.lattices`` makes those of grids, rings and
    graphs), makes a sparse network: all that it does costs in proportion to its couplings, up to
    millions of units. It always moves by the splitting integrator, each unit's resistor in turn,
    with heat exact at each sub-step; its equilibrium is exact at any step, its motion second order
    in the step. Dense algebra (``stiffness``, ``friction``, ``drift``, closed forms of
    ``ktc.theory``) is there up to 4096 units.

    Args:
        stiffness: K, shape (d, d), symmetric, an array or a sparse matrix; a scalar makes one unit.
            Positive definite among the units without a quartic term; K_ii < 0 with κ_i > 0 is a
            double well.
        friction: R, a scalar, (d,) or symmetric positive definite (d, d); of a sparse network
            a scalar or (d,).
        kT: thermal energy, in the unit of H; a scalar, or (d,) for resistors at several
            temperatures, which must then be one a unit.
        bias: b, scalar or (d,); zero by default.
        quartic: κ, scalar or (d,), not negative; zero by default.
        inertia: M, scalar or (d,), positive; None for an overdamped network, as sparse ones are.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, an energy that is not confined, R
            not symmetric positive definite, kT or M not positive.
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
        stiffness: ArrayLike | Any,
        friction: ArrayLike,
        kT: ArrayLike = 1.0,
        bias: ArrayLike | None = None,
        quartic: ArrayLike | None = None,
        inertia: ArrayLike | None = None,
    ) -> None:
        self._resistance: Array | None = None
        if is_sparse(stiffness):
            self._make_sparse(SparseStiffness.of(stiffness), friction, kT, bias, quartic, inertia)
            return
        matrix = _stiffness_matrix(stiffness)
        d = len(matrix)
        self._friction: Array | None = frozen(_friction_matrix(friction, d))
        self._inertia = (
            None if inertia is None else frozen(positive_per_unit("inertia", inertia, d))
        )
        self._elements: Elements | None = None
        dense = np.count_nonzero(self._friction) > d
        self._accounts = ("all",) if dense else tuple(str(unit) for unit in range(d))
        self._controls = self._checked_controls(matrix, kT, bias, quartic, np.zeros(d), np.empty(0))
        self._core = _core.Network.of_units(self._friction, self._inertia_or_empty())
        self._core.check(self._controls.arrays(), "split")

    def _make_sparse(
        self,
        stiffness: SparseStiffness,
        friction: ArrayLike,
        kT: ArrayLike,
        bias: ArrayLike | None,
        quartic: ArrayLike | None,
        inertia: ArrayLike | None,
    ) -> None:
        d = stiffness.units
        if inertia is not None:
            raise ValueError(
                "inertia must be None where stiffness is sparse: momenta turn by a dense rotation; "
                "pass stiffness.toarray()"
            )
        if np.ndim(friction) > 1:
            raise ValueError(
                "friction must be a scalar or (d,) where stiffness is sparse, but has shape "
                f"{np.shape(friction)}; pass stiffness.toarray() for resistors between units"
            )
        self._resistance = frozen(positive_per_unit("friction", friction, d))
        self._friction = self._inertia = self._elements = None
        self._accounts = tuple(map(str, range(d)))
        self._controls = self._checked_controls(
            stiffness, kT, bias, quartic, np.zeros(d), np.empty(0)
        )
        self._core = _core.Network.of_sparse_units(self._resistance)
        self._core.check(self._controls.arrays(), "split")

    @classmethod
    def of_elements(
        cls,
        stiffness: ArrayLike,
        resistors: Sequence[Resistor],
        kT: ArrayLike,
        bias: ArrayLike | None = None,
        quartic: ArrayLike | None = None,
        interconnection: ArrayLike | None = None,
        sources: Sequence[CurrentSource] = (),
        noises: Sequence[NoiseSource] = (),
    ) -> Network:
        """Any circuit: dx = J∇H dt + Σ d_r dξ_r + Σ a_s I_s dt + Σ a_i j_i dt, all of x public.

        Args:
            stiffness: 𝒦 = ∇²H of the quadratic part, shape (n, n): inverse capacitances of node
                charges, inverse inductances of fluxes.
            resistors: at least one.
            kT: thermal energy, a scalar or one number a heat account in order of appearance; zero
                is a noiseless resistor.
            bias: b of H, scalar or (n,).
            quartic: κ of H, scalar or (n,).
            interconnection: J = −Jᵀ, shape (n, n); None for zero.
            sources: current sources.
            noises: noise generators.

        Raises:
            ValueError, TypeError: as the constructor, and for resistors that leave a coordinate of
                a network without interconnection unbound.

        Example:
            >>> import ktc  # two 1 F capacitors to ground, 1 Ω each, at two kT
            >>> resistors = [ktc.Resistor([1, 0], 1.0, "R1"), ktc.Resistor([0, 1], 1.0, "R2")]
            >>> net = ktc.Network.of_elements([[1, 0], [0, 1]], resistors, [1, 2])
            >>> net.accounts
            ('R1', 'R2')

        Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
        """
        if is_sparse(stiffness):
            raise TypeError(
                "stiffness must be an array for a circuit, but is sparse; pass stiffness.toarray()"
            )
        network = cls.__new__(cls)
        network._resistance = None
        flow = None if interconnection is None else real_array("interconnection", interconnection)
        elements = Elements(tuple(resistors), flow, tuple(sources), tuple(noises))
        matrix = _stiffness_matrix(stiffness)
        arrays = elements.arrays()
        if arrays["directions"].shape[1] != len(matrix):
            raise ValueError(
                f"directions must have {len(matrix)} entries, as stiffness has rows, "
                f"but have {arrays['directions'].shape[1]}"
            )
        network._elements = elements
        network._accounts = elements.accounts
        network._inertia = None
        network._controls = network._checked_controls(
            matrix, kT, bias, quartic, elements.emf, elements.current
        )
        network._core = _core.Network.of_elements(**arrays)
        network._core.check(network._controls.arrays(), "split")
        friction = network._core.friction
        network._friction = frozen(friction) if friction.size else None
        return network

    def _checked_controls(
        self,
        stiffness: Array | SparseStiffness,
        kT: ArrayLike,
        bias: ArrayLike | None,
        quartic: ArrayLike | None,
        emf: Array,
        current: Array,
    ) -> Controls:
        d = stiffness.units if isinstance(stiffness, SparseStiffness) else len(stiffness)
        kappa = quartic_per_unit(0.0 if quartic is None else quartic, d)
        held = (
            confining_sparse(stiffness, kappa)
            if isinstance(stiffness, SparseStiffness)
            else frozen(confining(stiffness, kappa))
        )
        return Controls(
            bias=frozen(np.zeros(d) if bias is None else per_unit("bias", bias, d)),
            held_stiffness=held,
            kT=temperatures(kT, len(self._accounts), d),
            quartic=kappa,
            emf=frozen(emf),
            current=frozen(current),
            accounts=len(self._accounts),
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
        """K, shape (d, d).

        Raises:
            ValueError: in a sparse network of more than 4096 units; take ``sparse_stiffness``.
        """
        return self._controls.stiffness

    @property
    def is_sparse(self) -> bool:
        """Whether this network was made of a sparse stiffness."""
        return self._controls.is_sparse

    @property
    def sparse_stiffness(self) -> Any:
        """K as a ``scipy.sparse.csr_array``."""
        return self._controls.sparse_stiffness

    @property
    def resistance(self) -> Array:
        """R of each unit's own resistor, shape (d,).

        Raises:
            ValueError: where friction is not diagonal.
        """
        if self._resistance is not None:
            return self._resistance
        friction = self.friction
        if np.count_nonzero(friction) > self.units:
            raise ValueError("friction is not diagonal: units share resistors; take friction")
        return np.diagonal(friction).copy()

    @property
    def bias(self) -> Array:
        """b, shape (d,)."""
        return self._controls.bias

    @property
    def quartic(self) -> Array:
        """κ, shape (d,)."""
        return self._controls.quartic

    @property
    def kT(self) -> float | Array:
        """Thermal energy: one number, or one a heat account where temperatures differ."""
        return self._controls.kT

    @property
    def common_kT(self) -> float:
        """The one thermal energy of all resistors.

        Raises:
            ValueError: where temperatures differ.
        """
        if not self._controls.isothermal:
            raise ValueError(
                f"this needs one temperature, but kT is {self.kT}; "
                "where they differ there is no equilibrium and no free energy"
            )
        return float(self.kT)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the heat accounts: unit numbers, or resistors of a circuit in its order."""
        return self._accounts

    @property
    def friction(self) -> Array:
        """R, shape (d, d): the inverse of the resistors' mobility.

        Raises:
            ValueError: in circuits with inductors, which have no such matrix, and in sparse
                networks of more than 4096 units; take ``resistance``.
        """
        if self._resistance is not None:
            refuse_dense(self.units)
            return np.diag(self._resistance)
        if self._friction is None:
            raise ValueError("a circuit with an interconnection has no friction matrix")
        return self._friction

    @property
    def has_friction(self) -> bool:
        """Whether there is a friction matrix: in all but circuits with inductors."""
        return self._friction is not None or self._resistance is not None

    @property
    def elements(self) -> Elements | None:
        """Elements of a circuit; None for units."""
        return self._elements

    @property
    def core(self) -> _core.Network:
        """The core's description."""
        return self._core

    @property
    def moves_exactly(self) -> bool:
        """Whether a hold at the own controls is one exact move whose total heat is −ΔH."""
        controls = self._controls
        quiet = self._elements is None or not self._elements.noises
        driven = controls.quartic.any() or controls.emf.any() or controls.current.any()
        return controls.isothermal and quiet and not driven and not controls.is_sparse

    @property
    def moves_together(self) -> bool:
        """Whether midpoint steps move all units at once: one resistor each, at one temperature."""
        return self._core.moves_together(self._controls.arrays())

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
        """F of dz = F z dt + …, of the quadratic part of H alone.

        −R⁻¹K; [[0, M⁻¹], [−K, −R M⁻¹]] with inertia; (J − G)𝒦 of a circuit.
        """
        if self._elements is None and self.inertia is None:
            return np.asarray(-np.linalg.solve(self.friction, self.stiffness), np.float64)
        if self.inertia is not None:
            inverse = np.diag(1 / self.inertia)
            lower = np.hstack([-self.stiffness, -self.friction @ inverse])
            return np.vstack([np.hstack([np.zeros_like(inverse), inverse]), lower])
        flow = -self._core.mobility
        if self._core.interconnection.size:
            flow = flow + self._core.interconnection
        return np.asarray(flow @ self.stiffness, np.float64)

    @property
    def relaxation_times(self) -> Array:
        """1/|Re λ| of the drift's eigenvalues λ, ascending, shape (d,) or (2d,).

        Raises:
            ValueError: with quartic units, whose relaxation is not a sum of exponentials.
        """
        if self.quartic.any():
            raise ValueError(
                f"relaxation_times needs a linear network, but quartic is {self.quartic}; "
                "measure them on an Emulator"
            )
        with np.errstate(divide="ignore"):
            times: Array = np.sort(1 / np.abs(np.linalg.eigvals(self.drift).real))
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
        if self.is_sparse:
            raise ValueError("transition needs a dense network; make it of stiffness.toarray()")
        if not self.moves_exactly:
            raise ValueError(
                "transition needs a linear network at one temperature without sources; "
                "theory.linear_transition takes any stable drift and diffusion"
            )
        decay, covariance = _core.network_transition(
            self._core, self._controls.arrays(), positive("hold", hold)
        )
        rest = np.zeros(len(decay))
        rest[: self.units] = np.linalg.solve(self.stiffness, self.bias)
        return Transition(decay, rest - decay @ rest, covariance)

    def with_controls(self, controls: Controls | None = None, **changes: ArrayLike) -> Network:
        """The same network with other controls of its own.

        Args:
            controls: all of them, such as ``emulator.controls``; by default those of this network.
            **changes: controls to replace, by name: bias, stiffness, quartic, kT, emf, current.

        Raises:
            ValueError, TypeError: an unknown control, or a value that the constructor refuses.

        Example:
            >>> import ktc
            >>> network = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
            >>> network.with_controls(bias=[1.0, 0.0], kT=0.5).bias
            array([1., 0.])
        """
        if controls is None:
            controls = self._controls
        elif not isinstance(controls, Controls):
            raise TypeError(
                f"controls must be ktc.Controls, but is {type(controls).__name__}; pass single "
                "controls by name, such as with_controls(bias=...)"
            )
        elif controls.sizes != self._controls.sizes:
            raise ValueError(
                f"controls must be those of {self!r}, but have the sizes {controls.sizes}"
            )
        controls = controls.updated(**changes) if changes else controls
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        twin._controls = controls
        if changes or controls.quartic.any():
            self._core.check(controls.arrays(), "split")
        return twin

    def _inertia_or_empty(self) -> Array:
        return np.empty(0) if self.inertia is None else self.inertia

    def as_dict(self) -> dict[str, Array]:
        """Arrays from which ``from_dict`` makes an equal network."""
        arrays = {f"control_{k}": v for k, v in self._controls.saved_arrays().items()}
        if self._resistance is not None:
            return {**arrays, "friction": self._resistance, "inertia": np.empty(0)}
        if self._elements is None:
            return {**arrays, "friction": self.friction, "inertia": self._inertia_or_empty()}
        return {
            **arrays,
            **self._elements.arrays(),
            "accounts": np.array(self._accounts),
        }

    @classmethod
    def from_dict(cls, arrays: Mapping[str, Array]) -> Network:
        """The network whose ``as_dict`` this is."""
        given = {k[len("control_") :]: v for k, v in arrays.items() if k.startswith("control_")}
        emf, current = given.pop("emf"), given.pop("current")
        if "friction" in arrays:
            inertia = arrays["inertia"] if arrays["inertia"].size else None
            if "stiffness_data" in given:
                rows = {name: given.pop(name) for name in list(given) if "stiffness_" in name}
                given["stiffness"] = SparseStiffness.of_arrays(rows).matrix
            return cls(friction=arrays["friction"], inertia=inertia, **given)
        names = [str(arrays["accounts"][k]) for k in arrays["account"]]
        resistors = map(
            Resistor, arrays["directions"], arrays["conductance"].tolist(), names, emf.tolist()
        )
        bandwidths = [r / (2 * np.pi) if r else None for r in arrays["noise_rate"].tolist()]
        noises = map(
            NoiseSource, arrays["noise_directions"], arrays["noise_density"].tolist(), bandwidths
        )
        return cls.of_elements(
            resistors=list(resistors),
            interconnection=arrays["interconnection"] if arrays["interconnection"].size else None,
            sources=list(map(CurrentSource, arrays["source_directions"], current.tolist())),
            noises=list(noises),
            **given,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return from_record, (to_record(self),)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return self is other or same(_arguments(self), _arguments(other))

    def __hash__(self) -> int:
        held = self._controls.held_stiffness
        numbers = held.matrix.data if isinstance(held, SparseStiffness) else held
        return hash((self.units, numbers.tobytes()))

    def __repr__(self) -> str:
        kind = "overdamped" if self.inertia is None else "with inertia"
        if self.is_sparse:
            couplings = self.sparse_stiffness.nnz - np.count_nonzero(
                self.sparse_stiffness.diagonal()
            )
            kind = f"{couplings // 2} couplings, overdamped"
        if self._elements is not None:
            kind = f"circuit of {len(self._elements.resistors)} resistors"
        kT = f"kT={self.kT:g}" if self._controls.isothermal else "several temperatures"
        return f"<ktc.Network: {self.units} units, {kind}, {kT}>"


def _arguments(network: Network) -> dict[str, object]:
    """The arguments that make an equal network: those of the constructor, or of of_elements."""
    controls = network.controls
    given: dict[str, object] = {
        "stiffness": controls.held_stiffness,
        "kT": controls.kT,
        "bias": controls.bias,
        "quartic": controls.quartic,
    }
    elements = network.elements
    if elements is None:
        dense = not network.is_sparse and np.count_nonzero(network.friction) > network.units
        friction = network.friction if dense else network.resistance
        return {**given, "friction": friction, "inertia": network.inertia}
    emf, current = controls.emf.tolist(), controls.current.tolist()
    return {
        **given,
        "resistors": tuple(replace(r, emf=e) for r, e in zip(elements.resistors, emf, strict=True)),
        "interconnection": elements.interconnection,
        "sources": tuple(
            replace(s, current=i) for s, i in zip(elements.sources, current, strict=True)
        ),
        "noises": tuple(elements.noises),
    }


def _of_arguments(**given: Any) -> Network:
    return Network.of_elements(**given) if "resistors" in given else Network(**given)


register(Network, _arguments, _of_arguments)


def _stiffness_matrix(stiffness: ArrayLike) -> Array:
    matrix = real_array("stiffness", stiffness)
    if matrix.ndim == 0:
        matrix = matrix.reshape(1, 1)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"stiffness must be a square matrix (d, d), but has shape {matrix.shape}")
    return matrix


def _friction_matrix(friction: ArrayLike, d: int) -> Array:
    array = real_array("friction", friction)
    if array.ndim < 2:
        return np.diag(positive_per_unit("friction", friction, d))
    mend = "a resistor that feeds energy in cannot be emulated"
    return positive_definite("friction", square("friction", array, d), mend)
