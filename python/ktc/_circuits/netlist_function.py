"""Functions of netlists: ``.func f(x, y) {x*y}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ktc._circuits.netlist_lexer import Token, joined


@dataclass(frozen=True)
class NetlistFunction:
    """A function of ``.func``.

    Attributes:
        name: as it is written.
        parameters: names of its arguments, in lower case.
        body: its expression.
    """

    name: Token
    parameters: tuple[str, ...]
    body: Token

    @classmethod
    def of_statement(cls, tokens: list[Token]) -> NetlistFunction:
        """Return the function of ``.func name(x, y) expression``."""
        first, *words = tokens
        texts = [word.text for word in words]
        if len(texts) < 4 or texts[1] != "(" or ")" not in texts:
            raise first.error("'.func' defines a function, such as .func f(x, y) {x*y}")
        close = texts.index(")")
        rest = words[close + 1 :]
        if rest and rest[0].text == "=":
            del rest[0]
        if not rest:
            raise words[0].error(f"the function {words[0].text!r} has no expression; add it")
        return cls(words[0], _parameters(words[0], words[2:close]), joined(rest))

    def given(self, arguments: list[float]) -> dict[str, float]:
        """Return the values of the parameters of a call."""
        if len(arguments) != len(self.parameters):
            raise ValueError(
                f"the function {self.name.text} takes {len(self.parameters)} arguments, but has "
                f"{len(arguments)}"
            )
        return dict(zip(self.parameters, arguments, strict=True))


def _parameters(name: Token, words: list[Token]) -> tuple[str, ...]:
    """Names of arguments, in lower case, of words with commas between them."""
    if any(word.text != "," for word in words[1::2]) or (words and len(words) % 2 == 0):
        raise name.error(f"the arguments of {name.text} need commas between them")
    names = [word.text.lower() for word in words[::2]]
    for word, argument in zip(words[::2], names, strict=True):
        if not re.fullmatch(r"[^\W\d]\w*", argument) or names.count(argument) > 1:
            raise word.error(f"{word.text!r} is no name of an argument, or stands there twice")
    return tuple(names)
