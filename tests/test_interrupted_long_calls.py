"""Ctrl-C at random times of calls that take long: heard soon, and what was there goes on."""

from __future__ import annotations

import sys

import pytest

from child_process import reported

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot send SIGINT to one process by os.kill"
)

# Each call takes more than a minute if nobody interrupts it, or is repeated for ever. The script's
# own timer sends it the signal.
PROGRAM = """
import os, signal, tempfile, threading, time
import numpy as np
import ktc
from ktc import schedules, theory

name, delay = given
folder = tempfile.mkdtemp()
two = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
wells = ktc.Network(0.5 * np.ones((6, 6)) - 2 * np.eye(6), 1.0, quartic=1.0)
many = ktc.Network(0.01 * np.ones((60, 60)) + np.eye(60), 1.0)
spec = ktc.Imperfections(settling_time=2e-7, dac_bits=8, dac_range=1e-3, seed=3)
board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
samples = np.random.default_rng(1).normal(size=(50, 6))
device = ktc.Emulator(wells, replicas=3000, seed=1)
exact = ktc.Emulator(two, replicas=float("inf"))
hardware = board.emulator(replicas=3000, seed=1)
long = ktc.Protocol(np.full(20_000, 0.5), {"bias": np.linspace(0, 1, 20_000)})
hops = ktc.Protocol(np.full(200_000, 1e-7), {"bias": np.tile([0.0, 1e-4], 100_000)})

def forever(call):
    while True:
        call()

def saving(each):
    each.save(folder + "/e.npz")

def loading():
    ktc.load(folder + "/start.npz")

held = ktc.Emulator(many, replicas=20_000, seed=1)
held.save(folder + "/start.npz")
constant = schedules.Constant(50.0, 0.01)
calls = {
    "run": lambda: device.run(1e6),
    "play": lambda: device.play(long),
    "record": lambda: device.play(long, ("state", "mean"), every=100),
    "record to files": lambda: device.play(long, "state", to=folder + "/x.npy", overwrite=True),
    "gather": lambda: device.play(long, statistics=ktc.Statistics(covariance=True)),
    "play moments": lambda: forever(lambda: exact.play(long)),
    "play a board": lambda: forever(lambda: hardware.play(hops)),
    "save": lambda: forever(lambda: saving(held)),
    "load": lambda: forever(loading),
    "learn": lambda: ktc.learn(device, samples, constant, ticks=50_000),
    "learn from metrics": lambda: ktc.learn(
        wells, samples, schedules.MinimalDissipation(50.0), replicas=3000, seed=1,
        ticks=50_000, metrics=ktc.Metrics("measured", replicas=100_000),
    ),
    "best rate": lambda: ktc.best_rate(
        wells, samples, lambda rate: schedules.Constant(50.0, rate), replicas=3000, ticks=20_000,
        bracket=(1e-4, 1.0), target={"bias": 1.0},
    ),
    "plan": lambda: forever(lambda: ktc.plan(two, samples[:, :2], duration=5.0, nats=0.1)),
    "metrics": lambda: forever(lambda: theory.metric_estimates(wells, replicas=50_000, seed=1)),
    "convergence": lambda: ktc.convergence(
        wells, lambda e: e.energy(), 200.0, replicas=100_000, seed=1
    ),
    "free energy": lambda: forever(lambda: theory.free_energy_difference(
        wells, wells.with_controls(bias=5.0), replicas=100_000, seed=1
    )),
    "spectrum": lambda: forever(lambda: spectral.spectrum(segments=4)),
    "geodesic": lambda: forever(lambda: theory.geodesic_drive(
        many, {"stiffness": 2 * np.eye(60)}, 10.0, 200
    )),
    "expected learning": lambda: forever(lambda: theory.expected_learning(
        two, samples[:, :2], schedules.Constant(50.0, 0.01), ticks=5000
    )),
    "compile": lambda: forever(lambda: ktc.Circuit.from_netlist(grid).compile()),
}
spectral = ktc.Emulator(two, replicas=50, seed=1).play(
    ktc.Protocol(np.full(500, 0.1), {}), record="state"
)
grid = "\\n".join(
    f"R{i} a{i} a{i + 1} 1k\\nC{i} a{i} 0 1n" for i in range(60)
) + "\\nR99 a60 0 1k"
sent = []

def interrupt():
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
for each, bias in ((device, 0.5), (exact, 0.5), (hardware, 1e-5)):
    each.set(bias=bias)
timer = threading.Timer(delay, interrupt)
try:
    timer.start()
    if getattr(calls[name](), "interrupted", False):
        raise KeyboardInterrupt  # of learn, which returns what was reached
    outcome = "finished"
except KeyboardInterrupt:
    outcome = "interrupted"
late = time.process_time() - sent[0]
timer.join()
laws, finite = [], True
for each, length, bias in ((device, 0.1, 1.0), (exact, 0.1, 1.0), (hardware, 1e-6, 1e-5)):
    cells = getattr(each._frontend, "_cells", each._frontend)
    engine, controls = cells.engine.controls(), cells.controls.arrays()
    assert all(np.array_equal(engine[k], controls[k]) for k in engine), (engine, controls)
    laws.append(each.ledger.imbalance())
    each.run(length)
    each.set(bias=2 * bias)
    each.play(ktc.Protocol([length] * 2, {"bias": [bias, 3 * bias]}))
    laws.append(each.ledger.imbalance())
if name == "save":
    ktc.load(folder + "/e.npz" if os.path.exists(folder + "/e.npz") else folder + "/start.npz")
    assert not [n for n in os.listdir(folder) if "partial" in n], os.listdir(folder)
if name == "record to files" and os.path.exists(folder + "/x.npy"):  # else it had not begun
    assert np.load(folder + "/x.npy").shape[1:] == (3000, 6)
# What was imported, or made on first use, is whole.
theory.geodesic_drive(two, {"bias": 1.0}, 10.0, 5)
ktc.learn(two, samples[:, :2], schedules.MinimalDissipation(5.0), replicas=20, ticks=5, seed=1)
print(json.dumps([outcome, late, max(laws)]))
"""

CALLS = (
    "run", "play", "record", "record to files", "gather", "play moments", "play a board", "save",
    "load", "learn", "learn from metrics", "best rate", "plan", "metrics", "convergence",
    "free energy", "spectrum", "geodesic", "expected learning", "compile",
)  # fmt: skip
QUICK = ("record to files", "play a board", "save", "learn from metrics", "free energy")


@pytest.mark.parametrize(
    ("name", "delay"),
    [
        pytest.param(name, delay, marks=[] if name in QUICK and delay == 0.21 else pytest.mark.slow)
        for name in CALLS
        for delay in (0.003, 0.04, 0.21, 0.9)
    ],
)
def test_ctrl_c_while_it_computes(name, delay):
    """No timing decides the test, but 10 s of processor time would be no answer.

    What is imported on first use is imported to its end.
    """
    outcome, late, imbalance = reported(PROGRAM, name, delay)
    assert outcome == "interrupted"
    assert late < 10
    assert imbalance <= 1e-12
