"""The base class of schedules, a learning rate over time, θ̇ = η(t) g; and one update by it.

g(t) = ⟨∂_θH⟩ over the running replicas − ⟨∂_θH⟩ over the data is kT times the approximate gradient
of the log-likelihood per sample. Sampled and held with n ticks of h = T/n, the learner changes θ by
h η(t) g(t) at t = h, 2h, …, T − h, by half of that at 0 and T, and by the jumps at 0 and T.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ktc._base.codec import Saved, register
from ktc._base.validation import Array, positive
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.schedule_figure import draw_schedule
from ktc._model.description import Description

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ktc._learning.path_to_target import PathToTarget


class MemorySlopes(NamedTuple):
    """How a memory c of past gradients, shape (m,), enters the updates of a run, to first order.

    Attributes:
        keep: share of c that is kept from update to update, shape (m,).
        by_gradient: ∂c/∂g of each update, shape (n + 1, m, p).
        of_change: ∂Δθ/∂c of each update, shape (n + 1, p, m).

    Example:
        >>> import numpy as np
        >>> import ktc
        >>> adam = ktc.schedules.Adam(duration=1.0, rate=1.0, beta1=0.5, beta2=0.75)
        >>> adam.memory_slopes(np.ones((3, 1)), hold=0.5, blocks={"bias": slice(0, 1)}).keep
        array([0.5 , 0.75])
    """

    keep: Array
    by_gradient: Array
    of_change: Array


class Schedule(ABC):
    """A learning rate over time. Subclass it to define your own, and pass it to ``learn``.

    A subclass defines ``velocity``. It may override ``first_jump`` and ``last_jump``, ``check`` to
    refuse networks, ``begun``, ``memory`` and ``recall`` where it has a memory of gradients,
    ``ahead`` with ``anticipate``, ``name``, and ``arguments``, from which ``ktc.load`` restores
    the schedule of a fit once the subclass is defined. Its class name marks it in files, and must
    not be that of a class of ktc. A subclass of ``MinimalDissipation`` steers by F and ζ, unless
    it is defined with ``transports=True``: ``class Mine(MinimalDissipation, transports=True)``.
    With ``vectorised=True`` its methods also get gradients of many runs, shape (r, p), which makes
    the error bars of a fit faster (``Fit.error_method``).

    Args:
        duration: T, positive, in the device's unit of time.
        **others: further constructor arguments of a subclass, by name, for ``arguments``.

    Raises:
        ValueError: the name of a subclass is that of a class of ktc.

    Example:
        >>> import ktc
        >>> class Halved(ktc.schedules.Schedule):
        ...     uses_metrics = False
        ...     def velocity(self, time, gradient, geometry):
        ...         return 0.5 * gradient
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> fit = ktc.learn(net, 5.0, Halved(1.0), replicas=100, ticks=50, seed=1)
        >>> len(fit.history.time)
        51
    """

    #: Whether rates depend on F or ζ; where False, ``learn`` neither computes nor measures them.
    uses_metrics = True
    #: Whether rates depend on ζ.
    uses_friction = True
    #: Whether to steer by F and ζ over the whole remaining path, where they change: by ``ahead``.
    anticipate: bool | None = False
    #: Whether to steer by ``Transport`` where it is available, instead of by ``velocity``.
    transports = False
    #: Whether rates and jumps take the gradients of many runs at once, shape (r, p).
    vectorised = False

    def __init_subclass__(cls, transports: bool = False, vectorised: bool = False) -> None:
        super().__init_subclass__()
        # Not inherited: a subclass may have a rate of its own.
        cls.transports, cls.vectorised = transports, vectorised
        register(cls, _arguments)

    def __init__(self, duration: float, **others: object) -> None:
        self.duration = positive("duration", duration)
        self._others = others

    @abstractmethod
    def velocity(self, time: float, gradient: Array, geometry: MetricTensors) -> Array:
        """θ̇ = η(time) g, shape (p,)."""

    def first_jump(
        self, gradient: Array, geometry: MetricTensors, toward: Callable[[Array], Array]
    ) -> Array:
        """Jump of θ at t = 0, besides the half tick; ``toward(x)`` is g for a data mean of x."""
        return np.zeros_like(gradient)

    def last_jump(self, gradient: Array, geometry: MetricTensors) -> Array:
        """Jump of θ at t = T, besides the half tick."""
        return np.zeros_like(gradient)

    def ahead(self, time: float, hold: float, path: PathToTarget) -> Array:
        """θ to be held from ``time`` < T on, shape (p,); called where ``anticipate`` is True."""
        raise NotImplementedError(f"{self.name} sets anticipate, but does not define ahead()")

    def begun(self) -> Schedule:
        """The schedule of one run: itself, or a fresh copy where it has a memory of gradients."""
        return self

    def memory(self) -> Mapping[str, object]:
        """What a schedule that was ``begun`` remembers: numbers, text and arrays by name.

        A checkpoint keeps it, and a schedule that remembers nothing returns nothing.
        """
        return {}

    def recall(self, memory: Saved) -> None:
        """Go on from what ``memory`` returned."""

    def memory_slopes(
        self, gradients: Array, hold: float, blocks: Mapping[str, slice]
    ) -> MemorySlopes | None:
        """Slopes of the memory along a run with these gradients, shape (n + 1, p), for the error
        bars of a fit; None where there is no memory, or where its slopes are not available.
        """
        return None

    def check(self, units: int) -> None:
        """Raise ValueError for a network of ``units`` units that the schedule does not fit."""

    @property
    def name(self) -> str:
        """Name in tables and legends."""
        return type(self).__name__

    @property
    def arguments(self) -> dict[str, object]:
        """Constructor arguments that give an equal schedule."""
        return {"duration": self.duration, **self._others}

    def rate(self, time: float, geometry: MetricTensors) -> Array:
        """η(time) as a matrix, shape (p, p)."""
        columns = np.eye(geometry.size)
        return np.stack([self.velocity(time, column, geometry) for column in columns], axis=1)

    def plot(
        self,
        device: Description | None = None,
        parameter: str = "bias",
        *,
        figsize: tuple[float, float] | None = None,
    ) -> Figure:
        """Draw the eigenvalues of η over time, as ``ktc.plot.draw_schedule``.

        Example:
            >>> import ktc
            >>> figure = ktc.schedules.MinimalDissipation(duration=1.0).plot()
            >>> len(figure.axes)
            2
        """
        return draw_schedule(self, device, parameter, figsize)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        home = "ktc.schedules." if type(self).__module__.startswith("ktc.") else ""
        return f"{home}{type(self).__name__}({inside})"


def _arguments(schedule: Schedule) -> Mapping[str, object]:
    """What a file keeps, or a TypeError where it would not restore the schedule."""
    arguments = schedule.arguments
    try:
        signature(type(schedule)).bind(**arguments)
    except TypeError as error:
        raise TypeError(
            f"{schedule.name} cannot be saved, because its constructor does not take the arguments "
            f"{arguments}: {error}; pass each by its name to super().__init__"
        ) from error
    return arguments


def _vector(schedule: Schedule, method: str, value: object, like: Array) -> Array:
    """What a method of a schedule returned, of the shape of the gradient."""
    found = np.asarray(value)
    if found.dtype.kind not in "fiu" or found.shape != like.shape:
        kind = f"shape {found.shape}" if found.dtype.kind in "fiu" else type(value).__name__
        raise ValueError(
            f"{method} of {schedule!r} must return one number per parameter, shape {like.shape}, "
            f"but returned {kind}"
        )
    return found


class Update:
    """Δθ of update ``tick`` = 0, …, ``ticks``: a flow of one hold, half of it and a jump at an end.

    The first jump is by F and ζ where it starts, what flows after it by those where it ends, and
    the last jump by those where the flow ends. ``flow`` is what flows over a whole hold, shape
    (p,), known after ``change``.
    """

    def __init__(self, schedule: Schedule, tick: int, ticks: int) -> None:
        self._schedule = schedule
        self._first, self._last = tick == 0, tick == ticks
        self._time = schedule.duration * (tick / ticks)
        self._hold = schedule.duration / ticks
        self._share = 0.5 if tick in (0, ticks) else 1.0

    def change(
        self,
        gradient: Array,
        toward: Callable[[Array], Array],
        metric: MetricTensors,
        metric_after: Callable[[Array], MetricTensors] | None = None,
    ) -> Array:
        """Δθ by g, ``Schedule.first_jump``'s ``toward``, F and ζ now, and those after a Δθ."""
        schedule = self._schedule
        after = metric_after or (lambda _: metric)
        jump = None
        self._begun = self._flowing = self._ended = metric
        if self._first:
            jump = schedule.first_jump(gradient, metric, toward)
            jump = _vector(schedule, "first_jump", jump, gradient)
            self._flowing = after(jump)
        velocity = schedule.velocity(self._time, gradient, self._flowing)
        self.flow = self._hold * _vector(schedule, "velocity", velocity, gradient)
        change = self._share * self.flow if jump is None else jump + self._share * self.flow
        if self._last:
            self._ended = after(change)
            last = schedule.last_jump(gradient, self._ended)
            change = change + _vector(schedule, "last_jump", last, gradient)
        return change

    def response(self, noise: Array, of_replicas: bool = True) -> Array:
        """Δθ of noise δg in the gradient, at the F and ζ of the last ``change``.

        ``of_replicas`` is whether it is noise of the replicas, which is in ``toward`` too.
        """
        schedule = self._schedule
        moved = self._share * self._hold * schedule.velocity(self._time, noise, self._flowing)
        if self._first:
            aim = noise if of_replicas else np.zeros_like(noise)
            moved = moved + schedule.first_jump(noise, self._begun, lambda _: aim)
        if self._last:
            moved = moved + schedule.last_jump(noise, self._ended)
        return np.asarray(moved)
