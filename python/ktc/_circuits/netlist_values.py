"""Values in a netlist: numbers, expressions of parameters, temperatures."""

from __future__ import annotations

import re

from ktc._circuits.netlist_lexer import Token
from ktc._circuits.spice_numbers import evaluate, parse_number

ZERO_CELSIUS = 273.15  # K

_PARAMETER = re.compile(r"[^\W\d]\w*")


class NetlistValues:
    """Evaluate the words of a netlist with the ``.param`` values defined so far."""

    def __init__(self) -> None:
        self._parameters: dict[str, float] = {}
        self._defined: dict[str, int] = {}

    def define(self, key: Token, value: Token) -> None:
        """Define a parameter."""
        name = key.text.lower()
        if not _PARAMETER.fullmatch(name):
            raise key.error(
                f"{key.text!r} is no name of a parameter: use letters, digits and _, a letter first"
            )
        if name in self._defined:
            raise key.error(
                f"parameter {key.text!r} is defined twice, first in line {self._defined[name]}"
            )
        self._parameters[name] = self._expression(value)
        self._defined[name] = key.line

    def number(self, token: Token) -> float:
        """Return the value of a number, or of an expression in braces or quotes."""
        if token.text[0] in "{'":
            return self._expression(token)
        try:
            return parse_number(token.text)
        except ValueError as error:
            known = token.text.lower() in self._parameters
            hint = f"; put the parameter in braces: {{{token.text}}}" if known else ""
            raise token.error(f"{error}{hint}") from None

    def kelvin(self, key: Token, value: Token) -> float:
        """Return the temperature that ``temp=`` [°C] or ``kelvin=`` gives."""
        kelvin = self.number(value)
        if key.text.lower() == "temp":
            kelvin += ZERO_CELSIUS
        if kelvin < 0:
            raise value.error(f"{key.text}={value.text} is below absolute zero")
        return kelvin

    def _expression(self, token: Token) -> float:
        text = token.text[1:-1] if token.text[0] in "{'" else token.text
        try:
            return evaluate(text, self._parameter)
        except ValueError as error:
            raise token.error(f"{token.text!r}: {error}") from None

    def _parameter(self, name: str) -> float:
        if name.lower() not in self._parameters:
            raise ValueError(f"there is no parameter {name!r} above it; define it by .param first")
        return self._parameters[name.lower()]
