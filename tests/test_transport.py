"""Any Gaussian model at the bound of any control: ``MinimalDissipation`` of bias and stiffness.

The reference is the closed loop of infinitely many replicas, solved apart from ktc: at 400 equal
ticks it ends at the excess works of ``CLOSED_LOOP`` for the bounds of ``BOUND``; a direct
minimisation gives the bounds too (tests/test_wasserstein.py).
"""

import math
import warnings

import numpy as np
import pytest

import ktc
from ktc.schedules import MinimalDissipation
from refusal import refused

BOTH = ("bias", "stiffness")
K = np.array([[2.0, 0.5], [0.5, 1.0]])
TARGET = np.array([[1.2, 0.4], [0.4, 0.8]])
MEAN = np.array([5.0, -3.0])

# (friction, T): bound, closed loop at 400 ticks.
TABLE = {
    (1.0, 1): (8.855952, 8.855955),
    (1.0, 2): (6.920524, 6.920536),
    (1.0, 6): (3.772149, 3.772224),
    (1.0, 30): (1.029261, 1.029843),
    ((0.5, 2.0), 1): (7.222613, 7.222625),
    ((0.5, 2.0), 2): (5.412055, 5.412096),
    ((0.5, 2.0), 6): (2.973674, 2.973868),
    ((0.5, 2.0), 30): (0.879592, 0.880828),
}


#: Units, replicas and duration of runs whose data are their start.
CALM = [(1, 20, 50.0), (1, 1, 100.0), (8, 10, 20.0)]


def data_of(stiffness, mean, kT=1.0):
    """Samples whose mean and covariance are exactly those of a model."""
    root = np.linalg.cholesky(kT * np.linalg.inv(np.atleast_2d(stiffness)))
    d = len(root)
    corners = math.sqrt(d) * np.vstack([np.eye(d), -np.eye(d)])
    return np.asarray(mean) + corners @ root.T


def learned(net, data, duration, replicas=math.inf, ticks=400, **options):
    rule = MinimalDissipation(duration)
    return ktc.learn(net, data, rule, parameters=BOTH, replicas=replicas, ticks=ticks, **options)


@pytest.mark.parametrize(("friction", "duration"), TABLE)
def test_the_infinite_ensemble_ends_at_the_bound(friction, duration):
    bound, loop = TABLE[friction, duration]
    fit = learned(ktc.Network(K, list(np.ravel(friction)) * 2 if friction == 1.0 else friction),
                  data_of(TARGET, MEAN), duration)  # fmt: skip
    assert (fit.rule, fit.stopped_early) == ("transport", None)
    assert fit.bound_target == pytest.approx(bound, abs=6e-7)
    assert fit.completed_excess_work.mean == pytest.approx(loop, abs=1e-6)
    assert fit.excess_work.mean == pytest.approx(loop, abs=1e-6)
    assert fit.network.stiffness == pytest.approx(TARGET, rel=1e-9)
    assert fit.network.bias == pytest.approx(TARGET @ MEAN, rel=1e-9)


@pytest.mark.parametrize(
    ("ends", "mean", "duration", "loop"),
    [
        ((1.0, 4.0), 3.0, 1.0, {100: 6.197608, 200: 6.197470, 400: 6.197436}),
        ((1.0, 4.0), 0.0, 0.1, {400: 0.627481}),
        ((1.0, 4.0), 0.0, 1.0, {400: 0.197426}),
        ((1.0, 4.0), 0.0, 10.0, {400: 0.024408}),
        ((4.0, 1.0), 0.0, 0.05, {400: 0.293052}),
        ((4.0, 1.0), 0.0, 0.2, {400: 0.240664}),
        ((4.0, 1.0), 0.0, 1.0, {400: 0.130702}),
    ],
)
def test_one_unit_is_second_order_in_the_tick(ends, mean, duration, loop):
    for ticks, expected in loop.items():
        data = data_of(ends[1], [mean])
        fit = learned(ktc.Network(ends[0], 1.0), data, duration, ticks=ticks)
        assert fit.excess_work.mean == pytest.approx(expected, abs=1e-6)


