"""Learning of several kinds of parameters: Gaussian networks against moment equations.

Where numbers are random, allowances are those of five standard errors, a false alarm of 6e-7 each,
and seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ktc
from ktc.schedules import Adam, Constant, Cosine, Exponential, MinimalDissipation, NaturalGradient

RNG = np.random.default_rng(80)
D = 3
ROOT = RNG.normal(size=(D, D))
DATA = RNG.multivariate_normal([1.0, -0.5, 0.3], ROOT @ ROOT.T / 3 + 0.5 * np.eye(D), size=400)
NET = ktc.Network(np.eye(D), [1.0, 2.0, 0.5])
ALL = ("bias", "stiffness")


def metrics_of_one_unit(b, k):
    """F and ζ of (b, k) of ½kx² − bx at kT = γ = 1: s = 1/k, m = b/k, x relaxes in 1/k."""
    s, m = 1 / k, b / k
    fisher = np.array([[s, -m * s], [-m * s, m * m * s + s * s / 2]])
    friction = np.array([[s / k, -m * s / k], [-m * s / k, m * m * s / k + s * s / (4 * k)]])
    return fisher, friction


def rule_by_moment_equations(mean, second, time):
    """W, b and k of the rule with both jumps, in continuous time, from equilibrium at b = 0, k = 1.

    ṁ = b − km, Ṡ = −2kS + 2 + 2bm of S = ⟨x²⟩; g = (⟨x⟩_data − m, ½(S − ⟨x²⟩_data)).
    """

    def gradient(m, s):
        return np.array([mean - m, 0.5 * (s - second)])

    def work(change, m, s):
        return -change[0] * m + 0.5 * change[1] * s

    def motion(t, y):
        m, s, b, k, _ = y
        fisher, friction = metrics_of_one_unit(b, k)
        speed = np.linalg.solve((time - t) * fisher + 2 * friction, gradient(m, s))
        return [b - k * m, -2 * k * s + 2 + 2 * b * m, *speed, work(speed, m, s)]

    fisher, friction = metrics_of_one_unit(0.0, 1.0)
    speed = np.linalg.solve(time * fisher + 2 * friction, gradient(0.0, 1.0))
    jump = np.linalg.solve(fisher, friction @ speed)
    start = [0.0, 1.0, jump[0], 1 + jump[1], work(jump, 0.0, 1.0)]
    m, s, b, k, total = solve_ivp(motion, (0, time), start, rtol=1e-10, atol=1e-12).y[:, -1]
    jump = 0.5 * np.linalg.solve(metrics_of_one_unit(b, k)[0], gradient(m, s))
    return total + work(jump, m, s), b + jump[0], k + jump[1]


def test_bias_and_stiffness_of_one_unit_by_moment_equations():
    """The infinite ensemble at 200, 400 and 800 ticks tends to the continuous rule as 1/n²."""
    data = [[-0.5], [0.3], [1.4], [2.0]]
    mean, second = float(np.mean(data)), float(np.mean(np.square(data)))
    exact = rule_by_moment_equations(mean, second, 1.5)
    unit, rule = ktc.Network(1.0, 1.0), MinimalDissipation(1.5, anticipate=False)
    runs = [
        ktc.learn(unit, data, rule, parameters=ALL, replicas=math.inf, ticks=n)
        for n in (200, 400, 800)
    ]
    found = np.array(
        [[f.work.mean, f.parameters["bias"][0], f.parameters["stiffness"][0, 0]] for f in runs]
    )
    errors = np.abs(found - exact)
    assert (errors[2] < 1e-7).all()
    # As docs/decisions/learning-any-parameter.md has them.
    assert errors[:, 0] == pytest.approx([8.3e-7, 2.1e-7, 5.2e-8], rel=0.02)
    assert errors[1] / errors[2] == pytest.approx([4, 4, 4], abs=0.3)


@pytest.mark.parametrize("matrix", [True, False])
def test_bias_alone_is_the_same_by_both_paths(matrix):
    schedule = MinimalDissipation(2.0, matrix)
    old = ktc.learn(NET, DATA, schedule, replicas=50, ticks=40, seed=81)
    new = ktc.learn(NET, DATA, schedule, replicas=50, ticks=40, seed=81, metrics=ktc.Metrics())
    assert type(new) is type(old) is ktc.Fit
    assert new.parameters["bias"] == pytest.approx(old.parameters["bias"], rel=1e-9)
    for name in ("work", "excess_work", "completed_excess_work"):
        one, other = getattr(new, name), getattr(old, name)
        assert one.samples == pytest.approx(other.samples, rel=1e-8, abs=1e-10)
    assert new.bound == pytest.approx(old.bound, rel=1e-9)
    assert new.bound_target == pytest.approx(old.bound_target, rel=1e-9)


@pytest.mark.parametrize("scale", [[1.0, 1.0, 1.0], [0.1, 1.0, 30.0]])
def test_the_mean_moves_straight_at_constant_speed(scale):
    """Bias of a Gaussian, whatever its anisotropy: ⟨x⟩ is linear in time to the tick's error."""
    root = np.array([[1.0, 0.4, 0.1], [0.4, 1.0, 0.3], [0.1, 0.3, 1.0]])
    net = ktc.Network(root * np.sqrt(np.outer(scale, scale)), [1.0, 2.0, 0.5])
    fit = ktc.learn(
        net, [[1.0, -2.0, 3.0]], MinimalDissipation(2.0), replicas=math.inf, ticks=2000,
        metrics=ktc.Metrics(),
    )  # fmt: skip
    steps = np.diff(fit.history.mean, axis=0)
    assert steps == pytest.approx(np.broadcast_to(steps[1000], steps.shape), rel=2e-3, abs=1e-9)


