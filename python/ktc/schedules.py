"""Schedules: learning rates over time, for ``ktc.learn``.

A schedule is made of its duration and rates. Subclass ``Schedule`` to try one of your own.
"""

from ktc._learning.metrics.metric_tensors import MetricTensors
from ktc._learning.path_to_target import PathToTarget
from ktc._learning.scalar_schedules import Adam, Constant, Cosine, Exponential, Tabulated
from ktc._learning.schedule import MemorySlopes, Schedule
from ktc._learning.schedules import (
    ContinuousMinimalDissipation,
    MinimalDissipation,
    NaturalGradient,
)

__all__ = [
    "Adam",
    "Constant",
    "ContinuousMinimalDissipation",
    "Cosine",
    "Exponential",
    "MemorySlopes",
    "MetricTensors",
    "MinimalDissipation",
    "NaturalGradient",
    "PathToTarget",
    "Schedule",
    "Tabulated",
]


def __dir__() -> list[str]:
    return __all__
