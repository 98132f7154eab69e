"""Lines of a netlist and of the files that it includes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ktc._circuits.branch import CircuitError

BYTE_ORDER_MARK = "\ufeff"  # some editors begin a file with it
MOST_LINES = 1_000_000
MOST_BYTES = 100_000_000
MOST_FILES = 50  # each inside the one before

_INCLUDE = re.compile(
    r"\.(?P<command>include|incl|inc|lib)\s+(?P<file>'[^']+'|\"[^\"]+\"|\S+)(\s+(?P<section>\S+))?"
    r"\s*([;$].*)?",
    re.IGNORECASE,
)


class Line(NamedTuple):
    """A line without the space around it, its number from 1, and the included file it stands in."""

    text: str
    number: int
    file: str = ""

    def error(self, message: str, token: str) -> CircuitError:
        """Return an error about this line."""
        return CircuitError(message, token, self.number, self.file)


class Source:
    """Iterate over the lines of a netlist; lines of included files replace their command.

    Args:
        text: the netlist.
        folder: where included files lie; None to refuse them.
    """

    def __init__(self, text: str, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()
        self._open = [iter(_lines(text))]
        self._count = 0

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        while self._open:
            line = next(self._open[-1], None)
            if line is None:
                self._open.pop()
                continue
            self._count += 1
            if self._count > MOST_LINES:
                raise line.error(f"the netlist has more than {MOST_LINES:,} lines", line.text)
            return line
        raise StopIteration

    def include(self, line: Line) -> bool:
        """Read the file that a line includes, if it is such a line, before the lines after it."""
        found = _INCLUDE.fullmatch(line.text)
        if not found:
            return False
        path = self._path(line, found["file"].strip("'\""))
        if len(self._open) > MOST_FILES:
            raise line.error(f"more than {MOST_FILES} files include one another", found["file"])
        text = read_text(path, lambda reason: line.error(reason, found["file"]))
        lines = list(_lines(text, path.name))
        if found["section"]:
            lines = _section(line, lines, found["section"])
        self._open.append(iter(lines))
        return True

    def _path(self, line: Line, name: str) -> Path:
        if self._folder is None:
            raise line.error(
                f"a netlist given as text includes no files: read it by ktc.Circuit.from_file, or "
                f"put the lines of {name!r} in place of this one",
                name,
            )
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise line.error(
                f"{name!r} lies outside the folder of the netlist; move it there", name
            )
        return path


def read_text(path: Path, error: Callable[[str], Exception]) -> str:
    """Return the text of a file; raise ``error(reason)`` where it cannot be read."""
    if not path.is_file():
        raise error(f"{str(path)!r} is no file")
    if path.stat().st_size > MOST_BYTES:
        raise error(f"{str(path)!r} has more than {MOST_BYTES:,} bytes")
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as reason:
        raise error(f"cannot read {str(path)!r}: {reason.strerror}") from None


def _lines(text: str, file: str = "") -> Iterator[Line]:
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix(BYTE_ORDER_MARK)), 1):
        yield Line(line.strip(), number, file)


def _section(line: Line, lines: list[Line], name: str) -> list[Line]:
    """The lines of a library between ``.lib name`` and ``.endl``."""
    found: list[Line] = []
    inside = False
    for each in lines:
        words = each.text.lower().split()
        if words[:2] == [".lib", name.lower()] and len(words) == 2:
            inside = True
        elif inside and words[:1] == [".endl"]:
            return found
        elif inside:
            found.append(each)
    raise line.error(f"the library has no section {name!r} that .endl ends", name)
