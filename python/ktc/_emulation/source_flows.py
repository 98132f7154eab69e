"""Charges that the sources of a circuit deliver over a hold, jointly with the state.

Source j delivers θ_j Q_j, with dQ_j = Σ_r E_rj dξ_r + Σ_s I_sj a_s·∇H dt, which is a charge of a
voltage source and a flux of a current source; E and I map θ to EMFs and currents. State and charges
together are a linear system,

    dx = F (x − x*) dt + dη,    dQ_j = ℓ_j·(x − x*) dt + p_j dt + dχ_j,

with white noise of known covariance, so that both are normal at the end of a hold, about means that
are linear in the state before it. Σ θ_j Q_j is the energy from all sources. Given the state after
the hold and this sum, the charges are drawn from their conditional law: a draw from that given the
state, corrected along its covariance with the sum (Matheron's rule).

Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005; Matheron's rule, Journel,
Huijbregts (1978), Mining Geostatistics, ch. VII.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._engines.moments_motion import ElementArrays, Motion, integrated
from ktc._model.controls import Controls

#: Share of its own size below which a variance is rounding.
ROUNDING = 1e-12
#: Share of the width of noise below which rounding of the state does not matter.
RESOLVED = 1e-3


class Given(NamedTuple):
    """Law of M given N, see ``HoldFlow``.

    Attributes:
        gain: mean of M per N, shape (k, n).
        factor: a factor of the covariance, shape (k, k).
    """

    gain: Array
    factor: Array

    def draw(self, noise: Array, draws: Array, theta: Array, total: Array) -> Array:
        """Draw M given N and θ·M, shape (replicas, k).

        Args:
            noise: N, shape (replicas, n).
            draws: standard normals, shape (replicas, k).
            theta: values of the sources, shape (k,).
            total: θ·M, shape (replicas,).
        """
        found = times(noise, self.gain) + times(draws, self.factor)
        spread = self.factor.T @ theta
        variance = float(spread @ spread)
        sizes = np.linalg.norm(self.factor, axis=1) * np.abs(theta)
        if variance > ROUNDING * float(np.sum(sizes)) ** 2:
            missed = total - times(found, theta[None])[:, 0]
            found += missed[:, None] * (self.factor @ spread / variance)
        return found


class HoldFlow(NamedTuple):
    """Charges over a hold, for k sources and n coordinates.

    N and M are what noise adds to the state and to the charges.

    Attributes:
        duration: h.
        decay: e^{Fh}, shape (n, n).
        path: mean charges per deviation of the state from its rest, shape (k, n).
        state: covariance of N, shape (n, n).
        joint: covariance of M and N, shape (k, n).
        charge: covariance of M, shape (k, k).
        exact: law of M given N.
    """

    duration: float
    decay: Array
    path: Array
    state: Array
    joint: Array
    charge: Array
    exact: Given

    def given(self, rounding: Array) -> Given:
        """The law of M given N that is known to within ``rounding`` in each coordinate."""
        if (rounding <= RESOLVED * np.sqrt(self.state.diagonal())).all():
            return self.exact
        return _given(self.state + np.diag(rounding**2), self.joint, self.charge)


def _given(state: Array, joint: Array, charge: Array) -> Given:
    # In units in which the state and the charges have unit variances.
    widths = np.sqrt(state.diagonal())
    values, modes = np.linalg.eigh(state / np.outer(widths, widths))
    kept = values > ROUNDING * values[-1]
    parts = (joint / widths) @ modes[:, kept] / np.sqrt(values[kept])
    gain = (parts / np.sqrt(values[kept])) @ modes[:, kept].T / widths
    sizes = np.sqrt(charge.diagonal())
    unit = np.where(sizes > 0, sizes, 1.0)
    values, modes = np.linalg.eigh((charge - parts @ parts.T) / np.outer(unit, unit))
    return Given(gain, sizes[:, None] * modes * np.sqrt(np.where(values > ROUNDING, values, 0.0)))


def times(rows: Array, matrix: Array) -> Array:
    """Return ``rows @ matrix.T``, for many rows and a small matrix, without threads of BLAS."""
    return np.asarray(np.einsum("ri,ji->rj", rows, matrix))


class SourceFlows:
    """Charges of all sources at one stiffness and temperature, whatever the sources are."""

    def __init__(self, network: CompiledCircuit, controls: Controls) -> None:
        e = self._elements = ElementArrays(network)
        motion = self.motion = Motion(network, e, controls.arrays())
        self._emf_of, self._current_of = network.equation.emf_of, network.equation.current_of
        self._swept = e.conductance[:, None] * self._emf_of
        slope = motion.hessian @ (e.readings.T @ self._current_of) - motion.slopes.T @ self._swept
        self._slope = slope.T
        rates = 2 * motion.kT[e.account] * e.conductance
        read = self._emf_of if e.reading_noise is None else e.reading_noise.T @ self._current_of
        along = np.hstack([e.directions, read])
        white = np.hstack([e.noise_directions, np.zeros((len(e.noise_density), len(slope.T)))])
        noise = along.T @ (rates[:, None] * along) + white.T @ (e.noise_density[:, None] * white)
        n = e.dimension
        drift = np.zeros_like(noise)
        drift[:n, :n], drift[n:, :n] = e.flow @ motion.hessian, self._slope
        # Coordinates of order √kT, and charges that are as large.
        state = np.sqrt(motion.hessian.diagonal())
        sizes = np.linalg.norm(self._slope / state, axis=1)
        pace = np.linalg.norm(drift[:n, :n] * state[:, None] / state)
        charge = np.where(sizes > 0, pace / np.where(sizes > 0, sizes, 1.0), 1.0)
        self._scale = s = np.concatenate([state, charge])
        self._drift, self._noise = drift * s[:, None] / s, noise * np.outer(s, s)
        self._holds: dict[float, HoldFlow] = {}

    def over(self, duration: float) -> HoldFlow:
        """Charges over a hold; those of the last duration are kept."""
        if duration not in self._holds:
            self._holds = {duration: self._flow(duration)}
        return self._holds[duration]

    def _flow(self, duration: float) -> HoldFlow:
        n, s = self._elements.dimension, self._scale
        lag, moved = integrated(self._drift.T, self._noise[None], duration)
        lag, covariance = lag.T * s / s[:, None], moved[0] / np.outer(s, s)
        state, joint, charge = covariance[:n, :n], covariance[n:, :n], covariance[n:, n:]
        decay = self.motion.hold(duration, False, False).decay
        path, exact = self._slope @ lag[:n, :n], _given(state, joint, charge)
        return HoldFlow(duration, decay, path, state, joint, charge, exact)

    def rest(self, controls: Controls) -> tuple[Array, Array]:
        """State of rest, shape (n,), and the mean rate of the charges there, shape (k,)."""
        e, motion = self._elements, self.motion
        emf, current = controls.emf, controls.current
        rest, rate = motion.rest_of_force(controls.bias), np.zeros(len(self._slope))
        if emf.any() or current.any():
            push = e.directions.T @ (e.conductance * emf) + e.source_directions.T @ current
            moved = motion.displacement(push)
            rest, rate = rest + moved, self._slope @ moved + emf @ self._swept
            if e.reading_conductance is not None:
                rate = rate + (e.reading_conductance @ current) @ self._current_of
        return rest, rate
