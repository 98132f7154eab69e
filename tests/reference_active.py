"""Nodal analysis of circuits with controlled sources: slow, readable."""

from __future__ import annotations

import math

import numpy as np

from reference_circuit import Nodal


class ActiveNodal(Nodal):
    """Nodal analysis with controlled sources."""

    def __init__(self, circuit):
        kelvin = circuit.kelvin
        self.control = {b.name: b.control for b in circuit.branches}
        super().__init__(
            [
                (b.name, b.plus, b.minus, b.value, kelvin if b.kelvin is None else b.kelvin)
                for b in circuit.branches
            ]
        )
        self.extra = [b for b in self.branches if b[0][0] in "VLEH"]
        self.size = len(self.nodes) + len(self.extra)

    def place(self, name):
        """Of the current of a source."""
        return len(self.nodes) + [b[0] for b in self.extra].index(name)

    def matrix(self, s):
        matrix = super().matrix(s)
        for b in self.branches:
            kind, row = b[0][0], self.row(b)
            if kind in "GF":
                matrix += b[3] * np.outer(row, self.driving(b))
            elif kind in "EH":
                k = self.place(b[0])
                matrix[:, k] += row
                matrix[k] += self.driving(b) if b[3] == math.inf else row - b[3] * self.driving(b)
        return matrix

    def driving(self, b):
        """The controlling voltage or current as a row."""
        if b[0][0] in "EG":
            return self.row((b[0], *self.control[b[0]]))
        row = np.zeros(self.size)
        row[self.place(self.control[b[0]][0])] = 1.0
        return row
