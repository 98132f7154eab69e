"""Nodal analysis of circuits: slow, readable, and nothing of the compiler under test.

Modified nodal analysis (Ho, Ruehli, Brennan, IEEE Trans. Circuits Syst. 22, 504, 1975): Kirchhoff's
current law at every node, the currents of voltage sources and inductors as further unknowns, at one
complex frequency at a time. Circuits are plain tuples (name, plus, minus, value, kelvin), and
couplings (name, name, M) of inductors.
"""

from __future__ import annotations

import itertools

import numpy as np

BOLTZMANN = 1.380649e-23


def branches_of(circuit):
    """Plain tuples of a circuit's elements."""
    return [
        (b.name, b.plus, b.minus, b.value, circuit.kelvin if b.kelvin is None else b.kelvin)
        for b in circuit.branches
    ]


def couplings_of(circuit):
    """Plain tuples of the mutual inductances of a circuit."""
    henries = {b.name.lower(): b.value for b in circuit.branches if b.kind == "L"}
    return [
        (one, other, c.value * np.sqrt(henries[one.lower()] * henries[other.lower()]))
        for c in circuit.couplings
        for one, other in itertools.combinations(c.inductors, 2)
    ]


class Nodal:
    """The equations M(s) x = rhs of a circuit, x = (node voltages, currents of V and L)."""

    def __init__(self, branches, couplings=()):
        self.branches = branches
        self.mutual = couplings
        self.nodes = list(dict.fromkeys(n for b in branches for n in b[1:3] if n != "0"))
        self.extra = [b for b in branches if b[0][0].upper() in "VL"]
        self.size = len(self.nodes) + len(self.extra)

    def row(self, branch):
        """+1 and −1 at the ends of a branch."""
        row = np.zeros(self.size)
        for node, sign in ((branch[1], 1.0), (branch[2], -1.0)):
            if node != "0":
                row[self.nodes.index(node)] = sign
        return row

    def matrix(self, s):
        """M at complex frequency s = 2πif."""
        matrix = np.zeros((self.size, self.size), dtype=complex)
        for b in self.branches:
            kind, row = b[0][0].upper(), self.row(b)
            if kind in "RC":
                admittance = 1 / b[3] if kind == "R" else s * b[3]
                matrix += admittance * np.outer(row, row)
            elif kind in "VL":
                k = len(self.nodes) + self.extra.index(b)
                matrix[:, k] += row
                matrix[k] += row
                if kind == "L":
                    matrix[k, k] -= s * b[3]
        names = [b[0].lower() for b in self.extra]
        for one, other, henries in self.mutual:
            j, k = (len(self.nodes) + names.index(name.lower()) for name in (one, other))
            matrix[j, k] -= s * henries
            matrix[k, j] -= s * henries
        return matrix

    def drive(self, branch):
        """Right-hand side of a unit source branch."""
        kind = branch[0][0].upper()
        if kind == "V":
            rhs = np.zeros(self.size)
            rhs[len(self.nodes) + self.extra.index(branch)] = 1.0
            return rhs
        return -self.row(branch)

    def response(self, source, frequency):
        """Amplitudes x for a source of unit amplitude."""
        return np.linalg.solve(self.matrix(2j * np.pi * frequency), self.drive(source))

    def operating_point(self, winding=1e-5):
        """x at rest, with windings of ``winding`` L, by which loops share their current as 1/L."""
        rhs = sum(
            (b[3] * self.drive(b) for b in self.branches if b[0][0].upper() in "VI"),
            np.zeros(self.size),
        )
        return np.linalg.solve(self.at_rest(winding), rhs)

    def at_rest(self, winding):
        """M of direct current."""
        change = self.matrix(winding) - self.matrix(0.0)
        return (self.matrix(0.0) + change * self.inductive()).real

    def inductive(self):
        """1 at the entries of inductances."""
        mask = np.zeros((self.size, self.size))
        mask[len(self.nodes) :, len(self.nodes) :] = 1.0
        return mask

    def noise(self, frequency):
        """One-sided densities of all x by Johnson noise, 4 k_B T/R of every resistor."""
        matrix = self.matrix(2j * np.pi * frequency)
        total = np.zeros(self.size)
        for b in self.branches:
            if b[0][0].upper() == "R":
                transfer = np.linalg.solve(matrix, self.row(b))
                total += 4 * BOLTZMANN * b[4] / b[3] * np.abs(transfer) ** 2
        return total
