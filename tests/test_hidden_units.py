"""Hidden units: a double well beside a Gaussian unit represents two modes, alone it cannot."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc.schedules import Constant

RNG = np.random.default_rng(100)
DATA = np.concatenate([RNG.normal(-2, 0.5, 300), RNG.normal(2, 0.5, 300)])[:, None]
NET = ktc.Network([[1.0, -0.3], [-0.3, -2.0]], 1.0, quartic=[0.0, 1.0])
MASK = {"diagonal": [[True, False], [False, False]]}
NAMES = ("bias", "couplings", "diagonal")


@pytest.fixture(scope="module")
def fit():
    return ktc.learn(
        NET,
        DATA,
        Constant(40.0, 0.3),
        parameters=NAMES,
        replicas=3000,
        ticks=300,
        seed=101,
        hidden=1,
        mask=MASK,
    )


def density(controls, x):
    """p(v) of the pair by a sum over a fine grid of h, everything written out."""
    h = np.linspace(-6, 6, 1201)
    k, b, q = controls.stiffness, controls.bias, controls.quartic
    v = x[:, None]
    energy = 0.5 * k[0, 0] * v**2 + k[0, 1] * v * h + 0.5 * k[1, 1] * h**2
    energy = energy + 0.25 * q[1] * h**4 - b[0] * v - b[1] * h
    weight = np.exp(-energy).sum(axis=1)
    return weight / (weight.sum() * (x[1] - x[0]))


def test_two_modes_are_learned(fit):
    """Two peaks near ±2 with a valley below half of them; likelihood above any normal density's."""
    assert fit.stopped_early is None and isinstance(fit.hidden, np.ndarray)
    x = np.linspace(-8, 8, 801)
    p = density(fit.controls, x)
    left, right = x[x < 0][np.argmax(p[x < 0])], x[x > 0][np.argmax(p[x > 0])]
    # Closer than the width of a peak of the data, 0.5.
    assert left == pytest.approx(-2, abs=0.4) and right == pytest.approx(2, abs=0.4)
    assert p[400] < 0.3 * min(p[x < 0].max(), p[x > 0].max())
    model = np.mean(np.log(np.interp(DATA[:, 0], x, p)))
    normal = -0.5 * np.log(2 * np.pi * np.e * np.var(DATA))
    assert model > normal + 0.2


def test_a_visible_unit_alone_has_one_mode():
    net = ktc.Network(1.0, 1.0)
    fit = ktc.learn(
        net, DATA, Constant(20.0, 0.1), parameters=("bias", "stiffness"), replicas=1000, seed=102
    )
    # K of 1,000 replicas at this rate scatters by 8 % over seeds; four of that.
    assert fit.controls.stiffness[0, 0] == pytest.approx(1 / np.var(DATA), rel=0.3)


def test_the_positive_phase_is_booked(fit):
    """The clamped ensemble's work is that of the same updates; visible units stand still."""
    assert fit.positive_phase_work.stderr > 0 and fit.positive_phase_heat.stderr > 0
    history = fit.history
    assert history.positive_work[-1] == pytest.approx(fit.positive_phase_work.mean, rel=1e-9)
    assert fit.work.mean != pytest.approx(fit.positive_phase_work.mean, rel=1e-3)
    with pytest.raises(ValueError, match="hidden units"):
        _ = history.likelihood_bias
    with pytest.raises(ValueError, match="no single maximum"):
        _ = fit.completed_excess_work


def test_gaussian_hidden_units_relax_to_the_conditional_mean():
    """⟨h⟩ = K_hh⁻¹(b_h − K_hv v) and ⟨h²⟩ of every sample, at controls that barely move."""
    net = ktc.Network(
        [[2.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 1.5]], 1.0, bias=[0.1, 0.4, 0.0]
    )
    data = np.array([[1.0, -2.0], [3.0, 0.5]])
    fit = ktc.learn(
        net,
        data,
        Constant(0.01, 1e-9),
        parameters=("bias", "stiffness"),
        replicas=40_000,
        ticks=2,
        seed=103,
        hidden=[1],
    )
    mean = 0.4 - data @ [0.6, 0.3]
    forces = fit.learned.split(fit.data_forces)
    h = np.mean(mean)
    error = 5 / np.sqrt(40_000)
    assert -forces["bias"] == pytest.approx([2.0, h, -0.75], abs=error)
    exact = {
        (0, 0): 0.5 * 5.0,
        (0, 1): np.mean(data[:, 0] * mean),
        (1, 2): np.mean(data[:, 1] * mean),
    }
    places = list(zip(*fit.learned.places["stiffness"], strict=True))
    for place, value in exact.items():
        found = forces["stiffness"][places.index(place)]
        assert found == pytest.approx(value, abs=4 * error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": 2}, "hidden must be numbers below 2"),
        ({"hidden": [0, 1]}, "at least one visible"),
        ({"hidden": [1, 1]}, "names 1 twice"),
        ({"data": np.ones((3, 2))}, r"data must have shape \(samples, 1\)"),
        ({"replicas": float("inf"), "device": ktc.Network(np.eye(2), 1.0)}, "finite with hidden"),
        ({"device": ktc.Network(np.eye(2), [[2.0, 0.5], [0.5, 1.0]])}, "one resistor per unit"),
    ],
)
def test_bad_input(change, words):
    arguments = {
        "device": NET, "data": DATA, "schedule": Constant(1.0, 0.1), "parameters": ("bias",),
        "replicas": 20, "ticks": 2, "hidden": 1,
    }  # fmt: skip
    with pytest.raises(ValueError, match=words):
        ktc.learn(**{**arguments, **change})


def test_the_best_rate_with_hidden_units_is_that_of_runs_completed_to_a_target():
    """Among three rates tried by hand with the same noise, the found one costs no more."""
    target = {"bias": [0.4, 0.2], "stiffness": [[1.0, -0.3], [-0.3, 1.0]]}
    net = ktc.Network(np.eye(2), 1.0)
    options = {"parameters": ("bias", "stiffness"), "hidden": 1, "replicas": 400, "ticks": 40}
    data = np.random.default_rng(5).normal(size=300) + 0.5
    found = ktc.best_rate(
        net, data, lambda rate: Constant(2.0, rate), target=target, seed=7, **options
    )
    for rate in (0.3 * found.rate, found.rate, 2.0 * found.rate):
        cost = ktc.learn(net, data, Constant(2.0, rate), seed=7, **options).completed(target)
        if rate == found.rate:
            assert cost.mean == pytest.approx(found.completed_excess_work.mean, rel=1e-12)
        # The search is content with a tenth of the rate: a hundredth of what it costs at most.
        assert cost.mean > 0.99 * found.completed_excess_work.mean


def test_the_best_rate_asks_for_the_target_that_it_needs():
    def rate(value):
        return Constant(1.0, value)

    with pytest.raises(ValueError, match="target must be given with 1 hidden"):
        ktc.best_rate(ktc.Network(np.eye(2), 1.0), [1.0, 2.0], rate, hidden=[1])
    wells = ktc.Network(np.eye(4) - np.ones((4, 4)), 1.0, quartic=1.0)
    data = [[1.0, 2.0, 1.0, 2.0]]
    with pytest.raises(ValueError, match="target must be given of coupled quartic"):
        ktc.best_rate(wells, data, rate)
    with pytest.raises(ValueError, match="so no bracket can be guessed: give one"):
        ktc.best_rate(wells, data, rate, target={"bias": data[0]})
    with pytest.raises(ValueError, match="target must be left out"):
        ktc.best_rate(ktc.Network(1.0, 1.0), 1.0, rate, target={"bias": 1.0})
