"""Archives of arrays: NumPy's ``.npz`` without pickles, whose sizes are checked before reading.

Entries are stored, not compressed, so that no file asks for more memory than its own length.
"""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tokenize import TokenError
from typing import IO, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ktc._base.replace_file import as_path

SUFFIX = ".npy"
#: Kinds of numbers that ktc saves: booleans, integers, reals, and text.
KINDS = "biufU"
#: Errors that come from the machine, not from the content of a file.
OF_MACHINE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EINTR, errno.ESTALE}


class Archive(Mapping[str, NDArray[np.generic]]):
    """The arrays of an open archive, by name; each is read when it is asked for.

    Raises:
        ValueError: entries that are compressed, overlap, or claim another size than they have.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            name = entry.filename.removesuffix(SUFFIX)
            if name in self._entries or not entry.filename.endswith(SUFFIX):
                raise ValueError(f"entry {entry.filename!r} is no array, or is there twice")
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
                raise ValueError(f"entry {name!r} is compressed or encrypted; ktc stores it as is")
            self._entries[name] = entry
        length = os.fstat(file.fileno()).st_size
        if sum(entry.file_size for entry in self._entries.values()) > length:
            raise ValueError(f"its entries claim more than the {length} bytes of the file")

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        entry = self._entries[name]
        with self._zip.open(entry) as file:
            dtype, shape = _described(file, name)
            left = entry.file_size - file.tell()
            # Python's integers do not overflow, whatever the shape claims.
            size = dtype.itemsize
            for length in shape:
                size *= length
            if min((*shape, 0)) < 0 or size != left:
                raise ValueError(f"entry {name!r} claims shape {shape}, but has {left} bytes")
        with self._zip.open(entry) as file:
            array: NDArray[np.generic] = npy.read_array(file, allow_pickle=False)
        return array


def write_archive(file: BinaryIO, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays by name; equal arrays make equal bytes, as entries carry no date."""
    archive = zipfile.ZipFile(file, "w")
    try:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(name + SUFFIX), "w", force_zip64=True) as entry:
                npy.write_array(entry, array, allow_pickle=False)
        archive.close()
    except BaseException:
        # Closing half of an entry would raise a ValueError in place of what went wrong.
        archive.fp = None
        raise


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a regular file for reading; a pipe would wait for ever, and a device has no end.

    Raises:
        ValueError: not a regular file.
        OSError: no such file, or one that cannot be read.
    """
    mode = os.stat(as_path(path)).st_mode
    if not stat.S_ISREG(mode):
        if stat.S_ISDIR(mode):
            raise ValueError(f"{path!s} is a folder, not a ktc file; pass the name of a file in it")
        raise ValueError(f"{path!s} is not a regular file; pass the name of a ktc file")
    with open(path, "rb") as file:
        yield file


def of_machine(error: BaseException) -> bool:
    """Whether an error tells of the machine, such as no file handles, rather than of a file."""
    return isinstance(error, OSError) and error.errno in OF_MACHINE


def _described(file: IO[bytes], name: str) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """Read the header of an array."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"entry {name!r} has version {version} of NumPy's format, not 1.0 or 2.0")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except (SyntaxError, TokenError) as error:
        raise ValueError(f"entry {name!r} has no header of NumPy's format ({error})") from None
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        raise ValueError(f"entry {name!r} has dtype {dtype}, which ktc does not save")
    return dtype, shape
