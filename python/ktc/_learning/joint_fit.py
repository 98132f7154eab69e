"""A fit of any parameters: what was reached, what it cost, and how that is known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ktc._base import storage
from ktc._base.estimate import Estimate
from ktc._base.units import Units
from ktc._base.validation import Array
from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning import schedules
from ktc._learning.averages import energy_differences
from ktc._learning.fit import Fit
from ktc._learning.gradient_noise import FEW, LARGEST_STATE
from ktc._learning.joint_fit_figure import draw_joint_fit
from ktc._learning.joint_history import JointHistory
from ktc._learning.metrics.calibration_report import CalibrationReport
from ktc._learning.metrics.equilibria import measured_maximum_likelihood
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.likelihood import maximum_likelihood
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._theory.least_work import least_excess_work
from ktc._theory.wasserstein import wasserstein_bound


class JointFit(Fit):
    """Result of ``ktc.learn`` of couplings, quartic terms, hidden or quartic units; see ``Fit``.

    Energies are in joules on a Board or a compiled circuit, in the unit of kT on a Network.

    Attributes:
        start: the device as it was before.
        schedule: the schedule, with its duration.
        learned: the parameters that were learned, a ``theory.Parameters``.
        data_forces: ⟨∂_θH⟩ over the data, shape (p,); of hidden units' parameters over the clamped
            ensemble at the end.
        hidden: numbers of the hidden units.
        stopped_early: why the run ended before its time, with its tick, and None where it did not:
            then history, energies and parameters are those up to the last good update.
        calibration: what measuring F and ζ cost, book work and excess work, and how well
            conditioned they were (``CalibrationReport``); None where they are exact or nobody asked
            for them.
        history: records of all updates, a ``JointHistory``.
        device, seed, version, imperfections: as of a Fit.
    """

    history: JointHistory  # type: ignore[assignment]

    def __init__(
        self,
        *,
        learned: Parameters,
        mask: Mapping[str, Array],
        hidden: Array,
        data_forces: Array,
        final_forces: Array,
        calibration: CalibrationReport | None,
        positive: tuple[Array, Array] | None,
        **others: Any,
    ) -> None:
        super().__init__(parameter=" and ".join(learned.names), **others)
        self.learned, self.hidden = learned, hidden
        self.data_forces, self._final_forces = data_forces, final_forces
        self.calibration = calibration
        self._mask, self._positive = dict(mask), positive
        self._exact = ExactModel(self.start, learned)

    @property
    def parameters(self) -> dict[str, Array]:
        """Values reached, by name, in public units; couplings row by row of the upper triangle.

        ``controls`` has them as whole arrays.
        """
        return self.learned.split(self.history.parameters[-1])

    @cached_property
    def controls(self) -> Controls:
        """All controls at the end."""
        return self.learned.controls(self.history.parameters[-1], self.start.network.controls)

    @cached_property
    def free_energy_change(self) -> Estimate:
        """ΔF = F(θ_final) − F(θ_start), exact, or by Bennett's acceptance ratio."""
        return self._free_energy_change(self.controls)

    @property
    def excess_work(self) -> Estimate:
        """W_ex = W − ΔF: what the run dissipated; see ``Fit.excess_work``."""
        change = self.free_energy_change
        return self.work.shifted(-change.mean, change.stderr)

    @property
    def positive_phase_work(self) -> Estimate:
        """Work done on the clamped ensemble of a model with hidden units; zero without."""
        return self._positive_estimate(0)

    @property
    def positive_phase_heat(self) -> Estimate:
        """Heat of the clamped ensemble, that of clamping it at the start included."""
        return self._positive_estimate(1)

    @property
    def maximum_likelihood(self) -> Controls:
        """Controls of the greatest likelihood of the data, in closed form or by quadrature.

        Of coupled quartic units measured, on 10,000 replicas that search it by Newton's method when
        it is first asked for: within the noise of their averages, kT F⁻¹/10,000.

        Raises:
            ValueError: hidden units, data that no confined model reaches, more than 256 parameters
                to be measured.
        """
        return self._maximum[0]

    @cached_property
    def _maximum(self) -> tuple[Controls, Array]:
        """The same with the covariance of its noise."""
        if len(self.hidden):
            raise ValueError(
                "the likelihood of a model with hidden units has no single maximum; give "
                "completed(...) the controls that are meant"
            )
        if not self._exact.known:
            return measured_maximum_likelihood(self._exact, self.data_forces, self.seed)
        size = self.learned.size
        return maximum_likelihood(self._exact, self.data_forces), np.zeros((size, size))

    @property
    def completed_excess_work(self) -> Estimate:
        """Excess work with one last jump to the maximum-likelihood parameters: W_ex at θ_ML.

        Jumps at held state add up, so that it does not depend on the schedule's own last jump.
        """
        controls, noise = self._maximum
        lag = self._final_forces - self.data_forces
        return self.completed(controls).shifted(0.0, float(np.sqrt(lag @ noise @ lag)))

    def completed(self, target: Controls | Mapping[str, ArrayLike]) -> Estimate:
        """Excess work with one last jump to given controls.

        Args:
            target: Controls, or controls by name as ``set`` takes them.
        """
        controls = target if isinstance(target, Controls) else self.controls.updated(**target)
        if self._variances is not None:
            step = self.learned.vector(controls) - self.history.parameters[-1]
            jump = np.array([float(step @ self._final_forces)])
        else:
            state = self._final_state / self.start.scale
            jump = energy_differences(state, self.controls, controls)
        change = self._free_energy_change(controls)
        return self._estimate(self._work + jump).shifted(-change.mean, change.stderr)

    @property
    def gradient_noise_work(self) -> Estimate:
        """What the noise of the gradient adds to ``excess_work``, from the replicas' scatter.

        Σ over updates of tr(G C)/N + ½ tr(F G C Gᵀ)/N, with Δθ = G g, C the covariance of ∂_θH over
        the replicas and F = C/kT; and of batches Σ ½ tr(F G D Gᵀ), D their means' covariance. It is
        of leading
        order in the noise and in the relaxation time over the duration, a few per cent too low
        where that is one. Noise of the clamped replicas of hidden units is left out, batches
        count as independent, which is too much where an epoch is shorter than the relaxation,
        and noise of a board's readings counts as its replicas'. Of more than 24 parameters by
        random probes, whose scatter is the stderr.

        Raises:
            ValueError: a schedule whose pace depends on earlier gradients or that anticipates; an
                ensemble of more than twenty million numbers.
        """
        rows = self.history.noise_work
        if len(rows) == 0:
            raise ValueError(
                f"the noise's work is not known of this run under {self.schedule!r}: it is of "
                "updates that are linear in the gradient, and of ensembles of up to "
                f"{LARGEST_STATE} numbers; compare runs of several numbers of replicas"
            )
        error = 0.0
        looked = rows[rows != 0]
        if self.learned.size > FEW and len(looked):
            # Neighbours differ by the scatter of their probes alone, but for the jumps at the ends.
            inner = looked[1:-1]
            share = np.diff(inner) ** 2 / (inner[1:] ** 2 + inner[:-1] ** 2)
            error = float(np.sqrt(share.mean() * np.sum(looked**2))) if len(share) else np.inf
        return Estimate(
            float(rows.sum()), error, method="scatter of the replicas",
            unit=self.symbols.energy, kT=self.kT,
        )  # fmt: skip

    @property
    def likelihood_bias(self) -> float:
        """Gain of the chain's own objective less the true gain; see ``Fit.likelihood_bias``."""
        return float(self.history.likelihood_bias[-1])

    @cached_property
    def bound(self) -> float:
        """Least excess work of reaching this run's final parameters in its duration.

        By the bias where it alone was learned on a Gaussian network; by any control whatever
        (``theory.wasserstein_bound``) elsewhere.

        Raises:
            ValueError: coupled quartic units, inertia.
        """
        return self._bound(self.controls)

    @cached_property
    def bound_target(self) -> float:
        """Least excess work of reaching the maximum-likelihood parameters, as ``bound``."""
        # Where there is no bound at all, no maximum is measured for it.
        known = self._exact.known or len(self.hidden)
        return self._bound(self.maximum_likelihood if known else self.controls)

    def _bound(self, controls: Controls) -> float:
        if self.learned.names == ("bias",) and self._exact.method == "closed form":
            return least_excess_work(self.start, controls.bias, self._time_of_bounds)
        return wasserstein_bound(self.start, self._at(controls), self._time_of_bounds)

    def _at(self, controls: Controls) -> Described:
        net = self.start.network.with_controls(controls)
        return Described(net, self.start.scale, self.start.symbols)

    def _free_energy_change(self, controls: Controls) -> Estimate:
        before = self.start.network.controls
        if self._exact.known:
            method = self._exact.method or ""
            change = self._exact.free_energy_change(before, controls)
            return Estimate.exact(change, method=method, unit=self.symbols.energy, kT=self.kT)
        return free_energy_difference(self.start, self._at(controls), seed=self.seed)

    def _positive_estimate(self, which: int) -> Estimate:
        if self._positive is None:
            return Estimate.exact(0.0, method="no hidden units", unit=self.symbols.energy)
        samples = self._positive[which]
        return Estimate.of_samples(samples, unit=self.symbols.energy, kT=self.kT)

    def plot(self, **options: Any) -> Any:
        """Draws energies and parameters over time; returns a matplotlib Figure."""
        return draw_joint_fit(self, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves everything but the device, with seed and version."""
        name = self.schedule.name
        if type(self.schedule) is not getattr(schedules, name, None):
            raise ValueError(
                f"schedule {name} is not one of ktc.schedules, so a saved fit could not bring it "
                "back"
            )
        arrays = {f"network_{k}": v for k, v in self.start.network.as_dict().items()}
        arrays |= {f"history_{k}": v for k, v in vars(self.history).items()}
        arrays |= {f"mask_{k}": v for k, v in self._mask.items()}
        if self._positive is not None:
            arrays |= {"positive_work": self._positive[0], "positive_heat": self._positive[1]}
        report = None
        if self.calibration is not None:
            report, measured = self.calibration.as_parts()
            arrays |= {f"calibration_{k}": v for k, v in measured.items()}
        arrays |= {
            "scale": self.start.scale, "data_mean": self.data_mean, "work": self._work,
            "heat": self._heat, "final_state": self._final_state, "hidden": self.hidden,
            "data_forces": self.data_forces, "final_forces": self._final_forces,
        }  # fmt: skip
        header = {
            "schedule": name, "arguments": self.schedule.arguments,
            "names": list(self.learned.names), "samples": self.samples, "seed": self.seed,
            "symbols": vars(self.symbols), "stopped_early": self.stopped_early,
            "variances": self._variances, "batch": self.batch, "calibration": report,
            "imperfections": self.imperfections.as_dict() if self.imperfections else None,
            "applied_change": self._applied_change,
        }  # fmt: skip
        storage.save(path, "JointFit", header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> JointFit:
        """The fit that was saved.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is truncated, of another kind, or of another format.
        """
        header, arrays = storage.load(path, "JointFit")
        with storage.rebuilding(path):
            network = Network.from_dict(storage.part(arrays, "network_"))
            start = Described(network, arrays["scale"], Units(**header["symbols"]))
            mask = storage.part(arrays, "mask_")
            positive = storage.part(arrays, "positive_")
            report, kT = header.get("calibration"), network.common_kT
            spec = header.get("imperfections")
            measured = storage.part(arrays, "calibration_")
            return cls(
                learned=Parameters(start, header["names"], mask or None), mask=mask,
                hidden=arrays["hidden"].astype(np.intp), data_forces=arrays["data_forces"],
                final_forces=arrays["final_forces"], stopped_early=header["stopped_early"],
                calibration=report
                and CalibrationReport.from_parts(report, measured, start.symbols.energy, kT),
                positive=(positive["work"], positive["heat"]) if positive else None,
                start=start,
                schedule=getattr(schedules, header["schedule"])(**header["arguments"]),
                data_mean=arrays["data_mean"], samples=header["samples"], work=arrays["work"],
                heat=arrays["heat"], final_state=arrays["final_state"],
                history=JointHistory(**storage.part(arrays, "history_")), seed=header["seed"],
                version=header["version"], variances=header["variances"],
                batch=header.get("batch"), imperfections=Imperfections(**spec) if spec else None,
                applied_change=header.get("applied_change"),
            )  # fmt: skip

    def __repr__(self) -> str:
        stopped = f", stopped early at {self.stopped_early}" if self.stopped_early else ""
        return f"<ktc.JointFit: {self.schedule!r} of {self.learned!r}, work {self.work}{stopped}>"
