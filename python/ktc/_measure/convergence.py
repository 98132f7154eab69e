"""Time-step convergence study of an observable."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.estimate import Estimate
from ktc._base.files import Storable
from ktc._base.validation import (
    Array,
    count,
    of_shape,
    positive,
    random_seed,
    real_array,
    require_positive,
)
from ktc._emulation.emulator import Emulator
from ktc._engines.step_size import default_step
from ktc._measure.convergence_figure import draw_convergence
from ktc._measure.extrapolation import extrapolate
from ktc._model.description import Description, network_of
from ktc._model.protocol import Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Time steps of a study, in units of the default one.
STEPS = (8.0, 4.0, 2.0, 1.0)


class Convergence(Storable):
    """Estimates of an observable at several time steps, and their limit dt → 0.

    The fit is ⟨A⟩ + c dt² + …, where terms of higher order are expected to be small and are part
    of the error bar.

    Attributes:
        steps: dt of each estimate, descending, shape (n,).
        estimates: independent means over the replicas, one per step.
        extrapolated: ⟨A⟩ at dt → 0; its standard error includes the remainder.
        remainder: the part of that standard error that is due to terms beyond c dt².
        coefficient: c, the leading bias over the square of the step.
        terms: of dt², dt⁴, … at the longest step.
        fit: p-value of the fit (χ² with n − 2 degrees of freedom), 1 for two steps. Below 1e-3 the
            longest steps are too long to extrapolate.
    """

    def __init__(self, steps: Array, estimates: tuple[Estimate, ...]) -> None:
        self.steps, self.estimates = steps, estimates
        means, errors = np.array([(one.mean, one.stderr) for one in estimates]).T
        limit = extrapolate(steps, means, errors)
        unit, method = estimates[0].unit, "extrapolation in dt²"
        self.extrapolated = Estimate(limit.limit, limit.stderr, unit=unit, method=method)
        square = steps[0] ** 2
        self.coefficient = Estimate(
            limit.terms[0] / square, limit.first_stderr / square, method=method
        )
        self.remainder, self.terms, self.fit = limit.remainder, limit.terms, limit.fit

    def bias(self, dt: float) -> Estimate:
        """Leading bias c dt² of the observable at a time step dt."""
        found = self.coefficient * positive("dt", dt) ** 2
        found.unit = self.extrapolated.unit
        return found

    def plot(self, figsize: tuple[float, float] | None = None) -> Figure:
        """Draw the estimates over the square of the step, with their fit; figsize is in inches."""
        return draw_convergence(self, figsize)

    def __repr__(self) -> str:
        last = f"dt = {self.steps[-1]:.3g} {self.bias(self.steps[-1])}"
        return f"<ktc.Convergence: {self.extrapolated} at dt → 0, bias at {last}>"


def _restored(steps: Array, estimates: tuple[Estimate, ...]) -> Convergence:
    of_shape("steps", steps, max(2, len(estimates)))
    return Convergence(require_positive("steps", steps), estimates)


register(Convergence, ("steps", "estimates"), _restored)


def convergence(
    network: Description,
    observable: Callable[[Emulator], ArrayLike],
    duration: float | Protocol,
    *,
    dts: ArrayLike | None = None,
    replicas: int = 10_000,
    seed: int | None = None,
    threads: int | None = None,
    state: ArrayLike | None = None,
    resolve_heat: bool | None = None,
) -> Convergence:
    """Time-step convergence study of an observable, a ``ktc.Convergence``.

    Run independent emulators at several time steps from equilibrium (or ``state``), and
    extrapolate ⟨A⟩ + c dt² + … to dt → 0: the bias of averages is second order in the step.

    Args:
        network: the Network or Circuit to emulate.
        observable: function of the Emulator after the run that returns one number per replica,
            shape (replicas,).
        duration: of the run, or a Protocol to play.
        dts: the time steps, shape (n,); by default 8, 4, 2 and 1 times that of an Emulator.
        replicas: of each emulator.
        seed: of the first emulator; the others take the following seeds.
        threads, state: as for ``ktc.Emulator``.
        resolve_heat: True for the splitting integrator; by default only for networks that move
            exactly otherwise, without time steps.

    Raises:
        ValueError: steps that are too long or equal, an observable of another shape, and as for
            ``ktc.Emulator``.
        TypeError: an observable that is no function.

    Example:
        >>> import ktc
        >>> well = ktc.Network(stiffness=-1.0, friction=1.0, kT=0.5, quartic=1.0)
        >>> study = ktc.convergence(well, lambda e: e.read()[:, 0] ** 2, duration=2.0, seed=1)
        >>> bool(abs(study.bias(study.steps[-1]).mean) < 0.01 * study.extrapolated.mean)
        True

    Source: Leimkuhler, Matthews (2015), Molecular Dynamics, ch. 7; Oates et al. (2024),
    Probabilistic Richardson Extrapolation, J. R. Stat. Soc. B.
    """
    if not callable(observable):
        raise TypeError(f"observable must be a function, but is {type(observable).__name__}")
    physics = network_of(network, "network")
    if dts is None:
        dts = default_step(physics, [physics.controls]) * np.array(STEPS)
    given = np.atleast_1d(real_array("dts", dts)).ravel()
    steps = np.sort(require_positive("dts", given))[::-1]
    if not isinstance(duration, Protocol):
        # A hold is divided into equal steps, no longer than requested.
        time = positive("duration", duration)
        with np.errstate(over="ignore"):
            number_of_steps = np.ceil(time / steps * (1 - 1e-12))
        if number_of_steps.max() > 2**53:
            raise ValueError(
                f"dts must be larger for a duration of {time:g}, but has {steps.min():g}"
            )
        steps = time / number_of_steps
    if len(steps) < 2 or len(np.unique(steps)) < len(steps):
        raise ValueError(
            f"dts must be at least two steps that divide the duration differently, but are {dts}"
        )
    if resolve_heat is None:
        resolve_heat = physics.moves_exactly
    first_seed, number = random_seed(seed), count("replicas", replicas, least=2)
    estimates = []
    for k, dt in enumerate(steps):
        with warnings.catch_warnings():
            # The bias of large steps is what is measured.
            warnings.filterwarnings("ignore", "dt = ", RuntimeWarning)
            emulator = Emulator(
                network, number, (first_seed + k) % 2**64, threads, dt=float(dt),
                resolve_heat=resolve_heat, state=state,
            )  # fmt: skip
            if isinstance(duration, Protocol):
                emulator.play(duration)
            else:
                emulator.run(duration)
        values = real_array("observable", observable(emulator))
        if values.shape != (number,):
            raise ValueError(
                f"observable must return one number per replica, shape ({number},), "
                f"but returned shape {values.shape}"
            )
        estimates.append(Estimate.of_samples(values))
    return Convergence(steps, tuple(estimates))
