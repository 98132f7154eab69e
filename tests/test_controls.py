"""Controls: updates are checked as a whole before anything takes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ktc
from refusal import refused

NETWORK = ktc.Network([[2.0, 0.5], [0.5, 1.0]], friction=1.0, kT=0.7, bias=[1.0, 2.0])
CONTROLS = NETWORK.controls


def test_an_update_leaves_the_rest_and_the_original():
    updated = CONTROLS.updated(bias=3.0)
    assert updated.bias.tolist() == [3.0, 3.0]
    assert updated.stiffness is CONTROLS.stiffness
    assert updated.kT == 0.7
    assert CONTROLS.bias.tolist() == [1.0, 2.0]


def test_a_scalar_stiffness_is_that_multiple_of_one():
    assert CONTROLS.updated(stiffness=3.0).stiffness.tolist() == [[3.0, 0.0], [0.0, 3.0]]


def test_values_are_copied_and_closed_for_writing():
    bias = np.array([5.0, 6.0])
    updated = CONTROLS.updated(bias=bias)
    bias[0] = 99.0
    assert updated.bias.tolist() == [5.0, 6.0]
    with pytest.raises(ValueError, match="read-only"):
        updated.bias[0] = 1.0


def test_equality_is_that_of_the_values():
    assert CONTROLS.updated(kT=0.7) == CONTROLS
    assert CONTROLS.updated(kT=0.8) != CONTROLS
    assert CONTROLS != "controls"


BAD = [
    ({"temperature": 1.0}, TypeError, ["unknown control 'temperature'", "'bias'", "'kT'"]),
    ({"friction": 1.0}, TypeError, ["unknown control 'friction'"]),
    ({"bias": [1.0]}, ValueError, ["bias", "(2,)", "(1,)"]),
    ({"bias": [[1.0, 2.0]]}, ValueError, ["bias", "(2,)", "(1, 2)"]),
    ({"bias": [np.inf, 0.0]}, ValueError, ["bias", "inf", "(0,)"]),
    ({"bias": "5 V"}, TypeError, ["bias", "'5 V'"]),
    ({"bias": None}, TypeError, ["bias", "None"]),
    ({"stiffness": np.eye(3)}, ValueError, ["stiffness", "(2, 2)", "(3, 3)"]),
    ({"stiffness": [1.0, 2.0]}, ValueError, ["stiffness", "(2, 2)", "(2,)"]),
    ({"stiffness": [[1.0, 3.0], [3.0, 1.0]]}, ValueError, ["stiffness", "-2", "add to its diag"]),
    ({"stiffness": [[1.0, 0.2], [0.1, 1.0]]}, ValueError, ["stiffness[0, 1] = 0.2", "0.1"]),
    ({"stiffness": [[np.nan, 0.0], [0.0, 1.0]]}, ValueError, ["stiffness", "nan"]),
    ({"stiffness": 0.0}, ValueError, ["stiffness", "positive definite"]),
    ({"kT": 0}, ValueError, ["kT", "positive"]),
    ({"kT": -2.0}, ValueError, ["kT", "-2.0"]),
    ({"kT": [0.5, 0.6, 0.7]}, ValueError, ["kT", "several temperatures"]),
    ({"kT": [0.5, -0.6]}, ValueError, ["kT", "-0.6", "account 1"]),
    ({"bias": [3.0, 4.0], "kT": -1.0}, ValueError, ["kT", "-1.0"]),
]


@pytest.mark.parametrize(("changes", "error", "parts"), BAD)
def test_bad_updates(changes, error, parts):
    with refused(error, *parts):
        CONTROLS.updated(**changes)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
    )
)
def test_any_bias_is_taken_whole_or_refused(bias):
    """Right is a scalar or (2,), all finite; everything else is a ValueError that says bias."""
    if bias.shape in ((), (2,)) and np.isfinite(bias).all():
        expected = np.broadcast_to(bias, 2).tolist()
        assert CONTROLS.updated(bias=bias).bias.tolist() == expected
    else:
        with refused(ValueError, "bias"):
            CONTROLS.updated(bias=bias)


@given(hnp.arrays(np.float64, (2, 2), elements=st.floats(-2, 2)))
def test_any_stiffness_is_taken_symmetric_and_definite_or_refused(matrix):
    """Accepted exactly where x·Kx > 0: at 2 × 2, a positive diagonal and determinant.

    Neither a determinant nor an asymmetry within 1e-11 of the border is judged here.
    """
    skew = abs(matrix[0, 1] - matrix[1, 0])
    determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    scale = max(abs(matrix[0, 0] * matrix[1, 1]), matrix[0, 1] ** 2)
    if abs(determinant) < 1e-11 * scale or 0 < skew < 1e-11:
        return
    if skew == 0 and determinant > 0 and (matrix.diagonal() > 0).all():
        assert CONTROLS.updated(stiffness=matrix).stiffness.tolist() == matrix.tolist()
    else:
        with refused(ValueError, "stiffness"):
            CONTROLS.updated(stiffness=matrix)
