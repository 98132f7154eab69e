"""Networks: the physics, in any consistent units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.cached import cached_property
from ktc._base.codec import from_record, register, same, to_record
from ktc._base.files import Storable
from ktc._base.units import CONSISTENT, Units
from ktc._base.validation import Array, frozen, positive, positive_per_unit, real_array
from ktc._model.conditional import Split, conditional_arguments, held_values
from ktc._model.controls import Controls, initial_controls
from ktc._model.elements import CurrentSource, Elements, NoiseSource, Resistor
from ktc._model.matrices import friction_matrix, in_range, sparse_friction, stiffness_matrix
from ktc._model.network_arguments import arguments_of, told_kind
from ktc._model.relaxation_times import relaxation_times
from ktc._model.sparse_stiffness import SparseMatrix, SparseStiffness, is_sparse, refuse_dense
from ktc._model.transition import Transition


class Network(Storable):
    """Noisy units with couplings; immutable.

    Without inertia, dx = −R⁻¹∇H dt + √(2kT R⁻¹) dW; with inertia M,
    dx = M⁻¹p dt, dp = −(∂H/∂x + R M⁻¹p) dt + √(2kT R) dW. In both,
    H = ½ xᵀKx − bᵀx + ¼ Σ κ_i x_i⁴ (+ ½ pᵀM⁻¹p). At one temperature the equilibrium is
    exp(−H/kT)/Z for any R. ``of_elements`` makes the network of any other circuit.

    A sparse K, any matrix of ``scipy.sparse`` (``ktc.lattices`` has grids, rings and graphs), makes
    a sparse network, whose cost is proportional to its couplings, up to millions of units. It moves
    by the splitting integrator with exact heat at each sub-step; its equilibrium is exact at any
    step, its motion second order in the step. Dense algebra (``stiffness``, ``friction``,
    ``drift``, closed forms of ``ktc.theory``) raises ValueError beyond 4096 units.

    Args:
        stiffness: K, shape (d, d), symmetric, an array or a sparse matrix; a scalar makes one unit.
            Positive definite among the units without quartic terms; K_ii < 0 with κ_i > 0 is a
            double well.
        friction: R, a scalar, (d,) or symmetric positive definite (d, d); a scalar or (d,) in a
            sparse network.
        kT: thermal energy, in the unit of H; a scalar, or (d,) where resistors, one per unit, are
            at several temperatures.
        bias: b, scalar or (d,); zero by default.
        quartic: κ, scalar or (d,), not negative; zero by default.
        inertia: M, scalar or (d,), positive; None for an overdamped network, as sparse ones are.

    Raises:
        ValueError: wrong shapes, numbers that are not finite, an energy that is not confined, R
            not symmetric positive definite, kT or M not positive.
        TypeError: a value that is not a number.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0, kT=1.0)
        >>> net.units
        2
        >>> net.relaxation_times.round(3)
        array([0.453, 1.261])

    Source: Whitelam (2024), arXiv 2412.17183; fluctuation–dissipation as in Freitas, Delvenne,
    Esposito (2020), Phys. Rev. X 10, 031005.
    """

    def __init__(
        self,
        stiffness: ArrayLike | SparseMatrix,
        friction: ArrayLike,
        kT: ArrayLike = 1.0,
        bias: ArrayLike | None = None,
        quartic: ArrayLike | None = None,
        inertia: ArrayLike | None = None,
    ) -> None:
        self._elements: Elements | None = None
        self._inertia: Array | None = None
        held: Array | SparseStiffness
        if is_sparse(stiffness):
            held = SparseStiffness.of(stiffness)
            units = held.units
            self._friction: Array | None = frozen(sparse_friction(friction, inertia, units))
            self._core = _core.Network.of_sparse_units(self._friction)
        else:
            held = stiffness_matrix(stiffness)
            units = len(held)
            self._friction = frozen(friction_matrix(friction, units))
            masses = np.empty(0)
            if inertia is not None:
                masses = in_range("inertia", positive_per_unit("inertia", inertia, units))
                self._inertia = frozen(masses)
            self._core = _core.Network.of_units(self._friction, masses)
        self._controls = initial_controls(self._core.accounts, held, kT, bias, quartic)
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
    ) -> Self:
        """Make any circuit: dx = J∇H dt + Σ d_r dξ_r + Σ a_s I_s dt + Σ a_i j_i dt, with x public.

        Args:
            stiffness: 𝒦 = ∇²H of the quadratic part, shape (n, n): inverse capacitances of node
                charges, inverse inductances of fluxes.
            resistors: at least one.
            kT: thermal energy, a scalar or one number per heat account in order of appearance; zero
                is a noiseless resistor.
            bias: b of H, scalar or (n,).
            quartic: κ of H, scalar or (n,).
            interconnection: J = −Jᵀ, shape (n, n); None for zero.
            sources: current sources.
            noises: noise generators.

        Raises:
            ValueError, TypeError: as the constructor; a coordinate without resistor in a network
                without interconnection.

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
        flow = None if interconnection is None else real_array("interconnection", interconnection)
        elements = Elements(resistors, flow, sources, noises)
        return cls._of_elements(elements, stiffness_matrix(stiffness), kT, bias, quartic)

    @classmethod
    def _of_elements(
        cls,
        elements: Elements,
        matrix: Array,
        kT: ArrayLike,
        bias: ArrayLike | None = None,
        quartic: ArrayLike | None = None,
    ) -> Self:
        network = cls.__new__(cls)
        network._elements, network._inertia = elements, None
        network._core = _core.Network.of_elements(**elements.arrays(len(matrix)))
        network._friction = frozen(network._core.friction) if network._core.friction.size else None
        network._controls = initial_controls(
            network._core.accounts, matrix, kT, bias, quartic, elements.emf, elements.current
        )
        network._check(network._controls)
        return network

    def _check(self, controls: Controls) -> None:
        """Refuse controls at which no motion applies."""
        self._core.check(controls.arrays(), "driven" if self._core.is_active else "split")

    @property
    def units(self) -> int:
        """Number of units d."""
        return self._core.units

    @property
    def controls(self) -> Controls:
        """The controls at the start of every emulator of this network."""
        return self._controls

    @property
    def stiffness(self) -> Array:
        """K, shape (d, d); beyond 4096 units use ``sparse_stiffness``."""
        return self._controls.stiffness

    @property
    def is_sparse(self) -> bool:
        """Whether this network was made of a sparse stiffness."""
        return self._controls.is_sparse

    @property
    def sparse_stiffness(self) -> SparseMatrix:
        """K as a ``scipy.sparse.csr_array``."""
        return self._controls.sparse_stiffness

    @property
    def resistance(self) -> Array:
        """R of each unit's own resistor, shape (d,); ValueError where R is not diagonal."""
        friction = self._friction if self._friction is not None else self.friction
        if friction.ndim == 1:
            return friction
        if np.count_nonzero(friction) > self.units:
            raise ValueError("friction is not diagonal: units share resistors; use friction")
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
        """Thermal energy: one number, or one per heat account where temperatures differ."""
        return self._controls.kT

    @property
    def common_kT(self) -> float:
        """The one thermal energy of all resistors; ValueError where temperatures differ."""
        return self._controls.common_kT

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Names of the heat accounts: unit numbers, or resistors of a circuit in its order."""
        if self._elements is not None:
            return self._elements.accounts
        count = self._core.accounts
        return tuple(map(str, range(count))) if count == self.units else ("all",)

    @property
    def friction(self) -> Array:
        """R, shape (d, d), inverse of the resistors' mobility; ValueError with inductors."""
        if self._friction is None:
            raise ValueError("a circuit with an interconnection has no friction matrix")
        if self._friction.ndim == 2:
            return self._friction
        refuse_dense(self.units)
        return np.diag(self._friction)

    @property
    def has_friction(self) -> bool:
        """Whether there is a friction matrix: in all but circuits with inductors."""
        return self._friction is not None

    @property
    def elements(self) -> Elements | None:
        """Elements of a circuit; None for a network of units."""
        return self._elements

    @property
    def core(self) -> _core.Network:
        """The description that the compiled core holds."""
        return self._core

    @property
    def moves_exactly(self) -> bool:
        """Whether a hold at these controls is one exact move: of any dense linear network."""
        return self._core.motion(self._controls.arrays(), False) in ("exact", "driven")

    @property
    def inertia(self) -> Array | None:
        """M, shape (d,), or None."""
        return self._inertia

    @property
    def network(self) -> Network:
        """The network itself, so that a Network can be passed where a Board can."""
        return self

    @property
    def scale(self) -> Array:
        """Public state over the network's own state: ones."""
        return np.ones(self.units)

    @property
    def symbols(self) -> Units:
        """Empty unit symbols, because the units are the user's."""
        return CONSISTENT

    @property
    def drift(self) -> Array:
        """F of dz = F z dt + …, from the quadratic part of H.

        −R⁻¹K; [[0, M⁻¹], [−K, −R M⁻¹]] with inertia; (J − G)𝒦 of a circuit.
        """
        if self.is_sparse:
            refuse_dense(self.units)
        drift = self._core.drift(self._controls.arrays())
        if not np.isfinite(drift).all():
            raise ValueError("stiffness is so large beside friction that the drift overflows")
        return drift

    @property
    def relaxation_times(self) -> Array:
        """1/|Re λ| of the drift's eigenvalues λ, ascending, (d,) or (2d,); of linear networks."""
        if self.quartic.any():
            raise ValueError(
                f"relaxation_times needs a linear network, but quartic is {self.quartic}; "
                "measure them on an Emulator"
            )
        return relaxation_times(self.drift, self._core.flow, self.stiffness, self.inertia)

    def transition(self, hold: float) -> Transition:
        """Return the exact motion over a hold of positive duration at these controls.

        A = e^{Fh}, Q = ∫ e^{Fs} D e^{Fᵀs} ds of all noise D, and c = (1 − A) z* to the rounding of
        the rest z*, which is some 1 % of c at 1e-14 relaxation times. Shapes (n, n), (n,), (n, n),
        n = d or 2d, and one more for each filter of a generator, whose current follows x, p in z.

        Example:
            >>> import ktc
            >>> A, c, Q = ktc.Network(stiffness=1.0, friction=1.0, bias=3.0).transition(1.0)
            >>> [float(part.item()) for part in (A.round(4), c.round(4), Q.round(4))]
            [0.3679, 1.8964, 0.8647]
        """
        if self.is_sparse:
            raise ValueError("transition needs a dense network; make it of stiffness.toarray()")
        if self.quartic.any():
            raise ValueError(f"transition needs a linear network, but quartic is {self.quartic}")
        return Transition.over(self._core, self._controls, positive("hold", hold))

    def conditioned(self, units: ArrayLike, values: ArrayLike) -> Network:
        """Return the network of the other units, in ascending order, while ``units`` are held.

        With x_C held, H = ½ xᵀK_UU x − (b_U − K_UC x_C)ᵀx + ¼ Σ κ x⁴ up to a constant. Friction is
        R_UU, because held units have no velocity. Its equilibrium is the conditional distribution
        of this network.

        Args:
            units: number of each unit that is held; at least one other must be left.
            values: x_C, scalar or one per held unit.

        Raises:
            ValueError, TypeError: units out of range or named twice, values of another shape or
                not finite; a circuit, or EMFs in resistors that units share.

        Example:
            >>> import ktc
            >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
            >>> rest = net.conditioned(0, 3.0)
            >>> rest.stiffness, rest.bias
            (array([[1.]]), array([-1.5]))

        Source: Bishop (2006), Pattern Recognition and Machine Learning, sec. 2.3.1.
        """
        split = Split.of(units, self.units)
        held = held_values("values", values, split)
        made = _of_arguments(**conditional_arguments(self, split, held))
        emf = self._controls.emf
        return made.with_controls(emf=emf[split.moving]) if emf.any() else made

    def with_controls(self, controls: Controls | None = None, **changes: ArrayLike) -> Self:
        """Return the same network with other controls.

        Args:
            controls: all controls, such as ``emulator.controls``; by default those of this network.
            **changes: controls to replace, by name: bias, stiffness, quartic, kT, emf, current;
                unknown names raise TypeError, values are checked as by the constructor.

        Example:
            >>> import ktc
            >>> network = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
            >>> network.with_controls(bias=[1.0, 0.0], kT=0.5).bias
            array([1., 0.])
        """
        controls = self._controls if controls is None else self._controls.checked(controls)
        controls = controls.updated(**changes) if changes else controls
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        twin._controls = controls
        if changes or controls.quartic.any():
            self._check(controls)
        return twin

    def __reduce__(self) -> tuple[object, ...]:
        return from_record, (to_record(self),)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return self is other or same(arguments_of(self), arguments_of(other))

    def __hash__(self) -> int:
        held = self._controls.held_stiffness
        numbers = held.numbers if isinstance(held, SparseStiffness) else held
        return hash((self.units, numbers.tobytes()))

    def __repr__(self) -> str:
        return f"<ktc.Network: {told_kind(self)}>"


def _of_arguments(**given: Any) -> Network:
    return Network.of_elements(**given) if "resistors" in given else Network(**given)


register(Network, arguments_of, _of_arguments)
