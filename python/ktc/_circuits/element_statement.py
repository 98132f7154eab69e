"""Elements in the statements of a netlist: values, nodes, options."""

from __future__ import annotations

import re

from ktc._circuits.branch import Branch, CircuitError, kind_of
from ktc._circuits.netlist_lexer import Token, assignments
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


_OPTIONS = {"R": ("temp", "kelvin"), "I": ("noise", "bandwidth")}
_WAVEFORMS = ("sin", "pulse", "exp", "pwl", "sffm", "am", "trnoise", "trrandom", "distof1")
_MARKS = ("(", ")", ",")
_ELEMENT = re.compile(r"[RCLVI]\w*\d", re.IGNORECASE)


def read_element(tokens: list[Token], values: NetlistValues) -> Branch:
    """Read the element of a statement."""
    try:
        return _read(tokens, values)
    except CircuitError as error:
        line = next((t.line for t in tokens if t.text == error.token), tokens[0].line)
        may_be_title = tokens[0].line == 1 and not _ELEMENT.match(tokens[0].text)
        hint = "; if this line is the title, pass title=True" if may_be_title else ""
        raise CircuitError(error.message + hint, error.token, line) from None


def _read(tokens: list[Token], values: NetlistValues) -> Branch:
    first, *words = tokens
    kind = kind_of(first.text)
    source = kind in "VI"
    plus, minus = _take_nodes(words, tokens, "" if source else " and a value")
    value = _take_source_value(words, first, values) if source else values.number(words.pop(0))
    options = _options(first, kind, words, values)
    return Branch(first.text, plus.text, minus.text, value, line=first.line, **options)


def _take_nodes(words: list[Token], statement: list[Token], more: str) -> list[Token]:
    """Remove the two nodes of an element from the words, with their parentheses and comma."""
    opened = words.pop(0) if _starts(words, "(") else None
    found: list[Token] = []
    while words and len(found) < 2 and words[0].text not in _MARKS:
        found.append(words.pop(0))
        if _starts(words, ",") and (len(found) == 1 or not opened):
            words.pop(0)
    if len(found) == 2 and opened:
        if not _starts(words, ")"):
            raise opened.error(f"'(' before {found[0].text!r} is not closed")
        words.pop(0)
    _refuse_marks(words)
    if len(found) < 2 or (more and not words):
        first, last = statement[0], statement[-1]
        raise last.error(
            f"{first.text!r} needs two nodes{more}, but the line ends after {last.text!r}"
        )
    return found


def _refuse_marks(words: list[Token]) -> None:
    """Refuse parentheses and commas, except those of a waveform, which has its own message."""
    if not any(word.text.lower() in _WAVEFORMS for word in words):
        for word in words:
            if word.text in _MARKS:
                raise word.unexpected()


def _starts(words: list[Token], mark: str) -> bool:
    return bool(words) and words[0].text == mark


def _take_source_value(words: list[Token], first: Token, values: NetlistValues) -> float:
    """Remove the constant value of a source, 0 where there is none, and "ac" from the words."""
    for word in words:
        if word.text.lower() in _WAVEFORMS:
            raise word.error(
                f"{word.text!r} varies in time, but sources of a netlist are constant; "
                "drive them by Circuit.controls"
            )
    value: float | None = None
    at_start = True
    while words:
        key = words[0].text.lower()
        if key == "ac":
            _skip_small_signal(words, values)
        elif value is not None or (_is_key(words) and key != "dc"):
            break
        elif key == "dc":
            word = words.pop(0)
            if _starts(words, "="):
                words.pop(0)
            if not words:
                raise word.error(f"{first.text!r} needs a value after {word.text!r}")
            value = values.number(words.pop(0))
        elif at_start:
            value = values.number(words.pop(0))
        else:
            break
        at_start = False
    return 0.0 if value is None else value


def _skip_small_signal(words: list[Token], values: NetlistValues) -> None:
    """Remove "ac", and the magnitude and phase after it, which only a simulator uses."""
    words.pop(0)
    for _ in range(2):
        if words and not _is_key(words):
            values.number(words.pop(0))


def _is_key(tokens: list[Token]) -> bool:
    """Whether the first word is DC, AC or the name of an option."""
    return tokens[0].text.lower() in ("dc", "ac") or [t.text for t in tokens[1:2]] == ["="]


def _options(
    first: Token, kind: str, tokens: list[Token], values: NetlistValues
) -> dict[str, float]:
    options: dict[str, float] = {}
    known = _OPTIONS.get(kind, ())
    for key, given in assignments(first, tokens):
        name = key.text.lower()
        if name not in known:
            there = " and ".join(f"{option}=" for option in known) or "none"
            raise key.error(f"unknown option {key.text!r} of {first.text}: there is {there}")
        if name in ("temp", "kelvin"):
            name, number = "kelvin", values.kelvin(key, given)
        else:
            number = values.number(given)
        if name in options:
            raise key.error(f"{key.text!r} sets {name} of {first.text} twice")
        options[name] = number
    return options
