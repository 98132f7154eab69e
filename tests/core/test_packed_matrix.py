"""Products of a packed matrix and a block of replicas, on every level of kernels, against NumPy."""

import numpy as np
import pytest

from core_testing import testing
from ktc import _core

LEVELS = _core.instruction_sets()
FUSED = {"v3", "v4"}
KINDS = {
    "double": (testing.PackedMatrix, np.float64),
    "single": (testing.SinglePackedMatrix, np.float32),
}
#: Rows and columns about the edges of a panel (6 rows) and of what is summed at once (512 columns).
SHAPES = [(1, 1), (5, 5), (6, 6), (7, 7), (13, 26), (64, 64), (11, 511), (12, 512), (3, 513)]
SHAPES += [(513, 513), (2, 1025), (1030, 3)]


@pytest.fixture(autouse=True)
def _best_again():
    yield
    testing.use_kernels(LEVELS[-1])


def numbers(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_products_are_those_of_numpy(kind, level, shape):
    """A sum of n terms is off by n roundings of their sizes at most (Higham, 2002, ch. 3)."""
    packed_matrix, real = KINDS[kind]
    rows, columns = shape
    matrix = numbers(rows, columns, seed=1).astype(real)
    block = numbers(columns, 64, seed=2).astype(real)
    testing.use_kernels(level)
    product = packed_matrix(matrix).multiply(block)
    assert product.dtype == real
    expected = matrix.astype(float) @ block.astype(float)
    sizes = abs(matrix).astype(float) @ abs(block).astype(float)
    assert (abs(product - expected) <= columns * np.finfo(real).eps * sizes).all()


@pytest.mark.parametrize("units", [1, 5, 6, 7, 64, 513])
@pytest.mark.parametrize("kind", KINDS)
def test_a_move_adds_what_the_block_was_meant_to_move(kind, units):
    """x ← (y − x) + D y, two roundings beside those of the product."""
    packed_matrix, real = KINDS[kind]
    matrix = packed_matrix(numbers(units, units, seed=3).astype(real))
    y, x = numbers(2, units, 64, seed=4).astype(real)
    moved, product = matrix.move(y, x), matrix.multiply(y)
    if units <= 512:
        assert np.array_equal(moved, (y - x) + product)
    size = abs(moved) + abs(product) + abs(y) + abs(x)
    assert (abs(moved - ((y - x) + product)) <= 4 * np.finfo(real).eps * size).all()


@pytest.mark.parametrize("kind", KINDS)
def test_levels_that_fuse_have_the_same_bits(kind):
    packed_matrix, real = KINDS[kind]
    for rows, columns in SHAPES:
        matrix = packed_matrix(numbers(rows, columns, seed=5))
        block = numbers(columns, 64, seed=6).astype(real)
        results = []
        for level in LEVELS:
            if level in FUSED:
                testing.use_kernels(level)
                results.append(matrix.multiply(block))
        assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lane_knows_nothing_of_its_neighbours(kind):
    packed_matrix, real = KINDS[kind]
    matrix = packed_matrix(numbers(70, 70, seed=7))
    block = numbers(70, 64, seed=8).astype(real)
    alone = np.zeros_like(block)
    alone[:, 37] = block[:, 37]
    assert np.array_equal(matrix.multiply(block)[:, 37], matrix.multiply(alone)[:, 37])


def test_bad_input():
    with pytest.raises(ValueError, match="two dimensions"):
        testing.PackedMatrix(np.ones(3))
    with pytest.raises(ValueError, match=r"shape \(3, 64\)"):
        testing.PackedMatrix(np.ones((2, 3))).multiply(np.ones((2, 64)))
    with pytest.raises(ValueError, match="square"):
        testing.PackedMatrix(np.ones((2, 3))).move(np.ones((3, 64)), np.ones((2, 64)))
