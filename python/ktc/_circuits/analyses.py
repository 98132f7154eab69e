"""Analyses of a circuit without compilation: operating point, response and noise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.cached import cached_property
from ktc._base.lazy_imports import scipy
from ktc._base.units import BOLTZMANN
from ktc._base.validation import Array, finite, positive, told
from ktc._circuits.analysis_results import NoiseSpectrum, OperatingPoint, SmallSignal
from ktc._circuits.branch import GAINS, GROUND, Branch, CircuitError
from ktc._circuits.circuit_elements import CircuitElements
from ktc._circuits.compilation import LARGEST, refuse_extreme
from ktc._circuits.direct_current import direct_solution
from ktc._circuits.frequency_response import checked_frequencies, solutions
from ktc._circuits.nodal_equations import NodalEquations

SUBDIVISIONS = 150
Output = str | int | tuple[str | int, ...]


class CircuitAnalyses(CircuitElements):
    """Operating point, response and noise of a circuit, by modified nodal analysis.

    They need neither capacitors nor stability, and cost what sparse matrices cost.
    """

    @cached_property
    def _equations(self) -> NodalEquations:
        if not self.branches:
            raise CircuitError("the circuit has no elements; add some")
        refuse_extreme(self.branches)
        return NodalEquations(self.nodes, self.branches, self.couplings)

    def _changed(self) -> None:
        vars(self).pop("_equations", None)

    def op(self, **sources: float) -> OperatingPoint:
        """Return the operating point: all direct voltages, currents and powers.

        Capacitors carry no current and inductors no voltage. Where this leaves a voltage between
        capacitors or a current around inductors open, it is the one that is reached when the
        sources are switched on with all capacitors discharged and all currents zero. The operating
        point of an unstable active circuit is returned too, although it does not stay there.

        Args:
            **sources: volts or amperes by the names of V and I, in place of their values in the
                circuit.

        Raises:
            CircuitError: a voltage or current that is not determined or grows without bound: a
                loop of voltage sources, a node without resistive path to ground.
            TypeError: an unknown source.
            ValueError: a value beyond 1e50.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 6\\nR1 in a 1k\\nR2 a 0 2k")
            >>> point = circuit.op()
            >>> round(point.voltages["a"], 9), round(point.power["V1"], 9)
            (4.0, 0.012)
            >>> round(circuit.op(V1=3.0).currents["R2"], 9)
            0.001

        Source: Ho, Ruehli, Brennan (1975), IEEE Trans. Circuits Syst. 22, 504.
        """
        equations = self._equations
        values = {name: b.value for name, b in equations.branches.items() if b.kind in "VI"}
        values |= _given_values(equations, sources)
        x = direct_solution(equations, equations.right_side(values))
        x = np.append(x, 0.0)  # the last entry is ground
        currents, power, heat = {}, {}, {}
        for name, b in equations.branches.items():
            if b.kind == "R" and b.value == 0:
                continue
            plus, minus = equations.ends(b)
            volts = float(x[plus] - x[minus])
            if name in equations.current_places:
                amperes = float(x[equations.current_places[name]])
            elif b.kind == "R":
                place = equations.resistor_places.get(name)
                amperes = volts / b.value if place is None else float(x[place])
            elif b.kind == "G":
                one, other = map(equations.place, b.control)
                amperes = b.value * float(x[one] - x[other])
            elif b.kind == "F":
                amperes = b.value * float(x[equations.controlling_current(b)])
            else:
                amperes = values.get(name, 0.0)
            currents[b.name] = amperes
            if b.kind in "VI" or b.kind in GAINS:
                power[b.name] = 0.0 - volts * amperes
            elif b.kind == "R":
                heat[b.name] = b.value * amperes**2
        volts_of = x[equations.node_places].tolist()
        return OperatingPoint(dict(zip(self.nodes, volts_of, strict=True)), currents, power, heat)

    def ac(self, source: str, frequencies: ArrayLike) -> SmallSignal:
        """Return the response of all nodes to a unit amplitude of one source.

        (G + 2πi f C) x = b, with all other independent sources at zero, as ``.ac`` of SPICE.

        Args:
            source: name of a V or I.
            frequencies: f [Hz], not negative, scalar or shape (frequencies,).

        Raises:
            CircuitError: a voltage or current that is not determined.
            ValueError: an unknown source, or a frequency that is negative or not finite.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("V1 in 0 0\\nR1 in a 1k\\nC1 a 0 1n")
            >>> response = circuit.ac("V1", [0.0, 159154.943])
            >>> abs(response.voltages["a"]).round(6)
            array([1.      , 0.707107])

        Source: Ho, Ruehli, Brennan (1975), IEEE Trans. Circuits Syst. 22, 504.
        """
        equations = self._equations
        driving = {name: b for name, b in equations.branches.items() if b.kind in "VI"}
        branch = driving.get(str(source).lower())
        if branch is None:
            names = ", ".join(repr(b.name) for b in driving.values()) or "none"
            raise ValueError(f"source must be the name of a V or I, {names}, but is {told(source)}")
        f = checked_frequencies(frequencies)
        found = solutions(equations, f, equations.right_side({branch.name.lower(): 1.0}))
        return SmallSignal(
            branch.name,
            f,
            {
                node: found[:, place]
                for node, place in zip(self.nodes, equations.node_places, strict=True)
            },
            {
                equations.branches[name].name: found[:, place]
                for name, place in equations.current_places.items()
            },
        )

    def noise(self, output: Output, frequencies: ArrayLike) -> NoiseSpectrum:
        """Return the one-sided noise density of a voltage or current, and each source's share.

        S(f) = Σ_s |H_s(f)|² S_s(f), with the transfer H_s from each source to the output by one
        solution of the transposed equations per frequency. A resistor R at its own temperature T
        is a noise current of density 4 k_B T/R [A²/Hz]; ``noise=`` of a current source is S in
        A²/Hz, and of a voltage source in V²/Hz, divided by 1 + (f/Δf)² where it has a bandwidth.
        Shares are the squares of ``onoise_…`` of ngspice. Other elements have no noise. In an
        unstable active circuit the result is a formula without meaning, as it is in ngspice.

        Args:
            output: a node "a", two nodes ("a", "b") for the voltage of a above b, or "i(V1)" for
                the current of a voltage source, an inductor, or an E or H.
            frequencies: f [Hz], not negative, scalar or shape (frequencies,).

        Raises:
            CircuitError: a voltage or current that is not determined.
            ValueError: an unknown output, or a frequency that is negative or not finite.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("R1 a 0 1k\\nR2 a 0 3k kelvin=77\\nC1 a 0 1n")
            >>> noise = circuit.noise("a", [0.0, 1e6])
            >>> (noise.shares["R2"] / noise.density).round(4)  # T/R of each
            array([0.0788, 0.0788])

        Source: Rohrer, Nagel, Meyer, Weber (1971), IEEE J. Solid-State Circuits 6, 204.
        """
        equations, f = self._equations, checked_frequencies(frequencies)
        row, name = _output(equations, output)
        sources = _noise_sources(equations, self.kelvin)
        injected = np.array([_injection(equations, b) for b, *_ in sources], dtype=np.intp)
        plus, minus = injected.reshape(-1, 2).T
        density = np.array([each[1] for each in sources])
        widths = np.array([np.inf if each[2] is None else each[2] for each in sources])
        adjoint = solutions(equations, f, row, transposed=True)
        transfer = adjoint[:, minus] - adjoint[:, plus]
        shares = np.abs(transfer) ** 2 * density / (1 + (f[:, None] / widths) ** 2)
        names = [b.name for b, *_ in sources]
        return NoiseSpectrum(name, f, shares.sum(axis=1), dict(zip(names, shares.T, strict=True)))

    def noise_power(self, output: Output, low: float, high: float) -> dict[str, float]:
        """Return the share of each source in the noise of a frequency band [V² or A²].

        ∫ S_s(f) df from ``low`` to ``high``, by Gauss–Kronrod quadrature in ln f to a relative
        error of 1e-9 of the sum, or at least 1e-6 after 150 subdivisions. Over all frequencies it
        is the stationary variance of the output, where that is finite. Shares are the squares of
        ``onoise_total_…`` of ngspice.

        Args:
            output: as for ``noise``.
            low, high: edges of the band [Hz], 0 < low < high.

        Raises:
            CircuitError: a voltage or current that is not determined, or a larger error.
            ValueError: an unknown output, or edges out of order.

        Example:
            >>> import ktc
            >>> circuit = ktc.Circuit.from_netlist("R1 a 0 1k\\nR2 a 0 3k\\nC1 a 0 1n")
            >>> shares = circuit.noise_power("a", 1e-3, 1e12)
            >>> kT_C = 1.380649e-23 * 300 / 1e-9
            >>> round(shares["R1"] / kT_C, 6), round(shares["R2"] / kT_C, 6)
            (0.75, 0.25)

        Source: Rohrer, Nagel, Meyer, Weber (1971), IEEE J. Solid-State Circuits 6, 204.
        """
        if not positive("high", high) > positive("low", low):
            raise ValueError(f"high must be above low = {low:g}, but is {high:g}")
        names = list(self.noise(output, low).shares)

        def integrand(logarithm: float) -> Array:
            frequency = math.exp(logarithm)
            found = self.noise(output, frequency)
            return frequency * np.array([*(found.shares[name][0] for name in names), 0.0])

        ends = math.log(low), math.log(high)
        # The absolute error lets zero noise converge.
        shares, error = scipy.integrate.quad_vec(
            integrand, *ends, epsabs=1e-200, epsrel=1e-9, norm="max", limit=SUBDIVISIONS
        )
        if error > max(1e-200, 1e-6 * shares.sum()):
            raise CircuitError(
                f"the noise from {low:g} to {high:g} Hz is known to {error / shares.sum():.1g} of "
                f"its sum after {SUBDIVISIONS} subdivisions; divide the band at the resonances"
            )
        return dict(zip(names, shares[:-1].tolist(), strict=True))


def _refuse_unknown_sources(given: Iterable[str], equations: NodalEquations) -> None:
    known = [b.name for b in equations.branches.values() if b.kind in "VI"]
    for name in given:
        if name.lower() not in map(str.lower, known):
            names = ", ".join(map(repr, known)) or "none"
            raise TypeError(f"unknown source {name!r}; the circuit has {names}")


def _without_v(output: Output, equations: NodalEquations) -> str:
    """Advice for an output that is written as in SPICE, "v(a)" or "v(a,b)"."""
    found = (
        re.fullmatch(r"[vV]\(([^,]+)(?:,([^,]+))?\)", output) if isinstance(output, str) else None
    )
    names = [] if found is None else [part.strip() for part in found.groups() if part]
    if not names or any(equations.find(name) is None for name in names):
        return ""
    one, *others = names
    return f"; write {(one, *others)!r}" if others else f"; write {one!r}"


def _given_values(equations: NodalEquations, sources: Mapping[str, float]) -> dict[str, float]:
    """Checked values of sources by lower-case name."""
    given = {name.lower(): finite(name, value) for name, value in sources.items()}
    _refuse_unknown_sources(sources, equations)
    if len(given) < len(sources):
        raise TypeError(f"a source is given twice: {', '.join(sources)}")
    for name, value in given.items():
        if abs(value) > LARGEST:
            raise ValueError(
                f"{equations.branches[name].name} is {value:g}, but must lie between "
                f"{-LARGEST:g} and {LARGEST:g}"
            )
    return given


def _output(equations: NodalEquations, output: Output) -> tuple[Array, str]:
    """The row that reads an output, and its name in SPICE."""
    row = np.zeros(equations.size + 1)
    if isinstance(output, str) and output.lower().startswith("i(") and output.endswith(")"):
        place = equations.current_places.get(output[2:-1].lower())
        if place is None:
            names = [equations.branches[name].name for name in equations.current_places]
            raise ValueError(
                f"output must be the current of one of {', '.join(names) or 'no elements'}, but "
                f"is {output!r}; put a voltage source of 0 V in series with another element"
            )
        row[place] = 1.0
        return row[:-1], f"i({equations.branches[output[2:-1].lower()].name})"
    ends = output if isinstance(output, tuple) else (output, GROUND)
    if len(ends) != 2:
        raise ValueError(
            f"output must be a node, two nodes (plus, minus) or 'i(V1)', but is {told(output)}"
        )
    for node, sign in zip(ends, (1.0, -1.0), strict=True):
        place = equations.find(node)
        if place is None:
            raise ValueError(
                f"output must name nodes of the circuit, {', '.join(equations.nodes)}, but is "
                f"{told(output)}{_without_v(output, equations)}"
            )
        row[place] += sign
    named = ends if isinstance(output, tuple) else ends[:1]
    return row[:-1], f"v({','.join(map(str, named))})"


def _noise_sources(
    equations: NodalEquations, kelvin: float
) -> list[tuple[Branch, float, float | None]]:
    """Elements with noise, their densities [A²/Hz or V²/Hz], and bandwidths [Hz]."""
    found: list[tuple[Branch, float, float | None]] = []
    for name, b in equations.branches.items():
        if b.kind == "R" and b.value:
            own = kelvin if b.kelvin is None else b.kelvin
            size = b.value if name in equations.resistor_places else 1 / b.value
            found.append((b, 4 * BOLTZMANN * own * size, None))
        elif b.noise is not None:
            found.append((b, b.noise, b.bandwidth))
    return found


def _injection(equations: NodalEquations, b: Branch) -> tuple[int, int]:
    """The rows that a noise takes from and adds to; −1 is none."""
    places = equations.current_places | equations.resistor_places
    name = b.name.lower()
    return (-1, places[name]) if name in places else equations.ends(b)
