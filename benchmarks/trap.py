"""One overdamped unit in a moving trap, work booked: the least-work drive to λ = 5 in T = 1.

k = γ = kT = 1. Least mean work 25/3 (Schmiedl, Seifert, Phys. Rev. Lett. 98, 108301, 2007), of
variance twice that, as work is Gaussian. Ours moves exactly; peers step by Euler–Maruyama.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks import trap_peers as peers
from benchmarks.bare import Bare, aligned
from benchmarks.trap_drive import CENTRE, STEP, TARGET, TICKS, check_work
from benchmarks.work import Case, Contender, Prepared, Work, at_once, our_emulator, shares


def prepared(run: Callable[[], Any], case: Case) -> Prepared:
    return Prepared(run, float(case["replicas"] * TICKS), check_work)


def ours(case: Case) -> Prepared:
    import ktc

    emulator = our_emulator(ktc.Network(stiffness=1.0, friction=1.0), case)
    drive = ktc.Protocol(
        np.full(TICKS, STEP), {"bias": CENTRE[1:-1]}, final={"bias": float(CENTRE[-1])}
    )

    def run() -> np.ndarray[Any, Any]:
        emulator.set(bias=0.0)
        emulator.equilibrate()
        # The trap's energy has λ²/2 beside that of a bias.
        return np.asarray(emulator.play(drive).work.samples) + TARGET**2 / 2

    return prepared(run, case)


def bare(case: Case) -> Prepared:
    kernel = Bare()
    work = aligned(case["replicas"], case["dtype"])
    run_number = count()

    def part(share: slice) -> Callable[[], None]:
        start = share.start << 30
        return lambda: kernel.trap(work[share], CENTRE, STEP, (next(run_number) << 52) + start)

    together = at_once([part(s) for s in shares(case["replicas"], case["cores"], 64)])
    return prepared(lambda: (together(), work)[1], case)


def cases(quick: bool) -> list[dict[str, Any]]:
    sizes = (1024,) if quick else (65536, 8192, 1024)
    return [
        {"label": f"{precision}, {size} trajectories", "dtype": dtype, "replicas": size}
        for dtype, precision in (("float64", "double"), ("float32", "single"))
        for size in sizes
    ]


def contender(name: str, function: Callable[[Case], Callable[[], Any]], *modules: str) -> Contender:
    return Contender(name, lambda case: prepared(function(case), case), modules)


WORK = Work(
    name="trap",
    title="one overdamped unit in a moving trap, 1000 ticks, work booked",
    unit="trajectory-steps/s",
    cases=cases,
    contenders=(
        Contender("ktc", ours),
        contender("numba", peers.by_numba, "numba"),
        contender("numpy", peers.by_numpy),
        contender("jax", peers.by_jax, "jax"),
        contender("torch", peers.by_torch, "torch"),
        contender("diffrax", peers.by_diffrax, "diffrax"),
        contender("torchsde", peers.by_torchsde, "torchsde"),
        Contender("bare", bare),
    ),
    bare="bare",
)
