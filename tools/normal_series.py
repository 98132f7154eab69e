"""Derive cpp/kernels/normal_series.hpp: the coefficients of the transform to normals.

Usage: python tools/normal_series.py [--check]; writes the header, or exits with 1 if it differs.

A polynomial interpolates its function at Chebyshev points, which comes within a small factor of the
least maximum error (Trefethen, Approximation Theory and Approximation Practice, 2013). The greatest
relative errors, before any rounding, stand in the header.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import mpmath as mp  # type: ignore[import-untyped]

HEADER = Path(__file__).parent.parent / "cpp" / "kernels" / "normal_series.hpp"
#: Mantissas are divided into as many equal intervals.
INTERVALS = 16
#: Reciprocals have so few bits that their product with the upper half of a mantissa is exact.
RECIPROCAL_BITS = 12

Function = Callable[[mp.mpf], mp.mpf]


def interpolate(function: Function, low: mp.mpf, high: mp.mpf, terms: int) -> list[mp.mpf]:
    """Coefficients, lowest first, of the polynomial through the Chebyshev points of [low, high]."""
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle + half * mp.cospi(mp.mpf(2 * k + 1) / (2 * terms)) for k in range(terms)]
    powers = mp.matrix(terms, terms)
    for row, point in enumerate(points):
        for column in range(terms):
            powers[row, column] = point**column
    return list(mp.lu_solve(powers, mp.matrix([function(point) for point in points])))


def reciprocals() -> list[mp.mpf]:
    """1/m at the middle of each interval; ½ in the last, for exact digits just below 1."""
    scale = 2**RECIPROCAL_BITS
    middles = [1 + mp.mpf(2 * i + 1) / (2 * INTERVALS) for i in range(INTERVALS - 1)]
    return [mp.nint(scale / middle) / scale for middle in middles] + [mp.mpf(1) / 2]


def excesses() -> tuple[mp.mpf, mp.mpf]:
    """The least and the greatest m r − 1 over all intervals."""
    ends = [
        (1 + mp.mpf(i + end) / INTERVALS) * r - 1
        for i, r in enumerate(reciprocals())
        for end in (0, 1)
    ]
    return min(ends), max(ends)


def series(
    function: Function, low: mp.mpf, high: mp.mpf, terms: int, leading: list[int]
) -> tuple[list[mp.mpf], mp.mpf]:
    """Coefficients with the given leading ones kept exact, and the greatest relative error."""

    def remainder(x: mp.mpf) -> mp.mpf:
        return (function(x) - mp.polyval(leading[::-1], x)) / x ** len(leading)

    found = [mp.mpf(c) for c in leading]
    found += interpolate(remainder if leading else function, low, high, terms - len(leading))
    grid = [low + (high - low) * (k + mp.mpf(1) / 3) / 400 for k in range(400)]
    error = max(abs(mp.polyval(found[::-1], x) / function(x) - 1) for x in grid)
    return found, error


def hexadecimal(value: mp.mpf, kind: str) -> str:
    """The nearest number of a kind, as C++ writes it."""
    if kind == "double":
        return float(value).hex()
    mantissa, exponent = mp.frexp(value)
    return float(mp.ldexp(mp.nint(mp.ldexp(mantissa, 24)), int(exponent) - 24)).hex() + "f"


def array(name: str, comment: str, values: list[mp.mpf], kind: str) -> str:
    """A documented array."""
    body = ", ".join(hexadecimal(value, kind) for value in values)
    return f"/// {comment}\nstatic constexpr {kind} {name}[{len(values)}] = {{{body}}};\n"


def header() -> str:
    """The text of the header."""
    mp.mp.dps = 50
    (least, greatest), quarter = excesses(), mp.mpf(1) / 4
    functions: dict[str, tuple[str, Function, mp.mpf, mp.mpf, list[int]]] = {
        "logarithm": ("−2 ln(1 + f)/f in f", lambda f: -2 * mp.log1p(f) / f, least, greatest, [-2]),
        "sine": (
            "sin(½πy)/y in y²",
            lambda z: mp.sinpi(mp.sqrt(z) / 2) / mp.sqrt(z),
            mp.mpf(0),
            quarter,
            [],
        ),
        "cosine": ("cos(½πy) in y²", lambda z: mp.cospi(mp.sqrt(z) / 2), mp.mpf(0), quarter, []),
    }
    terms = {"double": (9, 7, 7), "float": (4, 4, 4)}
    text = (
        "// Written by tools/normal_series.py, which derives it. Do not edit.\n#pragma once\n\n"
        "namespace ktc {\n\n/// Logarithm, sine and cosine of kernels/normal_pack.hpp.\n"
        "template <class Real>\nstruct NormalSeries;\n"
    )
    for kind, counts in terms.items():
        parts = [
            array("reciprocal", "1/m of sixteen intervals of mantissas m.", reciprocals(), kind),
            array(
                "offset",
                "2 ln 2r of these r; exactly 0 in the last.",
                [2 * mp.log(2 * r) for r in reciprocals()],
                kind,
            ),
            "/// −2 ln 2.\nstatic constexpr "
            f"{kind} minus_two_ln_2 = {hexadecimal(-2 * mp.log(2), kind)};\n",
        ]
        for (name, (form, function, low, high, leading)), count in zip(
            functions.items(), counts, strict=True
        ):
            found, error = series(function, low, high, count, leading)
            comment = f"{form}, off by at most {mp.nstr(error, 2)} of it."
            parts.append(array(name, comment, found, kind))
        text += f"\ntemplate <>\nstruct NormalSeries<{kind}> {{\n" + "".join(parts) + "};\n"
    return text + "\n}  // namespace ktc\n"


def main() -> int:
    """Command line."""
    text = header()
    if "--check" not in sys.argv[1:]:
        HEADER.write_text(text)
        return 0
    written = "".join(HEADER.read_text().split())
    return int(written != "".join(text.split()))


if __name__ == "__main__":
    sys.exit(main())
