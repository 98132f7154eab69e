"""Replacement of a file as a whole: readers see the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def as_path(path: object, name: str = "path") -> str:
    """Return the name of a file as text; a number would be a file that is open."""
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        kind = type(path).__name__
        raise TypeError(f"{name} must be a str or a path, but is {kind}") from None
    if "\0" in text:
        raise ValueError(f"{name} must not contain a null character, but is {text!r}")
    return text


@contextmanager
def named(path: str | os.PathLike[str], *others: Path) -> Iterator[None]:
    """Name a file in errors of the system that name none, such as of a full disk, or ``others``."""
    try:
        yield
    except OSError as error:
        nameless = error.filename is None or error.filename in map(os.fspath, others)
        if error.errno is None or error.errno == errno.EEXIST or not nameless:
            raise
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without an error.

    It is written under a name of its own in the same folder, flushed to the disk, and renamed.
    A symbolic link stays, and what it points to is replaced. A file that exists keeps its mode and,
    where this process may set them, its owner and group.

    Raises:
        ValueError: ``path`` is a folder, a device, a pipe, or a socket.
        OSError: the file cannot be written; what was there stays.
    """
    target = Path(os.path.realpath(as_path(path)))
    before = _regular(path, target)
    made = target.with_name(f".ktc-{os.urandom(8).hex()}.partial")
    # O_EXCL refuses an existing name, also a link that somebody else has made. Nobody else may read
    # the file before its mode is set, because it may replace a private one.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with named(path, made):
        handle = os.open(made, flags, 0o666 if before is None else 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                if before is not None:
                    _keep_access(file.fileno(), before)
                os.fsync(file.fileno())
            made.replace(target)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    _flush_folder(target.parent)


def _regular(path: str | os.PathLike[str], target: Path) -> os.stat_result | None:
    """Return the status of the file to replace, or None if there is none."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise ValueError(f"{os.fspath(path)} is {what}; choose the name of a file")
    return found


def _keep_access(handle: int, before: os.stat_result) -> None:
    """Set owner and mode of an open file, whatever its name points to by now."""
    if hasattr(os, "fchown"):
        with suppress(PermissionError):
            os.fchown(handle, before.st_uid, before.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(handle, stat.S_IMODE(before.st_mode))


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a loss of power, where folders can be flushed."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    # Some network file systems refuse it, and the file is complete by now.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
