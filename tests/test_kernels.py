"""Kernels of levels that round a product and a sum once give the same bits, others close ones.

Each level is really taken. Why two kinds: docs/decisions/contraction-under-control.md.
"""

import numpy as np
import pytest

import ktc
from ktc import _core

LEVELS = _core.kernel_levels()
FUSED = {"v3", "v4"}


@pytest.fixture(autouse=True)
def _best_again():
    yield
    _core.use_kernels(LEVELS[-1])


def run(level):
    _core.use_kernels(level)
    assert _core.kernel_level() == level
    normals = _core.normals(3, _core.Purpose.hold, 7, 5, 2**40 + 1)
    for units in (1, 2, 5, 17):
        net = ktc.Network(np.linspace(1.0, 3.0, units) * np.eye(units), 1.0)
        emulator = ktc.Emulator(net, replicas=37, seed=units, first_replica=11)
        drive = ktc.Protocol.sample(2.0, 40, {"bias": 3.0}, bias=lambda t: t)
        emulator.play(drive)
        books = emulator.ledger
        normals = np.concatenate(
            [normals, emulator.read().ravel(), books.work, books.heat, books.supply]
        )
    return normals


def test_levels_that_fuse_have_the_same_bits():
    results = [run(level) for level in LEVELS if level in FUSED]
    assert all((result == results[0]).all() for result in results)


def test_other_levels_agree_to_rounding():
    """Forty holds, some ten roundings each of numbers up to 10, and energies up to 100."""
    results = [run(level) for level in LEVELS]
    assert all(np.allclose(result, results[-1], rtol=1e-13, atol=1e-13) for result in results)


def test_the_best_level_is_in_use_and_said():
    assert _core.kernel_level() == LEVELS[-1]
    assert ktc.show_config()["kernels"] == LEVELS[-1]


def test_another_level_is_refused():
    with pytest.raises(ValueError, match="level must be one of .*, but is v9"):
        _core.use_kernels("v9")
    assert _core.kernel_level() == LEVELS[-1]
