"""Learning on networks whose units have potentials beside quartic terms."""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc import potentials

COUPLED = ktc.Network(
    [[1.0, 0.5], [0.5, 1.0]], 1.0, quartic=1.0, potential=potentials.Cosine(2.0, 2.0)
)


def free_energy(bias):
    """−ln Z of ``COUPLED`` at a bias, up to a constant, by sums over a grid."""
    x = np.linspace(-4.0, 4.0, 401)
    own = 0.5 * x**2 + 0.25 * x**4 + 2.0 * np.cos(np.pi * x)
    energy = own[:, None] - bias[0] * x[:, None] + own - bias[1] * x + 0.5 * np.outer(x, x)
    return -np.log(np.sum(np.exp(-energy)))


@pytest.mark.parametrize("parameters", [("bias",), ("bias", "amplitude")])
def test_coupled_units_are_not_integrated_without_their_potentials(parameters):
    """ΔF within 5 standard errors of the grid, a false alarm of 6e-7; 0.49 off without V."""
    fit = ktc.learn(
        COUPLED, [[1.5, -1.0], [1.1, -1.4]], ktc.schedules.Constant(1.0, 1.0), replicas=500,
        ticks=10, seed=1, parameters=parameters,
    )  # fmt: skip
    assert fit.error_method == "independent replicas"
    assert "errors as of independent replicas" in repr(fit)
    if parameters == ("bias",):
        found = fit.free_energy_change
        expected = free_energy(fit.controls.bias) - free_energy([0.0, 0.0])
        assert 0 < found.stderr < 0.05
        assert abs(found.mean - expected) < 5 * found.stderr
