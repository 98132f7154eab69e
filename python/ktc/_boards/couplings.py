"""Kinds of couplings between the cells of a board.

For all kinds H = ½ qᵀKq − bᵀq, with q the charges [C] and b the source voltages [V] of the cells,
and the equilibrium is exp(−H/kT). Kinds differ in K, in the resistors, and in the place of the
sources in the circuit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, choice, finite, real_array
from ktc._boards.topology import Edge, Topology
from ktc._model.elements import NoiseSource, Resistor
from ktc._model.network import Network

# Relative rounding of inverting a Maxwell matrix twice, with a margin for ill-conditioned ones.
ROUNDING = 1e-9


class Coupling(ABC):
    """A kind of coupling.

    Attributes:
        name: as ``Board(coupling=...)`` takes it.
        unit: of the programmed values.
    """

    name: str
    unit: str

    def values(
        self, topology: Topology, given: ArrayLike | Mapping[Edge, float]
    ) -> dict[Edge, float]:
        """Return one value per edge of a scalar, a mapping from pairs of cells, or one per edge."""
        if isinstance(given, Mapping):
            pairs = {topology.edge("couplings", pair): value for pair, value in given.items()}
            if len(pairs) < len(given):
                raise ValueError("couplings must name a pair of cells once, but name one twice")
        else:
            array, shape = real_array("couplings", given), (len(topology.edges),)
            if array.ndim > 0 and array.shape != shape:
                raise ValueError(
                    "couplings must be a scalar, a mapping from pairs of cells, or of shape "
                    f"{shape}, one number per edge, but have shape {array.shape}"
                )
            pairs = dict(zip(topology.edges, np.broadcast_to(array, shape).tolist(), strict=True))
        return {pair: self._checked(pair, value) for pair, value in sorted(pairs.items())}

    def stiffness(self, capacitance: Array, couplings: Mapping[Edge, float]) -> Array:
        """Return K of cells with these couplings."""
        return np.diag(1 / capacitance)

    def conductances(self, couplings: Mapping[Edge, float]) -> dict[Edge, float]:
        """Return the conductances of couplings that are resistors."""
        return {}

    @abstractmethod
    def complaint(self, topology: Topology, capacitance: Array, stiffness: Array) -> str | None:
        """Return why a board cannot be programmed to ``stiffness``, or None if it can."""

    @abstractmethod
    def realised(
        self, stiffness: Array, capacitance: Array, own: Array, mutual: Array, parasitic: float
    ) -> Array:
        """Return the stiffness as realised by the hardware, shape (..., d, d).

        ``own`` (d,) and ``mutual`` (d, d) are actual over nominal values of capacitances and
        couplings; ``parasitic`` is the capacitance to ground at each cell [F].
        """

    def gain(self, capacitance: Array, parasitic: float) -> Array:
        """Return the factor by which a parasitic capacitance reduces each source, shape (d,)."""
        return np.ones(len(capacitance))

    def node_voltages(self, stiffness: Array, bias: Array, charge: Array) -> Array:
        """Return the voltages of the nodes of the cells to ground [V], shape (replicas, d)."""
        return np.asarray(charge @ stiffness)

    def _checked(self, pair: Edge, value: object) -> float:
        return finite(f"couplings[{pair}]", value)


class Elastance(Coupling):
    """Elastances S_ij = S_ji [1/F] of any sign: K_ii = 1/C_i, K_ij = S_ij.

    Cell i is a loop of its resistor, its capacitor and its source, and q_i is the charge that has
    flowed around it: dq_i/dt = −(Σ_j K_ij q_j − b_i)/R_i + noise. All of K (control ``stiffness``)
    and the source voltages (``bias``) are programmable at any time.
    """

    name, unit = "elastance", "1/F"

    def stiffness(self, capacitance: Array, couplings: Mapping[Edge, float]) -> Array:
        return np.diag(1 / capacitance) + _mutual(len(capacitance), couplings)

    def complaint(self, topology: Topology, capacitance: Array, stiffness: Array) -> str | None:
        return topology.complaint("stiffness", stiffness)

    def realised(
        self, stiffness: Array, capacitance: Array, own: Array, mutual: Array, parasitic: float
    ) -> Array:
        """Return K_ii/own and K_ij·mutual, with the parasitic capacitance across each port."""
        factors = mutual.copy()
        np.fill_diagonal(factors, 1 / own)
        return _with_parasitic(stiffness * factors, parasitic)


class Capacitive(Coupling):
    """Capacitors C_ij [F] between the nodes of cells: K is the inverse of the Maxwell matrix.

    Node i has C_i to ground and R_i to its source b_i, and q_i is the charge of the node. With
    node voltages V, q = C_M V, C_M = diag(C_i + Σ_j C_ij) − C_ij and
    dq_i/dt = −(V_i − b_i)/R_i + noise, so that K = C_M⁻¹ and Cov V = k_B T C_M⁻¹. The C_ij are
    programmable at any time and at held charges by ``stiffness``, which ``Board.stiffness_of``
    computes from couplings; so are the source voltages (``bias``). The C_i are fixed.

    Source: Maxwell (1873), A Treatise on Electricity and Magnetism, §87.
    """

    name, unit = "capacitive", "F"

    def stiffness(self, capacitance: Array, couplings: Mapping[Edge, float]) -> Array:
        return symmetric_inverse(_maxwell(capacitance, _mutual(len(capacitance), couplings)))

    def complaint(self, topology: Topology, capacitance: Array, stiffness: Array) -> str | None:
        maxwell = symmetric_inverse(stiffness)
        own = maxwell.sum(axis=1)
        rounding = ROUNDING * np.abs(maxwell).sum(axis=1)
        if (np.abs(own - capacitance) > rounding).any():
            cell = int(np.argmax(np.abs(own - capacitance) - rounding))
            return (
                f"stiffness gives cell {cell} {own[cell]:.6g} F to ground, but its capacitor has "
                f"{capacitance[cell]:.6g} F; compute it by Board.stiffness_of(couplings)"
            )
        mutual = np.where(np.abs(maxwell) > np.minimum.outer(rounding, rounding), -maxwell, 0.0)
        np.fill_diagonal(mutual, 0.0)
        if (mutual < 0).any():
            i, j = (int(k) for k in np.argwhere(mutual < 0)[0])
            return (
                f"stiffness couples cells {i} and {j} by {mutual[i, j]:.6g} F, below zero; compute "
                "it by Board.stiffness_of(couplings)"
            )
        return topology.complaint("stiffness", mutual)

    def realised(
        self, stiffness: Array, capacitance: Array, own: Array, mutual: Array, parasitic: float
    ) -> Array:
        """Return K of the actual capacitors, the parasitic one parallel to that to ground."""
        if parasitic == 0 and (own == 1).all() and (mutual == 1).all():
            return stiffness
        between = -symmetric_inverse(stiffness)
        between[..., range(len(own)), range(len(own))] = 0.0
        return symmetric_inverse(_maxwell(capacitance * own + parasitic, between * mutual))

    def _checked(self, pair: Edge, value: object) -> float:
        number = super()._checked(pair, value)
        if number < 0:
            raise ValueError(f"couplings[{pair}] must not be negative, but is {number} F")
        return number


class Resistive(Coupling):
    """Resistors R_ij [Ω] between the nodes of cells; a pair without a value is open.

    Node i has C_i to ground, in series with its source b_i, and R_i to ground. With q_i the charge
    of the capacitor and V_i = q_i/C_i − b_i the node voltage,
    dq_i/dt = −V_i/R_i − Σ_j (V_i − V_j)/R_ij + noise, and K = diag(1/C). At one temperature the
    equilibrium, ⟨q_i⟩ = C_i b_i and Cov q = k_B T diag(C), does not depend on the resistors, which
    determine only the motion. The source voltages (``bias``) are programmable at any time, and so
    are sources in the branches of the resistors (``emf``, with ``resolve_heat=True``). These drive
    steady currents with G⟨V⟩ = (e_i/R_i), G the conductance matrix. Couplings and C_i are fixed.
    """

    name, unit = "resistive", "Ω"

    def conductances(self, couplings: Mapping[Edge, float]) -> dict[Edge, float]:
        return {pair: 1 / value for pair, value in couplings.items()}

    def complaint(self, topology: Topology, capacitance: Array, stiffness: Array) -> str | None:
        if np.array_equal(stiffness, np.diag(1 / capacitance)):
            return None
        return (
            "stiffness is fixed on a board of resistive couplings, diag(1/capacitance); program "
            "its bias, or make another board with other couplings"
        )

    def realised(
        self, stiffness: Array, capacitance: Array, own: Array, mutual: Array, parasitic: float
    ) -> Array:
        """Return K of the actual capacitors, the parasitic ones parallel to them."""
        return _with_parasitic(stiffness / own, parasitic)

    def gain(self, capacitance: Array, parasitic: float) -> Array:
        """Return C/(C + C_p), because the source is in series with C only."""
        return np.asarray(capacitance / (capacitance + parasitic))

    def node_voltages(self, stiffness: Array, bias: Array, charge: Array) -> Array:
        return np.asarray(charge @ stiffness - bias)

    def _checked(self, pair: Edge, value: object) -> float:
        number = super()._checked(pair, value)
        if number <= 0:
            raise ValueError(
                f"couplings[{pair}] must be positive, but is {number} Ω; leave out open pairs"
            )
        return number


COUPLINGS: dict[str, Coupling] = {
    kind.name: kind for kind in (Elastance(), Capacitive(), Resistive())
}


def coupling_of(name: object) -> Coupling:
    """Return the kind of couplings of a name."""
    return COUPLINGS[choice("coupling", name, COUPLINGS)]


def programmable(
    coupling: Coupling, topology: Topology, capacitance: Array, stiffness: ArrayLike
) -> Array:
    """``stiffness`` as a matrix (d, d) that cells with these couplings can be programmed to."""
    matrix, cells = real_array("stiffness", stiffness), topology.cells
    if matrix.shape != (cells, cells):
        raise ValueError(
            f"stiffness must be of shape {(cells, cells)} for {cells} cells, "
            f"but has shape {matrix.shape}"
        )
    if reason := coupling.complaint(topology, capacitance, matrix):
        raise ValueError(reason)
    return matrix


def compiled(
    stiffness: Array,
    resistance: Array,
    conductances: Mapping[Edge, float],
    kT: float | Array,
    bias: ArrayLike | None = None,
    noises: Sequence[NoiseSource] = (),
) -> Network:
    """Make the Network of cells with resistors to ground and between them.

    The heat account of a cell is its number, that of the resistor between cells i and j "i-j".
    """
    if not conductances and not noises:
        return Network(stiffness, resistance, kT, bias)
    axes = np.eye(len(resistance))
    resistors = [
        Resistor(axis, 1 / value, str(cell))
        for cell, (axis, value) in enumerate(zip(axes, resistance.tolist(), strict=True))
    ]
    resistors += [
        Resistor(axes[i] - axes[j], value, f"{i}-{j}") for (i, j), value in conductances.items()
    ]
    return Network.of_elements(stiffness, resistors, kT, bias, noises=noises)


def _mutual(cells: int, couplings: Mapping[Edge, float]) -> Array:
    """Symmetric matrix (cells, cells) of the couplings, its diagonal zero."""
    matrix = np.zeros((cells, cells))
    for (i, j), value in couplings.items():
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _maxwell(own: Array, mutual: Array) -> Array:
    matrix = -mutual
    cells = range(len(own))
    matrix[..., cells, cells] = own + mutual.sum(axis=-1)
    return matrix


def symmetric_inverse(matrix: Array) -> Array:
    """Invert symmetric positive definite matrices; the results are exactly symmetric."""
    inverse = np.linalg.inv(matrix)
    return np.asarray(0.5 * (inverse + np.swapaxes(inverse, -1, -2)))


def _with_parasitic(stiffness: Array, parasitic: float) -> Array:
    """(K⁻¹ + C_p)⁻¹, with a capacitance parallel to each port."""
    if parasitic == 0:
        return stiffness
    inverse = symmetric_inverse(stiffness)
    return symmetric_inverse(inverse + parasitic * np.eye(inverse.shape[-1]))