def test_error_bars_cover_and_few_replicas_gain_nothing():
    """300 runs of 20 replicas: 1σ coverage from 60 to 76 % (3σ of a binomial of 68 %, less a
    percent that Student's t of 19 takes), and a mean within 4.5 standard errors of all.
    """
    net, data = ktc.Network(K, 1.0), data_of(TARGET, MEAN)
    expected = learned(net, data, 6.0, ticks=12).excess_work.mean
    fits = [learned(net, data, 6.0, 20, 12, seed=k, threads=1) for k in range(300)]
    works = [fit.completed_excess_work for fit in fits]
    off = np.array([work.mean - expected for work in works])
    covered = np.mean(np.abs(off) < [work.stderr for work in works])
    assert 0.60 < covered < 0.76
    assert abs(off.mean()) < 4.5 * off.std() / np.sqrt(len(off))
    assert all(fit.gradient_noise_work.mean == 0 for fit in fits)


def problem(number):
    """A random Gaussian problem of 1 to 8 units, up to 6 widths off."""
    rng = np.random.default_rng([number, 0x7261])
    d = int(rng.integers(1, 9))

    def stiffness():
        turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
        spread = np.geomspace(1, 10 ** rng.uniform(0, 2), d)
        made = (turn * spread) @ turn.T * rng.uniform(0.3, 3)
        return (made + made.T) / 2

    kT = rng.uniform(0.3, 3)
    net = ktc.Network(stiffness(), rng.uniform(0.3, 3, size=d), kT)
    covariance = kT * np.linalg.inv(stiffness())
    mean = rng.uniform(-6, 6, size=d) * np.sqrt(np.diag(covariance))
    data = rng.multivariate_normal(mean, covariance, size=500)
    return net, data, 10 ** rng.uniform(-0.5, 1.5) * float(np.median(net.relaxation_times))


@pytest.mark.filterwarnings("ignore:ticks are")  # beside the narrowest directions
@pytest.mark.parametrize("number", [*range(10), *(pytest.param(k, marks=pytest.mark.slow)
                                                 for k in range(10, 50))])  # fmt: skip
def test_random_gaussian_problems_arrive_at_the_bound(number):
    """4 standard errors: 6e-5 of a false alarm for each."""
    net, data, duration = problem(number)
    fit = learned(net, data, duration, 2000, seed=number)
    goal, found = fit.maximum_likelihood, fit.completed_excess_work
    assert fit.stopped_early is None
    assert fit.network.stiffness == pytest.approx(goal.stiffness, rel=1e-6, abs=1e-6)
    assert fit.network.bias == pytest.approx(goal.bias, rel=1e-6, abs=1e-6)
    assert found.mean < 1.01 * fit.bound_target + 4 * found.stderr
    assert found.mean > fit.bound_target - 4 * found.stderr


def test_a_board_in_si_and_a_circuit():
    """The same problem in volts and in coulombs costs the same kT."""
    board = ktc.Board(2, 1e6, 1e-12, 300.0)
    width = float(board.thermal_width[0])
    data = data_of(TARGET, MEAN)
    fit = learned(board, width * data, 6e-6)
    plain = learned(ktc.Network(np.eye(2), 1.0), data, 6.0)
    assert (fit.rule, plain.rule) == ("transport", "transport")
    expected = plain.excess_work.mean
    assert fit.excess_work.in_kT.mean == pytest.approx(expected, rel=1e-9)
    circuit = ktc.Circuit.from_netlist("R1 a 0 1meg\nC1 a 0 1p\nR2 b 0 1meg\nC2 b 0 1p")
    fit = learned(circuit, 1e-12 * width * data, 6e-6)
    assert fit.rule == "transport"
    assert fit.excess_work.in_kT.mean == pytest.approx(expected, rel=1e-9)


