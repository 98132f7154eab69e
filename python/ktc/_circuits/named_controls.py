"""Controls and protocols with names of sources and elements, as a network takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.sparse_graph import told
from ktc._model.controls import CONTROL_NAMES, Controls
from ktc._model.friction import with_friction
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.waveforms import FRICTION, one_shape

#: First letters of elements whose values are controls.
ELEMENTS = tuple("RCLKrclk")


class Change(NamedTuple):
    """An update by names of controls.

    Attributes:
        network: the network with its new resistances or friction; the present one without any.
        controls: values by names of controls.
        sources: values of all sources, or None where none was ever named.
    """

    network: Network
    controls: Mapping[str, ArrayLike]
    sources: Array | None


def resolved_change(
    network: Network,
    present: Controls,
    given: Mapping[str, ArrayLike],
    remembered: Array | None = None,
    after: Network | None = None,
) -> Change:
    """Return an update by names of controls, where sources and elements may be named.

    ``after`` is the network with these elements, where it is known.

    Raises:
        TypeError: a name that is no control, source or element of the network, or one of these
            given together with a control that it acts on.
        ValueError: a value that such an element cannot have, or not while the network runs; and as
            for ``source_values.changed_controls``.
    """
    elements = {n: v for n, v in given.items() if is_element(network, n)}
    if not elements:
        return Change(network, *_resolved_controls(network, present, given, remembered))
    others = {name: value for name, value in given.items() if name not in elements}
    after = with_elements(network, elements) if after is None else after
    carried: dict[str, Array] = {}
    if isinstance(network, CompiledCircuit) and isinstance(after, CompiledCircuit):
        carried = network.carried_controls(after, present, remembered)
    for name in carried.keys() & others.keys():
        raise TypeError(
            f"{name} is given beside {', '.join(elements)}, which act on it; give one of the two"
        )
    present = present.updated(**carried)
    controls, sources = _resolved_controls(after, present, others, remembered)
    return Change(after, {**carried, **controls}, sources)


def is_element(network: Network, name: str) -> bool:
    """Whether a name is that of an element whose value is a control, or friction."""
    if name == FRICTION or name in CONTROL_NAMES:
        return name == FRICTION
    return isinstance(network, CompiledCircuit) and name.startswith(ELEMENTS)


def with_elements(network: Network, values: Mapping[str, ArrayLike]) -> Network:
    """Return a network with other values of its elements, or another friction."""
    if FRICTION in values:
        if isinstance(network, CompiledCircuit):
            raise ValueError("friction of a circuit is not a control; set its resistances by name")
        return with_friction(network, values[FRICTION])
    assert isinstance(network, CompiledCircuit)
    return network.with_values(values)


def _resolved_controls(
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
    """
    own_names = (*CONTROL_NAMES, *present.on_site.names)
    named = {name: value for name, value in given.items() if name not in own_names}
    if not named:
        return given, remembered
    if not isinstance(network, CompiledCircuit):
        raise TypeError(
            f"unknown control {next(iter(named))!r}; choose from "
            f"{', '.join(map(repr, (*own_names, FRICTION)))}; a circuit's emulator takes names "
            "of its sources and elements too"
        )
    unknown = [n for n in named if n.lower() not in map(str.lower, network.sources)]
    if unknown:
        raise TypeError(
            f"unknown control {unknown[0]!r}; choose from {', '.join(map(repr, CONTROL_NAMES))}, "
            f"the sources {told(network.sources) or 'of a circuit'}, or the elements "
            f"{told(network.settable)}"
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
        protocol: the protocol, without names of sources and elements.
        sources: values during each tick, shape (ticks, sources), or None.
        final: values after the final update, shape (sources,), or None.
        networks: the networks with other elements, by the ticks at which they take over.
        last: the network after the final update.
    """

    protocol: Protocol
    sources: Array | None
    final: Array | None
    networks: Mapping[int, Network]
    last: Network


def resolved_protocol(
    network: Network, present: Controls, protocol: Protocol, remembered: Array | None = None
) -> Resolved:
    """Return a protocol by names of controls.

    Raises:
        TypeError, ValueError: as for ``resolved_change``.
    """
    own = {*CONTROL_NAMES, *present.on_site.names}
    if own.issuperset((*protocol.controls, *protocol.final)):
        return Resolved(protocol, None, remembered, {}, network)
    elements = {n: v for n, v in protocol.controls.items() if is_element(network, n)}
    others = {n: v for n, v in protocol.controls.items() if n not in elements}
    stand = _Stand(network, present, remembered)
    networks: dict[int, Network] = {}
    parts, driven = [], []
    starts = _changes(elements, protocol.ticks)
    for begin, end in zip(starts, [*starts[1:], protocol.ticks], strict=True):
        before, ticks = stand.network, slice(begin, end)
        carried = stand.exchange(begin, {name: v[begin] for name, v in elements.items()})
        if stand.network is not before:
            networks[begin] = stand.network
        first = stand.present
        given = {name: values[ticks] for name, values in others.items()}
        part, sources = stand.play(protocol.holds[ticks], given)
        parts.append((part, first, carried))
        if sources is not None:
            driven.append(sources)
    joined = _joined(protocol.holds, parts) if networks else parts[0][0]
    change = resolved_change(stand.network, stand.present, protocol.final, stand.known)
    return Resolved(
        Protocol(joined.holds, joined.controls, change.controls),
        np.concatenate(driven) if driven else None,
        change.sources,
        networks,
        change.network,
    )


class _Stand:
    """Where the resolution of a protocol stands: network, controls and known values of sources."""

    def __init__(self, network: Network, present: Controls, known: Array | None) -> None:
        self.network, self.present, self.known = network, present, known
        self._made: dict[bytes, Network] = {}

    def exchange(self, tick: int, elements: Mapping[str, Array]) -> set[str]:
        """Give elements other values; return the names of controls that these change."""
        if not elements:
            return set()
        key = b"".join(values.tobytes() for values in elements.values())
        try:
            change = resolved_change(
                self.network, self.present, elements, self.known, self._made.get(key)
            )
        except ValueError as error:
            raise ValueError(f"tick {tick}: {error}") from None
        self._made[key] = self.network = change.network
        self.present = self.present.updated(**change.controls)
        return set(change.controls)

    def play(self, holds: Array, given: Mapping[str, Array]) -> tuple[Protocol, Array | None]:
        """Return ticks by names of controls, and the values of sources where some are named."""
        controls, values = _resolved_controls(
            self.network, self.present, given, self.known, over_ticks=True
        )
        part = Protocol(holds, controls)
        self.present = part.settings(self.present)[1]
        if values is None or values is self.known:
            return part, None
        self.known = values[-1]
        return part, values


def _changes(elements: Mapping[str, Array], ticks: int) -> list[int]:
    """The ticks at which the values of elements change, and the first one."""
    changed = np.zeros(ticks, dtype=bool)
    changed[0] = True
    for values in elements.values():
        rows = values.reshape(ticks, -1)
        changed[1:] |= (rows[1:] != rows[:-1]).any(axis=1)
    return np.flatnonzero(changed).tolist()


def _joined(holds: Array, parts: list[tuple[Protocol, Controls, set[str]]]) -> Protocol:
    """One protocol of parts, each from its own controls; a control of one is one of all."""
    names = {name for part, _, carried in parts for name in {*part.controls, *carried}}
    controls = {}
    for name in sorted(names):
        rows = []
        for part, present, _ in parts:
            held = np.asarray(getattr(present, name))
            given = part.controls.get(name, np.broadcast_to(held, (part.ticks, *held.shape)))
            rows.append(given)
        controls[name] = np.concatenate(one_shape(name, rows))
    return Protocol(holds, controls)
