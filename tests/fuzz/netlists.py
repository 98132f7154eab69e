"""Netlists: of the grammar and beside it, with extreme values, compiled and run."""

from __future__ import annotations

import re

import ktc

from .long_runs import takes_long
from .source import Source
from .verdict import attempt, require_finite, require_first_law

NODES = ("0", "a", "b", "c", "d", "in", "GND", "gnd", "A", "n1", "0x", "a.b", "x:1", "ä")
ORDINARY = (
    "1", "1k", "10meg", "680p", "420p", "3.3k", "1u", "1m", "0.5", "2", "100", "1n", "1e3", "1e-9",
    "{r}", "{2*r+1k}", "4.7kohm", "1mil",
)  # fmt: skip
EXTREME = (
    "0", "-1", "1e-300", "1e300", "1e308", "1e309", "-1e308", "5e-324", "1e30", "1e-30", "1e150",
    "1e-150", "nan", "inf", "1e", "1e+", "0x10", "1_000", "1,5", "--1", "+1", ".5", ".", "1..2",
    "1e99999999", "1" * 400, "٣", "1f", "1F", "1T", "µ", "10²", "{", "}", "{}", "{1/0}", "{x}",
    "{1**1000}", "{(-1)**0.5}", "{" + "(" * 90 + "1" + ")" * 90 + "}", "{1+}", "'1k'", "{r r}",
    "{" + "-" * 400 + "1}", "{0**-1}", "{1e308*10}", "{1,2}", "{r**r**r}", "{r(1)}", "{__import__}",
)  # fmt: skip
OPTIONS = (
    "kelvin=88", "kelvin=0", "kelvin=-1", "kelvin=1e300", "kelvin=1e-300", "temp=27", "temp=-300",
    "temp=-273.15", "noise=1e-24", "noise=1e300", "noise=0", "bandwidth=10k", "bandwidth=1e-300",
    "noise=1e-24 bandwidth=1e300", "kelvin", "kelvin=", "=1", "foo=1", "kelvin=1 kelvin=2", "ac 1",
    "ac 1 0", "dc 1", "ic=0", "tc=1", "m=2",
)  # fmt: skip
DIRECTIVES = (
    ".param r=5k", ".param r=1e300", ".param r={r}", ".param", ".param r", ".param 1=2",
    ".temp 27", ".temp", ".temp -300", ".temp 1e308", ".options temp=27", ".options kelvin=1e300",
    ".options kelvin=0", ".options", ".options reltol=1e-3", ".end", ".ends", ".title x",
    ".title", ".op", ".tran 1n 1u", ".ac dec 10 1 1meg", ".noise v(a) V1", ".print", ".save all",
    ".include x", ".subckt x a b", ".lib", ".control", ".endc", ".global vdd", ".model d d",
    ".ic v(a)=1", ".nodeset", ".", "..", ".PARAM R=1K", ".step param r 1 2 3",
    ".func f(x) {x*r}", ".func f(x, y) x+f(y)", ".func f", ".if (r > 1)", ".elseif (0)", ".else",
    ".endif", ".if", ".model rm R(r=2k)", ".model rm R rsh=5 tc1=1m", ".model rm C(cap=1n)",
    ".model rm R(", ".temp 1 2", ".opt temp=3",
)  # fmt: skip
LINES = (
    "", "* comment", "; comment", "$ comment", "+", "+ kelvin=3", "  ", "\t", "K1 L1 L2 0.9",
    "D1 a b d", "Q1 a b c q", "X1 a b sub", "E1 a b c d 2", "R",
    "E2 a 0 opamp a b", "E3 c 0 poly(2) a 0 b 0 0 1 2", "E4 a 0 b 0", "G1 a 0 a 0 1m m=2",
    "G2 a 0 (b,0) {r}", "F1 a 0 V1 2", "F2 a 0 V2 gain=2", "H1 a b V1 1k", "K2 L1 L2 L3 0.5",
    "K3 L1 L2 k=1", "B1 a 0 v=v(b)", "E5 a 0 value={v(b)}", "R8 a b rm", "R8 a b rm l=2 w=1",
    "R8 a b 1k rm", "R8 a b {f(2)}", "R8 a b {f(r, 1)}", "C8 a b 1n scale=2",
    "R1", "R1 a", "R1 a b", "R1 a a 1",
    "1R a b 1", "= = = =", "( ) , ,", "R9 (a, 0) 1k", "R9 (a 0 1k", "R9 a 0 1k extra",
    "V9 a 0 sin(0 1 1k)", "V9 a 0 pulse(0 1 0 1n 1n 1u 2u)", "V9 a 0 dc", "I9 0 a pwl 0 0 1 1",
    "V8 a 0 pulse(0 1 1n 0 1n 1u 2u 3)", "V8 a 0 exp(0 1 0 1n 1u 1n)", "I8 0 a am(1 1 1k 1meg)",
    "V8 a 0 sffm(0 1 1k 1e300 1)", "V8 a 0 pwl(0 0 1n 1) r=0 td=1n", "V8 a 0 sin(1e300 1e300 1)",
    "I8 0 a 1 sin(0 1 1e300 1 -1e300)",
    "R9 a 0 r=1k", "\0", "\ufeff", "R9\x0ba\x0c0 1", "R9 a 0 1\u2028R8 a b 1", "é a 0 1", "'", '"',
)  # fmt: skip
ENDS = ("\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n+ ")
JUNK = "RCLVI0123456789abe.+-*/(){}=,;$' \t\n\0µé\u2028"


