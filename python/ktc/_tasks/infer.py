"""Inference: inputs held on some units, an answer read from others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import positive, random_seed
from ktc._model.description import Description
from ktc._tasks.inference import Inference
from ktc._tasks.inference_task import InferenceTask, Options


def infer(
    network: Description,
    inputs: tuple[ArrayLike, ArrayLike],
    outputs: ArrayLike | None,
    duration: float,
    replicas_per_input: int = 1,
    *,
    labels: ArrayLike | None = None,
    state: ArrayLike | None = None,
    seed: int | None = None,
    threads: int | None = None,
    dtype: str = "float64",
    dt: float | None = None,
    chunk: int | None = None,
) -> Inference:
    """Hold inputs on some units, run, and read the outputs: an ``Inference``.

    Each input has replicas of its own, which move by the conditional network of the units that are
    not held (``Network.conditioned``). Before it comes the device is at ``state``. Putting the
    input in its place is work; the rest flows as heat while the other units run:
    work − heat = ΔH, from the state before to the end.

    In-painting reads ``completed`` of a result whose outputs are all other units; classification
    ``answers`` and ``accuracy``; regression ``mean`` and ``stderr``.

    Args:
        network: a Network, an ideal Board, or another description of one.
        inputs: numbers of the held units, (k,), and their values, (n, k), one row per input; (k,)
            for one. A memory map is read chunk by chunk.
        outputs: numbers of the units to read, (m,); None for all that move.
        duration: time to run.
        replicas_per_input: number of replicas of each input.
        labels: number of the right output of each input, 0 to m − 1, (n,).
        state: of all units before the inputs come, scalar or (d,); by default replicas are in
            equilibrium.
        seed: of the noise; None draws one.
        threads, dtype, dt: as of ``ktc.Emulator``; the default ``dt`` is short enough for all
            inputs.
        chunk: number of inputs that move at once, rounded up to a multiple of 64; by default as
            many as 64 MiB hold. Results do not depend on it.

    Raises:
        ValueError, TypeError: as ``Network.conditioned`` and ``ktc.Emulator``; inputs, outputs or
            labels out of range or of another shape.

    Example:
        >>> import ktc  # which of two outputs is like the input
        >>> K = [[1.0, -0.8, 0.8], [-0.8, 2.0, 0.0], [0.8, 0.0, 2.0]]
        >>> net = ktc.Network(K, friction=1.0, kT=0.01)
        >>> found = ktc.infer(net, ([0], [[1.0], [-1.0]]), [1, 2], 5.0, labels=[0, 1], seed=1)
        >>> found.answers, found.accuracy.mean
        (array([0, 1]), 1.0)

    Source: Whitelam (2025), arXiv 2509.15324.
    """
    task = InferenceTask(network, inputs, outputs, replicas_per_input, state)
    answers, size = task.checked_labels(labels), task.chunk(chunk)
    time, number = positive("duration", duration), random_seed(seed)
    options = Options(number, threads, dtype, task.step(dt))
    mean, variance, work, heat = task.run(time, size, options)
    single = task.replicas == 1
    return Inference(
        units=task.split.held,
        outputs=task.outputs,
        inputs=task.values,
        mean=mean,
        stderr=np.full_like(mean, np.inf) if single else np.sqrt(variance / task.replicas),
        work=task.estimate(work),
        heat=task.estimate(heat),
        duration=time,
        replicas_per_input=task.replicas,
        seed=number,
        labels=answers,
    )
