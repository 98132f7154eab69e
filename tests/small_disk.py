"""A small file system of its own, for tests of full disks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KILOBYTES = 256


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 256 kB in memory on a folder; skip the test where that is refused."""
    if shutil.which("mount") is None:
        pytest.skip("no command mount")
    options = ["-t", "tmpfs", "-o", f"size={KILOBYTES}k", "tmpfs", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def filled(folder: Path, spare: int = 0) -> None:
    """Fill a disk but for so many bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\1" * 4096)
        except OSError:
            pass
        file.truncate(max(0, ballast.stat().st_size - spare))
