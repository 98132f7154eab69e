"""A circuit, as an engineer draws it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite
from ktc._circuits.branch import GROUND, Branch, CircuitError
from ktc._circuits.compilation import equation
from ktc._circuits.compiled_circuit import CompiledCircuit, Readable
from ktc._circuits.netlist import DEFAULT_KELVIN, read_netlist, write_netlist


class Circuit:
    """Resistors, capacitors, inductors and sources between nodes.

    Every resistor R at temperature T carries Johnson noise of one-sided density 4 k_B T/R [A²/Hz].
    Names and nodes do not depend on case; node "0", also "gnd", is ground.

    Args:
        kelvin: temperature of the resistors that have none of their own. SPICE has 27 °C there.
        title: one line.

    Raises:
        CircuitError: a ValueError, with attributes ``line`` (None here) and ``token``.
        TypeError: something that is not a number or a name.

    Example:
        >>> import ktc
        >>> circuit = ktc.Circuit()
        >>> circuit.add("V1", "in", 0, 1e-3).add("R1", "in", "out", "10k").add("C1", "out", 0, "1n")
        <ktc.Circuit: 3 elements, nodes in, out>
        >>> emulator = ktc.Emulator(circuit.compile(), replicas=1000, seed=1)
        >>> circuit.voltages(emulator).shape
        (1000, 2)

    Source: Nyquist (1928), Phys. Rev. 32, 110; Freitas, Delvenne, Esposito (2020), Phys. Rev. X
    10, 031005.
    """

    def __init__(self, kelvin: float = DEFAULT_KELVIN, title: str = "") -> None:
        self.kelvin = finite("kelvin", kelvin)
        if self.kelvin < 0:
            raise ValueError(f"kelvin must not be negative, but is {self.kelvin:g}")
        if re.search(r"[\r\n]", title) or title != title.strip():
            raise ValueError(f"title must be one line without space around it, but is {title!r}")
        self.title = title
        self._skipped: tuple[str, ...] = ()
        self._branches: dict[str, Branch] = {}
        self._spelling = {GROUND: GROUND}
        self._compiled: CompiledCircuit | None = None

    @classmethod
    def from_netlist(cls, text: str, title: bool = False) -> Circuit:
        """Reads a netlist in the notation of SPICE.

        One element a line: a name, two nodes, a value, options::

            R1 a 0 10meg temp=-185.15    resistor, ohms; temp= in °C, or kelvin=
            C1 a 0 680p                  capacitor, farads
            L1 a b 1m                    inductor, henries
            V1 a 0 dc 5                  voltage of a above 0; "dc" may be left out, and a value 0
            I1 a 0 1n noise=1e-24 bandwidth=10k

        A source's current flows from its first node through it to the second. ``noise=`` is the
        one-sided spectral density of a current's noise [A²/Hz], white, or behind a first-order
        low-pass filter of −3 dB frequency ``bandwidth=`` [Hz].

        Numbers take a suffix f p n u m k meg g t (mil is 25.4e-6) and then letters that are
        ignored: 1F is a femtofarad, 1M is 1e-3. ``{2*r0 + 1k}`` is an expression with + - * / **
        and the names of ``.param r0=5k`` lines above. ``* …`` is a comment, as is what follows ;
        or a word's leading $; a line that starts with + continues the one before; ``.end`` ends.
        ``.temp 27`` or ``.options temp=27`` sets the temperature of resistors without their own
        [°C], ``.options kelvin=`` the same in kelvin; without it they are at 300 K. Nodes may stand
        in parentheses, with a comma between them: ``R1 (a, 0) 1k``.

        So that one file serves a simulator too, ``ac`` of a source with its magnitude and phase
        has no effect, and lines of ``.op``, ``.tran``, ``.ac``, ``.noise``, ``.print`` and
        ``.save`` are not read, but kept in ``skipped``. Any other command is an error.

        Args:
            text: the netlist.
            title: whether the first line is a title, as in SPICE files. By default it is not, and
                has to be an element like any other; ``.title …`` gives a title anywhere.

        Raises:
            CircuitError: a ValueError that names the line and the word, which are its attributes
                ``line`` and ``token``.

        Example:
            >>> circuit = Circuit.from_netlist('''
            ... .param c=680p
            ... R1 a 0 10meg kelvin=88
            ... C1 a 0 {c}  ; a comment
            ... ''')
            >>> circuit.branches[1].value
            6.8e-10

        Source: Nagel (1975), SPICE2, UC Berkeley memorandum ERL-M520, appendix 1.
        """
        netlist = read_netlist(text, title)
        circuit = cls(netlist.kelvin, netlist.title)
        for branch in netlist.branches:
            circuit._append(branch)
        circuit._skipped = netlist.skipped
        return circuit

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
    ) -> Circuit:
        """Adds an element between two nodes, and returns the circuit, so that calls can be chained.

        Args:
            name: its first letter tells the kind: R, C, L, V or I.
            plus, minus: nodes. A source's current flows from plus through it to minus.
            value: ohms, farads, henries, volts or amperes, or text such as "10meg".
            kelvin: temperature of a resistor; 0 for one without noise.
            noise: one-sided spectral density of a current source's noise [A²/Hz].
            bandwidth: −3 dB frequency of a low-pass filter on that noise [Hz]; white without it.

        Raises:
            CircuitError: a name that is taken or starts with another letter, a value that is not
                positive (of R, C, L), an option of another kind of element.
            TypeError: something that is not a number or a name.
        """
        branch = Branch(
            name,
            _node(plus),
            _node(minus),
            value,  # type: ignore[arg-type]  # text becomes a number there
            kelvin,  # type: ignore[arg-type]
            noise,  # type: ignore[arg-type]
            bandwidth,  # type: ignore[arg-type]
        )
        self._append(branch)
        return self

    def add_noise(
        self,
        name: str,
        plus: str | int,
        minus: str | int,
        density: float | str,
        bandwidth: float | str | None = None,
    ) -> Circuit:
        """Adds a generator of noise current without a mean: it injects energy, and has no bath.

        dq = √(S/2) dW into ``minus`` and out of ``plus``, S the one-sided density; with a
        bandwidth Δf the current's density is S/(1 + (f/Δf)²).

        Args:
            name: starts with I.
            plus, minus: nodes, each held by a capacitor: anywhere else white noise has no
                bounded power.
            density: one-sided spectral density S [A²/Hz].
            bandwidth: −3 dB frequency Δf [Hz]; white without it.

        Raises:
            CircuitError, TypeError: as ``add``.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit(kelvin=0.0).add("R1", "a", 0, 1e3).add("C1", "a", 0, 1e-9)
            >>> net = circuit.add_noise("I1", 0, "a", 1e-20).compile()
            >>> emulator = ktc.Emulator(net, replicas=10_000, seed=1)  # ⟨v²⟩ = S R/4C
            >>> round(float(circuit.voltages(emulator).std() / 5e-5), 1)
            1.0
        """
        return self.add(name, plus, minus, 0.0, noise=density, bandwidth=bandwidth)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The elements, in order."""
        return tuple(self._branches.values())

    @property
    def skipped(self) -> tuple[str, ...]:
        """Lines of the netlist that are commands for a simulator, and were not read."""
        return self._skipped

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes but ground, in order of appearance."""
        return tuple(node for node in self._spelling.values() if node != GROUND)

    def compile(self) -> CompiledCircuit:
        """The circuit as a Network in SI: charges [C], fluxes [Wb], joules, seconds.

        The state is the charges of nodes that capacitors hold and the fluxes of inductors, named
        in its ``coordinates``. Nodes without capacitor are eliminated: resistors that meet there
        share white noise, so their heats have no finite variance apart, and they share one heat
        account, "R1+R2". Voltage sources enter as EMFs of resistors, biases of capacitors and
        sources along fluxes; current sources as such.

        Raises:
            CircuitError: a circuit without answer: a floating node, a loop of voltage sources or
                inductors, a cut set of inductors and current sources, resistors at several
                temperatures at a node without capacitor (their heat diverges), motion that no
                resistor damps. The message names elements and nodes, and what to add.

        Example:
            >>> import ktc
            >>> net = ktc.Circuit.from_netlist("R1 a b 1k\\nR2 b 0 2k\\nC1 a 0 1n").compile()
            >>> net.accounts, net.coordinates
            (('R1+R2',), ('q(a)',))
            >>> net.relaxation_times.round(9)
            array([3.e-06])
        """
        if self._compiled is None:
            try:
                compiled = CompiledCircuit.of_equation(equation(self.branches, self.kelvin))
            except CircuitError:
                raise
            except ValueError as error:
                # The circuit is sound, so only its numbers can be refused by a network.
                raise CircuitError(
                    f"the values of the elements lie too far apart for double precision: {error}"
                ) from None
            self._compiled = compiled
        return self._compiled

    def controls(self, **sources: ArrayLike) -> dict[str, Array]:
        """What an emulator of this circuit has to set for sources to have these values.

        The controls (of bias, emf and current) that the named sources enter, whole; other sources
        are taken at their own values in the circuit. A source that acts on no charge or flux enters
        none of them: only ``voltages`` has to know its value.

        Args:
            **sources: volts or amperes by the sources' names: numbers, or arrays (ticks,) that
                give the waveforms of a Protocol.

        Raises:
            TypeError: an unknown source, one given twice, or something that is not a number.
            ValueError: waveforms of several lengths, or not of shape (ticks,).
            CircuitError: a circuit that does not compile.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit.compile(), replicas=10, seed=1, resolve_heat=True)
            >>> emulator.set(**circuit.controls(V1=2.0))
            >>> run = emulator.play(ktc.Protocol([1e-6, 1e-6], circuit.controls(V1=[2.0, 0.0])))
            >>> emulator.controls.emf
            array([0.])
        """
        return self.compile().source_controls(**sources)

    def voltages(self, emulator: Readable, **sources: float) -> Array:
        """Node voltages of an emulator of this circuit [V], (replicas, nodes), as in ``nodes``.

        A node without capacitor has white noise, without a value at any instant: what is given for
        it is its mean at the present charges, fluxes and sources.

        An emulator holds controls, not sources. Sources that are not given are taken at the
        circuit's own values where these make the controls, and are solved for where they do not.

        Args:
            emulator: an Emulator of ``compile()``, or of what was loaded from a file of one.
            **sources: volts or amperes that hold now, by the sources' names; needed for sources
                that were driven and enter the controls only together (two voltage sources in
                series), or not at all.

        Raises:
            TypeError: an unknown source, one given twice, or something that is not a number.
            ValueError: an emulator of another circuit, or whose controls are those of no values of
                the sources, or do not tell the values of sources that a node's voltage needs.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 5\\nR1 in a 1k\\nR2 a 0 1k\\nC1 a 0 1n")
            >>> emulator = ktc.Emulator(circuit.compile(), replicas=10, seed=1)
            >>> circuit.voltages(emulator).round(3)[0]
            array([5. , 2.5])
        """
        compiled = self.compile()
        if not compiled.has_elements_of(emulator.network):
            raise ValueError(f"emulator must be one of this circuit, but is {emulator!r}")
        return compiled.voltages(emulator, **sources)

    def _append(self, branch: Branch) -> None:
        other = self._branches.get(branch.name.lower())
        if other is not None:
            where = f", first in line {other.line}" if other.line else ""
            raise CircuitError(
                f"there are two elements {branch.name!r}{where}; rename one",
                branch.name,
                branch.line,
            )
        plus, minus = (
            self._spelling.setdefault(node.lower(), node) for node in (branch.plus, branch.minus)
        )
        self._branches[branch.name.lower()] = replace(branch, plus=plus, minus=minus)
        self._compiled = None

    def __str__(self) -> str:
        return write_netlist(self.title, self.kelvin, self.branches)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Circuit):
            return NotImplemented
        mine = (self.title, self.kelvin, self.branches)
        return mine == (other.title, other.kelvin, other.branches)

    __hash__ = None  # type: ignore[assignment]  # it can grow

    def __repr__(self) -> str:
        return f"<ktc.Circuit: {len(self._branches)} elements, nodes {', '.join(self.nodes)}>"


def _node(node: str | int) -> str:
    return str(node) if isinstance(node, (int, np.integer)) else node
