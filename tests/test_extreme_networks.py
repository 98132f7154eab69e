"""Networks of extreme values: refused by name, or moved with finite numbers and a closed ledger."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ktc

EXTREMES = (5e-324, 1e-300, 1e-150, 1e-30, 1e30, 1e150)
NAMES = ("stiffness", "friction", "kT", "bias", "quartic", "inertia")


def attempted(call: Callable[[], Any]) -> Any:
    """The result, or None where an error names what is extreme. Warnings of NumPy are errors."""
    try:
        return call()
    except ValueError as error:
        told = str(error)
    assert re.search(rf"\b({'|'.join(NAMES)}|dt|duration|energy)\b", told), told
    return None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("replicas", [3, float("inf")])
@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize("name", NAMES)
def test_one_extreme_value(name, value, replicas):
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    given = {"stiffness": matrix, "friction": 1.0, "kT": 1.0, name: value}
    if name == "stiffness":
        given[name] = value * matrix
    network = attempted(lambda: ktc.Network(**given))
    if network is None:
        return
    seed = {} if replicas == float("inf") else {"seed": 1}
    emulator = attempted(lambda: ktc.Emulator(network, replicas=replicas, **seed))
    if emulator is None:
        return
    # The fastest time, where steps would be too many.
    scale = emulator._frontend.engine.core.longest_step if replicas == 3 else 0.0
    hold = min(1.0, 10 * scale) if scale > 0 else 1.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* steps, of at most", UserWarning)
        attempted(lambda: emulator.run(hold))
        attempted(lambda: emulator.set(bias=0.5))
        run = attempted(lambda: emulator.play(ktc.Protocol([hold] * 2, {"bias": [1.0, 2.0]})))
    assert emulator.ledger.imbalance() <= 1e-12
    assert np.isfinite(emulator.moments().covariance).all()
    if run is not None:
        assert np.isfinite([run.work.mean, run.heat.mean]).all()


def test_friction_and_inertia_far_from_one_are_refused():
    for name in ("friction", "inertia"):
        for value in (1e-200, 1e200):
            given = {"friction": 1.0, name: value}
            with pytest.raises(ValueError, match=f"{name} must be between 1e-150 and 1e.150"):
                ktc.Network(1.0, **given)
