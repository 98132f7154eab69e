"""Words and statements of a netlist: comments, continuation lines, titles, simulator commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ktc._circuits.branch import CircuitError

BYTE_ORDER_MARK = "\ufeff"  # some editors begin a file with it

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<comment>[;$].*)|(?P<braced>\{[^{}]*\}|'[^']*')|(?P<equal>=)"
    r"|(?P<mark>[(),])"
    r"|(?P<word>[^\s={}';,()]+)|(?P<bad>.)"
)
_SIMULATOR_COMMAND = re.compile(r"\.(op|tran|ac|noise|print|save)(?!\S)", re.IGNORECASE)


class Token(NamedTuple):
    """A word of a netlist and its line, counted from 1."""

    text: str
    line: int

    def error(self, message: str) -> CircuitError:
        """Return an error about this word."""
        return CircuitError(message, self.text, self.line)

    def unexpected(self) -> CircuitError:
        """Return the error about a mark outside an expression."""
        return self.error(
            f"{self.text!r} is unexpected; put expressions in braces, each on one line"
        )


class Statements:
    """Iterate once over the statements of a netlist, each the tokens of a line and its "+" lines.

    Then ``title`` is known, and ``skipped`` holds the lines of commands for a simulator.
    """

    def __init__(self, text: str, has_title_line: bool) -> None:
        self.title = ""
        self.skipped: list[str] = []
        self._lines = re.split(r"\r\n|\n|\r", text.removeprefix(BYTE_ORDER_MARK))
        self._has_title_line = has_title_line
        self._ended = False

    def __iter__(self) -> Iterator[list[Token]]:
        return filter(None, self._statements())

    def _statements(self) -> Iterator[list[Token]]:
        statement: list[Token] = []
        skipping = False
        for number, raw in enumerate(self._lines, 1):
            line = raw.strip()
            if self._is_title(line, number) or line.startswith("*"):
                continue
            if skipping and line.startswith("+"):
                self.skipped[-1] += f" {line[1:].strip()}"
                continue
            command = _SIMULATOR_COMMAND.match(line)
            if command and not self._ended:
                yield statement
                self.skipped.append(line)
                statement, skipping = [], True
                continue
            words = self._words(command[0] if command else line.removeprefix("+"), number)
            skipping = skipping and not words
            if line.startswith("+"):
                if not statement:
                    raise CircuitError("'+' continues no line; remove it", "+", number)
                statement += words
            elif words:
                yield statement
                statement = [] if self._ends(words) else words
        yield statement

    def _is_title(self, line: str, number: int) -> bool:
        """Take the title from a line that gives it."""
        if self._has_title_line and number == 1:
            self.title = line
            return True
        if self._ended or not re.match(r"\.title(\s|$)", line, re.IGNORECASE):
            return False
        if self.title:
            raise CircuitError(
                "'.title' gives a second title, but a circuit has one title; remove one",
                ".title",
                number,
            )
        self.title = line[len(".title") :].strip()
        return True

    def _words(self, text: str, line: int) -> list[Token]:
        words = []
        for found in _TOKEN.finditer(text):
            if found["comment"]:
                break
            token = Token(found[0], line)
            if found["bad"]:
                raise token.unexpected()
            if not found["space"]:
                words.append(token)
        if self._ended and words:
            raise words[0].error(f"{words[0].text!r} stands after .end; remove it")
        return words

    def _ends(self, words: list[Token]) -> bool:
        if words[0].text.lower() == ".end":
            refuse_more(words[0], words[1:])
            self._ended = True
        return self._ended


def refuse_more(last: Token, rest: list[Token]) -> None:
    """Refuse words after the last one that a statement takes."""
    if rest:
        raise rest[0].error(f"{rest[0].text!r} is unexpected after {last.text!r}")


def assignments(first: Token, tokens: list[Token]) -> list[tuple[Token, Token]]:
    """Split ``key = value`` words of the statement that starts with ``first`` into pairs."""
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
