"""Cost of gradient noise, in closed form or estimated from the replicas' own scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._base.random_stream import philox
from ktc._base.validation import Array
from ktc._learning.data import BatchMoments
from ktc._learning.planning.expected_learning import expected_of, noise_of_reading
from ktc._learning.schedule import Update
from ktc._model.device import is_infinite

if TYPE_CHECKING:
    from ktc._learning.fit import Fit
    from ktc._learning.loop import Problem

#: Number of the random stream of probes.
NOISE_STREAM = 0x6B74636E
#: Largest number of parameters whose covariance is a matrix; of more, an update takes one probe.
FEW = 24
# Replicas whose forces are evaluated, for few parameters and for many.
MOST_REPLICAS = (4096, 256)
# Largest number of their forces, and of the ensemble's coordinates, held in memory.
MOST_NUMBERS, LARGEST_STATE = 4_000_000, 20_000_000
# Approximate number of updates evaluated in a run, likewise; each stands for those up to the next.
LOOKS = (200, 50)


class GradientNoise:
    """Cost of the noise of ⟨∂_θH⟩ over N replicas, of covariance C/N, by its updates Δθ = G δg.

    An update adds ⟨δg·Δθ⟩ + ½⟨Δθ·F Δθ⟩ to W − ΔF, with F = C/kT: the energy that the noise appears
    to gain, and that of the kick itself. It is exact to second order in the noise where the loop is
    steady: there the controls' fluctuation does not correlate with the gradient's
    (0 = d⟨θθᵀ⟩/dt), and what fluctuations add to both cancels. Noise that is independent from
    update to update, as a batch's, costs its kicks ½ Δθ·F Δθ alone.
    """

    def __init__(self, problem: Problem, seed: int | None) -> None:
        self._device, self._parameters = problem.device, problem.parameters
        batches, size = problem.positive.batches, problem.parameters.size
        self._samples = None if batches is None else problem.positive.sample_forces
        self._share = 0.0 if batches is None else batches.share
        self._kT = problem.device.network.common_kT
        self._infinite = is_infinite(problem.device.ledger)
        self._few = size <= FEW
        which = 0 if self._few else 1
        self._most = max(2, min(MOST_REPLICAS[which], MOST_NUMBERS // size))
        self._ticks, self._stride = problem.ticks, max(1, problem.ticks // LOOKS[which])
        self.stream = philox(seed or 0, NOISE_STREAM)

    def cost(self, tick: int, update: Update, share: float) -> float:
        """Cost of an update, of which ``share`` was made; zero where another one stands for it."""
        ends = tick in (0, self._ticks)
        if (self._infinite and self._samples is None) or (not ends and tick % self._stride):
            return 0.0
        return self._cost(update, share) * (1 if ends else self._stride)

    def _cost(self, update: Update, made: float) -> float:
        if self._infinite:
            moments = self._device.moments()
            root = np.linalg.cholesky(moments.covariance)
            drawn = self.stream.standard_normal((self._most, len(root)))
            state, share = np.asarray(moments.mean + drawn @ root.T), 0.0
        else:
            state = self._device.read()
            share = 1 / len(state)
        if len(state) > self._most:
            state = state[self.stream.choice(len(state), self._most, replace=False)]
        forces = self._parameters.forces(state)
        seen = None if self._samples is None else _centred(self._samples(self._most))
        if self._few:
            return self._whole(_centred(forces), share, seen, update, made)
        # The noise of a kick and the F that it meets are taken from different replicas: from the
        # same ones kicks would count too much, by the ratio of parameters to replicas.
        half = len(forces) // 2 if len(forces) > 3 else len(forces)
        own, forces = _centred(forces[:half]), _centred(forces[-half:])
        total = 0.0
        if share:
            probe = np.sqrt(share) * self._probe(own)
            change = made * update.response(probe)
            total += float(probe @ change) + self._energy(forces, change)
        if seen is not None:
            probe = np.sqrt(self._share) * self._probe(seen)
            total += self._energy(forces, made * update.response(probe, of_replicas=False))
        return total

    def _whole(
        self, forces: Array, share: float, seen: Array | None, update: Update, made: float
    ) -> float:
        """The cost by matrices."""
        columns = np.eye(forces.shape[1])
        scatter = forces.T @ forces
        gain = made * np.stack([update.response(column) for column in columns], axis=1)
        # A replica's noise meets the F of all others, as with probes.
        alone = np.sum((forces @ gain * forces).sum(axis=1) ** 2)
        met = (1 - 1 / max(len(forces), 2)) * (np.sum(scatter * (gain @ scatter @ gain.T)) - alone)
        total = share * float(np.sum(gain * scatter) + 0.5 * met / self._kT)
        if seen is not None:
            gain = made * np.stack(
                [update.response(one, of_replicas=False) for one in columns], axis=1
            )
            kicks = gain @ (self._share * seen.T @ seen) @ gain.T
            total += 0.5 * float(np.sum(scatter * kicks)) / self._kT
        return total

    def _probe(self, rows: Array) -> Array:
        """A random vector whose covariance is that of the rows."""
        return np.asarray(self.stream.choice([-1.0, 1.0], size=len(rows)) @ rows)

    def _energy(self, forces: Array, change: Array) -> float:
        """½ Δθ·F Δθ."""
        return float(0.5 * np.sum((forces @ change) ** 2) / self._kT)


def noise_work_of(fit: Fit, closed: bool) -> tuple[float, float | None]:
    """Mean and standard error, None where the mean is exact; see ``Fit.gradient_noise_work``.

    ``closed`` is whether the bias of a dense Gaussian network was learned whole.
    """
    rows, readings = fit.history.noise_work, fit.readings
    if len(rows):
        return float(rows.sum()), _error_of_probes(rows, fit.learned.size)
    if not closed:
        raise ValueError(
            f"the work of gradient noise is not available for this run under {fit.schedule!r}: it "
            "needs updates that are linear in the gradient, and ensembles of up to "
            f"{LARGEST_STATE} numbers; take the difference of excess_work to a run with many more "
            "replicas, where it has fallen as 1/replicas"
        )
    if fit.stopped_early:
        raise ValueError(
            "the work of gradient noise is that of a whole run, but this one stopped at "
            f"{fit.stopped_early}"
        )
    batches = None
    if fit.scatter is not None and fit.batch is not None:
        batches = BatchMoments(fit.scatter, fit.samples, fit.batch)
    ticks, reading = len(fit.history.time) - 1, noise_of_reading(fit.imperfections)
    found = expected_of(
        fit.start, fit.schedule, fit.learned.names[0], ticks, fit.data_mean, batches, reading
    )
    replicas = np.inf if readings.variances is not None else len(readings.work)
    return found.noise(replicas).excess_work, None


def _error_of_probes(rows: Array, size: int) -> float:
    """Standard error of the sum of ``GradientNoise.cost``, by the scatter of random probes."""
    evaluated = rows[rows != 0]
    if size <= FEW or len(evaluated) == 0:
        return 0.0
    # Neighbours differ by the scatter of their probes alone, but for the jumps at the ends.
    inner = evaluated[1:-1]
    share = np.diff(inner) ** 2 / (inner[1:] ** 2 + inner[:-1] ** 2)
    if len(share) == 0:
        return float("inf")
    return float(np.sqrt(share.mean() * np.sum(evaluated**2)))


def _centred(rows: Array) -> Array:
    """Rows less their mean, scaled so that rowsᵀ rows is their covariance."""
    scale = 1 / np.sqrt(max(len(rows) - 1, 1))
    return np.asarray((rows - rows.mean(axis=0)) * scale)
