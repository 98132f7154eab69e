"""The quartic network by other libraries: x += −h (Kx + x³ − b) + √(2h) ξ, state (replicas, d).

"Columns" has it as (d, replicas). Which is faster depends on the library and on d: both run.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks.quartic_network import BIASES, HOLD, STEP, Played, stiffness
from benchmarks.work import Case, at_once, shares

Run = Callable[[], Played]

WIDTH = (2 * STEP) ** 0.5


def biases(case: Case) -> np.ndarray[Any, Any]:
    return np.resize(BIASES, case["ticks"])


def by_numpy(case: Case, columns: bool = False) -> Run:
    units, replicas, dtype = case["units"], case["replicas"], np.dtype(case["dtype"])
    couplings = stiffness(units)
    step_matrix = np.ascontiguousarray((np.eye(units) - STEP * couplings).astype(dtype))
    drive = biases(case)
    bias = 0.0

    def part(share: slice) -> Callable[[], Any]:
        generator = np.random.Generator(np.random.SFC64(share.start + 1))
        size = share.stop - share.start
        shape = (units, size) if columns else (size, units)
        x, moved, spare = (np.zeros(shape, dtype) for _ in range(3))
        step, width = dtype.type(STEP), dtype.type(WIDTH)

        def play() -> Any:
            nonlocal x, moved
            work = np.zeros(size)
            before = bias
            for now in drive:
                work -= (now - before) * x.sum(axis=0 if columns else 1, dtype=float)
                before = now
                push = dtype.type(STEP * now)
                for _ in range(HOLD):
                    np.matmul(*((step_matrix, x) if columns else (x, step_matrix)), out=moved)
                    np.multiply(x, x, out=spare)
                    np.multiply(spare, x, out=spare)
                    np.multiply(spare, step, out=spare)
                    np.subtract(moved, spare, out=moved)
                    generator.standard_normal(dtype=dtype.type, out=spare)
                    np.multiply(spare, width, out=spare)
                    np.add(spare, push, out=spare)
                    np.add(moved, spare, out=moved)
                    x, moved = moved, x
            return x.T if columns else x, work

        return play

    together = at_once([part(share) for share in shares(replicas, case["cores"])])

    def run() -> Played:
        nonlocal bias
        parts = together()
        bias = float(drive[-1])
        states, works = zip(*parts, strict=True)
        return Played(lambda: np.concatenate(states), np.concatenate(works), couplings, bias)

    return run


def by_numpy_columns(case: Case) -> Run:
    return by_numpy(case, columns=True)


def by_jax(case: Case, columns: bool = False) -> Run:
    import jax

    jax.config.update("jax_enable_x64", case["dtype"] == "float64")
    from jax import numpy as jnp

    units, replicas, dtype = case["units"], case["replicas"], case["dtype"]
    couplings = stiffness(units)
    step_matrix = jnp.asarray(np.eye(units) - STEP * couplings, dtype)
    shape = (units, replicas) if columns else (replicas, units)
    drive = biases(case)

    @jax.jit
    def play(x: Any, key: Any, before: Any) -> Any:
        def tick(carry: Any, item: Any) -> Any:
            x, work, before = carry
            number, now = item
            work = work - (now - before) * x.sum(axis=0 if columns else 1)

            def step(i: Any, x: Any) -> Any:
                z = jax.random.normal(jax.random.fold_in(key, number * HOLD + i), shape, dtype)
                moved = step_matrix @ x if columns else x @ step_matrix
                return moved - STEP * (x * x * x - now) + WIDTH * z

            return (jax.lax.fori_loop(0, HOLD, step, x), work, now), None

        items = jnp.arange(len(drive)), jnp.asarray(drive, dtype)
        (x, work, _), _ = jax.lax.scan(tick, (x, jnp.zeros(replicas, dtype), before), items)
        return x, work

    key, number = jax.random.key(1), count()
    x, before = jnp.zeros(shape, dtype), jnp.asarray(0.0, dtype)

    def run() -> Played:
        nonlocal x, before
        x, work = play(x, jax.random.fold_in(key, next(number)), before)
        x.block_until_ready()
        before = jnp.asarray(drive[-1], dtype)
        return Played(lambda: x.T if columns else x, work, couplings, float(drive[-1]))

    return run


def by_jax_columns(case: Case) -> Run:
    return by_jax(case, columns=True)


def by_torch(case: Case, columns: bool = False) -> Run:
    import torch

    torch.set_num_threads(case["cores"])
    torch.manual_seed(1)
    units, replicas, dtype = case["units"], case["replicas"], getattr(torch, case["dtype"])
    couplings = stiffness(units)
    step_matrix = torch.as_tensor(np.eye(units) - STEP * couplings, dtype=dtype)
    shape = (units, replicas) if columns else (replicas, units)
    x, z = torch.zeros(shape, dtype=dtype), torch.empty(shape, dtype=dtype)
    square, drive = torch.empty(shape, dtype=dtype), biases(case).tolist()
    before = 0.0

    def run() -> Played:
        nonlocal x, z, before
        work = torch.zeros(replicas, dtype=torch.float64)
        for now in drive:
            work -= (now - before) * x.sum(0 if columns else 1)
            before = now
            for _ in range(HOLD):
                z.normal_(STEP * now, WIDTH)
                torch.mul(x, x, out=square)
                z.addcmul_(square, x, value=-STEP)
                z.addmm_(*((step_matrix, x) if columns else (x, step_matrix)))
                x, z = z, x
        return Played(lambda: x.T if columns else x, work.numpy(), couplings, before)

    return run


def by_torch_columns(case: Case) -> Run:
    return by_torch(case, columns=True)
