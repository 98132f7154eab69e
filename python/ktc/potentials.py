"""Potentials of single units, for ``Network(potential=...)``.

A potential adds V(x) to the energy ½ xᵀKx − bᵀx + ¼ Σ κ_i x_i⁴ of a unit. Its parameters are
controls of the network.
"""

from ktc._model.potentials.cosine import Cosine
from ktc._model.potentials.polynomial import Polynomial
from ktc._model.potentials.potential import Potential
from ktc._model.potentials.table import Table, from_function
from ktc._model.potentials.two_parabolas import TwoParabolas

__all__ = ["Cosine", "Polynomial", "Potential", "Table", "TwoParabolas", "from_function"]


def __dir__() -> list[str]:
    return __all__
