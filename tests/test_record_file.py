"""Records on disk: the same numbers as in memory, files that are whole, and memory that stays."""

import subprocess
import sys

import numpy as np
import pytest

import ktc
from ktc._emulation.record_file import record_files
from refusal import refused

TICKS = 12
EVERYTHING = ("state", "mean", "covariance", "energy", "work", "heat", "bias")


def emulator(**options):
    network = ktc.Network([[2.0, 0.6], [0.6, 1.0]], [1.0, 0.5], kT=0.8)
    return ktc.Emulator(network, **{"replicas": 9, "seed": 41, **options})


def drive():
    return ktc.Protocol(np.full(TICKS, 0.1), {"bias": np.linspace(0, 2, TICKS)})


@pytest.mark.parametrize("every", [1, 5])
def test_records_on_disk_are_those_in_memory(tmp_path, every):
    kept = emulator().play(drive(), record=EVERYTHING, every=every)
    folder = tmp_path / "new" / "records"
    run = emulator().play(drive(), record=EVERYTHING, every=every, to=folder)
    assert list(run.series) == list(EVERYTHING)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.npy" for name in EVERYTHING
    )
    for name, series in run.series.items():
        assert isinstance(series, np.memmap)
        assert not series.flags.writeable
        np.testing.assert_array_equal(series, kept.series[name])
        np.testing.assert_array_equal(np.load(folder / f"{name}.npy"), kept.series[name])
    np.testing.assert_array_equal(run.times, kept.times)


def test_one_quantity_goes_to_one_file_by_its_name(tmp_path):
    run = emulator().play(drive(), record="state", to=str(tmp_path / "x.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), run.series["state"])
    assert run.spectrum(segments=2).density.shape == (4,)
    run.save(tmp_path / "run")
    again = ktc.Run.load(tmp_path / "run")
    np.testing.assert_array_equal(again.series["state"], run.series["state"])


def test_a_real_board_records_its_readings(tmp_path):
    spec = ktc.Imperfections(adc_bits=8, adc_range=1e-3, settling_time=2e-7, seed=3)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    ramp = ktc.Protocol(np.full(6, 1e-6), {"bias": np.linspace(0, 1e-4, 6)})
    kept = board.emulator(replicas=5, seed=2).play(ramp, record="state", every=2)
    run = board.emulator(replicas=5, seed=2).play(ramp, record="state", every=2, to=tmp_path)
    np.testing.assert_array_equal(run.series["state"], kept.series["state"])


def test_files_that_are_there_are_kept_unless_told(tmp_path):
    device = emulator()
    (tmp_path / "mean.npy").write_text("precious")
    with refused(FileExistsError, "mean.npy", "overwrite=True"):
        device.play(drive(), record=["state", "mean"], to=tmp_path)
    assert (tmp_path / "mean.npy").read_text() == "precious"
    assert not (tmp_path / "state.npy").exists()
    assert device.time == 0.0
    run = device.play(drive(), record=["state", "mean"], to=tmp_path, overwrite=True)
    np.testing.assert_array_equal(np.load(tmp_path / "mean.npy"), run.series["mean"])


def test_places_that_will_not_do(tmp_path):
    device = emulator()
    with refused(ValueError, "to is 'x.npy'", "record="):
        device.play(drive(), to="x.npy")
    with refused(ValueError, "folder for 2 quantities", "x.npy"):
        device.play(drive(), record=["state", "mean"], to=tmp_path / "x.npy")
    with refused(FileNotFoundError, "does not exist", "missing"):
        device.play(drive(), record="state", to=tmp_path / "missing" / "x.npy")
    (tmp_path / "file").write_text("")
    with refused(NotADirectoryError, "file"):
        device.play(drive(), record="state", to=tmp_path / "file")
    with refused(TypeError, "unknown quantity"):
        device.play(drive(), record="temperature", to=tmp_path / "y")
    assert not (tmp_path / "y").exists()
    assert device.time == 0.0


def test_a_disk_that_is_too_small_is_named_beforehand(tmp_path, monkeypatch):
    monkeypatch.setattr("ktc._emulation.record_file.disk", lambda folder: 1700.0)
    size = 8 * TICKS * 9 * 2
    with refused(OSError, f"{size * 1e-9:.3g} GB", "1.7e-06 GB", "every"):
        emulator().play(drive(), record="state", to=tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    emulator().play(drive(), record="state", to=tmp_path / "x.npy", every=2)


@pytest.mark.parametrize("points", [0, 1, 3])
def test_a_stop_leaves_the_records_taken_so_far(tmp_path, points):
    """A stop by Ctrl-C, as an exception from the reading of a point."""
    device, kept = emulator(), emulator().play(drive(), record="state", every=2)
    taken = []

    def impatient():
        if len(taken) == points:
            raise KeyboardInterrupt
        taken.append(read())
        return taken[-1]

    read, device._frontend.read = device._frontend.read, impatient
    with pytest.raises(KeyboardInterrupt):
        device.play(drive(), "state", 2, to=tmp_path / "x.npy")
    found = np.load(tmp_path / "x.npy")
    assert found.shape == (points, 9, 2)
    np.testing.assert_array_equal(found, kept.series["state"][:points])
    assert device.time == pytest.approx(0.2 * (points + 1))


def test_files_have_their_length_from_the_start(tmp_path):
    file = record_files(tmp_path / "x.npy", {"state": (1000, 3)}, False)["state"]
    assert (tmp_path / "x.npy").stat().st_size >= 8 * 3000
    file.write(np.arange(3))
    assert file.close().shape == (1, 3)
    assert (tmp_path / "x.npy").stat().st_size < 1000


STREAMING = """
import resource, sys
import numpy as np
import ktc

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

emulator = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=100_000, seed=1)
def play(ticks, name):
    emulator.play(
        ktc.Protocol(np.full(ticks, 0.1), {}), record="state", to=sys.argv[1] + name,
        statistics=ktc.Statistics(histogram=np.linspace(-3, 3, 101), autocorrelation=3),
    )
play(4, "/few.npy")
before = peak()
play(150, "/many.npy")
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss counts kilobytes")
def test_memory_does_not_grow_with_records(tmp_path):
    """150 records of 0.8 MB each, and 150 observations: 120 MB if any were kept."""
    done = subprocess.run(
        [sys.executable, "-c", STREAMING, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 20
