"""A linear network, all-to-all, couplings fixed: exact motion from rest to equilibrium.

thermox (Duffield et al., 2024) samples the same process by diagonalisation, in single precision,
one trajectory that it keeps; ours keeps the state of many replicas and books heat and work.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks.bare import Bare, aligned
from benchmarks.work import Case, Contender, Prepared, Work, at_once, close, our_emulator

STEP = 0.1
#: Ticks after which the start is forgotten: twenty relaxation times of the slowest mode.
SETTLED = 400


def stiffness(units: int) -> np.ndarray[Any, Any]:
    """All-to-all couplings; the eigenvalues lie between ½ and 3/2."""
    drawn = np.random.default_rng(4).standard_normal((units, units)) / np.sqrt(8 * units)
    symmetric = (drawn + drawn.T) / np.sqrt(2)
    return np.eye(units) + symmetric * (0.5 / np.linalg.norm(symmetric, 2))


def check_equipartition(states: Any, couplings: np.ndarray[Any, Any]) -> str:
    """Energy ½ kT per unit; states of one trajectory are correlated over ten steps and more."""
    x = np.asarray(states, dtype=float)
    energy = float(np.mean(np.sum(x * (x @ couplings), axis=1))) / (2 * x.shape[1])
    independent = x.size / (1 if x.shape[0] < 2000 else 4 / STEP)
    return close("energy a unit", energy, 0.5, 5 * np.sqrt(0.5 / independent) + 0.005)


def ours(case: Case) -> Prepared:
    import ktc

    units, ticks, replicas = case["units"], case["ticks"], case["replicas"]
    couplings = stiffness(units)
    emulator = our_emulator(
        ktc.Network(stiffness=couplings, friction=1.0), case, state=np.zeros(units)
    )
    emulator.run(STEP * SETTLED)

    def run() -> Any:
        for _ in range(ticks):
            emulator.run(STEP)
        return emulator

    def check(emulator: Any) -> str:
        return check_equipartition(emulator.read(), couplings)

    return Prepared(run, float(units * replicas * ticks), check)


def by_thermox(case: Case) -> Prepared:
    import jax
    import thermox
    from jax import numpy as jnp

    units, steps = case["units"], case["steps"]
    couplings = stiffness(units)
    times = jnp.arange(steps + 1, dtype=jnp.float32) * STEP
    drift, diffusion = thermox.preprocess(
        jnp.asarray(couplings, jnp.float32), 2 * jnp.eye(units, dtype=jnp.float32)
    )
    start = jnp.zeros(units, jnp.float32)
    # Its associative scan, the default, is faster than its sequential one at all these sizes.
    play = jax.jit(lambda key: thermox.sample(key, times, start, drift, start, diffusion))
    key, number = jax.random.key(1), count()

    def run() -> Any:
        return play(jax.random.fold_in(key, next(number))).block_until_ready()

    def check(states: Any) -> str:
        return check_equipartition(np.asarray(states)[SETTLED // 4 :], couplings)

    return Prepared(run, float(units * steps), check)


def bare(case: Case) -> Prepared:
    """One normal per unit-step, the minimum of any sampler."""
    kernel, run_number = Bare(), count()
    blocks = [aligned(65536, case["dtype"]) for _ in range(case["cores"])]

    def part(number: int) -> Callable[[], None]:
        first = number << 56
        return lambda: kernel.normals(blocks[number], first + (next(run_number) << 24))

    together = at_once([part(number) for number in range(case["cores"])])
    return Prepared(together, 65536.0 * case["cores"], lambda _: "normals only")


def cases(quick: bool) -> list[dict[str, Any]]:
    sizes = ((64, 64, 100, 2000),) if quick else ((64, 1024, 1000, 20000), (1024, 256, 400, 2000))
    return [
        {
            "label": f"d = {units}, {replicas} replicas, {precision}",
            "dtype": dtype,
            "units": units,
            "replicas": replicas,
            "ticks": ticks,
            "steps": steps,
        }
        for units, replicas, ticks, steps in sizes
        for dtype, precision in (("float64", "double"), ("float32", "single"))
    ]


WORK = Work(
    name="linear",
    title="linear network, all-to-all, exact, couplings fixed",
    unit="unit-steps/s",
    cases=cases,
    contenders=(
        Contender("ktc", ours),
        Contender("thermox (single)", by_thermox, ("thermox",)),
        Contender("bare", bare),
    ),
    bare="bare",
)
