"""Inference: 784 held inputs, 74 moving quartic units, 200 steps from x = 0, one run per input.

Energy Σ (x² + x⁴ + b x) + Σ J x x at kT = 1 and mobility 1, a step of 1e-3 (Whitelam (2025), arXiv
2509.15324), with random couplings. Beside ``ktc.infer`` are the same number of replicas that share
one bias, which is what the motion alone takes, and one emulator per input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.work import Case, Contender, Prepared, Work, close, our_emulator

HELD, MOVING, STEP, STEPS = 784, 74, 1e-3, 200
UNITS = HELD + MOVING
#: Inputs of the contender that takes an emulator for each.
FEW = 16
#: Inputs of the reference.
SAMPLE = 256


@cache
def machine() -> Any:
    """The network, with couplings among moving units and to held ones."""
    import ktc

    rng = np.random.default_rng(0)
    J = np.zeros((UNITS, UNITS))
    J[HELD:, :HELD] = rng.normal(scale=0.1, size=(MOVING, HELD))
    J[HELD:, HELD:] = np.tril(rng.normal(scale=0.2, size=(MOVING, MOVING)), -1)
    bias = rng.normal(scale=0.1, size=UNITS)
    return ktc.Network(2 * np.eye(UNITS) + J + J.T, 1.0, 1.0, bias, np.full(UNITS, 4.0))


@cache
def images(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).normal(scale=0.3, size=(count, HELD))


def reference(inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Ends of the moving units by Heun's steps."""
    network, rng = machine(), np.random.default_rng(2)
    K, x = network.stiffness, np.zeros((len(inputs), MOVING))
    pull = network.bias[HELD:] - inputs @ K[HELD:, :HELD].T

    def force(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return pull - x @ K[HELD:, HELD:] - 4 * x**3

    for _ in range(STEPS):
        noise, first = np.sqrt(2 * STEP) * rng.normal(size=x.shape), force(x)
        x = x + 0.5 * STEP * (first + force(x + STEP * first + noise)) + noise
    return x


@cache
def expected(shared: bool) -> tuple[float, float]:
    """Mean square of the moving units, and its scatter over inputs."""
    inputs = images(SAMPLE)
    squares = np.mean(reference(np.tile(inputs[0], (SAMPLE, 1)) if shared else inputs) ** 2, axis=1)
    return float(squares.mean()), float(squares.std())


def prepared(
    run: Callable[[], np.ndarray[Any, Any]], inputs: int, shared: bool = False
) -> Prepared:
    def check(states: np.ndarray[Any, Any]) -> str:
        mean, scatter = expected(shared)
        error = scatter * np.sqrt(1 / SAMPLE + 1 / len(states))
        return close("mean square", float(np.mean(states**2)), mean, 5 * error)

    return Prepared(run, float(inputs), check)


def inference(case: Case) -> Prepared:
    import ktc

    inputs = np.arange(HELD), images(case["replicas"])
    options = {"threads": case["cores"], "dtype": case["dtype"], "dt": STEP, "seed": 1}

    def run() -> np.ndarray[Any, Any]:
        found = ktc.infer(machine(), inputs, None, STEP * STEPS, state=0.0, **options)
        return np.asarray(found.mean)

    return prepared(run, case["replicas"])


def one_bias(case: Case) -> Prepared:
    network = machine().conditioned(np.arange(HELD), images(SAMPLE)[0])
    emulator = our_emulator(network, case, dt=STEP, state=np.zeros(MOVING))

    def run() -> np.ndarray[Any, Any]:
        emulator.write(np.zeros(MOVING))
        emulator.run(STEP * STEPS)
        return np.asarray(emulator.read())

    return prepared(run, case["replicas"], shared=True)


def one_emulator_each(case: Case) -> Prepared:
    """A few of the inputs."""
    few = images(SAMPLE)[:FEW]

    def run() -> np.ndarray[Any, Any]:
        states, one = [], {**case, "replicas": 1}
        for number, values in enumerate(few):
            network = machine().conditioned(np.arange(HELD), values)
            emulator = our_emulator(
                network, one, dt=STEP, state=np.zeros(MOVING), first_replica=number
            )
            emulator.run(STEP * STEPS)
            states.append(emulator.read()[0])
        return np.array(states)

    return prepared(run, FEW)


def cases(quick: bool) -> list[dict[str, Any]]:
    replicas = 256 if quick else 10_000
    label = f"{replicas} inputs of {HELD} values, {MOVING} moving units, {STEPS} steps"
    return [
        {"label": label, "replicas": replicas, "dtype": dtype} for dtype in ("float64", "float32")
    ]


WORK = Work(
    name="inference",
    title="inference with held inputs",
    unit="inference",
    cases=cases,
    contenders=(
        Contender("ktc", inference),
        Contender("one bias for all", one_bias),
        Contender("one emulator per input", one_emulator_each),
    ),
)
