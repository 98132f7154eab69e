"""
The compiled core of ktc. Its arguments are checked by the Python layer above.
"""

from __future__ import annotations

import collections.abc
import typing

import numpy
import numpy.typing

__all__: list[str] = [
    "ACCOUNTS",
    "CONTROLS",
    "LARGEST_ENERGY",
    "MOST_DENSE_UNITS",
    "MOST_REPLICAS",
    "Elements",
    "Engine",
    "Network",
    "Statistics",
    "StatisticsPlan",
    "Stiffness",
    "accounts_of",
    "instruction_set",
    "instruction_sets",
    "library_core",
    "linear_transition",
    "network_transition",
    "rest_slope",
    "stationary_covariance",
    "version",
]

class Stiffness:
    """
    A sparse stiffness; Python keeps it by its matrix.
    """
    @staticmethod
    def inverse_of(
        storage: typing.Any, order: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]
    ) -> Stiffness:
        """
        The inverse of a sparse matrix, factorised in an order of elimination.
        """
    @staticmethod
    def of_rows(
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        columns: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> Stiffness:
        """
        Compressed rows, columns ascending in each.
        """
    def dominated(self) -> bool:
        """
        Whether some scaling makes it diagonally dominant, and so positive definite.
        """
    def times(
        self, columns: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]
    ) -> numpy.typing.NDArray[numpy.float64]:
        """
        The inverse of S times a matrix, (d, columns).
        """
    @property
    def entries(self) -> int:
        """
        Entries of the factor of S.
        """

