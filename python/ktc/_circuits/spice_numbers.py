"""Numbers with engineering suffixes, as SPICE writes them, and arithmetic expressions of them."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from itertools import accumulate

#: Powers of ten of the engineering suffixes; case does not matter.
SUFFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6}
SUFFIXES |= {"m": -3, "k": 3, "meg": 6, "g": 9, "t": 12}
MIL = 25.4e-6  # a thousandth of an inch

#: A number without a sign: digits, an optional exponent, then letters.
UNSIGNED = (
    r"(?P<digits>[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE](?P<power>[+-]?[0-9]+))?(?P<letters>[^\W\d_]*)"
)

_NUMBER = re.compile(rf"(?P<sign>[+-]?){UNSIGNED}")
_TERM = re.compile(
    rf"\s*(?:(?P<number>{UNSIGNED})|(?P<name>[^\W\d]\w*)|(?P<operator>\*\*|[-+*/^()])|(?P<bad>\S))"
)
#: Numbers, names, operators and parentheses together: it bounds the depth of the syntax tree.
MOST_TERMS = 500

_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


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


def evaluate(text: str, lookup: Callable[[str], float]) -> float:
    """Evaluate an expression of numbers, names, + - * / ** (or ^) and parentheses.

    Precedence and associativity are those of Python.
    """
    return _Expression(text, lookup).value()


class _Expression:
    """An expression whose numbers and names become identifiers that Python can parse.

    SPICE numbers such as ``680p`` are no Python, and Python keywords may name parameters.
    """

    def __init__(self, text: str, lookup: Callable[[str], float]) -> None:
        self._text, self._lookup = text, lookup
        self._terms = list(_TERM.finditer(text))

    def value(self) -> float:
        if not self._terms:
            raise self._error("a value is missing")
        if len(self._terms) > MOST_TERMS:
            raise self._error(
                f"it has more than {MOST_TERMS} terms, so divide it over several .param"
            )
        pieces = []
        for place, term in enumerate(self._terms):
            if term["bad"]:
                raise self._unexpected(place)
            pieces.append({"^": "**"}.get(term["operator"], term["operator"]) or f"_{place}")
        # Where each piece starts in the text that Python parses.
        self._starts = list(accumulate((len(piece) + 1 for piece in pieces), initial=0))
        try:
            return self._of(ast.parse(" ".join(pieces), mode="eval").body)
        except SyntaxError as error:
            raise self._unexpected(self._place((error.offset or 1) - 1)) from None
        except (RecursionError, MemoryError):
            raise self._error("it is nested too deeply") from None

    def _of(self, node: ast.expr) -> float:
        if isinstance(node, ast.Name):
            term = self._terms[int(node.id[1:])]
            return parse_number(term["number"]) if term["number"] else self._lookup(term["name"])
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](self._of(node.operand))
        if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
            raise self._unexpected(self._place(node.col_offset))
        left, right = self._of(node.left), self._of(node.right)
        try:
            value = _OPERATORS[type(node.op)](left, right)
        except ZeroDivisionError:
            raise self._error("it divides by zero") from None
        except (ValueError, OverflowError):
            raise self._error(f"{left:g}**{right:g} is not a finite real number") from None
        if not math.isfinite(value):
            raise self._error("its value is beyond the range of double precision")
        return value

    def _place(self, column: int) -> int:
        """The term at a column of the text that Python parsed; one past the last at its end."""
        return sum(start <= column for start in self._starts[1:])

    def _unexpected(self, place: int) -> ValueError:
        if place >= len(self._terms):
            return self._error("a value is missing at its end")
        term = self._terms[place]
        word = term[0].strip()
        return self._error(f"{word!r} at column {term.end() - len(word) + 1} is unexpected")

    def _error(self, reason: str) -> ValueError:
        shown = self._text if len(self._text) <= 60 else f"{self._text[:57]}..."
        return ValueError(
            f"cannot evaluate the expression {shown!r}: {reason}; it may hold numbers, names "
            "of .param, + - * / ** and parentheses"
        )
