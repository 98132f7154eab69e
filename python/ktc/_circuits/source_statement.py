"""Values of voltage and current sources in the statements of a netlist."""

from __future__ import annotations

from ktc._circuits.netlist_lexer import Token
from ktc._circuits.netlist_scope import Scope
from ktc._circuits.waveform import RANDOM, WAVEFORMS, Waveform


def take_source_value(
    words: list[Token], first: Token, scope: Scope, waveforms: str
) -> tuple[float, Waveform | None]:
    """Remove the value of a source from the words, with "ac" and its waveform, and return both.

    The value is 0 where there is none, and that at time 0 where there is a waveform alone.
    Waveforms are refused, unless ``waveforms`` is "drive", or "initial" to leave them out.
    """
    value: float | None = None
    waveform: Waveform | None = None
    at_start = True
    while words:
        key = words[0].text.lower()
        if key in ("ac", "distof1", "distof2"):
            _skip_small_signal(words, scope)
        elif key in WAVEFORMS:
            if waveform is not None:
                raise words[0].error(f"{first.text!r} has two waveforms; remove one")
            waveform = _take_waveform(words, first, scope, waveforms)
        elif value is not None or (_is_key(words) and key != "dc"):
            break
        elif key == "dc":
            value = _take_constant(words, first, scope)
        elif at_start:
            value = scope.number(words.pop(0))
        else:
            break
        at_start = False
    if value is None:
        value = 0.0 if waveform is None else float(waveform.at(0.0))
    return value, waveform if waveforms == "drive" else None


def _take_waveform(words: list[Token], first: Token, scope: Scope, waveforms: str) -> Waveform:
    word = words.pop(0)
    kind = "sin" if word.text.lower() == "sine" else word.text.lower()
    if kind in RANDOM:
        raise word.error(
            f"{word.text!r} of {first.text} is noise in time; write noise= of a current source, "
            "its one-sided spectral density in A²/Hz, with bandwidth= in Hz"
        )
    if waveforms == "refuse":
        raise word.error(
            f"{word.text!r} of {first.text} varies in time; pass waveforms='drive' to keep it for "
            "Circuit.protocol, or waveforms='initial' for its value at time 0"
        )
    if any(given.text.lower() == "file" for given in words[:2]):
        raise word.error(f"{word.text!r} of {first.text} reads no file; give its times and values")
    values = _take_values(words, word, scope)
    times = _take_times(words, scope) if kind == "pwl" else {}
    try:
        if waveforms == "initial" and not times:
            return Waveform.starting(kind, values)
        return Waveform(kind, values, times.get("r"), times.get("td", 0.0))
    except ValueError as error:
        raise word.error(f"{word.text!r} of {first.text}: {error}") from None


def _take_constant(words: list[Token], first: Token, scope: Scope) -> float:
    word = words.pop(0)
    if words and words[0].text == "=":
        words.pop(0)
    if not words:
        raise word.error(f"{first.text!r} needs a value after {word.text!r}")
    return scope.number(words.pop(0))


def _take_values(words: list[Token], word: Token, scope: Scope) -> tuple[float, ...]:
    """Remove the values of a waveform, with or without parentheses."""
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
    return tuple(values)


def _take_times(words: list[Token], scope: Scope) -> dict[str, float]:
    """Remove r= and td= of PWL from the words; a negative r is that of once."""
    times: dict[str, float] = {}
    while [word.text.lower() for word in words[:2]] in (["r", "="], ["td", "="]):
        if len(words) < 3:
            raise words[0].error(f"{words[0].text!r} needs a value after '='")
        times[words[0].text.lower()] = scope.number(words[2])
        del words[:3]
    if times.get("r", 0.0) < 0:
        del times["r"]
    return times


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
