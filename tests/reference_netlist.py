"""Random RLC circuits as plain numbers, their netlists, and their moments by Kirchhoff's laws.

Every node has a capacitor to ground, so that node voltages v and inductor currents i are the state:

    C dv = (−G v − A i + Σ_s g_s V_s b_s + Σ_k (I_k + j_k) a_k) dt + Σ_r √(2 kT_r g_r) d_r dW_r
    L di = Aᵀ v dt,        dj_k = −w_k j_k dt + w_k √S_k dW_k behind a filter, or white
    dy = Σ_s V_s (g_s (V_s − b_s·v) dt + √(2 kT_s g_s) dW_s) + Σ_k I_k a_k·v dt

y is the energy from the sources. Nothing of the compiler under test is used.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

BOLTZMANN = 1.380649e-23
# Units of voltage, current, energy and time in which the numbers are of order one.
OHM, FARAD, HOT = 1e3, 1e-9, 300.0
SECOND, JOULE = OHM * FARAD, BOLTZMANN * HOT
VOLT = np.sqrt(JOULE / FARAD)
AMPERE = VOLT / OHM
HENRY = OHM * SECOND


def by_blocks(drift, push, diffusion, hold):
    """A, c and Q of dz = (F z + c) dt + noise of covariance rate D, by block exponentials.

    Pieces of at most one fastest time, because e^{−Fh} loses all digits over long holds.

    Source: Van Loan (1978), IEEE Trans. Autom. Control 23, 395.
    """
    n = len(drift)
    pieces = max(1, int(np.ceil(np.log2(np.linalg.norm(drift) * hold))))
    short = hold / 2**pieces
    affine = np.zeros((n + 1, n + 1))
    affine[:n, :n], affine[:n, n] = drift, push
    moved = scipy.linalg.expm(affine * short)
    block = np.block([[-drift, diffusion], [np.zeros((n, n)), drift.T]])
    grown = scipy.linalg.expm(block * short)
    decay, lag = moved[:n, :n], moved[:n, n]
    covariance = grown[n:, n:].T @ grown[:n, n:]
    for _ in range(pieces):
        covariance = covariance + decay @ covariance @ decay.T
        lag = lag + decay @ lag
        decay = decay @ decay
    return decay, lag, covariance


class RandomCircuit:
    """Capacitors, coupled inductors, resistors at two temperatures, V and I sources, a generator.

    Attributes:
        netlist: the circuit for ``ktc``.
        nodes, inductors: names, in the order of v and i.
        sources: names of the sources; ``drives`` are values that they are set to.
    """

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.n = int(self.rng.integers(2, 5))
        self.nodes = [f"n{k}" for k in range(self.n)]
        self.lines = []
        self.capacitance, self.conductance = np.zeros((2, self.n, self.n))
        self.noise = []  # columns of white noise on C dv, and the source that reads each
        self._capacitors()
        self._resistors()
        self._inductors(seed)
        self._sources(seed)
        self.netlist = "\n".join(self.lines)

    def size(self):
        return float(self.rng.lognormal(0, 0.7))

    def direction(self, plus, minus):
        row = np.zeros(self.n)
        for node, sign in ((plus, 1.0), (minus, -1.0)):
            if node >= 0:
                row[node] = sign
        return row

    def name(self, node):
        return "0" if node < 0 else self.nodes[node]

    def pairs(self):
        """A path through all nodes to ground, and one more pair."""
        path = [(k, k - 1) for k in range(self.n)]
        return [*path, tuple(self.rng.permutation(self.n)[:2].tolist())]

    def _capacitors(self):
        ends = [(k, -1) for k in range(self.n)] + [self.pairs()[-1]]
        for k, (plus, minus) in enumerate(ends):
            farads, row = self.size(), self.direction(plus, minus)
            self.capacitance += farads * np.outer(row, row)
            self.lines.append(f"C{k} {self.name(plus)} {self.name(minus)} {farads * FARAD!r}")

    def resistor(self, name, plus, minus, hot, row=None):
        ohms = self.size()
        row = self.direction(plus, minus) if row is None else row
        self.conductance += np.outer(row, row) / ohms
        kelvin = HOT if hot else 0.3 * HOT
        self.noise.append((np.sqrt(2 * kelvin / HOT / ohms) * row, None))
        ends = " ".join(self.name(n) if isinstance(n, int) else n for n in (plus, minus))
        self.lines.append(f"R{name} {ends} {ohms * OHM!r} kelvin={kelvin!r}")
        return 1 / ohms

    def _resistors(self):
        for k, (plus, minus) in enumerate(self.pairs()):
            self.resistor(k, plus, minus, hot=k % 2)

    def _inductors(self, seed):
        count = seed % 3
        ends = [(k, -1) for k in range(count)] if seed % 2 else [(0, 1), (1, -1)][:count]
        henries = [self.size() for _ in ends]
        self.inductors = [f"L{k}" for k in range(count)]
        self.flows = np.array([self.direction(*pair) for pair in ends]).reshape(count, self.n).T
        self.inductance = np.diag(henries)
        for name, (plus, minus), value in zip(self.inductors, ends, henries, strict=True):
            self.lines.append(f"{name} {self.name(plus)} {self.name(minus)} {value * HENRY!r}")
        if count == 2:
            k = float(self.rng.uniform(-0.9, 0.9))
            self.inductance[0, 1] = self.inductance[1, 0] = k * np.sqrt(np.prod(henries))
            self.lines.append(f"K1 L0 L1 {k!r}")

    def _sources(self, seed):
        node = int(self.rng.integers(self.n))
        self.lines.append("V1 in 0 0")
        row = self.direction(node, -1)
        self.behind = self.resistor("v", "in", node, hot=seed % 2, row=row)
        self.noise[-1] = (self.noise[-1][0], "V1")
        self.into = row
        self.fed = self.direction(int(self.rng.integers(self.n)), -1)
        density, self.filter = self.size(), self.size() if seed % 4 > 1 else None
        options = f"noise={float(2 * density * AMPERE**2 * SECOND)!r}" if seed % 4 else ""
        if seed % 4 and self.filter:
            options += f" bandwidth={float(self.filter / SECOND / (2 * np.pi))!r}"
        self.density = density if seed % 4 else 0.0
        self.filter = self.filter if seed % 4 else None
        node = self.nodes[int(np.argmax(self.fed))]
        self.lines.append(f"I1 0 {node} 0 {options}")
        self.drives = {"V1": float(self.rng.normal(0, 2)), "I1": float(self.rng.normal(0, 2))}

    def system(self, V1=0.0, I1=0.0):
        """F, c and D of (v, i, j, y)."""
        n, m, filters = self.n, len(self.inductors), int(self.filter is not None)
        size = n + m + filters + 1
        drift, push = np.zeros((size, size)), np.zeros(size)
        inverse = np.linalg.inv(self.capacitance)
        drift[:n, :n] = -inverse @ self.conductance
        drift[:n, n : n + m] = -inverse @ self.flows
        drift[n : n + m, :n] = np.linalg.inv(self.inductance) @ self.flows.T
        push[:n] = inverse @ (self.behind * V1 * self.into + I1 * self.fed)
        drift[-1, :n] = -self.behind * V1 * self.into + I1 * self.fed
        push[-1] = self.behind * V1**2
        columns = []
        for onto, reader in self.noise:
            read = V1 * np.abs(onto).max() if reader else 0.0
            columns.append([*inverse @ onto, *np.zeros(size - n - 1), read])
        if filters:
            drift[:n, n + m], drift[n + m, n + m] = inverse @ self.fed, -self.filter
            columns.append(self.filter * np.sqrt(self.density) * np.eye(size)[n + m])
        elif self.density:
            columns.append([*np.sqrt(self.density) * inverse @ self.fed, *np.zeros(size - n)])
        return drift, push, sum(np.outer(column, column) for column in columns)

    def fastest(self):
        """Shortest time constant."""
        return 1 / np.abs(np.linalg.eigvals(self.system()[0][:-1, :-1])).max()

    def energy(self, mean, covariance):
        """⟨½ vᵀCv + ½ iᵀLi⟩."""
        form = scipy.linalg.block_diag(self.capacitance, self.inductance)
        n = len(form)
        return 0.5 * np.sum(form * (covariance[:n, :n] + np.outer(mean[:n], mean[:n])))

    def moments(self, hold):
        """Moments of (v, i, y) after ``drives`` act for a hold on the state without sources.

        Also the mean heat, less what the generator injects.
        """
        drift, _, diffusion = self.system()
        first = np.zeros_like(drift)
        first[:-1, :-1] = scipy.linalg.solve_continuous_lyapunov(
            drift[:-1, :-1], -diffusion[:-1, :-1]
        )
        decay, mean, noise = by_blocks(*self.system(**self.drives), hold)
        covariance = decay @ first @ decay.T + noise
        start = self.energy(np.zeros_like(mean), first)
        heat = mean[-1] + start - self.energy(mean, covariance)
        seen = [*range(self.n + len(self.inductors)), -1]
        return mean[seen], covariance[np.ix_(seen, seen)], heat