@pytest.mark.parametrize(
    "schedule",
    [
        MinimalDissipation(2.0),
        NaturalGradient(2.0, 0.8),
        Constant(2.0, 0.1),
        Exponential(2.0, 0.05, 0.2, {"stiffness": 0.5}),
        Cosine(2.0, 0.2),
        Adam(2.0, 0.2),
    ],
    ids=lambda schedule: schedule.name,
)
def test_likelihood_bias_is_the_excess_work(schedule):
    """The controller's gain less the gain of the data under both densities, and the ledger.

    The densities are normal, with their determinants by themselves.
    """
    fit = ktc.learn(NET, DATA, schedule, parameters=ALL, replicas=300, ticks=50, seed=82)
    assert fit.stopped_early is None

    def likelihood(controls):
        covariance = np.linalg.inv(controls.stiffness)
        y = DATA - covariance @ controls.bias
        squares = np.mean(np.sum(y @ controls.stiffness * y, axis=1))
        return -0.5 * squares - 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))

    history = fit.history
    start = fit.learned.vector(NET.controls)
    steps = np.diff(np.concatenate([[start], history.theta]), axis=0)
    gain = np.sum(history.gradient * steps)
    true = likelihood(fit.controls) - likelihood(NET.controls)
    assert gain - true == pytest.approx(fit.excess_work.mean, abs=1e-9)
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, abs=1e-9)
    assert history.excess_work[-1] == pytest.approx(fit.excess_work.mean, abs=1e-9)
    assert history.work[-1] == pytest.approx(fit.work.mean, rel=1e-12)
    assert history.heat[-1] == pytest.approx(fit.heat.mean, rel=1e-9)


def test_maximum_likelihood_of_gaussians():
    """All couplings: the precision matrix of the data; under a mask: ⟨x_i x_j⟩ where learned."""
    fit = ktc.learn(NET, DATA, Constant(0.1, 1e-3), parameters=ALL, replicas=10, ticks=2, seed=1)
    covariance = np.cov(DATA.T, bias=True)
    best = fit.maximum_likelihood
    assert best.stiffness == pytest.approx(np.linalg.inv(covariance), rel=1e-8)
    assert best.bias == pytest.approx(best.stiffness @ DATA.mean(axis=0), rel=1e-8)
    mask = ~np.eye(D, dtype=bool)
    mask[0, 2] = mask[2, 0] = False
    fit = ktc.learn(
        NET,
        DATA,
        Constant(0.1, 1e-3),
        parameters=("bias", "couplings", "diagonal"),
        replicas=10,
        ticks=2,
        seed=1,
        mask={"couplings": mask},
    )
    best = fit.maximum_likelihood
    assert best.stiffness[0, 2] == 0
    found = np.linalg.inv(best.stiffness)
    learned = mask | np.eye(D, dtype=bool)
    assert found[learned] == pytest.approx(covariance[learned], rel=1e-8)


