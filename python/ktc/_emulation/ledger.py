"""The energy accounts of an emulator, as a user reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

import numpy as np

from ktc._base.codec import Saved
from ktc._base.single_thread import Turn, one_thread
from ktc._base.validation import Array, choice, told
from ktc._engines.engine import Engine
from ktc._model.accounts import FIRST_LAW, NET_HEAT, TOGETHER, require_kept


class Ledger:
    """Accounts of every replica since they were last zero, each of shape (replicas,).

    For ``replicas=math.inf`` they are exact ensemble means, of shape (1,). First law, per replica:
    ΔH = work + source + injected + shadow − heat. Work done on the network and heat that flows into
    its resistors are positive. Energies are in the unit of kT (joules on a Board). Control updates
    add to work, holds to the others. Exact moves of a linear network, and quartic units that move
    all at once, record total heat, the rest of the first law; the splitting integrator
    (``resolve_heat``) tells all accounts apart. Noise generators inject what exact moves do not
    tell apart from heat: the account is then ``net_heat``, heat less injected energy. Accounts that
    are not kept raise ValueError. A ledger cannot be pickled; ``amounts()`` can.

    Source: Sekimoto (1998), Prog. Theor. Phys. Suppl. 130, 17; Freitas, Delvenne, Esposito (2020),
    Phys. Rev. X 10, 031005.
    """

    def __init__(
        self,
        engine: Engine,
        lock: Turn,
        accounts: tuple[str, ...],
        kept: tuple[str, ...] | None = None,
        before_reset: Callable[[], None] | None = None,
    ) -> None:
        self._engine, self._lock, self._before_reset = engine, lock, before_reset
        self.accounts, self.kept = accounts, kept

    @property
    def infinite(self) -> bool:
        """Whether the accounts are exact means over an infinite ensemble."""
        return not self._engine.sampled

    @property
    @one_thread
    def work(self) -> Array:
        """Σ over updates of H(x; θ′) − H(x; θ)."""
        require_kept("work", self.kept)
        return self._engine.work()

    @property
    @one_thread
    def heat(self) -> Array:
        """Heat that flowed into the resistors, all together."""
        self._needs_apart()
        require_kept("heat", self.kept)
        return self._engine.heat()

    @property
    @one_thread
    def net_heat(self) -> Array:
        """Heat less what generators and active elements supplied, work + source + shadow − ΔH."""
        if self._engine.netted:
            require_kept(NET_HEAT, self.kept)
            return self._engine.heat()
        return self.heat - self.injected

    @property
    @one_thread
    def supply(self) -> Array:
        """∫ bᵀdx, what the bias sources delivered: an account of H + bᵀx, not of H."""
        require_kept("supply", self.kept)
        return self._engine.supply()

    @property
    @one_thread
    def source(self) -> Array:
        """Σ_r ∫ e_r dξ_r + Σ_s ∫ I_s a_s·∇H dt, from sources outside H."""
        require_kept("source", self.kept)
        return self._engine.source()

    @property
    @one_thread
    def injected(self) -> Array:
        """Energy from noise generators, which are not a bath."""
        self._needs_apart()
        require_kept("injected", self.kept)
        return self._engine.injected()

    @property
    @one_thread
    def shadow(self) -> Array:
        """Energy change of lossless moves that are not exact: the time-step error.

        Of kicks by quartic units with inertia, and of resolved steps of driven inductors; rounding
        or zero elsewhere.
        """
        require_kept("shadow", self.kept)
        return self._engine.shadow()

    @property
    @one_thread
    def energy_change(self) -> Array:
        """H now minus H when the accounts were last zero."""
        return self._engine.energy_change()

    @property
    @one_thread
    def heat_per_resistor(self) -> Array:
        """Heat that flowed into each resistor, shape (replicas, accounts).

        One column per heat account, in the order of ``accounts``: unit order, or the resistors of a
        circuit. Averages are second order in the step; the distribution converges too. It needs
        ``resolve_heat``, because the split is not a function of a hold's endpoints.
        """
        self._needs_items("heat_per_resistor")
        if self._engine.pooled:
            raise ValueError(
                "a sparse network keeps heat_per_resistor only on request; "
                "make the emulator with resolve_heat=True"
            )
        return self._engine.heat_per_account()

    @property
    @one_thread
    def entropy_flow(self) -> Array:
        """Σ_r ∫ dQ_r/kT_r, the entropy that flowed into the baths in units of k_B.

        Together with the change of the network's own entropy it is the entropy production, which
        is positive on average. Noiseless resistors (kT = 0) are left out.
        """
        self._needs_items("entropy_flow")
        return self._engine.entropy()

    @one_thread
    def variance(self, name: str) -> float:
        """Variance of an account over the replicas, exact for an infinite ensemble.

        For an infinite ensemble it is known for "work", "supply", "source", "net_heat", and where
        no noise generators act for "heat".

        Args:
            name: one of these; with finite replicas any account of one column.

        Raises:
            ValueError: an account whose variance is not available.

        Example:
            >>> import math, ktc
            >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
            >>> emulator = ktc.Emulator(unit, replicas=math.inf)
            >>> emulator.set(bias=3.0)  # from equilibrium Var W = 2 kT W_ex, W_ex = ½ b²/k
            >>> emulator.ledger.variance("work")
            9.0
        """
        known = self._engine.variances()
        if known is not None:
            if type(name) is str and name in known:
                return known[name]
            raise ValueError(
                f"the variance of {told(name)} is not known for replicas=math.inf, which has "
                f"{', '.join(map(repr, known)) or 'none'}; take a finite number of replicas"
            )
        columns = [kept for kept in self.names if kept != "heat_per_resistor"]
        amount = getattr(self, choice("name", name, columns))
        return float(np.var(amount, ddof=1)) if len(amount) > 1 else float("inf")

    def tally(
        self, saved: Saved | None = None
    ) -> AbstractContextManager[Callable[[], Mapping[str, float] | None]]:
        """Inside, a call gives the exact variances of what was booked since it was entered.

        None for finite ensembles, whose samples tell them. ``saved`` is what ``tallied`` returned
        in an earlier one, with which it goes on.
        """
        return self._engine.tally(saved)

    def tallied(self) -> Saved:
        """State of the innermost ``tally``, for a file; empty where it has none."""
        return self._engine.tallied()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the accounts that are kept."""
        if self.kept is not None:
            return self.kept
        names = ["work", NET_HEAT if self._engine.netted else "heat", "supply"]
        if self._engine.driven:
            names.append("source")
        if self._engine.itemised:
            names += ["injected", "shadow", "entropy_flow"]
            if not self._engine.pooled:
                names.append("heat_per_resistor")
        return tuple(names)

    @one_thread
    def amounts(self) -> dict[str, Array]:
        """Every account that is kept, by name."""
        return {name: getattr(self, name) for name in self.names}

    @one_thread
    def imbalance(self) -> float:
        """Largest |ΔH − (work + source + injected + shadow − heat)| of any replica.

        Relative to its Σ|work| + Σ|heat| + max|H|, the sums over all posts. Every account has its
        own local formula, so this can fail; rounding leaves about 1e-15. docs/physics.md derives
        what it leaves in single precision, about a rest far away, and of rates far apart.
        """
        terms: tuple[str, ...] = FIRST_LAW
        if not self._engine.itemised:
            heat = NET_HEAT if self._engine.netted else "heat"
            terms = ("work", heat, *(("source",) if self._engine.driven else ()))
        for name in terms:
            require_kept(name, self.kept, "imbalance()")
        return self._engine.imbalance()

    @one_thread
    def reset(self) -> None:
        """Set all accounts to zero."""
        if self._before_reset is not None:
            self._before_reset()
        self._engine.open_books()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "the ledger of a running emulator cannot be pickled; pickle its amounts(), or save the "
            "emulator with save(path)"
        )

    def _needs_apart(self) -> None:
        if self._engine.netted:
            raise ValueError(TOGETHER)

    def _needs_items(self, name: str) -> None:
        if not self._engine.itemised:
            raise ValueError(
                f"{name} is not kept by this motion, which records only total heat; "
                "make the emulator with resolve_heat=True"
            )
        require_kept(name, self.kept)
