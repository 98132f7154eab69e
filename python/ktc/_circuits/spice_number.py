"""Numbers with engineering suffixes, and arithmetic expressions of them, as SPICE writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

#: Powers of ten of the engineering suffixes; case does not matter.
SUFFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6}
SUFFIXES |= {"m": -3, "k": 3, "meg": 6, "g": 9, "t": 12}
MIL = 25.4e-6  # a thousandth of an inch, which SPICE reads where a user may have meant milli

_MAGNITUDE = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_NUMBER = re.compile(rf"([+-]?{_MAGNITUDE})(?:[eE]([+-]?[0-9]+))?([^\W\d_]*)")
_TERM = re.compile(
    rf"\s*(?:(?P<number>{_MAGNITUDE}(?:[eE][+-]?[0-9]+)?[^\W\d_]*)|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\*\*|[-+*/^()])|(?P<bad>\S))"
)
_DEEPEST = 50


def parse_number(text: str) -> float:
    """A number, an optional suffix f p n u m k meg g t (or mil), and letters that are ignored.

    As in SPICE, ``1F`` is a femto and ``1M`` a milli; ``1A`` is one.

    Raises:
        ValueError: anything else, or a number beyond the range of doubles.

    Example:
        >>> parse_number("10megohm"), parse_number("680pF"), parse_number("1M")
        (10000000.0, 6.8e-10, 0.001)

    Source: Nagel (1975), SPICE2, UC Berkeley memorandum ERL-M520, appendix 1.
    """
    found = _NUMBER.fullmatch(text)
    if not found or (found[3][:1] in ("e", "E") and found[2] is None):
        raise ValueError(
            f"{text!r} is not a number; write one such as 4.7, 1e-9 or 10meg (suffixes f p n u m k "
            "meg g t, then a unit in letters)"
        )
    mantissa, exponent, letters = found[1], found[2] or "0", found[3].lower()
    # One conversion of the whole decimal, so that 680p is the double nearest to 6.8e-10.
    power = int(exponent) if len(exponent) < 8 else math.copysign(10**7, float(exponent))
    if letters.startswith("mil"):
        value = float(f"{mantissa}e{power:.0f}") * MIL
    else:
        suffix = "meg" if letters.startswith("meg") else letters[:1]
        value = float(f"{mantissa}e{power + SUFFIXES.get(suffix, 0):.0f}")
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is beyond the range of double precision")
    return value


def evaluate(text: str, lookup: Callable[[str], float]) -> float:
    """An expression of numbers, names, + - * / ** (or ^) and parentheses, as Python groups them.

    Args:
        text: the expression.
        lookup: value of a name; raises ValueError where there is none.

    Raises:
        ValueError: not such an expression, or one without a finite real value.

    Example:
        >>> evaluate("2*(r0 + 1k)", {"r0": 500.0}.__getitem__)
        3000.0
    """
    return _Expression(text, lookup).value()


class _Expression:
    """Recursive descent: sum → product → sign → power → atom."""

    def __init__(self, text: str, lookup: Callable[[str], float]) -> None:
        self._text = text
        self._lookup = lookup
        self._terms = [
            (str(found.lastgroup), found[found.lastgroup or 0]) for found in _TERM.finditer(text)
        ]
        self._at = 0
        self._depth = 0

    def value(self) -> float:
        value = self._sum()
        if self._at < len(self._terms):
            raise self._error(f"{self._terms[self._at][1]!r} is unexpected")
        return value

    def _sum(self) -> float:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"it is nested more than {_DEEPEST} deep")
        value = self._product()
        while operator := self._take("+", "-"):
            other = self._product()
            value = self._finite(value + other if operator == "+" else value - other)
        self._depth -= 1
        return value

    def _product(self) -> float:
        value = self._signed()
        while operator := self._take("*", "/"):
            other = self._signed()
            if operator == "/" and other == 0:
                raise self._error("it divides by zero")
            value = self._finite(value * other if operator == "*" else value / other)
        return value

    def _signed(self) -> float:
        sign = 1.0
        while operator := self._take("+", "-"):
            sign = -sign if operator == "-" else sign
        return sign * self._power()

    def _power(self) -> float:
        base = self._atom()
        if not self._take("**", "^"):
            return base
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"it is nested more than {_DEEPEST} deep")
        exponent = self._signed()
        self._depth -= 1
        try:
            return math.pow(base, exponent)
        except (ValueError, OverflowError):
            raise self._error(f"{base:g}**{exponent:g} is not a finite real number") from None

    def _atom(self) -> float:
        if self._take("("):
            value = self._sum()
            if not self._take(")"):
                raise self._error("a parenthesis is not closed")
            return value
        kind, term = self._terms[self._at] if self._at < len(self._terms) else ("end", "")
        self._at += 1
        if kind == "number":
            return parse_number(term)
        if kind == "name":
            return self._lookup(term)
        raise self._error(f"{term!r} is unexpected" if term else "a value is missing")

    def _take(self, *operators: str) -> str | None:
        if self._at < len(self._terms) and self._terms[self._at] in (
            ("operator", operator) for operator in operators
        ):
            self._at += 1
            return self._terms[self._at - 1][1]
        return None

    def _finite(self, value: float) -> float:
        if not math.isfinite(value):
            raise self._error("its value is beyond the range of double precision")
        return value

    def _error(self, reason: str) -> ValueError:
        return ValueError(
            f"the expression {self._text!r} cannot be evaluated: {reason}; it takes numbers, names "
            "of .param, + - * / ** and parentheses"
        )
