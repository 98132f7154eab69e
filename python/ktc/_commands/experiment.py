"""An experiment of the command line: learn, report the costs, and write a folder of results."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ktc._base.files import VERSION
from ktc._base.progress import progress_bar
from ktc._boards.board import Board
from ktc._boards.gaussian_model import GaussianModel
from ktc._commands import report
from ktc._drawing.labels import scale_of
from ktc._learning import comparison_figure
from ktc._learning.comparison import STEPS, Comparison, compare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Limits of resistance, capacitance and temperature, those of the SI prefixes, and of the duration
#: over RC; beyond them rounding or overflow would make the energies inaccurate.
LEAST, MOST = 1e-30, 1e30
SHORTEST, LONGEST = 1e-18, 1e18

#: Number of ticks above which a message rounds it.
MANY_TICKS = 1e6

FITS = ("minimal-dissipation.npz", "constant.npz")
FIGURES = ("learned.png", "excess-work.png", "controls-and-ledger.png")
RESULTS = "results.json"


@dataclass(frozen=True)
class Settings:
    """Options of an experiment: the board, the run, and the folder of results."""

    resistance: float = 1e6
    capacitance: float = 1e-12
    temperature: float = 300.0
    duration: float | None = None
    replicas: int = 2000
    ticks: int = 400
    seed: int = 1
    out: Path = Path("ktc-out")

    def __post_init__(self) -> None:
        for name, unit in (("resistance", "Ω"), ("capacitance", "F"), ("temperature", "K")):
            value = getattr(self, name)
            if not LEAST <= value <= MOST:
                raise ValueError(
                    f"{name} must be between {LEAST:g} and {MOST:g} {unit}, but is {value:g}; "
                    "choose a realistic one"
                )
        relaxation = self.resistance * self.capacitance
        shortest, longest = SHORTEST * relaxation, LONGEST * relaxation
        if not shortest <= self.time <= longest:
            raise ValueError(
                f"duration must be between {shortest:.3g} and {longest:.3g} s, {SHORTEST:g} and "
                f"{LONGEST:g} RC, but is {self.time:g}; choose one nearer to RC = {relaxation:.3g} "
                "s, or another resistance or capacitance"
            )

    @property
    def time(self) -> float:
        """Duration [s], ten times RC by default."""
        default = 10.0 * self.resistance * self.capacitance
        return default if self.duration is None else self.duration

    def board(self, cells: int) -> Board:
        """Make an uncoupled board of ``cells`` cells."""
        return Board(cells, self.resistance, self.capacitance, self.temperature)


@dataclass(frozen=True)
class Subject:
    """The model to learn; ``parameters`` are further entries of the results file."""

    description: str
    model: GaussianModel
    parameters: dict[str, object]
    picture: Callable[[Comparison], Figure]


def carry_out(command: str, settings: Settings, prepare: Callable[[], Subject]) -> str:
    """Run an experiment with a progress bar, write its folder, and return the report."""
    if settings.out.exists() and not settings.out.is_dir():
        raise ValueError(f"out must be a folder, but {settings.out} is a file; choose another")
    new = not settings.out.exists()
    settings.out.mkdir(parents=True, exist_ok=True)

    def advance(step: str) -> None:
        bar.update(1)
        bar.set_postfix_str(step)

    try:
        # A bar that redraws itself would be one long line in a file or a pipe.
        with progress_bar(STEPS + 2, "step", sys.stderr.isatty(), f"ktc {command}") as bar:
            subject = prepare()
            run = settings.time, settings.replicas, settings.ticks, settings.seed
            comparison = compare(subject.model, *run, advance)
            advance("drawing")
            _write(command, settings, subject, comparison)
            bar.update(1)
    except BaseException:
        if new:
            # rmdir removes only an empty folder.
            with suppress(OSError):
                settings.out.rmdir()
        raise
    return _report(settings, subject, comparison)


def _write(command: str, settings: Settings, subject: Subject, comparison: Comparison) -> None:
    # Numbers are written first, so that they are kept if a figure fails.
    for name, fit in zip(FITS, comparison.fits, strict=True):
        fit.save(settings.out / name)
    chosen = {**asdict(settings), "duration": settings.time, **subject.parameters}
    del chosen["out"], chosen["seed"]
    contents = {
        "ktc": VERSION,
        "command": command,
        "seed": settings.seed,
        "parameters": chosen,
        **report.results(comparison),
        "files": [*FIGURES, *FITS],
    }
    text = json.dumps(contents, indent=1, allow_nan=False, ensure_ascii=False)
    (settings.out / RESULTS).write_text(text + "\n", encoding="utf-8")
    learned, excess_work, ledger = FIGURES
    subject.picture(comparison).savefig(settings.out / learned)
    comparison_figure.excess_over_duration(comparison).savefig(settings.out / excess_work)
    comparison_figure.side_by_side(comparison.fits).savefig(settings.out / ledger)


def _report(settings: Settings, subject: Subject, comparison: Comparison) -> str:
    values = (settings.resistance, settings.capacitance, settings.temperature, settings.time)
    ohm, farad, kelvin, second = (
        scale_of(value, unit).number(value) for value, unit in zip(values, "ΩFKs", strict=True)
    )
    cells = subject.model.board.cells
    return f"""\
{subject.description}
on {cells} RC {"cell" if cells == 1 else "cells"} of {ohm} and {farad} at {kelvin}, in {second}, \
{settings.replicas} replicas

{report.table(comparison)}

{report.EXPLANATION}
{_note(settings, float(subject.model.board.network.relaxation_times[0]))}
results in {settings.out}: {", ".join(FIGURES)},
{", ".join([RESULTS, *FITS])}"""


def _note(settings: Settings, fastest: float) -> str:
    """A warning about ticks longer than the fastest mode's relaxation time; empty without."""
    hold, least = settings.time / settings.ticks, settings.time / fastest
    if hold <= fastest:
        return ""
    enough = str(math.ceil(least)) if least < MANY_TICKS else f"{least:.1e}"
    return f"""
note: a tick of {hold:.2g} s is longer than the relaxation time of the fastest mode, \
{fastest:.2g} s.
Minimal dissipation accounts for it and reaches its target; other schedules are followed coarsely.
Such ticks dissipate more than the bound; about {enough} ticks are needed to come close.
"""
