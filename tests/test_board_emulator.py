"""A real board in operation: what it makes of its controls, its limits, and learning on it.

Statistical tests fix their seeds and compare at 5 standard errors, 5.7e-7 for each number, unless
they say otherwise.
"""

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.constants import Boltzmann

import ktc
from ktc._learning.planning.best_rate import best_rate
from ktc._model.description import Described
from ktc.schedules import Constant, MinimalDissipation
from reference_device import ReferenceDevice
from refusal import refused, refused_unchanged

R, C = np.array([1e6, 2e6]), np.array([1e-12, 4e-12])
K = np.array([[1.2e12, 2e11], [2e11, 3e11]])
KT = Boltzmann * 300.0
SPEC = {
    "resistance_tolerance": 0.05,
    "capacitance_tolerance": 0.05,
    "coupling_tolerance": 0.2,
    "offset": 2e-5,
    "dac_bits": 9,
    "dac_range": 1e-3,
    "parasitic_capacitance": 5e-14,
    "temperature_error": 3.0,
    "seed": 5,
}


def board(bias=None, **spec):
    return ktc.Board(
        2, R, C, 300.0, stiffness=K, bias=bias, imperfections=ktc.Imperfections(**spec)
    )


def ideal(bias=None):
    return ktc.Board(2, R, C, 300.0, stiffness=K, bias=bias)


def everything(emulator):
    """A little of all that an emulator can do, as arrays."""
    emulator.set(bias=[1e-4, -5e-5])
    emulator.run(1e-6)
    drive = ktc.Protocol.ramp(4e-6, 8, bias=(0.0, [2e-4, 1e-4]), stiffness=(K, 1.5 * K))
    run = emulator.play(drive, record=("state", "mean", "covariance", "bias", "energy"), every=2)
    emulator.set(stiffness=K, kT=0.8 * KT)
    emulator.run(1e-6)
    books = emulator.ledger
    return [
        emulator.read(),
        emulator.moments().mean,
        emulator.moments().covariance,
        emulator.energy(),
        books.work,
        books.heat,
        books.supply,
        *run.series.values(),
        run.work.samples,
        run.excess_work.samples,
        *(np.asarray(value) for value in vars(emulator.applied_controls).values()),
    ]


def test_a_perfect_real_board_is_the_ideal_one_bit_for_bit():
    plain = everything(ideal(bias=3e-5).emulator(500, seed=1))
    real = board(bias=3e-5).emulator(500, seed=1)
    assert isinstance(real, ktc.Emulator)
    for one, other in zip(plain, everything(real), strict=True):
        np.testing.assert_array_equal(one, other)


def test_ideal_runs_without_the_imperfections():
    imperfect = board(bias=3e-5, **SPEC)
    plain = everything(ideal(bias=3e-5).emulator(500, seed=1))
    for emulator in (
        imperfect.emulator(500, seed=1, ideal=True),
        imperfect.ideal.emulator(500, seed=1),
    ):
        assert isinstance(emulator, ktc.Emulator)
        for one, other in zip(plain, everything(emulator), strict=True):
            np.testing.assert_array_equal(one, other)
    with refused(TypeError, "ideal", "1"):
        imperfect.emulator(ideal=1)


def test_an_ideal_board_that_lacks_couplings_moves_as_a_network():
    ring = ktc.Topology.of_edges(2, [(0, 1)])
    for topology in (ring, ktc.Topology.all_to_all(2)):
        plain = ktc.Board(2, R, C, 300.0, stiffness=K, topology=topology)
        assert not plain.restricted
    lacking = ktc.Board(2, R, C, 300.0, topology=ktc.Topology.of_edges(2, []))
    emulator = lacking.emulator(100, seed=1)
    emulator.run(1e-6)
    bare = ktc.Emulator(lacking.network, 100, seed=1)
    bare.run(1e-6)
    assert (emulator.read() == bare.read() * (1 / C)).all()
    assert emulator.controls == emulator.applied_controls


