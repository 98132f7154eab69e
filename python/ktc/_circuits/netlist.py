"""Circuits as text in SPICE notation: read netlists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ktc._base.lazy_imports import interrupts_deferred
from ktc._base.validation import choice
from ktc._circuits.branch import GROUND, TITLE_HINT, Branch, CircuitError, Coupling
from ktc._circuits.conditional import WORDS
from ktc._circuits.element_statement import Parts, may_be_title, read_element
from ktc._circuits.netlist_contents import DEFAULT_KELVIN, Netlist
from ktc._circuits.netlist_lexer import (
    Statements,
    Token,
    assignments,
    definitions,
    refuse_more,
    split_words,
)
from ktc._circuits.netlist_place import NOMINAL_KELVIN, Place, Settings
from ktc._circuits.netlist_scope import Scope
from ktc._circuits.netlist_source import Source
from ktc._circuits.subcircuit import Expansion, Subcircuit

_PARAMETERS = (".param", ".params", ".parameter", ".global_param")
_REFUSED = {
    ".endc": "it ends a simulator's script; remove it from .control on",
    ".alter": "make a netlist of each variant",
}
_CHANGES_CIRCUIT = ("rshunt", "cshunt")


def read_netlist(
    text: str,
    title: bool | None = False,
    waveforms: str = "refuse",
    folder: Path | None = None,
) -> Netlist:
    """Read a netlist; Circuit.from_netlist and Circuit.from_file describe the grammar."""
    choice("waveforms", waveforms, ("refuse", "initial", "drive"))
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, but is a {type(text).__name__}")
    if title is None:
        title = _begins_with_title(text)
    statements = Statements(Source(text, folder), title)
    return _Reader(statements, waveforms).netlist()


def _begins_with_title(text: str) -> bool:
    """Whether line 1 is a title; refuse one that reads as an element."""
    line = next(Source(text, None))
    if not line.text or line.text[0] in "*.":
        return False
    try:
        tokens = split_words(line)
        read_element(tokens, Scope(), Settings(waveforms="initial"), Place("", {}))
    except CircuitError:
        if not re.match(r"[a-z]\w*\d", line.text, re.IGNORECASE):
            return True
    raise line.error(
        "the first line of a file is a title in SPICE, but this one may be an element; pass "
        "title=True or title=False",
        line.text,
    )


class _Reader:
    def __init__(self, statements: Statements, waveforms: str) -> None:
        self._statements, self._waveforms = statements, waveforms
        self._top = self._here = Subcircuit()
        self._settings: list[list[Token]] = []
        self._conditions: list[list[Token]] = []
        self._globals = {GROUND: GROUND, "gnd": GROUND}

    def netlist(self) -> Netlist:
        for tokens in self._statements:
            if tokens[0].text.startswith("."):
                self._direct(tokens)
            else:
                self._here.elements.append(tokens)
        if unclosed := self._here.conditions.open:
            raise unclosed.error("'.if' has no .endif; add it")
        if self._here is not self._top:
            raise CircuitError(
                f"the subcircuit {self._here.name!r} has no .ends; add it", self._here.name
            )
        scope = Scope(functions=self._top.functions, models=self._top.models)
        scope.define(self._top.parameters)
        settings = self._read_settings(scope)
        return self._joined(
            list(Expansion(settings, self._globals).elements(self._top, scope)), settings, scope
        )

    def _joined(self, found: list[Parts], settings: Settings, scope: Scope) -> Netlist:
        branches = [branch for parts in found for branch in parts.branches]
        couplings = [parts.coupling for parts in found if parts.coupling is not None]
        left_out = [parts.left_out for parts in found if parts.left_out]
        self._refuse_title(branches)
        _refuse_unknown(branches, couplings, left_out)
        initial = {p.branches[0].name.lower(): p.initial for p in found if p.initial is not None}
        for tokens in self._conditions:
            initial |= _conditions(tokens, scope)
        skipped = [*self._statements.skipped, *(f"{n}: both ends at one node" for n in left_out)]
        return Netlist(
            title=self._statements.title,
            kelvin=DEFAULT_KELVIN if settings.kelvin is None else settings.kelvin,
            branches=branches,
            couplings=couplings,
            initial=initial,
            waveforms={p.branches[0].name: p.waveform for p in found if p.waveform is not None},
            skipped=tuple(skipped),
        )

    def _direct(self, tokens: list[Token]) -> None:
        """Take a directive."""
        first, *words = tokens
        directive = first.text.lower()
        if directive in WORDS:
            self._here.conditions.take(tokens)
            self._here.elements.append(tokens)
        elif self._here.conditions.open:
            raise first.error(f"{first.text!r} stands between .if and .endif; put it before")
        elif directive in _PARAMETERS:
            self._here.parameters += definitions(first, words)
        elif directive in (".temp", ".opt", ".option", ".options"):
            self._settings.append(tokens)
        elif directive == ".subckt":
            self._here = Subcircuit.of_statement(tokens, self._here)
        elif directive == ".func":
            self._here.add_function(tokens)
        elif directive == ".model":
            self._here.add_model(tokens)
        elif directive == ".ends":
            self._close(first, words)
        elif directive == ".global":
            self._globals |= {word.text.lower(): word.text for word in words}
        elif directive in (".ic", ".dcvolt"):
            self._conditions.append(tokens)
        else:
            fix = _REFUSED.get(
                directive,
                "there is .param, .func, .if, .temp, .options, .subckt, .model, .include, .lib, "
                ".ic, .global, .title and .end; commands for a simulator such as .tran, .ac are "
                "skipped; remove it",
            )
            raise first.error(f"unknown directive {first.text!r}: {fix}")

    def _close(self, first: Token, words: list[Token]) -> None:
        here, parent = self._here, self._here.parent
        if parent is None:
            raise first.error("'.ends' ends no .subckt; remove it")
        refuse_more(first, words[1:])
        if words and words[0].text.lower() != here.name.lower():
            raise words[0].error(f"'.ends' of {words[0].text!r} stands in {here.name!r}")
        self._here = parent

    def _read_settings(self, scope: Scope) -> Settings:
        """Read the temperatures of .temp and .options; the rest is skipped."""
        found: dict[str, tuple[float, int]] = {}
        for first, *words in self._settings:
            for key, value in self._pairs(first, words):
                name = "tnom" if key.text.lower() == "tnom" else "kelvin"
                if name in found:
                    raise key.error(
                        f"{key.text!r} sets the temperature twice, first in line {found[name][1]}"
                    )
                found[name] = (scope.kelvin(key, value), key.line)
        kelvin, _ = found.get("kelvin", (None, 0))
        nominal, _ = found.get("tnom", (NOMINAL_KELVIN, 0))
        return Settings(kelvin, nominal, self._waveforms)

    def _pairs(self, first: Token, words: list[Token]) -> Iterator[tuple[Token, Token]]:
        """Temperatures of .temp or .options; other options are skipped."""
        ignored = False
        if first.text.lower() == ".temp":
            if not words:
                raise first.error("'.temp' needs a temperature in degrees Celsius")
            if len(words) == 1:
                yield first._replace(text="temp"), words[0]
                return
            words = []  # a series of temperatures, like that of .step
            ignored = True
        while words:
            taken = 3 if [w.text for w in words[1:2]] == ["="] else 1
            key, name = words[0], words[0].text.lower()
            if name in _CHANGES_CIRCUIT:
                raise key.error(f"the option {key.text!r} adds elements to the circuit; add them")
            if name in ("temp", "kelvin", "tnom"):
                yield from assignments(first, words[:taken])
            elif _resembles(name, ("temp", "kelvin", "tnom")):
                raise key.error(
                    f"unknown option {key.text!r}: there is temp=, kelvin= and tnom=; options of a "
                    "numerical solver are skipped"
                )
            else:
                ignored = True
            words = words[taken:]
        if ignored:
            self._statements.skipped.append(f"{first.text} (line {first.line})")

    def _refuse_title(self, branches: list[Branch]) -> None:
        """Refuse a title that reads as an element: its nodes occur nowhere else."""
        first = next(iter(self._top.elements), None)
        if not first or not may_be_title(first[0]) or len(branches) < 2 or branches[0].line != 1:
            return
        ends = Counter(n.lower() for b in branches for n in (b.plus, b.minus, *b.control))
        alone = [n for n in (branches[0].plus, branches[0].minus) if ends[n.lower()] == 1]
        if alone and alone != [GROUND]:
            raise first[0].error(
                f"{first[0].text!r} in line 1 is an element between {branches[0].plus!r} and "
                f"{branches[0].minus!r}, but nothing else is at node {alone[0]!r}; put the element "
                f"in another line, or remove it{TITLE_HINT}"
            )


def _conditions(tokens: list[Token], scope: Scope) -> dict[str, float]:
    """Voltages of nodes that ``.ic v(a)=1 v(b)=2`` gives."""
    words = tokens[1:]
    found = {}
    while words:
        texts = [w.text.lower() for w in words[:6]]
        if len(texts) < 6 or texts[0] != "v" or [texts[1], *texts[3:5]] != ["(", ")", "="]:
            raise words[0].error("'.ic' gives voltages of nodes, each as v(node)=value")
        found[f"v({texts[2]})"] = scope.number(words[5])
        words = words[6:]
    return found


def _refuse_unknown(branches: list[Branch], couplings: list[Coupling], left_out: list[str]) -> None:
    """Refuse names of controlling sources and of coupled inductors that the netlist lacks."""
    names = {branch.name.lower() for branch in branches}
    wanted = [(b.name, b.control, b.line) for b in branches if b.kind in "FH"]
    wanted += [(c.name, c.inductors, c.line) for c in couplings]
    for owner, others, line in wanted:
        for other in others:
            if other.lower() not in names:
                told = "but there is none; add it"
                if other.lower() in map(str.lower, left_out):
                    told = "whose ends its call joins; remove the coupling"
                raise CircuitError(f"{owner} names {other!r}, {told}", other, line)


def _resembles(name: str, known: tuple[str, ...]) -> bool:
    with interrupts_deferred():
        from difflib import get_close_matches  # slow to import

    return bool(get_close_matches(name, known, 1, 0.75))
