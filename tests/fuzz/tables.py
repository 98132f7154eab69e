"""Tables of ``ktc learn FILE``, and data handed to ``ktc.learn``."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import ktc
from ktc._commands.table_file import read_table

from .odd import EXTREMES, Frame, odd
from .source import Source
from .verdict import attempt, require_finite, short

CELLS = (
    "1", "2.5", "-3", "0", "1e300", "-1e308", "1e-300", "5e-324", "nan", "NaN", "inf", "-inf", "",
    " ", "NA", "n/a", "null", "?", "-", "x", "1,5", "1_000", "0x10", "1e", "1e400", "٣", "½", '"1"',
    '"', '""', "'1'", "1 2", "1;2", "#", "True", "1j", "1" * 500, "9" * 400, "\0", "é", "\x1c",
    "1\u00a0", "+1", "--1", "1.", ".", "1d3",
)  # fmt: skip
HEADERS = ("a", "b", "time [s]", "", "é", "a", '"x,y"', "1", "nan", "#x")
JUNK = b"0123456789.,;\t \n\r\"'#-+eE\x00\xff\xfe\xef\xbb\xbf\x1cxn"


@cache
def folder() -> Path:
    """A folder for files of this process, in memory where the system offers that."""
    memory = Path("/dev/shm")
    kept = tempfile.TemporaryDirectory(
        prefix="ktc-fuzz-", dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True
    )
    FOLDERS.append(kept)
    return Path(kept.name)


FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def table(source: Source) -> bytes:
    """A table, and rarely some bytes changed."""
    separator, end = source.pick((",", ";", "\t", " ", ", ", "  ")), source.pick(("\n", "\r\n"))
    columns, spoiled = source.integer(1, 4), source.rarely(2)
    rows = []
    if source.rarely(3):
        rows.append([source.pick(HEADERS) for _ in range(columns)])
    for _ in range(source.integer(0, 6)):
        row = [
            source.pick(CELLS) if spoiled and source.rarely(6) else f"{source.integer(-99, 99) / 8}"
            for _ in range(columns)
        ]
        rows.append(row[:-1] if spoiled and source.rarely(20) else row)
        if source.rarely(15):
            rows.append([source.pick(("# comment", "", "  ", '"'))])
    text = end.join(separator.join(row) for row in rows) + source.pick(("", end))
    raw = text.encode(source.pick(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32")))
    for _ in range(source.integer(1, 3) if source.rarely(4) else 0):
        k = source.integer(0, len(raw))
        raw = raw[:k] + bytes([source.pick(JUNK)]) + raw[k + source.integer(0, 2) :]
    return raw


def fuzz_files(source: Source) -> None:
    raw = table(source)
    path = folder() / "table.csv"
    path.write_bytes(raw)
    told = f"table {raw!r}"
    read = attempt(lambda: read_table(path), [path.name], told)
    if read is None:
        return
    require_finite(read.values, told)
    assert read.values.ndim == 2 and len(read.names) == read.values.shape[1], told
    if source.rarely(500):  # it draws figures
        from ktc._commands.experiment import Settings
        from ktc._commands.learn_file import learn_file

        settings = Settings(ticks=3, replicas=3, out=folder() / "out")
        names = [path.name, "table", "data", "ticks", "replicas"]
        attempt(lambda: learn_file(path, settings), names, f"learn, {told}")


def data(source: Source, columns: int) -> Any:
    """Data that look like samples, with a few odd numbers or an odd type."""
    rows = source.integer(0, 5)
    array: Any = np.array(source.numbers(rows * columns)).reshape(rows, columns)
    if source.rarely(2):
        return array
    for _ in range(source.integer(0, 2)):
        if array.size:
            array.flat[source.integer(0, array.size - 1)] = source.pick(EXTREMES)
    kind = source.integer(0, 12)
    if kind == 0:
        return array.tolist()
    if kind == 1:
        return np.ma.masked_array(array, np.arange(array.size).reshape(array.shape) == 1)
    if kind == 2:
        return [[str(x) if source.rarely(3) else x for x in row] for row in array.tolist()]
    if kind == 3:
        return [[10**400 if source.rarely(3) else x for x in row] for row in array.tolist()]
    if kind == 4:
        return np.zeros(rows, dtype=[("a", float), ("b", source.pick(("U3", "f8", "i8")))])
    if kind == 5:
        with np.errstate(over="ignore", invalid="ignore"):
            return array.astype(source.pick(("f4", "f2", ">f8", "O", "U8", "S8", "c16", "g")))
    if kind == 6:
        return array.T
    if kind == 7:
        return [row[: source.integer(0, columns)] for row in array.tolist()]
    if kind == 8:
        return frame(array, source)
    if kind == 9:
        return odd(source)
    return array * source.pick(EXTREMES[3:])


def near(given: Any) -> bool:
    """Whether data are close, so that quartic units learn them in few steps of time."""
    try:
        return bool(np.all(np.abs(np.asarray(given, dtype=float)) < 100))
    except Exception:
        return True


def frame(array: Any, source: Source) -> Any:
    """A data frame where pandas is there, with a column of text or of categories."""
    try:
        import pandas
    except ImportError:
        return Frame()
    made = pandas.DataFrame(array)
    made["last"] = source.pick((["x"] * len(made), [None] * len(made), [1] * len(made)))
    return made.astype({"last": source.pick(("object", "category"))})


@cache
def devices() -> tuple[Any, ...]:
    return (
        ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0),
        ktc.Network(1.0, 1.0),
        ktc.Board(2, 1e6, 1e-12, 300.0),
        ktc.Network([[-1.0, 0.2], [0.2, -1.0]], 1.0, quartic=1.0),
    )


def fuzz_data(source: Source) -> None:
    with np.errstate(all="ignore"):
        device = source.pick(devices())
        given = data(source, device.network.units)
        if device.network.quartic.any() and not near(given):
            return
        settings: dict[str, Any] = {"ticks": source.integer(1, 4), "replicas": 4, "seed": 1}
        schedule = ktc.schedules.Constant(1.0, rate=0.1)
        parameters = source.pick(("bias", "bias", "stiffness", ("bias", "couplings"), "center"))
        if source.rarely(4):
            settings["batch"] = source.integer(1, 3)
        if source.rarely(4):
            settings["hidden"] = source.pick((0, 1, (0,), (0, 1), -1, 5))
        if source.rarely(6):
            settings["replicas"] = float("inf")
            del settings["seed"]
    told = f"learn({device!r}, data={short(given)}, parameters={parameters!r}, {settings})"
    names = {
        "data",
        "parameters",
        "hidden",
        "batch",
        "replicas",
        "seed",
        "samples",
        "batches",
        "dt",
        "mask",
    }
    fit = attempt(
        lambda: ktc.learn(device, given, schedule, parameters=parameters, **settings), names, told
    )
    if fit is not None:
        require_finite([fit.history.theta, fit.work, fit.heat, fit.data_mean], told)
