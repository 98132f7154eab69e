"""Numbers with engineering suffixes, as SPICE writes them."""

from __future__ import annotations

import math
import re

#: Powers of ten of the engineering suffixes; case does not matter.
SUFFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6}
SUFFIXES |= {"m": -3, "k": 3, "meg": 6, "g": 9, "t": 12}
MIL = 25.4e-6  # a thousandth of an inch

#: A number without a sign: digits, an optional exponent, then letters.
UNSIGNED = (
    r"(?P<digits>[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE](?P<power>[+-]?[0-9]+))?(?P<letters>[^\W\d_]*)"
)

_NUMBER = re.compile(rf"(?P<sign>[+-]?){UNSIGNED}")


def parse_number(text: str) -> float:
    """Read a number, an optional suffix f p n u m k meg g t or mil, and letters that are ignored.

    As in SPICE, ``1F`` is a femto, ``1M`` a milli and ``1A`` is one.

    Source: Nagel (1975), SPICE2, UC Berkeley memorandum ERL-M520, appendix 1.
    """
    found = _NUMBER.fullmatch(text)
    if not found or (found["letters"][:1] in ("e", "E") and found["power"] is None):
        raise ValueError(
            f"{text!r} is not a number; write one such as 4.7, 1e-9 or 10meg (suffixes f p n u m k "
            "meg g t, then a unit in letters)"
        )
    mantissa, letters = found["sign"] + found["digits"], found["letters"].lower()
    exponent = found["power"] or "0"
    # int() refuses thousands of digits; any exponent this long is out of range anyway.
    power = int(exponent) if len(exponent) < 8 else math.copysign(10**7, float(exponent))
    # One conversion of the whole decimal, so that 680p is the double nearest to 6.8e-10.
    if letters.startswith("mil"):
        value = float(f"{mantissa}e{power:.0f}") * MIL
    else:
        suffix = "meg" if letters.startswith("meg") else letters[:1]
        value = float(f"{mantissa}e{power + SUFFIXES.get(suffix, 0):.0f}")
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is beyond the range of double precision")
    return value
