"""Circuits as text, in the notation of SPICE."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ktc._circuits.branch import Branch, CircuitError, kind_of
from ktc._circuits.spice_number import evaluate, parse_number

DEFAULT_KELVIN = 300.0
ZERO_CELSIUS = 273.15  # K
BYTE_ORDER_MARK = "\ufeff"  # some editors begin a file with it

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<comment>[;$].*)|(?P<braced>\{[^{}]*\}|'[^']*')|(?P<equal>=)"
    r"|(?P<mark>[(),])"
    r"|(?P<word>[^\s={}';,()]+)|(?P<bad>.)"
)
_PARAMETER = re.compile(r"[^\W\d]\w*")
_OPTIONS = {"R": ("temp", "kelvin"), "I": ("noise", "bandwidth")}
_WAVES = ("sin", "pulse", "exp", "pwl", "sffm", "am", "trnoise", "trrandom", "distof1")
_SKIPPED = re.compile(r"\.(op|tran|ac|noise|print|save)(?!\S)", re.IGNORECASE)
_REFUSED = {
    ".control": "it starts a simulator's script; remove it up to .endc",
    ".endc": "it ends a simulator's script; remove it from .control on",
    ".include": "put the lines of that file in its place",
    ".lib": "put the lines of that file in its place",
    ".subckt": "put the elements of the subcircuit in its place",
    ".global": "nodes of one circuit are global already; remove it",
    ".ic": "emulators start from the stationary state, and are set by Emulator.write; remove it",
    ".nodeset": "no operating point is searched for; remove it",
}
_ELEMENT = re.compile(r"[RCLVI]\w*\d", re.IGNORECASE)


class Token(NamedTuple):
    """A word of a netlist and its line."""

    text: str
    line: int

    def error(self, message: str) -> CircuitError:
        """An error about this word."""
        return CircuitError(message, self.text, self.line)


class Netlist(NamedTuple):
    """What a netlist says."""

    title: str
    kelvin: float
    branches: list[Branch]
    skipped: tuple[str, ...]


def read_netlist(text: str, title: bool = False) -> Netlist:
    """Reads a netlist; the grammar is in the docstring of Circuit.from_netlist.

    Raises:
        CircuitError: with the line and the word that cannot be read.
        TypeError: something that is not text.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, but is a {type(text).__name__}")
    return _Reader(text, title).netlist()


def write_netlist(title: str, kelvin: float, branches: Sequence[Branch]) -> str:
    """The netlist that reads back as exactly these branches, one a line."""
    lines = [f".title {title}"] if title else []
    if kelvin != DEFAULT_KELVIN:
        lines.append(f".options kelvin={_short(kelvin)}")
    for branch in branches:
        line = f"{branch.name} {branch.plus} {branch.minus} {_short(branch.value)}"
        for option in ("kelvin", "noise", "bandwidth"):
            value = getattr(branch, option)
            if value is not None:
                line += f" {option}={_short(value)}"
        lines.append(line)
    return "\n".join([*lines, ".end", ""])


def _short(value: float) -> str:
    """The shortest decimal that reads back as the same double."""
    return repr(value).removesuffix(".0")


