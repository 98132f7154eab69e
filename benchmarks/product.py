"""The product of the couplings with all replicas by itself: the library's own best rate."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quartic_network import HOLD, stiffness
from benchmarks.work import Case, Prepared, UnavailableError, at_once, close

ROW_MAJOR, AS_IT_IS = 101, 111


def our_library() -> ctypes.CDLL:
    """The copy that ktc has loaded, with the kernels that it chose: same path, same copy."""
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
    """Multiplies (d, d) by (d, replicas), the replicas split over the cores."""
    units, replicas, cores, dtype = (case[k] for k in ("units", "replicas", "cores", "dtype"))
    left = np.ascontiguousarray(stiffness(units), dtype)
    right = np.ones((units, replicas), dtype)
    out = np.zeros((units, replicas), dtype)
    if library == "numpy":
        return lambda: np.matmul(left, right, out=out)
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
    return lambda: (together(), out)[1]


def column_shares(total: int, parts: int) -> list[slice]:
    edges = [total * part // parts for part in range(parts + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def by_product(library: str) -> Callable[[Case], Prepared]:
    def prepare(case: Case) -> Prepared:
        multiply = product_of(library, case)
        expected = stiffness(case["units"]).sum(axis=1)

        def run() -> Any:
            for _ in range(HOLD):
                out = multiply()
            return out

        def check(out: Any) -> str:
            worst = float(abs(out - expected[:, None]).max())
            return close("worst error", worst, 0.0, 1e-3)

        amount = case["units"] * case["replicas"] * HOLD
        return Prepared(run, float(amount), check)

    return prepare
