"""A run: what a protocol cost, and what was recorded while it played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ktc._base.cached import cached_property
from ktc._base.codec import register
from ktc._base.estimate import INFINITE, Estimate
from ktc._base.files import VERSION, Storable
from ktc._base.lazy_samples import LazySamples
from ktc._base.units import Units
from ktc._base.validation import Array, choice, count, frozen, of_shape
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._emulation.run_figure import draw_run
from ktc._emulation.run_statistics import RunStatistics, Spectrum, welch_spectrum
from ktc._model.accounts import NET_HEAT, TOGETHER, require_kept
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.imperfections import Imperfections
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._theory.free_energies import (
    coupled_nonlinear,
    free_energy_change,
    method_of,
    refuse_driven_run,
)
from ktc._theory.relaxation import UNRELAXED, has_relaxed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Run(Storable):
    """Accounts and records of one protocol, starting at zero where it starts; read-only.

    Estimates for ``replicas=math.inf`` are exact means, with ``variance`` where it is known.
    Samples are read from the emulator's ledger when they are asked for, and take memory of their
    own once it moves on: 8 bytes per replica for each account that is still held then.

    Attributes:
        protocol: what the device did, also called ``applied``.
        programmed: what the device was told to do: the same, except on a real board, or where
            sources of a circuit are driven by name, and no elements.
        imperfections: of the real board, with its seed; None without hardware.
        network: the physics it was played on.
        initial_controls, final_controls: controls before the first and after the last update.
        seed, version: what reproduces it; the seed is None for an infinite ensemble.
        rested: time that the replicas had been left alone at the initial controls, infinite where
            they were drawn in equilibrium at these; see ``from_equilibrium``.
        times: times of the records since the start of the protocol, shape (points,).
        accounts: names of the accounts that were kept; None for all. Others raise ValueError, and
            so do ``heat_per_resistor`` and ``entropy_flow`` without ``resolve_heat``.
        series: the recorded quantities by name; memory maps where they went to disk.
        symbols: unit symbols.
    """

    _samples: dict[str, LazySamples]
    _variances: Mapping[str, float] | None = None
    _statistics: RunStatistics | None = None
    _sources: Array | None = None  # what the emulator remembered at the start
    protocol: Protocol
    programmed: Protocol
    imperfections: Imperfections | None = None
    network: Network
    initial_controls: Controls
    final_controls: Controls
    symbols: Units
    seed: int | None
    version: str = VERSION
    rested: float
    times: Array
    accounts: tuple[str, ...] | None = None
    series: dict[str, Array]

    @property
    def infinite(self) -> bool:
        """Whether estimates are exact means over an infinite ensemble."""
        return self._variances is not None

    @cached_property
    def from_equilibrium(self) -> bool:
        """Whether the protocol is known to have started in equilibrium at the initial controls.

        In the stationary state, where temperatures differ. True where the replicas were drawn in
        it, and where a linear network had rested for ten of its slowest relaxation times. False
        after an update, after ``write``, and for quartic or sparse networks that had rested only:
        ``emulator.equilibrate()`` draws them in equilibrium.
        """
        return has_relaxed(self.network.with_controls(self.initial_controls), self.rested)

    @property
    def applied(self) -> Protocol:
        """What the device did; on a board quantised, with errors, cut where outputs settled."""
        return self.protocol

    @property
    def duration(self) -> float:
        """Total time of the protocol."""
        return self.protocol.duration

    @property
    def statistics(self) -> RunStatistics:
        """Statistics of the state that were requested by ``statistics=``; ValueError without."""
        if self._statistics is None:
            raise ValueError(
                "no statistics were gathered; play with statistics=ktc.Statistics(...)"
            )
        return self._statistics

    @property
    def voltage_moments(self) -> Moments:
        """Mean and covariance of the node voltages of a circuit over all that was observed.

        They follow from ``statistics``, gathered with ``covariance=True`` at held controls.

        Raises:
            ValueError: no circuit, no such statistics, or a protocol that drives controls.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 1\\nR1 in a 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit, replicas=100, seed=1)
            >>> rest = ktc.Protocol([1e-6] * 100, {})
            >>> run = emulator.play(rest, statistics=ktc.Statistics(covariance=True))
            >>> run.voltage_moments.mean.round(4)
            array([1., 1.])
        """
        if not isinstance(self.network, CompiledCircuit):
            raise ValueError(f"voltage_moments needs a run of a circuit, but is of {self.network}")
        driven = self.protocol.controls or self.programmed.controls  # sources may act on no control
        if driven:
            raise ValueError(
                f"voltage_moments needs held controls, but the protocol drives "
                f"{', '.join(driven)}; record 'voltage_mean'"
            )
        found = Moments(self.statistics.mean, lambda: self.statistics.covariance)
        theta = self.network.present_values(self.initial_controls, {}, self._sources)[0]
        return self.network.moments_at(found, self.initial_controls, theta)

    @property
    def work(self) -> Estimate:
        """Work done on the network, per replica."""
        return self._estimate(self._kept("work"), "work")

    @property
    def heat(self) -> Estimate:
        """Heat that flowed into the resistors, per replica."""
        return self._estimate(self._kept("heat"), "heat")

    @property
    def net_heat(self) -> Estimate:
        """Heat less what noise generators injected, per replica."""
        if NET_HEAT in self._samples:
            return self._estimate(self._samples[NET_HEAT], NET_HEAT)
        net = LazySamples.of(self._kept("heat")() - self._kept("injected")())
        return self._estimate(net, NET_HEAT)

    @property
    def supply(self) -> Estimate:
        """∫ bᵀdx delivered by the bias sources, per replica."""
        return self._estimate(self._kept("supply"), "supply")

    @property
    def source(self) -> Estimate:
        """Energy from sources outside H, per replica; zero where there are none."""
        return self._estimate(self._kept("source"), "source")

    @property
    def injected(self) -> Estimate:
        """Energy from noise generators, per replica; zero where there are none."""
        return self._estimate(self._kept("injected"))

    @property
    def shadow(self) -> Estimate:
        """Cost of inexact lossless moves, per replica; zero for exact motion."""
        return self._estimate(self._kept("shadow"))

    @property
    def heat_per_resistor(self) -> dict[str, Estimate]:
        """Heat that flowed into each heat account, by its name."""
        columns = self._items("heat_per_resistor")().T
        return {
            name: self._estimate(LazySamples.of(column))
            for name, column in zip(self.network.accounts, columns, strict=True)
        }

    @property
    def entropy_flow(self) -> Estimate:
        """Σ_r ∫ dQ_r/kT_r, what flowed into the baths, per replica, in units of k_B."""
        return self._mean(self._items("entropy_flow"), "k_B")

    @property
    def entropy_production(self) -> Estimate:
        """Σ_r ∫ dQ_r/kT_r + ΔS, per replica, in units of k_B; ⟨…⟩ ≥ 0.

        What flowed into the baths, and the change of the ensemble's own Shannon entropy
        S = ½ ln det 2πe P, P the covariance of the replicas at the start and at the end. Samples
        are ln p(z_start) − ln p(z_end) + Σ∫dQ_r/kT_r with both densities normal (Seifert's entropy
        production of one path), so that the standard error has the error of S in it. ½ ln det P of
        N normal replicas is biased by about −d(d + 3)/4N, alike at both ends: the bias cancels.

        Raises:
            ValueError: where it is not known: exact motion (make the emulator with
                ``resolve_heat``), quartic units, noise generators, noiseless resistors, or replicas
                that were all alike in some direction at either end.

        Source: Seifert (2005), Phys. Rev. Lett. 95, 040602.

        Example:
            >>> import ktc
            >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
            >>> emulator = ktc.Emulator(unit, replicas=10_000, seed=1, resolve_heat=True)
            >>> run = emulator.play(ktc.Protocol([20.0], {"kT": [2.0]}))
            >>> round(run.entropy_production.mean, 1)  # ½ (ln 2 − 1 + ½) to relax, wholly
            0.1
        """
        if "entropy_flow" not in self._samples and not self.initial_controls.is_linear:
            raise ValueError("the entropy of nonlinear units is not determined by their moments")
        flow = self._items("entropy_flow")
        network = self.network
        if network.core.elements.noises:
            raise ValueError("noise generators are not baths, so their entropy is not defined")
        if not np.all(np.asarray(self.protocol.controls.get("kT", self.initial_controls.kT)) > 0):
            raise ValueError("noiseless resistors (kT = 0) produce entropy without bound")
        if "entropy_change" not in self._samples:
            raise ValueError(
                "the entropy of these replicas is not available: moments do not determine that of "
                "quartic units, and replicas that are identical in some direction have none"
            )
        return self._mean(LazySamples.of(flow() + self._samples["entropy_change"]()), "k_B")

    @cached_property
    def free_energy_change(self) -> Estimate:
        """ΔF = F(θ_final) − F(θ_initial), in closed form, or by quadrature of nonlinear units.

        For coupled nonlinear units, by Bennett's acceptance ratio between ensembles drawn for the
        purpose, with its error bar; computed at first access, reproducible from the seed.
        ``theory.free_energy_difference`` takes more replicas.

        Raises:
            ValueError: where kT changed during the run, at several temperatures, and with sources
                or noise generators; ``circuit.compile().with_source_energy()`` counts in H sources
                that drive no steady current.
        """
        ends = (self.initial_controls, self.final_controls)
        before, after = (self.network.with_controls(controls) for controls in ends)
        refuse_driven_run(before, after)
        kT = self._one_temperature()
        if coupled_nonlinear(before) or coupled_nonlinear(after):
            scale = np.ones(before.units)
            old, new = (Described(net, scale, self.symbols) for net in (before, after))
            return free_energy_difference(old, new, seed=self.seed)
        change, method = free_energy_change(before, after), method_of(before, after)
        return Estimate.exact(change, method=method, unit=self.symbols.energy, kT=kT)

    @property
    def excess_work(self) -> Estimate:
        """W_ex = W − ΔF, whose mean is ≥ 0 from equilibrium; the error bar includes that of ΔF.

        Without ``from_equilibrium`` it says so in its ``note``: the replicas may have held free
        energy beyond F(θ_initial), so that W − ΔF is not what they dissipated, and may be negative.
        It raises ValueError where ``free_energy_change`` does.
        """
        change = self.free_energy_change
        note = "" if self.from_equilibrium else UNRELAXED
        return self.work.shifted(-change, note=note)

    def spectrum(self, unit: int | str = 0, segments: int = 8) -> Spectrum:
        """Power spectral density of a recorded state or node (V²/Hz on a Board), over replicas.

        Welch's method: Hann windows over half-overlapping segments, mean removed; one-sided, so
        that its integral over positive frequencies is the variance.

        Args:
            unit: which unit, or the name of a node of a circuit whose "voltages" were recorded.
            segments: more segments are smoother, with a coarser frequency step.

        Raises:
            ValueError: where the state was not recorded at equal intervals.

        Example:
            >>> import ktc
            >>> emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=100, seed=1)
            >>> run = emulator.play(ktc.Protocol([0.1] * 512, {}), record="state")
            >>> spectrum = run.spectrum(segments=8)
            >>> spectrum.frequency[:3], spectrum.density.shape
            (array([0.     , 0.15625, 0.3125 ]), (33,))

        Source: Welch (1967), IEEE Trans. Audio Electroacoust. 15, 70.
        """
        if isinstance(unit, str):
            return welch_spectrum(self._node(unit), self.times, segments)
        if "state" not in self.series:
            raise ValueError("no state was recorded; play with record='state'")
        states = self.series["state"]
        if not count("unit", unit, least=0) < states.shape[2]:
            raise ValueError(f"unit must be below {states.shape[2]}, but is {unit}")
        return welch_spectrum(states[:, :, unit], self.times, segments)

    def _node(self, name: str) -> Array:
        """The recorded voltages of a node, shape (points, replicas)."""
        if "voltages" not in self.series or not isinstance(self.network, CompiledCircuit):
            raise ValueError("no voltages were recorded; play a circuit with record='voltages'")
        nodes = self.network.nodes
        spelled = next((node for node in nodes if node.lower() == name.lower()), name)
        place = nodes.index(choice("unit", spelled, nodes))
        return self.series["voltages"][:, :, place]

    def plot(self, *, unit: int = 0, figsize: tuple[float, float] | None = None) -> Figure:
        """Draw controls, records and the distribution of energies, as ``ktc.plot.draw_run``."""
        return draw_run(self, unit, figsize)

    def _one_temperature(self) -> float:
        kT = self.initial_controls.kT
        ticks = self.protocol.controls.get("kT")  # (ticks,) or (ticks, accounts)
        driven = kT if ticks is None else np.reshape(ticks, (len(ticks), -1))
        if np.any(driven != kT) or np.any(self.protocol.final.get("kT", kT) != kT):
            raise ValueError(
                "kT changed during this run, so it has no free energy change and no excess work; "
                "work, heat and entropy_flow remain available"
            )
        return self.network.with_controls(self.initial_controls).common_kT

    def _kept(self, name: str) -> LazySamples:
        if name in ("heat", "injected") and NET_HEAT in self._samples:
            raise ValueError(TOGETHER)
        require_kept(name, self.accounts)
        if name in self._samples:
            return self._samples[name]
        return LazySamples.of(frozen(np.zeros_like(self._samples["work"]())))

    def _items(self, name: str) -> LazySamples:
        require_kept(name, self.accounts)
        if name not in self._samples:
            if self.network.core.is_active:
                raise ValueError(
                    f"{name} is not kept: active elements move exactly, and have net_heat only, "
                    "heat less what they supply"
                )
            raise ValueError(
                f"{name} is not kept by this motion; make the emulator with resolve_heat=True"
            )
        return self._samples[name]

    def _estimate(self, samples: LazySamples, name: str = "") -> Estimate:
        kT: float | None
        try:
            kT = self._one_temperature()
        except ValueError:
            kT = None
        return self._mean(samples, self.symbols.energy, kT, name)

    def _mean(
        self, samples: LazySamples, unit: str, kT: float | None = None, name: str = ""
    ) -> Estimate:
        if self._variances is None:
            return Estimate.of_samples(samples, unit=unit, kT=kT, ensemble=self._samples)
        value, variance = float(samples()[0]), self._variances.get(name)
        return Estimate.exact(value, method=INFINITE, unit=unit, kT=kT, variance=variance)

    def __repr__(self) -> str:
        known = [name for name in ("work", "heat", NET_HEAT) if name in self._samples]
        amounts = [f", {name} {getattr(self, name)}" for name in known]
        start = "" if self.from_equilibrium else f", {UNRELAXED}"
        return f"<ktc.Run: {self.protocol!r}{''.join(amounts)}{start}>"


def _fields(run: Run) -> dict[str, object]:
    made = {field.name: getattr(run, field.name) for field in fields(run)}
    return {**made, "programmed": None if run.programmed is run.protocol else run.programmed}


def _of_fields(protocol: Protocol, programmed: Protocol | None, **others: Any) -> Run:
    run = Run(protocol=protocol, programmed=programmed or protocol, **others)
    if "work" not in run._samples and (run.accounts is None or "work" in run.accounts):
        raise ValueError("_samples has no 'work', which this run keeps")
    replicas = len(next(iter(run._samples.values()))()) if run._samples else 1
    for name, samples in run._samples.items():
        columns = () if name != "heat_per_resistor" else (len(run.network.accounts),)
        of_shape(f"_samples/{name}", samples(), replicas, *columns)
    if run._sources is not None and isinstance(run.network, CompiledCircuit):
        of_shape("_sources", run._sources, len(run.network.sources))
    for controls in (run.initial_controls, run.final_controls):
        run.network.controls.checked(controls)
    if run.seed is not None or not run.infinite:
        count("seed", run.seed, least=0, most=2**64 - 1)
    return run


register(Run, _fields, _of_fields)
