"""SIGKILL at random points of ``save``: the old file or the new one, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

import ktc

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL of POSIX")

# A child per kill would take a second each: one imports ktc, and forks one that saves until it is
# killed.
SAVING = """
import os, sys
import ktc
network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
device = ktc.Emulator(network, replicas=20_000, seed=1, threads=1)
device.save(sys.argv[1])
ktc.load(sys.argv[1])
while True:
    wait = int(sys.stdin.readline() or 0)
    if not wait:
        break
    child = os.fork()
    if child == 0:
        while True:
            device.run(0.1)
            device.save(sys.argv[1])
    import time
    time.sleep(wait * 1e-6)
    os.kill(child, 9)
    os.waitpid(child, 0)
    print("killed", flush=True)
"""


@pytest.mark.parametrize("kills", [12, pytest.param(400, marks=pytest.mark.slow)])
def test_each_load_finds_a_whole_emulator(tmp_path, kills):
    """No timing decides: each load has the state of some time 0, 0.1, 0.2, … of the same run."""
    path = tmp_path / "e.npz"
    draw = random.Random(7)
    saver = subprocess.Popen(
        [sys.executable, "-c", SAVING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
    twin = ktc.Emulator(network, replicas=20_000, seed=1)
    states = [twin.read()]
    try:
        for _ in range(kills):
            print(draw.randint(1, 60_000), file=saver.stdin, flush=True)
            assert saver.stdout.readline() == "killed\n"
            loaded = ktc.Emulator.load(path)
            ticks = round(loaded.time / 0.1)
            while len(states) <= ticks:
                twin.run(0.1)
                states.append(twin.read())
            assert loaded.time == pytest.approx(0.1 * ticks)
            np.testing.assert_array_equal(loaded.read(), states[ticks])
    finally:
        saver.stdin.close()
        saver.wait()
        saver.stdout.close()
    assert saver.returncode == 0
    # What was being written stays under a name of its own, and is in nobody's way.
    left = [entry.name for entry in tmp_path.iterdir() if entry != path]
    assert all(name.startswith(".ktc-") and name.endswith(".partial") for name in left)
    twin.save(path)
    assert ktc.Emulator.load(path).time == twin.time


RECORDING = """
import os, sys
import numpy as np
import ktc
device = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=100, seed=1, threads=1)
killer = int(sys.argv[2])
read = device._frontend.read
def dies():
    global killer
    killer -= 1
    if killer < 0:
        os.kill(os.getpid(), 9)
    return read()
device._frontend.read = dies
device.play(ktc.Protocol(np.full(9, 0.1), {}), "state", to=sys.argv[1])
"""


@pytest.mark.parametrize("points", [0, 4])
def test_a_killed_record_has_the_points_so_far(tmp_path, points):
    command = [sys.executable, "-c", RECORDING, str(tmp_path / "x.npy"), str(points)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    device = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=100, seed=1)
    kept = device.play(ktc.Protocol(np.full(9, 0.1), {}), "state")
    found = np.load(tmp_path / "x.npy")
    assert found.shape == (points, 100, 1)
    np.testing.assert_array_equal(found, kept.series["state"][:points])
