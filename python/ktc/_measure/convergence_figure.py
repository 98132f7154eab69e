"""Figure of a convergence study: an observable over the square of the time step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ktc._drawing.style import STYLES, legend, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ktc._measure.convergence import Convergence


def draw_convergence(
    convergence: Convergence, figsize: tuple[float, float] | None = None
) -> Figure:
    """Draw estimates with two standard errors, and the fit through them down to dt = 0.

    Example:
        >>> import ktc
        >>> well = ktc.Network(stiffness=-1.0, friction=1.0, quartic=1.0)
        >>> study = ktc.convergence(well, lambda e: e.read()[:, 0], 1.0, replicas=100, seed=1)
        >>> ktc.plot.draw_convergence(study).axes[0].get_xlabel()
        'dt²'
    """
    figure, axes = new_figure(1, figsize=figsize, height=3.0)
    ax = axes[0, 0]
    squares = convergence.steps**2
    means = [estimate.mean for estimate in convergence.estimates]
    errors = [2 * estimate.stderr for estimate in convergence.estimates]
    grid = np.linspace(0.0, 1.0, 101)
    limit = convergence.extrapolated
    plain = {**STYLES[0], "linestyle": ""}
    ax.errorbar(squares, means, errors, capsize=3, label="estimates, 2 standard errors", **plain)
    line = limit.mean + np.polynomial.polynomial.polyval(grid, [0.0, *convergence.terms])
    ax.plot(grid * squares[0], line, color="#0072B2", linestyle="--", label="fit")
    plain = {**STYLES[2], "linestyle": "", "label": "limit dt → 0"}
    ax.errorbar([0.0], [limit.mean], [2 * limit.stderr], capsize=3, **plain)
    ax.set_xlabel("dt²")
    ax.set_ylabel("observable")
    legend(ax, columns=3)
    return figure
