"""``ktc demo``: learn a handwritten digit on a 64-cell board at minimal dissipation."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ktc._boards.gaussian_model import GaussianModel
from ktc._commands.experiment import Settings, Subject, carry_out
from ktc._learning import comparison_figure
from ktc._learning.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 8


def demo(settings: Settings, digit: int = 3) -> str:
    """Learn the mean image of one digit from a blank image, and return the report.

    There is one cell per pixel. Zero volts represent white, and one thermal width the rms standard
    deviation of the pixels. Couplings K = k_B T (C Σ C)⁻¹ give the board the covariance of the
    images, regularised because some pixels are always white
    (``ktc._boards.gaussian_model.shrunk_covariance``). The bias is learned from zero.

    Source: Alpaydin, Kaynak (1998), Optical recognition of handwritten digits, UCI Machine Learning
    Repository, the copy in scikit-learn.
    """
    if find_spec("sklearn") is None:
        raise ModuleNotFoundError(
            "the demo needs the images of scikit-learn; install it by: pip install 'ktc[demo]'"
        )
    return carry_out("demo", settings, lambda: _subject(settings, digit))


def _subject(settings: Settings, digit: int) -> Subject:
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    pixels = np.asarray(images[digits == digit])
    width = float(np.sqrt(pixels.var(axis=0).mean()))
    model = GaussianModel.of(settings.board(SIDE * SIDE), pixels, offset=0.0, scale=width)
    return Subject(
        f"Mean of {len(pixels)} handwritten images of the digit {digit}, "
        "learned from a blank image",
        model,
        {"digit": digit, "data_sd": width},
        _picture,
    )


def _picture(comparison: Comparison) -> Figure:
    encoding = comparison.model.encoding
    pictures = {
        "start": encoding.decode(np.zeros(SIDE * SIDE)),
        "data mean": encoding.decode(comparison.model.mean),
    }
    for point, fit in zip(comparison.points, comparison.fits, strict=True):
        error = comparison.error(fit) * float(encoding.scale[0])
        caption = f"{point.schedule}\nrms error {error:.2f}"
        pictures[caption] = comparison.model.mean_at(fit.history.bias[-1])
    shaped = {name: values.reshape(SIDE, SIDE) for name, values in pictures.items()}
    return comparison_figure.images(shaped, "grey level", (0.0, 16.0))
