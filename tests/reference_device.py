"""A device of infinitely many replicas, in plain NumPy: the exact mean of a Gaussian network.

It offers the calls that ``ktc.learn`` makes, so a learning run can be checked without sampling
noise and without the engine. While the stiffness is held, an ensemble that starts in equilibrium
keeps the covariance kT K⁻¹, and mean energies differ from those of the mean by a constant.
"""

from types import SimpleNamespace

import numpy as np
from scipy.linalg import expm


class ReferenceDevice:
    """dm/dt = −R⁻¹(K m − b), exactly, over each hold."""

    def __init__(self, device):
        self.network, self.scale, self.symbols = device.network, device.scale, device.symbols
        self.controls = self.network.controls
        self.mean = np.linalg.solve(self.network.stiffness, self.network.bias)
        self.work, self.heat = 0.0, 0.0

    def energy(self, bias):
        return 0.5 * self.mean @ self.network.stiffness @ self.mean - bias @ self.mean

    def set(self, *, bias):
        before = self.energy(self.controls.bias)
        self.controls = self.controls.updated(bias=bias)
        self.work += self.energy(bias) - before

    def run(self, duration):
        before = self.energy(self.controls.bias)
        rest = np.linalg.solve(self.network.stiffness, self.controls.bias)
        rates = np.linalg.solve(self.network.friction, self.network.stiffness)
        self.mean = rest + expm(-rates * duration) @ (self.mean - rest)
        self.heat += before - self.energy(self.controls.bias)

    def moments(self):
        return SimpleNamespace(mean=self.mean * self.scale)

    def read(self):
        return self.moments().mean[None]

    @property
    def ledger(self):
        return SimpleNamespace(work=np.array([self.work]), heat=np.array([self.heat]))
