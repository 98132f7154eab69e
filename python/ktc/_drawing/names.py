"""Names given by users, as text in a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    from matplotlib.font_manager import FontProperties, findfont, get_font

    characters: set[int] = set()
    for family in FontProperties().get_family():
        characters |= set(get_font(findfont(FontProperties(family=[family]))).get_charmap())
    return characters
