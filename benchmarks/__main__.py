"""``python -m benchmarks``: ktc beside every other library that is installed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bare import VARIABLE, compile_bare
from benchmarks.catalogue import WORKS
from benchmarks.figure import draw
from benchmarks.measure import Effort, Outcome, all_cores, measure
from benchmarks.report import machine, record, scaling, table, versions
from benchmarks.work import OURS, Contender, UnavailableError, Work

LEAST_REPEATS = 5


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures ktc beside its peers: each contender in a process of its own, rounds "
        "in turn (ours, peer, ours, peer, …), medians. Peers come with: pip install "
        "'ktc[bench,bench-torch]'; what is missing is listed as such. Works: " + ", ".join(WORKS),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = result.add_argument
    add("--works", default="all", metavar="A,B", help="which works")
    add("--peers", default="all", metavar="A,B",
        help="which contenders beside ours and the bare kernel, by the first word of their names; "
        "'none' for none")  # fmt: skip
    add("--cores", choices=("one", "all", "both"), default="one",
        help="pinned to one core (the last that may be used), on all of them, or both")  # fmt: skip
    add("--repeats", type=int, default=LEAST_REPEATS, metavar="N",
        help=f"rounds of each contender, at least {LEAST_REPEATS}; the median counts")  # fmt: skip
    add("--seconds", type=float, default=0.3, help="length of a round; at least one run")
    add("--patience", type=float, default=600.0, metavar="SECONDS",
        help="a contender that has not answered by then has failed")  # fmt: skip
    add("--clock", choices=("wall", "busy"), default="wall",
        help="rates by wall time, or by processor time: only the latter means something where "
        "other processes share the one core")  # fmt: skip
    add("--quick", action="store_true", help="small sizes and short rounds, to see that all runs")
    add("--json", type=Path, metavar="PATH", help="write all numbers there")
    add("--figure", type=Path, metavar="PATH", help="draw them there (PNG, PDF or SVG)")
    return result


def chosen(text: str) -> list[Work]:
    names = list(WORKS) if text == "all" else text.split(",")
    unknown = [name for name in names if name not in WORKS]
    if unknown:
        raise ValueError(f"--works must be among {', '.join(WORKS)}, but has {unknown[0]!r}")
    return [WORKS[name] for name in names]


def entrants(work: Work, peers: str) -> list[Contender]:
    """ktc, the bare kernel and the selected libraries; all contenders of a work without others."""
    wanted = [] if peers == "none" else peers.split(",")
    everybody = peers == "all" or OURS not in [one.name for one in work.contenders]

    def enters(name: str) -> bool:
        first = name.replace(",", " ").split()[0]
        return everybody or name in (OURS, work.bare) or first in wanted

    return [one for one in work.contenders if enters(one.name)]


def run(options: argparse.Namespace) -> list[Outcome]:
    works = chosen(options.works)
    if options.repeats < LEAST_REPEATS:
        raise ValueError(f"--repeats must be at least {LEAST_REPEATS}, but is {options.repeats}")
    seconds = min(options.seconds, 0.02) if options.quick else options.seconds
    effort = Effort(options.repeats, seconds, options.patience, options.clock)
    everything = all_cores()
    sets = {"one": [everything[-1:]], "all": [everything], "both": [everything[-1:], everything]}
    outcomes: list[Outcome] = []
    for work in works:
        for cores in sets[options.cores]:
            of_work: list[Outcome] = []
            for case in work.cases(options.quick):
                of_case = measure(work, case, cores, entrants(work, options.peers), effort)
                of_work += of_case
                write(options, outcomes + of_work)
                if of_case:
                    print(table(work, of_case), end="\n\n", flush=True)
            for line in work.overall(of_work):
                print(line, end="\n\n")
            outcomes += of_work
    for line in scaling(outcomes):
        print(line)
    return outcomes


def write(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    """Called after each case, so that an interrupted run keeps its results."""
    settings = {name: str(value) for name, value in vars(options).items()}
    if options.json:
        options.json.write_text(json.dumps(record(outcomes, settings), indent=1) + "\n")
    if options.figure:
        draw(options.figure, WORKS, outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    for title, entries in (("machine", machine()), ("versions", versions())):
        print(f"{title}: " + ", ".join(f"{key} {value}" for key, value in entries.items()))
    print(f"rates by {options.clock} time, medians of {options.repeats} rounds\n")
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.environ[VARIABLE] = str(compile_bare(Path(folder)))
        except UnavailableError as error:
            # The contenders report it in the row of the bare kernel.
            os.environ[VARIABLE] = str(error)
        try:
            run(options)
        except ValueError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