class Misstated:
    """An emulator whose maker states another friction than it has."""

    def __init__(self, stated, real, replicas, seed):
        self._emulator = ktc.Emulator(real, replicas, seed)
        self.network = stated
        self.scale, self.symbols = stated.scale, stated.symbols

    def __getattr__(self, name):
        return getattr(self._emulator, name)

    set = property(lambda self: self._emulator.set)
    run = property(lambda self: self._emulator.run)
    moments = property(lambda self: self._emulator.moments)
    read = property(lambda self: self._emulator.read)
    ledger = property(lambda self: self._emulator.ledger)
    controls = property(lambda self: self._emulator.controls)


def test_a_misstated_friction_costs_little():
    """A friction of 1.6 for a stated 1: 4 standard errors above the least, 5 % above it at most."""
    stated, real, data = ktc.Network(K, 1.0), ktc.Network(K, 1.6), data_of(TARGET, MEAN)
    device = Misstated(stated, real, 10_000, 1)
    fit = ktc.learn(device, data, MinimalDissipation(6.0), parameters=BOTH, ticks=200)
    assert (fit.rule, fit.stopped_early) == ("transport", None)
    least = ktc.theory.wasserstein_bound(real, real.with_controls(**fit.parameters), 6.0)
    found = fit.excess_work
    assert least - 4 * found.stderr < found.mean < 1.05 * least


def test_a_start_out_of_equilibrium_is_seen():
    """Replicas displaced by Δ reach Δ + T (T K* + 2R)⁻¹ K* (μ − Δ), as those known to be there.

    Within 0.1: 7 standard errors of the mean of 5,000, of which 6 pass for a sample's.
    """
    emulator = ktc.Emulator(ktc.Network(K, 1.0), 5000, 1)
    emulator.write(2 * emulator.read() + 1.5)
    fit = ktc.learn(
        emulator, data_of(TARGET, MEAN), MinimalDissipation(6.0), parameters=BOTH, ticks=200
    )
    assert fit.from_equilibrium is False
    pace = np.linalg.solve(6.0 * TARGET + 2 * np.eye(2), TARGET @ (MEAN - 1.5))
    assert emulator.moments().mean == pytest.approx(1.5 + 6.0 * pace, abs=0.1)


@pytest.mark.parametrize(("units", "replicas", "duration"), CALM)
def test_nothing_is_gained_from_fluctuations(units, replicas, duration):
    """Data that are the start: no control moves, and 12 runs cost nothing at all.

    An update of 1e-9 of a false alarm each: 1e-6 in all.
    """
    net = ktc.Network(np.eye(units), 1.0)
    data = data_of(np.eye(units), np.zeros(units))
    for seed in range(12):
        fit = learned(net, data, duration, replicas, 100, seed=seed, threads=1)
        assert fit.excess_work.mean == pytest.approx(0, abs=1e-9)


def test_coarse_ticks_are_told():
    data = data_of(1e4, [3.0])
    with pytest.warns(RuntimeWarning, match="fastest relaxation time"):
        learned(ktc.Network(1.0, 1.0), data, 20.0, ticks=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned(ktc.Network(1.0, 1.0), data_of(4.0, [3.0]), 20.0, ticks=1000)


def test_nearly_singular_data_have_a_maximum():
    """K* with eigenvalues of 1 and 1e8 in closed form, where Newton's method broke down."""
    net = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
    data = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.001]])
    with pytest.warns(RuntimeWarning, match="fastest relaxation time"):
        fit = learned(net, data, 2.0, ticks=200)
    best = np.linalg.inv(np.cov(data.T, bias=True))
    assert fit.maximum_likelihood.stiffness == pytest.approx(best, rel=1e-6)
    assert math.isfinite(fit.completed_excess_work.mean) and math.isfinite(fit.bound_target)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"parameters": BOTH}, "transport"),
        ({"parameters": ("bias", "couplings", "diagonal")}, "transport"),
        ({"parameters": ("stiffness",)}, "open loop"),
        ({"parameters": ("bias",)}, "metrics"),
        ({"parameters": BOTH, "mask": [[True, False], [False, True]]}, "open loop"),
        ({"parameters": BOTH, "batch": 2}, "metrics"),
        ({"parameters": BOTH, "metrics": ktc.Metrics(fisher="replicas")}, "metrics"),
        ({"parameters": BOTH, "schedule": MinimalDissipation(1.0, anticipate=True)}, "path ahead"),
        ({"parameters": BOTH, "schedule": MinimalDissipation(1.0, anticipate=False)}, "metrics"),
        ({"parameters": BOTH, "schedule": MinimalDissipation(1.0, matrix=False)}, "metrics"),
        ({"parameters": BOTH, "schedule": ktc.schedules.Constant(1.0, 0.1)}, "rate"),
    ],
)
def test_the_rule_is_named_and_kept(options, rule, tmp_path):
    given = {"schedule": MinimalDissipation(1.0), "replicas": 200, "ticks": 10, "seed": 1} | options
    data = data_of(TARGET, [0.5, 0.2])
    fit = ktc.learn(ktc.Network(K, 1.0), data, **given)
    assert fit.rule == rule
    fit.save(tmp_path / "fit.npz")
    assert ktc.Fit.load(tmp_path / "fit.npz").rule == rule
    if rule == "transport":
        assert "bound" in repr(fit)


