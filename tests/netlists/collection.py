"""The files of the collection, what their comments say, and the values that ngspice found.

Comments at the start of a line:

- ``* output: out``: the node whose noise is compared; every accepted file has one.
- ``* decades: 100 10k``: first and last frequency, decades apart.
- ``* refused: line 3, part of the message``: the file is refused, for this reason.
- ``* ngspice: R1 a b 4.7k``: what ngspice gets in place of the next line; / stands between two
  lines. ngspice 39 does not read some notations that ktc does.

One source has "ac" and is the input. A file without such a source gets a current into its output.
"""

from __future__ import annotations

import cmath
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import ktc

FOLDER = Path(__file__).parent
REFERENCE = FOLDER / "reference.json"
PROBE = "Iprobe"


@dataclass(frozen=True)
class Case:
    """A file of the collection."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def _told(self, key: str) -> str | None:
        found = re.search(rf"^\* {key}: (.*)$", self.text, re.MULTILINE)
        return found[1].strip() if found else None

    @property
    def refused(self) -> tuple[int, str] | None:
        """Line and a part of the message."""
        told = self._told("refused")
        if told is None:
            return None
        line, part = told.removeprefix("line ").split(", ", 1)
        return int(line), part

    @property
    def output(self) -> str:
        told = self._told("output")
        assert told, f"{self.path.name} names no output"
        return told

    @property
    def frequencies(self) -> list[float]:
        """One per decade [Hz]."""
        first, last = map(_number, (self._told("decades") or "10 100k").split())
        count = 1
        while first * 10**count < last * 1.001:
            count += 1
        return [first * 10.0**k for k in range(count)]

    @property
    def source(self) -> str | None:
        """The source with "ac"; its name in a subcircuit is that of the circuit."""
        told = self._told("source")
        found = re.search(r"^([vi]\S*)\s.*\bac\b", self.text, re.MULTILINE | re.IGNORECASE)
        return told or (found[1] if found else None)

    @property
    def amplitude(self) -> complex:
        """The phasor of the input, after "ac"."""
        found = re.search(r"\bac([ \t]+[\d.]+)?([ \t]+-?[\d.]+)?", self.text, re.IGNORECASE)
        size, degrees = found.groups() if found and self.source else (None, None)
        return cmath.rect(float(size or 1), math.radians(float(degrees or 0)))


def _number(text: str) -> float:
    text = text.lower()
    digits = text.rstrip("kmeg")
    return float(digits) * {"": 1.0, "k": 1e3, "meg": 1e6, "m": 1e-3, "g": 1e9}[text[len(digits) :]]


CASES = [Case(path) for path in sorted(FOLDER.glob("*.cir"))]
ACCEPTED = [case for case in CASES if case.refused is None]
REFUSED = [case for case in CASES if case.refused is not None]


def circuit(case: Case) -> ktc.Circuit:
    """The circuit of a case, with its input."""
    made = ktc.Circuit.from_file(case.path, waveforms="drive")
    return made if case.source else made.add(PROBE, 0, case.output, 0.0)
