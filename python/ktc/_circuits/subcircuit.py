"""Subcircuits of netlists: their definitions, and the elements of their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ktc._circuits.conditional import Depth, chosen
from ktc._circuits.element_model import ElementModel
from ktc._circuits.element_statement import Parts, read_element
from ktc._circuits.netlist_function import NetlistFunction
from ktc._circuits.netlist_lexer import Token, definitions
from ktc._circuits.netlist_place import Place, Settings
from ktc._circuits.netlist_scope import Scope

#: Elements and calls in subcircuits together.
MOST_ELEMENTS = 100_000
MOST_CALLS = 50  # each inside the one before


@dataclass
class Subcircuit:
    """The statements of a subcircuit, or of the netlist itself.

    Attributes:
        name, ports, defaults: words of its first line.
        parent: the subcircuit, or the netlist, in which it is defined.
        parameters: keys and expressions of its ``.param``.
        functions, models: its ``.func`` and ``.model``, by lower-case names.
        elements: statements of its elements and calls, and of .if around them.
        inner: subcircuits that are defined in it.
        conditions: the .if that are open while it is read.
    """

    name: str = ""
    ports: list[Token] = field(default_factory=list)
    defaults: list[tuple[Token, Token]] = field(default_factory=list)
    parent: Subcircuit | None = None
    parameters: list[tuple[Token, Token]] = field(default_factory=list)
    functions: dict[str, NetlistFunction] = field(default_factory=dict)
    models: dict[str, ElementModel] = field(default_factory=dict)
    elements: list[list[Token]] = field(default_factory=list)
    inner: dict[str, Subcircuit] = field(default_factory=dict)
    conditions: Depth = field(default_factory=Depth)

    def add_function(self, tokens: list[Token]) -> None:
        """Take ``.func``."""
        function = NetlistFunction.of_statement(tokens)
        if function.name.text.lower() in self.functions:
            raise function.name.error(f"the function {function.name.text!r} is defined twice")
        self.functions[function.name.text.lower()] = function

    def add_model(self, tokens: list[Token]) -> None:
        """Take ``.model`` of a linear element."""
        model = ElementModel.of_statement(tokens)
        if model.name.text.lower() in self.models:
            raise model.name.error(f"the model {model.name.text!r} is defined twice")
        self.models[model.name.text.lower()] = model

    def find(self, name: str) -> Subcircuit | None:
        """Return the subcircuit of a name that is known here."""
        found = self.inner.get(name.lower())
        return found if found or self.parent is None else self.parent.find(name)

    @classmethod
    def of_statement(cls, tokens: list[Token], parent: Subcircuit) -> Subcircuit:
        """Return the subcircuit that ``.subckt name nodes key=value`` opens."""
        first, *words = tokens
        if not words:
            raise first.error("'.subckt' needs a name and nodes")
        name, *rest = words
        count = before_options(rest)
        new = cls(name.text, rest[:count], definitions(name, rest[count:]), parent)
        if name.text.lower() in parent.inner:
            raise name.error(f"two subcircuits have the name {name.text!r}; rename one")
        ports = [port.text.lower() for port in new.ports]
        twice = next((port for port in ports if ports.count(port) > 1), None)
        if twice:
            raise name.error(f"the subcircuit {name.text!r} has the node {twice!r} twice")
        parent.inner[name.text.lower()] = new
        return new


class Expansion:
    """The elements of a netlist, with those of the subcircuits that it calls.

    Args:
        settings: what holds for all elements.
        nodes: nodes that are the same in every subcircuit, by lower-case names.
    """

    def __init__(self, settings: Settings, nodes: Mapping[str, str]) -> None:
        self._settings, self._globals = settings, dict(nodes)
        self._count = 0

    def elements(self, top: Subcircuit, scope: Scope) -> Iterator[Parts]:
        """Yield what each statement of an element adds to the circuit."""
        return self._expand(top, scope, Place("", self._globals), ())

    def _expand(
        self,
        what: Subcircuit,
        scope: Scope,
        place: Place,
        calls: tuple[str, ...],
    ) -> Iterator[Parts]:
        for tokens in chosen(what.elements, scope):
            self._count += len(calls) > 0
            if self._count > MOST_ELEMENTS:
                raise tokens[0].error(
                    f"the subcircuits have more than {MOST_ELEMENTS:,} elements in all"
                )
            if tokens[0].text[0] not in "xX":
                yield read_element(tokens, scope, self._settings, place)
                continue
            called, inner, there = self._call(tokens, what, scope, place)
            if len(calls) == MOST_CALLS:
                raise tokens[0].error(
                    f"more than {MOST_CALLS} subcircuits call one another: {', '.join(calls[-3:])}"
                )
            yield from self._expand(called, inner, there, (*calls, called.name))

    def _call(
        self, tokens: list[Token], what: Subcircuit, scope: Scope, place: Place
    ) -> tuple[Subcircuit, Scope, Place]:
        """Return the subcircuit that a statement calls, its parameters, and its place."""
        first, *words = tokens
        count = before_options(words)
        words, rest = [w for w in words[:count] if w.text not in "(),"], words[count:]
        found = what.find(words[-1].text) if words else None
        if found is None:
            name = words[-1].text if words else ""
            raise (words or [first])[-1].error(
                f"there is no subcircuit {name!r} for {first.text}; define it by .subckt"
            )
        nodes = [place.node(word.text) for word in words[:-1]]
        if len(nodes) != len(found.ports):
            raise first.error(
                f"{first.text} has {len(nodes)} nodes, but the subcircuit {found.name!r} has "
                f"{len(found.ports)}"
            )
        given = {key.text.lower(): scope.number(value) for key, value in definitions(first, rest)}
        copies = given.pop("m", 1.0)
        _refuse_unknown(first, given, copies, found)
        around = self._scope_around(found, what, scope)
        inner = Scope(around, given, found.functions, found.models)
        inner.define(found.defaults + found.parameters)
        ports = {p.text.lower(): node for p, node in zip(found.ports, nodes, strict=True)}
        path = f"{place.path}.{first.text}" if place.path else first.text
        return found, inner, Place(path, self._globals | ports, place.copies * copies)

    @staticmethod
    def _scope_around(found: Subcircuit, what: Subcircuit, scope: Scope) -> Scope:
        """The scope in which a subcircuit is defined, that of its caller or one around it."""
        around: Scope | None = scope
        here: Subcircuit | None = what
        while here is not found.parent and here is not None and around is not None:
            here, around = here.parent, around.parent
        return scope if around is None else around


def _refuse_unknown(
    first: Token, given: Mapping[str, float], copies: float, found: Subcircuit
) -> None:
    if not copies > 0:
        raise first.error(f"m= of {first.text} must be positive, but is {copies:g}")
    known = {key.text.lower() for key, _ in found.defaults + found.parameters}
    for key in given:
        if key not in known:
            there = ", ".join(f"{name}=" for name in sorted(known)) or "none"
            raise first.error(f"unknown parameter {key!r} of {first.text}: there is {there}")


def before_options(words: list[Token]) -> int:
    """Number of words before ``params:`` or the first ``key =``."""
    for k, word in enumerate(words):
        if word.text.lower() in ("params:", "params"):
            del words[k]
            return k
        if [w.text for w in words[k + 1 : k + 2]] == ["="]:
            return k
    return len(words)
