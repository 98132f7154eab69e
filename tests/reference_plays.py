"""Runs of an emulator whose figures must not change; ``reference_runs`` lists them.

Every motion, board and circuit, with all that an emulator is asked for.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import ktc
from reference_figures import (
    FACTORS,
    KERNELS,
    LIBRARIES,
    Figures,
    ends,
    of_accounts,
    of_emulator,
    of_excess,
    of_moments,
    of_run,
    upper,
)

TICKS = 37  # Books are entered every 16 ticks: twice, and of a part.
HOLDS = [0.02 + 0.01 * (k % 3) for k in range(TICKS)]
#: 150 replicas are two blocks of 64 and a part of a third.
OPTIONS = {"replicas": 150, "seed": 20}

K1, K3 = [[2.0]], [[2.0, 0.5, -0.3], [0.5, 1.5, 0.2], [-0.3, 0.2, 1.0]]
WELLS = [[-2.0, 0.7, 0.0], [0.7, -1.5, 0.3], [0.0, 0.3, 1.0]]
R3, DENSE = [1.0, 0.5, 2.0], [[1.0, 0.3, 0.1], [0.3, 0.8, -0.2], [0.1, -0.2, 1.5]]


def biases(units: int) -> list[list[float]]:
    """One bias per tick and unit."""
    return [
        [0.1 * ((k * (i + 3)) % 11) - 0.4 * (i % 2) for i in range(units)] for k in range(TICKS)
    ]


def drive(units: int, **controls: Any) -> ktc.Protocol:
    """Ticks of unequal holds under a bias of every unit."""
    return ktc.Protocol(HOLDS, {"bias": biases(units), **controls}, final={"bias": [0.7] * units})


def moved(motion: dict[str, Any], threads: int) -> Figures:
    """A protocol, then an update and a hold.

    Args:
        motion: ``network`` makes it, ``controls`` are played beside the bias; options of Emulator.
        threads: for the emulator.
    """
    options = {**OPTIONS, **motion}
    network, controls = options.pop("network"), options.pop("controls", {})
    emulator = ktc.Emulator(network(), threads=threads, **options)
    units = emulator.network.units
    run = emulator.play(drive(units, **controls))
    emulator.set(bias=[0.3] * units)
    emulator.run(0.7)
    return of_emulator(emulator) | of_run(run)


def stiffnesses(threads: int, **options: Any) -> Figures:
    """Stiffness changes at every tick, and by ``set``."""
    played = [(1 + 0.05 * (k % 5)) * np.array(K3) for k in range(TICKS)]
    emulator = ktc.Emulator(ktc.Network(K3, R3), threads=threads, **{**OPTIONS, **options})
    run = emulator.play(drive(3, stiffness=played))
    emulator.set(stiffness=np.array(K3) + np.eye(3))
    emulator.run(0.4)
    return of_emulator(emulator) | of_run(run) | of_excess(run)


def controller(threads: int, **options: Any) -> Figures:
    """Updates that follow the mean, as a controller's; equilibrated, reset, copied meanwhile."""
    emulator = ktc.Emulator(ktc.Network(K3, R3), threads=threads, **{**OPTIONS, **options})
    emulator.run(0.5)
    emulator.reset()
    for _ in range(20):
        emulator.set(bias=0.5 * emulator.moments().mean + [1.0, 0.0, -1.0])
        emulator.run(0.05)
    twin = emulator.copy()
    emulator.equilibrate()
    twin.run(0.3)
    equilibrium = {f"equilibrated {name}": v for name, v in of_moments(emulator).items()}
    return of_emulator(twin) | equilibrium


def resumed(threads: int, **options: Any) -> Figures:
    """Saved and loaded between two protocols."""
    emulator = ktc.Emulator(ktc.Network(WELLS, R3, quartic=0.8), threads=threads, **OPTIONS)
    emulator.play(drive(3))
    with tempfile.TemporaryDirectory() as folder:
        emulator.save(Path(folder) / "emulator.npz")
        emulator = ktc.Emulator.load(Path(folder) / "emulator.npz", threads=threads)
    emulator.play(drive(3))
    return of_emulator(emulator)


