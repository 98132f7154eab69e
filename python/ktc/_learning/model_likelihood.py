"""Likelihood of a learned model: exact, by quadrature, or with an estimated free energy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.estimate import Estimate
from ktc._base.validation import Array
from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning.data import as_samples
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._model.potential_unit import unit_of
from ktc._model.potentials.potential import Potential
from ktc._theory.free_energies import nonlinear
from ktc._theory.gaussian import inverse, log_likelihood, symmetrized


class Marginal(NamedTuple):
    """The energy of the visible units once Gaussian hidden ones are integrated out.

    H(v) = ½ vᵀK′v − b′ᵀv + ¼ Σ κ v⁴ + offset, with K′ = K_vv − K_vh K_hh⁻¹ K_hv,
    b′ = b_v − K_vh K_hh⁻¹ b_h, and offset = −½ b_hᵀK_hh⁻¹b_h + ½ kT ln det (K_hh/2πkT).
    """

    stiffness: Array
    bias: Array
    quartic: Array
    offset: float
    potentials: tuple[Potential | None, ...]

    @classmethod
    def of(cls, network: Network, hidden: NDArray[np.intp]) -> Marginal:
        """Integrate over the hidden units; ValueError where one of them is quartic."""
        if nonlinear(network)[hidden].any():
            raise ValueError(
                "the likelihood of hidden units with quartic terms or potentials has no closed "
                "form: the data do not tell their states; take Gaussian hidden units, or compare "
                "excess works"
            )
        seen = np.setdiff1d(np.arange(network.units), hidden)
        stiffness, bias = network.stiffness, network.bias
        own, cross = stiffness[np.ix_(hidden, hidden)], stiffness[np.ix_(seen, hidden)]
        flexible = inverse(own) if len(hidden) else own
        reach = cross @ flexible
        kT = network.common_kT
        log_det = np.linalg.slogdet(own / (2 * np.pi * kT))[1] if len(hidden) else 0.0
        return cls(
            symmetrized(stiffness[np.ix_(seen, seen)] - reach @ cross.T),
            bias[seen] - reach @ bias[hidden],
            network.quartic[seen],
            float(-0.5 * bias[hidden] @ flexible @ bias[hidden] + 0.5 * kT * log_det),
            tuple(network.potentials[unit] for unit in seen.tolist()),
        )

    def mean_energy(self, mean: Array, covariance: Array) -> float:
        """⟨H(v)⟩ over data of this mean and covariance; of a marginal without quartic terms."""
        second = covariance + np.outer(mean, mean)
        return float(0.5 * np.sum(self.stiffness * second) - self.bias @ mean) + self.offset

    def network(self, kT: float) -> Network:
        """The visible units as a network of their own."""
        own = self.stiffness, 1.0, kT, self.bias, self.quartic
        return Network(*own, potential=self.potentials)


def hidden_forces(
    network: Network,
    scale: Array,
    hidden: NDArray[np.intp],
    parameters: Parameters,
    mean: Array,
    scatter: Array,
) -> Array:
    """⟨∂_θH⟩ with visible units of this mean and covariance and Gaussian hidden units, (p,)."""
    seen = np.setdiff1d(np.arange(network.units), hidden)
    stiffness = network.stiffness
    own = inverse(stiffness[np.ix_(hidden, hidden)])
    # ⟨h⟩ = K_hh⁻¹ (b_h − K_hv v)
    reach = -own @ stiffness[np.ix_(hidden, seen)]
    whole, spread = np.empty(network.units), np.empty((network.units, network.units))
    inner, outer = mean / scale[seen], scatter / np.outer(scale[seen], scale[seen])
    whole[seen], whole[hidden] = inner, own @ network.bias[hidden] + reach @ inner
    spread[np.ix_(seen, seen)] = outer
    spread[np.ix_(hidden, seen)] = reach @ outer
    spread[np.ix_(seen, hidden)] = outer @ reach.T
    spread[np.ix_(hidden, hidden)] = network.common_kT * own + reach @ outer @ reach.T
    return parameters.mean_forces(whole * scale, spread * np.outer(scale, scale))


def score(
    model: Described, hidden: NDArray[np.intp], data: ArrayLike, seed: int | None
) -> Estimate:
    """Mean of ln p(v) over samples of the public state of the visible units; see ``Fit.score``."""
    marginal = Marginal.of(model.network, hidden)
    seen = np.setdiff1d(np.arange(model.network.units), hidden)
    scale, kT = model.scale[seen], model.network.common_kT
    samples = as_samples(data, len(seen)) / scale
    network = marginal.network(kT)
    shift = -float(np.sum(np.log(scale)))
    if network.is_linear:
        return Estimate.exact(log_likelihood(network, samples) + shift)
    energy = np.mean(
        0.5 * np.sum((samples @ network.stiffness) * samples, axis=1)
        - samples @ network.bias
        + 0.25 * samples**4 @ network.quartic
        + network.controls.on_site.energy(network.controls.potential, samples)
    )
    return (_free_energy(network, seed) - float(energy)) / kT + shift


def _free_energy(network: Network, seed: int | None) -> Estimate:
    """−kT ln Z, by quadrature of the uncoupled units, and an estimate of what couplings add."""
    alone = network.with_controls(stiffness=np.diag(np.diagonal(network.stiffness)))
    units = [unit_of(alone, unit) for unit in range(network.units)]
    kT = network.common_kT
    own = -kT * sum(unit.log_partition + float(np.log(unit.length)) for unit in units)
    if not np.triu(network.stiffness, 1).any():
        return Estimate.exact(own, method="quadrature")
    return free_energy_difference(alone, network, seed=seed) + own
