"""Values that no call expects: of every wrong type, shape and size."""

from __future__ import annotations

import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sparse

import ktc

from .source import Source

EXTREMES = (
    0.0, -0.0, -1.0, 1.0, 5e-324, 1e-300, 1e-30, 1e-9, 1e9, 1e30, 1e150, 1e300, 1.7e308, -1e300,
    float("nan"), float("inf"), -float("inf"),
)  # fmt: skip
INTEGERS = (0, -1, 1, 2, 3, 7, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30,
            10**400, -(10**400), 10**5000)  # fmt: skip
TEXTS = ("", "x", "1", "bias", "nan", "1e3", "0", "a\nb", "\0", "é", "work", "state", "x" * 1000)


class ArrayOf:
    """An object that says it is the array of another value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"ArrayOf({self.value!r})"


class NumberOf:
    """An object that says it is a number."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value

    def __index__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return f"NumberOf({self.value!r})"


class Frame:
    """A table with named columns, some of text, as of pandas."""

    columns = ("a", "b")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([[1.0, "x"], [2.0, "y"]], dtype=object)

    def __len__(self) -> int:
        return 2

    def __repr__(self) -> str:
        return "Frame a b\n1.0 x\n2.0 y"


def _sparse_of_bad_indices() -> Any:
    return sparse.csr_array((np.ones(3), np.array([0, 1, 10**9]), np.arange(4)), shape=(3, 3))


def _sparse_of_negative_indices() -> Any:
    return sparse.csr_array((np.ones(2), np.array([0, -5]), np.arange(3)), shape=(2, 2))


def _sparse_of_bad_pointers() -> Any:
    matrix = sparse.csr_array(np.eye(2))
    matrix.indptr = np.array([0, 50, 2], dtype=matrix.indptr.dtype)
    return matrix


def _sparse_of_short_data() -> Any:
    matrix = sparse.csr_array(np.eye(2))
    matrix.data = matrix.data[:1]
    return matrix


def _cyclic() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    return deep


