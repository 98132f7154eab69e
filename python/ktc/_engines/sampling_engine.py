"""The sampling engine: individual replicas in the C++ core."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from ktc import _core
from ktc._base.codec import Saved
from ktc._base.lazy_imports import scipy
from ktc._base.resources import within_memory
from ktc._base.validation import Array
from ktc._engines.engine import ControlArrays, spread
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.step_size import Rates, bias_of_step, checked_step, step_of
from ktc._model.accounts import NET_HEAT
from ktc._model.controls import Controls
from ktc._model.network import Network

#: Time of a step of one resistor of one replica, of small networks on a core of 2020.
NANOSECONDS_PER_MOVE = {"midpoint": 6.0, "split": 18.0, "pooled": 18.0}
SECONDS_TO_WARN = 60.0


class SamplingEngine:
    """``Engine`` over ``_core.Engine``, with the time step that the controls need.

    It starts at the network's own controls: from ``start``, shape (replicas, n), or from the
    stationary state where that is empty.
    """

    sampled = True

    def __init__(self, network: Network, options: EnsembleOptions, start: Array) -> None:
        self.network, self._options = network, options
        self._rates, self._warned = Rates(network), False
        controls = network.controls
        longest = self._longest([controls])
        needed = _gigabytes(network, options)
        refusal = (
            f"{options.replicas} replicas, whose states and books take {needed:.3g} GB, are more "
            "than the memory of this machine; take fewer, or several emulators in turn with "
            "first_replica"
        )
        with within_memory(1e9 * needed, refusal):
            core = _core.Engine(
                network=network.core,
                controls=controls.arrays(),
                seed=options.seed or 0,
                first_replica=options.first_replica,
                replicas=int(options.replicas),
                threads=options.threads or 1,
                motion=options.motion,
                dtype=options.dtype,
                longest_step=longest,
                state=start,
                accounts=_in_core(options.accounts),
                first_step=options.first_step or 0,
            )
        self._adopt(core)

    def _adopt(self, core: _core.Engine) -> None:
        """Bind the calls that the core answers itself; a controller makes them every tick."""
        self.core = core
        self.itemised, self.pooled = core.itemised, core.pooled
        self.driven = core.itemised or self._options.motion == "driven"
        supplied = self.network.core.elements.noises > 0 or self.network.core.is_active
        self.netted = supplied and self._options.motion == "driven"
        self.set, self.hold, self.play = core.set, core.hold, core.play
        self.read, self.mean, self.moments = core.read, core.mean, core.moments
        self.equilibrate, self.place, self.controls = core.equilibrate, core.place, core.controls
        self.energy, self.energy_change, self.work = core.energy, core.energy_change, core.work
        self.heat, self.supply, self.source = core.heat, core.supply, core.source
        self.injected, self.shadow, self.entropy = core.injected, core.shadow, core.entropy
        self.heat_per_account, self.imbalance = core.heat_per_account, core.imbalance
        self.open_books, self.snapshot, self.restore = core.open_books, core.snapshot, core.restore

    @property
    def time(self) -> float:
        return self.core.time

    def check(self, controls: Controls, network: Network | None = None) -> None:
        (network or self.network).core.check(controls.arrays(), self._options.motion)

    def exchange(self, network: Network, changes: ControlArrays) -> None:
        self.core.exchange(network.core, changes)
        self.network, self._rates = network, Rates(network)

    def prepare(self, settings: Iterable[Controls]) -> None:
        if not self._options.exact:
            self.core.longest_step = self._longest(settings)

    def reach(self) -> float:
        return float(np.abs(self.read(0, self.network.units)).max())

    def warn_if_long(self, holds: Array) -> None:
        """Warn before holds whose steps take more than a minute."""
        if self._options.exact:
            return
        network, options = self.network, self._options
        longest = self.core.longest_step
        with np.errstate(over="ignore"):  # the core refuses so many steps
            steps = float(np.sum(np.maximum(1, holds / longest)))
        moves = steps * max(64, options.replicas) / (options.threads or 1)
        seconds = NANOSECONDS_PER_MOVE[options.motion] * 1e-9 * moves * network.core.resistors
        if seconds < SECONDS_TO_WARN:
            return
        alternatives = "a longer dt or fewer replicas take less"
        if options.motion == "split" and network.moves_exactly:
            alternatives = (
                "without resolve_heat and heat_per_resistor motion is exact and takes no steps; "
                "replicas=math.inf has the mean heat of each resistor; a longer dt or fewer "
                "replicas take less"
            )
        warnings.warn(
            f"{steps:.2g} steps, of at most {longest:.2g} because the network is that fast, take "
            f"about {_duration(seconds)}: {alternatives}",
            stacklevel=4,
        )

    def restart(self, controls: ControlArrays, state: Array) -> None:
        self.core.restart(controls, state)
        self.prepare([self.network.controls])

    def surprisal(self) -> Array | None:
        """−ln p(z) of every replica, p the normal distribution with the replicas' own moments.

        ½ (z − m)ᵀP⁻¹(z − m) + ½ ln det 2πP, shape (replicas,); its mean is the Shannon entropy of
        that distribution. None where the replicas do not spread in every direction.
        """
        n = self.network.core.dimension
        mean, covariance = self.moments(True)
        found = spread(covariance)
        if found is None:
            return None
        width, scaled, _ = found
        factor = np.linalg.cholesky(scaled)
        deviations = ((self.read(0, n) - mean) / width).T
        normal = scipy.linalg.solve_triangular(factor, deviations, lower=True)
        squares = np.sum(normal**2, axis=0)
        volume = float(np.sum(np.log(np.diagonal(factor) * width)))
        return np.asarray(0.5 * squares + volume + 0.5 * n * np.log(2 * np.pi))

    def statistics_plan(
        self, scale: Array, covariance: bool, edges: Array, slots: int, every: int
    ) -> _core.StatisticsPlan:
        return _core.StatisticsPlan(
            scale=scale,
            covariance=covariance,
            edges=edges,
            slots=slots,
            every=every,
            blocks=self.core.blocks,
            threads=self.core.threads,
        )

    def variances(self) -> None:
        """None: variances follow from the samples."""

    def tally(self, saved: Saved | None = None) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(self.variances)

    def tallied(self) -> Saved:
        return {}

    def copy(self) -> SamplingEngine:
        twin = SamplingEngine.__new__(SamplingEngine)
        vars(twin).update(vars(self))
        twin._adopt(self.core.copy())
        return twin

    def _longest(self, settings: Iterable[Controls]) -> float:
        """The longest step at these controls: ``dt``, or a tenth of the fastest time."""
        if self._options.exact:
            return 0.0
        chosen = [controls.strongest for controls in settings]
        if self._options.dt is None:
            return step_of(self._rates, chosen)
        dt = self._options.dt
        step = checked_step(dt, self._rates, chosen)
        if not self._warned:
            midpoint = self._options.motion == "midpoint"
            if bias := bias_of_step(step, self._rates, chosen, midpoint):
                self._warned = True
                shorter = "leave dt out, or take a shorter one; ktc.convergence measures its bias"
                warnings.warn(f"dt = {dt:.4g} is {bias}; {shorter}", RuntimeWarning, stacklevel=6)
        return step


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.2g} seconds"


def _in_core(accounts: tuple[str, ...] | None) -> list[str] | None:
    """Names of the accounts in the core, whose heat is net where generators are not told apart."""
    if accounts is None:
        return None
    return ["heat" if name == NET_HEAT else name for name in accounts]


def _gigabytes(network: Network, options: EnsembleOptions) -> float:
    """Memory of coordinates, of accounts (12 bytes each) and of opening energies."""
    d, replicas = network.units, options.replicas
    plain = 4 if options.motion == "driven" else 3
    accounts = plain if options.accounts is None else len(options.accounts)
    size = 4 if options.dtype == "float32" else 8
    coordinates, fill = network.core.size_of_step
    if coordinates:
        # States, books, scratch memory of threads, and factors with what makes them.
        lanes = -(-replicas // 64) * 64
        books = 1.5 * len(network.accounts) if options.resolve_heat else 0
        scratch = 64 * (options.threads or 1) * (3 * d + coordinates)
        return 8e-9 * (lanes * (d + books) + scratch + 6 * fill)
    if network.is_sparse:
        # Lanes of whole blocks, and the lines of each unit's resistor.
        lanes = -(-replicas // 64) * 64
        return 8e-9 * (lanes * d * (4 if options.resolve_heat else 1) + 60 * d)
    coordinates = d * (1 if network.inertia is None else 2)
    return 1e-9 * replicas * (size * coordinates + 12 * accounts + 8)
