"""Noise spectra of linear networks in their stationary state."""

from ktc._theory.linear import band_covariance, spectral_density

__all__ = ["band_covariance", "spectral_density"]


def __dir__() -> list[str]:
    return __all__
