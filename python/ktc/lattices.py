"""Sparse stiffness matrices of lattices and graphs of springs."""

from ktc._model.lattices import grid, ring, springs

__all__ = ["grid", "ring", "springs"]


def __dir__() -> list[str]:
    return __all__
