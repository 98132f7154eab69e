"""Couplings of inductors in the statements of a netlist."""

from __future__ import annotations

from ktc._circuits.branch import Coupling
from ktc._circuits.netlist_lexer import Token, assignments, split_options, without_marks
from ktc._circuits.netlist_place import Place
from ktc._circuits.netlist_scope import Scope


def read_coupling(tokens: list[Token], scope: Scope, place: Place) -> Coupling:
    """Read ``K1 L1 L2 0.5``, of two inductors or more."""
    first, *words = tokens
    words, options = split_options(without_marks(words))
    given = assignments(first, options)
    for key, _ in given:
        if key.text.lower() not in ("k", "coefficient"):
            raise key.error(f"unknown option {key.text!r} of {first.text}: there is k=")
    values = [value for _, value in given] or words[2:][-1:]
    if len(values) != 1:
        raise tokens[-1].error(
            f"{first.text!r} needs two inductors or more and one coefficient; its line ends after "
            f"{tokens[-1].text!r}"
        )
    inductors = words if given else words[:-1]
    names = tuple(place.name(inductor.text) for inductor in inductors)
    if values[0].text[0].isalpha():
        raise values[0].error(
            f"{values[0].text!r} is no coefficient of {first.text}; models of cores are not "
            "linear, and not supported"
        )
    return Coupling(place.name(first.text), names, scope.number(values[0]), line=first.line)
