"""Ready-made networks and circuits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.validation import Array, finite, positive, positive_per_unit, real_array
from ktc._circuits.circuit import Circuit
from ktc._model.network import Network

CELLS_OF_SPU = 8


def trap(stiffness: float = 1.0, friction: float = 1.0, kT: float = 1.0) -> Network:
    """One harmonic unit, H = ½ k x² − b x: an optical trap, or an RC cell.

    Args:
        stiffness: k, positive.
        friction, kT: as for ``ktc.Network``.

    Example:
        >>> import ktc
        >>> ktc.presets.trap(stiffness=2.0).relaxation_times
        array([0.5])

    Source: Schmiedl, Seifert (2007), Phys. Rev. Lett. 98, 108301.
    """
    return Network(positive("stiffness", stiffness), friction, kT)


def double_well(
    barrier: float = 5.0,
    minimum: float = 1.0,
    friction: float = 1.0,
    kT: float = 1.0,
    tilt: float = 0.0,
) -> Network:
    """One quartic unit with two wells, H = barrier · (x⁴/a⁴ − 2x²/a²) − tilt · x: a bit.

    K = −4 barrier/a², κ = 4 barrier/a⁴, b = tilt; untilted, the minima are at ±a and the barrier
    between them has the given height.

    Args:
        barrier: height, positive, in the unit of kT.
        minimum: a, positive.
        friction, kT: as for ``ktc.Network``.
        tilt: bias b.

    Example:
        >>> import ktc
        >>> net = ktc.presets.double_well(barrier=5.0, minimum=2.0)
        >>> float(net.stiffness[0, 0]), float(net.quartic[0])
        (-5.0, 1.25)

    Source: Kramers (1940), Physica 7, 284; Landauer (1961), IBM J. Res. Dev. 5, 183.
    """
    height, place = positive("barrier", barrier), positive("minimum", minimum)
    if not 1e-60 < place < 1e60:
        raise ValueError(f"minimum must be between 1e-60 and 1e60, but is {place}")
    stiffness, quartic = -4 * height / place**2, 4 * height / place**4
    return Network(stiffness, friction, kT, bias=finite("tilt", tilt), quartic=quartic)


def two_temperature_rc(
    cold: float = 88.0,
    hot: float = 296.0,
    coupling: float = 100e-12,
    resistance: float = 10e6,
    capacitance: tuple[float, float] = (680e-12, 420e-12),
) -> Circuit:
    """Two RC cells at two temperatures, coupled by a capacitor: heat flows by electric noise.

    The mean power into the cold resistor is k_B C²(T₂ − T₁)/(XY), X = C₁C₂ + C(C₁ + C₂),
    Y = (C₁ + C)R₁ + (C₂ + C)R₂.

    Args:
        cold, hot: temperatures of R1 and R2 [K].
        coupling: C [F].
        resistance: of both resistors [Ω].
        capacitance: C₁ and C₂ [F].

    Example:
        >>> import ktc
        >>> ktc.presets.two_temperature_rc().compile().accounts
        ('R1', 'R2')

    Source: Ciliberto, Imparato, Naert, Tanase (2013), Phys. Rev. Lett. 110, 180601.
    """
    first, second = positive_per_unit("capacitance", capacitance, 2)
    return (
        Circuit(title="two RC cells at two temperatures")
        .add("R1", "a", 0, resistance, kelvin=cold)
        .add("C1", "a", 0, float(first))
        .add("R2", "b", 0, resistance, kelvin=hot)
        .add("C2", "b", 0, float(second))
        .add("C3", "a", "b", coupling)
    )


def breadboard2(kelvin: float = 297.0, drive_ratio: float | None = None) -> Circuit:
    """Two-node breadboard that inverts a 2×2 matrix with amplified Johnson noise.

    Independent amplified noise voltages drive nodes 1 and 2 through R₁ = 4690 Ω and R₂ = 4680 Ω;
    R₃ = 6830 Ω joins the nodes, R₄ = 9900 Ω joins node 2 to ground, and C₁ = 23.50 nF and
    C₂ = 23.51 nF join the nodes to ground. With an input-referred density of 14.38 nV/√Hz and gains
    of 1125 and 1130 the noise is a current of (gain · density/R)² A²/Hz into each node. Up to the
    spread of the parts the covariance of the node voltages is proportional to G⁻¹,

        G = [[1/R₁ + 1/R₃, −1/R₃], [−1/R₃, 1/R₂ + 1/R₃ + 1/R₄]].

    Between 200 Hz and 50 kHz the model gives 0.6058 mV and 0.5391 mV rms and a correlation of
    0.3532 (``ktc.spectra.band_covariance``). The measured values are 0.7097 mV, 0.6258 mV and
    0.3596; the excess is due to pickup, the current noise of the amplifiers and unequal drives.

    Args:
        kelvin: temperature of the resistors, whose noise is a millionth of the amplified noise.
        drive_ratio: density of the current into node 1 over that into node 2. None takes that of
            equal amplifiers, 0.987; 0.984 was measured, for which the rms voltages have a ratio of
            1.1223. The sum of both densities stays.

    Example:
        >>> import ktc
        >>> ktc.presets.breadboard2().compile().relaxation_times.round(7)
        array([4.16e-05, 9.20e-05])

    Source: the open data of colinc86/thermodynamic-solver (CC-BY).
    """
    circuit = (
        Circuit(kelvin, title="matrix inversion by amplified Johnson noise")
        .add("R1", "1", 0, 4690.0)
        .add("R2", "2", 0, 4680.0)
        .add("R3", "1", "2", 6830.0)
        .add("R4", "2", 0, 9900.0)
        .add("C1", "1", 0, 23.50e-9)
        .add("C2", "2", 0, 23.51e-9)
    )
    density = 14.38e-9  # V/√Hz at the amplifiers' inputs, all sources of noise together
    one, two = (1125 * density / 4690) ** 2, (1130 * density / 4680) ** 2
    if drive_ratio is not None:
        ratio = positive("drive_ratio", drive_ratio)
        one, two = (one + two) * ratio / (1 + ratio), (one + two) / (1 + ratio)
        if not min(one, two) > 0:
            raise ValueError(f"drive_ratio is so far from 1 that a density vanishes: {ratio:g}")
    return circuit.add_noise("I1", 0, "1", one).add_noise("I2", 0, "2", two)


def spu8(
    *,
    resistance: ArrayLike,
    inductance: ArrayLike,
    capacitance: ArrayLike,
    noise: ArrayLike,
    couplings: ArrayLike | None = None,
    kelvin: float = 0.0,
) -> Circuit:
    """Stochastic processing unit: eight RLC cells with all-to-all switched capacitances.

    Each cell is a node with R, L and C to ground and a noise current into it; capacitors C_ij join
    the nodes. di = L⁻¹v dt, dv = −C⁻¹R⁻¹v dt − C⁻¹i dt + √(2κ₀) C⁻¹dW with the Maxwell
    capacitance matrix C. With equal R, Cov v = κ₀R C⁻¹ and Cov i = κ₀R L⁻¹, at an effective
    temperature k_B T_eff = κ₀R. The component values of the published machine are not public, so
    all are arguments.

    Args:
        resistance, inductance, capacitance: R [Ω], L [H] and C [F] to ground of the cells, each a
            scalar or (8,), positive.
        noise: κ₀ [A²s], half the two-sided and a quarter of the one-sided density of the noise
            current; scalar or (8,), positive.
        couplings: C_ij [F], shape (8, 8), symmetric with a zero diagonal, zero where the switch is
            open. None leaves all switches open; a wrong shape or sign raises ValueError.
        kelvin: temperature of the resistors; at zero there is only the injected noise.

    Example:
        >>> import ktc
        >>> circuit = ktc.presets.spu8(
        ...     resistance=1e3, inductance=1e-3, capacitance=1e-9, noise=1e-24
        ... )
        >>> circuit.compile().units  # eight charges and eight fluxes
        16

    Source: Melanson et al. (2025), Nat. Commun. 16, 3757.
    """
    given = {
        "resistance": resistance,
        "inductance": inductance,
        "capacitance": capacitance,
        "noise": noise,
    }
    cells = [positive_per_unit(name, value, CELLS_OF_SPU) for name, value in given.items()]
    joined = _couplings(couplings)
    circuit = Circuit(kelvin, title="stochastic processing unit of eight cells")
    for n, (ohms, henries, farads, strength) in enumerate(np.transpose(cells).tolist(), 1):
        circuit.add(f"R{n}", f"n{n}", 0, ohms).add(f"L{n}", f"n{n}", 0, henries)
        circuit.add(f"C{n}", f"n{n}", 0, farads).add_noise(f"I{n}", 0, f"n{n}", 4 * strength)
    for i, j in np.argwhere(np.triu(joined)):
        circuit.add(f"C{i + 1}_{j + 1}", f"n{i + 1}", f"n{j + 1}", float(joined[i, j]))
    return circuit


def _couplings(couplings: ArrayLike | None) -> Array:
    shape = (CELLS_OF_SPU, CELLS_OF_SPU)
    matrix = np.zeros(shape) if couplings is None else real_array("couplings", couplings)
    if matrix.shape != shape:
        raise ValueError(f"couplings must be of shape {shape}, but has shape {matrix.shape}")
    if not np.array_equal(matrix, matrix.T) or np.diagonal(matrix).any():
        raise ValueError(
            "couplings must be symmetric with a zero diagonal; pass (c + c.T)/2 with zeros on its "
            "diagonal"
        )
    if (matrix < 0).any():
        i, j = np.argwhere(matrix < 0)[0]
        raise ValueError(f"couplings must not be negative, but are {matrix[i, j]} at ({i}, {j})")
    return matrix
