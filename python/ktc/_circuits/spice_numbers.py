"""Numbers with engineering suffixes, as SPICE writes them."""

from __future__ import annotations

import math
import re

#: Powers of ten of the engineering suffixes; case does not matter.
SUFFIXES = {"a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6}
SUFFIXES |= {"m": -3, "k": 3, "meg": 6, "g": 9, "t": 12}
MIL = 25.4e-6  # a thousandth of an inch

#: A number without a sign: digits, an optional exponent, then letters, or a suffix as the decimal
#: point (4k7).
UNSIGNED = (
    r"(?P<digits>[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD](?P<power>[+-]?[0-9]+))?"
    r"(?:(?P<point>[mM][eE][gG]|[a-zA-Zµμ])(?P<decimals>[0-9]+))?"
    r"(?P<letters>[^\W\d_]*)"
)

_NUMBER = re.compile(rf"(?P<sign>[+-]?){UNSIGNED}")
#: What simulators read in several ways, or none as it looks, and what to write instead.
_AMBIGUOUS = [
    (re.compile("(?i:micro)"), "SPICE reads micro as milli; write u"),
    (re.compile("(?i:milli)"), "SPICE reads milli as mil, 25.4e-6; write m"),
    (re.compile("(?i:x)"), "x is mega in some simulators and nothing in others; write meg"),
    (re.compile("M(?i:ohm|hz|Ω)"), "M is milli in SPICE; write meg, or e-3"),
    (re.compile("M[0-9]"), "M is milli in SPICE; write meg or m"),
    (re.compile(r"(?i:a(mp.*)?\^?$)"), "a is atto in some simulators and a unit in others; "
     "write e-18, or leave it out"),
    (re.compile("(?i:farad)"), "f is femto in SPICE; leave out the unit"),
    (re.compile(r"(?i:f\^)"), "f is femto in SPICE, also after an exponent; leave out F"),
]  # fmt: skip


def parse_number(text: str) -> float:
    """Read a number, an optional suffix a f p n u m k meg g t or mil, and letters that are ignored.

    As in SPICE, ``1F`` is a femto and ``1M`` a milli; ``4k7`` is 4700 and ``2r2`` is 2.2. The
    suffix a, atto, needs a unit after it. What simulators read in different ways is refused.

    Source: Nagel (1975), SPICE2, UC Berkeley memorandum ERL-M520, appendix 1; Vogt et al., Ngspice
    User's Manual version 44, section 2.1.3.
    """
    found = _NUMBER.fullmatch(text)
    if not found or (found["letters"][:1] in ("e", "E") and found["power"] is None):
        raise _not_a_number(text)
    _refuse_ambiguous(text, found)
    letters = f"{found['point'] or ''}{found['letters']}".lower()
    exponent = found["power"] or "0"
    # int() refuses thousands of digits; any exponent this long is out of range anyway.
    power = int(exponent) if len(exponent) < 8 else math.copysign(10**7, float(exponent))
    suffix = "meg" if letters.startswith("meg") else letters[:1]
    mantissa, scale = found["sign"] + found["digits"], 1.0
    if found["point"]:
        whole = found["digits"].isdigit() and found["power"] is None
        if not whole or suffix not in (*SUFFIXES, "r"):
            raise _not_a_number(text)
        mantissa += f".{found['decimals']}"
    if letters.startswith("mil"):
        scale = MIL
    else:
        power += SUFFIXES.get(suffix, 0)
    # One conversion of the whole decimal, so that 680p is the double nearest to 6.8e-10.
    value = float(f"{mantissa}e{power:.0f}") * scale
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is beyond the range of double precision")
    return value


def _refuse_ambiguous(text: str, found: re.Match[str]) -> None:
    # A digit marks a suffix as the decimal point, and a caret an exponent.
    point = f"{found['point']}0" if found["point"] else ""
    marked = point + found["letters"] + "^" * (found["power"] is not None)
    for pattern, fix in _AMBIGUOUS if marked else ():
        if pattern.match(marked):
            raise ValueError(f"{text!r} is an ambiguous number: {fix}")


def _not_a_number(text: str) -> ValueError:
    return ValueError(
        f"{text!r} is not a number; write one such as 4.7, 1e-9 or 10meg (suffixes f p n u m k "
        "meg g t, then a unit in letters)"
    )
