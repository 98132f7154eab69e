"""Forces and energies of inputs on held units, the same bits however inputs are grouped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.validation import Array
from ktc._model.conditional import Split, couplings
from ktc._model.network import Network
from ktc._model.sparse_stiffness import is_sparse

#: Rows per matrix product. BLAS may sum products of other sizes in another order; the place of a
#: row among these does not matter.
ROWS = 64


class HeldInputs:
    """What values x_C of the held units do to the others, row by row.

    Each replica moves at bias b_U − K_UC x_C, beside a constant energy
    ½ x_C K_CC x_C − b_C x_C + ¼ Σ κ x_C⁴ + Σ V(x_C).
    """

    def __init__(self, network: Network, split: Split) -> None:
        held = split.held
        whole = network.sparse_stiffness if network.is_sparse else network.stiffness
        self._own = whole[held][:, held]
        self._diagonal = np.asarray(self._own.diagonal())
        entries = self._own.nnz if is_sparse(self._own) else np.count_nonzero(self._own)
        self._coupled = entries > np.count_nonzero(self._diagonal)
        self._couplings = couplings(network, split)
        self._bias, self._quartic = network.bias[held], network.quartic[held]
        self._potentials = [network.potentials[k] for k in held]

    def forces(self, values: Array) -> Array:
        """−K_UC x_C of values (n, held), shape (n, moving)."""
        return -_by_rows(lambda rows: (self._couplings @ rows.T).T, values)

    def energy(self, values: Array) -> Array:
        """The constant energy of values (n, held), shape (n,)."""
        return _by_rows(self._energy, values)

    def _energy(self, rows: Array) -> Array:
        pulls = (self._own @ rows.T).T if self._coupled else self._diagonal * rows
        slope = 0.5 * pulls + 0.25 * self._quartic * (rows * rows * rows) - self._bias
        energy = np.asarray(np.sum(slope * rows, axis=1))
        for column, potential in enumerate(self._potentials):
            if potential is not None:
                energy += potential.energy(rows[:, column])
        return energy


def _by_rows(function: Callable[[Array], Array], values: Array) -> Array:
    """A function of every row, in groups of ``ROWS``, the last one filled up with zeros."""
    parts = []
    for first in range(0, len(values), ROWS):
        rows = values[first : first + ROWS]
        missing = ROWS - len(rows)
        padded = np.pad(rows, ((0, missing), (0, 0))) if missing else rows
        parts.append(function(padded)[: len(rows)])
    return np.concatenate(parts)
