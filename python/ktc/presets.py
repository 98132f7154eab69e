"""Ready-made networks and circuits: textbook examples and published hardware."""

from ktc._circuits.presets import breadboard2, double_well, spu8, trap, two_temperature_rc

__all__ = ["breadboard2", "double_well", "spu8", "trap", "two_temperature_rc"]


def __dir__() -> list[str]:
    return __all__
