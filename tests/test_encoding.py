"""The code between data and volts: documented, reversible, and a thermal width by default."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.constants import Boltzmann

import ktc
from refusal import refused

BOARD = ktc.Board(cells=3, resistance=1e6, capacitance=[1e-12, 2e-12, 4e-12], temperature=290.0)
moderate = st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6)


def test_one_standard_deviation_is_one_thermal_width_by_default():
    widths = np.sqrt(Boltzmann * 290.0 / np.array([1e-12, 2e-12, 4e-12]))
    volts = BOARD.encoding(offset=8.0, scale=[4.0, 2.0, 1.0]).encode([12.0, 10.0, 7.0])
    assert volts == pytest.approx(widths * [1.0, 1.0, -1.0], rel=1e-14)


def test_the_formula():
    code = ktc.Encoding([1e-3, 2e-3], offset=[1.0, -1.0], scale=[2.0, 4.0])
    assert code.encode([[3.0, 3.0], [1.0, -1.0]]) == pytest.approx(
        np.array([[1e-3, 2e-3], [0.0, 0.0]]), rel=1e-15
    )


@given(
    hnp.arrays(np.float64, st.sampled_from([(3,), (1, 3), (5, 3)]), elements=moderate),
    st.floats(-1e3, 1e3),
    st.floats(1e-3, 1e3),
)
def test_decoding_undoes_encoding(data, offset, scale):
    """To rounding of the offset and of the data."""
    code = BOARD.encoding(offset, scale)
    back = code.decode(code.encode(data))
    assert back.shape == data.shape
    assert back == pytest.approx(data, rel=1e-14, abs=1e-14 * (abs(offset) + scale))


def test_covariances_are_those_of_encoded_data():
    data = np.random.default_rng(1).normal(size=(50, 3)) * [1.0, 5.0, 0.2]
    code = BOARD.encoding(offset=2.0, scale=[1.0, 2.0, 3.0])
    assert code.encode_covariance(np.cov(data.T)) == pytest.approx(
        np.cov(code.encode(data).T), rel=1e-12
    )


def test_data_is_not_written_to():
    data = np.array([1.0, 2.0, 3.0])
    BOARD.encoding(offset=1.0).encode(data)
    assert data.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "error", "parts"),
    [
        ({"scale": 0.0}, ValueError, ["scale", "0.0", "unit 0"]),
        ({"scale": [1.0, 2.0, -1.0]}, ValueError, ["scale", "-1.0", "unit 2"]),
        ({"scale": [1.0, 2.0]}, ValueError, ["scale", "(3,)", "(2,)"]),
        ({"offset": [1.0, 2.0]}, ValueError, ["offset", "(3,)", "(2,)"]),
        ({"offset": np.nan}, ValueError, ["offset", "nan"]),
        ({"offset": "mean"}, TypeError, ["offset", "'mean'"]),
    ],
)
def test_bad_encodings(arguments, error, parts):
    with refused(error, *parts):
        BOARD.encoding(**arguments)


def test_volts_per_unit_are_positive():
    with refused(ValueError, "volts_per_unit", "0.0", "unit 1"):
        ktc.Encoding([1e-3, 0.0])


@pytest.mark.parametrize("method", ["encode", "decode"])
@pytest.mark.parametrize(
    ("values", "error", "parts"),
    [
        ([1.0, 2.0], ValueError, ["3 columns", "(2,)"]),
        (np.ones((4, 2)), ValueError, ["3 columns", "(4, 2)"]),
        (1.0, ValueError, ["3 columns", "()"]),
        (np.ones((1, 1, 3)), ValueError, ["3 columns", "(1, 1, 3)"]),
        ([1.0, np.inf, 0.0], ValueError, ["inf", "(1,)"]),
        (["a", "b", "c"], TypeError, ["'a'"]),
    ],
)
def test_bad_data(method, values, error, parts):
    name = {"encode": "data", "decode": "volts"}[method]
    with refused(error, name, *parts):
        getattr(BOARD.encoding(), method)(values)


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 3), (1, 3), (3, 3, 3)])
def test_a_covariance_is_square(shape):
    with refused(ValueError, "covariance", "(3, 3)", str(shape)):
        BOARD.encoding().encode_covariance(np.ones(shape))
