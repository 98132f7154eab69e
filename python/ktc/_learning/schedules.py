"""Schedules by the Fisher information and the friction tensor: least dissipation, and peers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, flag, frozen, positive, real_array
from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.path_to_target import PathToTarget
from ktc._learning.schedule import Schedule


class MinimalDissipation(Schedule, transports=True, vectorised=True):
    """η(t) = [(T − t) F + 2ζ]⁻¹ with jumps F⁻¹ζ θ̇ at both ends: natural gradient, time to go.

    An overdamped Gaussian network driven so from equilibrium moves its mean at constant speed to
    the data's, at the least excess work that any drive of the bias needs, W_ex = μᵀR(T +
    2K⁻¹R)⁻¹μ, without knowing the target beforehand. One harmonic unit: η = 1/[k(T − t + 2τ)],
    W_ex = γμ²/(T + 2τ). With inertia this is so to leading order for long T; the least work needs
    impulses at both ends besides (``theory.optimal_drive``), and a short T costs more.

    **Transport.** Where all of the bias and the stiffness of an overdamped Gaussian network are
    learned, the replicas are carried to the data along the optimal transport, at the least excess
    work that any drive needs, ``theory.wasserstein_bound``, in the infinite ensemble and for any
    duration. With t′ = T − t, the replicas' mean m and covariance Σ, the data's μ and Σ*,
    K* = kT Σ*⁻¹, and R = 1,

        K(t) = kT Σ⁻¹ − G,    b(t) = K m + v,    v = (t′K* + 2)⁻¹ K* (μ − m),

    where G = (A − 1)/t′ and A Σ A = Σ_f least in ‖(A − 1)Σ^½‖²/t′ + kT KL(Σ_f‖Σ*); at the end the
    controls jump to K*, K*μ. m and Σ are predicted from tick to tick, exactly, and corrected by the
    replicas only where these differ from the prediction by more than samples of their number do;
    so their noise costs nothing, and they are independent of one another. The end is the model of
    the data by the device as designed: errors of a real board that do not show in this way are not
    compensated. Ticks must be short beside the relaxation times of start and data; a
    ``RuntimeWarning`` says where they are not. It is the default there (``fit.rule`` is
    "transport"); ``anticipate`` or measured metrics choose the rules of F and ζ.

    **Open loop.** Where only a part of bias and stiffness is learned, or a network has inertia,
    hidden or quartic units, the drive is computed before the run. Without hidden units the
    likelihood is concave in θ, so that its maximum θ* is known; with them θ* is the maximum to
    which ascent from the start leads. The excess work of a run that ends there,

        W_ex = kT KL(p₀‖p*) + ∫ (θ* − θ)·d⟨∂_θH⟩,

    is minimised over θ(t) by its gradient, with the moments of the network or the density of each
    unit; over straight paths by trial runs where a network has more than twelve coordinates or
    coupled quartic units. Controls follow that θ(t) and end with a jump to θ*, so that the run
    arrives, the noise of replicas does not steer, and replicas are independent. ``fit.rule`` is
    "open loop". It needs all data at each update, at most 256 parameters, a start in equilibrium,
    and no hidden quartic units; elsewhere the rule of F and ζ remains.

    **Anticipation.** Where F and ζ change with θ, their present values say little about the path
    that remains. With ``anticipate`` the controller computes two equilibria of the model: θ* has
    the averages ⟨∂_θH⟩ of the running replicas, θ̂ those of the data. Replicas near equilibrium at a
    moving θ*(t) have their controls ahead by F⁻¹ζ θ̇* and dissipate W_ex = ∫θ̇*ᵀζ(θ*)θ̇* dt, plus
    what a last jump to θ̂ dissipates. The least of it has a constant friction power; with F and ζ in
    the jump replaced by their means over the path it is

        θ̇* = X [(T − t) F̄ + 2 ζ̄]⁻¹ g,    θ = θ* + F⁻¹ζ θ̇*,    θ(T) = θ̂

    with F̄, ζ̄ and X of the ``PathToTarget``; F⁻¹ζ + h/2 under sample and hold. Where F and ζ are
    constant, for the bias of Gaussian networks, this is the rule above, which is then used.
    Controls that wait for replicas behind a barrier do not follow a g that the replicas have not
    responded to yet. The equilibria are in closed form or by quadrature, or measured on calibration
    replicas that visit the path beforehand, which takes more of them (``fit.calibration``). Like
    any feedback, it also gains work from the fluctuations that it observes, about kT T/(τN) per
    mode and replica of N, so that W_ex of few replicas may lie below bounds for drives without
    feedback.

    Args:
        duration: T.
        matrix: False makes one scalar rate from the traces of F and ζ, for a controller that cannot
            apply a matrix; exact where all modes are alike.
        anticipate: True to steer by F and ζ over the whole remaining path, False by those of the
            present parameters; None for transport or a computed drive where these are available,
            and else as False.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=1.0, friction=1.0)
        >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
        >>> fit = ktc.learn(net, 5.0, schedule, replicas=1000, seed=1)
        >>> round(fit.bound_target, 4)
        8.3333

    Source: Hnybida, Verret (2025), arXiv 2510.03137; Schmiedl, Seifert (2007), Phys. Rev. Lett.
    98, 108301; ∫θ̇ᵀζθ̇ dt: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602; feedback: Sagawa,
    Ueda (2010), Phys. Rev. Lett. 104, 090602.
    """

    def __init__(
        self, duration: float, matrix: bool = True, anticipate: bool | None = None
    ) -> None:
        chosen = anticipate is not None
        others = {"anticipate": flag("anticipate", anticipate)} if chosen else {}
        super().__init__(duration, matrix=flag("matrix", matrix), **others)
        if anticipate and not matrix:
            raise ValueError(
                "matrix must be True where anticipate is, which has no scalar rate of traces"
            )
        self.matrix, self.anticipate = matrix, anticipate
        self.transports = self.transports and matrix and not chosen

    def ahead(self, time: float, hold: float, path: PathToTarget) -> Array:
        """θ* + (F⁻¹ζ + h/2) θ̇*, to be held from ``time`` < T on."""
        velocity = path.velocity(self.duration - time)
        return np.asarray(path.here + path.lead(velocity) + 0.5 * hold * velocity)

    def velocity(self, time: float, gradient: Array, geometry: MetricTensors) -> Array:
        """θ̇ = [(T − t)F + 2ζ]⁻¹ g."""
        to_go = self.duration - time
        if self.matrix:
            return geometry.solve(to_go, 2.0, gradient)
        fisher, friction = geometry.traces
        return np.asarray(gradient * (gradient.shape[-1] / (to_go * fisher + 2 * friction)))

    def first_jump(
        self, gradient: Array, geometry: MetricTensors, toward: Callable[[Array], Array]
    ) -> Array:
        """F⁻¹ζ η(0) g(0)."""
        return self._lead(self.velocity(0.0, gradient, geometry), geometry)

    def last_jump(self, gradient: Array, geometry: MetricTensors) -> Array:
        """F⁻¹ζ η(T) g(T) = ½F⁻¹g(T)."""
        return self._lead(self.velocity(self.duration, gradient, geometry), geometry)

    def _lead(self, velocity: Array, geometry: MetricTensors) -> Array:
        if self.matrix:
            return geometry.lead(velocity)
        fisher, friction = geometry.traces
        return np.asarray(velocity * (friction / fisher))


class ContinuousMinimalDissipation(Schedule):
    """η(t) = [(T − t) F + ζ]⁻¹ after a displacement F⁻¹ζ θ̇ that needs the target; no last jump.

    The least work of a learner whose controls must not jump during the run. With the work of the
    first displacement, one unit spends γμ²(T + τ/2)/(T + τ)², more than ``MinimalDissipation``.

    Args:
        duration: T.
        target: mean to learn, in data coordinates, scalar or shape (d,).

    Example:
        >>> import ktc
        >>> ktc.schedules.ContinuousMinimalDissipation(duration=2.0, target=5.0)
        ktc.schedules.ContinuousMinimalDissipation(duration=2.0, target=5.0)

    Source: Hnybida, Verret (2025), arXiv 2510.03137.
    """

    def __init__(self, duration: float, target: ArrayLike) -> None:
        self.target = frozen(real_array("target", target))
        super().__init__(duration, target=self.target.tolist())

    def check(self, units: int) -> None:
        """Raise ValueError for a target of another width."""
        if self.target.shape not in ((), (units,)):
            raise ValueError(
                f"target must be a scalar or of shape ({units},), one number per unit, "
                f"but has shape {self.target.shape}"
            )

    def velocity(self, time: float, gradient: Array, geometry: MetricTensors) -> Array:
        """θ̇ = [(T − t)F + ζ]⁻¹ g."""
        return geometry.solve(self.duration - time, 1.0, gradient)

    def first_jump(
        self, gradient: Array, geometry: MetricTensors, toward: Callable[[Array], Array]
    ) -> Array:
        """F⁻¹ζ η(0) g, with g toward the target."""
        return geometry.lead(self.velocity(0.0, toward(self.target), geometry))


class NaturalGradient(Schedule, vectorised=True):
    """η = rate · F⁻¹, no jumps: all modes are learned at one rate, θ̇ = rate · F⁻¹ g.

    Args:
        duration: T.
        rate: 1/time, positive.

    Example:
        >>> import ktc
        >>> ktc.schedules.NaturalGradient(duration=2.0, rate=1.5)
        ktc.schedules.NaturalGradient(duration=2.0, rate=1.5)

    Source: Amari (1998), Neural Comput. 10, 251.
    """

    uses_friction = False

    def __init__(self, duration: float, rate: float) -> None:
        self._rate = positive("rate", rate)
        super().__init__(duration, rate=self._rate)

    def velocity(self, time: float, gradient: Array, geometry: MetricTensors) -> Array:
        """θ̇ = rate · F⁻¹ g."""
        return geometry.natural(self._rate, gradient)
