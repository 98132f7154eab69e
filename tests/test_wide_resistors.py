"""Analyses of circuits with small and large resistors, against rational arithmetic."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import ktc

BOLTZMANN = 1.380649e-23


def circuit(text):
    return ktc.Circuit.from_netlist(text)


@pytest.mark.parametrize("large", ["1G", "100G", "1T", "30T"])
def test_a_small_resistor_between_large_ones_keeps_their_digits(large):
    """V1, 1 mΩ, R, 1 mΩ, R: half of the voltage, but for 1 mΩ/R."""
    made = circuit(f"V1 a 0 1\nR1 a b 1m\nR2 b c {large}\nR3 c d 1m\nR4 d 0 {large}\nC1 d 0 1p")
    big, small = Fraction(made.branches[2].value), 1e-3
    amperes = 1 / (2 * big + 2 * Fraction(small))
    point = made.op()
    assert point.voltages["d"] == pytest.approx(float(amperes * big), rel=1e-12)
    for name in ("R1", "R2", "R3", "R4"):
        assert point.currents[name] == pytest.approx(float(amperes), rel=1e-12)
    assert sum(point.heat.values()) == pytest.approx(sum(point.power.values()), rel=1e-12)
    assert made.ac("V1", 0.0).voltages["d"] == pytest.approx(0.5, rel=1e-9)
    shares = made.noise("d", 0.0).shares
    unit = 4 * BOLTZMANN * made.kelvin
    assert shares["R4"] == pytest.approx(unit * float(big) / 4, rel=1e-9)
    assert shares["R3"] == pytest.approx(unit * small / 4, rel=1e-9)


def test_noise_power_of_small_and_large_resistors():
    """kT/C, from both resistors alike."""
    made = circuit("V1 a 0 1\nR1 a b 50\nR2 b c 10T\nR3 c d 50\nR4 d 0 10T\nC1 d 0 1p")
    shares = made.noise_power("d", 1e-3, 1e9)
    # Below 1 mHz lies 2/π · atan(f/f₀) of it, with f₀ = 1/(2π · 5 TΩ · 1 pF).
    above = 1 - 2 / math.pi * math.atan(1e-3 * 2 * math.pi * 5)
    wanted = BOLTZMANN * made.kelvin / 1e-12 * above / 2
    assert shares["R2"] == pytest.approx(wanted, rel=1e-6)
    assert shares["R4"] == pytest.approx(wanted, rel=1e-6)


def test_noise_that_does_not_converge_is_refused(monkeypatch):
    monkeypatch.setattr("ktc._circuits.analyses.SUBDIVISIONS", 2)
    with pytest.raises(ktc.CircuitError, match="after 2 subdivisions; divide the band at the res"):
        circuit("R1 a 0 1G\nL1 a 0 1u\nC1 a 0 1u").noise_power("a", 1e-3, 1e9)


@pytest.mark.parametrize(
    "text",
    [
        "V1 a 0 1\nR1 a b 1e-30\nR2 b c 1e30\nR3 c d 1e-30\nR4 d 0 1e30",
        "V1 a b 1\nR0 a b 1m\nR1 a c 1T\nR2 c 0 1T\nR3 b d 1T\nR4 d 0 2T",  # 1 kA beside 1 pA
        "V1 a 0 1\nR0 b a 59e15\nR1 c 0 626meg\nR2 d b 34.4\nC1 d e 1u\nC2 e c 1u\nR3 e 0 20T\n"
        "R4 a g 1u",
    ],
)
def test_voltages_that_rounding_decides_on_are_refused(text):
    with pytest.raises(ktc.CircuitError, match="values of the elements lie too far apart"):
        circuit(text).op()


def test_a_resistor_between_small_capacitors_at_low_frequency_is_refused():
    with pytest.raises(ktc.CircuitError, match="too far apart .* singular at 0.001 Hz"):
        circuit("V1 a 0 1\nC1 a b 1p\nR1 b c 1m\nC2 c 0 1p").ac("V1", 1e-3)


def test_a_resonance_of_any_quality_is_solved():
    """Q = 10⁹: half of the height at f₀ (1 + 1/(2 Q)) in |Z|², and kT/C in all."""
    made = circuit("I1 0 a 0\nR1 a 0 1G\nL1 a 0 1\nC1 a 0 1")
    f0, q = 1 / (2 * math.pi), 1e9
    found = made.ac("I1", f0 * (1 + 0.5 / q)).voltages["a"]
    assert abs(found[0]) ** 2 == pytest.approx(0.5e18, rel=1e-6)  # eps Q of the frequency
    density = made.noise("a", f0 * (1 + 0.5 / q)).density
    assert density[0] == pytest.approx(4 * BOLTZMANN * made.kelvin * 0.5e9, rel=1e-6)


def solved(count, admittances):
    """Voltages of nodes 2 … count, with node 1 at 1 V, as pairs of fractions."""
    zero = (Fraction(0), Fraction(0))

    def minus(a, b):
        return a[0] - b[0], a[1] - b[1]

    def times(a, b):
        return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]

    def over(a, b):
        size = b[0] ** 2 + b[1] ** 2
        product = times(a, (b[0], -b[1]))
        return product[0] / size, product[1] / size

    matrix = [[zero] * (count + 1) for _ in range(count + 1)]
    for i, j, y in admittances:
        for row, column in ((i, j), (j, i)):
            matrix[row][column] = minus(matrix[row][column], y)
            matrix[row][row] = minus(matrix[row][row], (-y[0], -y[1]))
    rows = [[*row[2:], minus(zero, row[1])] for row in matrix[2:]]
    for c in range(len(rows)):
        p = next(r for r in range(c, len(rows)) if rows[r][c] != zero)
        rows[c], rows[p] = rows[p], rows[c]
        rows[c] = [over(x, rows[c][c]) for x in rows[c]]
        for r, row in enumerate(rows):
            if r != c and row[c] != zero:
                rows[r] = [minus(x, times(row[c], y)) for x, y in zip(row, rows[c], strict=True)]
    return np.array([complex(float(row[-1][0]), float(row[-1][1])) for row in rows])


def test_random_networks_of_many_decades_are_right_or_refused():
    """Trees of resistors to ground with chords and capacitors; 1e-9 of 1 V."""
    rng, refused, reasons = random.Random(5), 0, {True}
    for _ in range(60):
        count = rng.randint(3, 7)
        pairs = [(k, rng.randint(0, k - 1)) for k in range(2, count + 1)]
        pairs += [tuple(rng.sample(range(count + 1), 2)) for _ in range(3)]
        span, f = rng.choice([3, 9, 15, 20]), 10 ** rng.uniform(-3, 9)
        lines, resistive, capacitive = ["V1 1 0 1"], [], []
        for k, (i, j) in enumerate(pairs):
            ohms = float(f"{10 ** rng.uniform(-3, span - 3):.3g}")
            lines.append(f"R{k} {i} {j} {ohms!r}")
            resistive.append((i, j, (1 / Fraction(ohms), Fraction(0))))
        for k in range(2):
            i, j = rng.sample(range(count + 1), 2)
            farads = float(f"{10 ** rng.uniform(-15, -6):.3g}")
            lines.append(f"C{k} {i} {j} {farads!r}")
            capacitive.append((i, j, (Fraction(0), Fraction(farads) * Fraction(2 * math.pi * f))))
        made = circuit("\n".join(lines))
        nodes = [str(k) for k in range(2, count + 1)]
        try:
            found = [made.op().voltages[n] for n in nodes]
            response = [made.ac("V1", f).voltages[n][0] for n in nodes]
        except ktc.CircuitError as error:
            refused += 1
            reasons.add("too far apart" in str(error))
            continue
        np.testing.assert_allclose(found, solved(count, resistive), rtol=0, atol=1e-9)
        wanted = solved(count, resistive + capacitive)
        np.testing.assert_allclose(response, wanted, rtol=0, atol=1e-9)
    assert refused < 6 and reasons == {True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: circuit("V1 a 0 1e300\nR1 a 0 1e-50").op(), r"V1 .* has 1e\+300 volts"),
        (
            lambda: circuit("I1 0 a 1e300\nR1 a 0 1e50\nC1 a 0 1").op(),
            r"I1 .*1e\+300 amperes: .*50",
        ),
        (lambda: circuit("V1 a 0 1e300\nR1 a 0 1").ac("V1", 1.0), r"V1 .* has 1e\+300 volts"),
        (lambda: circuit("V1 a 0 1\nR1 a 0 1k").op(V1=1e300), r"V1 is 1e\+300, .* between -1e\+50"),
        (lambda: circuit("I1 0 a 1\nR1 a 0 1k").op(i1=-2e50), r"I1 is -2e\+50, .* and 1e\+50"),
    ],
)
def test_extreme_sources_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_noise_at_nodes_that_sources_hold_is_zero():
    """A voltage source and an inverting amplifier: none at their nodes."""
    text = "V1 in 0 1\nR1 in n 1k\nR2 n out 10k\nE1 out 0 opamp 0 n\nR4 out 0 50\nC1 out 0 1n"
    made = circuit(text)
    for output in ("in", "n"):
        np.testing.assert_allclose(made.noise(output, [0.0, 1e-3, 1e9]).density, 0.0, atol=1e-60)
    wanted = 4 * BOLTZMANN * made.kelvin * (1e3 * 100 + 1e4)
    np.testing.assert_allclose(made.noise("out", [1e-3, 1e9]).density, wanted, rtol=1e-12)
