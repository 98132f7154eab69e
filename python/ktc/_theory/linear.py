"""Linear stochastic systems: transition over a hold, stationary covariance, noise spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc import _core
from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, positive, real_array, square, told
from ktc._model.description import Description, network_of
from ktc._model.network import Network

#: Frequencies above it would overflow when they are squared.
HIGHEST = 1e150


def linear_transition(drift: ArrayLike, diffusion: ArrayLike, hold: float) -> tuple[Array, Array]:
    """Transition of dz = A z dt + noise of covariance rate D over a hold h.

    Φ = e^{Ah} and Q = ∫₀ʰ e^{As} D e^{Aᵀs} ds. A may be any stable matrix, also non-normal or
    defective, and D may be singular. Short holds use a Taylor series, longer ones doubling of Φ and
    Q = P − Φ P Φᵀ, which is exact for any length.

    Args:
        drift: A, shape (n, n), every eigenvalue with a negative real part.
        diffusion: D, shape (n, n), symmetric positive semidefinite.
        hold: h, positive.

    Returns:
        Φ and Q, each of shape (n, n).

    Raises:
        ValueError: arguments that are not as above, or not finite.

    Example:
        >>> import ktc
        >>> transition, covariance = ktc.theory.linear_transition([[-1.0]], [[2.0]], 1.0)
        >>> round(float(transition[0, 0]), 6), round(float(covariance[0, 0]), 6)
        (0.367879, 0.864665)

    Source: Van Loan (1978), IEEE Trans. Autom. Control 23, 395.
    """
    return _core.linear_transition(*_linear_system(drift, diffusion), positive("hold", hold))


def stationary_covariance(drift: ArrayLike, diffusion: ArrayLike) -> Array:
    """Stationary covariance P of dz = A z dt + noise of covariance rate D: A P + P Aᵀ + D = 0.

    Args:
        drift, diffusion: as for ``theory.linear_transition``.

    Raises:
        ValueError: as for ``theory.linear_transition``.

    Example:
        >>> import ktc
        >>> drift, diffusion = [[-2.0, -1.5], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]
        >>> ktc.theory.stationary_covariance(drift, diffusion).diagonal()
        array([0.4375, 0.5   ])

    Source: Bartels, Stewart (1972), Commun. ACM 15, 820.
    """
    return _core.stationary_covariance(*_linear_system(drift, diffusion))


def _linear_system(drift: ArrayLike, diffusion: ArrayLike) -> tuple[Array, Array]:
    matrix = np.atleast_2d(real_array("drift", drift))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"drift must be a square matrix, but has shape {matrix.shape}")
    noise = square("diffusion", diffusion, len(matrix))
    if not np.allclose(noise, noise.T, rtol=1e-12, atol=0):
        raise ValueError("diffusion must be symmetric; pass (diffusion + diffusion.T)/2")
    least = float(np.linalg.eigvalsh(noise)[0])
    if least < -1e-12 * float(np.abs(noise).max()):
        raise ValueError(f"diffusion must be positive semidefinite, but has eigenvalue {least:.6g}")
    return matrix, noise


def spectral_density(device: Description, frequency: ArrayLike) -> Array:
    """One-sided cross-spectral density of the public state, shape (frequencies, d, d), complex.

    S(f) = 2 (2πif − A)⁻¹ D (2πif − A)⁻ᴴ, with the drift A and the covariance rate D of the noise,
    after the low-pass filters of noise generators that have one. The integral of its real part over
    positive frequencies is the stationary covariance. The unit is V²/Hz on a Board, and
    state²·time on a Network.

    Args:
        device: a Network, a Board or a compiled circuit without nonlinear units.
        frequency: f, non-negative, scalar or shape (frequencies,).

    Raises:
        ValueError: nonlinear units, a frequency that is negative or not finite.
        TypeError: a running emulator, because its controls may differ from those of its network.

    Example:
        >>> import ktc
        >>> board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
        >>> density = float(ktc.spectra.spectral_density(board, 0.0)[0, 0, 0].real)
        >>> round(density / (4 * 1.380649e-23 * 300 * 1e6), 9)  # Johnson noise: 4 k_B T R
        1.0

    Source: Johnson (1928), Phys. Rev. 32, 97; Gardiner, Stochastic Methods (2009), section 4.5.
    """
    net = network_of(device)
    if not net.is_linear:
        raise ValueError(
            "device must not have quartic units or potentials, whose spectrum has no closed form; "
            "record the state of an Emulator instead"
        )
    frequencies = np.atleast_1d(real_array("frequency", frequency))
    if frequencies.ndim != 1 or not ((frequencies >= 0) & (frequencies <= HIGHEST)).all():
        raise ValueError(
            f"frequency must be a non-negative scalar or 1-D array up to {HIGHEST:g}, but is "
            f"{told(frequency)}"
        )
    drift, curvatures = net.drift, np.diagonal(net.stiffness)
    if net.inertia is not None:
        curvatures = np.concatenate([curvatures, 1 / net.inertia])
    # Coordinates in farads and in henries are scaled to equal size.
    scale = np.sqrt(curvatures)
    scaled = drift * scale[:, None] / scale
    rates, columns, filters = _noise(net)
    response = np.linalg.inv(
        2j * np.pi * frequencies[:, None, None] * np.eye(len(drift)) - scaled
    ) @ (columns * scale[:, None])
    passed = 1 / (1 + (frequencies[:, None] / filters) ** 2)
    weighted = response * (2 * rates * passed)[:, None, :]
    density = weighted @ np.conj(np.swapaxes(response, 1, 2)) / np.outer(scale, scale)
    d = net.units
    return np.asarray(density[:, :d, :d] * np.outer(device.scale, device.scale))


def band_covariance(device: Description, low: float, high: float) -> Array:
    """Covariance of the public state in the frequency band from ``low`` to ``high``, shape (d, d).

    ∫ Re S(f) df over the band, by Gauss–Kronrod quadrature in ln f to a relative error of 1e-9.

    Args:
        device: as for ``spectra.spectral_density``.
        low, high: edges of the band, 0 < low < high.

    Raises:
        ValueError: edges out of order, and as for ``spectra.spectral_density``.
        TypeError: a running emulator.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> float(ktc.spectra.band_covariance(net, 1e-7, 1e7)[0, 0].round(5))  # kT/k
        1.0

    Source: Gardiner, Stochastic Methods (2009), section 4.5.
    """
    positive("low", low)
    if not positive("high", high) > low:
        raise ValueError(f"high must be above low = {low:g}, but is {high:g}")
    if high > HIGHEST:
        raise ValueError(f"high must be at most {HIGHEST:g}, but is {high:g}")

    def integrand(logarithm: float) -> Array:
        frequency = float(np.exp(logarithm))
        return np.asarray(spectral_density(device, frequency)[0].real * frequency)

    total = scipy.integrate.quad_vec(
        integrand, np.log(low), np.log(high), epsabs=0.0, epsrel=1e-9, norm="max", limit=1000
    )[0]
    return np.asarray(0.5 * (total + total.T))


def _noise(net: Network) -> tuple[Array, Array, Array]:
    """Covariance rates, directions as columns, and filter bandwidths of the independent noises."""
    elements, kT = net.core.elements, net.controls.arrays()["kT"]
    rates = 2 * kT[elements.account] * elements.conductance
    with np.errstate(divide="ignore"):
        bandwidths = np.where(elements.noise_rate > 0, elements.noise_rate / (2 * np.pi), np.inf)
    return (
        np.concatenate([rates, elements.noise_density]),
        np.concatenate([elements.directions, elements.noise_directions]).T,
        np.concatenate([np.full(len(rates), np.inf), bandwidths]),
    )
