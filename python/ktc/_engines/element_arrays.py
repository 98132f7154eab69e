"""The elements of a network as arrays, as the core describes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ktc import _core
from ktc._base.validation import Array
from ktc._model.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class ElementArrays:
    """The elements of a network, read from the core once.

    Attributes:
        flow: J − G on the state, shape (n, n).
        directions, conductance, account: of the resistors.
        source_directions: of the current sources.
        noise_directions, noise_density, noise_rate: of the generators; rate 0 is white noise.
        filtered: numbers of the generators with a filter, whose current is one more coordinate.
        accounts: number of heat accounts.
    """

    flow: Array
    directions: Array
    conductance: Array
    account: NDArray[np.int64]
    source_directions: Array
    noise_directions: Array
    noise_density: Array
    noise_rate: Array
    filtered: NDArray[np.intp]
    accounts: int

    @classmethod
    def of(cls, network: Network) -> ElementArrays:
        """The elements of a network."""
        core: _core.Elements = network.core.elements
        rate = core.noise_rate
        return cls(
            flow=network.core.flow,
            directions=core.directions,
            conductance=core.conductance,
            account=core.account,
            source_directions=core.source_directions,
            noise_directions=core.noise_directions,
            noise_density=core.noise_density,
            noise_rate=rate,
            filtered=np.flatnonzero(rate > 0),
            accounts=core.accounts,
        )

    @cached_property
    def dimension(self) -> int:
        """Coordinates of the state."""
        return len(self.flow)

    @cached_property
    def rows(self) -> int:
        """Coordinates of the state and of filters."""
        return len(self.flow) + len(self.filtered)

    def per_account(self, amounts: Array) -> Array:
        """Sums over the resistors of each heat account."""
        sums = np.bincount(self.account, amounts, minlength=self.accounts)
        return np.asarray(sums, np.float64)
