"""Records on disk: NumPy files of known size, written point by point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike

from ktc._base.files import FilePath
from ktc._base.replace_file import as_path, named
from ktc._base.resources import disk
from ktc._base.validation import Array

# Bytes of a .npy file of version 1.0 before the text of its header: magic string, version, length.
MAGIC = 10


class RecordFile:
    """A ``.npy`` file of doubles, shape (points, ...), whose points are written in order.

    It has its whole length from the start, and its header says how many points are written: what a
    stop, a full disk or a kill leaves is a file of the points so far. Points are written to the
    file and not through a memory map: maps count as memory of the process, and a disk that fills up
    would end it by a signal.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self._shape = path, shape
        self._points = 0
        with named(path):
            self._file = open(path, "w+b", buffering=0)  # noqa: SIM115  # closed by close()
            try:
                self._begin()
            except BaseException:
                self._file.close()
                path.unlink()
                raise

    def write(self, values: ArrayLike) -> None:
        """Write the next point."""
        left = np.ascontiguousarray(values, dtype=np.float64).data.cast("B")
        with named(self.path):
            while left:
                left = left[self._file.write(left) :]
            self._points += 1
            end = self._file.tell()
            self._count()
            self._file.seek(end)

    def close(self) -> Array:
        """Close the file, cut to the points that were written; return a read-only memory map."""
        with self._file, named(self.path):
            self._file.truncate(self._start + 8 * self._points * math.prod(self._shape[1:]))
        if self._points == 0:
            return np.empty((0, *self._shape[1:]))
        series: Array = npy.open_memmap(self.path, mode="r")
        return series

    def _begin(self) -> None:
        """Write a header that has room for the number of all points, and give the file its size."""
        kind = npy.dtype_to_descr(np.dtype(np.float64))
        header = {"descr": kind, "fortran_order": False, "shape": self._shape}
        npy.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()
        self._file.truncate(self._start + 8 * math.prod(self._shape))
        self._file.seek(0)
        self._magic = self._file.read(MAGIC)
        self._count()
        self._file.seek(self._start)

    def _count(self) -> None:
        """Write the header of the points so far."""
        kind = npy.dtype_to_descr(np.dtype(np.float64))
        shape = (self._points, *self._shape[1:])
        header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}"
        header = header.ljust(self._start - MAGIC - 1) + "\n"
        self._file.seek(0)
        self._file.write(self._magic + header.encode("latin1"))


def record_files(
    to: FilePath, shapes: Mapping[str, tuple[int, ...]], overwrite: bool
) -> dict[str, RecordFile]:
    """Create ``<to>/<name>.npy`` of the given shapes, or ``to`` itself if it ends in .npy."""
    target = Path(as_path(to, "to"))
    if not shapes:
        raise ValueError(
            f"to is {str(to)!r}, but nothing is recorded; name quantities with record="
        )
    paths = _paths(target, list(shapes))
    existing = [path for path in paths.values() if path.exists()]
    if existing and not overwrite:
        raise FileExistsError(
            f"{existing[0]} exists; choose another place, or pass overwrite=True to replace it"
        )
    size = 8 * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values())
    home = next(p for p in (target, *target.absolute().parents) if p.is_dir())
    free = disk(home) + sum(path.stat().st_size for path in existing)
    if size > free:
        raise OSError(
            f"records of {1e-9 * size:.3g} GB do not fit {target}, where {1e-9 * free:.3g} GB are "
            "free; record less often (every), less, or elsewhere"
        )
    if target.suffix != ".npy":
        target.mkdir(parents=True, exist_ok=True)
    files: dict[str, RecordFile] = {}
    with ExitStack() as opened:
        for name, path in paths.items():
            files[name] = RecordFile(path, shapes[name])
            opened.callback(files[name].close)
        opened.pop_all()
    return files


def _paths(target: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where the record of each quantity goes."""
    if target.suffix != ".npy":
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(f"{target} is a file; name a folder, or a file x.npy")
        return {name: target / f"{name}.npy" for name in names}
    if len(names) > 1:
        raise ValueError(
            f"to must be a folder for {len(names)} quantities, but is the file {str(target)!r}"
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(f"the folder of {target} does not exist; make it first")
    return {names[0]: target}
