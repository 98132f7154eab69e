"""Error bars by repeated runs of the loop of learning on moments of the replicas."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

import ktc
from ktc._base.random_stream import philox
from ktc._learning.many_loops import ManyLoops
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.many_gaussians import ManyGaussians
from ktc._learning.sampled_moments import SampledMoments
from ktc._learning.shared_controller import shared_controller
from ktc._model.description import Described
from ktc._model.parameters import Parameters
from ktc.schedules import (
    Adam,
    Constant,
    Cosine,
    Exponential,
    MinimalDissipation,
    NaturalGradient,
    Schedule,
)

BOTH = ("bias", "stiffness")
ONE = ktc.Network(1.0, 1.0)
TWO = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.2], [0.2, 2.0]], 0.8, bias=[0.3, -0.2])


class Momentum(Schedule):
    """A user's schedule with a memory whose slopes are not known."""

    uses_metrics = False

    def begun(self):
        fresh = Momentum(self.duration)
        fresh.kept = 0.0
        return fresh

    def velocity(self, time, gradient, geometry):
        self.kept = 0.5 * self.kept + 0.3 * gradient
        return self.kept


class Natural(NaturalGradient):
    """A user's subclass, whose rate is asked for one run at a time."""


class Minimal(MinimalDissipation):
    """A user's subclass with jumps, likewise."""


SCHEDULES = {
    "present": MinimalDissipation(4.0, anticipate=False),
    "scalar": MinimalDissipation(4.0, matrix=False),
    "natural": NaturalGradient(4.0, 0.7),
    "constant": Constant(4.0, 0.5),
    "weighted": Constant(4.0, 0.5, weights={"stiffness": 0.3}),
    "exponential": Exponential(4.0, 0.2, 1.0),
    "cosine": Cosine(4.0, 1.0),
    "Adam": Adam(4.0, 0.5),
    "own natural": Natural(4.0, 0.7),
    "own minimal": Minimal(4.0),
}


def data_of(units, far=2.0):
    """Samples on both sides of their mean, ``far`` widths off, along each axis."""
    axes = 0.85 * np.sqrt(units) * np.eye(units)
    return far * np.array([1.0, -0.5])[:units] + np.kron([[1.0], [-1.0]], axes)


def loops_of(fit, runs, replicas, ticks=12, seed=1):
    exact = ExactModel(fit.start, fit.learned)
    loops = ManyLoops(
        exact, fit.schedule, fit.data_forces, ticks, runs, replicas, philox(seed)
    )  # fmt: skip
    with np.errstate(all="ignore"):
        loops.run(ticks + 1)
    return loops


@pytest.mark.parametrize("friction", [1.0, [1.0, 2.0], [[2.0, 0.3], [0.3, 1.0]]])
@pytest.mark.parametrize("names", [BOTH, ("bias", "couplings"), ("diagonal",)])
def test_many_models_at_once(names, friction):
    """Motion, F, ζ, F(θ) and forces of each, as of one network at a time."""
    rng = np.random.default_rng(0)
    net = ktc.Network([[2.0, 0.5], [0.5, 1.0]], friction, 0.8, bias=[0.3, -0.2])
    device = Described(net, net.scale, net.symbols)
    learned = Parameters(device, names)
    exact = ExactModel(device, learned)
    first = learned.vector(net.controls)
    theta = first + 0.2 * rng.normal(size=(3, learned.size))
    mean, spread = rng.normal(size=2), np.array([[1.0, 0.2], [0.2, 2.0]])
    for hold in (0.05, 3.0):
        models = ManyGaussians(exact, hold)
        A, c, root = models.transition(theta)
        change = models.free_energy(theta) - models.free_energy(first[None])
        for k, tensors in enumerate(models.metrics(theta).each()):
            controls = learned.controls(theta[k], net.controls)
            moved = net.with_controls(controls).transition(hold)
            np.testing.assert_allclose(A[k], moved.A, atol=1e-12)
            np.testing.assert_allclose(c[k], moved.c, atol=1e-12)
            np.testing.assert_allclose(root[k] @ root[k].T, moved.Q, atol=1e-12)
            own = exact.geometry(controls, hold)
            for name in ("fisher", "friction", "times"):
                found, expected = getattr(tensors, name), getattr(own, name)
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
            expected = exact.free_energy_change(net.controls, controls)
            assert change[k] == pytest.approx(expected, abs=1e-12)
        found = models.forces(mean[None], spread[None])[0]
        np.testing.assert_allclose(found, learned.mean_forces(mean, spread), rtol=1e-12)