def made_of(real, bias):
    """The bias that a board applies, by hand: nearest of 511 values, plus its offset."""
    step = 1e-3 / 255
    return np.round(np.broadcast_to(bias, 2) / step) * step + real.offset


def stiffness_of(real, programmed):
    """(K′⁻¹ + C_p)⁻¹ with true components, by hand."""
    components = programmed * real.mutual
    components[[0, 1], [0, 1]] *= C / real.capacitance
    return np.linalg.inv(np.linalg.inv(components) + 5e-14 * np.eye(2))


def test_programmed_and_applied_controls():
    imperfect = board(bias=1.23e-4, **SPEC)
    emulator, real = imperfect.emulator(10, seed=1), imperfect.real
    assert emulator.controls.bias.tolist() == [1.23e-4] * 2
    assert emulator.applied_controls.bias == pytest.approx(made_of(real, 1.23e-4), rel=1e-12)
    emulator.set(bias=[1e-3, -7.77e-4], stiffness=2 * K, kT=KT)
    assert emulator.controls.bias.tolist() == [1e-3, -7.77e-4]
    assert emulator.controls.stiffness.tolist() == (2 * K).tolist()
    applied = emulator.applied_controls
    assert applied.bias == pytest.approx(made_of(real, [1e-3, -7.77e-4]), rel=1e-12)
    assert applied.stiffness == pytest.approx(stiffness_of(real, 2 * K), rel=1e-10)
    assert applied.kT == pytest.approx(Boltzmann * 303.0, rel=1e-12)
    assert emulator.network == imperfect.network and (emulator.scale == 1 / C).all()


def test_the_ledger_is_that_of_the_real_board():
    """Work of one update is H′ − H of what was applied, replica by replica."""
    imperfect = board(**SPEC)
    emulator, real = imperfect.emulator(200, seed=2), imperfect.real
    charge = emulator.read() * (real.capacitance + 5e-14)
    emulator.set(bias=[4e-4, -1e-4], stiffness=1.3 * K)
    change = stiffness_of(real, 1.3 * K) - stiffness_of(real, K)
    exact = 0.5 * np.einsum("ni,ij,nj->n", charge, change, charge)
    exact -= charge @ (made_of(real, [4e-4, -1e-4]) - made_of(real, 0.0))
    assert emulator.ledger.work == pytest.approx(exact, rel=1e-8, abs=1e-9 * KT)
    emulator.run(5e-6)
    assert emulator.ledger.imbalance() < 1e-12


def test_a_run_has_what_was_programmed_and_what_was_applied(tmp_path):
    imperfect = board(**SPEC)
    emulator, real = imperfect.emulator(100, seed=3), imperfect.real
    drive = ktc.Protocol.ramp(3e-6, 3, bias=(0.0, 5e-4))
    run = emulator.play(drive)
    assert run.programmed is drive
    exact = np.array([made_of(real, bias) for bias in drive.controls["bias"]])
    assert run.applied.controls["bias"] == pytest.approx(exact, rel=1e-12)
    assert run.applied.final["bias"] == pytest.approx(made_of(real, 5e-4), rel=1e-12)
    assert run.final_controls == emulator.applied_controls
    assert emulator.controls.bias.tolist() == [5e-4] * 2
    assert run.network == real.network and run.imperfections == imperfect.imperfections
    run.save(tmp_path / "run.npz")
    loaded = ktc.Run.load(tmp_path / "run.npz")
    assert loaded.imperfections == imperfect.imperfections and loaded.seed == 3
    assert (loaded.programmed.controls["bias"] == drive.controls["bias"]).all()
    assert loaded.programmed.final["bias"] == 5e-4
    assert (loaded.applied.controls["bias"] == run.applied.controls["bias"]).all()
    assert (loaded.excess_work.samples == run.excess_work.samples).all()


def test_a_plain_run_did_what_it_was_told(tmp_path):
    emulator = ideal().emulator(10, seed=1)
    run = emulator.play(ktc.Protocol([1e-6], {"bias": [1e-4]}))
    run.save(tmp_path / "run.npz")
    for each in (run, ktc.Run.load(tmp_path / "run.npz")):
        assert each.programmed is each.applied is each.protocol
        assert each.imperfections is None
    assert emulator.applied_controls is emulator.controls


