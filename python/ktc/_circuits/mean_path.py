"""Mean motion of a compiled circuit between changes of its sources."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.validation import Array, real_array
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.source_values import waveforms_of


def mean_path(
    net: CompiledCircuit, times: Array, state: Array | None, sources: Mapping[str, ArrayLike]
) -> tuple[Array, Array, Array]:
    """Return mean node voltages, ∇H and sources at times, from a state at the first of them.

    None starts from the rest at the sources of the circuit.

    x′ = x* + e^{Fh} (x − x*) from one time to the next, with sources held at values of shape
    (times − 1,) or at numbers. Shapes (times, nodes), (times, d) and (times, sources).
    """
    equation = net.equation
    theta = waveforms_of(equation, sources, equation.values)
    intervals = len(times) - 1
    if theta.ndim == 2 and len(theta) != intervals:
        raise ValueError(
            f"waveforms of sources must have one value per interval of times, {intervals} in all, "
            f"but have {len(theta)}"
        )
    theta = np.broadcast_to(theta, (max(intervals, 1), len(equation.values)))
    elements = net.core.elements
    # x = L⁻ᵀu with ∇²H = L Lᵀ, so that farads and henries have one scale.
    lower = np.linalg.cholesky(net.stiffness)
    flow = net.core.flow
    drift = lower.T @ flow @ lower

    def rest(values: Array) -> Array:
        """x at rest at values of the sources, in the last axis."""
        push = (values @ equation.emf_of.T * elements.conductance) @ elements.directions
        push += values @ equation.current_of.T @ elements.source_directions
        gradient = np.linalg.solve(flow, -push.T).T
        return np.asarray(
            np.linalg.solve(net.stiffness, (gradient + values @ equation.bias_of.T).T).T
        )

    settled = rest(theta) @ lower
    u = lower.T @ (rest(equation.values) if state is None else state)
    moves: dict[float, Array] = {}
    path = [u]
    for k, hold in enumerate(np.diff(times).tolist()):
        # Equal intervals differ by the rounding of the times.
        hold = next((h for h in moves if abs(h - hold) <= 4e-16 * times[-1]), hold)
        if hold not in moves:
            moves[hold] = _core.linear_transition(drift, np.zeros_like(drift), hold)[0]
        u = settled[k] + moves[hold] @ (u - settled[k])
        path.append(u)
    held = np.concatenate([theta, theta[-1:]])[: len(times)]
    gradient = np.array(path) @ lower.T - held @ equation.bias_of.T
    volts = gradient @ equation.nodes_of_gradient.T + held @ equation.nodes_of_sources.T
    return volts, gradient, held


def checked_times(times: ArrayLike) -> Array:
    """Return times as an ascending array of at least one."""
    array = np.atleast_1d(real_array("times", times))
    if array.ndim != 1 or not array.size or not (np.diff(array) > 0).all():
        raise ValueError(
            f"times must be an ascending 1-D array, but has shape {array.shape}"
            + (" and values that do not rise" if array.ndim == 1 and array.size else "")
        )
    return array
