"""Run the fuzzers for a given time on several processes, and report what failed.

``python -m tests.fuzz --hours 1 --processes 2`` tries inputs by number; input 17 of a fuzzer is the
same on every machine, and ``python -m tests.fuzz netlists --input 17`` tries it alone. Each process
writes the number of an input down before it tries it, so that a crash or a hang is reported with
its input; the process is then replaced.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .fuzzers import FUZZERS
from .source import Seeded
from .tables import folder
from .verdict import Failure, bounded_memory

#: Seconds of processor time after which an input counts as a hang; the verdict on one that ends is
#: stricter. One that sleeps is given more, of real time: other processes may share the core.
HANG, SLEEP = 20.0, 600.0
#: Inputs of one fuzzer before a process turns to the next one.
BATCH = 5000
SHOWN = 3
#: Number of the input, and how many came before.
NOTE = struct.Struct("qq")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("fuzzers", nargs="*", help=f"of {', '.join(FUZZERS)}; default: all")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--input", type=int, help="try this input alone, and show what it is")
    parser.add_argument("--batch", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.fuzzers or list(FUZZERS)
    unknown = [name for name in names if name not in FUZZERS]
    if unknown:
        parser.error(f"unknown fuzzer {unknown[0]!r}; there is {', '.join(FUZZERS)}")
    if options.batch:
        start, count, note = options.batch
        work(names[0], int(start), int(count), Path(note))
        return 0
    if options.input is not None:
        with contextlib.chdir(folder()):
            FUZZERS[names[0]](Seeded(options.input))
        print(f"input {options.input} of {names[0]} keeps all promises")
        return 0
    return Campaign(names, options.first, options.processes).run(3600 * options.hours)


def work(name: str, start: int, count: int, note: Path) -> None:
    """Try inputs in this process; failures go to standard output, one after another."""
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    fuzz = FUZZERS[name]
    with (
        bounded_memory(),
        note.open("r+b") as file,
        mmap.mmap(file.fileno(), NOTE.size) as noted,
        contextlib.chdir(folder()),  # an input may be a relative path to write to
    ):
        for done, seed in enumerate(range(start, start + count)):
            noted[:] = NOTE.pack(seed, done)
            try:
                fuzz(Seeded(seed))
            except Exception as error:
                told = str(error) if isinstance(error, Failure) else traceback.format_exc()
                print(f"\0{seed}\0{told}", flush=True)
        noted[:] = NOTE.pack(-1, count)


@dataclass
class Process:
    """A process at a batch of inputs, and when it was last seen to move on."""

    fuzzer: str
    start: int
    process: subprocess.Popen[bytes]
    note: Path
    output: IO[bytes]
    errors: IO[bytes]
    seen: tuple[int, int] = (-1, 0)
    moved: float = field(default_factory=time.monotonic)
    spent: float = 0.0

    def state(self) -> tuple[int, int]:
        number, done = NOTE.unpack(self.note.read_bytes())
        return number, done

    def processor_time(self) -> float:
        """Seconds that the process has spent; of real time where the system does not say."""
        try:
            words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def failures(self) -> Iterator[tuple[int, str]]:
        self.output.seek(0)
        for part in self.output.read().decode(errors="replace").split("\n\0"):
            number, _, told = part.removeprefix("\0").partition("\0")
            if told:
                yield int(number), told

    def last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-3000:]

    def close(self) -> None:
        self.output.close()
        self.errors.close()
        self.note.unlink()


class Campaign:
    """Fuzzers in turn on several processes."""

    def __init__(self, names: list[str], first: int, processes: int) -> None:
        self.names, self.processes = names, processes
        self.next = dict.fromkeys(names, first)
        self.tried: collections.Counter[str] = collections.Counter()
        self.found: dict[tuple[str, str], list[tuple[int, str]]] = collections.defaultdict(list)
        self.turn = 0

    def run(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        with tempfile.TemporaryDirectory() as folder:
            running: list[Process] = []
            try:
                while running or time.monotonic() < end:
                    while len(running) < self.processes and time.monotonic() < end:
                        running.append(self.begin(Path(folder)))
                    running = [one for one in running if not self.ended(one, end)]
                    time.sleep(0.1)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
            finally:
                for one in running:
                    one.process.kill()
                    self.close(one)
        return self.report()

    def begin(self, folder: Path, fuzzer: str = "", start: int = -1, count: int = BATCH) -> Process:
        if not fuzzer:
            # The fuzzer that is behind, so that all try about as many inputs.
            fuzzer = min(self.names, key=lambda name: self.next[name])
            start = self.next[fuzzer]
            self.next[fuzzer] += count
        self.turn += 1
        note = folder / str(self.turn)
        note.write_bytes(NOTE.pack(-1, 0))
        output, errors = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        command = [sys.executable, "-m", __package__ or "fuzz", fuzzer]
        process = subprocess.Popen(
            [*command, "--batch", str(start), str(count), str(note)], stdout=output, stderr=errors
        )
        return Process(fuzzer, start, process, note, output, errors)

    def ended(self, one: Process, end: float) -> bool:
        """Whether a process has ended; one that hangs or goes on too long is ended here."""
        now, state = time.monotonic(), one.state()
        if state != one.seen:
            one.seen, one.moved, one.spent = state, now, one.processor_time()
        code = one.process.poll()
        hangs = one.processor_time() - one.spent > HANG or now - one.moved > SLEEP
        if code is None and hangs and state[0] >= 0:
            if hasattr(signal, "SIGUSR1"):
                one.process.send_signal(signal.SIGUSR1)
                time.sleep(0.5)
            one.process.kill()
            one.process.wait()
            self.note(one.fuzzer, state[0], f"hang above {HANG:g} s\n{one.last_words()}")
        elif code is None and now > end + HANG:
            one.process.kill()
            one.process.wait()
        elif code is None:
            return False
        elif code != 0:
            self.note(one.fuzzer, state[0], f"crash, exit code {code}\n{one.last_words()}")
        self.close(one)
        return True

    def close(self, one: Process) -> None:
        one.process.wait()
        number, done = one.state()
        self.tried[one.fuzzer] += done + (number >= 0)
        for seed, told in one.failures():
            self.note(one.fuzzer, seed, told)
        one.close()

    def note(self, fuzzer: str, seed: int, told: str) -> None:
        kind = f"{told.splitlines()[0][:100]} {_place(told)}"
        # Numbers and quoted words differ from one instance of a kind to the next.
        kind = re.sub(r"'[^']*'|[-+]?\d[\d.e+-]*", "…", kind)
        if not self.found[fuzzer, kind]:
            print(f"{fuzzer} --input {seed}: {told}\n", flush=True)
        self.found[fuzzer, kind].append((seed, told))

    def report(self) -> int:
        for name in self.names:
            print(f"{name}: {self.tried[name]} inputs")
        print(f"all: {sum(self.tried.values())} inputs, {len(self.found)} kinds of failures")
        for (fuzzer, kind), instances in sorted(self.found.items(), key=lambda item: item[0]):
            seeds = ", ".join(str(seed) for seed, _ in instances[:SHOWN])
            print(f"  {len(instances)} × {kind}\n    python -m tests.fuzz {fuzzer} --input {seeds}")
        return 1 if self.found else 0


def _place(told: str) -> str:
    """The innermost line of ktc in a trace."""
    places = re.findall(r'File "[^"]*/ktc/([^"]*)", line (\d+), in (\w+)', told)
    return f"[{places[-1][0]} in {places[-1][2]}]" if places else ""


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
