"""Driven linear networks beside undriven ones: the same modes and ticks, all energies booked.

A unit-step is that of one coordinate of the state: a unit, or the filter of a noise generator.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.linear import stiffness
from benchmarks.work import Case, Contender, Prepared, Work, WrongResultError, close, our_emulator

HOLD = 1e-3
#: Times that a driven network may take of those of an undriven one.
GOAL = 1.5


def couplings(units: int) -> np.ndarray[Any, Any]:
    return stiffness(units) if units > 1 else np.eye(1)


def network(case: Case, drive: str) -> Any:
    """Units with one resistor each, and a second one at the first, so that sources dissipate."""
    import ktc

    units = case["units"]
    eye = np.eye(units)
    emf = 0.3 if drive == "EMFs" else 0.0
    hot = 2.0 if drive == "two temperatures" else 1.0
    resistors = [ktc.Resistor(eye[i], 1.0, f"R{i}", emf=emf) for i in range(units)]
    resistors.append(ktc.Resistor(eye[0], 0.5, "leak"))
    sources, noises = [], []
    if drive == "currents":
        sources = [ktc.CurrentSource(np.ones(units), 0.2)]
    if drive == "white noise":
        noises = [ktc.NoiseSource(np.ones(units), 0.5)]
    if drive == "filtered noise":
        noises = [ktc.NoiseSource(np.ones(units), 0.5, 0.3)]
    kT = [1.0] * (units // 2) + [hot] * (units - units // 2) + [1.0]
    return ktc.Network.of_elements(couplings(units), resistors, kT, sources=sources, noises=noises)


def waveforms(case: Case, drive: str) -> dict[str, np.ndarray[Any, Any]]:
    """Nothing, a bias, or the sources, new in every tick."""
    units, ticks = case["units"], case["ticks"]
    wave = 1 + np.sin(0.01 * np.arange(ticks))[:, None]
    if case["changes"] == "nothing":
        return {}
    if case["changes"] == "sources" and drive == "EMFs":
        return {"emf": 0.3 * wave * np.append(np.ones(units), 0.0)}
    if case["changes"] == "sources" and drive == "currents":
        return {"current": 0.2 * wave}
    return {"bias": 1e-3 * wave * np.ones(units)}


def contender(drive: str) -> Contender:
    def prepare(case: Case) -> Prepared:
        import ktc

        emulator = our_emulator(network(case, drive), case)
        protocol = ktc.Protocol(np.full(case["ticks"], HOLD), waveforms(case, drive))

        def run() -> Any:
            return emulator.play(protocol)

        def check(run: Any) -> str:
            books = emulator.ledger
            if drive in ("EMFs", "currents") and not books.source.all():
                raise WrongResultError("no energy from the sources")
            rounding = 1e-9 if case["dtype"] == "float64" else 1e-4
            return close("imbalance", float(np.max(books.imbalance())), 0.0, rounding)

        rows = case["units"] + (drive == "filtered noise")
        return Prepared(run, float(rows * case["replicas"] * case["ticks"]), check)

    return Contender(drive, prepare)


def cases(quick: bool) -> list[dict[str, Any]]:
    sizes: tuple[tuple[int, int, int], ...] = (
        (1, 65536, 1000), (2, 16384, 500), (8, 4096, 500), (64, 512, 200),
    )  # fmt: skip
    if quick:
        sizes = ((1, 1024, 50), (8, 128, 50))
    return [
        {
            "label": f"d = {units}, {replicas} replicas, {changes} new in every tick, {dtype}",
            "dtype": dtype,
            "units": units,
            "replicas": replicas,
            "ticks": ticks,
            "changes": changes,
        }
        for units, replicas, ticks in sizes
        for dtype in ("float64", "float32")
        for changes in ("nothing", "sources")
    ]


def notes(outcomes: list[Any]) -> list[str]:
    rates = {one.contender: one.rate for one in outcomes if one.rate}
    plain = rates.pop("undriven", None)
    if plain is None or not rates:
        return []
    times = ", ".join(f"{name} {plain / rate:.2f}" for name, rate in rates.items())
    return [f"time over that of an undriven network: {times} (goal: at most {GOAL:g})"]


DRIVES: tuple[str, ...] = (
    "undriven", "EMFs", "currents", "two temperatures", "white noise", "filtered noise",
)  # fmt: skip

WORK = Work(
    name="driven",
    title="driven linear network, exact, energy from sources booked",
    unit="unit-steps/s",
    cases=cases,
    contenders=tuple(contender(drive) for drive in DRIVES),
    bare="undriven",
    notes=notes,
)