@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 5, 12])
def test_sampled_moments_are_those_of_replicas(replicas):
    """Means and covariances of m and S of 20,000 runs after two holds, against explicit replicas.

    18 numbers for each N, within 5.5σ of both: a false alarm of 5e-6 of all.
    """
    runs, mean, start = 20_000, np.array([1.0, -2.0]), np.array([[1.0, 0.0], [0.4, 0.7]])
    A, c = np.array([[0.5, 0.2], [-0.1, 0.8]]), np.array([0.3, 0.1])
    root = np.array([[0.6, 0.0], [-0.2, 0.5]])
    rng = np.random.default_rng(2)
    x = mean + rng.normal(size=(runs, replicas, 2)) @ start.T
    sampled, all_runs = SampledMoments(mean, start, runs, replicas, philox(3)), np.arange(runs)
    for _ in range(2):
        x = x @ A.T + c + rng.normal(size=x.shape) @ root.T
        each = (np.broadcast_to(one, (runs, *one.shape)) for one in (A, c, root))
        sampled.move(all_runs, *each)
    own = x - x.mean(axis=1, keepdims=True)
    explicit = x.mean(axis=1), np.swapaxes(own, 1, 2) @ own / replicas
    rows = []
    for m, S in (explicit, (sampled.mean, sampled.covariance)):
        columns = np.column_stack([m, S[:, 0, 0], S[:, 0, 1], S[:, 1, 1]])
        off = columns - columns.mean(axis=0)
        pairs = np.einsum("ni,nj->nij", off, off)[:, *np.triu_indices(5)]
        rows.append(np.column_stack([columns, pairs]))
    difference = rows[0].mean(axis=0) - rows[1].mean(axis=0)
    spread = np.sqrt((rows[0].var(axis=0) + rows[1].var(axis=0)) / runs)
    assert (np.abs(difference) <= 5.5 * spread + 1e-12).all()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("net", [ONE, TWO], ids=["one", "two"])
def test_without_noise_it_is_the_run(net, name):
    """10¹⁴ replicas have a noise of 1e-7, and take the path of an infinite ensemble."""
    fit = ktc.learn(
        net, data_of(net.units), SCHEDULES[name], parameters=BOTH, replicas=np.inf, ticks=12
    )
    loops = loops_of(fit, 2, 10**14)
    spent = fit.work.mean, fit.excess_work.mean, fit.heat.mean
    for found, expected in zip((loops.work, loops.excess_work, loops.heat), spent, strict=True):
        assert found == pytest.approx(expected, abs=1e-5)
    assert loops.theta == pytest.approx(np.stack([fit.theta] * 2), abs=1e-5)
    target = fit.maximum_likelihood
    completed = loops.completed_work(target) - fit.free_energy_change.mean
    completed -= fit._exact.free_energy_change(fit.controls, target)
    assert completed == pytest.approx(fit.completed_excess_work.mean, abs=1e-5)


@pytest.mark.parametrize(
    "schedule", [Constant(30.0, 0.05), NaturalGradient(6.0, 1.0), NaturalGradient(6.0, 8.0)]
)
def test_updates_are_cut_back_as_in_a_run(schedule):
    """Updates that would unconfine the energy, or spend too much: the same shares and path."""
    net = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
    rng = np.random.default_rng(0)
    data = rng.multivariate_normal([5.0, -3.0], np.linalg.inv([[1.2, 0.4], [0.4, 0.8]]), size=50)
    fit = ktc.learn(net, data, schedule, parameters=BOTH, replicas=np.inf, ticks=60)
    assert fit.history.share.min() < 1
    loops = loops_of(fit, 1, 10**16, ticks=60)
    assert loops.theta[0] == pytest.approx(fit.theta, rel=1e-4, abs=1e-4)
    assert loops.work[0] == pytest.approx(fit.work.mean, rel=1e-4)


@pytest.mark.parametrize("name", ["natural", "constant", "Adam"])
def test_of_many_replicas_it_is_linear_response(name):
    """Standard deviations of 1000 runs of 10⁵ replicas, known to 2.3 %: 4 of those."""
    replicas = 100_000
    fit = ktc.learn(
        TWO, data_of(2, 1.0), SCHEDULES[name], parameters=BOTH, replicas=replicas, ticks=12,
        seed=1, threads=1,
    )  # fmt: skip
    linear, loops = shared_controller(fit, fit._exact), loops_of(fit, 1000, replicas)
    target = fit.maximum_likelihood
    pairs = [
        ("work", fit.work, loops.work),
        ("excess work", fit.excess_work, loops.excess_work),
        ("heat", fit.heat, loops.heat),
        (target, fit.completed_excess_work, loops.completed_work(target)),
    ]
    for account, spent, values in pairs:
        expected = linear.error(account, np.sqrt(spent.variance / replicas))
        assert np.std(values) == pytest.approx(expected, rel=0.092)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "replicas"), [("natural", 20), ("constant", 100)])
