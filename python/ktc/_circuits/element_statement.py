"""Elements in the statements of a netlist: values, nodes, options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ktc._circuits.branch import GAINS, TITLE_HINT, Branch, CircuitError, kind_of
from ktc._circuits.netlist_lexer import Token, assignments
from ktc._circuits.netlist_scope import Scope
from ktc._circuits.source_statement import take_source_value
from ktc._circuits.waveforms import WAVEFORMS

DEFAULT_KELVIN = 300.0
NOMINAL_KELVIN = 300.15  # 27 °C


@dataclass(frozen=True)
class Place:
    """Where the elements of a statement stand.

    Attributes:
        path: calls of subcircuits, "X1.X2"; empty in the netlist itself.
        ports: nodes of the circuit by nodes of the subcircuit, in lower case.
        copies: number of equal elements in parallel, from ``m=`` of the calls.
    """

    path: str
    ports: Mapping[str, str]
    copies: float = 1.0

    def node(self, name: str) -> str:
        """Return the node of the circuit."""
        inner = f"{self.path}.{name}" if self.path else name
        return self.ports.get(name.lower(), inner)

    def name(self, element: str) -> str:
        """Return the name of an element: R1 of the call X1 is R.X1.R1."""
        return f"{element[0]}.{self.path}.{element}" if self.path else element


@dataclass(frozen=True)
class Settings:
    """What holds for all elements of a netlist.

    Attributes:
        kelvin: temperature of resistors without their own; None where the netlist gives none.
        nominal: temperature at which values are given, for ``tc1=`` and ``tc2=``.
        constant: whether a waveform stands for its value at time 0.
    """

    kelvin: float | None = None
    nominal: float = NOMINAL_KELVIN
    constant: bool = False


#: Names of the value of an element, which may be given as an option.
_VALUES = {"R": ("r", "resistance"), "C": ("c", "capacitance"), "L": ("l", "inductance")}
_PARASITIC = ("rser", "lser", "rpar", "cpar")
_OPTIONS = {
    "R": ("temp", "kelvin", "dtemp", "tc1", "tc2", "m", "noisy"),
    "C": ("temp", "dtemp", "tc1", "tc2", "m", "ic", "rser", "lser", "rpar"),
    "L": ("temp", "dtemp", "tc1", "tc2", "m", "ic", "rser", "rpar", "cpar"),
    "V": ("rser", "cpar"),
    "I": ("noise", "bandwidth", "m"),
}
_MARKS = ("(", ")", ",")
_ELEMENT = re.compile(r"[RCLVI][\w.§]*\d", re.IGNORECASE)


def is_numbered(name: str) -> bool:
    """Whether a name is one that elements have and the first words of titles do not, such as R1."""
    return bool(_ELEMENT.match(name))


def may_be_title(first: Token) -> bool:
    """Whether the first word of a statement may begin a title: in line 1, without a number."""
    return first.line == 1 and not first.file and not is_numbered(first.text)


def read_element(
    tokens: list[Token], scope: Scope, settings: Settings, place: Place
) -> tuple[list[Branch], float | None]:
    """Read the element of a statement, with its parasitic elements, and its initial condition."""
    try:
        return _read(tokens, scope, settings, place)
    except CircuitError as error:
        found = next((t for t in tokens if t.text == error.token), tokens[0])
        hint = TITLE_HINT if may_be_title(tokens[0]) else ""
        raise CircuitError(error.message + hint, error.token, found.line, found.file) from None


def _read(
    tokens: list[Token], scope: Scope, settings: Settings, place: Place
) -> tuple[list[Branch], float | None]:
    first, *words = tokens
    kind = kind_of(first.text)
    if kind in GAINS:
        raise first.error(f"{first.text}: controlled sources of netlists are not supported")
    plus, minus = (place.node(node.text) for node in _take_nodes(words, tokens, kind))
    value: float | None
    if kind in "VI":
        if not words and may_be_title(first):
            raise first.error(f"{first.text!r} has no value; write it, 0 for instance")
        value = take_source_value(words, first, scope, settings.constant)
    else:
        value = _take_value(kind, words, scope)
    options = _options(first, kind, words, scope)
    values = [options.pop(name) for name in _VALUES.get(kind, ()) if name in options]
    values += [] if value is None else [value]
    if len(values) != 1:
        told = "has two values" if values else "needs two nodes and a value"
        raise tokens[-1].error(f"{first.text!r} {told}; its line ends after {tokens[-1].text!r}")
    copies = place.copies * options.pop("m", 1.0)
    if not copies > 0:
        raise first.error(f"m= of {first.text} must be positive, but is {copies:g}")
    if "noise" in options:
        options["noise"] *= copies
    initial = options.pop("ic", None)
    parts = {part: options.pop(part) for part in _PARASITIC if part in options}
    value = values[0] * _thermal_factor(first, options, settings)
    value *= {"R": 1 / copies, "L": 1 / copies, "V": 1.0}.get(kind, copies)
    name = place.name(first.text)
    branch = Branch(name, plus, minus, value, line=first.line, **options)  # type: ignore[arg-type]
    return _with_parasitics(branch, parts), initial


def _with_parasitics(branch: Branch, parts: dict[str, float]) -> list[Branch]:
    """The element, with others in series with it (rser, lser) or in parallel (rpar, cpar)."""
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


def _thermal_factor(first: Token, options: dict[str, float], settings: Settings) -> float:
    """Return the value at the temperature over the nominal one; keep ``kelvin`` of R alone."""
    linear, quadratic = options.pop("tc1", 0.0), options.pop("tc2", 0.0)
    step, noisy = options.pop("dtemp", 0.0), options.pop("noisy", 1.0)
    kelvin = options.get("kelvin", settings.kelvin)
    above = step if kelvin is None else kelvin + step - settings.nominal
    if step:
        options["kelvin"] = (DEFAULT_KELVIN if kelvin is None else kelvin) + step
    if not noisy:
        options["kelvin"] = 0.0
    if kind_of(first.text) != "R":
        options.pop("kelvin", None)
    return 1.0 + (linear + quadratic * above) * above


def _take_value(kind: str, words: list[Token], scope: Scope) -> float | None:
    """Remove the value from the words, unless it is an option such as R=1k."""
    if not words or ([w.text for w in words[1:2]] == ["="] and words[0].text[0].isalpha()):
        return None
    return scope.number(words.pop(0))


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
    known = (*values, *_OPTIONS[kind])
    for key, given in assignments(first, tokens):
        name = key.text.lower()
        if name not in known:
            there = ", ".join(f"{option}=" for option in _OPTIONS[kind])
            raise key.error(f"unknown option {key.text!r} of {first.text}: there is {there}")
        if name in ("temp", "kelvin"):
            name, number = "kelvin", scope.kelvin(key, given)
        else:
            number = scope.number(given)
        if name in options:
            raise key.error(f"{key.text!r} sets {name} of {first.text} twice")
        options[name] = number
    return options
