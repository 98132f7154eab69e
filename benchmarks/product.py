"""The product of the couplings with all replicas, by the kernel of ktc and by libraries."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quartic_network import HOLD, stiffness
from benchmarks.work import Case, Prepared, UnavailableError, at_once, close, core_testing

ROW_MAJOR, AS_IT_IS = 101, 111
BLOCK = 64


def our_library() -> ctypes.CDLL:
    """The copy of OpenBLAS that ktc has loaded, with the kernels that it chose."""
    import scipy_openblas32

    import ktc  # noqa: F401

    folder, name = scipy_openblas32.get_lib_dir(), scipy_openblas32.get_library()
    found = [
        path
        for path in Path(folder).iterdir()
        if path.name.removeprefix("lib").startswith(name.removeprefix("lib"))
        and path.suffix in {".so", ".dylib", ".dll"}
    ]
    if not found:
        raise UnavailableError(f"no {name} in {folder}")
    return ctypes.CDLL(str(found[0]))


def product_of(library: str, case: Case) -> Callable[[], Any]:
    """Multiply (d, d) by (d, replicas), with the replicas divided among the cores."""
    units, replicas, cores, dtype = (case[k] for k in ("units", "replicas", "cores", "dtype"))
    left = np.ascontiguousarray(stiffness(units), dtype)
    right = np.ones((units, replicas), dtype)
    out = np.zeros((units, replicas), dtype)
    if library == "numpy":
        return lambda: [np.matmul(left, right, out=out)]
    if library == "ktc":
        return by_our_kernel(left, replicas, cores)
    ours = our_library()
    letter, number = ("d", ctypes.c_double) if dtype == "float64" else ("s", ctypes.c_float)
    call = ours[f"scipy_cblas_{letter}gemm"]
    call.restype = None
    call.argtypes = [*(ctypes.c_int,) * 6, number, *(ctypes.c_void_p, ctypes.c_int) * 2, number,
                     ctypes.c_void_p, ctypes.c_int]  # fmt: skip

    def part(share: slice) -> Callable[[], Any]:
        width = share.stop - share.start
        return lambda: call(
            ROW_MAJOR, AS_IT_IS, AS_IT_IS, units, width, units, 1.0, left.ctypes.data, units,
            right[:, share].ctypes.data, replicas, 0.0, out[:, share].ctypes.data, replicas,
        )  # fmt: skip

    together = at_once([part(share) for share in column_shares(replicas, cores)])
    return lambda: (together(), [out])[1]


def by_our_kernel(left: Any, replicas: int, cores: int) -> Callable[[], Any]:
    """Multiply block by block of 64 replicas, stored as [block][unit][replica] as in an engine."""
    testing = core_testing()
    kind = testing.PackedMatrix if left.dtype == np.float64 else testing.SinglePackedMatrix
    packed = kind(left)
    count = -(-replicas // BLOCK)
    blocks = np.ones((count, len(left), BLOCK), left.dtype)

    def part(share: slice) -> Callable[[], Any]:
        return lambda: [packed.multiply(block) for block in blocks[share]]

    together = at_once([part(share) for share in column_shares(count, cores)])
    return lambda: [product for share in together() for product in share]


def column_shares(total: int, parts: int) -> list[slice]:
    edges = [total * part // parts for part in range(parts + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def by_product(library: str) -> Callable[[Case], Prepared]:
    def prepare(case: Case) -> Prepared:
        multiply = product_of(library, case)
        expected = stiffness(case["units"]).sum(axis=1)

        def run() -> Any:
            for _ in range(HOLD):
                parts = multiply()
            return parts

        def check(parts: Any) -> str:
            worst = max(float(abs(part - expected[:, None]).max()) for part in parts)
            return close("worst error", worst, 0.0, 1e-3)

        amount = case["units"] * case["replicas"] * HOLD
        return Prepared(run, float(amount), check)

    return prepare
