"""The command line ``ktc demo``, ``ktc learn FILE``.

Exit codes: 0, 2 for a user error, 130 for an interrupt.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from ktc._base.files import VERSION
from ktc._commands.experiment import Settings

USER_ERROR, INTERRUPTED = 2, 130


class _Parser(argparse.ArgumentParser):
    """Print an error on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks ± or µ shows a question mark.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        options = vars(_parser().parse_args(arguments))
        print(_run(options.pop("command"), options))
    except KeyboardInterrupt:
        print("ktc: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _report(where)
    except (ValueError, OverflowError, ModuleNotFoundError) as error:
        return _report(str(error))
    except MemoryError:
        return _report("not enough memory; take fewer replicas or ticks")
    return 0


def _report(message: str) -> int:
    print(f"ktc: {message}", file=sys.stderr)
    return USER_ERROR


def _run(command: str, options: dict[str, object]) -> str:
    # Imported here, so that --help and errors of options appear at once.
    if command == "demo":
        from ktc._commands.demo import demo

        digit = options.pop("digit")
        assert isinstance(digit, int)
        return demo(Settings(**options), digit)  # type: ignore[arg-type]
    from ktc._commands.learn_file import learn_file

    path = options.pop("file")
    assert isinstance(path, Path)
    return learn_file(path, Settings(**options))  # type: ignore[arg-type]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ktc", description="Emulator of thermodynamic hardware with an energy ledger."
    )
    parser.add_argument("--version", action="version", version=f"ktc {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="{demo,learn}", required=True)

    what = "learn a handwritten digit on a 64-cell RC board at minimal dissipation"
    demo = commands.add_parser(
        "demo", help=what, description=what, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    demo.add_argument("--digit", type=int, choices=range(10), default=3, help="which digit")
    _add_settings(demo, "ktc-demo")

    what = "learn the mean of a numeric table at minimal dissipation, one cell per column"
    learn = commands.add_parser(
        "learn", help=what, description=what, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    learn.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="text file, one row per sample, separated by commas, semicolons, tabs or blanks; "
        "a first row without numbers names the columns",
    )
    _add_settings(learn, "ktc-learn")
    return parser


def _add_settings(parser: argparse.ArgumentParser, out: str) -> None:
    default = Settings()
    add = parser.add_argument
    add("--duration", type=_positive, metavar="SECONDS", default=argparse.SUPPRESS,
        help="duration of learning (default: 10 RC)")  # fmt: skip
    add("--ticks", type=_whole(1), default=default.ticks, help="number of control updates")
    add(
        "--replicas",
        type=_whole(2),
        default=default.replicas,
        help="number of replicas of the board",
    )
    add("--seed", type=_whole(0), default=default.seed, help="seed of the noise")
    add("--temperature", type=_positive, metavar="KELVIN", default=default.temperature,
        help="temperature of the resistors")  # fmt: skip
    add("--resistance", type=_positive, metavar="OHM", default=default.resistance,
        help="resistance of every cell")  # fmt: skip
    add("--capacitance", type=_positive, metavar="FARAD", default=default.capacitance,
        help="capacitance of every cell")  # fmt: skip
    add("--out", type=Path, metavar="FOLDER", default=Path(out), help="folder for the results")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, but is {text!r}")
    return value


def _whole(least: int) -> Callable[[str], int]:
    """Parse a whole number of at least ``least``, below 2**64."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = -1
        if not least <= value < 2**64:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, but is {text!r}"
            )
        return value

    return read
