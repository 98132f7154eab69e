"""Elements in the statements of a netlist: values, nodes, options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ktc._circuits.branch import GAINS, TITLE_HINT, Branch, CircuitError, Coupling, kind_of
from ktc._circuits.controlled_statement import read_controlled
from ktc._circuits.coupling_statement import read_coupling
from ktc._circuits.element_model import ElementModel, value_of_model
from ktc._circuits.netlist_contents import DEFAULT_KELVIN
from ktc._circuits.netlist_lexer import Token, assignments
from ktc._circuits.netlist_place import Place, Settings
from ktc._circuits.netlist_scope import ZERO_CELSIUS, Scope
from ktc._circuits.source_statement import take_source_value
from ktc._circuits.waveform import WAVEFORMS, Waveform


class Parts(NamedTuple):
    """What a statement adds to the circuit.

    Attributes:
        branches: the element, with its parasitic elements and the terms of a POLY.
        initial: its initial voltage or current, if it is given.
        waveform: of a source that is to be driven.
        coupling: of inductors.
        left_out: name of an element without effect: in a call whose nodes join its ends.
    """

    branches: Sequence[Branch] = ()
    initial: float | None = None
    waveform: Waveform | None = None
    coupling: Coupling | None = None
    left_out: str = ""


#: Names of the value of an element, which may be given as an option.
_VALUES = {"R": ("r", "resistance"), "C": ("c", "capacitance"), "L": ("l", "inductance")}
_PARASITIC = ("rser", "lser", "rpar", "cpar")
_OPTIONS = {
    "R": ("temp", "kelvin", "dtemp", "tc1", "tc2", "m", "scale", "noisy", "l", "w"),
    "C": ("temp", "dtemp", "tc1", "tc2", "m", "scale", "ic", "rser", "lser", "rpar", "l", "w"),
    "L": ("temp", "dtemp", "tc1", "tc2", "m", "scale", "ic", "rser", "rpar", "cpar"),
    "V": ("noise", "bandwidth", "rser", "cpar"),
    "I": ("noise", "bandwidth", "m"),
}
_MARKS = ("(", ")", ",")
_ELEMENT = re.compile(r"[RCLVIEFGHK][\w.§]*\d", re.IGNORECASE)


def is_numbered(name: str) -> bool:
    """Whether a name is one that elements have and the first words of titles do not, such as R1."""
    return bool(_ELEMENT.match(name))


def may_be_title(first: Token) -> bool:
    """Whether the first word of a statement may begin a title: in line 1, without a number."""
    return first.line == 1 and not first.file and not is_numbered(first.text)


def read_element(tokens: list[Token], scope: Scope, settings: Settings, place: Place) -> Parts:
    """Read the element of a statement."""
    try:
        return _read(tokens, scope, settings, place)
    except CircuitError as error:
        found = next((t for t in tokens if t.text == error.token), None)
        if found is None and error.line is not None:  # of a function or a model
            raise
        found = found or tokens[0]
        hint = TITLE_HINT if may_be_title(tokens[0]) else ""
        raise CircuitError(error.message + hint, error.token, found.line, found.file) from None


def _read(tokens: list[Token], scope: Scope, settings: Settings, place: Place) -> Parts:
    first = tokens[0]
    if first.text[0] in "kK":
        return Parts(coupling=read_coupling(tokens, scope, place))
    kind = kind_of(first.text)
    if kind in GAINS:
        found = read_controlled(tokens, scope, place)
        return Parts(found, left_out="" if found else place.name(first.text))
    words = _separate_coefficients(tokens[1:])
    plus, minus = (place.node(node.text) for node in _take_nodes(words, tokens, kind))
    value: float | None
    waveform = model = None
    if kind in "VI":
        if not words and may_be_title(first):
            raise first.error(f"{first.text!r} has no value; write it, 0 for instance")
        value, waveform = take_source_value(words, first, scope, settings.waveforms)
    else:
        value, model = _take_value(kind, words, scope)
    options = _options(first, kind, words, scope)
    value = _one_value(tokens, kind, value, options, _take_model(model, scope, options))
    copies = place.copies * options.pop("m", 1.0)
    if not copies > 0:
        raise first.error(f"m= of {first.text} must be positive, but is {copies:g}")
    if waveform is not None and kind == "I":
        waveform = waveform.scaled(copies)
    initial = options.pop("ic", None)
    factor = _thermal_factor(kind, options, settings) * options.pop("scale", 1.0)
    if kind in "RCLI" and place.joins(plus, minus):
        return Parts(left_out=place.name(first.text))
    factor *= {"R": 1 / copies, "L": 1 / copies, "V": 1.0}.get(kind, copies)
    if "noise" in options and kind == "I":
        options["noise"] *= copies
    branches = _branches(first, place.name(first.text), (plus, minus), value * factor, options)
    return Parts(branches, initial, waveform)


def _one_value(
    tokens: list[Token],
    kind: str,
    value: float | None,
    options: dict[str, float],
    model: dict[str, float],
) -> float:
    """The value, given as such, as an option, or by the model; keep what a temperature changes."""
    values = [options.pop(n) for n in _VALUES.get(kind, ()) if n in options]
    values += [] if value is None else [value]
    size: dict[str, float] = {name: options.pop(name) for name in ("l", "w") if name in options}
    if not values and model:
        found = value_of_model(kind, model, size)
        values = [] if found is None else [found]
    if len(values) != 1:
        told = "has two values" if values else "needs two nodes and a value"
        last = tokens[-1]
        raise last.error(f"{tokens[0].text!r} {told}; its line ends after {last.text!r}")
    return values[0]


def _take_model(
    model: ElementModel | None, scope: Scope, options: dict[str, float]
) -> dict[str, float]:
    """The parameters of a model; those of temperature become options where these lack them."""
    if model is None:
        return {}
    values = {key.text.lower(): scope.number(value) for key, value in model.pairs}
    model.refuse_nonlinear(values)
    for name in ("tc1", "tc2", "tnom"):
        if name in values:
            options.setdefault(name, values[name])
    return values


def _branches(
    first: Token, name: str, ends: tuple[str, str], value: float, options: dict[str, float]
) -> list[Branch]:
    """The element, with others in series with it (rser, lser) or in parallel (rpar, cpar)."""
    parts = {part: options.pop(part) for part in _PARASITIC if part in options}
    plus, minus = ends
    branch = Branch(name, plus, minus, value, line=first.line, **options)  # type: ignore[arg-type]
    if not parts:
        return [branch]
    found, plus = [], branch.plus
    for part, value in parts.items():
        name = f"{part[0].upper()}.{branch.name}.{part}"
        ends = (branch.plus, branch.minus)
        if part.endswith("ser"):
            if value == 0:
                continue
            ends, plus = (plus, f"{branch.name}.{part}"), f"{branch.name}.{part}"
        found.append(Branch(name, *ends, value, line=branch.line))
    return [replace(branch, plus=plus), *found]


def _thermal_factor(kind: str, options: dict[str, float], settings: Settings) -> float:
    """Return the value at the temperature over the nominal one; keep ``kelvin`` of R alone."""
    linear, quadratic = options.pop("tc1", 0.0), options.pop("tc2", 0.0)
    step, noisy = options.pop("dtemp", 0.0), options.pop("noisy", 1.0)
    kelvin, nominal = options.get("kelvin", settings.kelvin), settings.nominal
    if "tnom" in options:
        nominal = options.pop("tnom") + ZERO_CELSIUS
    above = step if kelvin is None else kelvin + step - nominal
    if step:
        options["kelvin"] = (DEFAULT_KELVIN if kelvin is None else kelvin) + step
    if not noisy:
        options["kelvin"] = 0.0
    if kind != "R":
        options.pop("kelvin", None)
    return 1.0 + (linear + quadratic * above) * above


def _take_value(
    kind: str, words: list[Token], scope: Scope
) -> tuple[float | None, ElementModel | None]:
    """Remove the value and the name of a model from the words, in any order.

    The value may be an option, such as R=1k.
    """
    value = model = None
    for _ in range(2):
        if not words or ([w.text for w in words[1:2]] == ["="] and words[0].text[0].isalpha()):
            break
        found = scope.model(words[0].text)
        if found is not None and model is None:
            if found.kind != kind:
                raise words[0].error(f"{found.name.text!r} is a model of {found.kind}")
            model = found
        elif value is None:
            value = scope.number(words[0])
        else:
            break
        del words[0]
    return value, model


def _separate_coefficients(words: list[Token]) -> list[Token]:
    """``tc=a,b`` as ``tc1=a tc2=b``."""
    for k, word in enumerate(words):
        texts = [w.text for w in words[k + 1 : k + 5]]
        if word.text.lower() == "tc" and len(texts) == 4 and texts[::2] == ["=", ","]:
            equal, comma = words[k + 1], words[k + 3]
            pair = [word._replace(text="tc1"), equal, words[k + 2]]
            pair += [word._replace(text="tc2"), comma._replace(text="="), words[k + 4]]
            return [*words[:k], *pair, *words[k + 5 :]]
    return words


def _take_nodes(words: list[Token], statement: list[Token], kind: str) -> list[Token]:
    """Remove the two nodes of an element from the words, with their parentheses and comma."""
    more = "" if kind in "VI" else " and a value"
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
    """Refuse parentheses and commas, except those of a waveform."""
    if not any(word.text.lower() in WAVEFORMS for word in words):
        for word in words:
            if word.text in _MARKS:
                raise word.unexpected()


def _starts(words: list[Token], mark: str) -> bool:
    return bool(words) and words[0].text == mark


def _options(first: Token, kind: str, tokens: list[Token], scope: Scope) -> dict[str, float]:
    options: dict[str, float] = {}
    values = _VALUES.get(kind, ())
    known = (*values, *_OPTIONS[kind], *(["tc"] if kind in "RCL" else []))
    for key, given in assignments(first, tokens):
        name = key.text.lower()
        if name not in known:
            there = ", ".join(f"{option}=" for option in _OPTIONS[kind])
            raise key.error(f"unknown option {key.text!r} of {first.text}: there is {there}")
        if name == "tc":
            name = "tc1"
        if name in ("temp", "kelvin"):
            name, number = "kelvin", scope.kelvin(key, given)
        else:
            number = scope.number(given)
        if name in options:
            raise key.error(f"{key.text!r} sets {name} of {first.text} twice")
        options[name] = number
    return options