def value(source: Source) -> str:
    if source.rarely(4):
        return source.pick(EXTREME)
    if source.rarely(4):
        return f"{source.integer(1, 99) / 10}e{source.integer(-305, 305)}"
    return source.pick(ORDINARY)


def element(source: Source, number: int) -> str:
    kind = source.pick("RRRCCCLVVIrc")
    plus, minus = source.pick(NODES[: source.pick((3, 5, 14))]), source.pick(NODES[:4])
    line = f"{kind}{number} {plus} {minus} {value(source)}"
    return f"{line} {source.pick(OPTIONS)}" if source.rarely(6) else line


def netlist(source: Source) -> str:
    """Some lines of elements, a few of other kinds, and rarely some characters changed."""
    lines = [".param r=2k"] if source.rarely(3) else []
    for number in range(source.integer(1, 7)):
        if source.rarely(8):
            lines.append(source.pick((*DIRECTIVES, *LINES)))
        lines.append(element(source, 1 if source.rarely(30) else number))
    text = source.pick(ENDS).join(lines)
    if source.rarely(4):
        text = mutated(source, text)
    return text


def mutated(source: Source, text: str) -> str:
    """The same text with a few characters or lines changed, moved or lost."""
    for _ in range(source.integer(1, 4)):
        k, n = source.integer(0, len(text)), source.integer(1, 4)
        text = source.pick(
            (
                text[:k] + text[k + n :],
                text[:k] + source.pick(JUNK) + text[k:],
                text[:k] + source.pick(JUNK) + text[k + 1 :],
                text[:k] + text[max(0, k - n) :],
                text[:k].upper() + text[k:],
                text[:k] + source.pick(EXTREME) + text[k:],
            )
        )
    return text


def fuzz(source: Source) -> None:
    text, title = netlist(source), source.rarely(6)
    waves = source.pick(("refuse", "drive", "initial"))
    told = f"netlist {text!r}, title={title}, waveforms={waves!r}"
    words = {word for word in re.split(r"[\s=(),]+", text) if word}
    names = {*words, *re.findall(r"[^\s(){}=,;$']+", text), "title", "circuit", "line", "'+'"}
    names |= {repr(char)[1:-1] for char in text if not char.isprintable()} | set("(){}=,;$'")
    circuit = attempt(lambda: ktc.Circuit.from_netlist(text, title, waveforms=waves), names, told)
    if circuit is None:
        return
    again = attempt(
        lambda: ktc.Circuit.from_netlist(str(circuit), waveforms="drive"), names, f"again, {told}"
    )
    assert again == circuit, f"reads back as another circuit: {told}"
    # Errors of compilation are about elements.
    names = {branch.name for branch in circuit.branches} | set(circuit.nodes) | {"circuit"}
    compiled = attempt(circuit.compile, names, told)
    if compiled is None:
        return
    require_finite(compiled.relaxation_times, f"relaxation times, {told}")
    names |= {"stiffness", "kT", "friction", "bias", "emf", "current", "duration"}
    emulator = attempt(lambda: ktc.Emulator(compiled, replicas=3, seed=1), names, told)
    if emulator is None:
        return
    times = compiled.relaxation_times
    duration = float(source.pick((times.min(), times.max(), 1.0))) * source.pick((0.1, 1.0, 30.0))
    if not takes_long(emulator, duration):
        attempt(lambda: emulator.run(duration), names, f"run({duration}), {told}")
    require_first_law(emulator, f"after run({duration}), {told}")
    volts = attempt(lambda: circuit.voltages(emulator), names | {"emulator"}, told)
    if volts is not None:
        require_finite(volts, f"voltages, {told}")
