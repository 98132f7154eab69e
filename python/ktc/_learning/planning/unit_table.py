"""F, ζ and free energy of one quartic unit over its bias, interpolated between quadratures."""

from __future__ import annotations

import math

import numpy as np

from ktc._base.validation import Array
from ktc._learning.metrics.exact_model import ExactModel
from ktc._model.controls import Controls
from ktc._model.description import Described
from ktc._model.network import Network
from ktc._model.parameters import Parameters
from ktc._model.quartic_unit import OneUnit
from ktc._theory.geometry import NO_MAP, Geometry

# Distance of quadratures, in units of the least thermal scale √(kT/F), which is that without bias.
SPACING = 0.15


class UnitTable:
    """F, ζ and free energy of the bias at equal distances, where they are needed.

    Cubic interpolation of ln F, ln ζ and the free energy in kT, all even in the bias, to 1e-4.
    """

    def __init__(self, net: Network) -> None:
        self._stiffness, self._quartic = float(net.stiffness[0, 0]), float(net.quartic[0])
        self._kT, self._friction = net.common_kT, float(net.friction[0, 0])
        self._rows: dict[int, tuple[float, float, float]] = {}
        fisher = self._unit(0.0).fisher(("bias",)).item()
        self._step = SPACING * math.sqrt(self._kT / fisher)

    def __call__(self, bias: Array) -> tuple[Array, Array, Array]:
        """F, ζ and free energy at biases, shape (n,) each."""
        cells = np.floor(bias / self._step)
        t = bias / self._step - cells
        places = cells.astype(int)[:, None] + np.arange(-1, 3)
        known, index = np.unique(np.abs(places), return_inverse=True)
        rows = np.array([self._row(place) for place in known.tolist()])
        weights = np.stack(
            [
                -t * (t - 1) * (t - 2) / 6,
                (t + 1) * (t - 1) * (t - 2) / 2,
                -(t + 1) * t * (t - 2) / 2,
                (t + 1) * t * (t - 1) / 6,
            ],
            axis=1,
        )
        found = np.einsum("ij,ijk->ik", weights, rows[index.reshape(places.shape)])
        return np.exp(found[:, 0]), np.exp(found[:, 1]), self._kT * found[:, 2]

    def _unit(self, bias: float) -> OneUnit:
        return OneUnit(self._stiffness, bias, self._quartic, self._kT)

    def _row(self, place: int) -> tuple[float, float, float]:
        if place not in self._rows:
            unit = self._unit(place * self._step)
            fisher = unit.fisher(("bias",)).item()
            friction = unit.friction(("bias",), self._friction).item()
            self._rows[place] = math.log(fisher), math.log(friction), unit.free_energy / self._kT
        return self._rows[place]


class TabulatedUnits(ExactModel):
    """Equal units without couplings, with F and ζ of the bias by a table."""

    def __init__(self, start: Described, parameters: Parameters, table: UnitTable) -> None:
        super().__init__(start, parameters)
        self._table = table

    def geometry(self, controls: Controls, hold: float) -> Geometry:
        fisher, friction, _ = self._table(controls.bias)
        whole = Geometry(
            np.diag(fisher), np.diag(friction), friction / fisher, np.diag(1 / np.sqrt(fisher)),
            NO_MAP, self.parameters.blocks,
        )  # fmt: skip
        return whole.sampled(hold)

    def free_energy_change(self, before: Controls, after: Controls) -> float:
        return float(np.sum(self._table(after.bias)[2] - self._table(before.bias)[2]))