def split(threads: int) -> Figures:
    """The replicas of one seed on two emulators."""
    states, heats = [], []
    for first, many in ((0, 70), (70, 80)):
        emulator = ktc.Emulator(
            ktc.Network(K3, R3), replicas=many, seed=20, first_replica=first, threads=threads
        )
        emulator.play(drive(3))
        states.append(emulator.read())
        heats.append(emulator.ledger.heat)
    return {"state": ends(np.concatenate(states)), "heat": ends(np.concatenate(heats))}


def recorded(threads: int, network: Callable[[], Any], **options: Any) -> Figures:
    """All quantities that a play records."""
    emulator = ktc.Emulator(network(), threads=threads, **{**OPTIONS, **options})
    names = ["state", "mean", "covariance", "energy", "work", "heat", "bias"]
    series = emulator.play(drive(emulator.network.units), record=names, every=18).series
    return {
        **series,
        "state": np.concatenate([ends(states) for states in series["state"]]),
        "covariance": upper(series["covariance"]),
    }


def gathered(threads: int, **options: Any) -> Figures:
    """Statistics over time and replicas."""
    emulator = ktc.Emulator(ktc.Network(K3, R3), threads=threads, **{**OPTIONS, **options})
    wanted = ktc.Statistics(
        covariance=True, histogram=[-2.0, -1.0, 0.0, 1.0, 2.0], autocorrelation=3
    )
    found = emulator.play(ktc.Protocol([0.1] * TICKS, {}), statistics=wanted).statistics
    return {
        "mean": found.mean,
        "covariance": upper(found.covariance),
        "histogram": found.histogram,
        "autocorrelation": found.autocorrelation,
    }


RLC = """
V1 in 0 0.001
R1 in out 1k kelvin=250
L1 out 0 10u
C1 out 0 1n
R2 out far 2k kelvin=350
C2 far 0 2n
I1 far 0 1u
"""
NOISES = """
R1 a 0 1k
C1 a 0 1n
R2 b 0 2k kelvin=100
C2 b 0 1n
C3 a b 0.5n
I1 a 0 0 noise=1e-23
I2 b 0 0 noise=2e-23 bandwidth=300k
"""


def circuit(netlist: str, threads: int, **options: Any) -> Figures:
    """Holds of a circuit, its sources changed between them."""
    drawn = ktc.Circuit.from_netlist(netlist)
    emulator = ktc.Emulator(drawn.compile(), threads=threads, **{**OPTIONS, **options})
    emulator.run(1e-6)
    for k in range(4):
        emulator.set(**drawn.controls(I1=1e-6 * (k - 1)))
        emulator.run(4e-7)
    return of_emulator(emulator) | {"voltages": ends(drawn.voltages(emulator))}


REAL = {
    "resistance_tolerance": 0.05, "capacitance_tolerance": 0.03, "coupling_tolerance": 0.1,
    "offset": 2e-6, "dac_bits": 10, "dac_range": 1e-3, "settling_time": 1e-7, "update_time": 1e-7,
    "adc_bits": 12, "adc_range": 1e-2, "adc_noise": 3e-6, "adc_rate": 1e6,
    "parasitic_capacitance": 2e-14, "temperature_error": 4.0, "pickup": 1e-15, "seed": 5,
}  # fmt: skip


