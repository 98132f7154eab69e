"""The positive phase where every unit is visible: averages of the data, which nothing moves."""

from __future__ import annotations

from ktc.checks import Array


class DataPhase:
    """⟨∂_θH⟩ over data that all units have."""

    books = (0.0, 0.0)

    def __init__(self, forces: Array) -> None:
        self._forces = forces

    def forces(self) -> Array:
        """Shape (p,)."""
        return self._forces

    def set(self, **controls: Array) -> None:
        """The data do not depend on the controls."""

    def run(self, duration: float) -> None:
        """Nor on time."""
