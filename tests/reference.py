"""Slow, readable references for the core: nothing here is imported from the package under test.

- Philox4x32-10 in plain Python, from the paper (Salmon, Moraes, Dror, Shaw, SC11, 2011).
- Box and Muller's transform (Ann. Math. Stat. 29, 610, 1958) at high precision.
- Linear networks from their equation, dz = (J − G) ∇H dt + noise: exact transitions at sixty and
  more digits, moment equations integrated step by step, energies as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mpmath as mp
import numpy as np
import scipy.integrate

MASK_32 = 0xFFFFFFFF


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10: four 32-bit words at a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product_0, product_1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (product_1 >> 32) ^ c1 ^ k0,
            product_1 & MASK_32,
            (product_0 >> 32) ^ c3 ^ k1,
            product_0 & MASK_32,
        )
        k0, k1 = (k0 + 0x9E3779B9) & MASK_32, (k1 + 0xBB67AE85) & MASK_32
    return [c0, c1, c2, c3]


def group_words(
    seed: int, purpose: int, group: int, element: int, step: int
) -> tuple[list[int], list[int]]:
    """The eight radius and eight angle words behind the sixteen normals of an address.

    The counter, as the registry of streams documents it: words 0 and 1 the step; word 2 the group
    (29 bits) over the place in the group (3 bits); word 3 the purpose (4 bits) over the element
    (28 bits). The key is the seed.
    """
    radius, angle = [], []
    for place in range(8):
        counter = [
            step & MASK_32,
            step >> 32,
            (group << 3) | place,
            (purpose << 28) | element,
        ]
        words = philox(counter, [seed & MASK_32, seed >> 32])
        radius.append(words[0] | words[1] << 32)
        angle.append(words[2] | words[3] << 32)
    return radius, angle


def normal_pair(radius: int, angle: int) -> tuple[mp.mpf, mp.mpf]:
    """√(−2 ln u) times a point of the circle, of two 64-bit words, u from 52 bits of the first.

    u, in (0, 1), and y, in (−½, ½), are the midpoints of the cells that the low 52 bits of a word
    choose, for y without the last one. (cos, sin)(½πy) is a point of the quarter around (1, 0);
    the second word's top bit turns it to the quarter around (−1, 0), the next one reflects it about
    the diagonal.
    """
    u = (mp.mpf(radius % 2**52) + mp.mpf(1) / 2) / 2**52
    y = (mp.mpf(angle % 2**52 // 2) + mp.mpf(1) / 2) / 2**51 - mp.mpf(1) / 2
    length = mp.sqrt(-2 * mp.log(u))
    across, along = length * mp.cospi(y / 2), length * mp.sinpi(y / 2)
    if angle >> 63:
        across = -across
    return (along, across) if angle >> 62 & 1 else (across, along)


@dataclass
class LinearNetwork:
    """The numbers that make a linear network, and what its equation says about them.

    H = ½ xᵀKx − bᵀx + ½ pᵀM⁻¹p; without inertia z = x, otherwise z = (x, p).
    """

    stiffness: np.ndarray
    friction: np.ndarray
    kT: float = 1.0
    bias: np.ndarray = field(default_factory=lambda: np.zeros(1))
    inertia: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.stiffness = np.atleast_2d(np.asarray(self.stiffness, dtype=float))
        ones = np.ones(len(self.stiffness))
        friction = np.asarray(self.friction, dtype=float)
        self.friction = friction if friction.ndim == 2 else np.diag(friction * ones)
        self.bias = np.asarray(self.bias, dtype=float) * ones
        if self.inertia is not None:
            self.inertia = np.asarray(self.inertia, dtype=float) * ones

    @property
    def units(self) -> int:
        return len(self.stiffness)

    def hessian(self) -> np.ndarray:
        """∇²H: K, or diag(K, M⁻¹)."""
        if self.inertia is None:
            return self.stiffness
        zero = np.zeros_like(self.stiffness)
        return np.block([[self.stiffness, zero], [zero, np.diag(1 / self.inertia)]])

    def flow(self) -> tuple[np.ndarray, np.ndarray]:
        """J and G of dz = (J − G) ∇H dt + √(2 kT G) dW."""
        if self.inertia is None:
            return np.zeros_like(self.stiffness), np.linalg.inv(self.friction)
        one, zero = np.eye(self.units), np.zeros_like(self.stiffness)
        return np.block([[zero, one], [-one, zero]]), np.block(
            [[zero, zero], [zero, self.friction]]
        )

    def energy(self, x: np.ndarray, p: np.ndarray | None = None) -> np.ndarray:
        """H of each row."""
        total = 0.5 * np.einsum("ri,ij,rj->r", x, self.stiffness, x) - x @ self.bias
        if p is not None:
            total = total + 0.5 * (p**2 / self.inertia).sum(axis=1)
        return np.asarray(total)

    def relaxed(
        self, mean: np.ndarray, covariance: np.ndarray, duration: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of z after a duration: their equations, integrated by Runge–Kutta.

        dm/dt = F m + (J − G)(−b, 0), dP/dt = F P + P Fᵀ + 2 kT G, F = (J − G) ∇²H.
        """
        interconnection, mobility = self.flow()
        drift = (interconnection - mobility) @ self.hessian()
        n = len(drift)
        push = (interconnection - mobility) @ np.concatenate([-self.bias, np.zeros(n - self.units)])

        def equations(_: float, packed: np.ndarray) -> np.ndarray:
            m, p = packed[:n], packed[n:].reshape(n, n)
            rate = drift @ p + p @ drift.T + 2 * self.kT * mobility
            return np.concatenate([drift @ m + push, rate.ravel()])

        start = np.concatenate([mean, np.asarray(covariance).ravel()])
        solution = scipy.integrate.solve_ivp(
            equations, (0.0, duration), start, method="DOP853", rtol=1e-10, atol=1e-12
        )
        end = solution.y[:, -1]
        return end[:n], end[n:].reshape(n, n)

    def precise_drift(self) -> mp.matrix:
        """F = (J − G) ∇²H in the working precision of mpmath, from the doubles given."""
        stiffness, friction = precise(self.stiffness), precise(self.friction)
        d = self.units
        if self.inertia is None:
            return -(friction**-1) * stiffness
        over_mass = mp.diag([1 / mp.mpf(float(m)) for m in self.inertia])
        drift = mp.zeros(2 * d)
        drift[:d, d:] = over_mass
        drift[d:, :d] = -stiffness
        drift[d:, d:] = -friction * over_mass
        return drift

    def precise_equilibrium(self) -> mp.matrix:
        """P = kT (∇²H)⁻¹: the covariance of exp(−H/kT)."""
        d = self.units
        result = mp.zeros(len(self.hessian()))
        result[:d, :d] = mp.mpf(float(self.kT)) * precise(self.stiffness) ** -1
        if self.inertia is not None:
            for i, m in enumerate(self.inertia):
                result[d + i, d + i] = mp.mpf(float(self.kT)) * mp.mpf(float(m))
        return result

    def precise_transition(self, hold: float) -> tuple[mp.matrix, mp.matrix]:
        """A = e^{Fh} by Taylor's series and squaring, and Q = P − A P Aᵀ, the digits to spare."""
        decay = mp.expm(self.precise_drift() * mp.mpf(float(hold)), method="taylor")
        equilibrium = self.precise_equilibrium()
        return decay, equilibrium - decay * equilibrium * decay.T


