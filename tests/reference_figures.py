"""Figures of a run as exact text, what they were computed with, and how two records differ.

A figure is a named array of doubles. Text is hexadecimal (``float.hex``): it reads back as the same
double, and a change of one bit shows.
"""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg  # loads SciPy's BLAS, so that environment() lists it
from threadpoolctl import threadpool_info

import ktc

Figures = dict[str, np.ndarray]

#: What the bits of a run depend on. KERNELS: on ktc's own kernels alone, which agree at the levels
#: v3 and v4. LIBRARIES: on BLAS, LAPACK and NumPy, too: elsewhere figures agree to rounding.
KERNELS, LIBRARIES = "kernels", "libraries"
#: On the same libraries, but not comparable elsewhere: noise is drawn by a pivoted factor of a
#: covariance with unit diagonal, or by eigenvectors from a divide-and-conquer solver. Rounding
#: decides the order of equal pivots and the sign of eigenvectors, so that other libraries draw
#: another path of the same process.
FACTORS = "factors"
#: Bits are not kept: figures agree to rounding everywhere.
ROUNDING = "rounding"

#: Figures that depend on BLAS in every run: it multiplies states by each other and by K.
BY_LIBRARIES = ("covariance", "energy_change")
#: Figures of closed forms, which may be written in another way: to rounding in every run.
CLOSED_FORMS = ("free_energy_change", "excess_work", "completed", "bounds")
#: Figures in one unit: rounding is relative to the largest of them, as it is in each balance.
ENERGIES = (
    "work", "heat", "net_heat", "supply", "energy_change", "source", "injected", "shadow",
    "heat_per_resistor", "run.work", "run.heat", "free_energy_change", "excess_work", "completed",
    "bounds", "history.work", "history.heat",
)  # fmt: skip

#: Accounts that every motion books, and those of motions that itemise heat.
ACCOUNTS = ("work", "heat", "supply", "energy_change")
ITEMISED = ("source", "injected", "shadow", "entropy_flow", "heat_per_resistor")


def ends(values: np.ndarray) -> np.ndarray:
    """First row, last row, and the sum of all rows, of values (replicas, …).

    ``math.fsum`` rounds once: the sum depends on all replicas and on no order of summation.
    """
    rows = np.asarray(values, dtype=float).reshape(len(values), -1)
    sums = [math.fsum(column) for column in rows.T]
    return np.concatenate([rows[0], rows[-1], sums])


def upper(matrix: np.ndarray) -> np.ndarray:
    """Entries of a symmetric matrix, or of a stack of them, on and above the diagonal."""
    rows, columns = np.triu_indices(matrix.shape[-1])
    return np.asarray(matrix[..., rows, columns])


def of_emulator(emulator: Any, units: int = 4) -> Figures:
    """State, moments and accounts of an emulator; states and moments of the first ``units``."""
    figures = of_accounts(emulator, units)
    figures["state"] = ends(emulator.read()[:, :units])
    if emulator.network.inertia is not None:
        figures["momentum"] = ends(emulator.read_momentum()[:, :units])
    return figures | of_moments(emulator, units)


def of_moments(emulator: Any, units: int = 4) -> Figures:
    """Mean and covariance of the first ``units``."""
    moments = emulator.moments()
    return {
        "mean": moments.mean[:units],
        "covariance": upper(np.asarray(moments.covariance)[:units, :units]),
    }


def of_accounts(emulator: Any, units: int = 4) -> Figures:
    """Every account that the motion books; of the first ``units`` resistors."""
    figures, ledger = {}, emulator.ledger
    names = ACCOUNTS + (ITEMISED if emulator.resolve_heat else ())
    if not emulator.resolve_heat and ledger.source.any():
        names = (*ledger.names, "energy_change")  # exact motion under sources
    for name in names:
        try:
            amount = getattr(ledger, name)
            figures[name] = ends(amount.reshape(len(amount), -1)[:, :units])
        except ValueError:
            # A sparse network keeps no account per resistor unless it is asked for.
            if name != "heat_per_resistor":
                raise
    return figures