def test_error_bars_cover_for_few_replicas(name, replicas):
    """300 runs of two units, the data's mean two widths off; to first order 39 to 98 % cover.

    The runs have the distribution of 10,000 runs on moments, by the test of Kolmogorov and Smirnov
    with a false alarm of 1e-4 for each of 8. Error bars depend on the noise of the repeated runs,
    not of the run itself; so their coverage, of all 10,000 for each of 300, is known to half a
    percent. What 200 repeated runs lose by their number is less than a percent.
    """
    fits = [
        ktc.learn(
            TWO, data_of(2), SCHEDULES[name], parameters=BOTH, replicas=replicas, ticks=12,
            seed=seed, threads=1,
        )
        for seed in range(300)
    ]  # fmt: skip
    assert {fit.error_method for fit in fits} == {"repeated runs"}
    loops, first = loops_of(fits[0], 10_000, replicas), fits[0]
    change = first._exact.free_energy_change(first.start.network.controls, first.maximum_likelihood)
    every = {
        "work": loops.work,
        "excess_work": loops.excess_work,
        "heat": loops.heat,
        "completed_excess_work": loops.completed_work(first.maximum_likelihood) - change,
    }
    for account, expected in every.items():
        spent = [getattr(fit, account) for fit in fits]
        means, errors = np.array([(one.mean, one.stderr) for one in spent]).T
        assert ks_2samp(means, expected).pvalue > 1e-4
        off = np.sort(np.abs(expected - expected.mean()))
        assert np.mean(np.searchsorted(off, errors) / len(off)) == pytest.approx(0.683, abs=0.025)


def test_errors_repeat_and_leave_the_run_alone(tmp_path):
    """The same fit, a second one of the same seed and a loaded one have the same errors."""
    options = {"parameters": BOTH, "replicas": 20, "ticks": 12, "seed": 5, "threads": 1}
    fits = [ktc.learn(ONE, data_of(1), Constant(4.0, 0.5), **options) for _ in range(2)]
    errors = [(fit.work.stderr, fit.completed_excess_work.stderr) for fit in fits]
    assert errors[0] == errors[1] and fits[0].error_method == "repeated runs"
    assert "repeated runs" in fits[0].heat.method
    fits[0].save(tmp_path / "fit.npz")
    again = ktc.Fit.load(tmp_path / "fit.npz")
    assert (again.work.stderr, again.completed_excess_work.stderr) == errors[0]
    device = [ktc.Emulator(ONE, replicas=20, seed=5, threads=1) for _ in range(2)]
    asked = {k: v for k, v in options.items() if k in ("parameters", "ticks")}
    ends = []
    for k, one in enumerate(device):
        fit = ktc.learn(one, data_of(1), Constant(4.0, 0.5), **asked)
        if k:
            assert fit.excess_work.stderr > 0
        ends.append(ktc.learn(one, data_of(1), Constant(4.0, 0.5), **asked).readings.work)
    np.testing.assert_array_equal(*ends)


def test_where_runs_are_repeated():
    """Also a memory without slopes, one replica, and a run that stopped; not what is not known."""
    options = {"parameters": BOTH, "ticks": 12, "seed": 5, "threads": 1, "replicas": 50}

    def method(schedule, **others):
        net = others.pop("net", ONE)
        given = {"data": data_of(net.units)} | options | others
        fit = ktc.learn(net, given.pop("data"), schedule, **given)
        assert np.isfinite(fit.work.stderr) and fit.work.stderr > 0
        return fit.error_method

    assert method(Momentum(4.0)) == "repeated runs"
    assert method(Constant(4.0, 0.5), replicas=1) == "repeated runs"
    stop = {"callback": lambda record: record.tick == 5}
    assert method(NaturalGradient(4.0, 0.7), **stop) == "repeated runs"
    heavy = ktc.Network(1.0, 1.0, inertia=0.5)
    assert method(Constant(4.0, 0.5), net=heavy) == "linear response"
    assert method(MinimalDissipation(4.0)) == "independent replicas"
    assert method(Constant(4.0, 0.5), batch=1) == "linear response"