def test_excess_work_of_a_real_board_is_that_of_its_own_ends():
    """Jarzynski's mean: ⟨exp(−W_ex/kT)⟩ = 1 with the real board's kT, at 5 standard errors."""
    imperfect = board(**{**SPEC, "offset": 1e-4})
    emulator = imperfect.emulator(50_000, seed=4)
    run = emulator.play(ktc.Protocol.ramp(4e-6, 20, bias=(0.0, [1e-4, 5e-5])))
    weights = np.exp(-run.excess_work.samples / (Boltzmann * 303.0))
    assert abs(weights.mean() - 1) < 5 * weights.std() / math.sqrt(len(weights))


# --- limits ---------------------------------------------------------------------------------------

LIMITS = {"dac_range": 1e-3, "update_time": 1e-6}


def test_a_bias_out_of_range_is_refused():
    with refused(ktc.LimitError, "bias must be within ±0.001 V", "0.002 V"):
        board(bias=[0.0, 2e-3], **LIMITS)
    emulator = board(**LIMITS).emulator(10, seed=1)
    with refused_unchanged(
        emulator, ktc.LimitError, "bias must be within ±0.001 V", "DAC", "-0.0011 V at index 1"
    ):
        emulator.set(bias=[1e-3, -1.1e-3])
    with refused_unchanged(emulator, ktc.LimitError, "emf must be within ±0.001 V", "0.5 V"):
        emulator.set(emf=0.5)
    with refused_unchanged(emulator, ValueError, "emf", "resolve_heat=True"):
        emulator.set(emf=1e-4)
    assert issubclass(ktc.LimitError, ValueError)


@pytest.mark.parametrize(
    ("drive", "parts"),
    [
        (
            ktc.Protocol([2e-6] * 3, {"bias": [0.0, 1e-4, 3e-3]}),
            ["tick 2: bias must be within ±0.001 V", "0.003 V"],
        ),
        (
            ktc.Protocol([2e-6] * 2, {"bias": [[0.0, 0.0], [1e-3, -2e-3]]}),
            ["tick 1: bias must be within ±0.001 V", "-0.002 V at index 1"],
        ),
        (
            ktc.Protocol([2e-6] * 2, {"bias": [0.0, 1e-3]}, final={"bias": 2e-3}),
            ["final update: bias must be within ±0.001 V", "0.002 V"],
        ),
        (
            ktc.Protocol([2e-6, 0.9e-6, 2e-6], {"bias": [0.0, 1e-4, 2e-4]}),
            ["tick 1: it lasts 9e-07 s", "1e-06 s between two updates"],
        ),
        (
            ktc.Protocol([2e-6, 2e-6], {"stiffness": [K, -K]}),
            ["tick 1: stiffness", "positive definite"],
        ),
    ],
)
def test_limits_of_a_protocol_are_checked_before_anything_moves(drive, parts):
    limited = board(**LIMITS)
    error = ValueError if "positive definite" in parts else ktc.LimitError
    with refused(error, *parts):
        limited.check(drive)
    emulator = limited.emulator(10, seed=1)
    with refused_unchanged(emulator, error, *parts):
        emulator.play(drive)


def test_a_stiffness_that_the_real_board_cannot_hold_names_its_tick():
    close = np.array([[1.0, 0.97], [0.97, 1.0]]) * 1e12
    spec = ktc.Imperfections(coupling_tolerance=0.3, seed=9)
    weak = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    assert weak.real.mutual[0, 1] > 1.04
    emulator = weak.emulator(10, seed=1)
    with refused_unchanged(emulator, ValueError, "as board 9 was built", "positive definite"):
        emulator.set(stiffness=close)
    drive = ktc.Protocol([1e-6] * 2, {"stiffness": [np.diag([1e12] * 2), close]})
    with refused_unchanged(emulator, ValueError, "as board 9 was built: tick 1: stiffness"):
        emulator.play(drive)


