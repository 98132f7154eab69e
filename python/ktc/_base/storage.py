"""Files that runs, fits and emulators are saved to: NumPy archives with a versioned header."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ktc._base.files import VERSION as VERSION
from ktc._base.validation import Array

FORMAT = 3


def save(
    path: str | os.PathLike[str],
    kind: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, Array],
) -> None:
    """Writes one object; a file that was there is replaced only when the new one is whole."""
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise TypeError(f"{name} must be numbers to be saved, but is {type(array).__name__}")
    target = Path(path)
    known = {"kind": kind, "format": FORMAT, "version": VERSION, "arrays": list(arrays)}
    entries: dict[str, Any] = {"header": np.array(json.dumps({**known, **header})), **arrays}
    partial = target.with_name(target.name + ".partial")
    try:
        with open(partial, "wb") as file:
            np.savez(file, **entries)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def load(
    path: str | os.PathLike[str], kind: str, resumes: bool = False
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Reads what ``save`` wrote.

    Args:
        path: the file.
        kind: what it must hold.
        resumes: whether it is to go on with the same bits, which only its own minor version
            promises.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a folder, a file that is truncated or damaged, of another kind, of another
            format, or of another version where it ``resumes``.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder, not a ktc file; name the file in it")
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not hasattr(archive, "files"):
                raise ValueError("it is a single array")
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(str(arrays.pop("header")))
        found = (header["kind"], header["format"])
        made_by, entries = str(header["version"]), set(header["arrays"])
    except FileNotFoundError:
        raise
    # A damaged directory may also ask for encryption or an unknown compression: RuntimeError.
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(
            f"{path} is not a whole ktc file ({error}); it may be truncated: save it again"
        ) from None
    if found[0] != kind:
        raise ValueError(f"{path} holds a {found[0]}, not a {kind}; load it as what it is")
    if found[1] != FORMAT:
        raise ValueError(
            f"{path} has format {found[1]}, written by ktc {made_by}, "
            f"but this version reads format {FORMAT}; load it with that version"
        )
    if resumes and _minor(made_by) != _minor(VERSION):
        raise ValueError(
            f"{path} was written by ktc {made_by}, but this is ktc {VERSION}, whose results may "
            f"differ: it could not go on with the same bits; load it with ktc {made_by}"
        )
    if entries != set(arrays):
        raise ValueError(
            f"{path} is not a whole ktc file (its entries are not those that were saved); "
            "it may be damaged: save it again"
        )
    return header, arrays


@contextmanager
def rebuilding(path: str | os.PathLike[str]) -> Iterator[None]:
    """The block makes an object of what ``load`` read; what stops it is the file's fault.

    Raises:
        ValueError: entries that are missing, of a wrong type, or of no such object.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{path} is not a whole ktc file, nothing can be made of its entries ({what}); "
            "it may have been edited: save it again"
        ) from error


def part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Any]:
    """The arrays whose names start with ``prefix``, by the rest of their names."""
    return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}


def _minor(version: str) -> list[str]:
    """Results of one seed may change from one of these to the next."""
    return version.split(".")[:2]
