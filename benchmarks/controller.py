"""A controller in Python: one set, one run and one moments per round, d = 64, 64 replicas.

The arithmetic is what the same rounds cost in one ``play``, plus that of one ``moments``; what
the rounds cost beyond it is the overhead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.linear import STEP, check_equipartition, stiffness
from benchmarks.work import Case, Contender, Prepared, Work, our_emulator

GOAL_MICROSECONDS = 10.0


def emulator_of(case: Case) -> Any:
    import ktc

    return our_emulator(ktc.Network(stiffness=stiffness(case["units"]), friction=1.0), case)


def biases(case: Case) -> np.ndarray[Any, Any]:
    """Small, so that equipartition holds still, and new in every round."""
    shape = case["rounds"], case["units"]
    return 1e-3 * np.random.default_rng(5).standard_normal(shape)


def prepared(emulator: Any, run: Any, case: Case) -> Prepared:
    couplings = stiffness(case["units"])
    return Prepared(
        run, float(case["rounds"]), lambda _: check_equipartition(emulator.read(), couplings)
    )


def rounds(case: Case) -> Prepared:
    emulator, drive = emulator_of(case), list(biases(case))

    def run() -> None:
        for bias in drive:
            emulator.set(bias=bias)
            emulator.run(STEP)
            _ = emulator.moments().mean

    return prepared(emulator, run, case)


def played(case: Case) -> Prepared:
    import ktc

    emulator = emulator_of(case)
    drive = ktc.Protocol(np.full(case["rounds"], STEP), {"bias": biases(case)})
    return prepared(emulator, lambda: emulator.play(drive), case)


def read_out(case: Case) -> Prepared:
    emulator = emulator_of(case)

    def run() -> None:
        for _ in range(case["rounds"]):
            _ = emulator.moments().mean

    return prepared(emulator, run, case)


def cases(quick: bool) -> list[dict[str, Any]]:
    return [
        {
            "label": f"d = 64, 64 replicas, {name}",
            "dtype": dtype,
            "units": 64,
            "replicas": 64,
            "rounds": 50 if quick else 1000,
        }
        for dtype, name in (("float64", "double"), ("float32", "single"))
    ]


def notes(outcomes: list[Any]) -> list[str]:
    times = {one.contender: 1e6 / one.rate for one in outcomes if one.rate}
    if set(times) < {"rounds", "play", "moments"}:
        return []
    overhead = times["rounds"] - times["play"] - times["moments"]
    return [
        f"overhead {overhead:.1f} µs a round: {times['rounds']:.1f} less {times['play']:.1f} in a "
        f"play, less {times['moments']:.1f} for moments alone (goal: at most "
        f"{GOAL_MICROSECONDS:g})"
    ]


WORK = Work(
    name="controller",
    title="a control loop in Python",
    unit="round",
    cases=cases,
    contenders=(
        Contender("rounds", rounds),
        Contender("play", played),
        Contender("moments", read_out),
    ),
    per_unit=True,
    notes=notes,
)
