"""Node voltages and currents of a circuit's emulators, and the controls that its sources give."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, of_type, per_unit
from ktc._circuits.analyses import CircuitAnalyses
from ktc._circuits.analysis_results import MeanPath
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.mean_path import checked_times, mean_path
from ktc._circuits.nodal_equations import NodalEquations
from ktc._circuits.source_powers import source_powers
from ktc._circuits.source_values import source_values
from ktc._circuits.waveform_protocol import protocol_of_waveforms
from ktc._model.controls import Controls
from ktc._model.device import Device
from ktc._model.moments import Moments
from ktc._model.protocol import Protocol


class CircuitReadings(CircuitAnalyses):
    """What a circuit tells of its emulators, by names of nodes, elements and sources."""

    @abstractmethod
    def compile(self, sparse: bool | None = None) -> CompiledCircuit:
        """Compile the circuit to a Network."""

    @abstractmethod
    def _compilation(self, sparse: bool) -> CompiledCircuit:
        """A sparse or dense compilation, without a choice of what ``compile`` returns next."""

    def _compiled_as(self, emulator: Device) -> CompiledCircuit:
        """The circuit, compiled as the network of an emulator is, with the elements it has now."""
        network = getattr(emulator, "network", None)
        if not isinstance(network, CompiledCircuit):
            return self.compile()
        own = self._compilation(network.is_sparse)
        if not own.is_sparse and network.equation.source_energy:
            own = own.with_source_energy()
        described = getattr(emulator, "description", None)
        began = network if described is None else described.network
        return network if network is not began and own.has_elements_of(began) else own

    @staticmethod
    def _dense(method: str, net: CompiledCircuit) -> CompiledCircuit:
        if net.is_sparse:
            raise ValueError(
                f"circuit.{method} needs dense algebra, which a sparse circuit, here of "
                f"{net.units:,} coordinates, is not compiled for; call "
                "circuit.compile(sparse=False) first, up to some thousand nodes"
            )
        return net

    def controls(self, **sources: ArrayLike) -> dict[str, Array]:
        """Return the controls, for ``Emulator.set`` or ``Protocol``, at given values of sources.

        These are the whole controls, of bias, emf and current, that the named sources act on. Other
        sources keep their values in the circuit. A source that acts on no charge or flux is in none
        of the controls; an emulator remembers its value where it is set by name.

        Args:
            **sources: volts or amperes by the names of sources: numbers, or arrays of shape
                (ticks,), the waveforms of a Protocol.

        Raises:
            TypeError: an unknown source, a source given twice, or a value that is no number.
            ValueError: waveforms of several lengths, or not of shape (ticks,).

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit.compile(), replicas=10, seed=1, resolve_heat=True)
            >>> emulator.set(**circuit.controls(V1=2.0))
            >>> run = emulator.play(ktc.Protocol([1e-6, 1e-6], circuit.controls(V1=[2.0, 0.0])))
            >>> emulator.controls.emf
            array([0.])
        """
        return self.compile().source_controls(**sources)

    def sources(self, controls: Controls) -> dict[str, float]:
        """Return the values of the sources at some controls [V or A], by name.

        A voltage source in series with a capacitor acts as a bias, so that ``ktc.learn`` of the
        bias trains it with the others: the values are those of its fit. A fit of sources by their
        names has them as ``fit.parameters``. Sources that the controls do not determine are left
        out.

        Args:
            controls: of an emulator or a fit of this circuit.

        Raises:
            ValueError: controls that no values of the sources give.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 x 0 0\\nC1 x a 1p\\nR1 a 0 1meg\\nC2 a 0 1p")
            >>> schedule = ktc.schedules.MinimalDissipation(duration=1e-4)
            >>> fit = ktc.learn(circuit, [2e-15], schedule, replicas=float("inf"), ticks=200)
            >>> round(circuit.sources(fit.controls)["V1"], 6)  # −q/C1
            -0.002

        Source: Hnybida, Verret (2025), arXiv 2510.03137.
        """
        return source_values(self.compile().equation, of_type("controls", controls, Controls))

    def protocol(self, duration: float, ticks: int) -> Protocol:
        """Return the Protocol in which the sources follow their waveforms in ``waveforms``.

        Each tick holds the exact mean of a waveform over the tick, and the final update sets its
        value at the end. Other sources keep their values.

        Args:
            duration: total time [s], from time 0 of the waveforms.
            ticks: number of equal ticks.

        Raises:
            ValueError: a circuit without waveforms.

        Example:
            >>> import ktc
            >>> text = "V1 in 0 PULSE(0 1 1u 2u)\\nR1 in a 1k\\nC1 a 0 1n"
            >>> circuit = ktc.Circuit.from_netlist(text, waveforms="drive")
            >>> protocol = circuit.protocol(duration=4e-6, ticks=4)
            >>> protocol.controls["V1"].round(3)
            array([0.  , 0.25, 0.75, 1.  ])
            >>> emulator = ktc.Emulator(circuit, replicas=10, seed=1)
            >>> run = emulator.play(protocol)
        """
        return protocol_of_waveforms(self.waveforms, duration, ticks)

    def voltages(self, emulator: Device, **sources: float) -> Array:
        """Return the node voltages of an emulator of this circuit [V], shape (replicas, nodes).

        Columns are in the order of ``nodes``. The voltage of a node without capacitor is white
        noise, which has no value at an instant; its column holds the mean at the present charges,
        fluxes and sources.

        An emulator remembers the values of sources that were set or played by name. Sources that
        are not given have these values, or else those in the circuit, if they give the controls.
        Otherwise, as after ``set(emf=...)``, their values are solved for.

        Args:
            emulator: an Emulator of ``compile()``, also one loaded from a file.
            **sources: present values, volts or amperes, in place of those that are remembered.
                Where controls were set by themselves, give those of sources that act on them only
                together, such as two voltage sources in series.

        Raises:
            TypeError: as for ``controls``.
            ValueError: an emulator of another circuit, controls that no values of the sources give,
                or controls that do not determine the sources that a node voltage depends on.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 5\\nR1 in a 1k\\nR2 a 0 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit.compile(), replicas=10, seed=1)
            >>> circuit.voltages(emulator).round(3)[0]
            array([5. , 2.5])
        """
        return self._compiled_as(emulator).voltages(emulator, **sources)

    def voltage_moments(self, emulator: Device, **sources: float) -> Moments:
        """Return mean [V] and covariance [V²] of the node voltages over the replicas.

        They are exact with ``replicas=math.inf``. White noise of nodes without capacitor, whose
        variance is infinite, is left out.

        Args:
            emulator, **sources: as for ``voltages``.

        Raises:
            TypeError, ValueError: as for ``voltages``.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 5\\nR1 in a 1k\\nC1 a 0 1n")
            >>> exact = ktc.Emulator(circuit, replicas=float("inf"))
            >>> float(circuit.voltage_moments(exact).covariance[1, 1].round(15))  # kT/C
            4.142e-12
        """
        return self._compiled_as(emulator).voltage_moments(emulator, **sources)

    def currents(self, emulator: Device, **sources: float) -> dict[str, Array]:
        """Return the currents of resistors and inductors of an emulator [A], by name.

        Each has the shape (replicas,), or () for the mean where ``replicas`` is infinite. That of a
        resistor is (v_plus − v_minus)/R, its white noise left out.

        Args:
            emulator, **sources: as for ``voltages``.

        Raises:
            TypeError, ValueError: as for ``voltages``.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 5\\nR1 in a 1k\\nL1 a 0 1m")
            >>> emulator = ktc.Emulator(circuit, replicas=10, seed=1)
            >>> float(circuit.currents(emulator)["L1"].mean().round(4))
            0.005
        """
        return self._compiled_as(emulator).currents(emulator, self.branches, sources)

    def powers(self, emulator: Device, **sources: float) -> dict[str, float]:
        """Return the mean power that each V and I delivers now [W], by name.

        −v ⟨i⟩ of a voltage source and −⟨v⟩ i of a current source, by Kirchhoff's current law at the
        mean state, exact with ``replicas=math.inf``. Its sum over time is energy that the ledger
        has as work, supply and source together. Noise of current sources counts as ``injected``.

        Args:
            emulator, **sources: as for ``voltages``.

        Raises:
            TypeError, ValueError: as for ``voltages``; ValueError for a sparse circuit.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit, replicas=float("inf"))
            >>> emulator.set(V1=2.0)
            >>> round(circuit.powers(emulator)["V1"], 6)  # V²/R before C1 is charged
            0.004
        """
        net = self._dense("powers", self._compiled_as(emulator))
        controls, theta = net.present(emulator, sources)
        state = np.asarray(emulator.moments().mean)
        equations = self._equations
        if net.branches != self.branches or net.couplings != self.couplings:
            equations = NodalEquations(self.nodes, net.branches, net.couplings)
        return source_powers(equations, net, state, controls, theta)

    def transient_mean(
        self,
        times: ArrayLike,
        state: ArrayLike | Literal["op"] | None = None,
        **sources: ArrayLike,
    ) -> MeanPath:
        """Return mean node voltages over time, without noise and without a time step.

        x(t) = x* + e^{F(t − t₀)} (x₀ − x*), as ``.tran`` of SPICE in the limit of short steps.

        Args:
            times: t [s], ascending, shape (times,); the first one is the start.
            state: what to start from; None takes ``initial_state()``, where capacitors are
                discharged unless the netlist says otherwise, and "op" the operating point at the
                sources of the circuit.
            **sources: volts or amperes by name from the start on: numbers, or arrays of shape
                (times − 1,) that are held from each time to the next.

        Raises:
            CircuitError: a circuit that cannot be compiled.
            ValueError: times that do not rise, waveforms of another length, or a sparse circuit.
            TypeError: an unknown source.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
            >>> path = circuit.transient_mean([0.0, 1e-6, 2e-6], V1=5.0)
            >>> path.voltages["a"].round(4)
            array([0.    , 3.1606, 4.3233])

        Source: Moler, Van Loan (2003), SIAM Rev. 45, 3.
        """
        net, instants = self._dense("transient_mean", self.compile()), checked_times(times)
        if state is None:
            start = self.initial_state()
        elif isinstance(state, str):
            if state != "op":
                raise ValueError(f"state must be an array, None or 'op', but is {state!r}")
            start = None
        else:
            start = per_unit("state", state, net.units)
        volts, gradient, theta = mean_path(net, instants, start, sources)
        return MeanPath(
            instants,
            dict(zip(net.nodes, volts.T, strict=True)),
            net.currents_at(self.branches, volts, gradient, theta),
        )

    def initial_state(self) -> Array:
        """Return the state at the initial conditions of the netlist, for ``Emulator(state=…)``.

        These are ``ic=`` of capacitors [V] and inductors [A], and ``.ic v(node)=`` [V]. Of the
        states that have them, it is the one of least stored energy, without that of couplings:
        other capacitors are discharged and other inductors carry no current, where the circuit
        leaves them free, also if they are coupled. Sources have their values in the circuit.

        Raises:
            CircuitError: conditions that contradict each other or a source, or name no element or
                node.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("R1 a 0 1k\\nC1 a 0 1n ic=2")
            >>> circuit.initial_state()
            array([2.e-09])
        """
        return self.compile().state_at(self._initial, self.branches)