def test_updates_need_their_time():
    """At one instant they are one update; later than that, not before the update time is over."""
    emulator = board(**LIMITS).emulator(10, seed=1)
    emulator.set(bias=1e-4)
    emulator.set(bias=2e-4)
    emulator.run(0.4e-6)
    with refused_unchanged(emulator, ktc.LimitError, "4e-07 s after the last", "1e-06 s"):
        emulator.set(bias=0.0)
    emulator = board(**LIMITS).emulator(10, seed=1)
    emulator.set(bias=2e-4)
    emulator.run(0.5e-6)
    drive = ktc.Protocol([1e-6] * 3, {"bias": [0.0] * 3}, final={"bias": 1e-4})
    with refused(ktc.LimitError, "tick 0: this update comes 5e-07 s"):
        emulator.play(drive)
    with refused(ktc.LimitError, "final update: this update comes 8e-07 s"):
        emulator.play(ktc.Protocol([3e-7], {}, final={"bias": 1e-4}))
    emulator.play(ktc.Protocol([0.5e-6], {}))
    emulator.play(drive)
    emulator.set(bias=0.0)
    emulator.play(drive)
    assert emulator.time == pytest.approx(7e-6)


def test_an_update_of_nothing_is_none():
    emulator = board(**LIMITS).emulator(10, seed=1)
    emulator.set(bias=1e-4)
    emulator.run(0.7e-6)
    emulator.set()
    emulator.run(0.4e-6)
    emulator.set(bias=2e-4)


def test_it_takes_what_an_emulator_takes():
    limited = board(**LIMITS)
    with refused(TypeError, "samples"):
        limited.emulator(samples=10)
    with refused(ValueError, "replicas", "at least 1"):
        limited.emulator(replicas=0)
    emulator = limited.emulator(10, seed=1)
    with refused_unchanged(emulator, TypeError, "unknown control 'voltage'"):
        emulator.set(voltage=1.0)
    with refused_unchanged(emulator, ValueError, "bias", "(2,)", "(3,)"):
        emulator.set(bias=[0.0] * 3)
    with refused_unchanged(emulator, TypeError, "protocol must be a ktc.Protocol", "float"):
        emulator.play(1.0)
    with refused_unchanged(emulator, ValueError, "duration", "positive", "-1.0"):
        emulator.run(-1.0)
    with refused(TypeError, "protocol must be a ktc.Protocol"):
        limited.check([1.0])
    with refused(ValueError, "network must have no limits", "real board 0"):
        ktc.Emulator(limited)


# --- state ----------------------------------------------------------------------------------------


def test_a_saved_board_goes_on_with_the_same_bits(tmp_path):
    """Also in the middle of settling, with readings counted, on boards of each coupling."""
    spec = ktc.Imperfections(
        **SPEC, settling_time=1e-6, update_time=1e-7, adc_noise=1e-6, adc_rate=1e7, pickup=1e-15
    )
    for coupling, value in (("elastance", 1e11), ("capacitive", 1e-12), ("resistive", 1e6)):
        imperfect = ktc.Board(
            2, R, C, 300.0, bias=1e-4, coupling=coupling, couplings=value, imperfections=spec
        )
        emulator = imperfect.emulator(50, seed=6)
        emulator.set(bias=[3e-4, 0.0])
        emulator.run(0.7e-6)
        emulator.read()
        emulator.save(tmp_path / "board.npz")
        loaded = ktc.Emulator.load(tmp_path / "board.npz", threads=1)
        assert loaded.imperfections == spec and loaded.board.couplings == {(0, 1): value}
        for each in (emulator, loaded, twin := emulator.copy()):
            with refused(ktc.LimitError, "after the last"):
                each.run(0.5e-7)
                each.read()
            each.run(1e-6)
            each.set(bias=1e-5)
            each.run(1e-6)
        for each in (loaded, twin):
            assert (each.read() == emulator.read()).all()
            assert (each.ledger.work == emulator.ledger.work).all()
            assert each.controls == emulator.controls
            assert each.applied_controls == emulator.applied_controls
    with refused(ValueError, "holds an object of kind 'Emulator'"):
        ktc.Run.load(tmp_path / "board.npz")