#: Makers of odd values, so that no input changes another one's.
MAKERS: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: 1j,
    lambda: b"1",
    list,
    dict,
    tuple,
    object,
    lambda: [1.0, 2.0],
    lambda: [[1.0], [1.0, 2.0]],
    lambda: ["a", 1.0],
    lambda: [None, 1.0],
    lambda: [10**400, 1],
    lambda: [2**64, -1],
    lambda: {"a": 1.0},
    lambda: {"bias": 1.0},
    lambda: {1: 2},
    lambda: {1.0, 2.0},
    lambda: range(3),
    lambda: (i for i in range(3)),
    lambda: iter([1.0]),
    lambda: int,
    lambda: lambda *_: 1.0,
    lambda: lambda *_: None,
    lambda: decimal.Decimal("1.5"),
    lambda: decimal.Decimal("NaN"),
    lambda: fractions.Fraction(1, 3),
    lambda: datetime.datetime(2026, 1, 1),
    lambda: slice(0, 2),
    lambda: Ellipsis,
    lambda: NotImplemented,
    lambda: np.float32(0.5),
    lambda: np.int8(3),
    lambda: np.uint64(2**64 - 1),
    lambda: np.bool_(True),
    lambda: np.longdouble(1.5),
    lambda: np.datetime64("2026-01-01"),
    lambda: np.str_("1"),
    lambda: np.array(1.0),
    lambda: np.array("x"),
    lambda: np.array(None),
    lambda: np.empty(0),
    lambda: np.empty((0, 2)),
    lambda: np.empty((2, 0)),
    lambda: np.ones(1),
    lambda: np.ones(3),
    lambda: np.eye(2),
    lambda: np.eye(3),
    lambda: -np.eye(2),
    lambda: np.zeros((2, 2)),
    lambda: np.array([[1.0, 2.0], [0.0, 1.0]]),
    lambda: np.ones((2, 2, 2)),
    lambda: np.ones((1,) * 32),
    lambda: np.full(2, np.nan),
    lambda: np.array([[1.0, np.inf], [np.inf, 1.0]]),
    lambda: np.array([1e308, -1e308]),
    lambda: np.full((2, 2), 1e300),
    lambda: np.eye(2) * 1e-300,
    lambda: np.array([1 + 1j, 2.0]),
    lambda: np.array(["a", "b"]),
    lambda: np.array([1.0, None], dtype=object),
    lambda: np.array([1.0, 2.0], dtype=object),
    lambda: np.array([2**64 - 1, 1], dtype=np.uint64),
    lambda: np.array([1, 2], dtype="datetime64[s]"),
    lambda: np.array([1, 2], dtype="timedelta64[s]"),
    lambda: np.zeros(2, dtype=[("a", float), ("b", int)]),
    lambda: np.zeros(2, dtype=[("a", float), ("b", "U3")]),
    lambda: np.zeros(2, dtype="V8"),
    lambda: np.ones(2, dtype=">f8"),
    lambda: np.ones(2, dtype=np.float16),
    lambda: np.ones(2, dtype=np.longdouble),
    lambda: np.ones(4)[::2],
    lambda: np.broadcast_to(1.0, (2, 2)),
    lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    lambda: np.ma.masked_array([1.0, 2.0]),
    lambda: np.ma.masked_array([[1.0, np.nan], [2.0, 3.0]], [[False, True], [False, False]]),
    lambda: np.ma.masked,
    lambda: np.array([1.0, 2.0]).view(np.recarray),
    lambda: np.eye(2).view(np.matrix),
    lambda: memoryview(np.ones(2)),
    lambda: ArrayOf("x"),
    lambda: ArrayOf(None),
    lambda: ArrayOf(np.ones(2)),
    lambda: ArrayOf(np.array([1, "x"], dtype=object)),
    lambda: NumberOf(1.0),
    lambda: NumberOf(2),
    lambda: NumberOf("x"),
    lambda: NumberOf(float("nan")),
    Frame,
    _cyclic,
    _deep,
    lambda: sparse.eye_array(2, format="csr"),
    lambda: sparse.coo_array(np.array([[2.0, 1.0], [1.0, 2.0]])),
    lambda: sparse.csc_matrix(np.eye(2)),
    lambda: sparse.csr_array((2, 3)),
    lambda: sparse.csr_array((0, 0)),
    lambda: sparse.csr_array(np.array([[np.nan, 0.0], [0.0, 1.0]])),
    lambda: sparse.csr_array(np.array([[1.0, 5.0], [5.0, 1.0]])),
    lambda: sparse.csr_array(np.eye(2) * 1j),
    lambda: sparse.csr_array(np.eye(2, dtype=bool)),
    lambda: sparse.dok_array((2, 2)),
    lambda: sparse.lil_array(np.eye(2)),
    lambda: sparse.coo_array(np.ones(2)),
    _sparse_of_bad_indices,
    _sparse_of_negative_indices,
    _sparse_of_bad_pointers,
    _sparse_of_short_data,
    lambda: ktc.Network(1.0, 1.0),
    lambda: ktc.Network,
    lambda: ktc.Emulator(ktc.Network(1.0, 1.0), replicas=2, seed=1),
    lambda: ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n"),
    lambda: ktc.Circuit(),
    lambda: ktc.Circuit.from_netlist("R1 a 0 1k\nC1 a 0 1n").compile(),
    lambda: ktc.Board(2, 1e6, 1e-12, 300.0),
    lambda: ktc.Protocol([1.0], {"bias": [1.0]}),
    lambda: ktc.Estimate.exact(1.0),
    lambda: ktc.schedules.Constant(1.0, 0.1),
    lambda: ktc.Topology.ring(3),
    lambda: ktc.Metrics(),
    lambda: ktc.Imperfections(offset=1e-3, dac_bits=3, dac_range=1.0),
    lambda: ktc,
)


def odd(source: Source) -> Any:
    """Anything."""
    kind = source.integer(0, 5)
    if kind == 0:
        return source.pick(EXTREMES)
    if kind == 1:
        return source.pick(INTEGERS)
    if kind == 2:
        return source.pick(TEXTS)
    return source.pick(MAKERS)()
