"""Bias and stiffness learned together: optimal transport beside rules of F and ζ.

Natural gradient follows mixtures of start and data, which are wide half way; the rule of the
present F and ζ misses the data; transport moves every replica on a straight line, at the least
work of any control. Told are completed excess works, and the nats per sample that the last update
leaves to gain; all but one are of the infinite ensemble.

    python examples/any_gaussian_at_the_bound.py [--seed 1] [--quick] [--figure FILE]

Source: Aurell, Mejía-Monasterio, Muratore-Ginanneschi (2011), Phys. Rev. Lett. 106, 250601.
"""

import math

import numpy as np
from drawing import STYLES, common_legend, new_figure, plain_ticks
from harness import Table, main, seeds_of
from matplotlib.patches import Ellipse

import ktc
from ktc.schedules import MinimalDissipation, NaturalGradient

START = ktc.Network([[2.0, 0.5], [0.5, 1.0]], friction=1.0)
MEAN, STIFFNESS = np.array([5.0, -3.0]), np.array([[1.2, 0.4], [0.4, 0.8]])
BEST = ktc.Network(STIFFNESS, friction=1.0, bias=STIFFNESS @ MEAN)
ROOT = np.linalg.cholesky(np.linalg.inv(STIFFNESS))
DATA = MEAN + np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) @ ROOT.T  # of BEST's moments
RULES = {
    "transport": MinimalDissipation,
    "transport, 2000 replicas": MinimalDissipation,
    "present F and ζ": lambda T: MinimalDissipation(T, anticipate=False),
    "natural gradient": lambda T: NaturalGradient(T, 6 / T),
}


def draw(plane, fit, number):
    """Path of the mean, and ellipses of one standard deviation: the run, played again."""
    emulator, ticks, found = ktc.Emulator(START, math.inf), len(fit.history.time) - 1, []
    for k, theta in enumerate(fit.history.theta):
        if k % (ticks // 5) == 0:
            found.append(emulator.moments())
            ellipse(plane, found[-1], edgecolor=STYLES[number]["color"], alpha=0.6)
        emulator.set(**fit.learned.changes(theta, emulator.controls))
        emulator.run(fit.duration / ticks)
    plane.plot(*np.transpose([one.mean for one in found]), linewidth=1.2, **STYLES[number])


def ellipse(plane, moments, **look):
    widths, axes = np.linalg.eigh(moments.covariance)
    angle, size = np.degrees(np.arctan2(*axes[::-1, 1])), 2 * np.sqrt(widths[::-1])
    plane.add_patch(Ellipse(moments.mean, *size, angle=angle, fill=False, **look))


def experiment(seed=1, quick=False):
    durations = [2.0, 6.0] if quick else [1.0, 2.0, 6.0, 30.0]
    table = Table("rule", "T", "completed", "bound", "nats left", named=2)
    figure, [[plane, costs]] = new_figure(1, 2, figsize=(9.6, 4.2), width_ratios=[1.4, 1])
    seeds = seeds_of(seed)
    ellipse(plane, ktc.theory.equilibrium(BEST), linestyle=":", color="k")
    for number, (name, rule) in enumerate(RULES.items()):
        many, ratios = 2000 if "2000" in name else math.inf, []
        for T in durations:
            options = {"parameters": ("bias", "stiffness"), "ticks": 400, "seed": next(seeds)}
            fit = ktc.learn(START, DATA, rule(T), replicas=many, **options)
            best, last = (ktc.theory.log_likelihood(net, DATA) for net in (BEST, fit.network))
            spent = fit.completed_excess_work
            table.add(name, f"{T:g}", spent, fit.bound_target, round(best - last, 12))
            ratios.append(spent.mean / fit.bound_target)
            if T == 6 and many == math.inf:
                draw(plane, fit, number)
        costs.plot(durations, ratios, linewidth=1.2, label=name, **STYLES[number])
    plane.set(xlabel="$x_0$", ylabel="$x_1$", aspect="equal", title="T = 6, data dotted")
    costs.set(xscale="log", yscale="log", xlabel="duration", ylabel="completed excess work / bound")
    plain_ticks(costs, x=durations, y=[1, 10, 100, 1000])
    common_legend(figure, costs, 4)
    return table, figure


if __name__ == "__main__":
    main(__file__, __doc__, experiment)