def test_a_saved_ideal_board_keeps_its_topology(tmp_path):
    ring = ktc.Board(4, 1e6, 1e-12, 300.0, topology=ktc.Topology.ring(4))
    ring.emulator(5, seed=1).save(tmp_path / "ring.npz")
    loaded = ktc.Emulator.load(tmp_path / "ring.npz").board
    assert loaded.topology == ring.topology and loaded.imperfections is None


def test_reset_goes_back_to_the_start():
    emulator = board(bias=1e-4, **SPEC, settling_time=1e-6, update_time=1e-6).emulator(20, seed=7)
    first = emulator.read()
    emulator.set(bias=5e-4)
    emulator.run(1e-7)
    emulator.reset()
    assert (emulator.read() == first).all() and emulator.time == 0
    assert emulator.controls == emulator.board.network.controls
    emulator.set(bias=5e-4)


# --- learning -------------------------------------------------------------------------------------


class RealReference(ReferenceDevice):
    """The exact mean of a real board behind the face of its drawing, in plain NumPy."""

    def __init__(self, drawing, bias=0.0):
        super().__init__(drawing)
        real = drawing.real
        self.drawing, self.real = drawing, real
        self.true_stiffness = stiffness_of(real, K)
        self.true_scale = 1 / (real.capacitance + 5e-14)
        self.mean = np.linalg.solve(self.true_stiffness, self.applied(bias))

    def applied(self, bias):
        return np.broadcast_to(bias, 2) + self.real.offset

    def energy(self, bias):
        return 0.5 * self.mean @ self.true_stiffness @ self.mean - self.applied(bias) @ self.mean

    def run(self, duration):
        before = self.energy(self.controls.bias)
        rest = np.linalg.solve(self.true_stiffness, self.applied(self.controls.bias))
        rates, modes = np.linalg.eig(np.diag(-1 / self.real.resistance) @ self.true_stiffness)
        decay = (modes * np.exp(rates * duration)) @ np.linalg.inv(modes)
        self.mean = rest + decay @ (self.mean - rest)
        self.heat += before - self.energy(self.controls.bias)

    def moments(self):
        moments = super().moments()
        moments.mean = self.mean * self.true_scale
        return moments


LEARNING = {name: value for name, value in SPEC.items() if not name.startswith("dac")}
GOAL = np.array([2e-4, -1e-4])


def test_learning_on_a_real_board_goes_where_its_errors_lead():
    """Against the exact mean of the real board under the same learner.

    The parameters of N replicas scatter by about 0.8 √(kT/KN) of a centre, 6 of which are allowed;
    the excess by up to 1.9 of its standard error, so that 8 of these are.
    """
    drawing, replicas = board(**LEARNING), 20_000
    exact = ktc.learn(RealReference(drawing), GOAL, MinimalDissipation(2e-5), ticks=200)
    fit = ktc.learn(drawing, GOAL, MinimalDissipation(2e-5), replicas=replicas, ticks=200, seed=8)
    spread = 6 * 0.8 * np.sqrt(KT * K.diagonal() / replicas)
    assert (np.abs(fit.parameters["bias"] - exact.parameters["bias"]) < spread).all()
    assert abs(fit.work.mean - exact.work.mean) < 8 * fit.work.stderr
    assert fit.device.ledger.imbalance() < 1e-12
    assert fit.imperfections == drawing.imperfections
    # It is not where the drawing would have gone.
    plain = ktc.learn(ReferenceDevice(drawing), GOAL, MinimalDissipation(2e-5), ticks=200)
    assert (np.abs(exact.parameters["bias"] - plain.parameters["bias"]) > 2 * spread).all()
    assert abs(exact.work.mean - plain.work.mean) > 5 * fit.work.stderr
    # Nor is what it dissipated what its drawing makes of the work: that is below the bound.
    real = Described(drawing.real.network, drawing.real.scale, drawing.symbols)
    bound = ktc.theory.least_excess_work(real, fit.device.applied_controls.bias, 2e-5)
    spent = fit.applied_excess_work
    change = ktc.theory.free_energy_change(real, fit.device.applied_network)
    assert spent.mean == pytest.approx(fit.work.mean - change, rel=1e-12)
    assert spent.mean > bound - 4 * spent.stderr
    assert fit.excess_work.mean < fit.bound - 20 * fit.excess_work.stderr


