"""Values of a netlist: parameters in any order, functions and models, also of its subcircuits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ktc._circuits.branch import CircuitError
from ktc._circuits.element_model import ElementModel
from ktc._circuits.expressions import CONSTANTS, evaluate
from ktc._circuits.netlist_function import NetlistFunction
from ktc._circuits.netlist_lexer import Token
from ktc._circuits.spice_numbers import parse_number

ZERO_CELSIUS = 273.15  # K
MOST_CALLS = 10_000  # of functions for one value

_PARAMETER = re.compile(r"[^\W\d]\w*")


class Scope:
    """Parameters of a netlist or of one call of a subcircuit, and of the scopes around it.

    Args:
        parent: the scope around this one.
        given: values of the call, which replace those of ``.param`` and of the definition.
        functions, models: those of ``.func`` and ``.model``, by lower-case names.
    """

    def __init__(
        self,
        parent: Scope | None = None,
        given: Mapping[str, float] | None = None,
        functions: Mapping[str, NetlistFunction] | None = None,
        models: Mapping[str, ElementModel] | None = None,
    ) -> None:
        self.parent = parent
        self._functions, self._models = functions or {}, models or {}
        self._calls: list[str] = [] if parent is None else parent._calls
        self._values = dict(given or {})
        self._expressions: dict[str, Token] = {}
        self._lines: dict[str, int] = {}
        self._open: list[str] = []

    def define(self, pairs: list[tuple[Token, Token]]) -> None:
        """Define parameters, which may depend on one another in any order."""
        for key, value in pairs:
            name = key.text.lower()
            if not _PARAMETER.fullmatch(name):
                raise key.error(
                    f"{key.text!r} is no name of a parameter: use letters, digits and _, a letter "
                    "first"
                )
            if name in self._lines:
                raise key.error(
                    f"parameter {key.text!r} is defined twice, first in line {self._lines[name]}"
                )
            self._expressions[name], self._lines[name] = value, key.line
        for key, _ in pairs:
            self._calls.clear()
            self._lookup(key.text)

    def number(self, token: Token) -> float:
        """Return the value of a number, or of an expression in braces or quotes."""
        if token.text[0] in "{'":
            self._calls.clear()
            return self._evaluate(token)
        try:
            return parse_number(token.text)
        except ValueError as error:
            known = self._knows(token.text.lower())
            hint = f"; put the parameter in braces: {{{token.text}}}" if known else ""
            raise token.error(f"{error}{hint}") from None

    def model(self, name: str) -> ElementModel | None:
        """Return the model of a name."""
        found = self._models.get(name.lower())
        return found if found or self.parent is None else self.parent.model(name)

    def kelvin(self, key: Token, value: Token) -> float:
        """Return the temperature that ``temp=`` or ``tnom=`` [°C] or ``kelvin=`` gives."""
        kelvin = self.number(value)
        if key.text.lower() != "kelvin":
            kelvin += ZERO_CELSIUS
        if kelvin < 0:
            raise value.error(f"{key.text}={value.text} is below absolute zero")
        return kelvin

    def _evaluate(self, token: Token) -> float:
        text = token.text[1:-1] if token.text[0] in "{'" else token.text
        try:
            return evaluate(text, self._lookup, self._call)
        except CircuitError:
            raise
        except ValueError as error:
            raise token.error(f"{token.text!r}: {error}") from None

    def _call(self, name: str, arguments: list[float]) -> float | None:
        function = self._functions.get(name.lower())
        if function is None:
            return None if self.parent is None else self.parent._call(name, arguments)
        self._calls.append(name)
        if len(self._calls) > MOST_CALLS:
            raise ValueError(f"it calls functions more than {MOST_CALLS:,} times, such as {name}")
        return Scope(self, function.given(arguments))._evaluate(function.body)

    def _knows(self, name: str) -> bool:
        return (
            name in self._values
            or name in self._expressions
            or (self.parent is not None and self.parent._knows(name))
        )

    def _lookup(self, name: str) -> float:
        name = name.lower()
        if name in self._values:
            return self._values[name]
        if self._open[-1:] == [name] and self.parent is not None and self.parent._knows(name):
            return self.parent._lookup(name)  # r={2*r} of a subcircuit: the r around it
        if name in self._open:
            cycle = " → ".join([*self._open[self._open.index(name) :], name])
            raise ValueError(f"parameter {name!r} depends on itself: {cycle}")
        if name in self._expressions:
            self._open.append(name)
            try:
                self._values[name] = self._evaluate(self._expressions[name])
            finally:
                self._open.pop()
            return self._values[name]
        if self.parent is not None:
            return self.parent._lookup(name)
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise ValueError(f"there is no parameter {name!r}; define it by .param")
