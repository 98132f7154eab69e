"""The quartic classifier of arXiv 2509.15324 at small size, against a slow NumPy reference."""

import numpy as np
import pytest

import ktc

HELD, HIDDEN, READ = 20, 6, 4
UNITS, STEP, DURATION = HELD + HIDDEN + READ, 1e-3, 0.2


@pytest.fixture(scope="module")
def machine():
    """Couplings J and b of Σ (x² + x⁴ + b x) + Σ_{i<j} J x x, and inputs."""
    rng = np.random.default_rng(3)
    coupling = np.triu(rng.normal(size=(UNITS, UNITS)), 1)
    coupling[:HELD, :HELD] = 0
    return coupling + coupling.T, rng.normal(size=UNITS), rng.normal(size=(3, HELD))


def network_of(coupling, bias):
    return ktc.Network(2 * np.eye(UNITS) + coupling, 1.0, 1.0, -bias, np.full(UNITS, 4.0))


def reference(coupling, bias, inputs, replicas, rng):
    """Outputs, heat and work by Heun's steps from x = 0 with inputs held.

    The bias of averages is second order in the step, as that of the emulator.
    """
    own, pull = coupling[HELD:, HELD:], bias[HELD:] + coupling[HELD:, :HELD] @ inputs

    def force(x):
        return -(2 * x + 4 * x**3 + pull + x @ own)

    x = np.zeros((replicas, HIDDEN + READ))
    for _ in range(round(DURATION / STEP)):
        noise = np.sqrt(2 * STEP) * rng.normal(size=x.shape)
        first = force(x)
        x = x + 0.5 * STEP * (first + force(x + STEP * first + noise)) + noise
    energy = np.sum(x**2 + x**4 + (pull + 0.5 * x @ own) * x, axis=1)
    return x[:, -READ:], -energy, np.sum(inputs**2 + inputs**4 + bias[:HELD] * inputs)


def test_outputs_energies_and_answers_are_those_of_the_reference(machine):
    """Means, widths and heat of three inputs at five standard errors: false alarms below 3e-5."""
    coupling, bias, inputs = machine
    outputs, replicas = np.arange(UNITS - READ, UNITS), 2000
    rng = np.random.default_rng(4)
    ends = [reference(coupling, bias, row, replicas, rng) for row in inputs]
    labels = np.array([state.mean(axis=0).argmax() for state, *_ in ends])
    found = ktc.infer(
        network_of(coupling, bias), (np.arange(HELD), inputs), outputs, DURATION, replicas,
        labels=labels, state=0.0, seed=1, dt=STEP,
    )  # fmt: skip
    for k, (state, heat, work) in enumerate(ends):
        error = np.hypot(state.std(axis=0) / np.sqrt(replicas), found.stderr[k])
        assert np.all(np.abs(found.mean[k] - state.mean(axis=0)) < 5 * error)
        assert np.allclose(found.stderr[k], state.std(axis=0) / np.sqrt(replicas), rtol=0.1)
        spread = heat.std() * np.sqrt(2 / replicas)
        assert abs(found.heat.samples[k] - heat.mean()) < 5 * spread
        assert found.work.samples[k] == pytest.approx(work, rel=1e-12)
    assert found.accuracy.mean == 1
