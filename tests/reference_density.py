"""Learning the bias of one quartic unit by its density: NumPy and SciPy alone, nothing of ktc.

Equilibrium averages come from sums on a fine grid, splined over the bias; the density moves by hops
between neighbours (Chang and Cooper's symmetric form), in steps of the midpoint rule. kT = R = 1.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_banded

STEPS = 3


class Learned:
    """One unit, H = ½kx² + ¼κx⁴ − bx, from equilibrium at b = 0 to the mean of another bias."""

    def __init__(self, stiffness, quartic=1.0, most=16.0, points=420):
        self.stiffness, self.quartic = stiffness, quartic
        roots = np.roots([quartic, 0.0, stiffness, -most])
        left = -3.2 - 1.2 * np.sqrt(max(abs(stiffness), 1.0) / quartic)
        right = roots[np.abs(roots.imag) < 1e-9].real.max() + 1.6
        self.x = np.linspace(left, right, points)
        biases, fine = np.linspace(-1.0, most, 600), np.linspace(left - 1, right + 1, 6001)
        gap = fine[1] - fine[0]
        table = []
        for bias in biases:
            energy = self.energy(bias, fine)
            p = np.exp(-energy + energy.min())
            total = p.sum() * gap
            p /= total
            mean = (fine * p).sum() * gap
            inner = np.cumsum((fine - mean) * p) * gap - 0.5 * (fine - mean) * p * gap
            seen = p > 1e-14 * p.max()
            friction = (inner[seen] ** 2 / p[seen]).sum() * gap
            log_z = np.log(total) - energy.min()
            table.append((mean, ((fine - mean) ** 2 * p).sum() * gap, friction, log_z))
        means, fishers, frictions, log_zs = np.array(table).T
        self.mean, self.fisher = CubicSpline(biases, means), CubicSpline(biases, fishers)
        self.friction, self.log_z = CubicSpline(biases, frictions), CubicSpline(biases, log_zs)
        self.length = CubicSpline(biases, np.sqrt(frictions)).antiderivative()
        self.bias_of = CubicSpline(means, biases)

    def energy(self, bias, x):
        return 0.5 * self.stiffness * x**2 + 0.25 * self.quartic * x**4 - bias * x

    def moved(self, p, bias, hold):
        rise = np.diff(self.energy(bias, self.x)) / 2
        half = 0.5 * hold / STEPS / (self.x[1] - self.x[0]) ** 2
        up, down = half * np.exp(-rise), half * np.exp(rise)
        out = np.append(up, 0.0) + np.append(0.0, down)
        bands = np.zeros((3, len(p)))
        bands[0, 1:], bands[1], bands[2, :-1] = -down, 1 + out, -up
        for _ in range(STEPS):
            rest = (1 - out) * p
            rest[1:] += up * p[:-1]
            rest[:-1] += down * p[1:]
            p = solve_banded((1, 1), bands, rest)
        return p

    def cost(self, drive, target, duration, ticks=100):
        """Work less ΔF with a last jump to ``target``, and the bias before that jump.

        Args:
            drive: (k, n, t, h, b, m, p) → the bias to hold from tick k of n on.
        """
        p = np.exp(-self.energy(0.0, self.x))
        p /= p.sum()
        bias, work, hold = 0.0, 0.0, duration / ticks
        for k in range(ticks + 1):
            mean = p @ self.x
            after = drive(k, ticks, k * hold, hold, bias, mean, p)
            work -= (after - bias) * mean
            bias = after
            if k < ticks:
                p = self.moved(p, bias, hold)
        work -= (target - bias) * (p @ self.x)
        return float(work + self.log_z(target) - self.log_z(0.0)), float(bias)

    def constant(self, rate, target):
        goal = self.mean(target)
        return lambda k, n, t, h, b, m, p: b + rate * h * (0.5 if k in (0, n) else 1) * (goal - m)

    def rule(self, target, duration, running=False):
        """η = [(T − t)F + 2ζ]⁻¹ with jumps; F of the present density if running."""
        goal = self.mean(target)

        def drive(k, n, t, h, b, m, p):
            def rates(bias):
                own = p @ (self.x - m) ** 2 if running else self.fisher(bias)
                return own, self.friction(bias), (duration - t) * own + 2 * self.friction(bias)

            gradient = goal - m
            fisher, friction, whole = rates(b)
            if k == 0:
                b = b + friction / fisher * gradient / whole
                return b + 0.5 * h * gradient / rates(b)[2]
            b_middle = b + 0.5 * h * gradient / whole
            if k == n:
                return b_middle + 0.5 * gradient / rates(b_middle)[0]
            return b + h * gradient / rates(b_middle)[2]

        return drive

    def anticipating(self, target, duration):
        """b = θ* + (F⁻¹ζ + h/2) θ̇*, θ̇* = √(ζ̄/ζ) g/[(T − t)F̄ + 2ζ̄]."""
        goal = self.mean(target)

        def drive(k, n, t, h, b, m, p):
            if k == n:
                return target
            here = self.bias_of(m)
            root = (self.length(target) - self.length(here)) / (target - here)
            whole = (duration - t) * (goal - m) / (target - here) + 2 * root**2
            velocity = root / np.sqrt(self.friction(here)) * (goal - m) / whole
            return here + (self.friction(here) / self.fisher(here) + 0.5 * h) * velocity

        return drive

    def ramp(self, target, duration):
        return lambda k, n, t, h, b, m, p: target * (t + 0.5 * h) / duration if k < n else target
