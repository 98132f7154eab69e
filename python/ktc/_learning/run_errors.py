"""Errors of a run's accounts over repeated runs, by any method."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ktc._model.controls import Controls


class RunErrors(ABC):
    """Standard errors of the accounts of a run of which all replicas share one controller.

    Attributes:
        name: the method, as in ``Fit.error_method``.
        description: the method in words.
    """

    name: str
    description: str

    @abstractmethod
    def error(self, account: str | Controls, alone: float) -> float:
        """Error of "work", "heat", or "excess work", which is W − ΔF at each run's own final θ, or
        of the work with one last jump to controls; ``alone`` is that of independent replicas.
        """
