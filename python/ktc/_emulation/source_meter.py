"""A meter of the energy that each source of a circuit delivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ktc._base.estimate import INFINITE, Estimate
from ktc._base.lazy_imports import interrupts_deferred
from ktc._base.validation import Array, of_type, positive
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.named_controls import resolved_protocol
from ktc._circuits.source_values import known_at
from ktc._emulation.emulator import Emulator
from ktc._emulation.source_flows import HoldFlow, SourceFlows, times
from ktc._model.controls import CONTROL_NAMES
from ktc._model.protocol import Protocol

#: Number of the random stream of charges.
STREAM = 0x6B746376
#: Replicas whose charges are drawn at once.
BLOCK = 1024


class SourceMeter(Mapping[str, Estimate]):
    """Energy that each source of a circuit delivers to each replica, by name.

    It moves an emulator by ``run`` and ``play`` and adds, for each source, its value times the
    charge that flows through it, ∫ V dq of a voltage source and ∫ I dφ of a current source. The sum
    over the sources is ``source`` and ``supply`` of the emulator's ledger, to rounding, and so for
    each replica. The states and the ledger are those that the emulator has without a meter:
    charges are drawn from their exact law given the states and the energy from all sources, with
    noise of their own from the seed of the emulator. Where ``replicas`` is infinite, means and
    variances are exact. Names of sources do not depend on case. After ``reset``, ``ledger.reset``
    or a move of the emulator without the meter, make a new meter.

    Updates are instantaneous and deliver nothing here; their work is in the ledger. What ideal
    sources exchange with each other without passing through an element is in neither.

    Args:
        emulator: an Emulator of a circuit, not of a sparse one, without ``resolve_heat`` unless
            ``replicas`` is infinite, in double precision, with its account of sources.

    Raises:
        TypeError: not an Emulator of a circuit.
        ValueError: an emulator as above, a circuit without sources, or noise sources with a
            bandwidth.

    Example:
        >>> import ktc
        >>> circuit = ktc.Circuit.from_netlist("V1 in 0 2\\nV2 b 0 1\\nR1 in a 1k\\nR2 a b 1k\\n"
        ...                                    "C1 a 0 1n")
        >>> meter = ktc.SourceMeter(ktc.Emulator(circuit, replicas=float("inf")))
        >>> meter.run(1e-3)
        >>> {name: round(energy.mean * 1e9, 9) for name, energy in meter.items()}  # nJ
        {'V1': 1000.0, 'V2': -500.0}
        >>> sampled = ktc.SourceMeter(ktc.Emulator(circuit, replicas=100, seed=1))
        >>> sampled.play(ktc.Protocol.ramp(1e-6, 10, V1=(2.0, 0.0)))
        >>> sampled.samples["V1"].shape
        (100,)

    Source: Freitas, Delvenne, Esposito (2020), Phys. Rev. X 10, 031005.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = of_type("emulator", emulator, Emulator)
        network = _circuit_of(emulator)
        _check(emulator, network)
        self._network, self._names = network, network.sources
        count, shape = len(self._names), emulator.ledger.source.shape
        self._energy = np.zeros((*shape, count))
        self._covariance = np.zeros((count, count))
        self._joint = np.zeros((count, network.units))
        self._flows: SourceFlows | None = None
        self._left = self._stand()

    @property
    def emulator(self) -> Emulator:
        """The emulator that it moves."""
        return self._emulator

    @property
    def samples(self) -> dict[str, Array]:
        """Energy by source, each of shape (replicas,); the mean, (1,), of an infinite ensemble."""
        return {name: self._energy[:, k].copy() for k, name in enumerate(self._names)}

    @property
    def covariance(self) -> Array:
        """Covariance over the replicas, shape (sources, sources); zero of a single replica."""
        if self._emulator.infinite:
            return self._covariance.copy()
        if len(self._energy) == 1:
            return np.zeros_like(self._covariance)
        return np.cov(self._energy.T).reshape(2 * (len(self._names),))

    def run(self, duration: float) -> None:
        """Evolve at held sources, as ``Emulator.run``.

        Raises:
            ValueError: a duration that is not positive, sources whose values are not known, or an
                emulator that was moved, or whose ledger was reset, without the meter.
        """
        emulator, time = self._emulator, positive("duration", duration)
        self._refuse_moved()
        controls, network = emulator.controls, _circuit_of(emulator)
        remembered = emulator.remembered_sources
        known = known_at(network.equation, controls, self._names, remembered)
        theta = np.array([known[name] for name in self._names])
        flows = self._flows if network is self._network else None
        if flows is None or not flows.motion.same_shape(controls.arrays()):
            flows = SourceFlows(network, controls)
        self._network, self._flows = network, flows
        flow = flows.over(time)
        rest, rate = flows.rest(controls)
        with interrupts_deferred():
            if emulator.infinite:
                self._move_moments(flow, theta, rest, rate)
            else:
                self._move_replicas(flow, theta, rest, rate)
            self._left = self._stand()

    def play(self, protocol: Protocol) -> None:
        """Play a protocol of sources, resistances, bias, emf and current, tick after tick.

        Raises:
            TypeError, ValueError: as ``Emulator.play`` and ``run``; a protocol of other controls.
        """
        emulator = self._emulator
        of_type("protocol", protocol, Protocol)
        self._refuse_moved()
        remembered = emulator.remembered_sources
        resolved = resolved_protocol(self._network, emulator.controls, protocol, remembered)
        _refuse_other_controls(protocol, resolved.protocol)
        resolved.protocol.settings(emulator.controls)
        for tick, hold in enumerate(protocol.holds.tolist()):
            if protocol.controls:
                emulator.set(**{name: each[tick] for name, each in protocol.controls.items()})
            self.run(hold)
        if protocol.final:
            emulator.set(**protocol.final)

    def _move_replicas(self, flow: HoldFlow, theta: Array, rest: Array, rate: Array) -> None:
        emulator = self._emulator
        start, first, before = emulator.time, emulator.ledger.source, emulator.read()
        emulator.run(flow.duration)
        after, given = emulator.read(), emulator.ledger.source - first
        away = before - rest
        noise = after - rest - times(away, flow.decay)
        charges = times(away, flow.path) + rate * flow.duration
        rest_of_sum = given - times(charges, theta[None])[:, 0]
        size = np.abs(rest) + np.abs(before).max(axis=0) + np.abs(after).max(axis=0)
        # Rounding of a state is one for all replicas where noise does not reach its last digits.
        law = flow.given(16 * np.finfo(np.float64).eps * size)
        charges += law.draw(noise, _normals(emulator, start, len(theta)), theta, rest_of_sum)
        energy = charges * theta
        # To rounding, the energy from all sources is their sum.
        energy[:, np.argmax(np.abs(energy).max(axis=0))] += given - energy.sum(axis=1)
        self._energy += energy + times(after - before, self._network.equation.bias_of.T) * theta

    def _move_moments(self, flow: HoldFlow, theta: Array, rest: Array, rate: Array) -> None:
        emulator, bias_of = self._emulator, self._network.equation.bias_of
        before = emulator.moments()
        emulator.run(flow.duration)
        mean = np.asarray(emulator.moments().mean)
        charge = flow.path @ (before.mean - rest) + rate * flow.duration
        self._energy += theta * (charge + bias_of.T @ (mean - before.mean))
        # Energies beside their means are θ (change·δ + M + β·N).
        change = theta[:, None] * (flow.path + bias_of.T @ (flow.decay - np.eye(len(mean))))
        joint = theta[:, None] * (flow.joint + bias_of.T @ flow.state)
        crossed = bias_of.T @ flow.joint.T
        own = flow.charge + crossed + crossed.T + bias_of.T @ flow.state @ bias_of
        spread = before.covariance @ change.T
        held = self._joint @ change.T
        self._covariance += np.outer(theta, theta) * own + change @ spread + held + held.T
        self._joint = (self._joint + spread.T) @ flow.decay.T + joint

    def _stand(self) -> tuple[float, list[Array]]:
        """Time and what moves and resets change: energy from sources, the mean if infinite."""
        emulator, ledger = self._emulator, self._emulator.ledger
        amounts = [ledger.source]
        if "supply" in ledger.names:
            amounts.append(ledger.supply)
        if emulator.infinite:
            amounts.append(np.asarray(emulator.moments().mean))
        return emulator.time, amounts

    def _refuse_moved(self) -> None:
        (time, left), (now, found) = self._left, self._stand()
        if time != now or not all(map(np.array_equal, left, found)):
            raise ValueError(
                "emulator has moved without its meter, or its ledger was reset, so that the "
                "energies are not those of the ledger; make a new meter, and run it through that"
            )

    def __getitem__(self, name: str) -> Estimate:
        place = {known.lower(): k for k, known in enumerate(self._names)}.get(str(name).lower())
        if place is None:
            raise KeyError(f"no source {name!r}; choose from {', '.join(map(repr, self._names))}")
        energy = self._energy[:, place].copy()
        unit = self._emulator.symbols.energy
        controls = self._emulator.controls
        kT = controls.common_kT if controls.isothermal else None
        if not self._emulator.infinite:
            return Estimate.of_samples(energy, unit=unit, kT=kT, ensemble=self)
        variance = max(0.0, float(self._covariance[place, place]))
        return Estimate.exact(
            float(energy[0]), method=INFINITE, unit=unit, kT=kT, variance=variance
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {energy}" for name, energy in self.items())
        return f"<ktc.SourceMeter: {told}>"


def _circuit_of(emulator: Emulator) -> CompiledCircuit:
    """The circuit of an emulator, with the elements that it has now."""
    network: object = emulator.network
    if not isinstance(network, CompiledCircuit):
        raise TypeError(f"emulator must be one of a circuit, but is {emulator!r}")
    return network


def _check(emulator: Emulator, network: CompiledCircuit) -> None:
    """Refuse emulators whose charges do not have the law that is drawn from."""
    steps = emulator.resolve_heat and not emulator.infinite
    for given, reason, fix in (
        (network.is_sparse, "is of a sparse circuit", "compile it with sparse=False"),
        (
            not network.is_sparse and not network.sources,
            "is of a circuit without sources",
            "add one",
        ),
        (not emulator.controls.is_linear, "has quartic units or potentials", "leave them out"),
        (steps, "moves by steps", "leave resolve_heat out"),
        (emulator.dtype != "float64", "is in single precision", "take dtype='float64'"),
        (
            not network.is_sparse and any(n.bandwidth for n in network.equation.noises),
            "has noise sources with a bandwidth",
            "take white noise",
        ),
    ):
        if given:
            raise ValueError(f"emulator {reason}, for which a meter is not available; {fix}")


def _refuse_other_controls(protocol: Protocol, resolved: Protocol) -> None:
    """Refuse a protocol that moves more than sources, named as it names them."""
    others = {*resolved.controls, *resolved.final} - {"bias", "emf", "current"}
    if others:
        given = dict.fromkeys((*protocol.controls, *protocol.final))
        told = [n for n in given if n in others or (n not in CONTROL_NAMES and n[0] in "CLKclk")]
        raise ValueError(
            f"protocol drives {', '.join(told)}, but a meter plays sources, resistances, bias, emf "
            "and current; set other controls between two protocols by emulator.set"
        )


def _normals(emulator: Emulator, start: float, columns: int) -> Array:
    """Standard normals of a hold from ``start``, shape (replicas, columns).

    Those of a replica do not depend on which others an emulator has.
    """
    first, count = emulator.first_replica, len(emulator.ledger.source)
    seed, step = emulator.seed, emulator.first_step
    time = int(np.float64(start).view(np.uint64))
    blocks = range(first // BLOCK, (first + count - 1) // BLOCK + 1)
    rows = [
        np.random.Generator(
            np.random.Philox(key=[seed or 0, STREAM], counter=[0, step or 0, block, time])
        ).standard_normal((BLOCK, columns))
        for block in blocks
    ]
    begin = first - blocks[0] * BLOCK
    return np.concatenate(rows)[begin : begin + count]
