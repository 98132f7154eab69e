"""No file handles, no permission, little memory: a clear error, and an emulator that goes on."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from child_process import STARVED, reported

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits of resources as Linux has them"
)

# What all programs share: an emulator, its undisturbed twin, and a comparison of both.
SUBJECT = """
import errno, os, resource
import numpy as np
import ktc
network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)
device = ktc.Emulator(network, replicas=1000, seed=1, threads=2)
device.set(bias=0.5)
device.run(0.1)
quiet = device.copy()
drive = ktc.Protocol([0.1] * 4, {"bias": [1.0, 2.0, 3.0, 4.0]})
def sound():
    for each in (device, quiet):
        each.run(0.2)
        each.set(bias=1.0)
    return bool(
        device.ledger.imbalance() < 1e-12
        and (device.read() == quiet.read()).all()
        and (device.ledger.work == quiet.ledger.work).all()
    )
def outcome(call):
    try:
        call()
        return ["done", ""]
    except Exception as error:
        return [type(error).__name__, str(error)]
"""


def test_no_file_handles(tmp_path):
    found = reported(
        SUBJECT
        + STARVED
        + """
folder = given[0]
device.save(folder + "/old.npz")
held = hold_all_handles()
calls = [
    lambda: device.save(folder + "/old.npz"),
    lambda: device.play(drive, "state", to=folder + "/x.npy"),
    lambda: ktc.load(folder + "/old.npz"),
]
found = list(map(outcome, calls))
for handle in held[-4:]:
    os.close(handle)
# One handle is left for the first of two files.
device.save(folder + "/new.npz")
found.append([str(ktc.load(folder + "/old.npz").time), sound()])
print(json.dumps(found))
""",
        str(tmp_path),
    )
    assert [kind for kind, _ in found[:3]] == ["OSError"] * 3
    for (_, told), name in zip(found[:3], ("old.npz", "x.npy", "old.npz"), strict=True):
        assert "Too many open files" in told and name in told
    assert found[3] == ["0.1", True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.npz", "old.npz"]


def test_a_handle_for_one_record_of_two(tmp_path):
    """The first file is closed and says that it has no point."""
    found = reported(
        SUBJECT
        + STARVED
        + """
folder = given[0]
held = hold_all_handles()
os.close(held.pop())
found = [outcome(lambda: device.play(drive, ["state", "mean"], to=folder)), device.time]
os.close(held.pop())
found += [np.load(folder + "/state.npy").shape, sound()]
print(json.dumps(found))
""",
        str(tmp_path),
    )
    assert found[0][0] == "OSError" and "mean.npy" in found[0][1]
    assert found[1:] == [0.1, [0, 1000, 2], True]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users of POSIX")
def test_a_folder_without_permission_to_write():
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o555)
        found = reported(
            SUBJECT
            + """
device.copy().save("/tmp/ktc-warm-up-%d" % os.getpid())  # imports what saving needs
os.unlink("/tmp/ktc-warm-up-%d" % os.getpid())
if os.geteuid() == 0:
    os.setuid(65534)
found = [
    outcome(lambda: device.save(given[0] + "/e.npz")),
    outcome(lambda: device.play(drive, "state", to=given[0] + "/x.npy")),
    outcome(lambda: device.play(drive, ["state", "mean"], to=given[0] + "/records")),
]
print(json.dumps([found, device.time, sound()]))
""",
            made,
        )
        folder.chmod(0o755)
        assert list(folder.iterdir()) == []
    for (kind, told), name in zip(found[0], ("e.npz", "x.npy", "records"), strict=True):
        assert kind == "PermissionError"
        assert name in told and "partial" not in told
    assert found[1:] == [0.1, True]


LITTLE_MEMORY = """
device.moments().covariance, device.energy()  # loads the libraries that these need
edges = np.linspace(-3, 3, 10**7)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (96 << 20), resource.RLIM_INFINITY))
network_of_many = ktc.Network(np.eye(40), 1.0)
calls = [
    lambda: ktc.Emulator(network, replicas=10**8, seed=1),
    lambda: ktc.Emulator(network_of_many, replicas=10**6, seed=1),
    lambda: device.play(ktc.Protocol(np.full(20_000, 0.1), {}), "state"),
    lambda: device.play(
        drive, statistics=ktc.Statistics(histogram=edges)
    ),
    lambda: ktc.Protocol.ramp(1.0, 10**8, bias=(0.0, 1.0)),
    lambda: ktc.lattices.grid(10**4, 10**4, own=1.0, coupling=0.1),
    lambda: ktc.Network(np.broadcast_to(1.0, (10**4, 10**4)), 1.0),
]
found = []
for call in calls:
    found.append(outcome(call))
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
print(json.dumps([found, device.time, sound()]))
"""


def test_little_memory():
    """96 MB: what needs more is refused with the size, and nothing has moved."""
    found, time, sound = reported(SUBJECT + LITTLE_MEMORY)
    for kind, told in found:
        assert kind == "MemoryError"
        assert re.search(r"\d\.? [GM]i?B", told), told
    assert time == 0.1
    assert sound
