"""Slow, readable references for any linear circuit in the one equation that every circuit obeys.

    dz = J ∇H dt + Σ_r d_r dξ_r + Σ_s a_s I_s dt + Σ_i a_i j_i dt,   H = ½ zᵀKz − bᵀz,
    dξ_r = −g_r (d_r·∇H − e_r) dt + √(2 kT_r g_r) dW_r

(Freitas, Delvenne, Esposito, Phys. Rev. X 10, 031005, 2020): moment equations, the stationary
state, the mean power on every account (Sekimoto 1998), and the moments of one documented step of
the splitting integrator. Nothing is imported from the package under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.integrate
import scipy.linalg


@dataclass
class Resistor:
    """Direction d, conductance g, thermal energy kT, and the EMF e in its branch."""

    direction: np.ndarray
    conductance: float
    kT: float
    emf: float = 0.0


@dataclass
class Noise:
    """Direction a, two-sided density S, and rate λ = 2πΔf of the filter; 0 for white noise."""

    direction: np.ndarray
    density: float
    rate: float = 0.0


@dataclass
class Moments:
    """Mean and covariance of (z, filters), and the energy that each account has taken."""

    mean: np.ndarray
    covariance: np.ndarray
    heat: np.ndarray
    source: float = 0.0
    injected: float = 0.0


@dataclass
class Circuit:
    """The numbers that make a linear circuit."""

    stiffness: np.ndarray
    resistors: list[Resistor]
    interconnection: np.ndarray | None = None
    bias: np.ndarray | None = None
    sources: list[tuple[np.ndarray, float]] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stiffness = np.asarray(self.stiffness, dtype=float)
        n = len(self.stiffness)
        if self.interconnection is None:
            self.interconnection = np.zeros((n, n))
        self.bias = np.zeros(n) if self.bias is None else np.asarray(self.bias, dtype=float)
        for element in [*self.resistors, *self.noises]:
            element.direction = np.asarray(element.direction, dtype=float)
        self.sources = [(np.asarray(a, dtype=float), current) for a, current in self.sources]

    @property
    def size(self) -> int:
        return len(self.stiffness)

    @property
    def filters(self) -> list[Noise]:
        return [noise for noise in self.noises if noise.rate > 0]

    def motion(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, c and D of d(z, j) = F (z, j) dt + c dt + noise of covariance rate D."""
        n, size = self.size, self.size + len(self.filters)
        drift, push, diffusion = np.zeros((size, size)), np.zeros(size), np.zeros((size, size))
        flow = self.interconnection.copy()
        for r in self.resistors:
            outer = r.conductance * np.outer(r.direction, r.direction)
            flow -= outer
            diffusion[:n, :n] += 2 * r.kT * outer
            push[:n] += r.conductance * r.emf * r.direction
        drift[:n, :n] = flow @ self.stiffness
        push[:n] -= flow @ self.bias
        for direction, current in self.sources:
            push[:n] += direction * current
        row = n
        for noise in self.noises:
            if noise.rate == 0:
                diffusion[:n, :n] += noise.density * np.outer(noise.direction, noise.direction)
                continue
            drift[:n, row] += noise.direction
            drift[row, row] = -noise.rate
            diffusion[row, row] = noise.rate**2 * noise.density
            row += 1
        return drift, push, diffusion

    def stationary(self) -> tuple[np.ndarray, np.ndarray]:
        """m of F m + c = 0 and P of F P + P Fᵀ + D = 0, coordinates scaled to widths near one."""
        drift, push, diffusion = self.motion()
        scale = np.sqrt(np.concatenate([1 / np.diag(self.stiffness), np.ones(len(self.filters))]))
        for k, noise in enumerate(self.filters):
            scale[self.size + k] = np.sqrt(noise.rate * noise.density)
        scaled = drift * scale / scale[:, None]
        covariance = scipy.linalg.solve_continuous_lyapunov(
            scaled, -diffusion / np.outer(scale, scale)
        )
        return np.linalg.solve(drift, -push), covariance * np.outer(scale, scale)

    def energy(self, mean: np.ndarray, covariance: np.ndarray) -> float:
        """⟨H⟩ of a state with these moments."""
        m, p = mean[: self.size], covariance[: self.size, : self.size]
        return float(
            0.5 * m @ self.stiffness @ m + 0.5 * np.trace(self.stiffness @ p) - self.bias @ m
        )

    def powers(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Mean power into each resistor, then from sources, then from noise generators.

        Resistor: g [(d·∇H − e)² + dᵀKPKd − kT dᵀKd], the last the Stratonovich term.
        """
        n, m, p = self.size, mean[: self.size], covariance[: self.size, : self.size]
        slope = self.stiffness @ m - self.bias
        spread = self.stiffness @ p @ self.stiffness
        heat, source, injected = [], 0.0, 0.0
        for r in self.resistors:
            d, force = r.direction, float(r.direction @ slope) - r.emf
            heat.append(
                r.conductance * (force**2 + d @ spread @ d - r.kT * (d @ self.stiffness @ d))
            )
            source -= r.emf * r.conductance * force
        for direction, current in self.sources:
            source += current * float(direction @ slope)
        row = n
        for noise in self.noises:
            a = noise.direction
            if noise.rate == 0:
                injected += 0.5 * noise.density * float(a @ self.stiffness @ a)
            else:
                injected += float(a @ self.stiffness @ covariance[:n, row]) + mean[row] * float(
                    a @ slope
                )
                row += 1
        return np.array([*heat, source, injected])

    def evolve(self, mean: np.ndarray, covariance: np.ndarray, duration: float) -> Moments:
        """Moments and accounts after a duration: their equations, by Runge and Kutta."""
        drift, push, diffusion = self.motion()
        size, accounts = len(drift), len(self.resistors) + 2

        def equations(_: float, packed: np.ndarray) -> np.ndarray:
            m, p = packed[:size], packed[size : size + size**2].reshape(size, size)
            rate = drift @ p + p @ drift.T + diffusion
            return np.concatenate([drift @ m + push, rate.ravel(), self.powers(m, p)])

        start = np.concatenate([mean, np.asarray(covariance).ravel(), np.zeros(accounts)])
        end = scipy.integrate.solve_ivp(
            equations, (0.0, duration), start, method="DOP853", rtol=1e-11, atol=1e-13
        ).y[:, -1]
        totals = end[size + size**2 :]
        return Moments(
            end[:size],
            end[size : size + size**2].reshape(size, size),
            totals[:-2],
            float(totals[-2]),
            float(totals[-1]),
        )

    def split(self, mean: np.ndarray, covariance: np.ndarray, step: float, steps: int) -> Moments:
        """Moments and accounts of the splitting integrator, exactly: every sub-step is affine.

        One step: generators ½, lossless motion ½, resistors in turn ½, and the same backwards;
        what the energy changes by in a sub-step goes to the account that it moves.
        """
        moments = Moments(
            np.array(mean, dtype=float),
            np.array(covariance, dtype=float),
            np.zeros(len(self.resistors)),
        )
        half = list(self._sub_steps(0.5 * step))
        order = [*half, *[half[k] for k in self._backwards(len(half))]]
        for _ in range(steps):
            for account, matrix, push, noise, delivered in order:
                before = self.energy(moments.mean, moments.covariance)
                given = float(delivered[0] @ moments.mean + delivered[1])
                moments.mean = matrix @ moments.mean + push
                moments.covariance = matrix @ moments.covariance @ matrix.T + noise
                change = self.energy(moments.mean, moments.covariance) - before
                if account == "injected":
                    moments.injected += change
                elif account == "source":
                    moments.source += change
                else:
                    moments.source += given
                    moments.heat[account] += given - change
        return moments

    def simulate(
        self,
        state: np.ndarray,
        quartic: np.ndarray,
        step: float,
        steps: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Paths of the splitting integrator with quartic units, (replicas, n), and their accounts.

        As ``split``; besides, a resistor along a quartic unit relaxes it in ¼κx⁴ for a quarter of
        the step before and after its own move, and the lossless motion is current sources ½, kicks
        ½ of quartic forces through J, the quadratic rotation, and the same backwards. The whole of
        what H changes by in a sub-step is its post.
        """
        z = np.array(state, dtype=float)
        quartic = np.asarray(quartic, dtype=float)
        names = ["source", "shadow", *range(len(self.resistors))]
        accounts = {name: np.zeros(len(z)) for name in names}

        def energy() -> np.ndarray:
            quadratic = 0.5 * np.einsum("ri,ri->r", z @ self.stiffness, z) - z @ self.bias
            return np.asarray(quadratic + 0.25 * z**4 @ quartic)

        def resistor(r: int, time: float) -> None:
            nonlocal z
            element = self.resistors[r]
            d, g = element.direction, element.conductance
            before, start = energy(), z

            def relax() -> np.ndarray:
                rate = g * quartic * d**2 * time
                return np.asarray(z / np.sqrt(1 + rate * z**2))

            z = np.where((d != 0) & (quartic != 0), relax(), z)
            rate = g * float(d @ self.stiffness @ d) * time
            force = z @ self.stiffness @ d - float(d @ self.bias) - element.emf
            width = np.sqrt(2 * element.kT * g * time * mean_decay(2 * rate))
            along = width * rng.normal(size=len(z)) - g * time * mean_decay(rate) * force
            z = z + np.outer(along, d)
            z = np.where((d != 0) & (quartic != 0), relax(), z)
            moved = (z - start) @ d / float(d @ d)
            accounts["source"] += element.emf * moved
            accounts[r] += element.emf * moved - (energy() - before)

        def lossless(time: float) -> None:
            nonlocal z

            def inject() -> None:
                nonlocal z
                before = energy()
                for direction, current in self.sources:
                    z = z + 0.5 * time * current * direction
                accounts["source"] += energy() - before

            inject()
            before = energy()
            z = z + 0.5 * time * (quartic * z**3) @ self.interconnection.T
            block = np.zeros((self.size + 1,) * 2)
            block[:-1, :-1] = self.interconnection @ self.stiffness * time
            block[:-1, -1] = -self.interconnection @ self.bias * time
            grown = scipy.linalg.expm(block)
            z = z @ grown[:-1, :-1].T + grown[:-1, -1]
            z = z + 0.5 * time * (quartic * z**3) @ self.interconnection.T
            accounts["shadow"] += energy() - before
            inject()

        for _ in range(steps):
            lossless(0.5 * step)
            for r in range(len(self.resistors)):
                resistor(r, 0.5 * step)
            for r in reversed(range(len(self.resistors))):
                resistor(r, 0.5 * step)
            lossless(0.5 * step)
        return z, {str(name): values for name, values in accounts.items()}

    def _backwards(self, count: int) -> list[int]:
        """Resistors backwards, then the lossless motion; generators in their own order again."""
        noises = len(self.noises)
        return [*range(count - 1, noises - 1, -1), *range(noises)]

    def _sub_steps(self, time: float) -> Iterator[tuple]:
        """(account, M, c, Q, (row, constant) of what an EMF delivers) of z′ = M z + c + N(0, Q)."""
        n, size = self.size, self.size + len(self.filters)
        nothing = (np.zeros(size), 0.0)
        row = n
        for noise in self.noises:
            matrix, spread, a = np.eye(size), np.zeros((size, size)), noise.direction
            if noise.rate == 0:
                spread[:n, :n] = noise.density * time * np.outer(a, a)
            else:
                reach, decay, both = filtered(noise, time)
                matrix[:n, row], matrix[row, row] = reach * a, decay
                to_state = np.zeros((size, 2))
                to_state[:n, 0], to_state[row, 1] = a, 1.0
                spread = to_state @ both @ to_state.T
                row += 1
            yield "injected", matrix, np.zeros(size), spread, nothing
        matrix, push = np.eye(size), np.zeros(size)
        steady = -self.interconnection @ self.bias
        for direction, current in self.sources:
            steady = steady + direction * current
        block = np.zeros((n + 1, n + 1))
        block[:n, :n], block[:n, n] = self.interconnection @ self.stiffness * time, steady * time
        grown = scipy.linalg.expm(block)
        matrix[:n, :n], push[:n] = grown[:n, :n], grown[:n, n]
        yield "source", matrix, push, np.zeros((size, size)), nothing
        for account, r in enumerate(self.resistors):
            d, g = r.direction, r.conductance
            rate = g * float(d @ self.stiffness @ d) * time
            reach = g * time * mean_decay(rate)
            row_of_force = np.concatenate([self.stiffness @ d, np.zeros(size - n)])
            constant = -float(d @ self.bias) - r.emf
            along = np.concatenate([d, np.zeros(size - n)])
            width = 2 * r.kT * g * time * mean_decay(2 * rate)
            yield (
                account,
                np.eye(size) - reach * np.outer(along, row_of_force),
                -reach * constant * along,
                width * np.outer(along, along),
                (-r.emf * reach * row_of_force, -r.emf * reach * constant),
            )


def mean_decay(x: float) -> float:
    """(1 − e^{−x})/x."""
    return float(-np.expm1(-x) / x) if x else 1.0


def filtered(noise: Noise, time: float) -> tuple[float, float, np.ndarray]:
    """∫j dt = reach·j + …, j′ = decay·j + …, and the covariance of what is added to both.

    Of dj = −λj dt + λ√S dW and its integral, by quadrature of the response functions.
    """
    rate, amplitude = noise.rate, noise.rate * np.sqrt(noise.density)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s, w = 0.5 * time * (nodes + 1), 0.5 * time * weights
    response = np.array([-np.expm1(-rate * s) / rate, np.exp(-rate * s)]) * amplitude
    return (
        float(-np.expm1(-rate * time) / rate),
        float(np.exp(-rate * time)),
        (response * w) @ response.T,
    )


def zero_state(circuit: Circuit) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a state at z = 0 without spread, its filters stationary."""
    size = circuit.size + len(circuit.filters)
    covariance = np.zeros((size, size))
    for k, noise in enumerate(circuit.filters):
        covariance[circuit.size + k, circuit.size + k] = 0.5 * noise.rate * noise.density
    return np.zeros(size), covariance


def order_of(steps: list[float], errors: list[float]) -> float:
    """Slope of ln|error| over ln(step)."""
    return float(np.polyfit(np.log(steps), np.log(np.abs(errors)), 1)[0])
