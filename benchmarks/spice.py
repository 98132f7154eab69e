"""Thermal noise of one RC cell: time points per second, beside ngspice's transient noise.

Its source is a new Gaussian voltage each microsecond, of variance chosen so that ⟨v²⟩ = kT/C;
the solver puts several time points in each. Ours plays ticks of one microsecond, exactly.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.work import Case, Contender, Prepared, Work, WrongResultError, close

RESISTANCE, CAPACITANCE = 1e3, 20e-9
RELAXATION = RESISTANCE * CAPACITANCE
INTERVAL, KT = 1e-6, 1e-9
VARIANCE = KT / CAPACITANCE

#: S = 2kTR over the interval: what a piecewise noise of that density needs.
NETLIST = """* thermal noise of an RC cell
V1 in 0 dc 0 trnoise({amplitude} {interval} 0 0)
R1 in out {resistance}
C1 out 0 {capacitance}
.tran {interval} {duration} 0 {interval}
.control
set noaskquit
run
meas tran rms rms v(out) from={begin} to={duration}
.endc
.end
"""


def ours(case: Case) -> Prepared:
    import ktc

    replicas, ticks = case["replicas"], case["ticks"]
    network = ktc.Network(stiffness=1 / CAPACITANCE, friction=RESISTANCE, kT=KT)
    emulator = ktc.Emulator(network, replicas=replicas, seed=1, threads=case["cores"])
    drive = ktc.Protocol(np.full(ticks, INTERVAL), {"bias": np.zeros(ticks)})
    recorded: list[float] = []

    def run() -> None:
        emulator.play(drive)
        recorded.append(float(np.mean((emulator.read() / CAPACITANCE) ** 2)))

    def check(_: None) -> str:
        independent = len(recorded) * replicas
        error = np.sqrt(2 / independent)
        return close("⟨v²⟩ C/kT", float(np.mean(recorded)) / VARIANCE, 1.0, 5 * error)

    return Prepared(run, float(replicas * ticks), check)


def by_ngspice(case: Case) -> Prepared:
    duration = case["points"] * INTERVAL
    folder = tempfile.TemporaryDirectory()
    netlist = Path(folder.name) / "cell.cir"
    netlist.write_text(
        NETLIST.format(
            amplitude=np.sqrt(2 * KT * RESISTANCE / INTERVAL),
            interval=INTERVAL,
            resistance=RESISTANCE,
            capacitance=CAPACITANCE,
            duration=duration,
            begin=10 * RELAXATION,
        )
    )

    def run() -> str:
        _ = folder  # lives as long as the run
        command = ["ngspice", "-b", str(netlist)]
        return subprocess.run(command, capture_output=True, text=True, cwd=netlist.parent).stdout

    def number(pattern: str, text: str) -> float:
        found = re.search(pattern, text)
        if found is None:
            raise WrongResultError(f"ngspice told no {pattern!r}")
        return float(found[1])

    def check(text: str) -> str:
        ratio = number(r"rms\s*=\s*(\S+)", text) ** 2 / VARIANCE
        # Time averages over T scatter by √(2τ/T); the interval's own smoothing takes some 2 %.
        return close("⟨v²⟩ C/kT", ratio, 1.0, 5 * np.sqrt(2 * RELAXATION / duration) + 0.03)

    rows = number(r"No\. of Data Rows : (\d+)", run())
    return Prepared(run, rows, check)


def cases(quick: bool) -> list[dict[str, Any]]:
    replicas, ticks, points = ((64,), 200, 10_000) if quick else ((1, 1024), 20_000, 100_000)
    return [
        {
            "label": f"{count} replicas of ours",
            "dtype": "float64",
            "replicas": count,
            "ticks": ticks,
            "points": points,
        }
        for count in replicas
    ]


WORK = Work(
    name="spice",
    title="thermal noise of one RC cell in time",
    unit="time points/s",
    cases=cases,
    contenders=(Contender("ktc", ours), Contender("ngspice", by_ngspice, programs=("ngspice",))),
)
