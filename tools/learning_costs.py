"""Time and memory of learning many parameters: figures of docs/decisions/learning-any-parameter.md.

Usage: OPENBLAS_NUM_THREADS=1 python tools/learning_costs.py [--quick]; prints one line a figure.
Small matrices are slower on several threads of BLAS, by far so where the cores have other work.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import ktc
from ktc._learning.metrics import exact_model
from ktc.schedules import MinimalDissipation

BOTH = ("bias", "stiffness")


def network(units: int, quartic: float = 0.0) -> tuple[ktc.Network, Any]:
    """A network of uncoupled units, and data of coupled ones."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(units, 5 * units))
    covariance = np.linalg.inv(root @ root.T / (5 * units) + 0.5 * np.eye(units))
    data = rng.multivariate_normal(np.full(units, 0.3), covariance, 2000)
    start = np.eye(units) + 1e-3 * (1 - np.eye(units)) * bool(quartic)
    return ktc.Network(start, 1.0, quartic=quartic or None), data


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def gaussian(units: int, ticks: int) -> str:
    """All parameters of a Gaussian network, by products with F and ζ."""
    net, data = network(units)
    rule = MinimalDissipation(10.0)
    took = seconds(
        lambda: ktc.learn(net, data, rule, parameters=BOTH, replicas=1024, ticks=ticks, seed=1)
    )
    return f"{units} units, {ticks} ticks, 1,024 replicas: {took:.1f} s"


def update(units: int, most: int, anticipate: bool = False, ticks: int = 20) -> str:
    """One update of an infinite ensemble, where up to ``most`` parameters have matrices."""
    net, data = network(units)
    rule = MinimalDissipation(10.0, anticipate=anticipate)
    kept, exact_model.MOST_CLOSED = exact_model.MOST_CLOSED, most
    try:
        took = seconds(
            lambda: ktc.learn(net, data, rule, parameters=BOTH, replicas=math.inf, ticks=ticks)
        )
    finally:
        exact_model.MOST_CLOSED = kept
    size = units + units * (units + 1) // 2
    how = "anticipating" if anticipate else "matrices" if most else "products"
    return f"{size} parameters, {how}: {1e3 * took / ticks:.1f} ms an update"


def measured(units: int, ticks: int) -> str:
    """Couplings of quartic units, F and ζ measured on 2,000 replicas, once."""
    net, data = network(units, quartic=0.1)
    rule, settings = MinimalDissipation(10.0), ktc.Metrics("measured", replicas=2000, refresh=1e9)
    options: dict[str, Any] = {"replicas": 256, "ticks": ticks, "seed": 1, "metrics": settings}
    took = seconds(lambda: ktc.learn(net, data, rule, parameters=("stiffness",), **options))
    return f"{units} quartic units, {ticks} ticks, one measurement of 2,000 replicas: {took:.1f} s"


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small ones, in seconds")
    quick = parser.parse_args().quick
    print(gaussian(8 if quick else 64, 20 if quick else 1000))
    for units in (2, 3) if quick else (2, 6, 16, 20):
        for most in (0, exact_model.MOST_DENSE):
            print(update(units, most))
    for units in (2, 3) if quick else (8, 15, 20):
        print(update(units, exact_model.MOST_CLOSED, anticipate=True, ticks=4 if quick else 10))
    print(measured(3 if quick else 64, 2 if quick else 20))
    unit = 1 if sys.platform == "darwin" else 1024
    most_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(f"largest memory {most_bytes / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
