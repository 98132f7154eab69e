"""One contender in a process of its own, asked over its standard streams, one JSON line each.

The parent has set the thread limits of all libraries in the environment; cores are chosen here,
before anything else is imported.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any, TextIO


def clocks() -> tuple[float, float]:
    """Wall time, and processor time of this process and its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime


def peak_mebibytes() -> float:
    """Peak memory of this process."""
    status = Path("/proc/self/status")
    if status.is_file():
        # On Linux getrusage starts from the memory of the parent.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        if found:
            return int(found[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def timed(run: Any, runs: int) -> tuple[float, float, Any]:
    wall, busy = clocks()
    for _ in range(runs):
        result = run()
    wall_end, busy_end = clocks()
    return wall_end - wall, busy_end - busy, result


class Worker:
    """Answer "start" once, then "round" as often as asked."""

    def start(self, work: str, contender: str, case: dict[str, Any]) -> dict[str, Any]:
        from benchmarks.catalogue import WORKS

        began = time.perf_counter()
        self.prepared = WORKS[work].contender(contender).prepare(case)
        ready = time.perf_counter()
        first, _, result = timed(self.prepared.run, 1)
        found = self.prepared.check(result)
        again, _, result = timed(self.prepared.run, 1)
        # The first run of a compiled contender compiles; the second one is timed.
        self.once = max(again, 1e-9)
        return {
            "prepare": ready - began,
            "first run": first,
            "check": found,
            "amount": self.prepared.amount,
        }

    def round(self, seconds: float) -> dict[str, Any]:
        runs = max(1, round(seconds / self.once))
        wall, busy, result = timed(self.prepared.run, runs)
        self.prepared.check(result)
        return {"wall": wall, "busy": busy, "runs": runs, "peak": peak_mebibytes()}


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.work import UnavailableError, WrongResultError

    try:
        return dict(getattr(worker, request.pop("do"))(**request))
    except UnavailableError as error:
        return {"not available": str(error)}
    except WrongResultError as error:
        return {"wrong": str(error)}
    except MemoryError:
        return {"failed": "not enough memory"}
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}"}


def main(replies: TextIO, cores: list[int]) -> None:
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    worker = Worker()
    for line in sys.stdin:
        print(json.dumps(answer(worker, json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    # Output of libraries must not come between the replies.
    kept = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    main(kept, json.loads(sys.argv[1]))
