"""Run the experiments of docs/results.md again, and write their tables and figures into it.

    python tools/results.py [NAME ...]

Each command of the page is followed by a block of what it prints. NAME is that of an experiment,
such as ``joules``; all are run where none is given.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
BLOCK = re.compile(
    r"```sh\npython (examples/(\w+)\.py [^\n]*)\n```\n\n```text\n(.*?)```", re.DOTALL
)


class Result(NamedTuple):
    """One experiment of the page: its name, the command's words after ``python``, its table."""

    name: str
    words: list[str]
    table: str


def results(page: str) -> list[Result]:
    """All experiments of a page."""
    return [Result(m[2], shlex.split(m[1]), m[3]) for m in BLOCK.finditer(page)]


def main(names: list[str]) -> None:
    """Run the named experiments, or all."""
    for one in results(PAGE.read_text(encoding="utf-8")):
        if names and one.name not in names:
            continue
        print(one.name, flush=True)
        done = subprocess.run(
            [sys.executable, *one.words], cwd=ROOT, check=True, capture_output=True, text=True
        )
        page = PAGE.read_text(encoding="utf-8")
        block = next(m for m in BLOCK.finditer(page) if m[2] == one.name)
        page = page[: block.start(3)] + done.stdout + page[block.end(3) :]
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
