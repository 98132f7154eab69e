"""Equilibrium of Gaussian networks: moments, free energy of the bias, likelihood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array, choice, real_array, refusing_overflow, told
from ktc._model.description import Description
from ktc._model.network import Network
from ktc._theory.free_energies import at_equilibrium

PARAMETERS = ("bias", "center")


def gaussian(device: Description) -> Network:
    """Return the ``ktc.Network`` of a device that relaxes to a normal distribution exp(−H/kT)/Z.

    Args:
        device: a Network or a Board.

    Raises:
        ValueError: nonlinear units, several temperatures, sources or noise generators.

    Example:
        >>> import ktc
        >>> ktc.theory.gaussian(ktc.Network(stiffness=2.0, friction=1.0)).units
        1
    """
    net = at_equilibrium(device)
    if not net.is_linear:
        kind, values = "quartic units", f"quartic is {net.quartic}"
        if not net.quartic.any():
            kind, values = "units with potentials", f"potentials are {told(net.potentials)}"
        raise ValueError(
            f"device must be Gaussian, because {kind} have no such closed form, but {values}; "
            "sample an Emulator instead"
        )
    return net


class Gaussian(NamedTuple):
    """Normal distribution of the public state.

    Attributes:
        mean: shape (d,).
        covariance: shape (d, d).
    """

    mean: Array
    covariance: Array


def equilibrium(device: Description) -> Gaussian:
    """Mean K⁻¹b and covariance kT K⁻¹ of exp(−H/kT)/Z, in the public state (volts on a Board).

    Args:
        device: a Gaussian Network or Board, at its own controls.

    Raises:
        ValueError: nonlinear units, several temperatures, sources or noise generators.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=2.0, friction=1.0, bias=4.0)
        >>> mean, covariance = ktc.theory.equilibrium(net)
        >>> float(mean[0]), round(float(covariance[0, 0]), 6)
        (2.0, 0.5)

    Source: Landau, Lifshitz (1980), Statistical Physics, part 1, section 111.
    """
    net, scale = gaussian(device), device.scale
    mean, covariance = np.linalg.solve(net.stiffness, net.bias), inverse(net.stiffness)
    return Gaussian(scale * mean, net.common_kT * covariance * np.outer(scale, scale))


@refusing_overflow("bias")
def bias_free_energy(device: Description, bias: ArrayLike) -> Array:
    """The part of the free energy that depends on the bias, −½ bᵀK⁻¹b, shape (n,).

    Args:
        device: a Gaussian Network or Board.
        bias: n biases, shape (n, d), volts on a Board.

    Raises:
        ValueError: biases of another width, and as for ``equilibrium``.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=2.0, friction=1.0)
        >>> ktc.theory.bias_free_energy(net, [[0.0], [2.0]])
        array([-0., -1.])
    """
    net = gaussian(device)
    many = np.atleast_2d(real_array("bias", bias))
    if many.shape[1] != net.units:
        raise ValueError(
            f"bias must have {net.units} columns, one per unit, but has {many.shape[1]}"
        )
    return np.asarray(-0.5 * np.sum(many.T * np.linalg.solve(net.stiffness, many.T), axis=0))


@refusing_overflow("data")
def log_likelihood(device: Description, data: ArrayLike) -> float:
    """Mean of ln p(x) over samples of the public state, in nats per sample, p = exp(−H/kT)/Z.

    Args:
        device: a Gaussian Network or Board.
        data: samples, shape (samples, d), volts on a Board.

    Raises:
        ValueError: data of another width or without samples, and as for ``equilibrium``.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> round(ktc.theory.log_likelihood(net, [[0.0]]), 6)
        -0.918939
    """
    model = equilibrium(device)
    samples = np.atleast_2d(real_array("data", data))
    if samples.ndim != 2 or samples.shape[1] != len(model.mean) or len(samples) == 0:
        raise ValueError(
            f"data must have shape (samples, {len(model.mean)}), one column per unit, and at least "
            f"one sample, but has shape {samples.shape}"
        )
    deviations = samples - model.mean
    factor = scipy.linalg.cho_factor(model.covariance, lower=True)
    squares = np.sum(deviations.T * scipy.linalg.cho_solve(factor, deviations.T), axis=0)
    log_det = 2 * np.sum(np.log(np.diag(factor[0])))
    return float(-0.5 * (np.mean(squares) + log_det + len(model.mean) * np.log(2 * np.pi)))


def parameter_map(device: Description, parameter: str) -> Array:
    """The matrix B with b = B θ, shape (d, d): identity for "bias", K/scale for "center".

    Args:
        device: a Gaussian Network or Board.
        parameter: "bias", or "center" for the mean of the public state.

    Raises:
        ValueError: another parameter, and as for ``equilibrium``.

    Example:
        >>> import ktc
        >>> ktc.theory.parameter_map(ktc.Network(stiffness=2.0, friction=1.0), "center")
        array([[2.]])
    """
    net = gaussian(device)
    if choice("parameter", parameter, PARAMETERS) == "bias":
        return np.eye(net.units)
    return net.stiffness / device.scale


def inverse(matrix: Array) -> Array:
    """Invert a symmetric positive definite matrix; the result is exactly symmetric."""
    factor = scipy.linalg.cho_factor(matrix, lower=True)
    return symmetrized(scipy.linalg.cho_solve(factor, np.eye(len(matrix))))


def symmetrized(matrix: Array) -> Array:
    """Return the symmetric part of a matrix."""
    return 0.5 * (matrix + matrix.T)


def square_root(matrix: Array) -> Array:
    """Return the symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return symmetrized((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def bures(first: Array, last: Array) -> float:
    """Return tr(P + P′) − 2 tr (S P′ S)^½ of two covariances, P = S²."""
    inner = square_root(first)
    overlap = np.linalg.eigvalsh(symmetrized(inner @ last @ inner))
    spread = np.trace(first + last) - 2 * np.sum(np.sqrt(np.maximum(overlap, 0)))
    return max(0.0, float(spread))
