"""A fit: the parameters that a learner reached, and the energy that it spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.cached import cached_property
from ktc._base.estimate import INFINITE, Estimate
from ktc._base.validation import Array, of_type
from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning.arrival import Arrival, arrival_of
from ktc._learning.averages import energy_differences
from ktc._learning.fit_figure import draw_fit
from ktc._learning.gradient_noise import noise_work_of
from ktc._learning.learned_model import LearnedModel
from ktc._learning.model_likelihood import Marginal
from ktc._learning.repeated_runs import repeated_runs
from ktc._learning.run_errors import RunErrors
from ktc._learning.shared_controller import shared_controller, unknown_response
from ktc._model.controls import Controls
from ktc._theory.relaxation import UNRELAXED, has_relaxed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(eq=False, repr=False)
class Fit(LearnedModel):
    """Result of ``ktc.learn``; energies are in joules on hardware, in the unit of kT on a Network.

    Of an infinite ensemble, estimates are exact means, with ``variance`` where it is available.

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
        scatter: covariance of the data (divided by n), of a bias learned from batches and of a
            model with hidden units; None else.
        batch_scatter: covariance of ∂_θH over the samples (divided by n), shape (p, p), of a run
            with batches and at most 64 parameters; None else.
        readings: energies and states of each replica.
        history: records of all updates.
        device: the device as the run left it; None in a loaded, pickled or copied fit.
        seed: seed of the device's noise; None where it has none.
        rested: ``emulator.rested`` at the start; None of a device that does not know it.
        version: version of ktc that made the run.
        imperfections: data sheet of the real board that learned; None elsewhere. ΔF, excess work
            and bounds are then by its design; work, heat and what is called applied are its own.
        calibration: cost and quality of measured F and ζ; None where nothing was measured.
        rule: what steered: "transport" to the least excess work of any control, where all of the
            bias and stiffness of an overdamped Gaussian network were learned; "open loop", a drive
            computed beforehand for the least excess work to the data's model; "path ahead", by F
            and ζ over the remaining path; "metrics", by F and ζ of the present parameters, which is
            the least excess work of the bias of an overdamped Gaussian network; or "rate".
        stopped_early: why the run ended after an earlier update, with the tick; None else.

    Example:
        >>> import ktc
        >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
        >>> data = [[1.0, -2.0], [0.0, 1.0], [2.0, 2.0]]
        >>> schedule = ktc.schedules.MinimalDissipation(duration=2.0)
        >>> fit = ktc.learn(net, data, schedule, parameters=("bias", "couplings"), seed=1)
        >>> fit.theta_names, fit.parameters["stiffness"].shape
        (('bias[0]', 'bias[1]', 'couplings[0,1]'), (2, 2))
        >>> net.with_controls(**fit.parameters) == fit.network
        True
    """

    @property
    def duration(self) -> float:
        """T of the schedule."""
        return self.schedule.duration

    @property
    def time(self) -> float:
        """Time up to the last update: less than ``duration`` where the run stopped early."""
        return float(self.history.time[-1])

    @cached_property
    def from_equilibrium(self) -> bool | None:
        """Whether the run is known to have started in equilibrium, as ``Run.from_equilibrium``.

        None of a device that does not know (see ``ktc.Rests``). Where it is False, bounds do not
        apply, and excess works have a ``note``; ``emulator.equilibrate()`` before ``learn`` helps.
        """
        return None if self.rested is None else has_relaxed(self.start.network, self.rested)

    @property
    def error_method(self) -> str:
        """How errors of work, heat and excess works are obtained: all replicas share a controller.

        Value ± stderr contains the mean of many such runs in 68 % of them.

        - "repeated runs": the distance from their mean within which 68 % of 32 to 200 more runs of
          the same loop lie, on exactly drawn moments of as many replicas. Where stiffnesses of a
          linear overdamped network, or bias and stiffness, are learned by a rate: up to 54
          parameters, 20 with F and ζ. It takes one to seven times as long as a run under a
          schedule of ktc, when an error is first asked for.
        - "linear response": of repeated runs with as many replicas, to first order in the noise of
          their averages and of batches, to which the controller reacts: the error by their scatter,
          times a ratio. Slopes are exact for linear networks, of leading order in the speed for
          uncoupled units. Of hidden and of coupled quartic units they are measured on 2000 replicas
          that replay the controls, when an error is first asked for. Strong noise, as of few
          replicas or small batches, makes it larger than the scatter of runs, by up to a third.
        - "independent replicas": by their scatter alone. Of repeated runs under transport and open
          loop; up to several times too small, which the repr says, where the response is not known:
          anticipation, more than 64 moments or parameters, inertia of coupled quartic units, and
          schedules that remember gradients without ``memory_slopes``.
        - "exact": an infinite ensemble.
        """
        if self.readings.variances is not None:
            return "exact"
        return "independent replicas" if self._shared is None else self._shared.name

    @cached_property
    def _shared(self) -> RunErrors | None:
        return repeated_runs(self, self._exact) or shared_controller(self, self._exact)

    def _of_runs(
        self, samples: Array, name: str, account: str | Controls | None = None
    ) -> Estimate:
        """The mean over replicas that share the controller, with the error of repeated runs."""
        found, runs = self._estimate(samples, name), self._shared
        if runs is None or self.readings.variances is not None:
            return found
        error, unit = runs.error(account or name, found.stderr), found.unit
        method = f"mean over replicas; error by {runs.description}"
        return Estimate(
            found.mean, error, samples, method=method, unit=unit, kT=self.kT, ensemble=self.readings
        )

    def _excess_of(self, change: Estimate) -> Estimate:
        return self._excess(self._of_runs(self.readings.work, "work", "excess work"), change)

    def _excess(self, work: Estimate, change: Estimate) -> Estimate:
        note = UNRELAXED if self.from_equilibrium is False else ""
        return work.shifted(-change, note=note)

    @property
    def work(self) -> Estimate:
        """Work done on the network, per replica."""
        return self._of_runs(self.readings.work, "work")

    @property
    def heat(self) -> Estimate:
        """Heat that flowed into the resistors, per replica."""
        return self._of_runs(self.readings.heat, "heat")

    @property
    def positive_phase_work(self) -> Estimate:
        """Work done on the clamped ensemble of a model with hidden units; zero without."""
        return self._of_positive_phase(0)

    @property
    def positive_phase_heat(self) -> Estimate:
        """Heat of the clamped ensemble, that of clamping at the start included; zero without."""
        return self._of_positive_phase(1)

    @cached_property
    def free_energy_change(self) -> Estimate:
        """ΔF = F(θ_final) − F(θ_start), exact, or by Bennett's acceptance ratio."""
        if self._exact.constant:
            return self._exactly(float(self.history.free_energy_change[-1]))
        return self._free_energy_change(self.controls)

    @property
    def excess_work(self) -> Estimate:
        """W_ex = W − ΔF: what the run dissipated, and the bias of the chain's likelihood.

        What the device held beyond F(θ_start) is not in it (see ``from_equilibrium``). The stderr
        is that of repeated runs (``error_method``). ΔF and ``bound`` at the run's own final
        parameters move along with W, so that W_ex differs from ``bound`` by as little as
        √(``variance``/N), the error of independent replicas.
        """
        return self._excess_of(self.free_energy_change)

    @property
    def applied_free_energy_change(self) -> Estimate:
        """ΔF of the controls as realised by a real board; ``free_energy_change`` elsewhere."""
        if self.readings.applied_change is None:
            return self.free_energy_change
        return self._exactly(self.readings.applied_change)

    @property
    def applied_excess_work(self) -> Estimate:
        """W − ΔF of the controls as realised by a real board: what it dissipated.

        ``excess_work`` has the ΔF of its design, and may lie below the bound there. Free energies
        are at the temperature of its resistors, pickup left out.
        """
        return self._excess_of(self.applied_free_energy_change)

    @cached_property
    def completed_excess_work(self) -> Estimate:
        """Excess work with one last jump to the parameters of ``maximum_likelihood``.

        A schedule that stops short of its target dissipates little; schedules are compared by what
        it would have cost to get there. It does not depend on the schedule's own last jump.

        Raises:
            ValueError: where ``maximum_likelihood`` is not available.
        """
        controls, noise = self._maximum
        lag = self.readings.final_forces - self.data_forces
        error = 0.0 if noise is None else float(np.sqrt(lag @ noise @ lag))
        return self.completed(controls).shifted(0.0, error)

    def completed(self, target: Controls | Mapping[str, ArrayLike]) -> Estimate:
        """Excess work with one last jump to given controls, or controls by name as for ``set``."""
        if isinstance(target, Controls):
            controls = target
        else:
            of_type("target", target, Mapping, "ktc.Controls, or a mapping from names to values")
            controls = self.controls.updated(**target)
        if self.readings.variances is not None:
            step = self.learned.vector(controls) - self.theta
            jump = np.array([float(step @ self.readings.final_forces)])
        else:
            state = self.readings.final_state / self.start.scale
            jump = energy_differences(state, self.controls, controls)
        work = self._of_runs(self.readings.work + jump, "", controls)
        return self._excess(work, self._free_energy_change(controls))

    @cached_property
    def _arrival(self) -> Arrival:
        return arrival_of(self)

    @property
    def arrived(self) -> bool | None:
        """Whether the final model is that of greatest likelihood, within the noise of the replicas.

        Noise explains what a model fitted to as many independent samples as there are replicas
        loses, with a false alarm of 1e-4, and 1e-3 nats per sample. False also where the data have
        no model of greatest likelihood. None where that is not available: of a real board, of
        quartic hidden units, and of more than 256 parameters without a closed form.
        """
        return self._arrival.arrived

    @property
    def shortfall(self) -> str:
        """What is missing where ``arrived`` is False, and the remedy, in words; empty elsewhere."""
        return self._arrival.words

    @cached_property
    def gradient_noise_work(self) -> Estimate:
        """What the noise of the gradient adds to ``excess_work``, on average over runs.

        W(N replicas, batches) − W(∞, all data). For the bias of a Gaussian network whose F and ζ
        are closed forms it is exact, by ``theory.expected_learning``: noise of the replicas' mean,
        of batches, and of a real board's readings (steps of its ADC as noise of step²/12), from
        equilibrium at the start and by the design. For any other run it is estimated from the
        scatter of ∂_θH over the replicas, to leading order in the noise and in the relaxation time
        over the duration; without noise of the clamped replicas of hidden units, with batches as
        independent, and noise of a board's readings as its replicas'. For more than 24 parameters
        it is by random probes, whose scatter is the stderr. By transport and open loop it is zero,
        because the noise of the replicas does not steer.

        Raises:
            ValueError: a schedule that is not linear in the gradient, or that anticipates; a run in
                closed form that stopped early; an ensemble of more than twenty million numbers.
        """
        closed = self._exact.whole and not (len(self.hidden) or self.start.network.is_sparse)
        mean, stderr = noise_work_of(self, closed)
        method = "closed form" if stderr is None else "scatter of the replicas"
        return Estimate(mean, stderr or 0.0, method=method, unit=self.symbols.energy, kT=self.kT)

    @cached_property
    def likelihood_bias(self) -> Estimate:
        """Gain of the chain's own objective less the true gain kT Δ(log-likelihood) of the data.

        From the controller's gradients and the model's likelihood, without the ledger; equal to the
        excess work (Hnybida, Verret (2025), arXiv 2510.03137). With hidden units it equals that of
        the replicas less that of the clamped ones, W − ΔF − (W_clamped − ΔF_clamped). With batches
        it also has what an update gained on its own batch more than on all of the data. Exact,
        except for coupled quartic units, whose ΔF is estimated.

        Raises:
            ValueError: hidden units of which any unit of the model has a quartic term.
        """
        history = self.history
        if len(history.path_likelihood_bias):
            return self._exactly(float(history.path_likelihood_bias[-1]))
        start = self.start.network
        theta = np.vstack([self.learned.vector(start.controls), history.theta])
        gains = float(np.sum(history.gradient * np.diff(theta, axis=0)))
        if not len(self.hidden):
            gained = float((theta[-1] - theta[0]) @ self.data_forces)
            return gains + gained - self.free_energy_change
        if self.scatter is None or not (start.is_linear and self.network.is_linear):
            raise ValueError(
                "the likelihood of quartic models with hidden units has no closed form; compare "
                "excess_work instead"
            )
        scale = np.delete(self.start.scale, self.hidden)
        moments = self.data_mean / scale, self.scatter / np.outer(scale, scale)
        before, after = (
            Marginal.of(net, self.hidden).mean_energy(*moments) for net in (start, self.network)
        )
        return gains + (after - before) - self.free_energy_change

    @cached_property
    def bound(self) -> float:
        """Least excess work of reaching this run's final parameters in its duration.

        By the bias where it alone was learned on a Gaussian network (``theory.least_excess_work``),
        and by the sources of a circuit where these were; by any control whatever
        (``theory.wasserstein_bound``) elsewhere. From equilibrium at the first controls: where
        ``from_equilibrium`` is False it does not apply.

        Raises:
            ValueError: inductors, coupled quartic units, inertia where more than the bias was
                learned, or a run whose only update took no time.
        """
        return self._bound(self.controls)

    @cached_property
    def bound_target(self) -> float:
        """Least excess work of reaching the maximum-likelihood parameters, as ``bound``."""
        # Where no bound is available, no maximum is measured for it.
        any_bound = self._exact.known or len(self.hidden)
        return self._bound(self.maximum_likelihood if any_bound else self.controls)

    def _bound(self, controls: Controls) -> float:
        if self.time == 0:
            raise ValueError(
                f"there is no bound for a run that stopped at {self.stopped_early}, whose only "
                "update took no time; lower the rate, or take more ticks"
            )
        return self._exact.bound(controls, self.time)

    @cached_property
    def _measured(self) -> list[tuple[Controls, Estimate]]:
        """Measured free energy changes, so that excess works know which one they share."""
        return []

    def _free_energy_change(self, controls: Controls) -> Estimate:
        before = self.start.network.controls
        if self._exact.known:
            change = self._exact.free_energy_change(before, controls)
            return self._exactly(change, self._exact.method or "")
        for known, found in self._measured:
            if known == controls:
                return found
        after = replace(self.start, network=self.start.network.with_controls(controls))
        found = free_energy_difference(self.start, after, seed=self.seed)
        self._measured.append((controls, found))
        return found

    def plot(self, *, figsize: tuple[float, float] | None = None) -> Figure:
        """Draw parameters, gradient and energies over time, as ``ktc.plot.draw_fit``."""
        return draw_fit(self, figsize)

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "device": None}

    def _exactly(
        self, value: float, method: str = "closed form", variance: float | None = None
    ) -> Estimate:
        unit = self.symbols.energy
        return Estimate.exact(value, method=method, unit=unit, kT=self.kT, variance=variance)

    def _estimate(self, samples: Array, name: str = "", ensemble: object = None) -> Estimate:
        if self.readings.variances is not None:
            variance = self.readings.variances.get(name)
            return self._exactly(float(samples[0]), INFINITE, variance)
        unit, kT = self.symbols.energy, self.kT
        replicas = self.readings if ensemble is None else ensemble
        return Estimate.of_samples(samples, unit=unit, kT=kT, ensemble=replicas)

    def _of_positive_phase(self, which: int) -> Estimate:
        found = self.readings.positive
        if found is None:
            return self._exactly(0.0, "no hidden units")
        return self._estimate(found[which], ensemble=found)

    def __repr__(self) -> str:
        spent, elsewhere = f"work {self.work}", self.from_equilibrium is False
        if self._exact.constant or self.rule == "transport":
            known = self.start.network.has_friction and self.time > 0
            bound = f"{self.bound:.6g}" if known else "not available"
            bound = "not applicable" if elsewhere else bound
            spent = f"excess work {self.excess_work}, bound {bound}"
        elif elsewhere:
            spent += f", {UNRELAXED}"
        stopped = f", stopped early at {self.stopped_early}" if self.stopped_early else ""
        missed = f", not arrived: {self.shortfall}" if self.arrived is False else ""
        learned = " and ".join(self.learned.names)
        apart = ", errors as of independent replicas" if unknown_response(self) else ""
        return f"<ktc.Fit: {learned} by {self.schedule!r}, {spent}{apart}{stopped}{missed}>"
