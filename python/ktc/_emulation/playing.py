"""One protocol on one engine: checks, ticks, records, and the run that they make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ktc._base.lazy_samples import LazySamples, gained
from ktc._base.single_thread import Turn
from ktc._base.validation import Array, frozen, of_type
from ktc._circuits.named_controls import Resolved, is_element, resolved_protocol
from ktc._emulation.ledger import Ledger
from ktc._emulation.recorder import Recorder, Recording
from ktc._emulation.run import Run
from ktc._emulation.statistics import Observer
from ktc._model.controls import Controls
from ktc._model.moments import Reader
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.waveforms import full_shape
from ktc._theory.relaxation import rest_after

if TYPE_CHECKING:
    from ktc._emulation.ideal_frontend import IdealFrontend


def play_from(
    frontend: IdealFrontend,
    reader: Reader,
    protocol: Protocol,
    recording: Recording,
) -> Run:
    """Play a protocol from where the engine stands; all controls are checked before it moves.

    ``reader`` gives the states and moments that are recorded.
    """
    of_type("protocol", protocol, Protocol)
    engine, options, network = frontend.engine, frontend.options, frontend.network
    programmed, remembered = protocol, frontend.sources
    resolved = resolved_protocol(network, frontend.controls, programmed, remembered)
    protocol = resolved.protocol
    waveforms, final, extremes = _prepared(frontend, resolved)
    quartic = any(controls.quartic.any() for controls in extremes)
    engine.warn_if_long(protocol.holds)
    observer = None
    if recording.statistics is not None:
        observer = Observer(recording.statistics, engine, frontend.scale, protocol.times)
    frontend.keep_results()
    books = Ledger(engine, Turn(), network.accounts, options.accounts)
    # Accounts that are zero need no memory.
    before = {name: amount for name in books.names if (amount := getattr(books, name)).any()}
    initial, begun, rested = frontend.controls, engine.time, frontend.rested
    gaussian = options.resolve_heat and not quartic and not frontend.beyond_dense
    first = engine.surprisal() if gaussian else None
    recorder = Recorder(frontend, reader, resolved, waveforms, recording)
    with engine.tally() as tally:
        try:
            recorder.play(waveforms, observer, resolved.networks, extremes)
            frontend.follow(waveforms)
        except BaseException:
            frontend.follow(waveforms)
            _follow_sources(frontend, resolved, engine.time - begun)
            raise
        finally:
            recorder.close()
        frontend.since = begun + _last_change(network, resolved, waveforms, initial, rested)
        frontend.apply(final, resolved.last)
        frontend.sources = resolved.final
        variances = tally()
    samples = {
        name: gained(partial(getattr, books, name), before.get(name)) for name in books.names
    }
    frontend.results.note_samples(samples.values())
    at_end = None if first is None else engine.surprisal()
    if first is not None and at_end is not None:
        samples["entropy_change"] = LazySamples.of(frozen(at_end - first))
    return Run(
        _samples=samples,
        _variances=variances,
        protocol=_replayable(network, programmed, protocol),
        programmed=programmed,
        network=network,
        initial_controls=initial,
        final_controls=final,
        symbols=frontend.description.symbols,
        seed=options.seed,
        rested=rested,
        times=recorder.times,
        series=recorder.series,
        _statistics=None if observer is None else observer.result(),
        _sources=remembered,
        accounts=options.accounts,
    )


def _replayable(network: Network, programmed: Protocol, resolved: Protocol) -> Protocol:
    """The protocol that does the same again: elements act on more than the controls they change."""
    names = (*programmed.controls, *programmed.final)
    return programmed if any(is_element(network, name) for name in names) else resolved


def _follow_sources(frontend: IdealFrontend, resolved: Resolved, elapsed: float) -> None:
    """Remember the sources of the tick in which a protocol stopped."""
    protocol, sources = resolved.protocol, resolved.sources
    reached = int(np.searchsorted(protocol.times, elapsed)) - 1
    if sources is not None and reached >= 0:
        frontend.sources = sources[min(reached, protocol.ticks - 1)]


def _prepared(
    frontend: IdealFrontend, resolved: Resolved
) -> tuple[dict[str, Array], Controls, list[Controls]]:
    """Waveforms and final controls, once they are checked, and those of all extremes."""
    protocol = resolved.protocol
    if resolved.networks or resolved.last is not frontend.network:
        frontend.require_exchangeable()
    waveforms, final = protocol.settings(frontend.controls, frontend.options.replicas)
    extremes = [*protocol.extremes(frontend.controls, waveforms), final]
    moved = [frontend.network, *resolved.networks.values(), resolved.last]
    networks = {id(network): network for network in moved}
    confining = {"stiffness", "quartic"} & {*waveforms, *protocol.final}
    for controls in extremes:
        for network in networks.values():
            frontend.engine.check(controls, network)
        if confining:
            frontend.refuse_overflow(controls)
    frontend.engine.prepare(extremes)
    return waveforms, final, extremes


def _last_change(
    network: Network,
    resolved: Resolved,
    waveforms: Mapping[str, Array],
    initial: Controls,
    rested: float,
) -> float:
    """Time since the start of a protocol at which its ticks last changed a control or an element.

    −``rested`` where none did, and −∞ where elements did that keep the equilibrium.
    """
    last = -1
    for name, values in waveforms.items():
        rows = values.reshape(len(values), -1)
        changed = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1))
        held = getattr(initial, name)
        if len(changed):
            last = max(last, int(changed[-1]) + 1)
        elif np.any(full_shape(name, values[:1], initial.shape(name)[0])[0] != held):
            last = max(last, 0)
    exchanged = resolved.networks
    if last < 0:
        if not exchanged:
            return -rested
        if rest_after(network, rested, exchanged.values(), initial):
            return -math.inf
    return float(resolved.protocol.times[max([last, *exchanged])])
