"""The elements of any network as arrays, as the core lists them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._model.network import Network


@dataclass(frozen=True)
class Wiring:
    """The elements of a network as arrays, those of units among them.

    Attributes:
        flow: J − G on the state, shape (n, n).
        directions, conductance, account: of the resistors.
        source_directions: of the current sources.
        noise_directions, noise_density, noise_rate: of the generators; rate 0 is white noise.
        filtered: which generators have a filter, whose current is one more coordinate.
        accounts: number of heat accounts.
    """

    flow: Array
    directions: Array
    conductance: Array
    account: NDArray[np.intp]
    source_directions: Array
    noise_directions: Array
    noise_density: Array
    noise_rate: Array
    filtered: NDArray[np.intp]
    accounts: int

    @classmethod
    def of(cls, network: Network) -> Wiring:
        """Those of a network."""
        core = network.core
        elements = core.elements
        return cls(
            flow=core.flow,
            directions=elements.directions,
            conductance=elements.conductance,
            account=elements.account,
            source_directions=elements.source_directions,
            noise_directions=elements.noise_directions,
            noise_density=elements.noise_density,
            noise_rate=elements.noise_rate,
            filtered=np.flatnonzero(elements.noise_rate > 0),
            accounts=elements.accounts,
        )

    @property
    def dimension(self) -> int:
        """Coordinates of the state."""
        return len(self.flow)

    @property
    def rows(self) -> int:
        """Those of filters included."""
        return len(self.flow) + len(self.filtered)

    def per_account(self, amounts: Array) -> Array:
        """Sums over the resistors of each heat account."""
        sums = np.bincount(self.account, amounts, minlength=self.accounts)
        return np.asarray(sums, np.float64)
