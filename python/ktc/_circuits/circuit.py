"""Circuits: elements between nodes, added by calls or read from a netlist."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from ktc._base.codec import register
from ktc._base.units import Units
from ktc._base.validation import Array, flag
from ktc._circuits.circuit_readings import CircuitReadings
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.netlist_contents import DEFAULT_KELVIN, Netlist
from ktc._circuits.sparse_circuit import SparseCircuit, is_large


class Circuit(CircuitReadings):
    """Resistors, capacitors, inductors and sources between nodes.

    Every resistor R at temperature T carries Johnson noise of one-sided density 4 k_B T/R [A²/Hz].
    Names and nodes do not depend on case; node "0", also "gnd", is ground.

    Args:
        kelvin: temperature [K] of resistors without their own, not negative; 300 K by default.
        title: one line.

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
        super().__init__(kelvin, title)
        self._compiled: dict[bool, CompiledCircuit] = {}
        self._sparse: bool | None = None

    @classmethod
    def from_netlist(
        cls,
        text: str,
        title: bool = False,
        *,
        waveforms: Literal["refuse", "initial", "drive"] = "refuse",
    ) -> Circuit:
        """Read a netlist in SPICE notation.

        One element per line: a name, two nodes, a value, options::

            R1 a 0 10meg temp=-185.15    resistor, ohms; temp= in °C, or kelvin=; 0 is a wire
            C1 a 0 680p                  capacitor, farads
            L1 a b 1m                    inductor, henries
            V1 a 0 dc 5                  voltage of a above 0; "dc" may be left out, and a value 0
            I1 a 0 1n noise=1e-24 bandwidth=10k
            X1 a b lowpass r=2k          call of a subcircuit
            K1 L1 L2 0.5                 coupling of inductors
            E1 b 0 p n 10                controlled sources: E, G of a voltage, F, H of a current
            E2 b 0 opamp p n             ideal op-amp

        The current of a source flows from its first node through it to the second. ``noise=`` is
        the one-sided spectral density of the noise of a current source [A²/Hz]. It is white, or
        passes a first-order low-pass filter of −3 dB frequency ``bandwidth=`` [Hz].

        docs/netlists.md describes the notation: numbers (``4k7``, ``100aF``), ``.param`` and
        ``.func`` with expressions, ``.subckt``, ``.if``, ``.ic``, options of elements, and what is
        skipped. A line that
        starts with * is a comment, and so is the rest of a line after ; or after $ at the start of
        a word. A line that starts with + continues the one before.

        Statements for a simulator, such as ``.tran``, ``.control`` and options of a solver, have no
        effect; ``skipped`` holds their lines.

        Args:
            text: the netlist.
            title: True where the first line is a title, as in SPICE files. ``.title …`` gives a
                title in any line.
            waveforms: "drive" to keep PULSE, SIN, PWL, EXP, SFFM and AM of sources for
                ``protocol``. Such a source has its dc value, or without one its value at time 0,
                as in the operating point of SPICE. "initial" to keep this value alone.

        Raises:
            CircuitError: its ``line`` and ``token`` are the line and the word that cannot be read.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist('''
            ... .param c=680p
            ... R1 a 0 10meg kelvin=88
            ... C1 a 0 {c}  ; a comment
            ... ''')
            >>> circuit.branches[1].value
            6.8e-10

        Source: Nagel (1975), SPICE2, UC Berkeley memorandum ERL-M520, appendix 1; Vogt et al.,
        Ngspice User's Manual version 44.
        """
        from ktc._circuits.netlist import read_netlist  # on first use: a tenth of `import ktc`

        return cls._of_netlist(read_netlist(text, flag("title", title), waveforms))

    @classmethod
    def from_file(
        cls,
        path: str | PathLike[str],
        title: bool | None = None,
        *,
        waveforms: Literal["refuse", "initial", "drive"] = "refuse",
    ) -> Circuit:
        """Read a netlist from a file in UTF-8, with the files of ``.include`` and ``.lib``.

        These must lie in the folder of the netlist or in folders inside it.

        Args:
            path: the file.
            title: whether the first line is a title; None to take it for one unless it is empty, a
                comment or a command. A first line that reads as an element is refused then.
            waveforms: as for ``from_netlist``.

        Raises:
            CircuitError: as for ``from_netlist``; ``file`` is the included file.
            OSError: a file that cannot be read.

        Example:
            >>> import pathlib
            >>> import ktc
            >>> path = pathlib.Path("low-pass.cir")
            >>> _ = path.write_text("Low-pass\\nR1 in a 1k\\nC1 a 0 1n\\nV1 in 0 1\\n.end\\n")
            >>> ktc.Circuit.from_file(path)
            <ktc.Circuit: 3 elements, nodes in, a>
        """
        from ktc._circuits.netlist import read_netlist
        from ktc._circuits.netlist_source import read_text

        folder = Path(path).resolve().parent
        text = read_text(Path(path), OSError)
        return cls._of_netlist(read_netlist(text, title, waveforms, folder))

    @classmethod
    def _of_netlist(cls, netlist: Netlist) -> Circuit:
        circuit = cls(netlist.kelvin, netlist.title)
        for branch in netlist.branches:
            circuit._append(branch)
        for coupling in netlist.couplings:
            circuit._append_coupling(coupling)
        circuit.skipped, circuit._initial = netlist.skipped, netlist.initial
        circuit.waveforms = netlist.waveforms
        return circuit

    def _netlist(self) -> Netlist:
        return Netlist(
            title=self.title,
            kelvin=self.kelvin,
            branches=self.branches,
            couplings=self.couplings,
            initial=self._initial,
            waveforms=self.waveforms,
        )

    @property
    def network(self) -> CompiledCircuit:
        """``compile()``, so that a Circuit can be passed where a Network can."""
        return self.compile()

    @property
    def scale(self) -> Array:
        """Public state over the network's own state: ones."""
        return self.compile().scale

    @property
    def symbols(self) -> Units:
        """Unit symbols of the compiled circuit."""
        return self.compile().symbols

    def compile(self, sparse: bool | None = None) -> CompiledCircuit:
        """Compile the circuit to a Network in SI: charges [C], fluxes [Wb], joules, seconds.

        The state consists of the charges of nodes with capacitors and the fluxes of inductors;
        ``coordinates`` of the result names them. Where a large capacitor joins two nodes, its own
        charge, q(a-b), takes the place of one. Inductors in series have one flux, phi(L1+L2), and
        so have those in parallel. Loops of inductors conserve their flux, which is zero, so that no
        steady current circulates in them. Nodes without capacitor are eliminated. Resistors
        that meet at such a node share white noise, so that the variance of the heat of each is
        infinite; they share one heat account, "R1+R2". Voltage sources become EMFs of resistors,
        biases of capacitors and sources along fluxes; current sources stay current sources, or
        become biases of fluxes where they are in series with inductors.

        A circuit of more than 1000 nodes and inductors is compiled as a sparse one, whose cost is
        proportional to its elements. Such a network moves by implicit midpoint steps, and has no
        closed forms; see docs/netlists.md.

        With controlled sources the network is active: it has no equilibrium, and ``net_heat``, heat
        less what they supply, in place of heat. All its sources are current sources of the network.

        Args:
            sparse: whether to compile a sparse one; None for what was compiled last, or else by
                the number of nodes.

        Raises:
            CircuitError: a circuit without a unique solution: a floating node, a loop of voltage
                sources, also with inductors, couplings that no windings have, resistors at several
                temperatures at a node without capacitor (their heat diverges), a mode that no
                resistor damps or that grows, or controlled sources that hold a capacitor at the
                voltage of white noise. The message names elements and nodes, and what to add.

        Example:
            >>> import ktc
            >>> net = ktc.Circuit.from_netlist("R1 a b 1k\\nR2 b 0 2k\\nC1 a 0 1n").compile()
            >>> net.accounts, net.coordinates
            (('R1+R2',), ('q(a)',))
            >>> net.relaxation_times.round(9)
            array([3.e-06])
        """
        chosen = is_large(self.branches) if self._sparse is None else self._sparse
        chosen = chosen if sparse is None else flag("sparse", sparse)
        made = self._compilation(chosen)
        self._sparse = chosen
        return made

    def _compilation(self, sparse: bool) -> CompiledCircuit:
        if sparse not in self._compiled:
            kind = SparseCircuit if sparse else CompiledCircuit
            made = kind.of_branches(self.branches, self.kelvin, self.couplings)
            self._compiled[sparse] = made
        return self._compiled[sparse]

    def _changed(self) -> None:
        super()._changed()
        self._compiled, self._sparse = {}, None

    def __str__(self) -> str:
        from ktc._circuits.netlist_text import write_netlist

        return write_netlist(self._netlist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Circuit):
            return NotImplemented
        return self._netlist() == other._netlist()

    __hash__ = None  # type: ignore[assignment]  # circuits are mutable

    def __repr__(self) -> str:
        return f"<ktc.Circuit: {len(self._branches)} elements, nodes {', '.join(self.nodes)}>"


register(
    Circuit,
    ("title", "kelvin", "branches", "skipped", "_initial", "couplings", "waveforms"),
    lambda _initial, **others: Circuit._of_netlist(Netlist(initial=_initial, **others)),
)
