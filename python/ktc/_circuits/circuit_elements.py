"""Elements of a circuit: added by calls, or one by one from a netlist."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from ktc._base.files import Storable
from ktc._base.validation import count, finite, items, of_type
from ktc._circuits.branch import GROUND, Branch, CircuitError, Coupling, number_of
from ktc._circuits.netlist_contents import DEFAULT_KELVIN
from ktc._circuits.waveform import Waveform


class CircuitElements(Storable):
    """Named elements between nodes, and couplings of inductors; see ``ktc.Circuit``."""

    def __init__(self, kelvin: float = DEFAULT_KELVIN, title: str = "") -> None:
        self.kelvin = finite("kelvin", kelvin)
        if self.kelvin < 0:
            raise ValueError(f"kelvin must not be negative, but is {self.kelvin:g}")
        of_type("title", title, str, "a str")
        if re.search(r"[\r\n]", title) or title != title.strip():
            raise ValueError(f"title must be one line without space around it, but is {title!r}")
        self.title = title
        #: lines of the netlist that are commands for a simulator, which have no effect here
        self.skipped: tuple[str, ...] = ()
        #: waveforms of sources by their names, which ``Circuit.protocol`` plays
        self.waveforms: dict[str, Waveform] = {}
        self._initial: dict[str, float] = {}
        self._branches: dict[str, Branch] = {}
        self._couplings: dict[str, Coupling] = {}
        self._spelling = {GROUND: GROUND}

    def add(
        self,
        name: str,
        plus: str | int,
        minus: str | int,
        value: float | str,
        *,
        kelvin: float | str | None = None,
        noise: float | str | None = None,
        bandwidth: float | str | None = None,
        control: Sequence[str | int] = (),
    ) -> Self:
        """Add an element between two nodes, and return the circuit, so that calls can be chained.

        Args:
            name, plus, minus, value: as of a ``ktc.Branch``; numbers may be text such as "10meg". A
                resistor of 0 is a wire.
            kelvin: temperature of a resistor [K]; 0 for one without noise.
            noise, bandwidth: of a current source, as for ``add_noise``.
            control: of a controlled source, the nodes (plus, minus) whose voltage controls E or G,
                or (name,) of the voltage source whose current controls F or H.

        Raises:
            CircuitError: a name that is taken or starts with another letter, a value that is not
                positive (of R, C, L), or an option of another kind of element.
            TypeError: a value that is no number, or a name or node that is no text.

        Example:
            >>> import ktc
            >>> ktc.Circuit().add("R1", "a", 0, "10meg", kelvin=88).add("C1", "a", 0, 680e-12)
            <ktc.Circuit: 2 elements, nodes a>
        """
        ends = _node(plus), _node(minus)
        controlling = tuple(map(_node, items("control", control)))
        # Text becomes a number there.
        self._append(Branch(name, *ends, value, kelvin, noise, bandwidth, controlling))  # type: ignore[arg-type]
        return self

    def add_noise(
        self,
        name: str,
        plus: str | int,
        minus: str | int,
        density: float | str,
        bandwidth: float | str | None = None,
    ) -> Self:
        """Add a noise current of zero mean, which injects energy and has no heat bath.

        dq = √(S/2) dW into ``minus`` and out of ``plus``, with S the one-sided density. With a
        bandwidth Δf the density is S/(1 + (f/Δf)²).

        Args:
            name: starts with I.
            plus, minus: nodes with a capacitor, because the power of white noise is unbounded at
                any other node.
            density: one-sided spectral density S [A²/Hz].
            bandwidth: −3 dB frequency Δf [Hz]; None for white noise.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit(kelvin=0.0).add("R1", "a", 0, 1e3).add("C1", "a", 0, 1e-9)
            >>> net = circuit.add_noise("I1", 0, "a", 1e-20).compile()
            >>> emulator = ktc.Emulator(net, replicas=10_000, seed=1)  # ⟨v²⟩ = S R/4C
            >>> round(float(circuit.voltages(emulator).std() / 5e-5), 1)
            1.0
        """
        return self.add(name, plus, minus, 0.0, noise=density, bandwidth=bandwidth)

    def add_flicker_noise(
        self,
        name: str,
        plus: str | int,
        minus: str | int,
        density: float | str,
        lowest: float | str,
        highest: float | str,
    ) -> Self:
        """Add a noise current of density ``density``/f between two frequencies.

        It is a sum of noise currents with first-order low-passes, two per decade from a tenth of
        the lowest frequency to ten times the highest,

            S(f) = Σ_k S_k/(1 + (f/f_k)²) = density/f within 0.5 %,   S_k = density (ln 10)/(π f_k),

        with S_k larger by 1/(1 − 10^−½) at both ends. Below and above, S is constant and falls as
        1/f². The elements are named "I1.1", "I1.2", ….

        Args:
            name: starts with I.
            plus, minus: nodes with a capacitor, as for ``add_noise``.
            density: one-sided spectral density at 1 Hz [A²/Hz].
            lowest, highest: the frequencies [Hz], 0 < lowest < highest.

        Raises:
            CircuitError: as for ``add_noise``, or frequencies out of order.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit(kelvin=0.0).add("R1", "a", 0, 1e3).add("C1", "a", 0, 1e-12)
            >>> circuit.add_flicker_noise("I1", 0, "a", 1e-18, lowest=1.0, highest=1e5).nodes
            ('a',)
            >>> (circuit.noise("a", [1.0, 10.0]).density / 1e-12).round(2)  # over R²
            array([1. , 0.1])

        Source: van der Ziel (1950), Physica 16, 359.
        """
        total, low, high = (
            number_of(f"{what} of {name}", value)
            for what, value in (("density", density), ("lowest", lowest), ("highest", highest))
        )
        if not (total > 0 and 0 < low < high):
            raise CircuitError(
                f"{name} needs a positive density and 0 < lowest < highest, but has "
                f"{total:g} A²/Hz from {low:g} to {high:g} Hz",
                name,
            )
        count = math.ceil(2 * math.log10(100 * high / low)) + 1
        corners = np.geomspace(low / 10, high * 10, count)
        ratio = corners[1] / corners[0]
        parts = total * 2 * math.log(ratio) / (math.pi * corners)
        # What further filters beyond both ends would add.
        parts[[0, -1]] *= ratio / (ratio - 1)
        for k, (part, corner) in enumerate(zip(parts.tolist(), corners.tolist(), strict=True), 1):
            self.add_noise(f"{name}.{k}", plus, minus, part, corner)
        return self

    def add_coupling(self, name: str, *inductors: str, value: float | str) -> Self:
        """Couple inductors: M = k √(L₁ L₂) of each pair, dots at their first nodes.

        Args:
            name: starts with K.
            inductors: names of two or more inductors, added before or after.
            value: the coefficient k, −1 < k < 1.

        Raises:
            CircuitError: a name that is taken, or a coefficient out of range.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit().add("L1", "a", 0, "1u").add("L2", "b", 0, "1u")
            >>> circuit.add_coupling("K1", "L1", "L2", value=0.5).couplings[0].value
            0.5
        """
        self._append_coupling(Coupling(name, inductors, value))  # type: ignore[arg-type]
        return self

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The elements, in order."""
        return tuple(self._branches.values())

    @property
    def couplings(self) -> tuple[Coupling, ...]:
        """The inductive couplings, in order."""
        return tuple(self._couplings.values())

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes but ground, in order of appearance."""
        # Nodes that only control sources come last; no circuit with them compiles.
        ends = dict.fromkeys(n for b in self._branches.values() for n in (b.plus, b.minus))
        return tuple(n for n in (ends | dict.fromkeys(self._spelling.values())) if n != GROUND)

    def _append(self, branch: Branch) -> None:
        self._refuse_second(branch, self._branches)
        control = branch.control if branch.kind in "EG" else ()
        plus, minus, *nodes = (
            self._spelling.setdefault(node.lower(), node)
            for node in (branch.plus, branch.minus, *control)
        )
        if [plus, minus, *nodes] != [branch.plus, branch.minus, *control]:
            control = tuple(nodes) if control else branch.control
            branch = replace(branch, plus=plus, minus=minus, control=control)
        self._branches[branch.name.lower()] = branch
        self._changed()

    def _append_coupling(self, coupling: Coupling) -> None:
        self._refuse_second(coupling, self._couplings)
        self._couplings[coupling.name.lower()] = coupling
        self._changed()

    @staticmethod
    def _refuse_second(new: Branch | Coupling, others: Mapping[str, Branch | Coupling]) -> None:
        other = others.get(new.name.lower())
        if other is not None:
            where = f", first in line {other.line}" if other.line else ""
            raise CircuitError(
                f"two elements have the name {new.name!r}{where}; rename one", new.name, new.line
            )

    def _changed(self) -> None:
        """Forget what follows from the elements."""


def _node(node: str | int) -> str:
    if not isinstance(node, (int, np.integer)):
        return node
    return str(count("node", node, least=0))
