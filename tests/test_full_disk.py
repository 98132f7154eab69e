"""A disk that fills up: the error names the file, what was there stays, and the run goes on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ktc
from small_disk import filled, small_disk

TICKS = 12
REPLICAS = 1000
#: Bytes of one record of the state.
POINT = 8 * REPLICAS


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder) as mounted:
        yield mounted


def emulator() -> ktc.Emulator:
    made = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=REPLICAS, seed=3)
    made.set(bias=0.5)
    made.run(0.2)
    return made


def drive() -> ktc.Protocol:
    return ktc.Protocol(np.full(TICKS, 0.1), {"bias": np.linspace(0, 2, TICKS)})


def test_saving_leaves_the_old_file_and_the_emulator(disk, tmp_path):
    device, quiet = emulator(), emulator()
    before = ktc.Network(2.0, 1.0)
    before.save(disk / "e.npz")
    filled(disk, spare=POINT // 2)
    with pytest.raises(OSError, match=r"e\.npz") as caught:
        device.save(disk / "e.npz")
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(disk / "e.npz")
    assert sorted(path.name for path in disk.iterdir()) == ["ballast", "e.npz"]
    assert ktc.load(disk / "e.npz") == before
    device.save(tmp_path / "elsewhere.npz")
    for each in (device, quiet, resumed := ktc.Emulator.load(tmp_path / "elsewhere.npz")):
        each.run(0.3)
        assert each.ledger.imbalance() < 1e-12
    np.testing.assert_array_equal(device.read(), quiet.read())
    np.testing.assert_array_equal(resumed.read(), quiet.read())


@pytest.mark.parametrize("room", [0, 3000, 3 * POINT + 1000])
def test_records_are_those_that_the_disk_had_room_for(disk, tmp_path, monkeypatch, room):
    """The room is refused beforehand where it is known; here it goes while the protocol plays."""
    monkeypatch.setattr("ktc._emulation.record_file.disk", lambda folder: float("inf"))
    filled(disk, spare=room + 4096 * (room > 0))
    device, kept = emulator(), emulator().play(drive(), record="state")
    with pytest.raises(OSError, match=r"x\.npy") as caught:
        device.play(drive(), record="state", to=disk / "x.npy")
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(disk / "x.npy")
    if room:
        found = np.load(disk / "x.npy")
        assert len(found) == room // POINT
        np.testing.assert_array_equal(found, kept.series["state"][: len(found)])
        # One more tick was played than could be written.
        ticks = len(found) + 1
        assert device.time == pytest.approx(0.2 + 0.1 * ticks)
        np.testing.assert_array_equal(device.controls.bias, drive().controls["bias"][ticks - 1])
    assert device.ledger.imbalance() < 1e-12
    run = device.play(drive(), record="state", to=tmp_path / "x.npy")
    assert run.series["state"].shape == (TICKS, REPLICAS, 1)
    assert device.ledger.imbalance() < 1e-12


def test_records_that_the_disk_has_no_room_for_are_refused_before_anything_moves(disk):
    device = emulator()
    filled(disk, spare=POINT)
    with pytest.raises(OSError, match="do not fit"):
        device.play(drive(), record="state", to=disk / "x.npy")
    assert not (disk / "x.npy").exists()
    assert device.time == 0.2
