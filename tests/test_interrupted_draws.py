"""Ctrl-C is heard while an equilibrium is drawn that takes long, and leaves all as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import ktc

# The script's own timer sends it the signal, in the middle of draws that would take minutes.
INTERRUPTED = """
    import json, os, signal, sys, threading, time
    import numpy as np
    import scipy.sparse
    import ktc

    kind, units, replicas, threads, action = json.loads(sys.argv[1])
    rng = np.random.default_rng(5)
    if kind == "sparse":
        # A chain whose ends alone are held: conjugate gradients take a round a unit.
        chain = scipy.sparse.diags_array([-np.ones(units - 1), np.full(units, 2.0 + 1e-12),
            -np.ones(units - 1)], offsets=[-1, 0, 1])
        network = ktc.Network(chain, 1.0)
    else:
        couplings = rng.normal(size=(units, units)) / units**0.5
        well = 10.0 if kind == "one well" else -1.0
        network = ktc.Network(couplings + couplings.T + well * np.eye(units), 1.0, quartic=1.0)

    def emulator(state=None):
        return ktc.Emulator(network, replicas, seed=1, threads=threads, state=state)

    if action != "start":
        device = emulator(rng.normal(size=(replicas, units)))
        device.set(bias=0.5)
        device.run(0.01)
        device._frontend.start = np.empty(0)  # from here on a reset draws its state
        quiet = device.copy()
    heard = []

    def interrupt():
        heard.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, interrupt)
    timer.start()
    try:
        emulator() if action == "start" else getattr(device, action)()
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "interrupted"
    report = {"outcome": outcome, "delay": time.monotonic() - heard[0]}
    timer.join()
    if action != "start":
        report["time"] = device.time
        for each in (device, quiet):
            each.set(bias=1.0)
            each.run(0.02)
        report["same"] = all(
            bool((a == b).all())
            for a, b in (
                (device.read(), quiet.read()),
                (device.ledger.work, quiet.ledger.work),
                (device.ledger.heat, quiet.ledger.heat),
            )
        )
    print(json.dumps(report))
"""

# kind, units, replicas, threads, what draws
LONG_DRAWS = {
    "many replicas of coupled wells": ("wells", 30, 40_000, 2, "equilibrate"),
    "one block of many wells": ("wells", 400, 20, 1, "equilibrate"),
    "a helper's last block": ("wells", 300, 128, 2, "equilibrate"),
    "many units in one well": ("one well", 300, 4_000, 2, "equilibrate"),
    "a sparse network": ("sparse", 19_000, 16, 1, "equilibrate"),
    "a reset of coupled wells": ("wells", 30, 40_000, 2, "reset"),
    "a reset of a sparse network": ("sparse", 19_000, 16, 1, "reset"),
    "the start of coupled wells": ("wells", 30, 40_000, 2, "start"),
    "the start of a sparse network": ("sparse", 19_000, 64, 2, "start"),
}


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows cannot send SIGINT to one process by os.kill"
)
@pytest.mark.parametrize("case", LONG_DRAWS.values(), ids=LONG_DRAWS.keys())
def test_ctrl_c_while_replicas_are_drawn(case):
    """State, books and noise go on with the bits of an emulator that nobody disturbed.

    It takes some tens of milliseconds; no timing decides this test, but 10 s would be no answer.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), json.dumps(case)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outcome"] == "interrupted"
    assert report["delay"] < 10
    assert report.get("same", True)
    assert report.get("time", 0.01) == 0.01


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_a_board_whose_draw_is_interrupted_settles_on(monkeypatch):
    """Outputs that were settling are where they were, and work is booked as by its twin."""
    spec = ktc.Imperfections(settling_time=2e-7, seed=3)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    device = board.emulator(replicas=50, seed=2)
    device.set(bias=1e-4)
    device.run(1e-7)
    twin, before = device.copy(), device.ledger.work
    with monkeypatch.context() as patched:
        patched.setattr(ktc.Emulator, "equilibrate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            device.equilibrate()
    assert device.applied_controls == twin.applied_controls
    # What is booked on the way to the settled controls is booked back: two roundings.
    np.testing.assert_allclose(device.ledger.work, before, rtol=1e-12, atol=1e-36)
    for each in (device, twin):
        each.run(1e-6)
    np.testing.assert_array_equal(device.read(), twin.read())
