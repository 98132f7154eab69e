"""Fisher matrix F and friction tensor ζ measured on replicas in equilibrium, for any potential."""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array, count, positive, refusing_overflow
from ktc._emulation.emulator import Emulator
from ktc._engines.step_size import default_step
from ktc._measure.correlation_windows import MOST_INTERVALS, WindowIntegrator, longer_window
from ktc._model.description import Described, Description
from ktc._model.device import Device
from ktc._model.parameters import Parameters
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.matrix_estimate import OPTIMAL, MatrixEstimate, checked_shrinkage
from ktc._theory.metrics import Learnable

REPLICAS = 10_000
GROUPS = 50


def fisher_estimate(
    device: Description | Device,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
) -> MatrixEstimate:
    """Fisher matrix F = Cov(∂_θH)/kT over replicas: unbiased, error bars from fourth moments.

    F is kT times the Fisher information matrix; see ``theory.fisher_matrix``.

    Args:
        device: a Network or a Board, of which an equilibrium ensemble is drawn; or a running
            emulator, of which the present replicas are used, whether in equilibrium or not.
        parameter, replicas, seed, shrinkage, threads: as for ``theory.friction_estimate``.

    Raises:
        ValueError: no equilibrium, fewer than two replicas.

    Example:
        >>> import ktc
        >>> pair = ktc.Network([[0.0, -1.0], [-1.0, 0.0]], 1.0, quartic=1.0)
        >>> found = ktc.theory.fisher_estimate(pair, replicas=2000, seed=1)
        >>> found.mean.shape, found.replicas
        ((2, 2), 2000)

    Source: Amari (1998), Neural Comput. 10, 251.
    """
    share = checked_shrinkage(shrinkage)
    emulator, parameters = _running(device, parameter, replicas, seed, threads)
    forces = parameters.forces(emulator.read())
    forces -= forces.mean(axis=0)
    n = len(forces)
    if n < 2:
        raise ValueError("device must have at least two replicas, but has one")
    covariance = forces.T @ forces / n
    scatter = (forces**2).T @ forces**2 / n - covariance**2
    kT = emulator.controls.common_kT
    return MatrixEstimate(
        covariance * (n / (n - 1)) / kT, np.sqrt(np.maximum(scatter, 0) / n) / kT,
        shrinkage=share, replicas=n, time=0.0, method="covariance over replicas",
    )  # fmt: skip


def friction_estimate(
    device: Description | Device,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    *,
    windows: int = 4,
    interval: float | None = None,
    longest: float | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
) -> MatrixEstimate:
    """Friction tensor ζ = (1/kT)∫₀^∞ ⟨δ∂H(0) δ∂H(t)ᵀ⟩ dt over replicas in equilibrium (Green–Kubo).

    The first stretch of the run determines the length of the window of every parameter. Every
    replica runs through ``windows`` stretches, each as long as the longest window. ∫∂H dt over a
    window is correlated with ∂H at its start and, from the second stretch on, also with ∂H at its
    end, which is equal by time reversal. For a pair of parameters the longer window is used.
    Integrals use the Gregory rule, third order in ``interval``; error bars come from up to 50
    groups of replicas.

    With C the autocovariance of a parameter, its window ends at the first t ≥ 6 ∫₀^t|C|/C(0) at
    which the mean of C over the last quarter of the window, continued for another t, would add less
    than 5 % of ∫C or less than the noise of C. So a slow part of C below the noise of the ensemble
    is not detected.

    Args:
        device: a Network or a Board, of which an equilibrium ensemble is drawn; or a running
            emulator in equilibrium at its present controls, which runs on and records the energies.
        parameter: one or several of ``theory.LEARNABLE``, or ``theory.Parameters``.
        replicas, seed, threads: of the ensemble, 10,000 replicas by default; not for a running
            emulator.
        windows: number of stretches; error bars decrease as 1/√windows.
        interval: time between read-outs; a tenth of the fastest time of the network by default.
        longest: longest window; 20,000 intervals by default.
        shrinkage: "optimal" (see ``theory.MatrixEstimate``), a share from 0 to 1, or None.

    Raises:
        ValueError: no equilibrium, fewer than twenty replicas, or correlations that outlast
            ``longest``.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602; windows: Sokal (1997), in Functional
    Integration, 131.

    Example:
        >>> import ktc
        >>> unit = ktc.Network(stiffness=1.0, friction=1.0, quartic=1.0)
        >>> found = ktc.theory.friction_estimate(unit, replicas=2000, seed=1)
        >>> bool(abs(found.mean - ktc.theory.friction_tensor(unit)) < 5 * found.stderr)
        True
    """
    return metric_estimates(
        device, parameter, replicas, seed, windows=windows, interval=interval, longest=longest,
        shrinkage=shrinkage, threads=threads,
    )[1]  # fmt: skip


