"""``ktc learn FILE``: the mean of a table, learned on a board with one cell per column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ktc._boards.gaussian_model import GaussianModel
from ktc._commands.experiment import Settings, Subject, carry_out
from ktc._commands.table_file import Table, read_table
from ktc._learning import comparison_figure
from ktc._learning.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learn_file(path: Path, settings: Settings) -> str:
    """Learn the mean of a table from the minima of its columns, and return the report.

    There is one cell per column. Zero volts represent the minimum of a column, and one thermal
    width its standard deviation (1 for a constant column). Couplings give the board the covariance
    of the table, regularised by ``ktc._boards.gaussian_model.shrunk_covariance``. The bias is
    learned from zero.
    """
    table = read_table(path)
    _check(path, table)
    return carry_out("learn", settings, lambda: _subject(path, table, settings))


def _check(path: Path, table: Table) -> None:
    values = table.values
    if len(values) < 2:
        raise ValueError(
            f"{path} has one row, but a mean and a covariance need at least two; add rows"
        )
    if (values == values[0]).all():
        raise ValueError(
            f"{path} has rows that are all equal, so that its covariance is zero; add other rows"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        deviation, constant = values.std(axis=0), (values == values[0]).all(axis=0)
    for wrong, happens, unit in (
        (~np.isfinite(deviation), "overflows", "larger"),
        ((deviation == 0) & ~constant, "underflows", "smaller"),
    ):
        if wrong.any():
            raise ValueError(
                f"{path}, {table.label(int(np.argmax(wrong)))}: its standard deviation {happens}; "
                f"give the numbers in a {unit} unit"
            )


def _subject(path: Path, table: Table, settings: Settings) -> Subject:
    values, minima = table.values, table.values.min(axis=0)
    widths = np.where(np.ptp(values, axis=0) > 0, values.std(axis=0), 1.0)
    board = settings.board(values.shape[1])
    model = GaussianModel.of(board, values, offset=minima, scale=widths)
    labels = [table.label(column) for column in range(values.shape[1])]

    def picture(comparison: Comparison) -> Figure:
        means = {f.schedule.name: model.mean_at(f.history.bias[-1]) for f in comparison.fits}
        means = {"data mean": values.mean(axis=0), **means}
        scaled = {name: (mean - minima) / widths for name, mean in means.items()}
        return comparison_figure.means(scaled, labels, "mean − minimum [standard deviations]")

    return Subject(
        f"Mean of {len(values)} rows of {path.name}, learned from the minima of its columns",
        model,
        {"file": path.name, "columns": labels, "data_sd": widths.tolist()},
        picture,
    )
