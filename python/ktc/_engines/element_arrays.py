"""The elements of any network as arrays: resistors of units and of circuits alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # imports scipy.linalg when it is first used
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
        n = network.core.dimension
        parts = _unit_resistors(network) if network.elements is None else network.elements.arrays()
        none: dict[str, Any] = {
            "source_directions": np.empty((0, n)),
            "noise_directions": np.empty((0, n)),
        }
        none |= {"noise_density": np.empty(0), "noise_rate": np.empty(0)}
        parts = {**none, **parts}
        flow = -network.core.mobility
        if network.core.interconnection.size:
            flow = flow + network.core.interconnection
        names = [*none, "directions", "conductance", "account"]
        return cls(
            flow=flow,
            filtered=np.flatnonzero(parts["noise_rate"] > 0),
            accounts=len(network.accounts),
            **{name: parts[name] for name in names},
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


def _unit_resistors(network: Network) -> dict[str, Any]:
    """One resistor a unit in its own account; along Cholesky rows in one account for a dense R."""
    friction, inertial = network.friction, network.inertia is not None
    d = len(friction)
    if len(network.accounts) == d and not (friction - np.diag(friction.diagonal())).any():
        rows: Array = np.eye(d)
        account = list(range(d))
        conductance: Array = friction.diagonal() if inertial else 1 / friction.diagonal()
    else:
        lower = np.linalg.cholesky(friction)
        inverse = scipy.linalg.solve_triangular(lower, np.eye(d), lower=True)
        rows = np.asarray(lower.T if inertial else inverse, np.float64)
        conductance, account = np.ones(d), d * [0]
    if inertial:
        rows = np.hstack([np.zeros((d, d)), rows])
    return {"directions": rows, "conductance": conductance, "account": np.array(account)}
