"""Learning runs that are watched, stopped and interrupted: what was reached is kept."""

import json
import subprocess
import sys

import numpy as np
import pytest

import ktc
from ktc.schedules import Constant, MinimalDissipation, Tabulated
from refusal import refused

UNIT = ktc.Network(stiffness=1.0, friction=1.0)


def learned(**options):
    given = {"schedule": MinimalDissipation(2.0), "replicas": 200, "ticks": 40, "seed": 1}
    return ktc.learn(UNIT, 3.0, **(given | options))


def test_a_callback_sees_every_update_and_changes_nothing():
    seen = []
    fit, plain = learned(callback=seen.append), learned()
    history = fit.history
    assert (history.theta == plain.history.theta).all()
    assert [record.tick for record in seen] == list(range(40))
    for k, record in enumerate(seen):
        assert record.time == history.time[k]
        assert (record.theta == history.theta[k]).all()
        assert (record.gradient == history.gradient[k]).all()
        assert (record.mean == history.mean[k]).all()
        assert (record.work, record.heat) == (history.work[k], history.heat[k])


def test_a_callback_cannot_change_the_run():
    with pytest.raises(ValueError, match="read-only"):
        learned(callback=lambda record: record.theta.fill(1.0))
    stopped = learned(callback=lambda record: np.abs(record.gradient).max() < 2.5)
    assert stopped.stopped_early is not None


def test_own_loops_do_not_go_on_after_an_interruption(monkeypatch):
    """A run that Ctrl-C ended is no result of a search or of a comparison."""
    whole = ktc.learn

    def cut(*arguments, **options):
        fit = whole(*arguments, **options)
        fit.stopped_early = "tick 3: interrupted"
        return fit

    monkeypatch.setattr("ktc._learning.planning.best_rate.learn", cut)
    monkeypatch.setattr("ktc._learning.comparison.learn", cut)
    with pytest.raises(KeyboardInterrupt):
        ktc.best_rate(UNIT, 3.0, lambda rate: Constant(2.0, rate), replicas=50, seed=1, ticks=20)


def test_a_callback_may_stop():
    fit = learned(callback=lambda record: record.time >= 1.0)
    assert fit.stopped_early == "tick 20: stopped by the callback"
    whole = learned()
    assert (fit.history.theta == whole.history.theta[:21]).all()
    assert fit.time == 1.0 and "stopped early at tick 20" in repr(fit)
    for wrong, told in ((3, "callback must be a function"), (lambda record: 1, "returned 1")):
        with refused(TypeError, told):
            learned(callback=wrong)


INTERRUPTED = """
import json, signal, sys, threading
import numpy as np
import ktc

signal.signal(signal.SIGINT, signal.default_int_handler)
delay, kind = float(sys.argv[1]), sys.argv[2]
net = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
data = np.random.default_rng(1).normal(size=(50, 2))
options = {"bias": {}, "measured": {"metrics": ktc.Metrics("measured", replicas=500)},
           "both": {"parameters": ("bias", "stiffness")}, "hidden": {"hidden": 1}}[kind]
emulator = ktc.Emulator(net, 5000, 1, threads=1)
given = data[:, :1] if kind == "hidden" else data
rule = ktc.schedules.MinimalDissipation(50.0)
if kind == "hidden":
    rule = ktc.schedules.Constant(50.0, 0.1)
main = threading.main_thread().ident
timer = threading.Timer(delay, lambda: signal.pthread_kill(main, signal.SIGINT))
started = []

def watch(record):
    if not started:
        started.append(timer.start())

fit = ktc.learn(emulator, given, rule, ticks=200_000, callback=watch, **options)
timer.join()
imbalance = float(np.abs(emulator.ledger.imbalance()).max())
print(json.dumps({
    "stopped": fit.stopped_early, "rows": len(fit.history.time), "imbalance": imbalance,
    "same": bool((emulator.controls.bias == fit.controls.bias).all()),
    "work": bool(np.isclose(fit.work.mean, fit.history.work[-1], rtol=1e-9)),
}))
emulator.run(1.0)
"""


@pytest.mark.parametrize("kind", ["bias", "measured", "both", "hidden"])
@pytest.mark.parametrize("delay", [0.05, 0.3])
def test_an_interruption_keeps_what_was_reached(kind, delay):
    """SIGINT while a run of hours goes on: the fit, its controls and the ledger agree."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(delay), kind],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["stopped"].endswith(": interrupted")
    assert 0 < report["rows"] < 200_000
    assert report["same"] and report["work"]
    assert report["imbalance"] < 1e-12


def test_a_function_of_time_is_a_schedule(tmp_path):
    """η(t) = 0.4 + t is that of the table of its values, and saved with its fit."""
    fit = learned(schedule=lambda time: 0.4 + time, duration=2.0)
    table = learned(schedule=Tabulated(2.0, [0.4, 2.4]))
    assert fit.history.theta == pytest.approx(table.history.theta, rel=1e-12)
    fit.save(tmp_path / "fit.npz")
    assert ktc.Fit.load(tmp_path / "fit.npz").schedule.scalar_rate(1.0) == pytest.approx(1.4)
    flat = learned(schedule=lambda time: 0.5, duration=2.0)
    assert (flat.history.theta == learned(schedule=Constant(2.0, 0.5)).history.theta).all()


def test_what_is_refused_of_functions():
    with refused(TypeError, "duration must be given"):
        learned(schedule=lambda time: 0.5)
    with refused(ValueError, "the schedule sets the duration"):
        learned(duration=2.0)
    with refused(ValueError, "rates must be a row"):
        learned(schedule=lambda time: -1.0, duration=2.0)
    with refused(ValueError, "rate(0) of schedule"):
        learned(schedule=lambda time: float("nan"), duration=2.0)
    with refused(ValueError, "rates must be a row"):
        Tabulated(1.0, [1.0])
    assert np.isfinite(learned().work.mean)
