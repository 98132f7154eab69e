"""A fit: the parameters that a learner reached, and the energy that it spent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ktc._base import storage
from ktc._base.estimate import INFINITE, Estimate
from ktc._base.units import Units
from ktc._base.validation import Array
from ktc._learning import schedules
from ktc._learning.fit_figure import draw_fit
from ktc._learning.history import History
from ktc._learning.metrics.calibration_report import CalibrationReport
from ktc._learning.planning.expected_learning import Costs, Deals, expected_of
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network
from ktc._theory.gaussian import bias_free_energy
from ktc._theory.least_work import least_excess_work


class Fit:
    """Result of ``ktc.learn``. Energies are in joules on a Board, in the unit of kT on a Network.

    Of an infinite ensemble, estimates are its exact means, with ``variance`` where it is known.

    Attributes:
        start: the device as it was before: network at its initial controls, scale, symbols.
        schedule: the schedule, with its duration.
        parameter: what was learned, "bias" or "center".
        data_mean: mean of the data in the public state, shape (d,).
        samples: number of data samples.
        batch: how many of them each update saw; None for all.
        history: records of all updates.
        device: the device as the run left it, to go on with or to draw samples from; None in a
            loaded, pickled or copied fit, which would not have it to itself.
        seed, version: what reproduces it.
        imperfections: of the real board that learned, with its seed; None elsewhere. Then ΔF,
            excess work and bounds are by its drawing, as its controller knows them; work and heat
            are its own, and so is what is called applied.
        calibration: what measuring F and ζ cost; None, as they are in closed form here.
        stopped_early: why the run ended before its time, with its tick, and None where it did not:
            then history, energies and parameters are those up to the last good update.
    """

    calibration: CalibrationReport | None = None

    def __init__(
        self,
        *,
        start: Described,
        schedule: schedules.Schedule,
        parameter: str,
        data_mean: Array,
        samples: int,
        work: Array,
        heat: Array,
        final_state: Array,
        history: History,
        seed: int | None,
        device: Any = None,
        version: str = storage.VERSION,
        imperfections: Imperfections | None = None,
        applied_change: float | None = None,
        variances: Mapping[str, float] | None = None,
        batch: int | None = None,
        scatter: Array | None = None,
        stopped_early: str | None = None,
    ) -> None:
        self._variances = variances
        self._scatter = scatter
        self.stopped_early = stopped_early
        self.start = start
        self.schedule = schedule
        self.parameter = parameter
        self.data_mean = data_mean
        self.samples, self.batch = samples, batch
        self.history = history
        self.seed = seed
        self.device = device
        self.version = version
        self.imperfections = imperfections
        self._applied_change = applied_change
        self._work = work
        self._heat = heat
        self._final_state = final_state

    @property
    def symbols(self) -> Units:
        """Unit symbols of the public face."""
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
    def _time_of_bounds(self) -> float:
        if self.time == 0:
            raise ValueError(
                f"there is no bound of a run that stopped at {self.stopped_early}, whose only "
                "update took no time; lower the rate, or take more ticks"
            )
        return self.time

    @property
    def parameters(self) -> dict[str, Array]:
        """Values reached, by name, in public units, shape (d,)."""
        return {self.parameter: self.history.parameters[-1]}

    @property
    def controls(self) -> Controls:
        """All controls at the end."""
        return self.start.network.controls.updated(bias=self.history.bias[-1])

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
    def free_energy_change(self) -> Estimate:
        """ΔF = F(θ_final) − F(θ_start), in closed form."""
        change = float(self.history.free_energy_change[-1])
        return Estimate.exact(change, unit=self.symbols.energy, kT=self.kT)

    @property
    def excess_work(self) -> Estimate:
        """W_ex = W − ΔF: what the run dissipated, and the bias of the chain's likelihood.

        What it dissipated from equilibrium at the start, where ``learn`` made the device: one that
        ran before may hold free energy beyond F(θ_start), which this does not count.

        The stderr is that of independent replicas. They share a controller that reacts to their
        mean, so that over repeated runs W_ex scatters by 1.2 to 1.9 times as much; compared with
        ``bound``, which is at the run's own parameters, by as much as it says.
        """
        return self.work.shifted(-self.free_energy_change.mean)

    @property
    def applied_free_energy_change(self) -> Estimate:
        """ΔF of what a real board applied; ``free_energy_change`` elsewhere."""
        if self._applied_change is None:
            return self.free_energy_change
        return Estimate.exact(self._applied_change, unit=self.symbols.energy, kT=self.kT)

    @property
    def applied_excess_work(self) -> Estimate:
        """W − ΔF of what a real board applied: what it dissipated.

        ``excess_work`` has the ΔF of its drawing, and may lie below the bound there. Free energies
        are those of its resistors' temperature, pickup left out.
        """
        return self.work.shifted(-self.applied_free_energy_change.mean)

    @property
    def completed_excess_work(self) -> Estimate:
        """Excess work with one last jump to the maximum-likelihood parameters: W_ex at θ_ML.

        A schedule that stops short of its target dissipates little; this is what it would have
        cost to get there, and what schedules are compared by.
        """
        target = self._target_bias
        jump = -(self._final_state / self.start.scale) @ (target - self.history.bias[-1])
        ends = bias_free_energy(self.start, np.stack([target, self.start.network.bias]))
        return self._estimate(self._work + jump - (ends[0] - ends[1]))

    @property
    def gradient_noise_work(self) -> Estimate:
        """What the noise of the gradient adds to ``excess_work``, on average over runs.

        W(N replicas, batches) − W(∞, all data), exact, by ``theory.expected_learning``: the noise
        of the replicas' mean, of batches, and of the readings of a real board (the steps of its
        ADC as noise of step²/12), from equilibrium at the start and by the drawing. It falls as
        1/N but for the batches' part.

        Raises:
            ValueError: a schedule that is not linear in the gradient; a run that stopped early.
        """
        if self.stopped_early:
            raise ValueError(
                f"the noise's work is that of a whole run, but this one stopped at "
                f"{self.stopped_early}"
            )
        value = self._noise.excess_work
        return Estimate.exact(value, unit=self.symbols.energy, kT=self.kT)

    @cached_property
    def _noise(self) -> Costs:
        deals = None
        if self.batch is not None and self._scatter is not None:
            deals = Deals(self._scatter, self.samples, self.batch)
        spec = self.imperfections
        reading = 0.0 if spec is None else float(np.hypot(spec.adc_noise, spec.adc.step / 12**0.5))
        ticks = len(self.history.time) - 1
        found = expected_of(
            self.start, self.schedule, self.parameter, ticks, self.data_mean, deals, reading
        )
        return found.noise(np.inf if self._variances is not None else len(self._work))

    @property
    def likelihood_bias(self) -> float:
        """Gain of the chain's own objective less the true gain kT Δ(log-likelihood) of the data.

        From the controller's gradients and the closed form of the likelihood alone, without the
        ledger; equal to the excess work (Hnybida, Verret (2025), arXiv 2510.03137), which is
        positive on average where the device started in equilibrium. With batches it has beside
        that what an update gained on its own batch more than on all of the data.
        """
        return float(self.history.likelihood_bias[-1])

    @cached_property
    def bound(self) -> float:
        """Least excess work of reaching this run's final bias in its duration by the bias.

        From equilibrium at the controls that the device had at the start: a running device that
        was not there may spend less, or more.

        Raises:
            ValueError: a circuit with inductors, for which there is no closed form.
        """
        return least_excess_work(self.start, self.history.bias[-1], self._time_of_bounds)

    @cached_property
    def bound_target(self) -> float:
        """Least excess work of reaching the maximum-likelihood bias of the data, K⟨x⟩.

        From equilibrium at the start, as ``bound``.
        """
        return least_excess_work(self.start, self._target_bias, self._time_of_bounds)

    @cached_property
    def _target_bias(self) -> Array:
        return self.start.network.stiffness @ (self.data_mean / self.start.scale)

    def plot(self, **options: Any) -> Any:
        """Draws parameters, gradient and energies over time; returns a matplotlib Figure.

        Args:
            **options: ``figsize`` in inches.
        """
        return draw_fit(self, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves everything but the device, with seed and version.

        Raises:
            ValueError: a schedule that is not one of ktc.schedules.
        """
        name = self.schedule.name
        if type(self.schedule) is not getattr(schedules, name, None):
            raise ValueError(
                f"schedule {name} is not one of ktc.schedules, so a saved fit could not bring it "
                "back"
            )
        arrays = {f"network_{k}": v for k, v in self.start.network.as_dict().items()}
        arrays |= {f"history_{k}": v for k, v in vars(self.history).items()}
        arrays |= {
            "scale": self.start.scale,
            "data_mean": self.data_mean,
            "work": self._work,
            "heat": self._heat,
            "final_state": self._final_state,
        }
        header = {
            "schedule": name,
            "arguments": self.schedule.arguments,
            "parameter": self.parameter,
            "samples": self.samples,
            "batch": self.batch,
            "seed": self.seed,
            "symbols": vars(self.symbols),
            "imperfections": self.imperfections.as_dict() if self.imperfections else None,
            "applied_change": self._applied_change,
            "variances": self._variances,
            "stopped_early": self.stopped_early,
        }
        if self._scatter is not None:
            arrays["scatter"] = self._scatter
        storage.save(path, "Fit", header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Fit:
        """The fit that was saved.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is truncated, of another kind, or of another format.
        """
        header, arrays = storage.load(path, "Fit")
        with storage.rebuilding(path):
            spec = header.get("imperfections")
            return cls(
                start=Described(
                    Network.from_dict(storage.part(arrays, "network_")),
                    arrays["scale"],
                    Units(**header["symbols"]),
                ),
                schedule=getattr(schedules, header["schedule"])(**header["arguments"]),
                parameter=header["parameter"],
                data_mean=arrays["data_mean"],
                samples=header["samples"],
                work=arrays["work"],
                heat=arrays["heat"],
                final_state=arrays["final_state"],
                history=History(**storage.part(arrays, "history_")),
                seed=header["seed"],
                version=header["version"],
                imperfections=Imperfections(**spec) if spec else None,
                applied_change=header.get("applied_change"),
                variances=header.get("variances"),
                batch=header.get("batch"),
                scatter=arrays.get("scatter"),
                stopped_early=header.get("stopped_early"),
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "device": None}

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

    def __repr__(self) -> str:
        known = self.start.network.has_friction and self.time > 0
        bound = f"bound {self.bound:.6g}" if known else "bound not known"
        stopped = f", stopped early at {self.stopped_early}" if self.stopped_early else ""
        return f"<ktc.Fit: {self.schedule!r}, excess work {self.excess_work}, {bound}{stopped}>"
