"""Products and quotients of unit symbols, such as J·s/V²."""

from __future__ import annotations

import re
from collections import Counter

DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
#: A symbol with its power, written as V², V^2 or V**2.
SYMBOL = r"[^\W\d][^\s·*/^()⁰¹²³⁴⁵⁶⁷⁸⁹⁻]*|[^\s\w·*/^()]"
POWER = r"(?:\^|\*\*)(-?\d+)|([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
FACTOR = re.compile(f"({SYMBOL})(?:{POWER})?")
SEPARATOR = re.compile(r"\s*(?:·|(?<!\*)\*(?!\*))\s*|\s+")


def product(one: str, other: str) -> str:
    """The unit of a product."""
    powers = _powers(one)
    powers.update(_powers(other))
    return _written(powers)


def quotient(one: str, other: str) -> str:
    """The unit of a quotient."""
    powers = _powers(one)
    powers.subtract(_powers(other))
    return _written(powers)


def _powers(unit: str) -> Counter[str]:
    """Powers of the symbols in a unit; of one that is not understood, itself."""
    above, *below = unit.split("/")
    found: Counter[str] = Counter()
    for part, sign in ((above, 1), *((one, -1) for one in below)):
        text = part.strip()
        if sign < 0 and text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        for factor in filter(None, SEPARATOR.split(text)):
            match = FACTOR.fullmatch(factor)
            if match is not None:
                power = int((match[2] or match[3] or "1").translate(DIGITS))
                found[match[1]] += sign * power
            elif factor != "1":
                return Counter({unit: 1})
    return found


def _written(powers: Counter[str]) -> str:
    above, below = (
        [_raised(name, sign * power) for name, power in powers.items() if sign * power > 0]
        for sign in (1, -1)
    )
    if not below:
        return "·".join(above)
    over = "·".join(below)
    return f"{'·'.join(above) or 1}/{f'({over})' if len(below) > 1 else over}"


def _raised(name: str, power: int) -> str:
    return name if power == 1 else name + str(power).translate(RAISED)
