"""Protocols of circuits whose sources follow waveforms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ktc._base.resources import allocating
from ktc._base.validation import positive, tick_count
from ktc._circuits.waveform import Waveform
from ktc._model.protocol import Protocol


def protocol_of_waveforms(
    waveforms: Mapping[str, Waveform], duration: float, ticks: int
) -> Protocol:
    """Return the protocol of Circuit.protocol."""
    if not waveforms:
        raise ValueError(
            "the circuit has no waveforms: read its netlist with waveforms='drive', or name its "
            "sources in ktc.Protocol(holds, {'V1': ...})"
        )
    with allocating("ticks", tick_count(ticks)):
        edges = np.linspace(0.0, positive("duration", duration), ticks + 1)
        means = {name: waveform.mean(edges) for name, waveform in waveforms.items()}
        ends = {name: float(waveform.at(edges[-1])) for name, waveform in waveforms.items()}
        return Protocol(np.full(ticks, edges[1]), means, ends)
