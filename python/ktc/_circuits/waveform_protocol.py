"""Protocols of circuits whose sources follow waveforms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ktc._base.validation import Array, positive, tick_count
from ktc._circuits.waveform import Waveform
from ktc._model.protocol import Protocol


def protocol_of_waveforms(
    waveforms: Mapping[str, Waveform],
    controls: Callable[..., dict[str, Array]],
    duration: float,
    ticks: int,
) -> Protocol:
    """Return the protocol of Circuit.protocol; ``controls`` takes values of sources by name."""
    edges = np.linspace(0.0, positive("duration", duration), tick_count(ticks) + 1)
    if not waveforms:
        raise ValueError(
            "the circuit has no waveforms: read its netlist with waveforms='drive', or make a "
            "Protocol of circuit.controls(...)"
        )
    means = {name: waveform.mean(edges) for name, waveform in waveforms.items()}
    ends = {name: float(waveform.at(edges[-1])) for name, waveform in waveforms.items()}
    return Protocol(np.full(ticks, edges[1]), controls(**means), controls(**ends))
