"""Linear algebra by thermal noise: solve, invert, and find a determinant on emulated boards.

A positive definite matrix A becomes the elastances A/C of a board of RC cells. In equilibrium the
mean voltages are A⁻¹b, their covariance is (k_BT/C) A⁻¹, and the free energy differs from that of
uncoupled cells by ½ k_BT ln det A, which the work of a ramp tells by Jarzynski's equality.

    python examples/linear_algebra.py [REPLICAS]

Sources: Aifer et al. (2024), npj Unconv. Comput. 1, 13; Melanson et al. (2025), Nat. Commun. 16,
3757; Jarzynski (1997), Phys. Rev. Lett. 78, 2690.
"""

import sys

import numpy as np

import ktc

VOLT = 1e-4  # what stands for the number one: some thermal widths
MATRIX = np.array(
    [[2.0, 0.5, 0.0, 0.3], [0.5, 1.5, -0.4, 0.0], [0.0, -0.4, 1.0, 0.2], [0.3, 0.0, 0.2, 1.8]]
)
RIGHT = np.array([1.0, -2.0, 0.5, 1.5])
REAL = ktc.Imperfections(
    capacitance_tolerance=0.01, coupling_tolerance=0.01, offset=1e-6, adc_noise=1e-6, seed=1
)


def board(matrix, imperfections=None):
    plain = ktc.Board(
        len(matrix),
        resistance=1e6,
        capacitance=1e-12,
        temperature=300.0,
        imperfections=imperfections,
    )
    return plain.program(stiffness=matrix / 1e-12)


def solve(device, right, replicas):
    """Solve A x = b by mean voltages after ten of the slowest relaxation times."""
    emulator = device.emulator(replicas=replicas, seed=1)
    emulator.set(bias=right * VOLT)
    emulator.run(10 * device.network.relaxation_times[-1])
    return emulator.moments().mean / VOLT


def invert(device, replicas):
    """A⁻¹, from the covariance of the voltages at zero bias."""
    emulator = device.emulator(replicas=replicas, seed=2)
    return emulator.moments().covariance / device.thermal_width[0] ** 2


def determinant(device, replicas):
    """det A, from the work of ramping the couplings up: ⟨e^{−W/kT}⟩ = e^{−ΔF/kT} = det A^{−½}."""
    start = device.program(stiffness=np.diag(1 / device.capacitance))
    slowest = device.network.relaxation_times[-1]
    ramp = ktc.Protocol.ramp(20 * slowest, 400, stiffness=(start.stiffness, device.stiffness))
    work = start.emulator(replicas=replicas, seed=3).play(ramp).work.in_kT.samples
    return np.mean(np.exp(-work)) ** -2


def errors(device, replicas):
    exact = np.linalg.solve(MATRIX, RIGHT), np.linalg.inv(MATRIX), np.linalg.det(MATRIX)
    found = solve(device, RIGHT, replicas), invert(device, replicas), determinant(device, replicas)
    return [np.linalg.norm(f - e) / np.linalg.norm(e) for f, e in zip(found, exact, strict=True)]


def main(replicas=100_000):
    print(f"relative error of       A⁻¹b      A⁻¹    det A   ({replicas} replicas)")
    for name, imperfections in (("ideal board", None), ("1 % parts, noisy", REAL)):
        row = errors(board(MATRIX, imperfections), replicas)
        print(f"{name:>18}" + "".join(f"{error:9.4f}" for error in row))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
