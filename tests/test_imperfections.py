"""A data sheet and the boards drawn from it: what each imperfection does to the physics.

Statistical tests fix their seeds. Moments are compared at 5 standard errors, 5.7e-7 for each
number; distributions by Kolmogorov and Smirnov's test, failed below 1e-6, which is its false-alarm
rate.
"""

import math
from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest
from scipy import stats
from scipy.constants import Boltzmann

import ktc
from ktc._model.imperfections import Converter
from refusal import refused

REPLICAS = 100_000
R, C = np.array([1e6, 2e6]), np.array([1e-12, 4e-12])
KT = Boltzmann * 300.0
K = np.array([[1.2e12, 2e11], [2e11, 3e11]])


def board(cells=2, **spec):
    stiffness = K if cells == 2 else None
    return ktc.Board(
        cells,
        R if cells == 2 else 1e6,
        C if cells == 2 else 1e-12,
        300.0,
        stiffness=stiffness,
        imperfections=ktc.Imperfections(**spec),
    )


def assert_covariance(states, exact):
    """Of Gaussian samples about their own mean."""
    variances = np.diag(exact)
    spread = np.sqrt((exact**2 + np.outer(variances, variances)) / len(states))
    assert (np.abs(np.cov(states.T) - exact) < 5 * spread).all()


# --- the data sheet -------------------------------------------------------------------------------


def test_a_data_sheet_is_data():
    spec = ktc.Imperfections(offset=1e-5, seed=4)
    assert spec == replace(ktc.Imperfections(seed=4), offset=1e-5)
    assert ktc.Imperfections(**asdict(spec)) == spec
    assert not any(value for name, value in vars(ktc.Imperfections()).items() if name != "seed")
    with pytest.raises(FrozenInstanceError):
        spec.offset = 0.0


BAD = [
    ({"resistance_tolerance": -0.1}, ValueError, ["resistance_tolerance", "negative", "-0.1"]),
    ({"capacitance_tolerance": 1.0}, ValueError, ["capacitance_tolerance", "below 1", "1.0"]),
    ({"coupling_tolerance": np.nan}, ValueError, ["coupling_tolerance", "nan"]),
    ({"offset": "1 mV"}, TypeError, ["offset", "'1 mV'"]),
    ({"offset": [1e-3, 1e-3]}, ValueError, ["offset", "one number", "(2,)"]),
    ({"dac_bits": 12}, ValueError, ["dac_range", "dac_bits"]),
    ({"adc_bits": 12}, ValueError, ["adc_range", "adc_bits"]),
    ({"dac_bits": 1, "dac_range": 1.0}, ValueError, ["dac_bits", "at least 2", "1"]),
    ({"adc_bits": 33, "adc_range": 1.0}, ValueError, ["adc_bits", "at most 32", "33"]),
    ({"dac_bits": 8.0, "dac_range": 1.0}, TypeError, ["dac_bits", "whole number", "8.0"]),
    ({"dac_range": 0.0}, ValueError, ["dac_range", "positive", "0.0"]),
    ({"adc_range": -1.0}, ValueError, ["adc_range", "positive", "-1.0"]),
    ({"settling_time": -1e-9}, ValueError, ["settling_time", "-1e-09"]),
    ({"update_time": np.inf}, ValueError, ["update_time", "inf"]),
    ({"adc_rate": 0.0}, ValueError, ["adc_rate", "positive", "0.0"]),
    ({"adc_noise": -1e-6}, ValueError, ["adc_noise", "-1e-06"]),
    ({"parasitic_capacitance": -1e-15}, ValueError, ["parasitic_capacitance", "-1e-15"]),
    ({"temperature_error": np.inf}, ValueError, ["temperature_error", "inf"]),
    ({"pickup": -1e-18}, ValueError, ["pickup", "-1e-18"]),
    ({"seed": -1}, ValueError, ["seed", "at least 0", "-1"]),
    ({"seed": 2**64}, ValueError, ["seed", "below 2**64"]),
    ({"seed": None}, TypeError, ["seed", "whole number", "None"]),
    ({"gain": 1.0}, TypeError, ["gain"]),
]


