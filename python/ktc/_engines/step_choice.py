"""The longest step that an emulator may take."""

from __future__ import annotations

from collections.abc import Iterable

from ktc._engines.step_size import Rates, checked_step, step_of
from ktc._model.controls import Controls
from ktc._model.network import Network


class StepChoice:
    """The step of one network in one motion: the one that is given, or a tenth of its fastest time.

    Args:
        network: the network.
        motion: how it moves; "exact" has no step.
    """

    def __init__(self, network: Network, motion: str) -> None:
        self._network = network
        self._motion = motion
        self._rates = Rates(network)

    def given(self, dt: float, infinite: bool) -> float:
        """``dt`` of an emulator, checked at the network's own controls.

        Raises:
            ValueError: motion without a step; one that quartic units could not follow.
        """
        if infinite:
            raise ValueError(
                f"dt must be None, but is {dt!r}: an infinite ensemble moves exactly over any hold"
            )
        if self._motion == "exact":
            raise ValueError(
                f"dt must be None, but is {dt!r}: a linear network at one temperature moves "
                "exactly over any hold; leave it out, or ask for resolve_heat=True"
            )
        return checked_step(dt, self._rates, [self._network.controls])

    def longest(self, dt: float | None, settings: Iterable[Controls]) -> float:
        """Longest step at any of these controls; zero where it moves exactly."""
        if self._motion == "exact":
            return 0.0
        if dt is None:
            return step_of(self._rates, settings)
        return checked_step(dt, self._rates, settings)
