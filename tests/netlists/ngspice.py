"""Operating points, responses and noise of the collection by ngspice."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import ktc

from .collection import FOLDER, PROBE, Case, circuit

#: Commands in a file whose results are of no use here.
_COMMANDS = r"\.(op|tran|ac|dc|noise|print|plot|save|four|meas\w*|probe|width|tf|sens|pz|step)\b"
_OPAMP = r"(e\S*) (\S+) (\S+) opamp (\S+) (\S+)$"
SIMULATION_KELVIN = 300.0


def deck(case: Case) -> str:
    """The netlist as ngspice gets it, with the analyses of the collection."""
    lines: list[str] = []
    replacement, script = None, False
    for number, line in enumerate(case.text.splitlines()):
        word = line.strip().lower()
        if replacement is not None:
            lines += replacement
            replacement = None
        elif word.startswith("* ngspice:"):
            replacement = [part.strip() for part in line.split(":", 1)[1].split(" / ")]
        elif word.startswith(".control") or script:
            script = not word.startswith(".endc")
        elif re.match(r"\.end(\s|$)", word):
            break
        elif opamp := re.match(_OPAMP, word):
            lines += _nullor(*opamp.groups())
        elif number == 0 or not re.match(_COMMANDS, word):
            lines.append(line)
    if case.source is None:
        lines.append(f"{PROBE} 0 {case.output} dc 0 ac 1")
    if not re.search(r"^\.(temp|opt\w*.*\btemp\s*=)", case.text, re.MULTILINE | re.IGNORECASE):
        lines.append(f".options temp={SIMULATION_KELVIN - 273.15:.2f}")
    source, f = case.source or PROBE, case.frequencies
    return "\n".join(
        [
            *lines,
            ".options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-30",
            ".control",
            "set filetype=ascii",
            "op",
            "write op.raw",
            f"ac dec 1 {f[0]:g} {f[-1]:g}",
            "write ac.raw",
            f"noise v({case.output}) {source} dec 1 {f[0]:g} {f[-1]:g} 1",
            "setplot noise1",
            "write noise.raw",
            "quit",
            ".endc",
            ".end",
            "",
        ]
    )


def _nullor(name: str, out: str, ground: str, plus: str, minus: str) -> list[str]:
    """An ideal op-amp: a current that has nowhere to go is zero, so that its inputs are equal."""
    return [f"g{name} 0 z{name} {plus} {minus} 1", f"{name} {out} {ground} z{name} 0 1"]


def values(case: Case, folder: Path) -> dict[str, Any]:
    """Run ngspice on a case: voltages, responses to 1 V or 1 A by node, and noise [V²/Hz]."""
    folder = folder / case.path.stem
    folder.mkdir()
    shutil.copytree(FOLDER / "parts", folder / "parts")
    (folder / "deck.cir").write_text(deck(case))
    done = subprocess.run(
        ["ngspice", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert (folder / "noise.raw").exists(), f"{case.path.name}: {said}"
    op, ac, noise = (_raw(folder / f"{name}.raw") for name in ("op", "ac", "noise"))
    np.testing.assert_allclose(ac["frequency"].real, case.frequencies, rtol=1e-6)
    shares = {
        _element(name): (column.real**2).tolist()
        for name, column in noise.items()
        if name.startswith("onoise_r") and not name.endswith(("_thermal", "_1overf"))
    }
    made = circuit(case)
    nodes = {node.lower() for node in made.nodes}  # ngspice may have more, for an op-amp
    return {
        "op": {node: float(column[0].real) for node, column in _nodes(op).items() if node in nodes},
        "ac": {
            node: [[z.real, z.imag] for z in (column / case.amplitude).tolist()]
            for node, column in _nodes(ac).items()
            if node in nodes
        },
        "noise": list(_total(made, shares)),
    }


def _total(made: ktc.Circuit, shares: dict[str, list[float]]) -> Iterator[float]:
    """Sum of the shares; ngspice takes all resistors at one temperature, these have their own."""
    own = {b.name.lower(): b.kelvin for b in made.branches}
    for k in range(len(next(iter(shares.values())))):
        kelvin = ((name, own.get(name)) for name in shares)
        yield sum(shares[name][k] * (1.0 if t is None else t / made.kelvin) for name, t in kelvin)


def _element(vector: str) -> str:
    """r.x1.x2.r1 of onoise_r.x1.r.x2.r1."""
    name = vector.removeprefix("onoise_")
    return name[:2] + re.sub(r"\br\.(?=x)", "", name[2:]) if name.startswith("r.") else name


def version() -> str:
    told = subprocess.run(["ngspice", "--version"], capture_output=True, text=True, timeout=60)
    return re.search(r"ngspice-\S+", told.stdout)[0]


def _nodes(vectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Node voltages by the name of the node."""
    return {name[2:-1]: column for name, column in vectors.items() if name.startswith("v(")}


def _raw(path: Path) -> dict[str, np.ndarray]:
    """Vectors of an ASCII raw file of ngspice by name."""
    head, body = path.read_text().split("Values:\n", 1)
    names = re.findall(r"^\t\d+\t(\S+)\t", head, re.MULTILINE)
    words = [complex(*map(float, word.split(","))) for word in body.split()]
    return {
        name: np.array(words).reshape(-1, len(names) + 1)[:, k + 1] for k, name in enumerate(names)
    }
