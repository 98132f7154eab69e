"""The model that a run learned: its parameters, its likelihood, and samples of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ktc._base.cached import cached_property
from ktc._base.estimate import Estimate
from ktc._base.files import VERSION, Storable
from ktc._base.resources import allocating
from ktc._base.units import Units
from ktc._base.validation import Array, count, random_seed
from ktc._emulation.emulator import Emulator
from ktc._learning.history import History, Readings
from ktc._learning.metrics.equilibria import likelihood_maximum
from ktc._learning.metrics.exact_model import ExactModel
from ktc._learning.metrics.settings import CalibrationReport
from ktc._learning.model_likelihood import score
from ktc._learning.schedule import Schedule
from ktc._model.conditional import Split, held_values
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.device import Device
from ktc._model.imperfections import Imperfections
from ktc._model.network import Network
from ktc._model.parameters import CONTROL_OF, Parameters
from ktc._tasks.infer import infer
from ktc._tasks.inference import Inference


@dataclass(eq=False, repr=False)
class LearnedModel(Storable):
    """What ``ktc.learn`` learned, on what, and its records; attributes as of ``ktc.Fit``."""

    start: Described
    schedule: Schedule
    learned: Parameters
    hidden: NDArray[np.intp]
    data_mean: Array
    data_forces: Array
    samples: int
    readings: Readings
    history: History
    seed: int | None
    batch: int | None = None
    scatter: Array | None = None
    batch_scatter: Array | None = None
    calibration: CalibrationReport | None = None
    stopped_early: str | None = None
    rested: float | None = None
    rule: str = ""
    imperfections: Imperfections | None = None
    version: str = VERSION
    device: Device | None = None

    @cached_property
    def _exact(self) -> ExactModel:
        return ExactModel(self.start, self.learned)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the run."""
        return self.stopped_early is not None and self.stopped_early.endswith(": interrupted")

    @property
    def symbols(self) -> Units:
        """Unit symbols of the public state and of energies."""
        return self.start.symbols

    @property
    def kT(self) -> float:
        """Thermal energy of the run."""
        return self.start.network.common_kT

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
        them. A center is a bias here, b = Kλ; λ itself is ``theta``. Sources of a circuit have
        their values by name, V or A, which ``set`` of the circuit's emulators takes.
        """
        kinds = ("bias",) if self.learned.by_bias else self.learned.names
        names = dict.fromkeys(CONTROL_OF.get(name, name) for name in kinds)
        whole = {name: np.array(getattr(self.controls, name)) for name in names}
        return self.learned.named(self.theta, whole)

    @cached_property
    def controls(self) -> Controls:
        """All controls at the end."""
        return self.learned.controls(self.theta, self.start.network.controls)

    @property
    def network(self) -> Network:
        """The learned model: the network at the final controls."""
        return self.start.network.with_controls(self.controls)

    @property
    def maximum_likelihood(self) -> Controls:
        """Controls of the greatest likelihood of the data, in closed form or by quadrature.

        For coupled quartic units it is measured on first use, by Newton's method on 10,000
        replicas, to within the noise of their averages, kT F⁻¹/10,000.

        Raises:
            ValueError: hidden units, data that no confined model reaches, more than 256 parameters
                to measure.
        """
        return self._maximum[0]

    @cached_property
    def _maximum(self) -> tuple[Controls, Array | None]:
        """The same with the covariance of its noise, None where it has none."""
        return likelihood_maximum(self._exact, self.data_forces, len(self.hidden), self.seed)

    def sample(self, samples: int, seed: int | None = None) -> Array:
        """Draw states of the visible units from the learned model, shape (samples, visible).

        They are in the units of the data: what replicas left alone at ``network`` would show.

        Args:
            samples: number of independent samples.
            seed: of the draw; None for another one each time.

        Example:
            >>> import ktc
            >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
            >>> fit = ktc.learn(ktc.Network(1.0, 1.0), 5.0, schedule, replicas=1000, seed=1)
            >>> fit.sample(3, seed=1).shape
            (3, 1)
        """
        with allocating("samples", count("samples", samples)):
            emulator = Emulator(self._model, samples, random_seed(seed))
            return np.delete(emulator.read(), self.hidden, axis=1)

    def score(self, data: ArrayLike) -> Estimate:
        """Return the log-likelihood ln p(v) of data under the learned model, in nats per sample.

        Hidden units are integrated out. Exact for Gaussian models and by quadrature for units
        without couplings; for coupled quartic units ln Z is estimated, by Bennett's acceptance
        ratio, from that of the units without their couplings.

        Args:
            data: as of ``learn``; of the visible units.

        Raises:
            ValueError: data of another width, and hidden units with quartic terms.

        Example:
            >>> import ktc
            >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
            >>> fit = ktc.learn(ktc.Network(1.0, 1.0), 5.0, schedule, replicas=1000, seed=1)
            >>> print(f"{fit.score([[5.0], [6.0]]):.1f}")
            -1.2
        """
        return score(self._model, self.hidden, data, self.seed)

    def condition(self, units: ArrayLike, values: ArrayLike) -> Described:
        """Return the learned model of the other units while ``units`` are held.

        Args:
            units: number of each unit that is held.
            values: scalar or one per held unit, in the units of the data.

        Raises:
            ValueError, TypeError: as ``Network.conditioned``.

        Example:
            >>> import ktc
            >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
            >>> net, data = ktc.Network([[2.0, -1.0], [-1.0, 1.0]], 1.0), [[5.0, 6.0]]
            >>> fit = ktc.learn(net, data, schedule, replicas=1000, seed=1)
            >>> emulator = ktc.Emulator(fit.condition(0, 5.0), replicas=1000, seed=2)
            >>> emulator.read().mean().round(1)
            np.float64(6.0)
        """
        split = Split.of(units, self.start.network.units)
        held = held_values("values", values, split) / self.start.scale[split.held]
        network = self.network.conditioned(units, held)
        return Described(network, self.start.scale[split.moving], self.symbols)

    def infer(
        self,
        inputs: tuple[ArrayLike, ArrayLike],
        outputs: ArrayLike | None,
        duration: float,
        replicas_per_input: int = 1,
        *,
        labels: ArrayLike | None = None,
        state: ArrayLike | None = None,
        seed: int | None = None,
        threads: int | None = None,
        chunk: int | None = None,
    ) -> Inference:
        """Hold inputs on units of the learned model, run, and read the outputs, by ``ktc.infer``.

        States are in the units of the data; without ``outputs`` all visible units are read that
        move.

        Example:
            >>> import ktc
            >>> schedule = ktc.schedules.MinimalDissipation(duration=1.0)
            >>> net, data = ktc.Network([[2.0, -1.0], [-1.0, 1.0]], 1.0), [[5.0, 6.0]]
            >>> fit = ktc.learn(net, data, schedule, replicas=1000, seed=1)
            >>> fit.infer(([0], [[5.0], [6.0]]), [1], 10.0, 1000, seed=2).mean.round(1).tolist()
            [[6.0], [7.0]]
        """
        if outputs is None and len(self.hidden):
            visible = np.setdiff1d(np.arange(self.start.network.units), self.hidden)
            outputs = np.setdiff1d(visible, inputs[0])
        return infer(
            self._model, inputs, outputs, duration, replicas_per_input, labels=labels, state=state,
            seed=seed, threads=threads, chunk=chunk,
        )  # fmt: skip

    @property
    def _model(self) -> Described:
        return replace(self.start, network=self.network)