class Elements:
    """
    The elements of a network as arrays, one row or entry per element.
    """
    @property
    def account(self) -> numpy.typing.NDArray[numpy.int64]:
        """
        Number of the heat account of each resistor.
        """
    @property
    def accounts(self) -> int:
        """
        Number of heat accounts.
        """
    @property
    def conductance(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        g_r.
        """
    @property
    def directions(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        d_r, (resistors, n).
        """
    @property
    def filters(self) -> int:
        """
        Number of noises behind a filter.
        """
    @property
    def interconnection(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        J, (n, n); (0, 0) where there is none.
        """
    @property
    def noise_density(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        S_i, two-sided.
        """
    @property
    def noise_directions(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        a_i, (noises, n).
        """
    @property
    def noise_rate(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        2π times the bandwidth of the filter; 0 for white noise.
        """
    @property
    def noises(self) -> int:
        """
        Number of noise generators.
        """
    @property
    def source_directions(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        a_s, (sources, n).
        """

class Network:
    """
    What cannot be programmed: the circuit itself.
    """
    @staticmethod
    def of_circuit(
        *,
        storage: typing.Any,
        interconnection: typing.Any,
        directions: typing.Any,
        conductance: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        account: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        source_directions: typing.Any,
        noise_directions: typing.Any,
        noise_density: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        first_flux: typing.SupportsInt | typing.SupportsIndex,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        rates: tuple[
            typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex
        ],
        fill: typing.SupportsInt | typing.SupportsIndex,
    ) -> Network:
        """
        A large circuit; see physics/sparse_circuit.hpp.
        """
    @staticmethod
    def of_elements(
        *,
        interconnection: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        directions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        conductance: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        account: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        source_directions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        noise_directions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        noise_density: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        noise_rate: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        flow: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        readings: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        reading_conductance: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        reading_noise: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> Network:
        """
        A circuit of resistors along given directions; see physics/elements.hpp.
        """
    @staticmethod
    def of_sparse_units(
        friction: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> Network:
        """
        Overdamped units, one resistor each, of a sparse stiffness.
        """
    @staticmethod
    def of_units(
        friction: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        inertia: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> Network:
        """
        Units with a friction matrix and, where `inertia` is not empty, momenta.
        """
    def check(self, controls: dict[str, typing.Any], motion: str) -> None:
        """
        Refuses controls that do not fit, or at which this motion is none.
        """
    def check_sources(self, controls: dict[str, typing.Any]) -> None:
        """
        Refuses EMFs and currents that do not fit.
        """
    def diffusion(self, controls: dict[str, typing.Any]) -> numpy.typing.NDArray[numpy.float64]:
        """
        D, the covariance rate of white noise, (dimension, dimension).
        """
    def drift(self, controls: dict[str, typing.Any]) -> numpy.typing.NDArray[numpy.float64]:
        """
        F = (J − G) ∇²H of the quadratic part of H, (dimension, dimension).
        """
    def is_driven(self, controls: dict[str, typing.Any]) -> bool:
        """
        Whether sources, generators or temperatures drive it.
        """
    def motion(self, controls: dict[str, typing.Any], resolve_heat: bool) -> str:
        """
        How an engine moves it: exact, driven, midpoint, split or pooled.
        """
    def moves_together(self, controls: dict[str, typing.Any]) -> bool:
        """
        Whether midpoint steps move all units together.
        """
    def with_potentials(
        self,
        kinds: collections.abc.Sequence[str],
        tables: collections.abc.Sequence[
            tuple[
                typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
                typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
            ]
        ],
    ) -> Network:
        """
        This network with on-site potentials: a kind per unit, and knots and cells of each table; see physics/potential.hpp.
        """
    @property
    def accounts(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def elements(self) -> Elements: ...
    @property
    def fastest(self) -> float:
        """
        A bound of the fastest rate of a large circuit; 0 of other networks.
        """
    @property
    def flow(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def friction(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def interconnection(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def is_active(self) -> bool:
        """
        Whether there are active elements, without a bath.
        """
    @property
    def mobility(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def resistors(self) -> int: ...
    @property
    def size_of_step(self) -> tuple[int, int]:
        """
        Coordinates of a large circuit, and entries of the factor of its steps.
        """
    @property
    def units(self) -> int: ...

class StatisticsPlan:
    """
    What running statistics gather.
    """
    def __init__(
        self,
        *,
        scale: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        covariance: bool,
        edges: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        slots: typing.SupportsInt | typing.SupportsIndex,
        every: typing.SupportsInt | typing.SupportsIndex,
        blocks: typing.SupportsInt | typing.SupportsIndex,
        threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> None:
        """
        `slots` lags are correlated, from 0 on; empty `edges` make no histogram.
        """
    @property
    def bytes(self) -> float: ...

class Statistics:
    """
    Running statistics over time and replicas.
    """
    def __init__(self, plan: StatisticsPlan) -> None: ...
    def result(self) -> dict[str, typing.Any]:
        """
        The statistics by name; empty if not requested.
        """

class Engine:
    """
    Replicas of one network in motion.
    """
    def __init__(
        self,
        *,
        network: Network,
        controls: dict[str, typing.Any],
        seed: typing.SupportsInt | typing.SupportsIndex,
        first_replica: typing.SupportsInt | typing.SupportsIndex,
        replicas: typing.SupportsInt | typing.SupportsIndex,
        threads: typing.SupportsInt | typing.SupportsIndex,
        motion: str,
        dtype: str,
        longest_step: typing.SupportsFloat | typing.SupportsIndex,
        state: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        accounts: collections.abc.Sequence[str] | None = None,
        first_step: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> None:
        """
        `motion` is exact, driven, midpoint, split or pooled; an empty `state` starts in the stationary state.
        """
    def controls(self) -> dict[str, typing.Any]: ...
    def copy(self) -> Engine: ...
    def energy(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def energy_change(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def entropy(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def equilibrate(self) -> None: ...
    def exchange(self, network: Network, changes: dict[str, typing.Any]) -> None:
        """
        Go on with a network that differs in its resistors, after a control update.
        """
    def heat(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def heat_per_account(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def hold(self, duration: typing.SupportsFloat | typing.SupportsIndex) -> None:
        """
        Evolve at held controls.
        """
    def imbalance(self) -> float: ...
    def injected(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def mean(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Mean of the state over the replicas.
        """
    def moments(
        self, with_covariance: bool
    ) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
        """
        Mean and second central moment of the state, the latter empty unless requested.
        """
    def open_books(self) -> None: ...
    def place(self, state: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> None:
        """
        Place every replica; open new books.
        """
    def play(
        self,
        holds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        waveforms: dict[str, typing.Annotated[numpy.typing.ArrayLike, numpy.float64]],
        statistics: Statistics | None = None,
    ) -> int:
        """
        Play ticks, each an update and a hold; return how many were completed.
        """
    def read(
        self,
        begin: typing.SupportsInt | typing.SupportsIndex,
        end: typing.SupportsInt | typing.SupportsIndex,
    ) -> numpy.typing.NDArray[numpy.float64]:
        """
        Coordinates [begin, end) of the state, (replicas, end - begin).
        """
    def restart(
        self,
        controls: dict[str, typing.Any],
        state: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> None:
        """
        Restart the run with these, and the same noise.
        """
    def restore(self, saved: dict[str, typing.Any]) -> None: ...
    def set(self, changes: dict[str, typing.Any]) -> None:
        """
        Apply one control update and post its work.
        """
    def shadow(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def snapshot(self) -> dict[str, typing.Any]: ...
    def source(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def supply(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def work(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def blocks(self) -> int: ...
    @property
    def itemised(self) -> bool: ...
    @property
    def longest_step(self) -> float:
        """
        Largest time step of motion that is not exact.
        """
    @longest_step.setter
    def longest_step(self, arg1: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def pooled(self) -> bool: ...
    @property
    def prepared(self) -> int:
        """
        Number of holds prepared.
        """
    @property
    def threads(self) -> int: ...
    @property
    def time(self) -> float: ...

def accounts_of(motion: str) -> tuple[str, ...]:
    """
    Names of the energy accounts that this motion can keep.
    """

def instruction_set() -> str:
    """
    Instruction set of the kernels in use.
    """

def instruction_sets() -> list[str]:
    """
    Instruction sets that this processor has, the best last.
    """

def library_core() -> str:
    """
    Processor whose kernels OpenBLAS uses.
    """

def linear_transition(
    drift: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    diffusion: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    hold: typing.SupportsFloat | typing.SupportsIndex,
) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    A and Q of dz = F z dt + noise of covariance rate D over a hold.
    """

def network_transition(
    network: Network,
    controls: dict[str, typing.Annotated[numpy.typing.ArrayLike, numpy.float64]],
    hold: typing.SupportsFloat | typing.SupportsIndex,
) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    A and Q of a network's state z over a hold, followed by the currents of filters.
    """

def rest_slope(
    network: Network, controls: dict[str, typing.Annotated[numpy.typing.ArrayLike, numpy.float64]]
) -> numpy.typing.NDArray[numpy.float64]:
    """
    Gradient of H where a network under sources rests.
    """

def stationary_covariance(
    drift: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    diffusion: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> numpy.typing.NDArray[numpy.float64]:
    """
    P with F P + P Fᵀ + D = 0.
    """

def version() -> str:
    """
    Version of the package.
    """

ACCOUNTS: tuple[str, ...] = (
    "work",
    "heat",
    "supply",
    "source",
    "injected",
    "shadow",
    "entropy_flow",
    "heat_per_resistor",
)
CONTROLS: tuple[str, ...] = ("bias", "stiffness", "quartic", "kT", "emf", "current", "potential")
LARGEST_ENERGY: float = 1e300
MOST_DENSE_UNITS: int = 4096
MOST_REPLICAS: int = 8589934592
