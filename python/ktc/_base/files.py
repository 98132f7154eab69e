"""Files of single objects: NumPy archives with a header in JSON, without pickles.

The entry "header" holds the version of the format, the version of ktc, and the record of the
object. An array of the record lies in an entry of its own, named by its place in the record.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np

from ktc import _core
from ktc._base.archive import Archive, of_machine, opened, write_archive
from ktc._base.codec import KIND, MISFITS, Record, RecordError, from_record, kind_named, to_record
from ktc._base.replace_file import replacing

FilePath: TypeAlias = str | os.PathLike[str]
T = TypeVar("T")

FORMAT = 6
VERSION = _core.version()
HEADER = "header"

# A damaged directory may also ask for encryption or for an unknown compression: RuntimeError.
DAMAGES = (*MISFITS, OSError, EOFError, RuntimeError, zipfile.BadZipFile)


class Storable:
    """Mixin: an object that can be saved to a file, and loaded from it."""

    def save(self, path: FilePath) -> None:
        """Save everything to a file, with the versions of its format and of ktc.

        A file of that name is replaced as a whole, once the new one is complete and on the disk: a
        link to it stays, and so does its mode. Of several writers, the last one counts.

        Raises:
            TypeError: a part of no kind that ktc can save, such as a subclass of Network.
            ValueError: ``path`` is a folder, a device, or a pipe.
            OSError: the file cannot be written; what was there stays.
        """
        save(path, self)

    @classmethod
    def load(cls, path: FilePath) -> Self:
        """The object that was saved.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is damaged, of another kind, or of another format.
        """
        return load_as(path, cls)


def save(path: FilePath, value: object) -> None:
    """Write one object of a registered kind."""
    tree, arrays = to_record(value)
    header = {"format": FORMAT, "version": VERSION, "arrays": list(arrays), "record": tree}
    with replacing(path) as file:
        write_archive(file, {**arrays, HEADER: np.array(json.dumps(header))})


def load(path: FilePath) -> Any:
    """Load what ``save`` of any object of ktc wrote: a network, a protocol, an emulator, a run, …

    Args:
        path: the file.

    Returns:
        An object of the kind that was saved.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is damaged, or of a format that this version does not read; an
            emulator of another minor version, which could not go on with the same bits.

    Example:
        >>> import ktc
        >>> import os, tempfile
        >>> network = ktc.Network(stiffness=2.0, friction=1.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     network.save(os.path.join(folder, "network.npz"))
        ...     loaded = ktc.load(os.path.join(folder, "network.npz"))
        >>> loaded == network
        True
    """
    return load_as(path, object)


def load_as(path: FilePath, cls: type[T], **options: Any) -> T:
    """Load an object of a class."""
    with opened(path) as file:
        with damage_in(path):
            archive = Archive(file)
            if HEADER not in archive:
                raise ValueError("it has no header, as every file that ktc saved has")
            header = json.loads(str(archive[HEADER]))
            made_with, found_format = str(header["version"]), header["format"]
        if found_format != FORMAT:
            fix = f"load it with ktc {made_with}"
            if made_with == VERSION:
                fix = "a development version wrote it; run again what was saved"
            raise ValueError(
                f"{path} has format {found_format}, which ktc {made_with} wrote, but ktc {VERSION} "
                f"reads format {FORMAT}; {fix}"
            )
        with damage_in(path):
            tree = header["record"]
            name = tree[KIND]
        _require_kind(path, name, cls, made_with)
        with damage_in(path):
            if {HEADER, *header["arrays"]} != set(archive):
                raise ValueError("its entries are not those that were saved")
            # Numbers that overflow were never saved.
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                made: T = from_record(Record(tree, archive), **options)
    return made


def _require_kind(path: FilePath, name: object, cls: type, made_with: str) -> None:
    """Refuse a file of another kind, or one of another version where bits depend on it."""
    kind = kind_named(name)
    if kind is None:
        raise ValueError(
            f"{path} holds an object of kind {name!r}, which ktc {VERSION} does not know; it is "
            f"corrupt, or needs ktc {made_with}"
        )
    if not issubclass(kind.type, cls):
        raise ValueError(
            f"{path} holds an object of kind {name!r}, not {cls.__name__!r}; use ktc.load(path), "
            "which loads any kind"
        )
    if kind.resumes and _minor(made_with) != _minor(VERSION):
        raise ValueError(
            f"{path} was written by ktc {made_with}, but this is ktc {VERSION}, whose results may "
            f"differ: it could not go on with the same bits; load it with ktc {made_with}"
        )


@contextmanager
def damage_in(path: FilePath) -> Iterator[None]:
    """Report errors of the block as faults of the file, but for those of the machine."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{path} does not fit into the memory that is available") from error
    except DAMAGES as error:
        if of_machine(error):
            raise
        plain = type(error) in (ValueError, RecordError)
        told = str(error) if plain else f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{path} is corrupt or truncated ({told}); regenerate it or restore a backup"
        ) from error


def _minor(version: str) -> list[str]:
    """Results of one seed may change from one of these to the next."""
    return version.split(".")[:2]
