"""Forces and energies of inputs on held units, the same bits however inputs are grouped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.validation import Array
from ktc._model.conditional import Split, couplings
from ktc._model.network import Network

#: Rows per matrix product. BLAS may sum products of other sizes in another order.
ROWS = 64


class HeldInputs:
    """What values x_C of the held units do to the others, row by row.

    Each replica moves at bias b_U − K_UC x_C, beside a constant energy
    ½ x_C K_CC x_C − b_C x_C + ¼ Σ κ x_C⁴.
    """

    def __init__(self, network: Network, split: Split) -> None:
        held = split.held
        whole = network.sparse_stiffness if network.is_sparse else network.stiffness
        self._own = whole[held][:, held]
        self._couplings = couplings(network, split)
        self._bias, self._quartic = network.bias[held], network.quartic[held]

    def forces(self, values: Array) -> Array:
        """−K_UC x_C of values (n, held), shape (n, moving)."""
        return -_by_rows(lambda rows: (self._couplings @ rows.T).T, values)

    def energy(self, values: Array) -> Array:
        """The constant energy of values (n, held), shape (n,)."""
        slope = 0.5 * _by_rows(lambda rows: (self._own @ rows.T).T, values)
        slope += 0.25 * self._quartic * values**3 - self._bias
        return np.asarray(np.sum(slope * values, axis=1))


def _by_rows(product: Callable[[Array], Array], values: Array) -> Array:
    """A product of every row, in groups of ``ROWS`` that begin at the first one."""
    padded = np.zeros((-(-len(values) // ROWS) * ROWS, values.shape[1]))
    padded[: len(values)] = values
    parts = [product(padded[k : k + ROWS]) for k in range(0, len(padded), ROWS)]
    return np.concatenate(parts)[: len(values)]
