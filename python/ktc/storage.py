"""Files that runs, fits and emulators are saved to: NumPy archives with a versioned header."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ktc.checks import Array

FORMAT = 1
VERSION = version("ktc")


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


def load(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Reads what ``save`` wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is truncated or damaged, of another kind, or of another format.
    """
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not hasattr(archive, "files"):
                raise ValueError("it is a single array")
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(str(arrays.pop("header")))
        found = (header["kind"], header["format"])
    except FileNotFoundError:
        raise
    # A damaged directory may also ask for encryption or an unknown compression: RuntimeError.
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is not a whole ktc file ({error}); it may be truncated: save it again"
        ) from None
    if found[0] != kind:
        raise ValueError(f"{path} holds a {found[0]}, not a {kind}; load it as what it is")
    if found[1] != FORMAT:
        raise ValueError(
            f"{path} has format {found[1]}, written by ktc {header.get('version')}, "
            f"but this version reads format {FORMAT}; load it with that version"
        )
    if set(header["arrays"]) != set(arrays):
        raise ValueError(
            f"{path} is not a whole ktc file (its entries are not those that were saved); "
            "it may be damaged: save it again"
        )
    return header, arrays


def part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Any]:
    """The arrays whose names start with ``prefix``, by the rest of their names."""
    return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
