"""Write circuits as netlists that read back as the same circuit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ktc._circuits.branch import OPAMP, Branch
from ktc._circuits.element_statement import is_numbered
from ktc._circuits.netlist_contents import DEFAULT_KELVIN, Netlist
from ktc._circuits.waveform import Waveform


def write_netlist(netlist: Netlist) -> str:
    """Return the netlist that reads back as exactly these elements, one per line."""
    branches = netlist.branches
    lines = [f".title {netlist.title}"] if netlist.title else []
    if netlist.kelvin != DEFAULT_KELVIN:
        lines.append(f".options kelvin={_shortest(netlist.kelvin)}")
    if branches and not lines and not is_numbered(branches[0].name):
        lines.append("* an element in line 1 might be a title")
    for branch in branches:
        lines.append(" ".join(_words(branch, netlist.initial, netlist.waveforms)))
    for coupling in netlist.couplings:
        lines.append(f"{coupling.name} {' '.join(coupling.inductors)} {_shortest(coupling.value)}")
    nodes = {name: value for name, value in netlist.initial.items() if name.startswith("v(")}
    lines += [f".ic {name}={_shortest(value)}" for name, value in nodes.items()]
    return "\n".join([*lines, ".end", ""])


def _words(
    branch: Branch, initial: Mapping[str, float], waveforms: Mapping[str, Waveform]
) -> Iterator[str]:
    yield from (branch.name, branch.plus, branch.minus)
    if branch.kind == "E" and branch.value == math.inf:
        yield from (OPAMP, *branch.control)
        return
    if branch.control and branch.control[0].lower() == OPAMP:  # a node of that name
        yield f"({' '.join(branch.control)})"
    else:
        yield from branch.control
    yield _shortest(branch.value)
    if branch.name in waveforms:
        yield str(waveforms[branch.name])
    options = {name: getattr(branch, name) for name in ("kelvin", "noise", "bandwidth")}
    options["ic"] = initial.get(branch.name.lower())
    for option, value in options.items():
        if value is not None:
            yield f"{option}={_shortest(value)}"


def _shortest(value: float) -> str:
    """The shortest decimal that reads back as the same double."""
    return repr(value).removesuffix(".0")