class _Reader:
    def __init__(self, text: str, title: bool) -> None:
        self._title = ""
        self._kelvin: tuple[float, int] | None = None
        self._parameters: dict[str, float] = {}
        self._defined: dict[str, int] = {}
        self._elements: list[list[Token]] = []
        self._settings: list[list[Token]] = []
        self._skipped: list[str] = []
        for tokens in self._logical_lines(text.removeprefix(BYTE_ORDER_MARK), title):
            self._sort(tokens)

    def netlist(self) -> Netlist:
        for tokens in self._settings:
            self._set(tokens)
        branches = [self._branch(tokens) for tokens in self._elements]
        kelvin = DEFAULT_KELVIN if self._kelvin is None else self._kelvin[0]
        return Netlist(self._title, kelvin, branches, tuple(self._skipped))

    def _logical_lines(self, text: str, title: bool) -> Iterator[list[Token]]:
        """Words of each statement; continuation lines belong to the one before them."""
        statement: list[Token] = []
        ended = skipping = False
        for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), 1):
            line = raw.strip()
            if title and number == 1:
                self._title = line
                continue
            if line.startswith("*"):
                continue
            if re.match(r"\.title(\s|$)", line, re.IGNORECASE) and not ended:
                self._take_title(line, number)
                continue
            if skipping and line.startswith("+"):
                self._skipped[-1] += f" {line[1:].strip()}"
                continue
            skipped = _SKIPPED.match(line)
            if skipped and not ended:
                if statement:
                    yield statement
                self._skipped.append(line)
                statement, skipping = [], True
                continue
            bare = skipped[0] if skipped else line.removeprefix("+")
            words = _words(bare, number)
            skipping = skipping and not words
            if ended and words:
                raise words[0].error(f"{words[0].text!r} stands after .end; remove it")
            if line.startswith("+"):
                if not statement:
                    raise CircuitError("'+' continues no line; remove it", "+", number)
                statement += words
            elif words:
                if statement:
                    yield statement
                statement = words
                if words[0].text.lower() == ".end":
                    _nothing_after(words[:1], words[1:])
                    ended, statement = True, []
        if statement:
            yield statement

    def _take_title(self, line: str, number: int) -> None:
        if self._title:
            raise CircuitError(
                "'.title' comes second, but a circuit has one title; remove one", ".title", number
            )
        self._title = line[len(".title") :].strip()

    def _sort(self, tokens: list[Token]) -> None:
        first = tokens[0]
        directive = first.text.lower()
        if not directive.startswith("."):
            self._elements.append(tokens)
        elif directive == ".param":
            for key, value in _assignments(first, tokens[1:]):
                self._define(key, value)
        elif directive in (".temp", ".option", ".options"):
            self._settings.append(tokens)
        else:
            mend = _REFUSED.get(
                directive,
                "there is .param, .temp, .options, .title and .end; .op, .tran, .ac, .noise, "
                ".print and .save are skipped; remove it",
            )
            raise first.error(f"unknown directive {first.text!r}: {mend}")

    def _define(self, key: Token, value: Token) -> None:
        name = key.text.lower()
        if not _PARAMETER.fullmatch(name):
            raise key.error(f"{key.text!r} is no name of a parameter: use letters, digits and _")
        if name in self._defined:
            raise key.error(
                f"parameter {key.text!r} is defined twice, first in line {self._defined[name]}"
            )
        self._parameters[name] = self._evaluated(value)
        self._defined[name] = key.line

    def _parameter(self, name: str) -> float:
        if name.lower() not in self._parameters:
            raise ValueError(f"there is no parameter {name!r} above it")
        return self._parameters[name.lower()]

    def _evaluated(self, token: Token) -> float:
        text = token.text[1:-1] if token.text[0] in "{'" else token.text
        try:
            return evaluate(text, self._parameter)
        except ValueError as error:
            raise token.error(f"{token.text!r}: {error}") from None

    def _value(self, token: Token) -> float:
        if token.text[0] in "{'":
            return self._evaluated(token)
        try:
            return parse_number(token.text)
        except ValueError as error:
            known = token.text.lower() in self._parameters
            hint = f"; put the parameter in braces: {{{token.text}}}" if known else ""
            raise token.error(f"{error}{hint}") from None

    def _set(self, tokens: list[Token]) -> None:
        first = tokens[0]
        if first.text.lower() == ".temp":
            if len(tokens) < 2:
                raise first.error("'.temp' needs a temperature in degrees Celsius")
            _nothing_after(tokens[:2], tokens[2:])
            pairs = [(first._replace(text="temp"), tokens[1])]
        else:
            pairs = _assignments(first, tokens[1:])
        for key, value in pairs:
            if key.text.lower() not in ("temp", "kelvin"):
                raise key.error(f"unknown option {key.text!r}: there is temp= and kelvin=")
            if self._kelvin is not None:
                raise key.error(
                    f"{key.text!r} sets the temperature twice, first in line {self._kelvin[1]}"
                )
            self._kelvin = (self._temperature(key, value), key.line)

    def _temperature(self, key: Token, value: Token) -> float:
        kelvin = self._value(value)
        if key.text.lower() == "temp":
            kelvin += ZERO_CELSIUS
        if kelvin < 0:
            raise value.error(f"{key.text}={value.text} is below absolute zero")
        return kelvin

    def _branch(self, tokens: list[Token]) -> Branch:
        try:
            return self._read_branch(tokens)
        except CircuitError as error:
            line = next((t.line for t in tokens if t.text == error.token), tokens[0].line)
            untold = tokens[0].line == 1 and not _ELEMENT.match(tokens[0].text)
            hint = "; if this line is the title, pass title=True" if untold else ""
            raise CircuitError(error.message + hint, error.token, line) from None

    def _read_branch(self, tokens: list[Token]) -> Branch:
        first = tokens[0]
        kind = kind_of(first.text)
        is_source = kind in "VI"
        (plus, minus), rest = _nodes(first, tokens[1:], "" if is_source else " and a value")
        if is_source:
            value, rest = self._source_value(first, rest)
        else:
            value, rest = self._value(rest[0]), rest[1:]
        options = self._options(first, kind, rest)
        return Branch(first.text, plus.text, minus.text, value, line=first.line, **options)

    def _source_value(self, first: Token, tokens: list[Token]) -> tuple[float, list[Token]]:
        """The constant value of a source, 0 where there is none, and what follows."""
        for word in tokens:
            if word.text.lower() in _WAVES:
                raise word.error(
                    f"{word.text!r} varies in time, but sources of a netlist are constant; "
                    "drive them by Circuit.controls"
                )
        value: float | None = None
        at_start = True
        while tokens:
            word, *rest = tokens
            key = word.text.lower()
            if key == "ac":
                # Magnitude and phase are for a simulator's analysis of small signals.
                while rest and len(tokens) - len(rest) < 3 and not _is_key(rest):
                    self._value(rest[0])
                    rest = rest[1:]
            elif value is not None or (_is_key(tokens) and key != "dc"):
                break
            elif key == "dc":
                if rest and rest[0].text == "=":
                    rest = rest[1:]
                if not rest:
                    raise word.error(f"{first.text!r} needs a value after {word.text!r}")
                value, rest = self._value(rest[0]), rest[1:]
            elif at_start:
                value = self._value(word)
            else:
                break
            tokens, at_start = rest, False
        return 0.0 if value is None else value, tokens

    def _options(self, first: Token, kind: str, tokens: list[Token]) -> dict[str, float]:
        options: dict[str, float] = {}
        known = _OPTIONS.get(kind, ())
        for key, given in _assignments(first, tokens):
            name = key.text.lower()
            if name not in known:
                there = " and ".join(f"{option}=" for option in known) or "none"
                raise key.error(f"unknown option {key.text!r} of {first.text}: there is {there}")
            if name in ("temp", "kelvin"):
                name, number = "kelvin", self._temperature(key, given)
            else:
                number = self._value(given)
            if name in options:
                raise key.error(f"{key.text!r} sets {name} of {first.text} twice")
            options[name] = number
        return options


