"""The moving trap by other libraries: Euler–Maruyama with work, each in its own idiom."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks.trap_drive import CENTRE, STEP, TICKS
from benchmarks.work import Case, at_once, shares

Run = Callable[[], Any]

#: Work of the update from tick to tick is CHANGE x + APART; that of the last one likewise.
CHANGE = CENTRE[:-1] - CENTRE[1:]
APART = (CENTRE[-1] ** 2 - CENTRE[0] ** 2) / 2
PULL = STEP * CENTRE[1:-1]
KEEP, WIDTH = 1 - STEP, (2 * STEP) ** 0.5


def by_numpy(case: Case) -> Run:
    dtype = np.dtype(case["dtype"])
    work = np.empty(case["replicas"], dtype)
    chunk = 4096  # three such arrays stay in the first cache's neighbour

    def part(share: slice) -> Callable[[], None]:
        generator = np.random.Generator(np.random.SFC64(share.start + 1))

        def run() -> None:
            for start in range(share.start, share.stop, chunk):
                w = work[start : min(start + chunk, share.stop)]
                w[:] = APART
                x, z, product = (np.empty_like(w) for _ in range(3))
                generator.standard_normal(dtype=dtype.type, out=x)
                for tick in range(TICKS):
                    np.multiply(x, dtype.type(CHANGE[tick]), out=product)
                    np.add(w, product, out=w)
                    generator.standard_normal(dtype=dtype.type, out=z)
                    np.multiply(z, dtype.type(WIDTH), out=z)
                    np.multiply(x, dtype.type(KEEP), out=x)
                    np.add(x, z, out=x)
                    np.add(x, dtype.type(PULL[tick]), out=x)
                w += dtype.type(CHANGE[-1]) * x

        return run

    together = at_once([part(share) for share in shares(case["replicas"], case["cores"])])
    return lambda: (together(), work)[1]


def by_numba(case: Case) -> Run:
    import numba

    real = np.dtype(case["dtype"]).type
    change, pull = CHANGE.astype(real), PULL.astype(real)
    keep, width, apart = real(KEEP), real(WIDTH), real(APART)

    @numba.njit(fastmath=True, nogil=True)
    def play(generator: Any, work: Any) -> None:
        for r in range(work.size):
            x = real(generator.standard_normal())
            w = apart
            for tick in range(TICKS):
                w += change[tick] * x
                x = keep * x + pull[tick] + width * real(generator.standard_normal())
            work[r] = w + change[TICKS] * x

    work = np.empty(case["replicas"], real)

    def part(share: slice) -> Callable[[], None]:
        generator = np.random.Generator(np.random.SFC64(share.start + 1))
        return lambda: play(generator, work[share])

    together = at_once([part(share) for share in shares(case["replicas"], case["cores"])])
    return lambda: (together(), work)[1]


def by_jax(case: Case) -> Run:
    import jax

    jax.config.update("jax_enable_x64", case["dtype"] == "float64")
    from jax import numpy as jnp

    size, dtype = case["replicas"], case["dtype"]

    @jax.jit
    def play(key: Any) -> Any:
        start = jax.random.normal(jax.random.fold_in(key, TICKS), (size,), dtype)

        def step(carry: Any, tick: Any) -> Any:
            x, w = carry
            number, change, pull = tick
            z = jax.random.normal(jax.random.fold_in(key, number), (size,), dtype)
            return (KEEP * x + pull + WIDTH * z, w + change * x), None

        ticks = (jnp.arange(TICKS), jnp.asarray(CHANGE[:-1], dtype), jnp.asarray(PULL, dtype))
        (x, w), _ = jax.lax.scan(step, (start, jnp.full(size, APART, dtype)), ticks)
        return w + jnp.asarray(CHANGE[-1], dtype) * x

    key, number = jax.random.key(1), count()
    return lambda: play(jax.random.fold_in(key, next(number))).block_until_ready()


def by_torch(case: Case) -> Run:
    import torch

    torch.set_num_threads(case["cores"])
    torch.manual_seed(1)
    dtype = getattr(torch, case["dtype"])
    x, w, z = (torch.empty(case["replicas"], dtype=dtype) for _ in range(3))
    change, pull = CHANGE.tolist(), PULL.tolist()

    def run() -> Any:
        x.normal_()
        w.fill_(APART)
        for tick in range(TICKS):
            w.add_(x, alpha=change[tick])
            z.normal_(pull[tick], WIDTH)
            torch.add(z, x, alpha=KEEP, out=x)
        return w.add(x, alpha=change[-1]).numpy()

    return run


def by_diffrax(case: Case) -> Run:
    import jax

    jax.config.update("jax_enable_x64", case["dtype"] == "float64")
    import diffrax
    from jax import numpy as jnp

    size, dtype = case["replicas"], case["dtype"]
    change, centre = jnp.asarray(CHANGE, dtype), jnp.asarray(CENTRE, dtype)

    class Bath(diffrax.ControlTerm):  # type: ignore[misc]
        """Noise on the position only: one normal per step."""

        def prod(self, vf: Any, control: Any) -> Any:
            return vf * control, jnp.zeros_like(control)

    def drift(t: Any, y: Any, _: Any) -> Any:
        tick = jnp.round(t / STEP).astype(int)
        return centre[tick + 1] - y[0], change[tick] / STEP * y[0]

    @jax.jit
    def play(key: Any) -> Any:
        first, second = jax.random.split(key)
        start = jax.random.normal(first, (size,), dtype), jnp.full(size, APART, dtype)
        noise = diffrax.UnsafeBrownianPath(shape=jax.ShapeDtypeStruct((size,), dtype), key=second)
        width = jnp.asarray(2**0.5, dtype)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), Bath(lambda t, y, _: width, noise))
        solution = diffrax.diffeqsolve(
            terms, diffrax.Euler(), 0.0, TICKS * STEP, STEP, start,
            max_steps=TICKS + 10, adjoint=diffrax.ForwardMode(),
        )  # fmt: skip
        x, w = (value[0] for value in solution.ys)
        return w + change[-1] * x

    key, number = jax.random.key(1), count()
    return lambda: play(jax.random.fold_in(key, next(number))).block_until_ready()


def by_torchsde(case: Case) -> Run:
    import torch
    import torchsde

    torch.set_num_threads(case["cores"])
    torch.manual_seed(1)
    dtype = getattr(torch, case["dtype"])
    size = case["replicas"]
    change, centre = CHANGE.tolist(), CENTRE.tolist()

    class Trap(torch.nn.Module):  # type: ignore[misc]
        noise_type, sde_type = "diagonal", "ito"

        def __init__(self) -> None:
            super().__init__()
            self.work, self.ticks = torch.empty(size, 1, dtype=dtype), 0
            self.width = torch.full((size, 1), 2**0.5, dtype=dtype)

        def f(self, t: Any, x: Any) -> Any:
            # Once a step, in order; but sdeint first tries it out at the start, and rounding may
            # leave a sliver of time after the last tick.
            tick = min(round(float(t) / STEP), TICKS - 1)
            if tick == self.ticks:
                self.work.add_(x, alpha=change[tick])
                self.ticks += 1
            return centre[tick + 1] - x

        def g(self, t: Any, x: Any) -> Any:
            return self.width

    trap, times = Trap(), torch.tensor([0.0, TICKS * STEP], dtype=dtype)

    def run() -> Any:
        trap.work.fill_(APART)
        trap.ticks = 0
        with torch.no_grad():
            x = torchsde.sdeint(
                trap, torch.randn(size, 1, dtype=dtype), times, dt=STEP, method="euler"
            )[-1]
        return trap.work.add(x, alpha=change[-1]).numpy()[:, 0]

    return run