def test_the_rule_dissipates_less_than_a_constant_rate_and_more_than_the_bound():
    """A plain natural gradient of the best rate comes near it, to some per cent on either side:
    where F and ζ change on the way the rule is the best to leading order, and not beyond.
    """

    def completed(schedule):
        fit = ktc.learn(NET, DATA, schedule, parameters=ALL, replicas=math.inf, ticks=200)
        assert fit.stopped_early is None
        return fit.completed_excess_work.mean, fit.bound_target

    best, bound = completed(MinimalDissipation(4.0))
    assert best > bound
    for rate in np.geomspace(0.01, 0.12, 6):
        assert completed(Constant(4.0, rate))[0] > best
    for rate in np.geomspace(0.05, 1.0, 6):
        assert completed(NaturalGradient(4.0, rate))[0] > 0.95 * best


def test_completed_excess_work_does_not_depend_on_the_last_jump():
    class WithoutLastJump(MinimalDissipation):
        def last_jump(self, gradient, geometry):
            return np.zeros_like(gradient)

    runs = [
        ktc.learn(NET, DATA, schedule, parameters=ALL, replicas=40, ticks=20, seed=83)
        for schedule in (MinimalDissipation(2.0, anticipate=False), WithoutLastJump(2.0))
    ]
    one, other = (fit.completed_excess_work.samples for fit in runs)
    assert one == pytest.approx(other, rel=1e-8, abs=1e-9)
    assert abs(runs[0].excess_work.mean - runs[1].excess_work.mean) > 1e-3


def test_a_finite_ensemble_agrees_with_the_infinite_one():
    """20,000 replicas share a noisy controller: W scatters by up to twice its standard error."""
    fits = [
        ktc.learn(NET, DATA, MinimalDissipation(2.0), parameters=ALL, replicas=n, ticks=50, seed=84)
        for n in (20_000, math.inf)
    ]
    one, other = (fit.completed_excess_work for fit in fits)
    assert abs(one.mean - other.mean) < 5 * 2 * one.stderr
    assert other.stderr == 0


def test_more_parameters_than_matrices_are_made_of():
    """24 units, 324 parameters: the products take over, and learn."""
    d = 24
    rng = np.random.default_rng(85)
    root = rng.normal(size=(d, 2 * d))
    data = rng.multivariate_normal(np.zeros(d), root @ root.T / (2 * d), size=2000)
    net = ktc.Network(np.eye(d), 1.0)
    fit = ktc.learn(net, data, MinimalDissipation(5.0), parameters=ALL, replicas=math.inf, ticks=60)
    assert fit.learned.size == 324
    best = fit.maximum_likelihood.stiffness
    away = np.linalg.norm(fit.controls.stiffness - best) / np.linalg.norm(best - net.stiffness)
    assert away < 0.1
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, abs=1e-9)
    assert fit.completed_excess_work.mean > fit.bound_target > 0


def test_a_board_learns_couplings_in_si():
    """The same run in volts and 1/F as of a network in units of kT, k and γ."""
    board = ktc.Board(cells=2, resistance=1e6, capacitance=1e-12, temperature=300.0)
    width = board.thermal_width
    data = np.array([[1.0, 0.3], [-0.5, 1.0], [0.2, -1.4], [2.0, 1.5]])
    tau = 1e-6
    one = ktc.learn(
        board,
        data * width,
        MinimalDissipation(2 * tau),
        parameters=ALL,
        replicas=500,
        ticks=40,
        seed=86,
    )
    net = ktc.Network(np.eye(2), 1.0)
    other = ktc.learn(
        net, data, MinimalDissipation(2.0), parameters=ALL, replicas=500, ticks=40, seed=86
    )
    assert one.excess_work.in_kT.mean == pytest.approx(other.excess_work.mean, rel=1e-6)
    assert one.completed_excess_work.in_kT.mean == pytest.approx(
        other.completed_excess_work.mean, rel=1e-6
    )
    stiffness = one.controls.stiffness * 1e-12
    assert stiffness == pytest.approx(other.controls.stiffness, rel=1e-6)
    assert one.symbols.energy == "J"


