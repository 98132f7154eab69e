"""A few inputs of each fuzzer; ``python -m tests.fuzz`` tries more of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .fuzzers import FUZZERS
from .source import Drawn, Seeded
from .tables import folder
from .verdict import bounded_memory

pytestmark = pytest.mark.tampered  # files and calls are meant to be wrong
NAMES = sorted(FUZZERS)


@pytest.fixture(autouse=True)
def confined() -> Iterator[None]:
    """An input gets neither all memory of the machine nor the folder in which the tests run."""
    with bounded_memory(), chdir(folder()):
        yield


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
def test_inputs_that_shrink(name, data):
    FUZZERS[name](Drawn(data))


@pytest.mark.parametrize("name", NAMES)
def test_inputs_by_number(name):
    for number in range(200):
        FUZZERS[name](Seeded(number))


#: Inputs that once broke a promise.
FOUND = {
    "calls": (
        90000453, 90000956, 90001997, 90004162, 200000224, 200002776, 200004111,
        300009051,
    ),
    "data": (200008268,),
    "files": (3009471, 3005301, 50000716),
    "sequences": (
        1009966, 10000168, 3000729, 3001480, 50001126, 50011241, 50016583, 50024503, 90000651,
        90005178, 200003427,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_inputs_that_once_failed(name):
    for number in FOUND[name]:
        FUZZERS[name](Seeded(number))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_inputs(name):
    for number in range(200, 1500):
        FUZZERS[name](Seeded(number))