def of_run(run: Any) -> Figures:
    """Mean work and heat of a played protocol."""
    return {f"run.{name}": np.array([getattr(run, name).mean]) for name in ("work", "heat")}


def of_excess(run: Any) -> Figures:
    """What a played protocol dissipated, by the closed form of the free energy."""
    return {"excess_work": estimate(run.excess_work)}


def of_fit(fit: Any, units: int = 4) -> Figures:
    """Parameters reached, energies spent, and the history at five updates."""
    reached, history = fit.network, fit.history
    figures = {"bias": reached.bias[:units]}
    if reached.quartic.any():
        figures["quartic"] = reached.quartic
    if not reached.is_sparse:
        figures["stiffness"] = upper(reached.stiffness)
    for name in ("work", "heat", "free_energy_change", "excess_work"):
        figures[name] = estimate(getattr(fit, name))
    for name in ("gradient", "mean"):
        # In the middle of the run, where the gradient has not vanished yet, and at the end.
        values = getattr(history, name)
        figures[f"history.{name}"] = values[[len(values) // 2, -1], :units].ravel()
    for name in ("work", "heat"):
        figures[f"history.{name}"] = getattr(history, name)[:: len(history.work) // 4]
    return figures


def estimate(value: Any) -> np.ndarray:
    """Mean and standard error."""
    return np.array([value.mean, value.stderr])


def text_of(figures: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Figures as hexadecimal text, without zeros at the end of a mantissa."""
    return {
        name: " ".join(re.sub(r"\.?0+p", "p", float(value).hex()) for value in np.ravel(values))
        for name, values in figures.items()
    }


def figures_of(text: Mapping[str, str]) -> Figures:
    """The figures that ``text_of`` wrote."""
    return {
        name: np.array([float.fromhex(word) for word in line.split()])
        for name, line in text.items()
    }


@cache
def environment() -> dict[str, Any]:
    """What the bits of a run may depend on, beside ktc itself.

    BLAS and LAPACK have kernels for each processor, ktc's copy and those of NumPy and SciPy alike;
    NumPy has kernels of its own for exp, log and others.
    """
    config = ktc.show_config()
    libraries = [
        f"{library['version']} {library.get('architecture')}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    return {
        "system": platform.system(),
        "kernels": config["kernels"],
        "openblas core": config["openblas core"],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "blas": sorted(libraries),
        "simd": numpy_simd(),
    }


def numpy_simd() -> str:
    """The instruction set that NumPy's own exp, log and others were chosen for."""
    try:
        from numpy._core import _multiarray_umath as core
    except ImportError:  # NumPy 1
        from numpy.core import _multiarray_umath as core

    features = core.__cpu_features__
    return next((name for name in ("AVX512_SKX", "AVX2") if features.get(name)), "")


def scales(figures: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What rounding of each figure is relative to: its largest entry, of energies of them all."""
    largest = {name: float(np.abs(values).max()) for name, values in figures.items()}
    energy = max((largest[name] for name in largest if name in ENERGIES), default=0.0)
    return {name: energy if name in ENERGIES else largest[name] for name in largest}


def difference(expected: np.ndarray, found: Any, tolerance: float, scale: float) -> str | None:
    """How two figures differ by more than ``tolerance * scale``; None where they do not.

    A tolerance of zero asks for the same bits, but for the sign of a zero.
    """
    ours = np.ravel(np.asarray(found, dtype=float))
    if ours.shape != expected.shape:
        return f"has {ours.size} numbers, recorded {expected.size}"
    gap = np.abs(ours - expected)
    differing = np.flatnonzero(~(gap <= tolerance * scale))  # NaN differs
    if len(differing) == 0:
        return None
    worst = differing[np.argmax(gap[differing])]
    now, then = float(ours[worst]), float(expected[worst])
    relative = gap[worst] / scale if scale else math.inf
    allowed = f", allowed {tolerance:.0e}" if tolerance else ", no bit may"
    return (
        f"{len(differing)} of {ours.size} numbers differ; number {worst} is {now!r} ({now.hex()}), "
        f"recorded {then!r} ({then.hex()}): by {relative:.1e} of the scale {scale:.3g}{allowed}"
    )