def _words(text: str, line: int) -> list[Token]:
    words = []
    for found in _TOKEN.finditer(text):
        kind, word = found.lastgroup, found[0]
        if kind == "comment":
            break
        if kind == "bad":
            raise _unexpected(Token(word, line))
        if kind != "space":
            words.append(Token(word, line))
    return words


def _nodes(first: Token, tokens: list[Token], more: str) -> tuple[tuple[Token, Token], list[Token]]:
    """The two nodes of an element, maybe in parentheses or with a comma between, and the rest."""
    rest = tokens
    enclosed = bool(rest) and rest[0].text == "("
    if enclosed:
        rest = rest[1:]
    found: list[Token] = []
    while rest and len(found) < 2 and rest[0].text not in (*"(),",):
        found.append(rest[0])
        rest = rest[1:]
        if rest and rest[0].text == "," and (len(found) == 1 or not enclosed):
            rest = rest[1:]
    if len(found) == 2 and enclosed:
        if not rest or rest[0].text != ")":
            raise tokens[0].error(f"'(' before {found[0].text!r} is not closed")
        rest = rest[1:]
    for word in rest:
        if word.text in (*"(),",) and not any(w.text.lower() in _WAVES for w in rest):
            raise _unexpected(word)
    if len(found) < 2 or (more and not rest):
        last = [first, *tokens][-1]
        raise last.error(
            f"{first.text!r} needs two nodes{more}, but the line ends after {last.text!r}"
        )
    return (found[0], found[1]), rest


def _is_key(tokens: list[Token]) -> bool:
    """Whether a word starts what is no number: DC, AC or an option."""
    return tokens[0].text.lower() in ("dc", "ac") or [t.text for t in tokens[1:2]] == ["="]


def _unexpected(word: Token) -> CircuitError:
    return word.error(f"{word.text!r} is unexpected; an expression stands in braces, on one line")


def _assignments(first: Token, tokens: list[Token]) -> list[tuple[Token, Token]]:
    """Pairs key = value."""
    pairs = []
    while tokens:
        key, rest = tokens[0], tokens[1:]
        if key.text in "=()," or not rest or rest[0].text != "=":
            raise key.error(f"{key.text!r} is unexpected in the line of {first.text!r}")
        if len(rest) < 2 or rest[1].text == "=":
            raise key.error(f"{key.text!r} needs a value after '='")
        pairs.append((key, rest[1]))
        tokens = rest[2:]
    return pairs


def _nothing_after(tokens: list[Token], rest: list[Token]) -> None:
    if rest:
        raise rest[0].error(f"{rest[0].text!r} is unexpected after {tokens[-1].text!r}")
