"""Models of resistors, capacitors and inductors in netlists: ``.model``."""

from __future__ import annotations

from dataclasses import dataclass

from ktc._circuits.netlist_lexer import Token, assignments, without_marks

#: Kinds of elements by types of models.
_TYPES = {"r": "R", "res": "R", "c": "C", "cap": "C", "l": "L", "ind": "L"}
#: Parameters: of the value of an element without one, and of its dependence on temperature.
_DEFAULTS = {"R": ("r", "rsh", "defw"), "C": ("cap", "cj", "cjsw", "defw"), "L": ("ind",)}
_THERMAL = ("tc1", "tc2", "tnom")
#: Parameters that are 0 unless they are given, and whose meaning depends on the simulator.
_ZERO = ("kf", "af", "ef", "narrow", "short", "dw", "dlr", "tce")


@dataclass(frozen=True)
class ElementModel:
    """A model of linear elements.

    Attributes:
        name: as it is written.
        kind: R, C or L.
        pairs: keys and values of its parameters.
    """

    name: Token
    kind: str
    pairs: list[tuple[Token, Token]]

    @classmethod
    def of_statement(cls, tokens: list[Token]) -> ElementModel:
        """Return the model of ``.model name R(key=value …)``."""
        if len(tokens) < 3 or tokens[2].text.lower() not in _TYPES:
            raise tokens[-1].error("'.model' needs a name and a type, such as R; remove the line")
        _, name, kind, *words = tokens
        model = cls(name, _TYPES[kind.text.lower()], assignments(name, without_marks(words)))
        known = (*_DEFAULTS[model.kind], *_THERMAL, *_ZERO)
        for key, _ in model.pairs:
            if key.text.lower() not in known:
                raise key.error(
                    f"unknown parameter {key.text!r} of the model {name.text}: there is "
                    f"{', '.join(f'{k}=' for k in known[: -len(_ZERO)])}"
                )
        return model

    def refuse_nonlinear(self, values: dict[str, float]) -> None:
        """Refuse parameters that ktc does not have."""
        for key, _ in self.pairs:
            name = key.text.lower()
            if name in _ZERO and values[name] and name != "af":
                told = (
                    "noise of 1/f is not supported"
                    if name in ("kf", "ef")
                    else "simulators disagree about it; give the value of the element"
                )
                raise key.error(f"the model {self.name.text} has {key.text}=: {told}")


def value_of_model(kind: str, model: dict[str, float], size: dict[str, float]) -> float | None:
    """Return the value of an element without one, from its length and width [m].

    R = rsh l/w, C = cj l w + 2 cjsw (l + w); None if these are not given.

    Source: Vogt et al., Ngspice User's Manual version 44, sections 3.3.3 and 3.3.7.
    """
    length, width = size.get("l"), size.get("w", model.get("defw"))
    if kind == "R" and "rsh" in model and length and width:
        return model["rsh"] * length / width
    if kind == "C" and "cj" in model and length and width:
        return model["cj"] * length * width + 2 * model.get("cjsw", 0.0) * (length + width)
    return model.get({"R": "r", "C": "cap", "L": "ind"}[kind])