def test_learning_makes_up_for_the_errors_of_a_board():
    """At rest the true mean voltages are the data's: θ = K′(C′ + C_p)μ − offset.

    N replicas leave less than √(kT K/N) of it, as the controller averages over time: 6 of these.
    """
    drawing, replicas = board(**LEARNING), 20_000
    fit = ktc.learn(drawing, GOAL, Constant(3e-4, 5e16), replicas=replicas, ticks=200, seed=9)
    real = drawing.real
    charge = GOAL * (real.capacitance + 5e-14)
    exact = stiffness_of(real, K) @ charge - real.offset
    spread = 6 * np.sqrt(KT * K.diagonal() / replicas)
    assert (np.abs(fit.parameters["bias"] - exact) < spread).all()
    assert (np.abs(exact - K @ (GOAL * C)) > 1.1 * spread).all()
    applied = fit.device.applied_controls.bias
    assert applied == pytest.approx(fit.parameters["bias"] + real.offset, rel=1e-12)


def test_learning_through_converters():
    """Twelve bits: within a step of the DAC of what fine converters reach at the same seed, on top
    of the noise of the ADC, which is below that of the cells."""
    spec = {"adc_bits": 12, "adc_range": 2e-3, "adc_noise": 5e-5, "adc_rate": 1e7}
    spec |= {"dac_bits": 12, "dac_range": 1e-3, "update_time": 1e-7}
    schedule = Constant(3e-4, 5e16)
    options = {"replicas": 5000, "ticks": 200, "seed": 10}
    coarse = ktc.learn(board(**spec), GOAL, schedule, **options)
    fine = ktc.learn(board(), GOAL, schedule, **options)
    noise = 6 * np.sqrt(KT * K.diagonal() / 5000)
    reached = coarse.parameters["bias"] - fine.parameters["bias"]
    assert (np.abs(reached) < noise + 1e-3 / 2047).all()
    step = 1e-3 / 2047
    codes = coarse.device.applied_controls.bias / step
    assert codes == pytest.approx(np.rint(codes), abs=1e-9)


def test_learning_waits_until_its_last_update_has_settled(tmp_path):
    """Sources that settle in a hundredth of RC change little of what the run costs: below 5 %.

    Without the last jump, which settles after the last tick, the work would be short by a third.
    """
    spec = ktc.Imperfections(settling_time=1e-8)
    slow = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
    goal = 10 * slow.thermal_width
    fit = ktc.learn(slow, goal, MinimalDissipation(2e-6), replicas=5000, ticks=50, seed=11)
    assert fit.device.applied_controls.bias.tolist() == fit.parameters["bias"].tolist()
    assert abs(fit.excess_work.mean / fit.bound - 1) < 0.05 + 8 * fit.excess_work.stderr / fit.bound
    fit.save(tmp_path / "fit.npz")
    loaded = ktc.Fit.load(tmp_path / "fit.npz")
    assert loaded.imperfections == spec
    assert (loaded.applied_excess_work.samples == fit.applied_excess_work.samples).all()
    # Its only imperfection is gone when it has settled.
    assert fit.applied_excess_work.mean == pytest.approx(fit.excess_work.mean, rel=1e-9)


