"""What the tests of the infinite ensemble share: networks, circuits and drives."""

from __future__ import annotations

import math

import numpy as np

import ktc
from reference_motion import Circuit, Noise, Resistor

UNIT = ktc.Network(stiffness=1.0, friction=1.0)
REPLICAS = 100_000


def exact(network, **options):
    return ktc.Emulator(network, replicas=math.inf, **options)


def random_network(d, seed, kT=1.0, inertia=None, dense=True):
    rng = np.random.default_rng(seed)
    k, r = rng.normal(size=(2, d, 3 * d))
    friction = r @ r.T / (3 * d) + 0.3 * np.eye(d)
    return ktc.Network(
        stiffness=k @ k.T / (3 * d) + 0.3 * np.eye(d),
        friction=friction if dense else friction.diagonal(),
        kT=kT,
        bias=rng.normal(size=d),
        inertia=inertia,
    )


def circuits():
    """Several temperatures, sources, generators white and filtered, and inductors."""
    pair = [Resistor([1, 0], 0.7, 1.0, emf=0.4), Resistor([0, 1], 1.3, 2.5)]
    bridge = Resistor([1, -1], 0.5, 0.3, emf=-0.2)
    stiffness = np.array([[2.0, 0.6], [0.6, 1.0]])
    lossless = np.zeros((4, 4))
    lossless[:2, 2:], lossless[2:, :2] = np.eye(2), -np.eye(2)
    rlc = np.diag([0.0, 0.0, 1.0, 0.5])
    rlc[:2, :2] = [[1.0, 0.4], [0.4, 1.5]]
    series = [Resistor([0, 0, 1, 0], 0.3, 2.0), Resistor([0, 0, 0, 1], 0.8, 0.5, emf=0.7)]
    return {
        "two temperatures": Circuit(stiffness, [Resistor([1, 0], 0.7, 1.0), pair[1]]),
        "sources": Circuit(
            stiffness, [*pair, bridge], bias=[0.5, -1.0], sources=[([0.0, 1.0], 0.9)]
        ),
        "generators": Circuit(
            stiffness,
            [*pair, bridge],
            bias=[0.2, 0.1],
            noises=[Noise([1, 0], 0.6), Noise([1, -1], 1.1, rate=0.8)],
        ),
        "inductors": Circuit(rlc, series, interconnection=lossless, bias=[1.0, 0, 0, 0.0]),
        "noiseless": Circuit(
            stiffness,
            [Resistor([1, 0], 0.7, 0.0), Resistor([0, 1], 1.3, 0.0)],
            noises=[Noise([1, 0], 0.6), Noise([0, 1], 0.4, rate=2.0)],
        ),
    }


def drives():
    rng = np.random.default_rng(6)
    holds = rng.uniform(0.1, 0.8, 5)
    factors = rng.normal(size=(5, 3, 9))
    stiffness = factors @ np.swapaxes(factors, 1, 2) / 9 + 0.3 * np.eye(3)
    biases = rng.normal(size=(5, 3))
    return {
        "bias": ktc.Protocol(holds, {"bias": biases}, {"bias": 0.0}),
        "stiffness": ktc.Protocol(holds, {"stiffness": stiffness}),
        "temperature": ktc.Protocol(holds, {"kT": rng.uniform(0.3, 3.0, 5)}),
        "all": ktc.Protocol(
            holds, {"bias": biases, "stiffness": stiffness, "kT": rng.uniform(0.3, 3.0, 5)}
        ),
    }
