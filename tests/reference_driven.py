"""Moments of a driven linear circuit by integrating their differential equations: slow, readable.

State (z, j) of a circuit and the currents of its filters, and y, the energy from its sources:

    dz = (J − G) ∇H dt + Σ_r g_r e_r d_r dt + Σ_s I_s a_s dt + noise,     ∇H = K z − b
    dy = Σ_r e_r dξ_r + Σ_s I_s a_s·∇H dt,     dξ_r = −g_r (d_r·∇H − e_r) dt + √(2 kT_r g_r) dW_r

are linear: mean m′ = F m + c and covariance P′ = F P + P Fᵀ + D, here of (z, j, y) together.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp


class Driven:
    """F, c and D of (z, j, y) of a network of elements."""

    def __init__(self, network):
        elements, controls = network.elements, network.controls
        n, noises = network.units, elements.noises
        filtered = [k for k, noise in enumerate(noises) if noise.bandwidth is not None]
        size = n + len(filtered) + 1
        self.n, self.size, self.network = n, size, network
        kT = dict(zip(network.accounts, np.broadcast_to(network.kT, len(network.accounts))))
        flow = np.zeros((n, n))
        if elements.interconnection is not None:
            flow += elements.interconnection
        push, power, fixed = np.zeros(n), np.zeros(n), 0.0
        columns = []
        for r, e in zip(elements.resistors, controls.emf):
            d, g = np.asarray(r.direction, float), r.conductance
            flow -= g * np.outer(d, d)
            push += g * e * d
            power -= g * e * d
            fixed += g * e**2
            columns.append(
                np.sqrt(2 * kT[r.account] * g) * np.array([*d, *np.zeros(size - n - 1), e])
            )
        for s, current in zip(elements.sources, controls.current):
            push += current * np.asarray(s.direction)
            power += current * np.asarray(s.direction)
        hessian = network.stiffness
        self.drift, self.push = np.zeros((size, size)), np.zeros(size)
        self.drift[:n, :n], self.drift[-1, :n] = flow @ hessian, power @ hessian
        self.push[:n] = push - flow @ network.bias
        self.push[-1] = fixed - power @ network.bias
        self.widths = []
        for k, noise in enumerate(noises):
            column = np.zeros(size)
            if k in filtered:
                row, rate = n + filtered.index(k), 2 * np.pi * noise.bandwidth
                self.drift[:n, row], self.drift[row, row] = noise.direction, -rate
                column[row] = rate * np.sqrt(noise.density)
                self.widths.append(0.5 * rate * noise.density)
            else:
                column[:n] = np.sqrt(noise.density) * np.asarray(noise.direction)
            columns.append(column)
        self.diffusion = sum(np.outer(column, column) for column in columns)

    def fastest(self):
        """Shortest time constant of the state."""
        return 1 / np.abs(np.linalg.eigvals(self.drift[:-1, :-1])).max()

    def moments(self, start, hold):
        """Mean and covariance of (z, j, y) after a hold from one state; filters start at rest."""
        mean, covariance = np.zeros(self.size), np.zeros((self.size, self.size))
        mean[: self.n] = start
        rows = np.arange(self.n, self.size - 1)
        covariance[rows, rows] = self.widths

        def change(_, packed):
            m, P = packed[: self.size], packed[self.size :].reshape(self.size, self.size)
            rate = self.drift @ P
            return np.concatenate(
                [self.drift @ m + self.push, (rate + rate.T + self.diffusion).ravel()]
            )

        first = np.concatenate([mean, covariance.ravel()])
        end = solve_ivp(change, (0, hold), first, "LSODA", rtol=1e-9, atol=1e-12).y[:, -1]
        return end[: self.size], end[self.size :].reshape(self.size, self.size)

    def energy(self, mean, covariance):
        """⟨H⟩ at these moments."""
        m, P = mean[: self.n], covariance[: self.n, : self.n]
        hessian = self.network.stiffness
        return 0.5 * m @ hessian @ m - self.network.bias @ m + 0.5 * np.sum(hessian * P)
