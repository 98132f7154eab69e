"""Waveforms of sources: values as ngspice has them, exact means, and the protocols of circuits."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ktc
from ktc._circuits.branch import CircuitError

TEXT = """V1 in 0 dc 0 PULSE(0 1 1u 0 0 2u 5u)
I1 0 a 1m SIN(1m 2m 100k 0 0 90) m=2
V2 b 0 PWL(0 0 1u 1 2u 0.5) r=1u td=0.5u
.subckt cell x r=1k
Vx y 0 EXP(0 1 0 1u 2u 1u)
R1 y x {r}
.ends
X1 a cell
R1 in a 1k
R2 a b 2k
C1 a 0 1n
"""

# Values of ngspice 39, every 0.25 ms. Where it jumps, a step later.
TABLE = [
    ("sffm(1 2 1k 3 100 30 60)", [1.0398327, -0.96668667, 1.62238455, 2.85887939, 0.28503613,
                                  -0.92222399, 1.24466959, 2.9896031]),
    ("am(1 2 100 1k)", [0, 2.15642588, 0, -2.4539807, 0, 2.70709598, 0, -2.8909950]),
    ("sin(1 2 1k 0.3m 500 30)", [2, 2, 2.77012233, 0.667960583, -0.37857266, 1.25859256,
                                 2.07363347, 0.798607913]),
    ("sine(1 2 1k -0.3m 500 30)", [2.1518521, -0.12893908, 0.102939603, 1.87921864, 1.69863134,
                                  0.315263835, 0.455905366, 1.53327306]),
    ("pulse(1 5 0.3m 0.2m 0.4m 0.5m 2m)", [1, 1, 5, 5, 5, 2.5, 1, 1, 1, 1, 5, 5, 5]),
    ("pulse(1 5 0.3m 0.2m 0.4m 0.5m 0.8m)", [1, 1, 5, 5, 5, 4, 5, 5, 3, 5, 5, 2, 5]),
    ("pulse(1 5 0.3m 0.2m 0.4m 0.5m 2m 1)", [1, 1, 5, 5, 5, 2.5, 1, 1, 1, 1, 1, 1, 1]),
    ("pulse(1 5 0.3m 1n 1n 0.5m 1m)", [1, 1, 5, 5, 1, 1, 5, 5, 1, 1, 5, 5, 1]),
    ("exp(1 5 0.3m 1m 0.5m 2m)", [1, 1, 1.725077, 1.97947484, 2.1288618, 2.20219293, 2.22134573]),
    ("pwl(0 0 0.5m 1 1m 0.5)", [0, 0.5, 1, 0.75, 0.5, 0.5, 0.5]),
    ("pwl(0 0 0.5m 1 1m 0.5) r=0.5m", [0, 0.5, 1, 0.75, 1, 0.75, 1]),
    ("pwl(0 0 0.5m 1 1m 0.5) r=0 td=0.6m", [0, 0, 0, 0.3, 0.8, 0.85, 0.6, 0.3, 0.8, 0.85, 0.6]),
    ("pwl(0.25m 1 0.5m 2) td=0.6m", [1, 1, 1, 1, 1.6, 2, 2]),
]  # fmt: skip


def circuit(text, **options):
    return ktc.Circuit.from_netlist(text, **{"waveforms": "drive", **options})


def wave(text):
    (only,) = circuit(f"V1 a 0 {text}").waveforms.values()
    return only


@pytest.mark.parametrize(("text", "values"), TABLE)
def test_values_are_those_of_ngspice(text, values):
    times = 0.25e-3 * np.arange(len(values))
    np.testing.assert_allclose(wave(text).at(times), values, rtol=0, atol=2e-5)


@pytest.mark.parametrize("text", [text for text, _ in TABLE])
def test_means_are_integrals(text):
    """By Gauss-Legendre quadrature between corners, to 1e-8 of the largest."""
    given, (places, weights) = wave(text), np.polynomial.legendre.leggauss(12)
    edges = np.sort(np.random.default_rng(1).uniform(0.0, 6e-3, 12))
    corners = np.concatenate([[0.3e-3, 0.5e-3, 0.6e-3], np.arange(0.0, 6e-3, 0.05e-3)])
    corners = np.concatenate([corners, corners + 1e-9, corners + 2e-9])
    for a, b, mean in zip(edges, edges[1:], given.mean(edges), strict=False):
        points = np.unique([a, *corners[(corners > a) & (corners < b)], b])
        steps, middles = np.diff(points)[:, None] / 2, (points[1:] + points[:-1])[:, None] / 2
        integral = np.sum(steps * weights * given.at(middles + steps * places))
        assert mean == pytest.approx(integral / (b - a), abs=1e-8)


def test_means_of_many_periods_are_the_mean_of_one():
    square = ktc.Waveform("pulse", (0, 1, 0, 0, 0, 0.3, 1))
    assert square.mean([0.0, 1e6]) == pytest.approx(0.3, rel=1e-12)
    np.testing.assert_allclose(square.mean(1e6 + np.arange(4)), 0.3, rtol=1e-9)
    assert ktc.Waveform("sin", (2, 1, 50)).mean([0.0, 10.0]) == pytest.approx(2.0, rel=1e-12)
    tick = ktc.Waveform("sin", (0, 1, 1)).mean([0.0, 1e-9, 2e-9])
    np.testing.assert_allclose(tick, np.pi * np.array([1e-9, 3e-9]), rtol=1e-12)


def test_a_circuit_keeps_its_waveforms():
    made = circuit(TEXT)
    assert list(made.waveforms) == ["V1", "I1", "V2", "V.X1.Vx"]
    assert made.waveforms["I1"].values[:2] == (2e-3, 4e-3)  # two of them in parallel
    assert made.waveforms["V2"] == ktc.Waveform("pwl", (0, 0, 1e-6, 1, 2e-6, 0.5), 1e-6, 0.5e-6)
    assert [b.value for b in made.branches if b.kind in "VI"] == [0.0, 2e-3, 0.0, 0.0]
    assert circuit(str(made)) == made
    assert circuit(str(made), waveforms="initial") != made
    assert circuit(TEXT, waveforms="initial").waveforms == {}


def test_a_saved_circuit_keeps_its_waveforms(tmp_path):
    made = circuit(TEXT)
    made.save(tmp_path / "circuit.json")
    assert ktc.load(tmp_path / "circuit.json") == made


def test_the_protocol_of_a_circuit():
    """Each tick has the means of the sources, and the end their last values."""
    made = circuit(TEXT)
    played = made.protocol(duration=8e-6, ticks=16)
    assert played.ticks == 16 and played.duration == pytest.approx(8e-6)
    assert list(played.controls) == list(played.final) == ["V1", "I1", "V2", "V.X1.Vx"]
    for name, waveform in made.waveforms.items():
        means = waveform.mean(np.linspace(0, 8e-6, 17))
        np.testing.assert_allclose(played.controls[name], means, rtol=1e-13)
        assert played.final[name] == pytest.approx(float(waveform.at(8e-6)))
    ktc.Emulator(made, replicas=3, seed=1).play(played)
    with pytest.raises(ValueError, match="no waveforms"):
        circuit("V1 a 0 1\nR1 a b 1\nC1 b 0 1").protocol(1.0, 2)
    with pytest.raises(ValueError, match="duration"):
        made.protocol(-1.0, 2)


def test_a_driven_low_pass_follows_its_source():
    """Mean voltage of an infinite ensemble at the end of a ramp: t − τ(1 − e^(−t/τ))."""
    made = circuit("V1 in 0 PWL(0 0 10u 10)\nR1 in a 1k\nC1 a 0 1n")
    emulator = ktc.Emulator(made.compile(), replicas=float("inf"))
    emulator.play(made.protocol(5e-6, 500))
    charge = emulator.moments().mean[0]
    exact = 1e6 * (5e-6 - 1e-6 * (1 - np.exp(-5.0)))
    # Ticks of a hundredth of τ hold the mean of the ramp: second order.
    assert charge / 1e-9 == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sin(0 1)", "at least 3 values"),
        ("sin(0 1 0)", "needs a frequency"),
        ("sin(0 1 1 0 0 0 1)", "takes 6"),
        ("exp(0 1)", "v1 v2 td1 tau1 td2 tau2"),
        ("exp(0 1 0 0 1 1)", "positive tau1"),
        ("exp(0 1 2 1 1 1)", "td2 not before td1"),
        ("pulse(0 1 -1)", "before time 0"),
        ("pulse(0 1 0 0 0 1 0 2)", "needs a period"),
        ("pwl(0 1 1)", "pairs"),
        ("pwl(0 1 1 2) r=0.5", "none of its points"),
        ("pwl(0 1) r=0", "none of its points"),
        ('pwl file "a.csv"', "reads no file"),
        ("pwl(file=a.csv)", "reads no file"),
        ("pwl(0 1 1 2) td=", "after '='"),
        ("sffm(0 1 1 1e6 1)", "modulation index"),
        ("sffm(0 1 1 1)", "at least 5"),
        ("am(1 1 0 1)", "two frequencies"),
        ("am(1 1 1 1 0 30)", "takes 5"),
        ("sin(0 1 1) pulse(0 1)", "two waveforms"),
    ],
)
def test_waveforms_that_are_not_given_in_full_are_refused(text, part):
    with pytest.raises(CircuitError, match=part) as caught:
        circuit(f"R1 a 0 1\nV1 a 0 {text}")
    assert caught.value.line == 2


def test_one_point_is_constant():
    given = wave("pwl(1m 5)")
    np.testing.assert_array_equal(given.at([0.0, 1e-3, 2e-3]), 5.0)
    np.testing.assert_allclose(given.mean([0.0, 0.5e-3, 2e-3]), 5.0, rtol=1e-15)


def test_edges_of_means_are_checked():
    with pytest.raises(ValueError, match="increasing"):
        wave("sin(0 1 1)").mean([0.0, 0.0])
    with pytest.raises(ValueError, match="shape must be"):
        ktc.Waveform("square", (0, 1))
    with pytest.raises(ValueError, match="sin needs a frequency"):
        ktc.Waveform("sin", (0, 1, 0))
    with pytest.raises(ValueError, match="values must be finite"):
        ktc.Waveform("sin", (0, math.nan, 1))
    with pytest.raises(ValueError, match="values must be a series"):
        ktc.Waveform("sin", 1.0)
    with pytest.raises(ValueError, match="delay must be finite"):
        ktc.Waveform("pwl", (0, 1), delay=math.inf)
