"""Text in a figure: units with readable prefixes, and names given by users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import interrupts_deferred

PREFIXES = {
    -30: "q", -27: "r", -24: "y", -21: "z", -18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m",
    0: "",
    3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E", 21: "Z", 24: "Y", 27: "R", 30: "Q",
}  # fmt: skip


class Scale(NamedTuple):
    """Factor and unit of the numbers on an axis."""

    factor: float
    unit: str

    def label(self, text: str) -> str:
        """``text`` with the unit in brackets, if there is one."""
        return f"{text} [{self.unit}]" if self.unit else text

    def number(self, value: float) -> str:
        """Return one value with its unit, to three digits."""
        return f"{value * self.factor:.3g} {self.unit}".rstrip()

    def per(self, other: Scale) -> Scale:
        """Return the scale of quotients of numbers in this scale and the other."""
        if not (self.unit and other.unit):
            return Scale(self.factor / other.factor, self.unit)
        inverse = self.unit.startswith("1/")
        unit = f"1/({self.unit[2:]}·{other.unit})" if inverse else f"{self.unit}/{other.unit}"
        return Scale(self.factor / other.factor, unit)


def scale_of(values: ArrayLike, unit: str) -> Scale:
    """Return the scale for values in ``unit`` by the largest of them; no prefix for an empty unit.

    The unit may be inverse, "1/F", or one of two, "C or Wb".
    """
    largest = float(np.max(np.abs(np.asarray(values, dtype=np.float64)), initial=0.0))
    if not unit or not 0 < largest < np.inf:
        return Scale(1.0, unit)
    exponent = 3 * int(np.floor(np.log10(largest) / 3 + 1e-9))
    choices = unit.split(" or ")
    inverse = unit.startswith("1/")
    prefix = PREFIXES.get(-exponent if inverse else exponent)
    if prefix is None:
        return Scale(1.0, unit)
    named = [f"1/{prefix}{one[2:]}" if inverse else prefix + one for one in choices]
    return Scale(float(f"1e{-exponent}"), " or ".join(named))


#: Longer names are truncated.
LONGEST = 24

MISSING_GLYPHS = "column (number where the font cannot write its name)"


def plain(text: str) -> str:
    """``text`` literally: a dollar sign starts no formula."""
    return text.replace("$", r"\$")


def column_names(columns: Sequence[str]) -> tuple[list[str], str]:
    """Labels of the columns, and the label of their axis.

    A name that the font cannot write is replaced by the number of the column, counted from 1. Long
    names are truncated.
    """
    known = _characters()
    names, label = [], "column"
    for number, column in enumerate(columns, 1):
        name = re.sub(r"\s+", " ", column)
        if not known.issuperset(map(ord, name)):
            name, label = str(number), MISSING_GLYPHS
        names.append(plain(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"))
    return names, label


def _characters() -> set[int]:
    """All characters of matplotlib's font and its fallbacks."""
    with interrupts_deferred():
        from matplotlib.font_manager import FontProperties, findfont, get_font

    characters: set[int] = set()
    for family in FontProperties().get_family():
        characters |= set(get_font(findfont(FontProperties(family=[family]))).get_charmap())
    return characters
