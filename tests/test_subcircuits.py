"""Subcircuits, and netlists in files with the files that they include."""

from __future__ import annotations

import pytest

import ktc
from ktc._circuits.branch import CircuitError

LOW_PASS = """.subckt lowpass in out params: r=1k c=1n
.param half={r/2}
R1 in m {half}
R2 m out {r-half}
C1 out 0 {c}
Cm m 0 {c}
.ends lowpass
"""


def circuit(text, **options):
    return ktc.Circuit.from_netlist(text, **options)


def table(made):
    return {b.name: (b.plus, b.minus, b.value) for b in made.branches}


def test_calls_with_parameters():
    made = circuit(
        LOW_PASS + ".param r0=4k\nV1 a 0 1\nX1 a b lowpass\nXb (b c) LOWPASS r={r0} c=2n"
    )
    assert table(made) == {
        "V1": ("a", "0", 1.0),
        "R.X1.R1": ("a", "X1.m", 500.0),
        "R.X1.R2": ("X1.m", "b", 500.0),
        "C.X1.C1": ("b", "0", 1e-9),
        "C.X1.Cm": ("X1.m", "0", 1e-9),
        "R.Xb.R1": ("b", "Xb.m", 2e3),
        "R.Xb.R2": ("Xb.m", "c", 2e3),
        "C.Xb.C1": ("c", "0", 2e-9),
        "C.Xb.Cm": ("Xb.m", "0", 2e-9),
    }
    assert circuit(str(made)) == made
    assert made.compile().coordinates == ("q(X1.m)", "q(b)", "q(Xb.m)", "q(c)")


def test_calls_in_subcircuits_and_definitions_inside():
    """Inner definitions see the parameters around them; the innermost value counts."""
    made = circuit(
        """.param r=1 c=1n
        .global vdd
        .subckt outer a b r=10
        .subckt inner x r={2*r}
        R1 x vdd {r}
        C1 x 0 {c}
        .ends
        X1 a inner
        X2 b inner r={r+1}
        .ends
        X9 p q outer r=100
        X8 p q outer
        V1 vdd 0 1"""
    )
    values = {name: value for name, (_, _, value) in table(made).items() if name[0] == "R"}
    assert values == {
        "R.X9.X1.R1": 200.0,
        "R.X9.X2.R1": 101.0,
        "R.X8.X1.R1": 20.0,
        "R.X8.X2.R1": 11.0,
    }
    assert table(made)["R.X8.X2.R1"][:2] == ("q", "vdd")
    with pytest.raises(CircuitError, match="no subcircuit 'inner'"):
        circuit(".subckt outer a\n.subckt inner x\n.ends\n.ends\nX1 a inner")


def test_copies_in_parallel():
    """m= of a call is that of all its elements; a definition is used before it stands."""
    made = circuit("X1 a s m=2\n.subckt s a\nR1 a 0 1k m=3\nC1 a 0 1n\nI1 a 0 1\n.ends")
    assert [b.value for b in made.branches] == pytest.approx([1e3 / 6, 2e-9, 2.0])


def test_elements_whose_ends_a_call_joins_are_left_out():
    """A port at ground is common; a voltage between the two nodes contradicts it."""
    cell = ".subckt s a b\nR1 a b 1k\nR2 a m 1k\nC1 m b 1n\n{}\n.ends\nR9 p 0 1\nX1 p 0 s\nX2 q q s"
    made = circuit(cell.format("R3 b 0 1k"))
    assert [b.name for b in made.branches] == [
        "R9", "R.X1.R1", "R.X1.R2", "C.X1.C1", "R.X2.R2", "C.X2.C1", "R.X2.R3",
    ]  # fmt: skip
    assert made.skipped == (
        "R.X1.R3: both ends at one node",
        "R.X2.R1: both ends at one node",
    )
    for kind in ("C3 a b 1n ic=1", "L3 a b 1m rser=1", "I3 a b 1", "G3 a b m 0 1m", "F3 a b V8 2"):
        made = circuit(cell.format(f"V8 m n 0\nR8 n 0 1\n{kind}"))
        name = f"{kind[0]}.X2.{kind[:2]}"
        assert f"{name}: both ends at one node" in made.skipped
        assert name not in [b.name for b in made.branches] and "c.x2.c3" not in made._initial
    for kind in ("V3 a b 1", "E3 a b m 0 2", "H3 a b V9 1"):
        with pytest.raises(CircuitError, match="both ends of .*X2.*3 are at node 'q'"):
            circuit(cell.format(kind + "\nV9 m 0 0"))
    with pytest.raises(CircuitError, match=r"K.X2.K1 names 'L.X2.L1', whose ends"):
        circuit(cell.format("L1 a b 1m\nL2 m 0 1m\nK1 L1 L2 0.5"))


COMPLAINTS = [
    ("X1 a b nothing", 1, "nothing", "define it by .subckt"),
    ("X1", 1, "X1", "no subcircuit"),
    (".subckt s a\nR1 a 0 1", None, "s", "no .ends"),
    (".ends", 1, ".ends", "no .subckt"),
    (".subckt", 1, ".subckt", "name"),
    (".subckt s a a\n.ends", 1, "s", "twice"),
    (".subckt s a\n.ends t", 2, "t", "stands in 's'"),
    (".subckt s a\n.ends\n.subckt S b\n.ends", 3, "S", "two subcircuits"),
    (".subckt s a\nR1 a 0 1\n.ends\nX1 a b s", 4, "X1", "2 nodes, but the subcircuit 's' has 1"),
    (".subckt s a\nR1 a 0 1\n.ends\nX1 a s r=1", 4, "X1", "unknown parameter 'r'"),
    (".subckt s a r=1\nR1 a 0 {q}\n.ends\nX1 a s", 2, "{q}", "no parameter 'q'"),
    (".subckt s a\nX1 a s\n.ends\nX1 a s", 2, "X1", "call one another"),
    (".subckt s a\nR1 a 0 0x\n.ends\nX1 a s", 2, "0x", "number"),
    (".subckt s a\nR1 a 0 1\n.ends\nX1 a s\nX1 a s", 2, "R.X1.R1", "two elements"),
    (".subckt s a\nR1 a 0 1\n.ends\nX1 a s m=0", 4, "X1", "m= of X1"),
]


