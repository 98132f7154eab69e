"""Command line and tables with error bars, shared by the experiments."""

import argparse
from pathlib import Path

import numpy as np

import ktc


def seeds_of(seed):
    """A seed for each run, up to 1000, so that the errors of a sweep are independent."""
    return map(int, np.random.SeedSequence(seed).generate_state(1000, np.uint64))


class Table:
    """Rows of names, exact numbers, and estimates with their standard errors.

    Args:
        *columns: their headings; the first ``named`` of them hold names.
        named: number of leading columns that tell rows apart.
    """

    def __init__(self, *columns, named=1):
        self.columns, self.named, self.rows = columns, named, []

    def add(self, *cells):
        self.rows.append(cells)

    def column(self, heading, **where):
        """Cells of one column, of the rows whose other cells match."""
        places = {name: self.columns.index(name) for name in (heading, *where)}
        chosen = [r for r in self.rows if all(r[places[n]] == v for n, v in where.items())]
        return [row[places[heading]] for row in chosen]

    def __str__(self):
        text = [list(self.columns), *([shown(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*text, strict=True)]
        aligned = [
            [c.ljust(w) if k < self.named else c.rjust(w) for k, (c, w) in enumerate(pairs)]
            for pairs in (zip(row, widths, strict=True) for row in text)
        ]
        return "\n".join("  ".join(row).rstrip() for row in aligned)


def shown(cell):
    """A name unchanged, a number to five digits, an estimate to two digits of its error."""
    if isinstance(cell, str):
        return cell
    if not isinstance(cell, ktc.Estimate) or cell.stderr == 0:
        return f"{float(cell):.5g}"
    places = int(1 - np.floor(np.log10(cell.stderr)))
    if not 0 <= places <= 6:
        return f"{cell.mean:.3g} ± {cell.stderr:.2g}"
    return f"{cell.mean:.{places}f} ± {cell.stderr:.{places}f}"


def scaled(cell, factor):
    """An estimate times an exact number."""
    return ktc.Estimate(cell.mean * factor, cell.stderr * factor, method=cell.method)


def over_runs(values):
    """Mean over independent runs, with the standard error of their scatter."""
    return ktc.Estimate.of_samples(np.asarray(values, dtype=float), method="mean over runs")


def main(script, description, experiment):
    """Run ``experiment(seed, quick)``, print its table, and save its figure."""
    default = Path(script).with_suffix(".png").name
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of the thermal noise (1)")
    parser.add_argument("--quick", action="store_true", help="a reduced size, in seconds")
    parser.add_argument("--figure", type=Path, default=Path(default), help=f"({default})")
    asked = parser.parse_args()
    table, figure = experiment(asked.seed, asked.quick)
    print(table)
    figure.savefig(asked.figure)
