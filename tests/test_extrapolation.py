"""Error bars of convergence studies: how often they cover answers that are known."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc._measure.extrapolation import extrapolate
from reference_quartic import Unit

STUDIES = 200
#: Least covered of 200 at one and two standard errors: 68.3 % and 95.4 % less four of the binomial,
#: a false alarm of 3e-5 each. Bars may cover more.
LEAST = 0.683 - 4 * 0.033, 0.954 - 4 * 0.0148


def covered(studies, exact):
    """Shares of studies whose limit is within one and two standard errors."""
    misses = np.array([abs(s.extrapolated.mean - exact) / s.extrapolated.stderr for s in studies])
    return np.mean(misses < 1), np.mean(misses < 2)


def check(studies, exact):
    one, two = covered(studies, exact)
    assert one > LEAST[0] and two > LEAST[1], (one, two)


@pytest.mark.parametrize("kT", [1e-12, 1e-4, 0.1])
def test_a_mean_on_its_way(kT):
    """Two coupled units from far out, in steps; the mean is exp(−Kt) x₀.

    From noise far below the bias, where one standard error is not that of a normal, to far above.
    """
    stiffness = np.array([[1.0, 0.9], [0.9, 1.0]])
    values, vectors = np.linalg.eigh(stiffness)
    exact = float((vectors * np.exp(-2 * values) @ vectors.T @ [5.0, 0.0])[0])
    network = ktc.Network(stiffness, 1.0, kT=kT)
    studies = [
        ktc.convergence(
            network, lambda e: e.read()[:, 0], 2.0, dts=[0.4, 0.2, 0.1, 0.05], replicas=20,
            seed=10 * k, state=[5.0, 0.0], threads=1,
        )
        for k in range(STUDIES if kT > 1e-6 else 20)
    ]  # fmt: skip
    if kT > 1e-6:
        check(studies, exact)
        return
    assert covered(studies, exact)[1] == 1.0
    assert all(s.remainder > 0.5 * s.extrapolated.stderr for s in studies)


@pytest.mark.parametrize("longest", [0.3, 0.15])
def test_a_double_well(longest):
    """⟨x²⟩ at equilibrium by quadrature; the longest step's bias is several standard errors."""
    well = Unit(-2.0, 1.0, bias=0.1, kT=0.2)
    network = ktc.Network(-2.0, 1.0, kT=0.2, bias=0.1, quartic=1.0)
    studies = [
        ktc.convergence(
            network, lambda e: e.read()[:, 0] ** 2, 1.0, dts=longest / np.array([1, 2, 4, 8]),
            replicas=1000, seed=10 * k, threads=1, resolve_heat=True,
        )
        for k in range(STUDIES)
    ]  # fmt: skip
    check(studies, well.average(lambda x: x**2))


@pytest.mark.parametrize(("account", "exact"), [(0, 5.687437), (1, 6.437185)])
def test_fluctuations_of_heat_are_second_order(account, exact):
    """Mean squares of the heats of two resistors, kT 1 and 2, at one unit, 4 standard errors.

    x′ = −2x + noise, dq = (x² − kT) dt − √(2kT) x dW: with c = ⟨q x²⟩, ⟨x²⟩ = 3/2 and ⟨q⟩ = μ t,
    c′ = 27/4 − 3kT/2 − 4c + 6μt − 6kT and ⟨q²⟩′ = 2c − 2kT μt + 3kT, solved at t = 2.
    """
    resistors = [ktc.Resistor([1.0], 1.0, name) for name in "ab"]
    network = ktc.Network.of_elements([[1.0]], resistors, [1.0, 2.0])
    study = ktc.convergence(
        network, lambda e: e.ledger.heat_per_resistor[:, account] ** 2, 2.0,
        dts=[0.5, 0.25, 0.125, 0.0625], replicas=40_000, seed=1, resolve_heat=True,
    )  # fmt: skip
    assert abs(study.extrapolated.mean - exact) < 4 * study.extrapolated.stderr < 0.4
    assert study.fit > 1e-4
    error = abs(study.estimates[0].mean - exact)
    assert error > 2 * study.estimates[0].stderr


def test_divider_in_steps():
    """The stationary mean is exact at any step: 2.5 V, and the bar is that of noise."""
    circuit = ktc.Circuit.from_netlist("V1 in 0 5\nR1 in a 1k\nR2 a 0 1k\nC1 a 0 1n")
    node = circuit.nodes.index("a")
    study = ktc.convergence(
        circuit.compile(), lambda e: circuit.voltages(e)[:, node], 1e-5, replicas=1000, seed=1
    )
    assert abs(study.extrapolated.mean - 2.5) < 4 * study.extrapolated.stderr < 1e-6
    assert study.remainder < 0.5 * study.extrapolated.stderr


@pytest.mark.parametrize(
    "series",
    [np.exp, np.sin, np.cos, np.log1p, np.square, lambda z: 1 / (1 + z), lambda z: 1 / (1 - z)],
    ids=["exp", "sin", "cos", "log", "square", "pole behind", "pole ahead"],
)
@pytest.mark.parametrize("noise", [1e-9, 1e-3, 0.1, 1.0])
def test_series_in_the_square_of_the_step(series, noise):
    """Also without a term in dt², and with a pole at three times the longest step's square."""
    rng, longest = np.random.default_rng(6), 0.3
    steps = np.array([8.0, 4.0, 2.0, 1.0])
    exact, squares = series(0.0), longest * (steps / 8) ** 2
    errors = np.full(4, noise * longest)
    misses = []
    for _ in range(STUDIES):
        found = extrapolate(steps, series(squares) + errors * rng.standard_normal(4), errors)
        misses.append(abs(found.limit - exact) / found.stderr)
    assert np.mean(np.array(misses) < 2) > LEAST[1]
    assert noise < 1e-2 or np.mean(np.array(misses) < 1) > LEAST[0]


def test_equal_averages_and_units():
    """Without noise and bias the limit is the average; it scales with its unit."""
    steps = np.array([4.0, 2.0, 1.0])
    same = extrapolate(steps, np.full(3, 7.0), np.zeros(3))
    assert (same.limit, same.stderr, same.remainder, same.fit) == (7.0, 0.0, 0.0, 1.0)
    means, errors = np.array([1.3, 1.1, 1.05]), np.array([0.01, 0.02, 0.03])
    one, small = (
        extrapolate(steps, means, errors),
        extrapolate(steps, 1e-200 * means, 1e-200 * errors),
    )
    assert small.limit == pytest.approx(1e-200 * one.limit, rel=1e-9)
    assert small.stderr == pytest.approx(1e-200 * one.stderr, rel=1e-9)
    assert extrapolate(steps, np.zeros(3), np.zeros(3)).limit == 0.0
