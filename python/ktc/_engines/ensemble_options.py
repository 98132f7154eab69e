"""Options of an ensemble: how many replicas, their noise, precision, time step and accounts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ktc import _core
from ktc._base.resources import thread_count
from ktc._base.validation import count, flag, is_infinity, positive, random_seed, told
from ktc._model.accounts import account_names, accounts_to_keep
from ktc._model.network import Network

#: Largest number of the first step of noise; as many again are left to run.
MOST_STEPS = 2**62
#: Motions of one move per hold.
EXACT = ("exact", "driven")


@dataclass(frozen=True, eq=False, repr=False)
class EnsembleOptions:
    """Validated options of ``ktc.Emulator``.

    Attributes:
        motion: "exact", "driven" (exact, with an account of the energy from sources), "midpoint"
            (all units together), "split", or "pooled" (split, with total heat alone).
        replicas: number of replicas; infinite for an ensemble that is carried by its moments.
        first_replica: number of the first replica among all that the seed has.
        seed, threads: None for an infinite ensemble, which has no noise and no loop over replicas.
        dtype: "float64" or "float32".
        dt: longest time step; None for the default, or for exact motion.
        accounts: names of the accounts to keep; None for all.
        first_step: number of the first step of noise; None while it is not chosen.
    """

    motion: str
    replicas: float
    first_replica: int = 0
    seed: int | None = None
    threads: int | None = None
    dtype: str = "float64"
    dt: float | None = None
    accounts: tuple[str, ...] | None = None
    first_step: int | None = None

    @classmethod
    def checked(
        cls,
        network: Network,
        replicas: float = 1000,
        seed: int | None = None,
        threads: int | None = None,
        dtype: str = "float64",
        dt: float | None = None,
        resolve_heat: bool = False,
        first_replica: int = 0,
        accounts: Sequence[str] | str | None = None,
        first_step: int | None = None,
    ) -> EnsembleOptions:
        """The options that a user passes, validated for a network."""
        number = _precision(dtype)
        flag("resolve_heat", resolve_heat)
        infinite = is_infinity(replicas)
        names = account_names(accounts)
        motion = _motion(network, resolve_heat or "heat_per_resistor" in (names or ()), infinite)
        if infinite:
            _refuse_ignored(seed, threads, number, dt, first_replica, first_step)
            if network.is_sparse:
                raise ValueError(
                    "replicas must be finite for a sparse network, because a covariance is dense; "
                    "make the network of stiffness.toarray(), or compile the circuit with "
                    "sparse=False, where that is small enough"
                )
        size = math.inf if infinite else count("replicas", replicas)
        first = count("first_replica", first_replica, least=0)
        if not infinite and first + size > _core.MOST_REPLICAS:
            raise ValueError(
                "first_replica + replicas must not exceed 2**33, the number of replicas that a "
                f"seed has, but is {first + size}"
            )
        if dt is not None and motion in EXACT:
            raise ValueError(
                f"dt must be None, but is {dt!r}: a linear network moves exactly over any hold; "
                "leave it out, or pass resolve_heat=True"
            )
        return cls(
            motion=motion,
            replicas=size,
            first_replica=first,
            seed=None if infinite else random_seed(seed),
            threads=None if infinite else thread_count(threads),
            dtype=number,
            dt=None if dt is None else positive("dt", dt),
            accounts=accounts_to_keep(
                names, motion, network.core.elements.noises > 0 or network.core.is_active
            ),
            first_step=None if first_step is None else _first_step(first_step),
        )

    @property
    def infinite(self) -> bool:
        """Whether the ensemble is carried by its moments instead of replicas."""
        return self.replicas == math.inf

    @property
    def exact(self) -> bool:
        """Whether a hold is one exact move."""
        return self.motion in EXACT

    @property
    def resolve_heat(self) -> bool:
        """Whether every account is told apart, by the splitting integrator."""
        return self.motion == "split"


def _motion(network: Network, resolve_heat: bool, infinite: bool) -> str:
    motion = network.core.motion(network.controls.arrays(), resolve_heat)
    if network.core.is_active:
        network.core.check(network.controls.arrays(), motion)
        return motion
    if infinite:  # Moments tell heats apart without steps.
        return "split" if motion == "driven" else motion
    # The sources of a circuit may be zero now, and driven later.
    return "driven" if motion == "exact" and network.elements is not None else motion


def _precision(dtype: str) -> str:
    """``dtype`` by its name; NumPy's own types are accepted."""
    name = None
    if dtype is not None:  # which would be NumPy's default
        with suppress(TypeError, ValueError):
            name = np.dtype(dtype).name
    if name not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', but is {told(dtype)}")
    return name


def _first_step(value: int) -> int:
    step = count("first_step", value, least=0)
    if step > MOST_STEPS:
        raise ValueError(f"first_step must not exceed 2**62, but is {step}")
    return step


def _refuse_ignored(
    seed: int | None,
    threads: int | None,
    dtype: str,
    dt: float | None,
    first_replica: int,
    first_step: int | None,
) -> None:
    reasons = {
        "seed": (seed, seed is not None, "moments have no noise"),
        "threads": (threads, threads is not None, "there are no replicas to divide among threads"),
        "dtype": (dtype, dtype != "float64", "moments are carried in double precision"),
        "dt": (dt, dt is not None, "moments move exactly over any hold"),
        "first_replica": (
            first_replica,
            type(first_replica) is not int or first_replica != 0,
            "there are no numbered replicas",
        ),
        "first_step": (first_step, first_step is not None, "moments have no noise"),
    }
    for name, (value, given, reason) in reasons.items():
        if given:
            raise ValueError(
                f"{name} must be left out with replicas=math.inf, but is {value!r}: {reason}"
            )