def test_inertia_and_quartic_units_take_a_computed_drive():
    for options in ({"inertia": [0.2, 0.3]}, {"quartic": 0.1}):
        net = ktc.Network(np.diag([1.0, 2.0]), 1.0, **options)
        fit = ktc.learn(
            net, data_of(np.diag([1.2, 2.0]), [0.2, 0.1]), MinimalDissipation(1.0),
            parameters=("bias", "diagonal"), replicas=200, ticks=20, seed=1,
        )  # fmt: skip
        assert fit.rule == "open loop"


def test_aim_is_an_optimum():
    """S_f = A S A, and moving it or m_f in any direction costs more: central differences."""
    from ktc._theory.transport import Transport

    rng = np.random.default_rng(3)
    start, goal = (
        np.cov(rng.normal(size=(3, 20)) * np.array([[s], [1.0], [1 / s]])) for s in (1.5, 0.4)
    )
    here, there, kT, time = rng.normal(size=3), rng.normal(size=3), 0.7, 1.3
    transport = Transport(there, goal, kT)
    aim = transport.aim(here, start, time)

    def cost(stretch, velocity):
        carrier = np.eye(3) + time * stretch
        end, mean = carrier @ start @ carrier, here + time * velocity
        ratio = np.linalg.solve(goal, end)
        off = mean - there
        divergence = 0.5 * (
            np.trace(ratio) - 3 - np.linalg.slogdet(ratio)[1] + off @ np.linalg.solve(goal, off)
        )
        moved = time * (np.trace(stretch @ start @ stretch) + velocity @ velocity)
        return moved + kT * divergence

    least = transport.excess(here, start, time)
    assert least == pytest.approx(cost(aim.stretch, aim.velocity), rel=1e-12)
    for _ in range(20):
        turn, push = rng.normal(size=(3, 3)), rng.normal(size=3)
        turn = 1e-3 * (turn + turn.T)
        both = [cost(aim.stretch + s * turn, aim.velocity + 1e-3 * s * push) for s in (-1, 1)]
        slope, bend = both[1] - both[0], sum(both) - 2 * least
        assert bend > 0
        assert abs(slope) < 1e-2 * bend


def test_data_that_determine_no_covariance():
    net = ktc.Network(np.eye(3), 1.0)
    with refused(ValueError, "data"):
        ktc.learn(net, [[1.0, 2.0, 3.0]], MinimalDissipation(1.0), parameters=BOTH, replicas=10)


@pytest.mark.filterwarnings("ignore:ticks are")  # beside the narrowest direction of the data
def test_few_replicas_of_many_units():
    """Ten replicas of 16 units, whose own covariance is singular, end at the data's."""
    rng = np.random.default_rng(1)
    data = rng.normal(size=(400, 16)) @ rng.normal(size=(16, 16)) / 4
    fit = learned(ktc.Network(np.eye(16), 1.0), data, 4.0, 10, 60, seed=1)
    assert fit.stopped_early is None and fit.rule == "transport"
    assert fit.network.stiffness == pytest.approx(np.linalg.inv(np.cov(data.T, bias=True)), 1e-6)
