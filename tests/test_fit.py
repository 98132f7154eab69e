"""Fits: what they report, saved and loaded."""

import copy
import pickle

import numpy as np
import pytest

import ktc
from ktc.schedules import Constant, MinimalDissipation

BOARD = ktc.Board(cells=2, resistance=[1e6, 2e6], capacitance=1e-12, temperature=300.0)
DATA = np.array([[1e-4, 2e-4], [3e-4, 0.0]])


@pytest.fixture
def fit():
    return ktc.learn(BOARD, DATA, Constant(2e-6, rate=2e17), replicas=1000, ticks=50, seed=1)


def test_accounts(fit):
    charges = 1e-12 * fit.history.mean[-1]
    target = DATA.mean(axis=0)
    # Uncoupled cells: K = 1/C, so b_ML = ⟨v⟩ and F = −½ C b².
    jump = -(target - fit.controls.bias) @ charges
    reached, wanted = (-0.5e-12 * np.sum(b**2) for b in (fit.controls.bias, target))
    assert fit.free_energy_change.mean == pytest.approx(reached, rel=1e-12)
    assert fit.excess_work.mean == pytest.approx(fit.work.mean - reached, rel=1e-12)
    assert fit.completed_excess_work.mean == pytest.approx(fit.work.mean + jump - wanted, rel=1e-9)
    assert len(fit.completed_excess_work.samples) == 1000
    assert fit.completed_excess_work.mean > fit.bound_target
    assert fit.data_mean == pytest.approx(target)
    assert fit.samples == 2
    # ½ Σ_i C_i v_i²/(T + 2τ_i) τ_i with μᵀR(T + 2K⁻¹R)⁻¹μ in charges.
    tau = np.array([1e-6, 2e-6])
    bound = np.sum(np.array([1e6, 2e6]) * (1e-12 * target) ** 2 / (2e-6 + 2 * tau))
    assert fit.bound_target == pytest.approx(bound, rel=1e-12)
    assert fit.network.bias == pytest.approx(fit.parameters["bias"])


def test_save_and_load(fit, tmp_path):
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    for name in ("work", "heat", "excess_work", "completed_excess_work"):
        one, other = getattr(fit, name), getattr(again, name)
        assert (one.samples == other.samples).all() and one.unit == other.unit
    for name, values in vars(fit.history).items():
        assert (getattr(again.history, name) == values).all()
    for name in ("bound", "bound_target", "seed", "version", "theta_names", "samples", "symbols"):
        assert getattr(again, name) == getattr(fit, name)
    assert repr(again.schedule) == repr(fit.schedule)
    assert again.device is None


def test_damaged_and_foreign_files(fit, tmp_path):
    path = tmp_path / "fit.npz"
    fit.save(path)
    (tmp_path / "short.npz").write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="truncated"):
        ktc.Fit.load(tmp_path / "short.npz")
    with pytest.raises(ValueError, match="kind .Fit., not .Protocol."):
        ktc.Protocol.load(path)


def test_seed_none_is_drawn_and_recorded():
    net = ktc.Network(stiffness=1.0, friction=1.0)
    fit = ktc.learn(net, 1.0, MinimalDissipation(1.0), replicas=10, ticks=2)
    again = ktc.learn(net, 1.0, MinimalDissipation(1.0), replicas=10, ticks=2, seed=fit.seed)
    assert (again.work.samples == fit.work.samples).all()


def test_a_fit_is_pickled_without_its_device(fit):
    for again in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert again.device is None
        assert (again.work.samples == fit.work.samples).all()
        assert again.completed_excess_work.mean == fit.completed_excess_work.mean
        assert again.network == fit.network
        assert again.bound == fit.bound
        assert repr(again) == repr(fit)
    assert fit.device is not None
