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
    "Group",
    "Network",
    "PackedMatrix",
    "Purpose",
    "SingleGroup",
    "SinglePackedMatrix",
    "Statistics",
    "StatisticsPlan",
    "Stiffness",
    "accounts_of",
    "fill_normals",
    "kernel_level",
    "kernel_levels",
    "library_core",
    "linear_transition",
    "network_transition",
    "normals",
    "philox",
    "single_normals",
    "single_transform",
    "stationary_covariance",
    "transform",
    "use_kernels",
    "version",
]

class Purpose:
    """
    What a stream of noise is for.

    Members:

      equilibrium

      hold

      heat_bath

      cluster

      unit

      signs

      mode
    """

    __members__: typing.ClassVar[dict[str, Purpose]]
    cluster: typing.ClassVar[Purpose]
    equilibrium: typing.ClassVar[Purpose]
    heat_bath: typing.ClassVar[Purpose]
    hold: typing.ClassVar[Purpose]
    mode: typing.ClassVar[Purpose]
    signs: typing.ClassVar[Purpose]
    unit: typing.ClassVar[Purpose]
    @typing.overload
    def __eq__(self, other: Purpose) -> bool: ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool: ...
    def __getstate__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __index__(self) -> int: ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __int__(self) -> int: ...
    @typing.overload
    def __ne__(self, other: Purpose) -> bool: ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __str__(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...

class Group:
    """
    A group of replicas of independent units, moved by the kernels.
    """
    def __init__(self, state: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> None: ...
    def play(
        self,
        seed: typing.SupportsInt | typing.SupportsIndex,
        group: typing.SupportsInt | typing.SupportsIndex,
        step: typing.SupportsInt | typing.SupportsIndex,
        force: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        force_change: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        decay: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        growth: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        width: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> None:
        """
        Plays ticks, a row of each table for each.
        """
    @property
    def heat(self) -> list[float]: ...
    @property
    def state(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Units by replicas; in single precision their deviations from the force.
        """
    @property
    def supply(self) -> list[float]: ...
    @property
    def turnover(self) -> list[float]:
        """
        Sizes of what was posted, summed.
        """
    @property
    def work(self) -> list[float]: ...

class SingleGroup:
    """
    A group of replicas of independent units, moved by the kernels.
    """
    def __init__(self, state: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None: ...
    def play(
        self,
        seed: typing.SupportsInt | typing.SupportsIndex,
        group: typing.SupportsInt | typing.SupportsIndex,
        step: typing.SupportsInt | typing.SupportsIndex,
        force: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        force_change: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        decay: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        growth: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        width: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
    ) -> None:
        """
        Plays ticks, a row of each table for each.
        """
    @property
    def heat(self) -> list[float]: ...
    @property
    def state(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        Units by replicas; in single precision their deviations from the force.
        """
    @property
    def supply(self) -> list[float]: ...
    @property
    def turnover(self) -> list[float]:
        """
        Sizes of what was posted, summed.
        """
    @property
    def work(self) -> list[float]: ...

class PackedMatrix:
    """
    A matrix in the order in which the kernels read it.
    """
    def __init__(self, matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> None: ...
    def move(
        self,
        y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> numpy.typing.NDArray[numpy.float64]:
        """
        (y − x) + A y
        """
    def multiply(
        self, block: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]
    ) -> numpy.typing.NDArray[numpy.float64]:
        """
        A block, 64 replicas wide.
        """

class SinglePackedMatrix:
    """
    A matrix in the order in which the kernels read it.
    """
    def __init__(self, matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> None: ...
    def move(
        self,
        y: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        (y − x) + A y
        """
    def multiply(
        self, block: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        A block, 64 replicas wide.
        """

class Stiffness:
    """
    A sparse stiffness; Python keeps it by its matrix.
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
    def source_directions(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        a_s, (sources, n).
        """

class Network:
    """
    What cannot be programmed: the circuit itself.
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
    def diffusion(self, controls: dict[str, typing.Any]) -> numpy.typing.NDArray[numpy.float64]:
        """
        D, the covariance rate of white noise, (dimension, dimension).
        """
    def drift(self, controls: dict[str, typing.Any]) -> numpy.typing.NDArray[numpy.float64]:
        """
        F = (J − G) ∇²H of the quadratic part of H, (dimension, dimension).
        """
    def motion(self, controls: dict[str, typing.Any], resolve_heat: bool) -> str:
        """
        How an engine moves it: exact, midpoint, split or pooled.
        """
    def moves_together(self, controls: dict[str, typing.Any]) -> bool:
        """
        Whether midpoint steps move all units together.
        """
    @property
    def accounts(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def elements(self) -> Elements: ...
    @property
    def flow(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def friction(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def interconnection(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def mobility(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def resistors(self) -> int: ...
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
        `slots` lags from 0 on are correlated; empty `edges` are none.
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
        What was gathered, by name; what was not is empty.
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
    ) -> None:
        """
        `motion` is exact, midpoint, split or pooled; an empty `state` is the stationary one.
        """
    def controls(self) -> dict[str, typing.Any]: ...
    def copy(self) -> Engine: ...
    def energy(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def energy_change(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def entropy(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def equilibrate(self) -> None: ...
    def heat(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def heat_per_account(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def hold(self, duration: typing.SupportsFloat | typing.SupportsIndex) -> None:
        """
        Evolves at held controls.
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
        Mean and second central moment of the state, the latter empty unless asked for.
        """
    def open_books(self) -> None: ...
    def place(self, state: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> None:
        """
        Places every replica; opens new books.
        """
    def play(
        self,
        holds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        waveforms: dict[str, typing.Annotated[numpy.typing.ArrayLike, numpy.float64]],
        statistics: Statistics | None = None,
    ) -> int:
        """
        Plays ticks, each an update and a hold; returns how many were done.
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
        Back to how it was made with these, with the same noise.
        """
    def restore(self, saved: dict[str, typing.Any]) -> None: ...
    def set(self, changes: dict[str, typing.Any]) -> None:
        """
        One control update: books work.
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
        Bound of the steps of split motion.
        """
    @longest_step.setter
    def longest_step(self, arg1: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def pooled(self) -> bool: ...
    @property
    def prepared(self) -> int:
        """
        How many holds were prepared.
        """
    @property
    def threads(self) -> int: ...
    @property
    def time(self) -> float: ...

def accounts_of(motion: str) -> tuple[str, ...]:
    """
    Names of the energy accounts that this motion can keep.
    """

@typing.overload
def fill_normals(
    out: numpy.typing.NDArray[numpy.float64],
    seed: typing.SupportsInt | typing.SupportsIndex,
    purpose: Purpose,
    group: typing.SupportsInt | typing.SupportsIndex,
    element: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> None:
    """
    Normals of one group and consecutive elements, into an array of either size.
    """

@typing.overload
def fill_normals(
    out: numpy.typing.NDArray[numpy.float32],
    seed: typing.SupportsInt | typing.SupportsIndex,
    purpose: Purpose,
    group: typing.SupportsInt | typing.SupportsIndex,
    element: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> None:
    """
    Normals of one group and consecutive elements, into an array of either size.
    """

def kernel_level() -> str:
    """
    Instruction set of the kernels in use.
    """

def kernel_levels() -> list[str]:
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
    A and Q of a network's state z over a hold.
    """

def normals(
    seed: typing.SupportsInt | typing.SupportsIndex,
    purpose: Purpose,
    group: typing.SupportsInt | typing.SupportsIndex,
    element: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> numpy.typing.NDArray[numpy.float64]:
    """
    The sixteen standard normals at one address.
    """

def philox(
    counter: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(4)"
    ],
    key: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(2)"
    ],
) -> typing.Annotated[list[int], "FixedSize(4)"]:
    """
    The four words of Philox4x32-10 at a counter of four words and a key of two.
    """

def single_normals(
    seed: typing.SupportsInt | typing.SupportsIndex,
    purpose: Purpose,
    group: typing.SupportsInt | typing.SupportsIndex,
    element: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> numpy.typing.NDArray[numpy.float32]:
    """
    The thirty-two standard normals in single precision at one address.
    """

def single_transform(
    radius: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(16)"
    ],
    angle: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(16)"
    ],
) -> numpy.typing.NDArray[numpy.float32]:
    """
    Sixteen pairs of 32-bit words to thirty-two standard normals.
    """

def stationary_covariance(
    drift: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    diffusion: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> numpy.typing.NDArray[numpy.float64]:
    """
    P with F P + P Fᵀ + D = 0.
    """

def transform(
    radius: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(8)"
    ],
    angle: typing.Annotated[
        collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(8)"
    ],
) -> numpy.typing.NDArray[numpy.float64]:
    """
    Eight pairs of 64-bit words to sixteen standard normals.
    """

def use_kernels(instruction_set: str) -> None:
    """
    Takes others into use.
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
CONTROLS: tuple[str, ...] = ("bias", "stiffness", "quartic", "kT", "emf", "current")
LARGEST_ENERGY: float = 1e300
MOST_DENSE_UNITS: int = 4096
MOST_REPLICAS: int = 8589934592