def precise(values: np.ndarray) -> mp.matrix:
    """A matrix of doubles, exactly."""
    return mp.matrix(np.asarray(values, dtype=float).tolist())


def rounded(matrix: mp.matrix) -> np.ndarray:
    """The nearest doubles."""
    return np.array([[float(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)])


def rows_norm(matrix: mp.matrix) -> float:
    """‖·‖_∞, the largest absolute row sum."""
    return float(mp.mnorm(matrix, mp.inf))


def stationary_by_elimination(drift: np.ndarray, diffusion: np.ndarray) -> mp.matrix:
    """P of F P + P Fᵀ + D = 0, as the n² linear equations that it is."""
    n = len(drift)
    f = precise(drift)
    equations, right = mp.zeros(n * n), mp.zeros(n * n, 1)
    for i in range(n):
        for j in range(n):
            right[i * n + j] = -mp.mpf(float(diffusion[i, j]))
            for k in range(n):
                equations[i * n + j, k * n + j] += f[i, k]
                equations[i * n + j, i * n + k] += f[j, k]
    solution = mp.lu_solve(equations, right)
    return mp.matrix([[solution[i * n + j] for j in range(n)] for i in range(n)])


def random_spd(rng: np.random.Generator, d: int, condition: float = 10.0) -> np.ndarray:
    """A symmetric positive definite matrix with eigenvalues from 1 to ``condition``."""
    vectors, _ = np.linalg.qr(rng.normal(size=(d, d)))
    matrix = (vectors * np.geomspace(1, condition, d)) @ vectors.T
    return (matrix + matrix.T) / 2
