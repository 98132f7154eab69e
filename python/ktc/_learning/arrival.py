"""Whether a run arrived at the model of greatest likelihood, and the remedy where it did not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ktc._base.lazy_imports import scipy
from ktc._base.validation import Array
from ktc._emulation.emulator import Emulator
from ktc._learning.averages import is_whole
from ktc._learning.metrics.exact_model import MOST_DENSE
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.model_likelihood import hidden_forces

if TYPE_CHECKING:
    from ktc._learning.fit import Fit

#: Log-likelihood below the maximum, nats per sample, that counts as arrived with any ensemble.
TOLERANCE = 1e-3
#: Probability that a model fitted to independent samples, as many as replicas, passes for less.
FALSE_ALARM = 1e-4
#: Replicas that measure the averages of a model of coupled quartic units.
REPLICAS = 4000


class Arrival(NamedTuple):
    """Where a run ended: ``nats`` below the maximum of the likelihood, ``noise`` of them explained.

    ``arrived`` is None where the maximum is not available; ``words`` say why not, and the remedy.
    """

    arrived: bool | None
    nats: float = math.nan
    noise: float = math.nan
    words: str = ""


def arrival_of(fit: Fit) -> Arrival:
    """Compare the final model with that of greatest likelihood.

    A model of p parameters fitted to N independent samples is χ²/2N nats
    per sample below the maximum, χ² of p degrees of freedom; feedback on N replicas leaves
    about as much. What is more than its quantile of probability 1e-4, and than 1e-3 nats, is not
    noise. Where the maximum is in closed form or by quadrature, the likelihood itself is compared;
    elsewhere ½ gᵀF⁻¹g/kT is, with the gradient g at the equilibrium of the final model.
    """
    if fit.imperfections is not None or fit.readings.applied_change is not None:
        return Arrival(None)  # The device compensates errors that its design does not show.
    samples = _samples(fit)
    try:
        found = _left(fit)
    except (ValueError, np.linalg.LinAlgError) as error:
        return Arrival(False, math.inf, 0.0, f"{error}")
    if found is None:
        return Arrival(None)
    nats, own = found
    explained = float(scipy.special.chdtri(fit.learned.size, FALSE_ALARM)) / 2
    noise = explained * (1 / samples + own)
    if nats <= noise + TOLERANCE:
        return Arrival(True, nats, noise)
    many = "" if math.isinf(samples) else f", of which noise explains {noise:.2g}"
    return Arrival(
        False, nats, noise,
        f"{nats:.2g} nats per sample below the greatest likelihood{many}; {_remedy(fit)}",
    )  # fmt: skip


def _samples(fit: Fit) -> float:
    """Independent samples whose noise an update shows: replicas, and the data of a batch."""
    if fit.readings.variances is not None:
        share = 0.0
    else:
        share = 1 / len(fit.readings.work)
        if fit.readings.positive is not None:
            share += 1 / len(fit.readings.positive[0])
    if fit.batch is not None:
        share += 1 / fit.batch - 1 / fit.samples
    return 1 / share if share else math.inf


def _left(fit: Fit) -> tuple[float, float] | None:
    """Nats per sample below the maximum, and a variance of their own; None where not available.

    ValueError where the likelihood has no maximum.
    """
    exact, learned, kT = fit._exact, fit.learned, fit.kT
    whole = exact.whole or is_whole(learned)
    if learned.size > MOST_DENSE and not (whole and exact.method == "closed form"):
        return None
    if exact.known and not len(fit.hidden):
        best = maximum_likelihood(exact, fit.data_forces)
        change = learned.vector(best) - fit.theta
        gain = exact.free_energy_change(fit.controls, best) - float(change @ fit.data_forces)
        return gain / kT, 0.0
    if len(fit.hidden):
        if not exact.known or exact.method != "closed form" or fit.scatter is None:
            return None
        goal = hidden_forces(fit.network, fit.start.scale, fit.hidden, learned, fit.data_mean,
                             fit.scatter)  # fmt: skip
        gradient = exact.forces(fit.controls) - goal
        return _gain(gradient, exact.geometry(fit.controls, 0.0).fisher, kT), 0.0
    state = Emulator(fit._model, REPLICAS, fit.seed).read()
    forces = learned.forces(state)
    spread = np.atleast_2d(np.cov(forces.T)) / kT
    return _gain(forces.mean(axis=0) - fit.data_forces, spread, kT), 1 / REPLICAS


def _gain(gradient: Array, fisher: Array, kT: float) -> float:
    """½ gᵀF⁻¹g/kT."""
    return 0.5 * float(gradient @ np.linalg.solve(fisher, gradient)) / kT


def _remedy(fit: Fit) -> str:
    """What to change, by what the records of the run show."""
    if fit.stopped_early:
        return "it stopped early: lower the rate, or take more ticks"
    updates, cut = len(fit.history.time), len(fit.history.backtracked)
    least = fit.schedule.name == "MinimalDissipation"
    better = ", or leave anticipate out" if least else ", or MinimalDissipation"
    if fit.schedule.transports:
        better = ""
    hold = fit.duration / (updates - 1)
    fastest = float(np.min(_times(fit)))
    if hold > fastest:
        many = math.ceil(fit.duration / fastest)
        return f"a tick is longer than a relaxation time of the model: take {many} ticks or more"
    if cut > 1:
        lower = "a longer duration" if least else "a lower rate, a longer duration"
        return f"{cut} of {updates} updates were cut back: take {lower}{better}"
    if fit.rule == "rate":
        return f"take a longer duration, another rate{better}"
    gaussian = fit.network.is_linear and not is_whole(fit.learned)
    whole = ", or learn all of bias and stiffness" if gaussian else ""
    return f"the replicas lag behind: take a longer duration{better or whole}"


def _times(fit: Fit) -> Array:
    """Relaxation times of start and model; of units alone where they are quartic."""
    found = [np.inf]
    for net in (fit.start.network, fit.network):
        if net.is_linear and net.has_friction and not net.is_sparse:
            found.extend(np.ravel(net.relaxation_times).tolist())
    return np.array(found)
