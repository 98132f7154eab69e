"""Controlled sources in the statements of a netlist."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from ktc._circuits.branch import OPAMP, Branch, CircuitError, kind_of
from ktc._circuits.netlist_lexer import (
    Token,
    assignments,
    refuse_more,
    split_options,
    without_marks,
)
from ktc._circuits.netlist_place import Place
from ktc._circuits.netlist_scope import Scope

#: Words after the nodes that announce an expression of voltages and currents, or a filter.
_BEHAVIOURAL = ("value", "vol", "cur", "table", "laplace", "freq", "pwl", "npwl", "ppwl")
_OPTIONS = {"E": ("gain",), "F": ("gain", "m"), "G": ("gain", "m"), "H": ("gain",)}
MOST_TERMS = 50
#: A term of a source: its control nodes or voltage source, and its gain.
_Term = tuple[list[Token], float]


def read_controlled(tokens: list[Token], scope: Scope, place: Place) -> list[Branch]:
    """Read E, F, G or H, which has one branch for each term of a POLY(n).

    There is none for F or G whose ends a call of a subcircuit joins.
    """
    first, *words = tokens
    kind = kind_of(first.text)
    _refuse_behavioural(first, words)
    words, rest = split_options(without_marks(words))
    options = _options(first, kind, rest, scope)
    if len(words) < 3:
        raise _incomplete(tokens, kind)
    ends, words = words[:2], words[2:]
    keyword = _keyword(tokens, words[0])
    if keyword == "poly":
        terms = _polynomial(kind, words[1:], scope)
    elif keyword == OPAMP and kind == "E":
        terms = [_opamp(tokens, words[1:], scope)]
    else:
        terms = [_linear(tokens, kind, words, options, scope)]
    if "gain" in options:
        raise first.error(f"{first.text!r} has two gains; remove gain=")
    copies = _copies(first, kind, options, place)
    return list(_branches(first, [node.text for node in ends], terms, copies, place))


def _incomplete(tokens: list[Token], kind: str) -> CircuitError:
    control = "two control nodes" if kind in "EG" else "a voltage source"
    return tokens[-1].error(
        f"{tokens[0].text!r} needs two nodes, {control} and a gain; its line ends after "
        f"{tokens[-1].text!r}"
    )


def _linear(
    tokens: list[Token], kind: str, words: list[Token], options: dict[str, float], scope: Scope
) -> _Term:
    count = 2 if kind in "EG" else 1
    control, words = words[:count], words[count:]
    if words:
        gain = scope.number(words[0])
        refuse_more(words[0], words[1:])
        return control, gain
    if len(control) < count or "gain" not in options:
        raise _incomplete(tokens, kind)
    return control, options.pop("gain")


def _opamp(tokens: list[Token], words: list[Token], scope: Scope) -> _Term:
    """Inputs + and − of an op-amp, and its gain, infinite where it is not given."""
    if len(words) < 2:
        raise tokens[-1].error(f"the op-amp {tokens[0].text!r} needs two input nodes, + and −")
    refuse_more(words[1], words[3:])
    return words[:2], scope.number(words[2]) if words[2:] else math.inf


def _polynomial(kind: str, words: list[Token], scope: Scope) -> list[_Term]:
    """Terms of a linear POLY(n)."""
    size, *words = words
    count, width = scope.number(size), 2 if kind in "EG" else 1
    if count not in range(1, MOST_TERMS + 1):
        raise size.error(f"POLY({size.text}) must have 1 to {MOST_TERMS} controls")
    count = int(count)
    controls, coefficients = words[: width * count], words[width * count :]
    if not coefficients:
        raise (words or [size])[-1].error(
            f"POLY({size.text}) needs {width * count} names, then coefficients; its line ends early"
        )
    constant, *gains = map(scope.number, coefficients)
    if constant:
        raise coefficients[0].error(
            f"POLY has the constant {coefficients[0].text}; write 0 for it, and add a source V or I"
        )
    for word, gain in zip(coefficients[1 + count :], gains[count:], strict=True):
        if gain:
            raise word.error(
                f"POLY has the coefficient {word.text} of a product; only linear ones are supported"
            )
    gains = [*gains, *[0.0] * count][:count]
    terms = [(controls[k * width : (k + 1) * width], gain) for k, gain in enumerate(gains)]
    return [term for term in terms if term[1]] or terms[:1]


def _branches(
    first: Token, ends: list[str], terms: list[_Term], copies: float, place: Place
) -> Iterator[Branch]:
    """Voltages in series, or currents in parallel; the first has the name of the source."""
    name, kind = place.name(first.text), kind_of(first.text)
    plus, minus = map(place.node, ends)
    if kind in "FG" and place.joins(plus, minus):
        return
    controlling = place.node if kind in "EG" else place.name
    for k, (control, gain) in enumerate(terms, 1):
        names = tuple(controlling(word.text) for word in control)
        own = name if k == 1 else f"{kind}.{name}.{k}"
        last = minus if kind in "FG" or k == len(terms) else f"{name}.{k}"
        yield Branch(own, plus, last, gain * copies, control=names, line=first.line)
        plus = plus if kind in "FG" else last


def _copies(first: Token, kind: str, options: dict[str, float], place: Place) -> float:
    copies = options.pop("m", 1.0)
    if not copies > 0:
        raise first.error(f"m= of {first.text} must be positive, but is {copies:g}")
    if kind in "FH" and place.copies != 1:
        raise first.error(
            f"{first.text} is controlled by a current and stands in a subcircuit called with m=, "
            "which simulators apply twice; call it several times"
        )
    return copies * place.copies if kind == "G" else copies


def _refuse_behavioural(first: Token, words: list[Token]) -> None:
    plain = without_marks(words)
    for word, after in pairwise(words):
        announced = len(plain) > 2 and word is plain[2] and word.text.lower() in _BEHAVIOURAL
        if announced and (after.text[0] in "={'(" or len(plain) != 5):
            raise word.error(
                f"{first.text} is a behavioural source ({word.text}), which is not supported; "
                "write a linear one by control nodes and a gain"
            )


def _keyword(tokens: list[Token], word: Token) -> str:
    """Return "opamp", "poly" before a parenthesis, or "" for a node; one in (opamp b) is a node."""
    place = next(k for k, token in enumerate(tokens) if token is word)
    name = word.text.lower()
    if tokens[place - 1].text == "(" or name not in (OPAMP, "poly"):
        return ""
    opens = [token.text for token in tokens[place + 1 : place + 2]] == ["("]
    return name if opens or name == OPAMP else ""


def _options(first: Token, kind: str, words: list[Token], scope: Scope) -> dict[str, float]:
    options: dict[str, float] = {}
    for key, value in assignments(first, words):
        name = key.text.lower()
        if name not in _OPTIONS[kind]:
            there = ", ".join(f"{option}=" for option in _OPTIONS[kind])
            raise key.error(f"unknown option {key.text!r} of {first.text}: there is {there}")
        if name in options:
            raise key.error(f"{key.text!r} sets {name} of {first.text} twice")
        options[name] = scope.number(value)
    return options
