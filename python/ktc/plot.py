"""Figures of results, also drawn by ``fit.plot()``, ``run.plot()`` and ``protocol.plot()``.

Every figure is a matplotlib Figure made without pyplot: it needs no screen, a notebook displays it,
and ``figure.savefig(path)`` writes it. Lines differ in colour, dash and marker. Matplotlib is
imported when the first figure is drawn.

Example:
    >>> import ktc
    >>> drive = ktc.Protocol.ramp(duration=2.0, ticks=50, bias=(0.0, 4.0))
    >>> figure = drive.plot()
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['bias']
"""

from ktc._emulation.run_figure import draw_run
from ktc._learning.comparison_figure import images, means, side_by_side
from ktc._learning.fit_figure import draw_fit
from ktc._learning.schedule_figure import draw_schedule
from ktc._measure.convergence_figure import draw_convergence
from ktc._model.protocol_figure import draw_protocol

__all__ = [
    "draw_convergence",
    "draw_fit",
    "draw_protocol",
    "draw_run",
    "draw_schedule",
    "images",
    "means",
    "side_by_side",
]


def __dir__() -> list[str]:
    return __all__
