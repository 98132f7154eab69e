"""Saving replaces a file as a whole: links, modes, threads, kills, and what is no file."""

import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

import ktc
from child_process import STARVED, reported
from refusal import refused

posix = pytest.mark.skipif(os.name != "posix", reason="links, modes and pipes of POSIX")


def network(stiffness=1.0, units=1):
    return ktc.Network(stiffness * np.eye(units), friction=1.0)


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@posix
def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "deep").mkdir()
    network(1.0).save(tmp_path / "deep" / "real.npz")
    (tmp_path / "link.npz").symlink_to("deep/real.npz")
    network(2.0).save(tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert ktc.load(tmp_path / "deep" / "real.npz") == network(2.0)
    assert names_in(tmp_path / "deep") == ["real.npz"]


@posix
def test_a_link_to_nothing_yet(tmp_path):
    (tmp_path / "link.npz").symlink_to("real.npz")
    network().save(tmp_path / "link.npz")
    assert names_in(tmp_path) == ["link.npz", "real.npz"]
    assert (tmp_path / "link.npz").is_symlink()


def test_other_files_beside_it_are_left_alone(tmp_path):
    (tmp_path / "y.npz.partial").write_bytes(b"mine")
    network().save(tmp_path / "y.npz")
    assert (tmp_path / "y.npz.partial").read_bytes() == b"mine"
    assert names_in(tmp_path) == ["y.npz", "y.npz.partial"]


@posix
def test_a_link_in_the_way_of_the_temporary_file_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("os.urandom", bytes)
    guessed = tmp_path / f".ktc-{bytes(8).hex()}.partial"
    (tmp_path / "victim").write_bytes(b"untouched")
    guessed.symlink_to("victim")
    with pytest.raises(FileExistsError):
        network().save(tmp_path / "y.npz")
    assert (tmp_path / "victim").read_bytes() == b"untouched"
    assert guessed.is_symlink()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_the_mode_stays(tmp_path, mode):
    path = tmp_path / "y.npz"
    network(1.0).save(path)
    path.chmod(mode)
    network(2.0).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_has_the_mode_that_the_user_asked_for(tmp_path):
    before = os.umask(0o027)
    try:
        network().save(tmp_path / "y.npz")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "y.npz").stat().st_mode) == 0o640


@posix
def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with refused(ValueError, str(tmp_path / name), "is not a regular file"):
            network().save(tmp_path / name)
        # Opening a pipe without a writer would wait for ever.
        with refused(ValueError, str(tmp_path / name), "is not a regular file"):
            ktc.load(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with refused(ValueError, str(tmp_path), "is a folder"):
        network().save(tmp_path)
    assert names_in(tmp_path) == ["link", "pipe"]


def test_threads_that_save_to_one_file(tmp_path):
    """Each load finds one of the networks whole."""
    path = tmp_path / "shared.npz"
    choices = [network(k, units=40) for k in (1.0, 2.0, 3.0)]
    choices[0].save(path)
    stop = threading.Event()

    def keep_saving(one):
        while not stop.is_set():
            one.save(path)

    writers = [threading.Thread(target=keep_saving, args=(one,)) for one in choices]
    for writer in writers:
        writer.start()
    try:
        for _ in range(60):
            assert ktc.load(path) in choices
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert names_in(tmp_path) == ["shared.npz"]


def test_file_and_folder_are_flushed_before_save_returns(tmp_path, monkeypatch):
    flushed = []
    fsync = os.fsync

    def spy(handle):
        flushed.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    network().save(tmp_path / "y.npz")
    assert flushed == ([False, True] if hasattr(os, "O_DIRECTORY") else [False])


KILLED = """
import os, signal, sys
import ktc
from ktc._base import files
def dies(file, arrays):
    file.write(b"half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
files.write_archive = dies
ktc.Network(2.0, 1.0).save(sys.argv[1])
"""


@posix
def test_killed_while_it_saves(tmp_path):
    network(1.0).save(tmp_path / "y.npz")
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "y.npz"], check=False)
    assert done.returncode < 0
    assert ktc.load(tmp_path / "y.npz") == network(1.0)
    network(3.0).save(tmp_path / "y.npz")
    assert ktc.load(tmp_path / "y.npz") == network(3.0)


@posix
def test_an_error_while_it_saves_leaves_no_trace(tmp_path, monkeypatch):
    network(1.0).save(tmp_path / "y.npz")

    def interrupted(file, arrays):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("ktc._base.files.write_archive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network(2.0).save(tmp_path / "y.npz")
    monkeypatch.undo()
    assert ktc.load(tmp_path / "y.npz") == network(1.0)
    assert names_in(tmp_path) == ["y.npz"]


@posix
def test_no_file_handles_left_is_no_damage(tmp_path):
    """The file is whole, so that the message must not send the user to a backup."""
    path = tmp_path / "y.npz"
    ktc.Emulator(network(), replicas=2, seed=1).save(path)
    found = reported(
        STARVED
        + """
import ktc, os
ktc.load(given[0])
held, found = hold_all_handles(), []
for spare in (0, 1):
    try:
        ktc.load(given[0])
        found.append("loaded")
    except OSError as error:
        found.append([type(error).__name__, error.errno])
    os.close(held.pop())
print(json.dumps(found))
""",
        str(path),
    )
    assert found == [["OSError", 24], "loaded"]
