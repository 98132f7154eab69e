"""The likelihood bias of two coupled quartic units, against sums over a grid.

The controller's gradients and parameters are the run's own; the gain in likelihood is that of a
partition function by Gauss–Legendre quadrature, exact to rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ktc.schedules import Constant

NET = ktc.Network([[-1.5, 0.6], [0.6, 0.5]], [1.0, 2.0], 0.6, bias=[0.3, -0.2], quartic=[1.0, 0.7])
DATA = np.random.default_rng(8).normal([0.8, -0.6], 0.5, size=(40, 2))
REACH, COUNT = 4.0, 120


def energies(net, points):
    quadratic = 0.5 * np.sum(points @ net.stiffness * points, axis=-1)
    return quadratic - points @ net.bias + 0.25 * points**4 @ net.quartic


def log_likelihood(net):
    """kT ⟨ln p⟩ of the data."""
    nodes, weights = np.polynomial.legendre.leggauss(COUNT)
    grid = np.stack(np.meshgrid(REACH * nodes, REACH * nodes, indexing="ij"), axis=-1)
    total = weights @ np.exp(-energies(net, grid) / net.common_kT) @ weights * REACH**2
    return -float(energies(net, DATA).mean()) - net.common_kT * float(np.log(total))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_likelihood_bias_of_two_coupled_quartic_units(seed):
    """Both are sums over a grid, to rounding; the excess work of the ledger is the same number."""
    fit = ktc.learn(
        NET, DATA, Constant(1.0, 0.3), parameters=("bias", "couplings"), replicas=100, ticks=10,
        seed=seed, threads=1,
    )  # fmt: skip
    theta = np.vstack([fit.learned.vector(fit.start.network.controls), fit.history.theta])
    own = float(np.sum(fit.history.gradient * np.diff(theta, axis=0)))
    exact = own - (log_likelihood(fit.network) - log_likelihood(fit.start.network))
    assert fit.likelihood_bias.mean == pytest.approx(exact, abs=1e-9)
    assert fit.excess_work.mean == pytest.approx(exact, abs=1e-9)
