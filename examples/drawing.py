"""Style of the figures of all experiments."""

from ktc._drawing import style
from ktc._drawing.style import legend, new_figure

__all__ = ["STYLES", "common_legend", "errorbars", "legend", "new_figure", "plain_ticks"]

STYLES = [
    *style.STYLES,
    {"color": "0.45", "linestyle": "-", "marker": "X"},
    {"color": "#E69F00", "linestyle": "--", "marker": "<"},
    {"color": "#999933", "linestyle": ":", "marker": ">"},
]


def errorbars(ax, x, cells, number, label="", **options):
    """Estimates with their standard errors, in the style of that number."""
    look = {**STYLES[number], "markerfacecolor": "white", "capsize": 2.5, **options}
    means, errors = [float(cell) for cell in cells], [getattr(c, "stderr", 0.0) for c in cells]
    ax.errorbar(x, means, errors, label=label, linewidth=1.2, markersize=5.5, **look)


def common_legend(figure, ax, columns):
    """The legend of one axes above all of them."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=columns, frameon=False, fontsize="small",
        handlelength=3.2,
    )  # fmt: skip


def plain_ticks(ax, x=None, y=None):
    """Numbers written out at the given places of a logarithmic axis, and none between."""
    for axis, places in ((ax.xaxis, x), (ax.yaxis, y)):
        if places is not None:
            axis.set_ticks(places, [f"{place:g}" for place in places])
            axis.set_ticks([], minor=True)
