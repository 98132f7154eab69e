"""Records of node voltages while a protocol plays on a circuit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ktc._base.validation import Array
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.named_controls import Resolved
from ktc._circuits.source_values import DRIVEN
from ktc._model.controls import Controls
from ktc._model.moments import Reader
from ktc._model.waveforms import full_shape

if TYPE_CHECKING:
    from ktc._emulation.ideal_frontend import IdealFrontend

VOLTAGES = ("voltages", "voltage_mean", "voltage_covariance")


class VoltageRecord:
    """Reads node voltages after given ticks of a protocol.

    Raises:
        ValueError: a network that is not a circuit, or sources whose values are not determined.
    """

    def __init__(
        self,
        frontend: IdealFrontend,
        reader: Reader,
        resolved: Resolved,
        waveforms: Mapping[str, Array],
        stops: Sequence[int],
    ) -> None:
        network = frontend.network
        if not isinstance(network, CompiledCircuit):
            raise ValueError(
                f"a record of voltages needs the emulator of a circuit, but this is one of "
                f"{network!r}; record 'state'"
            )
        self._reader, self._engine = reader, frontend.engine
        self._initial, self._driven = frontend.controls, tuple(waveforms)
        self.nodes = len(network.nodes)
        ticks = np.array(stops, dtype=np.intp) - 1
        if resolved.sources is not None and np.isfinite(resolved.sources[ticks]).all():
            theta = resolved.sources[ticks]
        else:
            held = {name: getattr(self._initial, name) for name in DRIVEN}
            found = {
                name: full_shape(name, waveforms[name][ticks], len(own))
                if name in waveforms
                else np.broadcast_to(own, (len(ticks), len(own)))
                for name, own in held.items()
            }
            theta = np.empty((len(ticks), len(network.sources)))
            starts = sorted({0, *resolved.networks})
            for begin, end in zip(starts, [*starts[1:], np.inf], strict=True):
                places = (ticks >= begin) & (ticks < end)
                own = resolved.networks.get(begin, network)
                assert isinstance(own, CompiledCircuit)
                part = {name: values[places] for name, values in found.items()}
                theta[places] = own.present_values(part, {}, frontend.sources)
        self._theta = dict(zip(stops, theta, strict=True))

    def readers(self) -> dict[str, Callable[[int], Array | float]]:
        """Functions of the tick, by the names of quantities."""
        return {
            "voltages": lambda tick: self._nodes(self._reader.read(), tick),
            "voltage_mean": lambda tick: self._nodes(self._reader.moments().mean, tick),
            "voltage_covariance": lambda tick: self._covariance(),
        }

    def _network(self) -> CompiledCircuit:
        network = self._engine.network
        assert isinstance(network, CompiledCircuit)
        return network

    def _controls(self) -> Controls:
        held = self._engine.controls()
        return self._initial.updated(**{name: held[name] for name in self._driven})

    def _nodes(self, state: Array, tick: int) -> Array:
        return self._network().nodes_at(state, self._controls(), self._theta[tick])

    def _covariance(self) -> Array:
        of_state = self._network().nodes_of_state(self._controls())
        return np.asarray(of_state @ self._reader.moments().covariance @ of_state.T)