@pytest.mark.parametrize(("text", "line", "token", "part"), COMPLAINTS)
def test_complaint_names_line_and_word(text, line, token, part):
    with pytest.raises(CircuitError) as caught:
        circuit(text)
    assert (caught.value.line, caught.value.token) == (line, token)
    assert part in str(caught.value)


def test_calls_that_multiply_without_end_are_refused_soon():
    """Each level calls the next ten times: 10²⁰ elements, or none at all in the innermost."""
    for inside in ("R1 a 0 1", ""):
        levels = [f".subckt s0 a\n{inside}\n.ends"]
        for k in range(1, 21):
            calls = "\n".join(f"X{n} a s{k - 1}" for n in range(10))
            levels.append(f".subckt s{k} a\n{calls}\n.ends")
        with pytest.raises(CircuitError, match="more than 100,000 elements in all"):
            circuit("\n".join([*levels, "X1 a s20"]))


@pytest.fixture
def folder(tmp_path):
    """A netlist that includes two files, one with sections, in a folder of its own."""
    home = tmp_path / "home"
    (home / "parts").mkdir(parents=True)
    (home / "main.cir").write_text(
        "A low-pass\n.include parts/lowpass.inc\n.lib 'parts/values.lib' fast\n"
        "X1 in out lowpass c={c0}\nV1 in 0 PULSE(0 1 1n)\n.tran 1n 1u\n.end\n"
    )
    (home / "parts" / "lowpass.inc").write_text(LOW_PASS)
    (home / "parts" / "values.lib").write_text(
        ".lib slow\n.param c0=1u\n.endl slow\n.lib fast\n.param c0=2n\n.endl\n"
    )
    (tmp_path / "outside.inc").write_text("R9 out 0 1k\n")
    return home


def test_a_file_with_included_files(folder):
    made = ktc.Circuit.from_file(folder / "main.cir", waveforms="initial")
    assert made.title == "A low-pass" and made.skipped == (".tran 1n 1u",)
    assert table(made)["C.X1.C1"] == ("out", "0", 2e-9)
    assert table(made)["V1"] == ("in", "0", 0.0)
    assert circuit(str(made)) == made


def test_errors_in_an_included_file_name_it(folder):
    (folder / "parts" / "lowpass.inc").write_text(LOW_PASS.replace("{half}", "x"))
    with pytest.raises(CircuitError, match=r"^lowpass.inc, line 3: 'x' is not a number") as caught:
        ktc.Circuit.from_file(folder / "main.cir", waveforms="initial")
    assert (caught.value.file, caught.value.line) == ("lowpass.inc", 3)


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (".include ../outside.inc", "outside the folder"),
        (".include /etc/hostname", "outside the folder"),
        (".include link.inc", "outside the folder"),
        (".include nothing.inc", "is no file"),
        (".include parts", "is no file"),
        (".include main.cir", "include one another"),
        (".lib parts/values.lib medium", "no section 'medium'"),
    ],
)
def test_files_that_are_not_included(folder, command, part):
    (folder / "link.inc").symlink_to(folder.parent / "outside.inc")
    (folder / "main.cir").write_text(f"* a comment\nR1 a 0 1\n{command}\n")
    with pytest.raises(CircuitError, match=part):
        ktc.Circuit.from_file(folder / "main.cir")


def test_text_includes_no_files():
    with pytest.raises(CircuitError, match=r"read it by ktc.Circuit.from_file"):
        circuit(".include main.cir")


@pytest.mark.parametrize(
    ("first", "title"),
    [
        ("VCO in out", "VCO in out"),
        ("RC low-pass filter 1st order", "RC low-pass filter 1st order"),
        ("Voltage divider test", "Voltage divider test"),
        ("* a comment", ""),
        (".title T", "T"),
        ("", ""),
    ],
)
def test_the_first_line_of_a_file(tmp_path, first, title):
    path = tmp_path / "a.cir"
    path.write_text(f"{first}\nR1 a 0 1k\nC1 a 0 1n\n")
    made = ktc.Circuit.from_file(path)
    assert (made.title, len(made.branches)) == (title, 2)


@pytest.mark.parametrize("first", ["R9 b a 1k", "X1 a b sub", "Vin a 0 5", "D1 a b d"])
def test_a_first_line_that_may_be_an_element_is_asked_about(tmp_path, first):
    path = tmp_path / "a.cir"
    path.write_text(f"{first}\nR1 a 0 1k\nC1 a 0 1n\n")
    with pytest.raises(CircuitError, match="title=True or title=False"):
        ktc.Circuit.from_file(path)
    assert ktc.Circuit.from_file(path, title=True).title == first


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(OSError, match="is no file"):
        ktc.Circuit.from_file(tmp_path / "nothing.cir")
    with pytest.raises(OSError, match="is no file"):
        ktc.Circuit.from_file(tmp_path)
