"""Charges that the sources of a circuit deliver over a hold, jointly with the state.

Source j delivers θ_j Q_j, with dQ_j = Σ_r E_rj dξ_r + Σ_s I_sj a_s·∇H dt, which is a charge of a
voltage source and a flux of a current source; E and I map θ to EMFs and currents. With the state
before and N, what noise added to the state over the hold,

    Q_j = mean over paths from that state + c_j·N + ζ_j,

where c_j and the white noise ζ_j are as in ``ktc._engines.work_variance.Feed``. So Q is normal with
the state, and Σ θ_j Q_j is the energy from all sources. Given the state after the hold and this
sum, the charges are drawn from their conditional law: a draw from that given the state, corrected
along its covariance with the sum (Matheron's rule).

Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005; Matheron's rule, Journel,
Huijbregts (1978), Mining Geostatistics, ch. VII.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._engines.moments_motion import ElementArrays, Hold, Motion
from ktc._model.controls import Controls

#: Share of its own size below which a variance is rounding.
ROUNDING = 1e-12


class HoldFlow(NamedTuple):
    """Charges over a hold of one duration, for k sources and n coordinates.

    Attributes:
        hold: the motion.
        path: means per deviation of the state from its rest, shape (k, n).
        joint: covariance of ζ and N, shape (k, n).
        gain: mean of ζ per N, shape (k, n).
        own: covariance of ζ given N, shape (k, k).
        factor: a factor of it.
    """

    hold: Hold
    path: Array
    joint: Array
    gain: Array
    own: Array
    factor: Array


class SourceFlows:
    """Charges of all sources at one stiffness and temperature, whatever the sources are.

    Attributes:
        pull: c, shape (k, n).
        noise: covariance rate of ζ, shape (k, k).
    """

    def __init__(self, network: CompiledCircuit, controls: Controls) -> None:
        equation = network.equation
        self._maps = self._emf_of, self._current_of = equation.emf_of, equation.current_of
        self._elements = ElementArrays(network)
        self.motion = Motion(network, self._elements, controls.arrays())
        pairs = list(zip(self._emf_of.T, self._current_of.T, strict=True))
        feeds = [self.motion.feed(*pair) for pair in pairs]
        self.pull = np.array([feed[0] for feed in feeds])
        self._cross = np.array([feed[1] for feed in feeds])
        sizes = np.sqrt(np.maximum([feed[2] for feed in feeds], 0.0))
        self.noise = np.diag(sizes**2)
        units = np.where(sizes > 0, sizes, 1.0)
        for i, j in zip(*np.triu_indices(len(pairs), 1), strict=True):
            if sizes[i] > 0 and sizes[j] > 0:
                emf, current = (m[:, i] / units[i] + m[:, j] / units[j] for m in self._maps)
                share = 0.5 * self.motion.feed(emf, current)[2] - 1.0
                self.noise[i, j] = self.noise[j, i] = share * sizes[i] * sizes[j]
        e, motion = self._elements, self.motion
        self._swept = e.conductance[:, None] * self._emf_of
        self._slope = motion.hessian[:, : e.dimension] @ (e.readings.T @ self._current_of)
        self._slope -= motion.slopes.T @ self._swept
        self._holds: dict[float, HoldFlow] = {}

    def over(self, duration: float) -> HoldFlow:
        """Charges over a hold; those of the last duration are kept."""
        if duration not in self._holds:
            self._holds = {duration: self._flow(self.motion.hold(duration, False, True))}
        return self._holds[duration]

    def _flow(self, hold: Hold) -> HoldFlow:
        assert hold.lag is not None  # of driven holds
        joint = self._cross @ hold.lag.T
        # In units in which the state and the charges have unit variances.
        widths = np.sqrt(np.diagonal(hold.covariance))
        values, modes = np.linalg.eigh(hold.covariance / np.outer(widths, widths))
        kept = values > ROUNDING * values[-1]
        parts = (joint / widths) @ modes[:, kept] / np.sqrt(values[kept])
        gain = (parts / np.sqrt(values[kept])) @ modes[:, kept].T / widths
        whole = self.noise * hold.duration
        own = whole - parts @ parts.T
        sizes = np.sqrt(np.diagonal(whole))
        unit = np.where(sizes > 0, sizes, 1.0)
        values, modes = np.linalg.eigh(own / np.outer(unit, unit))
        values = np.where(values > ROUNDING, values, 0.0)
        factor = unit[:, None] * modes * np.sqrt(values)
        return HoldFlow(hold, self._slope.T @ hold.lag, joint, gain, factor @ factor.T, factor)

    def rest(self, controls: Controls) -> tuple[Array, Array]:
        """State of rest, shape (n,), and the mean rate of the charges there, shape (k,)."""
        e, motion = self._elements, self.motion
        emf, current = controls.emf, controls.current
        rest, rate = motion.rest_of_force(controls.bias), np.zeros(len(self.pull))
        if emf.any() or current.any():
            push = e.directions.T @ (e.conductance * emf) + e.source_directions.T @ current
            moved = motion.displacement(push)
            rest, rate = rest + moved, moved @ self._slope + emf @ self._swept
            if e.reading_conductance is not None:
                rate = rate + (e.reading_conductance @ current) @ self._current_of
        return rest, rate


def drawn_charges(flow: HoldFlow, noise: Array, draws: Array, theta: Array, given: Array) -> Array:
    """Draw ζ given N and θ·ζ, shape (replicas, k).

    Args:
        noise: N, shape (replicas, n).
        draws: standard normals, shape (replicas, k).
        theta: values of the sources, shape (k,).
        given: θ·ζ, shape (replicas,).
    """
    found = noise @ flow.gain.T + draws @ flow.factor.T
    along = flow.own @ theta
    variance = float(theta @ along)
    sizes = np.sqrt(np.diagonal(flow.own)) * np.abs(theta)
    if variance > ROUNDING * float(np.sum(sizes)) ** 2:
        found += np.outer((given - found @ theta) / variance, along)
    return np.asarray(found)
