"""Moments of compiled circuits, from the elements that the compiler made."""

from __future__ import annotations

import numpy as np
import scipy.linalg


class Linear:
    """Exact moments of dz = (F z + push) dt + noise."""

    def __init__(self, net):
        self.net = net
        self.kT = np.broadcast_to(net.kT, len(net.accounts))
        self.directions = np.array([r.direction for r in net.elements.resistors])
        self.conductance = np.array([r.conductance for r in net.elements.resistors])
        self.account = np.array([net.accounts.index(r.account) for r in net.elements.resistors])
        self.noise = self.directions.T * np.sqrt(2 * self.kT[self.account] * self.conductance)
        self.drift = net.drift
        self.voltages = net.equation.nodes_of_gradient

    def push(self, controls):
        push = -self.drift @ np.linalg.solve(self.net.stiffness, controls["bias"])
        push = push + (self.directions.T * self.conductance) @ controls["emf"]
        for source, value in zip(self.net.elements.sources, controls["current"]):
            push = push + np.asarray(source.direction) * value
        return push

    def own_push(self):
        return self.push(vars(self.net.controls))

    def rest(self):
        return np.linalg.solve(self.drift, -self.own_push())

    def covariance(self):
        """Of the stationary state, solved in units in which farads and henries weigh alike."""
        scale = np.sqrt(np.diagonal(self.net.stiffness))
        drift = self.drift * scale[:, None] / scale
        noise = self.noise * scale[:, None]
        solution = scipy.linalg.solve_continuous_lyapunov(drift, -noise @ noise.T)
        return solution / np.outer(scale, scale)

    def powers(self):
        """Mean thermal and Joule power into every account at rest, and power of the sources."""
        gradient = self.net.stiffness @ self.rest() - self.net.bias
        width = self.net.stiffness @ self.covariance() @ self.net.stiffness
        heat, joule = np.zeros(len(self.kT)), np.zeros(len(self.kT))
        source = 0.0
        for k, (g, d, e) in enumerate(
            zip(self.conductance, self.directions, self.net.controls.emf)
        ):
            current = -g * (d @ gradient - e)
            own = self.kT[self.account[k]] * d @ self.net.stiffness @ d
            joule[self.account[k]] += current**2 / g
            heat[self.account[k]] += g * (d @ width @ d - own)
            source += e * current
        for drive, value in zip(self.net.elements.sources, self.net.controls.current):
            source += value * np.asarray(drive.direction) @ gradient
        return heat, joule, source
