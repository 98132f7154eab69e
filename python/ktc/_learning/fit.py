"""A fit: the parameters that a learner reached, and the energy that it spent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.codec import register
from ktc._base.estimate import INFINITE, Estimate
from ktc._base.files import VERSION, Storable
from ktc._base.units import Units
from ktc._base.validation import Array
from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning.averages import energy_differences
from ktc._learning.batches import BatchMoments
from ktc._learning.center import learnable
from ktc._learning.fit_figure import draw_fit
from ktc._learning.gradient_noise import LARGEST_STATE, total_cost
from ktc._learning.history import History
from ktc._learning.metrics.calibration_report import CalibrationReport
from ktc._learning.metrics.equilibria import measured_maximum_likelihood
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._learning.planning.expected_learning import noise_of_run
from ktc._learning.schedules import Schedule
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.device import Device
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network
from ktc._model.parameters import CONTROL_OF, Parameters
from ktc._theory.least_work import least_excess_work
from ktc._theory.wasserstein import wasserstein_bound

# Constructor arguments that a file keeps: attributes of that name, and with an underscore.
PUBLIC = (
    *("start", "schedule", "hidden", "data_mean", "data_forces", "samples", "batch", "history"),
    *("seed", "version", "imperfections", "calibration", "stopped_early"),
)
PRIVATE = (
    *("work", "heat", "positive", "final_state", "final_forces", "scatter", "variances"),
    "applied_change",
)


class Fit(Storable):
    """Result of ``ktc.learn``.

    Energies are in joules on a Board or a compiled circuit, in the unit of kT on a Network. Of an
    infinite ensemble, estimates are its exact means, with ``variance`` where it is available.

    Attributes:
        start: the device as it was before: network at its first controls, scale, symbols.
        schedule: the schedule, with its duration.
        learned: the learned parameters θ: where each lies in the vector, and ∂H/∂θ of a state.
        hidden: numbers of the hidden units.
        data_mean: mean of the data in the public state, shape (visible,).
        data_forces: ⟨∂_θH⟩ over the data, shape (p,); with hidden units over the clamped ensemble
            at the end.
        samples: number of data samples.
        batch: number of samples per update; None for all.
        history: records of all updates.
        device: the device as the run left it, to continue with or to draw samples from; None in a
            loaded, pickled or copied fit.
        seed: seed of the device's noise; None where it has none.
        version: version of ktc that made the run.
        imperfections: data sheet of the real board that learned; None elsewhere. Then ΔF, excess
            work and bounds are those of its drawing, which its controller knows; work, heat and
            what is called applied are its own.
        calibration: cost and quality of measured F and ζ; None where nothing was measured.
        stopped_early: why the run ended before its time, with the tick; None where it did not. Then
            history, energies and parameters are those up to the last update that succeeded.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
        >>> data = [[1.0, -2.0], [0.0, 1.0], [2.0, 2.0]]
        >>> schedule = ktc.schedules.MinimalDissipation(duration=2.0)
        >>> fit = ktc.learn(net, data, schedule, parameters=("bias", "couplings"), seed=1)
        >>> fit.theta_names
        ('bias[0]', 'bias[1]', 'couplings[0,1]')
        >>> fit.parameters["stiffness"].shape
        (2, 2)
        >>> net.with_controls(**fit.parameters).bias.shape
        (2,)
    """

    def __init__(
        self,
        *,
        start: Described,
        schedule: Schedule,
        learned: Parameters,
        hidden: NDArray[np.intp],
        data_mean: Array,
        data_forces: Array,
        final_forces: Array,
        final_state: Array,
        samples: int,
        work: Array,
        heat: Array,
        history: History,
        seed: int | None,
        batch: int | None = None,
        scatter: Array | None = None,
        positive: tuple[Array, Array] | None = None,
        calibration: CalibrationReport | None = None,
        stopped_early: str | None = None,
        imperfections: Imperfections | None = None,
        applied_change: float | None = None,
        variances: Mapping[str, float] | None = None,
        device: Device | None = None,
        version: str = VERSION,
    ) -> None:
        self.start, self.schedule = start, schedule
        self.learned, self.hidden = learned, hidden
        self.data_mean, self.data_forces = data_mean, data_forces
        self.samples, self.batch = samples, batch
        self.history, self.stopped_early = history, stopped_early
        self.calibration, self.imperfections = calibration, imperfections
        self.seed, self.device, self.version = seed, device, version
        self._work, self._heat, self._positive = work, heat, positive
        self._final_state, self._final_forces = final_state, final_forces
        self._scatter, self._variances = scatter, variances
        self._applied_change = applied_change
        self._exact = ExactModel(start, learned)

    @property
    def symbols(self) -> Units:
        """Unit symbols of the public state and of energies."""
        return self.start.symbols

    @property
    def kT(self) -> float:
        """Thermal energy of the run."""
        return self.start.network.common_kT

    @property
    def duration(self) -> float:
        """T of the schedule."""
        return self.schedule.duration

    @property
    def time(self) -> float:
        """Time up to the last update: less than ``duration`` where the run stopped early."""
        return float(self.history.time[-1])

    @property
    def theta(self) -> Array:
        """Values reached of what was free, as one vector in public units, shape (p,)."""
        return np.array(self.history.theta[-1])

    @property
    def theta_names(self) -> tuple[str, ...]:
        """Name of each entry of ``theta``, such as "bias[0]" and "couplings[0,1]"."""
        return self.learned.labels

    @property
    def parameters(self) -> dict[str, Array]:
        """Learned controls at the end, whole arrays by name: bias (d,), stiffness (d, d), quartic.

        ``emulator.set(**fit.parameters)`` and ``network.with_controls(**fit.parameters)`` take
        them. A center is a bias here, b = Kλ; λ itself is ``theta``.
        """
        names = dict.fromkeys(CONTROL_OF.get(name, name) for name in self.learned.names)
        names = {"bias" if name == "center" else name: None for name in names}
        return {name: np.array(getattr(self.controls, name)) for name in names}

    @cached_property
    def controls(self) -> Controls:
        """All controls at the end."""
        return self.learned.controls(self.theta, self.start.network.controls)

    @property
    def network(self) -> Network:
        """The learned model: the network at the final controls."""
        return self.start.network.with_controls(self.controls)

    @property
    def work(self) -> Estimate:
        """Work done on the network, per replica."""
        return self._estimate(self._work, "work")

    @property
    def heat(self) -> Estimate:
        """Heat that flowed into the resistors, per replica."""
        return self._estimate(self._heat, "heat")

    @property
    def positive_phase_work(self) -> Estimate:
        """Work done on the clamped ensemble of a model with hidden units; zero without."""
        return self._positive_estimate(0)

    @property
    def positive_phase_heat(self) -> Estimate:
        """Heat of the clamped ensemble, that of clamping at the start included; zero without."""
        return self._positive_estimate(1)

    @cached_property
    def free_energy_change(self) -> Estimate:
        """ΔF = F(θ_final) − F(θ_start), exact, or by Bennett's acceptance ratio."""
        if self._exact.constant:
            return self._exactly(float(self.history.free_energy_change[-1]))
        return self._free_energy_change(self.controls)

    @property
    def excess_work(self) -> Estimate:
        """W_ex = W − ΔF: what the run dissipated, and the bias of the chain's likelihood.

        What it dissipated from equilibrium at the start, where ``learn`` made the device: one that
        ran before may hold free energy beyond F(θ_start), which this does not count.

        The stderr is that of independent replicas. They share a controller that reacts to their
        mean, so that over repeated runs W_ex scatters by 1.2 to 1.9 times as much; compared with
        ``bound``, which is at the run's own parameters, it scatters by ``stderr``.
        """
        change = self.free_energy_change
        return self.work.shifted(-change.mean, change.stderr)

    @property
    def applied_free_energy_change(self) -> Estimate:
        """ΔF of the controls as realised by a real board; ``free_energy_change`` elsewhere."""
        if self._applied_change is None:
            return self.free_energy_change
        return self._exactly(self._applied_change)

    @property
    def applied_excess_work(self) -> Estimate:
        """W − ΔF of the controls as realised by a real board: what it dissipated.

        ``excess_work`` has the ΔF of its drawing, and may lie below the bound there. Free energies
        are at the temperature of its resistors, pickup left out.
        """
        change = self.applied_free_energy_change
        return self.work.shifted(-change.mean, change.stderr)

    @property
    def maximum_likelihood(self) -> Controls:
        """Controls of the greatest likelihood of the data, in closed form or by quadrature.

        For coupled quartic units it is measured: 10,000 replicas search it by Newton's method on
        first use, to within the noise of their averages, kT F⁻¹/10,000.

        Raises:
            ValueError: hidden units, data that no confined model reaches, more than 256 parameters
                to be measured.
        """
        return self._maximum[0]

    @cached_property
    def _maximum(self) -> tuple[Controls, Array | None]:
        """The same with the covariance of its noise, None where it has none."""
        if len(self.hidden):
            raise ValueError(
                "the likelihood of a model with hidden units has no single maximum; give "
                "completed(...) the controls that are meant"
            )
        if self._exact.whole:
            start = self.start.network
            best = start.controls.updated(
                bias=start.controls.sparse_stiffness @ (self.data_mean / self.start.scale)
                if start.is_sparse
                else start.stiffness @ (self.data_mean / self.start.scale)
            )
            return best, None
        if self._exact.known:
            return maximum_likelihood(self._exact, self.data_forces), None
        return measured_maximum_likelihood(self._exact, self.data_forces, self.seed)

    @property
    def completed_excess_work(self) -> Estimate:
        """Excess work with one last jump to the maximum-likelihood parameters: W_ex at θ_ML.

        A schedule that stops short of its target dissipates little; this is what it would have cost
        to get there, and what schedules are compared by. Jumps at held state add up, so that it
        does not depend on the schedule's own last jump.

        Raises:
            ValueError: where ``maximum_likelihood`` is not available.
        """
        controls, noise = self._maximum
        lag = self._final_forces - self.data_forces
        error = 0.0 if noise is None else float(np.sqrt(lag @ noise @ lag))
        return self.completed(controls).shifted(0.0, error)

    def completed(self, target: Controls | Mapping[str, ArrayLike]) -> Estimate:
        """Excess work with one last jump to given controls.

        Args:
            target: Controls, or controls by name as ``set`` takes them.
        """
        controls = target if isinstance(target, Controls) else self.controls.updated(**target)
        if self._variances is not None:
            step = self.learned.vector(controls) - self.theta
            jump = np.array([float(step @ self._final_forces)])
        else:
            state = self._final_state / self.start.scale
            jump = energy_differences(state, self.controls, controls)
        change = self._free_energy_change(controls)
        return self._estimate(self._work + jump).shifted(-change.mean, change.stderr)

    @property
    def gradient_noise_work(self) -> Estimate:
        """What the noise of the gradient adds to ``excess_work``, on average over runs.

        W(N replicas, batches) − W(∞, all data). For the bias of a Gaussian network whose F and ζ
        are closed forms it is exact, by ``theory.expected_learning``: the noise of the replicas'
        mean, of batches, and of the readings of a real board (the steps of its ADC as noise of
        step²/12), from equilibrium at the start and by the drawing.

        For any other run it is estimated from the replicas' scatter: Σ over updates of tr(G C)/N +
        ½ tr(F G C Gᵀ)/N, with Δθ = G g, C the covariance of ∂_θH over the replicas and F = C/kT;
        and of batches Σ ½ tr(F G D Gᵀ), D their means' covariance. It is of leading order in the
        noise and in the relaxation time over the duration, a few per cent too low where that is
        one. Noise of the clamped replicas of hidden units is left out, batches count as
        independent, which is too much where an epoch is shorter than the relaxation, and noise of a
        board's readings counts as its replicas'. Of more than 24 parameters by random probes, whose
        scatter is the stderr.

        Raises:
            ValueError: a schedule that is not linear in the gradient, or that anticipates; a run in
                closed form that stopped early; an ensemble of more than twenty million numbers.
        """
        if len(self.history.noise_work):
            total, error = total_cost(self.history.noise_work, self.learned.size)
            return Estimate(
                total, error, method="scatter of the replicas",
                unit=self.symbols.energy, kT=self.kT,
            )  # fmt: skip
        if not self._exact.whole or self.start.network.is_sparse:
            raise ValueError(
                f"the work of gradient noise is not known of this run under {self.schedule!r}: it "
                "needs updates that are linear in the gradient, and ensembles of up to "
                f"{LARGEST_STATE} numbers; compare runs of several numbers of replicas"
            )
        if self.stopped_early:
            raise ValueError(
                "the work of gradient noise is that of a whole run, but this one stopped at "
                f"{self.stopped_early}"
            )
        return self._exactly(self._noise)

    @cached_property
    def _noise(self) -> float:
        batches = None if self._scatter is None else (self._scatter, self.samples, self.batch or 0)
        replicas = np.inf if self._variances is not None else len(self._work)
        return noise_of_run(
            self.start, self.schedule, self.learned.names[0], len(self.history.time) - 1,
            self.data_mean, batches and BatchMoments(*batches), self.imperfections, replicas,
        )  # fmt: skip

    @property
    def likelihood_bias(self) -> float:
        """Gain of the chain's own objective less the true gain kT Δ(log-likelihood) of the data.

        From the controller's gradients and the closed form (or quadrature) of the likelihood alone,
        without the ledger; equal to the excess work (Hnybida, Verret (2025), arXiv 2510.03137),
        which is positive on average where the device started in equilibrium. With batches it also
        has what an update gained on its own batch more than on all of the data.

        Raises:
            ValueError: coupled quartic units, and models with hidden units.
        """
        return float(self.history.likelihood_bias[-1])

    @cached_property
    def bound(self) -> float:
        """Least excess work of reaching this run's final parameters in its duration.

        By the bias where it alone was learned on a Gaussian network (``theory.least_excess_work``);
        by any control whatever (``theory.wasserstein_bound``) elsewhere. From equilibrium at the
        controls that the device had at the start: a running device that was not there may spend
        less, or more.

        Raises:
            ValueError: a circuit with inductors, coupled quartic units; inertia where more than the
                bias was learned; a run whose only update took no time.
        """
        return self._bound(self.controls)

    @cached_property
    def bound_target(self) -> float:
        """Least excess work of reaching the maximum-likelihood parameters, as ``bound``."""
        # Where no bound is available, no maximum is measured for it.
        known = self._exact.known or len(self.hidden)
        return self._bound(self.maximum_likelihood if known else self.controls)

    def _bound(self, controls: Controls) -> float:
        if self.time == 0:
            raise ValueError(
                f"there is no bound for a run that stopped at {self.stopped_early}, whose only "
                "update took no time; lower the rate, or take more ticks"
            )
        if self._exact.constant:
            return least_excess_work(self.start, controls.bias, self.time)
        return wasserstein_bound(self.start, self._at(controls), self.time)

    def _at(self, controls: Controls) -> Described:
        net = self.start.network.with_controls(controls)
        return Described(net, self.start.scale, self.start.symbols)

    def _free_energy_change(self, controls: Controls) -> Estimate:
        before = self.start.network.controls
        if self._exact.known:
            change = self._exact.free_energy_change(before, controls)
            return self._exactly(change, self._exact.method or "")
        return free_energy_difference(self.start, self._at(controls), seed=self.seed)

    def plot(self, **options: Any) -> Any:
        """Draw parameters, gradient and energies over time; returns a matplotlib Figure.

        Args:
            **options: ``figsize`` in inches.
        """
        return draw_fit(self, **options)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "device": None}

    def _exactly(self, value: float, method: str = "closed form") -> Estimate:
        return Estimate.exact(value, method=method, unit=self.symbols.energy, kT=self.kT)

    def _estimate(self, samples: Array, name: str = "") -> Estimate:
        if self._variances is not None:
            return Estimate.exact(
                float(samples[0]),
                method=INFINITE,
                unit=self.symbols.energy,
                kT=self.kT,
                variance=self._variances.get(name),
            )
        return Estimate.of_samples(samples, unit=self.symbols.energy, kT=self.kT)

    def _positive_estimate(self, which: int) -> Estimate:
        if self._positive is None:
            return self._exactly(0.0, "no hidden units")
        return Estimate.of_samples(self._positive[which], unit=self.symbols.energy, kT=self.kT)

    def __repr__(self) -> str:
        spent = f"work {self.work}"
        if self._exact.constant:
            known = self.start.network.has_friction and self.time > 0
            bound = f"bound {self.bound:.6g}" if known else "bound not known"
            spent = f"excess work {self.excess_work}, {bound}"
        stopped = f", stopped early at {self.stopped_early}" if self.stopped_early else ""
        learned = ", ".join(
            f"{block.stop - block.start} {name}" for name, block in self.learned.blocks.items()
        )
        return f"<ktc.Fit: {self.schedule!r} of {learned}, {spent}{stopped}>"


def _parts(fit: Fit) -> dict[str, object]:
    """Arguments of a fit, but for its device; the learned parameters by names and masks."""
    learned = fit.learned
    masks = {}
    for name, places in learned.places.items():
        array = np.zeros((learned.units,) * len(places), dtype=bool)
        array[places] = True
        masks[name] = array | array.T
    return {
        **{name: getattr(fit, name) for name in PUBLIC},
        **{name: getattr(fit, f"_{name}") for name in PRIVATE},
        "names": learned.names,
        "mask": None if learned.names == ("center",) else masks,
    }


def _made(
    start: Described, names: tuple[str, ...], mask: Mapping[str, ArrayLike] | None, **fields: Any
) -> Fit:
    return Fit(start=start, learned=learnable(start, names, mask), **fields)


register(Fit, _parts, _made)
