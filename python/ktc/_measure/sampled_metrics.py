"""Fisher matrix F and friction tensor ζ measured on replicas in equilibrium, for any potential."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ktc._base.validation import Array, count, positive, refusing_overflow
from ktc._emulation.emulator import Emulator
from ktc._engines.step_size import default_step
from ktc._measure.correlation_windows import WindowIntegrator, surveyed
from ktc._measure.lagged_covariances import MOST_INTERVALS, LaggedCovariances
from ktc._measure.slow_modes import Observed
from ktc._model.description import Described, Description
from ktc._model.device import Device
from ktc._model.parameters import Parameters
from ktc._theory.free_energies import at_equilibrium
from ktc._theory.matrix_estimate import OPTIMAL, MatrixEstimate, checked_shrinkage
from ktc._theory.metrics import Learnable

REPLICAS = 10_000
GROUPS = 50

Entries = tuple[NDArray[np.intp], NDArray[np.intp]]


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

    A first run measures the autocovariances C(t) of all forces ∂H, from which follow the length of
    the window of every force and the slow modes that forces share. A window ends at the first
    t ≥ max(6, 1 + ½ ln N) ∫₀^t|C|/C(0) at which the mean of C over its last quarter is below the
    noise C(0)/√N of N replicas; after it C goes on at its last value for an eighth of the window.

    Where windows differ by more than a factor of two, the slowest combination of forces is
    subtracted from all others, as far as they correlate with it at lags of half to twice its
    correlation time, and ζ is measured of the parts, each with a window of its own. So the slow
    exchange between wells is found in forces in whose own correlations noise hides it. In networks
    with several wells the states of all units and their products are added to the forces, up to 64
    together. With more than 64 parameters no slow modes are sought.

    Every replica then runs through ``windows`` stretches, each as long as the longest window.
    ∫∂H dt over a window is correlated with ∂H at its start and with ∂H at its end, which is equal
    by time reversal. For two forces the longer window is used. Integrals use the Gregory rule,
    third order in ``interval``; error bars come from up to 50 groups of replicas.

    Args:
        device: a Network or a Board, of which an equilibrium ensemble is drawn; or a running
            emulator in equilibrium at its present controls, which runs on and records the energies.
        parameter: one or several of ``theory.LEARNABLE``, or ``theory.Parameters``.
        replicas, seed, threads: of the ensemble, 10,000 replicas by default; not for a running
            emulator.
        windows: number of stretches; error bars decrease as 1/√windows.
        interval: time between read-outs; a tenth of the fastest time of the network by default.
        longest: longest window, at least one interval; 20,000 intervals by default.
        shrinkage: "optimal" (see ``theory.MatrixEstimate``), a share from 0 to 1, or None.

    Raises:
        ValueError: no equilibrium, fewer than twenty replicas, or correlations that outlast
            ``longest``.

    Source: Sivak, Crooks (2012), Phys. Rev. Lett. 108, 190602; windows: Sokal (1997), in Functional
    Integration, 131; slow modes: Molgedey, Schuster (1994), Phys. Rev. Lett. 72, 3634.

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
    name, step = ("interval", step) if hold is None else ("hold", hold)
    step = positive(name, step)
    if step * MOST_INTERVALS == np.inf:
        raise ValueError(f"{name} is so long that the time leaves the range of numbers: {step:g}")
    most = MOST_INTERVALS if longest is None else int(positive("longest", longest) / step)
    if most < 1:
        raise ValueError(f"longest must be at least one interval of {step:.4g}, but is {longest}")
    n = len(emulator.read())
    if n < 20:
        raise ValueError(f"replicas must be at least 20 to have error bars, but are {n}")
    observed = Observed(parameters, emulator.controls)
    adaptive = hold is None and interval is None
    seen = LaggedCovariances(emulator, observed, step, observed.pairwise, adaptive)
    modes = surveyed(seen, parameters, step, most).read_every(seen.stride)
    run = WindowIntegrator(
        emulator, modes.observing(observed), modes.windows, modes.tails, step * seen.stride,
        hold is not None,
    )  # fmt: skip
    ends, pairs = [run.forces], []
    for _ in range(stretches):
        forward, backward = run.through()
        pairs += [(ends[-1], forward), (run.forces, backward)]
        ends.append(run.forces)
    longest_window = seen.stride * int(modes.windows.max())
    time = step * (int(seen.lags[-1]) + stretches * longest_window)
    kT, size = emulator.controls.common_kT, len(modes.weights)
    rows, each = np.arange(size)[:, None], np.arange(size)
    kinds = (
        ([(end, end) for end in ends], each, np.array(0.5)),
        (pairs, modes.integrated, modes.weights),
    )
    tables = []
    for couples, columns, weights in kinds:
        total, spread = _over_groups(couples, (rows, columns), weights, modes.back)
        tables.append((total / kT, spread / kT))
    length = f"{longest_window * step:.4g}"
    methods = (
        f"covariance over replicas at {stretches + 1} times",
        f"Green–Kubo over {stretches} windows of up to {length}",
    )
    fisher, friction = (
        MatrixEstimate(*table, shrinkage=share, replicas=n, time=time, method=how)
        for table, how in zip(tables, methods, strict=True)
    )
    return fisher, friction


def _over_groups(
    couples: list[tuple[Array, Array]], entries: Entries, weights: Array, back: Array | None
) -> tuple[Array, Array]:
    """Mean of w∘M + (w∘M)ᵀ, M entries of the covariance of one and other, and its error bar.

    Error bars are over groups of replicas. Forces of the parameters are ``back`` times those given.
    """
    n = len(couples[0][0])
    centred = [[one - one.mean(axis=0) for one in couple] for couple in couples]
    parts, shares = [], []
    for own in np.array_split(np.arange(n), min(GROUPS, n // 2)):
        group = slice(int(own[0]), int(own[-1]) + 1)
        part = sum(one[group].T @ other[group] for one, other in centred)[entries]
        part *= weights * (n / (n - 1) / len(centred) / len(own))
        part = part if back is None else back @ part @ back.T
        parts.append(part + part.T)
        shares.append(len(own) / n)
    total = np.tensordot(shares, parts, 1)
    squares = np.tensordot(shares, (np.array(parts) - total) ** 2, 1)
    return total, np.sqrt(squares / (len(parts) - 1))


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
