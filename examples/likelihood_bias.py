"""The bias of a persistent chain's log-likelihood is the excess work of driving its circuit.

The chain believes to gain Σ g·Δθ, with gradients g at replicas that lag behind the controls. The
data's log-likelihood gains kT Δ⟨ln p_θ(x)⟩. Their difference is the work done less ΔF:

    Σ g·Δθ − kT Δ⟨ln p_θ⟩_data = W − ΔF = W_ex

Left: the controller's records, and normal densities written out here. Right: the energy ledger,
which knows neither data nor gradients. They agree to rounding, replica noise and all.

    python examples/likelihood_bias.py [--seed 1] [--quick] [--figure FILE]

Source: Hnybida, Verret (2025), arXiv 2510.03137.
"""

import numpy as np
from drawing import STYLES, legend, new_figure
from harness import Table, main, over_runs

import ktc
from ktc import schedules

STIFFNESS = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.7]])
NET = ktc.Network(stiffness=STIFFNESS, friction=[1.0, 0.5, 2.0], kT=0.8)
T = 2.0
DATA = np.random.default_rng(0).normal([3.0, -2.0, 1.0], 1.0, (200, 3))
SCHEDULES = {
    "minimal dissipation": schedules.MinimalDissipation(T),
    "continuous": schedules.ContinuousMinimalDissipation(T, DATA.mean(axis=0)),
    "natural gradient": schedules.NaturalGradient(T, 1.0),
    "constant": schedules.Constant(T, 1.5),
    "exponential": schedules.Exponential(T, 0.3, 3.0),
    "cosine": schedules.Cosine(T, 2.0),
}


def log_likelihood(bias):  # p is normal of mean K⁻¹b and covariance kT K⁻¹
    deviations = DATA - np.linalg.solve(STIFFNESS, bias)
    squares = np.einsum("ni,ij,nj->n", deviations, STIFFNESS, deviations) / NET.common_kT
    log_det = np.linalg.slogdet(2 * np.pi * NET.common_kT * np.linalg.inv(STIFFNESS))[1]
    return -0.5 * (squares.mean() + log_det)


def gains(fit):
    """Reported and true gain of the chain after every update."""
    steps = np.diff(fit.history.bias, axis=0, prepend=np.zeros((1, 3)))
    believed = np.cumsum(np.sum(fit.history.gradient * steps, axis=1))
    true = [log_likelihood(bias) - log_likelihood(np.zeros(3)) for bias in fit.history.bias]
    return believed, NET.common_kT * np.array(true)


def experiment(seed=1, quick=False):
    replicas, runs, ticks = (500, 8, 200) if quick else (10_000, 16, 200)
    table = Table("schedule", "believed gain", "true gain", "bias", "excess work", "difference")
    figure, axes = new_figure(1, 2, figsize=(8.4, 3.6))
    over_time, against = axes[0]
    for number, (name, schedule) in enumerate(SCHEDULES.items()):
        options = {"replicas": replicas, "ticks": ticks}
        fits = [ktc.learn(NET, DATA, schedule, seed=seed + k, **options) for k in range(runs)]
        believed, true = np.array([gains(fit) for fit in fits]).transpose(1, 0, 2)
        excess = np.array([fit.history.excess_work for fit in fits])
        ends = [found[:, -1] for found in (believed, true, believed - true, excess)]
        table.add(name, *map(over_runs, ends), np.abs(believed - true - excess).max())
        places = slice(number * ticks // 60, None, ticks // 10)
        look = {**STYLES[number], "markersize": 5, "linestyle": ""}
        against.plot(excess[0, places], (believed - true)[0, places], label=name, **look)
        if name in ("minimal dissipation", "constant"):
            for kind, gain, face in (("believed", believed, None), ("true", true, "white")):
                look = {**STYLES[number], "markevery": ticks // 6, "markerfacecolor": face}
                over_time.plot(fits[0].history.time, gain[0], label=f"{kind}, {name}", **look)
    against.axline((0, 0), slope=1, color="0.7", zorder=0)
    over_time.set(xlabel="time", ylabel="gain of kT ln p per sample")
    against.set(xlabel="excess work, by the ledger", ylabel="bias, by gradients and densities")
    legend(over_time, columns=1)
    legend(against, columns=2)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