def test_limits_of_a_learner_are_named():
    limited = board(dac_range=1e-4, update_time=1e-7, adc_rate=5e6)
    emulator = limited.emulator(10, seed=12)
    with refused_unchanged(
        emulator, ktc.LimitError, "ticks must be at most 50 in 1e-05", "2e-07", "51"
    ):
        ktc.learn(emulator, GOAL, Constant(1e-5, 5e16), ticks=51)
    with refused(ktc.LimitError, "tick 0: bias must be within ±0.0001 V"):
        ktc.learn(limited, 10 * GOAL, MinimalDissipation(1e-5), replicas=10, ticks=50, seed=12)
    near = board(adc_range=4e-4)
    with refused(ktc.LimitError, "tick ", "ADC", "±0.0004 V"):
        ktc.learn(near, 20 * GOAL, Constant(1e-4, 5e16), replicas=10, ticks=50, seed=12)


def test_the_best_rate_within_the_range_of_a_converter():
    """Rates that would leave the range are no candidates, as those that diverge."""
    single = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(dac_range=6e-4))
    tuned = best_rate(
        single,
        5 * single.thermal_width,
        lambda rate: Constant(2e-6, rate),
        replicas=50,
        ticks=20,
        seed=13,
        bracket=(1e17, 1e20),
    )
    assert np.isinf(tuned.costs[-1]) and tuned.rate < tuned.rates[-1]


def test_the_board_as_it_stands_is_a_description():
    """What theory says of ``applied`` is what replicas of the real board have, 5σ: 2e-6."""
    spec = ktc.Imperfections(
        capacitance_tolerance=0.2, coupling_tolerance=0.2, offset=3e-5, dac_bits=5, dac_range=1e-3,
        parasitic_capacitance=2e-13, seed=8,
    )  # fmt: skip
    two = ktc.Board(2, 1e6, 1e-12, 300.0, couplings=0.4e12, imperfections=spec)
    emulator = two.emulator(replicas=40_000, seed=9)
    emulator.set(bias=[1e-4, -2e-4])
    emulator.equilibrate()
    mean, covariance = ktc.theory.equilibrium(emulator.applied)
    found = emulator.moments()
    assert (np.abs(found.mean - mean) < 5 * np.sqrt(np.diag(covariance) / 40_000)).all()
    scatter = np.sqrt((np.outer(*2 * [np.diag(covariance)]) + covariance**2) / 40_000)
    assert (np.abs(found.covariance - covariance) < 5 * scatter).all()
    drawn = ktc.theory.equilibrium(two.program(bias=[1e-4, -2e-4])).mean
    assert (np.abs(mean - drawn) > 5e-6).any()


def test_copies_have_a_turn_of_their_own_and_none_is_pickled():
    spec = ktc.Imperfections(offset=1e-6, settling_time=1e-6)
    emulator = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec).emulator(10, 1)
    twins = [copy.copy(emulator), copy.deepcopy(emulator), emulator.copy()]
    emulator.set(bias=1e-4)
    for twin in twins:
        assert twin.controls.bias.tolist() == [0.0]
        twin.set(bias=1e-4)
    for each in (emulator, *twins):
        each.run(1e-6)
        assert (each.read() == emulator.read()).all()
    with refused(TypeError, "Emulator.load(path)"):
        pickle.dumps(emulator)


def test_a_second_thread_is_refused(monkeypatch):
    """Also between the calls of the emulator inside, while one thread plays and reads."""
    spec = ktc.Imperfections(offset=1e-6, settling_time=1e-6)
    emulator = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec).emulator(10, 1)
    read, refusals = emulator._frontend.read_out.moments, []

    def read_while_another_tries():
        with ThreadPoolExecutor(1) as another:
            for call in (emulator.read, emulator.settle, emulator.reset, emulator.copy):
                refusals.append(another.submit(call).exception())
        return read()

    monkeypatch.setattr(emulator._frontend.read_out, "moments", read_while_another_tries)
    emulator.play(ktc.Protocol([1e-6], {"bias": [1e-4]}), record="mean")
    assert len(refusals) == 4
    assert all("in use by another thread" in str(error) for error in refusals)
    with ThreadPoolExecutor(1) as another:
        assert another.submit(emulator.read).result().shape == (10, 1)
