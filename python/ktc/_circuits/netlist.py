"""Circuits as text in SPICE notation: read and write netlists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ktc._circuits.branch import Branch
from ktc._circuits.element_statement import NetlistValues, read_element
from ktc._circuits.netlist_lexer import Statements, Token, assignments, refuse_more

DEFAULT_KELVIN = 300.0

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


class Netlist(NamedTuple):
    """Contents of a netlist; ``skipped`` holds lines of commands for a simulator."""

    title: str
    kelvin: float
    branches: list[Branch]
    skipped: tuple[str, ...]


def read_netlist(text: str, title: bool = False) -> Netlist:
    """Read a netlist; Circuit.from_netlist describes the grammar."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, but is a {type(text).__name__}")
    values, statements = NetlistValues(), Statements(text, title)
    elements, settings = [], []
    for tokens in statements:
        first = tokens[0]
        directive = first.text.lower()
        if not directive.startswith("."):
            elements.append(tokens)
        elif directive == ".param":
            for key, value in assignments(first, tokens[1:]):
                values.define(key, value)
        elif directive in (".temp", ".option", ".options"):
            settings.append(tokens)
        else:
            fix = _REFUSED.get(
                directive,
                "there is .param, .temp, .options, .title and .end; .op, .tran, .ac, .noise, "
                ".print and .save are skipped; remove it",
            )
            raise first.error(f"unknown directive {first.text!r}: {fix}")
    kelvin = _temperature(settings, values)
    branches = [read_element(tokens, values) for tokens in elements]
    return Netlist(statements.title, kelvin, branches, tuple(statements.skipped))


def write_netlist(title: str, kelvin: float, branches: Sequence[Branch]) -> str:
    """Return the netlist that reads back as exactly these branches, one per line."""
    lines = [f".title {title}"] if title else []
    if kelvin != DEFAULT_KELVIN:
        lines.append(f".options kelvin={_shortest(kelvin)}")
    for branch in branches:
        line = f"{branch.name} {branch.plus} {branch.minus} {_shortest(branch.value)}"
        for option in ("kelvin", "noise", "bandwidth"):
            value = getattr(branch, option)
            if value is not None:
                line += f" {option}={_shortest(value)}"
        lines.append(line)
    return "\n".join([*lines, ".end", ""])


def _temperature(settings: list[list[Token]], values: NetlistValues) -> float:
    """The temperature that .temp or .options sets, the default one where neither does."""
    found: tuple[float, int] | None = None
    for first, *words in settings:
        if first.text.lower() != ".temp":
            pairs = assignments(first, words)
        elif words:
            refuse_more(words[0], words[1:])
            pairs = [(first._replace(text="temp"), words[0])]
        else:
            raise first.error("'.temp' needs a temperature in degrees Celsius")
        for key, value in pairs:
            if key.text.lower() not in ("temp", "kelvin"):
                raise key.error(f"unknown option {key.text!r}: there is temp= and kelvin=")
            if found is not None:
                raise key.error(
                    f"{key.text!r} sets the temperature twice, first in line {found[1]}"
                )
            found = (values.kelvin(key, value), key.line)
    return DEFAULT_KELVIN if found is None else found[0]


def _shortest(value: float) -> str:
    """The shortest decimal that reads back as the same double."""
    return repr(value).removesuffix(".0")