@pytest.mark.parametrize(("spec", "error", "parts"), BAD)
def test_bad_data_sheets(spec, error, parts):
    with refused(error, *parts):
        ktc.Imperfections(**spec)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ({"temperature_error": -300.0}, ["temperature_error", "-300.0", "300.0"]),
        ({"coupling_tolerance": 0.99, "seed": 9}, ["as board 9 was built", "stiffness"]),
    ],
)
def test_a_board_that_cannot_be_built_says_so(spec, parts):
    """K has an eigenvalue close to zero, so that stronger couplings leave nothing confined."""
    close = np.array([[1.0, 0.999], [0.999, 1.0]]) * 1e12
    with refused(ValueError, *parts):
        ktc.Board(2, 1e6, 1e-12, 300.0, stiffness=close, imperfections=ktc.Imperfections(**spec))
    with refused(TypeError, "imperfections", "ktc.Imperfections", "dict"):
        ktc.Board(2, 1e6, 1e-12, 300.0, imperfections={"offset": 1e-3})


# --- converters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [2, 3, 8, 16])
def test_the_grid_of_a_converter(bits):
    """2^bits − 1 values, symmetric about zero, both ends among them; each is its own nearest."""
    top = 2 ** (bits - 1) - 1
    grid = np.arange(-top, top + 1) * (0.7 / top)
    converter = Converter(bits, 0.7)
    assert len(grid) == 2**bits - 1
    assert converter.quantised(grid) == pytest.approx(grid, rel=1e-15, abs=0)
    assert 0.0 in converter.quantised(grid)
    between = np.random.default_rng(bits).uniform(-0.7, 0.7, 100)
    nearest = grid[np.argmin(np.abs(between[:, None] - grid), axis=1)]
    assert converter.quantised(between) == pytest.approx(nearest, rel=1e-12, abs=0)


def test_halves_go_to_the_even_value():
    volts = np.array([-1.5, -0.5, 0.5, 1.5, 2.5])
    assert Converter(3, 3.0).quantised(volts).tolist() == [-2.0, 0.0, 0.0, 2.0, 2.0]


def test_a_converter_without_bits_or_range():
    volts = np.array([0.1, -7.0])
    assert Converter().quantised(volts) is volts
    assert Converter(None, 1.0).quantised(volts) is volts
    assert not len(Converter().outside(volts))
    assert Converter(None, 1.0).outside(volts).tolist() == [[1]]
    assert not len(Converter(None, 7.0).outside(volts))


# --- what is drawn for a board --------------------------------------------------------------------


def drawn(boards=150, cells=40, **spec):
    """Relative errors of R, C and couplings, and offsets, of many boards of one data sheet."""
    real = [board(cells, seed=seed, **spec).real for seed in range(boards)]
    upper = np.triu_indices(cells, 1)
    return {
        "resistance": np.array([one.resistance / 1e6 - 1 for one in real]),
        "capacitance": np.array([one.capacitance / 1e-12 - 1 for one in real]),
        "coupling": np.array([one.mutual[upper] - 1 for one in real]),
        "offset": np.array([one.offset for one in real]),
    }


def test_errors_are_distributed_as_the_data_sheet_says():
    """6000 cells, 117 000 couplings: four distributions, and six correlations at 5 errors."""
    spec = {
        "resistance_tolerance": 0.01,
        "capacitance_tolerance": 0.05,
        "coupling_tolerance": 0.2,
        "offset": 3e-6,
    }
    errors = drawn(**spec)
    for kind in ("resistance", "capacitance", "coupling"):
        tolerance = spec[f"{kind}_tolerance"]
        assert np.abs(errors[kind]).max() <= tolerance * (1 + 1e-12)
        uniform = stats.uniform(-tolerance, 2 * tolerance)
        assert stats.kstest(errors[kind].ravel(), uniform.cdf).pvalue > 1e-6
    assert stats.kstest(errors["offset"].ravel(), stats.norm(0, 3e-6).cdf).pvalue > 1e-6
    columns = [
        errors[k].ravel()[:6000] for k in ("resistance", "capacitance", "coupling", "offset")
    ]
    correlation = np.corrcoef(columns)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(6000)


