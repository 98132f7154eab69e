"""Time of a unit-step against the number of replicas, and for sparse couplings against units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.work import (
    Case,
    Contender,
    Prepared,
    UnavailableError,
    Work,
    WrongResultError,
    close,
    our_emulator,
)

STEPS, STEP = 100, 0.01
SPARSE_STEP = 0.05
#: Least number of unit-steps of a run, so that the overhead of a call does not count.
LEAST_WORK = 10**7


def holding(network: Any, case: Case, variance: float, **options: Any) -> Prepared:
    """Holds of a hundred steps in equilibrium: the variance stays, and every mean moves."""
    import ktc

    emulator = our_emulator(network, case, **options)
    holds = max(1, LEAST_WORK // (STEPS * case["replicas"]))
    # A hold of a hundred midpoint steps, or as many exact ticks.
    ticks = 1 if "dt" in options else STEPS
    hold = np.full(holds * ticks, STEP * STEPS / ticks)
    drive = ktc.Protocol(hold, {"bias": np.zeros(hold.size)})
    seen = [float(emulator.moments().mean[0])]

    def check(_: Any) -> str:
        moments = emulator.moments()
        seen.append(float(moments.mean[0]))
        if seen[-1] in seen[:-1]:
            raise WrongResultError("the replicas do not move")
        error = variance * np.sqrt(2 / case["replicas"])
        return close("variance", float(moments.covariance[0, 0]), variance, 5 * error + 0.002)

    return Prepared(lambda: emulator.play(drive), float(case["replicas"] * STEPS * holds), check)


def one_linear(case: Case) -> Prepared:
    import ktc

    return holding(ktc.Network(stiffness=1.0, friction=1.0), case, 1.0)


def one_quartic(case: Case) -> Prepared:
    """Variance of exp(−x²/2 − x⁴/4) by quadrature."""
    import ktc

    network = ktc.Network(stiffness=1.0, friction=1.0, quartic=1.0)
    x = np.linspace(-6, 6, 4001)
    weight = np.exp(-(x**2) / 2 - x**4 / 4)
    variance = float((x**2 * weight).sum() / weight.sum())
    return holding(network, case, variance, dt=STEP * 1.0000001)


def replica_cases(quick: bool) -> list[dict[str, Any]]:
    sizes = (10**3, 10**4) if quick else tuple(10**k for k in range(3, 8))
    return [
        {"label": f"{size:.0e} replicas".replace("e+0", "e"), "dtype": "float64", "replicas": size}
        for size in sizes
    ]


def grid(side: int) -> Any:
    """Couplings of a square grid with open ends: 2 on the diagonal, −¼ between neighbours."""
    from scipy import sparse

    line = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    one = sparse.eye_array(side)
    links = sparse.kron(line, one) + sparse.kron(one, line)
    return (2 * sparse.eye_array(side * side) - links / 4).tocsr()


def sparse_grid(case: Case) -> Prepared:
    import ktc

    side = case["side"]
    try:
        network = ktc.Network(stiffness=grid(side), friction=1.0)
    except (TypeError, ValueError) as error:
        raise UnavailableError(f"no sparse couplings: {str(error).splitlines()[0]}") from error
    units = side * side
    emulator = our_emulator(network, case, state=np.zeros(units), dt=SPARSE_STEP)
    emulator.run(100 * SPARSE_STEP)

    def check(_: Any) -> str:
        x = np.asarray(emulator.read(), dtype=float)
        virial = float(np.mean(x * (grid(side) @ x.T).T))
        return close("x ∂H/∂x", virial, 1.0, 5 * np.sqrt(3 / x.size) + 0.02)

    run: Callable[[], Any] = lambda: emulator.run(SPARSE_STEP * case["steps"])  # noqa: E731
    return Prepared(run, float(case["replicas"] * units * case["steps"]), check)


def sparse_cases(quick: bool) -> list[dict[str, Any]]:
    sides = (10, 32) if quick else (32, 100, 316, 1000)
    return [
        {
            "label": f"{side * side} units",
            "dtype": "float64",
            "side": side,
            "replicas": 64,
            "steps": max(5, LEAST_WORK // (64 * side * side)),
        }
        for side in sides
    ]


def flatness(outcomes: list[Any]) -> list[str]:
    lines = []
    for name in dict.fromkeys(one.contender for one in outcomes):
        rates = [one.rate for one in outcomes if one.contender == name and one.rate]
        if len(rates) > 1:
            costs = [1 / rate for rate in rates]
            lines.append(f"{name}: dearest over cheapest unit-step {max(costs) / min(costs):.2f}")
    return lines


REPLICAS = Work(
    name="replicas",
    title="one unit, a hundred steps a hold, from few replicas to many",
    unit="unit-steps/s",
    cases=replica_cases,
    contenders=(Contender("ktc, linear", one_linear), Contender("ktc, quartic", one_quartic)),
    overall=flatness,
)
SPARSE = Work(
    name="sparse",
    title="linear network on a square grid, sparse couplings, 64 replicas",
    unit="unit-steps/s",
    cases=sparse_cases,
    contenders=(Contender("ktc", sparse_grid),),
    overall=flatness,
)