def test_a_compiled_circuit_learns_its_bias_and_couplings():
    circuit = ktc.Circuit.from_netlist("R1 a 0 1meg\nC1 a 0 1p\nR2 b 0 1meg\nC2 b 0 1p\nC3 a b 1p")
    net = circuit.compile()
    width = np.sqrt(net.common_kT * np.linalg.inv(net.stiffness).diagonal())
    data = np.array([[1.0, 0.3], [-0.5, 1.0], [0.2, -1.4], [2.0, 1.5]]) * width
    time = 5 * net.relaxation_times[-1]
    fit = ktc.learn(
        net, data, MinimalDissipation(time), parameters=ALL, replicas=200, ticks=60, seed=87
    )
    assert fit.likelihood_bias.mean == pytest.approx(fit.excess_work.mean, rel=1e-6)
    assert fit.excess_work.in_kT.mean > 0


def test_save_and_load(tmp_path):
    mask = np.ones((D, D), dtype=bool)
    mask[0, 1] = mask[1, 0] = False
    fit = ktc.learn(
        NET, DATA, Adam(1.0, 0.2), parameters=ALL, replicas=30, ticks=10, seed=88, mask=mask
    )
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    assert again.learned == fit.learned
    assert repr(again) == repr(fit)
    for name in ("work", "heat", "excess_work", "completed_excess_work"):
        assert getattr(again, name).mean == getattr(fit, name).mean
    assert again.likelihood_bias.mean == fit.likelihood_bias.mean and again.device is None
    with pytest.raises(ValueError, match="kind 'Fit', not 'Protocol'"):
        ktc.Protocol.load(tmp_path / "fit.npz")


def test_the_picture_has_every_kind_of_parameter():
    fit = ktc.learn(NET, DATA, Constant(1.0, 0.05), parameters=ALL, replicas=30, ticks=10, seed=89)
    labels = [ax.get_ylabel() for ax in fit.plot().axes]
    assert [one for one in labels if one][:3] == ["bias", "stiffness", "energy"]


def test_the_picture_says_which_units_and_which_pairs():
    mask = {"bias": [False, True], "stiffness": np.ones((2, 2), dtype=bool)}
    fit = ktc.learn(
        ktc.Network(np.eye(2), 1.0),
        DATA[:, :2],
        Constant(1.0, 0.05),
        parameters=("bias", "stiffness"),
        replicas=30,
        ticks=10,
        seed=89,
        mask=mask,
    )
    told = [
        [text.get_text() for text in legend.get_texts()]
        for ax in fit.plot().axes[:2]
        if (legend := ax.get_legend())
    ]
    assert told == [["unit 1"], ["element 0,0", "element 0,1", "element 1,1"]]


def test_a_real_board_learns_couplings_within_its_limits(tmp_path):
    """Work and heat are its own, saved ones too; a bias beyond the DAC is said with its tick."""
    spec = ktc.Imperfections(capacitance_tolerance=0.02, dac_range=1e-3, dac_bits=12, seed=4)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    data = DATA[:, :2] * board.thermal_width
    fit = ktc.learn(
        board, data, MinimalDissipation(3e-6), parameters=ALL, replicas=200, ticks=20, seed=5
    )
    assert fit.stopped_early is None and fit.imperfections == spec
    assert fit.applied_free_energy_change.mean != fit.free_energy_change.mean
    assert np.isfinite(fit.applied_excess_work.mean)
    fit.save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    assert again.imperfections == spec
    assert again.applied_excess_work.mean == fit.applied_excess_work.mean
    with pytest.raises(ktc.LimitError, match="tick 0: bias must be within"):
        ktc.learn(
            board, [0.1, 0.1], MinimalDissipation(3e-6), replicas=20, ticks=20, seed=5,
            metrics=ktc.Metrics(),
        )  # fmt: skip