def board(threads: int, network: dict[str, Any], real: bool = False, **options: Any) -> Figures:
    """A drawn board or a real one: a protocol, readings and updates."""
    imperfections = ktc.Imperfections(**REAL) if real else None
    drawn = ktc.Board(
        cells=3, resistance=1e6, capacitance=[1e-12, 2e-12, 1e-12], temperature=300.0,
        imperfections=imperfections, **network,
    )  # fmt: skip
    emulator = drawn.emulator(threads=threads, **{**OPTIONS, **options})
    volts = 1e-4 * np.array(biases(3)[:9])
    run = emulator.play(ktc.Protocol([1e-6 + 1e-7 * (k % 3) for k in range(9)], {"bias": volts}))
    figures = of_accounts(emulator) | of_run(run) | of_moments(emulator)
    figures |= {} if real else of_excess(run)
    emulator.set(bias=1e-4)
    emulator.run(2e-6)
    return figures | {"state": ends(emulator.read()), "later heat": ends(emulator.ledger.heat)}


def infinite(network: Callable[[], Any], threads: int, **options: Any) -> Figures:
    """Exact moments and mean accounts; there are no threads."""
    emulator = ktc.Emulator(network(), replicas=math.inf, **options)
    units = emulator.network.units
    run = emulator.play(drive(units))
    emulator.set(stiffness=1.5 * np.asarray(emulator.network.stiffness))
    emulator.run(0.7)
    names = ("work", "supply") if options else ("work", "heat", "supply")
    variances = {
        f"variance of {name}": np.array([emulator.ledger.variance(name)]) for name in names
    }
    return of_accounts(emulator) | of_moments(emulator) | of_run(run) | variances


def network(stiffness: Any, friction: Any = 1.0, **options: Any) -> Callable[[], Any]:
    """Makes a network when it is called."""
    return lambda: ktc.Network(stiffness, friction, **options)


def lattice(**options: Any) -> Callable[[], Any]:
    """A sparse network on a periodic grid."""

    def make() -> Any:
        grid = ktc.lattices.grid(6, 7, own=1.0, coupling=0.5, periodic=True)
        return ktc.Network(grid, friction=1.0, **options)

    return make


#: Forty units, all coupled: products of several packs.
MANY = (
    np.diag([1.0 + 0.05 * i for i in range(40)])
    + [[0.01 * ((i * j) % 5) for j in range(40)] for i in range(40)]
).tolist()
STEPPED = {"resolve_heat": True}
COOLING = {"kT": [1.0 - 0.015 * k for k in range(TICKS)]}
GROWING = {"quartic": [0.5 + 0.01 * k for k in range(TICKS)]}

#: Motions of a network in both precisions: options of ``moved``, and what the bits depend on.
MOTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "one unit": ({"network": network(K1)}, KERNELS),
    "three units alone": ({"network": network(np.diag([2.0, 1.0, 0.5]), R3)}, KERNELS),
    "coupled": ({"network": network(K3, R3)}, LIBRARIES),
    "dense friction": ({"network": network(K3, DENSE)}, LIBRARIES),
    "forty units": ({"network": network(MANY)}, FACTORS),
    "inertia": ({"network": network(K3, DENSE, inertia=[0.3, 1.0, 0.5])}, FACTORS),
    "critical damping": ({"network": network(1.0, 1.0, inertia=0.25)}, FACTORS),
    "temperature changes": ({"network": network(K3, R3), "controls": COOLING}, LIBRARIES),
    "resolved heat": ({"network": network(K3, R3), "resolve_heat": True}, LIBRARIES),
    "resolved heat, inertia": (
        {"network": network(K3, R3, inertia=[0.3, 1.0, 0.5]), "resolve_heat": True},
        LIBRARIES,
    ),
    "several temperatures, from rest": (
        {
            **STEPPED,
            "network": network(K3, R3, kT=[1.0, 0.5, 2.0]),
            "state": [0.0, 0.0, 0.0],
            "first_step": 0,
        },
        LIBRARIES,
    ),
    "several temperatures": (
        {**STEPPED, "network": network(K3, R3, kT=[1.0, 0.5, 2.0])},
        FACTORS,
    ),
    "several temperatures, exact": ({"network": network(K3, R3, kT=[1.0, 0.5, 2.0])}, FACTORS),
    "quartic units alone": (
        {"network": network(np.diag([1.0, -1.0, 0.5]), R3, quartic=[0.5, 1.0, 0.0])},
        KERNELS,
    ),
    "double well": ({"network": lambda: ktc.presets.double_well(barrier=4.0, tilt=0.3)}, KERNELS),
    "coupled wells": ({"network": network(WELLS, R3, quartic=0.8), "dt": 0.01}, KERNELS),
    "coupled wells, quartic changes": (
        {"network": network(WELLS, R3, quartic=0.8), "controls": GROWING},
        KERNELS,
    ),
    "coupled wells, resolved heat": (
        {"network": network(WELLS, R3, quartic=0.8), "resolve_heat": True},
        KERNELS,
    ),
    "wells with inertia": (
        {"network": network(WELLS, R3, quartic=0.8, inertia=[1.0, 2.0, 0.5])},
        LIBRARIES,
    ),
    "forty quartic units": ({"network": network(MANY, quartic=0.2), "dt": 0.02}, LIBRARIES),
    "sparse": ({"network": lattice()}, KERNELS),
    "sparse, quartic": ({"network": lattice(quartic=0.3)}, KERNELS),
    "sparse, resolved heat": ({"network": lattice(), "resolve_heat": True}, KERNELS),
}

