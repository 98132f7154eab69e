"""Runs of ``ktc.learn`` whose figures must not change; ``reference_runs`` lists them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import ktc
from ktc import schedules
from reference_figures import FACTORS, LIBRARIES, ROUNDING, Figures, of_fit

K2 = [[2.0, 0.5], [0.5, 1.0]]
WELLS = [[-1.0, 0.4], [0.4, 0.5]]
#: Twelve samples of two correlated units, far from the start and near it.
DATA = [[1.0 + 0.3 * (k % 4), -0.5 + 0.2 * (k % 3) + 0.1 * (k % 4)] for k in range(12)]
NEAR = [[0.3 * (k % 5) - 0.4, 0.25 * ((3 * k) % 7) - 0.6] for k in range(12)]
MASK = [[False, True, False], [True, False, True], [False, True, False]]
T = 2.0


def least(**options: Any) -> Any:
    """The schedule of least dissipation."""
    return schedules.MinimalDissipation(duration=T, **options)


def present() -> Any:
    """The schedule of least dissipation by F and ζ of the present parameters."""
    return least(anticipate=False)


def fitted(
    make: Callable[[], Any],
    data: Any,
    schedule: Callable[[], Any],
    extra: Callable[[Any], Figures] | None = None,
    **options: Any,
) -> Callable[[int], Figures]:
    """What learning on a new device leaves, on a number of threads."""

    def figures(threads: int) -> Figures:
        given = {"replicas": 130, "seed": 4, "ticks": 40, "threads": threads, **options}
        if given["replicas"] in (None, math.inf):
            del given["threads"]
        if given["replicas"] is None:  # a device with replicas and a seed of its own
            del given["replicas"], given["seed"]
        fit = ktc.learn(make(), data, schedule=schedule(), **given)
        return of_fit(fit) | ({} if extra is None else extra(fit))

    return figures


def network(stiffness: Any, friction: Any = 1.0, **options: Any) -> Callable[[], Any]:
    """Makes a network when it is called."""
    return lambda: ktc.Network(stiffness, friction, **options)


def board(**options: Any) -> Callable[[], Any]:
    """Makes a board of two cells."""
    return lambda: ktc.Board(
        cells=2, resistance=1e6, capacitance=[1e-12, 2e-12], temperature=300.0, **options
    )


def imperfect() -> Any:
    """A board with converters and errors."""
    return ktc.Imperfections(
        resistance_tolerance=0.05, capacitance_tolerance=0.03, offset=2e-6, dac_bits=12,
        dac_range=1e-3, adc_bits=12, adc_range=1e-3, adc_noise=3e-6, settling_time=1e-8, seed=5,
    )  # fmt: skip


def of_clamped(fit: Any) -> Figures:
    """What the ensemble that the data clamp cost."""
    return {
        "positive work": np.array([fit.positive_phase_work.mean]),
        "positive heat": np.array([fit.positive_phase_heat.mean]),
    }


def of_ends(fit: Any) -> Figures:
    """Bounds, and the cost of one last jump to the parameters of maximum likelihood."""
    return {
        "completed": np.array([fit.completed_excess_work.mean]),
        "bounds": np.array([fit.bound, fit.bound_target]),
    }


GAUSSIAN, VOLTS = network(K2), (1e-4 * np.array(DATA)).tolist()
SECONDS = 5e-6
CELL = """
R1 a 0 1meg
C1 a 0 1p
R2 b 0 1meg
C2 b 0 2p
C3 a b 0.5p
"""
TWO, COUPLINGS = ("bias", "stiffness"), ("bias", "couplings")
MEASURED = {"metrics": ktc.Metrics(source="measured", replicas=200, refresh=0.3)}
GRID = (3, 3)


def sparse() -> Any:
    """Nine units on a grid."""
    return ktc.Network(ktc.lattices.grid(*GRID, own=1.0, coupling=0.5), friction=1.0)


def running(**options: Any) -> Callable[[], Any]:
    """Makes an emulator that has replicas and a seed of its own."""
    return lambda: ktc.Emulator(ktc.Network(K2, 1.0), replicas=130, seed=4, **options)


#: Bias of a Gaussian network. A learner may take its update from a closed form or from the general
#: rule, which agree to 1e-14: these runs are compared to rounding (1e-10), not bit by bit.
BIAS = {
    "least dissipation": fitted(GAUSSIAN, DATA, least, of_ends),
    "scalar rate of least dissipation": fitted(GAUSSIAN, DATA, lambda: least(matrix=False)),
    "anticipated": fitted(GAUSSIAN, DATA, lambda: least(anticipate=True)),
    "no last jump": fitted(
        GAUSSIAN, DATA, lambda: schedules.ContinuousMinimalDissipation(T, [1.4, -0.1])
    ),
    "natural gradient": fitted(GAUSSIAN, DATA, lambda: schedules.NaturalGradient(T, 1.5)),
    "constant": fitted(GAUSSIAN, DATA, lambda: schedules.Constant(T, 1.0), of_ends),
    "exponential": fitted(GAUSSIAN, DATA, lambda: schedules.Exponential(T, 2.0, 0.5)),
    "cosine": fitted(GAUSSIAN, DATA, lambda: schedules.Cosine(T, 2.0)),
    "Adam": fitted(GAUSSIAN, DATA, lambda: schedules.Adam(T, 1.0)),
    "dense friction": fitted(network(K2, [[1.0, 0.3], [0.3, 0.7]]), DATA, least, of_ends),
    "inertia": fitted(network(K2, inertia=[0.2, 0.4]), DATA, least, of_ends),
    "center": fitted(GAUSSIAN, DATA, least, parameters=("center",)),
    "center, constant": fitted(
        GAUSSIAN, DATA, lambda: schedules.Constant(T, 0.5), parameters=("center",)
    ),
    "batches": fitted(GAUSSIAN, DATA, least, batch=5),
    "single precision": fitted(running(dtype="float32"), DATA, least, replicas=None),
    "resolved heat": fitted(running(resolve_heat=True), DATA, least, replicas=None),
    "board": fitted(
        board(couplings=2e11), VOLTS, lambda: schedules.MinimalDissipation(SECONDS), of_ends
    ),
    "real board": fitted(
        board(imperfections=imperfect()), VOLTS, lambda: schedules.MinimalDissipation(SECONDS)
    ),
    "infinite": fitted(GAUSSIAN, DATA, least, of_ends, replicas=math.inf, seed=None),
    "infinite, constant": fitted(
        GAUSSIAN, DATA, lambda: schedules.Constant(T, 1.0), replicas=math.inf, seed=None
    ),
}

#: Everything else that is learned.
JOINT = {
    "bias and stiffness": fitted(GAUSSIAN, NEAR, present, parameters=TWO),
    "bias and stiffness, constant": fitted(
        GAUSSIAN,
        NEAR,
        lambda: schedules.Constant(T, 0.5, weights={"stiffness": 0.5}),
        parameters=TWO,
    ),
    "bias and stiffness, natural gradient": fitted(
        GAUSSIAN, NEAR, lambda: schedules.NaturalGradient(T, 1.0), parameters=TWO
    ),
    "bias and stiffness, Adam": fitted(
        GAUSSIAN, NEAR, lambda: schedules.Adam(T, 0.3), parameters=TWO
    ),
    "bias and stiffness, anticipated": fitted(
        GAUSSIAN, NEAR, lambda: least(anticipate=True), parameters=TWO, ticks=4
    ),
    "bias and stiffness, batches": fitted(GAUSSIAN, NEAR, least, parameters=TWO, batch=5),
    "bias and stiffness, measured": fitted(GAUSSIAN, NEAR, least, parameters=TWO, **MEASURED),
    "bias and stiffness, replicas": fitted(
        GAUSSIAN, NEAR, least, parameters=TWO, metrics=ktc.Metrics(fisher="replicas")
    ),
    "bias and stiffness, inertia": fitted(
        network(K2, inertia=[0.2, 0.4]), NEAR, present, parameters=TWO
    ),
    "bias and stiffness, infinite": fitted(
        GAUSSIAN, NEAR, present, parameters=TWO, replicas=math.inf, seed=None
    ),
    "board, bias and stiffness": fitted(
        board(),
        (1e-4 * np.array(NEAR)).tolist(),
        lambda: schedules.MinimalDissipation(SECONDS, anticipate=False),
        parameters=TWO,
    ),
    "diagonal": fitted(GAUSSIAN, NEAR, present, parameters=("bias", "diagonal")),
    "diagonal, open loop": fitted(GAUSSIAN, NEAR, least, parameters=("bias", "diagonal")),
    "mask": fitted(
        network(np.diag([1.0, 1.5, 2.0])),
        [[*row, 0.5 * row[0]] for row in NEAR],
        present,
        parameters=COUPLINGS,
        mask=MASK,
    ),
    "hidden unit": fitted(
        network(np.diag([1.0, 1.5, 2.0]) + 0.2),
        NEAR,
        lambda: schedules.Constant(T, 0.3),
        of_clamped,
        parameters=COUPLINGS,
        hidden=[2],
    ),
    "quartic units alone": fitted(
        network(np.diag([-1.0, 0.5]), quartic=[1.0, 0.5]),
        NEAR,
        present,
        parameters=("bias", "diagonal", "quartic"),
    ),
    "quartic unit, open loop": fitted(network(0.5, quartic=0.5), [-0.3, 0.6, 0.9], least),
    "quartic units alone, anticipated": fitted(
        network(0.5, quartic=0.5), [-0.3, 0.6, 0.9], lambda: least(anticipate=True), ticks=10
    ),
    "circuit": fitted(
        lambda: ktc.Circuit.from_netlist(CELL).compile(),
        [[1e-16, 3e-16]],
        lambda: schedules.MinimalDissipation(SECONDS),
    ),
    "coupled wells": fitted(
        network(WELLS, quartic=[1.0, 0.5]),
        NEAR,
        lambda: schedules.Constant(T, 0.3),
        parameters=COUPLINGS,
    ),
    "coupled wells, measured": fitted(
        network(WELLS, quartic=[1.0, 0.5]), NEAR, least, ticks=10, **MEASURED
    ),
    "sparse": fitted(
        sparse,
        [[0.1 * (i % 4) for i in range(9)]],
        lambda: schedules.Constant(T, 0.5),
    ),
    "sparse, least dissipation": fitted(sparse, [[0.1 * (i % 4) for i in range(9)]], least),
}

FITS: dict[str, tuple[Callable[[int], Figures], str]] = {
    **{f"bias, {name}": (run, ROUNDING) for name, run in BIAS.items()},
    **{name: (run, FACTORS if "inertia" in name else LIBRARIES) for name, run in JOINT.items()},
}
