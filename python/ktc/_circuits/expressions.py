"""Arithmetic expressions in netlists."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable

from ktc._base.units import BOLTZMANN
from ktc._circuits.spice_numbers import UNSIGNED, parse_number

_TERM = re.compile(
    rf"\s*(?:(?P<number>{UNSIGNED})|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\*\*|==|!=|<>|<=|>=|&&|\|\||[-+*/%^()<>!?:,])|(?P<bad>\S))"
)
#: Numbers, names, operators and parentheses together.
MOST_TERMS = 500

CONSTANTS = {"pi": math.pi, "boltz": BOLTZMANN, "echarge": 1.602176634e-19,
             "planck": 6.62607015e-34, "true": 1.0, "false": 0.0}  # fmt: skip

_Function = Callable[..., float]


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _power(base: float, exponent: float) -> float:
    result = math.pow(base, exponent)
    if result < 0:
        raise ValueError(
            f"simulators take the absolute value of the base of ({base:g})**{exponent:g}, or keep "
            "its sign; write pow"
        )
    return result


#: Functions of ngspice's ``.param``, each with the numbers of arguments that it takes. log is ln.
FUNCTIONS: dict[str, tuple[_Function, range]] = {
    name: (function, range(1, 2))
    for name, function in {
        **{name: getattr(math, name) for name in ("sqrt", "exp", "log10", "sin", "cos", "tan")},
        **{name: getattr(math, name) for name in ("asin", "acos", "atan", "sinh", "cosh", "tanh")},
        **{name: getattr(math, name) for name in ("asinh", "acosh", "atanh", "floor", "ceil")},
        "arctan": math.atan, "ln": math.log, "log": math.log, "abs": abs, "sgn": _sign,
        "int": math.trunc, "nint": round, "sqr": lambda x: x * x,
    }.items()
}  # fmt: skip
FUNCTIONS |= {
    "min": (lambda *x: min(x), range(1, MOST_TERMS)),
    "max": (lambda *x: max(x), range(1, MOST_TERMS)),
    "pow": (math.pow, range(2, 3)),
    "pwr": (_power, range(2, 3)),
    "ternary_fcn": (lambda test, yes, no: yes if test else no, range(3, 4)),
}

#: Binary operators from the loosest to the tightest.
_LEVELS: list[dict[str, _Function]] = [
    {"||": lambda x, y: float(bool(x) or bool(y))},
    {"&&": lambda x, y: float(bool(x) and bool(y))},
    {"==": operator.eq, "!=": operator.ne, "<>": operator.ne, "<": operator.lt, "<=": operator.le,
     ">": operator.gt, ">=": operator.ge},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv, "%": math.fmod},
]  # fmt: skip
_SIGNS: dict[str, _Function] = {"+": operator.pos, "-": operator.neg, "!": lambda x: float(not x)}


#: Value of a user's function of a name at arguments, or None if there is none of that name.
Call = Callable[[str, list[float]], float | None]


def _no_functions(name: str, arguments: list[float]) -> float | None:
    return None


def evaluate(text: str, lookup: Callable[[str], float], call: Call = _no_functions) -> float:
    """Evaluate an expression as the ``.param`` of ngspice does.

    There are + - * / % ** (or ^), comparisons, && || !, ``test ? yes : no``, parentheses, functions
    and names. ** is evaluated from the left, before a sign: 2**3**2 is 64 and -2**2 is -4.
    """
    try:
        return _Expression(text, lookup, call).value()
    except RecursionError:
        raise _error(text, "it is nested too deeply") from None


class _Expression:
    """An expression, evaluated from left to right by recursive descent."""

    def __init__(self, text: str, lookup: Callable[[str], float], call: Call) -> None:
        self._text, self._lookup, self._own, self._place = text, lookup, call, 0
        self._terms = list(_TERM.finditer(text))
        if len(self._terms) > MOST_TERMS:
            raise _error(
                text, f"it has more than {MOST_TERMS} terms, so divide it over several .param"
            )

    def value(self) -> float:
        if not self._terms:
            raise _error(self._text, "a value is missing")
        result = self._choice()
        if self._place < len(self._terms):
            raise self._unexpected()
        return result

    def _choice(self) -> float:
        test = self._binary(0)
        if not self._takes("?"):
            return test
        yes = self._choice()
        self._expect(":")
        no = self._choice()
        return yes if test else no

    def _binary(self, level: int) -> float:
        if level == len(_LEVELS):
            return self._signed()
        left = self._binary(level + 1)
        while name := self._takes(*_LEVELS[level]):
            left = self._apply(name, _LEVELS[level][name], left, self._binary(level + 1))
        return left

    def _signed(self) -> float:
        if name := self._takes(*_SIGNS):
            return _SIGNS[name](self._signed())
        result = self._atom()
        while self._takes("**", "^"):
            signs = []
            while name := self._takes("+", "-"):
                signs.append(name)
            exponent = self._atom()
            for name in signs:
                exponent = _SIGNS[name](exponent)
            result = self._apply("**", _power, result, exponent)
        return result

    def _atom(self) -> float:
        if self._takes("("):
            result = self._choice()
            self._expect(")")
            return result
        term = self._terms[self._place] if self._place < len(self._terms) else None
        if term is None or not (term["number"] or term["name"]):
            raise self._unexpected()
        self._place += 1
        if term["number"]:
            return parse_number(term["number"])
        name = term["name"]
        if self._takes("("):
            return self._call(name)
        return self._lookup(name)

    def _call(self, name: str) -> float:
        if name.lower() in ("v", "i"):
            told = f"{name}(…) is not constant; behavioural elements are not supported"
            raise _error(self._text, told)
        arguments = []
        if not self._takes(")"):
            arguments.append(self._choice())
            while self._takes(","):
                arguments.append(self._choice())
            self._expect(")")
        own = self._own(name, arguments)
        if own is not None:
            return own
        if name.lower() not in FUNCTIONS:
            raise _error(
                self._text,
                f"there is no function {name!r}, only those of .func and {', '.join(FUNCTIONS)}",
            )
        function, counts = FUNCTIONS[name.lower()]
        if len(arguments) not in counts:
            raise _error(
                self._text, f"{name} takes {counts.start} arguments, but has {len(arguments)}"
            )
        return self._apply(name, function, *arguments)

    def _apply(self, name: str, function: _Function, *arguments: float) -> float:
        try:
            value = float(function(*arguments))
        except ZeroDivisionError:
            raise _error(self._text, "it divides by zero") from None
        except (ValueError, OverflowError) as error:
            if "simulators" in str(error):
                raise _error(self._text, str(error)) from None
            shown = ", ".join(f"{x:g}" for x in arguments)
            shown = f"{name}({shown})" if name != "**" else shown.replace(", ", "**")
            raise _error(self._text, f"{shown} is not a finite real number") from None
        if not math.isfinite(value):
            raise _error(self._text, "its value is beyond the range of double precision")
        return value

    def _takes(self, *operators: str) -> str:
        """The next term, which is taken, if it is one of these operators."""
        if self._place == len(self._terms):
            return ""
        found = self._terms[self._place]["operator"]
        if found not in operators:
            return ""
        self._place += 1
        return str(found)

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            raise self._unexpected()

    def _unexpected(self) -> ValueError:
        if self._place >= len(self._terms):
            return _error(self._text, "a value is missing at its end")
        term = self._terms[self._place]
        word = term[0].strip()
        return _error(self._text, f"{word!r} at column {term.end() - len(word) + 1} is unexpected")


def _error(text: str, reason: str) -> ValueError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ValueError(
        f"cannot evaluate the expression {shown!r}: {reason}; it may hold numbers, names "
        "of .param, functions such as sqrt, + - * / ** and parentheses"
    )