#: Other runs of an emulator, in double precision.
OTHERS: dict[str, tuple[Callable[[int], Figures], str]] = {
    "stiffness changes": (stiffnesses, LIBRARIES),
    "controller": (controller, LIBRARIES),
    "resumed from a file": (resumed, KERNELS),
    "split over two emulators": (split, LIBRARIES),
    "records": (lambda threads: recorded(threads, network(K3, R3)), LIBRARIES),
    "statistics": (gathered, LIBRARIES),
    "circuit": (partial(circuit, RLC, **STEPPED), FACTORS),
    "circuit, exact": (partial(circuit, RLC), FACTORS),
    "noise generators": (partial(circuit, NOISES, **STEPPED), FACTORS),
    "noise generators, exact": (partial(circuit, NOISES), FACTORS),
    "board": (lambda threads: board(threads, {}), KERNELS),
    "board, resistive": (
        lambda threads: board(threads, {"coupling": "resistive", "couplings": 2e6}),
        LIBRARIES,
    ),
    "board, capacitive": (
        lambda threads: board(threads, {"coupling": "capacitive", "couplings": 5e-13}),
        LIBRARIES,
    ),
    "real board": (
        lambda threads: board(threads, {"couplings": 2e11}, real=True, **STEPPED),
        FACTORS,
    ),
    "infinite": (partial(infinite, network(K3, R3)), LIBRARIES),
    "infinite, inertia": (
        partial(infinite, network(K3, DENSE, inertia=[0.3, 1.0, 0.5])),
        LIBRARIES,
    ),
    "infinite, resolved heat": (
        partial(infinite, network(K3, R3, kT=[1.0, 0.5, 2.0]), resolve_heat=True),
        LIBRARIES,
    ),
}

SINGLE: dict[str, tuple[Callable[[int], Figures], str]] = {
    "stiffness changes": (partial(stiffnesses, dtype="float32"), LIBRARIES),
    "controller": (partial(controller, dtype="float32"), LIBRARIES),
    "records": (
        lambda threads: recorded(threads, network(K3, R3), dtype="float32"),
        LIBRARIES,
    ),
    "statistics": (partial(gathered, dtype="float32"), LIBRARIES),
    "circuit": (partial(circuit, RLC, dtype="float32", **STEPPED), FACTORS),
    "circuit, exact": (partial(circuit, RLC, dtype="float32"), FACTORS),
    "real board": (
        lambda threads: board(threads, {"couplings": 2e11}, real=True, dtype="float32", **STEPPED),
        FACTORS,
    ),
}
