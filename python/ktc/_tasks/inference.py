"""Result of inference: outputs per input, energies and accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ktc._base.codec import register
from ktc._base.estimate import Estimate
from ktc._base.files import Storable
from ktc._base.validation import Array, count


@dataclass(eq=False, repr=False)
class Inference(Storable):
    """Result of ``ktc.infer`` on n inputs; states are in public units, energies as of the device.

    Attributes:
        units: numbers of the held units, shape (k,).
        outputs: numbers of the units that are read, shape (m,).
        mean: state of the outputs at the end, mean over the replicas of each input, (n, m).
        stderr: its standard error, (n, m); infinite of a single replica.
        work: work of putting the inputs in place of the state before them, per replica; mean over
            inputs, with the error of their scatter (over replicas, of a single input).
        heat: heat that flowed into the resistors meanwhile, likewise.
        duration: time per inference.
        replicas_per_input: number of replicas r of each input. An inference costs r times ``work``
            and ``heat``.
        labels: number of the right output of each input, (n,); None without.
        seed: of the noise.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, -1.0], [-1.0, 1.0]], friction=1.0, kT=0.01)
        >>> found = ktc.infer(net, ([0], [[1.0], [3.0]]), [1], 10.0, replicas_per_input=100, seed=1)
        >>> found.mean.round(1).tolist(), found.completed.round(1).tolist()
        ([[1.0], [3.0]], [[1.0, 1.0], [3.0, 3.0]])
    """

    units: NDArray[np.intp]
    outputs: NDArray[np.intp]
    inputs: Array
    mean: Array
    stderr: Array
    work: Estimate
    heat: Estimate
    duration: float
    replicas_per_input: int
    seed: int
    labels: NDArray[np.intp] | None = None

    @property
    def answers(self) -> NDArray[np.intp]:
        """Number of the largest mean output of each input, counted among ``outputs``, (n,)."""
        return np.asarray(np.argmax(self.mean, axis=1))

    @property
    def accuracy(self) -> Estimate:
        """Share of inputs whose largest output is that of their label, as ``top(1)``."""
        return self.top(1)

    def top(self, most: int) -> Estimate:
        """Return the share of inputs whose label is among the ``most`` largest mean outputs.

        The error is that of n independent inputs.

        Raises:
            ValueError: no labels, or more than there are outputs.
        """
        if self.labels is None:
            raise ValueError("accuracy needs labels; pass labels=... to infer")
        count("most", most, most=len(self.outputs))
        rows = np.arange(len(self.labels))
        right = self.mean[rows, self.labels]
        larger = np.sum(self.mean > right[:, None], axis=1)
        hits = (larger < most).astype(np.float64)
        return Estimate.of_samples(hits, method="mean over inputs")

    @property
    def completed(self) -> Array:
        """States of the held units and the outputs, in ascending order of units, (n, k + m)."""
        order = np.argsort(np.concatenate([self.units, self.outputs]))
        return np.hstack([self.inputs, self.mean])[:, order]

    def __repr__(self) -> str:
        told = f"{len(self.mean)} inputs, heat {self.heat} in time {self.duration:g}"
        known = "" if self.labels is None else f", accuracy {self.accuracy}"
        return f"<ktc.Inference: {told}{known}>"


register(Inference)
