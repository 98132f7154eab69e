"""A maximum of the likelihood of a Gaussian model with hidden units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array
from ktc._learning.confinement import confined
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.model_likelihood import Marginal, hidden_forces
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._theory.metrics import fisher_matrix

MOST_STEPS = 3000
#: The search ends where ½ gᵀF⁻¹g, in kT, is below this.
ARRIVED = 1e-8


def hidden_maximum(
    exact: ExactModel, hidden: NDArray[np.intp], mean: Array, scatter: Array
) -> Controls:
    """The maximum to which natural gradient ascent leads from the start, in closed form.

    ``mean`` and ``scatter`` (divided by n) are those of the data in the public state. The gradient
    is the average of ∂_θH under the model less that with clamped visible units; the step F⁻¹g is
    that of expectation maximisation to first order, lengthened while the likelihood rises.

    Raises:
        ValueError: the ascent does not end at a confined model.

    Source: Dempster, Laird, Rubin (1977), J. R. Stat. Soc. B 39, 1; over-relaxed: Salakhutdinov,
    Roweis (2003), ICML.
    """
    learned, net, scale = exact.parameters, exact.start.network, exact.start.scale
    seen = np.setdiff1d(np.arange(net.units), hidden)
    moments = mean / scale[seen], scatter / np.outer(scale[seen], scale[seen])

    def energy(controls: Controls) -> float:
        """Mean energy of the data's marginal model; F less it is kT times the log-likelihood."""
        return Marginal.of(net.with_controls(controls), hidden).mean_energy(*moments)

    controls, pace, own = net.controls, 1.0, energy(net.controls)
    for _ in range(MOST_STEPS):
        theta = learned.vector(controls)
        clamped = hidden_forces(net.with_controls(controls), scale, hidden, learned, mean, scatter)
        gradient = exact.forces(controls) - clamped
        model = Described(net.with_controls(controls), scale, exact.start.symbols)
        change = np.asarray(np.linalg.solve(fisher_matrix(model, learned), gradient), np.float64)
        if 0.5 * float(gradient @ change) < ARRIVED * net.common_kT:
            return controls
        share, after = confined(learned, controls, theta, pace * change)
        moved = energy(after)
        gained = exact.free_energy_change(controls, after) - (moved - own)
        if share == 1 and gained > 0:
            controls, own, pace = after, moved, 1.2 * pace
        elif pace < 1e-6:
            break
        else:
            pace = min(1.0, 0.5 * pace)
    raise ValueError("the likelihood of this model with hidden units has no maximum nearby")
