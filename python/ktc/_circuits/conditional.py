"""Conditional statements of netlists: ``.if``, ``.elseif``, ``.else``, ``.endif``."""

from __future__ import annotations

from collections.abc import Iterator

from ktc._circuits.netlist_lexer import Token, refuse_more
from ktc._circuits.netlist_scope import Scope

WORDS = (".if", ".elseif", ".else", ".endif")


class Depth:
    """Number of open ``.if`` of a list of statements, checked as they come."""

    def __init__(self) -> None:
        self._open: list[list[Token]] = []  # each .if, and its .else

    def take(self, tokens: list[Token]) -> None:
        """Check the place of one of WORDS, except that of .elseif after .else."""
        first, word = tokens[0], tokens[0].text.lower()
        if word == ".if":
            self._open.append([first])
        elif not self._open:
            raise first.error(f"{first.text!r} has no .if before it; remove it")
        if word in (".if", ".elseif"):
            if len(tokens) < 2:
                raise first.error(f"{first.text!r} needs a condition, such as (x > 1)")
        else:
            refuse_more(first, tokens[1:])
        if word in (".elseif", ".else") and len(self._open[-1]) > 1:
            raise first.error(f"{first.text!r} stands after .else; remove it")
        if word == ".else":
            self._open[-1].append(first)
        elif word == ".endif":
            self._open.pop()

    @property
    def open(self) -> Token | None:
        """The innermost .if without .endif so far."""
        return self._open[-1][0] if self._open else None


def chosen(statements: list[list[Token]], scope: Scope) -> Iterator[list[Token]]:
    """Yield the statements whose conditions hold."""
    # For each open .if: whether this branch holds, and whether one has held.
    levels: list[tuple[bool, bool]] = []
    for tokens in statements:
        word = tokens[0].text.lower()
        outer = all(holds for holds, _ in levels[:-1])
        if word == ".if":
            outer = all(holds for holds, _ in levels)
            holds = outer and _holds(tokens, scope)
            levels.append((holds, holds))
        elif word == ".elseif":
            done = levels[-1][1]
            holds = outer and not done and _holds(tokens, scope)
            levels[-1] = (holds, done or holds)
        elif word == ".else":
            levels[-1] = (not levels[-1][1], True)
        elif word == ".endif":
            levels.pop()
        elif all(holds for holds, _ in levels):
            yield tokens


def _holds(tokens: list[Token], scope: Scope) -> bool:
    """The value of the condition, whose signs such as == are several words."""
    parts = (w.text if w.text[0] not in "{'" else f"({w.text[1:-1]})" for w in tokens[1:])
    return bool(scope.number(tokens[1]._replace(text=f"{{{''.join(parts)}}}")))
