"""Measurement of contenders: a process each, alternating rounds, medians."""

from __future__ import annotations

import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.work import Case, Contender, Work

ROOT = Path(__file__).parent.parent
THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Effort:
    """Options of a measurement: rounds, seconds of each, time limit of an answer, clock."""

    repeats: int
    seconds: float
    patience: float
    clock: str


@dataclass
class Outcome:
    """Outcome of a contender: rates, or a state that says why there are none."""

    work: str
    case: Case
    cores: int
    contender: str
    state: str = "measured"
    prepare: float = 0.0
    first_run: float = 0.0
    check: str = ""
    peak: float = 0.0
    rates: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """The median."""
        return statistics.median(self.rates) if self.rates else None


def all_cores() -> list[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def missing(contender: Contender) -> str | None:
    """The first missing module or program of a contender."""
    modules = [name for name in contender.modules if find_spec(name) is None]
    programs = [name for name in contender.programs if shutil.which(name) is None]
    return next(iter(modules + programs), None)


class Process:
    """The process of a contender; it ends with the connection."""

    def __init__(self, cores: Sequence[int]) -> None:
        eigen = "true" if len(cores) > 1 else "false"
        environment = {
            **os.environ,
            **{name: str(len(cores)) for name in THREAD_LIMITS},
            # Threads that spin between two contenders' rounds would disturb the other's.
            "OMP_WAIT_POLICY": "passive",
            "KMP_BLOCKTIME": "0",
            "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen} "
            f"intra_op_parallelism_threads={len(cores)}",
            "JAX_PLATFORMS": "cpu",
            "NPROC": str(len(cores)),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contender", json.dumps(list(cores))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self._replies: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._note, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(line)
        self._replies.put("")

    def _note(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    def ask(self, request: dict[str, Any], patience: float) -> dict[str, Any]:
        try:
            assert self._process.stdin is not None
            print(json.dumps(request), file=self._process.stdin, flush=True)
            reply = self._replies.get(timeout=patience)
        except queue.Empty:
            return {"failed": f"no answer within {patience:g} s"}
        except BrokenPipeError:
            reply = ""
        if not reply:
            last = self._errors[-1].strip() if self._errors else "no word"
            return {"failed": f"died (exit code {self._process.wait()}): {last}"}
        return dict(json.loads(reply))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def measure(
    work: Work, case: Case, cores: Sequence[int], contenders: Sequence[Contender], effort: Effort
) -> list[Outcome]:
    """Start all contenders, then ask each in turn for a round until all repeats are done."""
    case = {**case, "cores": len(cores)}
    outcomes, running = [], []
    try:
        for contender in contenders:
            outcome = Outcome(work.name, case, len(cores), contender.name)
            outcomes.append(outcome)
            absent = missing(contender)
            if absent is not None:
                outcome.state = f"not installed ({absent})"
                continue
            process = Process(cores)
            request = {"do": "start", "work": work.name, "contender": contender.name, "case": case}
            reply = process.ask(request, effort.patience)
            if _ended(outcome, reply):
                process.close()
                continue
            outcome.prepare, outcome.first_run = reply["prepare"], reply["first run"]
            outcome.check = reply["check"]
            running.append((outcome, process, reply["amount"]))
        for _ in range(effort.repeats):
            for outcome, process, amount in running:
                if outcome.state == "measured":
                    _round(outcome, process, amount, effort)
    finally:
        for _, process, _ in running:
            process.close()
    return outcomes


def _round(outcome: Outcome, process: Process, amount: float, effort: Effort) -> None:
    reply = process.ask({"do": "round", "seconds": effort.seconds}, effort.patience)
    if _ended(outcome, reply):
        outcome.rates.clear()
        return
    outcome.rates.append(amount * reply["runs"] / max(reply[effort.clock], 1e-9))
    outcome.loads.append(reply["busy"] / reply["wall"] / outcome.cores)
    outcome.peak = reply["peak"]


def _ended(outcome: Outcome, reply: dict[str, Any]) -> bool:
    for word in ("not available", "wrong", "failed"):
        if word in reply:
            outcome.state = f"{word}: {reply[word]}"
            return True
    return False
