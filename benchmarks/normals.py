"""Standard normals into an array that stays in cache.

Ours is the noise of one group of replicas, element by element, as its kernels make it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from benchmarks.bare import Bare, aligned
from benchmarks.work import (
    Case,
    Contender,
    Prepared,
    UnavailableError,
    Work,
    at_once,
    close,
    core_testing,
    shares,
)

SIZE = 65536


def check_normals(values: Any) -> str:
    """Check mean, variance and fourth moment to five standard errors."""
    x = np.asarray(values, dtype=float).ravel()
    root = np.sqrt(x.size)
    return "; ".join(
        (
            close("mean", float(x.mean()), 0.0, 5 / root),
            close("variance", float((x**2).mean()), 1.0, 5 * np.sqrt(2) / root),
            close("fourth moment", float((x**4).mean()), 3.0, 5 * np.sqrt(96) / root),
        )
    )


Fill = Callable[[np.ndarray[Any, Any]], object]


def filling(case: Case, maker: Callable[[int], Fill]) -> Prepared:
    """One array per core, each filled by its own stream."""
    out = aligned(SIZE * case["cores"], case["dtype"])
    parts = [maker(number) for number in range(case["cores"])]
    views = [out[share] for share in shares(out.size, case["cores"])]

    def bound(fill: Fill, view: np.ndarray[Any, Any]) -> Callable[[], object]:
        return lambda: fill(view)

    together = at_once([bound(*pair) for pair in zip(parts, views, strict=True)])
    return Prepared(lambda: (together(), out)[1], float(out.size), check_normals)


def ours(case: Case) -> Prepared:
    testing, run = core_testing(), count()

    def maker(number: int) -> Fill:
        hold = testing.Purpose.hold
        return lambda out: testing.fill_normals(out, 7, hold, number, 0, next(run))

    return filling(case, maker)


def bare(case: Case) -> Prepared:
    kernel = Bare()
    run = count()
    return filling(
        case, lambda number: lambda out: kernel.normals(out, (number << 56) + (next(run) << 24))
    )


def by_numpy(case: Case) -> Prepared:
    dtype = np.dtype(case["dtype"]).type

    def maker(number: int) -> Fill:
        generator = np.random.Generator(np.random.SFC64(number))
        return lambda out: generator.standard_normal(dtype=dtype, out=out)

    return filling(case, maker)


def by_mkl(case: Case) -> Prepared:
    if case["dtype"] != "float64":
        raise UnavailableError("has double precision only")
    import mkl_random

    kind = getattr(mkl_random, "MKLRandomState", None) or mkl_random.RandomState

    def maker(number: int) -> Fill:
        generator = kind(number, brng="SFMT19937")

        def fill(out: np.ndarray[Any, Any]) -> None:
            # It fills arrays of its own only; the method is its fastest, the inverse function.
            out[:] = generator.standard_normal(out.size, method="ICDF")

        return fill

    return filling(case, maker)


def by_torch(case: Case) -> Prepared:
    import torch

    torch.set_num_threads(case["cores"])
    out = torch.empty(SIZE * case["cores"], dtype=getattr(torch, case["dtype"]))
    return Prepared(lambda: out.normal_().numpy(), float(out.numel()), check_normals)


def by_jax(case: Case) -> Prepared:
    import jax

    jax.config.update("jax_enable_x64", case["dtype"] == "float64")
    size = SIZE * case["cores"]
    draw = jax.jit(
        lambda key, number: jax.random.normal(
            jax.random.fold_in(key, number), (size,), case["dtype"]
        )
    )
    key, number = jax.random.key(1), count()
    return Prepared(lambda: draw(key, next(number)).block_until_ready(), float(size), check_normals)


def cases(quick: bool) -> list[dict[str, Any]]:
    return [{"label": "double", "dtype": "float64"}, {"label": "single", "dtype": "float32"}]


WORK = Work(
    name="normals",
    title=f"standard normals, {SIZE} at a time",
    unit="normals/s",
    cases=cases,
    contenders=(
        Contender("ktc", ours),
        Contender("numpy", by_numpy),
        Contender("mkl_random", by_mkl, ("mkl_random",)),
        Contender("torch", by_torch, ("torch",)),
        Contender("jax", by_jax, ("jax",)),
        Contender("bare", bare),
    ),
    bare="bare",
)
