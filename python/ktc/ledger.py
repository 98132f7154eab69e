"""The energy books of an emulator, as a user reads them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc import _core
from ktc.checks import Array


class Ledger:
    """Accounts of every replica since the books were opened, each of shape (replicas,).

    First law, per replica: ΔH = work + source + injected + shadow − heat. Work done on the network
    and heat that flows into its resistors are positive. Energies are in the unit of kT (joules on
    a Board). Control updates book work, H(x; θ′) − H(x; θ); holds book heat, which at one
    temperature and without sources outside H is exactly −ΔH of the hold.

    Source: Sekimoto (1998), Prog. Theor. Phys. Suppl. 130, 17.
    """

    def __init__(self, engine: Callable[[], _core.Engine], replicas: int) -> None:
        self._find = engine
        self._replicas = replicas

    @property
    def _engine(self) -> _core.Engine:
        """The emulator's present one: a reset makes another."""
        return self._find()

    @property
    def work(self) -> Array:
        """Σ over updates of H(x; θ′) − H(x; θ)."""
        return self._engine.work()

    @property
    def heat(self) -> Array:
        """Heat that flowed into the resistors, all together."""
        return self._engine.heat()

    @property
    def supply(self) -> Array:
        """∫ bᵀdx, what the bias sources delivered: the book of H + bᵀx, not of H."""
        return self._engine.supply()

    @property
    def source(self) -> Array:
        """Energy from sources outside H; zero, as these networks have none."""
        return np.zeros(self._replicas)

    @property
    def injected(self) -> Array:
        """Energy from noise sources that are no bath; zero, as these networks have none."""
        return np.zeros(self._replicas)

    @property
    def shadow(self) -> Array:
        """Cost of inexact lossless moves; zero, as linear networks move exactly."""
        return np.zeros(self._replicas)

    @property
    def energy_change(self) -> Array:
        """H now minus H when the books were opened."""
        return self._engine.energy_change()

    @property
    def heat_per_resistor(self) -> Array:
        """Not kept by this version's exact moves.

        Raises:
            ValueError: always; the split is not a function of a hold's endpoints.
        """
        raise ValueError(
            "heat_per_resistor needs resolve_heat=True, which this version does not have; "
            "heat is their sum"
        )

    def imbalance(self) -> float:
        """Largest |ΔH − (work + source + injected + shadow − heat)| of any replica.

        Relative to its Σ|work| + Σ|heat| + max|H|, the sums over all posts. Every account has its
        own local formula, so this can fail; rounding leaves about 1e-15.
        """
        return self._engine.imbalance()

    def reset(self) -> None:
        """Opens new books: all accounts are zero from here."""
        self._engine.open_books()