@refusing_overflow("hold or interval")
def metric_estimates(
    device: Description | Device,
    parameter: Learnable = "bias",
    replicas: int | None = None,
    seed: int | None = None,
    *,
    windows: int = 4,
    interval: float | None = None,
    longest: float | None = None,
    shrinkage: float | str | None = OPTIMAL,
    threads: int | None = None,
    hold: float | None = None,
) -> tuple[MatrixEstimate, MatrixEstimate]:
    """Fisher matrix F and friction tensor ζ from one run; see ``theory.friction_estimate``.

    F is an average over the ends of all windows, with smaller error bars than those of
    ``theory.fisher_estimate``.

    Args:
        device, parameter, replicas, seed, windows, interval, longest, shrinkage, threads: as for
            ``theory.friction_estimate``.
        hold: duration h of a tick under held controls, in place of ``interval``. ζ is then the
            trapezoidal rule at the ticks, (h/kT)[½C(0) + C(h) + C(2h) + …]: the lead of controls in
            steady motion under holds, less half a tick, in linear response.

    Raises:
        ValueError: both ``hold`` and ``interval``, and as for ``theory.friction_estimate``.

    Example:
        >>> import ktc
        >>> pair = ktc.Network([[0.0, -1.0], [-1.0, 0.0]], 1.0, quartic=1.0)
        >>> fisher, friction = ktc.theory.metric_estimates(pair, "stiffness", replicas=1000, seed=1)
        >>> fisher.mean.shape, friction.mean.shape
        ((3, 3), (3, 3))

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602.
    """
    share, stretches = checked_shrinkage(shrinkage), count("windows", windows, most=10**6)
    emulator, parameters = _running(device, parameter, replicas, seed, threads)
    if hold is not None and interval is not None:
        raise ValueError(f"interval must be left out with hold = {hold}, which replaces it")
    step = default_step(emulator.network, [emulator.controls]) if interval is None else interval
    step = positive("interval", step) if hold is None else positive("hold", hold)
    most = MOST_INTERVALS if longest is None else int(positive("longest", longest) / step)
    run = WindowIntegrator(emulator, parameters, step, trapezoidal=hold is not None)
    n = len(run.forces)
    if n < 20:
        raise ValueError(f"replicas must be at least 20 to have error bars, but are {n}")
    ends = [run.forces]
    pairs = [(ends[0], run.until_decayed(most))]
    ends.append(run.forces)
    for _ in range(stretches - 1):
        forward, backward = run.through()
        pairs += [(ends[-1], forward), (run.forces, backward)]
        ends.append(run.forces)
    share_of = longer_window(run.windows)
    kT, tables = emulator.controls.common_kT, []
    for couples, weights in (([(end, end) for end in ends], np.array(0.5)), (pairs, share_of)):
        total, spread = _over_groups(couples, weights)
        tables.append((total / kT, spread / kT))
    methods = (
        f"covariance over replicas at {stretches + 1} times",
        f"Green–Kubo over {stretches} windows of up to {run.windows.max() * step:.4g}",
    )
    fisher, friction = (
        MatrixEstimate(*table, shrinkage=share, replicas=n, time=run.time, method=method)
        for table, method in zip(tables, methods, strict=True)
    )
    return fisher, friction


def _over_groups(couples: list[tuple[Array, Array]], weights: Array) -> tuple[Array, Array]:
    """Mean of w∘M + (w∘M)ᵀ, M the covariance of one and other, and its error bar over groups."""
    n, p = couples[0][0].shape
    centred = [[one - one.mean(axis=0) for one in couple] for couple in couples]
    total, squares = np.zeros((p, p)), np.zeros((p, p))
    groups = np.array_split(np.arange(n), min(GROUPS, n // 2))
    for group in groups:
        own = slice(int(group[0]), int(group[-1]) + 1)
        part = np.zeros((p, p))
        for one, other in centred:
            part += one[own].T @ other[own]
        part *= weights * (n / (n - 1) / len(centred) / len(group))
        part = part + part.T
        total += part * (len(group) / n)
        squares += part**2 * (len(group) / n)
    return total, np.sqrt(np.maximum(squares - total**2, 0) / (len(groups) - 1))


def _running(
    device: Description | Device,
    parameter: Learnable,
    replicas: int | None,
    seed: int | None,
    threads: int | None,
) -> tuple[Device, Parameters]:
    """The device itself if it runs, or an ensemble in equilibrium, and its parameters."""
    if not isinstance(device, Device):
        at_equilibrium(device)
        number = count("replicas", REPLICAS if replicas is None else replicas, least=2)
        return Emulator(device, number, seed, threads), _parameters(device, parameter)
    for name, value in (("replicas", replicas), ("seed", seed), ("threads", threads)):
        if value is not None:
            raise ValueError(f"{name} must be left out for a running device, but is {value!r}")
    present = device.network.with_controls(device.controls)
    described = Described(present, device.scale, device.symbols)
    at_equilibrium(described)
    return device, _parameters(described, parameter)


def _parameters(device: Description, parameter: Learnable) -> Parameters:
    return parameter if isinstance(parameter, Parameters) else Parameters(device, parameter)
