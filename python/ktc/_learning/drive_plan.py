"""The open-loop drive of least excess work to given parameters, in a given time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ktc._base.validation import Array
from ktc._learning.ensemble_motion import Complex, Motion, Solver

# (1 − z + z²/2)⁻¹ = 2 Re[WEIGHT (1 − z/POLE)⁻¹], which is e^z to second order and damps z → −∞.
POLE, WEIGHT = 1 + 1j, 0.5 + 0.5j
MOST_STEPS, MEMORY, MOST_HALVINGS = 60, 12, 25
#: A search ends where a step gains less than this share of the excess work.
ACCURACY = 1e-5
#: Number of holds of the first search; it is doubled until the excess work changes by less than
#: the share ``ENOUGH``.
FIRST_HOLDS, ENOUGH = 8, 0.01
#: First guesses go straight from one share of the way to another; both jumps make the rest.
GUESSES = ((0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (0.5, 1.0), (0.0, 0.5), (1.0, 1.0))


class DrivePlan:
    """θ_k of equal holds that take an ensemble to θ* at the least excess work.

    The excess work of a run that ends with a jump to θ*, less that of the jump alone, is

        Q = Σ_k (θ* − θ_k)·(φ_{k+1} − φ_k),    φ_k = ⟨∂_θH⟩ at the beginning of hold k,

    whatever the updates are: it is decided in the holds, not at the jumps. Q and its gradient take
    one pass forward and one backward (adjoint); L-BFGS starts from the best of a few straight
    paths, preconditioned by the second derivative of Q in one hold alone, 2h⟨∇φ R⁻¹ ∇φᵀ⟩. It
    starts with few holds, and halves them until Q changes by less than a hundredth.

    Args:
        motion: the ensemble.
        goal: θ*, as the motion counts θ.
        jump: excess work of a jump to θ* at the start, kT KL(p₀‖p*), in kT.
        duration: T.
        holds: most holds.
        confined: whether an array of θ, shape (n, p), keeps the energy confined.

    Source: Nocedal, Wright (2006), Numerical Optimization, ch. 7; optimal protocols by gradients:
    Engel, Smith, Brenner (2023), Phys. Rev. X 13, 041032.
    """

    def __init__(
        self,
        motion: Motion,
        goal: Array,
        jump: float,
        duration: float,
        holds: int,
        confined: Callable[[Array], bool],
    ) -> None:
        self._motion, self._goal, self._jump = motion, goal, jump
        self._holds, self._duration, self._confined = holds, duration, confined

    def best(self) -> tuple[Array, float]:
        """θ of the holds, shape (n, p), and the excess work in kT."""
        holds = [self._holds]
        while holds[0] > FIRST_HOLDS:
            holds.insert(0, -(-holds[0] // 2))
        along = (np.arange(holds[0]) + 0.5) / holds[0]
        paths = [(a + (b - a) * along)[:, None] * self._goal for a, b in GUESSES]
        paths = [path for path in paths if self._confined(path)]
        path, cost = self._descended(min(paths, key=self.cost))
        for number in holds[1:]:
            before = cost
            path, cost = self._descended(resampled(path, number))
            if abs(before - cost) < ENOUGH * abs(cost):
                break
        return path, cost

    def cost(self, path: Array) -> float:
        """Excess work in kT."""
        averages = self._passed(path)[0] @ self._motion.forces.T
        return self._jump + float(np.sum((self._goal - path) * np.diff(averages, axis=0)))

    def gradient(self, path: Array) -> tuple[float, Array]:
        """Excess work in kT, and its derivative in the path."""
        motion, hold = self._motion, self._duration / len(path)
        states, inner, solvers = self._passed(path)
        change = np.diff(states @ motion.forces.T, axis=0)
        # Derivative of Q in the state after hold k.
        value: Array = motion.forces.T @ (self._goal - path[-1])
        steps = np.diff(path, axis=0) @ motion.forces
        backs = np.empty(inner.shape, np.complex128)
        for k in range(len(path) - 1, -1, -1):
            backs[k] = solvers[k](value, transposed=True)
            if k:
                value = 2 * (WEIGHT * backs[k]).real + steps[k - 1]
        pushed = np.einsum("kpn,kn->kp", motion.pushed(inner), backs)
        slope = 2 * (WEIGHT * hold / POLE * pushed).real - change
        return self._jump + float(np.sum((self._goal - path) * change)), slope

    def _passed(self, path: Array) -> tuple[Array, Complex, list[Solver]]:
        """States before and after every hold, the solutions within, and the factored steps."""
        states, inner = [self._motion.first], []
        solvers = self._motion.factored(path, self._duration / len(path) / POLE)
        for solver in solvers:
            inner.append(solver(states[-1]))
            states.append(2 * (WEIGHT * inner[-1]).real)
        return np.array(states), np.array(inner), solvers

    def _preconditioner(self, path: Array) -> Array:
        """Inverse second derivatives of single holds, shape (n, p, p)."""
        states, hold = self._passed(path)[0], self._duration / len(path)
        rows = []
        for state in 0.5 * (states[1:] + states[:-1]):
            response = self._motion.response(state)
            values, vectors = np.linalg.eigh(0.5 * (response + response.T))
            values = np.maximum(values, 1e-6 * values[-1])
            rows.append((vectors / (2 * hold * values)) @ vectors.T)
        return np.array(rows)

    def _descended(self, path: Array) -> tuple[Array, float]:
        """L-BFGS."""
        metric = self._preconditioner(path)
        cost, slope = self.gradient(path)
        pairs: list[tuple[Array, Array, float]] = []
        for _ in range(MOST_STEPS):
            step = -_two_loops(pairs, metric, slope)
            along = float(np.sum(step * slope))
            found = self._searched(path, step, cost, along) if along < 0 else None
            if found is None:
                break
            moved, after, bent = found
            change, turn = moved - path, bent - slope
            bend = float(np.sum(change * turn))
            if bend > 1e-12 * float(np.linalg.norm(change) * np.linalg.norm(turn)):
                pairs = [*pairs, (change, turn, 1 / bend)][-MEMORY:]
            gained = cost - after
            path, cost, slope = moved, after, bent
            if max(gained, -0.1 * along) < ACCURACY * max(abs(cost), 1e-6):
                break
        return path, cost

    def _searched(
        self, path: Array, step: Array, cost: float, along: float
    ) -> tuple[Array, float, Array] | None:
        """The first of a step, its half, … that gains enough, with its cost and slope."""
        for share in np.ldexp(1.0, -np.arange(MOST_HALVINGS)).tolist():
            moved = path + share * step
            if self._confined(moved):
                after, slope = self.gradient(moved)
                if after <= cost + 1e-4 * share * along:
                    return moved, after, slope
        return None


def resampled(path: Array, holds: int) -> Array:
    """A path in as many holds, interpolated between the middles of its own."""
    own, new = ((np.arange(n) + 0.5) / n for n in (len(path), holds))
    return np.stack([np.interp(new, own, row) for row in path.T], axis=1)


def _two_loops(pairs: list[tuple[Array, Array, float]], metric: Array, slope: Array) -> Array:
    """The product of the inverse Hessian, by L-BFGS, with the slope."""
    vector, shares = slope, []
    for change, turn, inverse_bend in reversed(pairs):
        share = inverse_bend * float(np.sum(change * vector))
        shares.append(share)
        vector = vector - share * turn
    vector = np.einsum("kij,kj->ki", metric, vector)
    if pairs:
        _, turn, inverse_bend = pairs[-1]
        scaled = np.einsum("kij,kj->ki", metric, turn)
        vector = vector / (inverse_bend * float(np.sum(turn * scaled)))
    for (change, turn, inverse_bend), share in zip(pairs, reversed(shares), strict=True):
        vector = vector + change * (share - inverse_bend * float(np.sum(turn * vector)))
    return np.asarray(vector)