def test_the_seed_is_the_board():
    spec = {"resistance_tolerance": 0.05, "coupling_tolerance": 0.05, "offset": 1e-5}
    one, same, other = (board(seed=seed, **spec).real for seed in (1, 1, 2))
    assert one.network == same.network and (one.offset == same.offset).all()
    assert not np.array_equal(one.network.stiffness, other.network.stiffness)
    assert not (one.offset == other.offset).any()
    for seed in (7, 8):
        emulator = board(seed=1, **spec).emulator(replicas=3, seed=seed)
        assert emulator.board.real.network == one.network and emulator.seed == seed
        assert emulator.imperfections.seed == 1


def test_a_larger_tolerance_scales_the_same_errors():
    """And what one kind of error is does not depend on the others."""
    small = board(capacitance_tolerance=0.01, seed=3).real
    large = board(capacitance_tolerance=0.04, offset=1e-5, resistance_tolerance=0.1, seed=3).real
    assert large.capacitance / C - 1 == pytest.approx(4 * (small.capacitance / C - 1), rel=1e-12)
    assert (small.resistance == R).all() and not small.offset.any() and (small.mutual == 1).all()


def test_a_coupling_has_one_error_both_ways():
    real = board(cells=5, coupling_tolerance=0.3, seed=2).real
    assert (real.mutual == real.mutual.T).all()
    assert (np.diag(real.mutual) == 1).all()
    assert len(np.unique(real.mutual)) == 11


# --- what it does to the physics ------------------------------------------------------------------


def test_components_enter_the_real_network():
    """Own elastances are those of true capacitors, couplings have their own errors."""
    spec = {"resistance_tolerance": 0.1, "capacitance_tolerance": 0.1, "coupling_tolerance": 0.2}
    drawing = board(seed=6, **spec)
    real = drawing.real
    expected = K * real.mutual
    expected[[0, 1], [0, 1]] = K.diagonal() * C / real.capacitance
    assert real.network.stiffness == pytest.approx(expected, rel=1e-14)
    assert real.network.friction.diagonal().tolist() == real.resistance.tolist()
    assert drawing.network.stiffness.tolist() == K.tolist()
    emulator = drawing.emulator(REPLICAS, seed=1)
    covariance = KT * np.linalg.inv(expected)
    assert_covariance(emulator.read() * real.capacitance, covariance)


@pytest.mark.parametrize(("coupling", "value"), [("capacitive", 1e-12), ("resistive", 1e6)])
def test_components_enter_other_couplings(coupling, value):
    spec = ktc.Imperfections(
        resistance_tolerance=0.1, capacitance_tolerance=0.1, coupling_tolerance=0.2, seed=6
    )
    real = ktc.Board(2, R, C, 300.0, coupling=coupling, couplings=value, imperfections=spec).real
    true = value * real.mutual[0, 1]
    ends = np.array([[1, -1], [-1, 1]])
    if coupling == "capacitive":
        maxwell = np.diag(real.capacitance) + true * ends
        assert real.network.stiffness == pytest.approx(np.linalg.inv(maxwell), rel=1e-12)
        mobility = np.diag(1 / real.resistance)
    else:
        assert real.network.stiffness == pytest.approx(np.diag(1 / real.capacitance), rel=1e-14)
        mobility = np.diag(1 / real.resistance) + ends / true
    assert real.network.friction == pytest.approx(np.linalg.inv(mobility), rel=1e-12)


def test_temperature_error_adds_to_each_cell():
    spec = ktc.Imperfections(temperature_error=-20.0)
    hot = ktc.Board(2, 1e6, 1e-12, [300.0, 400.0], imperfections=spec)
    assert hot.real.temperature.tolist() == [280.0, 380.0]
    assert hot.real.network.kT == pytest.approx(Boltzmann * np.array([280.0, 380.0]), rel=1e-14)
    with refused(ValueError, "temperature_error", "-20.0", "15."):
        ktc.Board(2, 1e6, 1e-12, [300.0, 15.0], imperfections=spec)


def test_a_saved_board_has_its_temperatures_again(tmp_path):
    spec = ktc.Imperfections(temperature_error=5.0)
    hot = ktc.Board(2, 1e6, 1e-12, [300.0, 400.0], imperfections=spec)
    emulator = hot.emulator(replicas=10, seed=1)
    emulator.save(tmp_path / "board.npz")
    again = ktc.Emulator.load(tmp_path / "board.npz")
    assert again.board.temperature.tolist() == [300.0, 400.0]
    for each in (emulator, again):
        each.run(1e-6)
    assert (again.read() == emulator.read()).all()


