"""A quartic network, all-to-all: H = ½ xᵀKx + κ Σ x⁴/4 − b·x, work booked at changes of the bias.

k_B T = γ = κ = 1. Each tick is an update of the bias and a hold of 100 steps. Peers step by
Euler–Maruyama, ours by implicit midpoint steps of the same length.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks import quartic_peers as peers
from benchmarks.bare import Bare, aligned
from benchmarks.product import by_product, product_of
from benchmarks.quartic_network import BIASES, HOLD, STEP, Played, check, stiffness
from benchmarks.work import Case, Contender, Prepared, Work, at_once, our_emulator


def prepared(run: Callable[[], Any], case: Case) -> Prepared:
    return Prepared(run, float(case["units"] * case["replicas"] * case["ticks"] * HOLD), check)


def ours(case: Case) -> Prepared:
    import ktc

    units, ticks = case["units"], case["ticks"]
    network = ktc.Network(stiffness=stiffness(units), friction=1.0, quartic=np.ones(units))
    start = np.zeros((case["replicas"], units))
    emulator = our_emulator(network, case, state=start, dt=STEP * 1.0000001)
    biases = np.resize(BIASES, ticks)
    drive = ktc.Protocol(np.full(ticks, STEP * HOLD), {"bias": np.outer(biases, np.ones(units))})

    def run() -> Played:
        work = emulator.play(drive).work.samples
        return Played(emulator.read, np.asarray(work), stiffness(units), float(biases[-1]))

    return prepared(run, case)


def bare(case: Case) -> Prepared:
    """The product by the kernel of ktc and one bare normal per unit-step, and nothing else."""
    kernel, multiply = Bare(), product_of("ktc", case)
    size = case["units"] * case["replicas"]
    multiple = 64 * case["cores"]
    noise = aligned(-(-size // multiple) * multiple, case["dtype"])
    run_number = count()

    def part(number: int) -> Callable[[], None]:
        length = noise.size // case["cores"]
        view = noise[number * length : (number + 1) * length]
        return lambda: kernel.normals(view, (number << 56) + (next(run_number) << 26))

    fill = at_once([part(number) for number in range(case["cores"])])

    def run() -> None:
        for _ in range(HOLD * case["ticks"]):
            multiply()
            fill()

    return Prepared(run, float(size * HOLD * case["ticks"]), lambda _: "product and normals only")


def cases(quick: bool) -> list[dict[str, Any]]:
    sizes = ((16, 256, 4),) if quick else ((64, 1024, 4), (1024, 256, 2))
    return [
        {
            "label": f"d = {units}, {replicas} replicas, {precision}",
            "dtype": dtype,
            "units": units,
            "replicas": replicas,
            "ticks": ticks,
        }
        for units, replicas, ticks in sizes
        for dtype, precision in (("float64", "double"), ("float32", "single"))
    ]


def notes(outcomes: list[Any]) -> list[str]:
    """Products in GFLOP/s: two operations for each of d couplings."""
    return [
        f"{one.contender}: {one.rate * 2 * one.case['units'] / 1e9:.1f} GFLOP/s"
        for one in outcomes
        if one.rate
    ]


def contender(name: str, function: Callable[[Case], Callable[[], Any]], *modules: str) -> Contender:
    return Contender(name, lambda case: prepared(function(case), case), modules)


WORK = Work(
    name="quartic",
    title="quartic network, all-to-all, 100 steps a tick, work booked",
    unit="unit-steps/s",
    cases=cases,
    contenders=(
        Contender("ktc", ours),
        contender("numpy", peers.by_numpy),
        contender("numpy, columns", peers.by_numpy_columns),
        contender("jax", peers.by_jax, "jax"),
        contender("jax, columns", peers.by_jax_columns, "jax"),
        contender("torch", peers.by_torch, "torch"),
        contender("torch, columns", peers.by_torch_columns, "torch"),
        Contender("product, ktc's kernel", by_product("ktc")),
        Contender("product, ktc's library", by_product("openblas")),
        Contender("product, NumPy's library", by_product("numpy")),
        Contender("bare", bare),
    ),
    bare="bare",
    notes=notes,
)
