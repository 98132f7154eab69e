"""Start-up: ``import ktc`` in a fresh interpreter, and ``ktc demo`` to its first progress."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.work import Case, Contender, Prepared, Work, WrongResultError

IMPORT = "import sys, ktc; print('matplotlib' in sys.modules)"
#: The first update of the progress bar ends the process.
DEMO = """
import os, sys
import tqdm
class First:
    def __init__(self, *args, **options): pass
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def __getattr__(self, name):
        print('matplotlib' in sys.modules, flush=True)
        os._exit(0)
tqdm.tqdm = First
sys.stderr.isatty = lambda: True  # the bar is for a terminal alone
from ktc._commands.command_line import main
sys.exit(main(['demo', '--out', sys.argv[1]]) or 'the demo ended without progress')
"""


def starting(script: str) -> Prepared:
    folder = tempfile.TemporaryDirectory()

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, folder.name]
        return subprocess.run(command, capture_output=True, text=True)

    def check(done: subprocess.CompletedProcess[str]) -> str:
        if done.returncode:
            raise WrongResultError(done.stderr.strip().splitlines()[-1])
        return f"matplotlib imported: {done.stdout.strip()}"

    return Prepared(run, 1.0, check)


def cases(quick: bool) -> list[dict[str, Any]]:
    return [{"label": "fresh interpreter, files in the page cache", "dtype": "float64"}]


def python_alone(case: Case) -> Prepared:
    return starting("print(False)")


def numpy_alone(case: Case) -> Prepared:
    return starting("import sys, numpy; print('matplotlib' in sys.modules)")


WORK = Work(
    name="start",
    title="starting (goals: import within 0.3 s, the demo's first progress within 1 s)",
    unit="start",
    cases=cases,
    contenders=(
        Contender("import ktc", lambda case: starting(IMPORT)),
        Contender("ktc demo", lambda case: starting(DEMO), ("sklearn",)),
        Contender("import numpy", numpy_alone),
        Contender("python alone", python_alone),
    ),
    per_unit=True,
)