def test_temperature_error_shifts_equipartition():
    """⟨q ∂H/∂q⟩ = k_B (T + ΔT) per cell: two comparisons, 30 K being some 20 standard errors."""
    emulator = board(temperature_error=30.0).emulator(REPLICAS, seed=2)
    emulator.run(2e-6)
    charge = emulator.read() * C
    product = (charge * (charge @ K)) / (Boltzmann * 330.0)
    assert (np.abs(product.mean(axis=0) - 1) < 5 * product.std(axis=0) / math.sqrt(REPLICAS)).all()


@pytest.mark.parametrize("cells", [1, 2])
def test_parasitic_capacitance_shifts_kt_over_c(cells):
    """Uncoupled Var v = k_B T/(C + C_p); coupled Cov q = k_B T (K⁻¹ + C_p)."""
    parasitic = 3e-13
    emulator = board(cells, parasitic_capacitance=parasitic).emulator(REPLICAS, seed=3)
    emulator.run(2e-6)
    own = (C if cells == 2 else np.array([1e-12])) + parasitic
    before = np.linalg.inv(K) if cells == 2 else np.array([[1e-12]])
    exact = KT * (before + parasitic * np.eye(cells)) / np.outer(own, own)
    assert_covariance(emulator.read().reshape(REPLICAS, cells), np.atleast_2d(exact))
    if cells == 1:
        assert exact.item() == pytest.approx(KT / 1.3e-12, rel=1e-12)


def test_parasitic_capacitance_divides_the_source_of_a_resistive_board():
    """Its foot is in series with C alone: the capacitor takes C/(C + C_p) of it on average."""
    spec = ktc.Imperfections(parasitic_capacitance=1e-12)
    resistive = ktc.Board(
        2, R, C, 300.0, bias=[1e-3, 2e-3], coupling="resistive", couplings=1e6, imperfections=spec
    )
    mean = np.linalg.solve(resistive.real.network.stiffness, resistive.real.network.bias)
    # Charges at which both nodes are at zero volts: C_p holds none, C the whole source.
    assert mean == pytest.approx(C * [1e-3, 2e-3], rel=1e-12)


@pytest.mark.parametrize("coupling", ["elastance", "resistive"])
def test_pickup_raises_the_variance(coupling):
    """Uncoupled: (k_B T + S/4R)/C, and S/(4R²C) of power, injected and then dissipated.

    The splitting integrator is second order: at a tenth of RC its averages are off by below 1e-3,
    allowed beside 5 standard errors.
    """
    density, resistance, capacitance = 1e-13, 1e6, 1e-12
    spec = ktc.Imperfections(pickup=density)
    single = ktc.Board(1, resistance, capacitance, 300.0, coupling=coupling, imperfections=spec)
    emulator = single.emulator(20_000, seed=4, resolve_heat=True)
    exact = (KT + density / (4 * resistance)) / capacitance
    assert density / (4 * resistance) > 5 * KT
    for _ in range(2):
        variance = emulator.moments().covariance[0, 0]
        assert abs(variance / exact - 1) < 5 * math.sqrt(2 / 20_000) + 1e-3
        emulator.run(3e-6)
    injected = emulator.ledger.injected
    power = density / (4 * resistance**2 * capacitance) * 6e-6
    error = 5 * injected.std() / math.sqrt(len(injected))
    assert abs(injected.mean() - power) < error + 1e-3 * power
    assert emulator.ledger.imbalance() < 1e-12


def test_offsets_displace_the_mean():
    """⟨q⟩ = K⁻¹(b + offset): two comparisons."""
    emulator = board(offset=3e-5, seed=5).emulator(REPLICAS, seed=5)
    offset = emulator.board.real.offset
    emulator.set(bias=[1e-5, -2e-5])
    emulator.run(1e-4)
    exact = np.linalg.solve(K, [1e-5, -2e-5] + offset) / C
    error = 5 * np.sqrt(KT * np.linalg.inv(K).diagonal()) / C / math.sqrt(REPLICAS)
    assert (np.abs(emulator.moments().mean - exact) < error).all()
    assert (np.abs(np.linalg.solve(K, offset) / C) > 5 * error).all()
