"""Controls so large that the energy of a state would leave the range of its numbers."""

from __future__ import annotations

from operator import itemgetter

import numpy as np

from ktc._engines.engine import Engine
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._model.controls import Controls
from ktc._model.sparse_stiffness import SparseStiffness

#: Largest stiffness or quartic coefficient in single precision: states are kept over the square
#: root of the stiffness, which leaves the range of a float beyond.
SINGLE = 1e70


def refuse_overflow(controls: Controls, engine: Engine, options: EnsembleOptions) -> None:
    """Refuse controls at which the energy of the present state, or its square, overflows."""
    held = controls.held_stiffness
    rows = held.row_sums if isinstance(held, SparseStiffness) else np.abs(held)
    sizes = {"stiffness": float(rows.max()), "quartic": float(controls.quartic.max())}
    name, largest = max(sizes.items(), key=itemgetter(1))
    if options.dtype == "float32" and largest > SINGLE:
        raise ValueError(
            f"{name} of {largest:g} is beyond {SINGLE:g}, which states in single precision do not "
            "follow; scale it down, or take dtype='float64'"
        )
    if largest > 1e100:
        reach = engine.reach()
        if not largest * max(reach**2, reach**4) < 1e150:
            raise ValueError(
                f"{name} of {largest:g} is so large that the energy of the present state "
                "overflows; scale it down"
            )
