"""Values of voltage and current sources in the statements of a netlist."""

from __future__ import annotations

from ktc._circuits.netlist_lexer import Token
from ktc._circuits.netlist_scope import Scope
from ktc._circuits.waveforms import RANDOM, WAVEFORMS, initial_value


def take_source_value(words: list[Token], first: Token, scope: Scope, constant: bool) -> float:
    """Remove the value of a source from the words, 0 where there is none, with "ac" and waveforms.

    Waveforms are refused, unless ``constant``, where their value at time 0 counts.
    """
    value: float | None = None
    initial = 0.0
    at_start = True
    while words:
        key = words[0].text.lower()
        if key in ("ac", "distof1", "distof2"):
            _skip_small_signal(words, scope)
        elif key in WAVEFORMS:
            initial = _take_waveform(words, first, scope, constant)
        elif value is not None or (_is_key(words) and key != "dc"):
            break
        elif key == "dc":
            word = words.pop(0)
            if words and words[0].text == "=":
                words.pop(0)
            if not words:
                raise word.error(f"{first.text!r} needs a value after {word.text!r}")
            value = scope.number(words.pop(0))
        elif at_start:
            value = scope.number(words.pop(0))
        else:
            break
        at_start = False
    return initial if value is None else value


def _take_waveform(words: list[Token], first: Token, scope: Scope, constant: bool) -> float:
    word = words.pop(0)
    kind = word.text.lower()
    if kind in RANDOM:
        raise word.error(
            f"{word.text!r} of {first.text} is noise in time; write noise= of a current source, "
            "its one-sided spectral density in A²/Hz, with bandwidth= in Hz"
        )
    if not constant:
        raise word.error(
            f"{word.text!r} varies in time, but sources of a netlist are constant; pass "
            "waveforms='initial' for its value at time 0, and drive it by Circuit.controls"
        )
    opened = words.pop(0) if words and words[0].text == "(" else None
    values = []
    while words and words[0].text != ")" and not (opened is None and _is_key(words)):
        given = words.pop(0)
        if given.text != ",":
            values.append(scope.number(given))
    if opened:
        if not words:
            raise opened.error(f"'(' after {word.text!r} is not closed")
        words.pop(0)
    try:
        return initial_value(kind, values)
    except ValueError as error:
        raise word.error(f"{word.text!r} of {first.text} {error}") from None


def _skip_small_signal(words: list[Token], scope: Scope) -> None:
    """Remove "ac", and the magnitude and phase after it, which only a simulator uses."""
    words.pop(0)
    for _ in range(2):
        if words and not _is_key(words):
            scope.number(words.pop(0))


def _is_key(tokens: list[Token]) -> bool:
    """Whether the first word is DC, AC, a waveform or the name of an option."""
    keys = ("dc", "ac", "distof1", "distof2", *WAVEFORMS)
    return tokens[0].text.lower() in keys or [t.text for t in tokens[1:2]] == ["="]
