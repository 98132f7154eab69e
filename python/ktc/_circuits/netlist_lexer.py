"""Words and statements of a netlist: comments, continuation lines, titles, simulator commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ktc._circuits.branch import CircuitError
from ktc._circuits.netlist_source import Line, Source

_PLAIN = r"[^\s={}';,()]"
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<comment>([;$]|//).*)|(?P<braced>\{[^{}]*\}|'[^']*')|(?P<equal>=)"
    # KiCad names nodes such as Net-(R1-Pad1).
    rf"|(?P<word>(?:{_PLAIN}*-\({_PLAIN}+\))+{_PLAIN}*|{_PLAIN}+)|(?P<mark>[(),])|(?P<bad>.)"
)
MARKS = ("(", ")", ",")
_SIMULATOR_COMMAND = re.compile(
    r"\.(op|tran|ac|noise|print|save|dc|meas(ure)?|plot|step|sens|four(ier)?|fft|pz|probe|width"
    r"|backanno|disto|tf|sp|hb|nodeset|csparam|model|graph|wave|savebias|mc|machine|preprocess"
    r"|result|lin|output|(embedded)?sampling|pce|symbolic|(un)?prot(ect)?)(?!\S)",
    re.IGNORECASE,
)
_LINEAR_MODEL = re.compile(r"\.model\s+\S+\s+(r|res|c|cap|l|ind)\b", re.IGNORECASE)


class Token(NamedTuple):
    """A word of a netlist and its line, counted from 1, in the netlist or a file it includes."""

    text: str
    line: int
    file: str = ""

    def error(self, message: str) -> CircuitError:
        """Return an error about this word."""
        return CircuitError(message, self.text, self.line, self.file)

    def unexpected(self) -> CircuitError:
        """Return the error about a mark outside an expression."""
        return self.error(
            f"{self.text!r} is unexpected; put expressions in braces, each on one line"
        )


class Statements:
    """Iterate once over the statements of a netlist, each the tokens of a line and its "+" lines.

    Then ``title`` is known, and ``skipped`` holds the lines of commands for a simulator.
    """

    def __init__(self, source: Source, has_title_line: bool) -> None:
        self.title = ""
        self.skipped: list[str] = []
        self._source = source
        self._has_title_line = has_title_line
        self._ended = False

    def __iter__(self) -> Iterator[list[Token]]:
        return filter(None, self._statements())

    def _statements(self) -> Iterator[list[Token]]:
        statement: list[Token] = []
        skipping = False
        for line in self._source:
            text = line.text
            if self._is_title(line) or text.startswith("*"):
                continue
            if skipping and text.startswith("+"):
                self.skipped[-1] += f" {text[1:].strip()}"
                continue
            if not self._ended and self._skips(line):
                yield statement
                statement, skipping = [], True
                continue
            if not self._ended and self._source.include(line):
                yield statement
                statement, skipping = [], False
                continue
            words = self._words(line)
            skipping = skipping and not words
            if text.startswith("+"):
                if not statement:
                    raise line.error("'+' continues no line; remove it", "+")
                statement += words
            elif words:
                yield statement
                statement = [] if self._ends(words) else words
        yield statement

    def _skips(self, line: Line) -> bool:
        """Skip a command for a simulator, or the whole of a script or of a table of values."""
        if _SIMULATOR_COMMAND.match(line.text) and not _LINEAR_MODEL.match(line.text):
            self.skipped.append(line.text)
            return True
        first = line.text.lower().split()[:1]
        if first not in ([".control"], [".data"]):
            return False
        end = {".control": ".endc", ".data": ".enddata"}[first[0]]
        self.skipped.append(line.text)
        for inner in self._source:
            if inner.text:
                self.skipped.append(inner.text)
            if inner.text.lower() == end:
                return True
        raise line.error(f"{first[0]!r} has no {end}; add it", first[0])

    def _is_title(self, line: Line) -> bool:
        """Take the title from a line that gives it."""
        if self._has_title_line and line.number == 1 and not line.file:
            self.title = line.text
            return True
        if self._ended or not re.match(r"\.title(\s|$)", line.text, re.IGNORECASE):
            return False
        if self.title:
            raise line.error(
                "'.title' gives a second title, but a circuit has one title; remove one", ".title"
            )
        self.title = line.text[len(".title") :].strip()
        return True

    def _words(self, line: Line) -> list[Token]:
        command = self._ended and _SIMULATOR_COMMAND.match(line.text)
        words = split_words(
            line._replace(text=command[0] if command else line.text.removeprefix("+"))
        )
        if self._ended and words:
            raise words[0].error(f"{words[0].text!r} stands after .end; remove it")
        return words

    def _ends(self, words: list[Token]) -> bool:
        if words[0].text.lower() == ".end":
            refuse_more(words[0], words[1:])
            self._ended = True
        return self._ended


def split_words(line: Line) -> list[Token]:
    """Return the words of a line up to its comment."""
    words = []
    for found in _TOKEN.finditer(line.text):
        if found["comment"]:
            break
        token = Token(found[0], line.number, line.file)
        if found["bad"]:
            raise token.unexpected()
        if not found["space"]:
            words.append(token)
    return words


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


def definitions(first: Token, tokens: list[Token]) -> list[tuple[Token, Token]]:
    """Split ``key = expression`` words into pairs; an expression ends before the next ``key =``."""
    pairs = []
    while tokens:
        equal = [k for k, token in enumerate(tokens) if token.text == "="]
        end = equal[1] - 1 if len(equal) > 1 else len(tokens)
        words = tokens[2:end]
        if equal[:1] == [1] and len(words) > 1:
            _refuse_commas(words)
            words = [joined(words)]
        pairs += assignments(first, [*tokens[:2], *words])
        tokens = tokens[end:]
    return pairs


def joined(words: list[Token]) -> Token:
    """Return the words of an expression as one."""
    braced = (w.text if w.text[0] not in "{'" else f"({w.text[1:-1]})" for w in words)
    return words[0]._replace(text=" ".join(braced))


def _refuse_commas(words: list[Token]) -> None:
    depth = 0
    for word in words:
        depth += (word.text == "(") - (word.text == ")")
        if word.text == "," and not depth:
            raise word.unexpected()


def without_marks(words: list[Token]) -> list[Token]:
    """Return the words without parentheses, which must be balanced, and commas."""
    opened = None
    for word in words:
        if (word.text == "(" and opened) or (word.text == ")" and not opened):
            raise word.unexpected()
        if word.text in MARKS[:2]:
            opened = word if word.text == "(" else None
    if opened:
        raise opened.error("'(' is not closed")
    return [word for word in words if word.text not in MARKS]


def split_options(words: list[Token]) -> tuple[list[Token], list[Token]]:
    """Split words before the first ``key =``."""
    count = next((k for k, word in enumerate(words[1:]) if word.text == "="), len(words))
    return words[:count], words[count:]
