"""Controls and protocols with names of sources, as the network of a circuit takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._model.controls import CONTROL_NAMES, Controls
from ktc._model.network import Network
from ktc._model.protocol import Protocol


def resolved_controls(
    network: Network,
    present: Controls,
    given: Mapping[str, ArrayLike],
    remembered: Array | None = None,
    *,
    over_ticks: bool = False,
) -> tuple[Mapping[str, ArrayLike], Array | None]:
    """Return values by names of controls, where sources may be named, and all source values.

    The latter are ``remembered`` where no source is named. Values are numbers, or waveforms of
    shape (ticks,) with ``over_ticks``.

    Raises:
        TypeError: a name that is neither a control nor a source of the network, or a source given
            together with a control that it acts on.
        ValueError: as for ``source_values.changed_controls``.
    """
    named = {name: value for name, value in given.items() if name not in CONTROL_NAMES}
    if not named:
        return given, remembered
    if not isinstance(network, CompiledCircuit):
        raise TypeError(
            f"unknown control {next(iter(named))!r}; choose from "
            f"{', '.join(map(repr, CONTROL_NAMES))}; a circuit's emulator takes names of its "
            "sources too"
        )
    unknown = [n for n in named if n.lower() not in map(str.lower, network.sources)]
    if unknown:
        raise TypeError(
            f"unknown control {unknown[0]!r}; choose from {', '.join(map(repr, CONTROL_NAMES))}, "
            f"or the sources {', '.join(map(repr, network.sources)) or 'of a circuit'}"
        )
    if not over_ticks:
        named = {name: finite(name, value) for name, value in named.items()}
    changes, values = network.changed_controls(present, named, remembered)
    for name in changes.keys() & given.keys():
        raise TypeError(
            f"{name} is given beside {', '.join(named)}, which act on it; give one of the two"
        )
    own = {name: value for name, value in given.items() if name in CONTROL_NAMES}
    return {**own, **changes}, values


class Resolved(NamedTuple):
    """A protocol by names of controls, and the values of all sources where some were named.

    Attributes:
        protocol: the protocol, without names of sources.
        sources: values during each tick, shape (ticks, sources), or None.
        final: values after the final update, shape (sources,), or None.
    """

    protocol: Protocol
    sources: Array | None
    final: Array | None


def resolved_protocol(
    network: Network, present: Controls, protocol: Protocol, remembered: Array | None = None
) -> Resolved:
    """Return a protocol by names of controls.

    Raises:
        TypeError, ValueError: as for ``resolved_controls``.
    """
    if all(name in CONTROL_NAMES for name in (*protocol.controls, *protocol.final)):
        return Resolved(protocol, None, remembered)
    controls, values = resolved_controls(
        network, present, protocol.controls, remembered, over_ticks=True
    )
    last = Protocol(protocol.holds, controls).settings(present)[1]
    named = values is not remembered and values is not None
    ending = values[-1] if named and values is not None else remembered
    final, ending = resolved_controls(network, last, protocol.final, ending)
    return Resolved(Protocol(protocol.holds, controls, final), values if named else None, ending)
