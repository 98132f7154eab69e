"""The command line ``ktc demo``, ``ktc learn FILE``.

Exit codes: 0, 2 for a user error, 130 for an interrupt.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, TypeVar

from ktc._base.files import VERSION
from ktc._commands.demo import demo
from ktc._commands.experiment import Settings
from ktc._commands.learn_file import learn_file

USER_ERROR, INTERRUPTED = 2, 130

T = TypeVar("T", int, float)


class _Parser(argparse.ArgumentParser):
    """Print an error on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks ± or µ shows a question mark.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        print(_run(**vars(_parser().parse_args(arguments))))
    except KeyboardInterrupt:
        print("ktc: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        return _report(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (ValueError, OverflowError, ModuleNotFoundError) as error:
        return _report(str(error))
    except MemoryError:
        return _report("not enough memory; take fewer replicas or ticks")
    return 0


def _report(message: str) -> int:
    print(f"ktc: {message}", file=sys.stderr)
    return USER_ERROR


def _run(command: str, digit: int = 3, file: Path = Path(), **settings: object) -> str:
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return demo(chosen, digit) if command == "demo" else learn_file(file, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ktc", description="Emulator of thermodynamic hardware with an energy ledger."
    )
    parser.add_argument("--version", action="version", version=f"ktc {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="{demo,learn}", required=True)
    for name, what in (
        ("demo", "learn a handwritten digit on a 64-cell RC board at minimal dissipation"),
        ("learn", "learn the mean of a numeric table at minimal dissipation, one cell per column"),
    ):
        command = commands.add_parser(
            name,
            help=what,
            description=what,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        if name == "demo":
            command.add_argument(
                "--digit", type=int, choices=range(10), default=3, help="which digit"
            )
        else:
            command.add_argument(
                "file",
                metavar="FILE",
                type=Path,
                help="text file, one row per sample, separated by commas, semicolons, tabs or "
                "blanks; a first row without numbers names the columns",
            )
        _add_settings(command, f"ktc-{name}")
    return parser


def _add_settings(parser: argparse.ArgumentParser, out: str) -> None:
    parser.add_argument("--duration", type=_positive, metavar="SECONDS", default=argparse.SUPPRESS,
        help="duration of learning (default: 10 RC)")  # fmt: skip
    for name, kind, unit, what in (
        ("ticks", _whole(1), None, "number of control updates"),
        ("replicas", _whole(2), None, "number of replicas of the board"),
        ("seed", _whole(0), None, "seed of the noise"),
        ("temperature", _positive, "KELVIN", "temperature of the resistors"),
        ("resistance", _positive, "OHM", "resistance of every cell"),
        ("capacitance", _positive, "FARAD", "capacitance of every cell"),
    ):
        default = getattr(Settings, name)
        parser.add_argument(f"--{name}", type=kind, metavar=unit, default=default, help=what)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", default=Path(out), help="folder for the results"
    )


def _number(
    parse: Callable[[str], T], accepts: Callable[[T], bool], what: str
) -> Callable[[str], T]:
    """Return a parser of options that refuses all but accepted numbers."""

    def read(text: str) -> T:
        with suppress(ValueError):
            value = parse(text)
            if accepts(value):
                return value
        raise argparse.ArgumentTypeError(f"must be {what}, but is {text!r}")

    return read


_positive = _number(float, lambda value: 0 < value < math.inf, "a positive number")


def _whole(least: int) -> Callable[[str], int]:
    what = f"a whole number of at least {least}"
    return _number(int, lambda value: least <= value < 2**64, what)
