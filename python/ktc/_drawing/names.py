"""Names given by users, as text in a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: A longer name is cut.
LONGEST = 24

FEW_SIGNS = "column; a number where the font lacks a sign of its name"


def plain(text: str) -> str:
    """``text`` literally: a dollar sign starts no formula."""
    return text.replace("$", r"\$")


def column_names(columns: Sequence[str]) -> tuple[list[str], str]:
    """Labels of the columns, and the label of their axis.

    Names that the font cannot write are replaced by the column's number, counted from 1, and long
    ones are cut.
    """
    known = _signs()
    names, label = [], "column"
    for number, column in enumerate(columns, 1):
        name = re.sub(r"\s+", " ", column)
        if not known.issuperset(map(ord, name)):
            name, label = str(number), FEW_SIGNS
        names.append(plain(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"))
    return names, label


def _signs() -> set[int]:
    """All characters of matplotlib's font and its fallbacks."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    signs: set[int] = set()
    for family in FontProperties().get_family():
        signs |= set(get_font(findfont(FontProperties(family=[family]))).get_charmap())
    return signs
