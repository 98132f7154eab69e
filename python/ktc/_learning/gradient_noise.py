"""What the noise of a learner's gradient costs it, estimated from the replicas' own scatter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ktc._base.validation import Array
from ktc._model.parameters import Parameters

Response: TypeAlias = Callable[[Array], Array]

#: Number of the random stream of probes.
NOISE_STREAM = 0x6B74636E
#: So many parameters have their covariance taken whole; of more, one random probe an update does.
FEW = 24
# Replicas whose forces are looked at, of few parameters and of many.
MOST_REPLICAS = (4096, 256)
# Numbers of their forces, and of the ensemble's state, that are held at a time.
MOST_NUMBERS, LARGEST_STATE = 4_000_000, 20_000_000
# Updates of a run that are looked at, about, likewise; each stands for those up to the next.
LOOKS = (200, 50)


class GradientNoise:
    """Noise of ⟨∂_θH⟩ over N replicas, of covariance C/N, and what its updates Δθ = G δg cost.

    An update adds ⟨δg·Δθ⟩ + ½⟨Δθ·F Δθ⟩ to W − ΔF, with F = C/kT: the energy that noise of the
    replicas believes to gain, and that of the kick itself. It is exact to second order in the noise
    where the loop is steady: there the controls' fluctuation does not correlate with the gradient's
    (0 = d⟨θθᵀ⟩/dt), and what fluctuations add to both cancels. Noise that is independent from
    update to update, as a batch's, costs its kicks ½ Δθ·F Δθ alone.

    Args:
        device: running.
        parameters: what is learned.
        ticks: of the run.
        samples: gives ∂_θH of at most so many samples, shape (n, p); None where there are no
            batches.
        batch_share: variance of a batch's mean over that of its samples, (n − B)/B(n − 1).
    """

    def __init__(
        self,
        device: Any,
        parameters: Parameters,
        ticks: int,
        samples: Callable[[int], Array] | None = None,
        batch_share: float = 0.0,
    ) -> None:
        self._device, self._parameters = device, parameters
        self._samples, self._share = samples, batch_share
        self._kT = device.network.common_kT
        self._infinite = bool(getattr(device.ledger, "infinite", False))
        self._few = parameters.size <= FEW
        which = 0 if self._few else 1
        self._most = max(2, min(MOST_REPLICAS[which], MOST_NUMBERS // parameters.size))
        self._ticks, self._stride = ticks, max(1, ticks // LOOKS[which])
        seed = getattr(device, "seed", None) or 0
        self._stream = np.random.Generator(
            np.random.Philox(np.random.SeedSequence([seed, NOISE_STREAM]))
        )

    def cost(self, tick: int, respond: Response, respond_to_data: Response) -> float:
        """Of an update, and of those after it that are not looked at; zero of these.

        Args:
            tick: number of the update.
            respond: Δθ of a gradient, linear.
            respond_to_data: the same of the data's part of it.
        """
        if self._infinite and self._samples is None:
            return 0.0
        if tick in (0, self._ticks):
            return self._cost(respond, respond_to_data)
        return 0.0 if tick % self._stride else self._stride * self._cost(respond, respond_to_data)

    def _cost(self, respond: Response, respond_to_data: Response) -> float:
        state = self._states() if self._infinite else self._device.read()
        share = 0.0 if self._infinite else 1 / len(state)
        if len(state) > self._most:
            state = state[self._stream.choice(len(state), self._most, replace=False)]
        forces = self._parameters.forces(state)
        seen = None if self._samples is None else _centred(self._samples(self._most))
        if self._few:
            return self._whole(_centred(forces), share, seen, respond, respond_to_data)
        # The noise of a kick and the F that it meets are of different replicas: of the same ones
        # kicks would count for too much, by the number of parameters over that of replicas.
        half = len(forces) // 2 if len(forces) > 3 else len(forces)
        own, forces = _centred(forces[:half]), _centred(forces[-half:])
        total = 0.0
        if share:
            probe = np.sqrt(share) * self._probe(own)
            change = respond(probe)
            total += float(probe @ change) + self._energy(forces, change)
        if seen is not None:
            probe = np.sqrt(self._share) * self._probe(seen)
            total += self._energy(forces, respond_to_data(probe))
        return total

    def _whole(
        self,
        forces: Array,
        share: float,
        seen: Array | None,
        respond: Response,
        respond_to_data: Response,
    ) -> float:
        """By whole matrices."""
        columns = np.eye(forces.shape[1])
        scatter = forces.T @ forces
        gain = np.stack([respond(column) for column in columns], axis=1)
        # Of a replica's noise the F of all others, as in the other way.
        alone = np.sum((forces @ gain * forces).sum(axis=1) ** 2)
        met = (1 - 1 / max(len(forces), 2)) * (np.sum(scatter * (gain @ scatter @ gain.T)) - alone)
        total = share * float(np.sum(gain * scatter) + 0.5 * met / self._kT)
        if seen is not None:
            gain = np.stack([respond_to_data(column) for column in columns], axis=1)
            kicks = gain @ (self._share * seen.T @ seen) @ gain.T
            total += 0.5 * float(np.sum(scatter * kicks)) / self._kT
        return total

    def _probe(self, rows: Array) -> Array:
        """Of the covariance of the rows."""
        return np.asarray(self._stream.choice([-1.0, 1.0], size=len(rows)) @ rows)

    def _energy(self, forces: Array, change: Array) -> float:
        """½ Δθ·F Δθ."""
        return float(0.5 * np.sum((forces @ change) ** 2) / self._kT)

    def _states(self) -> Array:
        """As many as are looked at of an infinite ensemble."""
        moments = self._device.moments()
        root = np.linalg.cholesky(moments.covariance)
        drawn = self._stream.standard_normal((self._most, len(root)))
        return np.asarray(moments.mean + drawn @ root.T)


def _centred(rows: Array) -> Array:
    """Without their mean, and scaled so that rowsᵀ rows is their covariance."""
    scale = 1 / np.sqrt(max(len(rows) - 1, 1))
    return np.asarray((rows - rows.mean(axis=0)) * scale)
