"""Numeric tables in text files: one row per sample, one column per cell."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array

#: Words for a missing value, in lower case.
MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")


class Table(NamedTuple):
    """Numeric table of shape (rows, columns); the name of a column without one is ""."""

    names: tuple[str, ...]
    values: Array

    def label(self, column: int) -> str:
        """Name of a column, or its number counted from 1."""
        return self.names[column] or f"column {column + 1}"


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a numeric table.

    Values are separated by tabs, semicolons, commas or blanks: the first of these that occurs in
    the first row. They may be quoted. A first row without numbers names the columns. Empty lines
    and lines that start with # are skipped. The file is UTF-8, with or without a byte-order mark,
    and any line ends.
    """
    try:
        with open(path, encoding="utf-8-sig", newline=None) as file:
            lines = file.read().split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8 text"
        ) from None
    rows = list(_rows(path, lines))
    if not rows:
        raise ValueError(f"{path} is empty; it must have at least one row of numbers")
    names = ("",) * len(rows[0][1])
    if _is_header(rows[0][1]):
        names = tuple(rows.pop(0)[1])
    if not rows:
        raise ValueError(f"{path} has names of columns but no row of numbers")
    return Table(names, np.array([_numbers(path, line, cells, names) for line, cells in rows]))


def _rows(path: str | os.PathLike[str], lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not skipped, with the number of the line in which each starts."""
    # Comments become empty lines, so that line numbers stay those of the file.
    kept = ["\n" if line.lstrip().startswith("#") else line.strip(" ") + "\n" for line in lines]
    first = re.sub(r'"[^"]*"', "", next((line for line in kept if line.strip()), ""))
    separator = next((mark for mark in "\t;," if mark in first), " ")
    if separator == " ":
        kept = [line.replace("\t", " ") for line in kept]
    reader = csv.reader(kept, delimiter=separator, skipinitialspace=True, strict=True)
    start = 1
    try:
        for row in reader:
            if row:
                yield start, [cell.strip() for cell in row]
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {start}: {error}") from None


def _numbers(
    path: str | os.PathLike[str], line: int, cells: list[str], names: tuple[str, ...]
) -> list[float]:
    if len(cells) != len(names):
        raise ValueError(
            f"{path}, line {line}: the first row has {len(names)} columns, but this one "
            f"{len(cells)}; every row needs the same number"
        )
    for column, cell in enumerate(cells):
        if not _is_number(cell):
            name = f" ({names[column]!r})" if names[column] else ""
            where = f"{path}, line {line}, column {column + 1}{name}"
            if cell.lower() in MISSING:
                raise ValueError(f"{where}: the value is missing; fill it in or drop the row")
            hint = "; use a point as decimal mark" if re.fullmatch(r"[-+]?\d+,\d+", cell) else ""
            raise ValueError(f"{where}: {cell!r} is not a finite number{hint}")
    return [float(cell) for cell in cells]


def _is_header(cells: list[str]) -> bool:
    """Whether a first row gives names: it has a word, and no number."""
    words = any(cell.lower() not in MISSING for cell in cells)
    return words and not any(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell))) and "_" not in cell
    except ValueError:
        return False
