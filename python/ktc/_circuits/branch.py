"""Elements of a circuit: each a checked branch between two nodes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import SupportsFloat

import numpy as np

from ktc._base.codec import register
from ktc._base.validation import of_type
from ktc._circuits.spice_numbers import parse_number

GROUND = "0"
TITLE_HINT = "; if line 1 is the title, pass title=True"
UNITS = {"R": "ohms", "C": "farads", "L": "henries", "V": "volts", "I": "amperes"}
#: Controlled sources: units of their gains.
GAINS = {"E": "V/V", "F": "A/A", "G": "siemens", "H": "ohms"}

OPAMP = "opamp"  #: word for an E of infinite gain in netlists

_SIGNS = r"\w.+\-:#/<>\[\]!%&|~@?^§"
_NODE = re.compile(rf"(?:[{_SIGNS}]|-\([{_SIGNS}]+\))+")
_NAME = re.compile(r"[^\W\d_][\w.\-:#/~@§]*")
_OTHER_KINDS = {
    "K": "couple inductors by add_coupling",
    "X": "a call of a subcircuit stands in a netlist only",
    "B": "behavioural sources are not supported",
    **dict.fromkeys("DJMQZ", "semiconductors are not linear, and not supported"),
    **dict.fromkeys("SW", "switches are not supported"),
    **dict.fromkeys("TUOPY", "transmission lines are not supported; draw a ladder of L and C"),
    "A": "code models are not supported",
}


class CircuitError(ValueError):
    """A netlist that cannot be read, or a circuit that has no unique solution.

    Attributes:
        message: the text without the line.
        token: the word that caused the error.
        line: its line in the netlist, counted from 1; None for a circuit built by calls.
        file: the included file in which that line stands; empty for the netlist itself.
    """

    def __init__(
        self, message: str, token: str = "", line: int | None = None, file: str = ""
    ) -> None:
        place = f"{file}, " * bool(file) + f"line {line}: " if line is not None else ""
        super().__init__(place + message)
        self.message, self.token, self.line, self.file = message, token, line, file


@dataclass(frozen=True)
class Branch:
    """A resistor, capacitor, inductor or source between two nodes.

    The voltage is that of ``plus`` above ``minus``. Current flows from ``plus`` through the element
    to ``minus``, in sources too, as in SPICE.

    A controlled source of gain g is a voltage E = g u or H = g i, or a current G = g u or F = g i,
    where u is the voltage between two nodes and i the current of a voltage source. An E of infinite
    gain is an ideal operational amplifier: it holds u at zero.

    Attributes:
        name: its first letter is the kind, R, C, L, V, I, E, F, G or H.
        plus, minus: nodes; "0" is ground.
        value: ohms, farads, henries, volts or amperes; positive for C and L; 0 for a wire, an R;
            the gain of a controlled source.
        kelvin: temperature of a resistor; None for that of the circuit.
        noise: one-sided spectral density of the noise of a source I [A²/Hz] or V [V²/Hz], or None.
        bandwidth: −3 dB frequency of the low-pass filter of that noise [Hz]; None for white noise.
        control: of E and G the nodes plus and minus of u; of F and H the name of the voltage
            source, V, E or H, whose current is i.
        line: its line in a netlist, ignored by comparison.
    """

    name: str
    plus: str
    minus: str
    value: float
    kelvin: float | None = None
    noise: float | None = None
    bandwidth: float | None = None
    control: tuple[str, ...] = ()
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        kind_of(self.name)
        for end in ("plus", "minus"):
            object.__setattr__(self, end, _node(self.name, getattr(self, end)))
        if self.plus.lower() == self.minus.lower():
            raise CircuitError(
                f"both ends of {self.name} are at node {self.plus!r}, where it has no effect; "
                "remove it",
                self.name,
            )
        if self.kind == "C":
            _refuse_farads(self.name, self.value)
        object.__setattr__(self, "control", self._checked_control())
        ideal = self.kind == "E" and self.value == math.inf
        value = math.inf if ideal else number_of(f"value of {self.name}", self.value)
        if (self.kind == "R" and value < 0) or (self.kind in "CL" and value <= 0):
            raise CircuitError(
                f"{self.name} must be positive, but is {value:g} {UNITS[self.kind]}; "
                "remove an element that is not there",
                self.name,
            )
        object.__setattr__(self, "value", value)
        self._check_option("kelvin", "resistor", "R")
        self._check_option("noise", "current or voltage source", "IV")
        self._check_option("bandwidth", "current or voltage source", "IV")
        if self.bandwidth is not None and self.noise is None:
            raise CircuitError(
                f"{self.name} has a bandwidth without noise: give noise=, in "
                f"{self.kind.replace('I', 'A')}²/Hz",
                "bandwidth",
            )

    @property
    def kind(self) -> str:
        """R, C, L, V, I, E, F, G or H."""
        return self.name[0].upper()

    def _checked_control(self) -> tuple[str, ...]:
        control = of_type("control", self.control, tuple, "a tuple of names")
        wanted = {"E": 2, "G": 2, "F": 1, "H": 1}.get(self.kind, 0)
        if len(control) != wanted:
            told = {
                0: "which only E, F, G and H have; remove it",
                1: "but needs the name of one voltage source, (name,)",
                2: "but needs two nodes, (plus, minus)",
            }
            raise CircuitError(f"{self.name} has control={control!r}, {told[wanted]}", self.name)
        if wanted == 2:
            return tuple(_node(self.name, node) for node in control)
        for name in control:
            if kind_of(name) not in "VEH":
                raise CircuitError(
                    f"{self.name} is controlled by the current of {name!r}, which is no voltage "
                    "source; put a source of 0 V in series with it, and name that",
                    name,
                )
        return control

    def _check_option(self, option: str, owner: str, kinds: str) -> None:
        given = getattr(self, option)
        if given is None:
            return
        if self.kind not in kinds:
            raise CircuitError(
                f"{self.name} has {option}=, which only a {owner} may have; remove it", option
            )
        value = number_of(f"{option} of {self.name}", given)
        wanted = "not be negative" if option == "kelvin" else "be positive"
        if value < 0 or (value == 0 and option != "kelvin"):
            raise CircuitError(f"{option} of {self.name} must {wanted}, but is {value:g}", option)
        object.__setattr__(self, option, value)


register(Branch)


def _refuse_farads(name: str, text: object) -> None:
    """Refuse "1F", which is a femtofarad in SPICE, where a number could be given."""
    if isinstance(text, str) and text[-1:] == "F" and text[:-1].isdigit():
        raise CircuitError(
            f"value of {name}: {text!r} is {text[:-1]} femtofarads in SPICE; write "
            f"{text[:-1]}fF for that, or {text[:-1]} for farads",
            text,
        )


def _node(element: str, node: object) -> str:
    """A checked node; every name of ground becomes "0"."""
    signs = "letters, digits and . + - : # / < > [ ] ! % & | ~ @ ? ^"
    name = _check_word(f"a node of {element}", node, _NODE, signs)
    return GROUND if name.lower() in ("0", "gnd") else name


def kind_of(name: str) -> str:
    """Return the kind of an element, R, C, L, V, I, E, F, G or H: the first letter of its name."""
    _check_word("name", name, _NAME, "a letter, then letters, digits and _ . - : #")
    kind = name[0].upper()
    if kind in UNITS or kind in GAINS:
        return kind
    fix = (
        f"names start with R, C, L, V, I, E, F, G or H; {_OTHER_KINDS.get(kind, '')}".removesuffix(
            "; "
        )
    )
    raise CircuitError(f"unknown element {name!r}: {fix}", name)


def _check_word(what: str, word: object, pattern: re.Pattern[str], signs: str) -> str:
    if not isinstance(word, str):
        raise TypeError(f"{what} must be a str, but is a {type(word).__name__}")
    if not pattern.fullmatch(word):
        raise CircuitError(f"{what} must be one word of {signs}, but is {word!r}", word)
    return word


def number_of(what: str, value: str | SupportsFloat) -> float:
    """Return a finite number, or that of text such as "10meg"; ``what`` names it in errors."""
    if isinstance(value, str):
        try:
            return parse_number(value)
        except ValueError as error:
            raise CircuitError(f"{what}: {error}", value) from None
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{what} must be a number or text such as '10meg', but is a {type(value).__name__}"
        ) from None
    if not math.isfinite(number):
        raise CircuitError(f"{what} must be finite, but is {number}", str(value))
    return number


def spelled_condition(name: str, branches: Iterable[Branch], nodes: Iterable[str]) -> str:
    """Return the name of an initial condition as the circuit spells it."""
    names = (*(b.name for b in branches), *(f"v({node})" for node in nodes))
    return next((each for each in names if each.lower() == name), name)


@dataclass(frozen=True)
class Coupling:
    """Inductive coupling of two or more inductors: M = k √(L₁ L₂) of each pair.

    Attributes:
        name: starts with K.
        inductors: names of the inductors, whose first nodes have the dots.
        value: the coefficient k, −1 < k < 1.
        line: its line in a netlist, ignored by comparison.
    """

    name: str
    inductors: tuple[str, ...]
    value: float
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_word("name", self.name, _NAME, "a letter, then letters, digits and _ . - : #")
        if self.name[0].upper() != "K":
            raise CircuitError(f"{self.name} couples inductors; its name must start with K")
        of_type("inductors", self.inductors, tuple, "a tuple of names")
        for name in self.inductors:
            if kind_of(name) != "L":
                raise CircuitError(f"{self.name} couples {name!r}, which is no inductor", name)
        if len(set(map(str.lower, self.inductors))) < max(2, len(self.inductors)):
            raise CircuitError(
                f"{self.name} needs two or more different inductors, but has "
                f"{', '.join(self.inductors) or 'none'}",
                self.name,
            )
        value = number_of(f"value of {self.name}", self.value)
        if not -1 < value < 1:
            raise CircuitError(
                f"{self.name} must lie between -1 and 1, but is {value:g}; for an ideal "
                "transformer give a coefficient such as 0.9999",
                self.name,
            )
        object.__setattr__(self, "value", value)


register(Coupling)
