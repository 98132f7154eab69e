"""Schedules that need neither the Fisher information nor the friction tensor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import Saved, require_alike
from ktc._base.validation import Array, count, finite, frozen, of_type, positive, real_array
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.schedule import MemorySlopes, Schedule

#: Rates of kinds of parameters by name, relative to the rate of a schedule.
Weights: TypeAlias = Mapping[str, float] | None


class _Weighted(Schedule):
    """Needs neither F nor ζ; ``weights`` sets the rate of one kind of parameter beside others."""

    uses_metrics = False

    def __init__(self, duration: float, weights: Weights, **others: object) -> None:
        given = {} if weights is None else of_type("weights", weights, Mapping, "a mapping")
        self.weights = {k: positive(f"weights[{k!r}]", v) for k, v in given.items()}
        if self.weights:
            others["weights"] = self.weights
        super().__init__(duration, **others)

    @abstractmethod
    def _unweighted(self, time: float, gradient: Array) -> Array:
        """θ̇ where all weights are 1."""

    def velocity(self, time: float, gradient: Array, geometry: MetricTensors) -> Array:
        """θ̇ = η(time) g, times the weight of each kind of parameter, 1 by default."""
        velocity = self._unweighted(time, gradient)
        for name, weight in self.weights.items():
            if name not in geometry.blocks:
                known = tuple(geometry.blocks)
                raise ValueError(f"weights must name learned parameters, {known}, but has {name!r}")
            velocity[..., geometry.blocks[name]] *= weight
        return velocity


class _Scalar(_Weighted):
    """One rate for all parameters, in their public units: θ̇ = weight · η(t) g."""

    @abstractmethod
    def scalar_rate(self, time: float) -> float:
        """η(time)."""

    def _unweighted(self, time: float, gradient: Array) -> Array:
        return self.scalar_rate(time) * gradient


class Constant(_Scalar, vectorised=True):
    """η(t) = rate, no jumps: plain gradient ascent.

    Args:
        duration: T.
        rate: positive; dθ/dt = rate · g in the public units of θ (see ``learn``).
        weights: rate of each kind of parameter relative to ``rate``, such as {"quartic": 0.1}.

    Example:
        >>> import ktc
        >>> ktc.schedules.Constant(duration=1.0, rate=0.5).scalar_rate(0.3)
        0.5
    """

    def __init__(self, duration: float, rate: float, weights: Weights = None) -> None:
        self._rate = positive("rate", rate)
        super().__init__(duration, weights, rate=self._rate)

    def scalar_rate(self, time: float) -> float:
        """The rate."""
        return self._rate


class Exponential(_Scalar, vectorised=True):
    """η(t) = initial (final/initial)^(t/T), no jumps.

    Args:
        duration: T.
        initial: η(0), positive.
        final: η(T), positive.
        weights: rate of each kind of parameter relative to η.

    Example:
        >>> import ktc
        >>> ktc.schedules.Exponential(duration=2.0, initial=4.0, final=1.0).scalar_rate(1.0)
        2.0
    """

    def __init__(
        self, duration: float, initial: float, final: float, weights: Weights = None
    ) -> None:
        self.initial, self.final = positive("initial", initial), positive("final", final)
        super().__init__(duration, weights, initial=self.initial, final=self.final)

    def scalar_rate(self, time: float) -> float:
        """initial (final/initial)^(t/T)."""
        return self.initial * float((self.final / self.initial) ** (time / self.duration))


class Cosine(_Scalar, vectorised=True):
    """η(t) = ½ initial (1 + cos(πt/T)), no jumps.

    Args:
        duration: T.
        initial: η(0), positive.
        weights: rate of each kind of parameter relative to η.

    Example:
        >>> import ktc
        >>> ktc.schedules.Cosine(duration=2.0, initial=4.0).scalar_rate(1.0)
        2.0

    Source: Loshchilov, Hutter (2017), arXiv 1608.03983.
    """

    def __init__(self, duration: float, initial: float, weights: Weights = None) -> None:
        self.initial = positive("initial", initial)
        super().__init__(duration, weights, initial=self.initial)

    def scalar_rate(self, time: float) -> float:
        """½ initial (1 + cos(πt/T))."""
        return 0.5 * self.initial * float(1 + np.cos(np.pi * time / self.duration))


class Tabulated(_Scalar, vectorised=True):
    """η(t) by linear interpolation between rates at equal times from 0 to T, no jumps.

    ``learn`` makes one of a function of time, at the times of its updates.

    Args:
        duration: T.
        rates: η at equal times, shape (n,), n ≥ 2, not negative.
        weights: rate of each kind of parameter relative to η.

    Raises:
        ValueError: rates that are negative, or fewer than two.

    Example:
        >>> import ktc
        >>> ktc.schedules.Tabulated(duration=2.0, rates=[1.0, 3.0]).scalar_rate(0.5)
        1.5
    """

    def __init__(self, duration: float, rates: ArrayLike, weights: Weights = None) -> None:
        self.rates = frozen(real_array("rates", rates))
        if self.rates.ndim != 1 or len(self.rates) < 2 or (self.rates < 0).any():
            raise ValueError(
                "rates must be a row of two or more numbers that are not negative, but has shape "
                f"{self.rates.shape} and least {self.rates.min(initial=np.inf):g}"
            )
        super().__init__(duration, weights, rates=self.rates.tolist())

    @classmethod
    def of_function(cls, rate: Callable[[float], float], duration: float, ticks: int) -> Tabulated:
        """The schedule of a function of time, at the times of ``ticks`` + 1 updates."""
        times = positive("duration", duration) * (np.arange(ticks + 1) / ticks)
        return cls(duration, [finite(f"rate({t:g}) of schedule", rate(t)) for t in times.tolist()])

    def __repr__(self) -> str:
        first, last = self.rates[[0, -1]].tolist()
        given = f"{first:g}, …, {last:g}" if len(self.rates) > 4 else f"{self.rates.tolist()}"
        return f"<ktc.schedules.Tabulated: {len(self.rates)} rates {given} over {self.duration:g}>"

    def scalar_rate(self, time: float) -> float:
        """The interpolated rate."""
        place = np.linspace(0.0, self.duration, len(self.rates))
        return float(np.interp(time, place, self.rates))


class Adam(_Weighted, vectorised=True):
    """θ̇ = rate · m̂/(√v̂ + ε): each parameter at a speed independent of its gradient's size.

    m̂ and v̂ are running means of g and g² over updates, m ← β₁m + (1 − β₁)g and v ← β₂v +
    (1 − β₂)g², each divided by 1 − βⁿ after n updates. No jumps. A common baseline that uses
    neither F nor ζ.

    Args:
        duration: T.
        rate: θ per time, positive: |θ̇| of a parameter whose gradient keeps its sign.
        beta1, beta2: from 0 to below 1.
        weights: rate of each kind of parameter relative to ``rate``.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> schedule = ktc.schedules.Adam(duration=20.0, rate=1.0)
        >>> fit = ktc.learn(net, 5.0, schedule, replicas=1000, seed=1)
        >>> bool(abs(fit.parameters["bias"][0] - 5.0) < 0.5)
        True

    Source: Kingma, Ba (2015), Int. Conf. Learn. Represent., arXiv 1412.6980.
    """

    def __init__(
        self,
        duration: float,
        rate: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        weights: Weights = None,
    ) -> None:
        self._rate = positive("rate", rate)
        self.betas = beta1, beta2 = finite("beta1", beta1), finite("beta2", beta2)
        for name, value in zip(("beta1", "beta2"), self.betas, strict=True):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be from 0 to below 1, but is {value}")
        super().__init__(duration, weights, rate=self._rate, beta1=beta1, beta2=beta2)
        self._first = self._second = np.zeros(0)
        self._updates = 0

    def begun(self) -> Adam:
        """A copy that has seen no gradient yet."""
        return Adam(self.duration, self._rate, *self.betas, self.weights)

    def memory(self) -> dict[str, object]:
        """m, v and n."""
        return {"first": self._first, "second": self._second, "updates": self._updates}

    def recall(self, memory: Saved) -> None:
        """Go on from m, v and n of an earlier run."""
        require_alike(memory, self.memory(), "memory", ("first", "second"))
        self._first, self._second = memory["first"], memory["second"]
        self._updates = count("memory/updates", memory["updates"], least=0)

    def _unweighted(self, time: float, gradient: Array) -> Array:
        """θ̇ after one more gradient."""
        if self._updates == 0:
            self._first, self._second = np.zeros_like(gradient), np.zeros_like(gradient)
        self._updates += 1
        one, two = self.betas
        self._first = one * self._first + (1 - one) * gradient
        self._second = two * self._second + (1 - two) * gradient**2
        mean = self._first / (1 - one**self._updates)
        root = np.sqrt(self._second / (1 - two**self._updates))
        # ε: a billionth of the largest gradient.
        floor = 1e-9 * root.max(axis=-1, keepdims=True) + np.finfo(float).tiny
        return np.asarray(self._rate * mean / (root + floor))

    def memory_slopes(
        self, gradients: Array, hold: float, blocks: Mapping[str, slice]
    ) -> MemorySlopes:
        """Slopes of m and v in the gradients, and of Δθ in m and v."""
        many, size = gradients.shape
        step = np.full(size, hold * self._rate)
        for name, weight in self.weights.items():
            step[blocks[name]] *= weight
        one, two = self.betas
        first, second = np.zeros((2, size))
        by_gradient, of_change = np.zeros((many, 2 * size, size)), np.zeros((many, size, 2 * size))
        own, tiny = np.arange(size), np.finfo(float).tiny
        for k, gradient in enumerate(gradients):
            first = one * first + (1 - one) * gradient
            second = two * second + (1 - two) * gradient**2
            seen, spread = 1 - one ** (k + 1), 1 - two ** (k + 1)
            root = np.sqrt(second / spread) + tiny
            share = 0.5 * step if k in (0, many - 1) else step
            by_gradient[k, own, own] = 1 - one
            by_gradient[k, size + own, own] = 2 * (1 - two) * gradient
            of_change[k, own, own] = share / (seen * root)
            of_change[k, own, size + own] = -0.5 * share * first / (seen * spread * root**3)
        keep = np.concatenate([np.full(size, one), np.full(size, two)])
        return MemorySlopes(keep, by_gradient, of_change)

    def rate(self, time: float, geometry: MetricTensors) -> Array:
        """Not defined: Adam's step depends on the gradient history."""
        raise ValueError("Adam has no rate by itself: its step depends on the gradient history")
