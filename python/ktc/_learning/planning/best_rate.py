"""Tuning: the best rate of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.estimate import Estimate
from ktc._base.files import Storable
from ktc._base.lazy_imports import scipy
from ktc._base.validation import (
    Array,
    count,
    is_infinity,
    of_shape,
    positive,
    random_seed,
    real_array,
    require_positive,
    tick_count,
)
from ktc._learning.center import learnable
from ktc._learning.checks import hidden_units, parameter_names
from ktc._learning.data import as_samples
from ktc._learning.learn import learn
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.settings import Metrics
from ktc._learning.schedule import Schedule
from ktc._model.controls import Controls
from ktc._model.description import Described, Description, network_of
from ktc._model.directions import directions_among, with_directions
from ktc._model.imperfections import LimitError
from ktc._theory.geometry import Geometry
from ktc._theory.metrics import fisher_matrix, friction_tensor

#: Largest number of times the search extends its bracket, each time twice as far, where the best
#: rate lies at an end.
WIDENINGS = 8

# Cost of a diverged run; it grows with the rate, so that the search turns back.
_DIVERGED = 1e6

Schedules = Callable[[float], Schedule]
Target = Controls | Mapping[str, ArrayLike] | None
# Logarithm of the largest rate ever tried, near that of the largest double.
_FARTHEST = 700.0


@dataclass(frozen=True)
class Tuned(Storable):
    """Outcome of a search for the best rate.

    Attributes:
        rate, schedule: the best rate found, and the schedule with it.
        completed_excess_work: its cost in the search, by a small ensemble; run it again with more
            replicas for an unbiased value.
        rates, costs: all rates that were tried, ascending, and their completed excess work,
            infinite where the controls diverged, shape (runs,) each.
    """

    rate: float
    schedule: Schedule
    completed_excess_work: Estimate
    rates: Array = field(repr=False)
    costs: Array = field(repr=False)

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        of_shape("costs", self.costs, len(self.rates))
        require_positive("rates", self.rates)


register(Tuned)


def best_rate(
    device: Description,
    data: ArrayLike,
    schedule: Schedules,
    *,
    parameters: Sequence[str] = ("bias",),
    replicas: float = 100,
    ticks: int = 100,
    seed: int | None = 0,
    threads: int | None = None,
    bracket: tuple[float, float] | None = None,
    tolerance: float = 0.1,
    mask: ArrayLike | Mapping[str, ArrayLike] | None = None,
    hidden: Sequence[int] | int = (),
    metrics: Metrics | None = None,
    target: Target = None,
) -> Tuned:
    """The rate at which a schedule reaches the maximum-likelihood parameters at the least cost.

    Minimises ``completed_excess_work`` over the logarithm of the rate, each value a small run of
    ``ktc.learn``, all with the same noise, so that their differences are not noise. Near the best
    rate the cost is flat: a tolerance of ten per cent, and an ensemble whose fluctuations add one
    to three kT/replicas per mode, change it little. The cost of controls that diverge is infinite.

    Args:
        device: a Network or a Board, not a running emulator: every run starts afresh.
        data, parameters, threads, mask, hidden, metrics: as for ``learn``.
        schedule: makes a schedule of a rate, for example ``lambda rate: Constant(2.0, rate)``;
            any schedule with one positive number to choose.
        replicas: number of replicas of each run; ``math.inf`` for exact costs of Gaussian networks.
        ticks: number of holds of each run.
        seed: seed of all runs; None draws one.
        bracket: two rates between which to start; by default those at which the fastest mode
            learns a tenth of its distance, and the slowest ten times its distance. The search
            extends it where the best rate lies at an end.
        tolerance: relative accuracy of the rate, below 1.
        target: controls, or controls by name, to which every run is completed in place of the
            maximum-likelihood parameters; needed where these have neither a closed form nor a
            quadrature: with hidden units, and coupled quartic ones. Controls that a long, slow run
            reached will do. The cost does not include the clamped phase of hidden units.

    Raises:
        ValueError, TypeError: as ``learn``; a bracket that is not two ascending positive numbers;
            controls that diverge at every rate; a schedule whose cost does not depend on the rate;
            no target where one is needed.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> best = ktc.best_rate(net, 5.0, lambda rate: ktc.schedules.Constant(1.0, rate))
        >>> bool(best.completed_excess_work.mean > ktc.theory.least_excess_work(net, 5.0, 1.0))
        True

    Source: Brent (1973), Algorithms for Minimization without Derivatives, ch. 5.
    """
    network, numbers = network_of(device), hidden_units(hidden)
    samples = as_samples(data, network.units - len(numbers))
    kinds = parameter_names(parameters, device)
    device = with_directions(device) if directions_among(device, kinds) else device
    start = Described(device.network, device.scale, device.symbols)
    exact = ExactModel(start, learnable(start, kinds, mask))
    many = replicas if is_infinity(replicas) else count("replicas", replicas)
    options = {
        "parameters": kinds, "replicas": many, "ticks": tick_count(ticks),
        "seed": random_seed(seed), "threads": threads, "mask": mask, "metrics": metrics,
        "hidden": numbers.tolist(),
    }  # fmt: skip
    if target is None:
        _refuse_unknown(exact, len(numbers))
    elif exact.whole and not len(numbers) and metrics is None:
        raise ValueError(
            "target must be left out for the bias of a Gaussian network, whose maximum-likelihood "
            "parameters are available"
        )
    if not positive("tolerance", tolerance) < 1:
        raise ValueError(f"tolerance must be below 1, but is {tolerance}")
    low, high = np.log(_bracket(exact, schedule, bracket))
    tried: dict[float, Estimate | None] = {}

    def cost(exponent: float) -> float:
        rate = float(np.exp(exponent))
        tried[rate] = _completed(device, samples, schedule(rate), options, target)
        if (found := tried[rate]) is None:
            return _DIVERGED + exponent
        # Costs span hundreds of decades next to a blow-up, and only their order matters.
        return float(np.arcsinh(found.mean / device.network.kT))

    _minimise(cost, low, high, tolerance)
    return _best(schedule, tried)


def _minimise(cost: Callable[[float], float], low: float, high: float, tolerance: float) -> None:
    """Minimise over a bracket that moves on where the least cost lies at an end."""
    for _ in range(WIDENINGS):
        result = scipy.optimize.minimize_scalar(
            cost, bounds=(low, high), method="bounded", options={"xatol": tolerance / 2}
        )
        width = 2 * (high - low)
        if result.fun >= _DIVERGED + low or result.x < low + tolerance:
            low, high = max(low - width, -_FARTHEST), low + 2 * tolerance
        elif result.x > high - tolerance:
            low, high = high - 2 * tolerance, min(high + width, _FARTHEST)
        else:
            return


def _best(schedule: Schedules, tried: Mapping[float, Estimate | None]) -> Tuned:
    """The best of the rates that were tried, None where the controls diverged."""
    known = {rate: value for rate, value in tried.items() if value is not None}
    if not known:
        raise ValueError(
            f"the controls diverged at every rate from {min(tried):.3g} to {max(tried):.3g}; "
            "take more ticks, or a bracket of smaller rates"
        )
    if len({value.mean for value in known.values()}) == 1 < len(known):
        raise ValueError(
            f"schedule must depend on the rate, but costs are the same from {min(known):.3g} to "
            f"{max(known):.3g}; give one with a rate to choose, and data that are not yet learned"
        )
    rate = min(known, key=lambda one: known[one].mean)
    rates = sorted(tried)
    costs = [np.inf if (value := tried[one]) is None else value.mean for one in rates]
    return Tuned(rate, schedule(rate), known[rate], np.array(rates), np.array(costs))


def _completed(
    device: Description, samples: Array, schedule: Schedule, options: dict[str, Any], target: Target
) -> Estimate | None:
    """Completed excess work of one run, or None where it diverges."""
    with np.errstate(over="ignore", invalid="ignore"), suppress(OverflowError, LimitError):
        fit = learn(device, samples, schedule, **options)
        if fit.interrupted:
            raise KeyboardInterrupt
        if fit.stopped_early is None:
            found = fit.completed_excess_work if target is None else fit.completed(target)
            return found if np.isfinite(found.mean) else None
    return None


def _refuse_unknown(exact: ExactModel, hidden: int) -> None:
    """Refuse before anything runs what every run would refuse at its end."""
    if hidden:
        raise ValueError(
            f"target must be given with {hidden} hidden units, because the likelihood of such a "
            "model has no single maximum: give the controls that runs are completed to"
        )
    if not exact.known and not exact.start.network.is_sparse:
        raise ValueError(
            "target must be given of coupled quartic units, whose maximum-likelihood parameters "
            "have no closed form and no quadrature: give the controls that runs are completed to"
        )


def _bracket(exact: ExactModel, schedule: Schedules, bracket: tuple[float, float] | None) -> Array:
    """Two ascending rates: the given ones, or a guess by how far one unit of rate learns a mode."""
    if bracket is not None:
        pair = real_array("bracket", bracket)
        if pair.shape != (2,) or not 0 < pair[0] < pair[1]:
            raise ValueError(f"bracket must be two ascending positive rates, but is {bracket!r}")
        return pair
    trial = schedule(1.0)
    if not isinstance(trial, Schedule):
        raise TypeError(
            "schedule must make one of ktc.schedules of a rate, but made "
            f"{type(trial).__name__} {trial!r}"
        )
    times = trial.duration * (np.arange(16) + 0.5) / 16
    device, learned = exact.start, exact.parameters
    try:
        if exact.whole:
            geometry = Geometry.of(device, learned.names[0])
        else:
            fisher, friction = fisher_matrix(device, learned), friction_tensor(device, learned)
            geometry = Geometry.of_matrices(fisher, friction, learned.blocks)
        rates = [trial.rate(t, geometry) for t in times]
    except ValueError as error:
        raise ValueError(f"{error}; so no bracket can be guessed: give one") from None
    gains = np.linalg.eigvals(trial.duration * np.mean(rates, axis=0) @ geometry.fisher).real
    gains = gains[gains > 0]
    if len(gains) == 0:
        raise ValueError(f"{trial!r} learns nothing, so no bracket can be guessed: give one")
    with np.errstate(over="ignore"):
        guess = np.array([0.1 / gains.max(), 10 / gains.min()])
    if not np.isfinite(guess).all():
        raise ValueError(
            f"the rates that {trial!r} could have lie beyond the range of doubles; "
            "take a longer duration, or other units"
        )
    return guess
